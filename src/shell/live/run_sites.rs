//! The sites that a controller keeps: the one that runs, and earlier ones to which runs are bound that have not ended. Each has
//! the processes that evaluate its scripts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::control::Input;
use crate::core::react::{self, Run, RunId};
use crate::core::site::Site;
use crate::shell::sources::Sink as _;

use super::evaluator::{Evaluators, Task};
use super::inbox::Inbox;
use super::urgency::Urgency;

/// The kept sites, by their numbers.
pub(super) struct RunSites {
    /// The program that evaluates scripts.
    program: PathBuf,
    inbox: Inbox,
    sites: BTreeMap<u64, EvaluatedSite>,
}

/// A site with the processes that evaluate its scripts.
pub(super) struct EvaluatedSite {
    site: Arc<Site>,
    evaluators: Evaluators,
}

impl RunSites {
    /// No sites. `program evaluate` evaluates scripts, and the inbox receives the results.
    pub(super) fn new(program: PathBuf, inbox: Inbox) -> RunSites {
        RunSites { program, inbox, sites: BTreeMap::new() }
    }

    /// Starts the processes of a site.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(&self, site: Arc<Site>) -> Result<EvaluatedSite, String> {
        let inbox = self.inbox.clone();
        let answer = move |run, next| {
            inbox.send(Input::Evaluated { run, next });
        };
        let evaluators = Evaluators::start(self.program.clone(), &site, answer);
        Ok(EvaluatedSite { evaluators: evaluators.map_err(|e| format!("scripts can't be evaluated: {e}"))?, site })
    }

    /// Keeps a site under its number.
    pub(super) fn insert(&mut self, number: u64, site: EvaluatedSite) {
        self.sites.insert(number, site);
    }

    /// The number of kept sites.
    pub(super) fn len(&self) -> usize {
        self.sites.len()
    }

    /// The site to which a run is bound, if it is kept.
    pub(super) fn site_of(&self, run: &Run) -> Option<&Arc<Site>> {
        self.sites.get(&run.bound.rules).map(|kept| &kept.site)
    }

    /// Begins to evaluate the next step of a run by the site to which it is bound, or by the site `current`.
    pub(super) fn evaluate(&self, id: RunId, run: &Run, current: u64) {
        let Some(kept) = self.sites.get(&run.bound.rules).or_else(|| self.sites.get(&current)) else { return };
        let task = Task {
            run: id,
            script: kept.site.script_of(run).unwrap_or_default().to_owned(),
            call: run.bound.call.clone(),
            history: run.history.clone(),
        };
        kept.evaluators.evaluate(Urgency::of(run), task);
    }

    /// Drops earlier sites that no run needs any more.
    pub(super) fn drop_unused(&mut self, current: u64, runs: &react::State) {
        if self.sites.len() > 1 {
            self.sites.retain(|number, _| *number == current || runs.needs(*number));
        }
    }
}
