//! Sends announcements of one address to the neighbours of a host.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;

use socket2::{Domain, Protocol, Socket, Type};

use super::netlink::Netlink;
use super::{Interface, Spot, explained, frames, interface};

/// Announces one address on its interface.
#[derive(Debug)]
pub struct Announcer {
    address: IpAddr,
    name: String,
    /// The socket is kept open: binding or closing such a socket waits for the whole kernel, for ten milliseconds and more.
    open: Option<(Interface, Socket)>,
}

impl Announcer {
    /// Makes the announcer of this address.
    pub fn new(spot: &Spot) -> Announcer {
        let open = interface(&spot.interface).and_then(|i| Ok((i.clone(), packet_socket(&i, None)?))).ok();
        Announcer { address: spot.address, name: spot.interface.clone(), open }
    }

    /// Announces that this host has the address.
    ///
    /// # Errors
    /// Returns an error text if a right or the interface is missing.
    pub fn announce(&mut self) -> Result<(), String> {
        self.send(frames::announcement)
    }

    /// Asks who has the address.
    ///
    /// # Errors
    /// Returns an error text if a right or the interface is missing.
    pub fn ask(&mut self) -> Result<(), String> {
        self.send(frames::question)
    }

    fn send(&mut self, frame: impl Fn([u8; 6], IpAddr) -> Vec<u8>) -> Result<(), String> {
        let sent = Netlink::new().and_then(|mut netlink| netlink.link(&self.name)).and_then(|(index, mac)| {
            // The interface may have been created again since the last time, or may have another link address.
            if self.open.as_ref().is_none_or(|(was, _)| was.link.ifindex() != index as usize || was.mac != mac) {
                let now = interface(&self.name)?;
                self.open = Some((now.clone(), packet_socket(&now, None)?));
            }
            let Some((_, socket)) = &self.open else { return Ok(()) };
            socket.send(&frame(mac, self.address)).map(drop)
        });
        sent.map_err(|e| explained(&format!("no frame about {} can be sent on {}", self.address, self.name), &e))
    }
}

/// Opens a socket for whole frames on one interface. It receives frames of one Ethernet type, or none.
pub(super) fn packet_socket(interface: &Interface, receives: Option<u16>) -> io::Result<Socket> {
    let protocol = Protocol::from(i32::from(receives.unwrap_or(0).to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))?;
    nix::sys::socket::bind(socket.as_raw_fd(), &interface.link)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
