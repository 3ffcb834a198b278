//! Pages of the history, read from the end of the journal backwards.

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{HISTORY_BYTES, HISTORY_ENTRIES, HISTORY_RECORDS};
use crate::core::base::time::Time;
use crate::core::journal::{History, HistoryEntry, HistoryFilter, Record};

use super::reader::input_time;
use super::{Error, JournalReader};

/// The number of records that are read at once: first, and at most. It doubles while there are not enough entries.
const WINDOW: u64 = 2_000;
const WINDOW_MOST: u64 = 32_000;
/// The number of earlier records that are read to find the reactions of runs that began before the shown entries.
const CONTEXT: u64 = 5_000;
/// The approximate number of bytes of an entry in addition to its text.
const ENTRY_BYTES: usize = 256;

/// A part of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The entries, the oldest first.
    pub entries: Vec<HistoryEntry>,
    /// The number of the record before which the next page begins; `None` if there is nothing before.
    pub before: Option<u64>,
    /// How many records of the page could not be read.
    pub unreadable: u64,
}

/// How much one page may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageBounds {
    /// The maximum number of entries.
    pub entries: usize,
    /// The maximum bytes of their texts, roughly.
    pub bytes: usize,
    /// The maximum number of records that are read for it.
    pub records: u64,
}

impl PageBounds {
    /// What a running controller reads for an operator.
    pub const OF_CONTROLLER: PageBounds = PageBounds { entries: HISTORY_ENTRIES, bytes: HISTORY_BYTES, records: HISTORY_RECORDS };
    /// For a process that reads for itself.
    pub const NONE: PageBounds = PageBounds { entries: usize::MAX, bytes: usize::MAX, records: u64::MAX };
}

/// Reads the newest entries that a filter selects, as many as it wants and as one page may have.
///
/// # Errors
/// When the journal cannot be read.
pub fn history_page(reader: &JournalReader, filter: &HistoryFilter, bounds: &PageBounds) -> Result<HistoryPage, Error> {
    let (first, last) = reader.range()?;
    let lowest = match filter.since {
        Some(since) => reader.first_since(since)?.max(first),
        None => first,
    };
    let after = match filter.until {
        Some(until) => first_input_after(reader, until)?,
        None => u64::MAX,
    };
    let most = if filter.limit == 0 { bounds.entries } else { filter.limit.min(bounds.entries) };
    let mut high = filter.before.unwrap_or(u64::MAX).min(after).min(last + 1);
    let stop = high.saturating_sub(bounds.records).max(lowest);
    let mut page = HistoryPage::default();
    let mut newest_first = Vec::new();
    let mut size = WINDOW;
    while high > stop {
        let low = high.saturating_sub(size).max(stop);
        size = (size * 2).min(WINDOW_MOST);
        let (found, unreadable) = window(reader, filter, low, high)?;
        page.unreadable += unreadable;
        newest_first.extend(found.into_iter().rev());
        high = low;
        if newest_first.len() >= most {
            break;
        }
    }
    page.before = (high > lowest).then_some(high);
    let mut bytes = 0;
    let fits = |entry: &&HistoryEntry| {
        bytes += entry.text.len() + ENTRY_BYTES;
        bytes <= bounds.bytes
    };
    let kept = newest_first.iter().take(most).take_while(fits).count().max(1);
    if kept < newest_first.len() {
        newest_first.truncate(kept);
        page.before = newest_first.last().map(|entry| entry.n);
    }
    newest_first.reverse();
    page.entries = newest_first;
    Ok(page)
}

/// The number of the first input after a time. Everything that follows from earlier inputs has a lower number.
fn first_input_after(reader: &JournalReader, at: Time) -> Result<u64, Error> {
    let from = reader.first_since(Time::from_micros(at.micros().saturating_add(1)))?;
    let mut found = u64::MAX;
    reader.lines(from, &mut |n, line| {
        let is_input = input_time(line).is_some();
        if is_input {
            found = n;
        }
        !is_input
    })?;
    Ok(found)
}

/// The wanted entries of the records from `low` to below `high`, and how many of these could not be read.
fn window(reader: &JournalReader, filter: &HistoryFilter, low: u64, high: u64) -> Result<(Vec<HistoryEntry>, u64), Error> {
    let (mut history, mut found, mut unreadable) = (History::default(), Vec::new(), 0);
    reader.lines(low.saturating_sub(CONTEXT), &mut |n, line| {
        if n >= high {
            return false;
        }
        if let Some(at) = log_event_time(line) {
            history.pass(at);
            return true;
        }
        match Record::read(line) {
            Ok(record) => found.extend(history.entry(n, &record).filter(|e| n >= low && filter.matches(e))),
            Err(_) => unreadable += u64::from(n >= low),
        }
        true
    })?;
    Ok((found, unreadable))
}

/// The time of a record of a log event. Most records are such inputs, and they make no entry of the history.
fn log_event_time(line: &str) -> Option<Time> {
    const LONGEST: usize = 80;
    let head = line.get(..LONGEST)?;
    if head.contains("\"input\":{\"event\":{\"source\":") { input_time(line) } else { None }
}
