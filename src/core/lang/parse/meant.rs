//! Help for users of other languages: words that are not valid here, and what to write instead.

/// Words that look like a clause, and what to write instead.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &["text", "contains", "host", "app", "type", "level", "matches", "like", "msg"],
        "write what an event must be like after `where`: event where text contains \"link down\"",
    ),
    (&["severity", "priority", "urgency"], "the severity of an alarm is its `category`: critical, major, minor, none"),
    (
        &["notify", "action", "exec", "execute", "command", "run", "script", "mail", "then_run", "do"],
        "an alarm starts reactions, and their scripts do that: react NAME; in the script notify(\"noc\", alarm.summary)",
    ),
    (
        &["description", "message", "title", "subject", "desc"],
        "write the text for people as `summary \"{host}: ...\"`, and what to do as `help \"...\"`",
    ),
    (&["if", "condition", "expr", "trigger", "on_event", "query"], "write what raises an alarm as `detect ...`"),
    (
        &["clear", "reset", "until", "resolve", "timeout", "expire"],
        "write what ends an alarm as `cancel after 1h`, `cancel when ...`, `cancel at once` or `cancel by hand`",
    ),
    (
        &["match", "regex", "regexp", "re", "expression"],
        "write an expression in a pattern, `pattern NAME { match /.../ }`, or in a test: event where text ~ /.../",
    ),
    (&["during"], "times come from a calendar: `only during NAME`, `not during NAME`"),
    (&["every", "throttle", "repeat"], "to limit how often reactions start, write `limit 1 per 5m`; a silence is `no A for 5m`"),
    (
        &["group", "groupby", "group_by", "per", "key"],
        "for one instance for each value of a field, write `by host` at the end of the condition",
    ),
    (
        &["before", "after", "preceded"],
        "an order is `A then B within 5m`; if B must not come before A, write `A not preceded by B within 5m`",
    ),
    (&["as"], "rename a key after `by`: by peer as host"),
];

/// What to write instead of a word that no block has.
pub(super) fn instead(word: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| *help)
}
