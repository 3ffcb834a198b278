//! What happens to Pointsman itself, as events: the controller is a source of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::event::{Event, EventId, Format, Level, OWN_APP, Trust, Value};
use crate::core::journal::Position;
use crate::core::lang::Matcher;

use super::{Input, Notice, Output};

/// Of its own events of one kind, about one thing of the configuration, a controller hears at most so many in a minute: a rule
/// about failed scripts whose own script fails would else go round without end, and records with invented names would drown
/// what matters. What is more is told to people as before, and to no rule.
const A_MINUTE: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// Makes events of what a controller tells people.
#[derive(Clone, Debug, Default)]
pub struct SelfEvents {
    since: Time,
    /// How many since then, by kind, resource, alarm and reaction: there are as many of these as the configuration has.
    heard: BTreeMap<[String; 4], u32>,
}

/// What becomes of an output.
#[derive(Clone, Debug)]
pub enum SelfEvent {
    /// No rule wants it.
    Nothing,
    /// The controller is to hear this.
    Input(Input),
    /// Too many of the kind in this minute; told once in it.
    Withheld(Notice),
}

impl SelfEvents {
    /// What the controller is to hear of its own output: a notice, or that a move came to its end. Not what scripts say.
    /// `rules` is the number of the matcher's.
    pub fn event_of(&mut self, now: Time, output: &Output, matcher: &Matcher, rules: u64) -> SelfEvent {
        let (event, about) = match output {
            Output::Notice(notice) if !matches!(notice.kind.as_str(), "log" | "dry") => of_notice(notice),
            Output::Settled(resource, host) => settled(resource, host),
            _ => return SelfEvent::Nothing,
        };
        let event = Event { at: Some(now), ..event };
        let mut hits = Vec::new();
        matcher.matches(&event, &mut hits);
        if hits.is_empty() {
            return SelfEvent::Nothing;
        }
        if now.since(self.since) >= MINUTE {
            *self = SelfEvents { since: now, heard: BTreeMap::new() };
        }
        let heard = self.heard.entry(about).or_default();
        *heard += 1;
        if *heard > A_MINUTE {
            let id = event.id.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!("more than {A_MINUTE} times `{id}` within a minute: no rule hears of further ones in this minute");
            let notice = Notice { kind: "withheld".to_owned(), text, ..Notice::default() };
            return if *heard == A_MINUTE + 1 { SelfEvent::Withheld(notice) } else { SelfEvent::Nothing };
        }
        let position = Position::default();
        let source = OWN_APP.to_owned();
        SelfEvent::Input(Input::Heard(Box::new(super::LogEvent {
            source,
            position,
            event,
            hits,
            rules,
            ..super::LogEvent::default()
        })))
    }
}

type About = [String; 4];

fn of_notice(notice: &Notice) -> (Event<'static>, About) {
    let named = [
        ("resource", &notice.resource),
        ("pair", &notice.pair),
        ("alarm", &notice.alarm),
        ("reaction", &notice.reaction),
        ("source", &notice.source),
        ("scope", &notice.scope),
    ];
    let fields = named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let of = |part: &Option<String>| part.clone().unwrap_or_default();
    let about = [notice.kind.clone(), of(&notice.resource), of(&notice.alarm), of(&notice.reaction)];
    (event(&notice.kind, notice.host.as_deref(), &notice.text, Level::Warning, fields), about)
}

fn settled(resource: &str, host: &str) -> (Event<'static>, About) {
    let text = format!("{resource} is on {host}, and nowhere else");
    let about = ["settled", resource, "", ""].map(str::to_owned);
    (event("settled", Some(host), &text, Level::Notice, [("resource", resource)]), about)
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
        trust: Trust::Authenticated,
        format: Format::Plain,
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::diag::Source;
    use crate::core::lang::{Declarations, compile};

    /// However often one thing goes wrong, and whatever names are invented, other things are heard.
    #[test]
    fn too_much_of_one_thing_drowns_no_other() {
        let text = "alarm a { detect event from app pointsman cancel by hand }".to_owned();
        let (program, _) = compile(&[std::sync::Arc::new(Source { name: "a".to_owned(), text })], &Declarations::default());
        let matcher = Matcher::new(&program, None);
        let mut own = SelfEvents::default();
        let notice = |kind: &str, host: usize| {
            Output::Notice(Notice { kind: kind.to_owned(), host: Some(format!("h{host}")), ..Notice::default() })
        };
        let mut counts = [0, 0, 0];
        for n in 0..1_000 {
            match own.event_of(Time::from_millis(n), &notice("clock_offset", n as usize), &matcher, 0) {
                SelfEvent::Input(_) => counts[0] += 1,
                SelfEvent::Withheld(_) => counts[1] += 1,
                SelfEvent::Nothing => counts[2] += 1,
            }
        }
        assert_eq!(counts, [60, 1, 939]);
        assert!(matches!(own.event_of(Time::from_millis(2_000), &notice("host_lost", 1), &matcher, 0), SelfEvent::Input(_)));
        assert!(matches!(own.event_of(Time::from_millis(60_000), &notice("clock_offset", 1), &matcher, 0), SelfEvent::Input(_)));
        assert!(matches!(own.event_of(Time::from_millis(60_000), &notice("log", 1), &matcher, 0), SelfEvent::Nothing));
    }
}
