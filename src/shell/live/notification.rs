//! What a notification is on its way to people: each channel says what it can carry.
//!
//! | channel | lines and tabs | at most |
//! |---|---|---|
//! | command | as they are | [`NOTIFICATION_BYTES`] bytes |
//! | log, syslog | written as `\n` and `\t`: one notification is one line | [`NOTIFICATION_LINE`] characters |
//!
//! Whatever else would control a terminal is escaped in both, for a part of the text may come out of a log.

use crate::core::base::limits::{NOTIFICATION_BYTES, NOTIFICATION_LINE};
use crate::core::base::text::{printable, printable_short};
use crate::core::inventory::Channel;

/// Stands at the end of a text that was cut.
const CUT: &str = "\n[cut]";

/// The text as a channel carries it.
pub(super) fn carried(channel: &Channel, text: &str) -> String {
    match channel {
        Channel::Log | Channel::Syslog => printable_short(text, NOTIFICATION_LINE),
        Channel::Command(_) => cut(lines(text)),
    }
}

/// Line feeds and tabs stay; a carriage return before a line feed goes.
fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for part in text.replace("\r\n", "\n").split_inclusive(['\n', '\t']) {
        let end = part.len() - usize::from(part.ends_with(['\n', '\t']));
        safe.push_str(&printable(&part[..end]));
        safe.push_str(&part[end..]);
    }
    safe
}

fn cut(mut text: String) -> String {
    if text.len() > NOTIFICATION_BYTES {
        let most = NOTIFICATION_BYTES - CUT.len();
        // No character is cut in two.
        let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(at);
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_lines_and_a_log_gets_one() {
        let text = "3 failed:\r\n\tZürich \"5 €\"\x1b[31m\n";
        let command = Channel::Command(vec!["/bin/mail".to_owned()]);
        assert_eq!(carried(&command, text), "3 failed:\n\tZürich \"5 €\"\\x1b[31m\n");
        assert_eq!(carried(&Channel::Log, text), "3 failed:\\r\\n\\tZürich \"5 €\"\\x1b[31m\\n");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = carried(&Channel::Command(Vec::new()), &"é".repeat(NOTIFICATION_BYTES));
        assert!(long.len() <= NOTIFICATION_BYTES && long.ends_with("é\n[cut]"), "{}", long.len());
        assert_eq!(carried(&Channel::Syslog, &"x".repeat(NOTIFICATION_LINE + 1)).chars().count(), NOTIFICATION_LINE);
    }
}
