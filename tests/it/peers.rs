//! Agents that communicate with each other: whose messages arrive, and whose do not.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tokio::sync::mpsc;

use pointsman::core::inventory::Listening;
use pointsman::core::wire::{Command, Echo, Generation, PeerMessage, Report, Vote};
use pointsman::shell::tls::{self, Agents, Authority, Identity, Peers};

use crate::support::Folder;

const HOSTS: [&str; 3] = ["sip1", "sip2", "sip3"];
/// The maximum number of attempts: something happens within a minute, or never.
const TRIES: u32 = 1_200;
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct Gate;

impl Agents for Gate {
    fn expects(&self, _: &str) -> bool {
        true
    }
    fn hosts(&self) -> Vec<String> {
        HOSTS.map(str::to_owned).to_vec()
    }
    fn cloned(&self, _: &str, _: std::net::IpAddr, _: std::net::IpAddr) {}
    fn reached(&self, _: &str, _: u64, commands: mpsc::Sender<Command>) {
        tokio::spawn(async move { commands.closed().await });
    }
    fn gone(&self, _: &str, _: u64) {}
    fn reports(&self, _: Report) {}
}

/// A controller with three enrolled agents. Each of them was connected and has the others' keys.
struct Bench {
    folder: Folder,
    authority: Arc<Authority>,
    runtime: tokio::runtime::Runtime,
    identities: BTreeMap<&'static str, Identity>,
    /// Keeps the agents connected.
    _reports: Vec<mpsc::Sender<Report>>,
}

struct Agent {
    peers: Peers,
    address: SocketAddr,
    heard: Receiver<(String, PeerMessage)>,
}

