//! Levels as loggers write them: the words, and where in a line a word is a level.
//!
//! In: a word, or what follows the stamp of a line. Out: a level, and where the text behind it begins. A word in running text is
//! no level. A level must be written in capitals, stand in brackets, or end with a colon, and only what a logger puts there may
//! come before it (brackets, numbers, dashes, one name).
//!
//! Invariant: the scan reads at most [`WORDS`] words, whatever the line's length.

use crate::core::event::Level;

/// How many words behind the stamp are searched for a level.
const WORDS: usize = 6;
/// The length of the longest level word, in bytes.
const LONGEST: usize = 13;

/// A level word in any letter case, as loggers write it. A number may follow (`INFO+2` of Go's slog, `DEBUG1` of PostgreSQL).
pub(super) fn word(value: &str) -> Option<Level> {
    // Most words end here.
    let &[first, second, ..] = value.as_bytes() else { return None };
    let may_be = match first | 0x20 {
        b'a' => matches!(second | 0x20, b'l' | b'd' | b'v'),
        b'g' | b't' => second | 0x20 == b'r',
        b'i' => second | 0x20 == b'n',
        b'm' => matches!(second | 0x20, b'a' | b'i'),
        b'n' => second | 0x20 == b'o',
        b's' => matches!(second | 0x20, b'e' | b'c'),
        b'v' => matches!(second | 0x20, b'e' | b'r'),
        b'c' | b'd' | b'e' | b'f' | b'p' | b'w' => true,
        _ => false,
    };
    if !may_be {
        return None;
    }
    let letters = value.bytes().take(LONGEST + 1).take_while(u8::is_ascii_alphabetic).count();
    let (word, step) = value.split_at(letters);
    if !step.bytes().all(|b| b.is_ascii_digit() || b == b'+' || b == b'-') {
        return None;
    }
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    // The first letter decides first, because most words are no level.
    let first = *word.as_bytes().first()? | 0x20;
    if !(3..=LONGEST).contains(&word.len()) {
        return None;
    }
    let known: &[(&str, Level)] = match first {
        b'a' => {
            &[("alert", Level::Alert), ("alrt", Level::Alert), ("avertissement", Level::Warning), ("advertencia", Level::Warning)]
        }
        b'c' => &[("critical", Level::Critical), ("crit", Level::Critical), ("config", Level::Debug)],
        b'd' => &[
            ("debug", Level::Debug),
            ("dbug", Level::Debug),
            ("debu", Level::Debug),
            ("dbg", Level::Debug),
            ("dpanic", Level::Critical),
        ],
        b'e' => &[
            ("error", Level::Error),
            ("err", Level::Error),
            ("eror", Level::Error),
            ("erro", Level::Error),
            ("errs", Level::Error),
            ("erreur", Level::Error),
            ("errore", Level::Error),
            ("emrg", Level::Emergency),
            ("emergency", Level::Emergency),
            ("emerg", Level::Emergency),
        ],
        b'f' => &[
            ("fatal", Level::Critical),
            ("fata", Level::Critical),
            ("fatl", Level::Critical),
            ("ftl", Level::Critical),
            ("fehler", Level::Error),
            ("fail", Level::Error),
            ("fine", Level::Debug),
            ("finer", Level::Trace),
            ("finest", Level::Trace),
        ],
        b'g' => &[("grave", Level::Error)],
        b'i' => &[
            ("info", Level::Info),
            ("inf", Level::Info),
            ("information", Level::Info),
            ("informational", Level::Info),
            ("infos", Level::Info),
        ],
        b'm' => &[("major", Level::Error), ("minor", Level::Warning)],
        b'n' => &[("notice", Level::Notice), ("noti", Level::Notice), ("note", Level::Info)],
        b'p' => &[("panic", Level::Critical), ("pani", Level::Critical), ("pnc", Level::Critical)],
        b's' => &[("severe", Level::Error), ("schwerwiegend", Level::Error)],
        b't' => &[("trace", Level::Trace), ("trc", Level::Trace), ("trce", Level::Trace), ("trac", Level::Trace)],
        b'v' => &[("verbose", Level::Debug), ("verb", Level::Debug), ("vrb", Level::Debug)],
        b'w' => &[("warning", Level::Warning), ("warn", Level::Warning), ("wrn", Level::Warning), ("warnung", Level::Warning)],
        _ => return None,
    };
    known.iter().find(|(name, _)| is(name)).map(|(_, level)| *level)
}

