//! Replays a log on all cores.
//!
//! ```text
//!   the log, Reader ---round the threads, a batch each--->   each sifts its batch   --bounded queues, in turns--->  Acting
//! ```
//!
//! Reading a line requires the line before it. The thread that reads therefore has the log, and passes it to the next thread when
//! its batch is full. All threads find the lines that a rule wants at the same time. Threads take turns, so the results arrive in
//! the order of the log, and no thread is more than [`AHEAD`] batches ahead of the one that acts.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::core::decode::Lines;
use crate::core::replay::{DryRun, LogReader, Settling, SiftRoom, Sifted, Sifting, TimelineEntry};

/// The maximum number of lines in a batch. Passing the log on takes as long as reading a hundred lines.
const BATCH: usize = 2_048;
/// The number of batches of one thread that may wait for the thread that acts.
pub(super) const AHEAD: usize = 4;
/// The maximum number of threads. More of them would wait for the log.
pub(super) const MOST: usize = 8;

/// The number of threads to use on this machine.
pub(super) fn worth_it() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST)
}

/// The log and its reader. The thread that has it may read.
struct Turn<'r, R> {
    lines: Lines<BufReader<R>>,
    reader: &'r mut LogReader,
}

/// The results of a thread's batch, and the reading error if there is no further batch because of one.
pub(super) type FoundInBatch = (Vec<Sifted>, io::Result<()>);

/// Replays a log to its end, or until `tell` says that nobody reads the output.
pub(super) fn replay<R: Read + Send>(
    run: &mut DryRun,
    reader: &mut LogReader,
    log: BufReader<R>,
    threads: usize,
    emit: &mut dyn FnMut(TimelineEntry) -> bool,
    count: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let (sifting, acting) = run.parts();
    let mut settling = Settling::default();
    let over = AtomicBool::new(false);
    let (turns, waiting): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel()).unzip();
    thread::scope(|scope| {
        let mut queues = Vec::new();
        // Each thread passes its turn to the next one, and the last thread passes it to the first.
        let mut next = turns.clone();
        next.rotate_left(1);
        for (turn, next) in waiting.into_iter().zip(next) {
            let (found, queue) = sync_channel(AHEAD);
            queues.push(queue);
            let over = &over;
            scope.spawn(move || work(sifting, &turn, &next, &found, over));
        }
        if let Some(first) = turns.first() {
            let _ = first.send(Turn { lines: Lines::new(log), reader });
        }
        drop(turns);
        act(&queues, |sifted| {
            let mut listens = true;
            let line = sifted.line();
            settling.take(sifted, &mut |sifted| acting.take(sifted, &mut |entry| listens &= emit(entry)));
            count(line);
            if acting.is_over() {
                over.store(true, Ordering::Relaxed);
            }
            listens
        })
    })
}

/// Takes the results, thread after thread, until every thread has ended: the last result of each has its statistics. The error
/// is the one with which reading ended.
fn act(queues: &[Receiver<FoundInBatch>], mut take: impl FnMut(Sifted) -> bool) -> io::Result<()> {
    let mut open: VecDeque<&Receiver<FoundInBatch>> = queues.iter().collect();
    let mut ended = Ok(());
    while let Some(queue) = open.pop_front() {
        let Ok((found, read)) = queue.recv() else { continue };
        if !found.into_iter().all(&mut take) {
            break;
        }
        ended = ended.and(read);
        open.push_back(queue);
    }
    ended
}

/// Runs one thread: it reads a batch when it has the turn, passes the turn on, and sifts the batch. Nothing more is read when
/// the moment has passed up to which the log is replayed.
fn work<'r, R: Read>(
    sifting: &Sifting,
    turn: &Receiver<Turn<'r, R>>,
    next: &Sender<Turn<'r, R>>,
    found: &SyncSender<FoundInBatch>,
    over: &AtomicBool,
) {
    let (mut batch, mut room) = (Batch::default(), SiftRoom::default());
    while let Ok(mut turn) = turn.recv() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let read = batch.fill(&mut turn.lines);
        let reads: Vec<_> = batch.lines().map(|(line, cut)| turn.reader.read(line, cut)).collect();
        let more = matches!(read, Ok(true));
        let end = if more { None } else { turn.reader.end() };
        if more {
            // The next thread has ended if nobody reads the output any more.
            let _ = next.send(turn);
        }
        let left = sift(sifting, reads, end, &mut room);
        let sent = found.send((left, read.map(drop))).is_ok();
        if !(sent && more) {
            break;
        }
    }
    // The log has ended, here or in another thread.
    let _ = found.send((room.take_seen(sifting, true).into_iter().collect(), Ok(())));
}

/// The lines that matter. Lines that do not matter are counted with the line before.
fn sift(
    sifting: &Sifting,
    mut reads: Vec<crate::core::replay::ReadLine<'_>>,
    end: Option<Sifted>,
    room: &mut SiftRoom,
) -> Vec<Sifted> {
    let mut left: Vec<Sifted> = Vec::new();
    // In place, because a line is large.
    for read in &mut reads {
        let sifted = sifting.sift(read, room);
        match left.last_mut() {
            Some(last) if sifted.is_idle() => last.count(&sifted),
            _ => left.push(sifted),
        }
    }
    left.extend(room.take_seen(sifting, end.is_some()));
    left.extend(end);
    left
}

