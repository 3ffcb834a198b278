//! `pointsman test --from-samples`: writes a first test of each alarm from what the rules already have: the samples of its
//! pattern, or the self events that it is about.
//!
//! The steps are chosen so that a changed threshold, window, key or cancel has another result. What follows from them is not
//! computed here: the test is run, and its result is written as the expectation.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::core::base::time::duration_text;
use crate::core::diag::Source;
use crate::core::event::OWN_APP;
use crate::core::lang::program::{Alarm, AtomId, Cancel, IdPattern, Mode, Sender, Shape, Signal};
use crate::core::notice::{Kind, Subject};
use crate::core::replay::rule_test;
use crate::core::replay::test_file;
use crate::core::replay::{EntryKind, TimelineEntry};
use crate::core::site::{Site, samples};

use super::super::output::{OutputFormat, WRONG, report, wrong};
use super::args::Args;
use super::first::expectation;

/// The time between steps that only have to be apart.
const APART: Duration = Duration::from_secs(1);
/// The bytes of a value that can be distinguished from others in a record.
const REPLACEABLE: usize = 2;
/// An application that claims to report what Pointsman reports.
const FORGER: &str = "forger";

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let setup = args.given.load();
    report(&setup.diagnostics, OutputFormat::Human)?;
    let Some(site) = setup.site else { return Ok(WRONG) };
    let alarms = site.program.alarms.iter().filter(|alarm| !alarm.composite && alarm.mode != Mode::Off);
    let alarms = alarms.filter(|alarm| args.only.as_ref().is_none_or(|only| alarm.name.contains(only)));
    let (mut tests, mut left_out) = (Vec::new(), Vec::new());
    for alarm in alarms {
        match test_of(&site, alarm) {
            Some(test) => tests.push(test),
            None => left_out.push(alarm.name.as_str()),
        }
    }
    if tests.is_empty() {
        return Ok(wrong(
            "no alarm is about a pattern with a `sample` or about self events of Pointsman; `--from LOG` needs neither",
        ));
    }
    let mut out = io::stdout().lock();
    if let Some(config) = &args.given.config {
        writeln!(out, "config: {}", json!(config.display().to_string()))?;
    }
    writeln!(out, "tests:")?;
    tests.iter().try_for_each(|test| write!(out, "{test}"))?;
    out.flush()?;
    if !left_out.is_empty() {
        eprintln!("pointsman: no test could be written for {}", left_out.join(", "));
    }
    Ok(0)
}

/// What can be done so that a condition matches, as a step of a test.
struct Stimulus {
    own: String,
    /// The same for other keys: each differs in one field.
    others: Vec<String>,
    /// Steps that only look like it: from others, or from somebody who is trusted less.
    forged: Vec<String>,
}

/// The first test of an alarm as text; `None` if it is not known how to raise it.
fn test_of(site: &Arc<Site>, alarm: &Alarm) -> Option<String> {
    let [part] = alarm.detect.parts.as_slice() else { return None };
    let raise = part.iter().find_map(|atom| stimulus(site, alarm, *atom))?;
    let own = raise.own.as_str();
    // Each step with the time before it.
    let mut steps: Vec<(Duration, &str)> = raise.forged.iter().map(|step| (APART, step.as_str())).collect();
    match &alarm.detect.shape {
        Shape::Count { n, distinct: None } if *n > 1 => {
            let within = alarm.detect.within.unwrap_or(Duration::from_secs(60));
            let little = (within / 100).min(APART);
            // The first is too old when the window is full again, and the others are spread over most of it.
            steps.push((APART, own));
            let mut passed = Duration::ZERO;
            for k in 2..*n {
                let after = if k == 2 { within / 10 } else { little };
                steps.push((after, own));
                passed += after;
            }
            for other in &raise.others {
                steps.push((little, other));
                passed += little;
            }
            steps.push(((within + little).saturating_sub(passed), own));
            steps.push((if *n == 2 { within / 10 * 9 } else { little }, own));
        }
        Shape::One => {
            steps.push((APART, own));
            steps.extend(raise.others.iter().map(|other| (APART, other.as_str())));
        }
        _ => return None,
    }
    let ends: Vec<Stimulus> = alarm
        .cancel
        .iter()
        .filter_map(|cancel| match cancel {
            Cancel::When(atoms) => atoms.iter().find_map(|atom| stimulus(site, alarm, *atom)),
            _ => None,
        })
        .collect();
    for end in &ends {
        steps.extend(end.forged.iter().map(|step| (APART, step.as_str())));
        steps.push((APART, &end.own));
    }
    let spans = alarm.cancel.iter().filter_map(|cancel| if let Cancel::After { span, .. } = cancel { Some(*span) } else { None });
    let then = spans.max().unwrap_or_default() + alarm.hold.unwrap_or_default() + 2 * APART;
    let mut text = format!("  - name: {}\n", json!(format!("{}: a first test", alarm.name)));
    text.push_str("    steps:\n");
    for same in steps.chunk_by(|one, next| one == next) {
        let Some((after, step)) = same.first() else { continue };
        let times = if same.len() > 1 { format!(", times: {}", same.len()) } else { String::new() };
        text.push_str(&format!("      - {{ {step}, after: {}{times} }}\n", duration_text(*after)));
    }
    text.push_str(&format!("    then: {}\n", duration_text(then)));
    let source = Arc::new(Source { name: alarm.name.clone(), text: format!("tests:\n{text}") });
    let file = test_file::read(&source).0?;
    let entries = rule_test::run(site, file.tests.first()?).entries;
    let must: Vec<String> = entries.iter().filter(|entry| is_about(entry, alarm)).filter_map(timed).collect();
    if !entries.iter().any(|entry| entry.kind == EntryKind::AlarmRaised && entry.alarm.as_ref() == Some(&alarm.name)) {
        return None;
    }
    text.push_str("    must:\n");
    must.iter().for_each(|line| text.push_str(&format!("      - {line}\n")));
    Some(text)
}

