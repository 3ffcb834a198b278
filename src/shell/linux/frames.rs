//! Frames that ask for and announce addresses: ARP (RFC 826, RFC 5227) and neighbour discovery (RFC 4861), byte by byte.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const ARP: u16 = 0x0806;
pub(super) const IPV6: u16 = 0x86dd;
/// The shortest Ethernet frame, without its checksum.
const SHORTEST: usize = 60;
const BROADCAST: [u8; 6] = [0xff; 6];
const NOBODY: [u8; 6] = [0; 6];
/// ff02::1, all nodes of the link (RFC 4291 section 2.7.1).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Neighbour discovery is accepted only from the local link, which the hop limit proves (RFC 4861 section 7.1).
const HOPS: u8 = 255;

/// "This address is here": an ARP announcement (RFC 5227 section 2.3), or an unsolicited advertisement with the override
/// flag (RFC 4861 section 7.2.6).
pub(super) fn announcement(mac: [u8; 6], address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => arp(mac, address, address),
        IpAddr::V6(address) => {
            let mut body = vec![ADVERTISEMENT, 0, 0, 0, 0x20, 0, 0, 0];
            body.extend(address.octets());
            body.extend([2, 1]); // Target link-layer address, one unit of eight octets.
            body.extend(mac);
            icmpv6(mac, address, ALL_NODES, body)
        }
    }
}

/// "Who has this address?", without a sender address: an ARP probe (RFC 5227 section 2.1.1), or a solicitation from the
/// unspecified address (RFC 4862 section 5.4.2).
pub(super) fn question(mac: [u8; 6], address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => arp(mac, Ipv4Addr::UNSPECIFIED, address),
        IpAddr::V6(address) => {
            let mut body = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
            body.extend(address.octets());
            let [.., a, b, c] = address.octets();
            let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
            icmpv6(mac, Ipv6Addr::UNSPECIFIED, group, body)
        }
    }
}

/// The address that another machine claims with this frame.
pub(super) fn claimed(frame: &[u8], mac: [u8; 6]) -> Option<IpAddr> {
    let kind = u16::from_be_bytes(frame.get(12..14)?.try_into().ok()?);
    let body = frame.get(14..)?;
    match kind {
        ARP => {
            // Ethernet, IPv4, lengths of 6 and 4; a request or an answer.
            let (head, rest) = body.split_at_checked(8)?;
            if head[..6] != [0, 1, 8, 0, 6, 4] || !matches!(head[7], 1 | 2) {
                return None;
            }
            let sender: [u8; 6] = rest.get(..6)?.try_into().ok()?;
            let address: [u8; 4] = rest.get(6..10)?.try_into().ok()?;
            let address = Ipv4Addr::from(address);
            (sender != mac && !address.is_unspecified()).then_some(IpAddr::V4(address))
        }
        IPV6 => {
            let (head, rest) = body.split_at_checked(40)?;
            if head[6] != ICMPV6 || head[7] != HOPS || rest.first() != Some(&ADVERTISEMENT) || frame.get(6..12)? == mac {
                return None;
            }
            let target: [u8; 16] = rest.get(8..24)?.try_into().ok()?;
            Some(IpAddr::V6(target.into()))
        }
        _ => None,
    }
}

fn arp(mac: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = Vec::with_capacity(SHORTEST);
    frame.extend(BROADCAST);
    frame.extend(mac);
    frame.extend(ARP.to_be_bytes());
    frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(mac);
    frame.extend(sender.octets());
    frame.extend(NOBODY);
    frame.extend(target.octets());
    frame.resize(SHORTEST, 0);
    frame
}

