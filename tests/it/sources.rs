//! Sources on real sockets and files: nothing lost, nothing twice, whatever becomes of a file.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use pointsman::base::time::Time;
use pointsman::control::{Heard, Input};
use pointsman::event::Provenance;
use pointsman::journal::Position;
use pointsman::site::Current;
use pointsman::sources::{self, Named, Sink, Udp};

use crate::control::site;
use crate::support::Folder;

/// Longer than anything here takes; only a failure waits for so long.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
struct Collect(SyncSender<Input>, Arc<AtomicI64>);

impl Sink for Collect {
    fn send(&self, input: Input) -> bool {
        self.0.send(input).is_ok()
    }
    fn offer(&self, input: Input) -> bool {
        self.0.try_send(input).is_ok()
    }
    fn now(&self) -> Time {
        Time::from_millis(1_800_000_000_000 + self.1.load(Ordering::Relaxed))
    }
}

fn claim(n: u32) -> String {
    format!("2027-01-15T08:00:00.{:03} Standard sip1 SIP_SERVER_PRIMARY GCTI-00-04563 number {n}\n", n % 1000)
}

/// A follower of a file on a thread of its own, and what it has told.
struct Follower {
    told: Receiver<Input>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    last: Position,
    backlog_ended: bool,
    /// What was told of whether it can be read.
    away: Vec<bool>,
    clock: Arc<AtomicI64>,
}

impl Follower {
    fn start(path: &Path, from: Position) -> Follower {
        let (sender, told) = sync_channel(1_000);
        let (stop, clock) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let thread = std::thread::spawn({
            let (path, stop, clock) = (path.to_owned(), stop.clone(), clock.clone());
            let named = Named { name: "file".to_owned(), counts: Arc::default() };
            move || sources::follow(&path, from, &Current::new(0, site()), &Collect(sender, clock), &named, &stop)
        });
        Follower { told, stop, thread: Some(thread), last: from, backlog_ended: false, away: Vec::new(), clock }
    }

    fn until_backlog_ended(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while !self.backlog_ended {
            texts.extend(self.next().map(|h| h.event.text.into_owned()));
        }
        texts
    }

    fn next(&mut self) -> Option<Heard> {
        let input = self.told.recv_timeout(PATIENCE).expect("something comes in time");
        self.take(input)
    }

    /// Time goes by until so often was said whether the file can be read.
    fn until_said(&mut self, n: usize) {
        for _ in 0..100 {
            if self.away.len() >= n {
                return;
            }
            self.clock.fetch_add(10_000, Ordering::Relaxed);
            if let Ok(input) = self.told.recv_timeout(Duration::from_secs(1)) {
                self.take(input);
            }
        }
        panic!("only {:?} was said", self.away);
    }

    fn take(&mut self, input: Input) -> Option<Heard> {
        match input {
            Input::Heard(heard) => {
                self.last = heard.position;
                assert_eq!(heard.event.provenance, Provenance::Local);
                Some(*heard)
            }
            Input::Position { position, .. } => {
                self.last = position;
                None
            }
            Input::BacklogEnded { .. } => {
                self.backlog_ended = true;
                None
            }
            Input::Source { away, .. } => {
                self.away.push(away.is_some());
                None
            }
            other => panic!("{other:?}"),
        }
    }

    fn texts(&mut self, n: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < n {
            texts.extend(self.next().map(|h| h.event.text.into_owned()));
        }
        texts
    }

    fn stop(mut self) -> Position {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        while let Ok(input) = self.told.try_recv() {
            match input {
                Input::Position { position, .. } => self.last = position,
                Input::BacklogEnded { .. } | Input::Source { .. } => {}
                other => panic!("nobody waited for {other:?}"),
            }
        }
        self.last
    }
}

fn numbers(from: u32, to: u32) -> Vec<String> {
    (from..=to).map(|n| format!("number {n}")).collect()
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn log(folder: &Folder) -> PathBuf {
    folder.join("sip.log")
}

#[test]
fn a_file_is_followed_from_its_end_and_in_whole_lines() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    // The first half of a record that is being written at the start belongs to a whole one.
    let halves = claim(2);
    let (first, second) = halves.split_at(30);
    append(&path, first);
    let mut follower = Follower::start(&path, sources::place(&path));
    append(&path, second);
    assert_eq!(follower.texts(1), numbers(2, 2));
    append(&path, &format!("nothing that a rule wants\n{}{}", claim(3), claim(4)));
    assert_eq!(follower.texts(2), numbers(3, 4));
    let place = follower.stop();
    assert_eq!(place.at, fs::metadata(&path).unwrap().len());
}

#[test]
fn a_file_that_comes_later_is_read_from_its_beginning() {
    let folder = Folder::new();
    let path = log(&folder);
    let mut follower = Follower::start(&path, sources::place(&path));
    append(&path, &claim(1));
    assert_eq!(follower.texts(1), numbers(1, 1));
    follower.stop();
}

