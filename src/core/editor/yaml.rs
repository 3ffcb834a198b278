//! The YAML files of a site: which of their keys and values are names, by the declared keys.

use std::sync::Arc;

use crate::core::config::keys;
use crate::core::diag::Source;
use crate::core::lang::names::{FileNames, NameKind, NamePlace, OutlineItem};
use crate::core::replay::test_file;
use crate::core::yaml::{KeySet, ValueForm, YamlKey, YamlKind, YamlNode, parse};

use super::Language;

/// What the value of a key names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NamesOfKey {
    /// The keys of the map below it define these, or refer to them.
    pub(super) keys: Option<(NameKind, bool)>,
    /// The texts below it define these, or refer to them.
    pub(super) values: Option<(NameKind, bool)>,
}

/// The keys of the top of a file.
pub(super) fn top(language: Language) -> &'static KeySet {
    match language {
        Language::Agent => &keys::AGENT,
        Language::Tests => &test_file::TEST_FILE,
        Language::Configuration | Language::Rules | Language::Script => &keys::CONTROLLER,
    }
}

/// What the value of a key names. The keys of entries of `must` and `must_not` are not declared: see [`entry`].
pub(super) fn named(set: &KeySet, key: &str) -> NamesOfKey {
    use NameKind::{Alarm, Application, Calendar, Channel, Group, Host, Pair, Pattern, Resource, Site, Type};
    let is = |other: &KeySet| std::ptr::eq(set, other);
    let define_keys = |kind| NamesOfKey { keys: Some((kind, true)), values: None };
    let define = |kind| NamesOfKey { keys: None, values: Some((kind, true)) };
    let refer = |kind| NamesOfKey { keys: None, values: Some((kind, false)) };
    let map = |keys, values| NamesOfKey { keys: Some((keys, false)), values: Some((values, false)) };
    match key {
        "hosts" if is(&keys::CONTROLLER) => define_keys(Host),
        "applications" if is(&keys::CONTROLLER) => define_keys(Application),
        "pairs" if is(&keys::CONTROLLER) => define_keys(Pair),
        "resources" if is(&keys::CONTROLLER) => define_keys(Resource),
        "channels" if is(&keys::CONTROLLER) => define_keys(Channel),
        "groups" if is(&keys::CONTROLLER) => NamesOfKey { keys: Some((Group, true)), values: Some((Host, false)) },
        "site" if is(&keys::HOST) => define(Site),
        "aliases" if is(&keys::HOST) => define(Host),
        "host" if is(&keys::APPLICATION) || is(&keys::FILE) || is(&keys::AGENT) => refer(Host),
        "app" if is(&keys::FILE) => refer(Application),
        "type" if is(&keys::APPLICATION) => define(Type),
        "aliases" if is(&keys::APPLICATION) => define(Application),
        "primary" | "backup" if is(&keys::PAIR) => refer(Application),
        "resource" if is(&keys::PAIR) => refer(Resource),
        "pattern" if is(&keys::CLAIM) => refer(Pattern),
        // Each host with its interface, or a list of hosts.
        "hosts" if is(&keys::RESOURCE) => NamesOfKey { keys: Some((Host, false)), values: None },
        "voters" if is(&keys::RESOURCE) => refer(Host),
        "to" if is(&keys::ROUTE) || is(&keys::ESCALATE) => refer(Channel),
        "alarm" if is(&keys::ROUTE) => refer(Alarm),
        "during" | "not_during" if is(&keys::ROUTE) => refer(Calendar),
        "watch" if is(&keys::AGENT) => NamesOfKey { keys: Some((Application, false)), values: None },
        "holders" if is(&test_file::RULE_TEST) => map(Resource, Host),
        "owners" | "holders" if is(&test_file::ENDS) => map(Resource, Host),
        "held" if is(&test_file::ENDS) => NamesOfKey { keys: Some((Resource, false)), values: None },
        "alarms" if is(&test_file::ENDS) => refer(Alarm),
        "put_on" | "take_off" | "move" | "released" if is(&test_file::STEP) => map(Resource, Host),
        "lose" | "find" | "fails" | "works" | "maintenance" | "maintenance_end" | "drain" | "undrain" if is(&test_file::STEP) => {
            refer(Host)
        }
        "stops" | "runs" if is(&test_file::STEP) => refer(Application),
        "clear" | "ack" | "silence" | "unsilence" if is(&test_file::STEP) => refer(Alarm),
        _ => NamesOfKey::default(),
    }
}

