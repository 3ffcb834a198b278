//! Texts of the events that an alarm keeps for its scripts (`keep N lines`): which texts, and their maximum size.

use crate::core::base::limits::{KEPT_BYTES, KEPT_BYTES_ALL, KEPT_LINE_BYTES};
use std::sync::Arc;

use crate::core::event::Value;
use crate::core::lang::program::Alarm;

use super::Engine;
use super::fields::TriggerEvent;
use super::key::Key;
use super::record::{Fields, Instance, PartialMatch};
use super::state::State;
use super::turn::Output;
use crate::core::notice::{Kind, Notice};

impl Instance {
    /// Bytes of the lines that it keeps.
    pub(super) fn line_bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }
}

impl State {
    /// Returns the text that an alarm keeps of an event, cut; `None` when it keeps no more. The error means that all alarms
    /// together keep too much.
    fn kept_line(&self, most: usize, alarm: &str, key: &Key, text: &str) -> Result<Option<String>, ()> {
        let (lines, bytes) = self.instance(alarm, key).map_or((0, 0), |i| (i.lines.len(), i.line_bytes()));
        if lines >= most || text.is_empty() {
            return Ok(None);
        }
        let line = cut(text);
        if self.line_bytes + line.len() > KEPT_BYTES_ALL {
            return Err(());
        }
        Ok((bytes + line.len() <= KEPT_BYTES).then(|| line.to_owned()))
    }
}

/// The internal field for the texts of counted events on their way to the alarm. No event can have a field of this name.
const COUNTED: &str = "=lines";

/// Returns the text of a counted event, cut, as a partial match keeps it.
pub(super) fn counted_line(alarm: &Alarm, text: Option<String>) -> Fields {
    let Some(text) = text.filter(|text| alarm.keep > 0 && !text.is_empty()) else { return Fields::new() };
    [(COUNTED.to_owned(), Value::from(cut(&text)).into_owned())].into()
}

/// Returns the texts of the partial matches of a count, oldest first, as a field of the event.
pub(super) fn counted_lines<'n>(alarm: &Alarm, notes: impl Iterator<Item = &'n PartialMatch>) -> Fields {
    if alarm.keep == 0 {
        return Fields::new();
    }
    let lines: Vec<Value<'static>> = notes.filter_map(|note| note.seen().remove(COUNTED)).collect();
    [(COUNTED.to_owned(), Value::List(lines))].into()
}

/// Cuts a text between two characters.
fn cut(text: &str) -> &str {
    let at = (0..=text.len().min(KEPT_LINE_BYTES)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.get(..at).unwrap_or_default()
}

impl Engine {
    /// Takes the texts of counted events out of the event that carries them, as many as the alarm keeps in addition to the
    /// event's own.
    pub(super) fn counted_lines<'s>(&self, alarm: &Alarm, key: &Key, seen: TriggerEvent<'s>) -> (TriggerEvent<'s>, Vec<String>) {
        let TriggerEvent::Kept(mut event) = seen else { return (seen, Vec::new()) };
        let counted = if event.contains_key(COUNTED) { Arc::make_mut(&mut event).remove(COUNTED) } else { None };
        let Some(Value::List(lines)) = counted else { return (TriggerEvent::Kept(event), Vec::new()) };
        let (kept, bytes) = self.state.instance(&alarm.name, key).map_or((0, 0), |i| (i.lines.len(), i.line_bytes()));
        let most = alarm.keep.saturating_sub(kept + 1);
        // The event's own line needs room, too.
        let (mut own, mut all) = (bytes + KEPT_LINE_BYTES, self.state.line_bytes + KEPT_LINE_BYTES);
        let newest = lines.iter().skip(lines.len().saturating_sub(most)).map(ToString::to_string);
        let fits = |line: &String| {
            (own, all) = (own + line.len(), all + line.len());
            own <= KEPT_BYTES && all <= KEPT_BYTES_ALL
        };
        (TriggerEvent::Kept(event), newest.take_while(fits).collect())
    }

    /// Returns the line that an alarm keeps of an event's text.
    pub(super) fn line(&mut self, alarm: &Alarm, key: &Key, seen: &TriggerEvent<'_>, out: &mut Vec<Output>) -> Option<String> {
        // Most alarms keep no lines, so the text is not copied.
        let text = if alarm.keep > 0 { seen.text() } else { None }?;
        self.state.kept_line(alarm.keep, &alarm.name, key, &text).unwrap_or_else(|()| {
            let text = format!(
                "alarms keep more than {} MiB of lines at once; further ones are counted and not kept: narrow `by`, or `keep` fewer",
                KEPT_BYTES_ALL >> 20
            );
            self.notify_once("lines".to_owned(), Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) }, out);
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Cause, Record};
    use super::*;
    use crate::core::base::time::Time;

    fn raised(key: usize, line: Option<String>) -> Record {
        let (at, event) = (Time::default(), std::sync::Arc::default());
        let key = Key::of([key.to_string()]);
        Record::Raised {
            alarm: "a".to_owned(),
            key,
            category: None,
            sequence: 1,
            at,
            due: None,
            event,
            summary: String::new(),
            line,
            idle: None,
            before: Vec::new(),
        }
    }

    /// The size of a line, of an instance and of all instances is bounded, and an instance that ends frees its bytes.
    #[test]
    fn lines_are_bounded() {
        let mut state = State::default();
        let key = |key: usize| Key::of([key.to_string()]);
        // No character is cut in two.
        let long = format!("x{}", "é".repeat(KEPT_LINE_BYTES));
        let line = state.kept_line(200, "a", &key(0), &long).unwrap().unwrap();
        assert_eq!(line.len(), KEPT_LINE_BYTES - 1);
        state.apply(&raised(0, Some(line.clone())));
        let (at, alarm) = (Time::default(), "a".to_owned());
        let mut lines = 1;
        while let Some(line) = state.kept_line(200, "a", &key(0), &line).unwrap() {
            lines += 1;
            let (alarm, key) = (alarm.clone(), key(0));
            state.apply(&Record::Repeated {
                alarm,
                key,
                sequence: 1,
                at,
                due: None,
                better: None,
                line: Some(line),
                before: Vec::new(),
            });
        }
        assert_eq!(lines, KEPT_BYTES / (KEPT_LINE_BYTES - 1));
        assert_eq!(state.kept_line(32, "a", &key(0), "x"), Ok(None));
        assert_eq!(state.kept_line(2, "a", &key(1), ""), Ok(None));
        let mut n = 1;
        while let Ok(Some(line)) = state.kept_line(1, "a", &key(n), &line) {
            state.apply(&raised(n, Some(line)));
            n += 1;
        }
        assert!(state.line_bytes <= KEPT_BYTES_ALL && state.line_bytes + KEPT_LINE_BYTES > KEPT_BYTES_ALL);
        for n in 0..n {
            state.apply(&Record::Cleared { alarm: alarm.clone(), key: key(n), at, cause: Cause::When, summary: None });
        }
        assert_eq!(state.line_bytes, 0);
    }
}
