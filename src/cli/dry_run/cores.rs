//! A dry run on all cores.
//!
//! ```text
//!   the log, Reader ---round the threads, a batch each--->   each sifts its batch   --bounded queues, in turns--->  Acting
//! ```
//!
//! Reading a line needs the one before it, so whoever reads has the log, and hands it to the next when its batch is full; what
//! a rule wants of the lines is found by all at once. Threads have their turns, so what is wanted comes in the order of the log,
//! and no thread is more than [`AHEAD`] batches ahead of the one that acts.

use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::decode::Lines;
use crate::replay::{DryRun, Entry, Reader, Sifted, Sifting};

/// Lines of a batch, at most: to hand the log on takes as long as to read a hundred.
const BATCH: usize = 2_048;
/// Batches of one thread that wait for the one that acts.
const AHEAD: usize = 4;
/// More threads would wait for the log.
const MOST: usize = 8;

/// Threads that are worth it here.
pub(super) fn worth_it() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST)
}

/// The log and who reads it: the thread that has it may read.
struct Turn<'r, R> {
    lines: Lines<BufReader<R>>,
    reader: &'r mut Reader,
}

/// What a thread found in its batch, and why there is none after it, when reading failed.
type Found = (Vec<Sifted>, io::Result<()>);

/// Replays a log to its end, or until `tell` says that nobody listens.
pub(super) fn replay<R: Read + Send>(
    run: &mut DryRun,
    log: BufReader<R>,
    threads: usize,
    tell: &mut dyn FnMut(Entry) -> bool,
    count: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let (reader, sifting, acting) = run.parts();
    let (turns, waiting): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel()).unzip();
    thread::scope(|scope| {
        let mut queues = Vec::new();
        // Who has its turn hands it to the next; the last to the first.
        let mut next = turns.clone();
        next.rotate_left(1);
        for (turn, next) in waiting.into_iter().zip(next) {
            let (found, queue) = sync_channel(AHEAD);
            queues.push(queue);
            scope.spawn(move || work(sifting, &turn, &next, &found));
        }
        if let Some(first) = turns.first() {
            let _ = first.send(Turn { lines: Lines::new(log), reader });
        }
        drop(turns);
        act(&queues, |sifted| {
            let mut listens = true;
            let line = sifted.line();
            acting.take(sifted, &mut |entry| listens &= tell(entry));
            count(line);
            listens
        })
    })
}

/// Takes what was found, thread after thread. The first that has nothing more met the end of the log.
fn act(queues: &[Receiver<Found>], mut take: impl FnMut(Sifted) -> bool) -> io::Result<()> {
    for queue in queues.iter().cycle() {
        let Ok((found, read)) = queue.recv() else { break };
        if !found.into_iter().all(&mut take) {
            break;
        }
        read?;
    }
    Ok(())
}

/// One thread: reads a batch when it has the turn, and sifts it when the next has.
fn work<'r, R: Read>(sifting: &Sifting, turn: &Receiver<Turn<'r, R>>, next: &Sender<Turn<'r, R>>, found: &SyncSender<Found>) {
    let (mut batch, mut hits) = (Batch::default(), Vec::new());
    while let Ok(mut turn) = turn.recv() {
        let read = batch.fill(&mut turn.lines);
        let reads: Vec<_> = batch.lines().map(|(line, cut)| turn.reader.read(line, cut)).collect();
        let more = matches!(read, Ok(true));
        if more {
            // The next is gone when nobody listens any more.
            let _ = next.send(turn);
        }
        let mut left: Vec<Sifted> = Vec::new();
        for read in reads {
            let sifted = sifting.sift(read, &mut hits);
            match left.last_mut() {
                Some(last) if sifted.is_idle() => last.count(&sifted),
                _ => left.push(sifted),
            }
        }
        let heard = found.send((left, read.map(drop))).is_ok();
        if !(heard && more) {
            break;
        }
    }
}

/// Lines, copied out of the reader.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each ends, and whether it was cut.
    ends: Vec<(usize, bool)>,
}

impl Batch {
    /// Instead of what was there, the next lines: those at hand, one at least. False at the end of the log.
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

    use super::super::setup::{self, Given};
    use super::*;
    use crate::base::time::Time;
    use crate::event::Provenance;
    use crate::replay::Counts;
    use crate::sim::Rng;

    fn dry_run() -> DryRun {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sip-pair/pointsman.yaml");
        let site = setup::load(&Given { config: Some(config), ..Given::default() }).site.expect("the example's site");
        let holders = [("sip_vip".to_owned(), "sip1".to_owned())].into();
        DryRun::new(site, holders, Time::parse_rfc3339("2026-03-14T12:00:00Z").unwrap(), Provenance::Local)
    }

    /// Role changes among other lines: some without a time, some hours later, some of nobody, some not UTF-8.
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

    fn by_lines(log: &[u8]) -> (Vec<String>, Counts) {
        let (mut run, mut told) = (dry_run(), Vec::new());
        let mut lines = Lines::new(log);
        while let Some(line) = lines.next_line().unwrap() {
            run.line(line.bytes, line.cut, &mut |entry| told.push(entry.json()));
        }
        let counts = run.finish(&mut |entry| told.push(entry.json()));
        (told, counts)
    }

    #[test]
    fn any_number_of_threads_tells_the_same() {
        let log = log();
        let (wanted, counts) = by_lines(&log);
        assert!(wanted.len() > 500 && counts.matched > 100 && counts.stamps_disbelieved > 0 && counts.latin1 > 0);
        for (threads, buffer) in [(1, 1 << 16), (2, 1 << 18), (3, 999), (8, 4_096)] {
            let (mut run, mut told) = (dry_run(), Vec::new());
            let log = BufReader::with_capacity(buffer, log.as_slice());
            let mut tell = |entry: Entry| {
                told.push(entry.json());
                true
            };
            replay(&mut run, log, threads, &mut tell, &mut |_| ()).unwrap();
            let counted = run.finish(&mut |entry| told.push(entry.json()));
            assert!(told == wanted, "{threads} threads, {} and {} entries", told.len(), wanted.len());
            assert_eq!(counted, counts, "{threads} threads");
        }
    }

    #[test]
    fn it_ends_when_nobody_listens_and_when_the_log_cannot_be_read() {
        let log = log();
        let mut left = 3;
        let mut tell = |_: Entry| {
            left -= 1;
            left > 0
        };
        replay(&mut dry_run(), BufReader::new(log.as_slice()), 3, &mut tell, &mut |_| ()).unwrap();
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
        let ended = replay(&mut run, BufReader::new(Breaks(1_000)), 2, &mut |_| true, &mut |_| ());
        assert_eq!(ended.unwrap_err().to_string(), "the disk is gone");
        assert_eq!(run.finish(&mut |_| ()).lines, 1_000);
    }
}