fn icmpv6(mac: [u8; 6], from: Ipv6Addr, to: Ipv6Addr, mut body: Vec<u8>) -> Vec<u8> {
    let sum = checksum(from, to, &body);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let [.., a, b, c, d] = to.octets();
    let mut frame = vec![0x33, 0x33, a, b, c, d]; // RFC 2464 section 7.
    frame.extend(mac);
    frame.extend(IPV6.to_be_bytes());
    frame.extend([0x60, 0, 0, 0]);
    frame.extend((body.len() as u16).to_be_bytes());
    frame.extend([ICMPV6, HOPS]);
    frame.extend(from.octets());
    frame.extend(to.octets());
    frame.extend(body);
    frame
}

/// The checksum over the pseudo-header and the message (RFC 8200 section 8.1).
fn checksum(from: Ipv6Addr, to: Ipv6Addr, body: &[u8]) -> u16 {
    let length = (body.len() as u32).to_be_bytes();
    let all = from.octets().into_iter().chain(to.octets()).chain(length).chain([0, 0, 0, ICMPV6]).chain(body.iter().copied());
    let bytes: Vec<u8> = all.collect();
    internet_checksum(&bytes)
}

/// The internet checksum (RFC 1071).
pub(super) fn internet_checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks(2).map(|c| u32::from(u16::from_be_bytes([c[0], c.get(1).copied().unwrap_or(0)]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 8];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn an_announcement_has_these_bytes() {
        let frame = announcement(MAC, "10.0.0.5".parse().unwrap());
        let wanted = "ffffffffffff02000000000708060001080006040001020000000007\
                      0a0000050000000000000a000005000000000000000000000000000000000000";
        assert_eq!(hex(&frame), wanted.replace(char::is_whitespace, ""));
        let frame = announcement(MAC, "fd00::5".parse().unwrap());
        assert_eq!(hex(&frame[..20]), "33330000000102000000000786dd600000000020"[..40].to_owned());
        assert_eq!(&frame[20..22], [ICMPV6, HOPS]);
        // The receiver's own sum over everything is all ones.
        let (from, to) = ("fd00::5".parse().unwrap(), ALL_NODES);
        assert_eq!(checksum(from, to, &frame[54..]), 0);
        assert_eq!(frame[58], 0x20, "override");
    }

    #[test]
    fn a_question_is_from_nobody() {
        let frame = question(MAC, "10.0.0.5".parse().unwrap());
        assert_eq!(&frame[28..32], [0; 4]);
        assert_eq!(&frame[38..42], [10, 0, 0, 5]);
        let frame = question(MAC, "fd00::1:2:3".parse().unwrap());
        assert_eq!(hex(&frame[..6]), "3333ff020003");
        assert_eq!(&frame[22..38], [0; 16]);
        assert_eq!(checksum(Ipv6Addr::UNSPECIFIED, "ff02::1:ff02:3".parse().unwrap(), &frame[54..]), 0);
    }

    #[test]
    fn a_rival_is_another_that_claims_it() {
        let v4: IpAddr = "10.0.0.5".parse().unwrap();
        let v6: IpAddr = "fd00::5".parse().unwrap();
        for address in [v4, v6] {
            assert_eq!(claimed(&announcement(OTHER, address), MAC), Some(address));
            assert_eq!(claimed(&announcement(MAC, address), MAC), None, "our own");
            assert_eq!(claimed(&question(OTHER, address), MAC), None, "a question claims nothing");
        }
        // An answer claims an address as an announcement does.
        let mut answer = announcement(OTHER, v4);
        answer[21] = 2;
        assert_eq!(claimed(&answer, MAC), Some(v4));
        // A hop limit of less than 255 shows that the frame comes from another link.
        let mut routed = announcement(OTHER, v6);
        routed[21] = 254;
        assert_eq!(claimed(&routed, MAC), None);
    }

    #[test]
    fn no_frame_is_too_short_to_read() {
        for address in ["10.0.0.5", "fd00::5"] {
            let frame = announcement(OTHER, address.parse().unwrap());
            for cut in 0..frame.len() {
                claimed(&frame[..cut], MAC);
            }
        }
    }
}
