//! Notifications through the whole controller: reactions without a script, scripts, routes. They are equal however time is
//! divided into turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman::core::base::time::Time;
use pointsman::core::config;
use pointsman::core::control::{Controller, Input, LogEvent, OperatorCommand, Output};
use pointsman::core::decode::Decoder;
use pointsman::core::diag::{Code, Diagnostic, render};
use pointsman::core::event::Trust;
use pointsman::core::journal::{Position, State};
use pointsman::core::lang::program::Program;
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::overrides::{Override, SilenceMatcher};
use pointsman::core::replay::Replay;
use pointsman::core::script::{Evaluator, check};
use pointsman::core::site::Site;

use crate::support::source;

const CONFIG: &str = "
channels: { noc: log, other: { command: [/bin/true] } }
routes: { all: { to: other, category: [critical], by: [alarm, node], wait: 10s, interval: 1m, repeat: 2m, escalate: { after: 90s, to: noc } } }
";

fn at(seconds: u64) -> Time {
    Time::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
}

fn compiled(rules: &str) -> (Program, Vec<Diagnostic>) {
    let inventory = config::load(&source("c", CONFIG)).0.unwrap().inventory;
    compile(&[source("r", rules)], &Declarations { inventory: Some(&inventory), scripts: Some(&BTreeMap::new()) })
}

fn site(rules: &str, script: &str) -> Arc<Site> {
    let inventory = Arc::new(config::load(&source("c", CONFIG)).0.unwrap().inventory);
    let script = source("say.rhai", script);
    let params = [("say.rhai".to_owned(), check(&script, Some(&inventory)).0)].into();
    let (program, found) = compile(&[source("r", rules)], &Declarations { inventory: Some(&inventory), scripts: Some(&params) });
    assert_eq!(found, [], "{}", render::human(&found, false));
    let evaluator = Evaluator::new(inventory.clone());
    let scripts = [("say.rhai".to_owned(), evaluator.compile(&script).unwrap())].into();
    let matcher = Matcher::new(&program, Some(&inventory));
    Arc::new(Site::new(inventory, Arc::new(program), matcher, scripts, evaluator))
}

const SAY: &str = "const PARAMS = #{};\nfn react(alarm, event, params) { notify(\"noc\", `so: ${alarm.summary}`); }\n";

const RULES: &str = r#"
pattern down { match /down on (?<node>\w+)/ }
pattern up { match /up on (?<node>\w+)/ }
alarm routed { category critical detect down by node cancel when up summary "down {node}" }
alarm reacted { category minor detect down by node cancel when up summary "down {node}" react notify("noc") then say }
"#;

fn delivered(replay: &Replay, channel: &str) -> u64 {
    let all = replay.controller().unwrap().notifier().channels();
    all.iter().find(|c| c.channel == channel).unwrap().delivered
}

fn receive(replay: &mut Replay, now: Time, text: &str) {
    replay.pass(now);
    let line = format!("{} h app: {text}", now.to_string().trim_end_matches('Z'));
    replay.receive("log", line.as_bytes(), Trust::Authenticated, false, None);
}

#[test]
fn a_reaction_without_a_script_tells_of_the_alarm_and_of_its_end() {
    let mut replay = Replay::start(site(RULES, SAY), &BTreeMap::new(), at(0));
    receive(&mut replay, at(1), "down on a");
    replay.pass(at(5));
    // The notification of the reaction, and the one of the script after it.
    assert_eq!((delivered(&replay, "noc"), delivered(&replay, "other")), (2, 0));
    receive(&mut replay, at(60), "up on a");
    replay.pass(at(300));
    assert_eq!((delivered(&replay, "noc"), delivered(&replay, "other")), (3, 2));
}

