//! Conditions over events that raise and clear alarms.

use crate::core::base::limits;
use crate::core::diag::Code;
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::lang::ast::{At, AtomSyntax, Choice, Detect, Tail, TextSpan, TimeClause};
use crate::core::lang::program::{Aggregate, Backoff, Comparison, Measure, Shape, Threshold, Unit};

use super::atom::{alone, choice};
use super::cursor::{Cursor, Failed, Parsed};
use super::keys::keys;
use super::reaction::bindings;
use super::{duration, field, name, predicate, terminal, whole};

/// `detect = occurrence tail`
pub(super) fn detect(c: &mut Cursor<'_>) -> Parsed<Detect> {
    let mut detect = occurrence(c)?;
    detect.tail = tail(c)?;
    Ok(detect)
}

/// `tail = keys time? | (time keys?)?`
fn tail(c: &mut Cursor<'_>) -> Parsed<Tail> {
    let mut tail = Tail::default();
    if c.sees_word("by") {
        tail.keys = keys(c)?;
        tail.time = time(c)?;
    } else {
        tail.time = time(c)?;
        if tail.time.is_some() && c.sees_word("by") {
            tail.keys = keys(c)?;
        }
    }
    Ok(tail)
}

/// `time = within | lasting | over`
fn time(c: &mut Cursor<'_>) -> Parsed<Option<At<TimeClause>>> {
    let start = c.here();
    let it = match c.word_ahead() {
        Some("within") => within(c)?,
        Some("for") => lasting(c)?,
        Some("over") => over(c)?,
        _ => return Ok(None),
    };
    Ok(Some(At { it, span: c.since(start) }))
}

/// `within = "within" DURATION ("slack" DURATION)?`
fn within(c: &mut Cursor<'_>) -> Parsed<TimeClause> {
    c.want_word("within")?;
    let span = duration(c)?;
    if !c.follows_word("slack") {
        return Ok(TimeClause::Within(span, None));
    }
    c.want_word("slack")?;
    Ok(TimeClause::Within(span, Some(duration(c)?)))
}

/// `lasting = "for" DURATION backoff?`
fn lasting(c: &mut Cursor<'_>) -> Parsed<TimeClause> {
    c.want_word("for")?;
    let span = duration(c)?;
    let growing = if c.sees_word("backoff") { Some(backoff(c)?) } else { None };
    Ok(TimeClause::For(span, growing))
}

/// `backoff = "backoff" FACTOR ("up" "to" FACTOR)?`
fn backoff(c: &mut Cursor<'_>) -> Parsed<Backoff> {
    c.want_word("backoff")?;
    let factor = factor(c)?;
    let mut up_to = factor;
    if c.word("up").is_some() {
        c.want_word("to")?;
        up_to = self::factor(c)?;
    }
    Ok(Backoff { factor, up_to })
}

fn factor(c: &mut Cursor<'_>) -> Parsed<u32> {
    match c.take(terminal::factor) {
        Some(token) => Ok(token.it.trim_end_matches('x').parse().unwrap_or(u32::MAX)),
        None => {
            let Some(token) = c.take(terminal::numberish) else { return Err(c.wanted("a factor (2x)")) };
            let shown = crate::core::base::text::printable_short(token.it, 40);
            let message = format!("`{shown}` is not a factor from 2x to 999x");
            Err(c.fail_with(Code::BadCount, &token.span, message, "write for example `backoff 2x up to 8x`"))
        }
    }
}

/// `over = "over" DURATION threshold`
pub(super) fn over(c: &mut Cursor<'_>) -> Parsed<TimeClause> {
    c.want_word("over")?;
    let span = duration(c)?;
    Ok(TimeClause::Over(span, threshold(c)?))
}

/// `threshold = COMPARISON amount ("for" DURATION)?`
pub(super) fn threshold(c: &mut Cursor<'_>) -> Parsed<Threshold> {
    let compared = compared(c)?;
    let lasts = if c.word("for").is_some() { Some(duration(c)?) } else { None };
    Ok(Threshold { lasts, ..compared })
}

