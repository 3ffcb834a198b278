//! The key of an alarm as people see it.

use crate::core::base::text::printable_short;
use crate::core::engine::TracedDecision;

/// Maximum characters of a key that are shown.
const KEY: usize = 60;

/// The key of a decision, as [`in_brackets`] shows it.
pub(super) fn key_of(decision: &TracedDecision, before: &str) -> String {
    decision.key.as_ref().map(|key| in_brackets(&key.to_string(), before)).unwrap_or_default()
}

/// A key as people see it, `[eth0]`, with something before it; empty if the key is empty.
pub(super) fn in_brackets(key: &str, before: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{before}[{}]", printable_short(key, KEY)) }
}
