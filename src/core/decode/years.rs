//! Finds when a log without years began, from all of its dates together.
//!
//! A log is in sequence, and was last written about when its file was. So its last date is before that time, each step from
//! December to January is a year, and 29 February shows a leap year. A single line with another date proves nothing.

use std::io::{self, BufRead};

use crate::core::base::time::Time;
use crate::core::base::zone::Moments;

use super::Decoder;
use super::calendar::{self, DAY_US};
use super::lines::Lines;
use super::stamp::{self, Day};

/// A log without years must have a date within this number of lines.
const FIRST_LINES: usize = 1_000;
/// The number of days by which a record may be out of sequence. A larger step back is a new year.
const BACK_DAYS: i64 = 30;
/// The number of days of a step between two dates that needs a further date to be believed.
const STEP_DAYS: i64 = 2;
/// The days of a leap year.
const YEAR_DAYS: i64 = 366;
/// The number of years that are tried for a 29 February.
const YEARS: i32 = 12;

/// The number of bytes at the beginning of a line that are searched for its date.
const HEAD_BYTES: usize = 64;

/// The dates of a log, counted in years from its first date.
#[derive(Debug, Default)]
struct Dates {
    first: Option<(u32, u32, i64)>,
    /// The day of the last date, in a leap year, and its year, counted from the first.
    last: Option<(i64, i32)>,
    last_us: i64,
    /// A step that the next date decides about.
    doubted: Option<i64>,
    /// Years that have a 29 February, counted from the first.
    leaps: Vec<i32>,
}

/// About when a log without years began; `None` if its stamps have years, or if no year fits. `written` is when it was last
/// written, and `decoder` reads its lines, whatever form their stamps have.
///
/// # Errors
/// Errors of the reader are returned.
pub fn first_moment<R: BufRead>(log: R, written: Time, mut decoder: Decoder) -> io::Result<Option<Time>> {
    let zone = decoder.zone();
    let mut lines = Lines::new(log);
    let mut dates = Dates::default();
    let mut count = 0;
    let mut same_day: Vec<u8> = Vec::new();
    while let Some(line) = lines.next_line()? {
        count += 1;
        if dates.first.is_none() && count > FIRST_LINES {
            return Ok(None);
        }
        // Most lines are of the same day as the one before. They need no decoding.
        let bytes = behind_priority(line.bytes);
        if !same_day.is_empty() && dates.doubted.is_none() && bytes.starts_with(&same_day) {
            continue;
        }
        match decoder.stamp_of(line.bytes, written).map(|stamp| (stamp.day, stamp.us)) {
            Some((Day::Yearless(month, day), us)) => {
                dates.take(month, day, us);
                same_day = date_of(bytes, month, day, us).unwrap_or_default().to_vec();
            }
            // The log has years.
            Some((Day::Full(_), _)) if dates.first.is_none() => return Ok(None),
            _ => {}
        }
    }
    Ok(dates.begin(zone.local_us(written).saturating_add(DAY_US)).map(|local| match zone.moments(local) {
        Moments::One(at) | Moments::Two(at, _) => at,
    }))
}

/// What follows the priority of a line.
fn behind_priority(line: &[u8]) -> &[u8] {
    let digits = line.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
    match line.first() {
        Some(b'<') if digits <= 3 && line.get(digits + 1) == Some(&b'>') => &line[digits + 2..],
        _ => line,
    }
}

/// The beginning of a line up to the hour of its stamp, if that contains the date: lines that begin in the same way have the same
/// date.
fn date_of(line: &[u8], month: u32, day: u32, us: i64) -> Option<&[u8]> {
    let head = std::str::from_utf8(&line[..line.len().min(HEAD_BYTES)]).ok()?;
    let hour = us / 3_600_000_000;
    let before = &head[..head.find(&format!("{hour:02}:"))?];
    let name = stamp::MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    let has_month = before.as_bytes().windows(name.len()).any(|word| word.eq_ignore_ascii_case(*name));
    (has_month && before.contains(&day.to_string())).then(|| &line[..before.len()])
}

impl Dates {
    fn take(&mut self, month: u32, day: u32, us: i64) {
        let Some(ordinal) = ordinal(month, day) else { return };
        let Some((last, _)) = self.last else {
            self.first = Some((month, day, us));
            return self.go_to(ordinal, us);
        };
        let apart = |a: i64, b: i64| (a - b).rem_euclid(YEAR_DAYS).min((b - a).rem_euclid(YEAR_DAYS));
        if let Some(doubted) = self.doubted.take()
            // Three dates of one year in sequence, or the nearer one.
            && ((last < doubted && doubted <= ordinal) || apart(ordinal, doubted) <= apart(ordinal, last))
        {
            self.go_to(doubted, 0);
        }
        let last = self.last.map_or(last, |(last, _)| last);
        if apart(ordinal, last) > STEP_DAYS {
            self.doubted = Some(ordinal);
            self.last_us = us;
        } else {
            self.go_to(ordinal, us);
        }
    }

    fn go_to(&mut self, ordinal: i64, us: i64) {
        let year = match self.last {
            None => 0,
            Some((last, year)) if ordinal < last - BACK_DAYS => year + 1,
            // A step back over the turn of the year.
            Some((last, year)) if ordinal > last + YEAR_DAYS - BACK_DAYS => year - 1,
            Some((_, year)) => year,
        };
        self.last = Some((ordinal, year));
        self.last_us = us;
        if Some(ordinal) == self::ordinal(2, 29) && self.leaps.last() != Some(&year) {
            self.leaps.push(year);
        }
    }

