//! Controller and agents over mutual TLS 1.3: keys, enrolment, frames.
//!
//! ```text
//!   controller: its own authority (ca.key)     agent: makes its key, never shows it
//!        |  one-time token: host, secret, the authority's sum                |
//!        +------------------------- by hand -------------------------------->|
//!        |<---- Enroll: secret, request to sign (the sum proves the controller) ----|
//!        +----- Certificate, for 90 days; renewed at two thirds ------------>|
//!        |<==== Report, Report, ...   Command, ... ========================>|
//! ```
//!
//! An agent speaks only for the host in its certificate. Of a host, only the certificates that were issued last are valid. A
//! client without a certificate can only enroll. This module does not know what reports and commands mean. Tests: `tests/it/tls.rs`.

mod authority;
mod client;
mod connected;
mod frames;
mod outage;
mod peers;
mod server;
mod shown;
mod web;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::inventory::Name;
use crate::core::wire::{Command, Report};

pub use authority::Authority;
pub use client::{Identity, connect, enroll};
pub use peers::Peers;
pub use server::{Agents, Listener, listen};
pub use web::{WebCertificate, WebStream};

/// The name in the controller's certificate. The agent's configuration has its address.
const CONTROLLER: &str = "controller.pointsman.internal";
/// The protocol name (RFC 7301) with which agent and controller agree that the agent receives the keys of other agents. Earlier
/// versions do not offer it, and work as before.
const WITH_KEYS: &[u8] = b"pointsman/2";
/// The validity of enrolled agents' certificates.
const VALID_DAYS: i64 = 90;
/// How long before the end of its certificate an agent asks for a new one: at two thirds of its validity.
pub const RENEW_DAYS: i64 = 30;

/// A message from an agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FromAgent {
    /// It has a token and wants a certificate for the key of this request (PEM).
    Enroll {
        secret: String,
        host: String,
        request: String,
    },
    /// It wants a new certificate.
    Renew {
        request: String,
    },
    Report(Report),
}

/// A message from a controller.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ToAgent {
    Certificate {
        certificate: String,
    },
    /// The reason of a refusal, for people.
    Refused {
        why: String,
    },
    /// A command to carry out.
    Command(Command),
    /// The keys of the agents of other hosts. Only for an agent that offers [`WITH_KEYS`].
    Keys {
        hosts: BTreeMap<Name, BTreeSet<String>>,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn sum(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// Random bytes that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(bytes)
}

/// A number that nobody can guess, by which agents recognize a controller.
///
/// # Errors
/// When the system has no random numbers.
pub fn random_id() -> Result<u64, String> {
    // JSON in other programs represents 53 bits exactly.
    random::<8>().map(|bytes| u64::from_be_bytes(bytes) >> 11)
}
