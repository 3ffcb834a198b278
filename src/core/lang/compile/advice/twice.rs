//! Duplicates, and alternatives that another alternative includes.

use crate::core::diag::Code;
use crate::core::lang::ast::{self, At, Choice, Element, File, Text, TextSpan};
use crate::core::lang::compile::Compiler;
use crate::core::lang::program::AtomId;

use super::same::{covers, id_within};

/// Maximum number of alternatives that are compared with each other: longer lists are generated.
const COMPARED: usize = 64;

impl Compiler<'_, '_> {
    /// Reports names that occur twice: `by app, app`.
    pub(in crate::core::lang::compile) fn names_twice(&mut self, file: &File, words: &[Text], what: &str) {
        let mut seen = std::collections::BTreeMap::new();
        for word in words {
            if let Some(first) = seen.insert(word.it.as_str(), &word.span) {
                self.stands_twice(file, &word.span, first, format!("{what} names `{}` twice", word.it));
            }
        }
    }

    pub(in crate::core::lang::compile) fn stands_twice(
        &mut self,
        file: &File,
        span: &TextSpan,
        first: &TextSpan,
        message: String,
    ) {
        let first = (file.place(first), "first here".to_owned());
        let found = self.report(file, Code::StandsTwice, span, message);
        found.context.push(first);
        found.help = Some("remove it, or write what was meant".to_owned());
    }

    /// Reports duplicate values of a list: `in ["a", "a"]`.
    pub(in crate::core::lang::compile) fn elements_twice(&mut self, file: &File, elements: &[Element]) {
        let mut seen = std::collections::BTreeMap::new();
        for element in elements {
            let span = element.span();
            let Some(text) = file.source.text.get(span.clone()) else { continue };
            if let Some(first) = seen.insert(text, span) {
                self.stands_twice(file, span, first, format!("this list has {text} twice"));
            }
        }
    }

    pub(super) fn senders_twice(&mut self, file: &File, from: &ast::From) {
        match &from.whom {
            ast::SenderSyntax::Apps(words) => self.names_twice(file, words, "`from app`"),
            ast::SenderSyntax::Types(words) => self.names_twice(file, words, "`from type`"),
            ast::SenderSyntax::Hosts(words) => self.names_twice(file, words, "`from host`"),
            ast::SenderSyntax::Groups(words) => self.names_twice(file, words, "`from group`"),
            ast::SenderSyntax::Sites(words) => self.names_twice(file, words, "`from site`"),
            ast::SenderSyntax::Any => {}
        }
        self.names_twice(file, &from.on, "`on host`");
    }

    /// Reports alternatives that match only events which another alternative matches, with the same captures.
    pub(in crate::core::lang::compile) fn alternatives(&mut self, file: &File, choice: &Choice, atoms: &[AtomId]) {
        let mut spans = Vec::new();
        self.in_order(file, choice, &mut spans);
        if spans.len() != atoms.len() || atoms.len() > COMPARED {
            return;
        }
        let mut found = Vec::new();
        for (i, span) in spans.iter().enumerate() {
            for (j, other) in spans.iter().enumerate().filter(|(j, _)| *j != i) {
                let (Some(a), Some(b)) = (self.atom(atoms[i]), self.atom(atoms[j])) else { continue };
                // Of two that are the same, the second is superfluous.
                if covers(b, a) && (j < i || !covers(a, b)) {
                    found.push((span.clone(), other.clone()));
                    break;
                }
            }
        }
        for (span, other) in found {
            let message = "every event that matches this also matches another alternative of the same `or`: it has no effect";
            let context = (file.place(&other), "this one".to_owned());
            let found = self.report(file, Code::Covered, &span, message);
            found.context.push(context);
            found.help = Some("remove it, or write what was meant".to_owned());
        }
    }

    pub(super) fn atom(&self, id: AtomId) -> Option<&crate::core::lang::program::Atom> {
        self.program.atoms.get(id.0 as usize)
    }

    /// The spans of a choice's atoms, in the order in which they are gathered. Duplicates within one of them are reported.
    fn in_order(&mut self, file: &File, choice: &Choice, spans: &mut Vec<TextSpan>) {
        for atom in &choice.atoms {
            match atom {
                ast::AtomSyntax::Named(name) | ast::AtomSyntax::Alarm { name, .. } | ast::AtomSyntax::Calendar { name, .. } => {
                    spans.push(name.span.clone());
                }
                ast::AtomSyntax::Host { names, span, .. } => {
                    spans.push(span.clone());
                    self.names_twice(file, names, "`host`");
                }
                ast::AtomSyntax::App { names, span, .. } => {
                    spans.push(span.clone());
                    self.names_twice(file, names, "`app`");
                }
                ast::AtomSyntax::Metric { span, .. } => spans.push(span.clone()),
                ast::AtomSyntax::Event(event) => {
                    spans.push(event.span.clone());
                    self.ids_twice(file, &event.it.ids);
                    if let Some(from) = &event.it.from {
                        self.senders_twice(file, &from.it);
                    }
                }
                // It may be several conditions, none of which is written here.
                ast::AtomSyntax::Claim { .. } => {}
                ast::AtomSyntax::Not { span, .. } => spans.push(span.clone()),
                ast::AtomSyntax::Group(inner) => self.in_order(file, inner, spans),
            }
        }
    }

    fn ids_twice(&mut self, file: &File, ids: &[At<crate::core::lang::program::IdPattern>]) {
        if ids.len() > COMPARED {
            return;
        }
        for (i, id) in ids.iter().enumerate() {
            let other = ids
                .iter()
                .enumerate()
                .find(|(j, o)| *j != i && id_within(&id.it, &o.it) && (*j < i || !id_within(&o.it, &id.it)));
            if let Some((_, other)) = other {
                let text = |span: &TextSpan| file.source.text.get(span.clone()).unwrap_or_default().to_owned();
                let message = match text(&other.span) {
                    wide if id_within(&other.it, &id.it) => format!("the event {wide} is named twice"),
                    wide => format!("{} is already included in {wide}", text(&id.span)),
                };
                self.stands_twice(file, &id.span, &other.span, message);
            }
        }
    }
}
