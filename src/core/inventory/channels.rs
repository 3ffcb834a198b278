//! Where notifications go: channels, and the routes that choose them. This is the model only; `config` reads it from YAML.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::NOTIFICATION_GIVE_UP;

use super::Name;

/// A channel: a way in which notifications leave this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub kind: ChannelKind,
    /// The template of the title of one alarm; default: the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The template of the text of one alarm; default: the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How many notifications it gets at most; `None` means any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<ChannelLimit>,
    /// How long a notification is tried before it counts as undeliverable.
    pub give_up: Duration,
}

/// At most `count` notifications per time. Further ones are counted, and one notification says how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelLimit {
    pub count: u32,
    pub per: Duration,
}

/// The kind of a channel, with what is needed to reach it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// The controller's own log.
    Log,
    /// The system log of this machine.
    Syslog,
    /// A program with its arguments; the text is the last argument.
    Command(Vec<String>),
    Mail(Box<MailServer>),
    Webhook(Box<Webhook>),
    Alertmanager(Box<HttpTarget>),
    Snmp(Box<SnmpTarget>),
    RemoteSyslog(Box<SyslogServer>),
}

impl ChannelKind {
    /// The key of the configuration that makes such a channel.
    pub fn name(&self) -> &'static str {
        match self {
            ChannelKind::Log => "log",
            ChannelKind::Syslog => "syslog",
            ChannelKind::Command(_) => "command",
            ChannelKind::Mail(_) => "mail",
            ChannelKind::Webhook(_) => "webhook",
            ChannelKind::Alertmanager(_) => "alertmanager",
            ChannelKind::Snmp(_) => "snmp",
            ChannelKind::RemoteSyslog(_) => "remote_syslog",
        }
    }
}

impl From<ChannelKind> for Channel {
    /// A channel with the built-in templates and no limit.
    fn from(kind: ChannelKind) -> Channel {
        Channel { kind, title: None, text: None, limit: None, give_up: NOTIFICATION_GIVE_UP }
    }
}

/// Where a secret is read when it is needed. The secret itself is never in the configuration, which the journal keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// A file that contains only the secret.
    File(PathBuf),
    /// A credential that systemd hands over (`LoadCredential=`), by its name.
    Credential(String),
}

/// A value that may be a secret, such as an address with a token in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaybeSecret {
    Plain(String),
    Secret(Secret),
}

/// A mail server and the people who get mail from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub encryption: MailEncryption,
    /// The authorities that its certificate may come from; default: those of this machine.
    pub ca: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub from: String,
    pub to: Vec<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailEncryption {
    /// STARTTLS. Nothing is sent to a server that does not support it.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// No encryption: for a server on this machine.
    None,
}

/// Where HTTP requests go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpTarget {
    pub url: MaybeSecret,
    /// The authorities that its certificate may come from; default: those of this machine.
    pub ca: Option<PathBuf>,
    /// The address of a proxy: `http://proxy.example.com:3128`.
    pub proxy: Option<String>,
    /// Headers by name; the values are templates or secrets.
    pub headers: BTreeMap<String, MaybeSecret>,
}

/// A webhook: an HTTP request for each notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub target: HttpTarget,
    /// The service whose format the body has.
    pub preset: Preset,
    /// The template of the body, for [`Preset::Own`].
    pub body: Option<String>,
    /// The key by which the receiver knows us: the integration key of PagerDuty, the API key of Opsgenie, the token of ntfy.
    pub key: Option<Secret>,
    /// The key of the HMAC-SHA256 in the header `X-Pointsman-Signature`.
    pub sign: Option<Secret>,
}

/// The service whose format the body of a webhook has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A template of the configuration, or the notification as JSON.
    #[default]
    Own,
    Slack,
    Teams,
    Mattermost,
    Pagerduty,
    Opsgenie,
    Ntfy,
}

impl Preset {
    /// The names that the configuration uses.
    pub const NAMES: [(&'static str, Preset); 6] = [
        ("slack", Preset::Slack),
        ("teams", Preset::Teams),
        ("mattermost", Preset::Mattermost),
        ("pagerduty", Preset::Pagerduty),
        ("opsgenie", Preset::Opsgenie),
        ("ntfy", Preset::Ntfy),
    ];
}

/// A manager that gets SNMP v2c notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpTarget {
    /// Host and port, as `HOST:PORT`.
    pub server: String,
    pub community: MaybeSecret,
    /// The manager has to confirm each notification (an inform). Otherwise it is unknown whether it arrived (a trap).
    pub inform: bool,
}

/// A syslog server that gets RFC 5424 records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyslogServer {
    /// Host and port, as `HOST:PORT`.
    pub server: String,
    pub transport: SyslogTransport,
    /// The authorities that its certificate may come from; default: those of this machine.
    pub ca: Option<PathBuf>,
    /// The number of the facility, 0 to 23.
    pub facility: u8,
}

/// How records are sent to a syslog server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyslogTransport {
    /// RFC 5426: one datagram for each record; it is unknown whether it arrived.
    Udp,
    /// RFC 6587, with octet counts.
    Tcp,
    /// RFC 5425, with octet counts.
    Tls,
}

/// Which alarms people are notified of, by which channels, and how often. Every route that an alarm matches applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyRoute {
    /// The channels, in the sequence of the configuration.
    pub to: Vec<Name>,
    /// Names of categories; empty means critical, major and minor.
    pub categories: Vec<String>,
    /// Names of alarms, with `*` for any characters; empty means all.
    pub alarms: Vec<String>,
    /// Values that fields of the alarm or its event must have, with `*` for any characters.
    pub fields: BTreeMap<String, String>,
    /// Calendars of the rules. The alarm must be raised during one of them; empty means at any time.
    pub during: Vec<String>,
    /// Calendars of the rules. The alarm must not be raised during any of them.
    pub not_during: Vec<String>,
    /// Alarms with the same values of these fields are notified together.
    pub by: Vec<String>,
    /// How long the first alarm of a group waits for others.
    pub wait: Duration,
    /// The least time between two notifications of a group.
    pub interval: Duration,
    /// A group with an active alarm that nobody acknowledged is notified again after this time.
    pub repeat: Option<Duration>,
    /// Who is notified of an alarm that nobody acknowledged in time.
    pub escalate: Option<Escalation>,
    /// People are also notified when alarms are cleared.
    pub cleared: bool,
}

/// Who is notified of an alarm that nobody acknowledged in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// How long after the alarm was raised.
    pub after: Duration,
    pub to: Vec<Name>,
}
