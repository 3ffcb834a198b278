//! What the keys of a record say of it: its time, level, host, application and process.
//!
//! In: keys and values as they stand in an object ([`super::object`]) or in pairs ([`super::pairs`]). Out: parts of an event. The record's text
//! stays whole, for rules search it.
//!
//! | part | keys |
//! |---|---|
//! | time | `time timestamp Timestamp @timestamp @t ts t date datetime asctime eventTime __REALTIME_TIMESTAMP`; `epochSecond` in `instant` |
//! | zone | `tz`: an offset, of a time that does not say its own |
//! | level | `level Level @l severity SeverityText lvl loglevel levelname level_name log.level error_severity PRIORITY` |
//! | id | `logid log_id` (Fortinet, Sophos); `code` in `event` (Elastic Common Schema); `id` of MongoDB |
//! | host | `hostname host.name _HOSTNAME devname device_name`; `host` in GELF and in what Logstash writes |
//! | application | `app application service service.name program SYSLOG_IDENTIFIER` |
//! | process | `pid _PID` |
//!
//! Invariants: of several keys for one part the first that says something counts, so that nothing behind it can take its place. What is no
//! time, level or name says nothing. A day alone and a time of day alone (`date=2019-05-10 time=11:37:47`) make one time.
//!
//! A `host` is what a caller asked for in the logs of web servers and routers (the header of that name), so it counts only where it
//! is known to be the sender: GELF is known by its `version` (1.0 or 1.1) and `short_message`, Logstash by `@version`.
//!
//! Numbers that are times count seconds, milliseconds, microseconds or nanoseconds since 1970, by their size. Numbers that are levels are
//! syslog's 0 to 7 in `PRIORITY` and in GELF, else 10 to 60 of pino and bunyan; others are none.

use std::borrow::Cow;

use crate::core::event::{Event, EventId, Level};

use super::envelope::severity;
use super::genesys::NAME_BYTES;
use super::stamp::{self, Day, Stamp};
use super::{level, object, pairs, rfc3164};

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownKey {
    Time,
    /// The distance from UTC of a time that does not say it.
    Offset,
    Level,
    /// A level by syslog's numbers.
    Priority,
    Host,
    /// The sender, or whom a caller asked for.
    SomeHost,
    App,
    Pid,
    /// A device's number of the kind of record.
    Id,
    Logstash,
    /// With [`KnownKey::ShortMessage`] the mark of GELF.
    Version,
    ShortMessage,
    /// MongoDB's level, one letter; it counts behind MongoDB's time.
    Letter,
    /// MongoDB's id of a message; it counts behind MongoDB's time.
    MongoId,
    /// A record in which another one may stand ([`super::wrap`]).
    Wrapped,
}

impl KnownKey {
    /// What a key of the top level is about; `None` for all that is not wanted.
    pub(super) fn of(name: &str) -> Option<KnownKey> {
        Some(match name {
            "time"
            | "timestamp"
            | "@timestamp"
            | "ts"
            | "t"
            | "date"
            | "datetime"
            | "eventTime"
            | "__REALTIME_TIMESTAMP"
            | "Timestamp"
            | "@t"
            | "asctime" => KnownKey::Time,
            "tz" => KnownKey::Offset,
            "level" | "severity" | "lvl" | "loglevel" | "log.level" | "error_severity" | "Level" | "@l" | "levelname"
            | "level_name" | "SeverityText" => KnownKey::Level,
            "id" => KnownKey::MongoId,
            "PRIORITY" => KnownKey::Priority,
            "hostname" | "host.name" | "_HOSTNAME" | "devname" | "device_name" => KnownKey::Host,
            "logid" | "log_id" => KnownKey::Id,
            "host" => KnownKey::SomeHost,
            "@version" => KnownKey::Logstash,
            "app" | "application" | "service" | "service.name" | "program" | "SYSLOG_IDENTIFIER" => KnownKey::App,
            "pid" | "_PID" => KnownKey::Pid,
            "version" => KnownKey::Version,
            "short_message" => KnownKey::ShortMessage,
            "s" => KnownKey::Letter,
            "log" | "MESSAGE" => KnownKey::Wrapped,
            _ => return None,
        })
    }

