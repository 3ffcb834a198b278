//! The controller as a whole: equal inputs give equal outputs however time is split into turns, and the journal contains
//! everything that a restart needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use pointsman::core::base::time::Time;
use pointsman::core::config;
use pointsman::core::control::{Controller, Input, LogEvent, Output};
use pointsman::core::decode::Decoder;
use pointsman::core::event::Trust;
use pointsman::core::inventory::Inventory;
use pointsman::core::journal::{Position, Record, State};
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::replay::{Replay, TimelineEntry};
use pointsman::core::script::{Evaluator, check};
use pointsman::core::site::Site;

use crate::support::{files, read, source};

pub(crate) fn at(ms: i64) -> Time {
    Time::from_millis(1_800_000_000_000 + ms)
}

const ALARMS: &str = r#"
alarm claims   { detect event 00-04563 from type "SIP Server" by app cancel at once react vip_follows_primary(pair = pair_of(app), host = host_of(app)) }
alarm backups  { detect event 00-04561 from type "SIP Server" by app cancel after 300ms while active rerun react vip_leaves_backup(pair = pair_of(app), host = host_of(app)) }
alarm lasting  { detect event 4563 by host cancel when event 4561 cancel after 2s since raise }
alarm counted  { detect event 4000..4999 cancel after 700ms }
alarm thrice   { detect 3 of event 4563 unless event 4561 by host within 3s cancel after 900ms }
alarm chain    { detect event 4563 then event 4561 by host within 2s cancel after 1s }
alarm both     { detect 2 distinct host of event 4563 within 1s cancel at once }
alarm held     { detect event 4563 by host hold 400ms cancel when event 4561 cancel after 1s }
alarm missing  { detect event 4563 without event 4561 by app within 600ms cancel at once react vip_leaves_backup(pair = pair_of(app), host = host_of(app)) }
alarm limited  { detect event 4000..4999 by app cancel at once limit 2 per 1s react vip_leaves_backup(pair = pair_of(app), host = host_of(app)) }
alarm hushed   { detect event 4561 and event 4563 by host within 5s cancel after 1s inhibited by lasting }
alarm waits    { detect event 4561 by app hold 200ms cancel when event 4563 inhibited by counted, lasting cancel after 5s while active ignore react vip_leaves_backup(pair = pair_of(app), host = host_of(app)) }
alarm unmet    { detect count of event 4563 over 1s >= 2 inhibited by counted not during often cancel after 20s }
pattern came   { where id == 00-04563  match /(?<what>\w+) activated/ }
pattern went   { where id == 00-04561  match /(?<which>\w+) activated/ }
alarm renamed  { detect came and went by node = came.host, went.host, kind = came.what, went.which within 3s cancel when went cancel after 5s }
alarm spoken   { detect 2 distinct host of (came or went) by what as host within 4s cancel when went without came by which as host within 1s cancel after 9s }
alarm ended    { detect event 4563 by host cancel when 2 of event 4000..4999 within 2s cancel when alarm held active for 300ms }
alarm busy     { detect count of event 4563 over 2s >= 3 }
alarm steady   { detect rate of event 4000..4999 by app over 3s > 1 for 500ms cancel when < 0.5 for 1s }
alarm calm     { detect 2 of event 4563 by host within 2s cancel when count of event 4000..4999 over 4s <= 1 }
alarm standing { detect 2 of alarm held active }
alarm about    { detect alarm lasting active for 700ms }
alarm together { detect alarm lasting active and alarm held active for 300ms }
alarm alone    { detect alarm lasting active and not alarm held active by host }
alarm any_now  { detect alarm together active or alarm busy active }
alarm at_rest  { detect not alarm lasting active and not alarm about active hold 200ms }
alarm rests_on { detect not alarm lasting active by host }
alarm again    { detect 2 of alarm counted raised within 5s cancel after 2s only while alarm busy active }
pattern both_ways { detect event 4563 then each event 4561 by host within 2s }
alarm pairs    { detect 2 of both_ways by host within 5s cancel after 1s }
alarm seldom   { detect event 4563 by host cancel at once not during often }
calendar often { cron "* * * * *" for 20s }
alarm begins   { detect calendar often begins cancel when calendar often ends }
"#;

/// A silence counts from each start, so that a restart has an effect.
const SILENT: &str = "
alarm silent   { detect no event 4563 by app for 1s backoff 2x up to 4x while active rerun }
alarm unheard  { detect no event 4561 by host for 3s }
";

