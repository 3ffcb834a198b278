//! A host's addresses in its kernel: every driver passes the conformance test, and claims of neighbours are detected.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use pointsman::core::agent::{Operation, OperationResult};
use pointsman::core::wire::Presence;
use pointsman::shell::linux::{AddressDriver, Announcer, NeighborMonitor, NetworkEvent, Spot, boot_time, lab};

use crate::network::{spot, with_network};

const PATIENCE: Duration = Duration::from_secs(20);

fn both() -> [Spot; 2] {
    [spot("10.9.0.100", 24), spot("fd09::100", 64)]
}

fn add(until: Option<u64>) -> Operation {
    let now = boot_time();
    Operation::Add { until: until.map(|s| now + Duration::from_millis(s * 1_000 + 900)), not_after: now + PATIENCE }
}

fn well(holds: Presence) -> OperationResult {
    OperationResult { failed: None, holds, until: None }
}

/// Repeated operations have the same result, adding an address twice succeeds, and the reported state is the actual one.
#[test]
fn the_driver_conforms() {
    with_network(|network| {
        network.on(0, || {
            for spot in both() {
                let driver = AddressDriver::new(spot.clone());
                assert_eq!(driver.drive(Operation::Observe), well(Presence::No));
                assert_eq!(driver.drive(Operation::Remove), well(Presence::No), "what is not there is taken off");
                for _ in 0..2 {
                    assert_eq!(driver.drive(add(None)), well(Presence::Yes));
                }
                assert_eq!(driver.drive(Operation::Observe), well(Presence::Yes));
                // A lifetime is set, observed, extended, and removed again.
                for seconds in [3, 30] {
                    let done = driver.drive(add(Some(seconds)));
                    let left = done.until.expect("the kernel says when").since(boot_time());
                    assert!(
                        done.failed.is_none() && left <= Duration::from_secs(seconds) && left > Duration::from_secs(seconds - 2),
                        "{left:?}"
                    );
                }
                assert_eq!(driver.drive(add(None)), well(Presence::Yes));
                for _ in 0..2 {
                    assert_eq!(driver.drive(Operation::Remove), well(Presence::No));
                }
                // Too late, too short, no interface: nothing is done, and the reason is reported.
                let late = Operation::Add { until: None, not_after: boot_time() - Duration::from_secs(1) };
                let short =
                    Operation::Add { until: Some(boot_time() + Duration::from_millis(500)), not_after: boot_time() + PATIENCE };
                for (operation, says) in [(late, "too late"), (short, "less than a second")] {
                    let done = driver.drive(operation);
                    assert!(done.failed.unwrap().contains(says));
                    assert_eq!(done.holds, Presence::No);
                }
                let nowhere = AddressDriver::new(Spot { interface: "eth7".to_owned(), ..spot.clone() }).drive(add(None));
                assert!(nowhere.failed.unwrap().contains("no interface eth7"));
                // On another interface the address belongs to the host, and the driver does not remove it.
                lab::give(&Spot { interface: "lo".to_owned(), ..spot.clone() }).unwrap();
                let done = driver.drive(Operation::Remove);
                assert_eq!(done.holds, Presence::Yes);
                assert!(done.failed.unwrap().contains("another interface than eth0"));
                lab::take(&Spot { interface: "lo".to_owned(), ..spot.clone() }).unwrap();
            }
        });
    });
}

/// The kernel removes an address whose lifetime has ended, and this is detected.
#[test]
fn an_address_ends_by_itself() {
    with_network(|network| {
        network.on(0, || {
            let spot = spot("10.9.0.100", 24);
            let heard = monitor(vec![spot.clone()]);
            let done = AddressDriver::new(spot.clone()).drive(add(Some(1)));
            assert_eq!(done.holds, Presence::Yes);
            until(&heard.1, &NetworkEvent::Changed(spot.address, true));
            until(&heard.1, &NetworkEvent::Changed(spot.address, false));
            assert!(boot_time() < done.until.unwrap() + Duration::from_secs(5));
        });
    });
}

fn monitor(spots: Vec<Spot>) -> (NeighborMonitor, Receiver<NetworkEvent>) {
    let (sender, heard) = channel();
    let monitor = NeighborMonitor::open(spots, move |h| drop(sender.send(h))).unwrap();
    (monitor, heard)
}

fn until(heard: &Receiver<NetworkEvent>, wanted: &NetworkEvent) {
    loop {
        match heard.recv_timeout(PATIENCE) {
            Ok(h) if h == *wanted => return,
            Ok(_) => {}
            Err(e) => panic!("{wanted:?} is not heard: {e}"),
        }
    }
}

#[test]
fn rivals_changes_by_hand_and_witnesses_are_noticed() {
    with_network(|network| {
        for spot in both() {
            let other = spot.clone();
            network.on(0, || {
                let (monitor, heard) = monitor(vec![spot.clone()]);
                // An administrator adds it and removes it.
                lab::give(&spot).unwrap();
                until(&heard, &NetworkEvent::Changed(spot.address, true));
                lab::take(&spot).unwrap();
                until(&heard, &NetworkEvent::Changed(spot.address, false));
                // Our own announcements are not a rival. Those of the other host are.
                let mut announcer = Announcer::new(&spot);
                announcer.announce().unwrap();
                announcer.ask().unwrap();
                network.on(1, || Announcer::new(&other).announce().unwrap());
                until(&heard, &NetworkEvent::Rival(spot.address));
                // The kernel of the host that has the address answers when asked.
                network.on(1, || lab::give(&other).unwrap());
                while heard.try_recv().is_ok() {}
                let mut told = None;
                for _ in 0..100 {
                    announcer.ask().unwrap();
                    told = heard.recv_timeout(Duration::from_millis(100)).ok();
                    if told.is_some() {
                        break;
                    }
                }
                assert_eq!(told, Some(NetworkEvent::Rival(spot.address)));
                network.on(1, || lab::take(&other).unwrap());
                // The other host as witness. One that does not exist does not answer.
                let (there, nobody) = match spot.address.is_ipv4() {
                    true => ("10.9.0.2", "10.9.0.77"),
                    false => ("fd09::2", "fd09::77"),
                };
                monitor.ping("eth0", nobody.parse().unwrap()).unwrap();
                let asked = boot_time();
                monitor.ping("eth0", there.parse().unwrap()).unwrap();
                let sent = loop {
                    match heard.recv_timeout(PATIENCE).unwrap() {
                        NetworkEvent::Witness { interface, witness, sent } => {
                            assert_eq!((interface.as_str(), witness), ("eth0", there.parse().unwrap()));
                            break sent;
                        }
                        _ => continue,
                    }
                };
                assert!(sent >= asked && sent <= boot_time());
            });
        }
    });
}
