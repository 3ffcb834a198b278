//! The timeline: what happened, or would have happened, as entries of dry runs and rule tests, for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::core::base::text::printable;
use crate::core::base::time::Time;
use crate::core::engine::cause_for_people;

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An alarm became active, or acted again while it was active.
    AlarmRaised,
    AlarmCleared,
    /// The run of a reaction began.
    RunStarted,
    /// A step of a run, or of the move of a resource.
    Step,
    /// A run ended, with success or not.
    RunFinished,
    /// Something that people should know.
    Notice,
}

impl EntryKind {
    pub const ALL: [EntryKind; 6] = [
        EntryKind::AlarmRaised,
        EntryKind::AlarmCleared,
        EntryKind::RunStarted,
        EntryKind::Step,
        EntryKind::RunFinished,
        EntryKind::Notice,
    ];

    /// Its name, as in JSON and rule tests.
    pub fn name(self) -> &'static str {
        match self {
            EntryKind::AlarmRaised => "alarm_raised",
            EntryKind::AlarmCleared => "alarm_cleared",
            EntryKind::RunStarted => "run_started",
            EntryKind::Step => "step",
            EntryKind::RunFinished => "run_finished",
            EntryKind::Notice => "notice",
        }
    }
}

/// One entry. Fields that do not apply are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// The time, in the engine's time.
    #[serde(serialize_with = "rfc3339")]
    pub at: Time,
    pub kind: EntryKind,
    /// The log whose line caused it, if there are several logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The number of the input line that caused it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// The script's verb (`vip.up`), or a step of a move: `release`, `released`, `take`, `taken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The result: a run's outcome, a step's result, an alarm's cause; the stable word of a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

fn rfc3339<S: serde::Serializer>(at: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

impl TimelineEntry {
    /// An entry with only its time and kind.
    pub fn new(at: Time, kind: EntryKind) -> TimelineEntry {
        TimelineEntry {
            at,
            kind,
            file: None,
            line: None,
            alarm: None,
            key: None,
            event_id: None,
            reaction: None,
            run: None,
            verb: None,
            resource: None,
            host: None,
            result: None,
            text: None,
        }
    }

    /// The names of all fields, as in JSON and rule tests. `file` is left out, because a rule test has none.
    pub const FIELDS: [&'static str; 13] =
        ["at", "kind", "line", "alarm", "key", "event_id", "reaction", "run", "verb", "resource", "host", "result", "text"];

    /// The value of a field by its JSON name, as text.
    pub fn field(&self, name: &str) -> Option<String> {
        match name {
            "at" => Some(self.at.to_string()),
            "kind" => Some(self.kind.name().to_owned()),
            "line" => self.line.map(|n| n.to_string()),
            "alarm" => self.alarm.clone(),
            "key" => self.key.clone(),
            "event_id" => self.event_id.clone(),
            "reaction" => self.reaction.clone(),
            "run" => self.run.map(|n| n.to_string()),
            "verb" => self.verb.clone(),
            "resource" => self.resource.clone(),
            "host" => self.host.clone(),
            "result" => self.result.clone(),
            "text" => self.text.clone(),
            _ => None,
        }
    }

    /// The entry as one JSON object on one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|e| format!("{{\"kind\":\"notice\",\"text\":\"not written: {e}\"}}"))
    }

    /// The entry as one line for people, safe for a terminal.
    pub fn human(&self, colour: bool) -> String {
        let (word, paint) = match self.kind {
            EntryKind::AlarmRaised => ("ALARM", "31"),
            EntryKind::AlarmCleared => ("clear", "32"),
            EntryKind::RunStarted => ("run", "36"),
            EntryKind::Step => ("step", "0"),
            EntryKind::RunFinished => ("end", "36"),
            EntryKind::Notice => ("note", "33"),
        };
        let mut text = String::new();
        let line = match (&self.file, self.line) {
            (Some(file), Some(n)) => format!("{}:{n}", printable(file)),
            (_, line) => line.map(|n| format!("line {n}")).unwrap_or_default(),
        };
        let at = self.at.to_string();
        let _ = write!(text, "{at:<24}  {line:>9}  ");
        let _ = if colour { write!(text, "\x1b[{paint}m{word:<5}\x1b[0m ") } else { write!(text, "{word:<5} ") };
        let mut parts: Vec<String> = Vec::new();
        match self.kind {
            EntryKind::AlarmRaised | EntryKind::AlarmCleared => {
                parts.extend(self.alarm.clone());
                parts.extend(self.key.clone().filter(|k| !k.is_empty()).map(|k| format!("[{k}]")));
                parts.extend(self.event_id.clone());
                // Rule tests and scripts have the short words.
                let ended = self.result.as_deref().map(cause_for_people);
                parts.extend(ended.map(|ended| format!("({ended})")));
                parts.extend(self.text.clone().filter(|t| !t.is_empty()).map(|t| format!(": {t}")));
            }
            EntryKind::RunStarted | EntryKind::RunFinished => {
                parts.extend(self.reaction.clone());
                parts.extend(self.run.map(|n| format!("#{n}")));
                parts.extend(self.result.clone());
                parts.extend(self.text.clone());
            }
            EntryKind::Step => {
                parts.extend(self.verb.clone());
                parts.extend(self.resource.clone());
                parts.extend(self.host.clone().map(|h| format!("on {h}")));
                parts.extend(self.result.clone().map(|r| format!("-> {r}")));
                parts.extend(self.text.clone());
                parts.extend(self.reaction.clone().map(|r| format!("({r} #{})", self.run.unwrap_or_default())));
            }
            EntryKind::Notice => {
                parts.extend(self.result.clone().map(|r| format!("{r}:")));
                parts.extend(self.text.clone());
            }
        }
        let body = parts.join(" ").replace(" : ", ": ");
        text.push_str(&printable(&body));
        text.trim_end().to_owned()
    }
}
