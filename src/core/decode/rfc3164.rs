//! A message of RFC 3164 behind its priority, as senders write it.
//!
//! ```text
//! message = [seq ":" blanks] [host ":" blanks] ["*" / "."] [stamp [":"]] blanks [host blanks] ( [tag] text / message )
//! tag     = name ":"  /  name "(" pid ")" ":"  /  name "[" pid "]" [":"]
//! ```
//!
//! The table of [`super::heads`] has other heads of vendors. It is asked if this reading finds no tag, and for ids at the
//! beginning of the text.
//!
//! Choices where senders and other readers disagree:
//! - A tag ends with a colon or has a pid. A bare word is the beginning of the text, because nothing distinguishes it from one,
//!   and a lost first word is worse than a missing name.
//! - The word behind the stamp is the host, except if it is a tag itself, a level (`WARN`) or a known program. Without a stamp
//!   there is no host.
//! - A tag that is a device's id (`%SYS-5-CONFIG_I:`) is the id, and no application.
//! - `:` behind a name is no tag before a digit or a slash (`10.0.0.1:5060 lost`, `http://x`), and an address is a host.
//! - A message directly behind a stamp and a host is the sender's own, and those are a relay's. Its parts count, and the relay is
//!   the field `relay_host`. It must have a priority, or a stamp, a host and a tag, and it is read once: what is inside of that is
//!   text.
//! - Structured data is text here; the RFC has none. The parts of RFC 5424 behind a host are read, however.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::core::event::{EventId, Format, Value, vendor_id};

use super::envelope::{self, Envelope, is_host, is_plain_name, is_priority};
use super::heads::{self, HeadPlace};
use super::message_head::{envelope_of, take_id};
use super::repetition::is_repetition;
use super::stamp::{self, Stamp};
use super::{genesys, level, rfc5424};

/// What stands between the parts of a head: a blank, and a tab of some senders.
const BLANKS: [char; 2] = [' ', '\t'];

/// Names of programs that some daemons write without a host before them and without a tag's colon: never a host.
const PROGRAMS: [&str; 24] = [
    "kernel",
    "corosync",
    "pacemakerd",
    "crmd",
    "heartbeat",
    "sshd",
    "cron",
    "crond",
    "CRON",
    "anacron",
    "systemd",
    "sudo",
    "su",
    "dhclient",
    "dhcpd",
    "dnsmasq",
    "named",
    "ntpd",
    "chronyd",
    "rsyslogd",
    "syslogd",
    "syslog-ng",
    "auditd",
    "NetworkManager",
];

/// Names of daemons. A word before such a name is the host, even if other programs write the stamp as well.
const DAEMONS: [&str; 18] = [
    "apache2",
    "dovecot",
    "exim",
    "haproxy",
    "httpd",
    "keepalived",
    "logger",
    "mariadbd",
    "mysqld",
    "nginx",
    "postgres",
    "rngd",
    "slapd",
    "smartd",
    "snmpd",
    "squid",
    "xinetd",
    "zabbix_agentd",
];

/// Reads what follows a priority. There is always a result: if nothing is recognised, everything is text.
pub(super) fn message(rest: &str) -> Envelope<'_> {
    read(rest, Relay::Possible)
}

/// Whether another head may follow the first one, because a relay put that before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relay {
    Possible,
    /// The relay's head was read already.
    Known,
}