fn compared(c: &mut Cursor<'_>) -> Parsed<Threshold> {
    let Some(comparison) = predicate::comparison(c) else { return Err(c.wanted("a comparison (> 500)")) };
    Ok(Threshold { comparison, amount: amount(c)?, lasts: None })
}

/// `amount = DURATION | SIZE | PERCENT | NUMBER`
fn amount(c: &mut Cursor<'_>) -> Parsed<f64> {
    type TerminalResult = fn(&str) -> terminal::TerminalResult<'_>;
    let units: [(TerminalResult, Unit); 3] =
        [(terminal::duration, Unit::Seconds), (terminal::size, Unit::Bytes), (terminal::percent, Unit::Percent)];
    for (read, unit) in units {
        if let Some(token) = c.take(read) {
            return Ok(unit.read(token.it).unwrap_or(f64::MAX));
        }
    }
    if let Some(token) = c.take(terminal::number) {
        return Ok(token.it.parse().unwrap_or(f64::MAX));
    }
    let Some(token) = c.take(terminal::numberish) else { return Err(c.wanted("a number")) };
    let shown = crate::core::base::text::printable_short(token.it, 40);
    let help = "a number has digits, at most one point, and an optional unit: 1000, 0.5, 200ms, 10MB, 5%";
    Err(c.fail_with(Code::RuleSyntax, &token.span, format!("`{shown}` is not a number"), help))
}

/// `occurrence = silence | measure | metric | count | joined | choice`
fn occurrence(c: &mut Cursor<'_>) -> Parsed<Detect> {
    let of = |parts, shape, unless| Detect { parts, shape, unless, tail: Tail::default() };
    if counts(c) {
        return count(c);
    }
    if c.sees_word("no") {
        return silence(c);
    }
    if let Some(what) = measured(c) {
        return measure(c, what);
    }
    if c.sees_word("metric") {
        return metric(c);
    }
    let start = c.here();
    if let Some(failed) = unknown_measure(c) {
        return Err(failed);
    }
    let first = choice(c)?;
    if !joins(c) {
        return Ok(of(vec![first], Shape::One, None));
    }
    if first.atoms.len() > 1 || first.condition.is_some() {
        let span = c.since(start);
        return Err(two_readings(c, &span));
    }
    joined(c, first)
}

/// True when a count is ahead: a number, or something else at the place of a number.
fn counts(c: &mut Cursor<'_>) -> bool {
    if c.sees(terminal::integer) && !c.sees(terminal::id) {
        return true;
    }
    let start = c.here();
    let is = c.take(terminal::numberish).is_some() && (c.sees_word("of") || c.sees_word("distinct"));
    c.back_to(start);
    is
}

/// True when a count, a silence or a measure is ahead, which is not a choice of events.
pub(super) fn several(c: &mut Cursor<'_>) -> bool {
    counts(c) || c.sees_word("no") || measured(c).is_some()
}

/// `silence = "no" atom`
fn silence(c: &mut Cursor<'_>) -> Parsed<Detect> {
    c.want_word("no")?;
    let shape = Shape::Silence { backoff: None, expected: Vec::new() };
    Ok(Detect { parts: vec![alone(c)?], shape, unless: None, tail: Tail::default() })
}

const MEASURES: [&str; 6] = ["count", "rate", "sum", "avg", "min", "max"];

/// The measure whose word is ahead. It must be before `of` or a field in parentheses; otherwise the word is a pattern's name.
pub(super) fn measured(c: &mut Cursor<'_>) -> Option<Aggregate> {
    let what = match c.word_ahead()? {
        "count" => Aggregate::Count,
        "rate" => Aggregate::Rate,
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Average,
        "min" => Aggregate::Least,
        "max" => Aggregate::Most,
        _ => return None,
    };
    let start = c.here();
    c.skip_token();
    let is = c.sees_word("of") || c.sees_symbol("(");
    c.back_to(start);
    is.then_some(what)
}

