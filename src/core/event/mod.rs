//! One decoded log record, the type that sources, rules, engine and scripts share.
//!
//! `decode` makes it from raw bytes. It borrows from the record while it is matched, and is owned (`into_owned`) once a rule
//! wants it. Nothing here judges: an event says what its record says.

mod built_in;
mod id;
mod inside;
mod stale;
mod value;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{EVENT_BYTES, EVENT_FIELD_BYTES, EVENT_TEXT_BYTES};
use crate::core::base::text::cut;
use crate::core::base::time::Time;

pub use built_in::{BuiltIn, DERIVED};
pub use id::{EventId, TypeCode, marked_vendor_id, unreadable, vendor_id};
pub use inside::{PREFIXES as INSIDE_PREFIXES, names_inside};
pub use stale::{Stale, StaleRecord};
pub use value::Value;

/// The application that self events name. An event of a log with this name is not `authenticated`.
pub const OWN_APP: &str = "pointsman";

/// The role that a member of a pair claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimedRole {
    Primary,
    Backup,
}

impl ClaimedRole {
    /// The name of the role: `primary` or `backup`.
    pub fn name(self) -> &'static str {
        match self {
            ClaimedRole::Primary => "primary",
            ClaimedRole::Backup => "backup",
        }
    }

    /// The role with that name.
    pub fn parse(name: &str) -> Option<ClaimedRole> {
        [ClaimedRole::Primary, ClaimedRole::Backup].into_iter().find(|role| role.name() == name)
    }
}

/// Severity of a record. The eight levels of syslog (RFC 5424 section 6.2.1) and the five of Genesys are on one scale, lowest
/// first.
///
/// Genesys `Debug`, `Trace`, `Interaction`, `Standard` and `Alarm` are read as debug, trace, info, notice and critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Genesys Debug, syslog 7.
    Debug,
    Trace,
    /// Genesys Interaction, syslog 6.
    Info,
    /// Genesys Standard, syslog 5.
    Notice,
    Warning,
    Error,
    /// Genesys Alarm, syslog 2.
    Critical,
    Alert,
    Emergency,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 9] = [
        Level::Debug,
        Level::Trace,
        Level::Info,
        Level::Notice,
        Level::Warning,
        Level::Error,
        Level::Critical,
        Level::Alert,
        Level::Emergency,
    ];

    /// The name that rules use: `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Trace => "trace",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
            Level::Alert => "alert",
            Level::Emergency => "emergency",
        }
    }

    /// The level for a word of a rule: the names above, and the Genesys words `interaction`, `standard`, `alarm`.
    pub fn parse(word: &str) -> Option<Level> {
        match word {
            "interaction" => Some(Level::Info),
            "standard" => Some(Level::Notice),
            "alarm" => Some(Level::Critical),
            "err" => Some(Level::Error),
            "warn" => Some(Level::Warning),
            "crit" => Some(Level::Critical),
            "emerg" => Some(Level::Emergency),
            _ => Level::ALL.into_iter().find(|l| l.name() == word),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far the sender of an event is authenticated, least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Anyone may have sent it: UDP.
    #[default]
    Unverified,
    /// It came over TCP from the address of the host that it names.
    Address,
    /// A file, a unix socket or standard input of this machine.
    Local,
    /// A TLS client certificate or an agent authenticates it.
    Authenticated,
}

impl Trust {
    /// Every level, the lowest first.
    pub const ALL: [Trust; 4] = [Trust::Unverified, Trust::Address, Trust::Local, Trust::Authenticated];

    /// The name that rules and configuration use.
    pub fn name(self) -> &'static str {
        match self {
            Trust::Unverified => "unverified",
            Trust::Address => "address",
            Trust::Local => "local",
            Trust::Authenticated => "authenticated",
        }
    }

    /// The part of a shared limit that senders with this trust or less may fill together. The rest is reserved for senders
    /// with more trust, so that less trusted ones cannot exclude them.
    pub fn share_of(self, bound: usize) -> usize {
        match self {
            Trust::Unverified => bound / 2,
            Trust::Address => bound / 4 * 3,
            Trust::Local => bound / 8 * 7,
            Trust::Authenticated => bound,
        }
    }

    /// The trust that a rule or the configuration names.
    pub fn parse(word: &str) -> Option<Trust> {
        Trust::ALL.into_iter().find(|trust| trust.name() == word)
    }
}