#[test]
fn a_rotated_file_is_read_to_its_end_first() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let mut follower = Follower::start(&path, sources::place(&path));
    let mut old = OpenOptions::new().append(true).open(&path).unwrap();
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    // Renamed and made anew; the writer goes on in the old file until it is told.
    fs::rename(&path, folder.join("sip.log.1")).unwrap();
    let mut new = File::create(&path).unwrap();
    old.write_all(claim(3).as_bytes()).unwrap();
    assert_eq!(follower.texts(1), numbers(3, 3));
    // Its last record has no end.
    old.write_all(claim(4).trim_end().as_bytes()).unwrap();
    new.write_all(claim(5).as_bytes()).unwrap();
    assert_eq!(follower.texts(2), numbers(4, 5));
    follower.stop();
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let mut follower = Follower::start(&path, sources::place(&path));
    append(&path, &format!("{}{}", claim(2), claim(3)));
    assert_eq!(follower.texts(2), numbers(2, 3));
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    append(&path, &claim(4));
    assert_eq!(follower.texts(1), numbers(4, 4));
    follower.stop();
}

#[test]
fn after_a_restart_it_goes_on_behind_the_last_record() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let mut follower = Follower::start(&path, sources::place(&path));
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    let place = follower.stop();
    append(&path, &format!("{}{}", claim(3), claim(4)));
    let mut follower = Follower::start(&path, place);
    assert_eq!(follower.until_backlog_ended(), numbers(3, 4));
    append(&path, &claim(5));
    assert_eq!(follower.texts(1), numbers(5, 5));
    let place = follower.stop();
    // Rotated while nobody looked: the rest of the old file, then the new one.
    append(&path, &claim(6));
    fs::rename(&path, folder.join("sip.log.1")).unwrap();
    append(&path, &claim(7));
    let mut follower = Follower::start(&path, place);
    assert_eq!(follower.until_backlog_ended(), numbers(6, 7));
    let place = follower.stop();
    // Another file with the same name, and longer than what was read of the old one.
    fs::remove_file(&path).unwrap();
    append(&path, &format!("{}{}{}", claim(11), claim(12), claim(13)));
    let mut follower = Follower::start(&path, place);
    assert_eq!(follower.until_backlog_ended(), numbers(11, 13));
    follower.stop();
}

#[test]
fn a_file_that_is_gone_is_away_after_a_time() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let mut follower = Follower::start(&path, sources::place(&path));
    follower.until_backlog_ended();
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    // Rotated: for a moment there is none.
    fs::rename(&path, folder.join("sip.log.1")).unwrap();
    append(&path, &claim(3));
    assert_eq!(follower.texts(1), numbers(3, 3));
    assert_eq!(follower.away, [false]);
    fs::remove_file(&path).unwrap();
    follower.until_said(2);
    append(&path, &claim(4));
    assert_eq!(follower.texts(1), numbers(4, 4));
    follower.until_said(3);
    assert_eq!(follower.away, [false, true, false]);
    let place = follower.stop();
    // It went while nobody looked.
    fs::remove_file(&path).unwrap();
    let mut follower = Follower::start(&path, place);
    follower.until_backlog_ended();
    follower.until_said(1);
    assert_eq!(follower.away, [true]);
    follower.stop();
    // One that never was there is not missed.
    let path = folder.join("never.log");
    let mut follower = Follower::start(&path, sources::place(&path));
    follower.until_backlog_ended();
    follower.clock.fetch_add(3_600_000, Ordering::Relaxed);
    append(&path, &claim(1));
    assert_eq!(follower.texts(1), numbers(1, 1));
    follower.until_said(1);
    assert_eq!(follower.away, [false]);
    follower.stop();
}

#[test]
fn a_line_without_end_is_cut_and_the_next_is_whole() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, "");
    let mut follower = Follower::start(&path, sources::place(&path));
    append(&path, &format!("{} {}", claim(1).trim_end(), "x".repeat(300_000)));
    append(&path, &format!("{}\n{}", "y".repeat(100_000), claim(2)));
    let texts = follower.texts(2);
    assert!(texts[0].starts_with("number 1 xxx") && texts[0].len() < 70_000);
    assert_eq!(texts[1], "number 2");
    follower.stop();
}

#[test]
fn datagrams_are_heard_and_nobody_knows_from_whom() {
    let udp = Udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, named) = (udp.address().unwrap(), udp.named());
    let taken = Udp::bind(address).unwrap_err();
    assert!(taken.contains(&address.to_string()) && taken.contains("ss -lpn"), "{taken}");
    let (sender, told) = sync_channel(100);
    let stop = Arc::new(AtomicBool::new(false));
    let thread = std::thread::spawn({
        let stop = stop.clone();
        move || udp.run(&Current::new(0, site()), &Collect(sender, Arc::default()), &stop)
    });
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Input::BacklogEnded { .. }));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for datagram in [b"\xff\xfe not UTF-8".as_slice(), b"", claim(1).as_bytes(), &[b'x'; 65_507][..]] {
        socket.send_to(datagram, address).unwrap();
    }
    socket.send_to(claim(2).as_bytes(), address).unwrap();
    for n in 1..=2 {
        let Input::Heard(heard) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!((heard.event.text.as_ref(), heard.event.provenance), (&*format!("number {n}"), Provenance::Unverified));
    }
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    let counts: Vec<u64> = named.counts.all().into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts[..3], [5, 2, 0], "{:?}", named.counts.all());
}

