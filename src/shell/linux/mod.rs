//! A Linux host: its addresses over netlink, its neighbours by frames of our own, and its boot clock. It runs no program.
//!
//! ```text
//!   Operation --> address::AddressDriver --netlink--> kernel            the result is observed after every change
//!   NeighborMonitor (one thread) <-- netlink events, ARP, neighbour advertisements, echo replies
//!   Announcer --> gratuitous ARP, unsolicited advertisements, conflict probes, echo requests
//! ```
//!
//! Processes, Meter --> what `/proc`, control groups and statvfs(3) say: which applications run, how busy the host is
//!
//! Needs CAP_NET_ADMIN (addresses) and CAP_NET_RAW (frames, echoes), and nothing else. This module does not know who should have
//! an address. Tests: `frames.rs` for every byte, `tests/system/address.rs` in network namespaces.

pub mod accounts;
mod address;
mod announcer;
mod beginning;
mod echo;
pub mod file;
mod frames;
pub mod lab;
mod metrics;
mod neighbor_monitor;
mod netlink;
mod own_process;
mod processes;
pub mod rights;
mod zone;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use nix::sys::socket::SockaddrLike as _;

use crate::core::base::time::Time;

pub use address::AddressDriver;
pub use announcer::Announcer;
pub use metrics::{Meter, disk_bytes};
pub use neighbor_monitor::{NeighborMonitor, NetworkEvent};
pub use own_process::ProcessUse;
pub use processes::Processes;
pub use zone::machine_zone;

/// An address that may be on this host, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub address: IpAddr,
    /// The length of the network prefix in bits.
    pub prefix: u8,
    pub interface: String,
}

/// The boot clock. It continues while the machine sleeps, and nobody can set it.
///
/// # Panics
/// Never on Linux 2.6.39 or later, which have this clock.
pub fn boot_time() -> Time {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).expect("Linux has this clock since 2.6.39");
    Time::from_micros(now.tv_sec() * 1_000_000 + now.tv_nsec() / 1_000)
}

/// The wall clock.
///
/// # Panics
/// Never: every Linux has this clock.
pub fn wall_time() -> Time {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_REALTIME).expect("Linux always has this clock");
    Time::from_micros(now.tv_sec() * 1_000_000 + now.tv_nsec() / 1_000)
}

/// The name of a user, or `uid N` for one that has none.
pub fn user_name(uid: u32) -> String {
    let found = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// The names of the groups that a user is in, with the group of the process. Groups without a name are left out.
pub fn groups_of(user: &str, gid: u32) -> Vec<String> {
    let primary = nix::unistd::Gid::from_raw(gid);
    let all = std::ffi::CString::new(user).ok().and_then(|user| nix::unistd::getgrouplist(&user, primary).ok());
    let name = |gid: nix::unistd::Gid| Some(nix::unistd::Group::from_gid(gid).ok()??.name);
    all.unwrap_or_else(|| vec![primary]).into_iter().filter_map(name).collect()
}

/// The user that this process runs as.
pub fn own_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// The nice(2) value of a thread that yields to others.
const GIVES_WAY: i32 = 5;

/// Lowers the priority of the calling thread, and of programs that it starts. When the processor is busy, the threads that decide
/// come first. Use this for threads whose amount of work depends on senders.
pub fn give_way() {
    // If the system refuses, the thread keeps its normal priority.
    let _ = rustix::process::nice(GIVES_WAY);
}

/// Asks the kernel for a receive buffer of this size for a socket. The kernel may use less (`net.core.rmem_max`).
pub fn receive_buffer(socket: &std::net::UdpSocket, bytes: usize) {
    // With CAP_NET_ADMIN the limit does not apply.
    let forced = nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::RcvBufForce, &bytes);
    if forced.is_err() {
        let _ = socket2::SockRef::from(socket).set_recv_buffer_size(bytes);
    }
}

/// How long a connection is silent before the kernel probes its other end, the interval of the probes, and the number of
/// unanswered probes after which the connection ends.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(120), Duration::from_secs(30), 4);

/// Ends a connection within some minutes after its other end has disappeared (tcp(7), SO_KEEPALIVE).
pub fn end_when_gone(stream: &impl std::os::fd::AsFd) {
    let (time, interval, retries) = KEEP_ALIVE;
    let keep_alive = socket2::TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(retries);
    // If this cannot be set, the connection stays until there are too many.
    let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&keep_alive);
}

/// Ends a connection if sent data is not acknowledged within this time (tcp(7), TCP_USER_TIMEOUT).
pub fn give_up_after(stream: &impl std::os::fd::AsFd, span: Duration) {
    // If this cannot be set, the connection lasts until the system gives it up after some minutes.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(span));
}

/// The facts about a network interface that frames need.
#[derive(Clone, Debug, PartialEq)]
struct Interface {
    link: nix::sys::socket::LinkAddr,
    mac: [u8; 6],
}

/// Finds the interface of that name.
fn interface(name: &str) -> io::Result<Interface> {
    let all = nix::ifaddrs::getifaddrs()?;
    let link = all.filter(|i| i.interface_name == name).find_map(|i| i.address?.as_link_addr().copied());
    let Some(link) = link.filter(|l| l.len() > 0) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("this host has no interface {name}: see `ip link`")));
    };
    Ok(Interface { link, mac: link.addr().unwrap_or_default() })
}

/// The error of the kernel. If a right is missing, the text says what to do.
fn explained(what: &str, e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{what}: {e}; the program needs CAP_NET_ADMIN and CAP_NET_RAW (its systemd unit gives them)")
        }
        _ => format!("{what}: {e}"),
    }
}
