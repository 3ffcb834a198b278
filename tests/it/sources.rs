//! Sources with real sockets and files: nothing is lost or read twice, whatever happens to a file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use pointsman::core::base::time::Time;
use pointsman::core::base::zone::Zone;
use pointsman::core::control::{Input, LogEvent};
use pointsman::core::event::Trust;
use pointsman::core::inventory::{Host, Inventory, Via};
use pointsman::core::journal::Position;
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::script::Evaluator;
use pointsman::core::site::{Current, Site};
use pointsman::shell::sources::{self, Entry, Named, Places, Sink, Udp};

use crate::control::site;
use crate::support::{Folder, gzip, source};

/// Longer than anything here takes. Only a failure waits for this time.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Collect(SyncSender<Input>, Arc<AtomicI64>);

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

pub(crate) fn claim(n: u32) -> String {
    format!("2027-01-15T08:00:00.{:03} Standard sip1 SIP_SERVER_PRIMARY GCTI-00-04563 number {n}\n", n % 1000)
}

/// A follower of a file on a separate thread, and its results.
pub(crate) struct Follower {
    told: Receiver<Input>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// The content of the journal: the position in each file.
    places: BTreeMap<String, Position>,
    backlog_ended: bool,
    /// The reported losses.
    pub(crate) gaps: Vec<String>,
    /// The reported changes of whether it can be read.
    away: Vec<bool>,
    clock: Arc<AtomicI64>,
}

impl Follower {
    /// Follows the known files of an entry, as a controller does.
    pub(crate) fn start(entry: &Entry, mut known: BTreeMap<String, Position>) -> Follower {
        let (places, new) = sources::places(entry, &known, Time::from_millis(1_800_000_000_000));
        known.extend(new);
        Follower::from(entry, places, known)
    }

    fn from(entry: &Entry, places: Places, known: BTreeMap<String, Position>) -> Follower {
        let (sender, told) = sync_channel(100_000);
        let (stop, clock) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let thread = std::thread::spawn({
            let (entry, stop, clock) = (entry.clone(), stop.clone(), clock.clone());
            let named = entry.named();
            move || sources::follow(&entry, places, &Current::new(0, site()), &Collect(sender, clock), &named, &stop)
        });
        let (gaps, away) = (Vec::new(), Vec::new());
        Follower { told, stop, thread: Some(thread), places: known, backlog_ended: false, gaps, away, clock }
    }

    pub(crate) fn until_backlog_ended(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while !self.backlog_ended {
            texts.extend(self.next().map(|h| h.event.text.into_owned()));
        }
        texts
    }

    pub(crate) fn next(&mut self) -> Option<LogEvent> {
        let input = self.told.recv_timeout(PATIENCE).expect("something comes in time");
        self.take(input)
    }

