//! Test alarms (`pointsman alarms test`). They are raised as if an application had caused them, and are marked as tests.
//!
//! The event has what the inventory says of the application, the fields that the operator adds, and the field [`TEST_FIELD`],
//! which no record can bring. Everything else works as usual: calendars, inhibition, limits and reactions.

use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::event::Value;
use crate::core::lang::program::{Alarm, Mode};
use crate::core::notice::{Kind, Notice};

use super::Engine;
use super::arrival::Firing;
use super::fields::{self, TriggerEvent};
use super::key::Key;
use super::record::Fields;
use super::turn::Output;

/// The field that marks an event as a test.
pub const TEST_FIELD: &str = "pointsman_test";
/// The prefix of texts that come from a test.
pub const TEST_MARK: &str = "TEST: ";

/// True when these are the fields of a test.
pub fn is_test(fields: &Fields) -> bool {
    fields.contains_key(TEST_FIELD)
}

impl Engine {
    /// Returns the event that would test an alarm, and the key of its instance.
    ///
    /// # Errors
    /// A text: there is no such alarm, it cannot be tested, it is active already, or a field of its key is missing.
    pub fn test_event(&self, name: &str, app: &str, more: &Fields) -> Result<(Key, Fields), String> {
        let Some(alarm) = self.names.get(name).and_then(|index| self.program.alarms.get(*index)) else {
            return Err(format!("there is no alarm {name}"));
        };
        if alarm.mode == Mode::Off || alarm.composite {
            return Err(format!("{name} is never raised by itself (a pattern, or `mode off`), so it cannot be tested"));
        }
        let text = format!("a test of the alarm {name}");
        let mut given = fields::authenticated([("app", app), ("text", &text)]);
        given.extend(more.iter().filter(|(name, _)| *name != "trust").map(|(name, value)| (name.clone(), value.clone())));
        let mut all = fields::fields_of(&fields::event_of(&given), &[], &self.index);
        all.extend(given);
        all.insert(TEST_FIELD.to_owned(), Value::Bool(true));
        let key = self.test_key(alarm, &all)?;
        if self.state.instance(name, &key).is_some() {
            let shown = super::key::shown(name, &key);
            return Err(format!("{shown} is active, so a test would be confused with it; `pointsman alarms clear` ends it"));
        }
        Ok((key, all))
    }

    fn test_key(&self, alarm: &Alarm, fields: &Fields) -> Result<Key, String> {
        let mut values = Vec::new();
        for field in &alarm.by {
            match fields.get(field) {
                Some(value) => values.push(value.to_string()),
                None => return Err(format!("{} is grouped by {}: add --set {field}=VALUE", alarm.name, alarm.by.join(", "))),
            }
        }
        Ok(Key::of(values))
    }

    /// Raises an alarm as a test.
    pub(super) fn try_alarm(
        &mut self,
        now: Time,
        sequence: u64,
        (name, app): (&str, &str),
        more: &Fields,
        out: &mut Vec<Output>,
    ) {
        let program = self.program.clone();
        match (self.test_event(name, app, more), self.alarm(&program, name)) {
            (Ok((key, event)), Some(alarm)) => {
                let on = Firing { now, sequence, late: None, old: None, over: None };
                self.raise(&on, alarm, key, TriggerEvent::Kept(Arc::new(event)), out);
            }
            (Err(why), _) => {
                out.push(Output::Notice(Notice { alarm: Some(name.to_owned()), ..Notice::new(Kind::NotStarted, why) }))
            }
            (Ok(_), None) => {}
        }
    }
}
