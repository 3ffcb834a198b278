//! The controller's side of the connection: agents connect, authenticate themselves, and receive commands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::core::base::limits::PENDING_HANDSHAKES;
use crate::core::base::text::printable_short;
use crate::core::inventory::Name;
use crate::core::wire::{Command, Report};
use crate::shell::handshakes::{ConnectionLimiter, HandshakeLimiter, Limits, cannot_listen};
use crate::shell::linux::wall_time;

use super::authority::{Authority, Identities};
use super::connected::{Connected, Reports};
use super::shown::{Shown, revoked};
use super::{FromAgent, ToAgent, WITH_KEYS, frames};

/// The time limit for authentication. After that the connection is closed.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// An agent that sends nothing for this time is gone: it reports four times a second.
const SILENCE: Duration = Duration::from_secs(5);
/// The number of commands that may wait for one agent. A further one is dropped, because the controller repeats commands.
const COMMANDS: usize = 256;

/// How often the controller checks whether this or another process has issued or revoked a certificate.
const LOOK_AT_IDENTITIES: Duration = Duration::from_millis(200);
/// A change of the folder that is more recent than this is checked again: the file system's clock may give two changes the same
/// time.
const YOUNG: Duration = Duration::from_secs(2);

/// The controller's view of connected agents.
pub trait Agents: Clone + Send + Sync + 'static {
    /// True if the inventory has a host of that name with an agent.
    fn expects(&self, host: &str) -> bool;

    /// The hosts with agents, which may receive each other's keys.
    fn hosts(&self) -> Vec<Name>;

    /// A second agent tried to speak for the host while the first one does, from these addresses. It was refused.
    fn cloned(&self, host: &str, first: IpAddr, second: IpAddr);

    /// An agent at this address got a certificate for the host, with a token.
    fn enrolled(&self, _host: &str, _from: IpAddr) {}

    /// The certificates of the host were revoked.
    fn revoked(&self, _host: &str) {}

    /// True if the inventory has a host with that address: its connections have reserved room. This authenticates nothing.
    fn knows(&self, _peer: IpAddr) -> bool {
        false
    }

    /// An agent has connected, and `commands` sends commands to it. `serial` distinguishes this connection from others.
    fn reached(&self, host: &str, serial: u64, commands: mpsc::Sender<Command>);

    /// The connection has ended.
    fn gone(&self, host: &str, serial: u64);

    /// The agent has sent a report. Waits until there is room.
    fn reports(&self, report: Report);
}

/// A listening socket for agents.
pub struct Listener {
    limiter: HandshakeLimiter,
    /// The threads that serve connections of hosts that are not in the inventory.
    low_priority: Handle,
    shared: Shared,
}

/// The data that all connections share.
#[derive(Clone)]
struct Shared {
    acceptor: TlsAcceptor,
    authority: Arc<Authority>,
    connected: Connected,
    /// The identities that agents may present now.
    identities: watch::Sender<Identities>,
}

/// Listens for agents. Must be called within a `tokio` runtime. The threads of `low_priority` serve the connections of hosts that
/// are not in the inventory.
///
/// # Errors
/// Returns an error text if the port is taken or needs a right.
pub fn listen(address: SocketAddr, authority: Arc<Authority>, low_priority: Handle) -> Result<Listener, String> {
    let acceptor = TlsAcceptor::from(authority.server_config()?);
    let limiter = ConnectionLimiter::new(Limits::of(PENDING_HANDSHAKES));
    let limiter = HandshakeLimiter::open(address, limiter)
        .map_err(|e| format!("agents can't connect: {}", cannot_listen("tcp", address, &e)))?;
    let (connected, identities) = (Connected::default(), watch::Sender::new(Identities::default()));
    Ok(Listener { limiter, low_priority, shared: Shared { acceptor, authority, connected, identities } })
}

impl Listener {
    pub fn address(&self) -> SocketAddr {
        self.limiter.address()
    }

    /// Accepts connections until this future is dropped.
    pub async fn run(self, agents: impl Agents) {
        tokio::select! {
            () = self.accept(&agents) => {}
            () = look_at_identities(&self.shared, &agents) => {}
        }
    }

