//! Networks for experiments: namespaces, cables between them, and a switch. For the demo and the tests; an agent never uses it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::Signal;

use crate::core::base::time::Time;

use super::netlink::{self, Netlink};
use super::{Spot, boot_time};

/// The interface index of the node with the number 0. No two nodes use the same index, so an event identifies its node.
const INTERFACES: u32 = 1_000;

/// The network namespace of a process.
pub fn namespace_of(process: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{process}/ns/net"))
}

/// Makes this process root of namespaces of its own if it is not root already. Call this before any thread is started.
///
/// # Errors
/// Returns an error text if the system does not allow this to users.
pub fn become_root() -> Result<(), String> {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if user.is_root() {
        return Ok(());
    }
    let words = |e: &dyn std::fmt::Display| {
        format!(
            "this user may not make network namespaces ({e}); run it as root, or allow it: `sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
        )
    };
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|e| words(&e))?;
    fs::write("/proc/self/setgroups", "deny").map_err(|e| words(&e))?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(|e| words(&e))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(|e| words(&e))
}

/// Gives this thread, and everything that it starts, a network of its own that has only a loopback interface.
///
/// # Errors
/// Returns an error text if a right is missing.
pub fn new_network() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|e| format!("no network namespace can be made ({e})"))?;
    set_up("lo", true).map_err(|e| format!("the loopback can't be brought up: {e}"))
}

/// Moves this thread, and everything that it starts, into a network namespace.
///
/// # Errors
/// The errors of the system.
pub fn enter(namespace: &Path) -> io::Result<()> {
    setns(File::open(namespace)?, CloneFlags::CLONE_NEWNET).map_err(Into::into)
}

/// Does work on a thread in the network of a process.
///
/// # Errors
/// The errors of the system. A panic is passed on.
pub fn within<T: Send>(process: u32, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            enter(&namespace_of(process))?;
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A host of a lab: a network of its own, which a process keeps until this is dropped.
#[derive(Debug)]
pub struct LabHost(Child);

impl LabHost {
    /// Starts a host with `pointsman hold`. Its `eth0`, which is up, is connected to the port `to-NAME` of a switch in this
    /// network. An [`AddressWatch`] reports the host by its number.
    ///
    /// # Errors
    /// The errors of the system.
    pub fn start(program: &Path, switch: &str, name: &str, number: u32) -> io::Result<LabHost> {
        let mut node = LabHost(Command::new(program).arg("hold").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
        let mut ready = String::new();
        if let Some(says) = node.0.stdout.take() {
            io::BufReader::new(says).read_line(&mut ready)?;
        }
        if ready.trim() != "ready" {
            return Err(io::Error::other("it has no right to"));
        }
        plug(switch, &format!("to-{name}"), node.process(), ("eth0", INTERFACES + number))?;
        within(node.process(), || set_up("eth0", true))?;
        Ok(node)
    }

    /// Connects a further cable from a port of a switch to an interface of this node, and brings the interface up. No other node
    /// of a lab may have an interface of that number.
    ///
    /// # Errors
    /// The errors of the system.
    pub fn plug(&self, switch: &str, port: &str, interface: &str, number: u32) -> io::Result<()> {
        plug(switch, port, self.process(), (interface, INTERFACES + number))?;
        within(self.process(), || set_up(interface, true))
    }

    /// The process that keeps the network.
    pub fn process(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for LabHost {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Keeps a network of its own and does nothing else. It says so on its standard output, and ends when its input ends.
///
/// # Errors
/// Returns an error text if a right is missing.
pub fn hold() -> Result<(), String> {
    new_network()?;
    println!("ready");
    let _ = io::stdout().flush();
    let _ = io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

/// Makes a switch in this network.
///
/// # Errors
/// The errors of the system.
pub fn make_switch(name: &str) -> io::Result<()> {
    let mut link = LinkMessage::default();
    link.attributes =
        vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)])];
    create(link)?;
    set_up(name, true)
}

/// Makes a cable from the switch, where its end is called `port`, to the network of a process, where it has the name and the
/// index `far`.
fn plug(switch: &str, port: &str, process: u32, (far, index): (&str, u32)) -> io::Result<()> {
    let mut peer = LinkMessage::default();
    peer.header.index = index;
    peer.attributes = vec![LinkAttribute::IfName(far.to_owned()), LinkAttribute::NetNsPid(process)];
    let data = InfoData::Veth(InfoVeth::Peer(peer));
    let mut link = LinkMessage::default();
    // The kernel accepts the index of the other end only if this end has an index, too.
    link.header.index = index + INTERFACES;
    link.attributes = vec![
        LinkAttribute::IfName(port.to_owned()),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(data)]),
    ];
    create(link)?;
    let mut link = LinkMessage::default();
    link.header.index = nix::net::if_::if_nametoindex(port)?;
    link.attributes = vec![LinkAttribute::Controller(nix::net::if_::if_nametoindex(switch)?)];
    Netlink::new()?.ask(RouteNetlinkMessage::SetLink(link), NLM_F_ACK)?;
    set_up(port, true)
}

/// Brings an interface of this network up or down, as if a cable were plugged or pulled.
///
/// # Errors
/// The errors of the system.
pub fn set_up(name: &str, up: bool) -> io::Result<()> {
    let mut link = LinkMessage::default();
    link.header.index = nix::net::if_::if_nametoindex(name)?;
    link.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
    link.header.change_mask = LinkFlags::Up;
    Netlink::new()?.ask(RouteNetlinkMessage::SetLink(link), NLM_F_ACK).map(drop)
}

