//! Renders diagnostics for people and for programs.
//!
//! Every text is made safe for a terminal before it is shown; the caret counts characters as they are shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Code, Diagnostic, LineIndex, Place, Severity};
use crate::core::base::limits::DIAGNOSTICS_PER_FILE;
use crate::core::base::text::{printable, printable_short};

/// Maximum characters of a line that are shown around its place.
const WIDTH: usize = 140;
/// Maximum characters of a message or a help that are shown. Both may contain what somebody wrote, such as a string that is not
/// closed.
const MESSAGE: usize = 2_000;

/// Maximum further places of a missing name that are listed. The rest is counted.
const FURTHER: usize = 3;

/// The diagnostics, each with its further places: a name that is missing is one mistake, wherever it stands.
fn once_per_name(diagnostics: &[Diagnostic]) -> Vec<(&Diagnostic, Vec<&Place>)> {
    let mut all: Vec<(&Diagnostic, Vec<&Place>)> = Vec::new();
    let mut names: BTreeMap<(Code, &str), usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        if diagnostic.code.is_of_missing_name() {
            let first = *names.entry((diagnostic.code, diagnostic.message.as_str())).or_insert(all.len());
            if let Some((_, further)) = all.get_mut(first) {
                further.extend(&diagnostic.place);
                continue;
            }
        }
        all.push((diagnostic, Vec::new()));
    }
    all
}

/// All diagnostics for people, at most [`DIAGNOSTICS_PER_FILE`] of each file, and a line that counts the rest.
pub fn human(diagnostics: &[Diagnostic], colour: bool) -> String {
    let mut out = String::new();
    let mut lines = LineIndex::default();
    let mut shown: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for (diagnostic, further) in once_per_name(diagnostics) {
        let file = diagnostic.place.as_ref().map(|p| p.source.name.as_str());
        let count = shown.entry(file).or_default();
        *count += 1;
        if *count <= DIAGNOSTICS_PER_FILE {
            one(&mut out, diagnostic, &further, &mut lines, colour);
            out.push('\n');
        }
    }
    for (file, count) in shown {
        if count > DIAGNOSTICS_PER_FILE {
            let file = printable(file.unwrap_or("the whole"));
            let _ = writeln!(out, "{file}: {} more are not shown; fix these first\n", count - DIAGNOSTICS_PER_FILE);
        }
    }
    out
}

