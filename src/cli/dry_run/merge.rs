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
    tell: &mut dyn FnMut(Option<TimelineEntry>) -> bool,
    count: &mut dyn FnMut(u64),
) -> Option<Failure> {
    let (sifting, acting) = run.parts();
    let threads = threads && logs.len() <= MOST;
    thread::scope(|scope| {
        let mut streams = Vec::new();
        for (mut reader, log) in logs {
            let (mut lines, mut batch, mut room, mut over) = (Lines::new(log), Batch::default(), SiftRoom::default(), false);
            let mut work = move || {
                let found = (!over).then(|| sift_on(sifting, &mut reader, &mut lines, &mut batch, &mut room))?;
                over = !matches!(found.1, Ok(true));
                Some((found.0, found.1.map(drop)))
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
            acting.take(sifted, &mut |entry| listens &= tell(Some(entry)));
            if streams[n].ready.is_empty() {
                // All available lines were replayed. More may arrive at any time, or not for hours.
                listens &= tell(None);
                count(streams.iter().map(|stream| stream.lines).sum());
            }
            if !listens || acting.is_over() {
                break;
            }
            streams[n].fill();
            heap.extend(streams[n].ready.front().map(|(at, _)| Reverse((*at, n))));
        }
        let failed = streams.iter_mut().enumerate().find_map(|(n, stream)| Some((n, stream.lines, stream.failed.take()?)));
        drop(streams);
        failed
    })
}
