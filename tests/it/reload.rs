//! New rules and a new inventory between two events (I6): what is kept, what is dropped, what is refused, and that the journal
//! records all of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman::core::base::time::Time;
use pointsman::core::config;
use pointsman::core::control::{Controller, Input, LogEvent, NewSite, OperatorCommand, Output};
use pointsman::core::decode::Decoder;
use pointsman::core::event::Trust;
use pointsman::core::journal::{ConfigSnapshot, FileText, Position, Record, State};
use pointsman::core::lang::program::Program;
use pointsman::core::lang::{Declarations, Matcher, compile, shape};
use pointsman::core::script::{Evaluator, Next, Step, Verb, check};
use pointsman::core::site::{Current, Sieve, Site};
use pointsman::core::wire::{Echo, Generation, Presence, Report, ResourceStatus};
use pointsman::shell::store::Journal;

use crate::control::at;
use crate::support::{Folder, files, read, source};

const RULES: &str = r#"
alarm kept    { detect event 4563 by host cancel after 10m }
alarm counted { detect 3 of event 4561 by host within 10m cancel by hand }
alarm gone    { detect event 4563 by app cancel by hand }
alarm other   { detect event 4563 by app cancel by hand }
alarm acts    { detect event 4562 by app cancel at once react vip_follows_primary(pair = pair_of(app), host = host_of(app)) }
"#;

/// A site with these rules and a changed inventory, and the texts of both.
fn site(rules: &str, change: impl Fn(&str) -> String) -> (Arc<Site>, Arc<ConfigSnapshot>) {
    let text = change(&read("examples/sip-pair/general.yaml"));
    let (config, found) = config::load(&source("c", &text));
    assert!(!pointsman::core::diag::has_errors(&found), "{}", pointsman::core::diag::render::human(&found, false));
    let inventory = Arc::new(config.unwrap().inventory);
    let scripts: BTreeMap<String, _> = files("scripts", "rhai").into_iter().map(|(n, t)| (n.clone(), source(&n, &t))).collect();
    let params = scripts.iter().map(|(n, s)| (n.clone(), check(s, Some(&inventory)).0)).collect();
    let (program, found) = compile(&[source("r", rules)], &Declarations { inventory: Some(&inventory), scripts: Some(&params) });
    assert!(!pointsman::core::diag::has_errors(&found), "{}", pointsman::core::diag::render::human(&found, false));
    let evaluator = Evaluator::new(inventory.clone());
    let compiled = scripts.iter().map(|(n, s)| (n.clone(), evaluator.compile(s).unwrap())).collect();
    let matcher = Matcher::new(&program, Some(&inventory));
    let text = |name: &str, text: &str| FileText { name: name.to_owned(), text: text.to_owned() };
    let written =
        ConfigSnapshot { config: text("c", &text_of(&inventory)), rules: vec![text("r", rules)], scripts: BTreeMap::new() };
    (Arc::new(Site::new(inventory, Arc::new(program), matcher, compiled, evaluator)), Arc::new(written))
}

fn text_of(inventory: &pointsman::core::inventory::Inventory) -> String {
    serde_json::to_string(inventory).unwrap()
}

/// A controller that receives events, reloads, and keeps its outputs.
struct Bench {
    controller: Controller,
    site: Arc<Site>,
    now: Time,
    records: Vec<Record>,
    notices: Vec<(String, String)>,
    lines: u64,
    beats: u64,
}

impl Bench {
    fn new(rules: &str) -> Bench {
        Bench::from(site(rules, str::to_owned).0, State::default())
    }

    fn from(site: Arc<Site>, state: State) -> Bench {
        let mut out = Vec::new();
        let controller = Controller::start(7, site.program.clone(), site.inventory.clone(), state, at(0), &mut out);
        let mut bench = Bench { controller, site, now: at(0), records: Vec::new(), notices: Vec::new(), lines: 0, beats: 0 };
        bench.keep(out);
        bench
    }

