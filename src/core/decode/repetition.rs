//! Records by which a syslog daemon replaces equal messages that follow each other.
//!
//! rsyslog (`RepeatedMsgReduction`) repeats the message: `message repeated 3 times: [ text]`. It is read as that message, and the
//! event stands for three. Other daemons write `last message repeated 3 times` and leave the message out. That line stays text:
//! behind a relay, nobody can tell which message was the last one.

use std::num::NonZeroU16;

use crate::core::base::limits::REPEATED;

use super::envelope::Envelope;
use super::message_head::take_id;

const BEGIN: &str = "message repeated ";

/// True for `last message repeated 3 times` and `message repeated 3 times: [ ... ]`, which are text, not a host and a tag.
pub(super) fn is_repetition(text: &str) -> bool {
    text.strip_prefix("last ").unwrap_or(text).starts_with(BEGIN)
}

/// Takes the message out of the record that replaces it. Returns for how many messages the record stands; `None` if it is a
/// message itself.
pub(super) fn take_message(e: &mut Envelope<'_>) -> Option<NonZeroU16> {
    let (number, rest) = e.text.strip_prefix(BEGIN)?.split_once(" times: [")?;
    let text = rest.strip_suffix(']')?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let times = NonZeroU16::new(number.parse().unwrap_or(REPEATED).min(REPEATED))?;
    e.text = text.trim_matches(' ');
    take_id(e);
    Some(times)
}
