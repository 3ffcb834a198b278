//! Prints the results of rule tests: for people, as JSON, and for build servers.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::core::base::text::{printable, printable_json};
use crate::core::replay::rule_test;

use super::super::output::{OutputFormat, colour, plural};
use super::args::Args;
use super::{Done, Job};

/// Writes each result in the order of the files, and then the totals.
pub(super) fn write(out: &mut dyn Write, args: &Args, jobs: &[Job<'_>], done: &[Done], unusable: usize) -> io::Result<()> {
    let mut head = None;
    for (job, done) in jobs.iter().zip(done) {
        match args.format {
            OutputFormat::Json => json(out, job, done)?,
            OutputFormat::Human => {
                if head != Some(job.path) {
                    writeln!(out, "{}", printable(&job.path.display().to_string()))?;
                    head = Some(job.path);
                }
                human(out, args, job, done)?;
            }
        }
    }
    if args.format == OutputFormat::Human {
        let failed = done.iter().filter(|done| !done.verdict.wrong.is_empty()).count();
        let mut summary = format!("{} passed, {failed} failed", done.len() - failed);
        if unusable > 0 {
            summary.push_str(&format!(", {} could not be used", plural(unusable, "file")));
        }
        writeln!(out, "{summary}")?;
    }
    Ok(())
}

fn json(out: &mut dyn Write, job: &Job<'_>, done: &Done) -> io::Result<()> {
    let verdict = &done.verdict;
    let object = serde_json::json!({
        "file": job.path.display().to_string(),
        "test": job.test.name,
        "passed": verdict.wrong.is_empty(),
        "wrong": verdict.wrong.iter().map(|wrong| wrong.text.clone()).collect::<Vec<_>>(),
        "got": verdict.wrong.iter().map(|wrong| wrong.got.clone()).collect::<Vec<_>>(),
        "reasons": done.reasons,
        "lasted": rule_test::lasted(&verdict.entries),
    });
    writeln!(out, "{}", printable_json(&object.to_string()))
}

fn human(out: &mut dyn Write, args: &Args, job: &Job<'_>, done: &Done) -> io::Result<()> {
    let verdict = &done.verdict;
    let good = verdict.wrong.is_empty();
    let paint = colour(&io::stdout());
    let (word, colour) = if good { ("ok  ", "32") } else { ("FAIL", "1;31") };
    let word = if paint { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() };
    writeln!(out, "  {word} {} ({})", printable(&job.test.name), rule_test::lasted(&verdict.entries))?;
    for (n, wrong) in verdict.wrong.iter().enumerate() {
        writeln!(out, "       {}", printable(&wrong.text))?;
        for got in &wrong.got {
            writeln!(out, "         got: {}", printable(got))?;
        }
        for (n, line) in done.reasons.get(n).into_iter().flatten().enumerate() {
            writeln!(out, "         {} {}", if n == 0 { "why:" } else { "    " }, printable(line))?;
        }
    }
    if args.verbose > u8::from(good) {
        for entry in &verdict.entries {
            writeln!(out, "       | {}", entry.human(paint))?;
        }
    }
    Ok(())
}

/// The results in JUnit's XML format.
pub(super) fn junit(jobs: &[Job<'_>], done: &[Done]) -> String {
    let failed = done.iter().filter(|done| !done.verdict.wrong.is_empty()).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{}\" failures=\"{failed}\">\n<testsuite name=\"pointsman\" tests=\"{}\" failures=\"{failed}\">\n",
        done.len(),
        done.len()
    );
    for (job, done) in jobs.iter().zip(done) {
        let (file, name) = (escaped(&job.path.display().to_string()), escaped(&job.test.name));
        let _ = write!(xml, "<testcase classname=\"{file}\" name=\"{name}\" time=\"{:.3}\"", done.took.as_secs_f64());
        if done.verdict.wrong.is_empty() {
            xml.push_str("/>\n");
            continue;
        }
        let first = done.verdict.wrong.first().map(|wrong| escaped(&wrong.text)).unwrap_or_default();
        let _ = write!(xml, ">\n<failure message=\"{first}\">");
        for (n, wrong) in done.verdict.wrong.iter().enumerate() {
            let _ = writeln!(xml, "{}", escaped(&wrong.text));
            for line in wrong.got.iter().chain(done.reasons.get(n).into_iter().flatten()) {
                let _ = writeln!(xml, "  {}", escaped(line));
            }
        }
        xml.push_str("</failure>\n</testcase>\n");
    }
    xml.push_str("</testsuite>\n</testsuites>\n");
    xml
}

/// A text within XML. Characters that XML cannot contain are written as they are displayed.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_hold_is_shown() {
        assert_eq!(escaped("a<b & \"c\"\u{1}\u{fffe}"), "a&lt;b &amp; &quot;c&quot;\\x01\\u{fffe}");
    }
}
