//! The usual ages of senders' records, kept for the next start. `src/core/site/arrivals.rs` decides which record is late when
//! it is read.

use std::time::Duration;

use crate::core::base::time::{Time, duration_text};
use crate::core::event::Trust;

use super::Engine;
use super::record::Record;
use super::state::State;
use super::turn::Output;
use crate::core::notice::{Kind, Notice};

/// A usual age that changes by more than this is reported, in microseconds. The cause is a clock or a zone that is wrong or
/// was corrected.
const REPORTED_US: u64 = 2_000_000;

impl Engine {
    /// Stores the usual age of a sender's records.
    #[expect(clippy::too_many_arguments, reason = "the parts of one input")]
    pub(super) fn learn_offset(
        &mut self,
        now: Time,
        source: &str,
        host: String,
        trust: Trust,
        usual: i64,
        zone: i64,
        out: &mut Vec<Output>,
    ) {
        let bucket = bucket(source, trust);
        let before = self.state.offsets(&bucket, &host).map(|offsets| offsets.usual);
        self.record(Record::Offset { source: bucket, host: host.clone(), at: now, offset: usual, zone }, out);
        let wrong = usual.saturating_sub(zone);
        let is_news = match before {
            Some(before) => usual.abs_diff(before) > REPORTED_US,
            None => wrong.unsigned_abs() > REPORTED_US,
        };
        if !is_news {
            return;
        }
        let whose = if host.is_empty() { "a host that is not named" } else { &host };
        let span = duration_text(Duration::from_millis(wrong.unsigned_abs() / 1_000));
        let text = if wrong.unsigned_abs() <= REPORTED_US {
            format!("the time stamps of {whose} from {source} are right again")
        } else {
            let direction = if wrong >= 0 { "behind" } else { "ahead of" };
            format!(
                "the time stamps of {whose} from {source} are constantly {span} {direction} this machine's clock: the sender's clock is wrong, or its time zone is not configured (write `timezone:` for the host, listener or file). Until then Pointsman allows for the difference"
            )
        };
        out.push(Output::Notice(Notice { host: Some(host), ..Notice::new(Kind::ClockOffset, text) }));
    }
}

impl State {
    /// How far the times of a sender's events are usually behind their arrival, in microseconds; 0 when unknown.
    pub fn usual_age(&self, source: &str, trust: Trust, host: &str) -> i64 {
        self.offsets(&bucket(source, trust), host).map_or(0, |offsets| offsets.usual.saturating_sub(offsets.zone))
    }

    /// The usual ages of the records of a source's senders: trust, host and microseconds.
    pub fn offsets_of(&self, source: &str) -> Vec<(Trust, String, i64)> {
        let of = |trust: Trust| {
            let hosts = self.offsets.get(&bucket(source, trust)).into_iter().flatten();
            hosts.map(move |(host, offsets)| (trust, host.clone(), offsets.usual))
        };
        Trust::ALL.into_iter().flat_map(of).collect()
    }
}

/// Senders of different trust are kept apart: a sender has no influence on one that is trusted more.
fn bucket(source: &str, trust: Trust) -> String {
    format!("{source} {}", trust.name())
}
