//! Runs rule tests in virtual time, and judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::base::time::{Time, duration_text, parse_duration};
use crate::core::control::{Input, OperatorCommand, Output};
use crate::core::event::{Event, Trust};
use crate::core::inventory::{METRICS, Name};
use crate::core::journal::Record;
use crate::core::notice::{Kind, Notice, Subject};
use crate::core::overrides::{Override, SilenceMatcher};
use crate::core::react;
use crate::core::script::Verb;
use crate::core::site::Site;
use crate::core::wire::Metric;

use super::Replay;
use super::dry_run::DecisionOfLine;
use super::judge::judge;
use super::test_file::{EVERYTHING, RuleTest, TestStep};
use super::test_names::{self, instance};
use super::timeline::TimelineEntry;

pub use super::judge::{Mismatch, MismatchPlace, Verdict};

/// The default time for which a test continues after the last step.
const AFTERWARDS: &str = "10s";
/// The default time at which a test begins.
const BEGIN: &str = "2026-01-01T00:00:00Z";

/// Runs a test in virtual time.
pub fn run(site: &Arc<Site>, test: &RuleTest) -> Verdict {
    run_with(site, test, None).0
}

/// What the engine decided during a test, and the records that it got.
#[derive(Debug, Default)]
pub struct TestTrace {
    /// Decisions about the selected alarms.
    pub decisions: Vec<DecisionOfLine>,
    /// Every record of the test with its line, whether a rule wants it or not.
    pub events: Vec<(u64, Event<'static>)>,
    /// The steps that scripts wanted: the script's file name, and the line of the call.
    pub steps: Vec<(String, u32)>,
}

/// Like [`run`], with the decisions about these alarms; about all alarms if the set is empty.
pub fn run_traced(site: &Arc<Site>, test: &RuleTest, alarms: BTreeSet<String>) -> (Verdict, TestTrace) {
    run_with(site, test, Some(alarms))
}

fn run_with(site: &Arc<Site>, test: &RuleTest, traced: Option<BTreeSet<String>>) -> (Verdict, TestTrace) {
    let (verdict, mut play) = play(site, test, traced);
    play.take_decisions(None);
    let steps = script_steps(site, &play.replay.take_records());
    let trace = TestTrace { decisions: play.decisions, events: std::mem::take(&mut play.replay.events), steps };
    (verdict, trace)
}

/// The steps of scripts in these records.
fn script_steps(site: &Site, records: &[Record]) -> Vec<(String, u32)> {
    let mut scripts: BTreeMap<react::RunId, &str> = BTreeMap::new();
    let mut steps = Vec::new();
    for record in records {
        match record {
            Record::Run(react::Record::Wanted { run, bound, .. }) => {
                scripts.extend(site.program.reactions.get(&bound.reaction).map(|reaction| (*run, reaction.script.as_str())));
            }
            Record::Run(react::Record::Asked { run, step, .. }) => {
                steps.extend(scripts.get(run).map(|script| ((*script).to_owned(), step.line)));
            }
            _ => {}
        }
    }
    steps
}

fn play(site: &Arc<Site>, test: &RuleTest, traced: Option<BTreeSet<String>>) -> (Verdict, Play) {
    let cannot = |text: String| Mismatch::new(MismatchPlace::Test, text);
    let mut wrong: Vec<Mismatch> = test_names::wrong(site, test).into_iter().map(cannot).collect();
    let begin = test.start.as_deref().unwrap_or(BEGIN);
    let now = Time::parse_rfc3339(begin).unwrap_or_else(|| {
        wrong.push(cannot(format!("start: `{begin}` is not a time (write 2026-01-01T00:00:00Z)")));
        Time::default()
    });
    let mut replay = Replay::start(site.clone(), &test.holders, now);
    replay.records = traced.is_some().then(Vec::new);
    replay.traced = traced;
    replay.begin_again();
    let mut play = Play { replay, entries: Vec::new(), decisions: Vec::new(), backlog: Vec::new(), line: 0 };
    for (i, step) in test.steps.iter().enumerate() {
        if let Err(why) = (1..=step.times.unwrap_or(1)).try_for_each(|n| play.step(step, n)) {
            wrong.push(cannot(format!("step {}: {why}", i + 1)));
        }
    }
    let then = test.then.as_deref().unwrap_or(AFTERWARDS);
    match parse_duration(then) {
        Some(span) => play.pass(span),
        None => wrong.push(cannot(format!("then: `{then}` is not a duration"))),
    }
    judge(test, &play.entries, &play.replay, &mut wrong);
    (Verdict { wrong, entries: play.entries.clone() }, play)
}

struct Play {
    replay: Replay,
    entries: Vec<TimelineEntry>,
    decisions: Vec<DecisionOfLine>,
    /// Records that were written while the controller was stopped.
    backlog: Vec<(String, String, Trust, u64)>,
    line: u64,
}

impl Play {
    fn pass(&mut self, span: std::time::Duration) {
        self.replay.pass(self.replay.now() + span);
        self.entries.extend(self.replay.take_entries());
        self.take_decisions(None);
    }

