//! The rule language: files `*.alarm` to a [`program::Program`], and events to the atoms that they meet.
//!
//! ```text
//!   text --parse--> tree --compile (names, types, contradictions)--> program --Matcher--> which atoms does this event meet?
//!              \_____________ diagnostics: all of them, each with its place ____________/
//! ```
//!
//! The grammar in `grammar/` is normative. What an alarm makes of atoms that met is the engine's affair. Does not know:
//! time, state. Tests: `tests/it/lang.rs` with `tests/lang/`, and the grammar's own sentences.

mod ast;
pub mod calendar;
mod compile;
pub mod expression;
pub mod format;
mod matcher;
mod parse;
pub mod program;
pub mod shape;

pub use compile::{Declarations, compile, fields_set};
pub use matcher::{Clause, ClauseCount, ClauseType, Lookup, Matcher, matches, plan, why_always};
