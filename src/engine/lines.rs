//! Texts of the events that an alarm keeps for its scripts (`keep N lines`): which, and how many bytes of them at most.

use crate::base::limits::{KEPT_BYTES, KEPT_BYTES_ALL, KEPT_LINE_BYTES};
use crate::lang::program::Alarm;

use super::key::Key;
use super::state::{Instance, State};
use super::{Engine, Notice, Output, Seen};

impl Instance {
    /// Bytes of the lines that it keeps.
    pub(super) fn line_bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }
}

impl State {
    /// The text that an alarm keeps of an event, cut; `None` when it keeps no more. The error: all alarms together keep too much.
    fn kept_line(&self, most: usize, alarm: &str, key: &Key, text: &str) -> Result<Option<String>, ()> {
        let (lines, bytes) = self.instance(alarm, key).map_or((0, 0), |i| (i.lines.len(), i.line_bytes()));
        if lines >= most || text.is_empty() {
            return Ok(None);
        }
        // No character is cut in two.
        let cut = (0..=text.len().min(KEPT_LINE_BYTES)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let line = text.get(..cut).unwrap_or_default();
        if self.line_bytes + line.len() > KEPT_BYTES_ALL {
            return Err(());
        }
        Ok((bytes + line.len() <= KEPT_BYTES).then(|| line.to_owned()))
    }
}

impl Engine {
    /// What an alarm keeps of an event's text.
    pub(super) fn line(&mut self, alarm: &Alarm, key: &Key, seen: &Seen<'_>, out: &mut Vec<Output>) -> Option<String> {
        // Most alarms keep none: their events' text is not copied.
        let text = if alarm.keep > 0 { seen.text() } else { None }?;
        self.state.kept_line(alarm.keep, &alarm.name, key, &text).unwrap_or_else(|()| {
            let text = format!(
                "alarms keep more than {} MiB of lines at once; further ones are counted and not kept: narrow `by`, or `keep` fewer",
                KEPT_BYTES_ALL >> 20
            );
            self.tell_once("lines".to_owned(), Notice { alarm: Some(alarm.name.clone()), ..Notice::new("limit", text) }, out);
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Cause, Record};
    use super::*;
    use crate::base::time::Time;

    fn raised(key: usize, line: Option<String>) -> Record {
        let (at, event) = (Time::default(), std::sync::Arc::default());
        let key = Key::of([key.to_string()]);
        Record::Raised { alarm: "a".to_owned(), key, order: 1, at, due: None, event, summary: String::new(), line, idle: None }
    }

    /// One line, one instance and all of them have their bounds, and what ends gives its room back.
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
            state.apply(&Record::Repeated { alarm, key, order: 1, at, due: None, better: None, line: Some(line) });
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
            state.apply(&Record::Cleared { alarm: alarm.clone(), key: key(n), at, cause: Cause::When });
        }
        assert_eq!(state.line_bytes, 0);
    }
}
