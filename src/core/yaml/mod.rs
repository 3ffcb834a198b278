//! YAML files, read into a tree with places: configurations and rule tests.
//!
//! Every mistake is reported at once, each with its line and column. Unknown keys and words are reported with the nearest valid
//! one. The keys that a map may have are declared once ([`KeySet`]). This module does not know what the keys mean. Tests:
//! `tests/it/config.rs`, `tests/it/cli.rs`.

mod keys;
mod read;
mod schema;
mod tree;

pub(crate) use keys::key;
pub use keys::{KeyDecl, KeySet, REQUIRED, ValueForm};
pub(crate) use read::{Section, YamlReader, parse_address};
pub use schema::{schema, table};
pub(crate) use tree::{YamlKey, YamlKind, YamlNode, parse};

use std::sync::Arc;

use crate::core::diag::{Code, Diagnostic, Source, has_errors};

/// Reads a file by a function that walks its tree; `None` if the result must not be used. `help` says what to do about an empty
/// file.
pub(crate) fn load<T>(
    source: &Arc<Source>,
    help: &str,
    walk: impl FnOnce(&YamlNode, &mut Vec<Diagnostic>) -> T,
) -> (Option<T>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let tree = parse(source, &mut found);
    // A file without any content is a mistake, and must be reported.
    if tree.is_none() && !has_errors(&found) {
        found.push(Diagnostic::whole(Code::WrongKind, format!("{} says nothing", source.name)).help(help));
    }
    let read = tree.map(|root| walk(&root, &mut found));
    found.sort_by_key(|d| d.place.as_ref().map(|p| p.bytes.start));
    found.dedup();
    let good = !has_errors(&found);
    (read.filter(|_| good), found)
}
