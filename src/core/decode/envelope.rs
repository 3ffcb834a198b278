//! The common part of both syslog formats: the priority, and the parts of a message before they become an event.

use crate::core::event::{EventId, Format, Level};

use super::level;
use super::stamp::Stamp;
use super::structured::StructuredFields;

/// A syslog message in parts. Empty for missing parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope<'a> {
    pub(super) format: Format,
    pub(super) stamp: Option<Stamp>,
    pub(super) host: &'a str,
    pub(super) app: &'a str,
    pub(super) pid: &'a str,
    pub(super) id: Option<EventId<'a>>,
    /// The level of the head itself, by an id that contains its severity or by a level word; or else the priority's severity.
    pub(super) level: Option<Level>,
    pub(super) fields: StructuredFields<'a>,
    pub(super) text: &'a str,
    pub(super) broken: bool,
    pub(super) fields_dropped: bool,
}

/// PRI = "<" PRIVAL ">", 0 to 191, without leading zeros (RFC 5424 section 6.2.1).
pub(super) fn priority(record: &str) -> Option<(u8, &str)> {
    let inner = record.strip_prefix('<')?;
    let end = inner.bytes().take(4).position(|b| b == b'>')?;
    let digits = &inner[..end];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || (end > 1 && digits.starts_with('0')) {
        return None;
    }
    let number: u8 = digits.parse().ok()?;
    (number <= 191).then_some((number, &inner[end + 1..]))
}

/// True for a facility's name as syslog daemons print it (`daemon`, `local7`, and `Local7` of Kiwi Syslog).
pub(super) fn is_facility(word: &str) -> bool {
    const NAMES: [&str; 17] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "security",
        "console", "audit", "caa",
    ];
    match word.as_bytes() {
        [b'L' | b'l', b'o', b'c', b'a', b'l', b'0'..=b'7'] => true,
        [b'a'..=b'z', ..] => NAMES.contains(&word),
        [b'A'..=b'Z', ..] => (3..=8).contains(&word.len()) && NAMES.iter().any(|name| name.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

/// The level of a syslog severity, 0 to 7 (RFC 5424 section 6.2.1, table 2).
pub(super) fn severity(number: u8) -> Level {
    match number {
        0 => Level::Emergency,
        1 => Level::Alert,
        2 => Level::Critical,
        3 => Level::Error,
        4 => Level::Warning,
        5 => Level::Notice,
        6 => Level::Info,
        _ => Level::Debug,
    }
}

/// True for `daemon.notice`, if a daemon writes it.
pub(super) fn is_priority(word: &str) -> bool {
    word.bytes().position(|b| b == b'.').is_some_and(|at| is_facility(&word[..at]) && level::word(&word[at + 1..]).is_some())
}

/// True for letters, digits, dashes and points, of which nearly all names of hosts consist.
pub(super) fn is_plain_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// True for what may be a host's name or address.
pub(super) fn is_host(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%' | '#' | '@' | '/' | '+' | '~' | '(' | ')'))
}
