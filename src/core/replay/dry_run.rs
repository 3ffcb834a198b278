//! A dry run: a log from its first line to its last, in the log's own time.
//!
//! ```text
//!   Reader: decode, clock   --Read-->   Sifting: match   --Sifted-->   Settling: times   --Sifted-->   Acting: the controller
//!   of each log, line after line        any, on any core               of each log, in order           all logs, by their times
//! ```
//!
//! Each log has a decoder, a clock and records that wait until their time is known. For several logs, the caller merges what
//! rules want by time (`src/cli/dry_run/merge.rs`).

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::control::Controller;
use crate::core::engine::TracedDecision;
use crate::core::event::{Event, EventId, Trust};
use crate::core::inventory::Name;
use crate::core::lang::program::{Hit, IdPattern};
use crate::core::notice::Kind;
use crate::core::site::{Arrivals, Site, Stamps};

use super::Replay;
use super::clock::{Moment, Settled};
use super::seen::Seen;
use super::timeline::{EntryKind, TimelineEntry};
use reader::Odd;
pub use reader::{LINES_OF_A_LOG, LogReader, Origin, ReadLine};

/// How long after the last line runs and pending conditions are followed.
const AFTERWARDS: Duration = Duration::from_secs(3_600);
/// The greatest number of applications outside of pairs that are reported.
const UNKNOWN_CLAIMANTS: usize = 20;
/// How often statistics may be left out before they are taken, in batches of lines.
const SEEN_EVERY: u32 = 16;
/// The only source of a dry run.
const SOURCE: &str = "log";

/// What a dry run read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DryRunCounts {
    pub lines: u64,
    /// Lines that a rule wanted.
    pub matched: u64,
    /// Lines that were too long, and were cut.
    pub cut: u64,
    /// Lines that were not UTF-8.
    pub latin1: u64,
    /// Lines with a header that could not be read to its end.
    pub broken: u64,
    /// Lines that an `ignore` of the rules matched.
    pub ignored: u64,
    /// Lines without a readable time. They get the time of the line before.
    pub undated: u64,
    /// Stamps that were not believed: jumps of over an hour that the next stamp contradicted, and steps back.
    pub stamps_disbelieved: u64,
    pub entries: u64,
}

impl DryRunCounts {
    fn add(&mut self, more: &DryRunCounts) {
        let DryRunCounts { lines, matched, cut, latin1, broken, ignored, undated, stamps_disbelieved, entries } = more;
        self.lines += lines;
        self.matched += matched;
        self.cut += cut;
        self.latin1 += latin1;
        self.broken += broken;
        self.ignored += ignored;
        self.undated += undated;
        self.stamps_disbelieved += stamps_disbelieved;
        self.entries += entries;
    }
}

