//! The controller's side: agents connect, prove who they are, and are told what to do.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::base::limits::PENDING_HANDSHAKES;
use crate::base::text::printable_short;
use crate::door::{ConnectionLimiter, Door, Limits, cannot_listen};
use crate::inventory::Name;
use crate::wire::{Command, Report};

use super::authority::Authority;
use super::{FromAgent, ToAgent, frames, hex};

/// A connection proves who it is within this, or is closed.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// An agent that says nothing for so long is not there any more: it reports four times a second.
const SILENCE: Duration = Duration::from_secs(5);
/// Commands that wait for one agent. A further one is dropped: it is said again.
const COMMANDS: usize = 256;

/// What a controller does with its agents.
pub trait Agents: Clone + Send + Sync + 'static {
    /// True when the inventory has a host of that name that is reached by an agent.
    fn expects(&self, host: &str) -> bool;

    /// True when the inventory has a host at that address: its connections have reserved room. No proof of anything.
    fn knows(&self, _peer: IpAddr) -> bool {
        false
    }

    /// An agent is connected: commands for it go here. `serial` tells this connection from others.
    fn reached(&self, host: &str, serial: u64, commands: mpsc::Sender<Command>);

    /// The connection is gone.
    fn gone(&self, host: &str, serial: u64);

    /// It reports. Waits until there is room.
    fn reports(&self, report: Report);
}

/// A listening socket for agents.
pub struct Listener {
    door: Door,
    acceptor: TlsAcceptor,
    authority: Arc<Authority>,
}

/// Listens for agents. Only within a runtime of `tokio`.
///
/// # Errors
/// In words: the port is taken, or needs a right.
pub fn listen(address: SocketAddr, authority: Arc<Authority>) -> Result<Listener, String> {
    let acceptor = TlsAcceptor::from(authority.server_config()?);
    let limiter = ConnectionLimiter::new(Limits::of(PENDING_HANDSHAKES));
    let door =
        Door::open(address, limiter).map_err(|e| format!("agents can't connect: {}", cannot_listen("tcp", address, &e)))?;
    Ok(Listener { door, acceptor, authority })
}