/// Reports `p95(ms) of A`: a measure that does not exist.
fn unknown_measure(c: &mut Cursor<'_>) -> Option<Failed> {
    let word = c.word_ahead()?.to_owned();
    let start = c.here();
    c.skip_token();
    let is = c.symbol("(").is_some() && c.take(terminal::name).is_some() && c.symbol(")").is_some() && c.sees_word("of");
    c.back_to(start);
    if !is || super::cursor::reserved(&word) {
        return None;
    }
    c.skip_token();
    let span = c.since(start);
    let help = match nearest(&word, MEASURES) {
        Some(near) => did_you_mean(near),
        None => format!(
            "there are {}; percentiles are not available: count slow events instead, `50 of (A where ms > 500) within 1m`",
            MEASURES.join(", ")
        ),
    };
    Some(c.fail_with(Code::RuleSyntax, &span, format!("there is no measure `{word}`"), help))
}

/// `measure = ("count" | "rate" | "sum" | "avg" | "min" | "max") ("(" field ")")? "of" atom`
pub(super) fn measure(c: &mut Cursor<'_>, what: Aggregate) -> Parsed<Detect> {
    c.skip_token();
    let mut of = None;
    if c.symbol("(").is_some() {
        of = Some(field(c)?.it);
        c.want_symbol(")")?;
    }
    c.want_word("of")?;
    let threshold = Threshold { comparison: Comparison::Greater, amount: 0.0, lasts: None };
    let shape = Shape::Measure(Measure { what, field: of, threshold });
    Ok(Detect { parts: vec![alone(c)?], shape, unless: None, tail: Tail::default() })
}

/// `metric = "metric" name ("(" bindings ")")? COMPARISON amount`
pub(super) fn metric(c: &mut Cursor<'_>) -> Parsed<Detect> {
    let start = c.here();
    c.want_word("metric")?;
    let name = name(c, "a metric's name")?;
    let mut of = Vec::new();
    if c.symbol("(").is_some() {
        of = bindings(c)?;
        c.want_symbol(")")?;
    }
    let span = c.since(start);
    // How long it lasts is the time of the condition.
    let threshold = compared(c)?;
    let measure = Measure { what: Aggregate::Last, field: Some("value".to_owned()), threshold };
    if joins(c) || c.sees_word("or") {
        return Err(joined_metric(c, &span));
    }
    let parts = vec![Choice { atoms: vec![AtomSyntax::Metric { name, of, span }], condition: None }];
    Ok(Detect { parts, shape: Shape::Measure(measure), unless: None, tail: Tail::default() })
}

/// Reports a metric that is joined. A metric has a number and a time of its own, and can be joined through an alarm.
pub(super) fn joined_metric(c: &mut Cursor<'_>, span: &TextSpan) -> Failed {
    let help = "make an alarm of it (category none, if people need not see it), and join `alarm X active`";
    c.fail_with(
        Code::TwoReadings,
        span,
        "a metric must be the whole condition, because its threshold and its time apply to it alone",
        help,
    )
}

/// Words that join events; a condition has only one kind of them.
const JOINS: [&str; 3] = ["then", "and", "without"];

pub(super) fn joins(c: &mut Cursor<'_>) -> bool {
    c.word_ahead().is_some_and(|w| JOINS.contains(&w)) || c.sees_words("not", "preceded")
}

fn two_readings(c: &mut Cursor<'_>, span: &TextSpan) -> Failed {
    c.fail_with(
        Code::TwoReadings,
        span,
        "it is not clear what belongs together here",
        "add parentheses: `(A or B) then C`, `(event 1 where ...) and B`",
    )
}

