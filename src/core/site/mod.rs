//! A site: configuration, rules and scripts, checked and compiled. A controller runs on it.

mod arrivals;
mod assemble;
mod mutants;
pub mod samples;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::core::base::time::Time;
use crate::core::base::zone::{Moments, Zone};
use crate::core::decode::Decoder;
use crate::core::engine::{is_claim, trust_required};
use crate::core::event::{Event, Stale, Trust};
use crate::core::inventory::{Host, Index, Inventory};
use crate::core::lang::Matcher;
use crate::core::lang::program::{Hit, Program};
use crate::core::react::Run;
use crate::core::script::{BUILT_IN, BUILT_IN_SCRIPT, Compiled, Evaluator, Next, built_in};

pub use arrivals::{Arrivals, Learned, Stamps};
pub use assemble::{Texts, assemble, mistakes_of_files};
pub use mutants::{Mutant, mutants};

/// Configuration, rules and scripts, checked and compiled.
#[derive(Debug)]
pub struct Site {
    /// The hosts, applications, pairs and resources.
    pub inventory: Arc<Inventory>,
    pub program: Arc<Program>,
    /// The conditions of the rules, ready to match.
    pub matcher: Arc<Matcher>,
    /// Compiled scripts by file name.
    pub scripts: BTreeMap<String, Arc<Compiled>>,
    pub evaluator: Arc<Evaluator>,
    /// The names of the inventory, ready for look-up.
    pub index: Index,
    /// The configuration has the zones of some hosts.
    has_zones: bool,
    /// The resource of a pair takes claims of unverified senders.
    takes_unverified_claims: bool,
}

impl Site {
    /// A site of these parts, which belong together.
    pub fn new(
        inventory: Arc<Inventory>,
        program: Arc<Program>,
        matcher: Matcher,
        mut scripts: BTreeMap<String, Arc<Compiled>>,
        evaluator: Evaluator,
    ) -> Site {
        if program.reactions.contains_key(BUILT_IN)
            && !scripts.contains_key(BUILT_IN_SCRIPT)
            && let Ok(script) = evaluator.compile(&built_in())
        {
            scripts.insert(BUILT_IN_SCRIPT.to_owned(), script);
        }
        let index = Index::new(&inventory);
        let has_zones = inventory.hosts.values().any(|host| host.zone.is_some());
        let takes_unverified_claims = inventory.pairs.values().any(|pair| trust_required(&inventory, pair) == Trust::Unverified);
        Site {
            has_zones,
            takes_unverified_claims,
            inventory,
            program,
            matcher: Arc::new(matcher),
            scripts,
            evaluator: Arc::new(evaluator),
            index,
        }
    }

    /// The same site with one change of its rules.
    pub fn changed(&self, mutant: &Mutant) -> Site {
        let program = Arc::new(mutant.applied(&self.program));
        let anew = mutant.matches_otherwise().then(|| Arc::new(Matcher::new(&program, Some(&self.inventory))));
        Site {
            has_zones: self.has_zones,
            takes_unverified_claims: self.takes_unverified_claims,
            inventory: self.inventory.clone(),
            matcher: anew.unwrap_or_else(|| self.matcher.clone()),
            scripts: self.scripts.clone(),
            evaluator: self.evaluator.clone(),
            index: Index::new(&self.inventory),
            program,
        }
    }

    /// The script of a run, by file name; `None` if the rules do not have its reaction any more.
    pub fn script_of(&self, run: &Run) -> Option<&str> {
        self.program.reactions.get(&run.bound.reaction).map(|r| r.script.as_str())
    }

    /// The conditions that an event matches, if a rule wants it or it is a claim. An event that an `ignore` matches is marked,
    /// and no rule wants it. No rule wants a piece of a record either. `hits` is working space. Events do not depend on each
    /// other here: they may be evaluated in parallel.
    pub fn wants(&self, event: &mut Event<'_>, hits: &mut Vec<Hit>) -> Option<Vec<Hit>> {
        if event.marks.partial {
            return None;
        }
        self.matcher.matches(event, hits);
        let ignored = &self.program.ignored;
        if !ignored.is_empty() && hits.iter().any(|hit| ignored.contains(&hit.atom)) {
            event.marks.ignored = true;
            return None;
        }
        let wanted = !hits.is_empty() || is_claim(&self.inventory, &self.program, &self.index, event, hits);
        wanted.then(|| std::mem::take(hits))
    }

    /// True if the resource of a pair takes claims of unverified senders.
    pub fn takes_unverified_claims(&self) -> bool {
        self.takes_unverified_claims
    }

    /// The host that an event names, if the inventory has it.
    fn host_of(&self, event: &Event<'_>) -> Option<&Host> {
        if event.host.is_empty() { None } else { self.inventory.hosts.get(self.index.host(&event.host)?) }
    }

    /// Reads a stamp without a zone in the zone of its host, if it was read in another zone. Returns true if the configuration
    /// has that zone.
    pub fn to_zone_of_host(&self, event: &mut Event<'_>, read_in: Zone, arrived: Time) -> bool {
        if !(self.has_zones && event.marks.zoneless) {
            return false;
        }
        let (Some(zone), Some(at)) = (self.host_of(event).and_then(|host| host.zone), event.at) else { return false };
        event.at = Some(nearer(zone.moments(read_in.local_us(at)), arrived));
        true
    }

