//! The pieces of forms, what each named part takes from the front of a text, and what a form found.

use std::borrow::Cow;

use crate::core::decode::stamp::Stamp;
use crate::core::decode::{envelope, level, stamp};
use crate::core::event::{EventId, Level, marked_vendor_id, vendor_id};

/// The greatest length of a number and of an id, in bytes.
const WORD_BYTES: usize = 64;

/// What PostgreSQL adds to a record in lines of their own.
const POSTGRES_PARTS: [&str; 7] = ["DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE"];

/// The number of parts of one form that are kept as fields.
pub(super) const FIELDS: usize = 2;

/// A piece of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormToken {
    /// One or more blanks.
    Blanks,
    /// Any number of blanks.
    Gap,
    Byte(u8),
    Part(HeadPart),
    /// A name in braces that is none of the parts.
    Unknown,
}

/// The parts that a form found. Empty for missing parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::core::decode) struct HeadFound<'a> {
    pub(in crate::core::decode) stamp: Option<Stamp>,
    /// The sender marked its clock as never set.
    pub(in crate::core::decode) unsynchronised: bool,
    pub(in crate::core::decode) host: &'a str,
    pub(in crate::core::decode) app: &'a str,
    pub(in crate::core::decode) pid: &'a str,
    pub(in crate::core::decode) id: Option<EventId<'a>>,
    pub(in crate::core::decode) level: Option<Level>,
    named: [(&'static str, &'a str); FIELDS],
    count: usize,
    pub(in crate::core::decode) text: &'a str,
}

impl<'a> HeadFound<'a> {
    /// Keeps a part as a field; `None` if there is no room for it.
    pub(super) fn keep(&mut self, name: &'static str, value: &'a str) -> Option<()> {
        *self.named.get_mut(self.count)? = (name, value);
        self.count += 1;
        Some(())
    }

    /// Parts that are kept as fields.
    pub(in crate::core::decode) fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        self.named.into_iter().take(self.count)
    }
}

/// A named part of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadPart {
    /// `{host}`: a host's name or address; a colon at its end is not part of it.
    Host,
    /// `{same}`: the host's name again.
    Same,
    /// `{app}`: a program's name.
    App,
    /// `{program}`: a program's name with blanks: a path, or words that begin with capitals (`Google Chrome`).
    Program,
    /// `{pid}`: the identifier of a process, without blanks.
    Pid,
    /// `{number}`: digits that are ignored.
    Number,
    /// `{process}`: digits, taken as the process.
    Process,
    /// `{level}`: a level word in any letter case.
    Level,
    /// `{LEVEL}`: a level word in capitals.
    CapitalLevel,
    /// `{letter}`: a level in one letter.
    Letter,
    /// `{websphere}`: the kind of a record in one character, as WebSphere writes it.
    WebSphere,
    /// `{severity}`: a syslog severity, 0 to 7.
    Severity,
    /// `{code}`: a facility's name.
    Facility,
    /// `{digits}`: digits, taken as the id.
    Digits,
    /// `{uptime}`: how long a device has been running (`1w2d`, `00:00:46`), which is ignored.
    Uptime,
    /// `{two}`: a level of two letters, as VMware ESXi 8 writes it.
    TwoLetters,
    /// `{php}`: a level as PHP writes it, which may be two words.
    Php,
    /// `{postgres}`: PostgreSQL's level with its colon, behind which the text begins. Or the name of what it adds to the record
    /// before ([`POSTGRES_PARTS`]), which has no level of its own and stays in the text.
    Postgres,
    /// `{clock}`: a time of day alone.
    Clock,
    /// `{zabbix}`: a stamp of Zabbix, `20260314:021157.123`.
    Zabbix,
    /// `{mnemonic}`: an id that contains its severity (`LINK-3-UPDOWN`, `%%01IFNET/4/LINK_STATE(l)`).
    Mnemonic,
    /// `%{mnemonic}`: the same; behind its mark the name may have lower-case letters.
    MarkedMnemonic,
    /// `{id}`: an id of capitals, digits, `_` and `-`, with a letter, and with a digit or `_`.
    Id,
    /// `{hex}`: an id of eight hexadecimal digits.
    Hex,
    /// `{thread}`: eight hexadecimal digits that are ignored.
    Thread,
    /// `{ibm}`: an id of IBM, whose last letter is the level (`IEF403I`).
    Ibm,
    /// `{dashed}`: an id of three or four capitals, a dash and digits (`ORA-00600`).
    Dashed,
    /// `{event}`: an id, up to the next character of the form.
    Event,
    /// `{capitals}`: a word of capitals, with the blanks behind it.
    Capitals,
    /// `{mark}`: a word with a digit or in capitals, which is hardly a word of a text.
    Mark,
    /// `{topics}`: words with commas, one of which is a level.
    Topics,
    /// `{threat}`: a severity of Palo Alto Networks, where `high` and `low` are levels.
    Threat,
    /// `{cef}`: a severity of CEF, 0 to 10 or a word.
    Cef,
    /// `{leef}`: the attribute `sev` of LEEF, 1 to 10, anywhere behind; it may be missing.
    Leef,
    /// `{samba}`: a debug level of Samba, 0 for errors.
    Samba,
    /// `{ceph}`: a thread of Ceph in hexadecimal digits, and the level, -1 for errors.
    Ceph,
    /// `{snare}`: the kind of a Windows event (`Error`, `Failure Audit`).
    Snare,
    /// `{bea}`: an id of WebLogic in angle brackets, anywhere behind; it may be missing.
    Bea,
    /// `{stamp}`: a stamp with a day. A `*` or `.` before it may show how good the clock is.
    Stamp,
    /// `{errpt}`: a stamp of ten digits, month, day, hour, minute and year.
    Errpt,
    /// `{epoch}`: seconds since 1970 with a fraction.
    Epoch,
    /// `{-}`: anything up to the next character of the form.
    Any,
    /// `{words}`: anything up to a colon and a blank.
    Words,
    /// `{=name}`: the same, kept as a field.
    Field(&'static str),
    /// `{text}`: nothing; the text begins here.
    Text,
}

