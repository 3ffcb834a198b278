//! A notification: the complete content for one channel, so that it can be journaled before it is sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{
    NOTIFICATION_BYTES, NOTIFICATION_FIELD_BYTES, NOTIFICATION_FIELDS, NOTIFICATION_FIELDS_BYTES, NOTIFICATION_TITLE,
};
use crate::core::base::text::{cut, printable_short};
use crate::core::base::time::Time;
use crate::core::engine::{Fields, cause_for_people};
use crate::core::event::{Trust, Value};
use crate::core::inventory::{Channel, Name};

use super::template::{Escape, fill, lines};

/// The end of a text that was cut.
const CUT: &str = "\n[cut]";
/// The built-in template of the title of one alarm.
const TITLE: &str = "[{label}] {alarm}{of_key}: {summary}";
/// The built-in template of the text of one alarm.
const TEXT: &str = "{summary}\n\nalarm: {alarm}{of_key}\ncategory: {category}\n{times}{details}";

/// The fields of an alarm in templates.
pub(super) const ALARM_FIELDS: [&str; 16] = [
    "alarm",
    "name",
    "key",
    "of_key",
    "category",
    "label",
    "summary",
    "help",
    "status",
    "raised_at",
    "cleared_at",
    "cause",
    "reaction",
    "trust",
    "times",
    "details",
];
/// The fields of a notification in templates of bodies and headers.
pub(super) const FIELDS: [&str; 7] = ["title", "text", "occasion", "id", "channel", "time", "count"];

/// What a notification is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Alarms were raised; others may have ended.
    #[default]
    Raised,
    /// All alarms in it have ended.
    Cleared,
    /// Alarms are still active, and nobody acknowledged them.
    Reminder,
    /// Nobody acknowledged alarms in time.
    Escalated,
    /// A script sends a text.
    Said,
    /// The number of notifications that were withheld by the limit of the channel or by a full outbox.
    More,
    /// An operator tests the channel.
    Test,
}

impl Occasion {
    /// The word for it in templates and for receivers.
    pub fn name(self) -> &'static str {
        match self {
            Occasion::Raised => "raised",
            Occasion::Cleared => "cleared",
            Occasion::Reminder => "reminder",
            Occasion::Escalated => "escalated",
            Occasion::Said => "said",
            Occasion::More => "more",
            Occasion::Test => "test",
        }
    }
}

/// The facts about one alarm in a notification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmFacts {
    pub alarm: String,
    /// The key, as shown; empty if the alarm has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    pub category: String,
    pub summary: String,
    /// What an operator should know or do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    pub raised_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Time>,
    /// Why it ended, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The reaction whose script sends the notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    /// The trust of the event that raised it.
    #[serde(default)]
    pub trust: Trust,
    /// Nobody acknowledged it in time, and others were notified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
    /// The fields of the event, cut to a bounded length.
    pub fields: BTreeMap<String, String>,
}

impl AlarmFacts {
    /// These facts; if the rule has no summary, the text of the event takes its place.
    pub fn summarized(mut self) -> AlarmFacts {
        if self.summary.is_empty() {
            self.summary = self.fields.get("text").cloned().unwrap_or_default();
        }
        self
    }

    /// The value of a field of the alarm, or else of its event (`event.NAME` is always a field of the event).
    pub fn get(&self, name: &str) -> Option<String> {
        if let Some(name) = name.strip_prefix("event.") {
            return self.fields.get(name).cloned();
        }
        let own = match name {
            "alarm" | "name" => self.alarm.clone(),
            "key" => self.key.clone(),
            "of_key" if self.key.is_empty() => String::new(),
            "of_key" => format!(" [{}]", self.key),
            "category" => self.category.clone(),
            "label" => if self.cleared_at.is_some() { "cleared" } else { &self.category }.to_uppercase(),
            "summary" => self.summary.clone(),
            "help" => self.help.clone(),
            "status" => if self.cleared_at.is_some() { "cleared" } else { "raised" }.to_owned(),
            "raised_at" => self.raised_at.to_string(),
            "cleared_at" => self.cleared_at.map(|at| at.to_string()).unwrap_or_default(),
            "cause" => self.cause.clone().unwrap_or_default(),
            "reaction" => self.reaction.clone().unwrap_or_default(),
            "trust" => self.trust.name().to_owned(),
            "times" => self.times(),
            "details" => self.details(),
            _ => return self.fields.get(name).cloned(),
        };
        Some(own)
    }

    fn times(&self) -> String {
        let end = self.cleared_at.map(|at| {
            let cause = self
                .cause
                .as_deref()
                .filter(|c| !c.is_empty())
                .map(|c| format!(" ({})", cause_for_people(c)))
                .unwrap_or_default();
            format!("cleared: {at}{cause}\n")
        });
        format!("raised: {}\n{}", self.raised_at, end.unwrap_or_default())
    }