impl Listener {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Takes connections until it is dropped.
    pub async fn run(self, agents: impl Agents) {
        let closed = Arc::new(AtomicU64::new(0));
        let serial = Arc::new(AtomicU64::new(0));
        loop {
            let (stream, peer) = self.door.accept().await;
            let (acceptor, authority, agents) = (self.acceptor.clone(), self.authority.clone(), agents.clone());
            let closed = closed.clone();
            let serial = serial.fetch_add(1, Ordering::Relaxed);
            let known = agents.knows(peer.ip());
            self.door.enter(peer.ip(), known, |pending| async move {
                let proved = tokio::time::timeout(HANDSHAKE, prove(stream, &acceptor, &authority)).await;
                drop(pending);
                let why = match proved {
                    Ok(Ok(Some((host, stream)))) => serve(host, stream, serial, &authority, &agents).await.err(),
                    Ok(Ok(None)) => None,
                    Ok(Err(why)) => Some(why),
                    Err(_) => Some(format!("it did not say who it is within {} s", HANDSHAKE.as_secs())),
                };
                // A scanner fills no log: of many, the first, the tenth, the hundredth is told.
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

/// Who is there, with its connection; `None` when it enrolled.
async fn prove(stream: TcpStream, acceptor: &TlsAcceptor, authority: &Authority) -> Result<Option<(Name, Stream)>, String> {
    let _ = stream.set_nodelay(true);
    crate::linux::give_up_after(&stream, SILENCE);
    let mut stream = acceptor.accept(stream).await.map_err(|e| format!("no TLS: {e}"))?;
    let shown = stream.get_ref().1.peer_certificates().and_then(|c| c.first()).map(|c| name_of(c));
    let Some(shown) = shown else {
        let FromAgent::Enroll { secret, host, request } =
            frames::read(&mut stream).await.map_err(|e| format!("no token: {e}"))?
        else {
            return Err("it shows no certificate, and has no token".to_owned());
        };
        let issued = authority.redeem(&host, &secret, &request);
        match &issued {
            Ok(_) => tracing::info!(host = printable_short(&host, 100), "an agent has enrolled"),
            Err(why) => tracing::warn!("an agent was not enrolled: {}", printable_short(why, 500)),
        }
        let answer = match issued {
            Ok(certificate) => ToAgent::Certificate { certificate },
            Err(why) => ToAgent::Refused { why },
        };
        let _ = frames::write(&mut stream, &answer).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        return Ok(None);
    };
    let (host, number) = shown?;
    if authority.is_good(&host, &number) {
        return Ok(Some((host, stream)));
    }
    let why = format!("the certificate of {host} was revoked or replaced; enroll it again: pointsman enroll {host}");
    let _ = frames::write(&mut stream, &ToAgent::Refused { why: why.clone() }).await;
    Err(why)
}

/// The host and the serial number of a certificate that the authority signed.
pub(super) fn name_of(certificate: &[u8]) -> Result<(Name, String), String> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|e| format!("its certificate can't be read: {e}"))?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let host = names
        .and_then(|n| n.value.general_names.iter().find_map(|n| if let GeneralName::DNSName(d) = n { Some(*d) } else { None }));
    let host = host.ok_or("its certificate names no host")?;
    Ok((host.to_owned(), hex(certificate.raw_serial())))
}

async fn serve(host: Name, mut stream: Stream, serial: u64, authority: &Authority, agents: &impl Agents) -> Result<(), String> {
    if !agents.expects(&host) {
        let why = format!("the inventory has no host {host} with `via: agent`");
        let _ = frames::write(&mut stream, &ToAgent::Refused { why: why.clone() }).await;
        return Err(why);
    }
    let (commands, waiting) = mpsc::channel(COMMANDS);
    let (certificates, signed) = mpsc::channel(1);
    let (from, to) = tokio::io::split(stream);
    agents.reached(&host, serial, commands);
    let ended = tokio::select! {
        ended = read(&host, from, authority, agents, certificates) => ended,
        ended = write(to, waiting, signed) => ended,
    };
    agents.gone(&host, serial);
    ended
}

async fn read(
    host: &str,
    mut from: impl AsyncRead + Unpin,
    authority: &Authority,
    agents: &impl Agents,
    certificates: mpsc::Sender<ToAgent>,
) -> Result<(), String> {
    loop {
        let said = tokio::time::timeout(SILENCE, frames::read(&mut from)).await;
        let said = said.map_err(|_| format!("{host} said nothing for {} s", SILENCE.as_secs()))?;
        match said {
            Ok(FromAgent::Report(report)) if report.host == host => tokio::task::block_in_place(|| agents.reports(report)),
            Ok(FromAgent::Report(report)) => return Err(format!("{host} reports for {}", report.host)),
            Ok(FromAgent::Renew { request }) => {
                let answer = match authority.issue(host, &request) {
                    Ok(certificate) => ToAgent::Certificate { certificate },
                    Err(why) => ToAgent::Refused { why },
                };
                let _ = certificates.try_send(answer);
            }
            Ok(FromAgent::Enroll { .. }) => return Err(format!("{host} wants to enroll on a connection that has a certificate")),
            // The agent ended.
            Err(e) if matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => return Ok(()),
            Err(e) => return Err(format!("{host}: {e}")),
        }
    }
}

async fn write(
    mut to: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<Command>,
    mut signed: mpsc::Receiver<ToAgent>,
) -> Result<(), String> {
    loop {
        let message = tokio::select! {
            Some(command) = waiting.recv() => ToAgent::Command(command),
            Some(answer) = signed.recv() => answer,
            else => return Ok(()),
        };
        frames::write(&mut to, &message).await.map_err(|e| e.to_string())?;
    }
}
