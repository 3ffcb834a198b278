//! The tree of one rule file, as the parser leaves it: names are text, nothing is resolved, every node has its bytes.
//!
//! Two trees are equal when they say the same: places do not count.
//!
//! What could not be read is not in the tree; it has a diagnostic instead. [`Later`](ClauseKind::Later) stands for what
//! the language has and this version does not, so that the checker does not complain twice.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Place, Source};
use crate::lang::program::{Backoff, Comparison, IdPattern, Shape, Threshold};

/// Bytes of the file.
pub(crate) type Span = Range<usize>;

/// A thing with its place.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) it: T,
    pub(crate) span: Span,
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &At<T>) -> bool {
        self.it == other.it
    }
}

/// A name or a text with its place; of a string, what stands between the quotes, escapes resolved.
pub(crate) type Word = At<String>;

/// One rule file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) source: Arc<Source>,
    pub(crate) items: Vec<Item>,
    /// Names that stand in parts which this version does not have; they count as used.
    pub(crate) mentions: Vec<String>,
}

impl File {
    pub(crate) fn place(&self, span: &Span) -> Place {
        Place { source: self.source.clone(), bytes: span.clone() }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Item {
    Alarm(Alarm),
    Defaults(Vec<Clause>),
    Pattern(Pattern),
    /// A pattern whose events no rule sees.
    Ignore(Pattern),
    Piece(Piece),
    List(List),
    Reaction(Reaction),
    Calendar(Calendar),
}

/// A part of expressions with a name: `piece prefix /.../`, used as `${prefix}` and `(?<field:prefix>)`.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) name: Word,
    pub(crate) regex: Regex,
}

/// Values with a name: `list admins [10.0.0.0/8, "bastion"]`, used as `peer in admins`.
#[derive(Debug, PartialEq)]
pub(crate) struct List {
    pub(crate) name: Word,
    pub(crate) elements: Vec<Element>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) name: Word,
    pub(crate) clauses: Vec<Clause>,
}

/// A clause of an alarm or of `defaults`; the span is that of its first words.
pub(crate) type Clause = At<ClauseKind>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClauseKind {
    Category(Word),
    Summary(Word),
    /// `on cancel summary`.
    EndSummary(Word),
    Help(Word),
    Detect(Detect),
    Cancel(Way),
    React(Vec<Chain>),
    OnCancel(Vec<Chain>),
    WhileActive(Word),
    Mode(Word, Option<Duration>),
    MaxAge(Duration),
    Hold(Duration),
    Limit {
        n: At<usize>,
        per: Duration,
        by: Vec<Word>,
    },
    InhibitedBy(Vec<Word>),
    OnlyWhile {
        alarm: Word,
        active: bool,
    },
    MaxKeys(At<usize>),
    Keep(At<usize>),
    OnlyDuring(Vec<Word>),
    NotDuring(Vec<Word>),
    /// A clause, named, that could not be read or is of a later version; its diagnostic was given.
    Later(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Way {
    After {
        span: Duration,
        since_raise: bool,
    },
    When {
        choice: Choice,
        keys: Keys,
    },
    /// `when < 300 for 5m`: of the measure of the `detect`.
    Falls(Threshold),
    /// `when count of A over 10m <= 2`.
    Measured(Box<Detect>),
    /// `when A without B within 2m`: with a condition of several events, or one that lasts.
    Comes(Box<Detect>),
    AtOnce,
    ByHand,
}

/// `A then B unless C by K within D`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detect {
    pub(crate) parts: Vec<Choice>,
    pub(crate) shape: Shape,
    pub(crate) unless: Option<Choice>,
    pub(crate) tail: Tail,
}

/// What stands at the end of a condition.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Tail {
    pub(crate) keys: Keys,
    pub(crate) time: Option<At<Time>>,
}

/// `by host, user = A.user, B.login`.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Keys {
    pub(crate) by: Vec<Word>,
    pub(crate) renames: Vec<Rename>,
}

/// What an operand calls a key, `B.login`, or what all of them call it: `peer as host`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rename {
    pub(crate) key: String,
    pub(crate) of: Word,
    pub(crate) every: bool,
}

