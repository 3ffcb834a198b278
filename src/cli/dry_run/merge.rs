//! Merges several logs of the same period: their lines in the order of their times.
//!
//! ```text
//!   log, Reader, Sifting, Settling --batches in the log's order--+
//!   log, Reader, Sifting, Settling --batches in the log's order--+--> the earliest of all --> Acting
//! ```
//!
//! Each log keeps its own order, which its times never contradict. Lines with the same time are in the order in which the logs
//! were named. If there are few logs, each has a thread that reads some batches ahead. If there are many, one after the other is
//! read when its lines are needed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::core::base::time::Time;
use crate::core::decode::Lines;
use crate::core::replay::{DryRun, LogReader, Settling, SiftRoom, Sifted, TimelineEntry};

use super::cores::{AHEAD, Batch, FoundInBatch, MOST, sift_on};

/// Why a log could not be read to its end: its index among the named logs, the line, and the error.
pub(super) type Failure = (usize, u64, io::Error);

/// A log that is being merged.
struct Stream<'a> {
    /// Reads the next batch; `None` at the end of the log.
    next: Box<dyn FnMut() -> Option<FoundInBatch> + 'a>,
    settling: Settling,
    /// The lines that are ready to be replayed, in order, each with its time.
    ready: VecDeque<(Time, Sifted)>,
    last: Time,
    lines: u64,
    failed: Option<io::Error>,
}

impl Stream<'_> {
    /// Makes lines ready. Returns false at the end of the log.
    fn fill(&mut self) -> bool {
        while self.ready.is_empty() {
            let Some((found, read)) = (self.next)() else { return false };
            for sifted in found {
                self.lines += sifted.lines();
                let (ready, last) = (&mut self.ready, &mut self.last);
                self.settling.take(sifted, &mut |sifted| {
                    *last = sifted.at().map_or(*last, |at| at.max(*last));
                    ready.push_back((*last, sifted));
                });
            }
            if let Err(e) = read {
                self.failed = Some(e);
            }
        }
        true
    }
}

/// Replays logs to their ends, or until `tell` says that nobody reads the output. `batch` is called when all available lines were
/// replayed.
pub(super) fn replay<R: Read + Send>(
    run: &mut DryRun,
    logs: Vec<(LogReader, BufReader<R>)>,
    threads: bool,
    emit: &mut dyn FnMut(Option<TimelineEntry>) -> bool,
    count: &mut dyn FnMut(u64),
) -> Option<Failure> {
    let (sifting, acting) = run.parts();
    let threads = threads && logs.len() <= MOST;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut streams = Vec::new();
        for (mut reader, log) in logs {
            let (mut lines, mut batch, mut room, mut ended) = (Lines::new(log), Batch::default(), SiftRoom::default(), false);
            let over = &over;
            let mut work = move || {
                if ended {
                    return None;
                }
                if over.load(Ordering::Relaxed) {
                    ended = true;
                    return Some((room.take_seen(sifting, true).into_iter().collect(), Ok(())));
                }
                let (found, read) = sift_on(sifting, &mut reader, &mut lines, &mut batch, &mut room);
                ended = !matches!(read, Ok(true));
                Some((found, read.map(drop)))
            };
            let next: Box<dyn FnMut() -> Option<FoundInBatch>> = if threads {
                let (sender, queue) = sync_channel(AHEAD);
                scope.spawn(move || while work().is_some_and(|found| sender.send(found).is_ok()) {});
                Box::new(move || queue.recv().ok())
            } else {
                Box::new(work)
            };
            let (ready, settling) = (VecDeque::new(), Settling::default());
            streams.push(Stream { next, settling, ready, last: Time::MIN, lines: 0, failed: None });
        }
        let mut heap: BinaryHeap<Reverse<(Time, usize)>> = BinaryHeap::new();
        for (n, stream) in streams.iter_mut().enumerate() {
            stream.fill();
            heap.extend(stream.ready.front().map(|(at, _)| Reverse((*at, n))));
        }
        let mut listens = true;
        while let Some(Reverse((_, n))) = heap.pop() {
            let Some((_, sifted)) = streams[n].ready.pop_front() else { continue };
            acting.take(sifted, &mut |entry| listens &= emit(Some(entry)));
            if streams[n].ready.is_empty() {
                // All available lines were replayed. More may arrive at any time, or not for hours.
                listens &= emit(None);
                count(streams.iter().map(|stream| stream.lines).sum());
            }
            if !listens || acting.is_over() {
                break;
            }
            streams[n].fill();
            heap.extend(streams[n].ready.front().map(|(at, _)| Reverse((*at, n))));
        }
        if acting.is_over() {
            // Nothing more is read. What was read has statistics of lines before the end.
            over.store(true, Ordering::Relaxed);
            for stream in &mut streams {
                let read = std::iter::from_fn(|| (stream.next)()).flat_map(|(found, _)| found);
                let ready = std::mem::take(&mut stream.ready);
                ready.into_iter().map(|(_, sifted)| sifted).chain(read).for_each(|sifted| acting.take(sifted, &mut |_| ()));
            }
        }
        let failed = streams.iter_mut().enumerate().find_map(|(n, stream)| Some((n, stream.lines, stream.failed.take()?)));
        drop(streams);
        failed
    })
}
