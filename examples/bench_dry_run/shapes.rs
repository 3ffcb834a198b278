//! Rules and lines of other shapes than those of the shared generator, from a seed, so that the matcher is not tuned to one
//! generator.
//!
//! In: a shape, a seed, and the numbers of rules and lines. Out: rules in the rule language, a log, and the alarms that each line
//! must raise. One line in a thousand matches one rule, and one in a hundred nearly does.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use pointsman::core::sim::Rng;

/// Each shape with its description.
pub(super) const SHAPES: [(&str, &str); 9] = [
    ("short", "literals of four letters"),
    ("prefix", "literals that share their first 60 letters"),
    ("regex", "expressions of classes and repeats, little literal"),
    ("ids", "a hundred ids, each from many applications"),
    ("apps", "an application and nothing else, RFC 3164"),
    ("nocase", "expressions that ignore letter case"),
    ("long", "shared prefixes in lines of 2 kB"),
    ("json", "expressions, lines of JSON"),
    ("words", "other programs' ids, RFC 5424"),
];

const WORDS: [&str; 24] = [
    "session", "opened", "for", "user", "request", "served", "in", "time", "cache", "miss", "on", "shard", "flushed", "route",
    "updated", "peer", "answered", "after", "retry", "queue", "drained", "with", "status", "ok",
];

/// Writes `rules.alarm` and `log`, and returns `line TAB alarm` for all alarms that must be raised.
pub(super) fn write(folder: &Path, shape: &str, seed: u64, rules: usize, lines: usize) -> std::io::Result<Vec<String>> {
    fs::create_dir_all(folder)?;
    for (n, part) in (0..rules).collect::<Vec<_>>().chunks(4_000).enumerate() {
        let mut file = BufWriter::new(File::create(folder.join(format!("{n:03}.alarm")))?);
        for &n in part {
            let detect = match shape {
                "ids" => format!("event 00-{:05} from app {}", 20_000 + n % 100, app(n)),
                "words" => format!("event \"{}\"", id(n)),
                _ => {
                    let condition = condition(shape, n);
                    writeln!(file, "pattern p{n} {{ {condition} }}")?;
                    format!("p{n}")
                }
            };
            writeln!(file, "alarm a{n} {{ detect {detect} cancel at once }}")?;
        }
    }
    let mut rng = Rng::new(seed);
    let mut log = BufWriter::new(File::create(folder.join("log"))?);
    let mut wanted = Vec::new();
    for line in 0..lines {
        let n = rng.index(rules);
        let what = if line % 1_000 == 500 {
            wanted.push(format!("{}\ta{n}", line + 1));
            What::Met
        } else if rng.index(100) == 0 {
            What::Nearly
        } else {
            What::Other
        };
        writeln!(log, "{}", record(shape, &mut rng, line, n, what))?;
    }
    log.flush()?;
    Ok(wanted)
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Met,
    Nearly,
    Other,
}

fn app(n: usize) -> String {
    format!("App{}_{}", ["Gate", "Route", "Stat", "Conf"][n % 4], n / 100)
}

fn id(n: usize) -> String {
    format!("E{:X}-{}", n * 7919 % 65_536, n)
}

/// Four letters that occur in no other word, because no other word has a capital letter.
fn code(n: usize) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    [n, n / 26, n / 676, n / 17_576].map(letter).iter().collect()
}

fn condition(shape: &str, n: usize) -> String {
    match shape {
        "short" => format!("where text contains \"{}\"", code(n)),
        "prefix" | "long" => format!("where text contains \"{}{n:05} lost\"", prefix()),
        "apps" => format!("from app {}_{n}", app(n)),
        "nocase" => format!("match /fault of node {n:05}: (fan|power) (failed|is gone)/i"),
        _ => format!("match r\"[A-Z]{{2}}{n:05}: .*(down|dead) (after|since) [0-9]+ ms\""),
    }
}

fn prefix() -> &'static str {
    "Service unavailable: the pool behind the balancer reports member "
}

/// A text that a rule wants, or one that nearly matches, with another word at the end.
fn text(shape: &str, n: usize, matched: bool) -> String {
    match shape {
        "short" if matched => code(n),
        "short" => code(n).to_lowercase(),
        "prefix" | "long" => format!("{}{n:05} {}", prefix(), if matched { "lost" } else { "found" }),
        "nocase" => format!("FAULT of Node {n:05}: POWER {}", if matched { "Is Gone" } else { "is back" }),
        "regex" | "json" => format!("KX{n:05}: link is {} since 17 ms", if matched { "dead" } else { "fine" }),
        _ => "as usual".to_owned(),
    }
}

fn record(shape: &str, rng: &mut Rng, line: usize, n: usize, what: What) -> String {
    let mut words = |count: usize, out: &mut String| {
        for _ in 0..count {
            out.push_str(WORDS[rng.index(WORDS.len())]);
            out.push(' ');
            if rng.index(5) == 0 {
                out.push_str(&format!("{} ", rng.index(100_000)));
            }
        }
    };
    let mut body = String::new();
    words(if shape == "long" { 150 } else { 8 }, &mut body);
    if what != What::Other {
        body.push_str(&text(shape, n, what == What::Met));
        body.push(' ');
    }
    words(if shape == "long" { 150 } else { 6 }, &mut body);
    let seconds = line / 20_000;
    let stamp = format!("{:02}:{:02}", 10 + seconds / 60, seconds % 60);
    let named = if what == What::Met { n } else { n + 1_000_000 };
    match (shape, line % 3) {
        ("apps", _) => {
            let app = if what == What::Met { format!("{}_{n}", app(n)) } else { format!("{}_x{n}", app(n)) };
            format!("<30>Dec  1 12:{stamp} host-{} {app}[{}]: {body}", n % 50, 100 + n % 900)
        }
        ("ids", _) => {
            let id = if what == What::Other { 70_000 + n % 20_000 } else { 20_000 + n % 100 };
            format!("2010-12-01T12:{stamp}.000 Standard host{} {} GCTI-00-{id:05} {body}", n % 50, app(named))
        }
        ("words", _) => format!("<134>1 2010-12-01T12:{stamp}Z host{} app {n} {} - {body}", n % 50, id(named)),
        ("json", _) => {
            format!(
                "{{\"time\":\"2010-12-01T12:{stamp}Z\",\"level\":\"info\",\"pod\":\"p-{n}\",\"msg\":\"{body}\",\"code\":{line}}}"
            )
        }
        (_, 0) => format!("2010-12-01T12:{stamp}.000 Standard host{} App_{} GCTI-00-{:05} {body}", n % 50, n % 90, 60_000 + n),
        (_, 1) => format!("<30>Dec  1 12:{stamp} host-{} daemon[{}]: {body}", n % 50, 100 + n % 900),
        _ => format!("<134>1 2010-12-01T12:{stamp}Z host{} app{} {n} - - {body}", n % 50, n % 90),
    }
}
