//! The rule language: compiles files `*.alarm` to a [`program::Program`], and finds the atoms that events match.
//!
//! ```text
//!   text --parse--> tree --compile (names, types, contradictions)--> program --Matcher--> which atoms does this event match?
//!              \_____________ diagnostics: all of them, each with its place ____________/
//! ```
//!
//! The grammar in `grammar/` is normative. What an alarm does with its matches is the task of the engine. This module does
//! not know time or state. Tests: `tests/it/lang.rs` with `tests/lang/`, and the grammar's own sentences.

mod ast;
pub mod calendar;
mod compile;
pub mod expression;
pub mod format;
pub mod grammar;
mod matcher;
pub mod names;
mod parse;
pub mod program;
pub mod shape;

pub use compile::{Declarations, compile, fields_set};
pub use matcher::{Clause, ClauseCount, ClauseType, Lookup, Matcher, matches, plan, why_always};
