//! Names of months and weekdays as programs with a locale write them: in full in English, short and in full in other languages.
//!
//! In: text that may begin with such a name. Out: its number, and what follows it, which begins with a blank. The short English
//! names are not here: most stamps have them, and [`super::month_name`] reads them faster. A date in Chinese or Japanese says
//! with a character behind each number what it is, and is read here as a whole.
//!
//! Lines that are no stamps come here often, so a name is looked up only if a day or a time of day follows.

use memchr::memchr_iter;
use nom::Parser;
use nom::character::complete::{char, space0, space1};
use nom::combinator::opt;
use nom::sequence::{preceded, terminated};

use super::{Stamp, StampResult, clock_of_day, digits, fail, on, year, zone};

/// The length of the longest name, in bytes.
const LONGEST: usize = 20;
/// How far from the beginning a time of day may be, in bytes.
const CLOCK_WITHIN: usize = 48;

/// January to December: English, German, French, Spanish, Italian, Portuguese, Dutch, Scandinavian, Polish, Czech, Russian,
/// Turkish.
const MONTHS: [&[&str]; 12] = [
    &[
        "january",
        "januar",
        "jänner",
        "janv",
        "janvier",
        "ene",
        "enero",
        "gen",
        "gennaio",
        "janeiro",
        "januari",
        "sty",
        "led",
        "янв",
        "января",
        "oca",
    ],
    &[
        "february",
        "februar",
        "fév",
        "févr",
        "février",
        "febrero",
        "febbraio",
        "fev",
        "fevereiro",
        "februari",
        "lut",
        "úno",
        "фев",
        "февраля",
        "şub",
    ],
    &["march", "mär", "mrz", "märz", "mars", "marzo", "março", "mrt", "maart", "bře", "мар", "марта"],
    &["april", "avr", "avril", "abr", "abril", "aprile", "kwi", "dub", "апр", "апреля", "nis"],
    &["mai", "mayo", "mag", "maggio", "maio", "mei", "maj", "kvě", "мая", "май"],
    &["june", "juni", "juin", "junio", "giu", "giugno", "junho", "cze", "čen", "июн", "июня", "haz"],
    &["july", "juli", "juil", "juillet", "julio", "lug", "luglio", "julho", "lip", "čec", "июл", "июля", "tem"],
    &["august", "août", "aoû", "ago", "agosto", "augusti", "augustus", "sie", "srp", "авг", "августа", "ağu"],
    &["september", "sept", "septembre", "septiembre", "set", "settembre", "setembro", "wrz", "zář", "сен", "сентября", "eyl"],
    &[
        "october",
        "okt",
        "oktober",
        "octobre",
        "octubre",
        "ott",
        "ottobre",
        "out",
        "outubro",
        "paź",
        "říj",
        "окт",
        "октября",
        "eki",
    ],
    &["november", "novembre", "noviembre", "novembro", "lis", "ноя", "ноября", "kas"],
    &[
        "december",
        "dez",
        "dezember",
        "déc",
        "décembre",
        "dic",
        "diciembre",
        "dicembre",
        "dezembro",
        "des",
        "desember",
        "gru",
        "pro",
        "дек",
        "декабря",
        "ara",
    ],
];

/// Weekdays in the same languages. They are no more than a sign that a date follows.
const WEEKDAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mo",
    "di",
    "mi",
    "do",
    "fr",
    "sa",
    "so",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "lun",
    "mar",
    "mer",
    "jeu",
    "ven",
    "sam",
    "dim",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "mié",
    "jue",
    "vie",
    "sáb",
    "dom",
    "gio",
    "sab",
    "seg",
    "ter",
    "qua",
    "qui",
    "sex",
    "ma",
    "wo",
    "vr",
    "za",
    "zo",
    "man",
    "tir",
    "ons",
    "tor",
    "tors",
    "fre",
    "lör",
    "lør",
    "søn",
    "sön",
    "pon",
    "wto",
    "śro",
    "czw",
    "pią",
    "sob",
    "nie",
    "пн",
    "вт",
    "ср",
    "чт",
    "пт",
    "сб",
    "вс",
];

/// The month with whose name the text begins, if a number follows.
pub(super) fn month(input: &str) -> StampResult<'_, u32> {
    let Some((name, rest)) = word(input) else { return fail() };
    if !rest.trim_start_matches(' ').starts_with(|c: char| c.is_ascii_digit()) {
        return fail();
    }
    match (1..).zip(MONTHS).find(|(_, names)| is_one_of(name, names)) {
        Some((number, _)) => Ok((rest, number)),
        None => fail(),
    }
}

/// A weekday's name, with a point or a comma behind it, if a time of day follows somewhere.
pub(super) fn weekday(input: &str) -> StampResult<'_, ()> {
    let Some((name, rest)) = word(input) else { return fail() };
    // A number follows the name, or a month's name and then a number. Most texts end here.
    let number = |rest: &str| rest.trim_start_matches(' ').starts_with(|c: char| c.is_ascii_digit());
    if !(number(rest) || word(rest.trim_start_matches(' ')).is_some_and(|(_, rest)| number(rest))) {
        return fail();
    }
    if !has_clock(rest) || !is_one_of(name, WEEKDAYS) {
        return fail();
    }
    Ok((rest, ()))
}

/// [year 年] month 月 day [日] [weekday] clock [zone]: `3月 14 02:11:57`, `2026年03月14日 02:11:57`.
pub(super) fn numbered(input: &str) -> StampResult<'_, Stamp> {
    let (rest, year) = opt(terminated(year, (char('年'), space0))).parse(input)?;
    let (rest, month) = terminated(digits(1, 2), (char('月'), space0)).parse(rest)?;
    let (rest, day) = terminated(digits(1, 2), opt(char('日'))).parse(rest)?;
    let (rest, _) = space1.parse(rest)?;
    // A weekday in characters of its own.
    let rest = rest.trim_start_matches(|c: char| !c.is_ascii() || matches!(c, '(' | ')'));
    let (rest, us) = preceded(space0, clock_of_day).parse(rest)?;
    let (rest, east_s) = zone(rest);
    on(rest, year, month, day, us, east_s)
}

/// The first word of a text without its point or comma, and what follows it.
fn word(input: &str) -> Option<(&str, &str)> {
    let end = input.bytes().take(LONGEST + 1).position(|b| b == b' ')?;
    let (word, rest) = input.split_at(end);
    let name = word.trim_end_matches(['.', ',']);
    (2..=LONGEST).contains(&name.len()).then_some((name, rest))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    if name.is_ascii() {
        return names.iter().any(|known| known.eq_ignore_ascii_case(name));
    }
    let name = name.to_lowercase();
    names.contains(&name.as_str())
}

/// True if a time of day may be near the beginning.
pub(super) fn has_clock(text: &str) -> bool {
    let bytes = &text.as_bytes()[..text.len().min(CLOCK_WITHIN)];
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    memchr_iter(b':', bytes).any(|at| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
}
