//! Requests to the kernel about addresses, and their answers (rtnetlink(7)).

use std::io;
use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, CacheInfo};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use crate::core::wire::LinkState;

use super::Spot;

/// The kernel's value for an unlimited lifetime.
const FOR_EVER: u32 = u32::MAX;
/// The maximum number of answers to one request, in case the kernel never ends its list.
const ANSWERS: usize = 100_000;
/// Groups of changes of links and of addresses, IPv4 and IPv6 (`RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR`, `RTMGRP_IPV6_IFADDR`).
const GROUPS: u32 = 0x1 | 0x10 | 0x100;

/// An address that is on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundAddress {
    pub(super) address: IpAddr,
    pub(super) interface: u32,
    /// The number of whole seconds until the kernel removes the address.
    pub(super) seconds: Option<u32>,
    /// False while the kernel still checks for a duplicate address, or if it has found one.
    pub(super) usable: bool,
}

/// A netlink socket for requests.
pub(super) struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    pub(super) fn new() -> io::Result<Netlink> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Netlink { socket, sequence: 0 })
    }

    /// All addresses of the host.
    pub(super) fn addresses(&mut self) -> io::Result<Vec<FoundAddress>> {
        let answers = self.ask(RouteNetlinkMessage::GetAddress(AddressMessage::default()), NLM_F_DUMP)?;
        Ok(answers
            .into_iter()
            .filter_map(|m| if let RouteNetlinkMessage::NewAddress(a) = m { found(&a) } else { None })
            .collect())
    }

    /// The number and the link address of an interface.
    pub(super) fn link(&mut self, name: &str) -> io::Result<(u32, [u8; 6])> {
        let mut wanted = LinkMessage::default();
        wanted.header.index = nix::net::if_::if_nametoindex(name)?;
        let index = wanted.header.index;
        let answers = self.ask(RouteNetlinkMessage::GetLink(wanted), NLM_F_ACK)?;
        let mac = answers.into_iter().find_map(|answer| {
            let RouteNetlinkMessage::NewLink(link) = answer else { return None };
            link.attributes.into_iter().find_map(|a| if let LinkAttribute::Address(mac) = a { mac.try_into().ok() } else { None })
        });
        Ok((index, mac.unwrap_or_default()))
    }

    /// The state of an interface.
    pub(super) fn link_state(&mut self, name: &str) -> io::Result<LinkState> {
        let Ok(index) = nix::net::if_::if_nametoindex(name) else { return Ok(LinkState::Missing) };
        let mut wanted = LinkMessage::default();
        wanted.header.index = index;
        let answers = match self.ask(RouteNetlinkMessage::GetLink(wanted), NLM_F_ACK) {
            Err(e) if e.raw_os_error() == Some(nix::errno::Errno::ENODEV as i32) => return Ok(LinkState::Missing),
            answers => answers?,
        };
        let state =
            answers.iter().find_map(|a| if let RouteNetlinkMessage::NewLink(link) = a { Some(state_of(link)) } else { None });
        Ok(state.unwrap_or_default())
    }

    /// Adds an address, or changes the time at which the kernel removes it.
    pub(super) fn add(&mut self, spot: &Spot, interface: u32, seconds: Option<u32>) -> io::Result<()> {
        let mut message = message(spot, interface);
        let valid = seconds.unwrap_or(FOR_EVER);
        let mut lifetime = CacheInfo::default();
        lifetime.ifa_valid = valid;
        // Clients can reach a deprecated IPv6 address, but the host never chooses it for its own connections.
        lifetime.ifa_preferred = if spot.address.is_ipv6() { 0 } else { valid };
        message.attributes.push(AddressAttribute::CacheInfo(lifetime));
        if spot.address.is_ipv6() {
            // The agent has already checked for a duplicate. The kernel's own check would only add a second.
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        self.ask(RouteNetlinkMessage::NewAddress(message), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE).map(drop)
    }

    /// Removes an address. A missing address is not an error.
    pub(super) fn remove(&mut self, spot: &Spot, interface: u32) -> io::Result<()> {
        match self.ask(RouteNetlinkMessage::DelAddress(message(spot, interface)), NLM_F_ACK) {
            Err(e) if e.raw_os_error() == Some(nix::errno::Errno::EADDRNOTAVAIL as i32) => Ok(()),
            other => other.map(drop),
        }
    }

    pub(super) fn ask(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.sequence += 1;
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(message));
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut answers = Vec::new();
        while answers.len() < ANSWERS {
            let (bytes, _) = self.socket.recv_from_full()?;
            for answer in split(&bytes)? {
                if answer.header.sequence_number != self.sequence {
                    continue; // This is the rest of an earlier answer that was not read completely.
                }
                match answer.payload {
                    NetlinkPayload::InnerMessage(inner) => answers.push(inner),
                    NetlinkPayload::Error(e) => return if e.code.is_none() { Ok(answers) } else { Err(e.to_io()) },
                    NetlinkPayload::Done(_) => return Ok(answers),
                    _ => {}
                }
            }
        }
        Err(io::Error::other("the kernel's list of addresses does not end"))
    }
}

