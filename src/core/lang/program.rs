//! The compiled form of checked rule files: the only view that the matcher and the engine have of them.
//!
//! An alarm's conditions over single events are *atoms*: numbered, stateless, matched by `lang::matcher` for all alarms at
//! once. What an alarm does with its matches (raise, clear, count) is the task of the engine.

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

/// An atom that an event matches, with the captures of its regular expressions.
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
    /// Named bindings of scripts, by name. They include every reaction that an alarm calls, also the implicit ones.
    pub reactions: BTreeMap<String, Reaction>,
    /// Lines that patterns have as their own tests, in order of files and lines.
    pub samples: Vec<Sample>,
    /// Fields inside texts (`json.path`) that alarms use as keys, in summaries or as arguments. They are added to the
    /// captures of an event.
    pub inside: Vec<String>,
    /// An event that matches one of these is hidden from every rule.
    pub ignored: Vec<AtomId>,
    /// Named calendars, to which alarms refer.
    pub calendars: BTreeMap<String, Calendar>,
    /// Conditions by which members of pairs claim a role, in addition to the ids of the inventory.
    pub claims: Vec<ClaimCondition>,
}

/// A condition that is a claim when a member of its pair matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCondition {
    pub atom: AtomId,
    pub pair: String,
    /// True: the member claims to be primary; false: backup.
    pub primary: bool,
}

/// A line that a pattern has as its own test; `check` and `test` run it through the decoder and the matcher.
#[derive(Clone, Debug)]
pub struct Sample {
    pub atom: AtomId,
    /// The record, as in the log file; several lines are joined by a line feed.
    pub record: String,
    /// `sample`: the record must match the atom. `not sample`: it must not.
    pub matches: bool,
    /// Fields that the record must have after the match, captures included.
    pub fields: Vec<(String, Value<'static>)>,
    /// The place in the rule file.
    pub place: Place,
}

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
    /// `== != < <= > >=` with a value; numbers as numbers, text as text, `level` by severity.
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

/// The severity of an alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// How an alarm carries out its reactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Live,
    /// Reports what it would run.
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
    /// Counts, and restarts the cancel time-out.
    #[default]
    Refresh,
    /// Counts; the time-out does not change.
    Ignore,
    /// As `Refresh`, and the reactions run again.
    Rerun,
}

/// An alarm: what raises it, what clears it and what it starts.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub name: String,
    pub category: Category,
    /// Summary with `{field}` in it; empty if there is none.
    pub summary: String,
    /// Summary of its end, likewise; empty if `summary` serves for both.
    pub end_summary: String,
    /// What an operator should know or do; empty if there is none.
    pub help: String,
    pub detect: Detection,
    /// Fields (of the event, its captures, or derived: `pair`) that form the key of an instance, in order. Empty: one
    /// instance.
    pub by: Vec<String>,
    /// What clears it. Empty: only an operator.
    pub cancel: Vec<Cancel>,
    /// Reactions. Chains start together, in order; each call of a chain starts when the one before succeeded.
    pub react: Vec<Vec<ReactionCall>>,
    /// Reactions when it is cleared, for any cause; the script finds the cause in `alarm.cause`.
    pub on_cancel: Vec<Vec<ReactionCall>>,
    /// How long its condition must stay true before it is raised (`hold`): no `cancel when` may come meanwhile.
    pub hold: Option<Duration>,
    /// While one of these alarms is active for the same values of the keys that both have, this one is suppressed.
    pub inhibited_by: Vec<String>,
    /// It is raised only while these alarms are active for the same values of the keys that both have.
    pub only_while: Vec<String>,
    /// It is raised only while none of these is active.
    pub only_while_not: Vec<String>,
    /// Maximum number of keys that are active or counted; `None`: [`crate::core::base::limits::INSTANCES_PER_ALARM`] and
    /// [`crate::core::base::limits::COUNTED_KEYS`].
    pub max_keys: Option<usize>,
    /// Number of texts to keep of events for which its condition fired, while it is active; the script finds them in
    /// `alarm.lines`.
    pub keep: usize,
    /// It is a pattern of several events: when its condition fires, the only effect is an event ([`Signal::Occurrence`]).
    pub composite: bool,
    /// Keys of [`Program::calendars`]: it is raised only during one of these; empty: always.
    pub only_during: Vec<String>,
    /// Keys of [`Program::calendars`]: it is not raised during any of these.
    pub not_during: Vec<String>,
    /// The maximum rate of its reactions.
    pub limit: Option<Limit>,
    /// What a repeat does.
    pub while_active: WhileActive,
    /// How its reactions are carried out.
    pub mode: Mode,
    /// Events older than this (record time against arrival) raise it but start no run; `None`: only lateness counts.
    pub max_age: Option<Duration>,
    /// The place in the rule file.
    pub place: Place,
}

impl Alarm {
    /// An alarm with a name and defaults.
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
    /// True when it is about something that lasts. It then ends by itself, unless its alarm says what ends it.
    pub fn is_state(&self) -> bool {
        matches!(
            self.shape,
            Shape::Silence { .. } | Shape::Measure(_) | Shape::Standing { .. } | Shape::Members(_) | Shape::States(_)
        )
    }
}

/// The maximum rate of an alarm's reactions. Reactions above it are throttled, and the newest start as soon as allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    pub n: usize,
    pub per: Duration,
    /// The fields that share a limit, as indices into the alarm's `by`.
    pub by: Vec<usize>,
}

