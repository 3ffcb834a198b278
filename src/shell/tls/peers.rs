//! Agents communicate with each other directly, so that they do not depend on the controller.
//!
//! ```text
//!   Peers::send --> Slot (one for each host): the newest messages --> the newest connection with that host's agent
//!                     one is opened when there is something to say, an address is known, and none is there
//!   listening socket --> handshake --> connection --> receive
//! ```
//!
//! Delivery is best effort: a message that cannot be sent soon is dropped, because it is useless later. Both sides present their
//! certificates, and each accepts only the keys that the controller sent last: a revoked or foreign agent receives nothing. An
//! agent's certificate authenticates an agent in both directions, and never the controller. This module does not know what the
//! messages mean. Tests: `tests/it/peers.rs`.

mod slot;
mod verifier;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::core::base::limits::PENDING_HANDSHAKES;
use crate::core::base::text::printable_short;
use crate::core::inventory::{AGENT_PORT, Listening, Name};
use crate::core::wire::PeerMessage;
use crate::shell::handshakes::{ConnectionLimiter, HandshakeLimiter, Limits, cannot_listen};

use super::client::{Identity, IdentityFiles, builder};
use super::frames;
use super::outage::Outage;
use super::shown::Shown;

use slot::Slot;
use verifier::AgentVerifier;

/// The protocol name of agents (RFC 7301).
const PROTOCOL: &[u8] = b"pointsman-agents/1";
/// The time limit for authentication. After that the connection is closed.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// The time after which sent data that is not acknowledged counts as lost: votes last seconds.
const UNACKNOWLEDGED: Duration = Duration::from_millis(1_500);
/// The pauses between attempts: the first one, and the maximum after doubling.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that lasted for this time counts as successful. The next one is opened as soon as it is needed.
const LASTED: Duration = Duration::from_secs(1);
/// A connection without any message for this time ends.
const IDLE: Duration = Duration::from_secs(30);
/// The number of messages that are read from one connection within [`WINDOW`]. The rest waits in the network. 200 resources with
/// four messages a second need a fifth of it.
const AT_ONCE: u32 = 400;
const WINDOW: Duration = Duration::from_millis(100);

/// The connections to the agents of other hosts.
#[derive(Clone)]
pub struct Peers(Arc<Shared>);

struct Shared {
    identity: Identity,
    slots: Mutex<BTreeMap<Name, Peer>>,
    receive: Box<dyn Fn(Name, PeerMessage) + Send + Sync>,
    runtime: Handle,
}

struct Peer {
    slot: Arc<Slot>,
    address: Option<SocketAddr>,
    dialer: Option<AbortHandle>,
}

impl Shared {
    /// True if a known agent has this address: its connections have reserved room. This authenticates nothing.
    fn knows(&self, from: IpAddr) -> bool {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().any(|peer| peer.address.is_some_and(|a| a.ip().to_canonical() == from.to_canonical()))
    }
}

impl Peers {
    /// Starts to listen. `receive` gets the messages of other hosts' agents. Must be called within a `tokio` runtime.
    ///
    /// # Errors
    /// Returns an error text if the configured port is taken, or the identity cannot be used.
    pub fn start(
        identity: Identity,
        listening: Listening,
        receive: impl Fn(Name, PeerMessage) + Send + Sync + 'static,
    ) -> Result<(Peers, Option<SocketAddr>), String> {
        let runtime = Handle::current();
        let shared = Arc::new(Shared { identity, slots: Mutex::default(), receive: Box::new(receive), runtime });
        let limiters = match listening {
            Listening::Off => Vec::new(),
            Listening::At(address) => {
                vec![HandshakeLimiter::open(address, limiter()).map_err(|e| cannot_listen("tcp", address, &e))?]
            }
            Listening::Usual => open_usual(),
        };
        server_config(&shared.identity)?;
        let address = limiters.first().map(HandshakeLimiter::address);
        for limiter in limiters {
            tokio::spawn(accept(limiter, shared.clone()));
        }
        Ok((Peers(shared), address))
    }

    /// Sets the hosts with which messages may be exchanged, and the addresses of their agents. Replaces the previous ones.
    pub fn set(&self, peers: BTreeMap<Name, Option<SocketAddr>>) {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|host, peer| {
            let stays = peers.contains_key(host);
            if !stays {
                peer.stop();
            }
            stays
        });
        for (host, address) in peers {
            let peer = slots.entry(host.clone()).or_insert_with(|| Peer { slot: Arc::default(), address: None, dialer: None });
            if peer.address == address && (peer.dialer.is_some() || address.is_none()) {
                continue;
            }
            if let Some(dialer) = peer.dialer.take() {
                dialer.abort();
            }
            peer.address = address;
            if let Some(address) = address {
                let dials = dial(self.0.clone(), host, address, peer.slot.clone());
                peer.dialer = Some(self.0.runtime.spawn(dials).abort_handle());
            }
        }
    }

    /// Sends a message to a host's agent, or drops it.
    pub fn send(&self, to: &str, message: PeerMessage) {
        let slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = slots.get(to)
            && (peer.dialer.is_some() || peer.slot.is_connected())
        {
            peer.slot.push(message);
        }
    }
}

