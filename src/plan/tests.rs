//! Single decisions of the planner. Everything at once is the simulator's affair.

use std::time::Duration;

use super::*;
use crate::event::Provenance;
use crate::inventory::{Moves, OnLinkLoss, Seat, Takeover, What};
use crate::wire::{Action, Probe};

mod link;

const VIP: &str = "vip";

fn ms(n: i64) -> Time {
    Time::from_millis(n)
}

fn inventory(takeover: Takeover) -> Inventory {
    let seat = |h: &str| Seat { host: h.to_owned(), interface: "eth0".to_owned(), commands: None };
    let host = || crate::inventory::Host {
        address: None,
        platform: "linux".to_owned(),
        via: crate::inventory::Via::Agent,
        ..crate::inventory::Host::default()
    };
    let resource = Resource {
        what: What::Address("10.0.0.9".parse().unwrap(), 24),
        seats: vec![seat("a"), seat("b")],
        takeover,
        witnesses: vec![],
        term: Duration::from_secs(30),
        isolation: Duration::from_secs(3),
        voters: vec![],
        on_quorum_loss: crate::inventory::OnQuorumLoss::Release,
        moves: Moves::default(),
        on_link_loss: OnLinkLoss::default(),
        repair: true,
        provenance: Provenance::Local,
    };
    Inventory {
        hosts: [("a".to_owned(), host()), ("b".to_owned(), host())].into(),
        resources: [(VIP.to_owned(), resource)].into(),
        ..Inventory::default()
    }
}

/// A planner with hosts that report when they are told to.
struct Bench {
    planner: Planner,
    now: Time,
    beats: u64,
    /// Whom the hosts obey.
    controller: Option<u64>,
    out: Vec<Output>,
}

impl Bench {
    fn new(takeover: Takeover) -> Bench {
        Bench::with(takeover, Ledger::default())
    }

    fn with(takeover: Takeover, ledger: Ledger) -> Bench {
        let mut out = Vec::new();
        let planner = Planner::start(1, &inventory(takeover), ledger, ms(0), &mut out);
        Bench { planner, now: ms(0), beats: 0, controller: None, out }
    }

    fn report(&mut self, host: &str, n: (u64, u64), want: bool, holds: Holds) -> &mut Bench {
        self.beats += 1;
        let generation = Generation { epoch: n.0, n: n.1 };
        let seen = Seen { generation, want, holds, note: None };
        let beat = Echo { incarnation: 1, beat: self.beats };
        let controller = self.controller;
        let report =
            Report { host: host.to_owned(), beat, controller, resources: [(VIP.to_owned(), seen)].into(), ..Report::default() };
        self.planner.turn(self.now, Input::Report(report), &mut self.out);
        self
    }

    fn up(&mut self, host: &str, order: u64) -> Accepted {
        self.intent(Verb::Up, host, order, false)
    }

    fn intent(&mut self, verb: Verb, host: &str, order: u64, operator: bool) -> Accepted {
        let intent = Intent { resource: VIP.to_owned(), verb, host: host.to_owned(), order, operator };
        self.planner.intent(self.now, intent, &mut self.out)
    }

    fn at(&mut self, at: Time) -> &mut Bench {
        while let Some(due) = self.planner.next_deadline().filter(|d| *d <= at) {
            self.now = self.now.max(due);
            self.planner.turn(self.now, Input::Timer, &mut self.out);
        }
        self.now = at;
        self
    }

    /// The commands since the last look: host, action word, generation.
    fn sent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.out)
            .into_iter()
            .filter_map(|o| match o {
                Output::Send(host, c) => {
                    let action = match c.action {
                        Action::Release => "release".to_owned(),
                        Action::Take { probe: Probe::Nothing, .. } => "take".to_owned(),
                        Action::Take { probe: Probe::Once, .. } => "take, probe".to_owned(),
                        Action::Take { probe: Probe::Silence(d), .. } => format!("take after {}s of silence", d.as_secs()),
                        Action::Renew => "renew".to_owned(),
                        Action::Electorate(_) => "electorate".to_owned(),
                    };
                    Some(format!("{host}: {action} {}", c.generation))
                }
                _ => None,
            })
            .collect()
    }

    fn notices(&self) -> Vec<&'static str> {
        let notice = |o: &Output| match o {
            Output::Notice(n) => Some(n.kind),
            _ => None,
        };
        self.out.iter().filter_map(notice).collect()
    }
}

