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
//! An agent speaks for the host in its certificate and no other; of a host only the certificates that were issued last are
//! good. Who shows none can only enroll. Does not know: what reports and commands mean. Tests: `tests/it/tls.rs`.

mod authority;
mod client;
mod connected;
mod frames;
mod peers;
mod server;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::inventory::Name;
use crate::core::wire::{Command, Report};

pub use authority::Authority;
pub use client::{Identity, connect, enroll};
pub use peers::Peers;
pub use server::{Agents, Listener, listen};

/// The name in the controller's certificate; where it is, is the agent's configuration.
const CONTROLLER: &str = "controller.pointsman.internal";
/// By this (RFC 7301) agent and controller agree that the agent is told the keys of other agents. Those of earlier versions do not
/// name it, and go on as before.
const WITH_KEYS: &[u8] = b"pointsman/2";
/// What enrolled agents' certificates are good for.
const VALID_DAYS: i64 = 90;
/// An agent asks for a new certificate this long before its own ends: at two thirds of its life.
pub const RENEW_DAYS: i64 = 30;

/// What an agent says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FromAgent {
    /// It has a token, and wants a certificate for the key of this request (PEM).
    Enroll {
        secret: String,
        host: String,
        request: String,
    },
    /// It wants another certificate.
    Renew {
        request: String,
    },
    Report(Report),
}

/// What a controller says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ToAgent {
    Certificate {
        certificate: String,
    },
    /// Why not, for people.
    Refused {
        why: String,
    },
    /// What is to be done.
    Command(Command),
    /// The keys with which agents of other hosts prove themselves. Only for an agent that asks for [`WITH_KEYS`].
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

/// Octets that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(bytes)
}

/// A number that nobody can guess: what agents know a controller by.
///
/// # Errors
/// When the system has none.
pub fn random_id() -> Result<u64, String> {
    // JSON of other programs holds 53 bits.
    random::<8>().map(|bytes| u64::from_be_bytes(bytes) >> 11)
}