/// The part of this name; `None` if there is none.
pub(super) fn part(name: &'static str) -> Option<HeadPart> {
    Some(match name {
        "host" => HeadPart::Host,
        "app" => HeadPart::App,
        "program" => HeadPart::Program,
        "pid" => HeadPart::Pid,
        "number" => HeadPart::Number,
        "process" => HeadPart::Process,
        "same" => HeadPart::Same,
        "level" => HeadPart::Level,
        "LEVEL" => HeadPart::CapitalLevel,
        "letter" => HeadPart::Letter,
        "websphere" => HeadPart::WebSphere,
        "severity" => HeadPart::Severity,
        "facility" => HeadPart::Facility,
        "digits" => HeadPart::Digits,
        "uptime" => HeadPart::Uptime,
        "two" => HeadPart::TwoLetters,
        "php" => HeadPart::Php,
        "postgres" => HeadPart::Postgres,
        "clock" => HeadPart::Clock,
        "zabbix" => HeadPart::Zabbix,
        "mnemonic" => HeadPart::Mnemonic,
        "id" => HeadPart::Id,
        "hex" => HeadPart::Hex,
        "thread" => HeadPart::Thread,
        "ibm" => HeadPart::Ibm,
        "dashed" => HeadPart::Dashed,
        "event" => HeadPart::Event,
        "capitals" => HeadPart::Capitals,
        "mark" => HeadPart::Mark,
        "topics" => HeadPart::Topics,
        "threat" => HeadPart::Threat,
        "cef" => HeadPart::Cef,
        "leef" => HeadPart::Leef,
        "samba" => HeadPart::Samba,
        "ceph" => HeadPart::Ceph,
        "snare" => HeadPart::Snare,
        "bea" => HeadPart::Bea,
        "stamp" => HeadPart::Stamp,
        "errpt" => HeadPart::Errpt,
        "epoch" => HeadPart::Epoch,
        "-" => HeadPart::Any,
        "words" => HeadPart::Words,
        "text" => HeadPart::Text,
        name => HeadPart::Field(name.strip_prefix('=')?),
    })
}

