//! What the keys of a record say: its time, level, host, application and process.
//!
//! In: keys and values as they are in an object ([`super::object`]) or in pairs ([`super::pairs`]). Out: parts of an event. The
//! record's text stays whole, because rules search it.
//!
//! | part | keys |
//! |---|---|
//! | time | `time timestamp Timestamp @timestamp @t ts t date datetime asctime eventTime EventTime dateTime timeMillis TimeCreated Time ISODATE __REALTIME_TIMESTAMP`; `epochSecond` in `instant` |
//! | zone | `tz`: an offset, of a time that does not say its own |
//! | level | `level Level @level @l severity Severity SeverityText lvl loglevel logLevel levelname level_name log.level error_severity LevelDisplayName PRIORITY`; `pri priority` with a word, and with a number beside `fw` (SonicWall) |
//! | id | `logid log_id` (Fortinet, Sophos); `EventID` (Windows); `m` beside `fw` (SonicWall); `code` in `event` (Elastic Common Schema); `id` of MongoDB |
//! | host | `devname device_name`, else `hostname Hostname HOSTNAME HOST MachineName host.name _HOSTNAME`; `host` in GELF and in what Logstash writes |
//! | application | `app application service service.name program PROGRAM programname SourceName ProviderName SYSLOG_IDENTIFIER`, except in records of network devices, whose `app` and `service` are those of the traffic |
//! | process | `pid PID ProcessID _PID` |
//!
//! Invariants: if several keys are for one part, the first one with a valid value counts, so nothing behind it can replace it. A
//! value that is no time, level or name is ignored. A day alone and a time of day alone (`date=2019-05-10 time=11:37:47`) make
//! one time.
//!
//! In the logs of web servers and routers `host` is what a caller asked for (the header of that name). So it counts only if it is
//! certainly the sender: GELF is recognised by its `version` (1.0 or 1.1) and `short_message`, Logstash by `@version`.
//!
//! A number as a time is in seconds, milliseconds, microseconds or nanoseconds since 1970, depending on its size. A number as a
//! level is syslog's 0 to 7 in `PRIORITY` and in GELF, and otherwise 10 to 60 of pino and bunyan; other numbers are ignored.

use std::borrow::Cow;

use crate::core::event::{Event, EventId, Level};

use super::envelope::{self, severity};
use super::genesys::NAME_BYTES;
use super::level;
use super::stamp::{self, Day, Stamp};

/// The meaning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownKey {
    Time,
    /// The offset from UTC of a time without one.
    Offset,
    Level,
    /// A level by syslog's numbers.
    Priority,
    /// A level by its word. A number may be anything.
    SomePriority,
    Host,
    /// The name of a network device, whose record says more about others than about itself.
    Device,
    /// The sender, or the host that a caller asked for.
    SomeHost,
    App,
    Pid,
    /// A network device's number for the kind of record.
    Id,
    /// A number of Windows for the kind of record.
    EventId,
    /// The mark of SonicWall.
    Firewall,
    /// SonicWall's number for the kind of record. It counts only beside its mark.
    SonicId,
    Logstash,
    /// With [`KnownKey::ShortMessage`], the mark of GELF.
    Version,
    ShortMessage,
    /// MongoDB's level, one letter. It counts only after MongoDB's time.
    Letter,
    /// MongoDB's id of a message. It counts only after MongoDB's time.
    MongoId,
    /// A record that may contain another one ([`super::wrap`]).
    Wrapped,
}