    fn details(&self) -> String {
        let help = if self.help.is_empty() { String::new() } else { format!("help: {}\n", self.help) };
        let named = ["host", "app", "id", "text"].into_iter().filter_map(|name| Some((name, self.fields.get(name)?)));
        let lines = named.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}\n"));
        std::iter::once(help).chain(lines).collect()
    }

    /// The rank for sorting: the most severe first.
    pub fn severity(&self) -> u8 {
        match self.category.as_str() {
            "critical" => 0,
            "major" => 1,
            "minor" => 2,
            _ => 3,
        }
    }
}

/// The fields of an event for notifications: no more than receivers accept, with the longest texts cut.
pub fn kept_fields(fields: &Fields) -> BTreeMap<String, String> {
    let mut room = NOTIFICATION_FIELDS_BYTES;
    let mut kept = BTreeMap::new();
    let own = ["host", "app", "type", "id", "pair", "resource", "text", "level", "sender"];
    let first = own.into_iter().filter_map(|name| fields.get_key_value(name));
    let others = fields.iter().filter(|(name, _)| !own.contains(&name.as_str()) && name.as_str() != "raw");
    for (name, value) in first.chain(others).take(NOTIFICATION_FIELDS) {
        let text = match value {
            Value::Unit => continue,
            value => cut(&value.to_string(), NOTIFICATION_FIELD_BYTES).into_owned(),
        };
        if name.len() + text.len() <= room {
            room -= name.len() + text.len();
            kept.insert(name.clone(), text);
        }
    }
    kept
}

/// A notification: the content for one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its number: later ones have greater numbers.
    pub id: u64,
    /// The key by which a receiver recognises a repeated delivery.
    pub key: String,
    pub channel: Name,
    /// When it was composed.
    pub at: Time,
    /// The run and the step that send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<(u64, u32)>,
    pub occasion: Occasion,
    /// The most severe category of its alarms.
    pub category: String,
    /// A summary in one line, safe to show.
    pub title: String,
    /// The whole text; line feeds and tabs are its only control characters.
    pub text: String,
    /// The alarms in it, the most severe first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmFacts>,
    /// How many further alarms it is about.
    #[serde(default)]
    pub more: u64,
}

impl Notification {
    /// The alarms that it is about; none for a script's text, a count or a test.
    pub fn of_alarms(&self) -> &[AlarmFacts] {
        match self.occasion {
            Occasion::Said | Occasion::More | Occasion::Test => &[],
            _ => &self.alarms,
        }
    }

    /// A value for templates: of the notification, or of its first alarm.
    pub fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "title" => self.title.clone(),
            "text" => self.text.clone(),
            "occasion" => self.occasion.name().to_owned(),
            "id" => self.key.clone(),
            "channel" => self.channel.clone(),
            "time" => self.at.to_string(),
            "count" => (self.alarms.len() as u64 + self.more).to_string(),
            "category" => self.category.clone(),
            _ => return self.alarms.first().and_then(|alarm| alarm.get(name)),
        })
    }

    /// The whole as one line, for logs: the text of a script, else the title.
    pub fn line(&self, most: usize) -> String {
        match self.occasion {
            Occasion::Said => printable_short(&self.text, most),
            _ => printable_short(&self.title, most),
        }
    }

    /// The whole as one text: the text of a script, else the title and the text.
    pub fn whole(&self) -> String {
        match self.occasion {
            Occasion::Said => self.text.clone(),
            _ => bounded(format!("{}\n\n{}", self.title, self.text)),
        }
    }

    /// The memory that it takes, in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        let fields = |a: &AlarmFacts| a.fields.iter().map(|(n, v)| n.len() + v.len() + 48).sum::<usize>();
        let alarm =
            |a: &AlarmFacts| size_of::<AlarmFacts>() + a.summary.len() + a.help.len() + a.alarm.len() + a.key.len() + fields(a);
        size_of::<Self>() + self.title.len() + self.text.len() + self.alarms.iter().map(alarm).sum::<usize>()
    }
}

