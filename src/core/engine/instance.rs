//! The life of an instance: it is raised, repeated and cleared, and each starts reactions.

use std::sync::Arc;

use crate::core::base::limits::SUMMARY_BYTES;
use crate::core::base::text::cut;
use crate::core::base::time::{Time, duration_text};
use crate::core::event::{Stale, Trust, Value};
use crate::core::lang::program::{Alarm, Cancel, Mode, ReactionCall, Signal, WhileActive};

use super::Engine;
use super::arrival::{Arrival, Firing};
use super::drill::{TEST_MARK, is_test};
use super::fields::{self, TriggerEvent, trust_field};
use super::key::{Key, shown};
use super::record::{Cause, Fields, Instance, Record};
use super::trace::Decision;
use super::turn::{Output, StartReactions};
use crate::core::notice::{Kind, Notice};

/// When and why an instance ends.
pub(super) struct Ending {
    pub(super) at: Time,
    pub(super) sequence: u64,
    pub(super) cause: Cause,
    /// The trust of the sender that ends it.
    pub(super) trust: Trust,
    /// Why it may start nothing: what ended it was late.
    pub(super) late: Option<Stale>,
}

impl Ending {
    /// An end by time, by an operator or by the controller itself.
    pub(super) fn at(at: Time, sequence: u64, cause: Cause) -> Ending {
        Ending { at, sequence, cause, trust: Trust::Authenticated, late: None }
    }

    /// Why its end starts no reactions.
    fn idle(&self) -> Option<Stale> {
        match &self.cause {
            Cause::Removed | Cause::Changed => Some(Stale::RulesChanged),
            _ => self.late.clone(),
        }
    }
}

impl Arrival<'_> {
    /// The ending of an instance that this event ends.
    pub(super) fn ending(&self) -> Ending {
        Ending { trust: self.event.trust, late: self.late.clone(), ..Ending::at(self.now, self.sequence, Cause::When) }
    }
}

impl Engine {
    /// Raises an alarm, or records that its condition fired again.
    pub(super) fn raise(&mut self, on: &Firing, alarm: &Alarm, key: Key, seen: TriggerEvent<'_>, out: &mut Vec<Output>) {
        let (now, sequence) = (on.now, on.sequence);
        if alarm.composite {
            self.decided(now, alarm, Some(&key), Decision::Raised, || "its condition came true".to_owned());
            return self.occurred(on, alarm, seen);
        }
        let at_once = alarm.cancel.contains(&Cancel::AtOnce);
        let active = self.state.instance(&alarm.name, &key).map(|i| (i.raised_at, i.due, fields::trust(&i.event)));
        let (acts, seen) = match active {
            None => {
                if !self.allowed_by_calendar(alarm, now) {
                    return self.delay(on, alarm, &key, seen.fields(), out);
                }
                let trust = seen.trust();
                if let Some(why) = self.why_not_only_while(alarm, &key, trust) {
                    self.trace_not_only_while(now, alarm, &key, &why);
                    return out.push(suppressed_notice(&alarm.name, format!("{} is not raised {why}", shown(&alarm.name, &key))));
                }
                if let Some(other) = self.inhibitor(alarm, &key, trust) {
                    self.decided(now, alarm, Some(&key), Decision::Suppressed, || {
                        format!("its condition is true, and {other} is active, which suppresses it (`inhibited by`)")
                    });
                    return self.suppress(on, alarm, &key, other, seen.fields(), out);
                }
                if !self.has_room(alarm, trust, out) {
                    return;
                }
                self.report_untrusted_inhibitor(alarm, &key, trust, out);
                let in_place = self.trust_of_only_while(alarm, &key);
                let seen = if in_place < trust {
                    let mut event = seen.fields();
                    Arc::make_mut(&mut event).extend(trust_field(in_place));
                    TriggerEvent::Kept(event)
                } else {
                    seen
                };
                let due = if at_once { None } else { deadline(alarm, now, now) };
                let (seen, before) = self.counted_lines(alarm, &key, seen);
                let line = self.line(alarm, &key, &seen, out);
                let event = self.keep(alarm, seen.fields(), out);
                self.report_missing(alarm, &event, out);
                let summary = summary(alarm, &event);
                self.changed(Signal::Raised(alarm.name.clone()), &alarm.name, &event, on.late.clone());
                let seen = TriggerEvent::Kept(event.clone());
                self.decided(now, alarm, Some(&key), Decision::Raised, || "it is raised".to_owned());
                let idle = on.late.as_ref().or(on.old.as_ref()).filter(|_| !alarm.react.is_empty()).cloned();
                let record = Record::Raised {
                    alarm: alarm.name.clone(),
                    key: key.clone(),
                    category: Some(alarm.category),
                    sequence,
                    at: now,
                    due,
                    event,
                    summary,
                    line,
                    idle,
                    before,
                };
                self.record(record, out);
                (true, seen)
            }
            Some((raised_at, was_due, was_known)) => {
                let due = match alarm.while_active {
                    WhileActive::Ignore => was_due,
                    WhileActive::Refresh | WhileActive::Rerun => deadline(alarm, raised_at, now),
                };
                let (seen, before) = self.counted_lines(alarm, &key, seen);
                let line = self.line(alarm, &key, &seen, out);
                // An event of a more trusted sender is not refused because another sender was first.
                let better_known = on.late.is_none() && on.old.is_none() && seen.trust() > was_known;
                let (better, seen) = if better_known {
                    let event = self.keep(alarm, seen.fields(), out);
                    (Some(Box::new((event.clone(), summary(alarm, &event)))), TriggerEvent::Kept(event))
                } else {
                    (None, seen)
                };
                self.decided(now, alarm, Some(&key), Decision::Repeated, || {
                    format!("it is active already, since {raised_at}: the event counts as a repeat")
                });
                let (name, key) = (alarm.name.clone(), key.clone());
                self.record(Record::Repeated { alarm: name, key, sequence, at: now, due, better, line, before }, out);
                (better_known || alarm.while_active == WhileActive::Rerun, seen)
            }
        };
        if !alarm.react.is_empty() {
            self.react(on, acts, alarm, &key, seen, out);
        }
        if at_once {
            let ending = Ending { late: on.late.clone(), ..Ending::at(now, sequence, Cause::AtOnce) };
            self.clear(&ending, &alarm.name, &key, out);
        }
    }

