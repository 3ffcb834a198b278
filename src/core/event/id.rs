//! Event ids. `00-04561`, `4561`, `04561` and `GCTI-00-04561` are the same id; ids of other programs are words (`CVE-ID`). A
//! vendor's id is the same with and without its marks: `%LINK-3-UPDOWN` and `LINK-3-UPDOWN`, `%%01IFNET/4/LINK_STATE(l)` and
//! `IFNET/4/LINK_STATE`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The two-digit application-type code of a Genesys id; 00 is common to all types.
pub type TypeCode = u8;

/// The id of an event, as a record carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventId<'a> {
    /// A numbered event; the type code is `None` when neither the record nor its file's header has one.
    Number {
        code: Option<TypeCode>,
        /// The number, up to five digits.
        number: u32,
    },
    /// An id of another program, as written (RFC 5424 MSGID).
    Word(Cow<'a, str>),
}

impl<'a> EventId<'a> {
    /// Reads any of the four spellings; anything else is a word. `None` for an empty text and for `-`, the nil value of RFC
    /// 5424.
    pub fn parse(text: &'a str) -> Option<EventId<'a>> {
        if text.is_empty() || text == "-" {
            return None;
        }
        Some(Self::parse_number(text).unwrap_or_else(|| {
            let id = if text.starts_with('%') { vendor_id(text).map_or(text, |(id, _)| id) } else { text };
            EventId::Word(Cow::Borrowed(id))
        }))
    }

    /// Reads `GCTI-00-04561`, `00-04561`, `04561` or `4561`; `None` for anything else.
    pub fn parse_number(text: &str) -> Option<EventId<'static>> {
        let bare = text.strip_prefix("GCTI-").unwrap_or(text);
        match bare.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9', b'-', number @ ..] => {
                Some(EventId::Number { code: Some((tens - b'0') * 10 + (ones - b'0')), number: number_of(number)? })
            }
            number if bare.len() == text.len() => Some(EventId::Number { code: None, number: number_of(number)? }),
            _ => None,
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

/// The number of one to five digits.
fn number_of(digits: &[u8]) -> Option<u32> {
    let is_number = (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
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

/// The id of a network device that contains its own severity, without the marks around it, and the severity (0 to 7). `None`
/// for any other word.
///
/// | form | written as | id |
/// |---|---|---|
/// | Cisco and compatible | `%LINK-3-UPDOWN`, `%ASA-4-106023`, `%SYS-SP-3-LOGGER_FLUSHED`, `%CCM_RTMT-RTMT-2-RTMT-ERROR-ALERT` | `LINK-3-UPDOWN` |
/// | Huawei, H3C | `%%01IFNET/4/LINK_STATE(l)`, `IFNET/3/PHY_UPDOWN` | `IFNET/4/LINK_STATE` |
///
/// A name has lower-case letters only after a `%`, and it contains a capital: `%UC_CALLMANAGER-3-DeviceUnregistered`,
/// `%%01IFNET/2/linkDown_active(l)`.
pub fn vendor_id(word: &str) -> Option<(&str, u8)> {
    bare_vendor_id(word, word.starts_with('%'))
}

/// [`vendor_id`] of a word after its `%`.
pub fn marked_vendor_id(word: &str) -> Option<(&str, u8)> {
    bare_vendor_id(word, true)
}

fn bare_vendor_id(word: &str, marked: bool) -> Option<(&str, u8)> {
    let bare = word.strip_prefix('%').unwrap_or(word);
    let versioned = bare.strip_prefix('%').and_then(|v| v.get(2..).filter(|_| v.as_bytes()[..2].iter().all(u8::is_ascii_digit)));
    let bare = versioned.unwrap_or(bare);
    let separator = if bare.contains('/') { '/' } else { '-' };
    let (facility, digit, mnemonic) = around_severity(bare, separator, marked)?;
    // `(l)` is the kind of a record, `[12]` a counter.
    let end = mnemonic.find(['(', '[']).filter(|_| separator == '/').unwrap_or(mnemonic.len());
    let name = |part: &str| {
        let is_part = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
        !part.is_empty() && part.bytes().all(is_part)
    };
    // ASA writes its logging class in lower case: `%ASA-session-6-302013`.
    let facility_ok = facility.starts_with(|c: char| c.is_ascii_uppercase()) && name(&facility.to_ascii_uppercase());
    let mixed = |part: &str| marked && part.bytes().any(|b| b.is_ascii_uppercase()) && name(&part.to_ascii_uppercase());
    (facility_ok && (name(&mnemonic[..end]) || mixed(&mnemonic[..end])))
        .then(|| (&bare[..bare.len() - (mnemonic.len() - end)], digit - b'0'))
}

/// What is before the severity of an id, the severity's digit, and what follows it. Behind a `%`, what follows may contain the
/// separator: `%CCM_RTMT-RTMT-2-RTMT-ERROR-ALERT`.
fn around_severity(bare: &str, separator: char, marked: bool) -> Option<(&str, u8, &str)> {
    let (mut front, mut mnemonic) = bare.rsplit_once(separator)?;
    loop {
        let (facility, severity) = front.rsplit_once(separator)?;
        match severity.as_bytes() {
            &[digit @ b'0'..=b'7'] => return Some((facility, digit, mnemonic)),
            _ if marked => (front, mnemonic) = (facility, &bare[facility.len() + 1..]),
            _ => return None,
        }
    }
}

/// The part of a rule's id that no decoder produces, and the id that was probably meant, if that is clear.
///
/// An id has no blanks, no control characters, no leading `%` that is not a vendor's mark, and no colon at its end. Ids of
/// network devices are in capitals.
pub fn unreadable(text: &str) -> Option<(&'static str, Option<String>)> {
    if text.is_empty() || text == "-" {
        return Some(("an empty id", None));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let first = text.split_whitespace().next().unwrap_or_default().trim_end_matches(':');
        return Some(("a blank", vendor_id(first).map(|(id, _)| id.to_owned())));
    }
    let bare = text.trim_end_matches(':');
    let meant = |word: &str| vendor_id(word).map(|(id, _)| id.to_owned());
    if bare.len() < text.len() {
        return Some(("a colon at its end", meant(bare).or(Some(bare.to_owned()))));
    }
    // `01070638:5` of F5: the severity follows the id.
    if let Some((id, severity)) = text.split_once(':')
        && id.len() == 8
        && id.bytes().all(|b| b.is_ascii_hexdigit())
        && severity.len() == 1
    {
        return Some(("the severity, which is the level", Some(id.to_owned())));
    }
    if meant(text).is_some() || marked_vendor_id(text).is_some() {
        return None;
    }
    let capitals = text.to_ascii_uppercase();
    if let Some(id) = meant(&capitals) {
        return Some(("letters in lower case, where devices write capitals", Some(id)));
    }
    text.starts_with('%').then_some(("a `%` that begins no device's id (`%FACILITY-SEVERITY-NAME`)", None))
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

    #[test]
    fn a_vendors_id_is_one_with_and_without_its_marks() {
        for (written, id, severity) in [
            ("%SYS-5-CONFIG_I", "SYS-5-CONFIG_I", 5),
            ("SYS-5-CONFIG_I", "SYS-5-CONFIG_I", 5),
            ("%ASA-4-106023", "ASA-4-106023", 4),
            ("%ASA-session-6-302013", "ASA-session-6-302013", 6),
            ("%LINEPROTO-SP-3-UPDOWN", "LINEPROTO-SP-3-UPDOWN", 3),
            ("%PKT_INFRA-LINK-3-UPDOWN", "PKT_INFRA-LINK-3-UPDOWN", 3),
            ("%%01IFNET/4/LINK_STATE(l)[12]", "IFNET/4/LINK_STATE", 4),
            ("IFNET/3/PHY_UPDOWN", "IFNET/3/PHY_UPDOWN", 3),
            ("%UC_CALLMANAGER-3-DeviceUnregistered", "UC_CALLMANAGER-3-DeviceUnregistered", 3),
            ("%%01IFNET/2/linkDown_active(l)", "IFNET/2/linkDown_active", 2),
        ] {
            assert_eq!(vendor_id(written), Some((id, severity)), "{written}");
            assert_eq!(EventId::parse(written), Some(EventId::Word(id.into())), "{written}");
        }
        for word in
            ["%SYS", "%SYS-9-X", "a-5-b", "2026-3-14", "x/5/y", "%%0", "%", "", "%%01", "A-5-", "-5-A", "%ä-5-A", "%%äIFNET/4/X"]
        {
            assert_eq!(vendor_id(word), None, "{word}");
        }
    }

    #[test]
    fn an_id_that_no_decoder_yields_is_reported_with_what_was_meant() {
        for (text, meant) in [
            ("%SYS-5-CONFIG_I:", Some("SYS-5-CONFIG_I")),
            ("sys-5-config_i", Some("SYS-5-CONFIG_I")),
            ("%LINK-3-UPDOWN: Interface", Some("LINK-3-UPDOWN")),
            ("01070638:5", Some("01070638")),
            ("Link down", None),
            ("%SYS", None),
        ] {
            let (_, found) = unreadable(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.as_deref(), meant, "{text}");
        }
        for text in [
            "%SYS-5-CONFIG_I",
            "SYS-5-CONFIG_I",
            "CVE-ID",
            "host_lost",
            "01070638",
            "00077",
            "123456",
            "IFNET/4/X",
            "UC_CALLMANAGER-3-DeviceUnregistered",
            "ha2-link-change",
            "x:y",
        ] {
            assert_eq!(unreadable(text), None, "{text}");
        }
    }
}