impl Peer {
    fn stop(&self) {
        self.slot.end_all();
        if let Some(dialer) = &self.dialer {
            dialer.abort();
        }
    }
}

/// Limits the number of connections that are not authenticated yet.
fn limiter() -> ConnectionLimiter {
    ConnectionLimiter::new(Limits::of(PENDING_HANDSHAKES))
}

/// On most systems the first socket accepts connections of both families, and the second is therefore refused. On others both are
/// needed.
fn open_usual() -> Vec<HandshakeLimiter> {
    let usual = [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)].map(|a| SocketAddr::new(a, AGENT_PORT));
    let (mut limiters, mut why) = (Vec::new(), String::new());
    for address in usual {
        match HandshakeLimiter::open(address, limiter()) {
            Ok(limiter) => limiters.push(limiter),
            Err(e) => why = cannot_listen("tcp", address, &e),
        }
    }
    if !limiters.is_empty() {
        return limiters;
    }
    tracing::warn!(
        "other agents can't connect to this one: {why}; `listen: ADDRESS:PORT` in the agent's file names another port, `listen: off` none"
    );
    limiters
}

fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, String> {
    let words = |e: &dyn std::fmt::Display| format!("the agent's certificate can't be used for other agents: {e}");
    let IdentityFiles { roots, own, key } = identity.files()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let agents = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().map_err(|e| words(&e))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| words(&e))?
        .with_client_cert_verifier(agents)
        .with_single_cert(vec![own], key)
        .map_err(|e| words(&e))?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

