//! The configuration (`pointsman.yaml`): where rules and scripts are, and the inventory, read and checked.
//!
//! ```text
//!   text --yaml--> tree with places --sections--> inventory --policy--> can each resource be moved as it asks?
//! ```
//!
//! Everything that is wrong is reported at once, each with its line and column; unknown, duplicate and dangling names with
//! the near miss. Does not know: files, rules, scripts. Tests: `tests/it/config.rs` with `tests/config/`.

mod policy;
mod read;
mod sections;
mod yaml;

use std::path::PathBuf;
use std::sync::Arc;

use crate::diag::{Diagnostic, Source, has_errors};
use crate::inventory::Inventory;

/// A configuration, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Machines, programs, pairs, resources, channels.
    pub inventory: Inventory,
    /// Rule files and folders, relative to the configuration's own folder; `rules` unless said.
    pub rules: Vec<PathBuf>,
    /// The folder of scripts, relative to the configuration's own folder; `scripts`, where that is, unless said.
    pub scripts: Option<PathBuf>,
}

/// Reads a configuration; `None` when it must not be used. What is wrong or unwise is in the diagnostics.
pub fn load(source: &Arc<Source>) -> (Option<Config>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let config = yaml::parse(source, &mut found).map(|root| sections::config(source, &root, &mut found));
    found.sort_by_key(|d| d.place.as_ref().map(|p| p.bytes.start));
    found.dedup();
    let good = !has_errors(&found);
    (config.filter(|_| good), found)
}