/// Adds an address to an interface of this network without a time limit.
///
/// # Errors
/// The errors of the system.
pub fn give(spot: &Spot) -> io::Result<()> {
    let index = nix::net::if_::if_nametoindex(spot.interface.as_str())?;
    Netlink::new()?.add(spot, index, None)
}

/// Removes an address from an interface of this network, as an administrator would.
///
/// # Errors
/// The errors of the system.
pub fn take(spot: &Spot) -> io::Result<()> {
    let index = nix::net::if_::if_nametoindex(spot.interface.as_str())?;
    Netlink::new()?.remove(spot, index)
}

/// Stops a process as if its machine were frozen, or lets it continue.
///
/// # Errors
/// The errors of the system.
pub fn freeze(process: u32, frozen: bool) -> io::Result<()> {
    let process = nix::unistd::Pid::from_raw(process.cast_signed());
    nix::sys::signal::kill(process, if frozen { Signal::SIGSTOP } else { Signal::SIGCONT }).map_err(Into::into)
}

/// Drops everything that this network sends to an address, or stops dropping it.
///
/// # Errors
/// The errors of the system.
pub fn cut_off(address: IpAddr, cut: bool) -> io::Result<()> {
    let mut route = RouteMessage::default();
    let (family, bits) = match address {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    };
    route.header.address_family = family;
    route.header.destination_prefix_length = bits;
    route.header.table = RouteHeader::RT_TABLE_MAIN;
    route.header.protocol = RouteProtocol::Static;
    route.header.scope = RouteScope::Universe;
    route.header.kind = RouteType::BlackHole;
    route.attributes.push(RouteAttribute::Destination(match address {
        IpAddr::V4(address) => RouteAddress::Inet(address),
        IpAddr::V6(address) => RouteAddress::Inet6(address),
    }));
    let (message, flags) = match cut {
        true => (RouteNetlinkMessage::NewRoute(route), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE),
        false => (RouteNetlinkMessage::DelRoute(route), NLM_F_ACK),
    };
    Netlink::new()?.ask(message, flags).map(drop)
}

fn create(link: LinkMessage) -> io::Result<()> {
    Netlink::new()?.ask(RouteNetlinkMessage::NewLink(link), NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL).map(drop)
}

/// The link address of an interface of this network.
///
/// # Errors
/// The errors of the system.
pub fn link_address(name: &str) -> io::Result<[u8; 6]> {
    Ok(super::interface(name)?.mac)
}

/// Reports who claims an address on an interface of this network, with the time of the boot clock.
///
/// # Errors
/// The errors of the system.
pub fn overhear(name: &str, address: IpAddr, tell: impl Fn(Time, [u8; 6]) + Send + 'static) -> io::Result<AddressWatch> {
    let found = super::interface(name)?;
    let mut socket = super::announcer::packet_socket(&found, Some(super::frames::ARP))?;
    let mut frame = vec![0; 2_048];
    Ok(AddressWatch::until_stopped(move |stop| {
        while wait_for(&socket, stop) {
            while let Ok(length) = socket.read(&mut frame) {
                let sender = frame.get(22..28).and_then(|mac| mac.try_into().ok());
                if let Some(sender) = sender.filter(|_| super::frames::claimed(&frame[..length], [0; 6]) == Some(address)) {
                    tell(boot_time(), sender);
                }
            }
        }
    }))
}

/// Waits a short time for something to read. Returns false when the watch should stop.
fn wait_for(socket: &impl AsFd, stop: &AtomicBool) -> bool {
    let _ = nix::poll::poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], PollTimeout::from(50u8));
    !stop.load(Ordering::Relaxed)
}

/// A thread that watches until this is dropped.
#[derive(Debug)]
pub struct AddressWatch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AddressWatch {
    /// Watches one address in the networks of all nodes. Reports in which network it appeared or disappeared, with the time of
    /// the boot clock. The kernel puts all changes into one queue, so they are reported in the order in which they happened, even
    /// if they are read late.
    ///
    /// # Errors
    /// The errors of the system.
    pub fn start(address: IpAddr, tell: impl Fn(Time, u32, bool) + Send + 'static) -> io::Result<AddressWatch> {
        let socket = netlink::changes()?;
        socket.set_listen_all_namespaces(true)?;
        Ok(AddressWatch::until_stopped(move |stop| {
            let mut there = BTreeSet::new();
            while wait_for(&socket, stop) {
                let now = boot_time();
                while let Ok((bytes, _)) = socket.recv_from_full() {
                    for change in netlink::read_changes(&bytes) {
                        let netlink::KernelChange::Address(found, came) = change else { continue };
                        // A renewed lifetime is not a new address.
                        let number = found.interface.wrapping_sub(INTERFACES);
                        if found.address == address && (if came { there.insert(number) } else { there.remove(&number) }) {
                            tell(now, number, came);
                        }
                    }
                }
            }
        }))
    }

    fn until_stopped(work: impl FnOnce(&AtomicBool) + Send + 'static) -> AddressWatch {
        let stop = Arc::new(AtomicBool::new(false));
        let ends = stop.clone();
        AddressWatch { stop, thread: Some(thread::spawn(move || work(&ends))) }
    }
}

impl Drop for AddressWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
