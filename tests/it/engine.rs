//! The engine: every transition of an alarm's instance, and late events.

use std::sync::Arc;
use std::time::Duration;

use pointsman::core::base::limits::{COUNTED_KEYS, INSTANCES_PER_ALARM, LATE_AFTER, MEMORY_PARTIAL_MATCHES, OFFSETS};
use pointsman::core::base::time::Time;
use pointsman::core::engine::{Cause, Engine, Input, Key, Output, Record, State};
use pointsman::core::event::{Event, Stale, Trust};
use pointsman::core::inventory::{Inventory, Memory};
use pointsman::core::lang::program::{AtomId, Hit, Program};
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::notice::Kind;

use crate::support::{expect, inventory, source};

fn at(ms: i64) -> Time {
    Time::from_millis(1_800_000_000_000 + ms)
}

/// Compiles one alarm from these clauses. `A` detects, and `Z` cancels if `cancel when` is among them.
fn program(clauses: &str) -> Arc<Program> {
    let text = format!(
        "alarm a {{ detect event \"A\" {clauses} react r(x = \"1\") on cancel react s(x = \"1\") }}\nreaction r {{ }} reaction s {{ }}\n"
    );
    let (program, found) = compile(&[source("a.alarm", &text)], &Declarations::default());
    assert!(!pointsman::core::diag::has_errors(&found), "{}", pointsman::core::diag::render::human(&found, false));
    Arc::new(program)
}

/// The things that can happen to an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Happening {
    Detect,
    DetectLate,
    DetectOld,
    Cancel,
    CancelLate,
    Both,
    EarlyTimer,
    Timer,
    Clear,
    Removed,
}

const ALL: [Happening; 10] = [
    Happening::Detect,
    Happening::DetectLate,
    Happening::DetectOld,
    Happening::Cancel,
    Happening::CancelLate,
    Happening::Both,
    Happening::EarlyTimer,
    Happening::Timer,
    Happening::Clear,
    Happening::Removed,
];

fn arrived(program: &Program, sequence: u64, now: Time, detect: bool, cancel: bool, backlog: bool, age: Duration) -> Input {
    let mut hits = Vec::new();
    for (atom, n) in program.atoms.iter().zip(0..) {
        let wanted = if atom.name.ends_with("/cancel") { cancel } else { detect };
        if wanted {
            hits.push(Hit { atom: AtomId(n), captures: Vec::new() });
        }
    }
    let event = Event { host: "h".into(), app: "x".into(), at: Some(now - age), ..Event::default() };
    let late = (age > LATE_AFTER).then(|| Stale::Earlier("it came late".to_owned()));
    Input::Arrived { sequence, source: "log".to_owned(), event: Box::new(event), hits, backlog, arrived: now, late }
}