fn read(rest: &str, relay: Relay) -> Envelope<'_> {
    // Some devices write a colon in the place of the host: `<187>: 2026 Mar 14 ...`, `<166>:Mar 14 ...`.
    let rest = rest.trim_start_matches(' ');
    let rest = match rest.strip_prefix(':') {
        Some(behind) if stamp(behind.trim_start_matches(' ')).is_some() || behind.trim_start_matches(' ').starts_with('%') => {
            behind.trim_start_matches(' ')
        }
        _ => rest,
    };
    let mut before = Envelope { format: Format::Rfc3164, text: rest, ..Envelope::default() };
    if let Some((stamp, behind)) = stamp(rest) {
        // A priority before a Genesys record, and no header: the record is the text.
        return match genesys::after_stamp(behind) {
            Some(_) => before,
            None => behind_stamp(stamp, behind, relay),
        };
    }
    let rest = cisco(rest, &mut before);
    if let Some((stamp, behind)) = stamp(rest) {
        let e = behind_stamp(stamp, behind, relay);
        before.fields.extend(e.fields);
        return Envelope { host: if e.host.is_empty() { before.host } else { e.host }, fields: before.fields, ..e };
    }
    if let Some(found) = heads::read(HeadPlace::Front, rest) {
        return envelope_of(found, before);
    }
    before.text = rest;
    take_tag(&mut before);
    if before.app.is_empty() && before.id.is_none() {
        take_host_of_tag(&mut before);
    }
    take_id(&mut before);
    before
}

/// Takes a host and a tag without a stamp before them: `h1 sshd[7]: ...`. Only a tag with a process shows that it is one.
fn take_host_of_tag(e: &mut Envelope<'_>) {
    if let Some((host, rest)) = e.text.split_once(' ')
        && is_evident(host)
        && tag(rest).is_some_and(|(_, pid, _)| pid.bytes().all(|b| b.is_ascii_digit()) && !pid.is_empty())
    {
        e.host = host;
        e.text = rest;
        take_tag(e);
    }
}

/// Reads what follows the stamp of a line without a priority. A stamp of this RFC is enough to recognise such a line. Many other
/// programs write stamps with a full date, so behind those a host and a tag must follow, and they must be plain enough.
pub(super) fn without_priority<'a>(record: &'a str, stamp: Stamp, behind: &'a str) -> Option<Envelope<'a>> {
    let Some(day) = stamp::behind_month(record) else {
        return match stamp::month_name(record) {
            // `Mar-14-26 ...`
            Ok(_) => None,
            Err(_) => behind_date(record, stamp, behind),
        };
    };
    // No syslog daemon writes twelve hours.
    let written = &record[..record.len() - behind.len()];
    if written.ends_with("AM") || written.ends_with("PM") {
        return behind_date(record, stamp, behind);
    }
    // Java's `Mar 14, 2026 ...`.
    let syslog = !day.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with(',');
    (syslog && is_free(behind)).then(|| behind_stamp(stamp, behind, Relay::Possible))
}

/// Reads what follows a stamp that the configuration declares. If it is also a stamp of this RFC, it is read as one.
pub(super) fn behind_declared<'a>(record: &'a str, stamp: Stamp, behind: &'a str) -> Option<Envelope<'a>> {
    let left = |rest: &str| rest.trim_start_matches(' ').len();
    if stamp::bsd(record).is_ok_and(|(rest, _)| left(rest) == left(behind)) {
        return without_priority(record, stamp, behind);
    }
    behind_date(record, stamp, behind)
}

/// True if what follows a stamp does not begin with a word that only other programs put there.
fn is_free(behind: &str) -> bool {
    let text = behind.trim_start_matches([':', ' ']);
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    // `In(166) Hostd[7]: ...` of VMware ESXi 8, and a thread of Ceph.
    let esxi = word.as_bytes().get(2) == Some(&b'(') && level::two_letters(&word[..2]).is_some();
    !(level::is_word(word) || esxi || is_thread(word, text) || is_ceph(word, text))
}

