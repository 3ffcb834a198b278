//! Reads values of the tree as the types that they must have. Everything else is reported, and reading continues.

use std::net::IpAddr;
use std::time::Duration;

use crate::core::base::text::is_unsafe;
use crate::core::base::time::{duration_text, parse_duration};
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Diagnostic, Place};

use super::keys::KeySet;
use super::tree::{YamlKey, YamlKind, YamlNode};

/// The longest name, in characters.
const NAME_LENGTH: usize = 255;

/// A reader of values, with what was found wrong so far.
pub(crate) struct YamlReader<'d> {
    pub(crate) found: &'d mut Vec<Diagnostic>,
}

/// The entries of a map whose keys are declared.
pub(crate) struct Section<'n> {
    what: String,
    place: Place,
    entries: &'n [(YamlKey, YamlNode)],
}

impl<'n> Section<'n> {
    /// A value that may be absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'n YamlNode> {
        self.entries.iter().find(|(k, _)| k.text == key).map(|(_, v)| v).filter(|v| !v.is_nothing())
    }

    /// A value that must be present.
    pub(crate) fn want(&self, reader: &mut YamlReader<'_>, key: &str) -> Option<&'n YamlNode> {
        let value = self.get(key);
        if value.is_none() {
            let message = format!("{} has no `{key}`", self.what);
            reader.report(Code::MissingKey, &self.place, message).help = Some(format!("add {key}: ..."));
        }
        value
    }
}

