//! The history for people: entries that are made from the journal's records, one after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::core::base::limits::NOTIFICATION_LINE;
use crate::core::base::text::printable;
use crate::core::base::time::Time;
use crate::core::event::Value;
use crate::core::inventory::Name;
use crate::core::react::{self, RunId, RunOutcome};
use crate::core::script::Verb;
use crate::{core::engine, core::notifications, core::plan};

/// The answer of `notify` to a script if the notification is withheld.
pub const SILENCED: &str = "silenced";

use super::{Input, NoticeRecord, Record};

/// The kinds of entries that are not notices.
pub const HISTORY_KINDS: &[&str] = &[
    "start",
    "raised",
    "cleared",
    "acked",
    "ack_ended",
    "commented",
    "log",
    "notified",
    "notify_failed",
    "silenced",
    "ran",
    "step_failed",
    "superseded",
    "held",
    "run_replaced",
    "run_expired",
    "move",
    "adopted",
    "operator",
    "command_refused",
    "journal_loss_accepted",
    "clock_changed",
];

/// An entry of the history. Its texts are safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The number of the record.
    pub n: u64,
    /// The time, in the engine's time.
    pub at: Time,
    /// A stable word: one of [`HISTORY_KINDS`], or the kind of a notice.
    pub kind: String,
    pub text: String,
    pub alarm: Option<String>,
    /// The key, as shown.
    pub key: Option<String>,
    pub host: Option<Name>,
    pub resource: Option<Name>,
    pub run: Option<RunId>,
    pub reaction: Option<String>,
    /// Who asked for it.
    pub by: Option<String>,
}

impl HistoryEntry {
    /// The entry as one JSON object, without the fields that it does not have.
    pub fn json(&self) -> Json {
        let mut json = json!({ "at": self.at.to_string(), "kind": self.kind, "text": self.text, "record": self.n });
        let more = [
            ("alarm", &self.alarm),
            ("key", &self.key),
            ("host", &self.host),
            ("resource", &self.resource),
            ("reaction", &self.reaction),
            ("by", &self.by),
        ];
        if let Some(object) = json.as_object_mut() {
            let named =
                more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Json::from(printable(value.as_ref()?)))));
            object.extend(named);
            object.extend(self.run.map(|run| ("run".to_owned(), Json::from(run))));
        }
        json
    }
}

/// Makes entries from records. It remembers the runs that have not ended.
#[derive(Clone, Debug, Default)]
pub struct History {
    at: Time,
    runs: BTreeMap<RunId, Known>,
    /// Notifications that were not delivered yet, by number, with what is shown of each.
    notifications: BTreeMap<u64, HistoryEntry>,
    /// The text of a step `notify` was just queued or withheld. In journals of earlier versions such a step was done when it was
    /// answered.
    queued: bool,
}

/// What is remembered of a run.
#[derive(Clone, Debug, Default)]
struct Known {
    reaction: String,
    alarm: Option<String>,
    key: String,
    step: Option<(Verb, Vec<String>)>,
    /// Notices report what it would do.
    dry: bool,
}

impl History {
    /// Takes note of the time of an input that makes no entry.
    pub fn pass(&mut self, at: Time) {
        self.at = at;
    }

    /// The entry for a record, if people want to read it later.
    pub fn entry(&mut self, n: u64, record: &Record) -> Option<HistoryEntry> {
        if let Record::Input { at, .. } = record {
            self.at = *at;
        }
        let entry = match record {
            Record::Input { input, .. } => input_entry(input),
            Record::Alarm(record) => alarm_entry(record),
            Record::Run(record) => self.run_entry(record),
            Record::Plan(record) => plan_entry(record),
            // The records of the command and of the notice have it.
            Record::Override(_) => None,
            Record::Notify(record) => self.notify_entry(record),
            // Another record says the same.
            Record::Notice(notice) if matches!(notice.kind.as_str(), "journal_loss_accepted" | "clock_changed") => None,
            Record::Notice(notice) => Some(notice_entry(notice)),
        }?;
        debug_assert!(
            HISTORY_KINDS.contains(&entry.kind.as_str()) || matches!(record, Record::Notice(_)),
            "{} is not declared",
            entry.kind
        );
        let at = if entry.at == Time::default() { self.at } else { entry.at };
        Some(HistoryEntry { n, at, text: printable(&entry.text), ..entry })
    }