    /// The next step of a run's script.
    pub fn next(&self, run: &Run) -> Next {
        let name = self.script_of(run).unwrap_or_default();
        match self.scripts.get(name) {
            Some(script) => self.evaluator.next(script, &run.bound.call, &run.history),
            None => Next::Failed(format!("there is no script {name}")),
        }
    }
}

/// The present site, for all readers of events. It is exchanged as a whole, and each reader notices that with its next record.
#[derive(Debug)]
pub struct Current {
    number: AtomicU64,
    site: RwLock<Arc<Site>>,
}

impl Current {
    /// The present site, whose rules have this number.
    pub fn new(number: u64, site: Arc<Site>) -> Arc<Current> {
        Arc::new(Current { number: AtomicU64::new(number), site: RwLock::new(site) })
    }

    /// Exchanges the site from now on.
    pub fn exchange(&self, number: u64, site: Arc<Site>) {
        let mut current = self.site.write().unwrap_or_else(PoisonError::into_inner);
        *current = site;
        self.number.store(number, Ordering::Release);
    }

    /// The site, with the number of its rules.
    pub fn get(&self) -> (u64, Arc<Site>) {
        let site = self.site.read().unwrap_or_else(PoisonError::into_inner);
        (self.number.load(Ordering::Acquire), site.clone())
    }
}

/// The result of matching an event against the rules of a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// The conditions that the event matches.
    pub hits: Vec<Hit>,
    /// The number of the rules that these conditions belong to.
    pub rules: u64,
    /// When the record arrived.
    pub arrived: Time,
    /// Why it may start nothing: it is late.
    pub late: Option<Stale>,
}

/// Decodes the records of one source and finds what rules want. Live operation, dry runs and rule tests all use it.
#[derive(Debug)]
pub struct Sieve {
    current: Arc<Current>,
    rules: u64,
    site: Arc<Site>,
    decoder: Decoder,
    arrivals: Arrivals,
    /// The configuration has the zone of the source's stamps.
    zone_is_given: bool,
    hits: Vec<Hit>,
}

impl Sieve {
    /// A sieve for a source that is read with this decoder.
    pub fn new(current: &Arc<Current>, decoder: Decoder) -> Sieve {
        let (rules, site) = current.get();
        Sieve {
            current: current.clone(),
            rules,
            site,
            decoder,
            arrivals: Arrivals::default(),
            zone_is_given: false,
            hits: Vec::new(),
        }
    }

    /// The same sieve, which shares what is known of the senders with all readers of its source.
    pub fn of_senders(self, arrivals: &Arrivals) -> Sieve {
        Sieve { arrivals: arrivals.clone(), ..self }
    }

    /// The same sieve, which reads stamps without a zone in this zone, whatever zone their hosts have.
    pub fn in_zone(self, zone: Zone) -> Sieve {
        Sieve { decoder: self.decoder.in_zone(zone), zone_is_given: true, ..self }
    }

    /// Takes one record whose bytes were read now. Returns the event, and the conditions that it matches if a rule wants it or it
    /// is a claim. `known` adds what else is known of it: the trust of its sender, whether it was cut.
    pub fn sift<'a>(
        &mut self,
        record: &'a [u8],
        now: Time,
        known: impl FnOnce(&Site, &mut Event<'_>),
    ) -> (Event<'a>, Option<Matched>) {
        if self.current.number.load(Ordering::Acquire) != self.rules {
            (self.rules, self.site) = self.current.get();
        }
        let mut event = self.decoder.decode(record, now);
        known(&self.site, &mut event);
        let late = self.judge(&mut event, now);
        let hits = self.site.wants(&mut event, &mut self.hits);
        let matched = hits.map(|hits| Matched { hits, rules: self.rules, arrived: now, late });
        (event, matched)
    }

    /// Takes a line of a file's beginning that was read before. The header is learned again, and the line has no other effect.
    pub fn learn_header(&mut self, line: &[u8], now: Time) {
        self.decoder.decode(line, now);
    }

    /// Why a record may start nothing. Its stamp is read in the zone of its host, if the configuration has one.
    fn judge(&mut self, event: &mut Event<'_>, now: Time) -> Option<Stale> {
        // A further line of a record is as old as its first line.
        if event.marks.header {
            return None;
        }
        let kept = self.site.inventory.hosts.is_empty() || event.host.is_empty() || self.site.host_of(event).is_some();
        let moved = !self.zone_is_given && self.site.to_zone_of_host(event, self.decoder.zone(), now);
        self.arrivals.judge(event, now, moved || !event.marks.zoneless, kept)
    }

    /// What was learned of senders since the last call.
    pub fn learned(&self) -> Vec<Learned> {
        self.arrivals.learned()
    }

    /// Another file of the same source begins.
    pub fn next_file(&mut self) {
        self.decoder.next_file();
    }
}

/// The moment that is nearer to the arrival.
fn nearer(moments: Moments, arrived: Time) -> Time {
    match moments {
        Moments::One(at) => at,
        Moments::Two(first, second) => {
            let distance = |at: Time| at.offset_from(arrived).saturating_abs();
            if distance(second) < distance(first) { second } else { first }
        }
    }
}