#[test]
fn a_move_releases_verifies_and_only_then_takes() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    assert_eq!(bench.up("a", 1), Accepted::Yes);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"], "a first take is preceded by probing");
    bench.report("a", (1, 1), true, Holds::Yes);
    assert!(bench.planner.settled(VIP));
    bench.up("b", 2);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
    bench.report("a", (1, 2), false, Holds::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new(), "obeyed, but still seen there");
    bench.report("a", (1, 2), false, Holds::Unknown);
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.report("a", (1, 2), false, Holds::No);
    assert_eq!(bench.sent(), ["b: take 1.3"]);
    bench.report("b", (1, 3), true, Holds::Yes);
    assert!(bench.planner.settled(VIP));
    assert_eq!(bench.planner.holders(VIP), ["b"]);
}

#[test]
fn what_is_not_obeyed_is_said_again_once_a_beat() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    bench.up("a", 1);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"]);
    bench.up("a", 1);
    bench.report("b", (0, 0), false, Holds::No);
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.report("a", (0, 0), false, Holds::No);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"]);
}

#[test]
fn the_order_of_intents_is_the_order_of_their_causes() {
    let mut bench = Bench::new(Takeover::Confirmed);
    assert_eq!(bench.up("a", 5), Accepted::Yes);
    assert_eq!(bench.up("b", 4), Accepted::Superseded);
    assert_eq!(bench.intent(Verb::Down, "a", 4, false), Accepted::Superseded, "desired by a newer order");
    assert_eq!(bench.intent(Verb::Down, "b", 4, false), Accepted::Yes, "nothing newer wants it there");
    assert_eq!(bench.planner.owner(VIP), Some(&"a".to_owned()));
    assert_eq!(bench.up("nowhere", 9), Accepted::Unknown);
}

#[test]
fn the_first_owner_is_unknown_and_a_sole_holder_is_adopted() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No);
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("observing after the start"));
    bench.report("b", (0, 0), false, Holds::Yes);
    assert_eq!(bench.planner.owner(VIP), Some(&"b".to_owned()));
    assert_eq!(bench.sent(), ["b: take, probe 1.1"]);

    let mut none = Bench::new(Takeover::Confirmed);
    none.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    assert_eq!(none.planner.owner(VIP), None);
    assert_eq!(none.notices(), ["owner_unknown"]);
    assert_eq!(none.sent(), Vec::<String>::new());

    let mut two = Bench::new(Takeover::Confirmed);
    two.report("a", (0, 0), false, Holds::Yes).report("b", (0, 0), false, Holds::Yes);
    assert_eq!(two.planner.owner(VIP), None);
    assert_eq!(two.notices(), ["two_holders"]);
    assert_eq!(two.sent(), Vec::<String>::new());
}

/// a holds it and is lost; b should have it.
fn lost_holder(takeover: Takeover) -> Bench {
    let mut bench = Bench::new(takeover);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Holds::Yes);
    bench.sent();
    bench.now = ms(900);
    bench.report("b", (0, 0), false, Holds::No);
    bench.at(ms(1_100));
    bench.report("b", (0, 0), false, Holds::No);
    bench.up("b", 2);
    bench
}

#[test]
fn confirmed_waits_for_the_release_or_an_operators_word() {
    let mut bench = lost_holder(Takeover::Confirmed);
    assert_eq!(bench.notices(), ["release_unconfirmed"]);
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("its release on a is not confirmed"));
    let input = Input::Released { resource: VIP.to_owned(), host: "a".to_owned() };
    bench.planner.turn(bench.now, input, &mut bench.out);
    assert_eq!(bench.sent(), ["b: take, probe 1.3"]);
}

/// The word counts also when it comes before the host was ever told anything.
#[test]
fn an_operators_word_about_a_host_that_never_spoke() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No);
    let input = Input::Released { resource: VIP.to_owned(), host: "b".to_owned() };
    bench.planner.turn(bench.now, input, &mut bench.out);
    bench.intent(Verb::Up, "a", 1, true);
    for beat in 1..25 {
        bench.at(ms(beat * 250)).report("a", (0, 0), false, Holds::No);
    }
    assert_eq!(bench.sent().first().map(String::as_str), Some("a: take, probe 1.1"));
}

