//! What happens to Pointsman itself, as events: the controller is a source of its own (DESIGN, words).

use std::time::Duration;

use crate::base::time::Time;
use crate::event::{Event, EventId, Format, Level, OWN_APP, Provenance, Value};
use crate::journal::Position;
use crate::lang::Matcher;
use crate::plan::Step;

use super::{Heard, Input, Notice, Output};

/// Of its own events a controller hears at most so many in a minute: a rule about failed scripts whose own script fails would
/// else go round without end. What is more is told to people, and to no rule.
const A_MINUTE: u32 = 600;
const MINUTE: Duration = Duration::from_secs(60);

/// Makes events of what a controller tells people.
#[derive(Clone, Debug, Default)]
pub struct Own {
    since: Time,
    heard: u32,
}

impl Own {
    /// What the controller is to hear of its own output: a notice, or the end of a move, when a rule wants it. `None` also for
    /// what scripts say, and when too much happens.
    pub fn heard(&mut self, now: Time, output: &Output, matcher: &Matcher) -> Option<Input> {
        let event = match output {
            Output::Notice(notice) if !matches!(notice.kind.as_str(), "log" | "dry") => of_notice(notice),
            Output::Step(step) if step.verb == "taken" => of_step(step),
            _ => return None,
        };
        let event = Event { at: Some(now), ..event };
        let mut hits = Vec::new();
        matcher.matches(&event, &mut hits);
        if hits.is_empty() {
            return None;
        }
        if now.since(self.since) >= MINUTE {
            *self = Own { since: now, heard: 0 };
        }
        self.heard += 1;
        let position = Position::default();
        let heard = || Heard { source: OWN_APP.to_owned(), position, event, hits, backlog: false };
        (self.heard <= A_MINUTE).then(|| Input::Heard(Box::new(heard())))
    }
}

fn of_notice(notice: &Notice) -> Event<'static> {
    let named = [("resource", &notice.resource), ("alarm", &notice.alarm), ("reaction", &notice.reaction)];
    let fields = named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    event(&notice.kind, notice.host.as_deref(), &notice.text, Level::Warning, fields)
}

fn of_step(step: &Step) -> Event<'static> {
    let text = format!("{} is on {}", step.resource, step.host);
    event(step.verb, Some(&step.host), &text, Level::Notice, [("resource", step.resource.as_str())])
}

fn event<'f>(
    kind: &str,
    host: Option<&str>,
    text: &str,
    level: Level,
    fields: impl IntoIterator<Item = (&'f str, &'f str)>,
) -> Event<'static> {
    Event {
        host: host.unwrap_or_default().to_owned().into(),
        app: OWN_APP.into(),
        id: Some(EventId::Word(kind.to_owned().into())),
        level: Some(level),
        text: text.to_owned().into(),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned().into(), Value::from(value).into_owned())).collect(),
        provenance: Provenance::Authenticated,
        format: Format::Plain,
        ..Event::default()
    }
}
