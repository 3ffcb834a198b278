//! What decides: pure functions of time and inputs. No file, socket, clock, thread, randomness or hash order.
//!
//! `clippy.toml` refuses the types and functions that touch the world; only [`crate::shell`], the command line and the demo may use them.

pub mod agent;
pub mod base;
pub mod config;
pub mod control;
pub mod decode;
pub mod diag;
pub mod editor;
pub mod engine;
pub mod event;
pub mod explain;
pub mod inventory;
pub mod journal;
pub mod lang;
pub mod metrics;
pub mod notice;
pub mod notifications;
pub mod overrides;
pub mod plan;
pub mod react;
pub mod replay;
pub mod script;
pub mod sim;
pub mod site;
pub mod vote;
pub mod wire;
pub mod yaml;
