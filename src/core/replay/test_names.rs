//! Checks that every name in a rule test exists, and that the test expects something. Nothing ever happens to a name that does
//! not exist, so `must_not` would hold whatever the rules do.
//!
//! In: a test and its site. Out: a sentence for each unknown name, with the nearest valid one.

use std::collections::BTreeMap;

use crate::core::base::time::Time;
use crate::core::diag::suggest::{hint, nearest};
use crate::core::engine::Cause;
use crate::core::notice::Kind;
use crate::core::react::RunOutcome;
use crate::core::script::Verb;
use crate::core::site::Site;

use super::test_file::{EVERYTHING, RuleTest, TestStep};
use super::timeline::{EntryKind, TimelineEntry};

/// Steps of a move, in addition to the verbs of scripts.
const MOVES: [&str; 4] = ["release", "released", "take", "taken"];
/// If no name is near, all valid names are listed, but not more than this number.
const LISTED: usize = 16;

/// The names in a test that do not exist.
pub(super) fn wrong(site: &Site, test: &RuleTest) -> Vec<String> {
    let mut names = Names { site, test, wrong: Vec::new() };
    for (n, step) in test.steps.iter().enumerate() {
        names.step(&format!("step {}", n + 1), step);
    }
    let ends = &test.ends;
    let held = ends.owners.is_empty() && ends.holders.is_empty() && ends.held.is_empty() && ends.alarms.is_none();
    if test.must.is_empty() && test.must_not.is_empty() && held {
        names.wrong.push("nothing is expected of it: write `must`, `must_not` or `ends`".to_owned());
    }
    for (of, entries) in [("must", &test.must), ("must_not", &test.must_not)] {
        if entries.iter().any(BTreeMap::is_empty) {
            names.wrong.push(format!("{of}: `{{}}` would match any entry: say which, for example `{{ kind: alarm_raised }}`"));
        }
        for entry in entries {
            names.entry(of, entry);
        }
    }
    for (resource, host) in &test.holders {
        names.placement("holders", resource, host);
    }
    for (resource, host) in &ends.owners {
        names.resource("ends", resource);
        if host != "nobody" {
            names.host("ends", host);
        }
    }
    for (resource, hosts) in &ends.holders {
        names.resource("ends", resource);
        hosts.iter().for_each(|host| names.host("ends", host));
    }
    ends.held.keys().for_each(|resource| names.resource("ends", resource));
    for alarm in ends.alarms.iter().flatten() {
        names.alarm("ends", alarm.split_once(" [").map_or(alarm, |(name, _)| name));
    }
    names.wrong
}

struct Names<'a> {
    site: &'a Site,
    test: &'a RuleTest,
    wrong: Vec<String>,
}

