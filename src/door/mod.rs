//! Connections that have not said a word yet: at most so many, and when one more comes, the oldest goes. Who has something to
//! say does so at once, so ten thousand silent ones keep nobody out.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::AbortHandle;

/// Silent connections at once.
const STRANGERS: usize = 512;

/// Connections that the kernel has taken and we have not, at once. With few of them a crowd makes others wait for a second.
const WAITING: u32 = 4_096;

/// Listens.
///
/// # Errors
/// Those of the system.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of an earlier start that are still being closed are no reason not to start.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// A door.
#[derive(Clone, Debug, Default)]
pub struct Door {
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
    door: Door,
    number: u64,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut strangers = self.door.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.waiting.retain(|(number, _)| *number != self.number);
    }
}

impl Door {
    /// Starts the task of a connection. True when the oldest silent one had to go for it.
    pub fn enter<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Stranger) -> F) -> bool {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let number = strangers.next;
        strangers.next += 1;
        let oldest = if strangers.waiting.len() >= STRANGERS { strangers.waiting.pop_front() } else { None };
        let stranger = Stranger { door: self.clone(), number };
        // The task can't leave before it stands in the list: the list is locked.
        let handle = tokio::spawn(task(stranger)).abort_handle();
        strangers.waiting.push_back((number, handle));
        drop(strangers);
        oldest.map(|(_, oldest)| oldest.abort()).is_some()
    }
}