    async fn accept(&self, agents: &impl Agents) {
        let closed = Arc::new(AtomicU64::new(0));
        let serial = Arc::new(AtomicU64::new(0));
        loop {
            let (stream, peer) = self.limiter.accept().await;
            let (shared, agents) = (self.shared.clone(), agents.clone());
            let closed = closed.clone();
            let serial = serial.fetch_add(1, Ordering::Relaxed);
            let known = agents.knows(peer.ip());
            self.limiter.enter(stream, (peer.ip(), known), &self.low_priority, move |stream, pending| async move {
                let proved = tokio::time::timeout(HANDSHAKE, prove(stream, peer.ip(), &shared, &agents)).await;
                drop(pending);
                let why = match proved {
                    Ok(Ok(Some((shown, stream)))) => serve(shown, stream, (serial, peer.ip()), &shared, &agents).await.err(),
                    Ok(Ok(None)) => None,
                    Ok(Err(why)) => Some(why),
                    Err(_) => Some(format!("it did not authenticate itself within {} s", HANDSHAKE.as_secs())),
                };
                // A scanner does not fill the log: only the first, the tenth and the hundredth of many messages are logged.
                let times = |why: &str| {
                    let n = closed.fetch_add(1, Ordering::Relaxed) + 1;
                    let so_far = if n > 1 { format!(" ({n} so far)") } else { String::new() };
                    (n == 10u64.pow(n.ilog10())).then(|| format!("{}{so_far}", printable_short(why, 500)))
                };
                if let Some(why) = why.and_then(|why| times(&why)) {
                    tracing::warn!(%peer, "the connection of an agent was closed: {why}");
                }
            });
        }
    }
}

type Stream = tokio_rustls::server::TlsStream<TcpStream>;

/// Authenticates the agent of a connection. Returns `None` if it enrolled.
async fn prove(
    stream: TcpStream,
    from: IpAddr,
    shared: &Shared,
    agents: &impl Agents,
) -> Result<Option<(Shown, Stream)>, String> {
    let Shared { acceptor, authority, .. } = shared;
    let _ = stream.set_nodelay(true);
    crate::shell::linux::give_up_after(&stream, SILENCE);
    let mut stream = acceptor.accept(stream).await.map_err(|e| format!("no TLS: {e}"))?;
    let shown = stream.get_ref().1.peer_certificates().and_then(|c| c.first()).map(|c| Shown::read(c));
    let Some(shown) = shown else {
        let FromAgent::Enroll { secret, host, request } =
            frames::read_unauthenticated(&mut stream).await.map_err(|e| format!("no token: {e}"))?
        else {
            return Err("it shows no certificate, and has no token".to_owned());
        };
        let issued = authority.redeem(&host, &secret, &request);
        let (answer, enrolled) = match issued {
            Ok(certificate) => (ToAgent::Certificate { certificate }, Ok(None)),
            Err(why) => (ToAgent::Refused { why: why.clone() }, Err(format!("it was not enrolled: {why}"))),
        };
        if enrolled.is_ok() {
            tokio::task::block_in_place(|| agents.enrolled(&host, from));
        }
        let _ = frames::write(&mut stream, &answer).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        return enrolled;
    };
    let shown = shown?;
    if authority.is_good(&shown) {
        return Ok(Some((shown, stream)));
    }
    let why = revoked(&shown.host);
    let _ = frames::write(&mut stream, &ToAgent::Refused { why: why.clone() }).await;
    Err(why)
}

async fn serve(
    shown: Shown,
    mut stream: Stream,
    (serial, from): (u64, IpAddr),
    shared: &Shared,
    agents: &impl Agents,
) -> Result<(), String> {
    let host = &shown.host;
    if !agents.expects(host) {
        let why = format!("the inventory has no host {host} with `via: agent`");
        let _ = frames::write(&mut stream, &ToAgent::Refused { why: why.clone() }).await;
        return Err(why);
    }
    let (commands, waiting) = mpsc::channel(COMMANDS);
    let mut entry = match shared.connected.enter(host, from, serial, || agents.reached(host, serial, commands)).await {
        Ok(entry) => entry,
        Err(first) => {
            tokio::task::block_in_place(|| agents.cloned(host, first, from));
            let why = format!(
                "an agent with the identity of {host} is connected already, from {first}: stop one of the two; a copied machine enrolls as a host of its own"
            );
            let _ = frames::write(&mut stream, &ToAgent::Refused { why: why.clone() }).await;
            return Err(format!("{why} (this one is on {from})"));
        }
    };
    let keys = (stream.get_ref().1.alpn_protocol() == Some(WITH_KEYS)).then(|| shared.identities.subscribe());
    let (certificates, signed) = mpsc::channel(1);
    let (from, to) = tokio::io::split(stream);
    let reports = entry.reports();
    let ended = tokio::select! {
        ended = read(&shown, from, shared, agents, (&certificates, &reports)) => ended,
        ended = write(&shown, to, shared, waiting, signed, keys) => ended,
        () = until_revoked(&shown, shared) => Err(revoked(host)),
        () = entry.replaced() => Err(format!("{host} connected again")),
    };
    agents.gone(host, serial);
    ended
}