    /// Assigns the decisions since the last call to the line that caused them.
    fn take_decisions(&mut self, line: Option<u64>) {
        let found = self.replay.take_traced().into_iter();
        self.decisions.extend(found.map(|decision| DecisionOfLine { line, decision }));
    }

    /// Does a step for the nth time.
    fn step(&mut self, step: &TestStep, n: u32) -> Result<(), String> {
        for span in step.after.iter().chain(&step.pass) {
            self.pass(parse_duration(span).ok_or_else(|| format!("`{span}` is not a duration"))?);
        }
        let now = self.replay.now();
        for host in [&step.lose, &step.find, &step.fails, &step.works].into_iter().flatten() {
            // That there is no such host is already reported.
            if !self.replay.hosts.is_known(host) {
                return Ok(());
            }
        }
        if let Some(text) = &step.log {
            match step.times {
                Some(_) => self.log(step, &text.replace("{n}", &n.to_string()))?,
                None => self.log(step, text)?,
            }
        }
        if let Some(host) = &step.lose {
            self.replay.report_all();
            self.replay.hosts.lose(now, host);
        }
        if let Some(host) = &step.find {
            self.replay.hosts.find(now, host);
        }
        for (source, away) in [(&step.away, true), (&step.back, false)] {
            if let Some(source) = source {
                self.replay.source(source, away);
            }
        }
        for (app, runs) in [(&step.stops, false), (&step.runs, true)] {
            let Some(app) = app else { continue };
            let site = self.replay.site.clone();
            let Some((name, application)) = site.inventory.application(app) else {
                return Err(format!("the inventory has no application {app}"));
            };
            self.replay.hosts.runs(&application.host, name, runs);
        }
        if let Some(said) = &step.metric {
            let (host, metrics) = measured(said)?;
            if !self.replay.hosts.is_known(&host) {
                return Err(format!("the inventory has no host {host}"));
            }
            self.replay.hosts.measured(&host, metrics);
        }
        if let Some(notice) = step.notice.as_ref().and_then(reported) {
            self.replay.carry_out(vec![Output::Notice(notice)]);
        }
        if let Some(host) = &step.fails {
            self.replay.hosts.fail(host, true);
        }
        if let Some(host) = &step.works {
            self.replay.hosts.fail(host, false);
        }
        if let Some(verb) = step.verb_fails.as_deref().and_then(Verb::parse) {
            self.replay.failing.push(verb);
        }
        if let Some(verb) = step.verb_works.as_deref().and_then(Verb::parse) {
            self.replay.failing.retain(|v| *v != verb);
        }
        for (put, on) in [(&step.put_on, true), (&step.take_off, false)] {
            for (resource, host) in put.iter().flatten() {
                self.replay.hosts.by_hand(host, resource, on);
            }
        }
        if step.stop {
            self.replay.controller = None;
        }
        if step.start && self.replay.controller.is_none() {
            self.replay.start_controller();
            let mut sources: Vec<String> = Vec::new();
            for (source, text, trust, line) in std::mem::take(&mut self.backlog) {
                self.replay.receive(&source, text.as_bytes(), trust, true, Some(line));
                self.take_decisions(Some(line));
                sources.push(source);
            }
            sources.push("log".to_owned());
            sources.dedup();
            for source in sources {
                self.replay.drive(Input::BacklogEnded { source });
            }
        }
        if let (Some(run), Some(controller)) = (step.approve, self.replay.controller())
            && controller.runs().run(run).is_none()
        {
            return Err(format!("approve: there is no run {run} at this time"));
        }
        self.operator(step);
        self.override_command(step)?;
        self.replay.report_all();
        self.entries.extend(self.replay.take_entries());
        Ok(())
    }

    fn operator(&mut self, step: &TestStep) {
        let mut say = |command: OperatorCommand| self.replay.drive(Input::Operator { by: "the test".to_owned(), command });
        for (resource, host) in step.moves.iter().flatten() {
            say(OperatorCommand::Move { resource: resource.clone(), host: host.clone() });
        }
        for (resource, host) in step.released.iter().flatten() {
            say(OperatorCommand::Released { resource: resource.clone(), host: host.clone() });
        }
        if let Some(said) = &step.clear {
            let (alarm, key) = instance(said);
            say(OperatorCommand::Clear { alarm, key, reason: None });
        }
        if let Some(said) = &step.ack {
            let (alarm, key) = instance(said);
            let lasts = step.lasts.as_deref().and_then(parse_duration);
            say(OperatorCommand::Ack { alarm, key, by: "the test".to_owned(), comment: None, lasts });
        }
        if let Some(run) = step.approve {
            say(OperatorCommand::Approve { run });
        }
    }