    /// Waits until this number of changes of readability was reported.
    pub(crate) fn until_said(&mut self, n: usize) {
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

    fn take(&mut self, input: Input) -> Option<LogEvent> {
        match input {
            Input::Event(heard) => {
                self.places.insert(heard.source.clone(), heard.position);
                let trust = if heard.event.has_relay() { Trust::Unverified } else { Trust::Local };
                assert_eq!(heard.event.trust, trust);
                Some(*heard)
            }
            Input::Position { source, position } => {
                self.places.insert(source, position);
                None
            }
            Input::Forget { source } => {
                self.places.remove(&source);
                None
            }
            Input::Gap { text, .. } => {
                self.gaps.push(text);
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

    pub(crate) fn texts(&mut self, n: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < n {
            texts.extend(self.next().map(|h| h.event.text.into_owned()));
        }
        texts
    }

    /// The next records have these numbers, nothing was lost, and nothing else comes until the end. Returns what the journal knows
    /// then.
    pub(crate) fn ended_with(mut self, from: u32, to: u32) -> BTreeMap<String, Position> {
        let texts = self.texts((to + 1 - from) as usize);
        assert_eq!(texts, numbers(from, to), "{:?}", self.gaps);
        assert!(self.gaps.is_empty(), "{:?}", self.gaps);
        self.stop()
    }

    /// Stops the follower, and returns what the journal knows then.
    pub(crate) fn stop(mut self) -> BTreeMap<String, Position> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        while let Ok(input) = self.told.try_recv() {
            if let Some(heard) = self.take(input) {
                panic!("nobody waited for {heard:?}");
            }
        }
        self.places
    }
}

/// Follows a log that nobody followed before.
pub(crate) fn fresh(path: &Path) -> Follower {
    Follower::start(&Entry::new(path), BTreeMap::new())
}

/// A log that is followed after its first record, which has this number.
pub(crate) fn followed(folder: &Folder, n: u32) -> (PathBuf, Follower) {
    let path = log(folder);
    append(&path, &claim(n));
    let mut follower = fresh(&path);
    follower.until_backlog_ended();
    (path, follower)
}

/// Follows a log after a restart.
pub(crate) fn again(path: &Path, places: BTreeMap<String, Position>) -> Follower {
    Follower::start(&Entry::new(path), places)
}

pub(crate) fn numbers(from: u32, to: u32) -> Vec<String> {
    (from..=to).map(|n| format!("number {n}")).collect()
}

pub(crate) fn append(path: &Path, text: &str) {
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
    let mut follower = fresh(&path);
    append(&path, second);
    assert_eq!(follower.texts(1), numbers(2, 2));
    append(&path, &format!("nothing that a rule wants\n{}{}", claim(3), claim(4)));
    assert_eq!(follower.texts(2), numbers(3, 4));
    let place = follower.stop();
    assert_eq!(place[path.to_str().unwrap()].at, fs::metadata(&path).unwrap().len());
}

/// A reload that removes or changes an entry leaves the rest of its file to the next follower, however much there is.
#[test]
fn a_follower_that_is_stopped_leaves_the_rest() {
    let folder = Folder::new();
    let (path, follower) = followed(&folder, 1);
    let known = follower.stop();
    append(&path, &(2..=1_000).map(claim).collect::<String>());
    let entry = Entry::new(&path);
    let (places, _) = sources::places(&entry, &known, Time::from_millis(1_800_000_000_000));
    // The follower waits until each record is taken.
    let (sender, told) = sync_channel(0);
    let stop = Arc::new(AtomicBool::new(false));
    let thread = std::thread::spawn({
        let (named, stop) = (entry.named(), stop.clone());
        move || sources::follow(&entry, places, &Current::new(0, site()), &Collect(sender, Arc::default()), &named, &stop)
    });
    let mut events = std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok()).filter(|input| matches!(input, Input::Event(_)));
    assert!(events.next().is_some());
    stop.store(true, Ordering::Relaxed);
    let rest = events.count();
    assert!(rest <= 1, "{rest} more records after the stop");
    thread.join().unwrap();
}

/// The content of a file at a restart is a backlog. What is written after the position of a first start is not.
#[test]
fn a_backlog_is_what_a_file_held_at_a_restart() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let entry = Entry::new(&path);
    let (places, new) = sources::places(&entry, &BTreeMap::new(), Time::from_millis(1));
    append(&path, &claim(2));
    let mut follower = Follower::from(&entry, places, new.into_iter().collect());
    let next = |follower: &mut Follower| loop {
        if let Some(heard) = follower.next() {
            return heard.backlog;
        }
    };
    assert!(!next(&mut follower));
    let places = follower.stop();
    append(&path, &claim(3));
    let mut follower = again(&path, places);
    assert!(next(&mut follower));
    follower.until_backlog_ended();
    append(&path, &claim(4));
    assert!(!next(&mut follower));
    follower.stop();
}

#[test]
fn a_file_that_comes_later_is_read_from_its_beginning() {
    let folder = Folder::new();
    let path = log(&folder);
    let mut follower = fresh(&path);
    append(&path, &claim(1));
    assert_eq!(follower.texts(1), numbers(1, 1));
    follower.stop();
}

#[test]
fn a_rotated_file_is_read_to_its_end_first() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let mut follower = fresh(&path);
    let mut old = OpenOptions::new().append(true).open(&path).unwrap();
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    // The file is renamed and created again. The writer continues in the old file until it is told to reopen it.
    fs::rename(&path, folder.join("sip.log.1")).unwrap();
    let mut new = File::create(&path).unwrap();
    old.write_all(claim(3).as_bytes()).unwrap();
    assert_eq!(follower.texts(1), numbers(3, 3));
    // Its last record has no line end.
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
    let mut follower = fresh(&path);
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
    let mut follower = fresh(&path);
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    let place = follower.stop();
    append(&path, &format!("{}{}", claim(3), claim(4)));
    let mut follower = again(&path, place);
    assert_eq!(follower.until_backlog_ended(), numbers(3, 4));
    append(&path, &claim(5));
    assert_eq!(follower.texts(1), numbers(5, 5));
    let place = follower.stop();
    // Rotated while nobody read: the rest of the old file, then the new one.
    append(&path, &claim(6));
    fs::rename(&path, folder.join("sip.log.1")).unwrap();
    append(&path, &claim(7));
    let mut follower = again(&path, place);
    assert_eq!(follower.until_backlog_ended(), numbers(6, 7));
    let place = follower.stop();
    // Another file with the same name, which is longer than the part of the old one that was read.
    fs::remove_file(&path).unwrap();
    append(&path, &format!("{}{}{}", claim(11), claim(12), claim(13)));
    let mut follower = again(&path, place);
    assert_eq!(follower.until_backlog_ended(), numbers(11, 13));
    assert_eq!(follower.gaps.len(), 1, "what may be lost is reported");
    follower.stop();
}

