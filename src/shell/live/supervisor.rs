//! Notifications to systemd (sd_notify(3)): ready, alive, stopping.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;

/// How often systemd is notified that the program is alive.
const EVERY: Duration = Duration::from_secs(1);

/// Counts the beats of the controller's thread. Another thread sends them to systemd, because a supervisor that does not read
/// must not delay a move.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    beats: Arc<AtomicU64>,
    /// The line for `systemctl status`.
    status: Arc<Mutex<String>>,
}

impl Pulse {
    /// Reports that the program is ready, and from then on that it is alive as long as it beats.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start() -> Result<Pulse, String> {
        let pulse = Pulse::default();
        let (beats, status) = (pulse.beats.clone(), pulse.status.clone());
        let work = move || {
            notify(NotifyState::Ready);
            let (mut seen, mut shown) = (0, String::new());
            loop {
                let now = beats.load(Ordering::Relaxed);
                if now != seen {
                    seen = now;
                    notify(NotifyState::Watchdog);
                }
                let line = status.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if line != shown {
                    notify(NotifyState::Status(&line));
                    shown = line;
                }
                thread::sleep(EVERY);
            }
        };
        let started = thread::Builder::new().name("supervisor".to_owned()).spawn(work);
        started.map(|_| pulse).map_err(|e| format!("no thread can be started: {e}"))
    }

    /// Records that the thread is still running its loop.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the line that `systemctl status` shows.
    pub(super) fn show(&self, line: String) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

/// Reports that the program is stopping. It does not wait for a supervisor that does not read.
pub(super) fn stopping() {
    let _ = thread::Builder::new().name("supervisor".to_owned()).spawn(|| notify(NotifyState::Stopping)).map(|stopping| {
        let patience = (0..10).take_while(|_| !stopping.is_finished());
        patience.for_each(|_| thread::sleep(Duration::from_millis(10)));
    });
}

fn notify(what: NotifyState<'_>) {
    // Without a supervisor there is no receiver.
    let _ = sd_notify::notify(false, &[what]);
}
