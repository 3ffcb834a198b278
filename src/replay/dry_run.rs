//! A dry run: a log from its first line to its last, in the log's own time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::time::Time;
use crate::control::Controller;
use crate::decode::Decoder;
use crate::event::{Event, EventId, Provenance};
use crate::inventory::Name;
use crate::lang::program::{Hit, IdPattern};

use crate::site::{Current, Sieve, Site};

use super::Replay;
use super::clock::Clock;
use super::timeline::{Entry, Kind};

/// How long after the last line things that are under way are followed.
const AFTERWARDS: Duration = Duration::from_secs(3_600);
/// Records that wait until one says whether the time jumped, or what time it is at all. After so many the clock decides with what
/// it has.
const WAITING: usize = 1_000;
/// Applications that no pair has and that are told, at most.
const STRANGERS: usize = 20;
/// The one source of a dry run.
const SOURCE: &str = "log";

/// What a dry run read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines.
    pub lines: u64,
    /// Lines that a rule wanted.
    pub matched: u64,
    /// Lines that were longer than is read, and were cut.
    pub cut: u64,
    /// Lines that were not UTF-8.
    pub latin1: u64,
    /// Lines with a header that could not be read to its end.
    pub broken: u64,
    /// Lines that an `ignore` of the rules met.
    pub ignored: u64,
    /// Lines without a time that could be read; they count at the time of the line before.
    pub undated: u64,
    /// Stamps that were not believed: jumps of over an hour that the next one contradicted, and steps back.
    pub stamps_disbelieved: u64,
    /// Entries.
    pub entries: u64,
}

