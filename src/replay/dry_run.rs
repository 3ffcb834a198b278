//! A dry run: a log from its first line to its last, in the log's own time.
//!
//! ```text
//!   Reader: decode, clock   --Read-->   Sifting: match   --Sifted-->   Acting: the controller
//!   line after line, in order           any, on any core              in order again
//! ```
//!
//! [`DryRun::line`] does the three after each other; who has several cores takes them apart ([`DryRun::parts`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::time::Time;
use crate::control::Controller;
use crate::decode::Decoder;
use crate::event::{Event, EventId, Provenance};
use crate::inventory::Name;
use crate::lang::program::{Hit, IdPattern};
use crate::site::{Arrivals, Site};

use super::Replay;
use super::clock::{Clock, ZONES};
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

impl Counts {
    fn add(&mut self, more: &Counts) {
        let Counts { lines, matched, cut, latin1, broken, ignored, undated, stamps_disbelieved, entries } = more;
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

/// A record that a rule wants, or that is a claim, with what it meets.
type Wanted = (Event<'static>, Vec<Hit>);

/// A dry run.
pub struct DryRun {
    reader: Reader,
    sifting: Sifting,
    acting: Acting,
    hits: Vec<Hit>,
}

/// The first of three parts: what stands in each line, and when it counts. Of each line it has to know the one before.
pub struct Reader {
    decoder: Decoder,
    clock: Clock,
    /// About when the log was written: for stamps without a year, and for a log without any stamp.
    written: Time,
    /// How far the log's senders are known.
    provenance: Provenance,
    lines: u64,
    /// How many records wait for one that says what time it is.
    waited: usize,
}

/// A line that was read.
pub struct Read<'a> {
    line: u64,
    event: Event<'a>,
    /// Since this line it is known what time it was when those counted that waited.
    settled: Option<Time>,
    /// When it counts; `None` when it has to wait.
    at: Option<Time>,
    /// The first stamp that is not believed is known since this line: where it stands, and what it says.
    disbelieved: Option<(u64, Time)>,
}

/// The second part: what a rule wants. No line depends on another.
pub struct Sifting {
    site: Arc<Site>,
    /// The ids by which members of pairs say what they are.
    claims: Vec<IdPattern>,
}

/// What is left of a line.
#[derive(Default)]
pub struct Sifted {
    line: u64,
    settled: Option<Time>,
    at: Option<Time>,
    disbelieved: Option<(u64, Time)>,
    wanted: Option<Wanted>,
    /// An application that says what it is, and that no pair has.
    stranger: Option<String>,
    /// What is to be counted of this line.
    counts: Counts,
}

/// The third part: what comes of what is wanted.
pub struct Acting {
    site: Arc<Site>,
    holders: BTreeMap<Name, Name>,
    replay: Option<Replay>,
    /// What is wanted of the records that wait, with their lines.
    waiting: Vec<(u64, Wanted)>,
    /// A stamp that was not believed, until that is told.
    disbelieved: Option<(u64, Time)>,
    counts: Counts,
    /// Applications that said what they are and that no pair has: the first line, and how often.
    strangers: BTreeMap<String, (u64, u64)>,
    arrivals: Arrivals,
}

impl DryRun {
    /// A dry run in a world where these hosts hold these resources, of a log that was written about then by senders who are
    /// known so far.
    pub fn new(site: Arc<Site>, holders: BTreeMap<Name, Name>, written: Time, provenance: Provenance) -> DryRun {
        let (decoder, clock) = (Decoder::new(), Clock::new(written));
        let acting = Acting {
            site: site.clone(),
            holders,
            replay: None,
            waiting: Vec::new(),
            disbelieved: None,
            counts: Counts::default(),
            strangers: BTreeMap::new(),
            arrivals: Arrivals::default(),
        };
        DryRun {
            reader: Reader { decoder, clock, written, provenance, lines: 0, waited: 0 },
            sifting: Sifting::new(site),
            acting,
            hits: Vec::new(),
        }
    }

    /// The next line, and what would have come of it.
    pub fn line(&mut self, record: &[u8], cut: bool, tell: &mut dyn FnMut(Entry)) {
        let read = self.reader.read(record, cut);
        let sifted = self.sifting.sift(read, &mut self.hits);
        self.acting.take(sifted, tell);
    }

    /// A further log begins, which goes on where the one before ended. Gives the number of lines until here.
    pub fn next_log(&mut self) -> u64 {
        self.reader.decoder.next_file();
        self.reader.lines
    }

    /// The three parts. Lines go through the first and the third in their order.
    pub fn parts(&mut self) -> (&mut Reader, &Sifting, &mut Acting) {
        (&mut self.reader, &self.sifting, &mut self.acting)
    }

    /// The log is over: what is under way is followed to its end, and the counts are told.
    pub fn finish(&mut self, tell: &mut dyn FnMut(Entry)) -> Counts {
        let Reader { clock, lines, written, .. } = &mut self.reader;
        // No line, no time: an empty log raises nothing, not even silences.
        if *lines == 0 {
            return Counts::default();
        }
        if clock.waits() {
            let doubts = clock.disbelieved;
            clock.settle(*lines, None);
            let (settled, disbelieved) = (clock.now(), clock.first.filter(|_| doubts == 0));
            self.acting.take(Sifted { settled, disbelieved, ..Sifted::default() }, tell);
        }
        self.acting.counts.stamps_disbelieved = clock.disbelieved;
        self.acting.finish(clock.now().unwrap_or(*written), tell)
    }

    /// What the run is about.
    pub fn site(&self) -> &Site {
        &self.acting.site
    }

    /// The controller at the end, for what is still active and who would own what.
    pub fn controller(&self) -> Option<&Controller> {
        self.acting.replay.as_ref()?.controller()
    }
}

impl Reader {
    /// The next line, without its end.
    pub fn read<'a>(&mut self, record: &'a [u8], cut: bool) -> Read<'a> {
        self.lines += 1;
        let line = self.lines;
        // Once the time is known, it goes on from there.
        self.decoder.not_after(self.clock.now().is_none().then(|| self.written + ZONES));
        let mut event = self.decoder.decode(record, self.clock.now().unwrap_or(self.written));
        event.provenance = self.provenance;
        event.marks.cut |= cut;
        let stamp = if event.marks.continuation { None } else { event.at };
        let (doubts, mut settled) = (self.clock.disbelieved, None);
        let mut known = true;
        if self.clock.waits() {
            let over = self.waited >= WAITING;
            known = (over || stamp.is_some()) && self.clock.settle(line, stamp.filter(|_| !over));
            if known {
                self.waited = 0;
                settled = self.clock.now();
            }
        }
        let known = known && stamp.is_none_or(|stamp| self.clock.read(line, stamp));
        self.waited += usize::from(!known);
        let disbelieved = self.clock.first.filter(|_| doubts == 0 && self.clock.disbelieved > 0);
        Read { line, event, settled, at: self.clock.now().filter(|_| known), disbelieved }
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
        Sifting { site, claims }
    }

