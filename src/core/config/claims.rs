//! `says_primary` and `says_backup`: how the members of a pair claim their roles.
//!
//! `says_primary: 00-04563`, `says_primary: /role changed to MASTER/`, and lists of these, `{ id: WORD }`, `{ match: /.../ }` and
//! `{ pattern: NAME }`. Expressions and names of patterns are checked with the rules (`lang::compile`).

use crate::core::diag::Code;
use crate::core::event::EventId;
use crate::core::inventory::ClaimPattern;
use crate::core::yaml::{Section, YamlKind, YamlNode, YamlReader};

use super::keys;

const HELP: &str = "write an id (00-04563, \"%HA-6-ROLE\"), a text of the record (/role changed to MASTER/), { pattern: NAME } for a pattern of the rules, or { id: WORD } for an id that is one word";

/// How one role is claimed.
#[derive(Default)]
pub(super) struct Claims {
    pub(super) ids: Vec<EventId<'static>>,
    pub(super) patterns: Vec<ClaimPattern>,
}

/// Reads one of the two keys; `default` are the ids if it is absent.
pub(super) fn read(reader: &mut YamlReader<'_>, section: &Section<'_>, key: &str, default: &[&str]) -> Claims {
    let mut claims = Claims::default();
    let Some(node) = section.get(key) else {
        claims.ids = default.iter().filter_map(|id| EventId::parse(id)).map(EventId::into_owned).collect();
        return claims;
    };
    let items: Vec<&YamlNode> = match &node.kind {
        YamlKind::List(items) => items.iter().collect(),
        YamlKind::Text { .. } | YamlKind::Map(_) => vec![node],
    };
    if items.is_empty() {
        reader.report(Code::BadValue, &node.place, format!("`{key}` is an empty list, so no record would match")).help =
            Some(HELP.to_owned());
    }
    for item in items {
        one(reader, item, key, &mut claims);
    }
    claims
}

fn one(reader: &mut YamlReader<'_>, node: &YamlNode, key: &str, claims: &mut Claims) {
    if let YamlKind::Map(_) = node.kind {
        let Some(section) = reader.section(node, &format!("`{key}`"), &node.place.clone(), &keys::CLAIM) else { return };
        let before = claims.ids.len() + claims.patterns.len();
        if let Some(text) = section.get("id").and_then(|n| reader.text(n)) {
            claims.ids.extend(EventId::parse(text).map(EventId::into_owned));
        }
        if let Some(n) = section.get("match")
            && let Some(text) = reader.text(n)
        {
            claims.patterns.push(ClaimPattern::Match(as_expression(text)));
        }
        if let Some(name) = section.get("pattern").and_then(|n| reader.text(n)) {
            claims.patterns.push(ClaimPattern::Pattern(name.to_owned()));
        }
        if claims.ids.len() + claims.patterns.len() != before + 1 {
            reader
                .report(
                    Code::BadValue,
                    &node.place,
                    format!("an entry of `{key}` needs exactly one of `id`, `match` and `pattern`"),
                )
                .help = Some(HELP.to_owned());
        }
        return;
    }
    let Some(text) = reader.text(node) else { return };
    if text.starts_with('/') {
        claims.patterns.push(ClaimPattern::Match(text.to_owned()));
        return;
    }
    // Ids of vendors have a digit (%HA-6-ROLE, CVE-2026-1); a plain word is more likely a mistake than an id.
    let is_id = EventId::parse_number(text).is_some()
        || (text.contains(|c: char| c.is_ascii_digit()) && !text.contains(char::is_whitespace) && text.contains(['-', '%', '_']));
    let id = EventId::parse(text).filter(|_| is_id).map(EventId::into_owned);
    if id.is_none() {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is neither an event id nor an expression")).help =
            Some(HELP.to_owned());
    }
    claims.ids.extend(id);
}

/// Reads `match: role changed` like `match: /role changed/`.
fn as_expression(text: &str) -> String {
    if text.starts_with('/') { text.to_owned() } else { format!("/{}/", text.replace('/', "\\/")) }
}
