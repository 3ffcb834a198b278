//! One form, compiled from its text, and the parts that it finds.

use std::borrow::Cow;

use crate::core::decode::stamp::{self, Stamp};
use crate::core::decode::{envelope, level};
use crate::core::event::{EventId, Level, marked_vendor_id, vendor_id};

/// The greatest length of a number and of an id, in bytes.
const WORD_BYTES: usize = 64;

/// The number of parts of one form that are kept as fields.
const FIELDS: usize = 2;

/// What PostgreSQL adds to a record in lines of their own.
const POSTGRES_PARTS: [&str; 7] = ["DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE"];

/// A named part of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `{host}`: a host's name or address; a colon at its end is not part of it.
    Host,
    /// `{app}`: a program's name.
    App,
    /// `{pid}`: the identifier of a process, without blanks.
    Pid,
    /// `{number}`: digits that are ignored.
    Number,
    /// `{process}`: digits, taken as the process.
    Process,
    /// `{level}`: a level word in any letter case.
    Level,
    /// `{letter}`: a level in one letter.
    Letter,
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
    /// `{event}`: an id, up to the next character of the form.
    Event,
    /// `{capitals}`: a word of capitals, with the blanks behind it.
    Capitals,
    /// `{mark}`: a word with a digit or in capitals, which is hardly a word of a text.
    Mark,
    /// `{topics}`: words with commas, one of which may be a level.
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
    /// `{epoch}`: seconds since 1970 with a fraction.
    Epoch,
    /// `{-}`: anything up to the next character of the form.
    Any,
    /// `{=name}`: the same, kept as a field.
    Field(&'static str),
    /// `{text}`: nothing; the text begins here.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// One or more blanks.
    Blanks,
    /// Any number of blanks.
    Gap,
    Byte(u8),
    Part(Part),
    /// A name in braces that is none of the parts.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Form {
    tokens: Vec<Token>,
    /// A text that it matches contains a `%`; few texts do.
    pub(super) has_percent: bool,
    /// The condition for the second byte, if it excludes more than the first: most texts end there.
    second: fn(u8) -> bool,
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
    /// Parts that are kept as fields.
    pub(in crate::core::decode) fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        self.named.into_iter().take(self.count)
    }
}

impl Form {
    pub(super) fn compile(form: &'static str) -> Form {
        let mut tokens = Vec::new();
        let mut rest = form;
        while let Some(c) = rest.chars().next() {
            if let Some(behind) = rest.strip_prefix("{{") {
                tokens.push(Token::Byte(b'{'));
                rest = behind;
                continue;
            }
            if c == '{'
                && let Some((name, behind)) = rest[1..].split_once('}')
            {
                let marked = tokens.last() == Some(&Token::Byte(b'%'));
                tokens.push(match part(name) {
                    Some(Part::Mnemonic) if marked => Token::Part(Part::MarkedMnemonic),
                    found => found.map_or(Token::Unknown, Token::Part),
                });
                rest = behind;
                continue;
            }
            match c {
                ' ' => tokens.push(Token::Blanks),
                '~' => tokens.push(Token::Gap),
                other => tokens.extend(other.to_string().bytes().map(Token::Byte)),
            }
            rest = &rest[c.len_utf8()..];
        }
        let first = tokens.iter().find(|token| !matches!(token, Token::Gap | Token::Part(Part::Text)));
        let second: fn(u8) -> bool = match first {
            Some(Token::Part(Part::Id)) => is_id,
            Some(Token::Part(Part::Hex | Part::Ceph)) => |b| b.is_ascii_hexdigit(),
            Some(Token::Part(Part::Letter)) => |b| matches!(b, b' ' | b',' | b'>'),
            Some(Token::Part(Part::Topics)) => |b| b.is_ascii_lowercase(),
            _ => |_| true,
        };
        Form { has_percent: tokens.contains(&Token::Byte(b'%')), tokens, second }
    }

    #[cfg(test)]
    pub(super) fn is_understood(&self) -> bool {
        let fields = self.tokens.iter().filter(|token| matches!(token, Token::Part(Part::Field(_)))).count();
        fields <= FIELDS && !self.tokens.contains(&Token::Unknown) && self.tokens.contains(&Token::Part(Part::Text))
    }

