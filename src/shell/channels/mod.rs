//! Channels: one file for each way in which a notification leaves this machine, behind one function.
//!
//! ```text
//!   Workers::deliver --one thread for each channel--> send(channel, notification) --> Ok, or why not
//! ```
//!
//! A thread sends one notification at a time, so a receiver that hangs delays only its own channel. Each attempt is bounded in
//! time and in the bytes of the answer that it reads. Secrets are read when they are needed and appear in no message. Does not
//! know: what is notified, when an attempt is repeated, the journal. Tests: `tests/system/notify.rs`.

mod alertmanager;
mod attempt;
mod ber;
mod command;
mod http;
mod log;
mod mail;
mod remote_syslog;
mod roots;
mod secret;
mod snmp;
mod syslog;
mod webhook;
mod workers;

use crate::core::inventory::{Channel, ChannelKind};
use crate::core::notifications::{Delivery, Undelivered};

pub use secret::{is_same_secret, read_secret};
pub use workers::Workers;

/// Errors of the TLS library that name a type of it, and what they mean.
const TLS_ERRORS: [(&str, &str); 3] = [
    (
        "Other(OtherError(CaUsedAsEndEntity))",
        "it belongs to an authority (CA:TRUE) and cannot identify a server; make one with basicConstraints=CA:FALSE",
    ),
    ("UnknownIssuer", "its issuer is not trusted; set `ca` of the channel to the certificate of the issuer"),
    ("BadSignature", "its signature is not that of the issuer; `ca` of the channel may be of an earlier certificate"),
];

/// Sends a notification by its channel and waits for the result.
fn send(channel: &Channel, delivery: &Delivery) -> Result<(), Undelivered> {
    attempt(channel, delivery).map_err(|e| {
        let why = TLS_ERRORS.iter().fold(e.why, |why, (error, meaning)| why.replace(error, meaning));
        Undelivered { why, ..e }
    })
}

fn attempt(channel: &Channel, delivery: &Delivery) -> Result<(), Undelivered> {
    let notification = &delivery.notification;
    match &channel.kind {
        ChannelKind::Log => log::send(notification),
        ChannelKind::Syslog => syslog::send(notification),
        ChannelKind::Command(words) => command::send(words, notification),
        ChannelKind::Mail(server) => mail::send(server, notification, &delivery.reached),
        ChannelKind::Webhook(webhook) => webhook::send(webhook, notification),
        ChannelKind::Alertmanager(target) => alertmanager::send(target, notification),
        ChannelKind::Snmp(target) => snmp::send(target, notification),
        ChannelKind::RemoteSyslog(server) => remote_syslog::send(server, notification),
    }
}
