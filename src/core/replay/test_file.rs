//! Files of rule tests (`*.test.yaml`): what happens, what must follow from it and what must not, written beside the rules.
//!
//! ```yaml
//! tests:
//!   - name: the primary fails
//!     holders: { sip_vip: sip1 }
//!     steps:
//!       - lose: sip1
//!       - log: "{now} Standard sip2 SIP_SERVER_BACKUP GCTI-00-04563 Hot Standby (Primary) mode activated"
//!         after: 2s
//!     must:
//!       - { kind: alarm_raised, alarm: became_primary }
//!     must_not:
//!       - { verb: taken, host: sip1 }
//!     ends:
//!       owners: { sip_vip: sip2 }
//! ```

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use crate::core::base::limits::STEP_TIMES;
use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::core::inventory::Name;
use crate::core::yaml::ValueForm::{Any, Duration, Map, Maps, NamedTexts, Number, Text, Texts, Truth, Word};
use crate::core::yaml::{self, KeySet, REQUIRED, Section, YamlNode, YamlReader, key};

/// A file of rule tests.
#[derive(Clone, Debug, Default)]
pub struct TestFile {
    /// The configuration with the inventory of the tests, relative to the file; `None` for rules that name nothing of an
    /// inventory.
    pub config: Option<String>,
    /// The rule files or folders, relative to the file; default: the file's own folder.
    pub rules: Vec<String>,
    pub tests: Vec<RuleTest>,
}

/// One test of a file of rule tests.
#[derive(Clone, Debug, Default)]
pub struct RuleTest {
    pub name: String,
    /// When the test begins (RFC 3339).
    pub start: Option<String>,
    /// The hosts that hold resources at the beginning.
    pub holders: BTreeMap<Name, Name>,
    /// What happens, one after another.
    pub steps: Vec<TestStep>,
    /// How long the test continues after the last step; default: `10s`.
    pub then: Option<String>,
    /// Entries that the timeline must have, in this sequence; others may come between them.
    pub must: Vec<BTreeMap<String, String>>,
    /// Entries that the timeline must not have anywhere.
    pub must_not: Vec<BTreeMap<String, String>>,
    /// What must be true at the end.
    pub ends: Ends,
}

/// What must be true at the end of a test.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Desired owners; `nobody` if there is none.
    pub owners: BTreeMap<Name, Name>,
    /// The actual holders, all of them.
    pub holders: BTreeMap<Name, Vec<Name>>,
    /// The active alarms, all of them: names, or `name [key]`.
    pub alarms: Option<Vec<String>>,
    /// Why a resource is blocked: a part of the reason.
    pub held: BTreeMap<Name, String>,
}

