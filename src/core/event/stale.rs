//! Why a record, and what follows from it, starts nothing: it is not new.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::{Time, duration_text};

use super::Event;

/// Why a record starts nothing. It is journaled with what waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// It was written while the controller did not listen.
    Backlog { at: Option<Time> },
    /// It arrived later than its sender's records usually do, by this time.
    Behind { by: Duration, record: StaleRecord },
    /// Its sender was emptying a queue of older records.
    Queued { record: StaleRecord },
    /// It is older than the `max age` of the alarm allows.
    TooOld { age: Duration, limit: Duration },
    /// The alarm was removed from the rules, or changed.
    RulesChanged,
    /// The text in a journal of an earlier version.
    #[serde(untagged)]
    Earlier(String),
}

/// The times of a stale record, and the host whose clock or zone may be wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaleRecord {
    /// Its time stamp, in UTC.
    pub at: Option<Time>,
    pub arrived: Time,
    /// The host that it names; empty if it names none.
    pub host: String,
    /// The time stamp does not state a zone.
    pub zoneless: bool,
}

impl StaleRecord {
    /// The times of a record that arrived at this time.
    pub fn of(event: &Event<'_>, arrived: Time) -> StaleRecord {
        StaleRecord { at: event.at, arrived, host: event.host.to_string(), zoneless: event.marks.zoneless }
    }
}

impl fmt::Display for StaleRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.at else { return Ok(()) };
        let host = if self.host.is_empty() { "its sender".to_owned() } else { format!("host {}", self.host) };
        let zone = if self.zoneless { ", or write `timezone:` for it, because the stamp has no zone" } else { "" };
        write!(f, " (its time is {at}, it arrived at {}); if it was new, set the clock of {host}{zone}", self.arrived)
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stale::Backlog { at: Some(at) } => write!(f, "it was written while the controller did not listen (its time is {at})"),
            Stale::Backlog { at: None } => f.write_str("it was written while the controller did not listen"),
            Stale::Behind { by, record } => write!(f, "it arrived {} late{record}", duration_text(*by)),
            Stale::Queued { record } => write!(f, "its sender was emptying a queue of older records{record}"),
            Stale::TooOld { age, limit } => {
                write!(f, "the record is {} old, `max age` is {}", duration_text(*age), duration_text(*limit))
            }
            Stale::RulesChanged => f.write_str("its alarm was removed from the rules, or changed"),
            Stale::Earlier(why) => f.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_journaled_is_read_back_and_what_an_earlier_version_journaled_is_read() {
        let record =
            StaleRecord { at: Some(Time::from_millis(1)), arrived: Time::from_millis(9), host: "h".to_owned(), zoneless: true };
        for stale in [
            Stale::Backlog { at: None },
            Stale::Behind { by: Duration::from_secs(3), record: record.clone() },
            Stale::Queued { record },
            Stale::RulesChanged,
            Stale::TooOld { age: Duration::from_secs(3), limit: Duration::from_secs(2) },
        ] {
            let line = serde_json::to_string(&stale).unwrap();
            assert_eq!(serde_json::from_str::<Stale>(&line).unwrap(), stale, "{line}");
        }
        assert_eq!(serde_json::from_str::<Stale>("\"it came 3s late\"").unwrap().to_string(), "it came 3s late");
    }
}
