//! Attacks everything at once, for minutes: floods, many connections, notifications that hang, files that rotate, and programs
//! that are killed, while two servers claim the address alternately.
//!
//! ```text
//!   client's network: datagrams (unmatched, matched, forged, 60 KB) - connections that say one byte - handshakes that never end
//!   control:          a followed file that rotates - the controller is killed - notifications whose command hangs
//!   sip1, sip2:       claims by turns over TCP - agents are killed
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::core::base::limits::MEMORY;
use crate::core::base::time::Time;
use crate::shell::linux::{boot_time, lab};
use crate::shell::live::questions::Question;

use super::flood::{Flood, claim};
use super::network::{ControllerSite, Lab, Layout};

const RULES: &str = "\
pattern failed { match /Failed password for (?<user>\\S+) from (?<peer>\\S+)/ }
alarm guessing { detect 5 of failed by peer within 1m cancel after 10m }
pattern told { match /NOTIFY (?<who>\\S+)/ }
alarm tells { detect told by who cancel at once react hangs }
reaction hangs { script \"hangs.rhai\" timeout 10s }
";
const SCRIPT: &str = "const PARAMS = #{};\nfn react(alarm, event, params) { notify(\"hangs\", event.who); }\n";

/// The number of connections that one crowd keeps open.
const CROWD: usize = 1_500;
/// The number of connections that a crowd opens per second.
const A_SECOND: u64 = 2_000;
/// How long each kind of datagrams is sent before the next one.
const EACH_FLOOD: Duration = Duration::from_secs(5);
/// How long servers are quiet between two claims.
const PAUSE: Duration = Duration::from_millis(500);
/// One of this number of claims coincides with killing the controller, and one with killing an agent: those with these numbers.
const KILL_EVERY: u64 = 20;
const KILL_CONTROLLER: u64 = 6;
const KILL_AGENT: u64 = 12;
/// A claim that has not moved the address after this time counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first bytes of a TLS handshake that is never completed.
const HELLO: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

/// What is killed at the moment of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Killed {
    Nothing,
    Controller,
    /// The agent of the host that the claim names, which is to take the address.
    Taker,
    /// The agent of the other host, which has the address.
    Holder,
}

impl Killed {
    /// What a claim coincides with, by its number.
    fn at(claim: u64) -> Killed {
        match (claim % KILL_EVERY, claim / KILL_EVERY % 2) {
            (KILL_CONTROLLER, _) => Killed::Controller,
            (KILL_AGENT, 0) => Killed::Taker,
            (KILL_AGENT, _) => Killed::Holder,
            _ => Killed::Nothing,
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Killed::Nothing => "nothing was killed",
            Killed::Controller => "the controller was killed",
            Killed::Taker => "the taker's agent was killed",
            Killed::Holder => "the holder's agent was killed",
        }
    }
}

/// The results of a siege.
#[derive(Clone, Debug, Default)]
pub struct Siege {
    /// The claims of servers, and how many of them moved the address.
    pub claims: u64,
    pub moved: u64,
    /// The times from a claim until the address is on its host, sorted, by what was killed at the moment of the claim.
    pub delays: BTreeMap<Killed, Vec<Duration>>,
    /// The times from killing the controller until its successor answers an operator, sorted.
    pub answers: Vec<Duration>,
    /// How often the controller ended by itself.
    pub ended: u64,
    /// The peak memory of the controller and its limit, in bytes.
    pub memory: [u64; 2],
    /// The numbers of datagrams and connections of the attackers.
    pub sent: [u64; 2],
    /// How long two hosts had the address at once.
    pub overlap: Option<Duration>,
}

impl Siege {
    /// True if nothing was lost that must not be lost.
    pub fn is_well(&self) -> bool {
        self.moved == self.claims && self.ended == 0 && self.overlap.is_none() && self.memory[0] <= self.memory[1]
    }
}

/// Attacks a controller for this time, and reports once a minute.
///
/// # Errors
/// Returns an error text if the networks cannot be made, or a program does not start.
pub fn siege(program: &Path, lasts: Duration, tell: &mut dyn FnMut(&Siege)) -> Result<Siege, String> {
    let mut lab = Lab::start(program, Layout::usual(ControllerSite::Apart))?;
    let seen = besiege(&mut lab, lasts, tell);
    match &seen {
        Ok(seen) if seen.is_well() => {}
        Ok(_) => drop(lab.keep()),
        Err(why) => {
            let log = lab.said("controller.log");
            let last = log.lines().next_back().unwrap_or_default();
            return Err(format!("{why}; the controller said last: {last}; files are in {}", lab.keep().display()));
        }
    }
    seen
}

