//! Runs of reactions: steps, results, retries, replacement, approval, resumption.

use std::sync::Arc;
use std::time::Duration;

use pointsman::core::base::limits::{CLAIM_RUNS, DRY_RUNS, MEMORY, MEMORY_LEAST, MEMORY_RUNS, RUN_BYTES, RUNS, share};
use pointsman::core::base::time::Time;
use pointsman::core::engine::{Key, StartReactions};
use pointsman::core::event::{Trust, Value};
use pointsman::core::inventory::{Inventory, Memory};
use pointsman::core::lang::program::{Category, Program};
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::react::{Input, Output, Record, RunId, Runs, State};
use pointsman::core::script::{Next, Step, Verb};

use crate::support::source;

fn at(ms: u64) -> Time {
    Time::from_millis(1_800_000_000_000) + Duration::from_millis(ms)
}

const RULES: &str = r#"
alarm plain   { detect event "A" cancel at once react r(x = "1") }
alarm chained { detect event "A" cancel at once react r(x = "1") then s(x = "2"), t(x = "3") }
alarm dry     { detect event "A" cancel at once mode dry react r(x = "1") }
alarm asks    { detect event "A" cancel at once mode confirm within 30s react r(x = "1") }
alarm wants   { detect event "A" cancel at once react r(x = user) }
reaction r { script "r.rhai" timeout 5s retry 2 times every 1s }
reaction s { script "s.rhai" }
reaction t { script "t.rhai" }
"#;

struct Bench {
    program: Arc<Program>,
    runs: Runs,
    sequence: u64,
    records: Vec<Record>,
}

impl Bench {
    fn new() -> Bench {
        let (program, found) = compile(&[source("r", RULES)], &Declarations::default());
        assert!(!pointsman::core::diag::has_errors(&found), "{}", pointsman::core::diag::render::human(&found, false));
        let program = Arc::new(program);
        let runs = Runs::start(program.clone(), Arc::new(Inventory::default()), State::default(), &mut Vec::new());
        Bench { program, runs, sequence: 0, records: Vec::new() }
    }

    /// Passes an input to the runs. Outputs that are not records are returned as texts.
    fn tell(&mut self, now: Time, input: Input) -> Vec<String> {
        let mut out = Vec::new();
        self.runs.turn(now, input, &mut out);
        self.told(out)
    }

    fn told(&mut self, out: Vec<Output>) -> Vec<String> {
        let mut words = Vec::new();
        for output in out {
            match output {
                Output::Record(record) => self.records.push(record),
                Output::Evaluate(run) => words.push(format!("evaluate {run}")),
                Output::Do { run, attempt, step } => words.push(format!("do {run} {} try {attempt}", step.verb)),
                Output::ClaimRun { sequence, well } => {
                    words.push(format!("claim {sequence} ended {}", if well { "well" } else { "badly" }))
                }
                Output::Notice(notice) => words.push(format!("notice {}", notice.kind)),
            }
        }
        words
    }

    fn start(&mut self, now: Time, alarm: &str, key: &str) -> Vec<String> {
        self.start_of(now, alarm, key, Trust::Authenticated, false)
    }

    /// The same for an event with this trust, which may be the claim of a member of a pair.
    fn start_of(&mut self, now: Time, alarm: &str, key: &str, trust: Trust, claim: bool) -> Vec<String> {
        self.sequence += 1;
        let alarm = self.program.alarms.iter().find(|a| a.name == alarm).unwrap();
        let start = StartReactions {
            alarm: alarm.name.clone(),
            key: Key::of([key.to_owned()]),
            category: Category::Major,
            cleared: None,
            chains: alarm.react.clone(),
            mode: alarm.mode,
            summary: String::new(),
            count: 1,
            raised_at: now,
            lines: Vec::new(),
            sequence: self.sequence,
            claim,
            event: Arc::new([("trust".to_owned(), Value::from(trust.name()))].into()),
        };
        self.tell(now, Input::StartReactions(Box::new(start)))
    }

