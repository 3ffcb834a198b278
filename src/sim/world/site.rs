//! The inventory that a scenario is about, and what its parts are called.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::agent::Operation;
use crate::event::EventId;
use crate::inventory::{self, Inventory, Moves, Resource, Takeover};
use crate::sim::scenario::{Party, Scenario, WITNESSES, What};

use super::{TERM, VIP};

pub(in crate::sim) fn app_name(i: usize) -> String {
    format!("server{}", i + 1)
}

pub(in crate::sim) fn host_name(i: usize) -> String {
    format!("host{}", i + 1)
}

pub(super) fn party_name(party: Party) -> String {
    match party {
        Party::Controller => "the controller".to_owned(),
        Party::Agent(h) => format!("the agent of {}", host_name(h)),
    }
}

pub(super) fn witness(w: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 250 + w as u8))
}

pub(super) fn describe_operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Observe => "look",
        Operation::Add { until: None, .. } => "add",
        Operation::Add { until: Some(_), .. } => "add for a while",
        Operation::Remove => "remove",
    }
}

/// One act as a sentence.
pub(in crate::sim) fn describe(what: &What, lasts: Duration) -> String {
    let span = if lasts.is_zero() { String::new() } else { format!(" for {}", crate::base::time::duration_text(lasts)) };
    let side = |far: &[usize], prefix: &str| far.iter().map(|i| format!("{prefix}{}", i + 1)).collect::<Vec<_>>().join(" ");
    match what {
        What::Claim(h) => format!("the server on {} says that it is primary now", host_name(*h)),
        What::Kill(p) => format!("{} is killed{span}", party_name(*p)),
        What::KillAfter(p, n) => format!("{} dies after {n} more outputs", party_name(*p)),
        What::Stop(p) => format!("{} is stopped{span}", party_name(*p)),
        What::PowerOff(h) => format!("{} has no power{span}", host_name(*h)),
        What::Freeze(h) => format!("{} is frozen{span}", host_name(*h)),
        What::CutControl(h, true) => format!("nothing gets from the controller to {}{span}", host_name(*h)),
        What::CutControl(h, false) => format!("nothing gets from {} to the controller{span}", host_name(*h)),
        What::CutLan(h, true) => {
            format!("{} hears nothing on the local network{span}", host_name(*h))
        }
        What::CutLan(h, false) => {
            format!("{} is not heard on the local network{span}", host_name(*h))
        }
        What::CutWitness(h, w) => {
            format!("{} does not reach witness {}{span}", host_name(*h), w + 1)
        }
        What::Split(h, w) => format!("the local network is split{span}: apart are {} {}", side(h, "host"), side(w, "witness ")),
        What::Noise(loss, double, late) => {
            format!("messages are lost ({loss}%), doubled ({double}%) and up to {late} ms late{span}")
        }
        What::Drive(h, driver) => format!("the driver of {} is {driver:?}{span}", host_name(*h)),
        What::ClockStep(ms) => format!("the controller's wall clock steps by {ms} ms"),
        What::TakenOff(h) => format!("somebody takes the address off {}", host_name(*h)),
    }
}

/// The inventory that a scenario is about.
pub(super) fn inventory_of(scenario: &Scenario) -> Inventory {
    let seats = (0..scenario.hosts)
        .map(|i| inventory::Seat { host: host_name(i), interface: "eth0".to_owned(), commands: None })
        .collect();
    let moves = if scenario.damped { Moves::default() } else { Moves { count: 1_000, ..Moves::default() } };
    let resource = Resource {
        what: inventory::What::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 100)), 24),
        seats,
        takeover: scenario.takeover,
        witnesses: if scenario.takeover == Takeover::Probe { (0..WITNESSES).map(witness).collect() } else { Vec::new() },
        term: TERM,
        isolation: crate::base::limits::ISOLATION,
        moves,
        repair: true,
        provenance: crate::event::Provenance::Local,
    };
    let host = |_| inventory::Host {
        address: None,
        platform: "linux".to_owned(),
        via: inventory::Via::Agent,
        ..inventory::Host::default()
    };
    let app =
        |i| inventory::Application { kind: "server".to_owned(), host: host_name(i), aliases: Vec::new(), ..Default::default() };
    let id = |number| EventId::Number { code: Some(0), number };
    let pair = inventory::Pair {
        primary: app_name(0),
        backup: app_name(1),
        standby: inventory::Standby::Hot,
        resource: Some(VIP.to_owned()),
        catch_up: inventory::CatchUp::Move,
        says_primary: vec![id(4563)],
        says_backup: vec![id(4561)],
        primary_patterns: Vec::new(),
        backup_patterns: Vec::new(),
    };
    Inventory {
        applications: (0..scenario.hosts).map(|i| (app_name(i), app(i))).collect(),
        // Two hosts are a pair, and late claims are caught up with; of more, every claim acts whenever it is read.
        pairs: (scenario.hosts == 2).then(|| ("pair".to_owned(), pair)).into_iter().collect(),
        channels: [("noc".to_owned(), inventory::Channel::Log)].into(),
        hosts: (0..scenario.hosts).map(|i| (host_name(i), host(i))).collect(),
        resources: [(VIP.to_owned(), resource)].into(),
        ..Inventory::default()
    }
}
