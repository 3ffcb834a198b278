//! What checked rule files compile to: the only view that the matcher and the engine have of them.
//!
//! An alarm's conditions over single events are *atoms*: numbered, stateless, matched by `lang::matcher` for all
//! alarms at once. What an alarm makes of atoms that met (raise, clear, count) is the engine's affair.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::time::parse_duration;
use crate::core::diag::Place;
use crate::core::event::{EventId, Level, Trust, TypeCode, Value};
use crate::core::lang::calendar::Calendar;

use super::expression::Expression;

/// Index into [`Program::atoms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct AtomId(pub u32);

/// An atom that an event met, with what its regular expressions captured.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Hit {
    pub atom: AtomId,
    /// Captures by name, in order of the expression.
    pub captures: Vec<(String, Value<'static>)>,
}

/// Index into [`Program::alarms`], in order of files (sorted by name) and of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmId(pub u32);

/// All rules, checked and compiled.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Conditions over single events.
    pub atoms: Vec<Atom>,
    /// Alarms in order of definition. Names are unique.
    pub alarms: Vec<Alarm>,
    /// Named bindings of scripts, by name. Every reaction that an alarm calls is here, also the implicit ones.
    pub reactions: BTreeMap<String, Reaction>,
    /// Lines that the patterns bring as their own tests, in order of files and lines.
    pub samples: Vec<Sample>,
    /// Fields inside texts (`json.path`) that alarms use as keys, in summaries or as arguments: what an event has of them comes
    /// with its captures.
    pub inside: Vec<String>,
    /// An event that matches one of these is taken away from every rule.
    pub ignored: Vec<AtomId>,
    /// Named times, which alarms name.
    pub calendars: BTreeMap<String, Calendar>,
    /// Conditions by which members of pairs say which role they have, beside the ids of the inventory.
    pub claims: Vec<ClaimCondition>,
}

/// A condition that is a claim when a member of its pair matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCondition {
    pub atom: AtomId,
    pub pair: String,
    /// True: the member says that it is primary; false: that it is backup.
    pub primary: bool,
}

/// A line that a pattern brings as its own test: run through the decoder and the matcher by `check` and `test`.
#[derive(Clone, Debug)]
pub struct Sample {
    pub atom: AtomId,
    /// The record, as the log file has it; several lines are joined by a line feed.
    pub record: String,
    /// `sample`: the record must meet the atom. `not sample`: it must not.
    pub matches: bool,
    /// Fields that the record must have after the match, captures included.
    pub fields: Vec<(String, Value<'static>)>,
    /// Where it was written.
    pub place: Place,
}

/// A condition over one event. All parts that are present must hold.
#[derive(Clone, Debug)]
pub struct Atom {
    /// The pattern's name, or `alarm/detect`, `alarm/cancel` for an inline condition.
    pub name: String,
    /// One of these ids; empty for any event.
    pub ids: Vec<IdPattern>,
    /// From one of these senders; empty for any.
    pub from: Vec<Sender>,
    /// One of these alternatives matches (each on its own field); captures become fields. Empty: no `match` clause.
    pub matches: Vec<FieldRegex>,
    /// And all of these hold (the pattern's own, and that of a `(pattern where ...)`). They see the captures of the first
    /// alternative of `matches` that matched. Shared, because many atoms may come of one `where`.
    pub predicates: Vec<Arc<Predicate>>,
    /// Fields that a match sets beside its captures.
    pub sets: Vec<(String, Operand)>,
    /// What the condition that it stands in calls fields of it: the name there, and the field's. An event without the field matches nothing
    /// by that name.
    pub renames: Vec<(String, String)>,
    /// It is met by this change in the engine, and by no record.
    pub signal: Option<Signal>,
    /// Where it was written.
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

/// A change in the engine that conditions are about, as if it were an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// This alarm was raised.
    Raised(String),
    /// This alarm was cleared.
    Cleared(String),
    /// Somebody took this alarm on.
    Acked(String),
    /// The time of that is over.
    AckEnded(String),
    /// The condition of this pattern came true.
    Occurrence(String),
    /// A host is lost: nothing is heard of it.
    HostLost,
    /// A host is heard again.
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
    /// Numbered events `first..=last`, of the type code given, or of any.
    Numbers {
        /// The type code; `None` matches any code and none.
        code: Option<TypeCode>,
        first: u32,
        /// Last number; equal to `first` for a single id.
        last: u32,
    },
    Word(String),
}

impl IdPattern {
    /// The pattern that an id is when a rule or the inventory names it.
    pub fn of(id: &EventId<'_>) -> IdPattern {
        match id {
            EventId::Number { code, number } => IdPattern::Numbers { code: *code, first: *number, last: *number },
            EventId::Word(word) => IdPattern::Word(word.to_string()),
        }
    }

