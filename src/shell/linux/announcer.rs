//! What a host says to its neighbours about one address.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;

use socket2::{Domain, Protocol, Socket, Type};

use super::netlink::Netlink;
use super::{Interface, Spot, explained, frames, interface};

/// Says things about one address on its interface.
#[derive(Debug)]
pub struct Announcer {
    address: IpAddr,
    name: String,
    /// Kept: to bind or close such a socket waits for the whole kernel, for ten milliseconds and more.
    open: Option<(Interface, Socket)>,
}

impl Announcer {
    /// The announcer of this address.
    pub fn new(spot: &Spot) -> Announcer {
        let open = interface(&spot.interface).and_then(|i| Ok((i.clone(), packet_socket(&i, None)?))).ok();
        Announcer { address: spot.address, name: spot.interface.clone(), open }
    }

    /// Says that the address is here.
    ///
    /// # Errors
    /// In words: no right, or no interface.
    pub fn announce(&mut self) -> Result<(), String> {
        self.send(frames::announcement)
    }

    /// Asks who has the address.
    ///
    /// # Errors
    /// In words: no right, or no interface.
    pub fn ask(&mut self) -> Result<(), String> {
        self.send(frames::question)
    }

    fn send(&mut self, frame: impl Fn([u8; 6], IpAddr) -> Vec<u8>) -> Result<(), String> {
        let sent = Netlink::new().and_then(|mut netlink| netlink.link(&self.name)).and_then(|(index, mac)| {
            // It may have been made anew since the last time, or have another link address.
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

/// A socket for whole frames on one interface. It hears those of one Ethernet type, or none.
pub(super) fn packet_socket(interface: &Interface, hears: Option<u16>) -> io::Result<Socket> {
    let protocol = Protocol::from(i32::from(hears.unwrap_or(0).to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))?;
    nix::sys::socket::bind(socket.as_raw_fd(), &interface.link)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
