//! The fields of an event as rules' keys, arguments and scripts see them: names are resolved and derived fields are added.

use std::borrow::Cow;
use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::event::{BuiltIn, ClaimedRole, Event, EventId, Level, Trust, Value};
use crate::core::inventory::Index;
use crate::core::lang::program::{REPLACED, Unit};

use super::bounds::bounded;
use super::record::Fields;

/// A read-only view of an event. Fields are made on demand, because most events are only counted, by one or two fields.
#[derive(Clone, Copy)]
pub(super) struct EventView<'a> {
    event: &'a Event<'a>,
    captures: &'a [(String, Value<'static>)],
    index: &'a Index,
}

impl<'a> EventView<'a> {
    pub(super) fn new(event: &'a Event<'a>, captures: &'a [(String, Value<'static>)], index: &'a Index) -> EventView<'a> {
        EventView { event, captures, index }
    }

    /// A field that goes before captures and fields of the record, or the key that replaces it.
    fn own(&self, name: &str) -> Option<Value<'a>> {
        match self.replaced(name) {
            Some(Value::Unit) => None,
            Some(key) => Some(key.clone()),
            None => self.of_event(BuiltIn::parse(name).filter(|field| !field.gives_way())?),
        }
    }

    /// The key of a condition that says `by peer as host`.
    fn replaced(&self, name: &str) -> Option<&'a Value<'static>> {
        let is = |taken: &str| taken.strip_prefix('=') == Some(name);
        self.captures.iter().rev().find(|(taken, _)| is(taken)).map(|(_, value)| value)
    }

    fn of_event(&self, field: BuiltIn) -> Option<Value<'a>> {
        let named = |name: &'a str| (!name.is_empty()).then_some(Value::Text(Cow::Borrowed(name)));
        match field {
            BuiltIn::App => named(self.index.names(self.event).app),
            BuiltIn::Type => named(self.index.names(self.event).kind),
            BuiltIn::Host => named(self.index.names(self.event).host),
            BuiltIn::Pair => named(self.index.names(self.event).pair),
            BuiltIn::Site => named(self.index.site(self.index.names(self.event).host)),
            BuiltIn::Time => self.event.at.map(|at| Value::Text(Cow::Owned(at.to_string()))),
            BuiltIn::Text
            | BuiltIn::Level
            | BuiltIn::Trust
            | BuiltIn::Pid
            | BuiltIn::Id
            | BuiltIn::Facility
            | BuiltIn::ClaimedRole
            | BuiltIn::Raw
            | BuiltIn::Sender => self.event.field(field.name()),
        }
    }

    /// Returns one field, as a key has it.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        if let Some(value) = self.own(name) {
            return Some(text(value));
        }
        if let Some(value) = name
            .strip_prefix("event.")
            .filter(|n| REPLACED.contains(n))
            .and_then(BuiltIn::parse)
            .and_then(|field| self.of_event(field))
        {
            return Some(text(value));
        }
        // Of captures with the same name the last counts, of the record's fields the first.
        let captured = self.captures.iter().rev().find(|(n, _)| n == name).map(|(_, value)| shown(value));
        if captured.is_none()
            && BuiltIn::parse(name).is_some_and(BuiltIn::gives_way)
            && let Some(value) = self.event.field(name)
        {
            return Some(text(value));
        }
        captured.or_else(|| self.event.fields.iter().find(|(n, _)| n == name).map(|(_, value)| shown(value)))
    }

    /// Adds fields to the event. The event's own fields go first, except for the trust, which is that of the least trusted
    /// sender.
    pub(super) fn with(self, more: Fields) -> TriggerEvent<'a> {
        if more.is_empty() {
            return TriggerEvent::Now(self);
        }
        let mut fields = self.all();
        for (name, value) in more {
            if name == "trust" {
                fields.insert(name, value);
            } else {
                fields.entry(name).or_insert(value);
            }
        }
        TriggerEvent::Kept(Arc::new(fields))
    }

    /// Returns one field as a number, if it can be read as one.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let text = self.text(name)?;
        let plain = text.parse::<f64>().ok().filter(|n| n.is_finite());
        plain.or_else(|| [Unit::Seconds, Unit::Bytes, Unit::Percent].into_iter().find_map(|unit| unit.read(&text)))
    }

    pub(super) fn trust(&self) -> Trust {
        self.event.trust
    }

    /// What the expressions captured.
    pub(super) fn captured(&self) -> Fields {
        bounded(self.captures.iter().filter(|(name, _)| !name.starts_with('=')).cloned().collect())
    }

    pub(super) fn all(&self) -> Fields {
        let mut fields = Fields::new();
        for (name, value) in &self.event.fields {
            fields.entry(name.to_string()).or_insert_with(|| value.clone().into_owned());
        }
        for field in BuiltIn::ALL.iter().copied().filter(|field| field.gives_way()) {
            if let Some(value) = self.of_event(field) {
                fields.insert(field.name().to_owned(), value.into_owned());
            }
        }
        for (name, value) in self.captures.iter().filter(|(name, _)| !name.starts_with('=')) {
            fields.insert(name.clone(), value.clone());
        }
        for name in REPLACED {
            if let (Some(_), Some(own)) = (self.replaced(name), BuiltIn::parse(name).and_then(|field| self.of_event(field))) {
                fields.insert(format!("event.{name}"), own.into_owned());
            }
        }
        for field in BuiltIn::fixed() {
            if let Some(value) = self.own(field.name()) {
                fields.insert(field.name().to_owned(), value.into_owned());
            }
        }
        bounded(fields)
    }
}

