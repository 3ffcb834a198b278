//! What the house does as a whole, seen from outside: one file for each area.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calendars;
mod cli;
mod config;
mod control;
mod decode;
mod engine;
mod evaluator;
mod format;
mod grammar;
mod lang;
mod limits;
mod packs;
mod reload;
mod runs;
mod script;
mod sec;
mod sim;
mod sources;
mod store;
mod support;
mod tidy;
mod tls;