    /// True if a text that this form matches may begin with this byte.
    pub(super) fn may_begin_with(&self, byte: u8) -> bool {
        for token in &self.tokens {
            return match token {
                Token::Gap if byte == b' ' || byte == b'\t' => true,
                Token::Gap | Token::Part(Part::Text) => continue,
                Token::Blanks => byte == b' ' || byte == b'\t',
                Token::Byte(b) => *b == byte,
                // These may be missing.
                Token::Part(Part::Leef | Part::Bea) => continue,
                Token::Part(
                    Part::Number
                    | Part::Process
                    | Part::Severity
                    | Part::Epoch
                    | Part::Digits
                    | Part::Uptime
                    | Part::Clock
                    | Part::Samba
                    | Part::Zabbix,
                ) => byte.is_ascii_digit(),
                Token::Part(Part::Level) => b"acdefhilmnpstvw".contains(&(byte | 0x20)),
                Token::Part(Part::Facility | Part::Topics | Part::Threat | Part::Snare) => byte.is_ascii_alphabetic(),
                Token::Part(Part::Letter | Part::Capitals | Part::TwoLetters | Part::Php | Part::Postgres) => {
                    byte.is_ascii_uppercase()
                }
                Token::Part(Part::Hex | Part::Ceph) => byte.is_ascii_hexdigit(),
                Token::Part(Part::Id) => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
                Token::Part(Part::Mnemonic | Part::MarkedMnemonic) => byte.is_ascii_alphanumeric() || byte == b'%',
                Token::Part(Part::Stamp) => byte.is_ascii_alphanumeric() || byte == b'*' || byte == b'.',
                Token::Part(_) => byte > b' ',
                Token::Unknown => false,
            };
        }
        false
    }

    /// True if the second byte of such a text may be this one.
    pub(super) fn may_go_on_with(&self, byte: u8) -> bool {
        (self.second)(byte)
    }

    /// Returns true, with the parts in `found`, if the text begins as the form does.
    pub(super) fn read<'a>(&self, text: &'a str, found: &mut HeadFound<'a>) -> bool {
        let mut touched = false;
        let whole = self.take(text, found, &mut touched).is_some();
        if !whole && touched {
            *found = HeadFound::default();
        }
        whole
    }

    fn take<'a>(&self, text: &'a str, found: &mut HeadFound<'a>, touched: &mut bool) -> Option<()> {
        let mut rest = text;
        for (i, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Byte(byte) => {
                    if rest.as_bytes().first() != Some(byte) {
                        return None;
                    }
                    // A form's bytes are whole characters, so this is a boundary as soon as a whole character matched.
                    rest = rest.get(1..)?;
                }
                Token::Blanks | Token::Gap => {
                    let behind = rest.trim_start_matches([' ', '\t']);
                    if behind.len() == rest.len() && *token == Token::Blanks {
                        return None;
                    }
                    rest = behind;
                }
                Token::Part(Part::Text) => {
                    found.text = rest;
                    *touched = true;
                }
                Token::Part(part) => {
                    rest = take(*part, self.tokens.get(i + 1), rest, found)?;
                    *touched = true;
                }
                Token::Unknown => return None,
            }
        }
        Some(())
    }
}

fn part(name: &'static str) -> Option<Part> {
    Some(match name {
        "host" => Part::Host,
        "app" => Part::App,
        "pid" => Part::Pid,
        "number" => Part::Number,
        "process" => Part::Process,
        "level" => Part::Level,
        "letter" => Part::Letter,
        "severity" => Part::Severity,
        "facility" => Part::Facility,
        "digits" => Part::Digits,
        "uptime" => Part::Uptime,
        "two" => Part::TwoLetters,
        "php" => Part::Php,
        "postgres" => Part::Postgres,
        "clock" => Part::Clock,
        "zabbix" => Part::Zabbix,
        "mnemonic" => Part::Mnemonic,
        "id" => Part::Id,
        "hex" => Part::Hex,
        "event" => Part::Event,
        "capitals" => Part::Capitals,
        "mark" => Part::Mark,
        "topics" => Part::Topics,
        "threat" => Part::Threat,
        "cef" => Part::Cef,
        "leef" => Part::Leef,
        "samba" => Part::Samba,
        "ceph" => Part::Ceph,
        "snare" => Part::Snare,
        "bea" => Part::Bea,
        "stamp" => Part::Stamp,
        "epoch" => Part::Epoch,
        "-" => Part::Any,
        "text" => Part::Text,
        name => Part::Field(name.strip_prefix('=')?),
    })
}

