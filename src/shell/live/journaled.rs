//! Limits the notices in the journal: only some of each kind are kept per minute, together with the number of omitted ones.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::limits::NOTICES_A_MINUTE;
use crate::core::base::time::Time;
use crate::core::journal;
use crate::core::notice::{Kind, Notice};

const MINUTE: Duration = Duration::from_secs(60);

/// The notices that were journaled in this minute.
#[derive(Debug, Default)]
pub(super) struct Journaled {
    since: Time,
    /// The count of each kind. The number of kinds is fixed by the program.
    counts: BTreeMap<Kind, u32>,
}

impl Journaled {
    /// The records to journal for a notice: the notice, unless there were too many of its kind, and the numbers omitted in the
    /// minute before.
    pub(super) fn take(&mut self, now: Time, notice: &Notice) -> Vec<journal::NoticeRecord> {
        let mut taken = Vec::new();
        if now.since(self.since) >= MINUTE || now < self.since {
            for (kind, count) in std::mem::take(&mut self.counts) {
                if count > NOTICES_A_MINUTE {
                    let more = count - NOTICES_A_MINUTE;
                    let text = format!("{more} more notices `{kind}` came within a minute and are not in the journal");
                    taken.push(journal::NoticeRecord {
                        at: now,
                        kind: Kind::NoticesDropped.name().to_owned(),
                        text,
                        ..journal::NoticeRecord::default()
                    });
                }
            }
            self.since = now;
        }
        let count = self.counts.entry(notice.kind).or_default();
        *count = count.saturating_add(1);
        if *count <= NOTICES_A_MINUTE {
            let kind = notice.kind.name().to_owned();
            let Notice { kind: _, text, alarm, resource, host, run, reaction, source, pair, scope: _ } = notice.clone();
            taken.push(journal::NoticeRecord { at: now, kind, text, alarm, resource, host, run, reaction, source, pair });
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_leaves_room_for_others_and_is_counted() {
        let mut journaled = Journaled::default();
        let at = |s: u64| Time::from_millis(1_000_000) + Duration::from_secs(s);
        let notice = |kind: Kind| Notice::new(kind, String::new());
        let kept: usize = (0..1_000).map(|_| journaled.take(at(0), &notice(Kind::Late)).len()).sum();
        assert_eq!(kept, NOTICES_A_MINUTE as usize);
        assert_eq!(journaled.take(at(1), &notice(Kind::Conflict)).len(), 1);
        let next = journaled.take(at(60), &notice(Kind::Late));
        assert_eq!((next.len(), next[0].kind.as_str()), (2, "notices_dropped"));
        assert!(next[0].text.starts_with("880 more"), "{}", next[0].text);
    }
}