/// The condition of an alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection {
    /// Conditions over single events, each matched by any of its atoms. The shape says what they are for.
    pub parts: Vec<Vec<AtomId>>,
    /// How the parts belong together.
    pub shape: Shape,
    /// An event that matches one of these drops partial matches and pending fires.
    pub unless: Vec<AtomId>,
    /// Its time: between the first event and the last (`within`), without any event (`for` of a silence), or the window of a
    /// measure (`over`). `None`: time does not matter.
    pub within: Option<Duration>,
    /// How much earlier an event may arrive than the one that it should follow: sources are not equally quick.
    pub slack: Option<Duration>,
}

/// How the parts of a condition belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// An event of the only part.
    #[default]
    One,
    /// A number of events of the part.
    Count {
        n: usize,
        /// With the same number of different values of this field.
        distinct: Option<String>,
    },
    /// An event of each part, in this order.
    Sequence {
        /// After the first occurrence each further event of the last part is another.
        each: bool,
    },
    /// Events of each part, in any order.
    All {
        /// The number of events of each part.
        counts: Vec<usize>,
    },
    /// An event of the first part, and none of the second within the time after it.
    Without,
    /// An event of the first part, and none of the second within the time before it.
    NotPreceded,
    /// No event of the part for the time.
    Silence {
        /// How the time grows while the silence goes on.
        backoff: Option<Backoff>,
        /// The keys that are expected from the start: those of the inventory that the condition is about.
        expected: Vec<Vec<String>>,
    },
    /// An aggregate of the events of the part over the time.
    Measure(Measure),
    /// A number of members of a group are in this state at once.
    Members(Box<Counted>),
    /// A number of instances of this alarm are active at once, with these keys.
    Standing { n: usize, alarm: String },
    /// States of which all, or one, hold at once. Each has two parts: what begins it, and what ends it.
    States(Box<States>),
}

/// States that are joined with `and` or `or`.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    pub terms: Vec<Term>,
    /// True: all have to hold; false: one is enough.
    pub all: bool,
    /// The candidate keys of the inventory, sorted, if the condition may be true for a key that no active state has. `None`:
    /// only the keys of active states.
    pub known: Option<Vec<Vec<String>>>,
}

impl States {
    /// True when the condition holds while no state is active.
    pub fn at_rest(&self) -> bool {
        if self.all { self.terms.iter().all(|t| t.negated) } else { self.terms.iter().any(|t| t.negated) }
    }
}

/// One of several states that are joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The state that must hold, or, if negated, must not hold.
    pub what: StateHolds,
    /// True for `not`.
    pub negated: bool,
    /// True: the state holds for some values of the keys. False: it holds or does not hold for all of them.
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
    /// For one of these hosts or applications; if the list is empty, for any that has the state.
    Any(MemberState, Vec<String>),
    /// For a number of members of a group.
    Members(Counted),
}

/// A count of members of groups in a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub state: MemberState,
    /// The field of an event that names the member.
    pub field: &'static str,
    /// The quantity as the rule writes it: two different quantities are not equal, even if no member exists.
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
    /// This alarm is active, and nobody has acknowledged it.
    Unacked(String),
}

/// A group that a condition is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// The key: the pair or site; empty for a named group.
    pub key: Vec<String>,
    /// The names of its members, sorted.
    pub members: Vec<String>,
    /// The number of members that have to be in the state.
    pub n: usize,
}

impl Members {
    /// The index of a member in the group.
    pub fn place(&self, member: &str) -> Option<usize> {
        self.members.binary_search_by(|m| m.as_str().cmp(member)).ok()
    }

    /// True when the group has this member.
    pub fn has(&self, member: &str) -> bool {
        self.place(member).is_some()
    }
}

/// How the time of a silence grows: each occurrence waits `factor` times longer than the one before, up to `up_to` times the
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as said")]
pub struct Backoff {
    pub factor: u32,
    pub up_to: u32,
}

/// A measure of events over a window, and its comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    pub what: Aggregate,
    /// The measured field; `None` for a count and a rate.
    pub field: Option<String>,
    /// The comparison that has to be true.
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
    /// The newest value of a metric.
    Last,
}

/// A comparison with a number, and for how long it must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// How it is compared.
    pub comparison: Comparison,
    /// The number on the right side; durations in seconds, sizes in bytes.
    pub amount: f64,
    /// How long it must hold without a break.
    pub lasts: Option<Duration>,
}

/// What clears an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancel {
    /// A time after it was last refreshed, or after it was raised.
    After {
        span: Duration,
        /// `since raise`: repeats do not prolong it.
        since_raise: bool,
    },
    /// An event that matches one of these atoms with the same key. The `by` of the detect applies.
    When(Vec<AtomId>),
    /// The measure of the `detect` compares in this way.
    Falls(Threshold),
    /// A measure of its own is true.
    Measured {
        /// The atoms of the events that it measures.
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

/// The expression of an argument. There are no others.
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

/// A named binding of a script to parameters, time-out and retries.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    pub name: String,
    /// The script's file name within the script folder: `vip_down.rhai`.
    pub script: String,
    pub with: Vec<(String, Value<'static>)>,
    /// The time limit of one attempt of a step; waiting does not count.
    pub timeout: Duration,
    /// The number of retries of a failed step, and the time between them.
    pub retry: Option<(u32, Duration)>,
    /// The trust that an event requires for its runs to change anything outside of Pointsman.
    pub requires: Trust,
}

/// The default trust that an event requires for its runs to change anything outside of Pointsman.
pub const EFFECTS_REQUIRE: Trust = Trust::Address;