    fn keep(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Record(record) => self.records.push(record),
                Output::Notice(n) => self.notices.push((n.kind.name().to_owned(), n.text)),
                _ => {}
            }
        }
    }

    fn turn(&mut self, input: Input) {
        let mut out = Vec::new();
        self.controller.turn(self.now, input, &mut out);
        self.keep(out);
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.turn(Input::Timer);
    }

    /// The matches that a source finds in a record, by a site.
    fn sift(&mut self, current: &Arc<Current>, host: &str, id: &str) -> LogEvent {
        self.lines += 1;
        let app = if host == "sip1" { "SIP_SERVER_PRIMARY" } else { "SIP_SERVER_BACKUP" };
        let line = format!("{} Standard {host} {app} GCTI-00-{id} words", self.now.to_string().trim_end_matches('Z'));
        let mut sieve = Sieve::new(current, Decoder::new());
        let (event, matched) = sieve.sift(line.as_bytes(), self.now, |_, event| event.trust = Trust::Authenticated);
        let event = event.into_owned();
        let matched = matched.unwrap();
        let position = Position { at: self.lines, ..Position::default() };
        LogEvent { source: "log".to_owned(), position, event, hits: matched.hits, rules: matched.rules, ..LogEvent::default() }
    }

    fn receive(&mut self, host: &str, id: &str) {
        let current = Current::new(self.controller.rules(), self.site.clone());
        let heard = self.sift(&current, host, id);
        self.turn(Input::Event(Box::new(heard)));
    }

    fn report(&mut self, host: &str, n: (u64, u64), want: bool, holds: Presence) {
        self.beats += 1;
        let seen = ResourceStatus { generation: Generation { epoch: n.0, n: n.1 }, want, holds, note: None };
        let beat = Echo { incarnation: 1, beat: self.beats };
        let resources = [("sip_vip".to_owned(), seen)].into();
        self.turn(Input::Report(Report { host: host.to_owned(), beat, controller: None, resources, ..Report::default() }));
    }

    fn reload(&mut self, to: (Arc<Site>, Arc<ConfigSnapshot>), abandon: bool) {
        self.reload_instead_of(to, abandon, None);
    }

    fn reload_instead_of(
        &mut self,
        (site, written): (Arc<Site>, Arc<ConfigSnapshot>),
        abandon: bool,
        before: Option<Arc<Program>>,
    ) {
        let (program, matcher, inventory) = (site.program.clone(), site.matcher.clone(), site.inventory.clone());
        let reset = shape::reset(&before.unwrap_or_else(|| self.site.program.clone()), &program);
        let rules = self.controller.rules();
        self.turn(Input::Reload(Box::new(NewSite { written, program, matcher, inventory, reset, abandon })));
        if self.controller.rules() != rules {
            self.site = site;
        }
    }

    fn alarms(&self) -> Vec<String> {
        self.controller.alarms().active().map(|(alarm, key, i)| format!("{alarm} [{key}] {}", i.count)).collect()
    }

    fn told(&self, kind: &str) -> Vec<&str> {
        self.notices.iter().filter(|(k, _)| k == kind).map(|(_, text)| text.as_str()).collect()
    }

    /// The state is the fold of the journal.
    fn is_the_fold(&self) {
        let state = State::fold(&self.records);
        assert_eq!(&state.alarms, self.controller.alarms());
        assert_eq!(&state.runs, self.controller.runs());
        assert_eq!(&state.ledger, self.controller.planner().ledger());
        assert_eq!(state.newest_accepted().map_or(0, |(number, _)| number), self.controller.rules());
    }
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// Rules are inserted before and between others, so every condition gets another number. Two alarms have another key or
/// condition, and one is removed.
fn changed() -> String {
    let rules = RULES
        .replace("alarm gone    { detect event 4563 by app cancel by hand }\n", "")
        .replace("alarm other   { detect event 4563 by app", "alarm other   { detect event 4563 by host")
        .replace("cancel after 10m", "category critical cancel after 20m");
    format!("alarm first {{ detect event 4561, 9999 by app cancel by hand }}\n{rules}")
}