/// True if the presented certificate is valid. Every message is checked, because it may be ready before the end of the certificate
/// has been noticed.
fn is_valid(shown: &Shown, shared: &Shared) -> bool {
    let certificate = (shown.host.clone(), shown.serial.clone());
    let listed = shared.identities.borrow().serials.contains(&certificate);
    // The list may be older than the certificate.
    listed || shared.authority.is_good(shown)
}

/// Waits until the presented certificate is not valid any more.
async fn until_revoked(shown: &Shown, shared: &Shared) {
    let mut identities = shared.identities.subscribe();
    let certificate = (shown.host.clone(), shown.serial.clone());
    loop {
        if identities.borrow_and_update().serials.contains(&certificate) {
            if identities.changed().await.is_err() {
                return;
            }
        } else if shared.authority.is_good(shown) {
            // The certificate was issued after the list was made. It may be revoked before the next list, which is then equal to
            // this one.
            let _ = tokio::time::timeout(LOOK_AT_IDENTITIES, identities.changed()).await;
        } else {
            return;
        }
    }
}

/// Checks regularly which identities agents may present, and informs all connections of a change.
async fn look_at_identities(shared: &Shared, agents: &impl Agents) {
    let mut looked = (None, Vec::new());
    let mut look = tokio::time::interval(LOOK_AT_IDENTITIES);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let changed_at = shared.authority.changed_at();
        let young = changed_at.is_none_or(|at| wall_time().since(at) < YOUNG);
        let now = (changed_at, agents.hosts());
        if young || looked != now {
            let identities = tokio::task::block_in_place(|| shared.authority.identities(&now.1));
            let before = shared.identities.borrow().hosts();
            shared.identities.send_if_modified(|before| std::mem::replace(before, identities.clone()) != identities);
            let after = identities.hosts();
            for host in before.difference(&after).filter(|host| now.1.contains(host)) {
                tokio::task::block_in_place(|| agents.revoked(host));
            }
            looked = now;
        }
    }
}

async fn read(
    shown: &Shown,
    mut from: impl AsyncRead + Unpin,
    shared: &Shared,
    agents: &impl Agents,
    (certificates, reports): (&mpsc::Sender<ToAgent>, &Reports),
) -> Result<(), String> {
    let host = &shown.host;
    loop {
        let said = tokio::time::timeout(SILENCE, frames::read(&mut from)).await;
        let said = said.map_err(|_| format!("{host} said nothing for {} s", SILENCE.as_secs()))?;
        if !is_valid(shown, shared) {
            return Err(revoked(host));
        }
        match said {
            Ok(FromAgent::Report(report)) if report.host == *host => {
                reports.one();
                tokio::task::block_in_place(|| agents.reports(report));
            }
            Ok(FromAgent::Report(report)) => return Err(format!("{host} reports for {}", printable_short(&report.host, 100))),
            Ok(FromAgent::Renew { request }) => {
                let answer = match tokio::task::block_in_place(|| shared.authority.renew(shown, &request)) {
                    Ok(certificate) => ToAgent::Certificate { certificate },
                    Err(why) => ToAgent::Refused { why },
                };
                let _ = certificates.try_send(answer);
            }
            Ok(FromAgent::Enroll { .. }) => return Err(format!("{host} wants to enroll on a connection that has a certificate")),
            // The agent closed the connection.
            Err(e) if matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => return Ok(()),
            Err(e) => return Err(format!("{host}: {e}")),
        }
    }
}

/// Sends commands to an agent. `identities` is for an agent that accepts the keys of other agents.
async fn write(
    shown: &Shown,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    mut waiting: mpsc::Receiver<Command>,
    mut signed: mpsc::Receiver<ToAgent>,
    mut identities: Option<watch::Receiver<Identities>>,
) -> Result<(), String> {
    if let Some(identities) = &mut identities {
        identities.mark_changed();
    }
    let changed = async |identities: &mut Option<watch::Receiver<Identities>>| match identities {
        Some(identities) => identities.changed().await.map(|()| identities.borrow_and_update().keys.clone()).ok(),
        None => std::future::pending().await,
    };
    loop {
        let message = tokio::select! {
            Some(command) = waiting.recv() => ToAgent::Command(command),
            Some(answer) = signed.recv() => answer,
            Some(hosts) = changed(&mut identities) => ToAgent::Keys { hosts },
            else => return Ok(()),
        };
        if !is_valid(shown, shared) {
            return Err(revoked(&shown.host));
        }
        frames::write(&mut to, &message).await.map_err(|e| e.to_string())?;
    }
}
