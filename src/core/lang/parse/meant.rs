//! Help for users of other languages: words that are not valid here, and what to write instead.

/// Words that look like a clause, and what to write instead.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &["text", "contains", "host", "app", "type", "level", "matches", "like", "msg"],
        "what an event must be like stands behind `where`: event where text contains \"link down\"",
    ),
    (&["severity", "priority", "urgency"], "how grave an alarm is, is its `category`: critical, major, minor, none"),
    (
        &["notify", "action", "exec", "execute", "command", "run", "script", "mail", "then_run", "do"],
        "an alarm starts reactions, whose scripts do that: react NAME; in the script notify(\"noc\", alarm.summary)",
    ),
    (
        &["description", "message", "title", "subject", "desc"],
        "the text for people is `summary \"{host}: ...\"`; what to do is `help \"...\"`",
    ),
    (&["if", "condition", "expr", "trigger", "on_event", "query"], "what raises an alarm is `detect ...`"),
    (
        &["clear", "reset", "until", "resolve", "timeout", "expire"],
        "what ends an alarm is `cancel after 1h`, `cancel when ...`, `cancel at once` or `cancel by hand`",
    ),
    (
        &["match", "regex", "regexp", "re", "expression"],
        "an expression stands in a pattern, `pattern NAME { match /.../ }`, or in a test: event where text ~ /.../",
    ),
    (&["during"], "times are those of a calendar: `only during NAME`, `not during NAME`"),
    (&["every", "throttle", "repeat"], "how often reactions start is `limit 1 per 5m`; a silence is `no A for 5m`"),
    (
        &["group", "groupby", "group_by", "per", "key"],
        "one instance for each value of a field is `by host`, at the end of the condition",
    ),
    (
        &["before", "after", "preceded"],
        "an order is `A then B within 5m`; what must not have come before is `A not preceded by B within 5m`",
    ),
    (&["as"], "a key is renamed behind `by`: by peer as host"),
];

/// What to write instead of a word that no block has.
pub(super) fn instead(word: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| *help)
}