fn besiege(lab: &mut Lab, lasts: Duration, tell: &mut dyn FnMut(&Siege)) -> Result<Siege, String> {
    lab.kill_controller();
    prepare(lab).map_err(|e| e.to_string())?;
    lab.start_controller()?;
    let attackers = Attackers::start(lab).map_err(|e| e.to_string())?;
    let mut seen = Siege { memory: [0, MEMORY as u64], ..Siege::default() };
    let mut servers = [Server::new("sip1"), Server::new("sip2")];
    let end = boot_time() + lasts;
    let mut report_at = boot_time() + Duration::from_secs(60);
    while boot_time() < end {
        let killed = Killed::at(seen.claims);
        let server = &mut servers[(seen.claims % 2) as usize];
        seen.claims += 1;
        let since = boot_time();
        server.claim(lab);
        match killed {
            Killed::Nothing => {}
            Killed::Controller => {
                lab.kill_controller();
                lab.start_controller_alone()?;
            }
            Killed::Taker | Killed::Holder => {
                let host = if killed == Killed::Taker { server.host } else { other(server.host) };
                lab.kill_agent(host);
                lab.start_agent_alone(host)?;
            }
        }
        let lab_now: &Lab = lab;
        let (moved, answered) = thread::scope(|scope| {
            let answers = move || lab_now.until("the controller answers", |lab| lab.ask(&Question::Resources).is_ok());
            let asking =
                (killed == Killed::Controller).then(|| scope.spawn(move || answers().map(|()| boot_time().since(since))));
            let moved = server.wait(lab_now, since);
            (moved, asking.and_then(|asking| asking.join().ok()))
        });
        if let Some(delay) = moved {
            seen.moved += 1;
            insert(seen.delays.entry(killed).or_default(), delay);
        }
        if let Some(answered) = answered {
            insert(&mut seen.answers, answered?);
        }
        match lab.controller_process() {
            Some(process) => seen.memory[0] = seen.memory[0].max(most_memory(process)),
            None => {
                seen.ended += 1;
                lab.start_controller()?;
            }
        }
        if boot_time() >= report_at {
            report_at = boot_time() + Duration::from_secs(60);
            seen.sent = attackers.sent();
            tell(&seen);
        }
        thread::sleep(PAUSE);
    }
    seen.sent = attackers.end();
    seen.overlap = lab.overlap();
    Ok(seen)
}

/// Inserts a time into a sorted list.
fn insert(sorted: &mut Vec<Duration>, span: Duration) {
    let place = sorted.partition_point(|before| *before <= span);
    sorted.insert(place, span);
}

fn other(host: &str) -> &'static str {
    if host == "sip1" { "sip2" } else { "sip1" }
}

/// Writes the configuration with everything that is attacked.
fn prepare(lab: &Lab) -> io::Result<()> {
    let path = lab.folder().join("pointsman.yaml");
    let config = fs::read_to_string(&path)?
        .replace("[udp://10.77.0.3:514]", "[udp://10.77.0.3:514, tcp://10.77.0.3:601]")
        .replace("trust: unverified", "trust: address")
        .replace("moves: 1000 per", "moves: 100000 per");
    fs::write(&path, config + "channels:\n  hangs: { command: [/bin/sleep, \"1000\"] }\n")?;
    fs::write(lab.folder().join("rules/siege.alarm"), RULES)?;
    fs::write(lab.folder().join("scripts/hangs.rhai"), SCRIPT)
}

/// The peak memory of a process in bytes (proc(5), VmHWM).
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// A server that claims, and repeats its claim if its connection breaks, as a log forwarder does.
struct Server {
    host: &'static str,
    stream: Option<TcpStream>,
}

impl Server {
    fn new(host: &'static str) -> Server {
        Server { host, stream: None }
    }

    fn claim(&mut self, lab: &Lab) {
        if self.stream.is_none() {
            let connected = lab::within(lab.process(self.host), || TcpStream::connect("10.77.0.3:601"));
            self.stream = connected.ok().filter(|s| s.set_nonblocking(true).is_ok());
        }
        let record = format!("{}\n", claim(self.host));
        if self.stream.as_mut().is_some_and(|s| s.write_all(record.as_bytes()).is_err()) {
            self.stream = None;
        }
    }

