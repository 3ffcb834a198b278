//! Tests of single decisions of the agent. The simulator (`sim`) tests everything at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::core::base::limits::HEARTBEAT;
use crate::core::base::time::Time;
use crate::core::inventory::{Name, OnQuorumLoss, Takeover};
use crate::core::wire::{
    Action, AppStatus, Command, Echo, Generation, Metric, Presence, Probe, Report, ResourceStatus, StatusNote, Terms,
};

const VIP: &str = "vip";

fn ms(n: i64) -> Time {
    Time::from_millis(n)
}

fn generation(n: u64) -> Generation {
    Generation { epoch: 1, n }
}

fn terms(takeover: Takeover) -> Terms {
    Terms {
        takeover,
        isolation: Duration::from_secs(3),
        term: Duration::from_secs(30),
        witnesses: vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap(), "10.0.0.3".parse().unwrap()],
        voters: Arc::default(),
        on_quorum_loss: OnQuorumLoss::Release,
    }
}

/// An agent with a simulated shell: its outputs are kept, and a test answers them.
struct Bench {
    agent: AgentState,
    now: Time,
    out: Vec<Output>,
    /// The lifetime that was last set in the kernel.
    kept: Option<Time>,
}

impl Bench {
    fn new(durable: Durable) -> Bench {
        let mut out = Vec::new();
        let agent = AgentState::start("h".to_owned(), 1, durable, [(VIP.to_owned(), None)].into(), ms(0), &mut out);
        Bench { agent, now: ms(0), out, kept: None }
    }

    /// An idle agent that has looked at the host and has sent a beat.
    fn ready(takes: Takeover) -> (Bench, Terms) {
        let mut bench = Bench::new(Durable::default());
        bench.driven(None, Presence::No);
        bench.out.clear();
        (bench, terms(takes))
    }

    fn turn(&mut self, input: Input) -> &mut Bench {
        self.agent.turn(self.now, input, &mut self.out);
        for output in &self.out {
            if let Output::Drive { operation: Operation::Add { until, .. }, .. } = output {
                self.kept = *until;
            }
        }
        self
    }

    fn driven(&mut self, failed: Option<&str>, holds: Presence) -> &mut Bench {
        let until = self.kept;
        self.driven_until(failed, holds, until)
    }

    /// An operation ends, and the kernel says that it drops the address at `until`.
    fn driven_until(&mut self, failed: Option<&str>, holds: Presence, until: Option<Time>) -> &mut Bench {
        self.turn(Input::Driven { resource: VIP.to_owned(), failed: failed.map(str::to_owned), holds, until })
    }

    fn command(&mut self, n: u64, action: Action) -> &mut Bench {
        let echo = self.agent.beat();
        self.command_with(7, n, echo, action)
    }

    fn command_with(&mut self, controller: u64, n: u64, echo: Echo, action: Action) -> &mut Bench {
        self.turn(Input::Command(Command { controller, resource: VIP.to_owned(), generation: generation(n), echo, action }))
    }

    /// Fires timers until the time comes.
    fn until(&mut self, at: Time) -> &mut Bench {
        while self.agent.next_deadline() <= at {
            self.now = self.now.max(self.agent.next_deadline());
            self.turn(Input::Timer);
        }
        self.now = at;
        self
    }

    fn drives(&mut self) -> Vec<Operation> {
        let all = std::mem::take(&mut self.out);
        all.into_iter()
            .filter_map(|o| match o {
                Output::Drive { operation, .. } => Some(operation),
                _ => None,
            })
            .collect()
    }

    fn seen(&self) -> ResourceStatus {
        self.agent.placements[VIP].seen()
    }
}

fn take(terms: &Terms, probe: Probe) -> Action {
    Action::Take { probe, terms: terms.clone(), vote: false, clear: BTreeMap::new() }
}

#[test]
fn nothing_is_touched_before_a_first_command() {
    let mut bench = Bench::new(Durable::default());
    assert_eq!(bench.drives(), [Operation::Observe]);
    bench.driven(None, Presence::Yes).until(ms(60_000));
    for operation in bench.drives() {
        assert_eq!(operation, Operation::Observe);
    }
    assert_eq!(bench.seen().holds, Presence::Yes);
    assert!(!bench.seen().want);
}