    /// A notification has its entry where it was delivered or given up.
    fn notify_entry(&mut self, record: &notifications::Record) -> Option<HistoryEntry> {
        match record {
            notifications::Record::Held { .. } => {
                self.queued = true;
                None
            }
            notifications::Record::Queued { notification: n, .. } => {
                self.queued = true;
                let alarm = n.alarms.first().filter(|a| !a.alarm.is_empty());
                let entry = HistoryEntry {
                    text: format!("{}: {}", n.channel, n.line(NOTIFICATION_LINE)),
                    alarm: alarm.map(|a| a.alarm.clone()),
                    key: alarm.map(|a| a.key.clone()).filter(|key| !key.is_empty()),
                    reaction: alarm.and_then(|a| a.reaction.clone()),
                    ..HistoryEntry::default()
                };
                self.notifications.insert(n.id, entry);
                None
            }
            notifications::Record::Delivered { id, at } => {
                let entry = self.notifications.remove(id)?;
                Some(HistoryEntry { at: *at, kind: "notified".to_owned(), ..entry })
            }
            notifications::Record::GaveUp { id, at, why } => {
                let entry = self.notifications.remove(id)?;
                Some(HistoryEntry { at: *at, kind: "notify_failed".to_owned(), text: format!("{} ({why})", entry.text), ..entry })
            }
            _ => None,
        }
    }

    fn run_entry(&mut self, record: &react::Record) -> Option<HistoryEntry> {
        let run = match record {
            react::Record::Wanted { run, at, key, bound, .. } => {
                self.at = *at;
                let alarm = Some(bound.of_alarm("name")).filter(|name| !name.is_empty());
                let (reaction, key, dry) = (bound.reaction.clone(), key.clone(), bound.dry);
                self.runs.insert(*run, Known { reaction, alarm, key, step: None, dry });
                return None;
            }
            react::Record::Asked { run, .. }
            | react::Record::Answered { run, .. }
            | react::Record::Ended { run, .. }
            | react::Record::Approved { run }
            | react::Record::Begun { run, .. }
            | react::Record::Again { run, .. } => *run,
            react::Record::Kept { .. } | react::Record::Retried { .. } => return None,
        };
        let queued = std::mem::take(&mut self.queued);
        let known = self.runs.entry(run).or_default();
        if known.dry {
            if let react::Record::Ended { .. } = record {
                self.runs.remove(&run);
            }
            return None;
        }
        let reaction = known.reaction.clone();
        let of_run = HistoryEntry {
            run: Some(run),
            reaction: Some(reaction.clone()).filter(|r| !r.is_empty()),
            alarm: known.alarm.clone(),
            key: Some(known.key.clone()).filter(|k| !k.is_empty()),
            ..HistoryEntry::default()
        };
        let entry = |kind: &str, text: String| Some(HistoryEntry { kind: kind.to_owned(), text, ..of_run.clone() });
        match record {
            react::Record::Asked { step, .. } => {
                let args: Vec<String> = step.args.iter().map(ToString::to_string).collect();
                let log = (step.verb == Verb::Log).then(|| format!("{reaction}: {}", args.get(1).cloned().unwrap_or_default()));
                known.step = Some((step.verb, args));
                entry("log", log?)
            }
            react::Record::Answered { result, .. } => {
                let (verb, args) = known.step.take()?;
                let arg = |i: usize| args.get(i).cloned().unwrap_or_default();
                match (verb, result) {
                    (Verb::Notify, Ok(value)) if value.as_text() == Some(SILENCED) => {
                        entry("silenced", format!("not sent, because the alarm is silenced: {}: {}", arg(0), arg(1)))
                    }
                    // The result of the notification has an entry of its own.
                    (Verb::Notify, Ok(_)) if queued || arg(1).is_empty() => None,
                    (Verb::Notify, Ok(_)) => entry("notified", format!("{}: {}", arg(0), arg(1))),
                    (Verb::Notify, Err(why)) => entry("notify_failed", format!("{}: {} ({why})", arg(0), arg(1))),
                    (_, Err(why)) => entry("step_failed", format!("{reaction}: {verb}({}): {why}", args.join(", "))),
                    (Verb::HostRun, Ok(_)) => entry("ran", format!("{reaction}: {} on {}", arg(1), arg(0))),
                    (_, Ok(value)) if matches!(value.as_text(), Some("superseded" | "held")) => {
                        let value = value.as_text().unwrap_or_default();
                        entry(value, format!("{reaction}: {verb}({}) is {value}", args.join(", ")))
                    }
                    _ => None,
                }
            }
            react::Record::Ended { at, outcome, .. } => {
                self.at = *at;
                self.runs.remove(&run);
                match outcome {
                    RunOutcome::Replaced => {
                        entry("run_replaced", format!("{reaction}: a newer run of the same key took its place"))
                    }
                    RunOutcome::Expired => entry("run_expired", format!("{reaction}: nobody approved it in time")),
                    // Failures are notices.
                    RunOutcome::Finished(_) | RunOutcome::Failed(_) | RunOutcome::Cancelled(_) => None,
                }
            }
            _ => None,
        }
    }
}

