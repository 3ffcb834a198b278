//! What systemd is told (sd_notify(3)): ready, alive, stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;

/// So often it is told that the program is alive, when it is.
const EVERY: Duration = Duration::from_secs(1);

/// The beats of the thread that everything depends on. Another thread tells of them: who does not read what it is told must
/// not hold up an address.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Everything is open: says that the program is ready, and from now on that it is alive as long as it beats.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start() -> Result<Pulse, String> {
        let pulse = Pulse::default();
        let beats = pulse.0.clone();
        let tell = move || {
            say(NotifyState::Ready);
            let mut seen = 0;
            loop {
                let now = beats.load(Ordering::Relaxed);
                if now != seen {
                    seen = now;
                    say(NotifyState::Watchdog);
                }
                thread::sleep(EVERY);
            }
        };
        let started = thread::Builder::new().name("supervisor".to_owned()).spawn(tell);
        started.map(|_| pulse).map_err(|e| format!("no thread can be started: {e}"))
    }

    /// The thread still turns.
    pub(super) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The program was told to end, and does. Whoever does not read that is not waited for.
pub(super) fn stopping() {
    let _ = thread::Builder::new().name("supervisor".to_owned()).spawn(|| say(NotifyState::Stopping)).map(|told| {
        let patience = (0..10).take_while(|_| !told.is_finished());
        patience.for_each(|_| thread::sleep(Duration::from_millis(10)));
    });
}

fn say(what: NotifyState<'_>) {
    // Without a supervisor there is nobody to tell.
    let _ = sd_notify::notify(false, &[what]);
}