#[test]
fn a_take_is_on_disk_before_the_driver_gets_it() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(1, take(&terms, Probe::Nothing));
    let persist = bench.out.iter().position(|o| matches!(o, Output::Persist(d) if d.marks[VIP].want));
    let drive = bench.out.iter().position(|o| matches!(o, Output::Drive { .. }));
    assert!(persist.unwrap() < drive.unwrap(), "{:?}", bench.out);
    assert_eq!(bench.agent.durable().marks[VIP].generation, generation(1));
}

#[test]
fn what_is_not_newer_is_refused() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(5, Action::Release).driven(None, Presence::No);
    bench.drives();
    for n in [1, 4, 5] {
        bench.command(n, take(&terms, Probe::Nothing));
        assert_eq!(bench.drives(), [], "generation {n}");
    }
    bench.command(6, take(&terms, Probe::Nothing));
    assert!(matches!(bench.drives()[..], [Operation::Add { until: None, .. }]));
}

#[test]
fn a_take_that_answers_an_old_beat_is_refused() {
    let (mut bench, terms) = Bench::ready(Takeover::Probe);
    let old = bench.agent.beat();
    bench.until(ms(1_500));
    bench.drives();
    bench.command_with(7, 1, old, take(&terms, Probe::Nothing));
    assert_eq!(bench.drives(), []);
    // A restarted agent does not recognise beats of its earlier start.
    let foreign = Echo { incarnation: 0, beat: old.beat };
    bench.command_with(7, 1, foreign, take(&terms, Probe::Nothing));
    assert_eq!(bench.drives(), []);
    // A release is never too old.
    bench.command_with(7, 1, foreign, Action::Release);
    assert_eq!(bench.drives(), [Operation::Remove]);
}

#[test]
fn one_controller_is_obeyed() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    let echo = bench.agent.beat();
    bench.command_with(7, 1, echo, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
    bench.drives();
    bench.command_with(8, 9, echo, Action::Release);
    assert_eq!(bench.drives(), []);
    assert_eq!(bench.seen().note, Some(StatusNote::OtherController));
}

#[test]
fn a_release_during_an_add_is_not_reported_as_done() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(1, take(&terms, Probe::Nothing)).command(2, Action::Release);
    assert_eq!(bench.seen().holds, Presence::Unknown, "the add may still have its effect");
    bench.drives();
    bench.driven(None, Presence::Yes);
    assert_eq!(bench.drives(), [Operation::Remove]);
    bench.driven(None, Presence::No);
    assert_eq!((bench.seen().holds, bench.seen().want), (Presence::No, false));
}

#[test]
fn what_was_seen_counts_not_what_was_said() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(1, take(&terms, Probe::Nothing)).driven(None, Presence::No);
    assert!(bench.seen().want, "tried again");
    bench.until(ms(500)).driven(None, Presence::No).until(ms(1_000)).driven(Some("no such device"), Presence::No);
    assert_eq!(bench.seen().note, Some(StatusNote::Failed("no such device".to_owned())));
    assert!(!bench.seen().want);
}

#[test]
fn a_rival_that_answers_while_probing_stops_the_take() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(1, take(&terms, Probe::Once));
    assert!(bench.out.iter().any(|o| matches!(o, Output::Ask { .. })));
    bench.turn(Input::Rival { resource: VIP.to_owned() });
    assert_eq!(bench.seen().note, Some(StatusNote::Conflict));
    assert!(!bench.seen().want);
}