/// Opens a non-blocking socket that receives every change of an address.
pub(super) fn changes() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind(&SocketAddr::new(0, GROUPS))?;
    socket.set_non_blocking(true)?;
    Ok(socket)
}

pub(super) enum KernelChange {
    /// An address appeared or disappeared.
    Address(FoundAddress, bool),
    /// The state of an interface at that moment.
    Link(String, LinkState),
}

/// The changes in the bytes that such a socket received.
pub(super) fn read_changes(bytes: &[u8]) -> Vec<KernelChange> {
    let messages = split(bytes).unwrap_or_default();
    let change = |m: NetlinkMessage<RouteNetlinkMessage>| match m.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(a)) => Some(KernelChange::Address(found(&a)?, true)),
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelAddress(a)) => Some(KernelChange::Address(found(&a)?, false)),
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
            Some(KernelChange::Link(name_of(&link)?, state_of(&link)))
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link)) => {
            Some(KernelChange::Link(name_of(&link)?, LinkState::Missing))
        }
        _ => None,
    };
    messages.into_iter().filter_map(change).collect()
}

fn name_of(link: &LinkMessage) -> Option<String> {
    link.attributes.iter().find_map(|a| if let LinkAttribute::IfName(name) = a { Some(name.clone()) } else { None })
}

/// The state according to the flags of an interface. The kernel derives `Running` from the operational state (RFC 2863): it is
/// set for `up`, and for `unknown`, which virtual interfaces such as the loopback have.
fn state_of(link: &LinkMessage) -> LinkState {
    let flags = link.header.flags;
    if !flags.contains(LinkFlags::Up) {
        LinkState::Down
    } else if flags.contains(LinkFlags::LowerUp | LinkFlags::Running) {
        LinkState::Up
    } else {
        LinkState::NoCarrier
    }
}

fn split(mut bytes: &[u8]) -> io::Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes).map_err(io::Error::other)?;
        // Messages begin at multiples of four (NLMSG_ALIGN).
        let length = (message.header.length as usize).next_multiple_of(4).min(bytes.len());
        if length == 0 {
            break;
        }
        messages.push(message);
        bytes = &bytes[length..];
    }
    Ok(messages)
}

fn message(spot: &Spot, interface: u32) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = if spot.address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = spot.prefix;
    message.header.index = interface;
    message.attributes.push(AddressAttribute::Local(spot.address));
    message.attributes.push(AddressAttribute::Address(spot.address));
    message
}

fn found(message: &AddressMessage) -> Option<FoundAddress> {
    let (mut local, mut address, mut seconds, mut flags) = (None, None, None, AddressFlags::empty());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(a) => local = Some(*a),
            AddressAttribute::Address(a) => address = Some(*a),
            AddressAttribute::CacheInfo(life) => seconds = (life.ifa_valid != FOR_EVER).then_some(life.ifa_valid),
            AddressAttribute::Flags(f) => flags = *f,
            _ => {}
        }
    }
    let usable = !flags.intersects(AddressFlags::Tentative | AddressFlags::Dadfailed);
    // On a point-to-point link, `Address` is the address of the other end.
    Some(FoundAddress { address: local.or(address)?, interface: message.header.index, seconds, usable })
}
