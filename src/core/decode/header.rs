//! The header of a Genesys file: the program that writes it, its host, and its zone.
//!
//! ```text
//! Application name: SIP_P
//! Application type: TServer (1)
//! Host name:        GenUAT02
//! Time zone:        -19800, India Standard Time, India Daylight Time
//! UTC time:         2026-02-02T08:24:59.852
//! Local time:       2026-02-02T13:54:59.852
//! ```
//!
//! In: lines. Out: what they say ([`HeaderLine`]), and what follows from all of them together ([`Header`]). The decoder decides
//! whether a line may be believed where it stands.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::core::event::{Event, TypeCode};

use super::calendar::{DAY_US, SECOND_US};
use super::stamp;

/// One line of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderLine<'a> {
    App(&'a str),
    Type(&'a str, Option<TypeCode>),
    Host(&'a str),
    /// Seconds west of UTC.
    Zone(i64),
    /// Microseconds since 1970 in UTC when the header was written.
    Utc(i64),
    /// The same moment by the host's local time.
    Local(i64),
    /// A line that belongs to a header and contains nothing that is needed.
    Other,
}

/// Keys by their beginning, in lower case; the first match counts.
const KEYS: [(&str, Key); 17] = [
    ("application name:", Key::App),
    ("application type:", Key::Type),
    ("host name:", Key::Host),
    ("application host", Key::Host), // GMS
    ("machinename:", Key::Host),     // Workspace
    ("pid@host:", Key::PidAtHost),   // GWS
    ("time zone:", Key::Zone),
    ("utc time:", Key::Utc),
    ("utc start time:", Key::Utc), // GMS, SIP Endpoint
    ("local time:", Key::Local),
    ("start time (utc):", Key::Other),
    ("start time:", Key::Other),
    ("command line:", Key::Other),
    ("dst:", Key::Other),
    ("running time:", Key::Other),
    ("host info:", Key::Other),
    ("file:", Key::Other),
];

#[derive(Clone, Copy)]
enum Key {
    App,
    Type,
    Host,
    PidAtHost,
    Zone,
    Utc,
    Local,
    Other,
}

/// Reads one line; `None` if no header has such a line. A known key with an unreadable value is `Other`.
pub(super) fn entry(line: &str) -> Option<HeaderLine<'_>> {
    let (_, key) = KEYS.iter().find(|(name, _)| {
        let head = line.as_bytes().get(..name.len());
        head.is_some_and(|h| h.eq_ignore_ascii_case(name.as_bytes()))
    })?;
    let value = line.split_once(':')?.1.trim();
    let read = match key {
        Key::App => Some(HeaderLine::App(value)),
        Key::Type => Some(application_type(value)),
        Key::Host => Some(HeaderLine::Host(value)),
        Key::PidAtHost => {
            let inner = value.trim_matches(['[', ']']);
            inner.split_once('@').map(|(_, host)| HeaderLine::Host(host))
        }
        Key::Zone => {
            let seconds = value.split(',').next().and_then(|s| s.trim().parse().ok());
            seconds.filter(|s: &i64| s.abs() <= 86_400).map(HeaderLine::Zone)
        }
        Key::Utc => moment(value).map(HeaderLine::Utc),
        Key::Local => moment(value).map(HeaderLine::Local),
        Key::Other => None,
    };
    Some(match read {
        Some(HeaderLine::App("") | HeaderLine::Host("") | HeaderLine::Type("", _)) | None => HeaderLine::Other,
        Some(entry) => entry,
    })
}

/// `TServer (1)`: the name and the code of a type.
fn application_type(value: &str) -> HeaderLine<'_> {
    if let Some((name, code)) = value.rsplit_once('(')
        && let Some(Ok(code)) = code.strip_suffix(')').map(str::parse)
    {
        return HeaderLine::Type(name.trim_end(), Some(code));
    }
    HeaderLine::Type(value, None)
}

fn moment(value: &str) -> Option<i64> {
    stamp::any(value).ok()?.1.local_us()
}

/// What a header has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) app: String,
    pub(super) app_type: String,
    pub(super) code: Option<TypeCode>,
    pub(super) host: String,
    zone_west_s: Option<i64>,
    utc_us: Option<i64>,
    local_us: Option<i64>,
    /// Whether the file's stamps are in UTC; a stamp itself does not show it.
    in_utc: Option<bool>,
    /// A time was read and no record since.
    fresh: bool,
}

