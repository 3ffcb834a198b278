//! Removes wrappers ([`super::wrap`]): pieces are kept until the last one, and the inner record is decoded.

use std::borrow::Cow;

use crate::core::base::time::Time;
use crate::core::event::{Event, EventMarks};

use super::wrap::{self, Export, Exported, Wrapped};
use super::{Decoder, Inside, colors, set_time};

impl Decoder {
    /// Takes a line of an entry of the journal's export; `None` if it is none.
    pub(super) fn exported<'a>(&mut self, line: &'a str, reference: Time) -> Option<Event<'a>> {
        if self.export.is_none() {
            if self.datagrams || !Export::begins(line) {
                return None;
            }
            self.export = Some(Export::default());
        }
        match self.export.as_mut()?.take(line) {
            Exported::More => Some(piece(line)),
            Exported::End(wrapped, lines, cut) => {
                self.export = None;
                let mut event = self.unwrapped(*wrapped, reference);
                event.raw = Cow::Owned(lines);
                event.marks.cut |= cut;
                Some(event)
            }
        }
    }

    /// The record inside a wrapper, with the wrapper's data.
    fn unwrapped(&mut self, wrapped: Wrapped, reference: Time) -> Event<'static> {
        let Wrapped { outer, inner, stream, .. } = wrapped;
        let (inner, whole) = self.pieces.finish(&stream, inner);
        // What is inside has no pieces of its own.
        let pieces = std::mem::take(&mut self.pieces);
        let mut decoder = self.clone();
        self.pieces = pieces;
        decoder.inside = if outer.is_message { Inside::Messages } else { Inside::Lines };
        decoder.datagrams = true;
        decoder.next_file();
        let time = outer.stamp.and_then(|stamp| self.tick(&stamp, reference));
        let inner = colors::without(&inner).unwrap_or(inner);
        let mut event = decoder.read(&inner, time.map_or(reference, |time| time.at)).into_owned();
        wrap::put_on(&mut event, outer);
        set_time(&mut event, time);
        event.marks.cut |= !whole;
        self.keep_open(&event);
        event
    }

    /// A wrapped record, or a piece of one.
    pub(super) fn take_wrapped<'a>(&mut self, record: &'a str, wrapped: Wrapped, reference: Time) -> Event<'a> {
        if !self.datagrams && self.pieces.goes_on(wrapped.piece) {
            let mut event = piece(record);
            event.marks.cut |= !self.pieces.push(&wrapped.stream, &wrapped.inner);
            let time = wrapped.outer.stamp.and_then(|stamp| self.tick(&stamp, reference));
            set_time(&mut event, time);
            return event;
        }
        let mut event: Event<'a> = self.unwrapped(wrapped, reference);
        event.raw = Cow::Borrowed(record);
        event
    }
}

/// A piece of a record of which more follows.
fn piece(record: &str) -> Event<'_> {
    Event { text: Cow::Borrowed(record), marks: EventMarks { partial: true, ..EventMarks::default() }, ..Event::default() }
}
