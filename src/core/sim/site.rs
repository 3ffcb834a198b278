//! The inventory of a scenario, and the names of its parts.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::core::agent::Operation;
use crate::core::base::limits::ISOLATION;
use crate::core::event::EventId;
use crate::core::inventory::{self, Inventory, Moves, Resource, Takeover};
use crate::core::sim::scenario::{Change, FIRST_WITNESSES, Fault, Party, Scenario, SimPlace};
use crate::core::wire::LocalPlacement;

/// The resource that moves.
pub(super) const VIP: &str = "vip";
/// The term of simulated leases: the shortest that is allowed.
pub(super) const TERM: Duration = Duration::from_secs(30);

pub(super) fn app_name(i: usize) -> String {
    format!("server{}", i + 1)
}

pub(super) fn host_name(i: usize) -> String {
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
pub(super) fn describe(what: &Fault, lasts: Duration) -> String {
    let span = if lasts.is_zero() { String::new() } else { format!(" for {}", crate::core::base::time::duration_text(lasts)) };
    let side = |far: &[usize], prefix: &str| far.iter().map(|i| format!("{prefix}{}", i + 1)).collect::<Vec<_>>().join(" ");
    match what {
        Fault::Claim(h) => format!("the server on {} says that it is primary now", host_name(*h)),
        Fault::Kill(p) => format!("{} is killed{span}", party_name(*p)),
        Fault::KillAfter(p, n) => format!("{} dies after {n} more outputs", party_name(*p)),
        Fault::Stop(p) => format!("{} is stopped{span}", party_name(*p)),
        Fault::PowerOff(h) => format!("{} has no power{span}", host_name(*h)),
        Fault::Freeze(h) => format!("{} is frozen{span}", host_name(*h)),
        Fault::CutControl(h, true) => format!("nothing gets from the controller to {}{span}", host_name(*h)),
        Fault::CutControl(h, false) => format!("nothing gets from {} to the controller{span}", host_name(*h)),
        Fault::CutLan(h, true) => {
            format!("{} hears nothing on the local network{span}", host_name(*h))
        }
        Fault::CutLan(h, false) => {
            format!("{} is not heard on the local network{span}", host_name(*h))
        }
        Fault::CutWitness(h, w) => {
            format!("{} does not reach witness {}{span}", host_name(*h), w + 1)
        }
        Fault::CutPeer(a, b) => format!("nothing gets from the agent of {} to that of {}{span}", host_name(*a), host_name(*b)),
        Fault::CutLanPair(a, b) => {
            format!("{} and {} do not hear each other on the local network{span}", host_name(*a), host_name(*b))
        }
        Fault::Partition(controller, far) => {
            let controller = if *controller { " the controller" } else { "" };
            format!("everything but the witnesses falls apart{span}: apart are{controller} {}", side(far, "host"))
        }
        Fault::Split(h, w) => format!("the local network is split{span}: apart are {} {}", side(h, "host"), side(w, "witness ")),
        Fault::Noise(loss, double, late) => {
            format!("messages are lost ({loss}%), doubled ({double}%) and up to {late} ms late{span}")
        }
        Fault::Drive(h, driver) => format!("the driver of {} is {driver:?}{span}", host_name(*h)),
        Fault::ClockStep(ms) => format!("the controller's wall clock steps by {ms} ms"),
        Fault::Reconfigure(change, true) => format!("the controller starts with another configuration{span}: {change:?}"),
        Fault::Reconfigure(change, false) => format!("another configuration is loaded{span}: {change:?}"),
        Fault::Overload(p, ms) => format!("what comes to {} comes {ms} ms late{span}", party_name(*p)),
        Fault::OldAgent(h) => format!("the agent of {} is of an earlier version{span}", host_name(*h)),
        Fault::TakenOff(h) => format!("somebody takes the address off {}", host_name(*h)),
        Fault::Pause(true) => format!("an operator pauses everything{span}"),
        Fault::Pause(false) => format!("an operator pauses the address{span}"),
        Fault::Drain(h) => format!("an operator drains {}{span}", host_name(*h)),
        Fault::CutLanWay(a, b) => {
            format!("what {} says on the local network does not reach {}{span}", host_name(*a), host_name(*b))
        }
        Fault::Unplug(h) => format!("the interface of {} has no carrier{span}", host_name(*h)),
        Fault::OwnList(h, place) => format!("the list of {} is another one{span}: {place:?}", host_name(*h)),
        Fault::OlderJournal(n) => {
            format!("the controller is ended{span}, and starts with {n} hundredths of its journal")
        }
        Fault::LostStore(h) => format!("the agent of {} is ended{span}, and starts without its store", host_name(*h)),
        Fault::Flood(h, n) => format!("{n} claims come at once, the last one of {}", host_name(*h)),
    }
}

/// The present configuration of the controller.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SiteSetup {
    hosts: usize,
    agents: usize,
    damped: bool,
    takeover: Takeover,
    voters: Vec<usize>,
    witnesses: Vec<usize>,
    isolation: Duration,
    without: Option<usize>,
    place: SimPlace,
    has_resource: bool,
    moves_off: bool,
}

