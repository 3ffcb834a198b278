//! The syntax tree of one rule file, as the parser makes it: names are text, nothing is resolved, every node has its span of
//! bytes.
//!
//! Two trees are equal when their contents are equal: spans do not count.
//!
//! What could not be read is not in the tree and has a diagnostic instead. [`Later`](ClauseKind::Later) stands for what the
//! language has and this version does not, so that the checker does not complain twice.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::core::diag::{Place, Source};
use crate::core::lang::program::{Backoff, Comparison, IdPattern, Shape, Threshold};

/// A range of bytes in the file.
pub(crate) type TextSpan = Range<usize>;

/// A node with its span.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) it: T,
    pub(crate) span: TextSpan,
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &At<T>) -> bool {
        self.it == other.it
    }
}

/// A name or a text with its span. A string is without its quotes, and escapes are resolved.
pub(crate) type Text = At<String>;

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) source: Arc<Source>,
    pub(crate) items: Vec<Item>,
    /// Names in parts that this version does not have; they count as used.
    pub(crate) mentions: Vec<String>,
}

impl File {
    pub(crate) fn place(&self, span: &TextSpan) -> Place {
        Place { source: self.source.clone(), bytes: span.clone() }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Item {
    Alarm(AlarmSyntax),
    Defaults(Vec<ClauseSyntax>),
    Pattern(Pattern),
    /// A pattern whose events no rule receives.
    Ignore(Pattern),
    Piece(Piece),
    List(List),
    Reaction(ReactionSyntax),
    Calendar(CalendarSyntax),
}

/// A named part of expressions: `piece prefix /.../`, used as `${prefix}` and `(?<field:prefix>)`.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) name: Text,
    pub(crate) regex: Regex,
}

/// A named list of values: `list admins [10.0.0.0/8, "bastion"]`, used as `peer in admins`.
#[derive(Debug, PartialEq)]
pub(crate) struct List {
    pub(crate) name: Text,
    pub(crate) elements: Vec<Element>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct AlarmSyntax {
    pub(crate) name: Text,
    pub(crate) clauses: Vec<ClauseSyntax>,
}

/// A clause of an alarm or of `defaults`; the span is that of its first words.
pub(crate) type ClauseSyntax = At<ClauseKind>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClauseKind {
    Category(Text),
    Summary(Text),
    /// `on cancel summary`.
    EndSummary(Text),
    Help(Text),
    Detect(Detect),
    Cancel(CancelSyntax),
    React(Vec<Chain>),
    OnCancel(Vec<Chain>),
    WhileActive(Text),
    Mode(Text, Option<Duration>),
    MaxAge(Duration),
    Hold(Duration),
    Limit {
        n: At<usize>,
        per: Duration,
        by: Vec<Text>,
    },
    InhibitedBy(Vec<Text>),
    OnlyWhile {
        alarm: Text,
        active: bool,
    },
    MaxKeys(At<usize>),
    Keep(At<usize>),
    OnlyDuring(Vec<Text>),
    NotDuring(Vec<Text>),
    /// A clause with this name that could not be read or belongs to a later version; its diagnostic exists already.
    Later(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CancelSyntax {
    After {
        span: Duration,
        since_raise: bool,
    },
    When {
        choice: Choice,
        keys: Keys,
    },
    /// `when < 300 for 5m`: compares the measure of the `detect`.
    Falls(Threshold),
    /// `when count of A over 10m <= 2`.
    Measured(Box<Detect>),
    /// `when A without B within 2m`: a condition of several events, or one that lasts.
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

/// The end of a condition.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Tail {
    pub(crate) keys: Keys,
    pub(crate) time: Option<At<TimeClause>>,
}

/// `by host, user = A.user, B.login`.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Keys {
    pub(crate) by: Vec<Text>,
    pub(crate) renames: Vec<Rename>,
}

/// The name of a key in an operand, `B.login`, or in all of them: `peer as host`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rename {
    pub(crate) key: String,
    pub(crate) of: Text,
    pub(crate) every: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TimeClause {
    /// `within D`.
    Within(Duration, Option<Duration>),
    /// `for D backoff 2x up to 4x`.
    For(Duration, Option<Backoff>),
    /// `over D > 500 for D`.
    Over(Duration, Threshold),
}

/// Atoms of which one must match, and a condition on all of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) atoms: Vec<AtomSyntax>,
    pub(crate) condition: Option<PredicateSyntax>,
}

#[derive(Clone, Debug)]
pub(crate) enum AtomSyntax {
    Named(Text),
    Event(At<EventSyntax>),
    /// `alarm X raised`.
    Alarm {
        name: Text,
        change: ChangeSyntax,
        on: Option<At<MembersSyntax>>,
    },
    /// `host h1, h2 lost`.
    Host {
        names: Vec<Text>,
        /// `host in routers`.
        group: Option<Text>,
        change: ChangeSyntax,
        on: Option<At<MembersSyntax>>,
        span: TextSpan,
    },
    /// `app a, b stopped`.
    App {
        names: Vec<Text>,
        group: Option<Text>,
        change: ChangeSyntax,
        on: Option<At<MembersSyntax>>,
        span: TextSpan,
    },
    /// `metric disk_used(mount = "/var")`; the measure has the comparison.
    Metric {
        name: Text,
        of: Vec<Binding>,
        span: TextSpan,
    },
    /// `calendar X begins`.
    Calendar {
        name: Text,
        change: ChangeSyntax,
    },
    /// `claim primary`: a member of a pair claims this role.
    Claim {
        primary: bool,
        span: TextSpan,
    },
    /// `not alarm X active`.
    Not {
        state: Box<AtomSyntax>,
        span: TextSpan,
    },
    Group(Box<Choice>),
}

impl PartialEq for AtomSyntax {
    fn eq(&self, other: &AtomSyntax) -> bool {
        match (self, other) {
            (AtomSyntax::Named(a), AtomSyntax::Named(b)) => a == b,
            (AtomSyntax::Event(a), AtomSyntax::Event(b)) => a == b,
            (AtomSyntax::Alarm { name: a, change: x, on: p }, AtomSyntax::Alarm { name: b, change: y, on: q }) => {
                (a, x, p) == (b, y, q)
            }
            (AtomSyntax::Calendar { name: a, change: x }, AtomSyntax::Calendar { name: b, change: y }) => (a, x) == (b, y),
            (
                AtomSyntax::Host { names: a, group: g, change: x, on: p, .. },
                AtomSyntax::Host { names: b, group: h, change: y, on: q, .. },
            )
            | (
                AtomSyntax::App { names: a, group: g, change: x, on: p, .. },
                AtomSyntax::App { names: b, group: h, change: y, on: q, .. },
            ) => (a, g, x, p) == (b, h, y, q),
            (AtomSyntax::Metric { name: a, of: x, .. }, AtomSyntax::Metric { name: b, of: y, .. }) => (a, x) == (b, y),
            (AtomSyntax::Claim { primary: a, .. }, AtomSyntax::Claim { primary: b, .. }) => a == b,
            (AtomSyntax::Not { state: a, .. }, AtomSyntax::Not { state: b, .. }) => a == b,
            (AtomSyntax::Group(a), AtomSyntax::Group(b)) => a == b,
            _ => false,
        }
    }
}

impl AtomSyntax {
    /// The span of the atom, or at least of its name.
    pub(crate) fn span(&self) -> TextSpan {
        match self {
            AtomSyntax::Named(name) | AtomSyntax::Alarm { name, .. } | AtomSyntax::Calendar { name, .. } => name.span.clone(),
            AtomSyntax::Event(event) => event.span.clone(),
            AtomSyntax::Host { span, .. }
            | AtomSyntax::App { span, .. }
            | AtomSyntax::Metric { span, .. }
            | AtomSyntax::Claim { span, .. }
            | AtomSyntax::Not { span, .. } => span.clone(),
            AtomSyntax::Group(inner) => inner.atoms.first().map_or(0..0, AtomSyntax::span),
        }
    }
}

/// `on all but 1 of GROUP`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MembersSyntax {
    pub(crate) quantity: Quantity,
    pub(crate) of: Text,
}

/// How many members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Any,
    All,
    AllBut(usize),
    Some(usize),
}