pub(crate) fn site() -> Arc<Site> {
    let (config, found) = config::load(&source("c", &read("examples/sip-pair/general.yaml")));
    assert_eq!(found, []);
    let inventory = Arc::new(config.unwrap().inventory);
    let scripts: BTreeMap<String, _> = files("scripts", "rhai").into_iter().map(|(n, t)| (n.clone(), source(&n, &t))).collect();
    let params = scripts.iter().map(|(n, s)| (n.clone(), check(s, Some(&inventory)).0)).collect();
    let (program, found) = compile(
        &[source("r", ALARMS), source("s", SILENT)],
        &Declarations { inventory: Some(&inventory), scripts: Some(&params) },
    );
    assert_eq!(found, []);
    let evaluator = Evaluator::new(inventory.clone());
    let compiled = scripts.iter().map(|(n, s)| (n.clone(), evaluator.compile(s).unwrap())).collect();
    let matcher = Matcher::new(&program, Some(&inventory));
    Arc::new(Site::new(inventory, Arc::new(program), matcher, compiled, evaluator))
}

/// A record: the time before it, its server, its text, and its age when it arrives.
#[derive(Clone, Debug)]
struct Line {
    after_ms: u64,
    second: bool,
    primary: bool,
    age_ms: u64,
    /// Whether another source becomes unreadable or readable after it.
    away: Option<bool>,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (
        prop_oneof![0..20u64, 0..4_000u64],
        any::<bool>(),
        any::<bool>(),
        prop_oneof![9 => Just(0u64), 1 => 0..30_000u64],
        prop_oneof![6 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))],
    );
    prop::collection::vec(
        line.prop_map(|(after_ms, second, primary, age_ms, away)| Line { after_ms, second, primary, age_ms, away }),
        1..25,
    )
}

fn record(line: &Line, now: Time) -> String {
    let stamp = (now - Duration::from_millis(line.age_ms)).to_string();
    let (host, app) = if line.second { ("sip2", "SIP_SERVER_BACKUP") } else { ("sip1", "SIP_SERVER_PRIMARY") };
    let id = if line.primary { "00-04563" } else { "00-04561" };
    format!("{} Standard {host} {app} GCTI-{id} mode activated", stamp.trim_end_matches('Z'))
}

/// Replays the lines. The time between two of them passes in as many steps as `steps` says.
fn replay(site: &Arc<Site>, lines: &[Line], steps: &[u64]) -> (Vec<TimelineEntry>, String) {
    let holders = BTreeMap::from([("sip_vip".to_owned(), "sip1".to_owned())]);
    let mut replay = Replay::start(site.clone(), &holders, at(0));
    let mut now = at(0);
    let mut step = steps.iter().cycle();
    for line in lines {
        let target = now + Duration::from_millis(line.after_ms);
        while now < target {
            let by = (*step.next().unwrap()).max(1);
            now = (now + Duration::from_millis(by)).min(target);
            replay.pass(now);
        }
        replay.receive("log", record(line, now).as_bytes(), Trust::Authenticated, false, None);
        if let Some(away) = line.away {
            replay.source("other", away);
        }
    }
    replay.pass(now + Duration::from_secs(60));
    let controller = replay.controller().unwrap();
    let end = format!("{:?} {:?} {:?}", controller.alarms(), controller.runs(), controller.planner().owner("sip_vip"));
    (replay.take_entries(), end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(11), ..ProptestConfig::default() })]

    /// The whole program with alarms, runs of scripts and moves: the same entries at the same times.
    #[test]
    fn it_does_not_matter_how_time_is_split(lines in lines(), steps in prop::collection::vec(1..900u64, 1..6)) {
        let site = site();
        let whole = replay(&site, &lines, &[1_000_000]);
        let split = replay(&site, &lines, &steps);
        prop_assert_eq!(whole.0, split.0);
        prop_assert_eq!(whole.1, split.1);
    }

    /// The controller alone gives the same records, whether it learns the time at random moments or only with its inputs.
    #[test]
    fn records_do_not_depend_on_timers(lines in lines(), extra in prop::collection::vec(0..60_000i64, 0..40)) {
        let text = ALARMS.lines().map(|l| l.split(" react").next().unwrap().trim_end_matches(" }").to_owned())
            .filter(|l| !l.is_empty()).map(|l| l + " }\n").collect::<String>();
        let (program, _) = compile(&[source("r", &text)], &Declarations::default());
        let program = Arc::new(program);
        let matcher = Matcher::new(&program, None);
        let run = |extra: &[i64]| {
            let mut out = Vec::new();
            let mut controller = Controller::start(1, program.clone(), Arc::new(Inventory::default()), State::default(), at(0), &mut out);
            let mut extra = extra.iter().map(|ms| at(*ms)).collect::<Vec<_>>();
            extra.sort();
            let mut extra = extra.into_iter().peekable();
            let mut now = at(0);
            let mut hits = Vec::new();
            for (line, position) in lines.iter().zip(1..) {
                now = now + Duration::from_millis(line.after_ms);
                while let Some(timer) = extra.next_if(|t| *t <= now) {
                    controller.turn(timer, Input::Timer, &mut out);
                }
                let record = record(line, now);
                let event = Decoder::new().decode(record.as_bytes(), now).into_owned();
                matcher.matches(&event, &mut hits);
                let heard = LogEvent { source: "log".to_owned(), position: Position { at: position, ..Position::default() }, event, hits: hits.clone(), ..LogEvent::default() };
                controller.turn(now, Input::Event(Box::new(heard)), &mut out);
            }
            controller.turn(now + Duration::from_secs(60), Input::Timer, &mut out);
            let records: Vec<Record> = out.into_iter().filter_map(|o| match o { Output::Record(r) => Some(r), _ => None }).collect();
            (records, format!("{:?}", controller.alarms()))
        };
        let (records, end) = run(&[]);
        prop_assert_eq!(&run(&extra), &(records.clone(), end));
        // Each record is one line that can be read back. Half a line is not a record.
        let mut state = State::default();
        for record in &records {
            let line = record.line().unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(&Record::read(&line).unwrap(), record);
            prop_assert!(Record::read(&line[..line.len() - 1]).is_err());
            state.apply(record);
        }
        // A start from any prefix of the records has exactly that state. A turn is written completely, and a start completes what
        // half a turn would leave undone.
        let begins = |cut: &usize| matches!(records.get(*cut), None | Some(Record::Input { .. }));
        let middle = (records.len() / 2..=records.len()).find(begins).unwrap_or_default();
        for cut in [0, middle, records.len()] {
            let folded = State::fold(&records[..cut]);
            let again = Controller::start(1, program.clone(), Arc::new(Inventory::default()), folded.clone(), at(0), &mut Vec::new());
            prop_assert_eq!(again.alarms(), &folded.alarms);
            prop_assert_eq!(again.runs(), &folded.runs);
        }
    }
}

