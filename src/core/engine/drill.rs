//! Alarms that are raised to be tried (`pointsman alarms test`): as if an application had caused them, and marked as tests.
//!
//! The event has what the inventory knows of the application, what the operator adds, and the field [`TEST_FIELD`], which no record
//! can bring. From there on everything is as in earnest: calendars, inhibition, limits and reactions.

use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::event::Value;
use crate::core::lang::program::{Alarm, Mode};
use crate::core::notice::{Kind, Notice};

use super::fields::{self, TriggerEvent};
use super::key::Key;
use super::record::Fields;
use super::{Engine, Occasion, Output};

/// The field of an event that is a test.
pub const TEST_FIELD: &str = "pointsman_test";
/// What goes before texts that come of a test.
pub const TEST_MARK: &str = "TEST: ";

/// True when these are the fields of a test.
pub fn is_test(fields: &Fields) -> bool {
    fields.contains_key(TEST_FIELD)
}

impl Engine {
    /// The event by which an alarm would be tried, and the key of its instance.
    ///
    /// # Errors
    /// In words: there is no such alarm, it can't be tried, it is active already, or a field of its key is missing.
    pub fn test_event(&self, name: &str, app: &str, more: &Fields) -> Result<(Key, Fields), String> {
        let Some(alarm) = self.names.get(name).and_then(|index| self.program.alarms.get(*index)) else {
            return Err(format!("there is no alarm {name}"));
        };
        if alarm.mode == Mode::Off || alarm.composite {
            return Err(format!("{name} is never raised by itself (a pattern, or `mode off`): it can't be tried"));
        }
        let text = format!("{name} is tried");
        let mut given = fields::vouched([("app", app), ("text", &text)]);
        given.extend(more.iter().filter(|(name, _)| *name != "trust").map(|(name, value)| (name.clone(), value.clone())));
        let mut all = fields::fields_of(&fields::event_of(&given), &[], &self.index);
        all.extend(given);
        all.insert(TEST_FIELD.to_owned(), Value::Bool(true));
        let key = self.test_key(alarm, &all)?;
        if self.state.instance(name, &key).is_some() {
            let shown = super::key::shown(name, &key);
            return Err(format!("{shown} is active: a test would be mixed up with it; `pointsman alarms clear` ends it"));
        }
        Ok((key, all))
    }

    fn test_key(&self, alarm: &Alarm, fields: &Fields) -> Result<Key, String> {
        let mut values = Vec::new();
        for field in &alarm.by {
            match fields.get(field) {
                Some(value) => values.push(value.to_string()),
                None => return Err(format!("{} is grouped by {}: say --set {field}=VALUE", alarm.name, alarm.by.join(", "))),
            }
        }
        Ok(Key::of(values))
    }

    /// Raises an alarm to try it.
    pub(super) fn try_alarm(&mut self, now: Time, order: u64, (name, app): (&str, &str), more: &Fields, out: &mut Vec<Output>) {
        let program = self.program.clone();
        match (self.test_event(name, app, more), self.alarm(&program, name)) {
            (Ok((key, event)), Some(alarm)) => {
                let on = Occasion { now, order, late: None, old: None, over: None };
                self.raise(&on, alarm, key, TriggerEvent::Kept(Arc::new(event)), out);
            }
            (Err(why), _) => {
                out.push(Output::Notice(Notice { alarm: Some(name.to_owned()), ..Notice::new(Kind::NotStarted, why) }))
            }
            (Ok(_), None) => {}
        }
    }
}