fn is_about(entry: &TimelineEntry, alarm: &Alarm) -> bool {
    entry.alarm.as_ref() == Some(&alarm.name) && entry.kind != EntryKind::Notice
}

/// An expectation with its time: an alarm that is raised too early or cleared too late is another one.
fn timed(entry: &TimelineEntry) -> Option<String> {
    let expected = expectation(entry)?;
    let of_alarm = matches!(entry.kind, EntryKind::AlarmRaised | EntryKind::AlarmCleared);
    if !of_alarm {
        return Some(expected);
    }
    Some(format!("{}, at: \"{}\" }}", expected.trim_end_matches(" }"), entry.at))
}

fn stimulus(site: &Site, alarm: &Alarm, atom: AtomId) -> Option<Stimulus> {
    of_sample(site, alarm, atom).or_else(|| of_self_event(site, alarm, atom)).or_else(|| of_choice(site, alarm, atom))
}

/// What makes a pattern match that is a choice of others: `pattern x { detect y or z where ... }`.
fn of_choice(site: &Site, alarm: &Alarm, atom: AtomId) -> Option<Stimulus> {
    let Some(Signal::Occurrence(pattern)) = &site.program.atoms.get(atom.0 as usize)?.signal else { return None };
    let name = format!("pattern {pattern}");
    let choice = site.program.alarms.iter().find(|other| other.composite && other.name == name)?;
    let [part] = choice.detect.parts.as_slice() else { return None };
    let one = choice.detect.shape == Shape::One && choice.hold.is_none();
    part.iter().filter(|_| one).find_map(|atom| stimulus(site, alarm, *atom))
}

/// A sample that matches a condition, and the same with other values of the fields that the alarm is grouped by. A condition
/// that is made of a pattern, `x where ...`, has samples of that pattern.
fn of_sample(site: &Site, alarm: &Alarm, atom: AtomId) -> Option<Stimulus> {
    let mut samples = site.program.samples.iter().filter(|sample| sample.matches && !sample.record.contains('\n'));
    let (sample, fields) = samples.find_map(|sample| Some((sample, samples::fields(sample, site, atom)?)))?;
    let step = |record: &str| format!("log: {}", json!(record));
    let keys = alarm.by.iter().filter_map(|name| fields.get(name)).map(ToString::to_string);
    let others = keys.filter(|value| value.len() >= REPLACEABLE && sample.record.contains(value));
    let others = others.map(|value| step(&sample.record.replace(&value, &another(&value)))).collect();
    Some(Stimulus { own: step(&sample.record), others, forged: Vec::new() })
}

/// Another value of the same form.
fn another(value: &str) -> String {
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => "198.51.100.77".to_owned(),
        Ok(IpAddr::V6(_)) => "2001:db8::77".to_owned(),
        Err(_) => format!("{value}7"),
    }
}

/// A self event with the fields that its notice has.
fn of_self_event(site: &Site, alarm: &Alarm, atom: AtomId) -> Option<Stimulus> {
    let atom = site.program.atoms.get(atom.0 as usize)?;
    let own = |sender: &Sender| matches!(sender, Sender::App(name) if name == OWN_APP);
    let Some(IdPattern::Word(id)) = atom.ids.first().filter(|_| atom.from.iter().any(own)) else { return None };
    let kind = Kind::parse(id).filter(|kind| kind.is_event())?;
    let inventory = &site.inventory;
    let named = |subject: Subject| -> [String; 2] {
        let known: Vec<&String> = match subject {
            Subject::Host => inventory.hosts.keys().collect(),
            Subject::Resource => inventory.resources.keys().collect(),
            Subject::Pair => inventory.pairs.keys().collect(),
            Subject::Alarm | Subject::Reaction | Subject::Source | Subject::Scope => Vec::new(),
        };
        let name = |n: usize| known.get(n).map_or_else(|| format!("{}{}", subject.field(), n + 1), |name| (*name).clone());
        [name(0), name(1)]
    };
    let subjects: BTreeMap<&str, [String; 2]> = kind.about().iter().map(|subject| (subject.field(), named(*subject))).collect();
    let step = |differs: Option<&str>| {
        let fields = subjects.iter().map(|(field, names)| {
            let name = &names[usize::from(differs == Some(*field))];
            format!(", {field}: {}", json!(name))
        });
        format!("notice: {{ kind: {id}{} }}", fields.collect::<String>())
    };
    let keys = alarm.by.iter().filter(|field| subjects.contains_key(field.as_str()));
    let others = keys.map(|field| step(Some(field))).collect();
    let host = subjects.get("host").map_or("h1", |names| &names[0]);
    // Only members of pairs have a pair.
    let member = kind.about().contains(&Subject::Pair).then(|| inventory.pairs.values().next()).flatten();
    let forger = member.map_or(FORGER, |pair| &pair.primary);
    let record = |app: &str, trust: &str| {
        let record = format!("<13>1 {{now}}Z {host} {app} 1 {id} - {}", kind.meaning());
        format!("log: {}, trust: {trust}", json!(record))
    };
    // A sender that proved who it is and is not Pointsman, and one that only says that it is Pointsman.
    let forged = vec![record(forger, "authenticated"), record(OWN_APP, "local")];
    Some(Stimulus { own: step(None), others, forged })
}