/// A host that obeys another controller may take it any time, whatever it reports, and its numbers are not ours.
#[test]
fn a_host_of_another_controller_is_never_clear() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.controller = Some(99);
    bench.report("a", (1, 1), false, Holds::No);
    bench.controller = Some(1);
    bench.report("b", (0, 0), false, Holds::No);
    bench.up("b", 1);
    assert!(!bench.sent().iter().any(|s| s.contains("take")));
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("waiting for its release on a"));
    // Adopted: it obeys nobody, and has forgotten the numbers.
    bench.controller = None;
    bench.report("a", (0, 0), false, Holds::No);
    assert_eq!(bench.sent(), ["b: take, probe 1.2"]);
}

/// It is not told to let go for the sake of a host that would refuse to take it.
#[test]
fn a_move_to_a_host_of_another_controller_waits() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Holds::Yes);
    bench.sent();
    bench.controller = Some(99);
    bench.report("b", (0, 0), false, Holds::No);
    bench.up("b", 2);
    assert!(!bench.sent().iter().any(|s| s.starts_with("a: release")));
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("its owner obeys another controller"));
    bench.controller = Some(1);
    bench.report("b", (0, 0), false, Holds::No);
    assert!(bench.sent().iter().any(|s| s.starts_with("a: release")));
}

/// After a start each host is told as lost or back when that is known, and a resource as settled when it is.
#[test]
fn what_changed_while_the_controller_was_away_is_told() {
    let mut bench = Bench::new(Takeover::Confirmed);
    let told = |bench: &mut Bench| -> Vec<Output> {
        let all = std::mem::take(&mut bench.out).into_iter();
        all.filter(|o| matches!(o, Output::Lost(..) | Output::Settled(..))).collect()
    };
    bench.report("a", (0, 0), true, Holds::No);
    assert_eq!(told(&mut bench), [Output::Lost("a".to_owned(), false)]);
    for beat in 1..25 {
        bench.at(ms(beat * 250)).report("a", (0, 0), false, Holds::No);
    }
    assert_eq!(told(&mut bench), [Output::Lost("b".to_owned(), true)]);
    bench.report("b", (0, 0), false, Holds::No);
    bench.up("a", 1);
    assert_eq!(told(&mut bench), [Output::Lost("b".to_owned(), false)]);
    bench.report("a", (1, 1), true, Holds::Yes);
    assert_eq!(told(&mut bench), [Output::Settled(VIP.to_owned(), "a".to_owned())]);
    assert!(bench.planner.settled(VIP));
    bench.at(ms(8_000));
    assert!(!bench.planner.settled(VIP), "of a host that is not heard nothing is known");
}

#[test]
fn probe_listens_longer_than_a_holder_may_stay() {
    let mut bench = lost_holder(Takeover::Probe);
    assert_eq!(bench.sent(), ["b: take after 4s of silence 1.3"]);
    // It is heard again: asked to release, and the order to listen is replaced when it is gone.
    bench.report("a", (1, 1), true, Holds::Yes);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
    bench.report("a", (1, 2), false, Holds::No);
    assert_eq!(bench.sent(), ["b: take 1.4"]);
}

#[test]
fn lease_waits_out_the_term() {
    let mut bench = lost_holder(Takeover::Lease);
    assert_eq!(bench.sent(), Vec::<String>::new());
    for second in 2..32 {
        bench.at(ms(second * 1_000)).report("b", (0, 0), false, Holds::No);
        assert_eq!(bench.sent(), Vec::<String>::new(), "{second} s");
    }
    bench.at(ms(32_500)).report("b", (0, 0), false, Holds::No);
    assert_eq!(bench.sent(), ["b: take, probe 1.3"]);
}