/// Replaces a file by its gzip or Zstandard version.
fn compress(path: &Path, ending: &str) {
    let text = fs::read(path).unwrap();
    let packed = match ending {
        "gz" => gzip(&text),
        _ => ruzstd::encoding::compress_to_vec(text.as_slice(), ruzstd::encoding::CompressionLevel::Fastest),
    };
    fs::write(path.with_file_name(format!("{}.{ending}", path.file_name().unwrap().to_str().unwrap())), packed).unwrap();
    fs::remove_file(path).unwrap();
}

/// Renames files as logrotate does: the numbers grow.
fn rotate(path: &Path) {
    let name = |n: u32| path.with_file_name(format!("{}.{n}", path.file_name().unwrap().to_str().unwrap()));
    for n in (1..30).rev() {
        for ending in ["", ".gz", ".zst"] {
            let (from, to) = (format!("{}{ending}", name(n).display()), format!("{}{ending}", name(n + 1).display()));
            let _ = fs::rename(from, to);
        }
    }
    fs::rename(path, name(1)).unwrap();
}

#[test]
fn nothing_is_skipped_however_often_it_is_rotated_meanwhile_and_packed() {
    for (running, packed) in [(false, None), (false, Some("gz")), (false, Some("zst")), (true, None), (true, Some("gz"))] {
        let folder = Folder::new();
        let path = log(&folder);
        append(&path, &claim(0));
        let mut follower = fresh(&path);
        append(&path, &claim(1));
        assert_eq!(follower.texts(1), numbers(1, 1));
        let mut running_one = Some(follower);
        let places = if running { None } else { running_one.take().map(Follower::stop) };
        append(&path, &claim(2));
        for n in 3..8 {
            rotate(&path);
            if let Some(ending) = packed {
                let second = folder.join("sip.log.2");
                if second.exists() {
                    compress(&second, ending);
                }
            }
            append(&path, &claim(n));
        }
        let mut follower = running_one.unwrap_or_else(|| again(&path, places.unwrap()));
        assert_eq!(follower.texts(6), numbers(2, 7), "{running} {packed:?}");
        assert!(follower.gaps.is_empty(), "{:?}", follower.gaps);
        append(&path, &claim(8));
        assert_eq!(follower.texts(1), numbers(8, 8));
        follower.stop();
    }
}

#[test]
fn rotated_files_that_are_left_are_read_when_the_one_that_was_read_is_gone() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(0));
    let mut follower = fresh(&path);
    append(&path, &claim(1));
    assert_eq!(follower.texts(1), numbers(1, 1));
    // By the clock of the sink, this was long ago: the present files were written later.
    let mut places = follower.stop();
    places.values_mut().for_each(|place| place.read_at = Time::from_millis(1_000_000));
    for n in 2..5 {
        rotate(&path);
        append(&path, &claim(n));
    }
    fs::remove_file(folder.join("sip.log.3")).unwrap();
    let mut follower = again(&path, places);
    assert_eq!(follower.until_backlog_ended(), numbers(2, 4));
    assert_eq!(follower.gaps.len(), 1);
    follower.stop();
}

