//! Networks for tests: a switch in the test's own thread, with hosts connected to it.

use std::net::IpAddr;
use std::path::Path;
use std::thread;

use pointsman::shell::linux::Spot;
use pointsman::shell::linux::lab::{self, LabHost};

/// A network with two hosts, `10.9.0.1`/`fd09::1` and `10.9.0.2`/`fd09::2` on `eth0`. It belongs to a separate thread.
pub(crate) struct Network {
    hosts: Vec<LabHost>,
}

/// Runs a test with a network.
pub(crate) fn with_network(test: impl FnOnce(&Network) + Send) {
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            lab::new_network().expect("tests of the system run as root");
            lab::make_switch("switch").unwrap();
            let mut network = Network { hosts: Vec::new() };
            for number in [1, 2] {
                network.plug(number);
            }
            test(&network);
        });
        run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

impl Network {
    fn plug(&mut self, number: u8) {
        let host =
            LabHost::start(Path::new(env!("CARGO_BIN_EXE_pointsman")), "switch", &number.to_string(), number.into()).unwrap();
        self.hosts.push(host);
        self.on(usize::from(number) - 1, || {
            for (address, prefix) in [(format!("10.9.0.{number}"), 24), (format!("fd09::{number}"), 64)] {
                lab::give(&spot(&address, prefix)).unwrap();
            }
        });
    }

    /// Does work on a thread in a host's network.
    pub(crate) fn on<T: Send>(&self, host: usize, work: impl FnOnce() -> T + Send) -> T {
        lab::within(self.hosts[host].process(), || Ok(work())).unwrap()
    }
}

pub(crate) fn spot(address: &str, prefix: u8) -> Spot {
    let address: IpAddr = address.parse().unwrap();
    Spot { address, prefix, interface: "eth0".to_owned() }
}