#[test]
fn silence_starts_again_with_every_sound() {
    let (mut bench, terms) = Bench::ready(Takeover::Probe);
    let witness = |bench: &mut Bench| {
        for w in ["10.0.0.1", "10.0.0.2"] {
            let sent = bench.now;
            bench.turn(Input::Witness { resource: VIP.to_owned(), witness: w.parse().unwrap(), sent });
        }
        // The command is repeated with every beat.
        bench.command(1, take(&terms, Probe::Silence(Duration::from_secs(4))));
    };
    bench.command(1, take(&terms, Probe::Silence(Duration::from_secs(4))));
    for step in 0..14 {
        bench.until(ms(250 * step));
        witness(&mut bench);
    }
    bench.turn(Input::Rival { resource: VIP.to_owned() });
    for step in 14..28 {
        bench.until(ms(250 * step));
        witness(&mut bench);
        assert_eq!(bench.drives().iter().filter(|o| matches!(o, Operation::Add { .. })).count(), 0, "at {}", 250 * step);
    }
    for step in 28..33 {
        bench.until(ms(250 * step));
        witness(&mut bench);
    }
    assert!(bench.drives().iter().any(|o| matches!(o, Operation::Add { until: Some(_), .. })));
}

#[test]
fn a_holder_that_is_cut_off_lets_go() {
    let (mut bench, terms) = Bench::ready(Takeover::Probe);
    bench.command(1, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
    bench.drives();
    bench.until(ms(2_900));
    assert!(bench.seen().want);
    bench.until(ms(3_100));
    assert_eq!((bench.seen().want, bench.seen().note.clone()), (false, Some(StatusNote::Isolated)));
    assert!(bench.drives().contains(&Operation::Remove));
}

#[test]
fn a_lease_ends_unless_it_is_renewed_in_time() {
    let (mut bench, terms) = Bench::ready(Takeover::Lease);
    bench.command(1, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
    bench.until(ms(20_000)).command(1, Action::Renew).driven(None, Presence::Yes);
    bench.until(ms(45_000));
    assert!(bench.seen().want);
    bench.until(ms(50_000));
    assert_eq!((bench.seen().want, bench.seen().note.clone()), (false, Some(StatusNote::LeaseEnded)));
    // What has ended stays ended: only a new grant brings it back.
    bench.driven(None, Presence::No).command(1, Action::Renew);
    assert!(!bench.seen().want);
}

#[test]
fn after_a_restart_it_goes_on_with_what_is_on_disk() {
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(3, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
    let mut again = Bench::new(bench.agent.durable().clone());
    again.driven(None, Presence::Yes);
    assert_eq!((again.seen().want, again.seen().holds, again.seen().generation), (true, Presence::Yes, generation(3)));
    // Released on disk, but not yet on the host: the restarted agent finishes the release.
    bench.command(4, Action::Release);
    let mut again = Bench::new(bench.agent.durable().clone());
    again.drives();
    again.driven(None, Presence::Yes);
    assert_eq!(again.drives(), [Operation::Remove]);
    // Held on disk, but gone from the host: this is reported, and the address is not brought up without a command.
    let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
    bench.command(3, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
    let mut again = Bench::new(bench.agent.durable().clone());
    again.drives();
    again.driven(None, Presence::No);
    assert_eq!((again.seen().want, again.seen().note.clone()), (false, Some(StatusNote::Gone)));
    assert_eq!(again.drives(), []);
    // The same under `probe`: the kernel dropped it, not another hand.
    let (mut bench, terms) = Bench::ready(Takeover::Probe);
    bench.command(3, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
    let mut again = Bench::new(bench.agent.durable().clone());
    again.driven(None, Presence::No);
    assert_eq!(again.seen().note, Some(StatusNote::LeaseEnded));
}

/// The address was there before, and the driver wrongly says that it set in the kernel when the address ends. No one may rely on its end,
/// so the address is not held, and it is removed.
#[test]
fn an_address_that_the_kernel_would_keep_is_not_held() {
    for takes in [Takeover::Probe, Takeover::Lease] {
        let (mut bench, terms) = Bench::ready(takes);
        bench.driven(None, Presence::Yes);
        bench.command(1, take(&terms, Probe::Nothing));
        for _ in 0..10 {
            bench.driven_until(None, Presence::Yes, None);
            assert_ne!((bench.seen().want, bench.seen().holds), (true, Presence::Yes), "{takes:?}");
            let later = bench.now + Duration::from_millis(250);
            bench.until(later);
        }
        assert!(!bench.seen().want);
        assert!(
            matches!(&bench.seen().note, Some(StatusNote::Failed(why)) if why.contains("by itself")),
            "{:?}",
            bench.seen().note
        );
        assert!(bench.drives().contains(&Operation::Remove));
    }
}

/// The same after a restart: an address that was found is held only if the kernel will drop it as the terms require.
#[test]
fn an_address_found_after_a_restart_must_have_its_end() {
    for takes in [Takeover::Probe, Takeover::Lease, Takeover::Confirmed] {
        let mark = AgentMark { generation: generation(3), want: true, terms: Some(terms(takes)), place: None };
        let durable = Durable { controller: Some(7), marks: [(VIP.to_owned(), mark)].into(), ..Durable::default() };
        let longest = if takes == Takeover::Lease { 30 } else { 3 };
        for (until, held) in [
            (Some(ms(1_000)), true),
            (Some(ms(longest * 1_000)), true),
            (Some(ms(longest * 1_000 + 5_000)), takes == Takeover::Confirmed),
            (None, takes == Takeover::Confirmed),
        ] {
            let mut bench = Bench::new(durable.clone());
            bench.driven_until(None, Presence::Yes, until);
            assert_eq!(bench.seen().want, held, "{takes:?} {until:?}");
        }
    }
}

/// A command to listen for silence lapses if it is not repeated. An old command must not use the next owner's silence.
#[test]
fn an_old_order_to_listen_does_not_come_to_life() {
    let (mut bench, terms) = Bench::ready(Takeover::Probe);
    bench.command(1, take(&terms, Probe::Silence(Duration::from_secs(4))));
    bench.until(ms(900));
    assert!(bench.seen().want);
    bench.until(ms(10_000));
    assert!(!bench.seen().want);
    assert!(
        matches!(&bench.seen().note, Some(StatusNote::Failed(why)) if why.contains("not repeated")),
        "{:?}",
        bench.seen().note
    );
}

/// The state of applications is reported with every beat, and at once when it changes. Metrics are reported once.
#[test]
fn what_is_seen_is_reported() {
    let (mut bench, _) = Bench::ready(Takeover::Confirmed);
    let reports = |bench: &mut Bench| -> Vec<Report> {
        let out = std::mem::take(&mut bench.out);
        out.into_iter().filter_map(|o| if let Output::Report(report) = o { Some(report) } else { None }).collect()
    };
    let runs = |runs: AppStatus| Input::Looked([("SIP".to_owned(), runs)].into());
    bench.turn(runs(AppStatus::Yes));
    let sent = reports(&mut bench);
    assert_eq!(sent.iter().map(|r| r.watched.clone()).collect::<Vec<_>>(), [Some([("SIP".to_owned(), AppStatus::Yes)].into())]);
    bench.turn(runs(AppStatus::Yes));
    let cpu = Metric { name: "cpu".to_owned(), mount: String::new(), thousandths: 5 };
    bench.turn(Input::Measured(vec![cpu.clone()]));
    assert_eq!(reports(&mut bench), [], "nothing changed, and what was measured waits for the next beat");
    bench.now = bench.now + HEARTBEAT;
    bench.turn(Input::Timer);
    bench.now = bench.now + HEARTBEAT;
    bench.turn(Input::Timer);
    let sent = reports(&mut bench);
    assert_eq!(sent.iter().map(|r| r.metrics.clone()).collect::<Vec<_>>(), [vec![cpu], Vec::new()]);
    assert!(sent.iter().all(|r| r.watched.is_some()));
    bench.turn(runs(AppStatus::No));
    assert_eq!(reports(&mut bench).len(), 1);
}

/// Tests of a resource that is held by the votes of the controller, this host `h` and two others.
mod quorum {
    use super::*;
    use crate::core::wire::{Electorate, PeerMessage, Refusal, Vote, VoteRequest};

    const TERM: Duration = Duration::from_secs(3);

    fn by_votes() -> Terms {
        let voters = Arc::new(["h", "a", "b"].map(str::to_owned).into());
        Terms { voters, witnesses: Vec::new(), ..terms(Takeover::Quorum) }
    }

    fn take_with(vote: bool) -> Action {
        Action::Take { probe: Probe::Nothing, terms: by_votes(), vote, clear: BTreeMap::new() }
    }

    /// The requests that were sent to other hosts since the last call.
    fn requests(bench: &mut Bench) -> Vec<(Name, VoteRequest)> {
        let of = |output: &Output| match output {
            Output::Peer(to, PeerMessage::Request(request)) => Some((to.clone(), request.clone())),
            _ => None,
        };
        let all = bench.out.iter().filter_map(of).collect();
        bench.out.retain(|o| !matches!(o, Output::Peer(..)));
        all
    }

    fn votes(bench: &mut Bench, from: &str, request: &VoteRequest, refused: Option<Refusal>) {
        let VoteRequest { resource, generation, number, .. } = request.clone();
        let vote = Vote { resource, generation, number, refused };
        bench.turn(Input::Peer(from.to_owned(), PeerMessage::Vote(vote)));
    }

    /// What this agent answers to a request of another host.
    fn asked(bench: &mut Bench, from: &str, generation: Generation, clear: BTreeMap<Name, Generation>) -> Option<Refusal> {
        let number = Echo { incarnation: 9, beat: 1 };
        let request = VoteRequest { controller: 7, resource: VIP.to_owned(), generation, term: TERM, number, clear };
        bench.turn(Input::Peer(from.to_owned(), PeerMessage::Request(request)));
        let answer = |o: &Output| match o {
            Output::Peer(to, PeerMessage::Vote(vote)) if to == from => Some(vote.refused.clone()),
            _ => None,
        };
        let answer = bench.out.iter().rev().find_map(answer).unwrap();
        bench.out.retain(|o| !matches!(o, Output::Peer(..)));
        answer
    }

    fn electorate(bench: &mut Bench) {
        let placements = ["h", "a"].map(str::to_owned).into();
        let peers = ["h", "a", "b"].map(|h| (h.to_owned(), None)).into();
        let longest = crate::core::vote::promise_lasts(TERM);
        bench.command(0, Action::Electorate(Electorate { placements, peers, longest }));
    }

    /// Lets the agent vote: it knows for whom, and no promise of before its start can last.
    fn may_vote(bench: &mut Bench) {
        bench.agent.started = Time::MIN;
        electorate(bench);
    }

    #[test]
    fn nothing_is_added_before_a_majority_and_the_kernel_ends_it_with_the_votes() {
        let (mut bench, _) = Bench::ready(Takeover::Quorum);
        may_vote(&mut bench);
        bench.command(1, take_with(true));
        let sent = requests(&mut bench);
        assert_eq!(sent.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["a", "b"], "the own agent is asked here");
        assert_eq!(bench.drives(), [], "two votes of four voters are no majority");
        bench.now = ms(200);
        votes(&mut bench, "a", &sent[0].1, Some(Refusal::Promised("c".to_owned())));
        votes(&mut bench, "stranger", &sent[1].1, None);
        assert_eq!(bench.drives(), []);
        votes(&mut bench, "b", &sent[1].1, None);
        // Asked at 0 ms: the term of 3 s, and the time for which the kernel may keep it longer.
        assert!(matches!(bench.drives()[..], [Operation::Add { until: Some(until), .. }] if until == ms(3_600)));
        bench.driven(None, Presence::Yes);
        assert!(bench.agent.holds(VIP));
        // Each further majority prolongs the hold.
        bench.until(ms(250));
        let again = requests(&mut bench);
        bench.drives();
        votes(&mut bench, "a", &again[0].1, None);
        assert_eq!(bench.drives(), [], "the controller's vote of before is older");
        votes(&mut bench, "b", &again[1].1, None);
        assert!(matches!(bench.drives()[..], [Operation::Add { until: Some(until), .. }] if until == ms(3_850)));
        bench.driven(None, Presence::Yes);
        bench.until(ms(3_249));
        assert!(bench.agent.holds(VIP));
        bench.until(ms(3_250));
        assert!(!bench.agent.holds(VIP), "no votes, no address");
        assert_eq!(bench.seen().note, Some(StatusNote::QuorumLost));
    }

    #[test]
    fn a_take_that_finds_no_majority_is_given_up_with_the_reasons() {
        let (mut bench, _) = Bench::ready(Takeover::Quorum);
        may_vote(&mut bench);
        bench.command(1, take_with(false));
        let sent = requests(&mut bench);
        votes(&mut bench, "a", &sent[0].1, Some(Refusal::Newer));
        bench.until(ms(30_000));
        let Some(StatusNote::Failed(words)) = bench.seen().note else { panic!("{:?}", bench.seen()) };
        assert_eq!(words, "1 of 4 voters voted for it, and 3 are needed; a: it knows a newer command");
        assert!(!bench.seen().want);
    }

    #[test]
    fn it_votes_for_placements_only_and_for_one_at_a_time() {
        let (mut bench, _) = Bench::ready(Takeover::Quorum);
        assert_eq!(asked(&mut bench, "a", generation(3), BTreeMap::new()), Some(Refusal::OtherController), "it obeys nobody yet");
        may_vote(&mut bench);
        assert!(bench.out.iter().any(|o| matches!(o, Output::Peers(p) if p.keys().eq(["a", "b"].iter()))), "{:?}", bench.out);
        assert_eq!(asked(&mut bench, "b", generation(3), BTreeMap::new()), Some(Refusal::NotAPlacement));
        assert_eq!(asked(&mut bench, "a", generation(3), BTreeMap::new()), None);
        let longest = crate::core::vote::promise_lasts(TERM);
        let on_disk = |o: &Output| matches!(o, Output::Persist(d) if d.longest_promise == longest && d.electorates.len() == 1);
        assert!(bench.out.iter().any(on_disk), "the length of the promise is on disk");
        // The agent can take the resource itself only when its promise to a is void.
        bench.command(4, take_with(true));
        assert!(matches!(bench.agent.voter.promise(bench.now, VIP), Some(p) if p.holder == "a"));
        let clear = [("a".to_owned(), generation(3))].into();
        bench.command(4, Action::Take { probe: Probe::Nothing, terms: by_votes(), vote: true, clear });
        bench.until(ms(300));
        assert!(matches!(bench.agent.voter.promise(bench.now, VIP), Some(p) if p.holder == "h"));
        assert_eq!(asked(&mut bench, "a", generation(3), BTreeMap::new()), Some(Refusal::Newer));
        assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), Some(Refusal::Promised("h".to_owned())));
        // The agent releases the resource: its promise to itself is void at once.
        bench.command(6, Action::Release);
        bench.driven(None, Presence::No);
        assert_eq!(asked(&mut bench, "a", generation(7), BTreeMap::new()), None);
    }

    #[test]
    fn an_agent_that_starts_keeps_what_the_kernel_keeps_and_votes_for_nobody_yet() {
        let mark = AgentMark { generation: generation(4), want: true, terms: Some(by_votes()), place: None };
        let placements = ["h", "a"].map(str::to_owned).into();
        let electorate = Electorate { placements, ..Electorate::default() };
        let durable = Durable {
            controller: Some(7),
            marks: [(VIP.to_owned(), mark)].into(),
            electorates: [(VIP.to_owned(), electorate)].into(),
            longest_promise: crate::core::vote::promise_lasts(TERM),
        };
        let mut bench = Bench::new(durable);
        bench.driven_until(None, Presence::Yes, Some(ms(2_000)));
        assert!(bench.agent.holds(VIP));
        let sent = requests(&mut bench);
        assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), Some(Refusal::Started));
        bench.drives();
        bench.until(ms(1_000));
        votes(&mut bench, "a", &sent[0].1, None);
        assert_eq!(bench.drives(), [], "one vote");
        bench.until(ms(2_000));
        assert!(!bench.agent.holds(VIP), "by then the kernel has dropped it");
    }

    /// A store that was lost, or that is an older copy, does not make a voter vote twice.
    #[test]
    fn an_agent_whose_store_was_lost_or_copied_waits_as_long_as_a_promise_may_last() {
        let usual = crate::core::vote::promise_lasts(crate::core::base::limits::ISOLATION);
        for (is_copy, promise) in [(false, usual), (true, crate::core::vote::promise_lasts_most())] {
            let mut bench = Bench::new(Durable::default());
            assert_eq!(bench.agent.distrust_store(ms(0), is_copy), ms(0) + promise);
            electorate(&mut bench);
            assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), Some(Refusal::Started));
            bench.until(ms(0) + promise - Duration::from_millis(1));
            assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), Some(Refusal::Started));
            bench.now = ms(0) + promise;
            assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), None);
        }
    }

    /// An agent without its store does not know how long its promises were. Its controller does, and what it says is kept.
    #[test]
    fn a_promise_that_the_store_does_not_know_is_waited_for() {
        let longest = Duration::from_millis(11_100);
        let mut bench = Bench::new(Durable::default());
        bench.agent.distrust_store(ms(0), false);
        bench.command(1, take_with(true));
        bench.until(ms(9_000));
        assert_eq!(bench.agent.voter.promise(bench.now, VIP), None, "not even itself, before it knows how long");
        let placements = ["h", "a"].map(str::to_owned).into();
        bench.command(0, Action::Electorate(Electorate { placements, longest, ..Electorate::default() }));
        assert!(bench.out.iter().any(|o| matches!(o, Output::Persist(d) if d.longest_promise == longest)), "for its next start");
        bench.until(ms(11_099));
        assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), Some(Refusal::Started));
        bench.now = ms(11_100);
        assert_eq!(asked(&mut bench, "a", generation(5), BTreeMap::new()), None);
        // A request for a longer vote tells it as much.
        let number = Echo { incarnation: 9, beat: 2 };
        let term = Duration::from_secs(20);
        let request = VoteRequest {
            controller: 7,
            resource: VIP.to_owned(),
            generation: generation(6),
            term,
            number,
            clear: BTreeMap::new(),
        };
        bench.turn(Input::Peer("a".to_owned(), PeerMessage::Request(request)));
        assert_eq!(bench.agent.voter.longest(), crate::core::vote::promise_lasts(term));
        assert_eq!(asked(&mut bench, "a", generation(6), BTreeMap::new()), Some(Refusal::Started));
        let never = Electorate { longest: Duration::MAX, ..Electorate::default() };
        bench.command(0, Action::Electorate(never));
        assert_eq!(bench.agent.voter.longest(), crate::core::vote::promise_lasts_most(), "no number makes it silent for ever");
    }

    #[test]
    fn without_a_majority_it_is_kept_where_the_terms_say_so() {
        let keeps = Terms { on_quorum_loss: OnQuorumLoss::Keep, ..by_votes() };
        let (mut bench, _) = Bench::ready(Takeover::Quorum);
        may_vote(&mut bench);
        bench.command(1, Action::Take { probe: Probe::Nothing, terms: keeps, vote: true, clear: BTreeMap::new() });
        let sent = requests(&mut bench);
        assert_eq!(bench.drives(), [], "to take it needs a majority all the same");
        votes(&mut bench, "a", &sent[0].1, None);
        assert!(matches!(bench.drives()[..], [Operation::Add { until: None, .. }]));
        bench.driven_until(None, Presence::Yes, None);
        bench.until(ms(60_000));
        assert!(bench.agent.holds(VIP));
    }

    #[test]
    fn a_station_that_claims_the_address_is_reported_until_it_is_silent() {
        let (mut bench, terms) = Bench::ready(Takeover::Confirmed);
        bench.command(1, take(&terms, Probe::Nothing)).driven(None, Presence::Yes);
        bench.out.clear();
        let reported = |bench: &Bench| {
            bench.out.iter().rev().find_map(|o| match o {
                Output::Report(report) => Some(report.rivals.contains(VIP)),
                _ => None,
            })
        };
        bench.turn(Input::Rival { resource: VIP.to_owned() });
        assert_eq!(reported(&bench), Some(true), "at once");
        for second in 1..60 {
            bench.until(ms(second * 1_000));
            if bench.out.iter().any(|o| matches!(o, Output::Ask { .. })) {
                bench.turn(Input::Rival { resource: VIP.to_owned() });
            }
            assert_eq!(reported(&bench), Some(true), "it answers, {second} s");
            bench.out.clear();
        }
        bench.until(ms(90_000));
        assert_eq!(reported(&bench), Some(false));
    }
}