#[test]
fn a_copy_that_was_truncated_and_has_grown_again_is_known_by_its_content() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(0));
    let mut follower = fresh(&path);
    append(&path, &claim(1));
    assert_eq!(follower.texts(1), numbers(1, 1));
    let places = follower.stop();
    append(&path, &claim(2));
    // copytruncate, and then more content than before.
    fs::copy(&path, folder.join("sip.log.1")).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    append(&path, &(3..20).map(claim).collect::<String>());
    let mut follower = again(&path, places);
    assert_eq!(follower.until_backlog_ended(), numbers(2, 19));
    assert!(follower.gaps.is_empty());
    // The same while it is followed, without a copy: the possible loss is reported.
    let text = (20..60).map(claim).collect::<String>();
    fs::write(&path, text).unwrap();
    assert_eq!(follower.texts(40), numbers(20, 59));
    assert_eq!(follower.gaps.len(), 1);
    follower.stop();
}

#[test]
fn a_pattern_has_new_files_from_their_beginning_and_in_order() {
    let folder = Folder::new();
    let (first, second) = (folder.join("sip.20261128_235959_999.log"), folder.join("sip.20261129_000000_001.log"));
    let pattern = folder.join("sip.*.log");
    append(&first, &claim(1));
    let mut follower = fresh(&pattern);
    follower.until_backlog_ended();
    append(&first, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    append(&second, &claim(4));
    append(&first, &claim(3));
    let mut texts = follower.texts(2);
    texts.sort();
    assert_eq!(texts, numbers(3, 4));
    let places = follower.stop();
    // While it is stopped: more content in the old file, a newer file, and one that was removed.
    append(&second, &claim(5));
    append(&folder.join("sip.20261129_120000_000.log"), &claim(6));
    append(&folder.join("sip.20261129_120000_000.log.gz"), "packed");
    fs::remove_file(&first).unwrap();
    let mut follower = again(&pattern, places);
    assert_eq!(follower.until_backlog_ended(), numbers(5, 6));
    assert!(follower.gaps.is_empty(), "{:?}", follower.gaps);
    let places = follower.stop();
    // Each file is rotated separately.
    append(&second, &claim(7));
    rotate(&second);
    append(&second, &claim(8));
    let mut follower = again(&pattern, places);
    assert_eq!(follower.until_backlog_ended(), numbers(7, 8));
    follower.stop();
}

#[test]
fn the_rest_of_a_line_that_was_too_long_is_no_record_after_a_restart() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(0));
    let mut follower = fresh(&path);
    append(&path, &format!("{} {}", claim(1).trim_end(), "x".repeat(70_000)));
    assert!(follower.texts(1)[0].starts_with("number 1 xxx"));
    let places = follower.stop();
    append(&path, &claim(2));
    append(&path, &claim(3));
    let mut follower = again(&path, places);
    assert_eq!(follower.until_backlog_ended(), numbers(3, 3));
    follower.stop();
}

#[test]
fn a_file_of_utf16_is_followed_over_a_restart() {
    for (mark, unit) in
        [("\u{feff}", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("", u16::to_le_bytes), ("\u{feff}", u16::to_be_bytes)]
    {
        let folder = Folder::new();
        let path = log(&folder);
        let write = |text: &str| {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
            OpenOptions::new().append(true).create(true).open(&path).unwrap().write_all(&bytes).unwrap();
        };
        write(&format!("{mark}{}", claim(0).replace('\n', "\r\n")));
        let mut follower = fresh(&path);
        write(&claim(1).replace('\n', "\r\n"));
        assert_eq!(follower.texts(1), numbers(1, 1));
        let places = follower.stop();
        write(&claim(2));
        let mut follower = again(&path, places);
        assert_eq!(follower.until_backlog_ended(), numbers(2, 2));
        follower.stop();
    }
}

#[test]
fn an_entry_says_whose_a_file_is() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, "");
    let entry = Entry { host: "sip1".to_owned(), app: "SIP_SERVER_PRIMARY".to_owned(), ..Entry::new(&path) };
    let mut follower = Follower::start(&entry, BTreeMap::new());
    append(&path, "08:00:00.000 Std 04563 number 1\n");
    let heard = loop {
        if let Some(heard) = follower.next() {
            break heard;
        }
    };
    assert_eq!((heard.event.host.as_ref(), heard.event.app.as_ref()), ("sip1", "SIP_SERVER_PRIMARY"));
    follower.stop();
}

