//! Observes changes of a host's addresses, rivals, and answers of witnesses. One thread waits for all of it.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};
use socket2::{SockFilter, Socket};

use crate::core::base::time::Time;
use crate::core::wire::LinkState;

use super::announcer::packet_socket;
use super::frames::{ARP, IPV6, claimed};
use super::netlink::{KernelChange, Netlink};
use super::{Interface, Spot, boot_time, echo, explained, interface, netlink};

/// The longest wait of the thread before it checks whether it should end and whether an interface is back.
const LOOK_AROUND: Duration = Duration::from_millis(500);
/// The number of bytes of one frame or message that are read.
const FRAME: usize = 64 * 1024;
/// The number of bytes of one answer that are read.
const ECHO: usize = 1_500;
/// The number of frames that are read from one socket before the other sockets are read.
const AT_ONCE: usize = 64;
/// How often the state of interfaces is queried even without a notification of the kernel. A notification may be lost, and the
/// kernel announces a renamed interface by its new name only.
const LOOK_AT_LINKS: Duration = Duration::from_secs(2);
/// The number of echo requests whose sending time is remembered.
const ECHOES: usize = 4_096;

/// Passes only neighbour advertisements of all IPv6 frames: the kernel drops the rest before it wakes this thread. (Next header
/// at 20, ICMPv6 type at 54; classic BPF.)
const ADVERTISEMENTS: [SockFilter; 6] = [
    SockFilter::new(0x30, 0, 0, 20),
    SockFilter::new(0x15, 0, 3, 58),
    SockFilter::new(0x30, 0, 0, 54),
    SockFilter::new(0x15, 0, 1, 136),
    SockFilter::new(0x06, 0, 0, u32::MAX),
    SockFilter::new(0x06, 0, 0, 0),
];

/// Something that a host saw on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkEvent {
    /// An address appeared (`true`) or disappeared.
    Changed(IpAddr, bool),
    /// The state of an interface: once at the start, and after each change.
    Link(String, LinkState),
    /// Some changes were lost because there were too many. Everything has to be observed again.
    Missed,
    /// Another machine claims an address.
    Rival(IpAddr),
    /// A witness answered an echo request over this interface.
    Witness {
        interface: String,
        witness: IpAddr,
        /// The time at which the request was sent.
        sent: Time,
    },
}

/// Echo sockets by interface and family, and the sending time of each echo. The sender and the receiver share them.
#[derive(Debug, Default)]
struct Echoes {
    sockets: BTreeMap<(String, bool), Arc<UdpSocket>>,
    sent: BTreeMap<u16, (IpAddr, Time)>,
    next: u16,
}