/// `mon.a (mon.0) 123 : cluster [WRN] ...`: a daemon of Ceph, its rank and a number.
fn is_ceph(word: &str, text: &str) -> bool {
    let behind = || text[word.len()..].strip_prefix(" (")?.split_once(") ")?.1.split_once(" : ");
    word.contains('.') && behind().is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads what follows a stamp that many programs write.
fn behind_date<'a>(record: &'a str, stamp: Stamp, behind: &'a str) -> Option<Envelope<'a>> {
    let bytes = record.as_bytes();
    let is_year = |at: usize| bytes.get(at..at + 4).is_some_and(|year| year.iter().all(u8::is_ascii_digit));
    let year_first = is_year(0) && bytes.get(4) == Some(&b' ');
    let written = &record[..record.len() - behind.len()];
    // A declared form may include the blank.
    if !(behind.starts_with(' ') || written.ends_with(' ') || year_first && behind.starts_with(':')) {
        return None;
    }
    let zulu = written.ends_with('Z');
    let (t, zone) = (bytes.get(10) == Some(&b'T'), stamp.east_s.is_some());
    // Behind `ctime`'s `Sat Mar 14`, programs often write a client's name, which is not the sender.
    let weekday = is_year(4) && stamp::weekday(record).is_ok();
    // Most lines that other programs write end here.
    let text = behind.trim_start_matches([':', ' ']);
    if !(t && zone || weekday || year_first || tag_is_second(text)) || !is_free(behind) {
        return None;
    }
    let form = Sure { t, zone, zulu, weekday, year_first };
    Some(behind_stamp(stamp, behind, Relay::Possible)).filter(|e| form.is_head(e))
}

/// What indicates a syslog head behind a stamp with a full date.
struct Sure {
    /// `T` between day and time.
    t: bool,
    zone: bool,
    /// The zone is `Z`, as loggers write it, rather than syslog daemons.
    zulu: bool,
    /// The stamp begins as `Sat 2026-03-14`: journalctl.
    weekday: bool,
    /// The stamp begins as `2026 Mar 14`: switches.
    year_first: bool,
}

impl Sure {
    fn is_head(&self, e: &Envelope<'_>) -> bool {
        // `user@database` of PostgreSQL.
        if e.host.contains('@') {
            return false;
        }
        if e.host.is_empty() {
            return self.year_first && e.id.is_some();
        }
        let tag = !e.app.is_empty() || e.id.is_some();
        // `Failed Login: ...`
        let capital =
            |word: &str| word.bytes().skip(1).all(|b| b.is_ascii_lowercase()) && word.as_bytes()[0].is_ascii_uppercase();
        if self.zulu && e.pid.is_empty() && capital(e.host) {
            return false;
        }
        if self.t && self.zone {
            return tag || is_evident(e.host) && !e.text.is_empty();
        }
        let process = e.pid.bytes().any(|b| b.is_ascii_digit());
        let device = e.id.is_some() && e.app.is_empty();
        tag && (process || device || self.weekday || self.year_first || is_daemon(e.app) || self.t && is_evident(e.host))
    }
}

/// `7f2a1c0700 -1 osd.3 ...`: a thread in hexadecimal digits, and a number.
fn is_thread(word: &str, text: &str) -> bool {
    word.len() >= 6
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && text[word.len()..].trim_start_matches(' ').split(' ').next().is_some_and(|second| second.parse::<i8>().is_ok())
}

fn is_daemon(app: &str) -> bool {
    DAEMONS.contains(&app) || PROGRAMS.contains(&app)
}

/// True if the second word ends as a tag does.
fn tag_is_second(text: &str) -> bool {
    let end = |text: &str| text.bytes().position(|b| b == b' ');
    let Some(second) = end(text).map(|at| text[at..].trim_start_matches(' ')) else { return false };
    let word = &second[..end(second).unwrap_or(second.len())];
    text.as_bytes()[0].is_ascii_alphanumeric() && (word.ends_with([':', ']']) || word.contains("]:"))
}

/// True for a name that is hardly the first word of a text: an address, or letters with digits, dots or dashes among them.
fn is_evident(host: &str) -> bool {
    if host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let letters = host.bytes().any(|b| b.is_ascii_alphabetic());
    let marks = host.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    letters && marks && !host.contains(['/', '(', ':', '@', '#', '%', '+']) && !host.ends_with(['.', '-'])
}

fn behind_stamp(stamp: Stamp, behind: &str, relay: Relay) -> Envelope<'_> {
    // Cisco's call managers write a blank before the colon.
    let rest = behind.strip_prefix(':').or_else(|| behind.strip_prefix(" : ")).unwrap_or(behind);
    let start = rest.trim_start_matches(BLANKS);
    let mut e = Envelope { format: Format::Rfc3164, stamp: Some(stamp), text: start, ..Envelope::default() };
    // AIX: `Message forwarded from cdaix66: sshd[679960]: ...`
    if let Some(forwarded) = e.text.strip_prefix("Message forwarded from ")
        && let Some((host, text)) = forwarded.split_once(": ")
        && is_host(host)
    {
        e.host = host;
        e.text = text.trim_start_matches(' ');
    } else if is_repetition(e.text) {
        return e;
    } else {
        take_host(&mut e);
    }
    if is_repetition(e.text) {
        return e;
    }
    if relay == Relay::Possible
        && let Some(own) = behind_relay(e.text)
    {
        return of_relay(own, e);
    }
    take_tag(&mut e);
    if behind.starts_with('\t') {
        e.text = e.text.trim_start_matches(BLANKS);
    }
    take_second_tag(&mut e);
    if e.app.is_empty()
        && e.id.is_none()
        && let Some(own) = rfc5424::without_version(e.host, e.text)
    {
        return Envelope { stamp: e.stamp, ..own };
    }
    // Only a list of known names distinguishes a program from a host.
    if e.app.is_empty() && PROGRAMS.contains(&e.host) {
        e.app = std::mem::take(&mut e.host);
    }
    // The name before a device's own head is no program, and neither is what the device marks.
    if e.id.is_none() && (e.app.is_empty() || e.host.is_empty() || e.app.starts_with(['*', '%'])) {
        let marked = start.contains('%') || start.contains('#') && start.contains('*');
        let device = || marked.then(|| heads::read(HeadPlace::Device, start)).flatten();
        let other = || e.app.is_empty().then(|| heads::read(HeadPlace::Syslog, start)).flatten();
        if let Some(found) = device().or_else(other) {
            return envelope_of(found, Envelope { format: e.format, stamp: e.stamp, ..Envelope::default() });
        }
    }
    take_id(&mut e);
    e
}

