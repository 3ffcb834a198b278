//! The simulated controller: the planner, a journal on a disk that loses what was not synced, and logs with a position.

use std::time::Duration;

use crate::base::time::Time;
use crate::inventory::Inventory;
use crate::plan::{self, Intent, Ledger, Planner, Verb};
use crate::wire::{Command, Report};

use super::host::Clock;
use super::rng::Rng;
use super::tamper::Tamper;
use super::world::{VIP, host_name};

/// What the controller of this world says of itself to agents.
const CONTROLLER: u64 = 7;

/// Something that the controller is told.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Report(Report),
    Timer,
    /// There may be something new in the logs.
    Read,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kept {
    Planned(plan::Record),
    /// The logs were read up to here.
    Position(usize),
}

/// What is carried out one by one, so that the process may die between any two.
#[derive(Debug)]
pub(super) enum Output {
    Append(Kept),
    Sync,
    Send(String, Command),
    Say(String),
    Later(Duration, Happening),
}

#[derive(Debug)]
pub(super) struct Controller {
    inventory: Inventory,
    clock: Clock,
    pub(super) wall_offset: i64,
    planner: Option<Planner>,
    position: usize,
    /// What servers wrote, in order of arrival.
    pub(super) log: Vec<usize>,
    journal: Vec<Kept>,
    synced: usize,
    /// The latest time that stands in the journal.
    newest: Time,
    pub(super) starts: u64,
    pub(super) killed: u32,
    pub(super) stopped: u32,
    pub(super) fuse: Option<u32>,
    pub(super) timer: Option<Time>,
}

impl Controller {
    pub(super) fn new(inventory: Inventory, clock: Clock) -> Controller {
        Controller {
            inventory,
            clock,
            wall_offset: 0,
            planner: None,
            position: 0,
            log: Vec::new(),
            journal: Vec::new(),
            synced: 0,
            newest: Time::MIN,
            starts: 0,
            killed: 0,
            stopped: 0,
            fuse: None,
            timer: None,
        }
    }

    pub(super) fn runs_or_stopped(&self) -> bool {
        self.planner.is_some()
    }

    pub(super) fn die(&mut self) {
        self.planner = None;
        self.fuse = None;
        self.timer = None;
        self.journal.truncate(self.synced);
    }

    pub(super) fn start(
        &mut self,
        now: Time,
        tamper: Option<Tamper>,
        rng: &mut Rng,
    ) -> Vec<Output> {
        self.starts += 1;
        // The wall clock at the start, carried on by the boot clock; never before what stands in the journal.
        let wall = Time::from_micros(now.micros() + self.wall_offset).max(self.newest);
        self.clock = Clock::new(now, wall.micros(), rng);
        self.position = 0;
        let mut ledger = Ledger::default();
        for kept in &self.journal {
            match kept {
                Kept::Planned(record) if tamper.is_none_or(|t| t.reads(record)) => {
                    ledger.apply(record)
                }
                Kept::Planned(_) => {}
                Kept::Position(position) => self.position = *position,
            }
        }
        let mut outputs = Vec::new();
        self.planner = Some(Planner::start(
            CONTROLLER,
            &self.inventory,
            ledger,
            wall,
            &mut outputs,
        ));
        self.carried(outputs, tamper)
    }