    /// True when the event's id is wanted. An event without a code matches only rules without one and with 00; 00 in an
    /// event is common to all types.
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

/// A sender that a rule wants. Names are compared after aliases were resolved through the inventory; `*` stands for any
/// run of characters in `App` and `Host`.
#[derive(Clone, Debug, PartialEq)]
pub enum Sender {
    App(String),
    /// Application type: the inventory's, or the file header's where the inventory has none.
    Type(String),
    Host(String),
}

/// A regular expression on a field.
#[derive(Clone, Debug)]
pub struct FieldRegex {
    /// Field name; `text` unless said.
    pub field: String,
    /// The compiled expression (linear time, size limited).
    pub regex: Arc<Expression>,
    /// Its named groups, in order.
    pub captures: Vec<Capture>,
}

/// What an event has of itself and a key may be instead: `by peer as host`.
pub const REPLACED: [&str; 5] = ["host", "app", "type", "pair", "site"];

/// The name of the capture that is a key of this name: no expression can capture one that stands for the event's own.
pub fn replacing(key: &str) -> String {
    if REPLACED.contains(&key) { format!("={key}") } else { key.to_owned() }
}

/// A named group of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The field's name. Several groups may have one: the first that took part counts.
    pub name: String,
    /// The group's name in the expression, where each has its own.
    pub group: String,
    /// What its text is read as.
    pub kind: CaptureKind,
}

/// What a capture is read as. A text that does not read so does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureKind {
    Text,
    /// A number, whole or not.
    Number,
    /// An address of IPv4 or IPv6, in its shortest form; one of IPv4 within IPv6 is that of IPv4.
    Address,
    /// A host: the inventory's name for it, where it has one.
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
        /// What is asked of it.
        test: FieldTest,
    },
}

/// What is asked of a field.
#[derive(Clone, Debug)]
pub enum FieldTest {
    /// `== != < <= > >=` with a value; numbers as numbers, text as text, `level` by severity.
    Compare(Comparison, Operand),
    /// `~`; `!~` is `Not`-less negation (`true` = negated).
    Regex {
        regex: Arc<Expression>,
        /// `!~`.
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
    /// `in 10.0.0.0/8`: the field reads as an address within the network.
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
    /// As rules write it.
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

    /// Whether it holds when the left side stands so to the right one.
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
    /// How far the sender is known (field `trust` only).
    Trust(Trust),
    /// An amount with a unit; a field is read in this unit, with or without it.
    Amount(f64, Unit),
    /// An event id (field `id` only).
    Id(IdPattern),
    /// Another field of the same event.
    Field(String),
}

/// What an amount is of. A field without a unit is read as seconds, bytes, or percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    Seconds,
    Bytes,
    Percent,
}

impl Unit {
    /// The amount that a text says: `1m30s`, `1.5GB` (a KB is 1,024 bytes), `90%`. `None` when it is none of this unit.
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

/// How grave an alarm is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Category {
    Critical,
    #[default]
    Major,
    Minor,
    /// Kept as state but not listed as an alarm.
    None,
}