impl Header {
    /// True if a header has been read.
    pub(super) fn known(&self) -> bool {
        !self.app.is_empty()
    }

    /// Gives a line of the file the names of the program that writes the file.
    pub(super) fn name(&self, event: &mut Event<'_>) {
        event.host = Cow::Owned(self.host.clone());
        event.app = Cow::Owned(self.app.clone());
        event.app_type = Cow::Owned(self.app_type.clone());
    }

    /// Takes over what a line says.
    pub(super) fn learn(&mut self, entry: HeaderLine<'_>) {
        match entry {
            HeaderLine::App(app) => self.app = app.to_owned(),
            HeaderLine::Type(name, code) => {
                self.app_type = name.to_owned();
                self.code = code;
            }
            HeaderLine::Host(host) => self.host = host.to_owned(),
            HeaderLine::Zone(west_s) => self.zone_west_s = Some(west_s),
            HeaderLine::Utc(us) => {
                self.utc_us = Some(us);
                self.fresh = true;
            }
            HeaderLine::Local(us) => {
                self.local_us = Some(us);
                self.fresh = true;
            }
            HeaderLine::Other => {}
        }
    }

    /// True if a line does not contradict the header. Its times are not compared: each segment has its own.
    pub(super) fn agrees(&self, entry: HeaderLine<'_>) -> bool {
        match entry {
            HeaderLine::App(app) => app == self.app,
            HeaderLine::Type(name, code) => name == self.app_type && code == self.code,
            HeaderLine::Host(host) => host == self.host,
            HeaderLine::Zone(west_s) => self.zone_west_s == Some(west_s),
            HeaderLine::Utc(_) | HeaderLine::Local(_) | HeaderLine::Other => true,
        }
    }

    /// The zone of the file's stamps in seconds west of UTC. It follows from the header's two times, with summer time; the zone
    /// that the header names leaves summer time out.
    pub(super) fn west_s(&self) -> Option<i64> {
        if self.in_utc == Some(true) {
            return Some(0);
        }
        self.difference_s().or(self.zone_west_s)
    }

    fn difference_s(&self) -> Option<i64> {
        const QUARTER_S: i64 = 900;
        let seconds = self.utc_us?.saturating_sub(self.local_us?) / SECOND_US;
        let quarters = (seconds + QUARTER_S / 2 * seconds.signum()) / QUARTER_S;
        (seconds.abs() <= 86_400).then_some(quarters * QUARTER_S)
    }

    /// Decides from the first stamp of the file, if it was written within moments of the header, whether stamps are in UTC.
    /// Returns the header's own time in the same zone; `None` if there is no header before this stamp.
    pub(super) fn first_stamp(&mut self, time_of_day_us: i64) -> Option<i64> {
        const AT_ONCE_US: i64 = 300 * SECOND_US;
        if !std::mem::take(&mut self.fresh) {
            return None;
        }
        if let (Some(utc), Some(local), None) = (self.utc_us, self.local_us, self.in_utc)
            && self.difference_s().is_some_and(|s| s != 0)
        {
            let distance = |to: i64| {
                let d = (to - time_of_day_us).rem_euclid(DAY_US);
                d.min(DAY_US - d)
            };
            if distance(utc).min(distance(local)) <= AT_ONCE_US {
                self.in_utc = Some(distance(utc) < distance(local));
            }
        }
        match self.in_utc {
            Some(true) => self.utc_us,
            _ => self.local_us,
        }
    }

    /// Takes the option `time-convert`, which the file itself reports when it is set.
    pub(super) fn option_set(&mut self, text: &str) {
        let name = "Option 'time-convert' has been set to the value '";
        match text.strip_prefix(name).and_then(|v| v.strip_suffix('\'')) {
            Some("utc") => self.in_utc = Some(true),
            Some("local") => self.in_utc = Some(false),
            _ => {}
        }
    }

    /// The type code of a short id. Numbers below 10,000 are common to all types (code 0), others are the type's own. `None`
    /// without a header, because then it is unknown which program wrote the record.
    pub(super) fn code_of(&self, number: u32) -> Option<TypeCode> {
        const COMMON_BELOW: u32 = 10_000;
        match self.known() {
            true if number < COMMON_BELOW => Some(0),
            _ => self.code,
        }
    }
}