impl Bench {
    fn new() -> Bench {
        let folder = Folder::new();
        let authority = Arc::new(Authority::open(&folder.join("keys")).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime
            .block_on(async { tls::listen("127.0.0.1:0".parse().unwrap(), authority.clone(), runtime.handle().clone()) })
            .unwrap();
        let controller = listener.address().to_string();
        runtime.spawn(listener.run(Gate));
        let (mut senders, mut identities) = (Vec::new(), BTreeMap::new());
        for host in HOSTS {
            let token = authority.token(host).unwrap();
            runtime.block_on(tls::enroll(&controller, &token, host, &folder.join(host))).unwrap();
            let identity = Identity::open(&folder.join(host), host).unwrap();
            identities.insert(host, identity.clone());
            let (reports, waiting) = mpsc::channel(4);
            let (controller, beats) = (controller.clone(), reports.clone());
            runtime.spawn(async move { tls::connect(&controller, &identity, waiting, |_| {}).await });
            runtime.spawn(async move {
                for beat in 1.. {
                    let report = Report { host: host.to_owned(), beat: Echo { incarnation: 1, beat }, ..Report::default() };
                    if beats.send(report).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            });
            senders.push(reports);
        }
        let bench = Bench { folder, authority, runtime, identities, _reports: senders };
        for host in HOSTS {
            until(|| HOSTS.iter().all(|other| bench.known(host).contains(other)));
        }
        bench
    }

    fn keys(&self, host: &str) -> PathBuf {
        self.folder.join(host)
    }

    /// The other agents' keys, as an agent stores them.
    fn known(&self, host: &str) -> String {
        std::fs::read_to_string(self.keys(host).join("peers.json")).unwrap_or_default()
    }

    /// Starts the agent that is connected to the controller.
    fn start(&self, host: &str) -> Agent {
        self.start_with(self.identities[host].clone())
    }

    /// Starts an agent with the content of its folder and without a controller.
    fn start_alone(&self, host: &str) -> Agent {
        self.start_with(Identity::open(&self.keys(host), host).unwrap())
    }

    fn start_with(&self, identity: Identity) -> Agent {
        let (sender, heard) = channel();
        let hear = move |from, message| drop(sender.send((from, message)));
        let _within = self.runtime.enter();
        let (peers, address) = Peers::start(identity, Listening::At("127.0.0.1:0".parse().unwrap()), hear).unwrap();
        Agent { peers, address: address.unwrap(), heard }
    }
}

fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..TRIES {
        if done() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("it did not come to this");
}

fn message(beat: u64) -> PeerMessage {
    let number = Echo { incarnation: 1, beat };
    PeerMessage::Vote(Vote { resource: "vip".to_owned(), generation: Generation::NONE, number, refused: None })
}

fn at(host: &str, address: Option<SocketAddr>) -> BTreeMap<String, Option<SocketAddr>> {
    [(host.to_owned(), address)].into()
}

/// Repeats a message until it arrives.
fn arrives(from: &Agent, to: &str, at: &Agent, beat: u64, named: &str) {
    until(|| {
        from.peers.send(to, message(beat));
        at.heard.try_iter().any(|heard| heard == (named.to_owned(), message(beat)))
    });
}

/// Either side may connect, and the other answers by the same connection. The keys are kept for a start without a controller.
#[test]
fn agents_speak_with_each_other() {
    let bench = Bench::new();
    let (first, second) = (bench.start("sip1"), bench.start("sip2"));
    first.peers.set(at("sip2", Some(second.address)));
    second.peers.set(at("sip1", None));
    arrives(&first, "sip2", &second, 1, "sip1");
    arrives(&second, "sip1", &first, 2, "sip2");
    // The first agent restarts with another address.
    first.peers.set(BTreeMap::new());
    let again = bench.start_alone("sip1");
    again.peers.set(at("sip2", Some(second.address)));
    arrives(&again, "sip2", &second, 3, "sip1");
    arrives(&second, "sip1", &again, 4, "sip2");
    // Both connect at once, and messages of both arrive.
    second.peers.set(at("sip1", Some(again.address)));
    arrives(&second, "sip1", &again, 5, "sip2");
    arrives(&again, "sip2", &second, 6, "sip1");
}

/// Messages for an unreachable agent are dropped, the oldest first. Nothing grows, and nobody waits.
#[test]
fn words_for_an_agent_that_is_not_there_are_dropped() {
    let bench = Bench::new();
    let (first, second) = (bench.start("sip1"), bench.start("sip2"));
    let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
    first.peers.set(at("sip2", Some(nowhere)));
    for beat in 0..100_000 {
        first.peers.send("sip2", message(beat));
        first.peers.send("unknown", message(beat));
    }
    second.peers.set(at("sip1", None));
    first.peers.set(at("sip2", Some(second.address)));
    arrives(&first, "sip2", &second, 100_000, "sip1");
    assert!(second.heard.try_iter().count() <= 1_024 + TRIES as usize);
}

#[test]
fn a_revoked_or_foreign_agent_gets_nothing_and_its_messages_do_not_count() {
    let bench = Bench::new();
    let (first, second, third) = (bench.start("sip1"), bench.start("sip2"), bench.start("sip3"));
    let all = |address| HOSTS.iter().map(|host| ((*host).to_owned(), address)).collect::<BTreeMap<_, _>>();
    first.peers.set(all(None));
    for other in [&second, &third] {
        other.peers.set(at("sip1", Some(first.address)));
    }
    arrives(&second, "sip1", &first, 1, "sip2");

    // An authority of another installation signed a certificate for the same name.
    let foreign = Bench::new();
    for file in ["authority.crt", "peers.json"] {
        std::fs::copy(bench.keys("sip2").join(file), foreign.keys("sip2").join(file)).unwrap();
    }
    let forged = foreign.start_alone("sip2");
    forged.peers.set(at("sip1", Some(first.address)));
    // Connections without a certificate. The controller's certificate would be refused as well.
    let silent: Vec<_> = (0..600).map(|_| std::net::TcpStream::connect(first.address).unwrap()).collect();

    bench.authority.revoke("sip2").unwrap();
    until(|| !bench.known("sip1").contains("sip2") && !bench.known("sip3").contains("sip2"));
    while first.heard.try_recv().is_ok() {}
    // Its connection is closed and no other one accepted. A later message of the third agent arrives.
    for beat in 10..30 {
        second.peers.send("sip1", message(beat));
        forged.peers.send("sip1", message(beat));
        first.peers.send("sip2", message(beat));
        std::thread::sleep(PAUSE);
    }
    until(|| {
        third.peers.send("sip1", message(100));
        first.heard.try_iter().any(|(from, said)| {
            assert_eq!(from, "sip3");
            said == message(100)
        })
    });
    assert!(second.heard.try_recv().is_err() && forged.heard.try_recv().is_err());

    // Nothing is sent to a foreign agent that listens on the address of another one.
    first.peers.set(at("sip3", Some(forged.address)));
    for beat in 200..210 {
        first.peers.send("sip3", message(beat));
        std::thread::sleep(PAUSE);
    }
    assert!(forged.heard.try_recv().is_err());
    drop(silent);
}
