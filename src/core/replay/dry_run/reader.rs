//! The first part of a dry run: reads a log line after line, and finds the time of each.

use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::decode::{Decoder, LineFormat};
use crate::core::event::{Event, Trust};
use crate::core::replay::clock::{LogClock, Moment, Settled, ZONES};
use crate::core::site::Site;

use super::{DryRunCounts, Sifted};

/// How many records wait for one that shows whether the time jumped, or what time it is at all. After that the clock decides with
/// what it has.
const WAITING: usize = 1_000;

/// What is known of a log before it is read.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Its number among the logs of the run, from 0.
    pub number: u64,
    /// About when it was written: for stamps without a year, and for a log without any stamp.
    pub written: Time,
    /// About when it began, if its stamps have no year and that is known.
    pub began: Option<Time>,
    /// More is written to it: stamps after `written` are expected.
    pub grows: bool,
    /// The time zone of stamps that contain none.
    pub zone: Zone,
    /// The zone is given, and has precedence over the zones of hosts in the configuration.
    pub zone_is_given: bool,
    /// The host of records that name none; empty if there is none.
    pub host: String,
    /// The application of records that name none; empty if there is none.
    pub app: String,
    /// How its lines begin, if the configuration declares it.
    pub format: Option<LineFormat>,
}

/// Room for the line numbers of one log: a line's number is the log's number times this, plus its own.
pub const LINES_OF_A_LOG: u64 = 1 << 40;

/// The first part reads each line of a log and finds its time. It needs the line before for that.
pub struct LogReader {
    site: Arc<Site>,
    decoder: Decoder,
    clock: LogClock,
    origin: Origin,
    trust: Trust,
    lines: u64,
    /// How many records wait for one that shows what time it is.
    waited: usize,
}

/// A line that was read.
pub struct ReadLine<'a> {
    pub(super) line: u64,
    pub(super) event: Event<'a>,
    pub(super) stamp: Option<Time>,
    /// With this line it became clear at which times the waiting lines count.
    pub(super) settled: Option<Settled>,
    /// When the line counts; `None` if it has to wait.
    pub(super) at: Option<Moment>,
    /// Rare, and therefore in a box: lines are moved often.
    pub(super) odd: Option<Box<Odd>>,
}

/// Odd times that were found since this line.
#[derive(Clone, Copy, Default)]
pub(super) struct Odd {
    /// The first stamp that is not believed, with its line.
    pub(super) disbelieved: Option<(u64, Time)>,
    /// The first step back that is believed: its line, and the times before and after it.
    pub(super) stepped: Option<(u64, Time, Time)>,
}

impl<'a> ReadLine<'a> {
    /// The event that the decoder made from the line.
    pub fn event(&self) -> &Event<'a> {
        &self.event
    }

    /// The number of the line; the first line of the first log is 1.
    pub fn line(&self) -> u64 {
        self.line
    }
}

impl LogReader {
    pub(super) fn new(site: Arc<Site>, origin: Origin, trust: Trust) -> LogReader {
        let mut decoder = Decoder::new().in_zone(origin.zone);
        if let Some(format) = &origin.format {
            decoder = decoder.with_format(format.clone());
        }
        if !origin.grows {
            decoder.whole_log(origin.written + ZONES);
        }
        LogReader { site, decoder, clock: LogClock::new(origin.written), origin, trust, lines: 0, waited: 0 }
    }

    /// Reads the next line, without its end.
    pub fn read<'a>(&mut self, record: &'a [u8], cut: bool) -> ReadLine<'a> {
        self.lines += 1;
        let line = self.origin.number * LINES_OF_A_LOG + self.lines;
        // When the time is known, it continues from there.
        let known = self.clock.now().map(|now| now.log);
        let began = self.origin.began;
        self.decoder.not_after((known.is_none() && began.is_none()).then(|| self.origin.written + ZONES));
        let reference = known.or(began).unwrap_or(self.origin.written);
        let mut event = self.decoder.decode(record, reference);
        event.trust = self.trust;
        event.marks.cut |= cut;
        event.default_names(&self.origin.host, &self.origin.app);
        if !self.origin.zone_is_given {
            self.site.to_zone_of_host(&mut event, self.origin.zone, reference);
        }
        let stamp = if event.marks.continuation { None } else { event.at };
        let (doubts, steps) = (self.clock.disbelieved, self.clock.stepped.is_some());
        let mut settled = None;
        let mut is_known = true;
        if self.clock.waits() {
            let over = self.waited >= WAITING;
            let next = stamp.filter(|_| !over).map(|stamp| (stamp, event.host.as_ref()));
            settled = if over || stamp.is_some() { self.clock.settle(line, next) } else { None };
            is_known = settled.is_some();
            if is_known {
                self.waited = 0;
            }
        }
        let is_known = is_known && stamp.is_none_or(|stamp| self.clock.read(line, stamp, &event.host));
        self.waited += usize::from(!is_known);
        let odd = self.odd(doubts, steps);
        ReadLine { line, event, stamp, settled, at: self.clock.now().filter(|_| is_known), odd }
    }

    /// The log has ended; what it left, for [`super::Settling`]. `None` for an empty log.
    pub fn end(&mut self) -> Option<Sifted> {
        let (doubts, steps) = (self.clock.disbelieved, self.clock.stepped.is_some());
        let settled = if self.clock.waits() { self.clock.settle(self.lines, None) } else { None };
        let counts = DryRunCounts { stamps_disbelieved: self.clock.disbelieved, ..DryRunCounts::default() };
        let odd = self.odd(doubts, steps);
        (self.lines > 0).then(|| Sifted { settled, at: self.clock.now(), odd, counts, ..Sifted::default() })
    }

    /// The number of lines that were read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// What was found odd since the counter of doubts had this value.
    fn odd(&self, doubts: u64, steps: bool) -> Option<Box<Odd>> {
        let disbelieved = self.clock.first.filter(|_| doubts == 0 && self.clock.disbelieved > 0);
        let stepped = self.clock.stepped.filter(|_| !steps);
        (disbelieved.is_some() || stepped.is_some()).then(|| Box::new(Odd { disbelieved, stepped }))
    }
}