/// True for a level word in the place of a host or program: in capitals, or one that is nothing else (`notice`, `warning`, but
/// not `fine`).
pub(super) fn is_word(value: &str) -> bool {
    (3..=LONGEST).contains(&value.len()) && word(value.strip_suffix(':').unwrap_or(value)).is_some() && !is_name_too(value)
}

/// True for level words that may be a host's or a program's name in lower case.
fn is_name_too(value: &str) -> bool {
    matches!(
        value,
        "config"
            | "fine"
            | "finer"
            | "finest"
            | "note"
            | "verbose"
            | "trace"
            | "panic"
            | "alert"
            | "inf"
            | "trc"
            | "ftl"
            | "pnc"
            | "noti"
            | "alrt"
            | "emrg"
            | "errs"
            | "fatl"
            | "grave"
            | "infos"
            | "major"
            | "minor"
            | "trac"
            | "verb"
            | "vrb"
    )
}

/// True for level words that are common words of a text even in capitals: they need a colon, a bracket or a column.
fn is_weak(name: &str) -> bool {
    matches!(name, "FAIL" | "GRAVE" | "MAJOR" | "MINOR")
}

/// The levels of one letter: logcat, glog, GlusterFS, MongoDB.
pub(super) fn letter(value: &str) -> Option<Level> {
    Some(match value {
        "F" | "A" | "C" => Level::Critical,
        "E" => Level::Error,
        "W" => Level::Warning,
        "N" => Level::Notice,
        "I" => Level::Info,
        "D" | "D1" | "D2" | "D3" | "D4" | "D5" | "V" => Level::Debug,
        "T" => Level::Trace,
        _ => return None,
    })
}

/// The levels of two letters, as VMware ESXi 8 writes them.
pub(super) fn two_letters(value: &str) -> Option<Level> {
    Some(match value {
        "Em" => Level::Emergency,
        "Al" => Level::Alert,
        "Cr" => Level::Critical,
        "Er" => Level::Error,
        "Wa" => Level::Warning,
        "No" => Level::Notice,
        "In" => Level::Info,
        "Db" => Level::Debug,
        _ => return None,
    })
}

/// The kinds of records of WebSphere in one letter. `None` for what a program printed.
pub(super) fn websphere(value: &str) -> Option<Option<Level>> {
    Some(match value {
        "F" => Some(Level::Critical),
        "E" => Some(Level::Error),
        "W" => Some(Level::Warning),
        "A" => Some(Level::Notice),
        "I" => Some(Level::Info),
        "C" | "D" | "1" => Some(Level::Debug),
        "2" | "3" | ">" | "<" => Some(Level::Trace),
        "O" | "R" => None,
        _ => return None,
    })
}

/// The level that the last letter of an id says, as programs of IBM write it (`WSVR0605W`, `IEF403I`). `None` if the id is none.
pub(super) fn of_ibm_id(id: &str) -> Option<Level> {
    let letters = id.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = id[letters..].bytes().take_while(u8::is_ascii_digit).count();
    if !(3..=5).contains(&letters) || !(3..=5).contains(&digits) || id.len() != letters + digits + 1 {
        return None;
    }
    Some(match id.as_bytes()[id.len() - 1] {
        b'I' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'S' | b'T' => Level::Critical,
        _ => return None,
    })
}

/// A level at the beginning of the text, as PHP writes it, and what follows.
pub(super) fn php(text: &str) -> Option<(Level, &str)> {
    const LEVELS: [(&str, Level); 8] = [
        ("Fatal error", Level::Critical),
        ("Recoverable fatal error", Level::Error),
        ("Catchable fatal error", Level::Error),
        ("Parse error", Level::Critical),
        ("Warning", Level::Warning),
        ("Notice", Level::Notice),
        ("Strict Standards", Level::Notice),
        ("Deprecated", Level::Notice),
    ];
    LEVELS.iter().find_map(|(name, level)| Some((*level, text.strip_prefix(name)?)))
}