/// Takes a part from the front of the text; returns what follows it.
fn take<'a>(part: Part, next: Option<&Token>, text: &'a str, found: &mut HeadFound<'a>) -> Option<&'a str> {
    let some = |(word, rest): (&'a str, &'a str)| (!word.is_empty() && word.len() <= WORD_BYTES).then_some((word, rest));
    match part {
        Part::Host => {
            let end = text.bytes().position(|b| is_blank(b) || matches!(b, b',' | b'>')).unwrap_or(text.len());
            let word = &text[..end];
            let word = word.strip_suffix(':').unwrap_or(word);
            if !envelope::is_host(word) || level::is_word(word) || envelope::is_priority(word) {
                return None;
            }
            found.host = word;
            Some(&text[word.len()..])
        }
        Part::App if matches!(next, Some(Token::Byte(b'\t' | b'#'))) => {
            // In columns, a name may have blanks.
            let (word, rest) = some(run(text, |b| b != b'\t' && b != b'#'))?;
            found.app = word;
            Some(rest)
        }
        Part::App => {
            let (word, rest) = text.split_at(text.bytes().position(|b| !is_name(b)).unwrap_or(text.len()));
            if word.is_empty() || word.starts_with('%') || level::is_word(word) {
                return None;
            }
            found.app = word;
            Some(rest)
        }
        Part::Pid => {
            let (word, rest) =
                some(text.split_at(text.bytes().position(|b| b <= b' ' || matches!(b, b'[' | b']' | b':' | b','))?))?;
            found.pid = word;
            Some(rest)
        }
        Part::Digits => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.id = Some(EventId::parse(word)?);
            Some(rest)
        }
        Part::Uptime => {
            let (word, _) =
                some(run(text, |b| b.is_ascii_digit() || matches!(b, b':' | b'y' | b'w' | b'd' | b'h' | b'm' | b's')))?;
            let word = word.strip_suffix(':').unwrap_or(word);
            let clock = word.len() == 8 && word.bytes().filter(|b| *b == b':').count() == 2;
            let spans = word.ends_with(|c: char| c.is_ascii_lowercase()) && !word.contains(':');
            (clock || spans && word.bytes().any(|b| b.is_ascii_digit())).then(|| &text[word.len()..])
        }
        Part::TwoLetters => {
            let (word, rest) = text.split_at_checked(2)?;
            found.level = Some(level::two_letters(word)?);
            Some(rest)
        }
        Part::Php => {
            let (level, rest) = level::php(text)?;
            found.level = Some(level);
            Some(rest)
        }
        Part::Clock => {
            let (rest, stamp) = stamp::clock(text).ok()?;
            found.stamp = Some(stamp);
            Some(rest)
        }
        Part::Zabbix => {
            let (rest, stamp) = stamp::zabbix(text).ok()?;
            found.stamp = Some(stamp);
            Some(rest)
        }
        Part::Postgres => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit()))?;
            let rest = rest.strip_prefix(':')?.trim_start_matches([' ', '\t']);
            if !POSTGRES_PARTS.contains(&word) {
                found.level = Some(if word == "LOG" { Level::Info } else { level::word(word)? });
                found.text = rest;
            }
            Some(rest)
        }
        Part::Number => Some(some(run(text, |b| b.is_ascii_digit()))?.1),
        Part::Process => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.pid = word;
            Some(rest)
        }
        Part::Level => {
            let (word, rest) = some(run(text, |b| b.is_ascii_alphanumeric()))?;
            found.level = Some(match word {
                // PostgreSQL's level for messages to the log only.
                "LOG" => Level::Info,
                _ => level::word(word)?,
            });
            Some(rest)
        }
        Part::Letter => {
            let (word, rest) = text.split_at_checked(1)?;
            found.level = Some(level::letter(word)?);
            Some(rest)
        }
        Part::Severity => {
            let number = text.bytes().next()?.wrapping_sub(b'0');
            found.level = Some((number < 8).then(|| envelope::severity(number))?);
            Some(&text[1..])
        }
        Part::Facility => {
            let (word, rest) = some(run(text, |b| b.is_ascii_alphanumeric()))?;
            envelope::is_facility(word).then_some(rest)
        }
        Part::Mnemonic | Part::MarkedMnemonic => {
            let end = text.bytes().position(|b| b <= b' ' || b == b':').unwrap_or(text.len());
            let (word, rest) = some(text.split_at(end))?;
            let (id, severity) = if part == Part::Mnemonic { vendor_id(word)? } else { marked_vendor_id(word)? };
            found.id = Some(EventId::Word(Cow::Borrowed(id)));
            found.level = Some(envelope::severity(severity));
            Some(rest)
        }
        Part::Id => {
            let (word, rest) = some(run(text, is_id))?;
            let marked = word.bytes().any(|b| b.is_ascii_digit() || b == b'_') && word.len() >= 4;
            let marked = marked && word.bytes().any(|b| b.is_ascii_uppercase());
            found.id = Some(marked.then(|| EventId::parse(word)).flatten()?);
            Some(rest)
        }
        Part::Hex => {
            let (word, rest) = some(run(text, |b| b.is_ascii_hexdigit()))?;
            found.id = Some((word.len() == 8).then(|| EventId::parse(word)).flatten()?);
            Some(rest)
        }
        Part::Capitals => {
            let (word, rest) = some(run(text, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b' ')))?;
            (word.len() > 1 && !word.starts_with(' ')).then_some(rest)
        }
        Part::Mark => {
            let (word, rest) = some(run(text, |b| b > b' ' && !matches!(b, b':' | b'[')))?;
            let digit = word.bytes().any(|b| b.is_ascii_digit());
            (digit || !word.bytes().any(|b| b.is_ascii_lowercase())).then_some(rest)
        }
        Part::Topics => {
            let (words, rest) = some(run(text, |b| b.is_ascii_lowercase() || matches!(b, b',' | b'-')))?;
            if !words.contains(',') {
                return None;
            }
            found.level = words.split(',').filter_map(level::word).max();
            Some(rest)
        }
        Part::Threat => {
            let (word, rest) = some(run(text, |b| b.is_ascii_lowercase()))?;
            found.level = Some(match word {
                "high" => Level::Error,
                "medium" => Level::Warning,
                "low" => Level::Notice,
                _ => level::word(word)?,
            });
            Some(rest)
        }
        Part::Cef => {
            let (word, rest) = some(run(text, |b| b.is_ascii_alphanumeric() || b == b'-'))?;
            found.level = level::cef(word);
            Some(rest)
        }
        Part::Leef => {
            let of = |at: usize| run(&text[at + "sev=".len()..], |b| b.is_ascii_digit()).0;
            let is_key = |at: &usize| !text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric());
            found.level = text.match_indices("sev=").map(|(at, _)| at).find(is_key).and_then(|at| level::cef(of(at)));
            Some(text)
        }
        Part::Samba => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit()))?;
            found.level = Some(envelope::severity(word.parse::<u8>().ok()?.saturating_add(3).min(7)));
            Some(rest)
        }
        Part::Ceph => {
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
        Part::Snare => {
            let (words, rest) = some(run(text, |b| b.is_ascii_alphabetic() || b == b' '))?;
            found.level = Some(match words {
                "Failure Audit" => Level::Warning,
                "Success Audit" => Level::Info,
                _ => level::word(words)?,
            });
            Some(rest)
        }
        Part::Bea => {
            let id = text.split_once("<BEA-").map(|(before, _)| &text[before.len() + 1..]);
            found.id = id.and_then(|id| EventId::parse(id.split_once('>')?.0));
            Some(text)
        }
        Part::Stamp => {
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
        Part::Epoch => {
            let (word, rest) = some(run(text, |b| b.is_ascii_digit() || b == b'.'))?;
            found.stamp = Some(word.contains('.').then(|| stamp::epoch(word)).flatten()?);
            Some(rest)
        }
        Part::Any | Part::Event | Part::Field(_) => {
            let end = match next {
                // The part is a word, except in a bracket or between commas.
                Some(Token::Byte(byte)) => text
                    .bytes()
                    .position(|b| b == *byte || is_blank(b) && !matches!(byte, b']' | b',' | b'>' | b')' | b'|' | b'\t' | b'#'))
                    .filter(|at| text.as_bytes()[*at] == *byte)?,
                None => text.len(),
                _ => text.bytes().position(is_blank).unwrap_or(text.len()),
            };
            let (word, rest) = text.split_at_checked(end)?;
            if part == Part::Event {
                found.id =
                    Some((word.len() <= WORD_BYTES && !word.bytes().any(is_blank)).then(|| EventId::parse(word)).flatten()?);
            }
            if let Part::Field(name) = part {
                if word.is_empty() {
                    return None;
                }
                *found.named.get_mut(found.count)? = (name, word);
                found.count += 1;
            }
            Some(rest)
        }
        Part::Text => Some(text),
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

fn is_id(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@' | b'+' | b'#' | b'$' | b'*' | b'%')
}
