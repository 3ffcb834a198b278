//! What a site recorded in its journal, through other rules.
//!
//! ```text
//!   records of a journal --+-- inputs ----> Replay with the other rules --> decisions --+
//!                          |                                                            +--> DecisionStreams --> differences
//!                          +-- decisions of the site -----------------------------------+
//! ```
//!
//! The inputs are the journal's own: records that the site's rules wanted, lost hosts, applications, metrics, commands of
//! operators, and what Pointsman itself reported as an event. A record counts as late if the site found it late. Hosts obey at
//! once, and effects succeed. Therefore only decisions about alarms and reactions are compared, not what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::base::text::printable_short;
use crate::core::base::time::Time;
use crate::core::control::{Input, LogEvent, OperatorCommand};
use crate::core::engine;
use crate::core::event::{Event, Stale};
use crate::core::inventory::Name;
use crate::core::journal::{self, Record};
use crate::core::lang::program::Hit;
use crate::core::site::Site;
use crate::core::wire::Metric;

use super::difference::{DecidedBy, DecisionStreams, Difference, SiteDecision};
use super::{DecisionOfLine, Replay};

/// Maximum characters of a record that are shown as a cause.
const SHOWN: usize = 200;

/// What a rerun read and found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RerunCounts {
    /// Records of the journal.
    pub records: u64,
    /// Log records among them.
    pub events: u64,
    /// Log records that the other rules want.
    pub wanted: u64,
    /// How often the site accepted a configuration and rules.
    pub accepted: u64,
    /// Decisions that both made.
    pub equal: u64,
}

/// An input of the journal with what followed from it.
struct RecordedInput {
    n: u64,
    at: Time,
    input: journal::Input,
    decisions: Vec<SiteDecision>,
    /// Why the site found the record late.
    late: Option<Stale>,
}

/// Replays a journal with other rules, record after record.
pub struct Rerun {
    site: Arc<Site>,
    holders: BTreeMap<Name, Name>,
    replay: Option<Replay>,
    pending: Option<RecordedInput>,
    /// By how many microseconds the site's clock was set since the beginning. The replay's time goes on without that.
    moved: i64,
    comparison: DecisionStreams,
    traced: Option<BTreeSet<String>>,
    hits: Vec<Hit>,
    events: Vec<(u64, Event<'static>)>,
    decisions: Vec<DecisionOfLine>,
    counts: RerunCounts,
}

impl Rerun {
    /// A rerun by this site, in which these hosts hold these resources at the beginning.
    pub fn new(site: Arc<Site>, holders: BTreeMap<Name, Name>) -> Rerun {
        Rerun {
            site,
            holders,
            replay: None,
            pending: None,
            moved: 0,
            comparison: DecisionStreams::default(),
            traced: None,
            hits: Vec::new(),
            events: Vec::new(),
            decisions: Vec::new(),
            counts: RerunCounts::default(),
        }
    }

    /// Keeps the events, and the decisions about these alarms with their reasons, for [`Rerun::take_traced`].
    pub fn trace(&mut self, alarms: BTreeSet<String>) {
        self.traced = Some(alarms);
    }

