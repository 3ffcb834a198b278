//! The controller's thread before it runs: it continues where the journal ends, and gets its sources one by one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::base::limits::{MEMORY_QUEUE, share};
use crate::core::base::time::Time;
use crate::core::config::JournalLimits;
use crate::core::control::{Controller, Input, Output, SelfEvents};
use crate::core::journal::{self, Record};
use crate::core::metrics::ControllerCounts;
use crate::core::notice::{Kind, Notice};
use crate::core::site::Current;
use crate::shell::channels::Workers;
use crate::shell::site_files::{Disk, UsableSite};
use crate::shell::sources::{self, Entry, Named};
use crate::shell::store::{self, Journal, Retention, UnwantedRecords};

use super::clock::{self, EngineClock};
use super::connection_log::ConnectionLog;
use super::controller::Running;
use super::effects::Effects;
use super::following::Following;
use super::inbox::Inbox;
use super::notice_budget::NoticeBudget;
use super::reloading::{Begin, Reloading, reload_of};
use super::run_sites::RunSites;
use super::supervisor::Pulse;

/// The controller's thread before it is started.
pub(super) struct ControllerSetup {
    begin: Begin,
    files: Arc<Disk>,
    current: Arc<Current>,
    journal: Journal,
    id: u64,
    clock: EngineClock,
    /// The microseconds by which the clock was found to have been set.
    changed: Option<i64>,
    inbox: Inbox,
    sources: Vec<Named>,
    following: Following,
}

impl ControllerSetup {
    /// Makes a controller that continues where the journal ends.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn new(
        begin: Begin,
        files: Arc<Disk>,
        mut journal: Journal,
        draw_id: impl FnOnce() -> u64,
    ) -> Result<ControllerSetup, String> {
        let id = journal.controller_id(draw_id).map_err(|e| e.to_string())?;
        let (now, changed) = clock::begin(journal.state().newest);
        if let Some(by) = changed {
            let record =
                Record::Input { sequence: journal.state().sequence + 1, at: now, input: journal::Input::ClockChanged { by } };
            journal.append(&record).and_then(|()| journal.sync()).map_err(|e| e.to_string())?;
        }
        let clock = EngineClock::start(now);
        // A site that is not accepted yet gets its number when it is. Events that were matched before are then matched again.
        let current = Current::new(begin.number.unwrap_or(0), begin.good.site.clone());
        let bytes = share(begin.good.site.inventory.memory.0, MEMORY_QUEUE);
        let inbox = Inbox::new(bytes, clock.clone(), current.clone());
        Ok(ControllerSetup {
            begin,
            files,
            current,
            journal,
            id,
            clock,
            changed,
            inbox,
            sources: Vec::new(),
            following: Following::default(),
        })
    }

    /// Sets how much of the journal is kept.
    pub(super) fn keep(&mut self, limits: JournalLimits) {
        let retention = Retention::of_folder(self.journal.folder(), limits.keep, limits.size);
        self.journal.keep(retention);
    }

    /// Keeps records that no rule wants. To be called before the inbox is handed out.
    pub(super) fn keep_unwanted(&mut self, records: UnwantedRecords) {
        self.inbox.unwanted = Some(Arc::new(records));
    }

    /// The current site, for the sources.
    pub(super) fn current(&self) -> Arc<Current> {
        self.current.clone()
    }

    /// The inbox of the thread.
    pub(super) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Follows the files of an entry. The position in a new file is on the disk before the file is read.
    ///
    /// # Errors
    /// When the disk refuses, or no thread can be started.
    pub(super) fn follow(&mut self, entry: Entry) -> Result<(), String> {
        let named = entry.named();
        self.show(named.clone());
        let (places, new) = sources::places(&entry, &self.journal.state().positions, self.clock.now());
        let words = |e: store::Error| e.to_string();
        for (source, position) in new {
            let input = journal::Input::Position { source, position };
            let record = Record::Input { sequence: self.journal.state().sequence + 1, at: self.clock.now(), input };
            self.journal.append(&record).map_err(words)?;
        }
        self.journal.sync().map_err(words)?;
        self.following.start(entry, places, named, &self.current, &self.inbox)
    }

    /// Adds a source whose counters are shown. It continues with what was learned of its senders.
    pub(super) fn show(&mut self, source: Named) {
        source.arrivals.recall(self.journal.state().alarms.offsets_of(&source.name));
        self.sources.push(source);
    }

    /// Runs until a message stops it. `program evaluate` evaluates scripts.
    ///
    /// # Errors
    /// When the journal cannot be written any more: nothing is done that is not on the disk.
    pub(super) fn run(self, program: PathBuf, pulse: Pulse) -> Result<(), String> {
        let ControllerSetup { begin, files, current, mut journal, id, clock, changed, inbox, sources, following } = self;
        let Begin { good, written, number, reset, earlier, refused, folders } = begin;
        let UsableSite { site, config } = good;
        let mut outputs = Vec::new();
        let now = clock.now();
        let state = journal.take_state();
        let controller = Controller::start(id, site.program.clone(), site.inventory.clone(), state, clock.now(), &mut outputs);
        let mut running = Running {
            site: site.clone(),
            sites: RunSites::new(program, inbox.clone()),
            current,
            reloading: Reloading::new(files, written.clone(), config.clone(), refused),
            journal,
            clock: clock.clone(),
            counts: ControllerCounts::start(controller.runs()),
            controller,
            routes: BTreeMap::new(),
            connection_log: ConnectionLog::default(),
            inbox,
            effects: Effects::start(&clock).map_err(|e| format!("no thread can be started: {e}"))?,
            channels: Workers::default(),
            dropped_reported_at: now,
            refused: (now, 0),
            sources,
            following,
            notice_budget: NoticeBudget::default(),
            id,
            own: Vec::new(),
            answers: Vec::new(),
            own_events: SelfEvents::default(),
            dirty_since: None,
            pulse,
            shown_at: Time::default(),
        };
        for (number, site) in earlier {
            let site = running.sites.start(site)?;
            running.sites.insert(number, site);
        }
        if number.is_none() {
            // The acceptance of this site has already decided about resources that it removed.
            let reload = reload_of(&site, written, reset, true);
            running.controller.turn(running.clock.now(), Input::Reload(Box::new(reload)), &mut outputs);
        }
        let number = running.controller.rules();
        let evaluated = running.sites.start(site.clone())?;
        running.sites.insert(number, evaluated);
        running.current.exchange(number, site);
        if let Some(why) = &running.reloading.refused {
            let text = format!("the files are refused, and the site that was accepted last runs: {why}");
            outputs.push(Output::Notice(Notice::new(Kind::ReloadRefused, text)));
        }
        if let Some(by) = changed {
            running.sources.iter().for_each(|source| source.arrivals.clock_changed(by));
            outputs.push(Output::Notice(clock::changed_notice(by)));
        }
        running.own = running.following.unfollowed(running.controller.alarms().away());
        running.watch(config.reload, &folders);
        running.carry_out(outputs)?;
        running.run()
    }
}