    /// The local time of the first date, if no date is later than `latest`.
    fn begin(mut self, latest: i64) -> Option<i64> {
        let (month, day, us) = self.first?;
        if let Some(doubted) = self.doubted.take() {
            let us = self.last_us;
            self.go_to(doubted, us);
        }
        let (last, years) = self.last?;
        let this_year = calendar::year_of(latest.div_euclid(DAY_US));
        // How many years the first date is before the last.
        let fits = |first: i32, leaps: bool| {
            let last_year = calendar::days(first + years, 1, 1)?;
            let leap = calendar::days(first + years, 2, 29).is_some();
            let last_day = last_year + last - i64::from(!leap && last > ordinal(2, 28).unwrap_or(0));
            let before = (last_day * DAY_US).saturating_add(self.last_us) <= latest;
            let leap_days = !leaps || self.leaps.iter().all(|year| calendar::days(first + year, 2, 29).is_some());
            let exists = calendar::days(first, month, day);
            exists.filter(|_| before && leap_days).map(|day| day * DAY_US + us)
        };
        let tried = |leaps: bool| (0..YEARS).find_map(|back| fits(this_year - years - back, leaps));
        tried(true).or_else(|| tried(false))
    }
}

/// The days of a leap year before a date in it.
fn ordinal(month: u32, day: u32) -> Option<i64> {
    Some(calendar::days(2000, month, day)? - calendar::days(2000, 1, 1)?)
}

#[cfg(test)]
mod tests {
    use super::super::LineFormat;
    use super::*;

    fn begin(dates: &[&str], written: &str) -> Option<String> {
        let log: String = dates.iter().map(|date| format!("{date} 12:00:00 h app: text\n")).collect();
        let written = Time::parse_rfc3339(written).unwrap();
        first_moment(log.as_bytes(), written, Decoder::new()).unwrap().map(|at| at.to_string()[..10].to_owned())
    }

    #[test]
    fn the_dates_of_a_log_are_taken_together() {
        let written = "2026-11-29T12:00:00Z";
        for (dates, wanted) in [
            (&["Nov 29"][..], Some("2026-11-29")),
            (&["Dec  1", "Dec  2"], Some("2025-12-01")),
            (&["Feb 28", "Feb 29", "Mar  1", "Mar  1", "Mar  2"], Some("2024-02-28")),
            (&["Feb 28", "Mar  1"], Some("2026-02-28")),
            // A log of more than a year.
            (&["Oct 30", "Dec 31", "Jan  1", "Mar  5", "Dec 24"], Some("2024-10-30")),
            (&["Oct 30", "Dec 31", "Jan  1", "Dec 30", "Jan  2"], Some("2025-10-30")),
            // A log that was quiet for eight months.
            (&["Feb  1", "Oct  1", "Oct  2"], Some("2026-02-01")),
            (&["Mar  1", "Mar  2", "Feb 29", "Feb 29"], Some("2024-03-01")),
            // One line with another date, and records out of sequence.
            (&["Nov  1", "Nov  2", "Mar  4", "Nov  3", "Nov  2", "Nov 29"], Some("2026-11-01")),
            (&["Nov  1", "Nov  2", "Mar  4", "Mar  4", "Nov  3"], Some("2025-11-01")),
            (&["Dec 31", "Jan  1", "Dec 31", "Jan  1"], Some("2025-12-31")),
            (&["nothing"], None),
        ] {
            assert_eq!(begin(dates, written).as_deref(), wanted, "{dates:?}");
        }
        assert_eq!(begin(&["Mar  1 2020", "Mar  2"], written), None, "it says its years");
        assert_eq!(begin(&["2026-03-01", "Mar  2"], written), None, "its first line says its year");
        assert_eq!(begin(&["<13>Dec  2"], written).as_deref(), Some("2025-12-02"));
    }

    #[test]
    fn whatever_the_form_of_a_stamp_without_a_year_is_a_leap_day_shows_it() {
        let written = Time::parse_rfc3339("2026-11-29T12:00:00Z").unwrap();
        for lines in [
            ["Feb 29 23:00:00 h app: a", "Mar  1 03:00:00 h app: b"],
            ["<13>Feb 29 23:00:00 h app: a", "<13>Mar  1 03:00:00 h app: b"],
            ["[Feb 29 23:00:00] a", "[Mar  1 03:00:00] b"],
            ["000123: Feb 29 23:00:00.1: %SYS-5-X: a", "000124: *Mar  1 03:00:00.1: %SYS-5-X: b"],
            ["29 Feb 23:00:00.123 # a", "01 Mar 03:00:00.123 # b"],
            ["I0229 23:00:00.000001       7 b.go:1] a", "I0301 03:00:00.000001       7 b.go:1] b"],
            ["02-29 23:00:00.123  123  456 E tag: a", "03-01 03:00:00.123  123  456 E tag: b"],
            ["02/29-23:00:00.123456  [**] a", "03/01-03:00:00.123456  [**] b"],
        ] {
            let began = first_moment(lines.join("\n").as_bytes(), written, Decoder::new()).unwrap();
            assert_eq!(began.map(|at| at.to_string()[..19].to_owned()).as_deref(), Some("2024-02-29T23:00:00"), "{lines:?}");
        }
        let format = LineFormat::parse("%d.%m. %H:%M:%S").unwrap();
        let log = "29.02. 23:00:00 a\n01.03. 03:00:00 b\n";
        let began = first_moment(log.as_bytes(), written, Decoder::new().with_format(format)).unwrap().unwrap();
        assert_eq!(began.to_string(), "2024-02-29T23:00:00.000Z");
    }
}
