//! A condition over one event, and what it is made of.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::core::base::time::parse_duration;
use crate::core::diag::Place;
use crate::core::event::{EventId, Level, Trust, TypeCode, Value};
use crate::core::lang::expression::Expression;

/// A condition over one event. All parts that are present must hold.
#[derive(Clone, Debug)]
pub struct Atom {
    /// The pattern's name, or `alarm/detect` or `alarm/cancel` for an inline condition.
    pub name: String,
    /// The event has one of these ids; empty for any.
    pub ids: Vec<IdPattern>,
    /// The event comes from one of these senders; empty for any.
    pub from: Vec<Sender>,
    /// One of these alternatives matches (each on its own field); captures become fields. Empty: no `match` clause.
    pub matches: Vec<FieldRegex>,
    /// All of these hold: the pattern's own, and those of a `(pattern where ...)`. They see the captures of the first
    /// alternative of `matches` that matched. They are shared, because many atoms may come from one `where`.
    pub predicates: Vec<Arc<Predicate>>,
    /// Fields that a match sets in addition to its captures.
    pub sets: Vec<(String, Operand)>,
    /// Names that the surrounding condition gives to fields of the event: the name there, and the field's own name. An event
    /// without the field has no field of that name.
    pub renames: Vec<(String, String)>,
    /// The change in the engine that matches it; no record does.
    pub signal: Option<Signal>,
    /// The place in the rule file.
    pub place: Place,
}

impl Atom {
    /// A condition that every event matches.
    pub fn new(name: String, place: Place) -> Atom {
        Atom {
            name,
            ids: Vec::new(),
            from: Vec::new(),
            matches: Vec::new(),
            predicates: Vec::new(),
            sets: Vec::new(),
            renames: Vec::new(),
            signal: None,
            place,
        }
    }
}

/// A change in the engine that conditions can match like an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// This alarm was raised.
    Raised(String),
    /// This alarm was cleared.
    Cleared(String),
    /// Somebody acknowledged this alarm.
    Acked(String),
    /// The acknowledgement of this alarm expired.
    AckEnded(String),
    /// The condition of this pattern fired.
    Occurrence(String),
    /// A host is lost: nothing is received from it.
    HostLost,
    /// A host is connected again.
    HostBack,
    AppStopped,
    /// An application runs again.
    AppRuns,
    /// This metric was measured on a host.
    Metric(String),
    Begins(String),
    Ends(String),
}

/// An id that a rule wants.
#[derive(Clone, Debug, PartialEq)]
pub enum IdPattern {
    /// Numbered events `first..=last`, of the given type code or of any.
    Numbers {
        /// The type code; `None` matches any code and none.
        code: Option<TypeCode>,
        first: u32,
        /// The last number; equal to `first` for a single id.
        last: u32,
    },
    Word(String),
}

impl IdPattern {
    /// The pattern for an id that a rule or the inventory names.
    pub fn of(id: &EventId<'_>) -> IdPattern {
        match id {
            EventId::Number { code, number } => IdPattern::Numbers { code: *code, first: *number, last: *number },
            EventId::Word(word) => IdPattern::Word(word.to_string()),
        }
    }

    /// True when the pattern matches the event's id. An event without a code matches only patterns without a code or with 00.
    /// In an event, 00 is common to all types.
    pub fn matches(&self, id: &EventId<'_>) -> bool {
        match (self, id) {
            (IdPattern::Numbers { code: want, first, last }, EventId::Number { code: have, number }) => {
                let code_meets = match (want, have) {
                    (None, _) | (Some(0), None) | (Some(_), Some(0)) => true,
                    (Some(_), None) => false,
                    (Some(w), Some(h)) => w == h,
                };
                code_meets && (first..=last).contains(&number)
            }
            (IdPattern::Word(want), EventId::Word(have)) => want == have,
            _ => false,
        }
    }
}

/// A sender that a rule wants. Names are compared after the inventory resolved their aliases; `*` stands for any run of
/// characters in `App` and `Host`.
#[derive(Clone, Debug, PartialEq)]
pub enum Sender {
    App(String),
    /// Application type: from the inventory, or from the file header if the inventory has none.
    Type(String),
    Host(String),
}