/// A condition's time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Time {
    /// `within D`.
    Within(Duration, Option<Duration>),
    /// `for D backoff 2x up to 4x`.
    For(Duration, Option<Backoff>),
    /// `over D > 500 for D`.
    Over(Duration, Threshold),
}

/// Atoms of which one must be met, and a condition on all of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) atoms: Vec<Atom>,
    pub(crate) condition: Option<Predicate>,
}

#[derive(Clone, Debug)]
pub(crate) enum Atom {
    Named(Word),
    Event(At<Event>),
    /// `alarm X raised`.
    Alarm {
        name: Word,
        change: Change,
        on: Option<At<Members>>,
    },
    /// `host h1, h2 lost`.
    Host {
        names: Vec<Word>,
        /// `host in routers`.
        group: Option<Word>,
        change: Change,
        on: Option<At<Members>>,
        span: Span,
    },
    /// `app a, b stopped`.
    App {
        names: Vec<Word>,
        group: Option<Word>,
        change: Change,
        on: Option<At<Members>>,
        span: Span,
    },
    /// `metric disk_used(mount = "/var")`; what it is compared with is the measure's.
    Metric {
        name: Word,
        of: Vec<Binding>,
        span: Span,
    },
    /// `calendar X begins`.
    Calendar {
        name: Word,
        change: Change,
    },
    /// `claim primary`: a member of a pair says which role it has.
    Claim {
        primary: bool,
        span: Span,
    },
    /// `not alarm X active`.
    Not {
        state: Box<Atom>,
        span: Span,
    },
    Group(Box<Choice>),
}

impl PartialEq for Atom {
    fn eq(&self, other: &Atom) -> bool {
        match (self, other) {
            (Atom::Named(a), Atom::Named(b)) => a == b,
            (Atom::Event(a), Atom::Event(b)) => a == b,
            (Atom::Alarm { name: a, change: x, on: p }, Atom::Alarm { name: b, change: y, on: q }) => (a, x, p) == (b, y, q),
            (Atom::Calendar { name: a, change: x }, Atom::Calendar { name: b, change: y }) => (a, x) == (b, y),
            (
                Atom::Host { names: a, group: g, change: x, on: p, .. },
                Atom::Host { names: b, group: h, change: y, on: q, .. },
            )
            | (Atom::App { names: a, group: g, change: x, on: p, .. }, Atom::App { names: b, group: h, change: y, on: q, .. }) => {
                (a, g, x, p) == (b, h, y, q)
            }
            (Atom::Metric { name: a, of: x, .. }, Atom::Metric { name: b, of: y, .. }) => (a, x) == (b, y),
            (Atom::Claim { primary: a, .. }, Atom::Claim { primary: b, .. }) => a == b,
            (Atom::Not { state: a, .. }, Atom::Not { state: b, .. }) => a == b,
            (Atom::Group(a), Atom::Group(b)) => a == b,
            _ => false,
        }
    }
}

impl Atom {
    /// Where it stands, or at least its name.
    pub(crate) fn span(&self) -> Span {
        match self {
            Atom::Named(name) | Atom::Alarm { name, .. } | Atom::Calendar { name, .. } => name.span.clone(),
            Atom::Event(event) => event.span.clone(),
            Atom::Host { span, .. }
            | Atom::App { span, .. }
            | Atom::Metric { span, .. }
            | Atom::Claim { span, .. }
            | Atom::Not { span, .. } => span.clone(),
            Atom::Group(inner) => inner.atoms.first().map_or(0..0, Atom::span),
        }
    }
}

/// `on all but 1 of GROUP`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Members {
    pub(crate) quantity: Quantity,
    pub(crate) of: Word,
}

/// How many members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Any,
    All,
    AllBut(usize),
    Some(usize),
}

/// What became of something that has a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// `raised`, `begins`.
    Began,
    /// `cleared`, `back`, `running`, `ends`.
    Ended,
    /// `active`, `lost`, `stopped`: it began, and while it lasts.
    Lasts,
    /// `unacked`: it began, and while it lasts and nobody took it on.
    Unacked,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) ids: Vec<At<IdPattern>>,
    pub(crate) from: Option<At<From>>,
}

