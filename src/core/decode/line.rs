//! The front of a line that is no syslog message: a stamp in brackets, and what a logger wrote behind the stamp.

use std::borrow::Cow;

use crate::core::event::{Event, Level, Value};

use super::heads::{self, HeadFound, HeadPlace};
use super::stamp::{self, Stamp};
use super::{keyed, level, pairs};

/// A stamp in brackets of any kind at the beginning of a line, and what follows them.
pub(super) fn in_brackets(line: &str) -> Option<(Stamp, &str)> {
    let close = match line.as_bytes().first()? {
        b'[' => return bracketed(&line[1..]),
        b'(' => ')',
        b'<' => '>',
        b'"' => return quoted(&line[1..]),
        _ => return None,
    };
    let (behind, stamp) = stamp::any(&line[1..]).ok()?;
    // WebLogic has a bracket for each part.
    let behind = behind.strip_prefix(close).filter(|behind| !behind.starts_with(" <"))?;
    Some((stamp, behind))
}

/// A stamp in an open bracket, and what follows the bracket.
fn bracketed(inner: &str) -> Option<(Stamp, &str)> {
    if let Ok((behind, stamp)) = stamp::any(inner) {
        return Some((stamp, behind.strip_prefix(']')?));
    }
    // `[CEST Aug  6 10:14:52]` of monit.
    if let Some((name, rest)) = inner.split_once(' ').filter(|(name, _)| name.len() <= 5)
        && let Some(east_s) = stamp::named_zone(name)
        && let Ok((behind, stamp)) = stamp::any(rest)
    {
        return Some((Stamp { east_s: Some(east_s), ..stamp }, behind.strip_prefix(']')?));
    }
    // `[1773454317] SERVICE ALERT: ...` of Nagios.
    let (number, behind) = inner.split_once(']')?;
    let seconds = number.split('.').next()?;
    matches!(seconds.len(), 10 | 13 | 16).then(|| stamp::epoch(number)).flatten().map(|stamp| (stamp, behind))
}

/// A stamp in an open quote, and what follows the quote and the separator behind it: the first column of a table.
fn quoted(inner: &str) -> Option<(Stamp, &str)> {
    let (behind, stamp) = stamp::any(inner).ok()?;
    let behind = behind.strip_prefix('"')?;
    (stamp.day != stamp::Day::Unknown).then(|| (stamp, behind.trim_start_matches([',', ';', '\t', ' '])))
}

/// Reads what a logger wrote behind the stamp of a line: level and other parts of its head, and the text behind them.
pub(super) fn read<'a>(event: &mut Event<'a>, behind: &'a str) {
    let start = level::begin(behind);
    let level = level::scan(behind, 1);
    let place = if level.is_some_and(|found| found.behind.is_some()) { HeadPlace::Level } else { HeadPlace::Line };
    if let Some(found) = heads::read(place, start) {
        let text = found.text;
        take_head(event, found);
        if event.level.is_none() {
            event.level = level::scan(text, 0).filter(|found| found.behind.is_some()).map(|found| found.level);
        }
        return;
    }
    event.level = level.map(|found| found.level);
    if event.level.is_none() && (start.starts_with('{') || pairs::begins(start)) {
        event.level = keyed::level(start);
    }
    event.text = Cow::Borrowed(level.and_then(|found| found.behind).unwrap_or(start));
}

/// Gives a line what a head of the table says.
pub(super) fn take_head<'a>(event: &mut Event<'a>, found: HeadFound<'a>) {
    event.host = Cow::Borrowed(found.host);
    event.app = Cow::Borrowed(found.app);
    event.pid = Cow::Borrowed(found.pid);
    event.fields.extend(found.fields().map(|(name, value)| (Cow::Borrowed(name), Value::Text(Cow::Borrowed(value)))));
    event.text = Cow::Borrowed(found.text);
    event.level = found.level;
    event.id = found.id;
}

/// A message of syslog whose text is a line of a logger with a stamp and a level: the level, what else the logger says, and the
/// text behind them. The head of the message decides the time, sender and process. Returns true if the text is such a line.
pub(super) fn complete_message<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    let Some((level, behind)) = stamped(text) else { return false };
    let mut line = Event::default();
    read(&mut line, behind);
    let Some(level) = level.or(line.level) else { return false };
    event.level = Some(level);
    if event.pid.is_empty() {
        event.pid = line.pid;
    }
    event.id = event.id.take().or(line.id);
    event.fields.extend(line.fields);
    event.text = line.text;
    true
}

/// What follows the stamp at the beginning of a text, and the level that the stamp contains (klog).
fn stamped(text: &str) -> Option<(Option<Level>, &str)> {
    if text.starts_with('[') {
        return in_brackets(text).map(|(_, behind)| (None, behind));
    }
    if let Ok((behind, _)) = stamp::any(text)
        && matches!(behind.as_bytes().first(), Some(b' ' | b':' | b'_' | b'\t' | b',' | b'|' | b';'))
    {
        return Some((None, behind));
    }
    if let Some((level, behind)) = stamp::dated::klog_level(text) {
        return Some((Some(level), behind));
    }
    let dated = stamp::dated::begun(text)?;
    Some((dated.level, dated.behind?))
}
