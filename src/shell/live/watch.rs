//! Checks the applications of a host and measures the host, each on a separate thread: a file system that does not answer delays
//! nothing else.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::core::agent::Input;
use crate::core::base::limits::WATCH_EVERY;
use crate::shell::linux::{Meter, Processes};

/// The watching threads, which end when this is dropped.
pub(super) struct Watching {
    _ends: Vec<SyncSender<()>>,
}

/// Starts the threads that are needed. `report` must not block.
///
/// # Errors
/// Returns an error text if no thread can be started.
pub(super) fn start(
    processes: Processes,
    meter: Option<(Meter, Duration)>,
    report: impl Fn(Input) + Clone + Send + 'static,
) -> Result<Watching, String> {
    let mut ends = Vec::new();
    if !processes.is_empty() {
        ends.push(every(WATCH_EVERY, true, report.clone(), move || Input::Looked(processes.look()))?);
    }
    if let Some((mut meter, interval)) = meter {
        ends.push(every(interval, false, report, move || Input::Measured(meter.measure()))?);
    }
    Ok(Watching { _ends: ends })
}

fn every(
    interval: Duration,
    at_once: bool,
    report: impl Fn(Input) + Send + 'static,
    mut look: impl FnMut() -> Input + Send + 'static,
) -> Result<SyncSender<()>, String> {
    let (end, ended): (_, Receiver<()>) = sync_channel(0);
    let work = move || {
        let mut wait = if at_once { Duration::ZERO } else { interval };
        while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = interval;
            report(look());
        }
    };
    let started = thread::Builder::new().name("watch".to_owned()).spawn(work);
    started.map(|_| end).map_err(|e| format!("no thread can be started: {e}"))
}
