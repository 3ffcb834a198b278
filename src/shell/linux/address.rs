//! The driver: it performs one operation on one address and observes the result.

use std::time::Duration;

use crate::core::agent::{Operation, OperationResult};
use crate::core::base::time::Time;
use crate::core::wire::Presence;

use super::netlink::{FoundAddress, Netlink};
use super::{Spot, boot_time, explained};

/// Adds and removes one address.
#[derive(Debug)]
pub struct AddressDriver {
    spot: Spot,
}

impl AddressDriver {
    /// Makes a driver for this address at this place. It changes nothing until an operation is requested.
    pub fn new(spot: Spot) -> AddressDriver {
        AddressDriver { spot }
    }

    /// Performs an operation and observes the result.
    pub fn drive(&self, operation: Operation) -> OperationResult {
        let mut netlink = match Netlink::new() {
            Ok(netlink) => netlink,
            Err(e) => {
                let failed = Some(explained("netlink can't be reached", &e));
                return OperationResult { failed, holds: Presence::Unknown, until: None };
            }
        };
        let failed = self.act(&mut netlink, operation).err();
        let (holds, until, seen) = self.observe(&mut netlink);
        OperationResult { failed: failed.or(seen), holds, until }
    }

    /// Removes the address and checks that it is gone. It must be gone from the whole host, because the interface may have
    /// another name now. If it may be `elsewhere` on the host, it must be gone from this interface only.
    pub fn leave(&self, elsewhere: bool) -> OperationResult {
        let done = self.drive(Operation::Remove);
        if !elsewhere || done.holds != Presence::Yes {
            return done;
        }
        let index = nix::net::if_::if_nametoindex(self.spot.interface.as_str()).unwrap_or(0);
        let here = |f: &FoundAddress| f.address == self.spot.address && f.interface == index;
        match Netlink::new().and_then(|mut netlink| netlink.addresses()) {
            Ok(all) if !all.iter().any(here) => OperationResult { failed: None, holds: Presence::No, until: None },
            _ => done,
        }
    }

    fn act(&self, netlink: &mut Netlink, operation: Operation) -> Result<(), String> {
        let Spot { address, prefix, interface } = &self.spot;
        let index = || {
            nix::net::if_::if_nametoindex(interface.as_str()).map_err(|_| {
                format!("this host has no interface {interface}: see `ip link`, and the resource in the configuration")
            })
        };
        match operation {
            Operation::Observe => Ok(()),
            Operation::Add { until, not_after } => {
                let now = boot_time();
                if now > not_after {
                    return Err("it was too late to begin".to_owned());
                }
                let seconds = until.map(|until| u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX - 1));
                if seconds == Some(0) {
                    return Err("less than a second is left of the time that it may be kept".to_owned());
                }
                let added = netlink.add(&self.spot, index()?, seconds);
                added.map_err(|e| explained(&format!("{address}/{prefix} can't be added to {interface}"), &e))
            }
            Operation::Remove => match index() {
                Ok(index) => {
                    let removed = netlink.remove(&self.spot, index);
                    removed.map_err(|e| explained(&format!("{address}/{prefix} can't be removed from {interface}"), &e))
                }
                // If the interface is missing, it has no address.
                Err(_) => Ok(()),
            },
        }
    }

    /// Observes whether any interface of the host has the address, because the host would answer for it on any interface.
    fn observe(&self, netlink: &mut Netlink) -> (Presence, Option<Time>, Option<String>) {
        let all = match netlink.addresses() {
            Ok(all) => all,
            Err(e) => return (Presence::Unknown, None, Some(explained("the host's addresses can't be read", &e))),
        };
        let here: Vec<&FoundAddress> = all.iter().filter(|f| f.address == self.spot.address).collect();
        if here.is_empty() {
            return (Presence::No, None, None);
        }
        let index = nix::net::if_::if_nametoindex(self.spot.interface.as_str()).unwrap_or(0);
        let elsewhere = here.iter().any(|f| f.interface != index);
        let seconds: Option<u32> = here.iter().map(|f| f.seconds).collect::<Option<Vec<u32>>>().and_then(|s| s.into_iter().max());
        let until = seconds.map(|s| boot_time() + Duration::from_secs(u64::from(s)));
        let words = elsewhere.then(|| {
            let Spot { address, interface, .. } = &self.spot;
            format!("{address} is on another interface than {interface}, so Pointsman does not remove it: see `ip address`")
        });
        (if here.iter().all(|f| f.usable) { Presence::Yes } else { Presence::Unknown }, until, words)
    }
}
