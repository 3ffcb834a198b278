//! A genuine claim always moves the address in the end, however its runs end. What an administrator withheld stays withheld.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use pointsman::core::base::time::Time;
use pointsman::core::config;
use pointsman::core::control::{Controller, Input, LogEvent, Output};
use pointsman::core::decode::Decoder;
use pointsman::core::diag::{has_errors, render};
use pointsman::core::event::Trust;
use pointsman::core::journal::{Position, Record, State};
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::react::RunId;
use pointsman::core::replay::{Replay, TimelineEntry};
use pointsman::core::script::{Evaluator, Requirement, Verb, check};
use pointsman::core::site::{Current, Sieve, Site};

use crate::support::{read, source};

const FOLLOWS: &str = r#"
const PARAMS = #{ pair: "pair", host: "host" };
fn react(alarm, event, params) { pair(params.pair).vip.move_to(params.host); }
"#;
const FAILS: &str = r#"
const PARAMS = #{ pair: "pair", host: "host" };
fn react(alarm, event, params) { throw "a fault of the script"; }
"#;
const DECIDES: &str = r#"
const PARAMS = #{ pair: "pair", host: "host" };
fn react(alarm, event, params) { log.info("this one stays where it is"); }
"#;
const RUNS_IT: &str = r#"
const PARAMS = #{ host: "host" };
fn react(alarm, event, params) { host(params.host).run("/bin/true", []); log.info("it ran"); notify("noc", "x"); }
"#;

fn site(config: &str, rules: &str, script: &str) -> Arc<Site> {
    let (config, found) = config::load(&source("c", config));
    assert!(!has_errors(&found), "{}", render::human(&found, false));
    let inventory = Arc::new(config.unwrap().inventory);
    let scripts = BTreeMap::from([("follow.rhai".to_owned(), source("follow.rhai", script))]);
    let params = scripts.iter().map(|(n, s)| (n.clone(), check(s, Some(&inventory)).0)).collect();
    let world = Declarations { inventory: Some(&inventory), scripts: Some(&params) };
    let (program, found) = compile(&[source("r", rules)], &world);
    assert!(!has_errors(&found), "{}", render::human(&found, false));
    let evaluator = Evaluator::new(inventory.clone());
    let compiled = scripts.iter().map(|(n, s)| (n.clone(), evaluator.compile(s).unwrap())).collect();
    let matcher = Matcher::new(&program, Some(&inventory));
    Arc::new(Site::new(inventory, Arc::new(program), matcher, compiled, evaluator))
}

fn of_pair(clauses: &str, script: &str) -> Arc<Site> {
    let rules = format!(
        "alarm claims {{ detect event 00-04563 by app {clauses} react follow(pair = pair_of(app), host = host_of(app)) }}"
    );
    site(&read("examples/sip-pair/general.yaml"), &rules, script)
}

fn at(ms: i64) -> Time {
    Time::from_millis(1_800_000_000_000 + ms)
}

/// The hosts of a pair, where sip1 has the address.
struct Lab {
    replay: Replay,
    told: Vec<TimelineEntry>,
}

impl Lab {
    fn new(site: &Arc<Site>) -> Lab {
        let holders = BTreeMap::from([("sip_vip".to_owned(), "sip1".to_owned())]);
        let mut replay = Replay::start(site.clone(), &holders, at(0));
        replay.pass(at(10_000));
        Lab { replay, told: Vec::new() }
    }

    /// A server claims that it is primary or backup, in a record of this age.
    fn says(&mut self, host: &str, primary: bool, trust: Trust, age: Duration) {
        let now = self.replay.now();
        let app = if host == "sip1" { "SIP_SERVER_PRIMARY" } else { "SIP_SERVER_BACKUP" };
        let id = if primary { "00-04563" } else { "00-04561" };
        let stamp = (now - age).to_string();
        let line = format!("{} Standard {host} {app} GCTI-{id} mode activated", stamp.trim_end_matches('Z'));
        self.replay.receive("log", line.as_bytes(), trust, false, None);
        self.told.extend(self.replay.take_entries());
    }

    fn claims(&mut self, host: &str) {
        self.says(host, true, Trust::Address, Duration::ZERO);
        self.pass(1);
    }

    fn pass(&mut self, seconds: u64) {
        let to = self.replay.now() + Duration::from_secs(seconds);
        self.replay.pass(to);
        self.told.extend(self.replay.take_entries());
    }

    fn owner(&self) -> &str {
        self.replay.controller().unwrap().planner().owner("sip_vip").map_or("nobody", String::as_str)
    }

    fn notices(&self, kind: &str) -> usize {
        self.told.iter().filter(|e| e.result.as_deref() == Some(kind)).count()
    }
}

const AT_ONCE: &str = "cancel at once";

