//! Asks the deciding thread, at most once a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::metrics::Samples;
use crate::shell::linux::boot_time;

/// How long an answer is used again.
const FRESH: Duration = Duration::from_secs(1);

/// What the deciding thread says of itself.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    pub samples: Samples,
    /// Why the program cannot do its work now, one reason each; empty if it can.
    pub unready: Vec<String>,
    /// The hosts that do not report; for an agent, the controller if it is not connected.
    pub silent: Vec<Name>,
}

type Observed = Result<Arc<Observation>, String>;

/// Asks one at a time, and shares the answers of a second.
pub(super) struct Observer {
    observe: Box<dyn Fn() -> Result<Observation, String> + Send + Sync>,
    last: Mutex<Option<(Time, Observed)>>,
}

impl Observer {
    pub(super) fn new(observe: impl Fn() -> Result<Observation, String> + Send + Sync + 'static) -> Observer {
        Observer { observe: Box::new(observe), last: Mutex::new(None) }
    }

    /// An answer that is not older than a second, or why there is none.
    pub(super) async fn observed(&self) -> Observed {
        let mut last = self.last.lock().await;
        if let Some((at, observed)) = &*last
            && boot_time().since(*at) < FRESH
        {
            return observed.clone();
        }
        let observed = tokio::task::block_in_place(|| (self.observe)()).map(Arc::new);
        *last = Some((boot_time(), observed.clone()));
        observed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn many_who_ask_at_once_are_one_question() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let observer = Arc::new(Observer::new(|| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            Err("it does not answer".to_owned())
        }));
        let all: Vec<_> = (0..200)
            .map(|_| {
                let observer = observer.clone();
                tokio::spawn(async move { observer.observed().await.unwrap_err() })
            })
            .collect();
        for one in all {
            assert_eq!(one.await.unwrap(), "it does not answer");
        }
        assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    }
}
