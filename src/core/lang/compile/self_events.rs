//! Conditions about self events: their ids are the kinds of notices, which are all known.

use crate::core::diag::{Code, suggest::nearest};
use crate::core::event::OWN_APP;
use crate::core::lang::ast::{At, File};
use crate::core::lang::program::{IdPattern, Sender};
use crate::core::notice::Kind;

use super::Compiler;

impl Compiler<'_, '_> {
    /// Reports ids that no self event has, if a condition is about self events alone.
    pub(super) fn known_notices(&mut self, file: &File, from: &[Sender], ids: &[At<IdPattern>]) {
        let own = |sender: &Sender| matches!(sender, Sender::App(name) if name == OWN_APP);
        if from.is_empty() || !from.iter().all(own) {
            return;
        }
        for id in ids {
            let name = match &id.it {
                IdPattern::Word(name) if Kind::parse(name).is_some_and(Kind::is_event) => continue,
                IdPattern::Word(name) => name.clone(),
                IdPattern::Numbers { .. } => file.source.text.get(id.span.clone()).unwrap_or_default().trim().to_owned(),
            };
            let events = Kind::ALL.iter().filter(|kind| kind.is_event()).map(|kind| kind.name());
            let help = match nearest(&name, events) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "docs/reference/notices.md lists all of them".to_owned(),
            };
            let message = format!("Pointsman has no self event `{name}`");
            self.report(file, Code::UnknownNotice, &id.span, message).help = Some(help);
        }
    }
}