/// Where events come from: from one of these, and on one of these hosts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct From {
    pub(crate) whom: Whom,
    pub(crate) on: Vec<Word>,
}

/// Whose events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Whom {
    Any,
    Apps(Vec<Word>),
    Types(Vec<Word>),
    Hosts(Vec<Word>),
    Groups(Vec<Word>),
    Sites(Vec<Word>),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) name: Word,
    pub(crate) clauses: Vec<At<PatternClause>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum PatternClause {
    From(From),
    Match { field: Option<Word>, regex: Regex },
    Where(Predicate),
    Set(Word, Operand),
    Detect(Box<Detect>),
    Sample(Sample),
    Later,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) meets: bool,
    pub(crate) fields: Vec<Binding>,
    pub(crate) record: String,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Reaction {
    pub(crate) name: Word,
    pub(crate) clauses: Vec<At<ReactionClause>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum ReactionClause {
    Script(Word),
    With(Vec<Binding>),
    Timeout(Duration),
    Retry(u32, Duration),
    /// It could not be read; its diagnostic was given.
    Later,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Calendar {
    pub(crate) name: Word,
    pub(crate) clauses: Vec<At<CalendarClause>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum CalendarClause {
    Zone(Word),
    Every(Vec<Days>, Option<At<Hours>>),
    On {
        first: Word,
        last: Option<Word>,
        hours: Option<At<Hours>>,
    },
    /// A cron expression, and how long each of its times lasts.
    Cron(Word, Option<At<Duration>>),
    Except(Vec<Word>),
    /// It could not be read; its diagnostic was given.
    Later,
}

/// A day of the week, or several in a row, as written.
#[derive(Debug, PartialEq)]
pub(crate) struct Days {
    pub(crate) first: Word,
    pub(crate) last: Option<Word>,
}

/// Hours of a day, as written.
#[derive(Debug, PartialEq)]
pub(crate) enum Hours {
    FromTo(Word, Word),
    At(Word),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding {
    pub(crate) name: Word,
    pub(crate) value: Expression,
}

/// `a(x) then b`.
pub(crate) type Chain = Vec<Call>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: Word,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<Word>,
    pub(crate) value: Expression,
}

pub(crate) type Expression = At<ExpressionKind>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExpressionKind {
    Literal(LiteralKind),
    List(Vec<Element>),
    Field(String),
    PairOf(Word),
    HostOf(Word),
}

/// A literal, as written: what it is compared with decides what it means.
pub(crate) type Literal = At<LiteralKind>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiteralKind {
    Bool(bool),
    Text(String),
    Int(i64),
    Float(f64),
    /// An unquoted IPv4 address, event id or duration.
    Address(String),
    Id(String),
    Duration(String),
    /// `10MB`.
    Size(String),
    /// `90%`.
    Percent(String),
}

/// In a list: a literal or a bare word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Element {
    Network(Word),
    Literal(Literal),
    Bare(Word),
}

impl Element {
    /// Where it stands.
    pub(crate) fn span(&self) -> &Span {
        match self {
            Element::Literal(literal) => &literal.span,
            Element::Network(word) | Element::Bare(word) => &word.span,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Predicate {
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    Test { field: Word, relation: At<Relation> },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Relation {
    Compare(Comparison, Operand),
    Regex {
        regex: Regex,
        negated: bool,
    },
    Contains(Word),
    StartsWith(Word),
    EndsWith(Word),
    InList(Vec<Element>),
    InNetwork(Word),
    /// In a list of the rules, or a group of the inventory.
    InNamed(Word),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Literal(Literal),
    Bare(Word),
}

/// A regular expression: one or more literals side by side, read as one.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    /// What stands between the delimiters, with its place.
    pub(crate) pieces: Vec<Word>,
    /// `i`: letter case does not count.
    pub(crate) ignore_case: bool,
    /// `s`: `.` also meets a line feed.
    pub(crate) dot_all: bool,
    /// All of it, delimiters and flags included.
    pub(crate) span: Span,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        (&self.pieces, self.ignore_case, self.dot_all) == (&other.pieces, other.ignore_case, other.dot_all)
    }
}