    /// The events and decisions since the last call, each with the number of its record.
    pub fn take_traced(&mut self) -> (Vec<(u64, Event<'static>)>, Vec<DecisionOfLine>) {
        (std::mem::take(&mut self.events), std::mem::take(&mut self.decisions))
    }

    /// What was read and found so far.
    pub fn counts(&self) -> RerunCounts {
        RerunCounts { equal: self.comparison.equal, ..self.counts }
    }

    /// What was seen up to here only filled windows and counts: the comparison begins now, at this time, when these instances of
    /// alarms are active at the site.
    pub fn begin(&mut self, at: Time, active: impl IntoIterator<Item = (String, String)>) {
        self.pass(at);
        self.comparison.begin(active);
        self.counts = RerunCounts::default();
        let (site, holders, traced) = (&self.site, &self.holders, &self.traced);
        self.replay.get_or_insert_with(|| Replay::of_records(site.clone(), holders, at, traced.clone()));
        self.take(None, "");
    }

    /// Takes the next record of the journal, with its number. Returns the differences that are certain by now.
    pub fn see(&mut self, n: u64, record: Record) -> Vec<Difference> {
        self.counts.records += 1;
        if let Record::Input { at, input, .. } = record {
            let next = RecordedInput { n, at, input, decisions: Vec::new(), late: None };
            let differences = self.replay_pending();
            self.pending = Some(next);
            return differences;
        }
        // A run goes on without an input of the journal: its input may have been replayed already.
        if self.pending.is_none()
            && let Some(mut decision) = SiteDecision::of(&record)
        {
            decision.at = self.unmoved(decision.at);
            self.comparison.decided(Difference { by: DecidedBy::Site, decision, record: n, cause: String::new() });
        }
        if let Some(pending) = &mut self.pending {
            if let Record::Alarm(engine::Record::Raised { idle: Some(late), .. }) = &record
                && is_of_record(late)
            {
                pending.late.get_or_insert_with(|| late.clone());
            }
            pending.decisions.extend(SiteDecision::of(&record));
        }
        Vec::new()
    }

    /// Takes a record that the site's rules did not want. It comes after all records of the journal that are earlier, and before
    /// the next input. Returns the differences that are certain by now.
    pub fn see_unwanted(&mut self, at: Time, source: String, event: Event<'static>) -> Vec<Difference> {
        let mut differences = self.replay_pending();
        let at = self.unmoved(at);
        let Some(replay) = &mut self.replay else { return differences };
        replay.pass_to(at, None);
        self.take(None, "");
        let cause = cause_of_event(&source, &event);
        self.event(0, LogEvent { source, event, ..LogEvent::default() });
        self.take(Some(0), &cause);
        differences.extend(self.certain(Some(at)));
        differences
    }

    /// All records up to this time of the site were seen: what is due by then happens.
    pub fn pass(&mut self, now: Time) -> Vec<Difference> {
        let mut differences = self.replay_pending();
        let now = self.unmoved(now);
        if let Some(replay) = &mut self.replay {
            replay.pass_to(now, None);
        }
        self.take(None, "");
        differences.extend(self.certain(Some(now)));
        differences
    }

    /// The comparison has ended: whatever has no equal is a difference.
    pub fn finish(&mut self) -> Vec<Difference> {
        let mut differences = self.replay_pending();
        differences.extend(self.certain(None));
        differences
    }

    fn replay_pending(&mut self) -> Vec<Difference> {
        let Some(RecordedInput { n, at, input, decisions, late }) = self.pending.take() else { return Vec::new() };
        if let journal::Input::ClockChanged { by } = input {
            self.moved = self.moved.saturating_add(by);
        }
        let at = self.unmoved(at);
        let cause = cause(&input);
        let first = self.replay.is_none();
        let (site, holders, traced) = (&self.site, &self.holders, &self.traced);
        let replay = self.replay.get_or_insert_with(|| Replay::of_records(site.clone(), holders, at, traced.clone()));
        replay.pass_to(at, None);
        // What the passing of time does has no record as its cause.
        self.take(None, "");
        self.input(n, at, first, input, late);
        self.take(Some(n), &cause);
        for mut decision in decisions {
            decision.at = self.unmoved(decision.at);
            self.comparison.decided(Difference { by: DecidedBy::Site, decision, record: n, cause: cause.clone() });
        }
        self.certain(Some(at))
    }

    /// The differences that are certain at a time of the replay, in the site's time.
    fn certain(&mut self, now: Option<Time>) -> Vec<Difference> {
        let found = self.comparison.certain(now);
        found.into_iter().map(|one| self.moved(one)).collect()
    }

    /// Passes one input of the journal to the replay.
    fn input(&mut self, n: u64, at: Time, first: bool, input: journal::Input, late: Option<Stale>) {
        if let journal::Input::Event { source, position, event } = input {
            return self.event(n, LogEvent { source, position, event: *event, late, ..LogEvent::default() });
        }
        let Some(replay) = &mut self.replay else { return };
        match input {
            journal::Input::Start if !first => replay.restart(),
            journal::Input::BacklogEnded { source } => replay.drive(Input::BacklogEnded { source }),
            journal::Input::Source { source, away } => replay.drive(Input::Source { source, away }),
            journal::Input::HostLost { host } => replay.host_lost(at, &host, true),
            journal::Input::HostBack { host } => replay.host_lost(at, &host, false),
            journal::Input::Application { app, host, stopped } => {
                replay.hosts.runs(&host, &app, !stopped);
                replay.report_all();
            }
            journal::Input::Metrics { host, values } => {
                replay.hosts.measured(&host, values.into_iter().map(metric).collect());
                replay.report_all();
            }
            journal::Input::OperatorCommand { by, command, of } => {
                if let Some(command) = OperatorCommand::of_record(&command, &of) {
                    replay.drive(Input::Operator { by, command });
                }
            }
            journal::Input::Accepted(_) => self.counts.accepted += 1,
            journal::Input::Event { .. }
            | journal::Input::Start
            | journal::Input::Timer
            | journal::Input::Position { .. }
            | journal::Input::Forget { .. }
            | journal::Input::Offset { .. }
            | journal::Input::Operator(_)
            | journal::Input::CommandRefused { .. }
            | journal::Input::JournalDoubted { .. }
            | journal::Input::JournalTrusted
            | journal::Input::LossAccepted { .. }
            | journal::Input::ClockChanged { .. } => {}
        }
    }

    fn event(&mut self, n: u64, mut log_event: LogEvent) {
        self.counts.events += 1;
        let event = &mut log_event.event;
        event.at = event.at.map(|at| self.unmoved(at));
        // Whether it is a claim is for the other rules to say.
        event.claimed_role = None;
        let wanted = self.site.wants(event, &mut self.hits);
        if self.traced.is_some() {
            self.events.push((n, event.clone()));
        }
        let (Some(hits), Some(replay)) = (wanted, &mut self.replay) else { return };
        self.counts.wanted += 1;
        log_event.hits = hits;
        log_event.backlog = matches!(log_event.late, Some(Stale::Backlog { .. }));
        replay.drive(Input::Event(Box::new(log_event)));
    }

    /// Takes what the replay decided.
    fn take(&mut self, record: Option<u64>, cause: &str) {
        let Some(replay) = &mut self.replay else { return };
        for decided in replay.take_records() {
            if let Some(decision) = SiteDecision::of(&decided) {
                let (record, cause) = (record.unwrap_or_default(), cause.to_owned());
                self.comparison.decided(Difference { by: DecidedBy::Rules, decision, record, cause });
            }
        }
        let traced = replay.take_traced();
        self.decisions.extend(traced.into_iter().map(|decision| DecisionOfLine { line: record, decision }));
    }

    /// A time of the journal as if the site's clock had never been set.
    fn unmoved(&self, at: Time) -> Time {
        Time::from_micros(at.micros().saturating_sub(self.moved))
    }

    /// A difference in the site's time.
    fn moved(&self, mut one: Difference) -> Difference {
        one.decision.at = Time::from_micros(one.decision.at.micros().saturating_add(self.moved));
        one
    }
}

/// True if it is about the record, and not about an alarm's rule.
fn is_of_record(late: &Stale) -> bool {
    match late {
        Stale::Backlog { .. } | Stale::Behind { .. } | Stale::Queued { .. } | Stale::Earlier(_) => true,
        Stale::TooOld { .. } | Stale::RulesChanged => false,
    }
}

fn metric(value: engine::MetricValue) -> Metric {
    #[allow(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
    let thousandths = (value.value * 1_000.0).round() as i64;
    Metric { name: value.name, mount: value.mount, thousandths }
}

fn cause_of_event(source: &str, event: &Event<'_>) -> String {
    format!("{source}: {}", printable_short(event.raw(), SHOWN))
}

/// What an input was, for people; empty for the passing of time.
fn cause(input: &journal::Input) -> String {
    match input {
        journal::Input::Event { source, event, .. } => cause_of_event(source, event),
        journal::Input::HostLost { host } => format!("host {host} is lost"),
        journal::Input::HostBack { host } => format!("host {host} is connected again"),
        journal::Input::Application { app, stopped: true, .. } => format!("{app} has stopped"),
        journal::Input::Application { app, .. } => format!("{app} runs"),
        journal::Input::Metrics { host, .. } => format!("metrics of {host}"),
        journal::Input::OperatorCommand { by, command, .. } => format!("{by}: {command}"),
        journal::Input::Start => "the controller starts".to_owned(),
        journal::Input::Source { source, .. } => format!("{source} becomes unreadable, or readable again"),
        _ => String::new(),
    }
}