/// Takes a part from the front of the text; returns what follows it.
pub(super) fn take<'a>(part: HeadPart, tokens_behind: &[FormToken], text: &'a str, found: &mut HeadFound<'a>) -> Option<&'a str> {
    let next = tokens_behind.first();
    let some = |(word, rest): (&'a str, &'a str)| (!word.is_empty() && word.len() <= WORD_BYTES).then_some((word, rest));
    match part {
        HeadPart::Host => {
            let end = text.bytes().position(|b| is_blank(b) || matches!(b, b',' | b'>' | b']')).unwrap_or(text.len());
            let word = &text[..end];
            let word = match word.strip_suffix(':') {
                Some(word) => word.strip_suffix(')').filter(|_| next == Some(&FormToken::Byte(b')'))).unwrap_or(word),
                // `[node-1:event.of.netapp:ERROR]`
                None if next == Some(&FormToken::Byte(b':')) => word.split(':').next()?,
                None if next == Some(&FormToken::Byte(b')')) => word.split(')').next()?,
                None => word,
            };
            if !envelope::is_host(word) || level::is_word(word) || envelope::is_priority(word) {
                return None;
            }
            found.host = word;
            Some(&text[word.len()..])
        }
        HeadPart::Same => text.strip_prefix(found.host).filter(|rest| rest.starts_with([' ', ':']) && !found.host.is_empty()),
        HeadPart::App if matches!(next, Some(FormToken::Byte(b'\t' | b'#'))) => {
            // In columns, a name may have blanks.
            let (word, rest) = some(run(text, |b| b != b'\t' && b != b'#'))?;
            found.app = word;
            Some(rest)
        }
        HeadPart::App if next == Some(&FormToken::Byte(b'/')) => {
            let (word, rest) = some(run(text, |b| is_name(b) && b != b'/'))?;
            found.app = word;
            Some(rest)
        }
        HeadPart::App if matches!(tokens_behind, [FormToken::Byte(b':'), FormToken::Blanks, ..]) => {
            // Between colons as well.
            let (word, rest) = some(text.split_at(text.find(": ")?))?;
            found.app = word;
            Some(rest)
        }
        HeadPart::App => {
            let (word, rest) = text.split_at(text.bytes().position(|b| !is_name(b)).unwrap_or(text.len()));
            if word.is_empty() || word.starts_with('%') || level::is_word(word) {
                return None;
            }
            found.app = word;
            Some(rest)
        }
        HeadPart::Program => {
            let (name, rest) = some(text.split_at(text.bytes().take(WORD_BYTES).position(|b| b == b'[')?))?;
            let mut words = name.split(' ');
            let capitals = |word: &str| word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(is_name);
            let named = name.starts_with('/') || name.contains(' ') && words.all(capitals);
            found.app = (named && !name.ends_with(' ')).then_some(name)?;
            Some(rest)
        }
        HeadPart::Pid => {
            let (word, rest) =
                some(text.split_at(text.bytes().position(|b| b <= b' ' || matches!(b, b'[' | b']' | b':' | b','))?))?;
            found.pid = word;
            Some(rest)
        }
        HeadPart::Digits => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.id = Some(EventId::parse(word)?);
            Some(rest)
        }
        HeadPart::Uptime => {
            let (word, _) =
                some(run(text, |b| b.is_ascii_digit() || matches!(b, b':' | b'y' | b'w' | b'd' | b'h' | b'm' | b's')))?;
            let word = word.strip_suffix(':').unwrap_or(word);
            let clock = word.len() == 8 && word.bytes().filter(|b| *b == b':').count() == 2;
            let spans = word.ends_with(|c: char| c.is_ascii_lowercase()) && !word.contains(':');
            (clock || spans && word.bytes().any(|b| b.is_ascii_digit())).then(|| &text[word.len()..])
        }
        HeadPart::TwoLetters => {
            let (word, rest) = text.split_at_checked(2)?;
            found.level = Some(level::two_letters(word)?);
            Some(rest)
        }
        HeadPart::Php => {
            let (level, rest) = level::php(text)?;
            found.level = Some(level);
            Some(rest)
        }
        HeadPart::Clock => {
            let (rest, stamp) = stamp::clock(text).ok()?;
            found.stamp = Some(stamp);
            Some(rest)
        }
        HeadPart::Zabbix => {
            let (rest, stamp) = stamp::zabbix(text).ok()?;
            found.stamp = Some(stamp);
            Some(rest)
        }
        HeadPart::Postgres => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit()))?;
            let rest = rest.strip_prefix(':')?.trim_start_matches([' ', '\t']);
            if !POSTGRES_PARTS.contains(&word) {
                found.level = Some(if word == "LOG" { Level::Info } else { level::word(word)? });
                found.text = rest;
            }
            Some(rest)
        }
        HeadPart::Number => Some(some(run(text, |b| b.is_ascii_digit()))?.1),
        HeadPart::Process => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.pid = word;
            Some(rest)
        }
        HeadPart::Level => {
            let (word, rest) = some(run(text, |b| b.is_ascii_alphanumeric()))?;
            found.level = Some(match word {
                // PostgreSQL's level for messages to the log only.
                "LOG" => Level::Info,
                // NetScreen's words.
                "notification" => Level::Notice,
                "debugging" => Level::Debug,
                _ => level::word(word)?,
            });
            Some(rest)
        }
        HeadPart::CapitalLevel => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase()))?;
            found.level = Some(level::word(word)?);
            Some(rest)
        }
        HeadPart::WebSphere => {
            let (word, rest) = text.split_at_checked(1)?;
            found.level = level::websphere(word)?;
            Some(rest)
        }
        HeadPart::Letter => {
            let (word, rest) = text.split_at_checked(1)?;
            found.level = Some(level::letter(word)?);
            Some(rest)
        }
        HeadPart::Severity => {
            let number = text.bytes().next()?.wrapping_sub(b'0');
            found.level = Some((number < 8).then(|| envelope::severity(number))?);
            Some(&text[1..])
        }
        HeadPart::Facility => {
            let (word, rest) = some(run(text, |b| b.is_ascii_alphanumeric()))?;
            envelope::is_facility(word).then_some(rest)
        }
        HeadPart::Mnemonic | HeadPart::MarkedMnemonic => {
            let end = text.bytes().position(|b| b <= b' ' || b == b':').unwrap_or(text.len());
            let (word, rest) = some(text.split_at(end))?;
            let (id, severity) = if part == HeadPart::Mnemonic { vendor_id(word)? } else { marked_vendor_id(word)? };
            found.id = Some(EventId::Word(Cow::Borrowed(id)));
            found.level = Some(envelope::severity(severity));
            Some(rest)
        }
        HeadPart::Id => {
            let (word, rest) = some(run(text, is_id))?;
            let marked = word.bytes().any(|b| b.is_ascii_digit() || b == b'_') && word.len() >= 4;
            let marked = marked && word.bytes().any(|b| b.is_ascii_uppercase());
            found.id = Some(marked.then(|| EventId::parse(word)).flatten()?);
            Some(rest)
        }
        HeadPart::Ibm => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit()))?;
            found.level = Some(level::of_ibm_id(word)?);
            found.id = EventId::parse(word);
            Some(rest)
        }
        HeadPart::Dashed => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'))?;
            let (name, number) = word.split_once('-')?;
            let named = (3..=4).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_uppercase());
            let numbered = (4..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            found.id = Some((named && numbered).then(|| EventId::parse(word)).flatten()?);
            Some(rest)
        }
        HeadPart::Hex => {
            let (word, rest) = some(run(text, |b| b.is_ascii_hexdigit()))?;
            found.id = Some((word.len() == 8).then(|| EventId::parse(word)).flatten()?);
            Some(rest)
        }
        HeadPart::Thread => {
            let (word, rest) = run(text, |b| b.is_ascii_hexdigit());
            (word.len() == 8).then_some(rest)
        }
        HeadPart::Capitals => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b' ')))?;
            (word.len() > 1 && !word.starts_with(' ')).then_some(rest)
        }
        HeadPart::Mark => {
            let (word, rest) = some(run(text, |b| b > b' ' && !matches!(b, b':' | b'[')))?;
            let digit = word.bytes().any(|b| b.is_ascii_digit());
            (digit || !word.bytes().any(|b| b.is_ascii_lowercase())).then_some(rest)
        }
        HeadPart::Topics => {
            let (words, rest) = some(run(text, |b| b.is_ascii_lowercase() || matches!(b, b',' | b'-')))?;
            if !words.contains(',') {
                return None;
            }
            found.level = Some(words.split(',').filter_map(level::word).max()?);
            Some(rest)
        }
        HeadPart::Threat => {
            let (word, rest) = some(run(text, |b| b.is_ascii_lowercase()))?;
            found.level = Some(match word {
                "high" => Level::Error,
                "medium" => Level::Warning,
                "low" => Level::Notice,
                _ => level::word(word)?,
            });
            Some(rest)
        }
        HeadPart::Cef => {
            let (word, rest) = some(run(text, |b| b.is_ascii_alphanumeric() || b == b'-'))?;
            found.level = level::cef(word);
            Some(rest)
        }
        HeadPart::Leef => {
            let of = |at: usize| run(&text[at + "sev=".len()..], |b| b.is_ascii_digit()).0;
            let is_key = |at: &usize| !text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric());
            found.level = text.match_indices("sev=").map(|(at, _)| at).find(is_key).and_then(|at| level::cef(of(at)));
            Some(text)
        }
        HeadPart::Samba => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.level = Some(envelope::severity(word.parse::<u8>().ok()?.saturating_add(3).min(7)));
            Some(rest)
        }
        HeadPart::Ceph => {
            let (thread, rest) = some(run(text, |b| b.is_ascii_hexdigit()))?;
            let number = rest.trim_start_matches(' ');
            let is_thread = thread.len() >= 6
                && [u8::is_ascii_digit, u8::is_ascii_alphabetic].iter().all(|is| thread.bytes().any(|b| is(&b)));
            let (word, rest) = some(run(number, |b| b.is_ascii_digit() || b == b'-')).filter(|_| is_thread)?;
            found.level = Some(match word.parse::<i8>().ok()? {
                ..0 => Level::Error,
                0 => Level::Info,
                _ => Level::Debug,
            });
            Some(rest)
        }
        HeadPart::Snare => {
            let (words, rest) = some(run(text, |b| b.is_ascii_alphabetic() || b == b' ' || b == b'_'))?;
            found.level = Some(match words {
                "Failure Audit" | "AUDIT_FAILURE" => Level::Warning,
                "Success Audit" | "AUDIT_SUCCESS" => Level::Info,
                _ => level::word(words)?,
            });
            Some(rest)
        }
        HeadPart::Bea => {
            let id = text.split_once("<BEA-").map(|(before, _)| &text[before.len() + 1..]);
            found.id = id.and_then(|id| EventId::parse(id.split_once('>')?.0));
            Some(text)
        }
        HeadPart::Stamp => {
            let (marked, sync) = match text.as_bytes().first()? {
                b'*' => (&text[1..], false),
                b'.' => (&text[1..], true),
                _ => (text, true),
            };
            let (rest, stamp) = stamp::any(marked).ok()?;
            if stamp.day == stamp::Day::Unknown {
                return None;
            }
            found.stamp = Some(stamp);
            found.unsynchronised = !sync;
            Some(rest)
        }
        HeadPart::Errpt => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.stamp = Some(stamp::errpt(word)?);
            Some(rest)
        }
        HeadPart::Epoch => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit() || b == b'.'))?;
            found.stamp = Some(word.contains('.').then(|| stamp::epoch(word)).flatten()?);
            Some(rest)
        }
        HeadPart::Words => Some(&text[text.find(": ")?..]),
        HeadPart::Any | HeadPart::Event | HeadPart::Field(_) => {
            let end = match next {
                // The part is a word, except in a bracket or between commas.
                Some(FormToken::Byte(byte)) => text
                    .bytes()
                    .position(|b| b == *byte || is_blank(b) && !matches!(byte, b']' | b',' | b'>' | b')' | b'|' | b'\t' | b'#'))
                    .filter(|at| text.as_bytes()[*at] == *byte)?,
                None => text.len(),
                _ => text.bytes().position(is_blank).unwrap_or(text.len()),
            };
            let (word, rest) = text.split_at_checked(end)?;
            if part == HeadPart::Event {
                found.id =
                    Some((word.len() <= WORD_BYTES && !word.bytes().any(is_blank)).then(|| EventId::parse(word)).flatten()?);
            }
            if let HeadPart::Field(name) = part {
                if word.is_empty() {
                    return None;
                }
                found.keep(name, word)?;
            }
            Some(rest)
        }
        HeadPart::Text => Some(text),
    }
}

/// The bytes at the front for which `is` is true, and the rest.
#[inline]
fn run(text: &str, is: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !is(b)).unwrap_or(text.len()))
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// True for the bytes of an `{id}`.
pub(super) fn is_id(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@' | b'+' | b'#' | b'$' | b'*' | b'%')
}
