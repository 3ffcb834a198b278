//! Explanations: how a record was read, which conditions it matches or nearly matches, and why an alarm was raised or was
//! not.
//!
//! ```text
//!   record --decode--> RecordReading (fields, and their places)
//!          --Matcher::explain--> ConditionReport (each clause, what was wanted, what was seen)
//!          --DryRun with a trace--> decisions of the engine --> AlarmStory --> verdict: the cause in its first lines
//! ```
//!
//! Nothing is decided here. The decoder, the matcher and the engine that run in production report what they do
//! ([`crate::core::lang::Clause`], [`crate::core::engine::TracedDecision`]); this module selects and words it. So an
//! explanation cannot differ from what happens. Tests: `tests/it/explain.rs` with the planted mistakes of `tests/explain`.

mod condition;
mod journaled;
mod key;
mod reading;
mod show;
mod story;
mod tested;
mod verdict;

pub use condition::{ConditionReport, ConditionUse, conditions, literal_words, uses_of};
pub use journaled::{JournaledDecisions, RunStory, StoryLine};
pub use reading::{FieldReading, RecordReading, ZoneReason};
pub use show::{RecordStory, record_json, record_text, story_json, story_text};
pub use story::{AlarmStory, stories_of};
pub use tested::reason_of_test;