/// The state of silences and of unreadable sources is also the fold of the journal, over restarts.
#[test]
fn silences_are_the_fold_of_their_records() {
    let site = site();
    let mut rng = pointsman::core::sim::Rng::new(3);
    let (mut state, mut now, mut came_true) = (State::default(), at(0), 0);
    let mut fold = |out: Vec<Output>, controller: &Controller| {
        for output in out {
            if let Output::Record(record) = output {
                came_true += usize::from(
                    matches!(&record, Record::Alarm(pointsman::core::engine::Record::Raised { alarm, .. }) if alarm == "silent"),
                );
                state.apply(&Record::read(&record.line().unwrap()).unwrap());
            }
        }
        assert_eq!(&state.alarms, controller.alarms());
        state.clone()
    };
    let start = |state: State, now: Time, out: &mut Vec<Output>| {
        Controller::start(1, site.program.clone(), site.inventory.clone(), state, now, out)
    };
    let mut out = Vec::new();
    let mut controller = start(State::default(), now, &mut out);
    let mut hits = Vec::new();
    for n in 1..1_500 {
        let folded = fold(std::mem::take(&mut out), &controller);
        now = now + Duration::from_millis(rng.below(1_500));
        match rng.below(8) {
            0 => controller.turn(now, Input::Timer, &mut out),
            1 if rng.percent(20) => controller = start(folded, now, &mut out),
            n @ (2 | 3) => {
                let away = rng.percent(40).then(|| "gone".to_owned());
                controller.turn(now, Input::Source { source: format!("file{n}"), away }, &mut out);
            }
            _ => {
                let (second, primary) = (rng.percent(50), rng.percent(50));
                let text = record(&Line { after_ms: 0, second, primary, age_ms: 0, away: None }, now);
                let event = Decoder::new().decode(text.as_bytes(), now).into_owned();
                site.matcher.matches(&event, &mut hits);
                let position = Position { at: n, ..Position::default() };
                let heard = LogEvent { source: "log".to_owned(), position, event, hits: hits.clone(), ..LogEvent::default() };
                controller.turn(now, Input::Event(Box::new(heard)), &mut out);
            }
        }
    }
    fold(out, &controller);
    assert!(came_true > 20, "{came_true}");
}

/// A jump over years is processed, although timers expire every few seconds.
#[test]
fn a_jump_over_years_is_passed() {
    let mut replay = Replay::start(site(), &BTreeMap::new(), Time::from_millis(0));
    let silent = Line { after_ms: 0, second: false, primary: true, age_ms: 0, away: None };
    replay.receive("log", record(&silent, replay.now()).as_bytes(), Trust::Authenticated, false, None);
    replay.pass(at(0));
    let skipped: Vec<TimelineEntry> =
        replay.take_entries().into_iter().filter(|e| e.field("result").as_deref() == Some("time_skipped")).collect();
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].field("text").unwrap().contains(" of time is skipped, from 1970-01-"), "{:?}", skipped[0]);
    // Afterwards time passes normally.
    assert!(replay.next_due().is_some_and(|due| due > at(0) && due < at(60_000)), "{:?}", replay.next_due());
    replay.pass(at(60_000));
    assert!(!replay.take_entries().is_empty());
}
