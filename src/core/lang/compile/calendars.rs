//! Calendars: reads days, hours and zones, resolves exceptions, finds calendars that are never active.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::limits::{CALENDAR_CLAUSES, CALENDAR_LASTS, NESTING};
use crate::core::base::time::duration_text;
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Diagnostic, Place};
use crate::core::lang::ast::{self, At, CalendarClause, Days, File, Item, Text, TextSpan};
use crate::core::lang::calendar::{
    Calendar, CalendarPart, CalendarSpan, Cron, Date, Hours, Zone, clock, date, day, zone, zone_like,
};

use super::Compiler;

/// The calendars without their exceptions; `None` when a part is wrong.
type Own<'t> = BTreeMap<&'t str, Option<(CalendarPart, Vec<&'t Text>)>>;

/// Calendars in the order in which they need each other through `except`.
struct Order<'t> {
    /// The path from the first calendar to the current one.
    way: Vec<&'t str>,
    done: Vec<&'t str>,
}

impl<'t> Compiler<'t, '_> {
    pub(super) fn calendars(&mut self, trees: &'t [File]) {
        let mut places: BTreeMap<&str, Place> = BTreeMap::new();
        for file in trees {
            for item in &file.items {
                let Item::Calendar(calendar) = item else { continue };
                if let Some(first) = places.get(calendar.name.it.as_str()).cloned() {
                    self.twice(file, &calendar.name, "calendars", first);
                    continue;
                }
                places.insert(&calendar.name.it, file.place(&calendar.name.span));
                self.calendars.insert(&calendar.name.it, (file, calendar));
            }
        }
        let all: Vec<_> = self.calendars.iter().map(|(name, (file, tree))| (*name, *file, *tree)).collect();
        let own: Own<'t> = all.iter().map(|(name, file, tree)| (*name, self.calendar(file, tree))).collect();
        for (name, file, tree) in all {
            let mut order = Order { way: Vec::new(), done: Vec::new() };
            if !self.visit(&own, &mut order, file, name, &tree.name) {
                continue;
            }
            let parts: Vec<CalendarPart> = order.done.iter().filter_map(|name| part(&own, &order.done, name)).collect();
            let clauses: usize = parts.iter().map(|part| part.clauses.len()).sum();
            if clauses > CALENDAR_CLAUSES {
                let message =
                    format!("`{name}` has more than {CALENDAR_CLAUSES} clauses, with those of the calendars that it excepts");
                self.report(file, Code::CalendarTooLarge, &tree.name.span, message);
                continue;
            }
            let calendar = Calendar::new(parts);
            if calendar.never() {
                self.report(file, Code::NeverActive, &tree.name.span, format!("the calendar `{name}` is never active"));
            }
            self.program.calendars.insert(name.to_owned(), calendar);
        }
    }

    /// The calendars that the configuration names. Unknown ones of maintenance are reported; those of routes are where routes are
    /// checked.
    pub(super) fn calendars_of_configuration(&mut self) {
        let Some(inventory) = self.world.inventory else { return };
        let of_routes = inventory.routes.values().flat_map(|route| route.during.iter().chain(&route.not_during));
        self.used_calendars.extend(of_routes.cloned());
        for (what, name, calendar) in inventory.maintenance.all() {
            self.used_calendars.insert(calendar.clone());
            if self.calendars.contains_key(calendar.as_str()) {
                continue;
            }
            let known: Vec<&str> = self.calendars.keys().copied().collect();
            let help = match nearest(calendar, known.iter().copied()) {
                Some(near) => did_you_mean(near),
                None if known.is_empty() => {
                    format!("write it in a rule file: calendar {calendar} {{ every sun from 02:00 to 04:00 }}")
                }
                None => format!("there are {}", known.join(", ")),
            };
            let message =
                format!("the configuration has `maintenance: {calendar}` for {what} {name}, and no rule file has that calendar");
            self.found.push(Diagnostic::whole(Code::UnknownCalendar, message).help(help));
        }
    }

    /// The names of an alarm's calendars. Unknown ones are reported, and all count as used.
    pub(super) fn calendar_names(&mut self, file: &File, words: &[Text]) -> Vec<String> {
        for word in words {
            self.calendar_name(file, word);
        }
        words.iter().map(|word| word.it.clone()).collect()
    }

    /// Reports a name that no calendar has; it counts as used.
    pub(super) fn calendar_name(&mut self, file: &File, word: &Text) {
        self.used_calendars.insert(word.it.clone());
        if !self.calendars.contains_key(word.it.as_str()) {
            let known: Vec<&str> = self.calendars.keys().copied().collect();
            self.unknown(file, Code::UnknownCalendar, word, format!("there is no calendar `{}`", word.it), known);
        }
    }

    /// Appends a calendar after all that it needs. Returns false when that is impossible, which has a diagnostic here or at
    /// the mistake.
    fn visit(&mut self, own: &Own<'t>, order: &mut Order<'t>, file: &File, name: &'t str, from: &Text) -> bool {
        if order.done.contains(&name) {
            return true;
        }
        let Some(Some((_, except))) = own.get(name) else { return false };
        if order.way.len() == NESTING || order.done.len() > CALENDAR_CLAUSES {
            let message = format!("`{}` excepts calendars that except others, more levels deep than is allowed", order.way[0]);
            self.report(file, Code::CalendarTooLarge, &from.span, message);
            return false;
        }
        order.way.push(name);
        for word in except {
            let Some((next, _)) = own.get_key_value(word.it.as_str()) else { return false };
            // The clause of the calendar itself that closes the cycle; the other calendars report their own.
            let blamed = if order.way.len() == 1 { word } else { from };
            if order.way.contains(next) {
                if order.way[0] == *next {
                    let message = format!("`{next}` excepts itself, by way of {}", order.way.join(", "));
                    self.report(file, Code::CalendarInItself, &blamed.span, message);
                }
                return false;
            }
            if !self.visit(own, order, file, next, blamed) {
                return false;
            }
        }
        order.way.pop();
        order.done.push(name);
        true
    }

    fn calendar(&mut self, file: &File, tree: &'t ast::CalendarSyntax) -> Option<(CalendarPart, Vec<&'t Text>)> {
        let mut of: Option<(At<()>, _)> = None;
        let mut clauses = Vec::new();
        let mut except: Vec<&Text> = Vec::new();
        let mut whole = true;
        for clause in &tree.clauses {
            let read = match &clause.it {
                CalendarClause::Zone(word) => {
                    if let Some((first, _)) = &of {
                        let first = file.place(&first.span);
                        let message = format!("`zone` is given twice in `{}`", tree.name.it);
                        let report = self.report(file, Code::DuplicateClause, &clause.span, message);
                        report.context.push((first, "first here".to_owned()));
                    }
                    let read = self.zone(file, word);
                    of = read.map(|zone| (At { it: (), span: clause.span.clone() }, zone)).or(of);
                    whole &= read.is_some();
                    continue;
                }
                CalendarClause::Except(words) => {
                    for word in words {
                        self.calendar_name(file, word);
                    }
                    except.extend(words);
                    continue;
                }
                CalendarClause::Every(days, hours) => {
                    let days = self.days(file, days);
                    let hours = self.hours(file, hours.as_ref());
                    days.zip(hours).map(|(days, hours)| CalendarSpan::Every(days, hours))
                }
                CalendarClause::On { first, last, hours } => {
                    let dates = self.dates(file, first, last.as_ref());
                    let hours = self.hours(file, hours.as_ref());
                    dates.zip(hours).map(|((first, last), hours)| CalendarSpan::Dates(first, last, hours))
                }
                CalendarClause::Cron(text, lasts) => self.cron(file, text, lasts.as_ref()),
                CalendarClause::Later => None,
            };
            whole &= read.is_some();
            clauses.extend(read);
        }
        let zone = of.map(|(_, zone)| zone).or_else(|| zone("UTC"))?;
        whole.then_some((CalendarPart { zone, clauses, except: Vec::new() }, except))
    }

    fn zone(&mut self, file: &File, word: &Text) -> Option<Zone> {
        let read = zone(&word.it);
        if read.is_none() {
            let help = zone_like(&word.it).map(|near| format!("did you mean \"{near}\"?"));
            let help = help.unwrap_or_else(|| "write a name of the IANA database: \"Europe/Paris\", \"UTC\"".to_owned());
            self.report(file, Code::UnknownZone, &word.span, format!("there is no time zone `{}`", word.it)).help = Some(help);
        }
        read
    }

    /// Days of the week, Monday first. A range may continue past Sunday.
    fn days(&mut self, file: &File, written: &[Days]) -> Option<[bool; 7]> {
        let mut days = [false; 7];
        let mut whole = true;
        for Days { first, last } in written {
            if first.it == "day" && last.is_none() {
                days = [true; 7];
                continue;
            }
            let (Some(from), Some(to)) = (self.day(file, first), self.day(file, last.as_ref().unwrap_or(first))) else {
                whole = false;
                continue;
            };
            let count = (to + 7 - from) % 7;
            (from..=from + count).for_each(|n| days[n % 7] = true);
        }
        whole.then_some(days)
    }

    fn day(&mut self, file: &File, word: &Text) -> Option<usize> {
        day(&word.it)
            .map_err(|near| {
                let help = near.map_or("write mon, tue, wed, thu, fri, sat, sun, or `every day`".to_owned(), did_you_mean);
                self.report(file, Code::UnknownDay, &word.span, format!("there is no day `{}`", word.it)).help = Some(help);
            })
            .ok()
    }

    fn dates(&mut self, file: &File, first: &Text, last: Option<&Text>) -> Option<(Date, Date)> {
        let mut read = |word: &Text| {
            let read = date(&word.it);
            if read.is_none() {
                self.report(file, Code::BadDate, &word.span, format!("there is no day {}", word.it));
            }
            read
        };
        let from = read(first);
        let to = last.map_or(from, read);
        let (from, to) = from.zip(to)?;
        if to < from {
            let span: TextSpan = first.span.start..last.unwrap_or(first).span.end;
            self.report(file, Code::BadDate, &span, format!("{to} is before {from}, so this range has no days"));
            return None;
        }
        Some((from, to))
    }

    fn hours(&mut self, file: &File, written: Option<&At<ast::HoursSyntax>>) -> Option<Hours> {
        let Some(written) = written else { return Some(Hours::Whole) };
        let mut read = |word: &Text, end: bool| {
            let read = clock(&word.it).filter(|minutes| end || *minutes < 24 * 60);
            if read.is_none() {
                let help = "a time of day is between 00:00 and 23:59; a span may end at 24:00".to_owned();
                self.report(file, Code::BadHours, &word.span, format!("{} is not a valid time here", word.it)).help = Some(help);
            }
            read
        };
        match &written.it {
            ast::HoursSyntax::At(word) => read(word, false).map(Hours::At),
            ast::HoursSyntax::FromTo(from, to) => {
                let (from, to) = (read(from, false), read(to, true));
                let (from, to) = from.zip(to)?;
                if from == to {
                    let help = "for a whole day leave the times out; for a moment write `at 08:00`".to_owned();
                    let message = "this span ends when it begins";
                    self.report(file, Code::BadHours, &written.span, message).help = Some(help);
                    return None;
                }
                Some(Hours::FromTo(from, to))
            }
        }
    }

    fn cron(&mut self, file: &File, text: &Text, lasts: Option<&At<Duration>>) -> Option<CalendarSpan> {
        if let Some(lasts) = lasts
            && (lasts.it.is_zero() || lasts.it > CALENDAR_LASTS)
        {
            let message = format!(
                "a period of a calendar can last up to {}, and not {}",
                duration_text(CALENDAR_LASTS),
                duration_text(lasts.it)
            );
            self.report(file, Code::CalendarTooLarge, &lasts.span, message);
            return None;
        }
        match Cron::read(&text.it, lasts.map(|lasts| lasts.it)) {
            Ok(cron) => {
                if cron.either() {
                    let message =
                        "this has a day of the month and a day of the week: it is active if either matches, as in crontab(5)";
                    let help = "if both must match, write + before the day of the week (+6); if either is meant, write two `cron` clauses";
                    self.report(file, Code::CronEither, &text.span, message).help = Some(help.to_owned());
                }
                Some(CalendarSpan::Cron(Box::new(cron)))
            }
            Err(message) => {
                self.report(file, Code::BadCron, &text.span, message);
                None
            }
        }
    }
}

/// A calendar with the indices of those that it excepts.
fn part(own: &Own<'_>, order: &[&str], name: &str) -> Option<CalendarPart> {
    let (part, except) = own.get(name)?.as_ref()?;
    let places = except.iter().filter_map(|word| order.iter().position(|name| *name == word.it));
    Some(CalendarPart { except: places.collect(), ..part.clone() })
}
