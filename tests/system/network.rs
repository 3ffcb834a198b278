//! Networks for tests: a switch in the test's own thread, hosts plugged into it.

use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use pointsman::linux::Spot;
use pointsman::linux::lab;

/// A network with two hosts, `10.9.0.1`/`fd09::1` and `10.9.0.2`/`fd09::2` on `eth0`. Made on a thread of its own, whose
/// network it is.
pub(crate) struct Network {
    hosts: Vec<Child>,
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
        let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .arg("hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready.trim(), "ready");
        lab::plug("switch", &format!("to-{number}"), child.id(), "eth0").unwrap();
        self.hosts.push(child);
        self.on(usize::from(number) - 1, || {
            lab::set_up("eth0", true).unwrap();
            for (address, prefix) in [(format!("10.9.0.{number}"), 24), (format!("fd09::{number}"), 64)] {
                lab::give(&spot(&address, prefix)).unwrap();
            }
        });
    }

    /// The network of a host.
    pub(crate) fn of(&self, host: usize) -> PathBuf {
        lab::namespace_of(self.hosts[host].id())
    }

    /// Does something on a thread in a host's network.
    pub(crate) fn on<T: Send>(&self, host: usize, work: impl FnOnce() -> T + Send) -> T {
        let namespace = self.of(host);
        thread::scope(|scope| {
            let thread = scope.spawn(move || {
                lab::enter(&namespace).unwrap();
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in &mut self.hosts {
            let _ = host.kill();
            let _ = host.wait();
        }
    }
}

pub(crate) fn spot(address: &str, prefix: u8) -> Spot {
    let address: IpAddr = address.parse().unwrap();
    Spot { address, prefix, interface: "eth0".to_owned() }
}