/// The value as text, without a copy if it is text already.
fn shown<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    value.as_text().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

/// The same for a value that the caller owns.
fn text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text,
        other => Cow::Owned(other.to_string()),
    }
}

/// The event for which an alarm is raised.
pub(super) enum TriggerEvent<'a> {
    /// An event that has just arrived.
    Now(EventView<'a>),
    /// The stored fields of an event.
    Kept(Arc<Fields>),
}

impl TriggerEvent<'_> {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            TriggerEvent::Now(view) => view.text("text").map(Cow::into_owned),
            TriggerEvent::Kept(fields) => fields.get("text").map(ToString::to_string),
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            TriggerEvent::Now(view) => view.text(name),
            TriggerEvent::Kept(fields) => fields.get(name).map(shown),
        }
    }

    pub(super) fn trust(&self) -> Trust {
        match self {
            TriggerEvent::Now(view) => view.trust(),
            TriggerEvent::Kept(fields) => trust(fields),
        }
    }

    pub(super) fn fields(self) -> Arc<Fields> {
        match self {
            TriggerEvent::Now(view) => Arc::new(view.all()),
            TriggerEvent::Kept(fields) => fields,
        }
    }
}

/// Returns every field of an event: what the record says, what was captured, and what the inventory derives.
///
/// `app`, `host`, `type` and `pair` are those of [`crate::core::inventory::Names`]. Captures go before fields of the record,
/// but not before these.
pub fn fields_of(event: &Event<'_>, captures: &[(String, Value<'static>)], index: &Index) -> Fields {
    EventView::new(event, captures, index).all()
}

/// Returns a number as a field has it: a whole number without a point.
pub(super) fn number(amount: f64) -> Value<'static> {
    #[allow(clippy::cast_possible_truncation, reason = "it is whole and small")]
    if amount.fract() == 0.0 && amount.abs() < 1e15 { Value::Int(amount as i64) } else { Value::Float(amount) }
}

/// Makes fields with the trust `authenticated`, for what the controller or an agent reports. Empty fields are left out.
pub(super) fn authenticated<const N: usize>(all: [(&str, &str); N]) -> Fields {
    let all = all.into_iter().filter(|(_, value)| !value.is_empty()).chain([("trust", Trust::Authenticated.name())]);
    all.map(|(name, value)| (name.to_owned(), Value::from(value).into_owned())).collect()
}

/// Returns the trust of the sender of an event with these fields.
pub(super) fn trust(fields: &Fields) -> Trust {
    // A journal of an earlier version uses another name.
    let said = fields.get("trust").or_else(|| fields.get("provenance"));
    said.and_then(Value::as_text).and_then(Trust::parse).unwrap_or_default()
}

/// Returns the lowest trust of several senders, as a field.
pub(super) fn trust_field(least: Trust) -> Fields {
    [("trust".to_owned(), Value::from(least.name()))].into()
}