    fn wants(&mut self, now: Time, run: RunId, n: u32, verb: &str) -> Vec<String> {
        let step = Step { n, verb: Verb::parse(verb).unwrap(), args: vec!["1s".into()], line: 1 };
        self.tell(now, Input::Evaluated { run, next: Next::Step(step) })
    }

    fn ends(&mut self, now: Time, run: RunId) -> Vec<String> {
        self.tell(now, Input::Evaluated { run, next: Next::Finished(Value::Unit) })
    }

    fn fails(&mut self, now: Time, run: RunId) -> Vec<String> {
        self.tell(now, Input::Evaluated { run, next: Next::Failed("no".to_owned()) })
    }

    fn answer(&mut self, now: Time, run: RunId, n: u32, attempt: u32, good: bool) -> Vec<String> {
        let result = if good { Ok(Value::Unit) } else { Err("broken".to_owned()) };
        self.tell(now, Input::Answered { run, n, attempt, result })
    }

    /// As after a crash: only the records are left.
    fn restart(&mut self) -> Vec<String> {
        let mut state = State::default();
        for record in &self.records {
            state.apply(&serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap());
        }
        assert_eq!(&state, self.runs.state());
        let mut out = Vec::new();
        self.runs = Runs::start(self.program.clone(), Arc::new(Inventory::default()), state, &mut out);
        self.told(out)
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_failed_step_is_tried_again_as_often_as_said() {
    let mut b = Bench::new();
    assert_eq!(b.start(at(0), "plain", ""), ["evaluate 1"]);
    assert_eq!(b.wants(at(0), 1, 0, "host.run"), ["do 1 host.run try 1"]);
    assert_eq!(b.answer(at(10), 1, 0, 1, false), ["notice retry"]);
    assert_eq!(b.runs.next_deadline(), Some(at(1_010)));
    assert_eq!(b.tell(at(1_010), Input::Timer), ["do 1 host.run try 2"]);
    assert_eq!(b.answer(at(1_020), 1, 0, 1, true), NOTHING, "an answer to the first try comes late");
    assert_eq!(b.tell(at(6_010), Input::Timer), ["notice retry"], "its time is over");
    assert_eq!(b.tell(at(7_010), Input::Timer), ["do 1 host.run try 3"]);
    assert_eq!(b.answer(at(7_020), 1, 0, 3, false), ["evaluate 1"], "the script is told");
    assert_eq!(b.fails(at(7_020), 1), ["notice run_failed"]);
    assert_eq!(b.runs.state().run(1), None);
}

/// A refused step would be refused again.
#[test]
fn a_refused_step_is_not_tried_again() {
    let mut b = Bench::new();
    b.start(at(0), "plain", "");
    b.wants(at(0), 1, 0, "vip.up");
    let refused = |n, attempt| Input::Refused { run: 1, n, attempt, why: "no".to_owned() };
    assert_eq!(b.tell(at(1), refused(7, 1)), NOTHING, "another step");
    assert_eq!(b.tell(at(1), refused(0, 1)), ["evaluate 1"]);
    assert_eq!(b.runs.state().run(1).unwrap().history[0].result, Err("no".to_owned()));
}

#[test]
fn of_those_that_wait_only_the_newest_runs() {
    let mut b = Bench::new();
    assert_eq!(b.start(at(0), "plain", "k"), ["evaluate 1"]);
    assert_eq!(b.start(at(1), "plain", "k"), NOTHING);
    assert_eq!(b.start(at(2), "plain", "k"), NOTHING);
    assert_eq!(b.start(at(3), "plain", "another"), ["evaluate 4"], "another key waits for nobody");
    assert_eq!(b.ends(at(4), 1), ["evaluate 3"], "2 was replaced");
    assert_eq!(b.runs.state().run(2), None);
}

#[test]
fn a_chain_goes_on_after_what_went_well() {
    let mut b = Bench::new();
    assert_eq!(b.start(at(0), "chained", ""), ["evaluate 1", "evaluate 2"], "r and t start together");
    assert_eq!(b.ends(at(1), 1), ["evaluate 3"], "then s");
    let mut b = Bench::new();
    b.start(at(0), "chained", "");
    assert_eq!(b.fails(at(1), 1), ["notice run_failed", "notice not_started"]);
}

#[test]
fn an_operator_agrees_or_the_time_is_over() {
    let mut b = Bench::new();
    assert_eq!(b.start(at(0), "asks", ""), ["notice confirm"]);
    assert_eq!(b.restart(), NOTHING);
    assert_eq!(b.tell(at(10), Input::Approve { run: 1 }), ["evaluate 1"]);
    let mut b = Bench::new();
    b.start(at(0), "asks", "");
    assert_eq!(b.runs.next_deadline(), Some(at(30_000)));
    assert_eq!(b.tell(at(30_000), Input::Timer), NOTHING);
    assert_eq!(b.runs.state().run(1), None);
    assert_eq!(b.tell(at(30_001), Input::Approve { run: 1 }), NOTHING, "too late");
    assert_eq!(b.start(at(0), "dry", ""), ["notice dry", "evaluate 2"], "what it would do is found out");
}

/// Two runs of one reaction that read, change and write a value lose nothing, also over a restart.
#[test]
fn what_a_reaction_keeps_is_changed_by_one_run_after_another() {
    let keep = |b: &mut Bench, run, n, verb: &str, args: Vec<Value<'static>>| {
        let step = Step { n, verb: Verb::parse(verb).unwrap(), args, line: 1 };
        b.tell(at(1), Input::Evaluated { run, next: Next::Step(step) })
    };
    let key = || Value::from("n");
    let mut b = Bench::new();
    assert_eq!(
        (b.start(at(0), "plain", "a"), b.start(at(0), "plain", "b")),
        (vec!["evaluate 1".into()], vec!["evaluate 2".into()])
    );
    assert_eq!(keep(&mut b, 1, 0, "state.get", vec![key()]), ["evaluate 1"]);
    assert_eq!(keep(&mut b, 2, 0, "state.get", vec![key()]), NOTHING, "it waits for run 1");
    assert_eq!(b.runs.next_deadline(), None, "and has no time-out");
    assert_eq!(b.restart(), ["evaluate 1"], "a restart changes nothing about that");
    assert_eq!(keep(&mut b, 1, 1, "state.set", vec![key(), Value::Int(1)]), ["evaluate 1"]);
    assert_eq!(b.ends(at(2), 1), ["evaluate 2"]);
    assert_eq!(b.runs.state().run(2).unwrap().history[0].result, Ok(Value::Int(1)));
    // A run that does something else releases the state.
    b.start(at(3), "plain", "c");
    assert_eq!(keep(&mut b, 3, 0, "state.add", vec![key(), Value::Int(5)]), NOTHING);
    assert_eq!(keep(&mut b, 2, 1, "notify", vec![key(), key()]), ["evaluate 3", "do 2 notify try 1"]);
    assert_eq!(b.runs.state().run(3).unwrap().history[0].result, Ok(Value::Int(6)));
    // Lists are bounded: the oldest entries are removed.
    for n in 0..=200 {
        keep(&mut b, 3, n + 1, "state.append", vec![Value::from("l"), Value::Int(i64::from(n))]);
    }
    assert_eq!(keep(&mut b, 3, 202, "state.get", vec![Value::from("l")]), ["evaluate 3"]);
    let Ok(Value::List(list)) = &b.runs.state().run(3).unwrap().history[202].result else { panic!("no list") };
    assert_eq!((list.len(), list.first()), (200, Some(&Value::Int(1))));
    assert_eq!(keep(&mut b, 3, 203, "state.add", vec![Value::from("l"), Value::Int(1)]), ["evaluate 3"]);
    assert!(b.runs.state().run(3).unwrap().history[203].result.is_err(), "a list is no number");
}

#[test]
fn an_argument_without_a_value_starts_nothing() {
    let mut b = Bench::new();
    assert_eq!(b.start(at(0), "wants", ""), ["notice not_started"]);
}

/// What a restart does with an unfinished step: a safe one is done again, others never are.
#[test]
fn a_restart_never_does_twice_what_may_be_done_once() {
    for (verb, told) in [
        ("vip.up", vec!["do 1 vip.up try 1"]),
        ("notify", vec!["do 1 notify try 1"]),
        ("host.run", vec!["notice step_unknown", "evaluate 1"]),
        ("wait", vec![]),
    ] {
        let mut b = Bench::new();
        b.start(at(0), "plain", "");
        b.wants(at(0), 1, 0, verb);
        assert_eq!(b.restart(), told, "{verb}");
    }
    let mut b = Bench::new();
    b.start(at(0), "plain", "");
    b.wants(at(0), 1, 0, "host.run");
    b.answer(at(1), 1, 0, 1, true);
    assert_eq!(b.restart(), ["evaluate 1"], "a finished step is never done again");
    assert_eq!(b.wants(at(2), 1, 0, "host.run"), NOTHING, "evaluated with an older history");
    assert_eq!(b.wants(at(2), 1, 1, "notify"), ["do 1 notify try 1"]);
}

#[test]
fn waiting_and_what_is_kept() {
    let mut b = Bench::new();
    b.start(at(0), "plain", "");
    assert_eq!(b.wants(at(0), 1, 0, "wait"), NOTHING);
    assert_eq!(b.runs.next_deadline(), Some(at(1_000)));
    assert_eq!(b.tell(at(1_000), Input::Timer), ["evaluate 1"]);
    let set = Step { n: 1, verb: Verb::parse("state.set").unwrap(), args: vec!["k".into(), Value::Int(7)], line: 1 };
    assert_eq!(b.tell(at(1_000), Input::Evaluated { run: 1, next: Next::Step(set) }), ["evaluate 1"]);
    b.ends(at(1_001), 1);
    b.restart();
    b.start(at(2_000), "plain", "");
    let get = Step { n: 0, verb: Verb::parse("state.get").unwrap(), args: vec!["k".into()], line: 1 };
    b.tell(at(2_000), Input::Evaluated { run: 2, next: Next::Step(get) });
    assert_eq!(b.runs.state().run(2).unwrap().history[0].result, Ok(Value::Int(7)), "kept by the reaction, restarts included");
}

#[test]
fn too_many_runs_are_not_started_and_reported() {
    let mut b = Bench::new();
    for n in 0..RUNS {
        assert_eq!(b.start(at(0), "plain", &n.to_string()).len(), 1, "{n}");
    }
    assert_eq!(b.start(at(0), "plain", "one more"), ["notice not_started"]);
    b.ends(at(1), 1);
    assert_eq!(b.start(at(2), "plain", "one more"), [format!("evaluate {}", RUNS + 1)]);
}

/// A failed run for which there is no room now can be started again later.
#[test]
fn a_failed_run_is_not_forgotten_when_there_is_no_room_to_start_it_again() {
    let mut b = Bench::new();
    b.start(at(0), "plain", "failed");
    b.fails(at(1), 1);
    for n in 0..RUNS {
        b.start(at(2), "plain", &n.to_string());
    }
    assert_eq!(b.tell(at(3), Input::Retry { run: 1 }), ["notice not_started"]);
    assert!(b.runs.state().failed(1).is_some());
    b.ends(at(4), 2);
    assert_eq!(b.tell(at(5), Input::Retry { run: 1 }), [format!("evaluate {}", RUNS + 2)]);
    assert!(b.runs.state().failed(1).is_none());
}

/// Answers a step of a run with a result of this size.
fn answer(b: &mut Bench, run: RunId, n: u32, bytes: usize) -> bool {
    let step = Step { n, verb: Verb::HostRun, args: Vec::new(), line: 1 };
    b.tell(at(10), Input::Evaluated { run, next: Next::Step(step) });
    b.tell(at(10), Input::Answered { run, n, attempt: 1, result: Ok("x".repeat(bytes).as_str().into()) });
    b.runs.state().run(run).unwrap().history[n as usize].result.is_ok()
}

/// The results of a run's steps are bounded, also without a restart.
#[test]
fn the_answers_of_a_run_are_bounded() {
    let mut b = Bench::new();
    b.start(at(0), "plain", "");
    assert!(answer(&mut b, 1, 0, RUN_BYTES / 2));
    assert!(!answer(&mut b, 1, 1, RUN_BYTES / 2));
    assert!(answer(&mut b, 1, 2, 1_000), "less has room");
}

/// Large runs for forged events leave memory for events with more trust, and for claims.
#[test]
fn the_memory_of_runs_is_bounded_and_shared_by_trust() {
    let mut b = Bench::new();
    let most = share(MEMORY, MEMORY_RUNS);
    let mut refused = 0;
    for n in 1..=RUNS as u64 {
        match b.start_of(at(0), "plain", &n.to_string(), Trust::Unverified, false)[0].as_str() {
            "notice not_started" => refused += 1,
            _ => refused += usize::from(!answer(&mut b, n, 0, RUN_BYTES - 1_000)),
        }
    }
    assert!(refused > RUNS / 2, "{refused}");
    let kept: usize =
        b.runs.state().runs().flat_map(|(_, r)| &r.history).map(|s| s.result.as_ref().map_or(0, Value::weight)).sum();
    assert!(kept <= most / 2, "{kept} of {most}");
    let next = b.runs.state().runs().map(|(id, _)| id).max().unwrap() + 1;
    assert_eq!(b.start_of(at(1), "plain", "genuine", Trust::Address, false), [format!("evaluate {next}")]);
    assert!(answer(&mut b, next, 0, RUN_BYTES - 1_000));
    assert_eq!(b.start_of(at(1), "plain", "claim", Trust::Address, true), [format!("evaluate {}", next + 1)]);
    assert!(answer(&mut b, next + 1, 0, RUN_BYTES - 1_000));
    // A run that ends returns its memory.
    for (id, _) in b.runs.state().clone().runs() {
        b.ends(at(2), id);
    }
    let next = b.start(at(3), "plain", "later")[0].strip_prefix("evaluate ").unwrap().parse().unwrap();
    assert!(answer(&mut b, next, 0, RUN_BYTES - 1_000));
}

/// Dry runs of trusted events take the memory of unverified ones: what is only shown leaves room for what is done.
#[test]
fn the_memory_of_dry_runs_is_bounded_and_the_least() {
    let mut b = Bench::new();
    let most = share(MEMORY_LEAST, MEMORY_RUNS);
    let limits = Inventory { memory: Memory(MEMORY_LEAST), ..Inventory::default() };
    b.runs.reload(1, b.program.clone(), Arc::new(limits));
    let mut run = 0;
    for n in 0..DRY_RUNS as u64 {
        if b.start(at(0), "dry", &n.to_string())[1].starts_with("evaluate") {
            run += 1;
            answer(&mut b, run, 0, RUN_BYTES - 1_000);
        }
    }
    let kept: usize =
        b.runs.state().runs().flat_map(|(_, r)| &r.history).map(|s| s.result.as_ref().map_or(0, Value::weight)).sum();
    assert!(kept > most / 3 && kept <= most / 2, "{kept} of {most}");
    let mut n = 0;
    while b.start_of(at(1), "plain", &n.to_string(), Trust::Authenticated, false).len() == 1 && n < 40 {
        run = b.runs.state().runs().map(|(id, _)| id).max().unwrap();
        assert!(answer(&mut b, run, 0, RUN_BYTES - 1_000), "{n}");
        n += 1;
    }
    assert_eq!(n, 40, "half of the memory is left");
}

/// A run with less trust neither replaces nor delays one with more trust.
#[test]
fn a_lane_is_of_one_trust() {
    let mut b = Bench::new();
    let (genuine, forged) = (Trust::Address, Trust::Unverified);
    assert_eq!(b.start_of(at(0), "plain", "k", forged, false), ["evaluate 1"]);
    assert_eq!(b.start_of(at(1), "plain", "k", genuine, false), ["evaluate 2"], "it does not wait for the forged one");
    assert_eq!(b.start_of(at(2), "plain", "k", genuine, false), NOTHING);
    for n in 3..20 {
        assert_eq!(b.start_of(at(n), "plain", "k", forged, false), NOTHING);
    }
    assert!(b.runs.state().run(3).is_some(), "it still waits");
    assert_eq!(b.ends(at(20), 2), ["evaluate 3"]);
    assert_eq!(b.ends(at(21), 1), ["evaluate 20"], "of the forged ones the newest");
}

/// Runs with less trust leave room for the others.
#[test]
fn a_part_of_all_runs_is_for_the_better_trusted() {
    let mut b = Bench::new();
    let room = Trust::Unverified.share_of(RUNS);
    for n in 0..room {
        assert_eq!(b.start_of(at(0), "plain", &n.to_string(), Trust::Unverified, false).len(), 1, "{n}");
    }
    assert_eq!(b.start_of(at(0), "plain", "forged", Trust::Unverified, false), ["notice not_started"]);
    assert_eq!(b.start_of(at(0), "plain", "genuine", Trust::Address, false), [format!("evaluate {}", room + 1)]);
}

/// Claims have reserved room, and a run for a claim that fails is reported, whatever the reason.
#[test]
fn how_runs_of_claims_end_is_reported() {
    let mut b = Bench::new();
    let trust = Trust::Address;
    for n in 0..RUNS {
        b.start(at(0), "plain", &n.to_string());
    }
    assert_eq!(b.start(at(0), "plain", "one more"), ["notice not_started"]);
    let first = RUNS as u64 + 1;
    assert_eq!(b.start_of(at(1), "plain", "app", trust, true), [format!("evaluate {first}")]);
    let sequence = b.sequence;
    assert_eq!(b.start_of(at(2), "plain", "app", trust, true), NOTHING);
    assert_eq!(b.start_of(at(3), "plain", "app", trust, true), [format!("claim {} ended badly", sequence + 1)], "replaced");
    assert_eq!(b.ends(at(4), first), [format!("evaluate {}", first + 2), format!("claim {sequence} ended well")]);
    let failed = b.fails(at(5), first + 2);
    assert_eq!(failed, ["notice run_failed".to_owned(), format!("claim {} ended badly", sequence + 2)]);
    assert_eq!(
        b.start_of(at(6), "wants", "app", trust, true),
        ["notice not_started".to_owned(), format!("claim {} ended badly", sequence + 3)]
    );
    for n in 0..CLAIM_RUNS {
        assert_eq!(b.start_of(at(7), "plain", &format!("c{n}"), trust, true).len(), 1, "{n}");
    }
    let (refused, sequence) = (b.start_of(at(8), "plain", "one more", trust, true), b.sequence);
    assert_eq!(refused, ["notice not_started".to_owned(), format!("claim {sequence} ended badly")]);
    // A missing approval is a decision.
    b.restart();
    let mut b = Bench::new();
    b.start_of(at(0), "asks", "app", trust, true);
    assert_eq!(b.tell(at(40_000), Input::Timer), ["claim 1 ended well"]);
}

/// Values that were stored for senders without the required trust are separate from those that others read.
#[test]
fn what_is_kept_is_apart_for_those_who_are_not_trusted() {
    let mut b = Bench::new();
    let step = |verb: &str, args: Vec<Value<'static>>| Next::Step(Step { n: 0, verb: Verb::parse(verb).unwrap(), args, line: 1 });
    for (run, trust, value) in [(1, Trust::Address, 7), (2, Trust::Unverified, 666)] {
        b.start_of(at(0), "plain", "", trust, false);
        b.tell(at(0), Input::Evaluated { run, next: step("state.set", vec!["k".into(), Value::Int(value)]) });
        b.ends(at(0), run);
    }
    for (run, trust, value) in [(3, Trust::Local, 7), (4, Trust::Unverified, 666)] {
        b.start_of(at(1), "plain", "", trust, false);
        b.tell(at(1), Input::Evaluated { run, next: step("state.get", vec!["k".into()]) });
        assert_eq!(b.runs.state().run(run).unwrap().history[0].result, Ok(Value::Int(value)));
    }
}