/// Reads the next lines of a log that is read alone. Returns false at its end.
pub(super) fn sift_on<R: Read>(
    sifting: &Sifting,
    reader: &mut LogReader,
    lines: &mut Lines<BufReader<R>>,
    batch: &mut Batch,
    room: &mut SiftRoom,
) -> (Vec<Sifted>, io::Result<bool>) {
    let read = batch.fill(lines);
    let reads: Vec<_> = batch.lines().map(|(line, cut)| reader.read(line, cut)).collect();
    let end = if matches!(read, Ok(true)) { None } else { reader.end() };
    (sift(sifting, reads, end, room), read)
}

/// Lines that were copied out of the reader.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// The end of each line, and whether the line was cut.
    ends: Vec<(usize, bool)>,
}

impl Batch {
    /// Replaces the content by the next available lines, at least one. Returns false at the end of the log.
    fn fill<R: Read>(&mut self, lines: &mut Lines<BufReader<R>>) -> io::Result<bool> {
        self.bytes.clear();
        self.ends.clear();
        while let Some(line) = lines.next_line()? {
            self.bytes.extend_from_slice(line.bytes);
            self.ends.push((self.bytes.len(), line.cut));
            if self.ends.len() == BATCH || lines.is_drained() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        begins.zip(&self.ends).map(|(begin, (end, cut))| (&self.bytes[begin..*end], *cut))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::merge;
    use super::*;
    use crate::core::base::time::Time;
    use crate::core::event::Trust;
    use crate::core::replay::{DryRunCounts, Origin};
    use crate::core::sim::Rng;
    use crate::shell::site_files::{self, SiteFiles};

    fn dry_run() -> DryRun {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sip-pair/pointsman.yaml");
        let site =
            site_files::load(&SiteFiles { config: Some(config), ..SiteFiles::default() }).site.expect("the example's site");
        let holders = [("sip_vip".to_owned(), "sip1".to_owned())].into();
        DryRun::new(site, holders, Trust::Local)
    }

    fn reader(run: &DryRun, number: u64) -> LogReader {
        run.reader(Origin { number, written: Time::parse_rfc3339("2026-03-14T12:00:00Z").unwrap(), ..Origin::default() })
    }

    /// Role changes among other lines: some without a time, some hours later, some of an unknown sender, some not UTF-8.
    fn log() -> Vec<u8> {
        let mut rng = Rng::new(1);
        let (mut log, mut seconds) = (Vec::new(), 3_600);
        for n in 0..20_000 {
            seconds += rng.index(3);
            let wild = if rng.index(2_000) == 0 { 7_200 } else { 0 };
            let time = seconds + wild;
            let stamp =
                format!("2026-03-{:02}T{:02}:{:02}:{:02}.000", 10 + time / 86_400, time / 3_600 % 24, time / 60 % 60, time % 60);
            let (app, id) = [("SIP_SERVER_PRIMARY", "04561"), ("SIP_SERVER_BACKUP", "04563"), ("NOBODY", "04563")][rng.index(3)];
            let line = match rng.index(100) {
                0 => format!("{stamp} Standard host1 {app} GCTI-00-{id} role {n}\n"),
                1 => "a line without any time\n".to_owned(),
                _ => format!("{stamp} Trace host1 {app} GCTI-00-20002 nothing {n}\n"),
            };
            log.extend_from_slice(line.as_bytes());
            if rng.index(500) == 0 {
                log.extend_from_slice(b"\xff\xfe\r\n");
            }
        }
        log
    }

    /// Replays line after line on one thread.
    fn by_lines(log: &[u8]) -> (Vec<String>, DryRunCounts) {
        let (mut run, mut entries, mut room, mut settling) = (dry_run(), Vec::new(), SiftRoom::default(), Settling::default());
        let mut reader = reader(&run, 0);
        let mut lines = Lines::new(log);
        let (sifting, acting) = run.parts();
        let mut take = |sifted: Sifted| {
            settling.take(sifted, &mut |sifted| acting.take(sifted, &mut |entry| entries.push(entry.json())));
        };
        while let Some(line) = lines.next_line().unwrap() {
            take(sifting.sift(&mut reader.read(line.bytes, line.cut), &mut room));
        }
        reader.end().into_iter().for_each(&mut take);
        let counts = run.finish(&mut |entry| entries.push(entry.json()));
        (entries, counts)
    }

    #[test]
    fn any_number_of_threads_tells_the_same() {
        let log = log();
        let (wanted, counts) = by_lines(&log);
        assert!(wanted.len() > 500 && counts.matched > 100 && counts.stamps_disbelieved > 0 && counts.latin1 > 0);
        for (threads, buffer) in [(1, 1 << 16), (2, 1 << 18), (3, 999), (8, 4_096)] {
            let (mut run, mut entries) = (dry_run(), Vec::new());
            let log = BufReader::with_capacity(buffer, log.as_slice());
            let mut emit = |entry: TimelineEntry| {
                entries.push(entry.json());
                true
            };
            let mut reader = reader(&run, 0);
            replay(&mut run, &mut reader, log, threads, &mut emit, &mut |_| ()).unwrap();
            let counted = run.finish(&mut |entry| entries.push(entry.json()));
            assert!(entries == wanted, "{threads} threads, {} and {} entries", entries.len(), wanted.len());
            assert_eq!(counted, counts, "{threads} threads");
        }
    }

    /// A log of two hosts that was split into two gives the same result, because the lines are merged by their times.
    #[test]
    fn logs_of_one_time_are_merged() {
        let log = String::from_utf8_lossy(&log()).replace("a line without any time\n", "").replace("\u{fffd}", "");
        let log: String = log.lines().filter(|line| line.starts_with("2026")).map(|line| format!("{line}\n")).collect();
        let stamped = |line: &str| line.get(..23).map(str::to_owned);
        // Lines with jumping times have no order.
        let mut lines: Vec<&str> = log.split_inclusive('\n').collect();
        lines.sort_by_key(|line| stamped(line));
        let (wanted, counts) = by_lines(lines.concat().as_bytes());
        for (parts, threads) in [(2_usize, true), (2, false), (5, true), (30, true)] {
            let of = |n: usize| {
                lines.iter().enumerate().filter(|(at, _)| at / 7 % parts == n).map(|(_, line)| *line).collect::<String>()
            };
            let parts: Vec<String> = (0..parts).map(of).collect();
            let (mut run, mut entries) = (dry_run(), Vec::new());
            let logs = parts.iter().zip(0..).map(|(log, n)| (reader(&run, n), BufReader::new(log.as_bytes()))).collect();
            let mut emit = |entry: Option<TimelineEntry>| {
                entries.extend(entry.map(|entry| entry.json()));
                true
            };
            assert!(merge::replay(&mut run, logs, threads, &mut emit, &mut |_| ()).is_none());
            let counted = run.finish(&mut |entry| entries.push(entry.json()));
            let without_lines = |entries: &[String]| -> Vec<String> {
                let of = |text: &String| {
                    let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
                    json.as_object_mut().unwrap().remove("line");
                    json.to_string()
                };
                entries.iter().map(of).collect()
            };
            let (a, b) = (without_lines(&entries), without_lines(&wanted));
            let differs = a.iter().zip(&b).position(|(a, b)| a != b);
            assert!(a == b, "{} and {}: {:?}", a.len(), b.len(), differs.map(|n| (&a[n], &b[n])));
            assert_eq!((counted.lines, counted.matched), (counts.lines, counts.matched));
        }
    }

    /// The statistics are of all lines up to the end, whichever thread read them and however reading ended.
    #[test]
    fn statistics_are_whole_when_the_replay_ends_early() {
        let log = log();
        for (threads, until) in [(1, Some(4)), (3, Some(4)), (8, Some(6)), (3, None)] {
            let mut run = dry_run();
            run.count_seen();
            let until = until.map(|hours| Time::parse_rfc3339(&format!("2026-03-10T0{hours}:00:00Z")).unwrap());
            until.into_iter().for_each(|until| run.end_at(until));
            let mut of_run = reader(&run, 0);
            let end = until.is_none().then(|| io::Error::other("the disk is gone"));
            let log = BufReader::new(log.as_slice().chain(Ends(end)));
            let read = replay(&mut run, &mut of_run, log, threads, &mut |_| true, &mut |_| ());
            assert_eq!(read.is_err(), until.is_none());
            let counts = run.finish(&mut |_| ());
            let records: u64 = run.seen().logs().map(|(_, of)| of.records).sum();
            assert!(counts.lines > 3_000, "{counts:?}");
            assert_eq!(records, counts.lines, "{threads} threads until {until:?}");
        }
    }

    /// The end of a log, or a reading error.
    struct Ends(Option<io::Error>);

    impl Read for Ends {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), Err)
        }
    }

    #[test]
    fn it_ends_when_nobody_listens_and_when_the_log_cannot_be_read() {
        let log = log();
        let mut left = 3;
        let mut emit = |_: TimelineEntry| {
            left -= 1;
            left > 0
        };
        let mut run = dry_run();
        let mut of_run = reader(&run, 0);
        replay(&mut run, &mut of_run, BufReader::new(log.as_slice()), 3, &mut emit, &mut |_| ()).unwrap();
        assert!(left <= 0);

        struct Breaks(usize);
        impl Read for Breaks {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let line = b"2026-03-14T10:00:00.000 Standard host1 NOBODY GCTI-00-04563 a\n";
                self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::other("the disk is gone"))?;
                into[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        let mut run = dry_run();
        let mut of_run = reader(&run, 0);
        let ended = replay(&mut run, &mut of_run, BufReader::new(Breaks(1_000)), 2, &mut |_| true, &mut |_| ());
        assert_eq!(ended.unwrap_err().to_string(), "the disk is gone");
        assert_eq!(run.finish(&mut |_| ()).lines, 1_000);
    }
}
