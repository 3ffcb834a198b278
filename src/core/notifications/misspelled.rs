//! Names in templates that nothing has and that are nearly the name of something.

use std::collections::BTreeSet;

use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::inventory::{Channel, ChannelKind, Inventory, MaybeSecret};

use super::notification::{ALARM_FIELDS, FIELDS};
use super::template::{named, variables};

/// Names in the channels' templates that nothing has and that are nearly the name of something, as texts. `fields` are the fields
/// that events or rules have. A record may have any other field, so a name that is like no other is no mistake.
pub fn misspelled_names(inventory: &Inventory, fields: &BTreeSet<String>) -> Vec<String> {
    let variables: Vec<String> = variables().collect();
    let of_alarm: Vec<&str> = fields.iter().map(String::as_str).chain(ALARM_FIELDS).collect();
    let mut found = Vec::new();
    for (channel, Channel { kind, title, text, .. }) in &inventory.channels {
        let mut look = |what: &str, template: &str, more: &[&str]| {
            for name in named(template) {
                let known: Vec<&str> = match name.strip_prefix("event.") {
                    _ if name.starts_with('$') => variables.iter().map(String::as_str).collect(),
                    Some(_) => fields.iter().map(String::as_str).collect(),
                    None => of_alarm.iter().chain(more).copied().collect(),
                };
                let name = name.strip_prefix("event.").unwrap_or(name);
                let near = nearest(name, known.iter().copied()).filter(|near| *near != name && name.len() > 2);
                if let Some(near) = near {
                    let shown = match name.starts_with('$') {
                        true => "it is no variable, and is shown as it is",
                        false => "nothing has it, so it is shown as missing unless the record has it",
                    };
                    let near = did_you_mean(near);
                    found.push(format!("{what} of the channel {channel} names `{name}`: {shown}; {near}"));
                }
            }
        };
        for (what, template) in [("the title", title), ("the text", text)] {
            template.iter().for_each(|template| look(what, template, &[]));
        }
        let target = match kind {
            ChannelKind::Webhook(webhook) => {
                webhook.body.iter().for_each(|template| look("the body", template, &FIELDS));
                &webhook.target
            }
            ChannelKind::Alertmanager(target) => target,
            _ => continue,
        };
        for (name, value) in &target.headers {
            if let MaybeSecret::Plain(template) = value {
                look(&format!("the header {name}"), template, &FIELDS);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found_and_names_of_records_are_not() {
        let found = |text: &str| {
            let channel = Channel { text: Some(text.to_owned()), ..Channel::from(ChannelKind::Log) };
            let inventory = Inventory { channels: [("noc".to_owned(), channel)].into(), ..Inventory::default() };
            let found = misspelled_names(&inventory, &["host".to_owned(), "address".to_owned()].into());
            found.iter().map(|text| text.rsplit_once("did you mean ").unwrap().1.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            found("{sumary} $COND_NAMES {adress} {event.hosst}"),
            ["`summary`?", "`$COND_NAME`?", "`address`?", "`host`?"]
        );
        assert_eq!(found("{summary} $COND_NAME {address} {event.host} {user} $5 $HOME {\"a\": 1}"), [""; 0]);
    }
}
