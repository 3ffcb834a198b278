//! What the controller logs of its agents' connections. An agent that reconnects in a loop does not fill the log: after a few
//! changes, further ones are only counted until the connection stays as it is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::Name;

/// The number of changes that are logged at once.
const AT_ONCE: u64 = 4;
/// A connection that has not changed for this time is steady: its next changes are logged at once again.
const STEADY: Duration = Duration::from_secs(60);

/// The connections of all hosts, as last seen.
#[derive(Debug, Default)]
pub(super) struct ConnectionLog(BTreeMap<Name, LastChange>);

#[derive(Debug)]
struct LastChange {
    connected: bool,
    at: Time,
    /// The number of changes since it was steady.
    changes: u64,
}

impl LastChange {
    fn log(&self, host: &str, more: &str) {
        match self.connected {
            true => tracing::info!(%host, "the agent is connected{more}"),
            false => tracing::warn!(%host, "the agent's connection is gone{more}"),
        }
    }
}

impl ConnectionLog {
    /// Logs that a host's agent has connected, or that its connection is gone, unless that changes all the time.
    pub(super) fn changed(&mut self, now: Time, host: &Name, connected: bool) {
        let last = self.0.entry(host.clone()).or_insert(LastChange { connected, at: now, changes: 0 });
        if now.since(last.at) >= STEADY {
            last.changes = 0;
        }
        *last = LastChange { connected, at: now, changes: last.changes + 1 };
        if last.changes <= AT_ONCE {
            let often = "; this changes often, and is logged again when it has not changed for a minute";
            last.log(host, if last.changes == AT_ONCE { often } else { "" });
        }
    }

    /// Logs how the connections are that have become steady.
    pub(super) fn look(&mut self, now: Time) {
        for (host, last) in &mut self.0 {
            if last.changes > AT_ONCE && now.since(last.at) >= STEADY {
                last.log(host, &format!(", after {} more changes", last.changes - AT_ONCE));
                last.changes = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_loop_of_connections_is_counted() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .with_target(false)
            .with_writer(move || writer.clone())
            .finish();
        let at = |s: i64| Time::from_millis(s * 1_000);
        let (h1, h2) = ("h1".to_owned(), "h2".to_owned());
        tracing::subscriber::with_default(subscriber, || {
            let mut log = ConnectionLog::default();
            log.changed(at(0), &h1, true);
            // A restart, much later.
            log.changed(at(1_000), &h1, false);
            log.changed(at(1_001), &h1, true);
            // A loop of hours.
            for n in 0..5_000 {
                log.changed(at(1_002 + n), &h1, n % 2 == 1);
                log.look(at(1_002 + n));
            }
            log.changed(at(1_003), &h2, true);
            log.look(at(6_060));
            log.look(at(6_062));
            log.look(at(9_000));
            log.changed(at(9_001), &h1, false);
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let often = "; this changes often, and is logged again when it has not changed for a minute";
        let wanted = [
            " INFO the agent is connected host=h1".to_owned(),
            " WARN the agent's connection is gone host=h1".to_owned(),
            " INFO the agent is connected host=h1".to_owned(),
            " WARN the agent's connection is gone host=h1".to_owned(),
            format!(" INFO the agent is connected{often} host=h1"),
            " INFO the agent is connected host=h2".to_owned(),
            " INFO the agent is connected, after 4998 more changes host=h1".to_owned(),
            " WARN the agent's connection is gone host=h1".to_owned(),
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
    }
}
