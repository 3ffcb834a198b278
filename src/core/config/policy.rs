//! Whether the takeover policy of a resource can work. `check` refuses a policy that cannot, and says what a policy does not
//! cover if another one could cover it (docs/explanation/takeover.md).
//!
//! | takeover | platform | way to the host | and |
//! |---|---|---|---|
//! | quorum | linux | agent | three voters or more, whose addresses are known |
//! | confirmed | any | any | |
//! | probe | linux | agent, local | an odd number of witnesses, of the address's own family |
//! | lease | linux | agent, local | |
//! | forced | any | any | for an address a warning: two hosts may have it for a while |

use std::collections::BTreeSet;

use crate::core::diag::{Code, Place};
use crate::core::inventory::{Inventory, Name, OnQuorumLoss, Placement, Resource, ResourceKind, Takeover, Via};
use crate::core::yaml::YamlReader;

/// The least number of voters of a quorum. Of two, both would have to agree, and the loss of either would end the service.
const VOTERS_LEAST: usize = 3;

/// The places of a resource's parts in the configuration, for the check of its policy.
pub(super) struct ResourcePlaces {
    pub(super) name: Place,
    pub(super) takeover: Option<Place>,
    pub(super) witnesses: Option<Place>,
    pub(super) voters: Option<Place>,
    pub(super) on_quorum_loss: Option<Place>,
}

/// True if hosts with these placements and voters can hold an address by votes. The controller is one more voter.
pub(super) fn can_vote(inventory: &Inventory, placements: &[Placement], voters: &[Name]) -> bool {
    let all: BTreeSet<&Name> = placements.iter().map(|s| &s.host).chain(voters).collect();
    let able = |name: &&Name| {
        inventory.hosts.get(*name).is_some_and(|h| h.via == Via::Agent && h.platform == "linux" && h.address.is_some())
    };
    all.len() + 1 >= VOTERS_LEAST && all.iter().all(able)
}

/// Reports policies that can't work, and failures that are not covered.
pub(super) fn check(reader: &mut YamlReader<'_>, inventory: &Inventory, name: &Name, places: &ResourcePlaces) {
    let Some(resource) = inventory.resources.get(name) else { return };
    let at = |place: &Option<Place>| place.as_ref().unwrap_or(&places.name).clone();
    let takeover = word(resource.takeover);
    let by_kernel = matches!(resource.takeover, Takeover::Quorum | Takeover::Probe | Takeover::Lease);
    if by_kernel && matches!(resource.what, ResourceKind::Port(_)) {
        let message = format!("`takeover: {takeover}` works only for addresses, which a kernel can drop, and {name} is a port");
        reader.report(Code::PolicyCannotWork, &at(&places.takeover), message).help =
            Some("use `confirmed`, or `forced` if two ports at once do less harm than none".to_owned());
    } else if by_kernel {
        for placement in &resource.placements {
            let Some(host) = inventory.hosts.get(&placement.host) else { continue };
            let reached = host.via == Via::Agent || (host.via == Via::Local && resource.takeover != Takeover::Quorum);
            if !reached || host.platform != "linux" {
                let message = format!(
                    "`takeover: {takeover}` requires an agent on Linux on every host of {name}, and {} has none",
                    placement.host
                );
                reader.report(Code::PolicyCannotWork, &at(&places.takeover), message).help = Some("use `confirmed`".to_owned());
            }
        }
    }
    match resource.takeover {
        Takeover::Quorum => voters(reader, inventory, name, resource, places),
        _ => {
            for (key, place) in [("voters", &places.voters), ("on_quorum_loss", &places.on_quorum_loss)] {
                if let Some(place) = place {
                    let message = format!("`{key}` has an effect only under `takeover: quorum`, and {name} has `{takeover}`");
                    reader.report(Code::NothingComesOfIt, place, message);
                }
            }
        }
    }
    if resource.takeover == Takeover::Probe {
        witnesses(reader, inventory, name, resource, places);
    } else if !resource.witnesses.is_empty() {
        let message = format!("witnesses are used only under `takeover: probe`, and {name} has `{takeover}`");
        reader.report(Code::NothingComesOfIt, &at(&places.witnesses), message);
    }
    // Two hosts that serve a port do less harm than none. Two hosts with an address do more.
    if resource.takeover == Takeover::Forced && matches!(resource.what, ResourceKind::Address(..)) {
        let message = format!("`takeover: forced`: two hosts may have {name} at once when one of them can't be reached");
        reader.report(Code::Forced, &at(&places.takeover), message).help =
            Some("`quorum` waits until the other host has certainly released it".to_owned());
    }
    if let (Some(gap), Some(place)) = (gap(inventory, name, resource), &places.takeover) {
        reader.report(Code::NotCovered, place, gap).help =
            Some("docs/explanation/takeover.md has a table of all policies".to_owned());
    }
}

fn word(takeover: Takeover) -> &'static str {
    match takeover {
        Takeover::Quorum => "quorum",
        Takeover::Confirmed => "confirmed",
        Takeover::Probe => "probe",
        Takeover::Lease => "lease",
        Takeover::Forced => "forced",
    }
}