#[test]
fn forced_goes_on_after_the_time_out_and_says_so_first() {
    let mut bench = lost_holder(Takeover::Forced);
    assert_eq!(bench.sent(), Vec::<String>::new());
    for second in 2..9 {
        bench.at(ms(second * 1_000)).report("b", (0, 0), false, Holds::No);
        assert_eq!(bench.sent(), Vec::<String>::new(), "{second} s");
    }
    bench.at(ms(9_500)).report("b", (0, 0), false, Holds::No);
    let notice = bench.out.iter().position(|o| matches!(o, Output::Notice(n) if n.kind == "takeover_forced"));
    let take = bench.out.iter().position(|o| matches!(o, Output::Send(..)));
    assert!(notice.unwrap() < take.unwrap());
    assert_eq!(bench.sent(), ["b: take 1.3"]);
}

#[test]
fn a_host_that_returns_is_brought_into_line_first() {
    let mut bench = lost_holder(Takeover::Forced);
    for second in 2..11 {
        bench.at(ms(second * 1_000)).report("b", (0, 0), false, Holds::No);
    }
    bench.report("b", (1, 3), true, Holds::Yes);
    bench.sent();
    bench.report("a", (1, 1), true, Holds::Yes);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
}

#[test]
fn drift_is_repaired() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Holds::Yes);
    bench.sent();
    // Put on b by hand.
    bench.report("b", (0, 0), false, Holds::Yes);
    assert_eq!(bench.notices(), ["drift", "two_holders"]);
    assert_eq!(bench.sent(), ["b: release 1.2"]);
    bench.report("b", (1, 2), false, Holds::No);
    // Put there again at once: not for a moment, for a hand that does that would never end.
    bench.report("b", (1, 2), false, Holds::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.report("b", (1, 2), false, Holds::No);
    // Taken off a by hand: the grant has ended; it is granted anew, after a moment.
    bench.report("a", (1, 1), false, Holds::No);
    bench.at(ms(500)).report("a", (1, 1), false, Holds::No).report("b", (1, 2), false, Holds::No);
    bench.at(ms(1_100));
    assert_eq!(bench.sent(), ["a: take, probe 1.3"]);
}

#[test]
fn too_many_moves_are_held_and_not_forgotten() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    for (i, host) in ["a", "b", "a", "b"].into_iter().enumerate() {
        assert_eq!(bench.up(host, i as u64 + 1), Accepted::Yes);
    }
    assert_eq!(bench.up("a", 5), Accepted::Held);
    assert!(bench.notices().contains(&"flapping"));
    let pursued = |b: &Bench| b.planner.ledger().entry(VIP).unwrap().pursued.clone();
    assert_eq!(pursued(&bench).as_deref(), Some("b"));
    assert_eq!(bench.planner.owner(VIP), Some(&"a".to_owned()), "the newest claim is kept and shown");
    let held = bench.planner.held(VIP).unwrap();
    assert!(held.contains("too many moves: it goes to a at"), "{held}");
    assert!(!bench.planner.settled(VIP));
    bench.at(ms(151_000));
    assert_eq!(pursued(&bench).as_deref(), Some("a"), "and applied when the pause is over");
    // An operator's word is not damped.
    bench.up("b", 6);
    assert_eq!(pursued(&bench).as_deref(), Some("a"));
    assert_eq!(bench.intent(Verb::Up, "b", 7, true), Accepted::Yes);
    assert_eq!(pursued(&bench).as_deref(), Some("b"));
}

#[test]
fn a_restart_goes_on_with_a_higher_epoch() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Holds::No).report("b", (0, 0), false, Holds::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Holds::Yes);
    let mut folded = Ledger::default();
    for output in &bench.out {
        if let Output::Record(record) = output {
            folded.apply(record);
        }
    }
    assert_eq!(&folded, bench.planner.ledger(), "the records are the whole truth");
    let mut again = Bench::with(Takeover::Confirmed, folded);
    again.report("a", (1, 1), true, Holds::Yes).report("b", (0, 0), false, Holds::No);
    assert_eq!(again.sent(), Vec::<String>::new(), "what is in its place is left alone");
    assert!(again.planner.settled(VIP));
    again.up("b", 2);
    assert_eq!(again.sent(), ["a: release 2.1"]);
    // A restored journal can't fall behind: an agent knows a higher epoch.
    again.report("a", (9, 4), true, Holds::Yes);
    assert_eq!(again.sent(), ["a: release 10.1"]);
}