impl Category {
    pub const ALL: [Category; 4] = [Category::Critical, Category::Major, Category::Minor, Category::None];

    /// The name that rules use.
    pub fn name(self) -> &'static str {
        match self {
            Category::Critical => "critical",
            Category::Major => "major",
            Category::Minor => "minor",
            Category::None => "none",
        }
    }
}

/// What an alarm does with its reactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Live,
    /// Says what it would run.
    Dry,
    /// Runs them when an operator agrees within the time.
    Confirm {
        /// How long it waits; then the run ends.
        within: Duration,
    },
    /// The alarm is not raised at all.
    Off,
}

/// What a repeat does while the alarm is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhileActive {
    /// Counts, and starts the cancel time-out again.
    #[default]
    Refresh,
    /// Counts; the time-out is untouched.
    Ignore,
    /// As refresh, and the reactions run again.
    Rerun,
}

/// An alarm: what raises it, what clears it, what to do.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub name: String,
    pub category: Category,
    /// Text for people with `{field}` in it; empty when none was given.
    pub summary: String,
    /// Text for people when it ends, likewise; empty where the other one is enough.
    pub end_summary: String,
    /// What an operator should know or do; empty when none was given.
    pub help: String,
    pub detect: Detection,
    /// Fields (of the event, its captures, or derived: `pair`) that make the instance's key, in order. Empty: one instance.
    pub by: Vec<String>,
    /// What clears it. Empty: by hand.
    pub cancel: Vec<Cancel>,
    /// Reactions: chains start together in order; the calls of a chain one after another, each when the one before ended well.
    pub react: Vec<Vec<ReactionCall>>,
    /// Reactions when it is cleared, for whatever cause; the script finds it in `alarm.cause`.
    pub on_cancel: Vec<Vec<ReactionCall>>,
    /// Its condition must stay true for so long before it is raised: no `cancel when` may come meanwhile.
    pub hold: Option<Duration>,
    /// While one of these alarms is active, for the same values of the keys that both have, it is not raised, and waits.
    pub inhibited_by: Vec<String>,
    /// It is raised only while these alarms are active, for the same values of the keys that both have.
    pub only_while: Vec<String>,
    /// It is raised only while none of these is.
    pub only_while_not: Vec<String>,
    /// For how many keys it may be active or counted; `None`: [`crate::core::base::limits::INSTANCES_PER_ALARM`] and
    /// [`crate::core::base::limits::COUNTED_KEYS`].
    pub max_keys: Option<usize>,
    /// So many texts of the events that met its condition are kept while it is active; the script finds them in `alarm.lines`.
    pub keep: usize,
    /// It is a pattern of several events: when its condition comes true that is an event ([`Signal::Occurrence`]), and nothing else.
    pub composite: bool,
    /// Keys of [`Program::calendars`]: it is for the times of any of these; empty: for all times.
    pub only_during: Vec<String>,
    /// Keys of [`Program::calendars`]: it is not for the times of any of these.
    pub not_during: Vec<String>,
    /// How often its reactions start at most.
    pub limit: Option<Limit>,
    /// What a repeat does.
    pub while_active: WhileActive,
    /// What happens to its reactions.
    pub mode: Mode,
    /// Events older than this (record time against arrival) raise but start no run; `None`: only lateness counts.
    pub max_age: Option<Duration>,
    /// Where it was written.
    pub place: Place,
}

impl Alarm {
    /// An alarm of which only the name is known.
    pub fn new(name: String, place: Place) -> Alarm {
        Alarm {
            name,
            category: Category::default(),
            summary: String::new(),
            end_summary: String::new(),
            help: String::new(),
            detect: Detection::default(),
            by: Vec::new(),
            hold: None,
            inhibited_by: Vec::new(),
            only_while: Vec::new(),
            only_while_not: Vec::new(),
            only_during: Vec::new(),
            not_during: Vec::new(),
            max_keys: None,
            keep: 0,
            composite: false,
            limit: None,
            cancel: Vec::new(),
            react: Vec::new(),
            on_cancel: Vec::new(),
            while_active: WhileActive::default(),
            mode: Mode::default(),
            max_age: None,
            place,
        }
    }
}