#[test]
fn a_claim_whose_script_fails_moves_the_address() {
    let mut lab = Lab::new(&of_pair(AT_ONCE, FAILS));
    lab.claims("sip2");
    assert_eq!((lab.owner(), lab.notices("claim_applied")), ("sip2", 1));
    // Without a failure, no help is necessary.
    let mut lab = Lab::new(&of_pair(AT_ONCE, FOLLOWS));
    lab.claims("sip2");
    assert_eq!((lab.owner(), lab.notices("claim_applied")), ("sip2", 0));
}

#[test]
fn a_script_that_ends_well_has_decided() {
    let mut lab = Lab::new(&of_pair(AT_ONCE, DECIDES));
    lab.claims("sip2");
    lab.pass(60);
    assert_eq!((lab.owner(), lab.notices("claim_applied")), ("sip1", 0));
}

#[test]
fn what_an_administrator_withheld_stays_withheld() {
    for clauses in ["cancel at once mode dry", "cancel at once mode off", "cancel at once mode confirm within 5s"] {
        for age in [0, 90] {
            let mut lab = Lab::new(&of_pair(clauses, FAILS));
            lab.says("sip2", true, Trust::Address, Duration::from_secs(age));
            lab.pass(60);
            assert_eq!((lab.owner(), lab.notices("claim_applied")), ("sip1", 0), "{clauses}, {age} s old");
        }
    }
    // No rule reacts at all.
    let site = site(&read("examples/sip-pair/general.yaml"), "alarm a { detect event 00-04563 by app cancel at once }", FAILS);
    for age in [0, 90] {
        let mut lab = Lab::new(&site);
        lab.says("sip2", true, Trust::Address, Duration::from_secs(age));
        lab.pass(60);
        assert_eq!(lab.owner(), "sip1", "{age} s old");
    }
}

/// A claim is not outdated because its alarm is active already.
#[test]
fn a_claim_that_repeats_while_its_alarm_is_active_moves_the_address() {
    for clauses in ["cancel after 10m", "cancel after 10m while active ignore", "cancel after 10m while active rerun"] {
        let mut lab = Lab::new(&of_pair(clauses, FOLLOWS));
        for host in ["sip2", "sip1", "sip2", "sip1", "sip2"] {
            lab.pass(300);
            lab.claims(host);
            assert_eq!(lab.owner(), host, "{clauses}");
        }
    }
}

/// Delayed reactions belong to the claim that started them: a newer claim stays the newest.
#[test]
fn a_delayed_reaction_does_not_undo_a_newer_claim() {
    let mut lab = Lab::new(&of_pair("cancel after 10m hold 30s", FOLLOWS));
    lab.claims("sip2");
    lab.pass(60);
    assert_eq!(lab.owner(), "sip2", "a delay loses nothing");
    let mut lab = Lab::new(&of_pair("cancel at once limit 1 per 1m by app", FAILS));
    lab.claims("sip1");
    lab.claims("sip1");
    lab.claims("sip2");
    assert_eq!(lab.owner(), "sip2");
    lab.pass(120);
    assert_eq!(lab.owner(), "sip2", "the claim of sip1 that the limit put off is older");
}

#[test]
fn a_late_claim_is_weighed() {
    let late = Duration::from_secs(90);
    let mut lab = Lab::new(&of_pair(AT_ONCE, FOLLOWS));
    lab.claims("sip1");
    lab.pass(300);
    lab.says("sip2", true, Trust::Address, late);
    assert_eq!((lab.owner(), lab.notices("catch_up")), ("sip1", 0), "a newer one may be next in the sender's queue");
    lab.pass(2);
    assert_eq!((lab.owner(), lab.notices("catch_up")), ("sip2", 1), "it was written after that of sip1");
    lab.says("sip1", true, Trust::Address, late * 3);
    lab.pass(60);
    assert_eq!((lab.owner(), lab.notices("catch_up")), ("sip2", 1), "it was written before that of sip2");
    lab.says("sip1", true, Trust::Unverified, late);
    lab.says("sip1", true, Trust::Unverified, Duration::ZERO);
    lab.pass(60);
    assert_eq!(lab.owner(), "sip2", "a forged one is no claim");
    // A late claim from before an operator moved the address does not move it back.
    let mut lab = Lab::new(&of_pair(AT_ONCE, FOLLOWS));
    lab.claims("sip2");
    lab.pass(10);
    lab.says("sip2", false, Trust::Address, Duration::ZERO);
    lab.says("sip1", true, Trust::Address, late);
    lab.pass(2);
    assert_eq!((lab.owner(), lab.notices("claim_outdated")), ("sip2", 1));
    // Of a queue that is emptied, only the newest claim counts.
    let mut lab = Lab::new(&of_pair(AT_ONCE, FOLLOWS));
    lab.claims("sip1");
    lab.pass(300);
    lab.says("sip2", true, Trust::Address, late);
    lab.says("sip2", false, Trust::Address, late - Duration::from_secs(10));
    lab.pass(60);
    assert_eq!((lab.owner(), lab.notices("catch_up")), ("sip1", 0), "the server gave the role up later, in the same queue");
}