    /// Does the steps that begin or end pauses, silences, maintenance and drains.
    fn override_command(&mut self, step: &TestStep) -> Result<(), String> {
        let lasts =
            step.lasts.as_ref().map(|text| parse_duration(text).ok_or_else(|| format!("for: `{text}` is not a duration")));
        let lasts = lasts.transpose()?;
        let paused = |name: &String| match name.as_str() {
            EVERYTHING => Override::PauseAll,
            name if self.replay.site.inventory.resources.contains_key(name) => Override::PauseResource(name.to_owned()),
            name => Override::PauseReaction(name.to_owned()),
        };
        let silenced = |said: &String| {
            let (alarm, key) = instance(said);
            Override::Silence(SilenceMatcher { alarm: Some(alarm), key, ..SilenceMatcher::default() })
        };
        let begun = [
            step.pause.as_ref().map(paused),
            step.silence.as_ref().map(silenced),
            step.maintenance.clone().map(Override::Maintenance),
            step.drain.clone().map(Override::Drain),
        ];
        let ended = [
            step.resume.as_ref().map(paused),
            step.unsilence.as_ref().map(silenced),
            step.maintenance_end.clone().map(Override::Maintenance),
            step.undrain.clone().map(Override::Drain),
        ];
        let mut say = |command: OperatorCommand| self.replay.drive(Input::Operator { by: "the test".to_owned(), command });
        for what in begun.into_iter().flatten() {
            say(OperatorCommand::Begin { what, lasts, reason: "the test says so".to_owned() });
        }
        for what in ended.into_iter().flatten() {
            say(OperatorCommand::End { what });
        }
        Ok(())
    }

    fn log(&mut self, step: &TestStep, text: &str) -> Result<(), String> {
        let trust = match &step.trust {
            Some(word) => Trust::parse(word).ok_or_else(|| format!("there is no trust level `{word}`"))?,
            None => Trust::Authenticated,
        };
        let source = step.source.clone().unwrap_or_else(|| "log".to_owned());
        for line in stamped(text, self.replay.now())?.lines() {
            self.line += 1;
            let number = self.line;
            if self.replay.controller.is_some() {
                self.take_decisions(None);
                self.replay.receive(&source, line.as_bytes(), trust, false, Some(number));
                self.take_decisions(Some(number));
            } else {
                self.backlog.push((source.clone(), line.to_owned(), trust, number));
            }
        }
        Ok(())
    }
}

/// What Pointsman reports about itself. Names that do not exist are already reported.
fn reported(said: &BTreeMap<String, String>) -> Option<Notice> {
    let kind = Kind::parse(said.get("kind")?)?;
    let name = |subject: Subject| said.get(subject.field()).filter(|_| kind.about().contains(&subject)).cloned();
    Some(Notice {
        alarm: name(Subject::Alarm),
        resource: name(Subject::Resource),
        host: name(Subject::Host),
        reaction: name(Subject::Reaction),
        source: name(Subject::Source),
        pair: name(Subject::Pair),
        scope: name(Subject::Scope),
        ..Notice::new(kind, said.get("text").map_or(kind.meaning(), String::as_str))
    })
}

/// The host of a metric, and its values.
fn measured(said: &BTreeMap<String, String>) -> Result<(Name, Vec<Metric>), String> {
    let host = said.get("host").cloned().ok_or("a metric needs its host: { host: sip1, cpu: 95 }")?;
    let mount = said.get("mount").cloned().unwrap_or_default();
    let mut metrics = Vec::new();
    for (name, value) in said.iter().filter(|(name, _)| !matches!(name.as_str(), "host" | "mount")) {
        let Some(value) = value.parse::<f64>().ok().filter(|v| v.is_finite()) else {
            return Err(format!("metric: `{name}` is a number"));
        };
        if !METRICS.contains(&name.as_str()) {
            return Err(format!("no agent measures `{name}`; there are {}", METRICS.join(", ")));
        }
        #[allow(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
        let thousandths = (value * 1_000.0).round() as i64;
        metrics.push(Metric { name: name.clone(), mount: mount.clone(), thousandths });
    }
    Ok((host, metrics))
}

/// Fills in `{now}` and `{now-20s}` with stamps of Genesys and syslog records: ISO without a zone.
fn stamped(text: &str, now: Time) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{now") {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else { return Err("`{now` is not closed".to_owned()) };
        let inside = &rest[at + 4..at + end];
        let time = match inside.split_at_checked(1) {
            None => now,
            Some((sign, span)) => {
                let span = parse_duration(span)
                    .ok_or_else(|| format!("`{{now{inside}}}` is not understood; write {{now}} or {{now-20s}}"))?;
                match sign {
                    "-" => now - span,
                    "+" => now + span,
                    _ => return Err(format!("`{{now{inside}}}` is not understood; write {{now}} or {{now-20s}}")),
                }
            }
        };
        out.push_str(time.to_string().trim_end_matches('Z'));
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// How long a test lasts in virtual time, for its summary.
pub fn lasted(entries: &[TimelineEntry]) -> String {
    match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => duration_text(last.at.since(first.at)),
        _ => duration_text(std::time::Duration::ZERO),
    }
}
