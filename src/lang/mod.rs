//! The rule language: files `*.alarm` to a [`program::Program`], and events to the atoms that they meet.
//!
//! Stages stay apart: parse, resolve, check, program. The grammar in `grammar/` is normative.

pub mod program;