/// How grave an alarm is by a word of security products in any letter case: `High`, `medium`.
pub(super) fn alarm(word: &str) -> Option<Level> {
    const WORDS: [(&str, Level); 4] =
        [("low", Level::Info), ("medium", Level::Warning), ("high", Level::Error), ("very-high", Level::Critical)];
    WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

/// A severity of CEF or LEEF: 0 to 10, or a word. `None` for `Unknown`.
pub(super) fn cef(value: &str) -> Option<Level> {
    if let Ok(number) = value.parse::<u8>() {
        return Some(match number {
            0..=3 => Level::Info,
            4..=6 => Level::Warning,
            7..=8 => Level::Error,
            9..=10 => Level::Critical,
            _ => return None,
        });
    }
    alarm(value).or_else(|| word(value))
}

/// A level that was found in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelFound<'a> {
    pub(super) level: Level,
    /// What follows the level, if only punctuation comes before it.
    pub(super) behind: Option<&'a str>,
}

/// Looks for the level of a line in what follows its stamp, with at most `names_before` names before it.
pub(super) fn scan(line: &str, names_before: usize) -> Option<LevelFound<'_>> {
    let mut rest = line;
    let mut names = 0;
    for n in 0..WORDS {
        let gap = rest.bytes().position(|b| !matches!(b, b' ' | b'\t' | b'-' | b'|' | b',' | b';'))?;
        rest = &rest[gap..];
        let first = line.len() - rest.len();
        let before = first.checked_sub(1).map(|at| line.as_bytes()[at]);
        let (level, behind, is_name) = one(rest, n == 0, before)?;
        if let Some(level) = level {
            let leads = !line[..first].bytes().any(|b| b.is_ascii_alphanumeric() || b >= 0x80);
            // Columns, with or without blanks: `|ERROR|Company.App|failed` of NLog.
            let behind = leads.then(|| begin(behind.trim_start_matches([' ', '\t', '|', ';']).trim_start_matches(',')));
            return Some(LevelFound { level, behind });
        }
        names += usize::from(is_name);
        if names > names_before {
            return None;
        }
        rest = behind;
    }
    None
}

/// The text behind a level, without the punctuation between them.
pub(super) fn begin(behind: &str) -> &str {
    let text = behind.trim_start_matches([' ', '\t']);
    let marks = text.trim_start_matches([':', '-', '|', ',']);
    // `--- [main]` of Spring, `-- x`: only single marks are removed.
    if text.len() - marks.len() == 1 && (marks.is_empty() || marks.starts_with([' ', '\t'])) {
        return marks.trim_start_matches([' ', '\t']);
    }
    text
}

/// One word of a line's front: its level if it is one, what follows, and whether it is a name. `None` if running text begins.
fn one(rest: &str, first: bool, before: Option<u8>) -> Option<(Option<Level>, &str, bool)> {
    let close = match rest.as_bytes().first()? {
        b'[' => ']',
        b'<' => '>',
        b'(' => ')',
        b'{' => '}',
        _ => return bare(rest, first, before),
    };
    let end = rest.find(close)?;
    let inner = rest[1..end].trim_matches([' ', '\t']);
    let level = word(inner).or_else(|| word(inner.rsplit([':', '.']).next()?));
    let level = level.filter(|_| inner.len() <= 64 && !inner.contains([' ', '/']));
    Some((level, &rest[end + 1..], false))
}

