//! Addresses as units by which senders are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The unit that counts as one sender: an IPv4 address, or a /64 network of IPv6, which one machine can own.
pub fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}
