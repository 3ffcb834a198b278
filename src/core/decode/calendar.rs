//! Days and years by arithmetic: the proleptic Gregorian calendar, without a clock, a zone or a table.

/// The microseconds of a second.
pub(super) const SECOND_US: i64 = 1_000_000;
/// The microseconds of a day.
pub(super) const DAY_US: i64 = 86_400 * SECOND_US;

/// Less than half of any year.
const HALF_YEAR_US: i64 = 182 * DAY_US;

/// Days from 1970-01-01 to the date; `None` for a date that does not exist.
pub(super) fn days(year: i32, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > month_length(year, month) {
        return None;
    }
    // Years begin in March here, so the leap day is the last day and months have one formula.
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The year of a day that is counted from 1970-01-01.
pub(super) fn year_of(days: i64) -> i32 {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From 1 January on (day 306 of a year that begins in March) the number is one higher.
    let year = era * 400 + year_of_era + i64::from(day_of_year >= 306);
    i32::try_from(year).unwrap_or(1970)
}

/// The day of `month` and `day` in the year that brings it nearest to `near`, both in local microseconds since 1970.
///
/// 29 February is looked for in the leap years around it. `None` if no year has the date.
pub(super) fn nearest_year(month: u32, day: u32, time_us: i64, near: i64) -> Option<i64> {
    let year = year_of(near.div_euclid(DAY_US));
    // A date that is nearer than half a year is the nearest.
    if let Some(day) = days(year, month, day)
        && (day * DAY_US + time_us).saturating_sub(near).saturating_abs() <= HALF_YEAR_US
    {
        return Some(day);
    }
    let reach = if (month, day) == (2, 29) { 8 } else { 1 };
    (year - reach..=year + reach)
        .filter_map(|y| days(y, month, day))
        .min_by_key(|d| (d * DAY_US + time_us).saturating_sub(near).saturating_abs())
}

/// The day of `month` and `day` in the last year in which it is not after `most`, in local microseconds since 1970. `None` if no
/// year has the date.
pub(super) fn last_year(month: u32, day: u32, time_us: i64, most: i64) -> Option<i64> {
    let year = year_of(most.div_euclid(DAY_US));
    (year - 8..=year).rev().filter_map(|y| days(y, month, day)).find(|day| day * DAY_US + time_us <= most)
}

/// The same month and day a year later, both days counted from 1970-01-01. For 29 February it is the next year that has one.
pub(super) fn a_year_later(day: i64) -> Option<i64> {
    let year = year_of(day);
    let of_year = day - days(year, 1, 1)?;
    let (month, day) = (1..=12).find_map(|m| {
        let first = days(year, m, 1)? - days(year, 1, 1)?;
        (first..first + i64::from(month_length(year, m))).contains(&of_year).then(|| (m, u32::try_from(of_year - first + 1).ok()))
    })?;
    (year + 1..=year + 8).find_map(|y| days(y, month, day?))
}

fn month_length(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_is_one_after_the_last() {
        let mut expected = days(1800, 1, 1).unwrap();
        for year in 1800..2200 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(d) = days(year, month, day) else {
                        continue;
                    };
                    assert_eq!(d, expected, "{year}-{month}-{day}");
                    assert_eq!(year_of(d), year);
                    expected += 1;
                }
            }
        }
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(2024, 2, 29), Some(19_782));
    }

    #[test]
    fn a_date_that_does_not_exist_is_none() {
        for (y, m, d) in [(2018, 2, 29), (2003, 9, 31), (2000, 13, 1), (2000, 0, 1), (2000, 1, 0)] {
            assert_eq!(days(y, m, d), None, "{y}-{m}-{d}");
        }
    }

    #[test]
    fn the_nearest_year_goes_over_new_year_both_ways() {
        let at = |y, m, d| days(y, m, d).unwrap() * DAY_US;
        let near = |m, d, to| nearest_year(m, d, 0, to).map(year_of);
        assert_eq!(near(12, 31, at(2020, 1, 1)), Some(2019));
        assert_eq!(near(1, 1, at(2019, 12, 31)), Some(2020));
        assert_eq!(near(8, 29, at(2019, 2, 8)), Some(2018));
        assert_eq!(near(2, 29, at(2026, 2, 28)), Some(2024));
        assert_eq!(near(2, 29, at(1899, 3, 1)), Some(1896));
        assert_eq!(near(2, 30, at(2024, 1, 1)), None);
    }
}