/// The title and the text of a notification about alarms.
pub(super) fn compose(channel: &Channel, occasion: Occasion, alarms: &[AlarmFacts], more: u64) -> (String, String) {
    let title_of = |facts: &AlarmFacts| {
        let title = match &channel.title {
            Some(title) => fill(title, Escape::Line, |name| facts.get(name)),
            // Without a summary, nothing follows the colon.
            None => fill(TITLE, Escape::Line, |name| facts.get(name)).trim_end_matches([':', ' ']).to_owned(),
        };
        match occasion {
            Occasion::Reminder => format!("still active: {title}"),
            Occasion::Escalated => format!("not acknowledged: {title}"),
            _ => title,
        }
    };
    let template = channel.text.as_deref().unwrap_or(TEXT);
    let text_of = |facts: &AlarmFacts| fill(template, Escape::Lines, |name| facts.get(name)).trim_start().to_owned();
    if let ([one], 0) = (alarms, more) {
        return (printable_short(&title_of(one), NOTIFICATION_TITLE), bounded(text_of(one)));
    }
    let ended = alarms.iter().filter(|a| a.cleared_at.is_some()).count() as u64;
    let active = alarms.len() as u64 - ended;
    let counts = match (active, ended) {
        // All of them were only counted.
        (0, 0) => format!("{more} alarms"),
        (0, _) => format!("{} alarms cleared", ended + more),
        (_, 0) => format!("{} alarms", active + more),
        (_, _) => format!("{} raised, {ended} cleared", active + more),
    };
    let first = alarms.first().map(|a| format!(": {}", title_of(a))).unwrap_or_default();
    let title = printable_short(&format!("{counts}{first}"), NOTIFICATION_TITLE);
    // A template of the site is used for each alarm; the built-in text would be long.
    let line = |a: &AlarmFacts| if channel.text.is_some() { text_of(a) } else { title_of(a) };
    let mut text: String = alarms.iter().map(|a| line(a) + "\n").collect();
    if more > 0 {
        text.push_str(&format!("and {more} more\n"));
    }
    (title, bounded(text))
}

/// The title of a script's text: its first line.
pub(super) fn title_of(text: &str) -> String {
    printable_short(text.lines().next().unwrap_or_default(), NOTIFICATION_TITLE)
}

/// A text of at most [`NOTIFICATION_BYTES`], safe to show.
pub(super) fn bounded(text: String) -> String {
    let mut text = lines(&text);
    if text.len() > NOTIFICATION_BYTES {
        let most = NOTIFICATION_BYTES - CUT.len();
        // The cut must not split a character.
        let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(at);
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::inventory::ChannelKind;

    #[test]
    fn every_listed_field_has_a_value() {
        let facts = AlarmFacts::default();
        assert!(ALARM_FIELDS.iter().all(|name| facts.get(name).is_some()));
        let (key, channel, title, text) = <_>::default();
        let (occasion, category, at) = (Occasion::Test, String::new(), Time::from_millis(0));
        let notification =
            Notification { id: 1, key, channel, at, step: None, occasion, category, title, text, alarms: vec![], more: 0 };
        assert!(FIELDS.iter().all(|name| notification.get(name).is_some()));
    }

    #[test]
    fn lines_stay_and_what_is_too_long_is_cut() {
        assert_eq!(bounded("3 failed:\r\n\tZürich \"5 €\"\x1b[31m\n".to_owned()), "3 failed:\n\tZürich \"5 €\"\\x1b[31m\n");
        let long = bounded("é".repeat(NOTIFICATION_BYTES));
        assert!(long.len() <= NOTIFICATION_BYTES && long.ends_with("é\n[cut]"), "{}", long.len());
    }

    #[test]
    fn one_alarm_has_a_text_and_many_have_a_list() {
        let facts = AlarmFacts {
            alarm: "sip_down".to_owned(),
            key: "sip1".to_owned(),
            category: "critical".to_owned(),
            summary: "SIP stopped\non sip1".to_owned(),
            raised_at: Time::from_millis(0),
            fields: [("host".to_owned(), "sip1".to_owned())].into(),
            ..AlarmFacts::default()
        };
        let channel = Channel::from(ChannelKind::Log);
        let (title, text) = compose(&channel, Occasion::Raised, std::slice::from_ref(&facts), 0);
        assert_eq!(title, "[CRITICAL] sip_down [sip1]: SIP stopped\\non sip1");
        assert_eq!(
            text,
            "SIP stopped\non sip1\n\nalarm: sip_down [sip1]\ncategory: critical\nraised: 1970-01-01T00:00:00.000Z\nhost: sip1\n"
        );
        let ended = AlarmFacts { cleared_at: Some(Time::from_millis(1_000)), cause: Some("when".to_owned()), ..facts.clone() };
        let (title, text) = compose(&channel, Occasion::Raised, &[facts, ended], 412);
        assert_eq!(title, "413 raised, 1 cleared: [CRITICAL] sip_down [sip1]: SIP stopped\\non sip1");
        assert_eq!(compose(&channel, Occasion::Raised, &[], 3), ("3 alarms".to_owned(), "and 3 more\n".to_owned()));
        assert!(text.ends_with("[CLEARED] sip_down [sip1]: SIP stopped\\non sip1\nand 412 more\n"), "{text}");
    }

    #[test]
    fn fields_are_bounded() {
        let fields: Fields = (0..200).map(|n| (format!("f{n:03}"), Value::from("x".repeat(10_000).as_str()))).collect();
        let kept = kept_fields(&fields);
        let bytes: usize = kept.iter().map(|(n, v)| n.len() + v.len()).sum();
        assert!(kept.len() <= NOTIFICATION_FIELDS && bytes <= NOTIFICATION_FIELDS_BYTES && !kept.is_empty(), "{}", kept.len());
    }
}