impl Detection {
    /// True when it is about something that lasts, and ends by itself unless its alarm says what ends it.
    pub fn is_state(&self) -> bool {
        matches!(
            self.shape,
            Shape::Silence { .. } | Shape::Measure(_) | Shape::Standing { .. } | Shape::Members(_) | Shape::States(_)
        )
    }
}

/// How often the reactions of an alarm start at most. What is too much waits, and the newest of it starts when it may.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    pub n: usize,
    pub per: Duration,
    /// For each value of these fields of the alarm's `by`, by their places in it.
    pub by: Vec<usize>,
}

/// How events come to an alarm's condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection {
    /// Conditions over single events, each met by any of its atoms. What they are for, the shape says.
    pub parts: Vec<Vec<AtomId>>,
    /// How they belong together.
    pub shape: Shape,
    /// An event of these makes what was noted and awaited count no more.
    pub unless: Vec<AtomId>,
    /// Its time: between the first event and the last (`within`), without any (`for` of a silence), or of a measure's window (`over`).
    /// `None`: it does not matter.
    pub within: Option<Duration>,
    /// How much before the event that it should follow another may come: sources are not equally quick.
    pub slack: Option<Duration>,
}

/// How the parts of a condition belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// An event of the only part.
    #[default]
    One,
    /// So many events of the part.
    Count {
        n: usize,
        /// With as many different values of this field.
        distinct: Option<String>,
    },
    /// An event of each part, in this order.
    Sequence {
        /// After the first occurrence each further event of the last part is one.
        each: bool,
    },
    /// Events of each part, in any order.
    All {
        /// How many of each part.
        counts: Vec<usize>,
    },
    /// An event of the first part, and none of the second within the time after it.
    Without,
    /// An event of the first part, and none of the second within the time before it.
    NotPreceded,
    /// No event of the part for the time.
    Silence {
        /// How the time grows while it goes on.
        backoff: Option<Backoff>,
        /// The values that the keys may have from the start: those of the inventory that the condition is about.
        expected: Vec<Vec<String>>,
    },
    /// What the events of the part amount to over the time.
    Measure(Measure),
    /// So many members of a group are in this state at once.
    Members(Box<Counted>),
    /// So many instances of this alarm are active at once, with these keys.
    Standing { n: usize, alarm: String },
    /// States of which all, or one, hold at once. Each has two parts: what begins it, and what ends it.
    States(Box<States>),
}

/// States that are joined.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    pub terms: Vec<Term>,
    /// All have to hold; else one is enough.
    pub all: bool,
    /// The keys for which it may be true, where it may be true of a key that nothing active has: sorted, those of the inventory.
    /// `None`: the keys are those of what is active.
    pub known: Option<Vec<Vec<String>>>,
}

impl States {
    /// True when it holds while nothing is the matter at all.
    pub fn at_rest(&self) -> bool {
        if self.all { self.terms.iter().all(|t| t.negated) } else { self.terms.iter().any(|t| t.negated) }
    }
}

/// One of several states that are joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// It has to be so, or, negated, must not be so.
    pub what: StateHolds,
    /// `not`.
    pub negated: bool,
    /// It is so for some values of the keys; else it is so or not, for all of them.
    pub keyed: bool,
}

impl Term {
    /// The alarm that it is about.
    pub fn alarm(&self) -> Option<&str> {
        match &self.what {
            StateHolds::Any(MemberState::Active(alarm) | MemberState::Unacked(alarm), _)
            | StateHolds::Members(Counted { state: MemberState::Active(alarm) | MemberState::Unacked(alarm), .. }) => Some(alarm),
            _ => None,
        }
    }
}

