//! Pointsman hears what servers write in their logs and moves addresses to the host that should have them.
//!
//! `ARCHITECTURE.md` has the picture, the layer table and the invariants. Read in this order: [`event`], [`lang::program`],
//! `engine`, [`script`], `plan`, `agent`, `control`, `sim`.

pub mod agent;
pub mod base;
pub mod budget;
pub mod cli;
pub mod command;
pub mod config;
pub mod control;
pub mod decode;
pub mod demo;
pub mod diag;
pub mod handshakes;
pub mod engine;
pub mod event;
pub mod inventory;
pub mod journal;
pub mod lang;
pub mod linux;
pub mod live;
pub mod plan;
pub mod react;
pub mod replay;
pub mod script;
pub mod sim;
pub mod site;
pub mod sources;
pub mod store;
pub mod tls;
pub mod vote;
pub mod wire;