/// A change of something that has a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeSyntax {
    /// `raised`, `begins`.
    Began,
    /// `cleared`, `back`, `running`, `ends`.
    Ended,
    /// `active`, `lost`, `stopped`: when it begins, and while it lasts.
    Lasts,
    /// `unacked`: when it begins, and while it lasts and nobody has acknowledged it.
    Unacked,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EventSyntax {
    pub(crate) ids: Vec<At<IdPattern>>,
    pub(crate) from: Option<At<From>>,
}

/// Where events come from: one of these senders, on one of these hosts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct From {
    pub(crate) whom: SenderSyntax,
    pub(crate) on: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SenderSyntax {
    Any,
    Apps(Vec<Text>),
    Types(Vec<Text>),
    Hosts(Vec<Text>),
    Groups(Vec<Text>),
    Sites(Vec<Text>),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) name: Text,
    pub(crate) clauses: Vec<At<PatternClause>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum PatternClause {
    From(From),
    Match { field: Option<Text>, regex: Regex },
    Where(PredicateSyntax),
    Set(Text, OperandSyntax),
    Detect(Box<Detect>),
    Sample(SampleSyntax),
    Later,
}

#[derive(Debug, PartialEq)]
pub(crate) struct SampleSyntax {
    pub(crate) matches: bool,
    pub(crate) fields: Vec<Binding>,
    pub(crate) record: String,
}