/// A record that a rule wants, or that is a claim, with the conditions that it matches. Most lines have none, and are moved often.
type Wanted = Box<(Event<'static>, Vec<Hit>)>;

/// A dry run with all its parts, for one log or several.
pub struct DryRun {
    sifting: Sifting,
    acting: Acting,
    /// The trust of the logs' senders.
    trust: Trust,
}

/// The second part of a dry run: finds what rules want. No line depends on another.
pub struct Sifting {
    site: Arc<Site>,
    /// The ids by which members of pairs claim their roles.
    claims: Vec<IdPattern>,
    /// Statistics of the logs are counted.
    counts: bool,
    /// Lines before this one are read only for what they say of the file, and no rule sees them.
    from_line: u64,
    /// The last moment of the log that is replayed; `None` for all of it.
    until: Option<Time>,
}

/// Working space for one thread.
#[derive(Default)]
pub struct SiftRoom {
    hits: Vec<Hit>,
    seen: Seen,
    /// How often the statistics were not taken.
    kept: u32,
}

impl SiftRoom {
    /// The statistics since they were last taken, to be sent with the lines; `None` if nothing is counted. To put statistics
    /// together takes time: they are taken now and then, and at the end of the log.
    pub fn take_seen(&mut self, sifting: &Sifting, at_end: bool) -> Option<Sifted> {
        self.kept += 1;
        if !sifting.counts || self.kept < SEEN_EVERY && !at_end {
            return None;
        }
        self.kept = 0;
        Some(Sifted { seen: Some(Box::new(std::mem::take(&mut self.seen))), ..Sifted::default() })
    }
}

/// What is left of a line.
#[derive(Default)]
pub struct Sifted {
    line: u64,
    stamp: Option<Time>,
    settled: Option<Settled>,
    at: Option<Moment>,
    odd: Option<Box<Odd>>,
    wanted: Option<Wanted>,
    /// An application that claims a role, and that no pair has.
    unknown_claimant: Option<String>,
    /// It is later than what is replayed.
    past: bool,
    /// What this line adds to the counts.
    counts: DryRunCounts,
    /// The statistics of lines up to here.
    seen: Option<Box<Seen>>,
}

/// The third part of a dry run: keeps the records of a log until their times are known.
#[derive(Default)]
pub struct Settling {
    waiting: Vec<(u64, Option<Time>, Wanted)>,
}

/// The last part of a dry run: gives the controller what rules want.
pub struct Acting {
    site: Arc<Site>,
    holders: BTreeMap<Name, Name>,
    replay: Option<Replay>,
    /// What was odd about the times, until it is reported.
    odd: Odd,
    /// How far the controller's time is ahead of the time of the log whose line acts. It only grows when a log's time goes back.
    ahead: Duration,
    /// The first time of the logs.
    begin: Option<Time>,
    end: Option<Moment>,
    /// The last moment of the log that is replayed; `None` for all of it.
    until: Option<Time>,
    /// That moment has passed.
    over: bool,
    counts: DryRunCounts,
    /// Applications that claim roles and that no pair has, each with the first line and the number of claims.
    unknown_claimants: BTreeMap<String, (u64, u64)>,
    arrivals: Arrivals,
    /// The alarms whose decisions are kept with their reasons; `None` means no alarms.
    traced: Option<BTreeSet<String>>,
    decisions: Vec<DecisionOfLine>,
    seen: Seen,
    /// How long after the last line runs and pending conditions are followed.
    afterwards: Duration,
}

/// A decision of the engine, with the line that was being handled.
#[derive(Clone, Debug)]
pub struct DecisionOfLine {
    /// The number of the line; `None` if the passing of time caused it.
    pub line: Option<u64>,
    /// The decision, in the log's time.
    pub decision: TracedDecision,
}

impl DryRun {
    /// A dry run in which these hosts hold these resources, for logs by senders with this trust.
    pub fn new(site: Arc<Site>, holders: BTreeMap<Name, Name>, trust: Trust) -> DryRun {
        let acting = Acting {
            site: site.clone(),
            holders,
            replay: None,
            odd: Odd::default(),
            ahead: Duration::ZERO,
            begin: None,
            end: None,
            until: None,
            over: false,
            counts: DryRunCounts::default(),
            unknown_claimants: BTreeMap::new(),
            arrivals: Arrivals::of(Stamps::Stated),
            traced: None,
            decisions: Vec::new(),
            seen: Seen::default(),
            afterwards: AFTERWARDS,
        };
        DryRun { sifting: Sifting::new(site), acting, trust }
    }

    /// Keeps the reasons of decisions about these alarms; about all alarms if the set is empty.
    pub fn trace(&mut self, alarms: BTreeSet<String>) {
        self.acting.traced = Some(alarms);
    }

    /// Counts statistics of the logs from now on, for [`DryRun::seen`].
    pub fn count_seen(&mut self) {
        self.sifting.counts = true;
    }

    /// The rules see each log from this line on; lines count from 1.
    pub fn begin_at(&mut self, line: u64) {
        self.sifting.from_line = line;
    }

    /// The run ends with the last line: runs and pending conditions are not followed any further.
    pub fn end_at_last_line(&mut self) {
        self.acting.afterwards = Duration::ZERO;
    }

    /// True if the run ends with the last line.
    pub fn ends_at_last_line(&self) -> bool {
        self.acting.afterwards.is_zero()
    }

    /// The statistics of the logs, if they are counted.
    pub fn seen(&self) -> &Seen {
        &self.acting.seen
    }

    /// Ends the replay after this moment of the log.
    pub fn end_at(&mut self, until: Time) {
        (self.sifting.until, self.acting.until) = (Some(until), Some(until));
    }

    /// The first and the last time of the logs, as far as they were read; `None` if no line has a time.
    pub fn span(&self) -> Option<(Time, Time)> {
        let begin = self.acting.begin?;
        Some((begin, self.acting.end.map_or(begin, |end| end.log)))
    }

    /// A reader for a log.
    pub fn reader(&self, origin: Origin) -> LogReader {
        LogReader::new(self.acting.site.clone(), origin, self.trust)
    }

    /// The parts that all logs share. Lines go through the last one in the sequence of their times.
    pub fn parts(&mut self) -> (&Sifting, &mut Acting) {
        (&self.sifting, &mut self.acting)
    }

    /// The logs have ended: runs and pending conditions are followed to their end, and the counts are reported.
    pub fn finish(&mut self, emit: &mut dyn FnMut(TimelineEntry)) -> DryRunCounts {
        // Without a line there is no time: an empty log raises nothing, not even silences.
        match self.acting.end.filter(|_| self.acting.counts.lines > 0) {
            Some(end) => self.acting.finish(end, emit),
            None => DryRunCounts::default(),
        }
    }

    /// The site of this dry run.
    pub fn site(&self) -> &Site {
        &self.acting.site
    }

    /// The controller at the end: it has the alarms that are still active and the desired owners.
    pub fn controller(&self) -> Option<&Controller> {
        self.acting.replay.as_ref()?.controller()
    }
}

impl Sifting {
    fn new(site: Arc<Site>) -> Sifting {
        let said = site.inventory.pairs.values().flat_map(|p| p.says_primary.iter().chain(&p.says_backup));
        let mut claims: Vec<IdPattern> = Vec::new();
        for id in said.map(IdPattern::of) {
            if !claims.contains(&id) {
                claims.push(id);
            }
        }
        Sifting { site, claims, counts: false, from_line: 0, until: None }
    }

    /// What rules want of a line, which leaves an empty event there; `room` is working space.
    pub fn sift(&self, read: &mut ReadLine<'_>, room: &mut SiftRoom) -> Sifted {
        let ReadLine { line, ref mut event, stamp, settled, at, ref mut odd } = *read;
        let past = self.until.is_some_and(|until| at.is_some_and(|at| at.log > until));
        let skipped = past || line % LINES_OF_A_LOG < self.from_line;
        let matched = if skipped { None } else { self.site.wants(event, &mut room.hits) };
        if self.counts && !skipped {
            room.seen.see(line / LINES_OF_A_LOG, line, event, matched.is_some());
        }
        let marks = event.marks;
        let counts = DryRunCounts {
            lines: u64::from(!skipped),
            matched: u64::from(matched.is_some()),
            cut: u64::from(marks.cut),
            latin1: u64::from(marks.latin1),
            broken: u64::from(marks.broken),
            ignored: u64::from(marks.ignored),
            undated: u64::from(event.at.is_none() && !marks.continuation && !marks.partial),
            ..DryRunCounts::default()
        };
        let unknown_claimant = if skipped { None } else { self.unknown_claimant(event) };
        let wanted = matched.map(|hits| Box::new((std::mem::take(event).into_owned(), hits)));
        let counts = if past { DryRunCounts::default() } else { counts };
        Sifted { line, stamp, settled, at, odd: odd.take(), wanted, unknown_claimant, past, counts, seen: None }
    }

    /// Shows a line's event with the mark of an `ignore` of the rules; `room` is working space.
    pub fn look(&self, read: &ReadLine<'_>, room: &mut SiftRoom, see: impl FnOnce(&Event<'_>)) {
        let mut event = read.event.clone();
        self.site.wants(&mut event, &mut room.hits);
        see(&event);
    }

    /// The application of a claim, if no pair has it.
    fn unknown_claimant(&self, event: &Event<'_>) -> Option<String> {
        let id = event.id.as_ref().filter(|id| self.claims.iter().any(|want| want.matches(id)))?;
        // The number of a short record may belong to another type: only an id with a code is certainly a claim.
        let coded = matches!(id, EventId::Number { code: Some(_), .. } | EventId::Word(_));
        let strange = coded && !event.app.is_empty() && self.site.index.names(event).pair.is_empty();
        strange.then(|| event.app.to_string())
    }
}

