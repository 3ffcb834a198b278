//! A journal that may lack records, or that does: nothing is sent until agents agree or an operator accepts the loss, and nothing
//! moves back.

use pointsman::core::base::limits::{EPOCH_MOST, EPOCH_REPORTED};
use pointsman::core::base::time::Time;
use pointsman::core::control::{Controller, Input, OperatorCommand, Output};
use pointsman::core::journal::{self, DoubtKind, Record, State};
use pointsman::core::plan::{self, Instruction, Intent, IntentVerb};
use pointsman::core::wire::{Action, Command, Echo, Generation, Presence, Report, ResourceStatus};

use crate::control::{at, site};

const CONTROLLER: u64 = 7;

fn generation(n: u64) -> Generation {
    Generation { epoch: 1, n }
}

/// The decisions of a controller: sip1 had the address, and then it moved to sip2.
fn story() -> Vec<Record> {
    let vip = || "sip_vip".to_owned();
    let start = journal::Input::Start;
    let plan = |record: plan::Record| Record::Plan(record);
    let up = |host: &str, sequence| {
        let (resource, host) = (vip(), host.to_owned());
        Intent { resource, verb: IntentVerb::Up, host, sequence, operator: false, at: None }
    };
    let ordered = |host: &str, instruction, n| {
        plan(plan::Record::Ordered {
            resource: vip(),
            host: host.to_owned(),
            instruction,
            generation: generation(n),
            granted: None,
        })
    };
    let fenced = |host: &str, n| plan(plan::Record::Fenced { resource: vip(), host: host.to_owned(), generation: generation(n) });
    let moved = |to: &str, ms| plan(plan::Record::Move { resource: vip(), to: to.to_owned(), at: at(ms) });
    vec![
        Record::Input { sequence: 1, at: at(0), input: start },
        plan(plan::Record::Epoch { epoch: 1 }),
        plan(plan::Record::Intent(up("sip1", 1))),
        moved("sip1", 0),
        ordered("sip2", Instruction::Release, 1),
        fenced("sip2", 1),
        ordered("sip1", Instruction::Take, 2),
        plan(plan::Record::Intent(up("sip2", 2))),
        moved("sip2", 1_000),
        ordered("sip1", Instruction::Release, 3),
        fenced("sip1", 3),
        ordered("sip2", Instruction::Take, 4),
    ]
}

/// Two agents after the story, and a controller that starts with a part of the records.
struct Bench {
    controller: Controller,
    now: Time,
    beat: u64,
    seen: [(String, ResourceStatus); 2],
    silent: Vec<String>,
    sent: Vec<(String, Command)>,
    notices: Vec<String>,
    records: Vec<Record>,
}

impl Bench {
    fn new(records: &[Record], doubt: Option<&str>) -> Bench {
        let site = site();
        let mut state = State::fold(records);
        if let Some(why) = doubt {
            let input = journal::Input::JournalDoubted { reason: why.to_owned(), behind: false };
            state.apply(&Record::Input { sequence: state.sequence + 1, at: at(1_000), input });
        }
        let mut out = Vec::new();
        let (program, inventory) = (site.program.clone(), site.inventory.clone());
        let controller = Controller::start(CONTROLLER, program, inventory, state, at(2_000), &mut out);
        let seen = |holds, want, n| ResourceStatus { holds, want, generation: generation(n), note: None };
        let seen = [("sip1".to_owned(), seen(Presence::No, false, 3)), ("sip2".to_owned(), seen(Presence::Yes, true, 4))];
        let mut bench = Bench {
            controller,
            now: at(2_000),
            beat: 0,
            seen,
            silent: Vec::new(),
            sent: Vec::new(),
            notices: Vec::new(),
            records: Vec::new(),
        };
        bench.took(out);
        bench
    }

