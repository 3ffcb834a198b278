//! A site: everything that an administrator wrote, checked and compiled; what a controller runs on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::time::Time;
use crate::decode::Decoder;
use crate::engine::is_claim;
use crate::event::{Event, Marks};
use crate::inventory::{Index, Inventory};
use crate::lang::Matcher;
use crate::lang::program::{Hit, Program};
use crate::react::Run;
use crate::script::{Compiled, Evaluator, Next};

/// A site.
#[derive(Debug)]
pub struct Site {
    /// Machines, programs, pairs, resources.
    pub inventory: Arc<Inventory>,
    /// The rules.
    pub program: Arc<Program>,
    /// The rules' conditions, ready to match.
    pub matcher: Matcher,
    /// Compiled scripts by file name.
    pub scripts: BTreeMap<String, Arc<Compiled>>,
    /// What evaluates them.
    pub evaluator: Evaluator,
    index: Index,
}

impl Site {
    /// A site of these parts, which were made for each other.
    pub fn new(
        inventory: Arc<Inventory>,
        program: Arc<Program>,
        matcher: Matcher,
        scripts: BTreeMap<String, Arc<Compiled>>,
        evaluator: Evaluator,
    ) -> Site {
        let index = Index::new(&inventory);
        Site { inventory, program, matcher, scripts, evaluator, index }
    }

    /// The script of a run, by file name; `None` when the rules do not have its reaction any more.
    pub fn script_of(&self, run: &Run) -> Option<&str> {
        self.program.reactions.get(&run.bound.reaction).map(|r| r.script.as_str())
    }

    /// What the script of a run does next.
    pub fn next(&self, run: &Run) -> Next {
        let name = self.script_of(run).unwrap_or_default();
        match self.scripts.get(name) {
            Some(script) => self.evaluator.next(script, &run.bound.call, &run.history),
            None => Next::Failed(format!("there is no script {name}")),
        }
    }
}

/// Decodes the records of one source and keeps what a rule wants: stateless but for the decoder, so each source has its own.
pub struct Sieve {
    site: Arc<Site>,
    decoder: Decoder,
    hits: Vec<Hit>,
}

/// What a sieve found in a record.
#[expect(
    clippy::large_enum_variant,
    reason = "one for each record, on the stack; a box would be an allocation for each that is wanted"
)]
pub enum Found<'a> {
    /// Something that a rule wants, or a claim.
    Wanted(Event<'a>, Vec<Hit>),
    /// Nothing; how well it could be read.
    Nothing(Marks),
}

impl Sieve {
    /// A sieve for a source that is read with this decoder.
    pub fn new(site: Arc<Site>, decoder: Decoder) -> Sieve {
        Sieve { site, decoder, hits: Vec::new() }
    }

    /// One record that came now. `known` says how far its sender is known.
    pub fn sift<'a>(&mut self, record: &'a [u8], cut: bool, now: Time, known: impl FnOnce(&Index, &mut Event<'_>)) -> Found<'a> {
        let mut event = self.decoder.decode(record, now);
        event.marks.cut |= cut;
        known(&self.site.index, &mut event);
        self.site.matcher.matches(&event, &mut self.hits);
        if self.hits.is_empty() && !is_claim(&self.site.inventory, &self.site.index, &event) {
            return Found::Nothing(event.marks);
        }
        Found::Wanted(event, std::mem::take(&mut self.hits))
    }

    /// The site that it was made for.
    pub fn site(&self) -> Arc<Site> {
        self.site.clone()
    }

    /// Another file of the same source begins.
    pub fn next_file(&mut self) {
        self.decoder.next_file();
    }
}