    /// The key that is looked for in an object that stands under this name: the Elastic Common Schema's, and MongoDB's time.
    pub(super) fn within(name: &str) -> Option<(&'static str, KnownKey)> {
        Some(match name {
            "log" => ("level", KnownKey::Level),
            "host" => ("name", KnownKey::Host),
            "service" => ("name", KnownKey::App),
            "t" => ("$date", KnownKey::Time),
            "instant" => ("epochSecond", KnownKey::Time),
            "event" => ("code", KnownKey::Id),
            _ => return None,
        })
    }
}

/// What the keys read so far say. Empty where they say nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Keyed<'a> {
    stamp: Option<Stamp>,
    /// A day without a time, in days since 1970.
    day: Option<i64>,
    /// A time without a day.
    clock: Option<Stamp>,
    /// Seconds east of UTC, for a time that does not say it.
    east_s: Option<i64>,
    level: Option<Level>,
    /// 0 to 7: a level in GELF alone.
    gelf_level: Option<u8>,
    version: bool,
    short_message: bool,
    mongo: bool,
    wrapped: bool,
    logstash: bool,
    some_host: Cow<'a, str>,
    host: Cow<'a, str>,
    app: Cow<'a, str>,
    pid: Cow<'a, str>,
    id: Cow<'a, str>,
}

/// True for what begins as an object or as pairs do: most lines end here at their first byte or word.
pub(super) fn begins(record: &str) -> bool {
    match record.as_bytes() {
        [b'{', ..] | [b'@', b'c', b'e', b'e', b':', ..] => true,
        [b'A'..=b'Z' | b'a'..=b'z' | b'_', ..] => pairs::begins(record),
        _ => false,
    }
}

/// Reads a record that begins so; `None` when it is neither.
pub(super) fn read(record: &str) -> Option<Keyed<'_>> {
    object::read(record).or_else(|| pairs::read(record))
}

/// The level of a message that is an object or pairs.
#[inline(never)]
pub(super) fn level(message: &str) -> Option<Level> {
    read(message)?.level()
}

impl<'a> Keyed<'a> {
    /// Takes the value of a key.
    pub(super) fn take(&mut self, key: KnownKey, value: Cow<'a, str>) {
        match key {
            KnownKey::Time => self.take_time(&value),
            KnownKey::Offset => self.east_s = self.east_s.or(stamp::zone_number(&value).ok().map(|(_, east_s)| east_s)),
            KnownKey::Level => self.take_level(&value),
            KnownKey::MongoId if self.mongo && self.id.is_empty() => self.id = value,
            KnownKey::MongoId => {}
            KnownKey::Priority => self.level = self.level.or(number(&value).filter(|n| *n < 8).map(severity)),
            KnownKey::Host if self.host.is_empty() && is_name(&value) && rfc3164::is_host(&value) => self.host = value,
            KnownKey::SomeHost if self.some_host.is_empty() && is_name(&value) && rfc3164::is_host(&value) => {
                self.some_host = value
            }
            KnownKey::App if self.app.is_empty() && is_name(&value) => self.app = value,
            KnownKey::Pid if self.pid.is_empty() && is_name(&value) && !value.contains(' ') => self.pid = value,
            KnownKey::Id if self.id.is_empty() && is_name(&value) && !value.contains(' ') => self.id = value,
            KnownKey::Host | KnownKey::SomeHost | KnownKey::App | KnownKey::Pid | KnownKey::Id => {}
            KnownKey::Logstash => self.logstash = true,
            KnownKey::Version => self.version |= matches!(&*value, "1.0" | "1.1"),
            KnownKey::ShortMessage => self.short_message = true,
            KnownKey::Letter if self.mongo => self.level = self.level.or(level::letter(&value)),
            KnownKey::Letter => {}
            KnownKey::Wrapped => self.wrapped = true,
        }
    }