/// When a state that is joined with others holds.
#[derive(Clone, Debug, PartialEq)]
pub enum StateHolds {
    /// For one of these hosts or applications; with none said, for any that the state is of.
    Any(MemberState, Vec<String>),
    /// For so many members of a group.
    Members(Counted),
}

/// What is counted of the members of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub state: MemberState,
    /// The field that says of which member an event is.
    pub field: &'static str,
    /// How many of which, as the rule says it: two that say different things are not the same where nobody is known.
    pub said: String,
    /// The groups: one, or each pair or site.
    pub groups: Vec<Members>,
}

/// A state that members of a group may be in.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberState {
    /// A host is lost.
    Lost,
    Stopped,
    /// This alarm is active for it.
    Active(String),
    /// This alarm is active, and nobody took it on.
    Unacked(String),
}

/// A group that a condition is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// The key: the pair or site; nothing of a group with a name.
    pub key: Vec<String>,
    /// Who belongs to it, sorted.
    pub members: Vec<String>,
    /// So many have to be in the state.
    pub n: usize,
}

impl Members {
    /// Where a member stands in it.
    pub fn place(&self, member: &str) -> Option<usize> {
        self.members.binary_search_by(|m| m.as_str().cmp(member)).ok()
    }

    /// True when somebody belongs to it.
    pub fn has(&self, member: &str) -> bool {
        self.place(member).is_some()
    }
}

/// How the time of a silence grows: each occurrence waits so many times longer than the one before, up to so many times the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as said")]
pub struct Backoff {
    pub factor: u32,
    pub up_to: u32,
}

/// A measure of events over a window, and when it is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    pub what: Aggregate,
    /// Of which field; none for a count and a rate.
    pub field: Option<String>,
    /// When it is true.
    pub threshold: Threshold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Aggregate {
    Count,
    Rate,
    Sum,
    Average,
    Least,
    Most,
    /// Of a metric, the newest.
    Last,
}

/// A comparison with a number, and for how long it must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// How it is compared.
    pub comparison: Comparison,
    /// With what; durations in seconds, sizes in bytes.
    pub amount: f64,
    /// For so long without a break.
    pub lasts: Option<Duration>,
}

/// What clears an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancel {
    /// So long after it was last refreshed, or after it was raised.
    After {
        span: Duration,
        /// `since raise`: repeats do not prolong it.
        since_raise: bool,
    },
    /// When an event matches one of these atoms with the same key. `by` of the detect applies.
    When(Vec<AtomId>),
    /// When the measure of the `detect` compares so.
    Falls(Threshold),
    /// When a measure of its own is true.
    Measured {
        /// Of events that meet one of these.
        of: Vec<AtomId>,
        over: Duration,
        measure: Measure,
    },
    /// At once: no state is kept, every event acts.
    AtOnce,
    ByHand,
}

/// A call of a reaction with arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactionCall {
    /// Key of [`Program::reactions`].
    pub reaction: String,
    /// Arguments by parameter name, in the script's order.
    pub args: Vec<(String, Argument)>,
}

/// An argument expression. There are no others.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Value(Value<'static>),
    /// A field of the event, a capture, or a derived one (`pair`, `alarm`, `cause`).
    Field(String),
    /// `pair_of(field)`: the pair of the application that the field names.
    PairOf(String),
    /// `host_of(field)`: the host of the application that the field names.
    HostOf(String),
}

/// A named binding of a script to parameters, time-out and retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    pub name: String,
    /// The script's file name within the script folder: `vip_down.rhai`.
    pub script: String,
    pub with: Vec<(String, Value<'static>)>,
    /// Bounds one attempt of a step; waiting is not counted.
    pub timeout: Duration,
    /// A failed step is repeated so many times, so far apart.
    pub retry: Option<(u32, Duration)>,
    /// The trust that an event needs for its runs to change anything outside of Pointsman.
    pub requires: Trust,
}

/// The trust that an event needs for what it starts to change anything outside, where a reaction says nothing else.
pub const EFFECTS_REQUIRE: Trust = Trust::Address;
