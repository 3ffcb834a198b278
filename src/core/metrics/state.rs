//! The present state of a controller as gauges. The cost grows with the number of rules, resources and runs, not with the number
//! of active alarms.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::limits::{MEMORY_ALARMS, MEMORY_PARTIAL_MATCHES, share};
use crate::core::control::Controller;
use crate::core::inventory::{Inventory, Name, Takeover, Via};
use crate::core::lang::program::Program;
use crate::core::overrides::Override;

use super::declared::MetricId;
use super::samples::Samples;

/// The categories of alarms, with the name of that of alarms which the rules no longer have.
const CATEGORIES: [&str; 4] = ["critical", "major", "minor", "none"];

/// Adds the state of a controller. `connected` are the hosts whose agents are connected.
pub fn controller_state(
    controller: &Controller,
    (inventory, program): (&Inventory, &Program),
    connected: &BTreeSet<&Name>,
    samples: &mut Samples,
) {
    alarms(controller, program, samples);
    runs(controller, samples);
    resources(controller, inventory, samples);
    for (name, _) in inventory.hosts.iter().filter(|(_, host)| host.via != Via::Ssh) {
        samples.truth(MetricId::HostConnected, &[name], connected.contains(name));
        samples.truth(MetricId::HostReports, &[name], controller.planner().reachable(name));
    }
    for kind in ["pause", "silence", "maintenance", "drain"] {
        samples.count(MetricId::Overrides, &[kind], 0);
    }
    for (_, standing) in controller.overrides().standing() {
        let kind = match standing.what {
            Override::PauseAll | Override::PauseResource(_) | Override::PauseReaction(_) => "pause",
            Override::Silence(_) => "silence",
            Override::Maintenance(_) => "maintenance",
            Override::Drain(_) => "drain",
        };
        samples.count(MetricId::Overrides, &[kind], 1);
    }
    for channel in controller.notifier().channels() {
        let name = [channel.channel.as_str()];
        samples.size(MetricId::ChannelWaiting, &name, channel.waiting);
        samples.count(MetricId::ChannelHeld, &name, channel.held);
        samples.count(MetricId::ChannelTries, &name, u64::from(channel.tries));
        samples.count(MetricId::ChannelDelivered, &name, channel.delivered);
        samples.count(MetricId::ChannelFailed, &name, channel.failed);
    }
    samples.truth(MetricId::JournalDoubt, &[], controller.doubt().is_some());
    samples.count(MetricId::RulesNumber, &[], controller.rules());
    samples.size(MetricId::SourcesUnreadable, &[], controller.alarms().away().count());
    let (alarms, notes) = controller.alarms().memory();
    for (what, used, percent) in [("alarms", alarms, MEMORY_ALARMS), ("partial_matches", notes, MEMORY_PARTIAL_MATCHES)] {
        samples.size(MetricId::MemoryUsed, &[what], used);
        samples.size(MetricId::MemoryShare, &[what], share(inventory.memory.0, percent));
    }
}

fn alarms(controller: &Controller, program: &Program, samples: &mut Samples) {
    for category in CATEGORIES {
        for state in ["open", "acknowledged"] {
            samples.count(MetricId::AlarmsActive, &[category, state], 0);
        }
    }
    let active: BTreeMap<&str, (usize, usize)> =
        controller.alarms().numbers().map(|(alarm, active, acked)| (alarm, (active, acked))).collect();
    if active.is_empty() {
        return;
    }
    for alarm in &program.alarms {
        let Some((active, acked)) = active.get(alarm.name.as_str()) else { continue };
        samples.size(MetricId::AlarmsActive, &[alarm.category.name(), "open"], active.saturating_sub(*acked));
        samples.size(MetricId::AlarmsActive, &[alarm.category.name(), "acknowledged"], *acked);
    }
}

fn runs(controller: &Controller, samples: &mut Samples) {
    for state in ["running", "queued", "approval", "dry"] {
        samples.count(MetricId::RunsActive, &[state], 0);
    }
    for (_, run) in controller.runs().runs() {
        let state = match (run.bound.dry, run.begun, run.approve_by) {
            (true, ..) => "dry",
            (false, true, _) => "running",
            (false, false, Some(_)) => "approval",
            (false, false, None) => "queued",
        };
        samples.count(MetricId::RunsActive, &[state], 1);
    }
}

fn resources(controller: &Controller, inventory: &Inventory, samples: &mut Samples) {
    for state in ["settled", "moving", "blocked", "paused"] {
        samples.count(MetricId::Resources, &[state], 0);
    }
    let planner = controller.planner();
    for (name, resource) in &inventory.resources {
        let settled = controller.is_settled(name);
        let state = match (planner.is_paused(name), settled, controller.blocked_reason(name).is_some()) {
            (true, ..) => "paused",
            (_, true, _) => "settled",
            (_, _, true) => "blocked",
            _ => "moving",
        };
        samples.count(MetricId::Resources, &[state], 1);
        samples.truth(MetricId::ResourceSettled, &[name], settled);
        samples.size(MetricId::ResourceHolders, &[name], planner.holders(name).len());
        if resource.takeover == Takeover::Quorum {
            let voters = resource.voting_agents();
            let reachable = voters.iter().filter(|voter| planner.reachable(voter)).count();
            samples.size(MetricId::ResourceVoters, &[name], voters.len() + 1);
            samples.size(MetricId::ResourceVotersReporting, &[name], reachable + 1);
        }
    }
}