/// The sender's own message, if it is directly behind the stamp and the host that a relay put before it: with its own priority, or
/// with its own stamp, host and tag.
fn behind_relay(text: &str) -> Option<Envelope<'_>> {
    match text.as_bytes() {
        [b'<', b'0'..=b'9', ..] => {
            let (number, rest) = envelope::priority(text)?;
            let mut own = rfc5424::message(rest).unwrap_or_else(|| read(rest, Relay::Known));
            own.level = own.level.or(Some(envelope::severity(number & 7)));
            (own.stamp.is_some() || !own.app.is_empty() || own.id.is_some()).then_some(own)
        }
        [b'1', b' ', ..] => rfc5424::without_priority(text),
        [b'0'..=b'9', _, _, _, b'-', ..] | [b'A'..=b'Z', _, _, b' ', ..] => {
            let (own, behind) = stamp(text)?;
            let own = behind_stamp(own, behind, Relay::Known);
            (!own.host.is_empty() && !own.app.is_empty()).then_some(own)
        }
        _ => None,
    }
}

/// The sender's own message, with what only the relay's head has. The relay is a field.
fn of_relay<'a>(mut own: Envelope<'a>, relay: Envelope<'a>) -> Envelope<'a> {
    if own.host.is_empty() {
        own.host = relay.host;
    } else if !relay.host.is_empty() && relay.host != own.host {
        own.fields.push((Cow::Borrowed("relay_host"), Value::Text(Cow::Borrowed(relay.host))));
    }
    own.stamp = own.stamp.or(relay.stamp);
    own
}