/// What the value of a key names in an entry of the timeline (`must`, `must_not`).
pub(super) fn entry(key: &str) -> Option<NameKind> {
    Some(match key {
        "alarm" => NameKind::Alarm,
        "reaction" => NameKind::Reaction,
        "host" => NameKind::Host,
        "resource" => NameKind::Resource,
        _ => return None,
    })
}

/// True for the keys whose values are entries of the timeline.
pub(super) fn has_entries(set: &KeySet, key: &str) -> bool {
    std::ptr::eq(set, &raw const test_file::RULE_TEST) && matches!(key, "must" | "must_not")
}

/// The names in a YAML file.
pub(super) fn names(source: &Arc<Source>, language: Language) -> FileNames {
    let mut walk = Walk { text: &source.text, found: FileNames::default() };
    if let Some(root) = parse(source, &mut Vec::new()) {
        walk.map(&root, top(language));
    }
    walk.found.names.sort_by_key(|name| name.span.start);
    walk.found
}

struct Walk<'t> {
    text: &'t str,
    found: FileNames,
}

impl Walk<'_> {
    fn map(&mut self, node: &YamlNode, set: &KeySet) {
        match &node.kind {
            YamlKind::Map(entries) => {
                for (key, value) in entries {
                    let Some(decl) = set.keys.iter().find(|decl| decl.name == key.text) else { continue };
                    if has_entries(set, &key.text) {
                        self.entries(value);
                        continue;
                    }
                    self.named(named(set, &key.text), value);
                    match decl.form {
                        ValueForm::Map(inner) | ValueForm::Maps(inner) | ValueForm::TextsOrMaps(inner) => self.map(value, inner),
                        ValueForm::Named(inner) => {
                            if let YamlKind::Map(all) = &value.kind {
                                all.iter().for_each(|(_, value)| self.map(value, inner));
                            }
                        }
                        _ => {}
                    }
                }
            }
            YamlKind::List(items) => items.iter().for_each(|item| self.map(item, set)),
            YamlKind::Text { .. } => {}
        }
    }

    fn named(&mut self, named: NamesOfKey, node: &YamlNode) {
        if let (Some((kind, defines)), YamlKind::Map(entries)) = (named.keys, &node.kind) {
            for (key, value) in entries {
                self.key(kind, defines, key, value);
            }
        } else if let (Some((kind, false)), YamlKind::List(_)) = (named.keys, &node.kind) {
            self.values(kind, false, node);
        }
        if let Some((kind, defines)) = named.values {
            self.values(kind, defines, node);
        }
    }

    fn key(&mut self, kind: NameKind, defines: bool, key: &YamlKey, value: &YamlNode) {
        let span = self.add(kind, &key.text, key.place.bytes.clone(), defines);
        if defines {
            let end = value.place.bytes.end.max(span.end);
            let trimmed = self.text.get(span.start..end).unwrap_or_default().trim_end().len();
            let item = OutlineItem {
                kind,
                name: key.text.clone(),
                span: span.start..span.start + trimmed.max(span.len()),
                name_span: span,
                about: Vec::new(),
            };
            self.found.items.push(item);
        }
    }

    fn values(&mut self, kind: NameKind, defines: bool, node: &YamlNode) {
        match &node.kind {
            YamlKind::Text { text, .. } if !node.is_nothing() => {
                // `name [key]`: an instance of an alarm.
                let name =
                    if kind == NameKind::Alarm { text.split_once(" [").map_or(text.as_str(), |(name, _)| name) } else { text };
                if name != "nobody" && !name.contains('*') {
                    self.add(kind, name, node.place.bytes.clone(), defines);
                }
            }
            YamlKind::Text { .. } => {}
            YamlKind::List(items) => items.iter().for_each(|item| self.values(kind, defines, item)),
            YamlKind::Map(entries) => entries.iter().for_each(|(_, value)| self.values(kind, defines, value)),
        }
    }

    fn entries(&mut self, node: &YamlNode) {
        let YamlKind::List(items) = &node.kind else { return };
        for item in items {
            let YamlKind::Map(entries) = &item.kind else { continue };
            for (key, value) in entries {
                if let Some(kind) = entry(&key.text) {
                    self.values(kind, false, value);
                }
            }
        }
    }

    /// Adds a name, with the bytes of the name alone if it stands there as it is.
    fn add(&mut self, kind: NameKind, text: &str, place: std::ops::Range<usize>, defines: bool) -> std::ops::Range<usize> {
        let there = self.text.get(place.clone()).unwrap_or_default();
        let at = there.find(text);
        let span = at.map_or(place.clone(), |at| place.start + at..place.start + at + text.len());
        let name = NamePlace { kind, text: text.to_owned(), span: span.clone(), defines, written: at.is_some(), owner: None };
        self.found.names.push(name);
        span
    }
}