    /// Waits until only this host has the address, and returns how long it took.
    fn wait(&mut self, lab: &Lab, since: Time) -> Option<Duration> {
        while boot_time().since(since) < PATIENCE {
            if lab.holders() == [self.host] {
                return Some(boot_time().since(since));
            }
            let broken = match &mut self.stream {
                None => true,
                Some(stream) => match stream.read(&mut [0; 1]) {
                    Err(e) => e.kind() != io::ErrorKind::WouldBlock,
                    Ok(_) => true,
                },
            };
            if broken {
                self.stream = None;
                thread::sleep(Duration::from_millis(20));
                self.claim(lab);
            }
            thread::sleep(Duration::from_millis(1));
        }
        None
    }
}

/// Threads that attack until they are ended.
struct Attackers {
    stop: Arc<AtomicBool>,
    datagrams: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Attackers {
    fn start(lab: &Lab) -> io::Result<Attackers> {
        let mut all =
            Attackers { stop: Arc::default(), datagrams: Arc::default(), connections: Arc::default(), threads: Vec::new() };
        let client = lab.process("client");
        all.thread(client, |a| a.datagrams())?;
        all.thread(client, |a| a.notifications())?;
        all.thread(client, |a| a.crowd("10.77.0.3:601", b"<"))?;
        all.thread(client, |a| a.crowd("10.77.0.3:5750", HELLO))?;
        let file = lab.folder().join("sip.log");
        all.thread(client, move |a| a.rotates(&file))?;
        Ok(all)
    }

    fn thread(&mut self, process: u32, work: impl FnOnce(&Attacker) -> io::Result<()> + Send + 'static) -> io::Result<()> {
        let attacker =
            Attacker { stop: self.stop.clone(), datagrams: self.datagrams.clone(), connections: self.connections.clone() };
        let work = move || drop(lab::within(process, || work(&attacker)));
        self.threads.push(thread::Builder::new().name("attacker".to_owned()).spawn(work)?);
        Ok(())
    }

    fn sent(&self) -> [u64; 2] {
        [&self.datagrams, &self.connections].map(|n| n.load(Ordering::Relaxed))
    }

    fn end(mut self) -> [u64; 2] {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.sent()
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The data of each attacking thread.
struct Attacker {
    stop: Arc<AtomicBool>,
    datagrams: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

impl Attacker {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Sends datagrams as fast as possible, one kind after another.
    fn datagrams(&self) -> io::Result<()> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect("10.77.0.3:514")?;
        let large = "x".repeat(60_000);
        let mut kinds: VecDeque<Option<Flood>> = [Some(Flood::Unmatched), Some(Flood::Matched), Some(Flood::Forged), None].into();
        while self.goes_on() {
            let kind = kinds[0];
            kinds.rotate_left(1);
            let until = boot_time() + EACH_FLOOD;
            let mut n = 0;
            while self.goes_on() && boot_time() < until {
                for _ in 0..64 {
                    n += 1;
                    let record = match kind {
                        Some(flood) => flood.record(n),
                        None => format!("{} {large}", Flood::Matched.record(n)),
                    };
                    if socket.send(record.as_bytes()).is_ok() {
                        self.datagrams.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends events that each start a notification whose command hangs.
    fn notifications(&self) -> io::Result<()> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect("10.77.0.3:514")?;
        let mut n = 0u64;
        while self.goes_on() {
            n += 1;
            let _ = socket.send(format!("<13>1 - h a - - - NOTIFY {n}").as_bytes());
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Opens connections that send little and stay open. The oldest is closed for the newest.
    fn crowd(&self, to: &str, says: &[u8]) -> io::Result<()> {
        let mut open: VecDeque<TcpStream> = VecDeque::new();
        let address = to.parse().map_err(io::Error::other)?;
        while self.goes_on() {
            if let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
                let _ = stream.set_nonblocking(true);
                let _ = stream.write_all(says);
                self.connections.fetch_add(1, Ordering::Relaxed);
                open.push_back(stream);
            }
            if open.len() > CROWD {
                open.pop_front();
            }
            thread::sleep(Duration::from_micros(1_000_000 / A_SECOND));
        }
        Ok(())
    }

    /// Writes to a log, and rotates it every second.
    fn rotates(&self, path: &Path) -> io::Result<()> {
        let rotated: Vec<PathBuf> = (1..=3).map(|n| PathBuf::from(format!("{}.{n}", path.display()))).collect();
        while self.goes_on() {
            let mut file = OpenOptions::new().append(true).create(true).open(path)?;
            for n in 0..100u64 {
                writeln!(file, "{}", Flood::Matched.record(n))?;
                thread::sleep(Duration::from_millis(10));
            }
            let _ = fs::rename(&rotated[1], &rotated[2]);
            let _ = fs::rename(&rotated[0], &rotated[1]);
            fs::rename(path, &rotated[0])?;
        }
        Ok(())
    }
}
