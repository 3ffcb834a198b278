//! What attempts to deliver have in common: how they end, and where datagrams go.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _, UdpSocket};

use crate::core::notifications::Undelivered;

/// A socket for datagrams to the first address of a server.
pub(super) fn datagrams(server: &str) -> Result<UdpSocket, Undelivered> {
    let words = |e: io::Error| later(format!("{server}: {e}"));
    let address = first_address(server)?;
    let socket = UdpSocket::bind(if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }).map_err(words)?;
    socket.connect(address).map_err(words)?;
    Ok(socket)
}

/// The first address of a server, `NAME:PORT`.
pub(super) fn first_address(server: &str) -> Result<SocketAddr, Undelivered> {
    let mut all = server.to_socket_addrs().map_err(|e| later(format!("{server}: {e}")))?;
    all.next().ok_or_else(|| later(format!("{server} has no address")))
}

/// The notification was not delivered and may be delivered later.
pub(super) fn later(why: impl Into<String>) -> Undelivered {
    Undelivered { why: why.into(), ..Undelivered::default() }
}

/// The receiver refuses the notification.
pub(super) fn refused(why: impl Into<String>) -> Undelivered {
    Undelivered { why: why.into(), refused: true, reached: Vec::new() }
}