#[derive(Debug, PartialEq)]
pub(crate) struct ReactionSyntax {
    pub(crate) name: Text,
    pub(crate) clauses: Vec<At<ReactionClause>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum ReactionClause {
    Script(Text),
    With(Vec<Binding>),
    Timeout(Duration),
    Retry(u32, Duration),
    /// The trust that its effects require.
    Trust(Text),
    /// It could not be read; its diagnostic exists already.
    Later,
}

#[derive(Debug, PartialEq)]
pub(crate) struct CalendarSyntax {
    pub(crate) name: Text,
    pub(crate) clauses: Vec<At<CalendarClause>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum CalendarClause {
    Zone(Text),
    Every(Vec<Days>, Option<At<HoursSyntax>>),
    On {
        first: Text,
        last: Option<Text>,
        hours: Option<At<HoursSyntax>>,
    },
    /// A cron expression, and how long each of its times lasts.
    Cron(Text, Option<At<Duration>>),
    Except(Vec<Text>),
    /// It could not be read; its diagnostic exists already.
    Later,
}

/// A day of the week or a range of days, as written.
#[derive(Debug, PartialEq)]
pub(crate) struct Days {
    pub(crate) first: Text,
    pub(crate) last: Option<Text>,
}

/// Hours of a day, as written.
#[derive(Debug, PartialEq)]
pub(crate) enum HoursSyntax {
    FromTo(Text, Text),
    At(Text),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding {
    pub(crate) name: Text,
    pub(crate) value: ExpressionSyntax,
}

/// `a(x) then b`.
pub(crate) type Chain = Vec<CallSyntax>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CallSyntax {
    pub(crate) name: Text,
    pub(crate) arguments: Vec<ArgumentSyntax>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ArgumentSyntax {
    pub(crate) name: Option<Text>,
    pub(crate) value: ExpressionSyntax,
}

pub(crate) type ExpressionSyntax = At<ExpressionKind>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExpressionKind {
    Literal(LiteralKind),
    List(Vec<Element>),
    Field(String),
    PairOf(Text),
    HostOf(Text),
}

/// A literal, as written. The field that it is compared with decides its meaning.
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

/// An element of a list: a literal or a bare word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Element {
    Network(Text),
    Literal(Literal),
    Bare(Text),
}

impl Element {
    pub(crate) fn span(&self) -> &TextSpan {
        match self {
            Element::Literal(literal) => &literal.span,
            Element::Network(word) | Element::Bare(word) => &word.span,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PredicateSyntax {
    And(Vec<PredicateSyntax>),
    Or(Vec<PredicateSyntax>),
    Not(Box<PredicateSyntax>),
    Test { field: Text, relation: At<Relation> },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Relation {
    Compare(Comparison, OperandSyntax),
    Regex {
        regex: Regex,
        negated: bool,
    },
    Contains(Text),
    StartsWith(Text),
    EndsWith(Text),
    InList(Vec<Element>),
    InNetwork(Text),
    /// In a list of the rules, or in a group of the inventory.
    InNamed(Text),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OperandSyntax {
    Literal(Literal),
    Bare(Text),
}

/// A regular expression: one or more adjacent literals, read as one.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    /// The text between the delimiters, with its span.
    pub(crate) pieces: Vec<Text>,
    /// `i`: letter case does not count.
    pub(crate) ignore_case: bool,
    /// `s`: `.` also matches a line feed.
    pub(crate) dot_all: bool,
    /// The whole expression, delimiters and flags included.
    pub(crate) span: TextSpan,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        (&self.pieces, self.ignore_case, self.dot_all) == (&other.pieces, other.ignore_case, other.dot_all)
    }
}