/// Takes a tag with a process behind another tag that is a host's name: `web-1: sshd[7]: ...`, and `h1 h1: sshd[7]: ...`.
fn take_second_tag(e: &mut Envelope<'_>) {
    let host = e.pid.is_empty() && (e.host == e.app || e.host.is_empty() && is_evident(e.app)) && !e.app.is_empty();
    if host
        && let Some((name, pid, rest)) = tag(e.text)
        && e.text[name.len()..].starts_with('[')
    {
        e.host = e.app;
        e.app = name;
        e.pid = pid;
        e.text = rest.trim_start_matches(' ');
    }
}

fn take_host(e: &mut Envelope<'_>) {
    let end = e.text.bytes().position(|b| b == b' ' || b == b'\t').unwrap_or(e.text.len());
    let (word, rest) = e.text.split_at(end);
    if let Some(inner) = word.strip_prefix('[') {
        let behind = rest.trim_start_matches(BLANKS);
        if let Some(host) = inner.strip_suffix("]:").or(inner.strip_suffix(']')).filter(|host| is_bracketed_host(host, behind)) {
            e.host = host;
            e.text = behind;
        }
        return;
    }
    // Most hosts end here: a tag has a colon or a bracket in its first word.
    let plain = is_plain_name(word);
    let host = match word.strip_suffix(':') {
        _ if plain || is_ipv6(word) => word,
        Some(address) if address.parse::<IpAddr>().is_ok() => address,
        _ if word.contains([':', '[']) && tag(e.text).is_some() => return,
        _ => word,
    };
    if (plain || is_host(host)) && !level::is_word(host) && !is_priority(host) {
        // The point of the root of all domains.
        e.host = host.strip_suffix('.').filter(|host| host.contains('.')).unwrap_or(host);
        e.text = rest.trim_start_matches(BLANKS);
    }
}

/// True for a host in brackets, which daemons write around an address, or around a name that they could not resolve. Loggers write
/// other words there, so a name must be `localhost`, or a tag with a process must follow.
fn is_bracketed_host(host: &str, behind: &str) -> bool {
    let tagged = || tag(behind).is_some_and(|(_, pid, _)| !pid.is_empty());
    let named = || is_host(host) && !level::is_word(host) && !host.bytes().all(|b| b.is_ascii_digit()) && tagged();
    host == "localhost" || host.parse::<IpAddr>().is_ok() || named()
}

/// Called for every host, so a word without two colons is not parsed.
fn is_ipv6(word: &str) -> bool {
    word.bytes().filter(|&b| b == b':').nth(1).is_some() && word.parse::<IpAddr>().is_ok()
}

/// Moves the tag from the front of the text to its places.
fn take_tag(e: &mut Envelope<'_>) {
    if !e.app.is_empty() {
        return;
    }
    if let Some((name, pid, rest)) = tag(e.text) {
        e.text = rest.trim_start_matches(' ');
        if name.starts_with('%')
            && let Some((id, severity)) = vendor_id(name)
        {
            e.id = Some(EventId::Word(Cow::Borrowed(id)));
            e.level = Some(envelope::severity(severity));
            return;
        }
        e.app = name;
        e.pid = pid;
        // `unbound[7:0]:`: the process and its thread.
        if pid.bytes().filter(|b| !b.is_ascii_digit()).count() == 1
            && let Some((process, thread)) = pid.split_once([':', '/'])
            && !process.is_empty()
            && !thread.is_empty()
        {
            e.pid = process;
            e.fields.push((Cow::Borrowed("thread"), Value::Text(Cow::Borrowed(thread))));
        }
    }
}