/// A regular expression on a field.
#[derive(Clone, Debug)]
pub struct FieldRegex {
    /// The field name; default: `text`.
    pub field: String,
    /// The compiled expression (linear time, limited size).
    pub regex: Arc<Expression>,
    /// Its named groups, in order.
    pub captures: Vec<Capture>,
}

/// Fixed fields of an event that a key may replace: `by peer as host`.
pub const REPLACED: [&str; 5] = ["host", "app", "type", "pair", "site"];

/// The internal name of the capture for a key of this name. No expression can capture a field that replaces a fixed field.
pub fn replacing(key: &str) -> String {
    if REPLACED.contains(&key) { format!("={key}") } else { key.to_owned() }
}

/// A named group of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The field's name. Several groups may have the same name: the first that took part counts.
    pub name: String,
    /// The unique name of the group in the expression.
    pub group: String,
    /// The type as which its text is read.
    pub kind: CaptureKind,
}

/// The type of a capture. A text that cannot be read as this type does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureKind {
    Text,
    /// A number, whole or not.
    Number,
    /// An IPv4 or IPv6 address in its shortest form; an IPv4 address within IPv6 becomes an IPv4 address.
    Address,
    /// A host: the inventory's name for it, if it has one.
    Host,
    App,
}

/// A condition over the fields of one event. A comparison with a field that the event lacks is false, also `!=` and `!~`.
#[derive(Clone, Debug)]
pub enum Predicate {
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    /// A test of one field.
    Test {
        field: String,
        /// The test of the field.
        test: FieldTest,
    },
}

/// A test of a field.
#[derive(Clone, Debug)]
pub enum FieldTest {
    /// `== != < <= > >=` with a value: a number is compared with numbers only, a text as text, `level` by severity.
    Compare(Comparison, Operand),
    /// `~`, or `!~`.
    Regex {
        regex: Arc<Expression>,
        /// True for `!~`.
        negated: bool,
    },
    /// `contains "..."`.
    Contains(String),
    /// `starts with "..."`.
    StartsWith(String),
    /// `ends with "..."`.
    EndsWith(String),
    /// `in [a, b]`.
    InList(Vec<Value<'static>>),
    /// `in 10.0.0.0/8`: the field is an address within the network.
    InNetwork { network: std::net::IpAddr, prefix: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The operator as rules write it.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }

    /// True when the comparison holds for this ordering of its left side to its right side.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Value(Value<'static>),
    /// A severity (field `level` only).
    Level(Level),
    /// A level of trust (field `trust` only).
    Trust(Trust),
    /// An amount with a unit; the field is read in this unit, with or without its name.
    Amount(f64, Unit),
    /// An event id (field `id` only).
    Id(IdPattern),
    /// Another field of the same event.
    Field(String),
}

/// The unit of an amount. A field without a unit is read as seconds, bytes or percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    Seconds,
    Bytes,
    Percent,
}

impl Unit {
    /// The amount in a text: `1m30s`, `1.5GB` (a KB is 1,024 bytes), `90%`. `None` when the text is not an amount of this
    /// unit.
    pub fn read(self, text: &str) -> Option<f64> {
        let finite = |x: f64| x.is_finite().then_some(x);
        match self {
            Unit::Seconds => parse_duration(text).map(|d| d.as_secs_f64()),
            Unit::Percent => text.strip_suffix('%')?.trim_end().parse().ok().and_then(finite),
            Unit::Bytes => {
                let begins = text.find(|c: char| c.is_ascii_alphabetic())?;
                let number: f64 = text[..begins].trim_end().parse().ok()?;
                let factor = match &text[begins..] {
                    "B" => 1.0,
                    "K" | "KB" | "kB" | "KiB" => 1_024.0,
                    "M" | "MB" | "MiB" => 1_048_576.0,
                    "G" | "GB" | "GiB" => 1_073_741_824.0,
                    "T" | "TB" | "TiB" => 1_099_511_627_776.0,
                    _ => return None,
                };
                finite(number * factor)
            }
        }
    }
}
