//! A reload: another configuration, other rules and scripts, accepted between two events (I6).
//!
//! The shell reads, checks and tests a new site as a whole. Here the site is journaled, and alarms, runs and planner continue
//! with it in one turn. Every alarm keeps its state if its key and its shape are the same. Runs end with the rules that they
//! began with. What a host may hold is not forgotten, except with `abandon`.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::engine;
use crate::core::event::Event;
use crate::core::inventory::{Inventory, Name};
use crate::core::journal::{self, ConfigSnapshot};
use crate::core::lang::Matcher;
use crate::core::lang::program::{Hit, Program};
use crate::core::lang::shape::Reset;
use crate::core::notice::{Kind, Notice};
use crate::core::plan::{Left, Why};

use super::{Controller, Output, Task};

/// The site with which the controller continues. Its parts belong together.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// The files as text, for the journal.
    pub written: Arc<ConfigSnapshot>,
    pub program: Arc<Program>,
    /// The conditions of the rules, ready to match.
    pub matcher: Arc<Matcher>,
    /// The hosts, applications, pairs and resources.
    pub inventory: Arc<Inventory>,
    /// The alarms whose state is dropped, because their key or shape has changed.
    pub reset: Reset,
    /// Resources that a host holds, or may hold, may be removed from the configuration.
    pub abandon: bool,
}

impl Controller {
    /// The number of the rules, in the sequence in which rules were accepted; 0 if they never were.
    pub fn rules(&self) -> u64 {
        self.rules
    }

    /// Sets the matcher that finds the conditions of events which were matched by earlier rules.
    pub fn match_by(&mut self, matcher: Arc<Matcher>) {
        self.matcher = Some(matcher);
    }

    /// Why this inventory can't be accepted without leaving something on a host; empty if it can.
    pub fn left_by(&self, after: &Inventory) -> Vec<String> {
        self.planner.left_by(after).iter().map(what_is_left).collect()
    }

    /// The conditions that an event matches by the present rules.
    pub(super) fn hits_now(&self, event: &Event<'static>, hits: Vec<Hit>, rules: u64) -> Vec<Hit> {
        match &self.matcher {
            Some(matcher) if rules != self.rules => {
                let mut again = Vec::new();
                matcher.matches(event, &mut again);
                again
            }
            _ => hits,
        }
    }

    pub(super) fn reload(&mut self, now: Time, reload: NewSite, out: &mut Vec<Output>) {
        let NewSite { written, program, matcher, inventory, reset, abandon } = reload;
        let left = self.left_by(&inventory);
        if !(abandon || left.is_empty()) {
            let text = format!("nothing is changed: {}", left.join("; "));
            return out.push(Output::Notice(Notice::new(Kind::ReloadRefused, text)));
        }
        let first = self.rules == 0;
        let sequence = self.input(now, journal::Input::Accepted(written), out);
        (self.rules, self.matcher, self.inventory) = (sequence, Some(matcher), inventory.clone());
        self.runs.reload(sequence, program.clone(), inventory.clone());
        let (mut alarmed, mut planned) = (Vec::new(), Vec::new());
        self.engine.reload(now, sequence, &reset, program.clone(), inventory.clone(), &mut alarmed);
        self.reported.reload(&inventory);
        self.all_roles_changed();
        self.planner.reload(now, &inventory, &mut planned);
        self.apply_pauses(now, &mut planned);
        if !first {
            let text = format!("the new configuration, rules and scripts are in force (number {sequence})");
            out.push(Output::Notice(Notice::new(Kind::Reloaded, text)));
        }
        let gone: Vec<Name> = self.engine.state().lost().filter(|host| !inventory.hosts.contains_key(*host)).cloned().collect();
        let mut tasks: VecDeque<Task> = alarmed.into_iter().map(Task::Alarmed).collect();
        for host in gone {
            // Nothing waits for this host any more.
            let text = format!("{host} is not in the configuration any more");
            out.push(Output::Notice(Notice { host: Some(host.clone()), ..Notice::new(Kind::HostBack, text) }));
            tasks.push_back(Task::Engine(engine::Input::Lost { sequence, host, lost: false }));
        }
        tasks.extend(planned.into_iter().map(Task::Planned));
        self.reload_notifications(now, program, inventory, out);
        self.work(now, tasks, out);
    }
}

/// The text for an operator whose reload would leave something on a host.
pub fn what_is_left(left: &Left) -> String {
    let Left { resource, host, why } = left;
    let why = match why {
        Why::Gone => "the new configuration does not have it there",
        Why::OtherAddress => "in the new configuration it is another address",
        Why::OtherWay => "the new configuration reaches that host in another way",
    };
    format!(
        "{host} holds {resource}, or may hold it, and {why}; move it away first, or run `pointsman reload --abandon` and remove it there by hand"
    )
}