/// The name, the pid and what follows them.
fn tag(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let mut i = 0;
    loop {
        match *bytes.get(i)? {
            // Names in Perl and C++: `Foo::Bar[12]:`
            b':' if bytes.get(i + 1) == Some(&b':') && i > 0 => i += 2,
            b':' if i > 0 => {
                // A device's id may be directly followed by its text.
                let free = bytes[0] == b'%' || !matches!(bytes.get(i + 1), Some(b'0'..=b'9' | b'/' | b'\\'));
                let name = &text[..i];
                // `auth:notice sshd[7]:` of AIX; a sequence number of Cisco.
                let other = match bytes.get(i + 1) {
                    Some(b'a'..=b'z') => envelope::is_facility(name),
                    _ => name.len() <= 10 && name.bytes().all(|b| b.is_ascii_digit()),
                };
                // Words in the place of a tag that are none: the severity of messages of Dell's iDRAC, and a format's name.
                let other = other || matches!(name, "Severity" | "CEF" | "LEEF");
                let (name, pid) = process_of(name);
                return (free && !other && !level::is_word(name)).then(|| (name, pid, &text[i + 1..]));
            }
            b'[' if i > 0 => break,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | 0x80.. => i += 1,
            b'-' | b'_' | b'.' | b'/' | b'(' | b')' | b'%' | b'@' | b'+' | b'#' | b'$' | b'~' | b'*' => i += 1,
            _ => return None,
        }
    }
    let (pid, rest) = text[i + 1..].split_once(']')?;
    // `03[IKE]` of strongSwan is a thread.
    let thread = text[..i].bytes().all(|b| b.is_ascii_digit()) && pid.bytes().all(|b| b.is_ascii_uppercase());
    if thread || pid.bytes().any(|b| b <= b' ' || b == b'[') {
        return None;
    }
    let rest = match rest.as_bytes().first() {
        Some(b':') => &rest[1..],
        None | Some(b' ') => rest,
        _ => return None,
    };
    (!level::is_word(&text[..i])).then(|| (&text[..i], pid, rest))
}

/// A tag's name, and the process in parentheses behind it: `ossec-logcollector(1950)`, but not `su(pam_unix)`.
fn process_of(name: &str) -> (&str, &str) {
    match name.strip_suffix(')').and_then(|open| open.split_once('(')) {
        // `list.c(7):` is a place in a program.
        Some((name, pid))
            if !name.is_empty() && !name.contains('.') && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()) =>
        {
            (name, pid)
        }
        _ => (name, ""),
    }
}

/// A stamp with at least a day, and what follows; a time alone does not count.
fn stamp(rest: &str) -> Option<(Stamp, &str)> {
    let (behind, stamp) = stamp::any(rest).ok()?;
    let ends = matches!(behind.as_bytes().first(), None | Some(b' ' | b':' | b'\t'));
    (ends && stamp.day != stamp::Day::Unknown).then_some((stamp, behind))
}

/// Removes what Cisco writes before the stamp: sequence numbers, the sender's name, and `*` or `.` for a clock that was never, or
/// is no longer, synchronised.
fn cisco<'a>(mut rest: &'a str, e: &mut Envelope<'a>) -> &'a str {
    for _ in 0..2 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).take(11).count();
        let Some(behind) = rest[digits..].strip_prefix(':').filter(|_| (1..=10).contains(&digits)) else {
            break;
        };
        if !behind.is_empty() && !behind.starts_with(' ') {
            break;
        }
        let number = Value::Text(Cow::Borrowed(&rest[..digits]));
        e.fields.push((Cow::Borrowed("meta.sequenceId"), number));
        rest = behind.trim_start_matches(' ');
    }
    if let Some((host, behind)) = rest.split_once(": ")
        && is_host(host)
        && stamp(unmarked(behind.trim_start_matches(' ')).0).is_some()
        && stamp(rest).is_none()
    {
        e.host = host;
        rest = behind.trim_start_matches(' ');
    }
    let (behind, synchronised) = unmarked(rest);
    if let Some(flag) = synchronised
        && stamp(behind).is_some()
    {
        let flag = Value::Text(Cow::Borrowed(flag));
        e.fields.push((Cow::Borrowed("timeQuality.isSynced"), flag));
        return behind;
    }
    rest
}

fn unmarked(rest: &str) -> (&str, Option<&'static str>) {
    match rest.as_bytes().first() {
        Some(b'*') => (&rest[1..], Some("0")),
        Some(b'.') => (&rest[1..], Some("1")),
        _ => (rest, None),
    }
}
