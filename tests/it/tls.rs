//! Controller and agents over TLS: who may enroll, who may send reports, and for which host.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc;

use pointsman::core::wire::{Action, Command, Echo, Generation, Report};
use pointsman::shell::tls::{self, Agents, Authority, Identity};

use crate::support::Folder;

const PATIENCE: Duration = Duration::from_secs(20);

/// An agent of these tests sends twenty reports a second: what must happen does within a minute.
const REPORTS: u32 = 1_200;

#[derive(Debug)]
enum Told {
    Reached(String, mpsc::Sender<Command>),
    Gone(String),
    Report(Report),
    Cloned(String, IpAddr, IpAddr),
}

#[derive(Clone)]
struct Gate(Sender<Told>);

impl Agents for Gate {
    fn expects(&self, host: &str) -> bool {
        host.starts_with("sip")
    }
    fn hosts(&self) -> Vec<String> {
        ["sip1", "sip2", "sip3"].map(str::to_owned).to_vec()
    }
    fn cloned(&self, host: &str, first: IpAddr, second: IpAddr) {
        let _ = self.0.send(Told::Cloned(host.to_owned(), first, second));
    }
    fn reached(&self, host: &str, _: u64, commands: mpsc::Sender<Command>) {
        self.0.send(Told::Reached(host.to_owned(), commands)).unwrap();
    }
    fn gone(&self, host: &str, _: u64) {
        let _ = self.0.send(Told::Gone(host.to_owned()));
    }
    fn reports(&self, report: Report) {
        self.0.send(Told::Report(report)).unwrap();
    }
}

struct Bench {
    folder: Folder,
    authority: Arc<Authority>,
    runtime: tokio::runtime::Runtime,
    address: String,
    told: Receiver<Told>,
}

impl Bench {
    fn new() -> Bench {
        let folder = Folder::new();
        let authority = Arc::new(Authority::open(&folder.join("keys")).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime
            .block_on(async { tls::listen("127.0.0.1:0".parse().unwrap(), authority.clone(), runtime.handle().clone()) })
            .unwrap();
        let address = listener.address().to_string();
        let (sender, told) = channel();
        runtime.spawn(listener.run(Gate(sender)));
        Bench { folder, authority, runtime, address, told }
    }

    fn enroll(&self, token: &str, agent: &str) -> Result<(), String> {
        let host = token.split(':').next().unwrap();
        self.runtime.block_on(tls::enroll(&self.address, token, host, &self.folder.join(agent)))
    }

    /// An agent that stays connected: the sender of its reports, and the commands that it receives.
    fn connect(&self, agent: &str, host: &str) -> (mpsc::Sender<Report>, Receiver<Command>) {
        let identity = Identity::open(&self.folder.join(agent), host).unwrap();
        let (reports, waiting) = mpsc::channel(4);
        let (sender, commands) = channel();
        let address = self.address.clone();
        self.runtime.spawn(async move {
            tls::connect(&address, &identity, waiting, move |c| drop(sender.send(c))).await;
        });
        (reports, commands)
    }

    fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("something happens in time")
    }
}

fn report(host: &str, beat: u64) -> Report {
    Report { host: host.to_owned(), beat: Echo { incarnation: 1, beat }, ..Report::default() }
}

#[test]
fn an_agent_enrolls_reports_and_gets_commands() {
    let bench = Bench::new();
    let token = bench.authority.token("sip1").unwrap();
    bench.enroll(&token, "a").unwrap();
    let (reports, commands) = bench.connect("a", "sip1");
    let Told::Reached(host, controller) = bench.next() else { panic!() };
    assert_eq!(host, "sip1");
    bench.runtime.block_on(reports.send(report("sip1", 1))).unwrap();
    let Told::Report(came) = bench.next() else { panic!() };
    assert_eq!(came, report("sip1", 1));
    let command = Command {
        controller: 7,
        resource: "vip".to_owned(),
        generation: Generation { epoch: 1, n: 2 },
        echo: came.beat,
        action: Action::Release,
    };
    bench.runtime.block_on(controller.send(command.clone())).unwrap();
    assert_eq!(commands.recv_timeout(PATIENCE).unwrap(), command);
    // It may report for its own host only. Afterwards it connects again.
    bench.runtime.block_on(reports.send(report("sip2", 2))).unwrap();
    assert!(matches!(bench.next(), Told::Gone(host) if host == "sip1"));
    assert!(matches!(bench.next(), Told::Reached(host, _) if host == "sip1"));
    drop(reports);
    assert!(matches!(bench.next(), Told::Gone(_)));
}

#[test]
fn a_token_is_good_once_for_its_host_and_its_controller() {
    let bench = Bench::new();
    let token = bench.authority.token("sip1").unwrap();
    let parts: Vec<&str> = token.split(':').collect();
    let other = format!("sip2:{}:{}", parts[1], parts[2]);
    assert!(bench.enroll(&other, "b").unwrap_err().contains("the token for sip2 is wrong"));
    let elsewhere = format!("sip1:{}:{}", parts[1], "00".repeat(32));
    assert!(bench.enroll(&elsewhere, "b").unwrap_err().contains("not the controller that made the token"));
    let hostile = format!("../../x:{}:{}", parts[1], parts[2]);
    assert!(bench.enroll(&hostile, "b").unwrap_err().contains("can't be the name of a host"));
    assert!(bench.enroll("nonsense", "b").unwrap_err().contains("not a token"));
    bench.enroll(&token, "a").unwrap();
    assert!(bench.enroll(&token, "b").unwrap_err().contains("used already"));
    // A second token makes the first one invalid.
    let (first, second) = (bench.authority.token("sip1").unwrap(), bench.authority.token("sip1").unwrap());
    assert!(bench.enroll(&first, "b").is_err());
    bench.enroll(&second, "b").unwrap();
    // The token of another host is not used up, and the certificate of another host is not used.
    let token = bench.authority.token("sip2").unwrap();
    let address = bench.address.clone();
    let wrong = bench.runtime.block_on(tls::enroll(&address, &token, "sip1", &bench.folder.join("c")));
    assert!(wrong.unwrap_err().contains("the token is for sip2"));
    bench.enroll(&token, "d").unwrap();
    assert!(Identity::open(&bench.folder.join("d"), "sip1").unwrap_err().contains("is that of sip2"));
    let why = Identity::open(&bench.folder.join("c"), "sip1").unwrap_err();
    assert!(why.contains("pointsman enroll"), "{why}");
}