/// Suppressed alarms stop waiting if the new rules do not inhibit them. Alarms that the new rules do not have stop waiting as
/// well.
#[test]
fn what_is_inhibited_waits_while_the_rules_say_so() {
    let waits = |by: &str| {
        format!(
            "alarm dark {{ detect event 4563 cancel by hand }}\nalarm waits {{ detect event 4561 by host cancel by hand {by} }}"
        )
    };
    let of = |rules: &str| site(rules, str::to_owned);
    let after = |rules: &str| {
        let mut bench = Bench::new(&waits("inhibited by dark"));
        bench.receive("sip1", "04563");
        bench.receive("sip1", "04561");
        assert_eq!((bench.alarms(), bench.told("inhibited").len()), (vec!["dark [] 1".to_owned()], 1));
        bench.reload(of(rules), false);
        bench.is_the_fold();
        let left = bench.controller.alarms().suppressed_of("waits").count();
        (bench.alarms(), left)
    };
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(after(&waits("category minor inhibited by dark")), (names(&["dark [] 1"]), 1));
    assert_eq!(after(&waits("")), (names(&["dark [] 1", "waits [sip1] 1"]), 0));
    let other = waits("inhibited by light").replace("alarm dark", "alarm light");
    assert_eq!(after(&other), (names(&["waits [sip1] 1"]), 0), "what inhibited it is gone");
    assert_eq!(after(&waits("inhibited by dark").replace("by host", "by app")), (names(&["dark [] 1"]), 0), "another key");
    assert_eq!(after("alarm dark { detect event 4563 cancel by hand }"), (names(&["dark [] 1"]), 0), "it is gone itself");
    assert_eq!(after(&waits("mode off")), (names(&["dark [] 1"]), 0), "it is off");
}

#[test]
fn an_alarm_keeps_its_state_while_key_and_shape_are_the_same() {
    let mut bench = Bench::new(RULES);
    bench.receive("sip1", "04563");
    bench.receive("sip1", "04561");
    bench.receive("sip1", "04561");
    assert_eq!(bench.alarms(), ["gone [SIP_SERVER_PRIMARY] 1", "kept [sip1] 1", "other [SIP_SERVER_PRIMARY] 1"]);
    bench.pass(minutes(5));
    bench.reload(site(&changed(), str::to_owned), false);
    assert_eq!(bench.alarms(), ["kept [sip1] 1"]);
    let cleared: Vec<String> = bench
        .records
        .iter()
        .filter_map(|r| match r {
            Record::Alarm(pointsman::core::engine::Record::Cleared { alarm, cause, .. }) => Some(format!("{alarm}: {cause}")),
            _ => None,
        })
        .collect();
    assert_eq!(cleared, ["other: its rule was changed", "gone: removed from the rules"]);
    // The third of three events, where two came before the reload. The new rule matches it as well.
    bench.receive("sip1", "04561");
    assert_eq!(bench.alarms(), ["counted [sip1] 1", "first [SIP_SERVER_PRIMARY] 1", "kept [sip1] 1"]);
    // A timer that was started expires at its time: 10 minutes from then.
    bench.pass(minutes(4));
    assert!(bench.alarms().contains(&"kept [sip1] 1".to_owned()));
    bench.pass(minutes(2));
    assert_eq!(bench.alarms(), ["counted [sip1] 1", "first [SIP_SERVER_PRIMARY] 1"]);
    bench.is_the_fold();
}

#[test]
fn what_was_noted_for_another_shape_counts_no_more() {
    let mut bench = Bench::new(RULES);
    bench.receive("sip1", "04561");
    bench.receive("sip1", "04561");
    bench.reload(
        site(&RULES.replace("3 of event 4561 by host within 10m", "3 of event 4561 by host within 5m"), str::to_owned),
        false,
    );
    bench.receive("sip1", "04561");
    assert_eq!(bench.alarms(), [""; 0]);
    bench.receive("sip1", "04561");
    bench.receive("sip1", "04561");
    assert_eq!(bench.alarms(), ["counted [sip1] 1"]);
    bench.is_the_fold();
}

/// The same when a controller starts with other rules than those with which it was stopped.
#[test]
fn a_start_with_other_rules_is_a_reload() {
    let mut bench = Bench::new(RULES);
    let (before, written) = site(RULES, str::to_owned);
    bench.reload((before.clone(), written), false);
    bench.receive("sip1", "04563");
    let state = State::fold(&bench.records);
    let (after, written) = site(&changed(), str::to_owned);
    let mut again = Bench::from(after.clone(), state);
    again.reload_instead_of((after, written), true, Some(before.program.clone()));
    assert_eq!(again.alarms(), ["kept [sip1] 1"]);
}