/// The same of a word without brackets. `before` is the byte before it.
fn bare(rest: &str, first: bool, before: Option<u8>) -> Option<(Option<Level>, &str, bool)> {
    let end = rest.bytes().position(|b| matches!(b, b' ' | b'\t' | b':' | b',' | b';' | b'|' | b'[')).unwrap_or(rest.len());
    let (name, mut behind) = rest.split_at(end);
    // `error    : ...` of monit.
    let padded = behind.trim_start_matches(' ');
    if first && padded.len() < behind.len() && padded.starts_with(": ") {
        behind = padded;
    }
    let colon = behind.starts_with(':') && !behind[1..].starts_with(['/', ':']);
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters >= 3 && name.len() <= LONGEST {
        let capitals = name.as_bytes()[..letters].iter().all(u8::is_ascii_uppercase);
        // A word of its own, with a gap behind it as loggers pad it.
        let column = first && ["  ", "\t", " ["].iter().any(|gap| rest[end..].starts_with(gap));
        // Between the separators of a table: `,Error,Disk`.
        let column = column || matches!(before, Some(b',' | b';' | b'|')) && before == rest.as_bytes().get(end).copied();
        // PostgreSQL's `LOG:` is no level elsewhere.
        let level = if capitals && colon && name == "LOG" { Some(Level::Info) } else { word(name) };
        if let Some(level) = level.filter(|_| capitals && !is_weak(name) || colon || column) {
            let behind = if colon { &behind[1..] } else { behind };
            return Some((Some(level), behind, false));
        }
        // `SERVICE ALERT: ...` is running text.
        if capitals {
            return None;
        }
    }
    if colon {
        behind = &behind[1..];
    }
    let number = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'#' | b'.' | b'x' | b'/'));
    (!name.is_empty() || colon).then_some((None, behind, !number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_where_loggers_put_it() {
        for (line, level, text) in [
            (" [error] [client 192.0.2.7] denied", "error", Some("[client 192.0.2.7] denied")),
            (" [core:error] [pid 12] File", "error", Some("[pid 12] File")),
            (" - WARN  [main:Quorum@774] - timeout", "warning", Some("[main:Quorum@774] - timeout")),
            (" ERROR [main] org.x.Y: failed", "error", Some("[main] org.x.Y: failed")),
            (" [main] ERROR org.x.Y: failed", "error", None),
            (" FATAL: no room", "critical", Some("no room")),
            (", Info                  CBS    Loaded", "info", Some("CBS    Loaded")),
            (" INFO  app: started", "info", Some("app: started")),
            (" | WARNING | x", "warning", Some("x")),
            (" ERR| x", "error", Some("x")),
            ("|ERROR|Company.App|failed", "error", Some("Company.App|failed")),
            ("|INFO |Company.App|failed", "info", Some("Company.App|failed")),
            (" <Error> x", "error", Some("x")),
            ("[WARN ][o.e.c] [node] text", "warning", Some("[o.e.c] [node] text")),
            (" 1234 ERROR nova.compute x", "error", None),
            (" [12] LOG:  checkpoint starting", "info", None),
            (" ERROR 1234 --- [main] x", "error", Some("1234 --- [main] x")),
            (" queries: info: client", "info", None),
            (",Error,Disk,7", "error", Some("Disk,7")),
            ("|Error|Disk|7", "error", Some("Disk|7")),
            (" [MINOR] link", "warning", Some("link")),
            (" FEHLER: Syntaxfehler", "error", Some("Syntaxfehler")),
        ] {
            let found = scan(line, 1).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((found.level.name(), found.behind), (level, text), "{line}");
        }
    }

    #[test]
    fn a_word_of_the_text_is_no_level() {
        for line in [
            " SERVICE ALERT: h1;PING;CRITICAL",
            " an error occurred",
            " connection to host failed: error 5",
            " the disk of h1 has an ERROR",
            " Error while reading",
            " info about x",
            " http://error: x",
            " FAIL LOGIN: Client",
            " MAJOR GC took 3 s",
            ",error while reading",
            "",
            " [",
            " [/srv/error] x",
        ] {
            assert_eq!(scan(line, 1), None, "{line}");
        }
    }

    #[test]
    fn names_that_are_levels_too_may_be_hosts() {
        assert!(["WARN", "info", "ERROR", "notice", "warning", "err", "Debug", "ALERT", "FATAL:"].into_iter().all(is_word));
        assert!(!["alert", "verbose", "h1", "error-page", "standard", "I"].into_iter().any(is_word));
    }
}