    /// Starts the reactions of an alarm that is raised or repeated, if it `acts`. The claim is marked as open in any case: the
    /// fact that its alarm was active already does not make the claim old.
    fn react(&mut self, on: &Firing, acts: bool, alarm: &Alarm, key: &Key, seen: TriggerEvent<'_>, out: &mut Vec<Output>) {
        if !acts && !self.may_be_claim(seen.field("app").as_deref()) {
            return;
        }
        let event = seen.fields();
        match on.late.as_ref().or(on.old.as_ref()) {
            Some(why) => {
                if acts {
                    self.decided(on.now, alarm, Some(key), Decision::NotStarted, || {
                        format!("its reactions are not started: {why}")
                    });
                    out.push(not_started(alarm, key, why, "reactions are"));
                }
                if on.old.is_none()
                    && let Some(claim) = self.claim_behind(&event)
                {
                    self.mark_late_claim(on.now, &claim, alarm.mode, out);
                }
            }
            None if acts => {
                if let Some(instance) = self.state.instance(&alarm.name, key).cloned() {
                    self.start_reactions(on.now, on.sequence, alarm, key, instance, event, out);
                }
            }
            None => {
                if alarm.mode == Mode::Live
                    && let Some(claim) = self.claim_behind(&event)
                {
                    self.mark_claim_open(&claim, alarm.mode, out);
                }
            }
        }
    }

    /// Reports once for each alarm that its text names a field which an event does not have.
    fn report_missing(&mut self, alarm: &Alarm, event: &Fields, out: &mut Vec<Output>) {
        for field in fields::missing(&alarm.summary, event) {
            let text = format!(
                "the summary of {} names {{{field}}}, and an event that raised it has no such field, so it is shown as (no {field}) (reported once)",
                alarm.name
            );
            let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::NoField, text) };
            self.notify_once(format!("no_field {} {field}", alarm.name), notice, out);
        }
    }

    /// Clears an instance that is active or suppressed.
    pub(super) fn clear(&mut self, end: &Ending, alarm: &str, key: &Key, out: &mut Vec<Output>) {
        self.end_suppressed(end, alarm, key, out);
        let Some(instance) = self.state.instance(alarm, key) else { return };
        let program = self.program.clone();
        let reacts = self.alarm(&program, alarm).filter(|a| end.idle().is_none() && !a.on_cancel.is_empty());
        let signal = Signal::Cleared(alarm.to_owned());
        // The end of most alarms has no reactions.
        let is_ours = !matches!(end.cause, Cause::Removed | Cause::Changed);
        if let (Some(why), Some(alarm)) = (end.late.as_ref().filter(|_| is_ours), self.alarm(&program, alarm)) {
            // For an alarm that is raised and cleared at once, the first notice already says it.
            let was_said = end.cause == Cause::AtOnce && !alarm.react.is_empty();
            if !alarm.on_cancel.is_empty() && !was_said {
                out.push(not_started(alarm, key, why, "reactions to its end are"));
            }
        }
        let reported = (reacts.is_some() || self.is_wanted(&signal)).then(|| instance.clone());
        let cause = &end.cause;
        let summary = self.alarm(&program, alarm).filter(|a| !a.end_summary.is_empty()).map(|a| {
            let mut event = instance.event.as_ref().clone();
            event.insert("cause".to_owned(), Value::from(cause.to_string().as_str()));
            fields::fill(&a.end_summary, &event)
        });
        if let Some(alarm) = self.alarm(&program, alarm).filter(|_| self.trace.is_some()) {
            let raised_at = instance.raised_at;
            self.decided(end.at, alarm, Some(key), Decision::Cleared, || {
                let lasted = duration_text(end.at.since(raised_at));
                format!("it is cleared after {lasted}: {}", cause_text(cause, alarm))
            });
        }
        if *cause != Cause::AtOnce {
            self.drop_throttled(alarm, key, out);
        }
        let reported = reported.map(|instance| Instance { summary: summary.clone().unwrap_or(instance.summary), ..instance });
        let (name, key_) = (alarm.to_owned(), key.clone());
        self.record(Record::Cleared { alarm: name, key: key_, at: end.at, cause: cause.clone(), summary }, out);
        self.frees(end, alarm, key);
        let Some(instance) = reported else { return };
        // The trust is the lower one of the sender that raised it and the sender that ends it.
        let mut event = instance.event.clone();
        let fields = Arc::make_mut(&mut event);
        let trust = fields::trust(fields).min(end.trust);
        fields.insert("trust".to_owned(), Value::from(trust.name()));
        fields.insert("cause".to_owned(), Value::from(cause.to_string().as_str()));
        self.changed(signal, alarm, &event, end.idle());
        if let Some(alarm) = reacts {
            out.push(start_reactions(
                alarm,
                key,
                &instance,
                Some(cause.clone()),
                alarm.on_cancel.clone(),
                (end.sequence, false),
                event,
            ));
        }
    }
}