impl SiteSetup {
    pub(super) fn new(scenario: &Scenario) -> SiteSetup {
        SiteSetup {
            hosts: scenario.hosts,
            agents: scenario.agents(),
            damped: scenario.damped,
            takeover: scenario.takeover,
            voters: (scenario.hosts..scenario.agents()).collect(),
            witnesses: FIRST_WITNESSES.to_vec(),
            isolation: ISOLATION,
            without: None,
            place: SimPlace::Usual,
            has_resource: true,
            moves_off: scenario.moves_off,
        }
    }

    /// The same configuration with these changes.
    pub(super) fn changed<'a>(mut self, changes: impl IntoIterator<Item = &'a Change>) -> SiteSetup {
        for change in changes {
            match change {
                Change::Takeover(takeover) => self.takeover = *takeover,
                Change::Voters(voters) => self.voters.clone_from(voters),
                Change::Witnesses(witnesses) => self.witnesses.clone_from(witnesses),
                Change::Isolation(ms) => self.isolation = Duration::from_millis(*ms),
                Change::Without(host) => self.without = Some(*host),
                Change::OtherAddress => self.place = SimPlace::OtherAddress,
                Change::NoResource => self.has_resource = false,
            }
        }
        self
    }

    /// Hosts that may hold the address.
    pub(super) fn placements(&self) -> impl Iterator<Item = usize> {
        (0..self.hosts).filter(|h| Some(*h) != self.without)
    }

    pub(super) fn agents(&self) -> usize {
        self.agents
    }

    pub(super) fn has_resource(&self) -> bool {
        self.has_resource
    }

    pub(super) fn inventory(&self) -> Inventory {
        let placements = self
            .placements()
            .map(|i| inventory::Placement { host: host_name(i), interface: "eth0".to_owned(), commands: None })
            .collect();
        let moves = if self.damped { Moves::default() } else { Moves { count: 1_000, ..Moves::default() } };
        let probe = self.takeover == Takeover::Probe;
        let resource = Resource {
            what: place(self.place).what,
            placements,
            takeover: self.takeover,
            witnesses: if probe { self.witnesses.iter().map(|w| witness(*w)).collect() } else { Vec::new() },
            term: TERM,
            isolation: self.isolation,
            voters: self.voters.iter().map(|i| host_name(*i)).collect(),
            on_quorum_loss: inventory::OnQuorumLoss::Release,
            moves,
            on_link_loss: if self.moves_off { inventory::OnLinkLoss::Move } else { inventory::OnLinkLoss::Stay },
            repair: true,
            trust: crate::core::event::Trust::Local,
        };
        let host = || inventory::Host { platform: "linux".to_owned(), ..inventory::Host::default() };
        let app = |i| inventory::Application {
            kind: "server".to_owned(),
            host: host_name(i),
            aliases: Vec::new(),
            ..Default::default()
        };
        let id = |number| EventId::Number { code: Some(0), number };
        let pair = inventory::Pair {
            primary: app_name(0),
            backup: app_name(1),
            standby: inventory::Standby::Hot,
            resource: self.has_resource.then(|| VIP.to_owned()),
            catch_up: inventory::CatchUp::Move,
            says_primary: vec![id(4563)],
            says_backup: vec![id(4561)],
            primary_patterns: Vec::new(),
            backup_patterns: Vec::new(),
        };
        Inventory {
            applications: self.placements().map(|i| (app_name(i), app(i))).collect(),
            // Two hosts are a pair, and late claims are caught up with. With more hosts there is no pair, and every claim acts
            // whenever it is read.
            pairs: (self.hosts == 2).then(|| ("pair".to_owned(), pair)).into_iter().collect(),
            channels: [("noc".to_owned(), inventory::ChannelKind::Log.into())].into(),
            hosts: (0..self.agents).filter(|h| Some(*h) != self.without).map(|i| (host_name(i), host())).collect(),
            resources: self.has_resource.then(|| (VIP.to_owned(), resource)).into_iter().collect(),
            ..Inventory::default()
        }
    }
}

/// The address and interface of a place.
pub(super) fn place(at: SimPlace) -> LocalPlacement {
    let (last, interface) = match at {
        SimPlace::Usual => (100, "eth0"),
        SimPlace::OtherAddress => (101, "eth0"),
        SimPlace::OtherInterface => (100, "eth1"),
    };
    let what = inventory::ResourceKind::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), 24);
    LocalPlacement { what, interface: interface.to_owned() }
}
