//! Whether a resource can be taken over as it asks: `check` refuses a policy where it cannot work (DESIGN section 7).
//!
//! | takeover | platform | way to the host | and |
//! |---|---|---|---|
//! | confirmed | any | any | |
//! | probe | linux | agent, local | an odd number of witnesses, of the address's own family |
//! | lease | linux | agent, local | |
//! | forced | any | any | for an address a warning: two hosts may have it for a while |

use crate::diag::{Code, Place};
use crate::inventory::{Inventory, Name, Takeover, Via, What};

use super::read::Reader;

/// Where the parts of a resource stand, for the check of its policy.
pub(super) struct ResourcePlaces {
    pub(super) name: Place,
    pub(super) takeover: Option<Place>,
    pub(super) witnesses: Option<Place>,
}

/// Reports what can't work.
pub(super) fn check(reader: &mut Reader<'_>, inventory: &Inventory, name: &Name, places: &ResourcePlaces) {
    let Some(resource) = inventory.resources.get(name) else { return };
    let at = |place: &Option<Place>| place.as_ref().unwrap_or(&places.name).clone();
    let takeover = match resource.takeover {
        Takeover::Quorum => "quorum",
        Takeover::Confirmed => "confirmed",
        Takeover::Probe => "probe",
        Takeover::Lease => "lease",
        Takeover::Forced => "forced",
    };
    if matches!(resource.takeover, Takeover::Probe | Takeover::Lease) && matches!(resource.what, What::Port(_)) {
        let message = format!(
            "`takeover: {takeover}` is for addresses, which a kernel can drop and neighbours can hear, and {name} is a port"
        );
        reader.report(Code::PolicyCannotWork, &at(&places.takeover), message).help =
            Some("use `confirmed`, or `forced` where two ports at once do less harm than none".to_owned());
    } else if matches!(resource.takeover, Takeover::Probe | Takeover::Lease) {
        for seat in &resource.seats {
            let Some(host) = inventory.hosts.get(&seat.host) else { continue };
            if host.via == Via::Ssh || host.platform != "linux" {
                let message =
                    format!("`takeover: {takeover}` needs an agent on Linux at every host of {name}, and {} has none", seat.host);
                reader.report(Code::PolicyCannotWork, &at(&places.takeover), message).help = Some("use `confirmed`".to_owned());
            }
        }
    }
    if resource.takeover == Takeover::Probe {
        if resource.witnesses.len().is_multiple_of(2) {
            let message =
                format!("`takeover: probe` needs an odd number of witnesses, and {name} has {}", resource.witnesses.len());
            let place = at(if places.witnesses.is_some() { &places.witnesses } else { &places.takeover });
            reader.report(Code::PolicyCannotWork, &place, message).help =
                Some("witnesses: [GATEWAY, CONTROLLER, A THIRD HOST], reached over the resource's own interface".to_owned());
        }
        let (v4, prefix) = match resource.what {
            What::Address(address, prefix) => (address.is_ipv4(), prefix),
            What::Port(_) => (true, 0),
        };
        for witness in &resource.witnesses {
            let wrong = if resource.what == What::Address(*witness, prefix) {
                Some("is the address that moves")
            } else if witness.is_ipv4() != v4 {
                Some("is of another family than the address")
            } else if resource.witnesses.iter().filter(|w| *w == witness).count() > 1 {
                Some("stands twice")
            } else {
                None
            };
            if let Some(wrong) = wrong {
                reader.report(Code::PolicyCannotWork, &at(&places.witnesses), format!("the witness {witness} {wrong}"));
            }
        }
    } else if !resource.witnesses.is_empty() {
        let message = format!("witnesses are asked under `takeover: probe` only, and {name} has `{takeover}`");
        reader.report(Code::NothingComesOfIt, &at(&places.witnesses), message);
    }
    // Two hosts that serve a port do less harm than none: of an address they do more.
    if resource.takeover == Takeover::Forced && matches!(resource.what, What::Address(..)) {
        let message = format!("`takeover: forced`: two hosts may have {name} at once when one of them can't be reached");
        reader.report(Code::Forced, &at(&places.takeover), message).help =
            Some("`probe` waits until the other has surely let go".to_owned());
    }
}