/// The failure that the chosen policy does not cover here.
fn gap(inventory: &Inventory, name: &Name, resource: &Resource) -> Option<String> {
    let hosts = || resource.placements.iter().map(|s| s.host.as_str()).collect::<Vec<_>>().join(", ");
    let better = can_vote(inventory, &resource.placements, &resource.voters) && !matches!(resource.what, ResourceKind::Port(_));
    match resource.takeover {
        Takeover::Probe => Some(format!(
            "`takeover: probe` does not cover a network in which {} lose each other and the controller but still reach the witnesses: two of them may hold {name} at once{}",
            hosts(),
            if better { "; `quorum` covers that" } else { "" }
        )),
        Takeover::Lease if better => Some(format!(
            "`takeover: lease` does not cover the loss of the controller: {name} is lost when the lease ends; `quorum` covers that"
        )),
        Takeover::Confirmed if better => Some(format!(
            "`takeover: confirmed` does not cover the loss of a host: no other host takes {name} until an operator confirms that it is released; `quorum` covers that"
        )),
        Takeover::Quorum if resource.on_quorum_loss == OnQuorumLoss::Keep => Some(format!(
            "`on_quorum_loss: keep` does not cover the loss of a host: no other host takes {name} until an operator confirms that it is released"
        )),
        Takeover::Quorum | Takeover::Lease | Takeover::Confirmed | Takeover::Forced => None,
    }
}

/// What `takeover: quorum` covers of this resource at this site, and what it does not; `None` for other policies.
pub fn coverage(name: &str, resource: &Resource) -> Option<String> {
    if resource.takeover != Takeover::Quorum {
        return None;
    }
    let agents = resource.voting_agents();
    let all = agents.len() + 1;
    let majority = all / 2 + 1;
    let names = agents.into_iter().collect::<Vec<_>>().join(", ");
    let after = crate::core::base::time::duration_text(resource.isolation);
    let lost = match resource.on_quorum_loss {
        OnQuorumLoss::Release => format!("if more are lost at once, no host holds it after {after} until {majority} are back"),
        OnQuorumLoss::Keep => "if more are lost at once, its holder keeps it and no other host takes it".to_owned(),
    };
    Some(format!(
        "{name}: {all} voters (the controller, {names}); the loss of any {} is covered; {lost}; a frozen virtual machine is not covered",
        all - majority
    ))
}

fn voters(reader: &mut YamlReader<'_>, inventory: &Inventory, name: &Name, resource: &Resource, places: &ResourcePlaces) {
    let place = places.voters.as_ref().or(places.takeover.as_ref()).unwrap_or(&places.name).clone();
    let mut wrong = |message: String, help: &str| {
        reader.report(Code::PolicyCannotWork, &place, message).help = Some(help.to_owned());
    };
    for (i, voter) in resource.voters.iter().enumerate() {
        let twice = resource.voters[..i].contains(voter);
        if twice || resource.placements.iter().any(|s| s.host == *voter) {
            let why = if twice { "stands twice" } else { "may hold it, and so is a voter already" };
            wrong(format!("the voter {voter} of {name} {why}"), "name hosts that hold nothing of it, each once");
        } else if inventory.hosts.get(voter).is_some_and(|h| h.via != Via::Agent) {
            wrong(format!("the voter {voter} of {name} has no agent"), "a voter is a host with `via: agent`");
        }
    }
    let all = resource.voting_agents();
    if all.len() + 1 < VOTERS_LEAST {
        let message = format!(
            "`takeover: quorum` needs three voters or more, and {name} has {}: its hosts and the controller",
            all.len() + 1
        );
        wrong(message, "name a host with an agent that holds nothing: `voters: [host]`");
    }
    for host in all {
        if inventory.hosts.get(&host).is_some_and(|h| h.address.is_none()) {
            let message = format!("the other voters of {name} cannot ask {host}: its address is not configured");
            wrong(message, "write its own address under `hosts:`");
        }
    }
}

fn witnesses(reader: &mut YamlReader<'_>, inventory: &Inventory, name: &Name, resource: &Resource, places: &ResourcePlaces) {
    let at = |place: &Option<Place>| place.as_ref().unwrap_or(&places.name).clone();
    if resource.witnesses.len().is_multiple_of(2) {
        let message = format!("`takeover: probe` needs an odd number of witnesses, and {name} has {}", resource.witnesses.len());
        let place = at(if places.witnesses.is_some() { &places.witnesses } else { &places.takeover });
        reader.report(Code::PolicyCannotWork, &place, message).help =
            Some("witnesses: [GATEWAY, CONTROLLER, A THIRD HOST], reached over the resource's own interface".to_owned());
    }
    let (v4, prefix) = match resource.what {
        ResourceKind::Address(address, prefix) => (address.is_ipv4(), prefix),
        ResourceKind::Port(_) => (true, 0),
    };
    let of_a_placement = |witness| {
        let own = |s: &&Placement| inventory.hosts.get(&s.host).is_some_and(|h| h.address == Some(witness));
        resource.placements.iter().find(own).map(|s| s.host.as_str())
    };
    for witness in &resource.witnesses {
        let wrong = if resource.what == ResourceKind::Address(*witness, prefix) {
            "is the address that moves".to_owned()
        } else if witness.is_ipv4() != v4 {
            "is of another family than the address".to_owned()
        } else if resource.witnesses.iter().filter(|w| *w == witness).count() > 1 {
            "stands twice".to_owned()
        } else if let Some(host) = of_a_placement(*witness) {
            format!("is {host}, which may hold the address: a host that is cut off can always reach itself")
        } else {
            continue;
        };
        reader.report(Code::PolicyCannotWork, &at(&places.witnesses), format!("the witness {witness} {wrong}"));
    }
}