    /// What a rule wants of a line; `hits` is room to work in.
    pub fn sift(&self, read: Read<'_>, hits: &mut Vec<Hit>) -> Sifted {
        let Read { line, mut event, settled, at, disbelieved } = read;
        let met = self.site.wants(&mut event, hits);
        let marks = event.marks;
        let counts = Counts {
            lines: 1,
            matched: u64::from(met.is_some()),
            cut: u64::from(marks.cut),
            latin1: u64::from(marks.latin1),
            broken: u64::from(marks.broken),
            ignored: u64::from(marks.ignored),
            undated: u64::from(event.at.is_none() && !marks.continuation),
            ..Counts::default()
        };
        let stranger = self.stranger(&event);
        let wanted = met.map(|hits| (event.into_owned(), hits));
        Sifted { line, settled, at, disbelieved, wanted, stranger, counts }
    }

    /// The application of a claim, when no pair has it.
    fn stranger(&self, event: &Event<'_>) -> Option<String> {
        let id = event.id.as_ref().filter(|id| self.claims.iter().any(|want| want.meets(id)))?;
        // A short record's number may be another type's: only a code says that it is a claim.
        let coded = matches!(id, EventId::Number { code: Some(_), .. } | EventId::Word(_));
        let strange = coded && !event.app.is_empty() && self.site.index.names(event).pair.is_empty();
        strange.then(|| event.app.to_string())
    }
}

impl Sifted {
    /// Its number, the first line's is 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Nothing comes of it but that it is counted.
    pub fn is_idle(&self) -> bool {
        self.settled.is_none() && self.disbelieved.is_none() && self.wanted.is_none() && self.stranger.is_none()
    }

    /// Counts a later line, which is idle, with this one.
    pub fn count(&mut self, idle: &Sifted) {
        self.counts.add(&idle.counts);
    }
}

impl Acting {
    /// The next line of which something comes.
    pub fn take(&mut self, sifted: Sifted, tell: &mut dyn FnMut(Entry)) {
        let Sifted { line, settled, at, disbelieved, wanted, stranger, counts } = sifted;
        self.counts.add(&counts);
        self.disbelieved = self.disbelieved.or(disbelieved);
        if let Some(app) = stranger {
            self.stranger(app, line);
        }
        if let Some(now) = settled {
            self.replay(now, tell);
            for (line, wanted) in std::mem::take(&mut self.waiting) {
                self.act(now, line, wanted, tell);
            }
        }
        match (wanted, at) {
            (Some(wanted), Some(now)) => self.act(now, line, wanted, tell),
            (Some(wanted), None) => self.waiting.push((line, wanted)),
            (None, _) => {}
        }
    }

    fn stranger(&mut self, app: String, line: u64) {
        if let Some((_, times)) = self.strangers.get_mut(&app) {
            *times += 1;
        } else if self.strangers.len() < STRANGERS {
            self.strangers.insert(app, (line, 1));
        }
    }

    fn finish(&mut self, end: Time, tell: &mut dyn FnMut(Entry)) -> Counts {
        // The last line's time counts, whatever it says: so long nothing else came.
        let replay = self.replay(end, tell);
        replay.pass(end);
        let until = end + AFTERWARDS;
        while let Some(due) = replay.next_due().filter(|due| *due <= until) {
            replay.pass(due);
        }
        self.flush(tell);
        for (app, (line, times)) in std::mem::take(&mut self.strangers) {
            let text = format!(
                "{app} said {} what it is (first here), and no pair of the inventory has it: nothing followed; is it an alias?",
                if times == 1 { "once".to_owned() } else { format!("{times} times") }
            );
            self.counts.entries += 1;
            tell(notice(until, Some(line), "unknown_claimant", text));
        }
        self.counts
    }

    fn act(&mut self, now: Time, number: u64, (mut event, hits): Wanted, tell: &mut dyn FnMut(Entry)) {
        let late = self.arrivals.judge(&mut event, now, true, true);
        let replay = self.replay(now, tell);
        replay.pass_to(now, Some(number));
        replay.act(SOURCE, event, hits, false, late, Some(number));
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
            if let Some((line, stamp)) = self.disbelieved.take() {
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
