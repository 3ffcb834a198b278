//! Calendars: the times that they include on every kind of day, and their changes compared with single steps.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use pointsman::core::base::limits::{CALENDAR_CLAUSES, CALENDAR_SEARCH};
use pointsman::core::base::time::{Time, duration_text};
use pointsman::core::diag::{Code, Diagnostic, has_errors, render};
use pointsman::core::lang::calendar::Calendar;
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::sim::Rng;

use crate::support::{expect, files, source};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn compiled(name: &str, text: &str) -> (BTreeMap<String, Calendar>, Vec<Diagnostic>) {
    let (program, found) = compile(&[source(name, text)], &Declarations::default());
    (program.calendars, found)
}

/// Compiles one calendar from these clauses.
fn calendar(clauses: &str) -> Calendar {
    let (mut calendars, found) = compiled("c.alarm", &format!("calendar c {{ {clauses} }}"));
    assert!(!has_errors(&found), "{}", render::human(&found, false));
    calendars.remove("c").unwrap()
}

fn time(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

/// The spans in which each calendar is active, computed from its changes, within the times at the head of the file.
#[test]
fn calendars_are_active_as_stands_beside_them() {
    for (name, text) in files("tests/lang/calendars", "alarm") {
        let (calendars, found) = compiled(&name, &text);
        assert!(!has_errors(&found), "{}", render::human(&found, false));
        let mut told = String::new();
        let heads = text.lines().filter_map(|line| line.strip_prefix("# from ")?.split_once(" to "));
        let mut tried = 0;
        for (from, to) in heads.map(|(from, to)| (time(from), time(to))) {
            told.push_str(&format!("from {from} to {to}\n"));
            for (name, calendar) in &calendars {
                told.push_str(&format!("    {name}\n"));
                let (mut at, mut since) = (from, calendar.active(from).then_some(from));
                while let Some(next) = calendar.next_change(at).filter(|next| *next < to) {
                    match since.take() {
                        Some(begun) => told.push_str(&format!("        {begun}  {}\n", duration_text(next.since(begun)))),
                        None => since = Some(next),
                    }
                    at = next;
                }
                if let Some(begun) = since {
                    told.push_str(&format!("        {begun}  on\n"));
                }
                tried += 1;
            }
        }
        assert!(tried > 0, "{name} does not say from when to when");
        expect(format!("tests/lang/calendars/{}", name.replace(".alarm", ".expected")), &told);
    }
}

/// Zones whose clocks change, with a day of a change: by an hour, by half an hour, at midnight, by a whole day.
const CHANGES: [(&str, &str); 9] = [
    ("Europe/Paris", "2026-03-29T01:00:00Z"),
    ("Europe/Paris", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Havana", "2026-03-08T05:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("Africa/Casablanca", "2026-02-15T02:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
];

/// A clause with times near the change.
fn clause(rng: &mut Rng, change: Time) -> String {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let clock = |rng: &mut Rng| format!("{:02}:{:02}", rng.below(5) * rng.below(2) + rng.below(20), 10 * rng.below(6));
    let date = |rng: &mut Rng| (change + DAY * rng.below(3) as u32 - DAY).to_string()[..10].to_owned();
    let hours = |rng: &mut Rng| {
        let (from, to) = (clock(rng), clock(rng));
        match rng.below(4) {
            0 => String::new(),
            1 => format!("at {from}"),
            _ if from == to => format!("from {from} to 24:00"),
            _ => format!("from {from} to {to}"),
        }
    };
    match rng.below(5) {
        0 => format!("every day {}", hours(rng)),
        1 => format!("every {} .. {} {}", DAYS[rng.index(7)], DAYS[rng.index(7)], hours(rng)),
        2 => format!("on {} {}", date(rng), hours(rng)),
        3 => {
            let fields = ["*/7", "30", "0,59", "*"][rng.index(4)];
            let hour = ["*", "0-3", "2", "*/5"][rng.index(4)];
            format!("cron \"{fields} {hour} * * *\"")
        }
        _ => {
            let lasts = ["1m", "45m", "3h", "2d", "90s"][rng.index(5)];
            format!("cron \"{} {} * * {}\" for {lasts}", rng.below(60), rng.below(24), DAYS[rng.index(7)])
        }
    }
}

#[test]
fn the_next_change_is_what_single_steps_find() {
    let mut changes = 0;
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let (zone, change) = CHANGES[rng.index(CHANGES.len())];
        let change = time(change);
        let of = |rng: &mut Rng| (0..=rng.below(3)).map(|_| clause(rng, change)).collect::<Vec<_>>().join("\n");
        let other = CHANGES[rng.index(CHANGES.len())].0;
        let except = if rng.below(3) == 0 { "except d" } else { "" };
        let text = format!(
            "calendar c {{ zone \"{zone}\" {} {except} }}\ncalendar d {{ zone \"{other}\" {} }}",
            of(&mut rng),
            of(&mut rng)
        );
        let (calendars, found) = compiled("c.alarm", &text);
        assert!(!has_errors(&found), "seed {seed}: {}", render::human(&found, false));
        let calendar = &calendars["c"];
        let (mut at, end) = (change - DAY * 2, change + DAY * 2);
        let mut said = calendar.next_change(at);
        let mut active = calendar.active(at);
        while at < end {
            let next = at + Duration::from_secs(30);
            let now = calendar.active(next);
            if now != active {
                assert_eq!(said, Some(next), "seed {seed}: it changes at {next}\n{text}");
                assert_eq!(calendar.next_change(next - Duration::from_micros(1)), Some(next), "seed {seed}\n{text}");
                said = calendar.next_change(next);
                changes += 1;
            }
            (at, active) = (next, now);
        }
        assert!(said.is_none_or(|said| said > end), "seed {seed}: it does not change at {said:?}\n{text}");
    }
    assert!(changes > 500, "{changes}");
}

/// On a day without a clock change, hours are those of the wall clock.
#[test]
fn far_from_changes_the_wall_clock_says_it_all() {
    let mut matched = 0;
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let zone: Tz = CHANGES[rng.index(CHANGES.len())].0.parse().unwrap();
        let (from, to) = (rng.below(1440) as u32, rng.below(1441) as u32);
        let (first, length) = (rng.below(7) as u32, rng.below(7) as u32);
        if from == to {
            continue;
        }
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let day = |n: u32| names[(n % 7) as usize];
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let text =
            format!("zone \"{zone}\" every {} .. {} from {} to {}", day(first), day(first + length), clock(from), clock(to));
        let calendar = calendar(&text);
        for _ in 0..200 {
            // Within five years of the middle of June 2026, in the middle of a month without changes in these zones.
            let at = time("2026-06-10T00:00:00Z") + MINUTE * rng.below(10 * 1440) as u32 + Duration::from_secs(rng.below(60));
            let shown = DateTime::from_timestamp_micros(at.micros()).unwrap().with_timezone(&zone);
            let (today, minutes) = (shown.weekday().num_days_from_monday(), shown.hour() * 60 + shown.minute());
            let has = |day: u32| (day + 14 - first) % 7 <= length;
            let want = match from < to {
                true => has(today) && (from..to).contains(&minutes),
                false => (has(today) && minutes >= from) || (has(today + 6) && minutes < to),
            };
            assert_eq!(calendar.active(at), want, "{text} at {shown}");
            matched += usize::from(want);
        }
    }
    assert!(matched > 5_000, "{matched}");
}

#[test]
fn what_does_not_change_in_five_years_does_not_change() {
    let at = time("2026-06-01T00:00:30Z");
    let far = "on 2040-01-01 .. 2040-12-31";
    let clauses = format!("cron \"*/2 * * * *\"  {}", "every day at 12:00  ".repeat(98));
    let (mut calendars, found) =
        compiled("c.alarm", &format!("calendar c {{ {clauses} except d }}\ncalendar d {{ every mon .. sun  on 2031-01-01 }}"));
    assert!(has_errors(&found), "one clause more than {CALENDAR_CLAUSES} is refused");
    assert!(calendars.remove("c").is_none());
    // Everything is excluded minute by minute, which only an evaluation shows.
    let (taken, _) = compiled(
        "taken.alarm",
        "calendar c { cron \"*/2 * * * *\" except d }\ncalendar d { every day from 00:00 to 12:00  every day from 12:00 to 24:00 }",
    );
    assert_eq!((taken["c"].active(at), taken["c"].next_change(at)), (false, None));
    for (text, active) in [(far, false), ("every day", true), ("cron \"* * * * *\"", true), ("cron \"0 0 30 2 *\"", false)] {
        let calendar = calendar(text);
        assert_eq!((calendar.active(at), calendar.next_change(at)), (active, None), "{text}");
    }
    // The search ends five years ahead.
    let before = calendar("on 2031-06-05");
    assert_eq!(before.next_change(time("2031-06-05T00:00:00Z") - CALENDAR_SEARCH), None);
    assert_eq!(before.next_change(time("2031-06-05T00:00:01Z") - CALENDAR_SEARCH), Some(time("2031-06-05T00:00:00Z")));
}

/// Extreme times are not in any calendar, and cause no failure.
#[test]
fn the_ends_of_time_are_survived() {
    let calendar = calendar("zone \"Pacific/Apia\" every day  cron \"* * * * *\" for 31d");
    for at in [Time::MIN, Time::from_micros(i64::MAX), Time::from_micros(-70_000_000_000_000_000), time("9999-12-31T23:59:59Z")] {
        assert!(!calendar.active(at), "{at}");
        assert_eq!(calendar.next_change(Time::from_micros(i64::MAX)), None);
    }
}

/// Calendars that except each other in turn are accepted up to a depth. A longer chain is refused and does not overflow.
#[test]
fn chains_of_exceptions_are_bounded() {
    for (n, fits) in [(60, true), (70, false), (3_000, false)] {
        let mut text = String::from("calendar c0 { every day at 00:00 }\n");
        for i in 1..n {
            text.push_str(&format!("calendar c{i} {{ every day at 00:00  except c{} }}\n", i - 1));
        }
        let (_, found) = compiled("chain.alarm", &text);
        assert_eq!(!found.iter().any(|d| d.code == Code::CalendarTooLarge), fits, "{n}");
    }
}

#[test]
fn alarms_have_the_calendars_of_their_clauses_or_of_the_defaults() {
    let text = "defaults { only during a, b  not during c }
        calendar a { every day }  calendar b { every day }  calendar c { every day }
        alarm one { detect event 1 cancel by hand  only during b }
        alarm two { detect event 1 cancel by hand  not during b, a }";
    let (program, found) = compile(&[source("c.alarm", text)], &Declarations::default());
    assert!(found.is_empty(), "{}", render::human(&found, false));
    let had: Vec<_> = program.alarms.iter().map(|a| (a.only_during.join(" "), a.not_during.join(" "))).collect();
    let want = [("b", "c"), ("a b", "b a")].map(|(only, not)| (only.to_owned(), not.to_owned()));
    assert_eq!(had, want);
}