/// Applies one of them at `now` and describes the results.
fn happen(engine: &mut Engine, program: &Arc<Program>, sequence: u64, now: Time, what: Happening) -> String {
    let mut out = Vec::new();
    let arrive = |detect, cancel, backlog| arrived(program, sequence, now, detect, cancel, backlog, Duration::ZERO);
    match what {
        Happening::Detect => engine.turn(now, arrive(true, false, false), &mut out),
        Happening::DetectLate => engine.turn(now, arrive(true, false, true), &mut out),
        Happening::DetectOld => {
            engine.turn(now, arrived(program, sequence, now, true, false, false, Duration::from_secs(20)), &mut out)
        }
        Happening::Cancel => engine.turn(now, arrive(false, true, false), &mut out),
        Happening::CancelLate => engine.turn(now, arrive(false, true, true), &mut out),
        Happening::Both => engine.turn(now, arrive(true, true, false), &mut out),
        Happening::EarlyTimer | Happening::Timer => engine.turn(now, Input::Timer { sequence }, &mut out),
        Happening::Clear => {
            engine.turn(now, Input::Clear { sequence, alarm: "a".to_owned(), key: None, by: "an operator".to_owned() }, &mut out);
        }
        Happening::Removed => {
            let mut without = Engine::start(Arc::new(Program::default()), Arc::new(Inventory::default()), engine.state().clone());
            without.begin(now, sequence, &mut out);
            *engine = without;
        }
    }
    let told = out.iter().filter_map(|output| match output {
        Output::Record(Record::Raised { .. }) => Some("raised".to_owned()),
        Output::Record(Record::Repeated { .. }) => Some("repeated".to_owned()),
        Output::Record(Record::Cleared { cause, .. }) => Some(format!("cleared ({cause})")),
        Output::Record(_) => None,
        Output::StartReactions(start) => Some(match &start.cleared {
            None => "REACT".to_owned(),
            Some(cause) => format!("ON CANCEL ({cause})"),
        }),
        Output::ClaimOpened(_) => Some("claim open".to_owned()),
        Output::CatchUp { .. } => Some("catch up".to_owned()),
        Output::Notice(notice) => Some(format!("notice {}", notice.kind)),
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "-".to_owned() } else { told.join(", ") }
}

fn stands(engine: &Engine, since: Time) -> String {
    match engine.state().instance("a", &Key::default()) {
        None => "none".to_owned(),
        Some(i) => {
            let due = i.due.map_or("never".to_owned(), |d| format!("{} ms", d.since(since).as_millis()));
            format!("active, count {}, due {due}", i.count)
        }
    }
}

/// Every kind of alarm, in every state, with everything that can happen to it: 10 happenings, 26 kinds, 2 states.
#[test]
fn the_transition_table() {
    let mut table = String::from(
        "# kind | before | happening (3 s after the raise; the timer at its deadline) | comes of it | after (due counted from the raise)\n",
    );
    for cancel in [
        "cancel by hand",
        "cancel after 10s",
        "cancel after 10s since raise",
        "cancel when event \"Z\"",
        "cancel after 10s cancel when event \"Z\"",
        "cancel at once",
    ] {
        for active in ["refresh", "ignore", "rerun"] {
            for more in ["", " mode dry", " mode off"] {
                // Differences that only affect the reactions are shown for one kind.
                if (!more.is_empty() && cancel != "cancel after 10s") || (cancel == "cancel at once" && active != "refresh") {
                    continue;
                }
                let clauses = format!("{cancel} while active {active}{more}");
                let program = program(&clauses);
                for begun in [false, true] {
                    for what in ALL {
                        let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
                        if begun {
                            happen(&mut engine, &program, 1, at(0), Happening::Detect);
                        }
                        let before = stands(&engine, at(0));
                        let now = match what {
                            Happening::Timer => engine.next_deadline().unwrap_or(at(3_000)),
                            _ => at(3_000),
                        };
                        let came = happen(&mut engine, &program, 2, now, what);
                        let after = stands(&engine, at(0));
                        let name = clauses.trim_start_matches("cancel ");
                        table.push_str(&format!(
                            "{name:<52} | {before:<32} | {:<10} | {came:<62} | {after}\n",
                            format!("{what:?}")
                        ));
                        // The index of deadlines agrees with the state.
                        let due = engine.state().active().filter_map(|(_, _, i)| i.due).min();
                        assert_eq!(engine.next_deadline(), due, "{clauses} {what:?}");
                        if matches!(what, Happening::DetectLate | Happening::DetectOld | Happening::CancelLate) {
                            assert!(
                                !came.contains("REACT") && !came.contains("ON CANCEL"),
                                "late events start nothing: {clauses} {what:?} {came}"
                            );
                        }
                    }
                }
            }
        }
    }
    expect("tests/engine/transitions.expected", &table);
}

/// A state that was rebuilt from its records continues exactly as the one that made them.
#[test]
fn the_state_is_the_fold_of_its_records() {
    let program = program("cancel after 10s cancel when event \"Z\" while active rerun");
    let mut engine = Engine::start(program.clone(), Arc::new(inventory()), State::default());
    let mut folded = State::default();
    let mut rng = pointsman::core::sim::Rng::new(1);
    let mut now = at(0);
    for sequence in 1..2_000 {
        now = now + Duration::from_millis(rng.below(4_000));
        let mut out = Vec::new();
        let input = match rng.below(5) {
            0 => Input::Timer { sequence },
            1 => Input::Clear { sequence, alarm: "a".to_owned(), key: None, by: "x".to_owned() },
            n => arrived(&program, sequence, now, n != 2, n != 3, rng.percent(20), Duration::from_secs(rng.below(4))),
        };
        engine.turn(now, input, &mut out);
        for output in &out {
            if let Output::Record(record) = output {
                let text = serde_json::to_string(record).unwrap();
                folded.apply(&serde_json::from_str(&text).unwrap());
            }
        }
        assert_eq!(&folded, engine.state(), "input {sequence}");
        if rng.percent(5) {
            engine = Engine::start(program.clone(), Arc::new(inventory()), folded.clone());
        }
    }
}

/// One alarm cannot have instances for the addresses of a whole network. The limit is reported once, including restarts.
#[test]
fn too_many_instances_are_dropped_and_reported_once() {
    let (program, _) =
        compile(&[source("a.alarm", "alarm a { detect event \"A\" by host cancel by hand }")], &Declarations::default());
    let program = Arc::new(program);
    let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
    let mut notices = 0;
    for n in 0..INSTANCES_PER_ALARM as u64 + 50 {
        let mut out = Vec::new();
        let event = Event { host: format!("h{n}").into(), ..Event::default() };
        let hits = vec![Hit { atom: AtomId(0), captures: Vec::new() }];
        engine.turn(
            at(0),
            Input::Arrived {
                sequence: n,
                source: "s".to_owned(),
                event: Box::new(event),
                hits,
                backlog: false,
                arrived: at(0),
                late: None,
            },
            &mut out,
        );
        notices += out.iter().filter(|o| matches!(o, Output::Notice(n) if n.kind == Kind::Limit)).count();
    }
    assert_eq!((engine.state().active().count(), notices), (INSTANCES_PER_ALARM, 1));
}

/// Counts for invented keys, and what a limit remembers of them, are bounded, and this is reported once. A key that was forgotten
/// while it was pending leaves no deadline.
#[test]
fn what_is_kept_of_keys_is_bounded() {
    let rules = "alarm counts { detect 3 of event \"A\" by host within 1h cancel by hand }
        alarm limits { detect event \"A\" by host cancel at once limit 1 per 1h react r(x = \"1\") }
        reaction r { }";
    let (program, _) = compile(&[source("a.alarm", rules)], &Declarations::default());
    let program = Arc::new(program);
    let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
    let mut told = Vec::new();
    for n in 0..3 * COUNTED_KEYS as u64 {
        let mut out = Vec::new();
        for twice in 0..2 {
            let mut input = arrived(&program, 2 * n + twice, at(0), true, false, false, Duration::ZERO);
            if let Input::Arrived { event, .. } = &mut input {
                event.host = format!("h{n}").into();
                event.at = None;
            }
            engine.turn(at(0) + Duration::from_millis(n), input, &mut out);
        }
        told.extend(out.into_iter().filter_map(|o| match o {
            Output::Notice(n) if n.kind == Kind::Limit => n.alarm,
            _ => None,
        }));
    }
    assert_eq!(told, ["counts", "limits"]);
    let kept = format!("{:?}", engine.state());
    assert!(kept.matches("Starts {").count() <= COUNTED_KEYS && kept.matches("Note {").count() <= 2 * COUNTED_KEYS);
    engine.turn(at(0) + Duration::from_secs(7_200), Input::Timer { sequence: u64::MAX }, &mut Vec::new());
    assert!(engine.next_deadline().is_none_or(|due| due > at(0) + Duration::from_secs(7_200)));
}

/// Windows of measured events count bytes: keys that less trusted senders invent leave room for those of others.
#[test]
fn measures_of_many_keys_are_bounded() {
    let rules = "alarm often { detect count of event \"A\" by host over 1h >= 1000000 cancel by hand }";
    let (program, _) = compile(&[source("a.alarm", rules)], &Declarations::default());
    let program = Arc::new(program);
    let memory = 8 * 1024 * 1024;
    let inventory = Inventory { memory: Memory(memory), ..Inventory::default() };
    let mut engine = Engine::start(program.clone(), Arc::new(inventory), State::default());
    let (mut sequence, mut told) = (0, 0);
    let mut say = |host: String, trust: Trust| {
        let mut out = Vec::new();
        sequence += 1;
        let mut input = arrived(&program, sequence, at(0), true, false, false, Duration::ZERO);
        if let Input::Arrived { event, .. } = &mut input {
            (event.host, event.at, event.trust) = (host.into(), None, trust);
        }
        engine.turn(at(0) + Duration::from_millis(sequence), input, &mut out);
        told += out.iter().filter(|o| matches!(o, Output::Notice(n) if n.kind == Kind::Limit)).count();
        (format!("{:?}", engine.state()).matches("Measured {").count(), told)
    };
    let forged = (0..1_000).map(|n| say(format!("h{n}"), Trust::Unverified)).last().unwrap();
    // Each key may come to have sixty buckets of fifty bytes.
    assert!((1..=memory / 100 * MEMORY_PARTIAL_MATCHES / 4 / 2_500).contains(&forged.0) && forged.1 == 1, "{forged:?}");
    assert_eq!(say("h0".to_owned(), Trust::Unverified).0, forged.0);
    let genuine = (0..50).map(|n| say(format!("g{n}"), Trust::Address)).last().unwrap();
    assert_eq!(genuine, (forged.0 + 50, 1), "and a better trusted sender still has room");
}

/// Invented host names in records cannot use unlimited memory.
#[test]
fn offsets_of_many_hosts_are_bounded() {
    let program = program("cancel at once");
    let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
    for n in 0..3 * OFFSETS as u64 {
        let mut out = Vec::new();
        let (source, host, trust) = ("log".to_owned(), format!("h{n}"), Trust::Local);
        let input = Input::Offset { sequence: n, source, host, trust, usual: 5_000_000, zone: 0 };
        engine.turn(at(0) + Duration::from_millis(n), input, &mut out);
    }
    assert!(engine.state().offsets_of("log").iter().any(|(_, host, _)| *host == format!("h{}", 3 * OFFSETS - 1)));
    assert!(format!("{:?}", engine.state()).matches("Offsets").count() <= OFFSETS);
}

/// An event without a field of the key is ignored, and this is reported once.
#[test]
fn an_event_without_its_key_is_reported_once() {
    let (program, _) =
        compile(&[source("a.alarm", "alarm a { detect event \"A\" by user cancel by hand }")], &Declarations::default());
    let program = Arc::new(program);
    let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
    let mut told = Vec::new();
    for n in 0..5 {
        let mut out = Vec::new();
        engine.turn(at(0), arrived(&program, n, at(0), true, false, false, Duration::ZERO), &mut out);
        told.extend(out.into_iter().filter_map(|o| match o {
            Output::Notice(n) => Some(n.kind.name()),
            _ => None,
        }));
    }
    assert_eq!(told, ["no_key"]);
    assert_eq!(engine.state().active().count(), 0);
}

/// T8: the cancel event of another application clears nothing.
#[test]
fn a_cancel_of_another_key_clears_nothing() {
    let text = "alarm a { detect event \"A\" by app cancel when event \"Z\" }";
    let (program, _) = compile(&[source("a.alarm", text)], &Declarations::default());
    let program = Arc::new(program);
    let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
    let mut say = |sequence, app: &'static str, detect: bool| {
        let mut out = Vec::new();
        let mut input = arrived(&program, sequence, at(0), detect, !detect, false, Duration::ZERO);
        if let Input::Arrived { event, .. } = &mut input {
            event.app = app.into();
        }
        engine.turn(at(0), input, &mut out);
        engine.state().active().map(|(_, key, _)| key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(say(1, "x", true), ["x"]);
    assert_eq!(say(2, "y", true), ["x", "y"]);
    assert_eq!(say(3, "z", false), ["x", "y"]);
    assert_eq!(say(4, "x", false), ["y"]);
}

/// Reactions receive the cause.
#[test]
fn on_cancel_says_why() {
    let program = program("cancel after 10s");
    let mut engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
    happen(&mut engine, &program, 1, at(0), Happening::Detect);
    let mut out = Vec::new();
    engine.turn(at(60_000), Input::Timer { sequence: 2 }, &mut out);
    let Some(Output::StartReactions(start)) = out.last() else { panic!("{out:?}") };
    assert_eq!(
        (start.cleared.as_ref(), start.event.get("cause").map(ToString::to_string)),
        (Some(&Cause::After), Some("after".to_owned()))
    );
    let Some(Output::Record(Record::Cleared { at: when, .. })) = out.first() else { panic!("{out:?}") };
    assert_eq!(*when, at(10_000), "at its own time, however late the timer is told");
}

/// Joined states are active for exactly those keys for which they are true, through changes, restarts and reloads.
#[test]
fn joined_states_are_what_is_so() {
    let rules = "alarm both { detect host lost and app stopped by host }
        alarm either { detect host lost or not app stopped by app }
        alarm neither { detect not host lost and not app stopped by host }
        alarm pairs { detect app stopped on all of pair and not host lost on any of pair by pair }
        alarm above { detect alarm both active or alarm pairs active }
        alarm named { detect host sip1 lost and not app stopped by app }";
    let inventory = Arc::new(inventory());
    let world = Declarations { inventory: Some(&inventory), scripts: None };
    let (program, found) = compile(&[source("a.alarm", rules)], &world);
    assert_eq!(found, []);
    let program = Arc::new(program);
    let mut out = Vec::new();
    let mut engine = Engine::start(program.clone(), inventory.clone(), State::default());
    engine.begin(at(0), 0, &mut out);
    let mut rng = pointsman::core::sim::Rng::new(5);
    let hosts: Vec<&String> = inventory.hosts.keys().collect();
    let apps: Vec<&String> = inventory.applications.keys().collect();
    let mut folded = State::default();
    for sequence in 1..2_000u64 {
        let now = at(sequence as i64);
        let flag = rng.percent(50);
        let input = match rng.below(10) {
            0..4 => Input::Lost { sequence, host: hosts[rng.index(hosts.len())].clone(), lost: flag },
            4..8 => Input::App { sequence, app: apps[rng.index(apps.len())].clone(), stopped: flag, text: String::new() },
            8 => Input::Clear { sequence, alarm: "either".to_owned(), key: None, by: "somebody".to_owned() },
            _ => Input::Timer { sequence },
        };
        let cleared = matches!(input, Input::Clear { .. });
        engine.turn(now, input, &mut out);
        if cleared || rng.percent(3) {
            // States that are true without any event are evaluated at each start and each reload.
            engine = Engine::start(program.clone(), inventory.clone(), engine.state().clone());
            engine.begin(now, sequence, &mut out);
        } else if rng.percent(3) {
            engine.reload(now, sequence, &Default::default(), program.clone(), inventory.clone(), &mut out);
        }
        for output in out.drain(..) {
            if let Output::Record(record) = output {
                folded.apply(&record);
            }
        }
        let state = engine.state();
        assert_eq!(&folded, state);
        let host_of = |app: &str| inventory.applications[app].host.as_str();
        let stopped_on = |host: &str| apps.iter().any(|app| host_of(app) == host && state.is_stopped(app));
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        for host in &hosts {
            let (lost, stopped) = (state.is_lost(host), stopped_on(host));
            wanted.extend((lost && stopped).then_some(("both", host.as_str())));
            wanted.extend((!lost && !stopped).then_some(("neither", host.as_str())));
        }
        for app in &apps {
            wanted.extend((state.is_lost(host_of(app)) || !state.is_stopped(app)).then_some(("either", app.as_str())));
            wanted.extend((state.is_lost("sip1") && !state.is_stopped(app)).then_some(("named", app.as_str())));
        }
        for (name, pair) in &inventory.pairs {
            let of = [&pair.primary, &pair.backup];
            let so = of.iter().all(|app| state.is_stopped(app)) && !of.iter().any(|app| state.is_lost(host_of(app)));
            wanted.extend(so.then_some(("pairs", name.as_str())));
        }
        let above = wanted.iter().any(|(alarm, _)| ["both", "pairs"].contains(alarm));
        wanted.extend(above.then_some(("above", "")));
        wanted.sort_unstable();
        let active: Vec<(String, String)> = state.active().map(|(alarm, key, _)| (alarm.to_owned(), key.to_string())).collect();
        assert_eq!(
            active,
            wanted.iter().map(|(a, k)| ((*a).to_owned(), (*k).to_owned())).collect::<Vec<_>>(),
            "input {sequence}"
        );
    }
    // A state is not true for a host that is not in the inventory any more.
    let neither = |engine: &Engine| engine.state().active_of("neither").map(|(key, _)| key.to_string()).collect::<Vec<_>>();
    for (sequence, host) in (3_000..).zip(&hosts) {
        engine.turn(at(3_000), Input::Lost { sequence, host: (*host).clone(), lost: false }, &mut out);
    }
    for (sequence, app) in (4_000..).zip(&apps) {
        engine.turn(at(4_000), Input::App { sequence, app: (*app).clone(), stopped: false, text: String::new() }, &mut out);
    }
    assert_eq!(neither(&engine), ["sip1", "sip2"]);
    let mut fewer = (*inventory).clone();
    fewer.hosts.remove("sip2");
    let (program, _) = compile(&[source("a.alarm", rules)], &Declarations { inventory: Some(&fewer), scripts: None });
    engine.reload(at(5_000), 5_000, &Default::default(), Arc::new(program), Arc::new(fewer), &mut out);
    assert_eq!(neither(&engine), ["sip1"]);
}