    pub(super) fn turn(
        &mut self,
        now: Time,
        happening: Happening,
        tamper: Option<Tamper>,
    ) -> Vec<Output> {
        let local = self.clock.local(now);
        self.newest = self.newest.max(local);
        let mut outputs = Vec::new();
        let Some(planner) = &mut self.planner else {
            return Vec::new();
        };
        let mut position = None;
        match happening {
            Happening::Report(report) => {
                planner.turn(local, plan::Input::Report(report), &mut outputs)
            }
            Happening::Timer => planner.turn(local, plan::Input::Timer, &mut outputs),
            // One record at a time: its position and all that came of it are one transaction.
            Happening::Read => {
                let Some(host) = self.log.get(self.position) else {
                    return Vec::new();
                };
                let mut intent = Intent {
                    resource: VIP.to_owned(),
                    verb: Verb::Up,
                    host: host_name(*host),
                    order: self.position as u64 + 1,
                    operator: false,
                };
                if let Some(tamper) = tamper {
                    tamper.intends(&mut intent, self.log.len() as u64);
                }
                planner.intent(local, intent, &mut outputs);
                position = Some(self.position + 1);
            }
        }
        if tamper == Some(Tamper::LostMeansReleased) {
            let lost: Vec<String> = outputs
                .iter()
                .filter_map(|o| match o {
                    plan::Output::Lost(host, true) => Some(host.clone()),
                    _ => None,
                })
                .collect();
            for host in lost {
                let input = plan::Input::Released {
                    resource: VIP.to_owned(),
                    host,
                };
                planner.turn(local, input, &mut outputs);
            }
        }
        let mut outputs = self.carried(outputs, tamper);
        if let Some(position) = position {
            self.position = position;
            // The position stands in the journal before what came of it is sent.
            outputs.insert(0, Output::Append(Kept::Position(position)));
            if position < self.log.len() {
                outputs.push(Output::Later(Duration::from_micros(20), Happening::Read));
            }
        }
        outputs
    }

    /// The planner's outputs, with a sync before the first that leaves the machine and one at the end.
    fn carried(&mut self, outputs: Vec<plan::Output>, tamper: Option<Tamper>) -> Vec<Output> {
        let mut all = Vec::new();
        let mut unsynced = false;
        for output in outputs {
            match output {
                plan::Output::Record(record) => {
                    all.push(Output::Append(Kept::Planned(record)));
                    unsynced = true;
                }
                plan::Output::Send(host, command) => {
                    if std::mem::take(&mut unsynced) && tamper != Some(Tamper::SentBeforeSynced) {
                        all.push(Output::Sync);
                    }
                    all.push(Output::Send(host, command));
                }
                plan::Output::Step(step) => {
                    all.push(Output::Say(format!(
                        "{} {} ({})",
                        step.verb, step.host, step.generation
                    )));
                }
                plan::Output::Notice(notice) => all.push(Output::Say(notice.text)),
                plan::Output::Lost(host, true) => all.push(Output::Say(format!("{host} is lost"))),
                plan::Output::Lost(host, false) => all.push(Output::Say(format!("{host} is back"))),
            }
        }
        if unsynced && tamper != Some(Tamper::SentBeforeSynced) {
            all.push(Output::Sync);
        }
        all
    }

    pub(super) fn append(&mut self, record: Kept) {
        self.journal.push(record);
    }

    pub(super) fn sync(&mut self) {
        self.synced = self.journal.len();
    }

    /// When it has something to do next (true time).
    pub(super) fn next_deadline(&self) -> Option<Time> {
        Some(self.clock.truly(self.planner.as_ref()?.next_deadline()?))
    }

    pub(super) fn has_read_all(&self) -> bool {
        self.position == self.log.len()
    }

    pub(super) fn settled(&self) -> bool {
        self.planner.as_ref().is_some_and(|p| p.settled(VIP))
    }

    pub(super) fn owner_is_known(&self) -> bool {
        self.planner
            .as_ref()
            .is_some_and(|p| p.owner(VIP).is_some())
    }

    /// Who should have it, from what servers wrote.
    pub(super) fn last_claimant(&self) -> Option<usize> {
        self.log.last().copied()
    }

    pub(super) fn done_twice(&self) -> Option<String> {
        None
    }

    /// For a story's last line.
    pub(super) fn says(&self) -> String {
        match &self.planner {
            None => "nothing, it does not run".to_owned(),
            Some(p) => format!(
                "owner {:?}, held by {:?}, {}",
                p.owner(VIP),
                p.holders(VIP),
                p.held(VIP).unwrap_or("in place")
            ),
        }
    }
}
