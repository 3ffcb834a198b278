//! The past as the journal has it: which part somebody wants, and its pages, from the files or from the running controller.

use std::io;
use std::path::Path;

use crate::core::base::time::Time;
use crate::core::journal::{HistoryEntry, HistoryFilter};
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::{HistoryPage, JournalReader, PageBounds, history_page};

use super::ask::{ControllerArgs, data};
use super::local_time::{backwards, moment};
use super::output::wrong;
use super::table::RowFormat;

/// The default of `--limit`.
const LIMIT: usize = 500;

/// Which part of the past.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PastArgs {
    /// Only what happened since this time: 2h, 2026-11-29, '2026-11-29 14:30'
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub(super) since: Option<Time>,
    /// Only what happened up to this time
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub(super) until: Option<Time>,
    /// Only what is about this alarm
    #[arg(long = "alarm", value_name = "ALARM")]
    pub(super) of_alarm: Option<String>,
    /// Only what is about this host
    #[arg(long, value_name = "HOST")]
    pub(super) host: Option<String>,
    /// How many, the newest; 0 means all [default: 500]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only what precedes this record; the end of an earlier output names its number
    #[arg(long, value_name = "RECORD")]
    before: Option<u64>,
}

impl PastArgs {
    /// True if a part is chosen.
    pub(super) fn selects(&self) -> bool {
        let times = self.since.is_some() || self.until.is_some();
        times || self.limit.is_some() || self.before.is_some() || self.of_alarm.is_some() || self.host.is_some()
    }

    /// True if the part ends before the present.
    pub(super) fn has_an_end(&self) -> bool {
        self.before.is_some() || self.until.is_some()
    }

    /// The maximum number of entries.
    pub(super) fn limit(&self) -> usize {
        match self.limit {
            None => LIMIT,
            Some(0) => usize::MAX,
            Some(limit) => limit,
        }
    }

    /// Why there can be nothing in that part.
    pub(super) fn backwards(&self) -> Option<String> {
        backwards(self.since, self.until)
    }

    /// The filter for pages of the history.
    pub(super) fn filter(&self) -> HistoryFilter {
        HistoryFilter {
            since: self.since,
            until: self.until,
            before: self.before,
            alarm: self.of_alarm.clone(),
            host: self.host.clone(),
            limit: self.limit(),
            ..HistoryFilter::default()
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The entries, the oldest first.
    pub(super) entries: Vec<HistoryEntry>,
    /// The number of the record before which there is more that was not read.
    pub(super) before: Option<u64>,
    /// Why something is missing.
    pub(super) unread: Option<String>,
}

/// Reads pages of the history, the newest first, until `enough` says so of a page. A user who may not read the files asks the
/// controller. Returns `None` if nothing can be read; the reason has been reported then.
pub(super) fn read(
    whom: &ControllerArgs,
    mut filter: HistoryFilter,
    enough: &mut dyn FnMut(&[HistoryEntry]) -> bool,
) -> io::Result<Option<Past>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    // A running controller may have records that are not on the disk yet. If it does not answer, the rest can still be read.
    let synced = control_socket::ask(&data, &Question::History);
    let reader = match (JournalReader::open(&data), synced) {
        (Ok(reader), _) => Some(reader),
        (Err(_), Ok(_)) => None,
        (Err(_), Err(why)) if data.join("journal.db").exists() => {
            wrong(&why);
            return Ok(None);
        }
        (Err(why), Err(_)) => {
            wrong(&why.to_string());
            return Ok(None);
        }
    };
    let (mut past, mut pages, mut unreadable) = (Past::default(), Vec::new(), 0);
    loop {
        let page = match &reader {
            Some(reader) => history_page(reader, &filter, &PageBounds::NONE).map_err(|e| e.to_string()),
            None => page_of_controller(&data, &filter),
        };
        let page = match page {
            Ok(page) => page,
            Err(why) => {
                past.unread = Some(why);
                break;
            }
        };
        unreadable += page.unreadable;
        // A page before the same record would not end.
        past.before = page.before.filter(|before| filter.before.is_none_or(|last| *before < last));
        filter.before = past.before;
        let ends = enough(&page.entries) || past.before.is_none();
        pages.push(page.entries);
        if ends {
            break;
        }
    }
    past.entries = pages.into_iter().rev().flatten().collect();
    if unreadable > 0 {
        let why = format!("{unreadable} records of the journal can't be read; see `pointsman journal verify`");
        past.unread.get_or_insert(why);
    }
    Ok(Some(past))
}

impl Past {
    /// Prints what follows the entries: for people the hint how to see others, and why something is missing. Returns the exit
    /// status.
    pub(super) fn end(&self, format: RowFormat, hint: Option<String>) -> u8 {
        if let Some(hint) = hint.filter(|_| format == RowFormat::Human) {
            eprintln!("{hint}");
        }
        self.unread.as_deref().map_or(0, wrong)
    }
}

/// The hint that there are entries before the newest ones, which are shown.
pub(super) fn newest(shown: usize, before: u64) -> String {
    format!("these are the newest {shown}; `--before {before}` shows earlier ones, and `--limit 0` shows all")
}

fn page_of_controller(data: &Path, filter: &HistoryFilter) -> Result<HistoryPage, String> {
    let answer = control_socket::ask(data, &Question::HistoryPage(filter.clone()))?;
    serde_json::from_value(answer).map_err(|e| format!("the controller's answer is no page ({e}); is it of another version?"))
}
