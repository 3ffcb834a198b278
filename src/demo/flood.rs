//! Measures how long moves take during a flood: records that no rule wants, records that rules count, forged claims, alarms that
//! people are notified of, and scrapers of the metrics that hang.

use std::fs;
use std::io::{self, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::core::metrics::MetricId;
use crate::shell::linux::{boot_time, lab, wall_time};
use crate::shell::live::questions::Question;

use super::network::{ControllerSite, Lab, Layout};
use super::workflows::{PRIMARY_NOW, Stage};

/// The kinds of floods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    Quiet,
    /// Datagrams that no rule wants.
    Unmatched,
    /// Datagrams that a rule counts, with many different keys.
    Matched,
    /// Datagrams that claim in the name of both servers.
    Forged,
    /// The same records over TCP, from a host that they do not belong to.
    ForgedTcp,
    /// Datagrams that raise [`ALARMS`] alarms in each second and end them in the next one. A route notifies people of each.
    Alarms,
    /// Scrapers of the metrics that never read the answer, on every connection that the listener accepts.
    Scrapers,
}

/// The alarms of one second of [`Flood::Alarms`].
const ALARMS: u64 = 10_000;
/// The records of [`Flood::Alarms`] that are sent at once.
const AT_ONCE: u64 = 100;
/// The connections of [`Flood::Scrapers`]: more than the listener has.
const SCRAPERS: usize = 100;
/// Where the controller's metrics are.
const METRICS: &str = "127.0.0.1:9469";

impl Flood {
    pub const ALL: [Flood; 7] =
        [Flood::Quiet, Flood::Unmatched, Flood::Matched, Flood::Forged, Flood::ForgedTcp, Flood::Alarms, Flood::Scrapers];

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Flood::Quiet => "quiet",
            Flood::Unmatched => "datagrams that no rule wants",
            Flood::Matched => "datagrams that a rule counts",
            Flood::Forged => "forged claims in datagrams",
            Flood::ForgedTcp => "forged claims over TCP",
            Flood::Alarms => "10,000 alarms a second, notified",
            Flood::Scrapers => "scrapers that hang",
        }
    }

    /// The record with this number.
    pub(super) fn record(self, n: u64) -> String {
        match self {
            Flood::Quiet | Flood::Scrapers => String::new(),
            Flood::Unmatched => format!("<134>1 - web{} nginx - - - GET /index.html?{n} 200", n % 50),
            Flood::Matched => {
                let (a, b) = (n / 250 % 250, n % 250);
                format!("<134>1 - h{} sshd 1 - - Failed password for root from 10.1.{a}.{b} port 22 ssh2", n % 50)
            }
            Flood::Alarms => {
                let state = if (n / ALARMS).is_multiple_of(2) { "down" } else { "up" };
                format!("<131>1 - h{} link 1 - - - interface {} is {state}", n % 50, n % ALARMS)
            }
            Flood::Forged | Flood::ForgedTcp => claim(if n.is_multiple_of(2) { "sip1" } else { "sip2" }),
        }
    }
}

/// The measurements of moves under a flood.
#[derive(Clone, Debug)]
pub struct Flooded {
    /// The times from a server's claim to the client's first answer from its host, sorted.
    pub moves: Vec<Duration>,
    /// The number of records that were sent per second.
    pub a_second: u64,
    /// The counters of the controller's sources: records, wanted, dropped.
    pub counts: [u64; 3],
    /// The number of notifications that people got meanwhile.
    pub notified: u64,
    /// The mean times from a claim's arrival to the first command, and to the new holder's report, as the controller measures
    /// them.
    pub stages: [Duration; 2],
}