impl Sifted {
    /// The number of the line; the first line of the first log is 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// True if a rule wants it, or it is a claim.
    pub fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// True if an `ignore` of the rules removed it.
    pub fn is_ignored(&self) -> bool {
        self.counts.ignored > 0
    }

    /// How many lines it stands for.
    pub fn lines(&self) -> u64 {
        self.counts.lines
    }

    /// When it acts, in the engine's time; `None` if it has no time, and counts with what came before it.
    pub fn at(&self) -> Option<Time> {
        self.at.map(Moment::engine)
    }

    /// True if it is only counted and has no other effect.
    pub fn is_idle(&self) -> bool {
        self.settled.is_none() && self.odd.is_none() && self.wanted.is_none() && self.unknown_claimant.is_none() && !self.past
    }

    /// Counts a later, idle line with this one.
    pub fn count(&mut self, idle: &Sifted) {
        self.counts.add(&idle.counts);
    }
}

impl Settling {
    /// Takes the next line of a log. `take` gets the lines whose time is known.
    pub fn take(&mut self, mut sifted: Sifted, take: &mut dyn FnMut(Sifted)) {
        if let Some(Settled { from, each }) = sifted.settled.take() {
            // The time begins here, even if no rule wants anything.
            take(Sifted { at: Some(from), ..Sifted::default() });
            let mut at = from;
            for (line, stamp, wanted) in std::mem::take(&mut self.waiting) {
                at.log = stamp.filter(|stamp| each && *stamp >= at.log).unwrap_or(at.log);
                take(Sifted { line, at: Some(at), wanted: Some(wanted), ..Sifted::default() });
            }
        }
        if sifted.at.is_none()
            && let Some(wanted) = sifted.wanted.take()
        {
            self.waiting.push((sifted.line, sifted.stamp, wanted));
        }
        take(sifted);
    }
}