#[test]
fn a_file_that_is_gone_is_away_after_a_time() {
    let folder = Folder::new();
    let path = log(&folder);
    append(&path, &claim(1));
    let mut follower = fresh(&path);
    follower.until_backlog_ended();
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    // Rotated: for a moment there is no file.
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
    // It disappeared while nobody read.
    fs::remove_file(&path).unwrap();
    let mut follower = again(&path, place);
    follower.until_backlog_ended();
    follower.until_said(1);
    assert_eq!(follower.away, [true]);
    follower.stop();
    // A file that never existed is not missed.
    let path = folder.join("never.log");
    let mut follower = fresh(&path);
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
    let mut follower = fresh(&path);
    append(&path, &format!("{} {}", claim(1).trim_end(), "x".repeat(300_000)));
    append(&path, &format!("{}\n{}", "y".repeat(100_000), claim(2)));
    let texts = follower.texts(2);
    assert!(texts[0].starts_with("number 1 xxx") && texts[0].len() < 70_000);
    assert_eq!(texts[1], "number 2");
    follower.stop();
}

#[test]
fn datagrams_are_read_and_nobody_knows_from_whom() {
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
        let Input::Event(heard) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!((heard.event.text.as_ref(), heard.event.trust), (&*format!("number {n}"), Trust::Unverified));
    }
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    let counts: Vec<u64> = named.counts.all().into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts[..3], [5, 2, 0], "{:?}", named.counts.all());
}

/// A sink without room.
#[derive(Clone)]
struct Full(SyncSender<&'static str>, Arc<AtomicI64>);

impl Sink for Full {
    fn send(&self, _: Input) -> bool {
        self.0.send("sent").is_ok()
    }
    fn offer(&self, _: Input) -> bool {
        let _ = self.0.send("dropped");
        false
    }
    fn refuses(&self, _: &str, _: IpAddr) -> bool {
        self.0.send("refused").is_ok()
    }
    fn now(&self) -> Time {
        Time::from_millis(1_800_000_000_000 + self.1.load(Ordering::Relaxed))
    }
}

/// While a sender has no room, its datagrams are counted and not decoded. Whether it has room is asked only after a drop.
#[test]
fn a_datagram_that_would_be_dropped_is_not_decoded() {
    let udp = Udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, named) = (udp.address().unwrap(), udp.named());
    let (sender, told) = sync_channel(100);
    let (stop, clock) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let thread = std::thread::spawn({
        let (stop, clock) = (stop.clone(), clock.clone());
        move || udp.run(&Current::new(0, site()), &Full(sender, clock), &stop)
    });
    assert_eq!(told.recv_timeout(PATIENCE), Ok("sent"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut say = |what| {
        socket.send_to(claim(1).as_bytes(), address).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(what));
    };
    ["dropped", "refused", "refused"].into_iter().for_each(&mut say);
    clock.fetch_add(1_000, Ordering::Relaxed);
    ["dropped", "refused"].into_iter().for_each(&mut say);
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    let counts: Vec<u64> = named.counts.all().into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts[..3], [5, 2, 5], "{:?}", named.counts.all());
}

/// A listener for syslog over TCP, and its results.
struct Listener {
    runtime: tokio::runtime::Runtime,
    told: Receiver<Input>,
    address: std::net::SocketAddr,
    named: Named,
}

impl Listener {
    /// Listens with room for this number of connections, and this number of bytes of unfinished long records.
    fn start(connections: usize, bytes: usize) -> Listener {
        Listener::start_with(Current::new(0, site()), connections, bytes)
    }