const RULE: &str = "\
pattern failed { match /Failed password for (?<user>\\S+) from (?<peer>\\S+)/ }
alarm guessing { detect 5 of failed by peer within 1m cancel after 10m }
pattern link_down { match /interface (?<n>\\d+) is down/ }
pattern link_up { match /interface (?<n>\\d+) is up/ }
alarm interface { category major detect link_down by n cancel when link_up summary \"interface {n} of {host} is down\" }
";

/// The channel and the route that notify people of the alarms, with the default options of a route.
const CHANNEL: &str = "channels: { people: { command: [/bin/true] } }\nroutes: { all: { to: people, alarm: interface } }\n";
/// The histograms of [`Flooded::stages`].
const STAGES: [MetricId; 2] = [MetricId::FirstCommand, MetricId::HolderSeen];

/// Measures this number of moves under each flood, one after another. Servers claim over TCP connections of their own, and a
/// sender with less trust may not move the address.
///
/// # Errors
/// Returns an error text if the networks cannot be made, or a genuine claim did not move the address.
pub fn measure_floods(
    program: &Path,
    count: usize,
    floods: &[Flood],
    tell: &mut dyn FnMut(Flood, &Flooded),
) -> Result<(), String> {
    let mut lab = Lab::start(program, Layout::usual(ControllerSite::Apart))?;
    lab.kill_controller();
    let path = lab.folder().join("pointsman.yaml");
    let words = |e: io::Error| e.to_string();
    let config = fs::read_to_string(&path).map_err(words)?;
    let config = config
        .replace("[udp://10.77.0.3:514]", "[udp://10.77.0.3:514, tcp://10.77.0.3:601]")
        .replace("trust: unverified", "trust: address")
        .replace("moves: 1000 per", "moves: 100000 per");
    fs::write(&path, format!("{config}{CHANNEL}metrics: {{ listen: {METRICS} }}\n")).map_err(words)?;
    fs::write(lab.folder().join("rules/flood.alarm"), RULE).map_err(words)?;
    lab.start_controller()?;
    let stage = Stage::new(&mut lab).map_err(words)?;
    let mut connections = [connect(&stage, "sip1")?, connect(&stage, "sip2")?];
    move_to(&stage, &mut connections, "sip1")?;
    for flood in floods {
        let (before, notified_before, stages_before) = (counts(&stage), notified(&stage), stages(&stage));
        let from = if *flood == Flood::Scrapers { "control" } else { "client" };
        let running = Running::start(*flood, stage.lab.process(from)).map_err(words)?;
        let began = boot_time();
        let mut moves = Vec::new();
        for n in 0..count {
            // Servers claim at intervals. The flood fills all available room meanwhile.
            thread::sleep(Duration::from_millis(20));
            moves.push(move_to(&stage, &mut connections, if n % 2 == 0 { "sip2" } else { "sip1" })?);
        }
        if count % 2 == 1 {
            move_to(&stage, &mut connections, "sip1")?;
        }
        let lasted = boot_time().since(began);
        let sent = running.end();
        moves.sort();
        let after = counts(&stage);
        let counts = [0, 1, 2].map(|i| after[i].saturating_sub(before[i]));
        let notified = notified(&stage).saturating_sub(notified_before);
        let after = stages(&stage);
        let mean = |i: usize| match after[i].0.saturating_sub(stages_before[i].0) {
            0 => Duration::ZERO,
            n => Duration::from_secs_f64(((after[i].1 - stages_before[i].1) / n as f64).max(0.0)),
        };
        let a_second = (sent as f64 / lasted.as_secs_f64()) as u64;
        tell(*flood, &Flooded { moves, a_second, counts, notified, stages: [mean(0), mean(1)] });
    }
    match stage.lab.overlap() {
        Some(span) => Err(format!("two hosts had the address at once for {} us", span.as_micros())),
        None => Ok(()),
    }
}

/// The record by which a server says that it is primary now.
pub(super) fn claim(host: &str) -> String {
    let app = if host == "sip1" { "SIP_SERVER_PRIMARY" } else { "SIP_SERVER_BACKUP" };
    let now = wall_time().to_string();
    format!("{} Standard {host} {app} GCTI-{PRIMARY_NOW}", now.trim_end_matches('Z'))
}

fn connect(stage: &Stage<'_>, host: &str) -> Result<TcpStream, String> {
    let connects = || TcpStream::connect("10.77.0.3:601");
    let stream = lab::within(stage.lab.process(host), connects).map_err(|e| format!("{host} can't connect: {e}"))?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    Ok(stream)
}

/// Sends a claim from the server on a host, and measures the time until the client gets an answer from that host.
fn move_to(stage: &Stage<'_>, connections: &mut [TcpStream; 2], host: &'static str) -> Result<Duration, String> {
    let [sip1, sip2] = connections;
    let stream = if host == "sip1" { sip1 } else { sip2 };
    let since = boot_time();
    stream.write_all(format!("{}\n", claim(host)).as_bytes()).map_err(|e| format!("{host}: {e}"))?;
    stage.lab.until(&format!("the client is answered by {host}"), |_| stage.client.first_answer(host, since).is_some())?;
    let answered = stage.client.first_answer(host, since).ok_or("nobody answered")?;
    stage.lab.until(&format!("only {host} has the address"), |lab| lab.holders() == [host])?;
    Ok(answered.since(since))
}

/// The records, wanted records and dropped records of all sources.
fn counts(stage: &Stage<'_>) -> [u64; 3] {
    let rows = stage.lab.ask(&Question::Sources).unwrap_or_default();
    let sum = |name: &str| rows.as_array().into_iter().flatten().filter_map(|row| row[name].as_u64()).sum();
    ["records", "wanted", "dropped"].map(sum)
}

/// The notifications that were delivered to people.
fn notified(stage: &Stage<'_>) -> u64 {
    let rows = stage.lab.ask(&Question::Channels).unwrap_or_default();
    rows.as_array().into_iter().flatten().filter_map(|row| row["delivered"].as_u64()).sum()
}

/// The number of measured moves and the sum of their times in seconds, for each stage.
fn stages(stage: &Stage<'_>) -> [(u64, f64); 2] {
    let rows = stage.lab.ask(&Question::Metrics).unwrap_or_default();
    STAGES.map(|metric| {
        let row = rows.as_array().into_iter().flatten().find(|row| row["metric"] == metric.name());
        row.map_or((0, 0.0), |row| (row["count"].as_u64().unwrap_or_default(), row["sum"].as_f64().unwrap_or_default()))
    })
}

type Sender = Box<dyn FnMut(&str) -> io::Result<()>>;

/// Keeps [`SCRAPERS`] connections to the metrics, each with a request whose answer nobody reads.
fn hang(ends: &AtomicBool, counts: &AtomicU64) -> io::Result<()> {
    let mut open: Vec<TcpStream> = Vec::new();
    while !ends.load(Ordering::Relaxed) {
        // The listener closes a connection after some seconds, or when it has too many.
        open.retain_mut(|stream| stream.write_all(b"\r\n").is_ok());
        while open.len() < SCRAPERS {
            let mut stream = TcpStream::connect(METRICS)?;
            if stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").is_ok() {
                counts.fetch_add(1, Ordering::Relaxed);
            }
            open.push(stream);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// A flood that is running.
struct Running {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(flood: Flood, process: u32) -> io::Result<Running> {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        if flood == Flood::Quiet {
            return Ok(Running { stop, sent, thread: None });
        }
        let (ends, counts) = (stop.clone(), sent.clone());
        let send = move || -> io::Result<()> {
            if flood == Flood::Scrapers {
                return hang(&ends, &counts);
            }
            let mut to: Sender = if flood == Flood::ForgedTcp {
                let mut stream = TcpStream::connect("10.77.0.3:601")?;
                stream.set_write_timeout(Some(Duration::from_millis(100)))?;
                Box::new(move |record| stream.write_all(format!("{record}\n").as_bytes()))
            } else {
                let socket = UdpSocket::bind("0.0.0.0:0")?;
                socket.connect("10.77.0.3:514")?;
                Box::new(move |record| socket.send(record.as_bytes()).map(drop))
            };
            // The records are made in advance, so that the flood is as fast as possible.
            let records: Vec<String> = (0..2 * ALARMS).map(|n| flood.record(n)).collect();
            let mut next = Instant::now();
            for (n, record) in (0_u64..).zip(records.iter().cycle()) {
                if ends.load(Ordering::Relaxed) {
                    break;
                }
                if flood == Flood::Alarms && n.is_multiple_of(AT_ONCE) {
                    next += Duration::from_micros(1_000_000 * AT_ONCE / ALARMS);
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                }
                if to(record).is_ok() {
                    counts.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(())
        };
        let thread = thread::Builder::new().name("flood".to_owned()).spawn(move || drop(lab::within(process, send)))?;
        Ok(Running { stop, sent, thread: Some(thread) })
    }

    /// Ends the flood and returns the number of records that were sent.
    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
        self.sent.load(Ordering::Relaxed)
    }
}