/// Every program numbers its conditions differently: the matches that a source found with the earlier program are found again,
/// and nothing is lost.
#[test]
fn an_event_that_was_matched_before_is_matched_again() {
    let mut bench = Bench::new("alarm a { detect event 4561 by host cancel by hand }");
    let sources = Current::new(0, bench.site.clone());
    let heard = bench.sift(&sources, "sip1", "04561");
    assert_eq!((heard.hits.len(), heard.hits[0].atom.0, heard.rules), (1, 0, 0));
    // Number 0 is another condition now, and the event matches two.
    let new = site(
        "alarm z { detect event 9999 by host cancel by hand }\nalarm a { detect event 4561 by host cancel by hand }\nalarm b { detect event 4561 by app cancel by hand }",
        str::to_owned,
    );
    bench.reload(new, false);
    bench.turn(Input::Event(Box::new(heard)));
    assert_eq!(bench.alarms(), ["a [sip1] 1", "b [SIP_SERVER_PRIMARY] 1"]);
    // Sources notice the change with their next record.
    sources.exchange(bench.controller.rules(), bench.site.clone());
    let heard = bench.sift(&sources, "sip1", "04561");
    assert_eq!((heard.hits.len(), heard.rules), (2, bench.controller.rules()));
    bench.turn(Input::Event(Box::new(heard)));
    assert_eq!(bench.alarms(), ["a [sip1] 2", "b [SIP_SERVER_PRIMARY] 2"]);
    // An event that no rule wants any more is still recorded with its position.
    let heard = bench.sift(&sources, "sip1", "04561");
    let place = heard.position;
    bench.reload(site("alarm z { detect event 9999 by host cancel by hand }", str::to_owned), false);
    bench.turn(Input::Event(Box::new(heard)));
    assert_eq!(bench.alarms(), [""; 0]);
    assert_eq!(State::fold(&bench.records).positions["log"], place);
    bench.is_the_fold();
}

#[test]
fn runs_end_on_what_they_began_with() {
    let with = |timeout: &str| {
        format!(
            "alarm acts {{ detect event 4562 by app cancel at once react r }}\nreaction r {{ script \"vip_up.rhai\" with vip = \"sip_vip\", host = \"sip1\" timeout {timeout} retry 1 times every 1s }}"
        )
    };
    let mut bench = Bench::new(&with("5s"));
    bench.reload(site(&with("5s"), str::to_owned), false);
    let first = bench.controller.rules();
    bench.receive("sip1", "04562");
    let rules = |bench: &Bench| {
        bench.controller.runs().runs().map(|(_, r)| (r.bound.rules, r.bound.timeout.as_secs())).collect::<Vec<_>>()
    };
    assert_eq!(rules(&bench), [(first, 5)]);
    bench.reload(site(&with("7s"), str::to_owned), false);
    let second = bench.controller.rules();
    assert!(second > first);
    bench.receive("sip2", "04562");
    assert_eq!(rules(&bench), [(first, 5), (second, 7)]);
    // The time-out of the step is that of the rules to which the run is bound.
    let command = Step { n: 0, verb: Verb::parse("host.run").unwrap(), args: Vec::new(), line: 1 };
    bench.turn(Input::Evaluated { run: 1, next: Next::Step(command) });
    let due = bench.controller.runs().run(1).unwrap().asked.as_ref().unwrap().due;
    assert_eq!(due, Some(bench.now + Duration::from_secs(5)));
    // While the run lasts, the journal keeps the rules to which it is bound, and not longer.
    let accepted = |bench: &Bench| State::fold(&bench.records).accepted.keys().copied().collect::<Vec<_>>();
    assert_eq!(accepted(&bench), [first, second]);
    bench.turn(Input::Evaluated { run: 1, next: Next::Failed("enough".to_owned()) });
    bench.turn(Input::Done { run: 1, n: 0, attempt: 1, result: Err("no".to_owned()) });
    bench.pass(Duration::from_secs(1));
    bench.turn(Input::Done { run: 1, n: 0, attempt: 2, result: Err("no".to_owned()) });
    bench.turn(Input::Evaluated { run: 1, next: Next::Failed("enough".to_owned()) });
    assert!(bench.controller.runs().run(1).is_none());
    bench.receive("sip2", "04562");
    assert_eq!(accepted(&bench), [second]);
    bench.is_the_fold();
}

