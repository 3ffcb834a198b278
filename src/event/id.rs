//! Event ids: `00-04561`, `4561`, `04561` and `GCTI-00-04561` are one id; other programs' ids are words (`CVE-ID`).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The two-digit application-type code of a Genesys id; 00 is common to all types.
pub type TypeCode = u8;

/// The id of an event, as a record carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventId<'a> {
    /// A numbered event; the type code is `None` when neither the record nor its file's header gave one.
    Number {
        /// Application-type code.
        code: Option<TypeCode>,
        /// The number, up to five digits.
        number: u32,
    },
    /// Another program's id, as written (RFC 5424 MSGID).
    Word(Cow<'a, str>),
}

impl<'a> EventId<'a> {
    /// Reads any of the four spellings; anything else is a word. `None` for an empty text and for `-`, the nil value of RFC 5424.
    pub fn parse(text: &'a str) -> Option<EventId<'a>> {
        if text.is_empty() || text == "-" {
            return None;
        }
        Some(Self::parse_number(text).unwrap_or(EventId::Word(Cow::Borrowed(text))))
    }

    /// Reads `GCTI-00-04561`, `00-04561`, `04561` or `4561`; `None` for anything else.
    pub fn parse_number(text: &str) -> Option<EventId<'static>> {
        let number = |s: &str| -> Option<u32> {
            ((1..=5).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?
        };
        let bare = text.strip_prefix("GCTI-").unwrap_or(text);
        match bare.split_once('-') {
            Some((code, n)) if code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit()) => {
                Some(EventId::Number { code: Some(code.parse().ok()?), number: number(n)? })
            }
            Some(_) => None,
            None if bare.len() == text.len() => Some(EventId::Number { code: None, number: number(bare)? }),
            None => None,
        }
    }

    /// The id with its text copied.
    pub fn into_owned(self) -> EventId<'static> {
        match self {
            EventId::Number { code, number } => EventId::Number { code, number },
            EventId::Word(w) => EventId::Word(Cow::Owned(w.into_owned())),
        }
    }
}

impl fmt::Display for EventId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventId::Number { code: Some(code), number } => write!(f, "{code:02}-{number:05}"),
            EventId::Number { code: None, number } => write!(f, "{number:05}"),
            EventId::Word(w) => f.write_str(w),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_spellings_are_one_id() {
        let n = |code, number| Some(EventId::Number { code, number });
        assert_eq!(EventId::parse("00-04561"), n(Some(0), 4561));
        assert_eq!(EventId::parse("GCTI-00-04561"), n(Some(0), 4561));
        assert_eq!(EventId::parse("4561"), n(None, 4561));
        assert_eq!(EventId::parse("04561"), n(None, 4561));
        assert_eq!(EventId::parse("CVE-ID"), Some(EventId::Word("CVE-ID".into())));
        assert_eq!(EventId::parse("GCTI-4561"), Some(EventId::Word("GCTI-4561".into())));
        assert_eq!(EventId::parse("123456"), Some(EventId::Word("123456".into())));
        assert_eq!(EventId::parse("-"), None);
    }
}
