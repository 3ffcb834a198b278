//! A Linux host: its addresses over netlink, its neighbours by our own frames, its boot clock. No program is run.
//!
//! ```text
//!   Operation --> address::AddressDriver --netlink--> kernel            what is there is looked at after every change
//!   NeighborMonitor (one thread) <-- netlink events, ARP, neighbour advertisements, echo replies
//!   Announcer --> gratuitous ARP, unsolicited advertisements, conflict probes, echo requests
//! ```
//!
//! Processes, Meter --> what `/proc`, control groups and statvfs(3) say: which applications run, how busy the host is
//!
//! Needs CAP_NET_ADMIN (addresses) and CAP_NET_RAW (frames, echoes), and nothing else. Does not know: who should have an
//! address. Tests: `frames.rs` for every byte, `tests/system/address.rs` in network namespaces.

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
pub use metrics::Meter;
pub use neighbor_monitor::{NeighborMonitor, NetworkEvent};
pub use processes::Processes;
pub use zone::machine_zone;

/// An address that may be on this host, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub address: IpAddr,
    /// Length of its network prefix.
    pub prefix: u8,
    pub interface: String,
}

/// The boot clock: counts while the machine sleeps, and no hand sets it.
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

/// The names of the groups that a user is in, that of the process included. Those without a name are left out.
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

/// How much less of a busy processor a thread gets that gives way (nice(2)).
const GIVES_WAY: i32 = 5;

/// From now on the calling thread, and programs that it starts, leave the processor to those that decide when it is busy. For threads whose work
/// senders choose the amount of.
pub fn give_way() {
    // Where it is refused the thread is one among equals.
    let _ = rustix::process::nice(GIVES_WAY);
}

/// Asks the kernel to keep so many bytes for a socket; it may keep less (`net.core.rmem_max`).
pub fn receive_buffer(socket: &std::net::UdpSocket, bytes: usize) {
    // With CAP_NET_ADMIN beyond the limit, else up to it.
    let forced = nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::RcvBufForce, &bytes);
    if forced.is_err() {
        let _ = socket2::SockRef::from(socket).set_recv_buffer_size(bytes);
    }
}

/// How long a connection is silent before it is looked whether its other end is still there, how often, and after how many
/// looks without an answer it ends.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(120), Duration::from_secs(30), 4);

/// A connection whose other end has gone without a word ends in some minutes (tcp(7), SO_KEEPALIVE).
pub fn end_when_gone(stream: &impl std::os::fd::AsFd) {
    let (time, interval, retries) = KEEP_ALIVE;
    let keep_alive = socket2::TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(retries);
    // Where it can't be set the connection stays until there are too many.
    let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&keep_alive);
}

/// A connection ends when what was written is not acknowledged within this (tcp(7), TCP_USER_TIMEOUT).
pub fn give_up_after(stream: &impl std::os::fd::AsFd, span: Duration) {
    // Where it can't be set the connection lasts until the system gives it up, in minutes.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(span));
}

/// A network interface as the frames need it.
#[derive(Clone, Debug, PartialEq)]
struct Interface {
    link: nix::sys::socket::LinkAddr,
    mac: [u8; 6],
}

/// The interface of that name.
fn interface(name: &str) -> io::Result<Interface> {
    let all = nix::ifaddrs::getifaddrs()?;
    let link = all.filter(|i| i.interface_name == name).find_map(|i| i.address?.as_link_addr().copied());
    let Some(link) = link.filter(|l| l.len() > 0) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("this host has no interface {name}: see `ip link`")));
    };
    Ok(Interface { link, mac: link.addr().unwrap_or_default() })
}

/// What the kernel says when a right is missing, with what to do about it.
fn explained(what: &str, e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{what}: {e}; the program needs CAP_NET_ADMIN and CAP_NET_RAW (its systemd unit gives them)")
        }
        _ => format!("{what}: {e}"),
    }
}