/// A listener for syslog over TCP, and what it has told.
struct Listener {
    runtime: tokio::runtime::Runtime,
    told: Receiver<Input>,
    address: std::net::SocketAddr,
    named: Named,
}

impl Listener {
    /// With room for so many connections, and so many bytes of long records that are not complete.
    fn start(connections: usize, bytes: usize) -> Listener {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let shared = sources::Connections::new(connections, bytes);
        let tcp = runtime.block_on(async { sources::listen("0.0.0.0:0".parse().unwrap(), &shared) }).unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], tcp.address().port()));
        let (named, (sender, told)) = (tcp.named(), sync_channel(100));
        runtime.spawn(tcp.run(Current::new(0, site()), Collect(sender, Arc::default())));
        assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Input::BacklogEnded { .. }));
        Listener { runtime, told, address, named }
    }

    fn count(&self, of: &str) -> u64 {
        self.named.counts.all().into_iter().find(|(name, _)| *name == of).unwrap().1
    }

    fn next_text(&self) -> String {
        let Input::Heard(heard) = self.told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        heard.event.text.into_owned()
    }
}

/// A connection from another address of this machine.
fn connect_from(local: [u8; 4], to: std::net::SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from((local, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

/// Many connections of one address that say one byte close each other. Who connected before them, and speaks after, is heard.
#[test]
fn a_crowd_of_one_address_shuts_nobody_out() {
    let listener = Listener::start(8, 1 << 20);
    let mut early = connect_from([127, 0, 0, 2], listener.address);
    let crowd: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = connect_from([127, 0, 0, 66], listener.address);
            stream.write_all(b"<").unwrap();
            stream
        })
        .collect();
    let mut late = connect_from([127, 0, 0, 3], listener.address);
    late.write_all(claim(1).as_bytes()).unwrap();
    assert_eq!(listener.next_text(), "number 1");
    early.write_all(claim(2).as_bytes()).unwrap();
    assert_eq!(listener.next_text(), "number 2");
    // One address has a quarter of the places.
    assert_eq!(listener.count("refused"), 98);
    drop(crowd);
    listener.runtime.shutdown_background();
}

/// Long records that are not complete share their memory. Without room one is cut sooner and counted; what comes after it is whole.
#[test]
fn a_long_record_without_room_is_cut() {
    let listener = Listener::start(100, 4_000);
    let long = |n: u32, bytes: usize| format!("{} {}", claim(n).trim_end(), "x".repeat(bytes));
    let mut holder = TcpStream::connect(listener.address).unwrap();
    let beginning = long(1, 20_000);
    holder.write_all(beginning.as_bytes()).unwrap();
    // The first takes all the room, however little that is. When another one is cut it has.
    let mut other = TcpStream::connect(listener.address).unwrap();
    let mut cut = 0;
    for n in 2..1_000 {
        other.write_all(format!("{}\n", long(n, 6_000)).as_bytes()).unwrap();
        let length = listener.next_text().len();
        assert!(!(4_096..=6_000).contains(&length), "{length}");
        cut += u64::from(length < 4_096);
        if cut == 2 {
            break;
        }
    }
    assert_eq!((cut, listener.count("cut")), (2, 2));
    holder.write_all(b"\n").unwrap();
    assert!(listener.next_text().len() > 20_000, "who has room is not cut");
    listener.runtime.shutdown_background();
}

#[test]
fn a_connection_is_known_by_its_address() {
    // On loopback nobody is sip1 (10.10.11.101): the record claims for a host that is elsewhere.
    let Listener { runtime, told, address, named } = Listener::start(1_000, 1 << 20);
    let mut stream = TcpStream::connect(address).unwrap();
    let syslog = |n: u32| format!("<14>{}", claim(n).trim_end());
    let counted = syslog(1);
    let message = format!("{} {counted}{}\n{}", counted.len(), syslog(2), syslog(3));
    // In pieces, and the last without an end.
    for piece in message.as_bytes().chunks(37) {
        stream.write_all(piece).unwrap();
    }
    drop(stream);
    for n in 1..=3 {
        let Input::Heard(heard) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!((heard.event.text.as_ref(), heard.event.provenance), (&*format!("number {n}"), Provenance::Unverified));
    }
    assert_eq!(named.counts.all()[..2], [("records", 3), ("wanted", 3)]);
    runtime.shutdown_background();
}