/// A record that a rule wants, or that is a claim, with what it meets.
type Wanted = (Event<'static>, Vec<Hit>);

/// A dry run.
pub struct DryRun {
    site: Arc<Site>,
    holders: BTreeMap<Name, Name>,
    /// About when the log was written: for stamps without a year, and for a log without any stamp.
    written: Time,
    /// How far the log's senders are known.
    provenance: Provenance,
    sieve: Sieve,
    clock: Clock,
    replay: Option<Replay>,
    /// What is wanted of the records after a jump that is not believed yet, with their lines.
    waiting: Vec<(u64, Wanted)>,
    /// How many records these are of.
    waited: usize,
    /// It was told that a stamp was not believed.
    told_disbelief: bool,
    counts: Counts,
    /// The ids by which members of pairs say what they are.
    claims: Vec<IdPattern>,
    /// Applications that said so and that no pair has: the first line, and how often.
    strangers: BTreeMap<String, (u64, u64)>,
}

impl DryRun {
    /// A dry run in a world where these hosts hold these resources, of a log that was written about then by senders who are
    /// known so far.
    pub fn new(site: Arc<Site>, holders: BTreeMap<Name, Name>, written: Time, provenance: Provenance) -> DryRun {
        let said = site.inventory.pairs.values().flat_map(|p| p.says_primary.iter().chain(&p.says_backup));
        let mut claims: Vec<IdPattern> = Vec::new();
        for id in said.map(IdPattern::of) {
            if !claims.contains(&id) {
                claims.push(id);
            }
        }
        DryRun {
            claims,
            strangers: BTreeMap::new(),
            holders,
            written,
            provenance,
            sieve: Sieve::new(&Current::new(0, site.clone()), Decoder::new()),
            site,
            clock: Clock::new(written),
            replay: None,
            waiting: Vec::new(),
            waited: 0,
            told_disbelief: false,
            counts: Counts::default(),
        }
    }

    /// The next line, and what would have come of it.
    pub fn line(&mut self, record: &[u8], cut: bool, tell: &mut dyn FnMut(Entry)) {
        self.counts.lines += 1;
        let number = self.counts.lines;
        let reference = self.clock.now().unwrap_or(self.written);
        let provenance = self.provenance;
        let (event, met) = self.sieve.sift(record, reference, |_, event| {
            event.provenance = provenance;
            event.marks.cut |= cut;
        });
        self.counts.latin1 += u64::from(event.marks.latin1);
        self.counts.broken += u64::from(event.marks.broken);
        self.counts.cut += u64::from(event.marks.cut);
        self.counts.ignored += u64::from(event.marks.ignored);
        self.counts.undated += u64::from(event.at.is_none() && !event.marks.continuation);
        let stamp = if event.marks.continuation { None } else { event.at };
        self.stranger(number, &event);
        let kept = met.map(|met| (event.into_owned(), met.hits));
        self.counts.matched += u64::from(kept.is_some());
        if self.clock.waits() {
            let over = self.waited >= WAITING;
            let settled = (over || stamp.is_some()) && self.clock.settle(number, stamp.filter(|_| !over));
            if !settled {
                self.wait(number, kept);
                return;
            }
            self.go_on(tell);
        }
        if stamp.is_none_or(|stamp| self.clock.read(number, stamp)) {
            if let (Some(kept), Some(now)) = (kept, self.clock.now()) {
                self.act(now, number, kept, tell);
            }
        } else {
            self.wait(number, kept);
        }
    }

    fn wait(&mut self, number: u64, kept: Option<Wanted>) {
        self.waited += 1;
        self.waiting.extend(kept.map(|kept| (number, kept)));
    }

    /// Counts a claim of an application that no pair has.
    fn stranger(&mut self, line: u64, event: &Event<'_>) {
        let Some(id) = event.id.as_ref().filter(|id| self.claims.iter().any(|want| want.meets(id))) else { return };
        // A short record's number may be another type's: only a code says that it is a claim.
        let coded = matches!(id, EventId::Number { code: Some(_), .. } | EventId::Word(_));
        if !coded || event.app.is_empty() || !self.site.index.names(event).pair.is_empty() {
            return;
        }
        if let Some((_, times)) = self.strangers.get_mut(event.app.as_ref()) {
            *times += 1;
        } else if self.strangers.len() < STRANGERS {
            self.strangers.insert(event.app.to_string(), (line, 1));
        }
    }

    /// The log is over: what is under way is followed to its end, and the counts are told.
    pub fn finish(&mut self, tell: &mut dyn FnMut(Entry)) -> Counts {
        if self.clock.waits() {
            self.clock.settle(self.counts.lines, None);
            self.go_on(tell);
        }
        // The last line's time counts, whatever it says: so long nothing else came.
        let end = self.clock.now().unwrap_or(self.written);
        let replay = self.replay(end, tell);
        replay.pass(end);
        let until = end + AFTERWARDS;
        while let Some(due) = replay.next_due().filter(|due| *due <= until) {
            replay.pass(due);
        }
        self.flush(tell);
        for (app, (line, times)) in std::mem::take(&mut self.strangers) {
            let text = format!(
                "{app} said {times} times what it is (first here), and no pair of the inventory has it: nothing followed; is it an alias?"
            );
            self.counts.entries += 1;
            tell(notice(until, Some(line), "unknown_claimant", text));
        }
        self.counts.stamps_disbelieved = self.clock.disbelieved;
        self.counts
    }

    /// What the run is about.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The controller at the end, for what is still active and who would own what.
    pub fn controller(&self) -> Option<&Controller> {
        self.replay.as_ref()?.controller()
    }

    /// The time is known again: the run begins if it did not, and what waited acts.
    fn go_on(&mut self, tell: &mut dyn FnMut(Entry)) {
        let Some(now) = self.clock.now() else { return };
        self.replay(now, tell);
        self.waited = 0;
        for (number, kept) in std::mem::take(&mut self.waiting) {
            self.act(now, number, kept, tell);
        }
    }

    fn act(&mut self, now: Time, number: u64, (event, hits): Wanted, tell: &mut dyn FnMut(Entry)) {
        let replay = self.replay(now, tell);
        replay.pass_to(now, Some(number));
        replay.act(SOURCE, event, hits, false, Some(number));
        self.flush(tell);
    }

    fn replay(&mut self, now: Time, tell: &mut dyn FnMut(Entry)) -> &mut Replay {
        if self.replay.is_none() {
            self.counts.entries += 1;
            tell(notice(now, None, "world", world(&self.site, &self.holders)));
        }
        let (site, holders) = (&self.site, &self.holders);
        self.replay.get_or_insert_with(|| Replay::start(site.clone(), holders, now))
    }

    fn flush(&mut self, tell: &mut dyn FnMut(Entry)) {
        if let Some(replay) = &mut self.replay {
            for entry in replay.told() {
                self.counts.entries += 1;
                tell(entry);
            }
            if let Some((line, stamp)) = self.clock.first.filter(|_| !self.told_disbelief) {
                self.told_disbelief = true;
                let text = format!(
                    "{stamp} is over an hour from the lines around it: the time goes on without it (further ones are counted)"
                );
                self.counts.entries += 1;
                tell(notice(replay.now(), Some(line), "time_not_believed", text));
            }
        }
    }
}

/// A notice of the dry run itself.
fn notice(at: Time, line: Option<u64>, result: &str, text: String) -> Entry {
    let mut entry = Entry::new(at, Kind::Notice);
    (entry.line, entry.result, entry.text) = (line, Some(result.to_owned()), Some(text));
    entry
}

/// The world that a dry run assumes, in a sentence.
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