/// A step of a test: one of these keys, with `after` if needed.
#[derive(Clone, Debug, Default)]
pub struct TestStep {
    /// Time that passes before the step.
    pub after: Option<String>,
    /// How often the step is done, 1 to [`STEP_TIMES`]; `after` passes before each time, and `{n}` in `log` is its number.
    pub times: Option<u32>,
    /// A record is written; `{now}` and `{now-20s}` are stamps of the test's time.
    pub log: Option<String>,
    /// The source of the record (with `log`).
    pub source: Option<String>,
    /// The trust of its sender (with `log`; default: `authenticated`).
    pub trust: Option<String>,
    /// This host is lost, and reaches no other host.
    pub lose: Option<Name>,
    /// This host is connected again.
    pub find: Option<Name>,
    /// This source can't be read any more, for example because a file is gone.
    pub away: Option<String>,
    /// This source can be read again.
    pub back: Option<String>,
    /// The agent reports that this application stopped.
    pub stops: Option<Name>,
    pub runs: Option<Name>,
    /// A metric of a host: `{ host: sip1, cpu: 95 }`, `{ host: sip1, disk_used: 91.5, mount: /var }`.
    pub metric: Option<BTreeMap<String, String>>,
    /// Pointsman reports this about itself: `{ kind: certificate_ends, host: sip1 }`.
    pub notice: Option<BTreeMap<String, String>>,
    /// The driver of this host fails from now on.
    pub fails: Option<Name>,
    pub works: Option<Name>,
    /// This verb of scripts fails from now on, or works again.
    pub verb_fails: Option<String>,
    pub verb_works: Option<String>,
    /// Somebody brings a resource up on a host by hand.
    pub put_on: Option<BTreeMap<Name, Name>>,
    /// Somebody takes a resource off a host by hand.
    pub take_off: Option<BTreeMap<Name, Name>>,
    /// The controller stops; what is written meanwhile is a backlog.
    pub stop: bool,
    pub start: bool,
    /// An operator moves resources.
    pub moves: Option<BTreeMap<Name, Name>>,
    /// An operator confirms that hosts have released resources.
    pub released: Option<BTreeMap<Name, Name>>,
    /// An operator clears an alarm: all of it, or `alarm [value, value]`.
    pub clear: Option<String>,
    /// An operator acknowledges an alarm: all of it, or `alarm [value, value]`.
    pub ack: Option<String>,
    /// An operator approves a run.
    pub approve: Option<u64>,
    /// An operator pauses a resource, a reaction, or `everything`.
    pub pause: Option<String>,
    /// An operator ends such a pause.
    pub resume: Option<String>,
    /// An operator silences an alarm: all of it, or `alarm [value, value]`.
    pub silence: Option<String>,
    pub unsilence: Option<String>,
    /// An operator puts a host into maintenance.
    pub maintenance: Option<Name>,
    pub maintenance_end: Option<Name>,
    /// An operator drains a host.
    pub drain: Option<Name>,
    pub undrain: Option<Name>,
    /// How long (with `ack`, `pause`, `silence`, `maintenance`, `drain`).
    pub lasts: Option<String>,
    /// Nothing happens in the step, only time passes.
    pub pass: Option<String>,
}

/// The word for everything in the steps `pause` and `resume`.
pub(super) const EVERYTHING: &str = "everything";

/// The keys of a file of rule tests.
pub static TEST_FILE: KeySet = KeySet {
    title: "a file of rule tests",
    keys: &[
        key(
            "config",
            Text,
            "the configuration whose inventory the tests are about, relative to the file",
            "the one of the site, or none",
        ),
        key(
            "rules",
            Texts,
            "rule files or folders, relative to the file",
            "those of the configuration, or of the file's own folder",
        ),
        key("tests", Maps(&RULE_TEST), "the tests", REQUIRED),
    ],
};

/// The keys of a rule test.
pub static RULE_TEST: KeySet = KeySet {
    title: "a rule test",
    keys: &[
        key("name", Text, "what it shows", REQUIRED),
        key("start", Text, "when it begins (RFC 3339)", "`2026-01-01T00:00:00Z`"),
        key("holders", NamedTexts, "which host holds which resource at the beginning", "nobody"),
        key("steps", Maps(&STEP), "what happens, in order", REQUIRED),
        key("then", Duration, "how long the test continues after the last step", "`10s`"),
        key("must", Any, "entries that the timeline must have, in this order; other entries may come between them", "none"),
        key("must_not", Any, "entries that the timeline must not have", "none"),
        key("ends", Map(&ENDS), "the expected state at the end", "nothing"),
    ],
};

