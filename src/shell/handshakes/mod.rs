//! Listening sockets, and how many connections stay open on them (see [`ConnectionLimiter`]).
//!
//! This module does not know what is sent on a connection.

mod limiter;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;

pub use limiter::{ConnectionLimiter, ConnectionSlot, Limits};

/// The number of connections that the kernel has accepted and the program has not. With a small number, a flood makes others wait
/// for a second.
const WAITING: u32 = 4_096;
/// The pause after an error of the listening socket itself (no file descriptors left).
const REST: Duration = Duration::from_millis(200);

/// A listening socket, and the connections that it accepted.
#[derive(Debug)]
pub struct HandshakeLimiter {
    socket: TcpListener,
    address: SocketAddr,
    limiter: ConnectionLimiter,
    /// The number of connections that the system could not hand over.
    failed: AtomicU64,
}

impl HandshakeLimiter {
    /// Listens on an address. Several sockets may share a limiter. Must be called within a `tokio` runtime.
    ///
    /// # Errors
    /// The errors of the system; [`cannot_listen`] says what to do.
    pub fn open(address: SocketAddr, limiter: ConnectionLimiter) -> io::Result<HandshakeLimiter> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of an earlier run that are still closing must not prevent a start.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(WAITING)?;
        let address = socket.local_addr()?;
        Ok(HandshakeLimiter { socket, address, limiter, failed: AtomicU64::new(0) })
    }

    /// The local address. The system chooses the port if port 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. Cancelling the wait loses no connection.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(e) => {
                    // Without file descriptors this may last long: the first, the tenth and the hundredth error are logged.
                    let n = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
                    if n == 10u64.pow(n.ilog10()) {
                        tracing::warn!("tcp {}: a connection could not be taken ({n} so far): {e}", self.address);
                    }
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    /// Starts the task of a connection. It runs on the threads of `low_priority` if its source is not `expected`. Returns true if
    /// another connection was closed for it, or if it was refused.
    pub fn enter<F: Future<Output = ()> + Send + 'static>(
        &self,
        stream: TcpStream,
        (peer, expected): (IpAddr, bool),
        low_priority: &Handle,
        task: impl FnOnce(TcpStream, ConnectionSlot) -> F + Send + 'static,
    ) -> bool {
        let Some(admitted) = self.limiter.admit(peer, expected) else { return true };
        if let Some(closed) = admitted.closed {
            closed.abort();
        }
        let number = admitted.slot.number();
        let slot = admitted.slot;
        // It begins after it is registered: an unregistered connection counts as one that has ended.
        let (registered, begins) = tokio::sync::oneshot::channel::<()>();
        let handle = if expected {
            tokio::spawn(async move {
                let _ = begins.await;
                task(stream, slot).await;
            })
        } else {
            low_priority.spawn(async move {
                let _ = begins.await;
                // A socket must be registered with the runtime whose threads read it.
                match stream.into_std().and_then(TcpStream::from_std) {
                    Ok(stream) => task(stream, slot).await,
                    Err(e) => tracing::warn!("a connection could not be taken: {e}"),
                }
            })
        };
        self.limiter.runs(number, handle.abort_handle());
        let _ = registered.send(());
        admitted.replaced
    }
}

/// Explains why an address cannot be listened on and what to do. `kind` is `udp` or `tcp`.
pub fn cannot_listen(kind: &str, address: SocketAddr, e: &io::Error) -> String {
    let what_to_do = match e.kind() {
        io::ErrorKind::AddrInUse => format!("; `ss -lpn sport = :{}` shows who has it", address.port()),
        io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE (the systemd unit gives it)".to_owned(),
        io::ErrorKind::AddrNotAvailable => "; this host does not have that address".to_owned(),
        _ => String::new(),
    };
    format!("{kind} {address} can't be listened on: {e}{what_to_do}")
}