/// Forged records between the genuine ones change nothing and delay nothing.
#[test]
fn forged_claims_neither_move_nor_hold_up() {
    let mut lab = Lab::new(&of_pair(AT_ONCE, FOLLOWS));
    for n in 0..50 {
        let (genuine, forged) = if n % 2 == 0 { ("sip2", "sip1") } else { ("sip1", "sip2") };
        lab.says(forged, true, Trust::Unverified, Duration::ZERO);
        lab.says(genuine, true, Trust::Address, Duration::ZERO);
        lab.says(forged, true, Trust::Unverified, Duration::ZERO);
        lab.says(genuine, false, Trust::Unverified, Duration::ZERO);
        lab.pass(700);
        assert_eq!(lab.owner(), genuine);
    }
}

#[test]
fn a_pair_without_a_primary_is_reported() {
    let mut lab = Lab::new(&of_pair(AT_ONCE, FOLLOWS));
    lab.says("sip2", false, Trust::Address, Duration::ZERO);
    lab.pass(60);
    assert_eq!(lab.notices("no_primary"), 0, "sip1, which has the address, counts as primary until it says something else");
    lab.says("sip1", false, Trust::Address, Duration::ZERO);
    lab.pass(5);
    assert_eq!(lab.notices("no_primary"), 0, "a planned switchover takes a moment");
    lab.pass(60);
    assert_eq!(lab.notices("no_primary"), 1);
    let controller = lab.replay.controller().unwrap();
    assert!(controller.blocked_reason("sip_vip").is_some_and(|why| why.contains("is known to be primary")));
    assert!(!controller.is_settled("sip_vip"));
    lab.says("sip2", true, Trust::Unverified, Duration::ZERO);
    assert_eq!(lab.notices("primary_known"), 0);
    lab.claims("sip2");
    assert_eq!((lab.notices("primary_known"), lab.owner()), (1, "sip2"));
}

/// Verbs with effects outside require at least trust `address`.
#[test]
fn every_effect_checks_trust() {
    // Commands run on the controller's own machine only.
    let config = read("examples/sip-pair/general.yaml").replacen("hosts:\n", "hosts:\n  here: { via: local }\n", 1);
    for (trust, clause, runs) in [
        (Trust::Unverified, "", false),
        (Trust::Unverified, "trust unverified", true),
        (Trust::Address, "", true),
        (Trust::Address, "trust authenticated", false),
    ] {
        let rules = format!(
            "alarm a {{ detect event 00-04563 cancel at once react r }} reaction r {{ script \"follow.rhai\" with host = \"here\" {clause} }}"
        );
        let mut lab = Lab::new(&site(&config, &rules, RUNS_IT));
        lab.says("sip1", true, trust, Duration::ZERO);
        let told = format!("{:?}", lab.told);
        assert_eq!((told.contains("it ran"), told.contains("requires")), (runs, !runs), "{trust:?} {clause}: {told}");
    }
}

/// Anything with effects outside requires trust.
#[test]
fn verbs_that_change_something_outside_require_trust() {
    let of = |requires| Verb::ALL.iter().filter(|v| v.decl().requires == requires).map(|v| v.name()).collect::<Vec<_>>();
    let resources = ["vip.up", "vip.down", "vip.move_to", "port.up", "port.down", "port.move_to", "pair.switchover"];
    assert_eq!(of(Requirement::Resource), resources);
    assert_eq!(of(Requirement::Reaction), ["host.run"]);
}

/// A run that was never started cannot be approved: its claim stays withheld.
#[test]
fn a_claim_that_waits_for_an_operator_is_never_carried_out_without() {
    let rules = "alarm a { detect event 00-04563 by app cancel at once mode confirm within 1h react follow(pair = pair_of(app), host = host_of(nobody)) }";
    let mut lab = Lab::new(&site(&read("examples/sip-pair/general.yaml"), rules, FOLLOWS));
    lab.claims("sip2");
    lab.pass(60);
    assert_eq!((lab.owner(), lab.notices("not_started")), ("sip1", 1), "its argument has no value");
    let mut lab = Lab::new(&of_pair("cancel at once mode confirm within 1h", FOLLOWS));
    for host in ["sip2", "sip1", "sip2", "sip2"] {
        lab.claims(host);
    }
    lab.pass(7_200);
    assert_eq!((lab.owner(), lab.notices("claim_applied")), ("sip1", 0));
}

/// A controller without hosts that answer, and without an evaluator until the test asks for one.
struct Many {
    site: Arc<Site>,
    controller: Controller,
    sieve: Sieve,
    journal: Vec<Record>,
    wanted: Vec<RunId>,
    now: Time,
    position: u64,
}