/// The pair without its address.
fn without_vip(text: &str) -> String {
    let start = text.find("resources:").unwrap();
    let end = text.find("channels:").unwrap();
    format!("{}{}", &text[..start], &text[end..]).replace(", resource: sip_vip", "")
}

/// A third host, which may have the address instead of the second.
fn on_sip3(text: &str) -> String {
    text.replace("hosts:\n  sip1", "hosts:\n  sip3: { address: 10.10.11.104, via: agent }\n  sip1")
        .replace("hosts: { sip1: eth0, sip2: eth0 }", "hosts: { sip2: eth0, sip3: eth0 }")
        .replace("SIP_SERVER_PRIMARY: { type: SIP Server, host: sip1 }", "SIP_SERVER_PRIMARY: { type: SIP Server, host: sip3 }")
}

/// A controller whose address is on sip1.
fn holding() -> Bench {
    let mut bench = Bench::new(RULES);
    bench.report("sip1", (0, 0), false, Presence::No);
    bench.report("sip2", (0, 0), false, Presence::No);
    bench.turn(Input::Operator {
        by: "ann".to_owned(),
        command: OperatorCommand::Move { resource: "sip_vip".to_owned(), host: "sip1".to_owned() },
    });
    bench.report("sip1", (1, 1), true, Presence::Yes);
    assert!(bench.controller.planner().settled("sip_vip"));
    bench
}

#[test]
fn what_a_host_has_does_not_go_unless_that_is_said() {
    let few = "alarm kept { detect event 4563 by host cancel after 10m }";
    for change in [without_vip, on_sip3] {
        let mut bench = holding();
        let before = (bench.controller.rules(), bench.records.len());
        bench.reload(site(few, change), false);
        assert_eq!((bench.controller.rules(), bench.records.len()), before, "nothing is changed");
        let told = bench.told("reload_refused").join("");
        assert!(told.contains("sip1 holds sip_vip") && told.contains("--abandon"), "{told}");
        // If the host is not connected, what it was granted counts.
        bench.pass(minutes(1));
        bench.reload(site(few, change), false);
        assert_eq!(bench.told("reload_refused").len(), 2);
        bench.reload(site(few, change), true);
        assert!(bench.controller.rules() > before.0);
        let told = bench.told("abandoned").join("");
        assert!(told.contains("sip_vip is not managed on sip1"), "{told}");
        bench.is_the_fold();
    }
}

#[test]
fn a_host_that_has_nothing_may_go_and_come_back() {
    let mut bench = holding();
    let before = bench.controller.planner().ledger().entry("sip_vip").unwrap().generation;
    // The address is on sip2 now, and sip1 has released it.
    bench.turn(Input::Operator {
        by: "ann".to_owned(),
        command: OperatorCommand::Move { resource: "sip_vip".to_owned(), host: "sip2".to_owned() },
    });
    bench.report("sip1", (1, 2), false, Presence::No);
    bench.report("sip2", (1, 3), true, Presence::Yes);
    assert!(bench.controller.planner().settled("sip_vip"));
    bench.reload(site(RULES, on_sip3), false);
    assert!(bench.told("reload_refused").is_empty(), "{:?}", bench.notices);
    let planner = bench.controller.planner();
    assert_eq!(planner.owner("sip_vip").map(String::as_str), Some("sip2"));
    assert!(planner.ledger().placement("sip_vip", "sip1").is_none());
    assert!(!planner.settled("sip_vip"), "of the third host nothing is known yet");
    bench.report("sip3", (0, 0), false, Presence::No);
    bench.report("sip2", (1, 3), true, Presence::Yes);
    assert!(bench.controller.planner().settled("sip_vip"));
    // After the resource was removed and added again, its numbers continue.
    bench.reload(site("alarm kept { detect event 4563 by host cancel after 10m }", without_vip), true);
    assert_eq!(bench.controller.planner().owner("sip_vip"), None);
    bench.reload(site(RULES, str::to_owned), false);
    bench.report("sip1", (1, 2), false, Presence::No);
    bench.report("sip2", (1, 3), true, Presence::Yes);
    let planner = bench.controller.planner();
    assert_eq!(planner.owner("sip_vip").map(String::as_str), Some("sip2"), "the sole holder is adopted");
    assert!(planner.ledger().entry("sip_vip").unwrap().generation > before);
    bench.is_the_fold();
}

