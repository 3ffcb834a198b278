//! Commands of operators as the journal has them: written, and read back for a replay.

use std::collections::BTreeMap;

use crate::core::base::time::{duration_text, parse_duration};
use crate::core::overrides::{Override, SilenceMatcher};

use super::OperatorCommand;

impl OperatorCommand {
    /// The name of the command, as on the command line, and its arguments, for the journal.
    pub(super) fn recorded(&self) -> (&'static str, BTreeMap<String, String>) {
        let pairs: Vec<(&str, Option<String>)> = match self {
            OperatorCommand::Move { resource, host } | OperatorCommand::Released { resource, host } => {
                vec![("resource", Some(resource.clone())), ("host", Some(host.clone()))]
            }
            OperatorCommand::Resume { resource } => vec![("resource", Some(resource.clone()))],
            OperatorCommand::Clear { alarm, key, reason } => {
                vec![("alarm", Some(alarm.clone())), ("key", key.clone()), ("reason", reason.clone())]
            }
            OperatorCommand::Ack { alarm, key, by, comment, lasts } => vec![
                ("alarm", Some(alarm.clone())),
                ("key", key.clone()),
                ("in the name of", Some(by.clone())),
                ("for", lasts.map(duration_text)),
                ("comment", comment.clone()),
            ],
            OperatorCommand::Comment { alarm, key, text } => {
                vec![("alarm", Some(alarm.clone())), ("key", key.clone()), ("comment", Some(text.clone()))]
            }
            OperatorCommand::Test { alarm, app, fields } => {
                let set: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let set = (!set.is_empty()).then(|| set.join(" "));
                vec![("alarm", Some(alarm.clone())), ("application", Some(app.clone())), ("set", set)]
            }
            OperatorCommand::Cancel { run } | OperatorCommand::Retry { run } | OperatorCommand::Approve { run } => {
                vec![("run", Some(run.to_string()))]
            }
            OperatorCommand::TestChannel { channel } => vec![("channel", Some(channel.clone()))],
            OperatorCommand::AcceptLoss { reason } => vec![("reason", Some(reason.clone()))],
            OperatorCommand::Begin { what, lasts, reason } => {
                let mut all = named(what);
                all.extend([("for", lasts.map(duration_text)), ("reason", Some(reason.clone()))]);
                all
            }
            OperatorCommand::End { what } => named(what),
        };
        let name = match self {
            OperatorCommand::Move { .. } => "move",
            OperatorCommand::Released { .. } => "released",
            OperatorCommand::Resume { .. } => "resume",
            OperatorCommand::Clear { .. } => "clear",
            OperatorCommand::Ack { .. } => "ack",
            OperatorCommand::Comment { .. } => "comment",
            OperatorCommand::Test { .. } => "test",
            OperatorCommand::Cancel { .. } => "cancel",
            OperatorCommand::Retry { .. } => "retry",
            OperatorCommand::TestChannel { .. } => "channels test",
            OperatorCommand::Approve { .. } => "approve",
            OperatorCommand::AcceptLoss { .. } => "accept-loss",
            OperatorCommand::Begin { what, .. } => what.commands()[0],
            OperatorCommand::End { what } => what.commands()[1],
        };
        (name, pairs.into_iter().filter_map(|(what, name)| Some((what.to_owned(), name?))).collect())
    }

