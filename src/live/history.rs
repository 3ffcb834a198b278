//! What happened lately, for people: notices and steps, and which alarms began and ended.
//!
//! Alarms have a list of their own: however many come, what was done for them stays to be seen.

use std::collections::VecDeque;

use serde_json::{Value as Json, json};

use crate::base::limits::HISTORY_TEXT;
use crate::base::text::{printable, printable_short};
use crate::base::time::Time;
use crate::engine;
use crate::journal::Record;

/// Entries of each kind that are kept.
const KEPT: usize = 500;

/// What happened lately.
#[derive(Default)]
pub(super) struct History {
    said: VecDeque<(Time, Json)>,
    alarms: VecDeque<(Time, Json)>,
}

impl History {
    /// Something was said or done; `text` is fit to be shown.
    pub(super) fn said(&mut self, at: Time, kind: &str, text: &str) {
        keep(&mut self.said, at, kind, text);
    }

    /// A decision; kept when an alarm began or ended by it, or somebody took it on.
    pub(super) fn decided(&mut self, record: &Record) {
        let Record::Alarm(record) = record else { return };
        let (at, kind, alarm, key, more) = match record {
            engine::Record::Raised { alarm, key, at, summary, .. } => (at, "raised", alarm, key, summary.clone()),
            engine::Record::Cleared { alarm, key, at, cause } => (at, "cleared", alarm, key, cause.to_string()),
            engine::Record::Acked { alarm, key, at, by } => (at, "acked", alarm, key, format!("by {by}")),
            _ => return,
        };
        let key = if key.is_empty() { String::new() } else { format!(" [{key}]") };
        let more = if more.is_empty() { more } else { format!(": {more}") };
        keep(&mut self.alarms, *at, kind, &printable(&format!("{alarm}{key}{more}")));
    }

    /// Everything, in order of time.
    pub(super) fn all(&self) -> Json {
        let mut all: Vec<&(Time, Json)> = self.alarms.iter().chain(&self.said).collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, entry)| entry.clone()).collect()
    }
}

fn keep(list: &mut VecDeque<(Time, Json)>, at: Time, kind: &str, text: &str) {
    if list.len() == KEPT {
        list.pop_front();
    }
    list.push_back((at, json!({ "at": at.to_string(), "kind": kind, "text": printable_short(text, HISTORY_TEXT) })));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Cause, Key};

    #[test]
    fn a_flood_of_alarms_hides_nothing_that_was_done() {
        let mut history = History::default();
        history.said(Time::from_millis(0), "step", "vip taken a");
        for n in 0..2_000 {
            let (alarm, key, at) = ("a".to_owned(), Key::of(["x\u{1b}"]), Time::from_millis(n));
            history.decided(&Record::Alarm(engine::Record::Cleared { alarm, key, at, cause: Cause::When }));
        }
        let all = history.all();
        let all = all.as_array().unwrap();
        assert_eq!((all.len(), all[0]["text"].as_str()), (KEPT + 1, Some("vip taken a")));
        assert_eq!(all[KEPT]["text"].as_str(), Some("a [x\\x1b]: when"), "{}", all[KEPT]);
    }
}