    fn start_with(current: Arc<Current>, connections: usize, bytes: usize) -> Listener {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let shared = sources::Connections::new(connections, bytes, runtime.handle().clone());
        let tcp = runtime.block_on(async { sources::listen("0.0.0.0:0".parse().unwrap(), &shared) }).unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], tcp.address().port()));
        let (named, (sender, told)) = (tcp.named(), sync_channel(100));
        runtime.spawn(tcp.run(current, Collect(sender, Arc::default())));
        assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Input::BacklogEnded { .. }));
        Listener { runtime, told, address, named }
    }

    fn count(&self, of: &str) -> u64 {
        self.named.counts.all().into_iter().find(|(name, _)| *name == of).unwrap().1
    }

    fn next_text(&self) -> String {
        let Input::Event(heard) = self.told.recv_timeout(PATIENCE).unwrap() else { panic!() };
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

/// Many connections of one address that send one byte close each other. Connections from before them that send something later
/// are still read.
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

/// Unfinished long records share their memory. Without room a record is cut sooner and counted, and the next record is whole.
#[test]
fn a_long_record_without_room_is_cut() {
    let listener = Listener::start(100, 4_000);
    let long = |n: u32, bytes: usize| format!("{} {}", claim(n).trim_end(), "x".repeat(bytes));
    let mut holder = TcpStream::connect(listener.address).unwrap();
    let beginning = long(1, 20_000);
    holder.write_all(beginning.as_bytes()).unwrap();
    // The first connection takes all the room. When another one is cut, the first one has it.
    let mut other = TcpStream::connect(listener.address).unwrap();
    let (mut cut, mut holder_cut) = (0, 0);
    for n in 2..1_000 {
        other.write_all(format!("{}\n", long(n, 6_000)).as_bytes()).unwrap();
        let text = listener.next_text();
        if text.starts_with("number 1 ") {
            // The other connection had the room at that moment, so the holder begins again.
            holder_cut += 1;
            holder.write_all(format!("\n{beginning}").as_bytes()).unwrap();
            continue;
        }
        assert!(!(4_096..=6_000).contains(&text.len()), "{}", text.len());
        cut += u64::from(text.len() < 4_096);
        if cut == 2 {
            break;
        }
    }
    assert_eq!(cut, 2);
    holder.write_all(b"\n").unwrap();
    let last = (0..1_000).map(|_| listener.next_text()).find(|text| text.starts_with("number 1 ")).unwrap();
    assert!(last.len() > 20_000, "who has room is not cut");
    assert!(listener.count("cut") >= 2 + holder_cut);
    listener.runtime.shutdown_background();
}

/// Stamps of a file on this machine are in the machine's zone. With a configured zone, the file is read in that.
#[test]
fn a_file_is_read_in_the_zone_of_the_machine_or_in_its_own() {
    let new_york = Zone::parse("America/New_York").unwrap();
    for (zone, age, late) in [(None, 0, false), (Some(new_york), 0, false), (Some(Zone::UTC), 5 * 3_600, true)] {
        let folder = Folder::new();
        let path = log(&folder);
        append(&path, "");
        let entry = Entry { zone, machine: new_york, ..Entry::new(&path) };
        let mut follower = Follower::start(&entry, BTreeMap::new());
        follower.until_backlog_ended();
        append(&path, &claim(0).replace("T08:", "T03:"));
        let heard = loop {
            if let Some(heard) = follower.next() {
                break heard;
            }
        };
        let told = (heard.arrived.unwrap().offset_from(heard.event.at.unwrap()) / 1_000_000, heard.late.is_some());
        assert_eq!(told, (age, late), "{zone:?}");
        follower.stop();
    }
}

/// Records of senders in other zones without a zone are new. Records that are an hour old are not new, whatever their zone.
#[test]
fn datagrams_of_other_zones_are_new_and_old_ones_are_not() {
    let udp = Udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, named) = (udp.address().unwrap(), udp.named());
    let (sender, told) = sync_channel(100);
    let (stop, clock) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let thread = std::thread::spawn({
        let (stop, clock) = (stop.clone(), clock.clone());
        move || udp.run(&Current::new(0, site()), &Collect(sender, clock), &stop)
    });
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Input::BacklogEnded { .. }));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let say = |host: &str, app: &str, zone_h: i64, age_s: i64| {
        clock.fetch_add(5_000, Ordering::Relaxed);
        let now = 1_800_000_000_000 + clock.load(Ordering::Relaxed);
        let local = Time::from_millis(now + zone_h * 3_600_000 - age_s * 1_000);
        let text = format!("{} Standard {host} {app} GCTI-00-04563 claim", local.to_string().trim_end_matches('Z'));
        socket.send_to(text.as_bytes(), address).unwrap();
        let Input::Event(heard) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!(heard.arrived, Some(Time::from_millis(now)));
        (heard.late.is_some(), Time::from_millis(now).offset_from(heard.event.at.unwrap()) / 1_000_000)
    };
    for (host, app, zone) in [("sip1", "SIP_SERVER_PRIMARY", -5), ("sip2", "SIP_SERVER_BACKUP", 5)] {
        for _ in 0..6 {
            assert_eq!(say(host, app, zone, 0), (false, 0));
        }
        assert_eq!(say(host, app, zone, 3_600), (true, 3_600));
    }
    let learned = named.arrivals.learned();
    assert_eq!(
        learned.iter().map(|l| (l.host.as_str(), l.zone / 3_600_000_000)).collect::<Vec<_>>(),
        [("sip1", 5), ("sip2", -5)]
    );
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
}