    /// The command that the journal recorded by this name with these arguments; `None` if a replay has no use for it, or cannot
    /// read it.
    pub fn of_record(command: &str, of: &BTreeMap<String, String>) -> Option<OperatorCommand> {
        let text = |name: &str| of.get(name).cloned();
        let run = || text("run")?.parse().ok();
        let lasts = text("for").and_then(|text| parse_duration(&text));
        let begin = |what: Override| Some(OperatorCommand::Begin { what, lasts, reason: text("reason").unwrap_or_default() });
        let end = |what: Override| Some(OperatorCommand::End { what });
        let paused = || match (text("resource"), text("reaction")) {
            (Some(resource), _) => Override::PauseResource(resource),
            (None, Some(reaction)) => Override::PauseReaction(reaction),
            (None, None) => Override::PauseAll,
        };
        let silenced = || {
            let (alarm, key, host) = (text("alarm"), text("key"), text("host"));
            Override::Silence(SilenceMatcher { alarm, key, host, app: text("application"), category: text("category") })
        };
        match command {
            "move" => Some(OperatorCommand::Move { resource: text("resource")?, host: text("host")? }),
            "released" => Some(OperatorCommand::Released { resource: text("resource")?, host: text("host")? }),
            "clear" => Some(OperatorCommand::Clear { alarm: text("alarm")?, key: text("key"), reason: text("reason") }),
            "ack" => {
                let (by, comment) = (text("in the name of").unwrap_or_default(), text("comment"));
                Some(OperatorCommand::Ack { alarm: text("alarm")?, key: text("key"), by, comment, lasts })
            }
            "comment" => Some(OperatorCommand::Comment {
                alarm: text("alarm")?,
                key: text("key"),
                text: text("comment").unwrap_or_default(),
            }),
            "test" => {
                let fields = text("set").map(|set| assignments(&set)).unwrap_or_default();
                Some(OperatorCommand::Test { alarm: text("alarm")?, app: text("application")?, fields })
            }
            "cancel" => Some(OperatorCommand::Cancel { run: run()? }),
            "retry" => Some(OperatorCommand::Retry { run: run()? }),
            "approve" => Some(OperatorCommand::Approve { run: run()? }),
            "pause" => begin(paused()),
            // The end of flap damping has the same form. It changes nothing where hosts obey at once.
            "resume" => end(paused()),
            "silence" => begin(silenced()),
            "unsilence" => end(silenced()),
            "maintenance" => begin(Override::Maintenance(text("host")?)),
            "maintenance --end" => end(Override::Maintenance(text("host")?)),
            "drain" => begin(Override::Drain(text("host")?)),
            "undrain" => end(Override::Drain(text("host")?)),
            _ => None,
        }
    }
}

/// The arguments of a command that begins or ends an override.
fn named(what: &Override) -> Vec<(&'static str, Option<String>)> {
    match what {
        Override::PauseAll => vec![("scope", Some("everything".to_owned()))],
        Override::PauseResource(name) => vec![("resource", Some(name.clone()))],
        Override::PauseReaction(name) => vec![("reaction", Some(name.clone()))],
        Override::Maintenance(host) | Override::Drain(host) => vec![("host", Some(host.clone()))],
        Override::Silence(matcher) => vec![
            ("scope", matcher.matches_everything().then(|| "every alarm".to_owned())),
            ("alarm", matcher.alarm.clone()),
            ("key", matcher.key.clone()),
            ("host", matcher.host.clone()),
            ("application", matcher.app.clone()),
            ("category", matcher.category.clone()),
        ],
    }
}

/// The fields of `a=1 b=two words`: a word without `=` belongs to the value before it.
fn assignments(set: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for word in set.split(' ') {
        match word.split_once('=') {
            Some((name, value)) => {
                last = name.to_owned();
                fields.insert(last.clone(), value.to_owned());
            }
            None => {
                if let Some(value) = fields.get_mut(&last) {
                    value.push(' ');
                    value.push_str(word);
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_recorded_command_is_read_back() {
        let lasts = Some(Duration::from_secs(5_400));
        let some = |text: &str| Some(text.to_owned());
        let (alarm, key) = ("a".to_owned(), some("k"));
        let fields = BTreeMap::from([("to".to_owned(), "x".to_owned()), ("why".to_owned(), "two words".to_owned())]);
        let silence = SilenceMatcher { alarm: some("a"), host: some("h"), ..SilenceMatcher::default() };
        let whats = [
            Override::PauseAll,
            Override::PauseResource("vip".to_owned()),
            Override::PauseReaction("r".to_owned()),
            Override::Silence(silence),
            Override::Silence(SilenceMatcher::default()),
            Override::Maintenance("h".to_owned()),
            Override::Drain("h".to_owned()),
        ];
        let mut all = vec![
            OperatorCommand::Move { resource: "vip".to_owned(), host: "h".to_owned() },
            OperatorCommand::Released { resource: "vip".to_owned(), host: "h".to_owned() },
            OperatorCommand::Clear { alarm: alarm.clone(), key: key.clone(), reason: some("it is over") },
            OperatorCommand::Ack { alarm: alarm.clone(), key: None, by: "me".to_owned(), comment: some("later"), lasts },
            OperatorCommand::Comment { alarm: alarm.clone(), key, text: "hm".to_owned() },
            OperatorCommand::Test { alarm, app: "APP".to_owned(), fields },
            OperatorCommand::Cancel { run: 7 },
            OperatorCommand::Retry { run: 7 },
            OperatorCommand::Approve { run: 7 },
        ];
        for what in whats {
            all.push(OperatorCommand::Begin { what: what.clone(), lasts, reason: "so".to_owned() });
            all.push(OperatorCommand::End { what });
        }
        for command in all {
            let (name, of) = command.recorded();
            assert_eq!(OperatorCommand::of_record(name, &of), Some(command));
        }
    }
}