/// The keys of a step of a rule test: one of them, and `after`, or what belongs to `log`.
pub static STEP: KeySet = KeySet {
    title: "a step of a rule test",
    keys: &[
        key("after", Duration, "the time that passes before it", "`0s`"),
        key(
            "times",
            Number,
            "how often it is done: `after` passes before each time, and `{n}` in `log` is the number of the time, from 1",
            "once, and `{n}` means nothing",
        ),
        key("log", Text, "records that are written; `{now}` and `{now-20s}` are stamps of the test's time", "none"),
        key("source", Text, "the source of the records (with `log`)", "`log`"),
        key(
            "trust",
            Word(&["unverified", "address", "local", "authenticated"]),
            "the trust of their sender (with `log`)",
            "`authenticated`",
        ),
        key("lose", Text, "this host is lost: it does not report and reaches no other host", "none"),
        key("find", Text, "this host reports again", "none"),
        key("away", Text, "this source cannot be read any more", "none"),
        key("back", Text, "this source can be read again", "none"),
        key("stops", Text, "this application stops, as the agent of its host reports", "none"),
        key("runs", Text, "this application runs again", "none"),
        key("metric", Any, "an agent reports a metric of its host: `{ host: sip1, cpu: 95 }`", "none"),
        key("notice", Any, "Pointsman reports this about itself: `{ kind: certificate_ends, host: sip1 }`", "none"),
        key("fails", Text, "the driver of this host fails from now on", "none"),
        key("works", Text, "the driver of this host works again", "none"),
        key("verb_fails", Text, "this verb of scripts fails from now on", "none"),
        key("verb_works", Text, "this verb of scripts works again", "none"),
        key("put_on", NamedTexts, "somebody puts a resource on a host by hand", "none"),
        key("take_off", NamedTexts, "somebody removes a resource from a host by hand", "none"),
        key("stop", Truth, "the controller stops; what is written meanwhile is a backlog", "`false`"),
        key("start", Truth, "the controller starts", "`false`"),
        key("move", NamedTexts, "an operator moves resources to hosts", "none"),
        key("released", NamedTexts, "an operator confirms that hosts do not hold resources", "none"),
        key("clear", Text, "an operator clears an alarm: all of it, or `alarm [value, value]`", "none"),
        key("ack", Text, "an operator acknowledges an alarm: all of it, or `alarm [value, value]`", "none"),
        key("approve", Number, "an operator approves a run", "none"),
        key("pause", Text, "an operator pauses a resource or a reaction, or `everything`", "none"),
        key("resume", Text, "an operator ends such a pause", "none"),
        key("silence", Text, "an operator silences an alarm: all of it, or `alarm [value, value]`", "none"),
        key("unsilence", Text, "an operator ends the silence that a step with the same text began", "none"),
        key("maintenance", Text, "an operator puts a host into maintenance", "none"),
        key("maintenance_end", Text, "an operator ends the maintenance of a host", "none"),
        key("drain", Text, "an operator drains a host", "none"),
        key("undrain", Text, "an operator ends the drain of a host", "none"),
        key("for", Duration, "how long (with `ack`, `pause`, `silence`, `maintenance`, `drain`)", "until an operator ends it"),
        key("pass", Duration, "nothing happens for this time", "none"),
    ],
};

/// The keys of `ends` in a rule test.
pub static ENDS: KeySet = KeySet {
    title: "the end of a rule test",
    keys: &[
        key("owners", NamedTexts, "desired owners; `nobody` when none is known", "any"),
        key("holders", NamedTexts, "the hosts that hold resources in fact, all of them", "any"),
        key("alarms", Texts, "the active alarms, all of them: names, or `name [key]`", "any"),
        key("held", NamedTexts, "why resources are blocked: a part of each reason", "any"),
    ],
};

/// Reads a file of tests; `None` if it must not be used.
pub fn read(source: &Arc<Source>) -> (Option<TestFile>, Vec<Diagnostic>) {
    let help = "tests: [{ name: ..., steps: [...], must: [...] }]";
    yaml::load(source, help, |root, found| test_file(source, root, &mut YamlReader { found }))
}

fn test_file(source: &Arc<Source>, root: &YamlNode, reader: &mut YamlReader<'_>) -> TestFile {
    let place = Place { source: source.clone(), bytes: 0..0 };
    let Some(top) = reader.section(root, "a file of rule tests", &place, &TEST_FILE) else { return TestFile::default() };
    let tests = top.want(reader, "tests");
    TestFile {
        config: text(reader, &top, "config"),
        rules: reader.texts(top.get("rules")).into_iter().map(|(rule, _)| rule).collect(),
        tests: reader.list(tests).into_iter().filter_map(|node| rule_test(reader, node)).collect(),
    }
}