impl Many {
    fn new(pairs: usize) -> Many {
        let mut config = String::from("listen: { syslog: [\"tcp://127.0.0.1:601\"] }\nhosts:\n");
        let (mut apps, mut all, mut resources) = (String::new(), String::new(), String::new());
        for n in 0..pairs {
            for member in ["a", "b"] {
                let last = n * 2 + usize::from(member == "b");
                let _ = writeln!(config, "  {member}{n}: {{ address: 10.1.{}.{}, via: agent }}", last / 250, last % 250 + 1);
                let _ = writeln!(apps, "  App{member}{n}: {{ type: T, host: {member}{n} }}");
            }
            let _ = writeln!(all, "  p{n}: {{ primary: Appa{n}, backup: Appb{n}, standby: hot, resource: v{n} }}");
            let _ = writeln!(
                resources,
                "  v{n}: {{ kind: address, address: 10.9.{}.{}/24, hosts: {{ a{n}: eth0, b{n}: eth0 }}, takeover: confirmed }}",
                n / 250,
                n % 250 + 1
            );
        }
        let config = format!("{config}applications:\n{apps}pairs:\n{all}resources:\n{resources}channels: {{ noc: log }}\n");
        let rules =
            "alarm claims { detect event 00-04563 by app cancel at once react follow(pair = pair_of(app), host = host_of(app)) }";
        let site = site(&config, rules, FOLLOWS);
        let sieve = Sieve::new(&Current::new(0, site.clone()), Decoder::datagrams());
        let controller = Self::start(&site, State::default(), at(0));
        Many { site, controller, sieve, journal: Vec::new(), wanted: Vec::new(), now: at(0), position: 0 }
    }

    fn start(site: &Site, state: State, now: Time) -> Controller {
        Controller::start(1, site.program.clone(), site.inventory.clone(), state, now, &mut Vec::new())
    }

    fn claims(&mut self, member: &str, n: usize) {
        self.position += 1;
        let stamp = self.now.to_string();
        let line = format!("{} Standard {member}{n} App{member}{n} GCTI-00-04563 mode activated", stamp.trim_end_matches('Z'));
        let (event, matched) = self.sieve.sift(line.as_bytes(), self.now, |_, event| event.trust = Trust::Address);
        let heard = LogEvent {
            source: "s".to_owned(),
            position: Position { at: self.position, ..Position::default() },
            event: event.into_owned(),
            hits: matched.unwrap().hits,
            ..LogEvent::default()
        };
        self.tell(Input::Event(Box::new(heard)));
    }

    fn tell(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.controller.turn(self.now, input, &mut outputs);
        for output in outputs {
            match output {
                Output::Record(record) => self.journal.push(record),
                Output::Evaluate(run) => self.wanted.push(run),
                _ => {}
            }
        }
    }

    fn evaluate(&mut self, mut answers: impl FnMut(RunId) -> bool) {
        while let Some(run) = self.wanted.pop() {
            let Some(state) = self.controller.runs().run(run) else { continue };
            let next = if answers(run) {
                self.site.next(state)
            } else {
                pointsman::core::script::Next::Failed("its evaluation was ended".to_owned())
            };
            self.tell(Input::Evaluated { run, next });
        }
    }

    fn moved(&self, member: &str, pairs: usize) -> usize {
        let planner = self.controller.planner();
        (0..pairs).filter(|n| planner.owner(&format!("v{n}")) == Some(&format!("{member}{n}"))).count()
    }
}

/// However many claims arrive at once, and however many evaluations fail.
#[test]
fn two_thousand_claims_at_once_all_move() {
    for (pairs, failing) in [(2_000, 3), (100, 1), (100, u64::MAX)] {
        let mut many = Many::new(pairs);
        for n in 0..pairs {
            many.claims("b", n);
        }
        many.evaluate(|run| !run.is_multiple_of(failing));
        assert_eq!(many.moved("b", pairs), pairs, "every {failing}th run fails");
        assert_eq!(many.controller.alarms().open_claims().count(), 0);
    }
}

/// The controller ends with unfinished runs, and a later start does not know them: their claims are still pending.
#[test]
fn claims_outlive_their_runs() {
    const PAIRS: usize = 20;
    let mut many = Many::new(PAIRS);
    for n in 0..PAIRS {
        many.claims("b", n);
    }
    assert_eq!(many.moved("b", PAIRS), 0);
    let state = State::fold(&many.journal);
    assert_eq!(&state.alarms, many.controller.alarms(), "the state is the fold of the records");
    // The runs are forgotten.
    let state = State { runs: pointsman::core::react::State::default(), ..state };
    many.controller = Many::start(&many.site, state, at(500));
    assert_eq!(many.moved("b", PAIRS), PAIRS);
}
