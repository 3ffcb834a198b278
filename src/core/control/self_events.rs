//! Self events: what happens to Pointsman itself, as events. The controller is a source of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::event::{Event, EventId, Format, OWN_APP, Trust, Value};
use crate::core::journal::Position;
use crate::core::lang::Matcher;

use super::{Input, Output};
use crate::core::notice::{Kind, Notice, Subject};

/// Rules receive at most this many self events per minute for each kind and subject of the configuration. A rule about failed
/// scripts whose own script fails would otherwise go round without end, and records with invented names would hide what matters.
/// People are notified of further ones as before, but rules do not receive them.
const A_MINUTE: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// Makes self events of the controller's outputs.
#[derive(Clone, Debug, Default)]
pub struct SelfEvents {
    since: Time,
    /// How many events there were since then, by kind, resource, alarm and reaction. Their number is limited by the
    /// configuration.
    counts: BTreeMap<About, u32>,
}

/// What becomes of an output.
#[derive(Clone, Debug)]
pub enum SelfEvent {
    /// No rule uses this output.
    Nothing,
    /// The controller receives this input.
    Input(Input),
    /// There are too many of this kind in this minute. People are notified once per minute.
    Withheld(Notice),
}

impl SelfEvents {
    /// The input that follows from the controller's own output: a notice, or the end of a move. Texts of scripts are left out.
    /// `rules` is the number of the matcher's rules.
    pub fn event_of(&mut self, now: Time, output: &Output, matcher: &Matcher, rules: u64) -> SelfEvent {
        let (event, about) = match output {
            Output::Notice(notice) if notice.kind.is_event() => of_notice(notice),
            Output::Settled(resource, host) => of_notice(&settled(resource, host)),
            _ => return SelfEvent::Nothing,
        };
        let event = Event { at: Some(now), ..event };
        let mut hits = Vec::new();
        matcher.matches(&event, &mut hits);
        if hits.is_empty() {
            return SelfEvent::Nothing;
        }
        if now.since(self.since) >= MINUTE {
            *self = SelfEvents { since: now, counts: BTreeMap::new() };
        }
        let count = self.counts.entry(about).or_default();
        *count += 1;
        if *count > A_MINUTE {
            let id = event.id.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!(
                "there were more than {A_MINUTE} events `{id}` within a minute: rules receive no more of them in this minute"
            );
            let notice = Notice::new(Kind::Withheld, text);
            return if *count == A_MINUTE + 1 { SelfEvent::Withheld(notice) } else { SelfEvent::Nothing };
        }
        let position = Position::default();
        let source = OWN_APP.to_owned();
        SelfEvent::Input(Input::Event(Box::new(super::LogEvent {
            source,
            position,
            event,
            hits,
            rules,
            ..super::LogEvent::default()
        })))
    }
}

/// The kind of a notice, with its resource, alarm and reaction.
type About = (Kind, [String; 3]);

fn of_notice(notice: &Notice) -> (Event<'static>, About) {
    let name = |part: &Option<String>| part.clone().unwrap_or_default();
    let about = (notice.kind, [&notice.resource, &notice.alarm, &notice.reaction].map(name));
    let fields = notice.named().filter(|(subject, _)| *subject != Subject::Host);
    let event = Event {
        host: name(&notice.host).into(),
        app: OWN_APP.into(),
        id: Some(EventId::Word(notice.kind.name().into())),
        level: Some(notice.kind.level()),
        text: notice.text.clone().into(),
        fields: fields.map(|(subject, value)| (subject.field().into(), Value::from(value).into_owned())).collect(),
        trust: Trust::Authenticated,
        format: Format::Plain,
        ..Event::default()
    };
    debug_assert!(
        notice.named().all(|(subject, _)| notice.kind.about().contains(&subject)),
        "{notice:?} is about more than declared"
    );
    (event, about)
}

fn settled(resource: &str, host: &str) -> Notice {
    let text = format!("{resource} is on {host}, and nowhere else");
    Notice { host: Some(host.to_owned()), resource: Some(resource.to_owned()), ..Notice::new(Kind::Settled, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::diag::Source;
    use crate::core::lang::{Declarations, compile};

    fn matcher(rules: &str) -> Matcher {
        let source = Source { name: "a".to_owned(), text: rules.to_owned() };
        let (program, found) = compile(&[std::sync::Arc::new(source)], &Declarations::default());
        assert!(found.is_empty(), "{found:?}");
        Matcher::new(&program, None)
    }

    /// A notice may quote what any sender wrote, and is authenticated: the quoted text must not count as if Pointsman said it.
    #[test]
    fn what_a_notice_quotes_does_not_count_again() {
        let notice = Output::Notice(Notice::new(Kind::NotificationFailed, "not delivered: \"link eth7 is down\"".to_owned()));
        let event_of = |rules: &str| SelfEvents::default().event_of(Time::default(), &notice, &matcher(rules), 0);
        for rules in [
            "alarm a { detect (event where text contains \"link eth7 is down\") cancel by hand }",
            "pattern p { match /link (?<n>\\S+) is down/ } alarm a { detect p by n cancel by hand }",
        ] {
            assert!(matches!(event_of(rules), SelfEvent::Nothing), "{rules}");
        }
        let named = "pattern p { from app pointsman match /link (?<n>\\S+) is down/ } alarm a { detect p by n cancel by hand }";
        assert!(matches!(event_of(named), SelfEvent::Input(_)));
        assert!(matches!(event_of("alarm a { detect event \"notification_failed\" cancel by hand }"), SelfEvent::Input(_)));
    }

    /// Rules still receive events about other subjects, however often one thing goes wrong and whatever names are invented.
    #[test]
    fn too_much_of_one_thing_drowns_no_other() {
        let matcher = matcher("alarm a { detect event from app pointsman cancel by hand }");
        let mut own = SelfEvents::default();
        let notice = |kind: Kind, host: usize| {
            Output::Notice(Notice { host: Some(format!("h{host}")), ..Notice::new(kind, String::new()) })
        };
        let mut counts = [0, 0, 0];
        for n in 0..1_000 {
            match own.event_of(Time::from_millis(n), &notice(Kind::ClockOffset, n as usize), &matcher, 0) {
                SelfEvent::Input(_) => counts[0] += 1,
                SelfEvent::Withheld(_) => counts[1] += 1,
                SelfEvent::Nothing => counts[2] += 1,
            }
        }
        assert_eq!(counts, [60, 1, 939]);
        assert!(matches!(own.event_of(Time::from_millis(2_000), &notice(Kind::HostLost, 1), &matcher, 0), SelfEvent::Input(_)));
        assert!(matches!(
            own.event_of(Time::from_millis(60_000), &notice(Kind::ClockOffset, 1), &matcher, 0),
            SelfEvent::Input(_)
        ));
        assert!(matches!(own.event_of(Time::from_millis(60_000), &notice(Kind::Log, 1), &matcher, 0), SelfEvent::Nothing));
    }
}