    /// MongoDB's time was read, and so its level may be.
    pub(super) fn take_mongo(&mut self) {
        self.mongo = true;
    }

    /// Nothing further is wanted.
    pub(super) fn complete(&self) -> bool {
        self.stamp.is_some() && self.level.is_some() && !self.host.is_empty() && !self.app.is_empty() && !self.pid.is_empty()
    }

    /// Another record may stand in this one. What is complete was not read to its end.
    pub(super) fn may_wrap(&self) -> bool {
        self.wrapped || self.complete()
    }

    /// A day and a time were read.
    pub(super) fn dated(&self) -> bool {
        self.stamp.is_some()
    }

    /// When the record was written.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let day = self.day.map_or(Day::Unknown, Day::Full);
        let stamp = self.stamp.or(self.clock.map(|clock| Stamp { day, ..clock }))?;
        Some(Stamp { east_s: stamp.east_s.or(self.east_s), ..stamp })
    }

    /// How grave the record is.
    pub(super) fn level(&self) -> Option<Level> {
        self.level.or(self.gelf_level.filter(|_| self.is_gelf()).map(severity))
    }

    /// Gives the event what the keys say, but for the time.
    pub(super) fn fill(self, event: &mut Event<'a>) {
        event.level = self.level();
        let sender = self.is_gelf() || self.logstash;
        event.host = if self.host.is_empty() && sender { self.some_host } else { self.host };
        event.app = self.app;
        event.pid = self.pid;
        event.id = id_of(self.id);
    }

    /// Gives a syslog message what its head leaves out. The level is the sender's own, where it says one.
    pub(super) fn complete_message(self, event: &mut Event<'a>) {
        event.level = self.level().or(event.level);
        for (part, said) in [(&mut event.host, self.host), (&mut event.app, self.app), (&mut event.pid, self.pid)] {
            if part.is_empty() {
                *part = said;
            }
        }
        event.id = event.id.take().or(id_of(self.id));
    }

    fn is_gelf(&self) -> bool {
        self.version && self.short_message
    }

    fn take_time(&mut self, value: &str) {
        if self.stamp.is_some() {
            return;
        }
        match stamp::epoch(value).or_else(|| stamp::alone(value)) {
            Some(clock @ Stamp { day: Day::Unknown, .. }) => self.clock = self.clock.or(Some(clock)),
            Some(stamp) => self.stamp = Some(stamp),
            None => self.day = self.day.or(stamp::day(value)),
        }
    }

    fn take_level(&mut self, value: &str) {
        match number(value) {
            Some(n @ 0..=7) => self.gelf_level = self.gelf_level.or(Some(n)),
            Some(n) => self.level = self.level.or(pino(n)),
            None => self.level = self.level.or(level::word(value)),
        }
    }
}

fn id_of(written: Cow<'_, str>) -> Option<EventId<'_>> {
    match written {
        Cow::Borrowed(id) => EventId::parse(id),
        Cow::Owned(id) => EventId::parse(&id).map(EventId::into_owned),
    }
}

/// What may be a host's, an application's or a process's name.
fn is_name(value: &str) -> bool {
    (1..=NAME_BYTES).contains(&value.len()) && value != "-" && !value.chars().any(char::is_control)
}

fn number(value: &str) -> Option<u8> {
    // `parse` would take a sign.
    value.as_bytes().first().filter(|b| b.is_ascii_digit())?;
    value.parse().ok()
}

/// The levels of pino and bunyan.
fn pino(number: u8) -> Option<Level> {
    Some(match number {
        10 | 20 => Level::Debug,
        30 => Level::Info,
        40 => Level::Warning,
        50 => Level::Error,
        60 => Level::Critical,
        _ => return None,
    })
}
