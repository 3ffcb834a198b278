//! Spans of time and sets of them: union and difference within a window.

/// A half-open span of time, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeSpan {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The span of time that a question is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Adds the part of a span that lies within the window; a span that begins where the last one ended is joined to it.
pub(super) fn note(found: &mut Vec<TimeSpan>, window: Window, from: i64, to: i64) {
    let (from, to) = (from.max(window.from), to.min(window.to));
    if from >= to {
        return;
    }
    match found.last_mut() {
        Some(last) if last.from <= from && from <= last.to => last.to = last.to.max(to),
        _ => found.push(TimeSpan { from, to }),
    }
}

/// The same times, sorted, without spans that touch.
pub(super) fn union(mut found: Vec<TimeSpan>) -> Vec<TimeSpan> {
    found.sort_unstable();
    let mut joined: Vec<TimeSpan> = Vec::with_capacity(found.len());
    for span in found {
        match joined.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => joined.push(span),
        }
    }
    joined
}

/// The part of a set that is not in the other; both are sorted and disjoint.
pub(super) fn without(set: &[TimeSpan], taken: &[TimeSpan]) -> Vec<TimeSpan> {
    let mut left = Vec::with_capacity(set.len());
    let mut next = 0;
    for span in set {
        let mut from = span.from;
        while taken.get(next).is_some_and(|t| t.to <= from) {
            next += 1;
        }
        let mut at = next;
        while let Some(hole) = taken.get(at).filter(|t| t.from < span.to) {
            if hole.from > from {
                left.push(TimeSpan { from, to: hole.from });
            }
            from = hole.to;
            at += 1;
        }
        if from < span.to {
            left.push(TimeSpan { from, to: span.to });
        }
    }
    left
}