    fn took(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(host, command) => self.sent.push((host, command)),
                Output::Notice(notice) => self.notices.push(notice.kind.name().to_owned()),
                Output::Record(record) => self.records.push(record),
                _ => {}
            }
        }
    }

    fn turn(&mut self, input: Input) {
        let mut out = Vec::new();
        self.controller.turn(self.now, input, &mut out);
        self.took(out);
    }

    fn operator(&mut self, command: OperatorCommand) {
        self.turn(Input::Operator { by: "ann".to_owned(), command });
    }

    /// Lets this number of milliseconds pass. Each agent that is not silent reports every 250 ms and obeys commands.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 250 {
            self.now = self.now + std::time::Duration::from_millis(250);
            self.beat += 1;
            for (host, seen) in self.seen.clone() {
                if self.silent.contains(&host) {
                    continue;
                }
                let beat = Echo { incarnation: 1, beat: self.beat };
                let resources = [("sip_vip".to_owned(), seen)].into();
                let report = Report { host, beat, controller: Some(CONTROLLER), resources, ..Report::default() };
                self.turn(Input::Report(report));
            }
            self.turn(Input::Timer);
            for (host, command) in self.sent.clone() {
                for (name, seen) in &mut self.seen {
                    if *name == host && command.generation > seen.generation {
                        let takes = matches!(command.action, Action::Take { .. });
                        let holds = if takes { Presence::Yes } else { Presence::No };
                        *seen = ResourceStatus { holds, want: takes, generation: command.generation, note: None };
                    }
                }
            }
        }
    }

    fn taken(&self) -> Vec<&str> {
        self.sent.iter().filter(|(_, c)| matches!(c.action, Action::Take { .. })).map(|(host, _)| host.as_str()).collect()
    }

    fn holders(&self) -> Vec<&str> {
        self.seen.iter().filter(|(_, s)| s.holds == Presence::Yes).map(|(host, _)| host.as_str()).collect()
    }
}

/// However many of the last records are missing: nothing is sent while an agent knows more, and the address stays where it is,
/// also after the loss was accepted.
/// loss was accepted too.
#[test]
fn an_agent_that_knows_more_than_the_journal_stops_it() {
    let story = story();
    for kept in 1..story.len() {
        let mut bench = Bench::new(&story[..kept], None);
        bench.run(20_000);
        assert_eq!(bench.sent, [], "{kept}");
        assert_eq!(bench.controller.doubt().map(|d| d.kind), Some(DoubtKind::Behind), "{kept}");
        assert_eq!(bench.notices.iter().filter(|k| *k == "journal_behind").count(), 1, "{kept}: {:?}", bench.notices);
        let doubted = |r: &Record| matches!(r, Record::Input { input: journal::Input::JournalDoubted { behind: true, .. }, .. });
        assert!(bench.records.iter().any(doubted), "{kept}");
        bench.operator(OperatorCommand::AcceptLoss { reason: "the disk of Monday".to_owned() });
        bench.run(20_000);
        assert_eq!((bench.taken().contains(&"sip1"), bench.holders()), (false, vec!["sip2"]), "{kept}: {:?}", bench.sent);
        assert_eq!(bench.controller.planner().owner("sip_vip").map(String::as_str), Some("sip2"), "{kept}");
        // The state is the fold of the records, including these.
        let mut state = State::fold(&story[..kept]);
        bench.records.iter().for_each(|r| state.apply(r));
        assert!(state.doubt.is_none() && &state.ledger == bench.controller.planner().ledger(), "{kept}");
        // A command moves the address as before.
        bench.operator(OperatorCommand::Move { resource: "sip_vip".to_owned(), host: "sip1".to_owned() });
        bench.run(20_000);
        assert_eq!(bench.holders(), ["sip1"], "{kept}");
    }
}

/// If the host of the lost records is silent, nothing proves who has the address. It is not moved because of what the journal
/// knew before.
#[test]
fn a_loss_that_is_accepted_proves_nothing_about_a_silent_host() {
    let story = story();
    let mut bench = Bench::new(&story[..7], None);
    bench.silent.push("sip2".to_owned());
    bench.run(8_000);
    bench.operator(OperatorCommand::AcceptLoss { reason: "sip2 is off".to_owned() });
    bench.run(30_000);
    assert_eq!((bench.taken(), bench.holders()), (Vec::new(), vec!["sip2"]));
}

