//! Echo requests to witnesses (RFC 792, RFC 4443 section 4), each with a number that identifies its answer.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::frames::internet_checksum;

/// The types of echo request and answer in each family.
const REQUEST_V4: u8 = 8;
const ANSWER_V4: u8 = 0;
const REQUEST_V6: u8 = 128;
const ANSWER_V6: u8 = 129;

/// Opens a non-blocking raw socket for echoes that uses one interface only. (The library's type for datagrams with senders.)
pub(super) fn socket(interface: &str, v6: bool) -> io::Result<UdpSocket> {
    let socket = match v6 {
        false => Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?,
        true => Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?,
    };
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Sends one request. The answer returns `number`.
pub(super) fn send(socket: &UdpSocket, to: IpAddr, identifier: u16, number: u16) -> io::Result<()> {
    let mut message = vec![if to.is_ipv4() { REQUEST_V4 } else { REQUEST_V6 }, 0, 0, 0];
    message.extend(identifier.to_be_bytes());
    message.extend(number.to_be_bytes());
    if to.is_ipv4() {
        let sum = internet_checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    } // The kernel calculates the checksum of IPv6.
    socket.send_to(&message, SocketAddr::new(to, 0)).map(drop)
}

/// The witness and the number of an answer to one of our requests.
pub(super) fn answer(packet: &[u8], from: IpAddr, identifier: u16) -> Option<(IpAddr, u16)> {
    let (message, kind) = match from {
        // An IPv4 socket delivers the IP header as well.
        IpAddr::V4(_) => (packet.get(usize::from(packet.first()? & 0x0f) * 4..)?, ANSWER_V4),
        IpAddr::V6(_) => (packet, ANSWER_V6),
    };
    let head: &[u8; 8] = message.first_chunk()?;
    let ours = head[0] == kind && head[1] == 0 && u16::from_be_bytes([head[4], head[5]]) == identifier;
    ours.then(|| (from, u16::from_be_bytes([head[6], head[7]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_to_our_own_count() {
        let from: IpAddr = "10.0.0.1".parse().unwrap();
        let mut packet = vec![0x45; 20];
        packet.extend([ANSWER_V4, 0, 0, 0, 0x12, 0x34, 0, 9]);
        assert_eq!(answer(&packet, from, 0x1234), Some((from, 9)));
        assert_eq!(answer(&packet, from, 0x1235), None, "another's");
        packet[20] = REQUEST_V4;
        assert_eq!(answer(&packet, from, 0x1234), None, "a request");
        for cut in 0..packet.len() {
            assert_eq!(answer(&packet[..cut], from, 0x1234), None);
        }
        let from: IpAddr = "fd00::1".parse().unwrap();
        assert_eq!(answer(&[ANSWER_V6, 0, 0, 0, 0x12, 0x34, 1, 0], from, 0x1234), Some((from, 256)));
    }
}
