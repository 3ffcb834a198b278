//! SNMP v2c: a trap or an inform for each alarm, as `docs/reference/mib/POINTSMAN-MIB.txt` defines it.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::core::base::text::cut;
use crate::core::inventory::SnmpTarget;
use crate::core::notifications::{AlarmFacts, Notification, Undelivered};
use crate::shell::linux::boot_time;

use super::attempt::{datagrams, later};
use super::ber::{Ber, SEQUENCE, response};
use super::secret::Secrets;

/// `pointsman` of the MIB. RFC 5612 reserves this enterprise number for examples. The project has none of its own.
const POINTSMAN: [u32; 8] = [1, 3, 6, 1, 4, 1, 32473, 1];
const SYS_UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];
const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];
const V2C: i64 = 1;
const RESPONSE: u8 = 0xa2;
const INFORM: u8 = 0xa6;
const TRAP: u8 = 0xa7;
/// The maximum size of one text in a notification, in bytes. A datagram has several texts.
const TEXT: usize = 255;
/// How long a manager may take to confirm an inform. After that it is sent once more.
const CONFIRMS: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 3;

/// The notifications of the MIB, by their last number.
#[derive(Clone, Copy)]
enum Kind {
    Raised = 1,
    Cleared = 2,
    Message = 3,
}

pub(super) fn send(target: &SnmpTarget, notification: &Notification) -> Result<(), Undelivered> {
    let mut secrets = Secrets::default();
    let community = secrets.value(&target.community)?;
    let words = |e: std::io::Error| later(format!("{}: {e}", target.server));
    let socket = datagrams(&target.server)?;
    let of_alarms = notification.of_alarms();
    let mut all: Vec<(Kind, Vec<(u32, String)>)> = of_alarms.iter().map(|a| of_alarm(a, notification)).collect();
    if all.is_empty() || notification.more > 0 {
        let text =
            if of_alarms.is_empty() { notification.title.clone() } else { format!("and {} more alarms", notification.more) };
        all.push((Kind::Message, vec![(6, notification.at.to_string()), (7, notification.key.clone()), (8, text)]));
    }
    for (number, (kind, values)) in (0..).zip(all) {
        // The same notification has the same numbers when it is sent again.
        let id = i64::from(u32::try_from(notification.id & 0x3f_ffff).unwrap_or_default()) * 32 + number;
        let bytes = datagram(&community, target.inform, id, kind, &values);
        match target.inform {
            false => drop(socket.send(&bytes).map_err(words)?),
            true => confirmed(&socket, &bytes, id).map_err(|why| later(format!("{}: {why}", target.server)))?,
        }
    }
    Ok(())
}

/// The objects of an alarm, by their last number in the MIB.
fn of_alarm(alarm: &AlarmFacts, notification: &Notification) -> (Kind, Vec<(u32, String)>) {
    let field = |name: &str| alarm.fields.get(name).cloned().unwrap_or_default();
    let at = alarm.cleared_at.unwrap_or(alarm.raised_at);
    let values = vec![
        (1, alarm.alarm.clone()),
        (2, alarm.key.clone()),
        (3, alarm.category.clone()),
        (4, alarm.summary.clone()),
        (5, field("host")),
        (9, field("app")),
        (6, at.to_string()),
        (7, notification.key.clone()),
    ];
    (if alarm.cleared_at.is_some() { Kind::Cleared } else { Kind::Raised }, values)
}

fn datagram(community: &str, inform: bool, id: i64, kind: Kind, values: &[(u32, String)]) -> Vec<u8> {
    let bind = |oid: Vec<u32>, value: Ber| Ber::Constructed(SEQUENCE, vec![Ber::Oid(oid), value]);
    let under = |last: &[u32]| POINTSMAN.iter().chain(last).copied().collect::<Vec<u32>>();
    let mut bindings = vec![
        bind(SYS_UP_TIME.to_vec(), Ber::TimeTicks(up_time())),
        bind(SNMP_TRAP_OID.to_vec(), Ber::Oid(under(&[0, kind as u32]))),
    ];
    for (object, value) in values {
        let text = cut(value, TEXT - "…".len()).into_owned();
        bindings.push(bind(under(&[1, *object, 0]), Ber::Text(text.into_bytes())));
    }
    let content = vec![Ber::Integer(id), Ber::Integer(0), Ber::Integer(0), Ber::Constructed(SEQUENCE, bindings)];
    let unit = Ber::Constructed(if inform { INFORM } else { TRAP }, content);
    Ber::Constructed(SEQUENCE, vec![Ber::Integer(V2C), Ber::Text(community.as_bytes().to_vec()), unit]).bytes()
}

/// Hundredths of a second since the machine started. They wrap around after 497 days, as in RFC 3418.
fn up_time() -> u32 {
    let hundredths = boot_time().micros() / 10_000;
    u32::try_from(hundredths & i64::from(u32::MAX)).unwrap_or_default()
}

fn confirmed(socket: &UdpSocket, bytes: &[u8], id: i64) -> Result<(), String> {
    let mut last = "the manager did not confirm it".to_owned();
    for _ in 0..ATTEMPTS {
        socket.send(bytes).map_err(|e| e.to_string())?;
        let until = Instant::now() + CONFIRMS;
        let mut answer = [0; 2_048];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left)).map_err(|e| e.to_string())?;
            match socket.recv(&mut answer) {
                Ok(length) => match response(&answer[..length], RESPONSE) {
                    Some((of, 0)) if of == id => return Ok(()),
                    Some((of, status)) if of == id => return Err(format!("the manager answers with the error status {status}")),
                    // The answer belongs to another request, or it is not an answer.
                    _ => {}
                },
                Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => break,
                Err(e) => {
                    // No process listens there now.
                    last = e.to_string();
                    break;
                }
            }
        }
    }
    Err(last)
}
