//! Late is not new: how far behind its source's usual offset a record came (DESIGN section 3).

use std::time::Duration;

use crate::base::limits::LATE_AFTER;
use crate::base::time::{Time, duration_text};
use crate::event::Event;

use super::record::Record;
use super::state::Offsets;
use super::{Engine, Notice, Output};

/// So many offsets that agree make the usual one.
const AGREE: usize = 5;
/// They agree when they lie so close together ...
const WITHIN_US: i64 = 2_000_000;
/// ... and were seen over so long: a burst of one delay proves nothing about a clock.
const SPREAD: Duration = Duration::from_secs(10);
/// So far apart are those that are looked at.
const APART: Duration = Duration::from_millis(2_500);

impl Engine {
    /// Why the event may start nothing, when it is late; and what its offset teaches.
    pub(super) fn lateness(
        &mut self,
        now: Time,
        source: &str,
        event: &Event<'_>,
        backlog: bool,
        out: &mut Vec<Output>,
    ) -> Option<String> {
        if backlog {
            return Some("it was written while nobody listened".to_owned());
        }
        let stamp = event.at?;
        let offset = now.offset_from(stamp);
        let host: &str = &event.host;
        // Nobody teaches the clock of one who is better known.
        let bucket = format!("{source} {}", event.provenance.name());
        let (none, known) = (Offsets::default(), self.state.offsets(&bucket, host));
        let known = known.unwrap_or(&none);
        let (late, before) = (known.is_late(offset), known.usual);
        let mut usual = before;
        if known.wants(now) {
            self.record(Record::Offset { source: bucket.clone(), host: host.to_owned(), at: now, offset }, out);
            usual = self.state.offsets(&bucket, host).map_or(before, |o| o.usual);
        }
        // Names that a record makes up are no hosts.
        let ours = || host.is_empty() || self.inventory.hosts.is_empty() || self.inventory.host(host).is_some();
        if usual.abs_diff(before) > 2_000_000 && ours() {
            let direction = if usual >= 0 { "behind" } else { "ahead of" };
            let span = duration_text(Duration::from_millis(usual.unsigned_abs() / 1_000));
            let text = format!(
                "the records of {} from {source} are steadily {span} {direction} ours: its clock or time zone is wrong; that is taken as usual from now on",
                if host.is_empty() { "a host that they do not name" } else { host }
            );
            out.push(Output::Notice(Notice { host: Some(host.to_owned()), ..Notice::new("clock_offset", text) }));
        }
        late.then(|| {
            let behind = u64::try_from(offset.saturating_sub(before)).unwrap_or(0) / 1_000;
            format!("it came {} late", duration_text(Duration::from_millis(behind)))
        })
    }
}

impl Offsets {
    /// True when a further offset may teach something: of a busy host most are too near to each other.
    fn wants(&self, now: Time) -> bool {
        self.last.back().is_none_or(|(at, _)| now.since(*at) >= APART || now < *at)
    }

    /// True when a record with this offset is late.
    pub(super) fn is_late(&self, offset: i64) -> bool {
        let behind = offset.saturating_sub(self.usual);
        behind > i64::try_from(LATE_AFTER.as_micros()).unwrap_or(i64::MAX)
    }

    pub(super) fn learn(&mut self, at: Time, offset: i64) {
        if self.last.len() == AGREE {
            self.last.pop_front();
        }
        self.last.push_back((at, offset));
        let (Some((first, _)), Some((last, _))) = (self.last.front(), self.last.back()) else { return };
        if self.last.len() < AGREE || last.since(*first) < SPREAD {
            return;
        }
        let mut offsets: Vec<i64> = self.last.iter().map(|(_, o)| *o).collect();
        offsets.sort_unstable();
        if offsets[AGREE - 1].saturating_sub(offsets[0]) <= WITHIN_US {
            self.usual = offsets[AGREE / 2];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(n: i64) -> i64 {
        n * 1_000_000
    }

    #[test]
    fn a_steady_offset_is_a_wrong_clock_and_a_burst_is_not() {
        let mut offsets = Offsets::default();
        assert!(offsets.is_late(s(3)) && !offsets.is_late(s(2)) && !offsets.is_late(s(-50)));
        for i in 0..8 {
            offsets.learn(Time::from_millis(i * 100), s(3_600));
        }
        assert!(offsets.is_late(s(3_600)), "all within a second");
        for i in 1..6 {
            offsets.learn(Time::from_millis(i * 10_000), s(3_600) + i);
        }
        assert!(!offsets.is_late(s(3_600)));
        assert!(offsets.is_late(s(3_603)), "late beyond what is usual");
    }

    #[test]
    fn offsets_that_scatter_teach_nothing() {
        let mut offsets = Offsets::default();
        for i in 0..20 {
            offsets.learn(Time::from_millis(i * 10_000), s(if i % 2 == 0 { 20 } else { 0 }));
        }
        assert!(offsets.is_late(s(20)));
    }
}
