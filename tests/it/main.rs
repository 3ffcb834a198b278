//! Tests of the whole program from outside: one file for each area.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calendars;
mod cli;
mod commands;
mod config;
mod control;
mod copies;
mod damage;
mod decode;
mod docs;
mod doubt;
mod editor;
mod engine;
mod evaluator;
mod explain;
mod failover;
mod followed;
mod format;
mod formats;
mod grammar;
mod highlight;
mod lang;
mod limits;
mod lsp;
mod metrics;
mod notifications;
mod packs;
mod peers;
mod promises;
mod reference;
mod rehearse;
mod reload;
mod rotation_storm;
mod runs;
mod script;
mod sec;
mod sim;
mod sources;
mod sql_views;
mod store;
mod support;
mod tidy;
mod tls;
mod vote_model;