fn alarm_entry(record: &engine::Record) -> Option<HistoryEntry> {
    let (at, kind, alarm, key, more, host) = match record {
        engine::Record::Raised { alarm, key, at, summary, event, .. } => {
            let host = event.get("host").and_then(Value::as_text).map(str::to_owned);
            (at, "raised", alarm, key, summary.clone(), host)
        }
        engine::Record::Cleared { alarm, key, at, cause, summary } => {
            (at, "cleared", alarm, key, summary.clone().unwrap_or_else(|| cause.for_people()), None)
        }
        engine::Record::Acked { alarm, key, at, by, comment, until } => {
            let comment = comment.as_ref().map_or(String::new(), |comment| format!(": {comment}"));
            let until = until.map_or(String::new(), |until| format!(", until {until}"));
            (at, "acked", alarm, key, format!("by {by}{until}{comment}"), None)
        }
        engine::Record::AckEnded { alarm, key, at } => {
            (at, "ack_ended", alarm, key, "its acknowledgement has expired".to_owned(), None)
        }
        engine::Record::Commented { alarm, key, comment } => {
            (&comment.at, "commented", alarm, key, format!("{}: {}", comment.by, comment.text), None)
        }
        _ => return None,
    };
    let shown = if key.is_empty() { String::new() } else { format!(" [{key}]") };
    let more = if more.is_empty() { more } else { format!(": {more}") };
    Some(HistoryEntry {
        at: *at,
        kind: kind.to_owned(),
        text: format!("{alarm}{shown}{more}"),
        alarm: Some(alarm.clone()),
        key: (!key.is_empty()).then(|| key.to_string()),
        host,
        ..HistoryEntry::default()
    })
}

fn plan_entry(record: &plan::Record) -> Option<HistoryEntry> {
    let (kind, text, resource, host) = match record {
        plan::Record::Move { resource, to, .. } => ("move", format!("{resource} is moved to {to}"), resource, Some(to.clone())),
        plan::Record::Adopted { resource, host } => {
            ("adopted", format!("{resource} was found on {host} and nowhere else, and stays there"), resource, Some(host.clone()))
        }
        _ => return None,
    };
    Some(HistoryEntry { kind: kind.to_owned(), text, resource: Some(resource.clone()), host, ..HistoryEntry::default() })
}

fn notice_entry(notice: &NoticeRecord) -> HistoryEntry {
    let NoticeRecord { at, kind, text, alarm, resource, host, run, reaction, source: _, pair: _ } = notice.clone();
    HistoryEntry { at, kind, text, alarm, resource, host, run, reaction, ..HistoryEntry::default() }
}