#[test]
fn revoked_replaced_foreign_and_unknown_agents_are_refused() {
    let bench = Bench::new();
    for (agent, host) in [("a", "sip1"), ("stranger", "elsewhere"), ("last", "sip2")] {
        let token = bench.authority.token(host).unwrap();
        bench.enroll(&token, agent).unwrap();
    }
    bench.authority.revoke("sip1").unwrap();
    assert!(bench.authority.revoke("sip1").unwrap_err().contains("no certificate"));
    // A certificate of another authority.
    let foreign = Bench::new();
    foreign.enroll(&foreign.authority.token("sip1").unwrap(), "a").unwrap();
    let theirs = foreign.folder.join("a");
    std::fs::copy(bench.folder.join("a/authority.crt"), theirs.join("authority.crt")).unwrap();
    let identity = Identity::open(&theirs, "sip1").unwrap();
    let (_reports, waiting) = mpsc::channel(4);
    let address = bench.address.clone();
    bench.runtime.spawn(async move { tls::connect(&address, &identity, waiting, |_| {}).await });
    let _revoked = bench.connect("a", "sip1");
    let _stranger = bench.connect("stranger", "elsewhere");
    // The valid agent is connected. The others tried before it, and none succeeded.
    let _last = bench.connect("last", "sip2");
    let Told::Reached(host, _) = bench.next() else { panic!() };
    assert_eq!(host, "sip2");
    assert!(bench.told.recv_timeout(Duration::from_millis(300)).is_err(), "nobody else");
}

/// An agent that reports until this is dropped.
fn report_on(bench: &Bench, agent: &str) -> tokio::task::JoinHandle<()> {
    let (reports, _) = bench.connect(agent, "sip1");
    bench.runtime.spawn(async move {
        for beat in 1.. {
            if reports.send(report("sip1", beat)).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

impl Bench {
    /// The next result that is not a report.
    fn next_but_reports(&self) -> Told {
        for _ in 0..REPORTS {
            match self.next() {
                Told::Report(_) => {}
                told => return told,
            }
        }
        panic!("nothing happens but reports");
    }
}

/// It does not wait for the next connection.
#[test]
fn revocation_and_a_new_enrolment_end_a_connection() {
    let bench = Bench::new();
    for again in [false, true] {
        // Each has its own folder, because an agent reads its files whenever it connects.
        let folder = format!("a-{again}");
        bench.enroll(&bench.authority.token("sip1").unwrap(), &folder).unwrap();
        let agent = report_on(&bench, &folder);
        assert!(matches!(bench.next_but_reports(), Told::Reached(..)));
        match again {
            false => bench.authority.revoke("sip1").unwrap(),
            true => bench.enroll(&bench.authority.token("sip1").unwrap(), "b").unwrap(),
        }
        assert!(matches!(bench.next_but_reports(), Told::Gone(host) if host == "sip1"));
        agent.abort();
    }
    // A token that was made before cannot be used either: it is revoked as well.
    let token = bench.authority.token("sip1").unwrap();
    bench.authority.revoke("sip1").unwrap();
    assert!(bench.enroll(&token, "c").is_err());
}

/// Two agents with one identity: the first one stays connected, and the address of the other one is reported.
#[test]
fn a_copied_identity_is_refused_and_named() {
    let bench = Bench::new();
    bench.enroll(&bench.authority.token("sip1").unwrap(), "a").unwrap();
    let first = report_on(&bench, "a");
    assert!(matches!(bench.next_but_reports(), Told::Reached(..)));
    let second = report_on(&bench, "a");
    let local: IpAddr = "127.0.0.1".parse().unwrap();
    assert!(matches!(bench.next_but_reports(), Told::Cloned(host, a, b) if host == "sip1" && (a, b) == (local, local)));
    // When the first one has gone, the second one represents the host.
    first.abort();
    loop {
        match bench.next_but_reports() {
            Told::Cloned(..) | Told::Gone(_) => {}
            Told::Reached(host, _) => break assert_eq!(host, "sip1"),
            Told::Report(_) => unreachable!(),
        }
    }
    second.abort();
}

/// Connections that never send anything delay an agent only for the time that it takes to close them.
#[test]
fn silent_connections_hold_nobody_up() {
    let bench = Bench::new();
    bench.enroll(&bench.authority.token("sip1").unwrap(), "a").unwrap();
    let silent: Vec<_> = (0..600).map(|_| std::net::TcpStream::connect(&bench.address).unwrap()).collect();
    let _agent = bench.connect("a", "sip1");
    assert!(matches!(bench.next(), Told::Reached(host, _) if host == "sip1"));
    drop(silent);
}