impl Names<'_> {
    fn step(&mut self, of: &str, step: &TestStep) {
        let overrides = [&step.maintenance, &step.maintenance_end, &step.drain, &step.undrain];
        for host in [&step.lose, &step.find, &step.fails, &step.works].into_iter().chain(overrides).flatten() {
            self.host(of, host);
        }
        for (resource, host) in [&step.put_on, &step.take_off, &step.moves, &step.released].into_iter().flatten().flatten() {
            self.resource(of, resource);
            self.host(of, host);
        }
        for verb in [&step.verb_fails, &step.verb_works].into_iter().flatten() {
            self.one_of(of, "verb", verb, &verbs_of_scripts());
        }
        for name in [&step.pause, &step.resume].into_iter().flatten().filter(|name| *name != EVERYTHING) {
            if !self.site.inventory.resources.contains_key(name) {
                self.reaction(of, name);
            }
        }
        if let Some(notice) = &step.notice {
            self.notice(of, notice);
        }
        for said in [&step.clear, &step.ack, &step.silence, &step.unsilence].into_iter().flatten() {
            self.alarm(of, &instance(said).0);
        }
    }

    /// What Pointsman reports about itself: a kind that rules can be about, and the fields of such a notice.
    fn notice(&mut self, of: &str, notice: &BTreeMap<String, String>) {
        let kinds: Vec<&str> = Kind::ALL.iter().filter(|kind| kind.is_event()).map(|kind| kind.name()).collect();
        let Some(name) = notice.get("kind") else {
            return self.wrong.push(format!("{of}: a notice has a kind: {{ kind: certificate_ends, host: sip1 }}"));
        };
        self.one_of(of, "kind of notice that rules can be about", name, &kinds);
        let Some(kind) = Kind::parse(name).filter(|kind| kind.is_event()) else { return };
        let fields: Vec<&str> = ["kind", "text"].into_iter().chain(kind.about().iter().map(|about| about.field())).collect();
        for field in notice.keys() {
            self.one_of(of, "field of such a notice", field, &fields);
        }
    }

    fn entry(&mut self, of: &str, entry: &BTreeMap<String, String>) {
        let kind = entry.get("kind").cloned();
        for (field, value) in entry {
            match field.as_str() {
                "kind" => self.one_of(of, "kind of entry", value, &EntryKind::ALL.map(EntryKind::name)),
                "alarm" => self.alarm(of, value),
                "reaction" => self.reaction(of, value),
                "resource" => self.resource(of, value),
                // An alarm's host may be any host that wrote a record.
                "host" if self.logged(value) => {}
                "host" => self.host(of, value),
                "verb" => self.one_of(of, "verb", value, &[verbs_of_scripts(), MOVES.to_vec()].concat()),
                "result" => self.result(of, kind.as_deref(), value),
                "line" | "run" if value.parse::<u64>().is_err() => {
                    self.wrong.push(format!("{of}: `{field}` is a number, not `{value}`"))
                }
                "at" if Time::parse_rfc3339(value).is_none() => {
                    self.wrong.push(format!("{of}: `{value}` is not a time (write 2026-01-01T00:00:00Z)"));
                }
                "at" | "line" | "run" | "key" | "event_id" | "text" => {}
                _ => self.one_of(of, "field of an entry", field, &TimelineEntry::FIELDS),
            }
        }
    }

    /// The outcome of a run or an alarm, or the kind of a notice. Results of scripts are not known beforehand.
    fn result(&mut self, of: &str, kind: Option<&str>, value: &str) {
        if kind == Some(EntryKind::RunFinished.name()) {
            self.one_of(of, "end of a run", value, &RunOutcome::NAMES);
        } else if kind == Some(EntryKind::AlarmCleared.name()) && !value.starts_with("by ") {
            let causes = [Cause::After, Cause::When, Cause::AtOnce, Cause::Removed, Cause::Changed].map(|c| c.to_string());
            self.one_of(of, "end of an alarm", value, &causes.each_ref().map(String::as_str));
        } else if kind == Some(EntryKind::Notice.name()) {
            let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            self.one_of(of, "kind of notice", value, &kinds);
        }
    }

    fn logged(&self, text: &str) -> bool {
        self.test.steps.iter().filter_map(|step| step.log.as_ref()).any(|log| log.contains(text))
    }

    fn alarm(&mut self, of: &str, name: &str) {
        let all: Vec<&str> = self.site.program.alarms.iter().map(|a| a.name.as_str()).collect();
        self.one_of(of, "alarm", name, &all);
    }

    fn reaction(&mut self, of: &str, name: &str) {
        let scripts = self.site.scripts.keys().filter_map(|file| file.strip_suffix(".rhai"));
        let all: Vec<&str> = self.site.program.reactions.keys().map(String::as_str).chain(scripts).collect();
        self.one_of(of, "reaction", name, &all);
    }

    fn resource(&mut self, of: &str, name: &str) {
        let all: Vec<&str> = self.site.inventory.resources.keys().map(String::as_str).collect();
        self.one_of(of, "resource", name, &all);
    }

    /// A resource, and a host that may have it.
    fn placement(&mut self, of: &str, resource: &str, host: &str) {
        match self.site.inventory.resources.get(resource) {
            None => self.resource(of, resource),
            Some(known) if known.placements.iter().all(|placement| placement.host != host) => {
                let hint = hint(host, known.placements.iter().map(|placement| placement.host.as_str()));
                self.wrong.push(format!("{of}: {resource} cannot be on `{host}`{hint}"));
            }
            Some(_) => {}
        }
    }

    fn host(&mut self, of: &str, name: &str) {
        let all: Vec<&str> = self.site.inventory.hosts.keys().map(String::as_str).collect();
        self.one_of(of, "host", name, &all);
    }

    fn one_of(&mut self, of: &str, what: &str, name: &str, all: &[&str]) {
        if all.contains(&name) {
            return;
        }
        let hint = match nearest(name, all.iter().copied()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if (1..=LISTED).contains(&all.len()) => format!("; there are {}", all.join(", ")),
            None => String::new(),
        };
        let said = format!("{of}: there is no {what} `{name}`{hint}");
        if !self.wrong.contains(&said) {
            self.wrong.push(said);
        }
    }
}

/// An instance as a test names it: `alarm`, or `alarm [value, value]`.
pub(super) fn instance(said: &str) -> (String, Option<String>) {
    match said.strip_suffix(']').and_then(|said| said.split_once(" [")) {
        Some((alarm, values)) => (alarm.to_owned(), Some(values.to_owned())),
        None => (said.to_owned(), None),
    }
}

fn verbs_of_scripts() -> Vec<&'static str> {
    Verb::ALL.iter().map(|verb| verb.name()).collect()
}