/// A command of an operator as people say it: `move sip_vip to sip1`, `silence link [eth7] for 1h: new cable`.
fn command_text(by: &str, command: &str, of: &BTreeMap<String, String>) -> String {
    let mut left: BTreeMap<&str, &String> = of.iter().map(|(what, name)| (what.as_str(), name)).collect();
    let mut text = command.to_owned();
    for what in ["scope", "resource", "reaction", "alarm", "run", "channel"] {
        if let Some(name) = left.remove(what) {
            text.push_str(&format!(" {name}"));
        }
    }
    if let Some(key) = left.remove("key") {
        text.push_str(&format!(" [{key}]"));
    }
    if let Some(host) = left.remove("host") {
        let to = match (command, text == command) {
            ("move", _) => "to ",
            ("silence" | "unsilence", _) => "host ",
            (_, true) => "",
            _ => "on ",
        };
        text.push_str(&format!(" {to}{host}"));
    }
    let name = left.remove("in the name of").filter(|name| *name != by);
    let why = [left.remove("reason"), left.remove("comment")];
    for (what, name) in left.into_iter().chain(name.map(|name| ("in the name of", name))) {
        text.push_str(&format!(" {what} {name}"));
    }
    for why in why.into_iter().flatten() {
        text.push_str(&format!(": {why}"));
    }
    text
}

fn input_entry(input: &Input) -> Option<HistoryEntry> {
    let entry = |kind: &str, text: String| HistoryEntry { kind: kind.to_owned(), text, ..HistoryEntry::default() };
    Some(match input {
        Input::Start => entry("start", "the controller started".to_owned()),
        Input::Operator(text) => entry("operator", text.clone()),
        Input::OperatorCommand { by, command, of } => HistoryEntry {
            by: Some(by.clone()),
            alarm: of.get("alarm").cloned(),
            key: of.get("key").cloned(),
            resource: of.get("resource").cloned(),
            host: of.get("host").cloned(),
            run: of.get("run").and_then(|run| run.parse().ok()),
            reaction: of.get("reaction").cloned(),
            ..entry("operator", format!("{by}: {}", command_text(by, command, of)))
        },
        Input::CommandRefused { by, command, why } => {
            HistoryEntry { by: Some(by.clone()), ..entry("command_refused", format!("{command} was refused: {why}")) }
        }
        Input::LossAccepted { by, reason, missing } => HistoryEntry {
            by: Some(by.clone()),
            ..entry("journal_loss_accepted", format!("{by} accepted that records are missing ({missing} or more): {reason}"))
        },
        Input::ClockChanged { by } => {
            let way = if *by < 0 { "back" } else { "forward" };
            let seconds = (by.unsigned_abs() + 500_000) / 1_000_000;
            entry("clock_changed", format!("the wall clock was set {way} by {seconds} s, and times of the state with it"))
        }
        Input::Event { .. }
        | Input::Position { .. }
        | Input::Forget { .. }
        | Input::Offset { .. }
        | Input::BacklogEnded { .. }
        | Input::Source { .. }
        | Input::Timer
        | Input::HostLost { .. }
        | Input::HostBack { .. }
        | Input::Application { .. }
        | Input::Metrics { .. }
        | Input::JournalDoubted { .. }
        | Input::JournalTrusted
        | Input::Accepted(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_people_write_them() {
        let text = |command: &str, of: &[(&str, &str)]| {
            command_text("ann", command, &of.iter().map(|(what, name)| ((*what).to_owned(), (*name).to_owned())).collect())
        };
        let link = [("alarm", "link"), ("key", "eth7")];
        assert_eq!(text("move", &[("host", "sip2"), ("resource", "sip_vip")]), "move sip_vip to sip2");
        assert_eq!(text("released", &[("host", "sip1"), ("resource", "sip_vip")]), "released sip_vip on sip1");
        assert_eq!(text("drain", &[("host", "sip1"), ("reason", "it is replaced")]), "drain sip1: it is replaced");
        assert_eq!(text("pause", &[("scope", "everything"), ("reason", "x")]), "pause everything: x");
        assert_eq!(text("silence", &[&link[..], &[("for", "1h"), ("reason", "x")]].concat()), "silence link [eth7] for 1h: x");
        assert_eq!(text("silence", &[("host", "sip1"), ("for", "1h"), ("reason", "x")]), "silence host sip1 for 1h: x");
        let ack = |by| text("ack", &[("alarm", "link"), ("comment", "ticket 7"), ("in the name of", by)]);
        assert_eq!(
            (ack("ann"), ack("bob")),
            ("ack link: ticket 7".to_owned(), "ack link in the name of bob: ticket 7".to_owned())
        );
    }
}