impl YamlReader<'_> {
    pub(crate) fn report(&mut self, code: Code, place: &Place, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic::new(code, place.clone(), message));
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn not_a(&mut self, node: &YamlNode, wanted: &str) {
        self.report(Code::WrongKind, &node.place, format!("expected {wanted}, found {}", node.what()));
    }

    /// A map with these keys and no others. `place` is the place of the key above it.
    pub(crate) fn section<'n>(&mut self, node: &'n YamlNode, what: &str, place: &Place, known: &KeySet) -> Option<Section<'n>> {
        let YamlKind::Map(entries) = &node.kind else {
            if node.is_nothing() {
                return Some(Section { what: what.to_owned(), place: place.clone(), entries: &[] });
            }
            self.not_a(node, "a map");
            return None;
        };
        for (key, _) in entries {
            if !known.has(&key.text) {
                let help = match nearest(&key.text, known.names()) {
                    Some(near) => did_you_mean(near),
                    None => format!("there are {}", known.names().collect::<Vec<_>>().join(", ")),
                };
                self.report(Code::UnknownKey, &key.place, format!("{what} has no key `{}`", key.text)).help = Some(help);
            }
        }
        Some(Section { what: what.to_owned(), place: place.clone(), entries })
    }

    /// A map whose keys are names.
    pub(crate) fn named<'n>(&mut self, node: Option<&'n YamlNode>) -> Vec<(&'n YamlKey, &'n YamlNode)> {
        let Some(node) = node else { return Vec::new() };
        let YamlKind::Map(entries) = &node.kind else {
            self.not_a(node, "a map of names");
            return Vec::new();
        };
        let good = |me: &mut Self, key: &YamlKey| me.name(&key.text, &key.place);
        entries.iter().filter(|(k, _)| good(self, k)).map(|(k, v)| (k, v)).collect()
    }

    fn name(&mut self, name: &str, place: &Place) -> bool {
        let good = !name.is_empty() && name.chars().count() <= NAME_LENGTH && !name.chars().any(is_unsafe);
        if !good {
            let message = format!("a name has 1 to {NAME_LENGTH} characters, and no control characters");
            self.report(Code::BadValue, place, message);
        }
        good
    }

    pub(crate) fn text<'n>(&mut self, node: &'n YamlNode) -> Option<&'n str> {
        match &node.kind {
            YamlKind::Text { text, .. } if !node.is_nothing() => Some(text),
            _ => {
                self.not_a(node, "a text");
                None
            }
        }
    }

    /// A list. A single value counts as a list of one.
    pub(crate) fn list<'n>(&mut self, node: Option<&'n YamlNode>) -> Vec<&'n YamlNode> {
        match node.map(|n| (&n.kind, n)) {
            None => Vec::new(),
            Some((YamlKind::List(items), _)) => items.iter().collect(),
            Some((YamlKind::Text { .. }, node)) => vec![node],
            Some((YamlKind::Map(_), node)) => {
                self.not_a(node, "a list");
                Vec::new()
            }
        }
    }

    pub(crate) fn texts(&mut self, node: Option<&YamlNode>) -> Vec<(String, Place)> {
        let items = self.list(node);
        let mut texts = Vec::new();
        for item in items {
            if let Some(text) = self.text(item)
                && self.name(text, &item.place)
            {
                texts.push((text.to_owned(), item.place.clone()));
            }
        }
        texts
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: &YamlNode, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        if let Some((_, value)) = words.iter().find(|(w, _)| *w == text) {
            return Some(*value);
        }
        let names = || words.iter().map(|(w, _)| *w);
        let help = match nearest(text, names()) {
            Some(near) => did_you_mean(near),
            None => format!("write {}", names().collect::<Vec<_>>().join(" or ")),
        };
        self.report(Code::BadValue, &node.place, format!("`{text}` is not a valid {what}")).help = Some(help);
        None
    }

    /// A value that is `true` or `false`.
    pub(crate) fn truth(&mut self, node: &YamlNode) -> Option<bool> {
        self.word(node, "answer here", &[("true", true), ("false", false)])
    }

    /// A duration within bounds.
    pub(crate) fn span(&mut self, node: &YamlNode, bounds: std::ops::RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text(node)?;
        let Some(span) = parse_duration(text) else {
            let message = format!("`{text}` is not a duration");
            self.report(Code::BadValue, &node.place, message).help =
                Some("write a number with its unit: 500ms, 3s, 1m30s".to_owned());
            return None;
        };
        if !bounds.contains(&span) {
            let (least, most) = (duration_text(*bounds.start()), duration_text(*bounds.end()));
            self.report(Code::BadValue, &node.place, format!("`{text}` is not between {least} and {most}"));
            return None;
        }
        Some(span)
    }

    pub(crate) fn address(&mut self, node: &YamlNode) -> Option<IpAddr> {
        let text = self.text(node)?;
        let parsed = parse_address(text);
        if parsed.is_none() {
            self.report(Code::BadValue, &node.place, format!("`{text}` is not an address")).help =
                Some("write 10.10.11.101 or fd00::1".to_owned());
        }
        parsed
    }

    /// A name that must exist.
    pub(crate) fn known<'k>(
        &mut self,
        node: &YamlNode,
        what: &str,
        known: impl Iterator<Item = &'k String> + Clone,
    ) -> Option<String> {
        let text = self.text(node)?.to_owned();
        self.is_known(&text, &node.place, what, known).then_some(text)
    }

    /// Like [`YamlReader::known`], for a text.
    pub(crate) fn is_known<'k>(
        &mut self,
        text: &str,
        place: &Place,
        what: &str,
        known: impl Iterator<Item = &'k String> + Clone,
    ) -> bool {
        if known.clone().any(|k| k == text) {
            return true;
        }
        let all: Vec<&str> = known.map(String::as_str).collect();
        let help = match nearest(text, all.iter().copied()) {
            Some(near) => did_you_mean(near),
            None if all.is_empty() => format!("this file has no {what} at all"),
            None if all.len() <= 12 => format!("there are {}", all.join(", ")),
            None => format!("add it to the {what}s, or name one of them"),
        };
        self.report(Code::DanglingName, place, format!("there is no {what} `{text}`")).help = Some(help);
        false
    }
}

/// Reads an address, written as what it is: an IPv4 address inside an IPv6 one is refused.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|address: &IpAddr| address.to_canonical() == *address)
}