/// Returns the event with these fields: the reverse of [`fields_of`].
pub(super) fn event_of(fields: &Fields) -> Event<'static> {
    let mut event = Event::default();
    for (name, value) in fields {
        let text = || Cow::Owned(value.to_string());
        match BuiltIn::parse(name) {
            Some(BuiltIn::App) => event.app = text(),
            Some(BuiltIn::Type) => event.app_type = text(),
            Some(BuiltIn::Host) => event.host = text(),
            Some(BuiltIn::Pid) => event.pid = text(),
            Some(BuiltIn::Text) => event.text = text(),
            Some(BuiltIn::Raw) => event.raw = text(),
            Some(BuiltIn::Sender) => event.sender = value.as_text().and_then(|address| address.parse().ok()),
            Some(BuiltIn::Level) => event.level = value.as_text().and_then(Level::parse),
            Some(BuiltIn::Trust) => event.trust = value.as_text().and_then(Trust::parse).unwrap_or_default(),
            Some(BuiltIn::Facility) => event.facility = value.to_string().parse().ok(),
            Some(BuiltIn::Id) => event.id = value.as_text().and_then(EventId::parse).map(EventId::into_owned),
            Some(BuiltIn::Time) => event.at = value.as_text().and_then(Time::parse_rfc3339),
            Some(BuiltIn::ClaimedRole) => event.claimed_role = value.as_text().and_then(ClaimedRole::parse),
            // The inventory derives these from the application and the host.
            Some(BuiltIn::Pair) => {}
            Some(BuiltIn::Site) | None => event.fields.push((Cow::Owned(name.clone()), value.clone())),
        }
    }
    event
}

/// Fills in each `{field}` of a text. A field that the event does not have is shown as missing: `(no user)`.
pub(super) fn fill(template: &str, fields: &Fields) -> String {
    let mut text = String::with_capacity(template.len());
    for part in parts(template) {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Field(name) => match fields.get(name) {
                Some(value) => text.push_str(&value.to_string()),
                None => {
                    text.push_str("(no ");
                    text.push_str(name);
                    text.push(')');
                }
            },
        }
    }
    text
}

/// Returns the fields that a text names and the event does not have.
pub(super) fn missing<'t>(template: &'t str, fields: &Fields) -> Vec<&'t str> {
    let named = parts(template).into_iter().filter_map(|part| if let Part::Field(name) = part { Some(name) } else { None });
    named.filter(|name| !fields.contains_key(*name)).collect()
}

enum Part<'t> {
    Text(&'t str),
    Field(&'t str),
}

/// Splits a text into plain text and `{field}`. Braces around something that is not a name are plain text.
fn parts(template: &str) -> Vec<Part<'_>> {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-@".contains(c));
    let (mut all, mut rest) = (Vec::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        all.push(Part::Text(before));
        match after.split_once('}') {
            Some((name, behind)) if is_name(name) => {
                all.push(Part::Field(name));
                rest = behind;
            }
            _ => {
                all.push(Part::Text("{"));
                rest = after;
            }
        }
    }
    all.push(Part::Text(rest));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A single field is the same as in the list of all fields.
    #[test]
    fn one_field_is_the_same_as_among_all() {
        let twice = |name: &'static str| [(name, "first"), (name, "second")].map(|(n, v)| (n.into(), Value::from(v)));
        let names = ["text", "level", "pid", "facility", "app", "type", "host", "pair", "time", "src", "only"];
        let bare = Event { fields: names.into_iter().flat_map(twice).collect(), ..Event::default() };
        let full = Event {
            at: Some(crate::core::base::time::Time::from_millis(5)),
            host: "h".into(),
            app: "x".into(),
            app_type: "T".into(),
            pid: "7".into(),
            level: Some(crate::core::event::Level::Error),
            facility: Some(4),
            text: "said".into(),
            ..bare.clone()
        };
        let captured = ["src", "host", "time"].into_iter().flat_map(twice);
        let captures: Vec<(String, Value<'static>)> = captured.map(|(name, value)| (name.into_owned(), value)).collect();
        for (event, captures) in [(&bare, &captures[..]), (&full, &captures[..]), (&bare, &[]), (&full, &[])] {
            let index = Index::default();
            let (view, all) = (EventView::new(event, captures, &index), fields_of(event, captures, &index));
            for name in names.into_iter().chain(["trust", "id", "nobody"]) {
                assert_eq!(view.text(name).map(Cow::into_owned), all.get(name).map(ToString::to_string), "{name}");
            }
        }
        let fields = fields_of(&bare, &captures, &Index::default());
        assert_eq!((fields["src"].as_text(), fields["only"].as_text()), (Some("second"), Some("first")));
    }

    #[test]
    fn templates_are_filled() {
        let fields = Fields::from([("app".to_owned(), Value::from("X")), ("n".to_owned(), Value::Int(3))]);
        let text = "{app} said {n} times {what} {\"a\": {}} {";
        assert_eq!(fill(text, &fields), "X said 3 times (no what) {\"a\": {}} {");
        assert_eq!(missing(text, &fields), ["what"]);
    }
}