#[test]
fn a_journal_that_may_lack_records_waits_for_every_agent() {
    let story = story();
    let mut bench = Bench::new(&story, Some("restored"));
    bench.silent.push("sip1".to_owned());
    bench.operator(OperatorCommand::Move { resource: "sip_vip".to_owned(), host: "sip1".to_owned() });
    bench.run(20_000);
    assert_eq!((bench.sent.len(), bench.notices.contains(&"journal_unproven".to_owned())), (0, true));
    assert!(bench.controller.planner().held("sip_vip").is_some_and(|why| why == "restored"));
    // When the last agent agrees, commands that were given meanwhile are carried out.
    bench.silent.clear();
    bench.run(20_000);
    assert!(bench.controller.doubt().is_none() && bench.notices.contains(&"journal_trusted".to_owned()));
    assert_eq!(bench.holders(), ["sip1"]);
}

#[test]
fn a_generation_that_is_not_credible_is_not_believed_and_wedges_nothing() {
    let story = story();
    let mut bench = Bench::new(&story, None);
    bench.run(2_000);
    let seen =
        ResourceStatus { holds: Presence::Yes, want: true, generation: Generation { epoch: u64::MAX, n: u64::MAX }, note: None };
    for beat in 1_000..1_010 {
        let report = Report {
            host: "sip1".to_owned(),
            beat: Echo { incarnation: 1, beat },
            controller: Some(CONTROLLER),
            resources: [("sip_vip".to_owned(), seen.clone())].into(),
            ..Report::default()
        };
        bench.turn(Input::Report(report));
    }
    assert_eq!(bench.notices.iter().filter(|k| *k == "report_strange").count(), 1);
    assert!(bench.controller.planner().ledger().epoch() < EPOCH_MOST && bench.controller.doubt().is_none());
    assert_eq!(bench.holders(), ["sip2"]);
}

/// An agent lies about an epoch as high as is believed. The journal can still be read, and leaves room for all later starts.
#[test]
fn an_agent_that_lies_does_not_use_up_the_epochs() {
    let story = story();
    for (epoch, believed) in [(EPOCH_MOST, false), (EPOCH_REPORTED + 1, false), (EPOCH_REPORTED, true)] {
        let mut bench = Bench::new(&story, None);
        bench.run(2_000);
        bench.seen[0].1.generation = Generation { epoch, n: 1 };
        bench.run(1_000);
        assert_eq!(bench.notices.contains(&"journal_behind".to_owned()), believed, "{epoch}");
        assert_eq!(bench.notices.contains(&"report_strange".to_owned()), !believed, "{epoch}");
        let epoch = bench.controller.planner().ledger().epoch();
        assert!(epoch <= EPOCH_MOST / 2 + 1, "{epoch}");
        for record in &bench.records {
            assert_eq!(record.credible(), Ok(()), "{record:?}");
        }
    }
}

/// A clock was ten years ahead and is correct now: a timer that expires in a minute still does.
#[test]
fn a_clock_that_was_wrong_heals() {
    let year = 365 * 24 * 3_600 * 1_000_000_i64;
    let mut state = State::default();
    let then = Time::from_micros(66 * year);
    state.apply(&Record::Input { sequence: 1, at: then, input: journal::Input::Start });
    let until = then + std::time::Duration::from_secs(60);
    state.apply(&Record::Plan(plan::Record::Held { resource: "sip_vip".to_owned(), until, holds: 1 }));
    let now = Time::from_micros(56 * year);
    let input = journal::Input::ClockChanged { by: -10 * year };
    state.apply(&Record::Input { sequence: 2, at: now, input });
    assert_eq!(state.newest, Some(now));
    let held = state.ledger.entry("sip_vip").and_then(|e| e.held_until);
    assert_eq!(held, Some(now + std::time::Duration::from_secs(60)));
}
