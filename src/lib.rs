//! Pointsman reads what servers write in their logs and moves addresses to the host that should have them.
//!
//! Four floors: [`core`] decides and is pure, [`shell`] touches the world, [`cli`] has one file for each command, [`demo`] shows
//! a failover on one machine. `ARCHITECTURE.md` has the picture, the layer table and the invariants. Read the core in this order:
//! [`core::event`], [`core::lang`], [`core::engine`], [`core::script`], [`core::plan`], [`core::agent`], [`core::control`],
//! [`core::sim`].

pub mod cli;
pub mod core;
pub mod demo;
pub mod shell;