impl Acting {
    /// The decisions since the last call, if they are kept.
    pub fn decisions(&mut self) -> Vec<DecisionOfLine> {
        std::mem::take(&mut self.decisions)
    }

    /// Takes the next line with an effect, or the next time.
    pub fn take(&mut self, sifted: Sifted, emit: &mut dyn FnMut(TimelineEntry)) {
        let Sifted { line, at, odd, wanted, unknown_claimant, counts, seen, .. } = sifted;
        self.begin = self.begin.or(at.map(|at| at.log));
        // Statistics are of lines before the end, and may come after it.
        if let Some(seen) = seen {
            self.seen.add(*seen);
        }
        // A line behind the end may have an earlier time: it is read and counted, and nothing comes of it.
        self.counts.add(&counts);
        self.over |= self.until.is_some_and(|until| at.is_some_and(|at| at.log > until));
        if self.over {
            return;
        }
        if let Some(odd) = odd {
            self.odd.disbelieved = self.odd.disbelieved.or(odd.disbelieved);
            self.odd.stepped = self.odd.stepped.or(odd.stepped);
        }
        if let Some(app) = unknown_claimant {
            self.unknown_claimant(app, line);
        }
        let Some(at) = at else { return };
        self.ahead = at.ahead;
        if self.end.is_none_or(|end| end.engine() <= at.engine()) {
            self.end = Some(at);
        }
        self.replay(at, emit);
        if let Some(wanted) = wanted {
            self.act(at, line, wanted, emit);
        }
    }

