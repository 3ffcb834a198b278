//! What an agent logs of attempts to connect that fail: each reason once, and their number when a connection lasts.

use std::collections::BTreeSet;

/// The maximum number of reasons that are logged until a connection lasts. Further ones are only counted.
const REASONS: usize = 20;

/// The attempts that failed since a connection lasted.
#[derive(Debug, Default)]
pub(super) struct Outage {
    failures: u64,
    reasons: BTreeSet<String>,
}

impl Outage {
    /// True if an attempt failed since a connection lasted.
    pub(super) fn is_on(&self) -> bool {
        self.failures > 0
    }

    /// Counts a failed attempt. True if its reason is a new one, which is then logged.
    pub(super) fn failed(&mut self, why: &str) -> bool {
        self.failures += 1;
        self.reasons.len() < REASONS && self.reasons.insert(why.to_owned())
    }

    /// A connection lasts. Returns the text `after 3 failed attempts` for the log; `None` if no attempt had failed.
    pub(super) fn end(&mut self) -> Option<String> {
        let Outage { failures, .. } = std::mem::take(self);
        match failures {
            0 => None,
            1 => Some("after 1 failed attempt".to_owned()),
            n => Some(format!("after {n} failed attempts")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An agent that reconnects in a loop logs each reason once, also if two reasons alternate, and then the success.
    #[test]
    fn a_loop_of_failures_is_logged_once_for_each_reason() {
        let mut outage = Outage::default();
        assert_eq!(outage.end(), None);
        let logged: Vec<bool> = (0..6).map(|n| outage.failed(if n % 2 == 0 { "refused" } else { "closed" })).collect();
        assert_eq!(logged, [true, true, false, false, false, false]);
        assert!(outage.is_on());
        assert_eq!(outage.end().as_deref(), Some("after 6 failed attempts"));
        assert!(!outage.is_on());
        assert!(outage.failed("refused"), "a new outage is reported");
        assert_eq!(outage.end().as_deref(), Some("after 1 failed attempt"));
        // Reasons that differ each time do not fill the log either.
        let logged = (0..1_000).filter(|n| outage.failed(&format!("reason {n}"))).count();
        assert_eq!(logged, REASONS);
    }
}