/// The form in which a record was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Rfc5424,
    /// RFC 3164, with the deviations that senders use.
    Rfc3164,
    /// A Genesys record, short or full, bare in a file.
    Genesys,
    /// Any other record: a line with or without a time stamp and a level, JSON, pairs, text.
    #[default]
    Plain,
}

/// Irregularities of a record. All are false for a regular one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventMarks {
    /// The record was longer than [`crate::core::base::limits::RECORD_BYTES`] and was cut there.
    pub cut: bool,
    /// The bytes were not UTF-8. Each was read as the Latin-1 character with its number, so that none is lost.
    pub latin1: bool,
    /// A header began that could not be read to its end; it is part of the text.
    pub broken: bool,
    /// The year was not in the record and was guessed (nearest to the reference time).
    pub guessed_year: bool,
    /// The date was not in the record and was taken from the last dated record, the file's header or the reference time.
    pub guessed_date: bool,
    /// The record does not state its time zone; the zone of its source was used.
    pub zoneless: bool,
    /// The record has more fields than [`crate::core::base::limits::FIELDS_PER_EVENT`]; the rest was dropped.
    pub fields_dropped: bool,
    /// A further line of the previous record, with the time, host, application and type of that record.
    pub continuation: bool,
    /// A line of a file's header: it says who writes the file, not that something happened.
    pub header: bool,
    /// The time stamp is more than an hour from the source's last one, and no other record has confirmed it yet.
    pub jump: bool,
    /// An `ignore` of the rules matches it: no rule receives it.
    pub ignored: bool,
    /// A part of a record that a later line completes. No rule receives it, because the last part has the whole text.
    pub partial: bool,
}

/// One decoded log record. It borrows from the record's bytes where possible; [`Event::into_owned`] copies it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event<'a> {
    /// The record's own time, if it has one.
    pub at: Option<Time>,
    /// The host that the record names, as written there; empty if it names none.
    pub host: Cow<'a, str>,
    /// The application that the record (or its file's header) names, as written there; empty if there is none.
    pub app: Cow<'a, str>,
    /// The application's type as a file header names it (`TServer`); empty if there is none.
    pub app_type: Cow<'a, str>,
    /// Process id as written; empty if there is none.
    pub pid: Cow<'a, str>,
    pub id: Option<EventId<'a>>,
    pub level: Option<Level>,
    /// Syslog facility number, 0 to 23.
    pub facility: Option<u8>,
    /// For how many equal messages the record stands, if a syslog daemon has replaced them by one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<NonZeroU16>,
    /// The text of the record without its head: priority, time stamp, names, level. JSON and pairs are text as a whole.
    pub text: Cow<'a, str>,
    /// The raw record, if it differs from the text; otherwise empty. See [`Event::raw`].
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub raw: Cow<'a, str>,
    /// The address that it came from, for records from the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<IpAddr>,
    /// Structured data (`SD-ID.name`), record attributes (`ID`, `RSN`) and all other named values, in order.
    pub fields: Vec<(Cow<'a, str>, Value<'a>)>,
    /// The trust of its sender.
    #[serde(alias = "provenance")]
    pub trust: Trust,
    /// The role that its application claims, if rules or the configuration take it for a claim of a pair's member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_role: Option<ClaimedRole>,
    /// The form in which it was read.
    pub format: Format,
    /// The irregularities of the record.
    pub marks: EventMarks,
}

