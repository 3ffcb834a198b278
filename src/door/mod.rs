//! Connections that have not said a word yet: at most so many, and when one more comes, the oldest goes. Who has something to
//! say does so at once, so ten thousand silent ones keep nobody out.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::AbortHandle;

/// Silent connections at once.
const STRANGERS: usize = 512;
/// Connections that the kernel has taken and we have not, at once. With few of them a crowd makes others wait for a second.
const WAITING: u32 = 4_096;
/// After an error of the listening socket itself (no descriptors left) it rests for so long.
const REST: Duration = Duration::from_millis(200);

/// A listening socket, and who came in by it and has not spoken.
#[derive(Debug)]
pub struct Door {
    socket: TcpListener,
    address: SocketAddr,
    strangers: Arc<Mutex<Strangers>>,
}

#[derive(Debug, Default)]
struct Strangers {
    next: u64,
    waiting: VecDeque<(u64, AbortHandle)>,
}

/// One that came in and has not spoken. Once it has, this is dropped, and it can't be shown out any more.
#[derive(Debug)]
pub struct Stranger {
    strangers: Arc<Mutex<Strangers>>,
    number: u64,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.waiting.retain(|(number, _)| *number != self.number);
    }
}

impl Door {
    /// Listens. Only within a runtime of `tokio`.
    ///
    /// # Errors
    /// Those of the system; [`cannot_listen`] says what to do.
    pub fn open(address: SocketAddr) -> io::Result<Door> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of an earlier start that are still being closed are no reason not to start.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(WAITING)?;
        let address = socket.local_addr()?;
        Ok(Door { socket, address, strangers: Arc::default() })
    }

    /// Where it is: a port of 0 was chosen by the system.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(e) => {
                    tracing::warn!("tcp {}: a connection could not be taken: {e}", self.address);
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    /// Starts the task of a connection. True when the oldest silent one had to go for it.
    pub fn enter<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Stranger) -> F) -> bool {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let number = strangers.next;
        strangers.next += 1;
        let oldest = if strangers.waiting.len() >= STRANGERS { strangers.waiting.pop_front() } else { None };
        let stranger = Stranger { strangers: self.strangers.clone(), number };
        // The task can't leave before it stands in the list: the list is locked.
        let handle = tokio::spawn(task(stranger)).abort_handle();
        strangers.waiting.push_back((number, handle));
        drop(strangers);
        oldest.map(|(_, oldest)| oldest.abort()).is_some()
    }
}

/// Why an address can't be listened on, and what to do. `kind` is `udp` or `tcp`.
pub fn cannot_listen(kind: &str, address: SocketAddr, e: &io::Error) -> String {
    let what_to_do = match e.kind() {
        io::ErrorKind::AddrInUse => format!("; `ss -lpn sport = :{}` shows who has it", address.port()),
        io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE (the systemd unit gives it)".to_owned(),
        io::ErrorKind::AddrNotAvailable => "; this host does not have that address".to_owned(),
        _ => String::new(),
    };
    format!("{kind} {address} can't be listened on: {e}{what_to_do}")
}