fn rule_test(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<RuleTest> {
    let section = reader.section(node, "a rule test", &node.place, &RULE_TEST)?;
    let (name, steps) = (section.want(reader, "name"), section.want(reader, "steps"));
    Some(RuleTest {
        name: name.and_then(|node| reader.text(node)).unwrap_or_default().to_owned(),
        start: text(reader, &section, "start"),
        holders: pairs(reader, section.get("holders")),
        steps: reader.list(steps).into_iter().filter_map(|node| step(reader, node)).collect(),
        then: text(reader, &section, "then"),
        must: reader.list(section.get("must")).into_iter().map(|node| pairs(reader, Some(node))).collect(),
        must_not: reader.list(section.get("must_not")).into_iter().map(|node| pairs(reader, Some(node))).collect(),
        ends: section.get("ends").and_then(|node| ends(reader, node)).unwrap_or_default(),
    })
}

fn step(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<TestStep> {
    let section = reader.section(node, "a step", &node.place, &STEP)?;
    let approve = number(reader, &section, "approve", 0..=u64::MAX, "the number of a run");
    let often = format!("how often the step is done: 1 to {STEP_TIMES} times");
    let times = number(reader, &section, "times", 1..=STEP_TIMES, &often);
    let mut of = |name: &str| text(reader, &section, name);
    Some(TestStep {
        after: of("after"),
        times,
        log: of("log"),
        source: of("source"),
        trust: of("trust"),
        lose: of("lose"),
        find: of("find"),
        away: of("away"),
        back: of("back"),
        stops: of("stops"),
        runs: of("runs"),
        fails: of("fails"),
        works: of("works"),
        verb_fails: of("verb_fails"),
        verb_works: of("verb_works"),
        clear: of("clear"),
        ack: of("ack"),
        pause: of("pause"),
        resume: of("resume"),
        silence: of("silence"),
        unsilence: of("unsilence"),
        maintenance: of("maintenance"),
        maintenance_end: of("maintenance_end"),
        drain: of("drain"),
        undrain: of("undrain"),
        lasts: of("for"),
        pass: of("pass"),
        approve,
        notice: section.get("notice").map(|node| pairs(reader, Some(node))),
        metric: section.get("metric").map(|node| pairs(reader, Some(node))),
        put_on: section.get("put_on").map(|node| pairs(reader, Some(node))),
        take_off: section.get("take_off").map(|node| pairs(reader, Some(node))),
        moves: section.get("move").map(|node| pairs(reader, Some(node))),
        released: section.get("released").map(|node| pairs(reader, Some(node))),
        stop: section.get("stop").and_then(|node| reader.truth(node)).unwrap_or_default(),
        start: section.get("start").and_then(|node| reader.truth(node)).unwrap_or_default(),
    })
}

fn ends(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<Ends> {
    let section = reader.section(node, "`ends`", &node.place, &ENDS)?;
    let named = reader.named(section.get("holders"));
    let all = |reader: &mut YamlReader<'_>, node| reader.texts(Some(node)).into_iter().map(|(host, _)| host).collect();
    Some(Ends {
        owners: pairs(reader, section.get("owners")),
        holders: named.into_iter().map(|(key, node)| (key.text.clone(), all(reader, node))).collect(),
        alarms: section.get("alarms").map(|node| all(reader, node)),
        held: pairs(reader, section.get("held")),
    })
}

fn text(reader: &mut YamlReader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    section.get(key).and_then(|node| reader.text(node)).map(str::to_owned)
}

/// A whole number within these bounds.
fn number<N: FromStr + PartialOrd>(
    reader: &mut YamlReader<'_>,
    section: &Section<'_>,
    key: &str,
    bounds: RangeInclusive<N>,
    what: &str,
) -> Option<N> {
    let node = section.get(key)?;
    let said = reader.text(node)?;
    let number = said.parse().ok().filter(|number| bounds.contains(number));
    if number.is_none() {
        reader.report(Code::BadValue, &node.place, format!("`{said}` is not {what}"));
    }
    number
}

/// A map from texts to texts.
fn pairs(reader: &mut YamlReader<'_>, node: Option<&YamlNode>) -> BTreeMap<String, String> {
    let entries = reader.named(node);
    entries.into_iter().filter_map(|(key, node)| Some((key.text.clone(), reader.text(node)?.to_owned()))).collect()
}