/// The numbers of errors and warnings, as [`human`] shows them: `2 errors, 1 warning`; empty when there are none.
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let shown = once_per_name(diagnostics);
    let of = |severity| shown.iter().filter(|(d, _)| d.code.severity() == severity).count();
    let say = |n: usize, what: &str| (n > 0).then(|| format!("{n} {what}{}", if n == 1 { "" } else { "s" }));
    let parts = [say(of(Severity::Error), "error"), say(of(Severity::Warning), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn one(out: &mut String, diagnostic: &Diagnostic, further: &[&Place], lines: &mut LineIndex, colour: bool) {
    let (word, paint) = match diagnostic.code.severity() {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let painted = |text: &str, paint: &str| if colour { format!("\x1b[{paint}m{text}\x1b[0m") } else { text.to_owned() };
    let head = painted(&format!("{word}[{}]", diagnostic.code.text()), paint);
    let _ = writeln!(out, "{head}: {}", painted(&printable_short(&diagnostic.message, MESSAGE), "1"));
    let numbers = diagnostic.place.iter().chain(diagnostic.context.iter().map(|(p, _)| p)).map(|p| lines.line_column(p).0);
    let gutter = numbers.max().unwrap_or(0).to_string().len();
    let bar = painted("|", "34");
    if let Some(place) = &diagnostic.place {
        excerpt(out, &line_of(place, lines), "", '^', gutter, &|text| painted(text, paint), &bar);
    }
    for (place, label) in &diagnostic.context {
        excerpt(out, &line_of(place, lines), label, '-', gutter, &|text| painted(text, "34"), &bar);
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "{:gutter$} = {}: {}", "", painted("help", "36"), printable_short(help, MESSAGE));
    }
    if !further.is_empty() {
        let mut places: Vec<String> = further.iter().take(FURTHER).map(|place| position_text(place, lines)).collect();
        if further.len() > FURTHER {
            places.push(format!("{} more", further.len() - FURTHER));
        }
        let _ = writeln!(out, "{:gutter$} = {}: {}", "", painted("also at", "36"), places.join(", "));
    }
}

/// The text `app.alarm:3:7` for a place.
fn position_text(place: &Place, lines: &mut LineIndex) -> String {
    let (line, column) = lines.line_column(place);
    format!("{}:{line}:{column}", printable(&place.source.name))
}

/// The part of a line that is shown, around a place.
struct Shown<'p> {
    name: &'p str,
    line: usize,
    column: usize,
    /// The line before the place, the place within its line, and the rest of the line, as far as they are shown.
    parts: [&'p str; 3],
    /// Whether the line goes on to the left, and to the right.
    cut: (bool, bool),
}

/// Takes the characters around a place out of its line. No line is walked through from its beginning, because it may have
/// megabytes.
fn line_of<'p>(place: &'p Place, lines: &mut LineIndex) -> Shown<'p> {
    let text = place.source.text.as_str();
    let on_boundary = |byte: usize| (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = on_boundary(place.bytes.start);
    let mark = lines.mark(&place.source, start);
    let before = &text[mark.line_start..start];
    let from = before.char_indices().rev().take(WIDTH / 2).last().map_or(start, |(at, _)| mark.line_start + at);
    let before = &text[from..start];
    let room = WIDTH - before.chars().count();
    let rest = &text[start..];
    let window = rest.char_indices().nth(room + 1).map_or(rest, |(at, _)| &rest[..at]);
    let line = window.split('\n').next().unwrap_or_default();
    // At the end of a line, a carriage return belongs to the end.
    let line = if line.len() < window.len() || window.len() == rest.len() { line.trim_end_matches('\r') } else { line };
    let to = line.char_indices().nth(room).map_or(line.len(), |(at, _)| at);
    let marked = on_boundary(place.bytes.end).saturating_sub(start).min(to);
    Shown {
        name: &place.source.name,
        line: mark.line + 1,
        column: mark.column + 1,
        parts: [before, &line[..marked], &line[marked..to]],
        cut: (from > mark.line_start, to < line.len()),
    }
}

fn excerpt(
    out: &mut String,
    shown: &Shown<'_>,
    label: &str,
    mark: char,
    gutter: usize,
    paint: &dyn Fn(&str) -> String,
    bar: &str,
) {
    let Shown { name, line, column, parts, cut } = shown;
    let _ = writeln!(out, "{:gutter$}--> {}:{line}:{column}", "", printable(name));
    let [before, within, after] = parts.map(|part| printable(&part.replace('\t', " ")));
    let (left, right) = (if cut.0 { "…" } else { "" }, if cut.1 { "…" } else { "" });
    let _ = writeln!(out, "{:gutter$} {bar}", "");
    let _ = writeln!(out, "{line:>gutter$} {bar} {left}{before}{within}{after}{right}");
    let indent = " ".repeat(left.chars().count() + before.chars().count());
    let carets: String = std::iter::repeat_n(mark, within.chars().count().max(1)).collect();
    let label = if label.is_empty() { String::new() } else { format!(" {}", printable(label)) };
    let _ = writeln!(out, "{:gutter$} {bar} {indent}{}", "", paint(&format!("{carets}{label}")));
}

/// One diagnostic as a JSON object on one line: `code severity message file line column end_line end_column help context`.
/// `lines` may have counted the lines of other diagnostics before.
pub fn json(diagnostic: &Diagnostic, lines: &mut LineIndex) -> String {
    let mut object = serde_json::Map::new();
    object.insert("code".into(), diagnostic.code.text().into());
    let severity = match diagnostic.code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    object.insert("severity".into(), severity.into());
    object.insert("message".into(), diagnostic.message.clone().into());
    if let Some(place) = &diagnostic.place {
        object.extend(position(place, lines));
    }
    if let Some(help) = &diagnostic.help {
        object.insert("help".into(), help.clone().into());
    }
    if !diagnostic.context.is_empty() {
        let context = diagnostic.context.iter().map(|(place, label)| {
            let mut object = position(place, lines);
            object.insert("label".into(), label.clone().into());
            serde_json::Value::Object(object)
        });
        object.insert("context".into(), context.collect());
    }
    serde_json::Value::Object(object).to_string()
}

fn position(place: &Place, lines: &mut LineIndex) -> serde_json::Map<String, serde_json::Value> {
    let (line, column) = lines.line_column(place);
    let end = Place { source: place.source.clone(), bytes: place.bytes.end..place.bytes.end };
    let (end_line, end_column) = lines.line_column(&end);
    let mut object = serde_json::Map::new();
    object.insert("file".into(), place.source.name.clone().into());
    for (name, number) in [("line", line), ("column", column), ("end_line", end_line), ("end_column", end_column)] {
        object.insert(name.into(), number.into());
    }
    object
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::diag::Source;

    fn at(text: &str, bytes: std::ops::Range<usize>) -> Place {
        Place { source: Arc::new(Source { name: "a.alarm".to_owned(), text: text.to_owned() }), bytes }
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        let text = "alarm a {\n\tdetect grün nope\n}\n";
        let start = text.find("nope").expect("it is there");
        let diagnostic = Diagnostic::new(Code::UnknownPattern, at(text, start..start + 4), "no pattern has the name `nope`")
            .context(at(text, 6..7), "in this alarm")
            .help("did you mean `nape`?");
        let wanted = "error[R101]: no pattern has the name `nope`\n --> a.alarm:2:14\n  |\n2 |  detect grün nope\n  |              ^^^^\n --> a.alarm:1:7\n  |\n1 | alarm a {\n  |       - in this alarm\n  = help: did you mean `nape`?\n\n";
        assert_eq!(human(std::slice::from_ref(&diagnostic), false), wanted);
        let parsed: serde_json::Value = serde_json::from_str(&json(&diagnostic, &mut LineIndex::default())).expect("JSON");
        assert_eq!(
            (parsed["line"].as_u64(), parsed["column"].as_u64(), parsed["end_column"].as_u64()),
            (Some(2), Some(14), Some(18))
        );
    }

    #[test]
    fn hostile_text_is_shown_harmless_and_long_lines_are_cut() {
        let text = format!("{}\x1b[31m{}", "x".repeat(500), "y".repeat(500));
        let shown = human(&[Diagnostic::new(Code::RuleSyntax, at(&text, 500..501), "\x1b[2J")], false);
        assert!(!shown.contains('\x1b'), "{shown}");
        assert!(shown.lines().all(|l| l.chars().count() < 2 * WIDTH), "{shown}");
        let quoting = Diagnostic::new(Code::RuleSyntax, at("x", 0..1), text.repeat(1_000)).help(text.repeat(1_000));
        assert!(human(&[quoting], false).len() < 3 * MESSAGE);
        let empty = human(&[Diagnostic::new(Code::RuleSyntax, at("", 0..0), "nothing")], false);
        assert!(empty.contains("1 | \n"), "{empty}");
    }

    /// The inventory lacks the name once, however often rules name it. Programs get every place.
    #[test]
    fn a_missing_name_is_one_mistake_with_all_its_places() {
        let text = "a b a b\na a a\n";
        let missing = |name: &str, at_byte: usize| {
            let message = format!("the inventory has no application `{name}`");
            Diagnostic::new(Code::SenderNotInInventory, at(text, at_byte..at_byte + 1), message).help("h")
        };
        let all: Vec<Diagnostic> = [("a", 0), ("b", 2), ("a", 4), ("b", 6), ("a", 8), ("a", 10), ("a", 12)]
            .map(|(name, byte)| missing(name, byte))
            .into();
        let shown = human(&all, false);
        assert_eq!(shown.matches("warning[R208]").count(), 2, "{shown}");
        assert!(shown.contains("  = help: h\n  = also at: a.alarm:1:5, a.alarm:2:1, a.alarm:2:3, 1 more\n"), "{shown}");
        assert!(shown.contains("  = also at: a.alarm:1:7\n"), "{shown}");
        assert_eq!(count(&all), "2 warnings");
        // Other mistakes are separate ones, even with the same words.
        let other: Vec<Diagnostic> = [0, 4].map(|byte| Diagnostic::new(Code::RuleSyntax, at(text, byte..byte + 1), "m")).into();
        assert_eq!(count(&other), "2 errors");
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let all = vec![Diagnostic::new(Code::RuleSyntax, at("x", 0..1), "m"); DIAGNOSTICS_PER_FILE + 7];
        assert!(human(&all, false).contains("a.alarm: 7 more are not shown"));
        assert_eq!(count(&all[..1]), "1 error");
        assert_eq!(count(&[]), "");
    }
}