impl Event<'_> {
    /// True if the record names a relay beside its host: the host is what the relay passed on.
    pub fn has_relay(&self) -> bool {
        self.fields.iter().any(|(name, _)| name == "relay_host")
    }

    /// The number of messages that conditions count for it.
    pub fn times(&self) -> u16 {
        self.repeated.map_or(1, NonZeroU16::get)
    }

    /// Sets the host and the application if the record names none. An empty text sets nothing.
    pub fn default_names(&mut self, host: &str, app: &str) {
        for (part, default) in [(&mut self.host, host), (&mut self.app, app)] {
            if part.is_empty() && !default.is_empty() {
                *part = Cow::Owned(default.to_owned());
            }
        }
    }

    /// The event with a copy of everything that it borrows.
    pub fn into_owned(self) -> Event<'static> {
        fn own(c: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(c.into_owned())
        }
        Event {
            at: self.at,
            host: own(self.host),
            app: own(self.app),
            app_type: own(self.app_type),
            pid: own(self.pid),
            id: self.id.map(EventId::into_owned),
            level: self.level,
            facility: self.facility,
            repeated: self.repeated,
            text: own(self.text),
            raw: own(self.raw),
            sender: self.sender,
            fields: self.fields.into_iter().map(|(k, v)| (own(k), v.into_owned())).collect(),
            trust: self.trust,
            claimed_role: self.claimed_role,
            format: self.format,
            marks: self.marks,
        }
    }

    /// The event as the journal stores it: long texts are cut.
    pub fn kept(&self) -> Event<'static> {
        let short = |text: &str| Cow::Owned(cut(text, EVENT_FIELD_BYTES).into_owned());
        let mut left = EVENT_BYTES - EVENT_TEXT_BYTES;
        let mut fields = Vec::new();
        for (name, value) in &self.fields {
            let value = value.cut(EVENT_FIELD_BYTES);
            let bytes = name.len() + value.weight();
            if bytes > left {
                break;
            }
            left -= bytes;
            fields.push((short(name), value));
        }
        Event {
            host: short(&self.host),
            app: short(&self.app),
            app_type: short(&self.app_type),
            pid: short(&self.pid),
            id: self.id.clone().map(EventId::into_owned),
            text: Cow::Owned(cut(&self.text, EVENT_TEXT_BYTES).into_owned()),
            raw: short(&self.raw),
            sender: self.sender,
            fields,
            at: self.at,
            level: self.level,
            facility: self.facility,
            repeated: self.repeated,
            trust: self.trust,
            claimed_role: self.claimed_role,
            format: self.format,
            marks: self.marks,
        }
    }

    /// Estimates its memory in bytes.
    pub fn weight(&self) -> usize {
        let texts = [&self.host, &self.app, &self.app_type, &self.pid, &self.text, &self.raw];
        let texts: usize = texts.into_iter().map(|t| t.len()).sum();
        let fields: usize = self.fields.iter().map(|(name, value)| size_of::<Cow<'_, str>>() + name.len() + value.weight()).sum();
        size_of::<Self>() + texts + fields
    }

    /// The raw record, without its line end. Bytes that were not UTF-8 are read as Latin-1.
    pub fn raw(&self) -> &str {
        if self.raw.is_empty() { &self.text } else { &self.raw }
    }

    /// The JSON record around the text, if the text was extracted from JSON.
    fn wrapper(&self) -> Option<&str> {
        (self.raw.starts_with('{') && !self.raw.ends_with(&*self.text)).then_some(&*self.raw)
    }

    /// The value of a field by the name that rules use. The order is: built-in fields of the record itself, structured data
    /// and attributes, fields inside the text (`json.path`, `kv.key`, `cef.key`, `leef.key`). `None` when the event does not
    /// have it.
    pub fn field(&self, name: &str) -> Option<Value<'_>> {
        match BuiltIn::parse(name) {
            // The record may also have what the inventory derives.
            None | Some(BuiltIn::Pair | BuiltIn::Site | BuiltIn::Time) => {}
            Some(field) => return self.built_in(field),
        }
        match self.fields.iter().find(|(k, _)| k == name) {
            Some((_, value)) => Some(value.clone()),
            // The fields of a wrapper are outside of the text.
            None => inside::field(&self.text, name).or_else(|| self.wrapper().and_then(|raw| inside::field(raw, name))),
        }
    }

    /// A field that the record itself has; `None` also for fields of the inventory.
    fn built_in(&self, field: BuiltIn) -> Option<Value<'_>> {
        let text = |s: &'_ str| (!s.is_empty()).then(|| Value::Text(Cow::Owned(s.to_owned())));
        match field {
            BuiltIn::Host => text(&self.host),
            BuiltIn::App => text(&self.app),
            BuiltIn::Type => text(&self.app_type),
            BuiltIn::Pid => text(&self.pid),
            BuiltIn::Text => Some(Value::Text(Cow::Borrowed(&self.text))),
            BuiltIn::Raw => Some(Value::Text(Cow::Borrowed(self.raw()))),
            BuiltIn::Sender => self.sender.map(|address| Value::Text(Cow::Owned(address.to_string()))),
            BuiltIn::Level => self.level.map(|l| Value::Text(Cow::Borrowed(l.name()))),
            BuiltIn::Trust => Some(Value::Text(Cow::Borrowed(self.trust.name()))),
            BuiltIn::Facility => self.facility.map(|f| Value::Int(i64::from(f))),
            BuiltIn::Id => self.id.as_ref().map(|id| Value::Text(Cow::Owned(id.to_string()))),
            BuiltIn::ClaimedRole => self.claimed_role.map(|role| Value::Text(Cow::Borrowed(role.name()))),
            BuiltIn::Pair | BuiltIn::Site | BuiltIn::Time => None,
        }
    }
}