#[test]
fn what_no_channel_can_send_is_refused_beforehand() {
    let alarm = |react: &str| format!("alarm a {{ detect event 1 cancel by hand react {react} }}");
    assert_eq!(compiled(&alarm("notify(\"noc\")")).1, []);
    for (react, code) in [
        ("notify(\"nok\")", Code::NotInInventory),
        ("notify", Code::MissingParameter),
        ("notify(\"noc\", \"x\")", Code::UnknownParameter),
        ("notify(channel = 5)", Code::BadArgument),
    ] {
        let codes: Vec<Code> = compiled(&alarm(react)).1.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code], "{react}");
    }
    // Also if the scripts are unknown.
    let (_, found) = compile(&[source("r", &alarm("notify(\"noc\")"))], &Declarations::default());
    assert_eq!(found, []);
    // A site may define its own reaction of this name.
    let (program, _) = compiled("reaction notify { script \"x.rhai\" }\nalarm a { detect event 1 cancel by hand react notify }");
    assert_eq!(program.reactions["notify"].script, "x.rhai");
}

/// The same notifications at the same times, however many turns time is divided into.
#[test]
fn it_does_not_matter_how_time_is_divided() {
    let story = |step: u64| {
        let mut replay = Replay::start(site(RULES, SAY), &BTreeMap::new(), at(0));
        let mut now = 0;
        for (seconds, text) in
            [(1, "down on a"), (4, "down on b"), (30, "up on b"), (31, "down on c"), (200, "up on a"), (900, "up on c")]
        {
            while now + step < seconds {
                now += step;
                replay.pass(at(now));
            }
            receive(&mut replay, at(seconds), text);
            now = seconds;
        }
        replay.pass(at(2_000));
        format!("{:?}", replay.controller().unwrap().notifier().state())
    };
    let whole = story(10_000);
    assert!(whole.contains("delivered"));
    for step in [1, 7, 50] {
        assert_eq!(story(step), whole, "{step}");
    }
}

/// A silence, or maintenance of the host, that begins while an alarm is open: no reminder and no escalation comes while it lasts.
#[test]
fn an_override_holds_for_alarms_that_are_open() {
    let site = site(RULES, SAY);
    let silence = Override::Silence(SilenceMatcher { alarm: Some("routed".to_owned()), ..SilenceMatcher::default() });
    for what in [silence, Override::Maintenance("h".to_owned())] {
        let (mut out, mut hits) = (Vec::new(), Vec::new());
        let mut controller =
            Controller::start(7, site.program.clone(), site.inventory.clone(), State::default(), at(0), &mut out);
        let line = format!("<13>1 {} h app - - - down on a", at(1));
        let mut event = Decoder::new().decode(line.as_bytes(), at(1)).into_owned();
        event.trust = Trust::Authenticated;
        site.matcher.matches(&event, &mut hits);
        let position = Position { at: 1, file: 5, check: 9, ..Position::default() };
        let heard = LogEvent { source: "log".to_owned(), position, event, hits, ..LogEvent::default() };
        controller.turn(at(1), Input::Event(Box::new(heard)), &mut out);
        let (mut told, mut last) = (Vec::new(), 1);
        let command = |second: u64| {
            let reason = "planned work".to_owned();
            match second {
                20 => Some(OperatorCommand::Begin { what: what.clone(), lasts: Some(Duration::from_secs(600)), reason }),
                _ => None,
            }
        };
        for second in 2..900 {
            let input = command(second).map_or(Input::Timer, |command| Input::Operator { by: "ann".to_owned(), command });
            controller.turn(at(second), input, &mut out);
            for output in std::mem::take(&mut out) {
                let Output::Deliver(delivery) = output else { continue };
                let (channel, id, attempt) = (delivery.notification.channel, delivery.notification.id, delivery.attempt);
                if delivery.notification.alarms.iter().any(|a| a.alarm == "routed") {
                    told.push((second, channel.clone(), delivery.notification.occasion.name()));
                    last = second;
                }
                controller.turn(at(second), Input::Delivered { channel, id, attempt, result: Ok(()) }, &mut out);
            }
        }
        let during: Vec<_> = told.iter().filter(|(second, ..)| (20..620).contains(second)).collect();
        assert!(during.is_empty() && last > 620, "{what:?}: {told:?}");
        let occasions: Vec<&str> = told.iter().map(|(_, _, occasion)| *occasion).collect();
        assert!(occasions.contains(&"raised") && occasions.contains(&"reminder") && occasions.contains(&"escalated"), "{told:?}");
    }
}