impl KnownKey {
    /// The meaning of a key of the top level; `None` if the key is not wanted.
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
            | "EventTime"
            | "dateTime"
            | "timeMillis"
            | "TimeCreated"
            | "Time"
            | "ISODATE"
            | "__REALTIME_TIMESTAMP"
            | "Timestamp"
            | "@t"
            | "asctime" => KnownKey::Time,
            "tz" => KnownKey::Offset,
            "level" | "severity" | "lvl" | "loglevel" | "log.level" | "error_severity" | "Level" | "@l" | "levelname"
            | "level_name" | "SeverityText" | "Severity" | "@level" | "LevelDisplayName" | "logLevel" => KnownKey::Level,
            "id" => KnownKey::MongoId,
            "PRIORITY" => KnownKey::Priority,
            "pri" | "priority" => KnownKey::SomePriority,
            "hostname" | "host.name" | "_HOSTNAME" | "Hostname" | "HOSTNAME" | "HOST" | "MachineName" => KnownKey::Host,
            "devname" | "device_name" => KnownKey::Device,
            "logid" | "log_id" => KnownKey::Id,
            "EventID" => KnownKey::EventId,
            "fw" => KnownKey::Firewall,
            "m" => KnownKey::SonicId,
            "host" => KnownKey::SomeHost,
            "@version" => KnownKey::Logstash,
            "app" | "application" | "service" | "service.name" | "program" | "PROGRAM" | "programname" | "SourceName"
            | "ProviderName" | "SYSLOG_IDENTIFIER" => KnownKey::App,
            "pid" | "PID" | "ProcessID" | "_PID" => KnownKey::Pid,
            "version" => KnownKey::Version,
            "short_message" => KnownKey::ShortMessage,
            "s" => KnownKey::Letter,
            "log" | "MESSAGE" => KnownKey::Wrapped,
            _ => return None,
        })
    }

    /// The key that is wanted in a nested object with this name: a key of the Elastic Common Schema, or MongoDB's time.
    pub(super) fn within(name: &str) -> Option<(&'static str, KnownKey)> {
        Some(match name {
            "log" => ("level", KnownKey::Level),
            "host" => ("name", KnownKey::Host),
            "service" => ("name", KnownKey::App),
            "t" => ("$date", KnownKey::Time),
            "instant" => ("epochSecond", KnownKey::Time),
            "event" => ("code", KnownKey::EventId),
            _ => return None,
        })
    }
}