/// `joined = atom (("then" "each"? atom)+ | "without" atom | "not" "preceded" "by" atom) unless? | all`
fn joined(c: &mut Cursor<'_>, first: Choice) -> Parsed<Detect> {
    let start = c.here();
    let join = c.word_ahead().unwrap_or_default();
    if join == "and" {
        return all(c, first, 1);
    }
    let mut parts = vec![first];
    if join == "not" {
        for word in ["not", "preceded", "by"] {
            c.want_word(word)?;
        }
        parts.push(alone(c)?);
        let unless = unless(c)?;
        clear(c, start)?;
        return Ok(Detect { parts, shape: Shape::NotPreceded, unless, tail: Tail::default() });
    }
    let mut each = None;
    while c.word(join).is_some() {
        room(c, &parts, start)?;
        if join == "then"
            && let Some(span) = c.word("each")
        {
            each = Some((parts.len(), span));
        }
        parts.push(alone(c)?);
        if join == "without" {
            break;
        }
    }
    if let Some((part, span)) = &each
        && part + 1 != parts.len()
    {
        c.fail(Code::BadCount, span, "`each` is valid only before the last step: each event of that step is an occurrence");
    }
    let unless = unless(c)?;
    clear(c, start)?;
    let shape = match join {
        "then" => Shape::Sequence { each: each.is_some() },
        _ => Shape::Without,
    };
    Ok(Detect { parts, shape, unless, tail: Tail::default() })
}

/// `all = part ("and" part)+ unless?`
///
/// The first part has been read.
fn all(c: &mut Cursor<'_>, first: Choice, n: usize) -> Parsed<Detect> {
    let start = c.here();
    let (mut parts, mut counts) = (vec![first], vec![n]);
    while c.word("and").is_some() {
        room(c, &parts, start)?;
        let (n, choice) = part(c)?;
        parts.push(choice);
        counts.push(n);
    }
    let unless = unless(c)?;
    clear(c, start)?;
    Ok(Detect { parts, shape: Shape::All { counts }, unless, tail: Tail::default() })
}

/// `part = (INTEGER "of")? atom`
fn part(c: &mut Cursor<'_>) -> Parsed<(usize, Choice)> {
    if !counts(c) {
        return Ok((1, alone(c)?));
    }
    let n = so_many(c)?;
    c.want_word("of")?;
    Ok((n, alone(c)?))
}

/// Checks the maximum number of joined events.
fn room(c: &mut Cursor<'_>, parts: &[Choice], start: usize) -> Parsed<()> {
    if parts.len() < limits::PARTS {
        return Ok(());
    }
    let span = c.since(start);
    let message = format!("a condition joins at most {} events", limits::PARTS);
    Err(c.fail(Code::TooManyAlternatives, &span, message))
}

/// `unless = "unless" atom`
fn unless(c: &mut Cursor<'_>) -> Parsed<Option<Choice>> {
    if c.word("unless").is_none() {
        return Ok(None);
    }
    Ok(Some(alone(c)?))
}

/// `count = INTEGER ("distinct" field)? "of" atom unless?`
fn count(c: &mut Cursor<'_>) -> Parsed<Detect> {
    let n = so_many(c)?;
    let distinct = if c.word("distinct").is_some() { Some(field(c)?.it) } else { None };
    if !c.sees_word("of") {
        return Err(c.wanted_with("`of`", COUNTED));
    }
    c.want_word("of")?;
    let start = c.here();
    let counted = alone(c)?;
    if c.sees_word("where") {
        let span = c.since(start);
        let message = "it is not clear whether `where` applies to the events that are counted";
        return Err(c.fail_with(Code::TwoReadings, &span, message, COUNTED));
    }
    if distinct.is_none() && c.sees_word("and") {
        return all(c, counted, n);
    }
    let parts = vec![counted];
    let unless = unless(c)?;
    clear(c, start)?;
    Ok(Detect { parts, shape: Shape::Count { n, distinct }, unless, tail: Tail::default() })
}

const COUNTED: &str = "write a count as 5 of (event where text contains \"refused\") by host within 1m, or 5 of PATTERN";

/// Reads how many events are counted.
fn so_many(c: &mut Cursor<'_>) -> Parsed<usize> {
    let n = whole(c)?;
    if n.it == 0 || n.it > limits::COUNT {
        let message = format!("a condition can count between 1 and {}", limits::COUNT);
        c.fail(Code::BadCount, &n.span, message);
    }
    Ok(n.it)
}

/// Checks that nothing follows joined events that could belong to a part of them or to the whole.
fn clear(c: &mut Cursor<'_>, start: usize) -> Parsed<()> {
    if joins(c) || c.sees_word("or") || c.sees_word("where") {
        let span = c.since(start);
        return Err(two_readings(c, &span));
    }
    Ok(())
}