fn client_config(identity: &Identity) -> Result<Arc<ClientConfig>, String> {
    let words = |e: &dyn std::fmt::Display| format!("the agent's certificate can't be used for other agents: {e}");
    let IdentityFiles { roots, own, key } = identity.files()?;
    let agents = AgentVerifier::new(roots).map_err(|e| words(&e))?;
    let config = builder()?.dangerous().with_custom_certificate_verifier(Arc::new(agents));
    let mut config = config.with_client_auth_cert(vec![own], key).map_err(|e| words(&e))?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

async fn accept(limiter: HandshakeLimiter, shared: Arc<Shared>) {
    loop {
        let (stream, from) = limiter.accept().await;
        let shared = shared.clone();
        let known = shared.knows(from.ip());
        limiter.enter(stream, (from.ip(), known), &Handle::current(), move |stream, pending| async move {
            let proved = tokio::time::timeout(HANDSHAKE, prove(stream, &shared)).await;
            drop(pending);
            match proved {
                Ok(Ok((shown, stream))) => {
                    let slot = {
                        let slots = shared.slots.lock().unwrap_or_else(PoisonError::into_inner);
                        slots.get(&shown.host).map(|peer| peer.slot.clone())
                    };
                    if let Some(slot) = slot {
                        converse(&shared, &shown, stream, &slot).await;
                    }
                }
                Ok(Err(why)) => tracing::debug!(%from, "the connection of an agent was closed: {}", printable_short(&why, 500)),
                Err(_) => tracing::debug!(%from, "a connection was not authenticated within {} s", HANDSHAKE.as_secs()),
            }
        });
    }
}

async fn prove(stream: TcpStream, shared: &Shared) -> Result<(Shown, tokio_rustls::server::TlsStream<TcpStream>), String> {
    settle(&stream);
    // The files are read again, because the certificate may have been renewed.
    let acceptor = TlsAcceptor::from(server_config(&shared.identity)?);
    let stream = acceptor.accept(stream).await.map_err(|e| format!("no TLS: {e}"))?;
    let shown = shown(stream.get_ref().1.peer_certificates())?;
    if !shared.identity.knows(&shown) {
        return Err(format!("it shows a key of {} that the controller did not pass on", shown.host));
    }
    Ok((shown, stream))
}

fn settle(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    crate::shell::linux::give_up_after(stream, UNACKNOWLEDGED);
}

fn shown(certificates: Option<&[rustls::pki_types::CertificateDer<'_>]>) -> Result<Shown, String> {
    Shown::read(certificates.and_then(|c| c.first()).ok_or("it shows no certificate")?)
}

/// Opens a connection whenever there is a message for a host's agent and no connection with it.
async fn dial(shared: Arc<Shared>, host: Name, address: SocketAddr, slot: Arc<Slot>) {
    let mut pause = PAUSE;
    let mut outage = Outage::default();
    loop {
        slot.until_needed().await;
        let opened = tokio::time::timeout(HANDSHAKE, open(&shared, &host, address)).await;
        let why = match opened.unwrap_or_else(|_| Err(format!("no connection within {} s", HANDSHAKE.as_secs()))) {
            Ok((shown, stream)) => {
                let since = tokio::time::Instant::now();
                converse(&shared, &shown, stream, &slot).await;
                if since.elapsed() >= LASTED {
                    (pause, outage) = (PAUSE, Outage::default());
                    continue;
                }
                // An agent that has not received this agent's key yet, or has another key for it, closes the connection at once.
                "it closed the connection; has it received this host's key from the controller?".to_owned()
            }
            Err(why) => why,
        };
        if outage.failed(&why) {
            tracing::warn!(%host, "no connection to its agent at {address}: {}; it is tried again", printable_short(&why, 500));
        }
        // The waiting messages are outdated.
        slot.clear();
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn open(
    shared: &Shared,
    host: &str,
    address: SocketAddr,
) -> Result<(Shown, tokio_rustls::client::TlsStream<TcpStream>), String> {
    if !shared.identity.knows_host(host) {
        return Err(format!(
            "the controller has not passed on a key of {host}: is it enrolled, and was it ever connected to a controller of this version?"
        ));
    }
    let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    settle(&stream);
    let connector = TlsConnector::from(client_config(&shared.identity)?);
    let name = ServerName::from(address.ip());
    let stream = connector.connect(name, stream).await.map_err(|e| format!("no TLS: {e}"))?;
    let shown = shown(stream.get_ref().1.peer_certificates())?;
    if shown.host != host {
        return Err(format!("the agent there is that of {}", printable_short(&shown.host, 100)));
    }
    if !shared.identity.knows(&shown) {
        return Err(format!(
            "it shows a key that the controller did not pass on, so it was revoked or replaced: pointsman enroll {host}"
        ));
    }
    Ok((shown, stream))
}

/// Exchanges messages on a connection until it ends.
async fn converse(shared: &Shared, shown: &Shown, stream: impl AsyncRead + AsyncWrite, slot: &Slot) {
    let (from, to) = tokio::io::split(stream);
    let (from, to) = (std::pin::pin!(from), std::pin::pin!(to));
    let mut connection = slot.connect();
    let ended = tokio::select! {
        ended = listen(shared, shown, from) => ended,
        ended = say(slot, connection.number(), || shared.identity.knows(shown), to) => ended,
        () = until_unknown(&shared.identity, shown) => Err(revoked()),
        () = connection.replaced() => Ok(()),
    };
    if let Err(e) = ended {
        tracing::debug!(host = %shown.host, "the connection with its agent has ended: {e}");
    }
}

async fn listen(shared: &Shared, shown: &Shown, mut from: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut window = tokio::time::Instant::now();
    let mut read = 0;
    loop {
        let message = tokio::time::timeout(IDLE, frames::read_lenient(&mut from)).await.map_err(io::Error::other)??;
        if window.elapsed() >= WINDOW {
            (window, read) = (tokio::time::Instant::now(), 0);
        }
        read += 1;
        if read > AT_ONCE {
            tokio::time::sleep_until(window + WINDOW).await;
        }
        if !shared.identity.knows(shown) {
            return Err(revoked());
        }
        // A message of a later version is ignored.
        if let Some(message) = message {
            (shared.receive)(shown.host.clone(), message);
        }
    }
}

/// Sends the messages of a slot while the other side's key is valid. It is checked for each message, because a message may be ready
/// to be sent before the end of the key has been noticed.
async fn say(slot: &Slot, number: u64, is_valid: impl Fn() -> bool, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    loop {
        let message = slot.next(number).await;
        if !is_valid() {
            return Err(revoked());
        }
        frames::write(&mut to, &message).await?;
    }
}

/// Waits until the presented key is not valid any more.
async fn until_unknown(identity: &Identity, shown: &Shown) {
    let _ = identity.known().wait_for(|_| !identity.knows(shown)).await;
}

fn revoked() -> io::Error {
    io::Error::other("its key was revoked or replaced")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::core::wire::{Echo, Generation, Vote};

    /// The messages that were ready when the key was revoked are not sent.
    #[test]
    fn nothing_is_sent_to_a_revoked_key() {
        let slot = Slot::default();
        let connection = slot.connect();
        for beat in 0..10 {
            let number = Echo { incarnation: 1, beat };
            slot.push(PeerMessage::Vote(Vote {
                resource: "vip".to_owned(),
                generation: Generation::NONE,
                number,
                refused: None,
            }));
        }
        let (mut sent, checks) = (Vec::new(), AtomicU32::new(0));
        let is_valid = || checks.fetch_add(1, Ordering::Relaxed) < 3;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ended = runtime.block_on(say(&slot, connection.number(), is_valid, &mut sent));
        assert!(ended.is_err());
        let mut from = &sent[..];
        let messages = runtime.block_on(async {
            let mut messages = 0;
            while frames::read::<PeerMessage>(&mut from).await.is_ok() {
                messages += 1;
            }
            messages
        });
        assert_eq!(messages, 3);
    }
}
