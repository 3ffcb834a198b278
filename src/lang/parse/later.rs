//! What the language has and this version does not: named when it is met, so that nobody searches for a misspelling.

/// Words that begin a clause of a later version, and what they bring.
pub(super) const CLAUSES: &[(&str, &str)] = &[("set", "`set` (a field of its own in a pattern)")];

/// Words within a `detect` of a later version, and what they bring.
pub(super) const DETECTIONS: &[(&str, &str)] = &[
    ("unless", "`unless` after anything but a count"),
    ("for", "`for` (a state or a silence that lasts)"),
    ("over", "`over` (a measure over a window)"),
    ("slack", "`slack`"),
    ("backoff", "`backoff`"),
    ("no", "`no` (silence)"),
    ("not", "`not` (a state that is not)"),
    ("alarm", "`alarm` in a `detect` (alarms that compose)"),
    ("host", "`host ... lost` (what agents report)"),
    ("app", "`app ... stopped` (what agents report)"),
    ("metric", "`metric` (what agents report)"),
    ("calendar", "`calendar`"),
    ("count", "`count` (a measure)"),
    ("rate", "`rate` (a measure)"),
    ("sum", "`sum` (a measure)"),
    ("avg", "`avg` (a measure)"),
    ("min", "`min` (a measure)"),
];

/// Every such word, so that skipped text is not taken for names.
pub(super) const WORDS: &[&str] = &[
    "hold",
    "limit",
    "inhibited",
    "only",
    "set",
    "then",
    "without",
    "unless",
    "within",
    "for",
    "over",
    "slack",
    "backoff",
    "metric",
    "calendar",
    "count",
    "rate",
    "sum",
    "avg",
    "min",
    "max",
    "active",
    "lost",
    "stopped",
    "raised",
    "cleared",
    "per",
    "up",
    "to",
    "during",
    "any",
    "all",
];

pub(super) fn clause(word: &str) -> Option<&'static str> {
    CLAUSES.iter().find(|(w, _)| *w == word).map(|(_, what)| *what)
}

pub(super) fn detection(word: &str) -> Option<&'static str> {
    DETECTIONS.iter().find(|(w, _)| *w == word).map(|(_, what)| *what)
}