/// The neighbor monitor of a host.
#[derive(Debug)]
pub struct NeighborMonitor {
    echoes: Arc<Mutex<Echoes>>,
    identifier: u16,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Listener {
    name: String,
    kind: u16,
    interface: Interface,
    socket: Socket,
}

impl NeighborMonitor {
    /// Begins to listen for these addresses on their interfaces, and passes what it observes to `report`. It listens on a missing
    /// interface as soon as the interface appears.
    ///
    /// # Errors
    /// Returns an error text if the right to listen is missing.
    pub fn open(spots: Vec<Spot>, report: impl Fn(NetworkEvent) + Send + 'static) -> Result<NeighborMonitor, String> {
        let changes = netlink::changes().map_err(|e| explained("changes of addresses can't be observed", &e))?;
        let echoes = Arc::new(Mutex::new(Echoes::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let identifier = std::process::id() as u16;
        let links = spots.iter().map(|s| (s.interface.clone(), None)).collect();
        let mut room = Room {
            spots,
            changes,
            listeners: Vec::new(),
            links,
            look_at_links: Time::MIN,
            echoes: echoes.clone(),
            identifier,
            frame: vec![0; FRAME],
        };
        room.listen_again().map_err(|e| explained("neighbours can't be observed", &e))?;
        let thread = std::thread::Builder::new().name("monitor".to_owned()).spawn({
            let stop = stop.clone();
            move || {
                while !stop.load(Ordering::Relaxed) {
                    room.wait(&report);
                }
            }
        });
        let thread = thread.map_err(|e| format!("no thread can be started: {e}"))?;
        Ok(NeighborMonitor { echoes, identifier, stop, thread: Some(thread) })
    }

    /// Sends an echo request to a witness over an interface.
    ///
    /// # Errors
    /// Returns an error text if a right, the interface or a route is missing.
    pub fn ping(&self, interface: &str, witness: IpAddr) -> Result<(), String> {
        let mut echoes = self.echoes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = (interface.to_owned(), witness.is_ipv6());
        let words = |e: io::Error| explained(&format!("{witness} can't be asked over {interface}"), &e);
        let socket = match echoes.sockets.get(&key) {
            Some(socket) => socket.clone(),
            None => {
                let socket = Arc::new(echo::socket(interface, witness.is_ipv6()).map_err(words)?);
                echoes.sockets.insert(key.clone(), socket.clone());
                socket
            }
        };
        let number = echoes.next;
        echoes.next = echoes.next.wrapping_add(1);
        if echoes.sent.len() >= ECHOES {
            echoes.sent.clear(); // Answers to requests that are this old prove nothing.
        }
        echoes.sent.insert(number, (witness, boot_time()));
        echo::send(&socket, witness, self.identifier, number).map_err(|e| {
            echoes.sockets.remove(&key);
            words(e)
        })
    }
}

impl Drop for NeighborMonitor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Room {
    spots: Vec<Spot>,
    changes: netlink_sys::Socket,
    listeners: Vec<Listener>,
    /// Our interfaces, with the state that was reported last.
    links: BTreeMap<String, Option<LinkState>>,
    /// The time of the next query of their state.
    look_at_links: Time,
    echoes: Arc<Mutex<Echoes>>,
    identifier: u16,
    /// The buffer for reading.
    frame: Vec<u8>,
}

impl Room {
    /// Opens the sockets that are missing. Only a missing right is an error.
    fn listen_again(&mut self) -> io::Result<()> {
        for spot in &self.spots {
            let kind = if spot.address.is_ipv4() { ARP } else { IPV6 };
            if self.listeners.iter().any(|l| l.name == spot.interface && l.kind == kind) {
                continue;
            }
            let Ok(found) = interface(&spot.interface) else { continue };
            let socket = packet_socket(&found, Some(kind))?;
            if kind == IPV6 {
                socket.attach_filter(&ADVERTISEMENTS)?;
            }
            self.listeners.push(Listener { name: spot.interface.clone(), kind, interface: found, socket });
        }
        Ok(())
    }

    fn wait(&mut self, report: &impl Fn(NetworkEvent)) {
        let echo_sockets: Vec<(String, Arc<UdpSocket>)> = {
            let echoes = self.echoes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            echoes.sockets.iter().map(|((name, _), s)| (name.clone(), s.clone())).collect()
        };
        let ready: Vec<bool> = {
            let fds = std::iter::once(self.changes.as_fd())
                .chain(self.listeners.iter().map(|l| l.socket.as_fd()))
                .chain(echo_sockets.iter().map(|(_, s)| s.as_fd()));
            let mut fds: Vec<PollFd<'_>> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            // Echo sockets may be opened during this wait. While there are none, the wait is shorter.
            let most = if echo_sockets.is_empty() { LOOK_AROUND / 10 } else { LOOK_AROUND };
            let timeout = PollTimeout::try_from(most).unwrap_or(PollTimeout::ZERO);
            if nix::poll::poll(&mut fds, timeout).is_err() {
                return;
            }
            fds.iter().map(|fd| fd.revents().is_some_and(|r| !r.is_empty())).collect()
        };
        if ready.first() == Some(&true) {
            self.read_changes(report);
        }
        let now = boot_time();
        if now >= self.look_at_links {
            self.look_at_links = now + LOOK_AT_LINKS;
            self.look_at_links(report);
        }
        let (neighbours, echoes) = ready.get(1..).unwrap_or_default().split_at(self.listeners.len());
        let mut gone = Vec::new();
        for (i, _) in neighbours.iter().enumerate().filter(|(_, r)| **r) {
            if !self.read_neighbours(i, report) {
                gone.push(i);
            }
        }
        for i in gone.into_iter().rev() {
            self.listeners.remove(i);
        }
        for ((name, socket), _) in echo_sockets.iter().zip(echoes).filter(|(_, r)| **r) {
            self.read_witnesses(name, socket, report);
        }
        if !ready.contains(&true) {
            let _ = self.listen_again();
        }
    }

    fn read_changes(&mut self, report: &impl Fn(NetworkEvent)) {
        for _ in 0..AT_ONCE {
            match self.changes.recv_from_full() {
                Ok((bytes, _)) => {
                    for change in netlink::read_changes(&bytes) {
                        match change {
                            KernelChange::Address(found, came) => report(NetworkEvent::Changed(found.address, came)),
                            KernelChange::Link(name, state) => self.report_link(&name, state, report),
                        }
                    }
                }
                Err(e) if e.raw_os_error() == Some(nix::errno::Errno::ENOBUFS as i32) => {
                    report(NetworkEvent::Missed);
                    self.look_at_links = Time::MIN;
                }
                Err(_) => return,
            }
        }
    }

    /// Queries the state of each interface from the kernel.
    fn look_at_links(&mut self, report: &impl Fn(NetworkEvent)) {
        // If the kernel does not answer, the last reported state stays valid.
        let Ok(mut netlink) = Netlink::new() else { return };
        for name in self.links.keys().cloned().collect::<Vec<_>>() {
            if let Ok(state) = netlink.link_state(&name) {
                self.report_link(&name, state, report);
            }
        }
    }

    fn report_link(&mut self, name: &str, state: LinkState, report: &impl Fn(NetworkEvent)) {
        if let Some(reported) = self.links.get_mut(name)
            && reported.replace(state) != Some(state)
        {
            report(NetworkEvent::Link(name.to_owned(), state));
        }
    }

    /// Returns false when the interface is gone.
    fn read_neighbours(&mut self, i: usize, report: &impl Fn(NetworkEvent)) -> bool {
        let Some(listener) = self.listeners.get_mut(i) else { return true };
        let frame = &mut self.frame;
        for _ in 0..AT_ONCE {
            match listener.socket.read(frame) {
                Ok(length) => {
                    let address = claimed(&frame[..length], listener.interface.mac);
                    if let Some(address) = address.filter(|a| self.spots.iter().any(|s| s.address == *a)) {
                        report(NetworkEvent::Rival(address));
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                // An interface that is down may come up again. An interface that is gone needs another socket.
                Err(_) => return interface(&listener.name).is_ok_and(|now| now == listener.interface),
            }
        }
        true
    }

    fn read_witnesses(&self, name: &str, socket: &UdpSocket, report: &impl Fn(NetworkEvent)) {
        let mut packet = [0; ECHO];
        for _ in 0..AT_ONCE {
            let Ok((length, from)) = socket.recv_from(&mut packet) else { return };
            let Some((witness, number)) = echo::answer(&packet[..length], from.ip(), self.identifier) else { continue };
            let mut echoes = self.echoes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if echoes.sent.get(&number).is_some_and(|(asked, _)| *asked == witness)
                && let Some((_, sent)) = echoes.sent.remove(&number)
            {
                drop(echoes);
                report(NetworkEvent::Witness { interface: name.to_owned(), witness, sent });
            }
        }
    }
}