#[test]
fn a_connection_is_known_by_its_address() {
    // On loopback no sender is sip1 (10.10.11.101): the record claims for a host that has another address.
    let Listener { runtime, told, address, named } = Listener::start(1_000, 1 << 20);
    let mut stream = TcpStream::connect(address).unwrap();
    let syslog = |n: u32| format!("<14>{}", claim(n).trim_end());
    let counted = syslog(1);
    let message = format!("{} {counted}{}\n{}", counted.len(), syslog(2), syslog(3));
    // In pieces, and the last record without a line end.
    for piece in message.as_bytes().chunks(37) {
        stream.write_all(piece).unwrap();
    }
    drop(stream);
    for n in 1..=3 {
        let Input::Event(heard) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!((heard.event.text.as_ref(), heard.event.trust), (&*format!("number {n}"), Trust::Unverified));
    }
    assert_eq!(named.counts.all()[..2], [("records", 3), ("wanted", 3)]);
    runtime.shutdown_background();
}

/// A site with one host, which is at 127.0.0.1.
fn site_of_an_appliance(privileged_senders: bool) -> Arc<Site> {
    let host = Host { address: "127.0.0.1".parse().ok(), via: Via::Agent, ..Host::default() };
    let hosts = [("appliance".to_owned(), host)].into();
    let inventory = Arc::new(Inventory { hosts, privileged_senders, ..Inventory::default() });
    let (program, found) = compile(
        &[source("r", "alarm link { detect event where text contains \"link\" by host, sender cancel at once }")],
        &Declarations::default(),
    );
    assert_eq!(found, []);
    let matcher = Matcher::new(&program, Some(&inventory));
    let evaluator = Evaluator::new(inventory.clone());
    Arc::new(Site::new(inventory, Arc::new(program), matcher, BTreeMap::new(), evaluator))
}

/// A reload that requires a privileged port applies to the connections that are open.
#[test]
fn the_trust_of_an_open_connection_follows_the_configuration() {
    let current = Current::new(0, site_of_an_appliance(false));
    let listener = Listener::start_with(current.clone(), 8, 1 << 20);
    let mut stream = TcpStream::connect(listener.address).unwrap();
    for (n, privileged, trust) in [(1, false, Trust::Address), (2, true, Trust::Unverified), (3, false, Trust::Address)] {
        current.exchange(n, site_of_an_appliance(privileged));
        stream.write_all(b"<30>Jan 15 08:00:00 appliance app: link has gone down\n").unwrap();
        let Input::Event(heard) = listener.told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!(heard.event.trust, trust);
    }
    listener.runtime.shutdown_background();
}

#[test]
fn a_record_that_names_no_host_is_of_its_sender() {
    let udp = Udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = udp.address().unwrap();
    let (sender, told) = sync_channel(100);
    let stop = Arc::new(AtomicBool::new(false));
    let thread = std::thread::spawn({
        let stop = stop.clone();
        move || udp.run(&Current::new(0, site_of_an_appliance(false)), &Collect(sender, Arc::default()), &stop)
    });
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Input::BacklogEnded { .. }));
    let known = UdpSocket::bind("127.0.0.1:0").unwrap();
    let unknown = UdpSocket::bind("127.0.0.2:0").unwrap();
    for (socket, datagram, host, from) in [
        (&known, "<30>Network link has gone down", "appliance", "127.0.0.1"),
        (&unknown, "<30>Network link has gone down", "127.0.0.2", "127.0.0.2"),
        (&unknown, "<30>Jan 15 08:00:00 h7 app: link has gone down", "h7", "127.0.0.2"),
    ] {
        socket.send_to(datagram.as_bytes(), address).unwrap();
        let Input::Event(heard) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        let shown = |field: &str| heard.event.field(field).map(|value| value.to_string()).unwrap_or_default();
        assert_eq!((shown("host").as_str(), shown("sender").as_str(), shown("raw").as_str()), (host, from, datagram));
    }
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
}
