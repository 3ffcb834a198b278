//! Limits the notices in the journal and in the program's own log: only some of each kind are kept per minute, together with the
//! number of omitted ones, and a repeated notice is only counted. Otherwise a sender of forged records could fill the disk with messages about them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::limits::NOTICES_A_MINUTE;
use crate::core::base::text::printable;
use crate::core::base::time::Time;
use crate::core::journal::NoticeRecord;
use crate::core::notice::{Kind, Notice};

const MINUTE: Duration = Duration::from_secs(60);

/// The notices of this minute.
#[derive(Debug, Default)]
pub(super) struct NoticeBudget {
    since: Time,
    /// The count of each kind. The number of kinds is fixed by the program.
    counts: BTreeMap<Kind, u32>,
    /// The last notice, and how often it occurred in a row.
    last: Option<(Notice, u64)>,
}

impl NoticeBudget {
    /// The notice with a printable text, because the text may contain parts of a log. `None` if the same notice came before: its
    /// repetitions are reported at the tenth, the hundredth and the thousandth time.
    pub(super) fn unless_repeated(&mut self, notice: &Notice) -> Option<Notice> {
        let before = self.last.take().filter(|(last, _)| last == notice).map_or(0, |(_, times)| times);
        let times = before + 1;
        self.last = Some((notice.clone(), times));
        let text = match times {
            1 => printable(&notice.text),
            _ if times == 10u64.pow(times.ilog10()) => format!("{} ({times} times now)", printable(&notice.text)),
            _ => return None,
        };
        Some(Notice { text, ..notice.clone() })
    }

    /// Counts a notice. Returns what to write: the notice, unless there were too many of its kind, and before it the numbers that
    /// were omitted in the minute before.
    pub(super) fn take(&mut self, now: Time, notice: Notice) -> Vec<Notice> {
        let mut taken = Vec::new();
        if now.since(self.since) >= MINUTE || now < self.since {
            for (kind, count) in std::mem::take(&mut self.counts) {
                if count > NOTICES_A_MINUTE {
                    let more = count - NOTICES_A_MINUTE;
                    let text = format!(
                        "{more} more notices `{kind}` came within a minute. They are neither in the journal nor in the log"
                    );
                    taken.push(Notice::new(Kind::NoticesDropped, text));
                }
            }
            self.since = now;
        }
        let count = self.counts.entry(notice.kind).or_default();
        *count = count.saturating_add(1);
        if *count <= NOTICES_A_MINUTE {
            taken.push(notice);
        }
        taken
    }
}

/// The record of a notice that people get at this time.
pub(super) fn record_of(at: Time, notice: Notice) -> NoticeRecord {
    let Notice { kind, text, alarm, resource, host, run, reaction, source, pair, scope: _ } = notice;
    NoticeRecord { at, kind: kind.name().to_owned(), text, alarm, resource, host, run, reaction, source, pair }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_leaves_room_for_others_and_is_counted() {
        let mut budget = NoticeBudget::default();
        let at = |s: u64| Time::from_millis(1_000_000) + Duration::from_secs(s);
        let notice = |kind: Kind| Notice::new(kind, String::new());
        let kept: usize = (0..1_000).map(|_| budget.take(at(0), notice(Kind::Late)).len()).sum();
        assert_eq!(kept, NOTICES_A_MINUTE as usize);
        assert_eq!(budget.take(at(1), notice(Kind::Conflict)).len(), 1);
        let next = budget.take(at(60), notice(Kind::Late));
        assert_eq!((next.len(), next[0].kind), (2, Kind::NoticesDropped));
        assert!(next[0].text.starts_with("880 more"), "{}", next[0].text);
    }

    #[test]
    fn a_repeated_notice_is_written_at_powers_of_ten() {
        let mut budget = NoticeBudget::default();
        let mut written = |text: &str| budget.unless_repeated(&Notice::new(Kind::Late, text.to_owned())).map(|n| n.text);
        let texts: Vec<String> = (0..100).filter_map(|_| written("a\u{1b}")).collect();
        assert_eq!(
            texts,
            [printable("a\u{1b}"), printable("a\u{1b}") + " (10 times now)", printable("a\u{1b}") + " (100 times now)"]
        );
        assert_eq!((written("b"), written("b"), written("a")), (Some("b".to_owned()), None, Some("a".to_owned())));
    }
}