    /// True when the moment has passed up to which the logs are replayed.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn unknown_claimant(&mut self, app: String, line: u64) {
        if let Some((_, times)) = self.unknown_claimants.get_mut(&app) {
            *times += 1;
        } else if self.unknown_claimants.len() < UNKNOWN_CLAIMANTS {
            self.unknown_claimants.insert(app, (line, 1));
        }
    }

    fn finish(&mut self, end: Moment, emit: &mut dyn FnMut(TimelineEntry)) -> DryRunCounts {
        let last = self.until.map(|until| until + end.ahead);
        // The log goes on, so its time goes on to the moment that was wanted.
        let end = self.until.filter(|_| self.over).map_or(end, |until| Moment { log: end.log.max(until), ..end });
        // The time of the last line counts even if the line has no effect: nothing else happened until then.
        self.ahead = end.ahead;
        let until = end.engine() + self.afterwards;
        let until = last.map_or(until, |last| last.min(until));
        let replay = self.replay(end, emit);
        replay.pass(end.engine());
        while let Some(due) = replay.next_due().filter(|due| *due <= until) {
            replay.pass(due);
        }
        self.take_decisions(None);
        self.flush(emit);
        for (app, (line, times)) in std::mem::take(&mut self.unknown_claimants) {
            let text = format!(
                "{app} claimed a role {} (first here), but no pair of the inventory has it, so nothing follows. Is it an alias?",
                if times == 1 { "once".to_owned() } else { format!("{times} times") }
            );
            self.counts.entries += 1;
            emit(notice(until - self.ahead, Some(line), Kind::UnknownClaimant, text));
        }
        self.counts
    }

    fn act(&mut self, at: Moment, number: u64, wanted: Wanted, emit: &mut dyn FnMut(TimelineEntry)) {
        let (mut event, hits) = *wanted;
        // The age in the log stays the same in the engine's time.
        event.at = event.at.map(|stamp| stamp + at.ahead);
        let late = self.arrivals.judge(&mut event, at.engine(), true, true);
        let learned = self.arrivals.learned();
        self.replay(at, emit).pass_to(at.engine(), Some(number));
        self.take_decisions(None);
        let replay = self.replay(at, emit);
        replay.learn(SOURCE, learned);
        replay.act(SOURCE, event, hits, false, late, Some(number));
        self.take_decisions(Some(number));
        self.flush(emit);
    }

    fn replay(&mut self, at: Moment, emit: &mut dyn FnMut(TimelineEntry)) -> &mut Replay {
        if self.replay.is_none() {
            self.counts.entries += 1;
            emit(notice(at.log, None, Kind::World, world(&self.site, &self.holders)));
        }
        let (site, holders, traced) = (&self.site, &self.holders, &self.traced);
        self.replay.get_or_insert_with(|| {
            let mut replay = Replay::start(site.clone(), holders, at.engine());
            if let Some(alarms) = traced {
                replay.trace(alarms.clone());
            }
            replay
        })
    }

    /// Assigns the decisions since the last call to the line that caused them.
    fn take_decisions(&mut self, line: Option<u64>) {
        if self.traced.is_none() {
            return;
        }
        let ahead = self.ahead;
        let found = self.replay.as_mut().map(Replay::take_traced).unwrap_or_default();
        self.decisions.extend(found.into_iter().map(|decision| {
            let at = decision.at - ahead;
            DecisionOfLine { line, decision: TracedDecision { at, ..decision } }
        }));
    }

    fn flush(&mut self, emit: &mut dyn FnMut(TimelineEntry)) {
        let Some(replay) = &mut self.replay else { return };
        // People read the log's times.
        for entry in replay.take_entries() {
            self.counts.entries += 1;
            emit(TimelineEntry { at: entry.at - self.ahead, ..entry });
        }
        let now = replay.now() - self.ahead;
        let Odd { disbelieved, stepped } = std::mem::take(&mut self.odd);
        let disbelieved = disbelieved.map(|(line, stamp)| {
            let text = format!(
                "{stamp} differs by more than an hour from the lines around it and is not used (further ones are counted)"
            );
            notice(now, Some(line), Kind::TimeNotBelieved, text)
        });
        let stepped = stepped.map(|(line, before, after)| {
            let text = format!(
                "the times go back here from {before} to {after}, and the following records agree, so the time continues from there"
            );
            notice(now, Some(line), Kind::TimeSteppedBack, text)
        });
        for entry in disbelieved.into_iter().chain(stepped) {
            self.counts.entries += 1;
            emit(entry);
        }
    }
}

/// A notice of the dry run itself.
fn notice(at: Time, line: Option<u64>, kind: Kind, text: String) -> TimelineEntry {
    let mut entry = TimelineEntry::new(at, EntryKind::Notice);
    (entry.line, entry.result, entry.text) = (line, Some(kind.name().to_owned()), Some(text));
    entry
}

/// The holders that a dry run assumes, as a sentence.
fn world(site: &Site, holders: &BTreeMap<Name, Name>) -> String {
    if site.inventory.resources.is_empty() {
        return "the inventory has no resources: alarms and reactions are shown, and nothing moves".to_owned();
    }
    let each: Vec<String> = site
        .inventory
        .resources
        .keys()
        .map(|r| match holders.get(r) {
            Some(host) => format!("{r} is on {host}"),
            None => format!("{r} is on no host"),
        })
        .collect();
    format!("assumed: all hosts are up and obey at once; {}", each.join(", "))
}