/// What the keys read so far say. Empty for missing parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Keyed<'a> {
    stamp: Option<Stamp>,
    /// A day without a time, in days since 1970.
    day: Option<i64>,
    /// A time without a day.
    clock: Option<Stamp>,
    /// Seconds east of UTC, for a time without an offset.
    east_s: Option<i64>,
    level: Option<Level>,
    /// 0 to 7: a level only in GELF.
    gelf_level: Option<u8>,
    version: bool,
    short_message: bool,
    mongo: bool,
    /// A network device wrote the record.
    device: bool,
    /// A firewall of SonicWall wrote the record.
    firewall: bool,
    /// A number of `pri`, which is a level only beside `fw`.
    some_priority: Option<u8>,
    sonic_id: Cow<'a, str>,
    wrapped: bool,
    logstash: bool,
    some_host: Cow<'a, str>,
    host: Cow<'a, str>,
    app: Cow<'a, str>,
    pid: Cow<'a, str>,
    id: Cow<'a, str>,
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
            KnownKey::Priority => {
                let said = number(&value).filter(|n| *n < 8).map(severity).or_else(|| level::word(&value));
                self.level = self.level.or(said);
            }
            KnownKey::SomePriority => {
                self.some_priority = self.some_priority.or(number(&value).filter(|n| *n < 8));
                self.level = self.level.or(level::word(&value));
            }
            KnownKey::Device if self.host.is_empty() && is_name(&value) && envelope::is_host(&value) => {
                self.device = true;
                self.host = value;
            }
            KnownKey::Firewall => self.firewall = true,
            KnownKey::SonicId if self.sonic_id.is_empty() => self.sonic_id = value,
            KnownKey::Host if self.host.is_empty() && !self.device && is_name(&value) && envelope::is_host(&value) => {
                self.host = value
            }
            KnownKey::SomeHost if self.some_host.is_empty() && is_name(&value) && envelope::is_host(&value) => {
                self.some_host = value
            }
            KnownKey::App if self.app.is_empty() && is_name(&value) => self.app = value,
            KnownKey::Pid if self.pid.is_empty() && is_name(&value) && !value.contains(' ') => self.pid = value,
            KnownKey::Id | KnownKey::EventId if self.id.is_empty() && is_name(&value) && !value.contains(' ') => {
                self.device |= key == KnownKey::Id;
                self.id = value;
            }
            KnownKey::Host
            | KnownKey::Device
            | KnownKey::SonicId
            | KnownKey::SomeHost
            | KnownKey::App
            | KnownKey::Pid
            | KnownKey::Id
            | KnownKey::EventId => {}
            KnownKey::Logstash => self.logstash = true,
            KnownKey::Version => self.version |= matches!(&*value, "1.0" | "1.1"),
            KnownKey::ShortMessage => self.short_message = true,
            KnownKey::Letter if self.mongo => self.level = self.level.or(level::letter(&value)),
            KnownKey::Letter => {}
            KnownKey::Wrapped => self.wrapped = true,
        }
    }

    /// MongoDB's time was read, so its level may be read too.
    pub(super) fn take_mongo(&mut self) {
        self.mongo = true;
    }

    /// True if no further key is wanted.
    pub(super) fn complete(&self) -> bool {
        self.stamp.is_some() && self.level.is_some() && !self.host.is_empty() && !self.app.is_empty() && !self.pid.is_empty()
    }

    /// True if another record may be inside this one. A complete record was not read to its end.
    pub(super) fn may_wrap(&self) -> bool {
        self.wrapped || self.complete()
    }

    /// True if a day and a time were read.
    pub(super) fn dated(&self) -> bool {
        self.stamp.is_some()
    }

    /// When the record was written.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let day = self.day.map_or(Day::Unknown, Day::Full);
        let stamp = self.stamp.or(self.clock.map(|clock| Stamp { day, ..clock }))?;
        Some(Stamp { east_s: stamp.east_s.or(self.east_s), ..stamp })
    }

    /// The level of the record.
    pub(super) fn level(&self) -> Option<Level> {
        let sonic = self.some_priority.filter(|_| self.firewall);
        self.level.or(self.gelf_level.filter(|_| self.is_gelf()).or(sonic).map(severity))
    }

    /// The application, except in a record of a network device: there it is the traffic's.
    fn app(&mut self) -> Cow<'a, str> {
        if self.device { Cow::Borrowed("") } else { std::mem::take(&mut self.app) }
    }

    fn id(&mut self) -> Option<EventId<'a>> {
        let sonic = self.id.is_empty() && self.firewall;
        id_of(std::mem::take(if sonic { &mut self.sonic_id } else { &mut self.id }))
    }

    /// Gives the event what the keys say, except the time.
    pub(super) fn fill(mut self, event: &mut Event<'a>) {
        event.level = self.level();
        let sender = self.is_gelf() || self.logstash;
        event.app = self.app();
        event.id = self.id();
        event.host = if self.host.is_empty() && sender { self.some_host } else { self.host };
        event.pid = self.pid;
    }

    /// Gives a syslog message what its head leaves out. The level is the sender's own, if it has one.
    pub(super) fn complete_message(mut self, event: &mut Event<'a>) {
        event.level = self.level().or(event.level);
        let (app, id) = (self.app(), self.id());
        for (part, said) in [(&mut event.host, self.host), (&mut event.app, app), (&mut event.pid, self.pid)] {
            if part.is_empty() {
                *part = said;
            }
        }
        event.id = event.id.take().or(id);
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
            None => self.level = self.level.or_else(|| level::word(value)).or_else(|| level::alarm(value)),
        }
    }
}

fn id_of(written: Cow<'_, str>) -> Option<EventId<'_>> {
    match written {
        Cow::Borrowed(id) => EventId::parse(id),
        Cow::Owned(id) => EventId::parse(&id).map(EventId::into_owned),
    }
}

/// True for what may be the name of a host, an application or a process.
fn is_name(value: &str) -> bool {
    (1..=NAME_BYTES).contains(&value.len()) && value != "-" && !value.chars().any(char::is_control)
}

fn number(value: &str) -> Option<u8> {
    // `parse` would accept a sign.
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