/// A new resource is only observed until its hosts have reported it.
#[test]
fn a_resource_that_comes_is_observed_first() {
    let few = "alarm kept { detect event 4563 by host cancel after 10m }";
    let mut bench = Bench::from(site(few, without_vip).0, State::default());
    bench.pass(minutes(1));
    bench.reload(site(RULES, str::to_owned), false);
    let held = |bench: &Bench| bench.controller.planner().held("sip_vip").unwrap();
    assert!(held(&bench).contains("observing"));
    bench.report("sip2", (0, 0), false, Presence::Yes);
    assert!(held(&bench).contains("observing"), "the other host was not heard yet");
    assert_eq!(bench.told("owner_unknown"), [""; 0]);
    bench.report("sip1", (0, 0), false, Presence::No);
    assert_eq!(bench.controller.planner().owner("sip_vip").map(String::as_str), Some("sip2"), "the sole holder is adopted");
    bench.is_the_fold();
}

/// What a holder was granted counts, and not the configuration: no host takes an address by terms that the holder does not know.
#[test]
fn a_holder_is_bound_by_the_terms_that_it_was_granted() {
    // Agents that do not vote hold the address as under `confirmed`.
    let mut bench = holding();
    let probe = |text: &str| text.replace("takeover: quorum ", "takeover: probe\n    witnesses: [10.10.11.1]\n    #");
    bench.reload(site(RULES, probe), false);
    // sip1 falls silent. It holds the address by `confirmed`, so its silence proves nothing.
    bench.report("sip2", (0, 0), false, Presence::No);
    bench.turn(Input::Operator {
        by: "ann".to_owned(),
        command: OperatorCommand::Move { resource: "sip_vip".to_owned(), host: "sip2".to_owned() },
    });
    for _ in 0..60 {
        bench.now = bench.now + Duration::from_millis(250);
        bench.turn(Input::Timer);
        bench.report("sip2", (0, 0), false, Presence::No);
    }
    assert_eq!(bench.told("release_unconfirmed").len(), 1, "{:?}", bench.notices);
    bench.is_the_fold();
}

#[test]
fn a_host_that_is_gone_from_the_configuration_is_not_missed() {
    let mut bench = holding();
    bench.turn(Input::Operator {
        by: "ann".to_owned(),
        command: OperatorCommand::Move { resource: "sip_vip".to_owned(), host: "sip2".to_owned() },
    });
    bench.report("sip1", (1, 2), false, Presence::No);
    bench.report("sip2", (1, 3), true, Presence::Yes);
    bench.pass(Duration::from_secs(2));
    assert!(bench.controller.alarms().is_lost("sip1"));
    bench.reload(
        site(RULES, |text| {
            on_sip3(text)
                .replace("  sip1: { address: 10.10.11.101, platform: linux, via: agent, aliases: [sip1.example.com] }\n", "")
        }),
        false,
    );
    assert!(!bench.controller.alarms().is_lost("sip1"), "{:?}", bench.notices);
    assert!(bench.told("host_back").join("").contains("sip1 is not in the configuration"));
    bench.is_the_fold();
}

/// On disk: the snapshot contains the accepted site, too, and a check of the journal finds no error.
#[test]
fn the_journal_has_what_was_accepted() {
    let mut bench = Bench::new(RULES);
    bench.reload(site(RULES, str::to_owned), false);
    bench.receive("sip1", "04563");
    let (newest, written) = site(&changed(), str::to_owned);
    bench.reload((newest, written.clone()), false);
    let folder = Folder::new();
    let mut journal = Journal::open(folder.path()).unwrap();
    let mut all = Vec::new();
    while all.len() < 11_000 {
        for record in &bench.records {
            journal.append(record).unwrap();
            all.push(record.clone());
        }
        journal.sync().unwrap();
    }
    journal.wait_for_snapshot();
    drop(journal);
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!((found.snapshots, &found.wrong[..]), (1, &[][..]));
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.state().newest_accepted().unwrap().1, &written);
    assert!(journal.state() == &State::fold(&all));
}
