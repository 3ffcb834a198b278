//! One agent speaks for a host at a time. A second one with the same identity is a copy, unless the first one has gone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::core::inventory::Name;

/// How long a second connection waits to see whether the first one still reports. An agent that reconnects has closed its first
/// connection, and its last reports arrive within this time.
const OBSERVED: Duration = Duration::from_millis(1_500);
/// An agent whose last report is not older than this is running: it reports four times a second.
const LATELY: Duration = Duration::from_millis(600);

/// The connections of all hosts.
#[derive(Clone, Debug, Default)]
pub(super) struct Connected {
    hosts: Arc<Mutex<BTreeMap<Name, First>>>,
}

#[derive(Debug)]
struct First {
    number: u64,
    from: IpAddr,
    /// The time of its last report. Closed when the connection has ended.
    reports: watch::Receiver<Instant>,
    replace: watch::Sender<bool>,
}

/// The connection that speaks for a host, until this is dropped.
#[derive(Debug)]
pub(super) struct ConnectedAgent {
    connected: Connected,
    host: Name,
    number: u64,
    reports: Reports,
    replaced: watch::Receiver<bool>,
}

#[derive(Clone, Debug)]
pub(super) struct Reports(Arc<watch::Sender<Instant>>);

impl Reports {
    pub(super) fn one(&self) {
        self.0.send_replace(Instant::now());
    }
}

impl Connected {
    /// Registers a connection for a host. An earlier connection ends. `number` distinguishes the connection from all others, and
    /// `entered` is called in the order in which connections replace each other; it must not wait.
    ///
    /// # Errors
    /// The address of the earlier connection if it continues to report: then there are two agents.
    pub(super) async fn enter(
        &self,
        host: &str,
        from: IpAddr,
        number: u64,
        entered: impl FnOnce(),
    ) -> Result<ConnectedAgent, IpAddr> {
        let first = {
            let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.get(host).map(|first| (first.from, first.reports.clone()))
        };
        if let Some((address, mut reports)) = first {
            let ended = async { while reports.changed().await.is_ok() {} };
            let observed = tokio::time::timeout(OBSERVED, ended).await;
            if observed.is_err() && reports.borrow().elapsed() < LATELY {
                return Err(address);
            }
        }
        let (replace, replaced) = watch::channel(false);
        let (sender, reports) = watch::channel(Instant::now());
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = hosts.insert(host.to_owned(), First { number, from, reports, replace }) {
            before.replace.send_replace(true);
        }
        entered();
        drop(hosts);
        let reports = Reports(Arc::new(sender));
        Ok(ConnectedAgent { connected: self.clone(), host: host.to_owned(), number, reports, replaced })
    }
}

impl ConnectedAgent {
    /// Receives the times of its reports.
    pub(super) fn reports(&self) -> Reports {
        self.reports.clone()
    }

    /// Waits until another connection speaks for the host.
    pub(super) async fn replaced(&mut self) {
        let _ = self.replaced.wait_for(|replaced| *replaced).await;
    }
}

impl Drop for ConnectedAgent {
    fn drop(&mut self) {
        let mut hosts = self.connected.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.get(&self.host).is_some_and(|first| first.number == self.number) {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections that wait for the same one replace each other in the order in which they are reported.
    #[test]
    fn the_last_that_entered_speaks_for_the_host() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let from = IpAddr::from([10, 0, 0, 1]);
        runtime.block_on(async {
            let connected = Connected::default();
            let first = connected.enter("sip1", from, 0, || {}).await.unwrap();
            let entered = Arc::new(Mutex::new(Vec::new()));
            let waiting: Vec<_> = (1..=8)
                .map(|number| {
                    let (connected, entered) = (connected.clone(), entered.clone());
                    tokio::spawn(async move {
                        connected.enter("sip1", from, number, || entered.lock().unwrap().push(number)).await.unwrap()
                    })
                })
                .collect();
            drop(first);
            let mut agents = Vec::new();
            for task in waiting {
                agents.push(task.await.unwrap());
            }
            let stays: Vec<u64> = agents.iter().filter(|agent| !*agent.replaced.borrow()).map(|agent| agent.number).collect();
            assert_eq!(stays, [*entered.lock().unwrap().last().unwrap()]);
        });
    }
}