/// Returns why an instance ends, in terms of its rule.
pub fn cause_text(cause: &Cause, alarm: &Alarm) -> String {
    match cause {
        Cause::After => {
            let spans = alarm.cancel.iter().filter_map(|cancel| match cancel {
                Cancel::After { span, since_raise } => {
                    let since = if *since_raise { " since raise" } else { "" };
                    Some(format!("`cancel after {}{since}`", duration_text(*span)))
                }
                Cancel::When(_) | Cancel::Measured { .. } | Cancel::Falls(_) | Cancel::AtOnce | Cancel::ByHand => None,
            });
            let spans: Vec<String> = spans.collect();
            // The rule may have another one by now.
            if spans.is_empty() { "`cancel after` is over".to_owned() } else { format!("{} is over", spans.join(" or ")) }
        }
        Cause::When => "an event or a state ends it (`cancel when`)".to_owned(),
        Cause::AtOnce => "`cancel at once`".to_owned(),
        Cause::ByHand(_) | Cause::Removed | Cause::Changed => cause.to_string(),
    }
}

/// A notice that reactions are not started, with the reason and the setting that applies.
fn not_started(alarm: &Alarm, key: &Key, why: &Stale, which: &str) -> Output {
    let text = format!("{}: its {which} not started: {why}", shown(&alarm.name, key));
    Output::Notice(Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Late, text) })
}

/// The summary of an alarm that is raised for an event.
fn summary(alarm: &Alarm, event: &Fields) -> String {
    let mark = if is_test(event) { TEST_MARK } else { "" };
    cut(&format!("{mark}{}", fields::fill(&alarm.summary, event)), SUMMARY_BYTES).into_owned()
}

/// When an instance expires; `None` when only an event or an operator ends it.
pub(super) fn deadline(alarm: &Alarm, raised_at: Time, last_at: Time) -> Option<Time> {
    let ends = alarm.cancel.iter().filter_map(|cancel| match cancel {
        Cancel::After { span, since_raise: true } => Some(raised_at + *span),
        Cancel::After { span, since_raise: false } => Some(last_at + *span),
        _ => None,
    });
    ends.min()
}

pub(super) fn start_reactions(
    alarm: &Alarm,
    key: &Key,
    instance: &Instance,
    cleared: Option<Cause>,
    chains: Vec<Vec<ReactionCall>>,
    (sequence, claim): (u64, bool),
    event: Arc<Fields>,
) -> Output {
    Output::StartReactions(Box::new(StartReactions {
        alarm: alarm.name.clone(),
        key: key.clone(),
        category: alarm.category,
        cleared,
        chains,
        mode: alarm.mode,
        summary: instance.summary.clone(),
        count: instance.count,
        raised_at: instance.raised_at,
        lines: instance.lines.clone(),
        sequence,
        claim,
        event,
    }))
}

/// A notice that an alarm is not raised.
pub(super) fn suppressed_notice(alarm: &str, text: String) -> Output {
    Output::Notice(Notice { alarm: Some(alarm.to_owned()), ..Notice::new(Kind::Suppressed, text) })
}
