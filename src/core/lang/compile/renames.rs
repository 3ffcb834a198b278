//! `by user = A.user, B.login` and `by peer as host`: the names of keys in the operands of a condition.
//!
//! Within the condition the events of an operand have the key as an additional field; elsewhere the pattern is unchanged.

use crate::core::diag::{Code, suggest::nearest};
use crate::core::event::BuiltIn;
use crate::core::lang::ast::{AtomSyntax, Choice, File, Keys, Rename, Text};
use crate::core::lang::program::{AtomId, REPLACED, replacing};

use super::Compiler;

/// A key that an operand has under the name of another field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Renaming {
    /// The operand; empty for all.
    of: String,
    field: String,
    /// The name of the key in the captures of the condition.
    key: String,
}

/// The keys, with their renamings, that a condition without keys inherits from the condition that it ends.
#[derive(Clone, Copy, Default)]
pub(super) struct Inherited<'a> {
    pub(super) by: &'a [String],
    pub(super) renamings: &'a [Renaming],
}

impl Compiler<'_, '_> {
    /// The names of keys in the operands of a condition; reports names without a meaning.
    pub(super) fn renamings<'c>(
        &mut self,
        file: &File,
        keys: &Keys,
        choices: impl IntoIterator<Item = &'c Choice>,
    ) -> Vec<Renaming> {
        if keys.renames.is_empty() {
            return Vec::new();
        }
        let mut operands = Vec::new();
        choices.into_iter().for_each(|choice| names(choice, &mut operands));
        let mut all: Vec<Renaming> = Vec::new();
        for rename in &keys.renames {
            let renaming = if rename.every { self.of_all(file, rename) } else { self.renaming(file, rename, &operands) };
            let Some(renaming) = renaming else { continue };
            if all.iter().any(|other| other.of == renaming.of && other.key == renaming.key) {
                let whose = if renaming.of.is_empty() { "this condition".to_owned() } else { format!("`{}`", renaming.of) };
                let message = format!("the key `{}` is renamed twice for {whose}", rename.key);
                let help = "each operand has one field for each key: remove one of them".to_owned();
                self.report(file, Code::KeyRenamed, &rename.of.span, message).help = Some(help);
                continue;
            }
            all.push(renaming);
        }
        self.unnamed(file, keys, &all, &operands);
        all.retain(|renaming| renaming.key != renaming.field);
        all
    }

    /// The renaming of `peer as host`, for all operands.
    fn of_all(&mut self, file: &File, rename: &Rename) -> Option<Renaming> {
        let Rename { key, of, .. } = rename;
        self.may_be_called(file, key, &of.it, of)?;
        Some(Renaming { of: String::new(), field: of.it.clone(), key: replacing(key) })
    }

    /// Checks the name of a key. It must not be that of a fixed field, except those that a key may replace, such as the host.
    fn may_be_called(&mut self, file: &File, key: &str, field: &str, at: &Text) -> Option<()> {
        if BuiltIn::is_fixed(key) && !REPLACED.contains(&key) && key != field {
            let message = format!("every event has a field `{key}`, so no key can be renamed to it");
            let help = format!("give the key another name: the_{key}");
            self.report(file, Code::KeyRenamed, &at.span, message).help = Some(help);
            return None;
        }
        Some(())
    }

    fn renaming(&mut self, file: &File, rename: &Rename, operands: &[&str]) -> Option<Renaming> {
        let Rename { key, of, .. } = rename;
        // A name may contain a point itself.
        let mut parts = of.it.match_indices('.').map(|(i, _)| (&of.it[..i], &of.it[i + 1..]));
        let Some((operand, field)) = parts.rfind(|(name, field)| operands.contains(name) && !field.is_empty()) else {
            let name = of.it.split('.').next().unwrap_or_default();
            let message = format!("this condition has no pattern `{name}`");
            let word = Text { it: name.to_owned(), span: of.span.clone() };
            self.unknown(file, Code::KeyRenamed, &word, message, operands.iter().copied());
            return None;
        };
        self.may_be_called(file, key, field, of)?;
        if let Some(captured) = self.captured_by(operand)
            && !captured.iter().any(|name| name == field)
            && !BuiltIn::is_fixed(field)
            && let Some(near) = nearest(field, captured.iter().map(String::as_str)).map(str::to_owned)
        {
            let message = format!("`{operand}` does not capture `{field}`, but it captures `{near}`");
            let help = format!("did you mean `{operand}.{near}`?");
            self.report(file, Code::NearlyCaptured, &of.span, message).help = Some(help);
        }
        let key = if key == field { key.clone() } else { replacing(key) };
        Some(Renaming { of: operand.to_owned(), field: field.to_owned(), key })
    }

    /// Reports an operand that has no name for a renamed key and does not capture the key itself.
    fn unnamed(&mut self, file: &File, keys: &Keys, all: &[Renaming], operands: &[&str]) {
        for key in &keys.by {
            if !all.iter().any(|renaming| renaming.key == key.it && !renaming.of.is_empty()) {
                continue;
            }
            for operand in operands {
                let named = all.iter().any(|renaming| renaming.of == *operand && renaming.key == key.it);
                let lacks = self.captured_by(operand).is_some_and(|captured| !captured.contains(&key.it));
                if named || !lacks || BuiltIn::is_fixed(&key.it) {
                    continue;
                }
                let message = format!("`{operand}` does not capture `{}`, and no other field is named for this key", key.it);
                let help = format!("name the field: by {} = {operand}.name, ...", key.it);
                self.report(file, Code::KeyRenamed, &key.span, message).help = Some(help);
            }
        }
    }

    /// The fields that a pattern captures and sets, if its fields come from these.
    fn captured_by(&mut self, pattern: &str) -> Option<Vec<String>> {
        let id = self.pattern_atoms.get(pattern).copied().flatten()?;
        let atom = self.program.atoms.get(id.0 as usize).filter(|a| a.signal.is_none() && !a.matches.is_empty())?;
        let captures = atom.matches.iter().flat_map(|m| &m.captures).map(|c| c.name.clone());
        Some(captures.chain(atom.sets.iter().map(|(name, _)| name.clone())).collect())
    }

    /// Adds the keys of this condition to the atom of an operand; only patterns have names.
    pub(super) fn rename(&mut self, id: AtomId, name: &str) -> AtomId {
        let of = self.renamings.iter().filter(|renaming| renaming.of == name || renaming.of.is_empty());
        let renames: Vec<(String, String)> = of.map(|r| (r.key.clone(), r.field.clone())).collect();
        if let Some(atom) = self.program.atoms.get_mut(id.0 as usize) {
            atom.renames = renames;
        }
        id
    }

    /// True when this condition gives another field the name of this key.
    pub(super) fn is_called_otherwise(&self, key: &str) -> bool {
        self.renamings.iter().any(|renaming| renaming.key == replacing(key))
    }

    /// True when this condition has another name for a key than this operand.
    pub(super) fn is_renamed(&self, name: &str) -> bool {
        self.renamings.iter().any(|renaming| renaming.of == name || renaming.of.is_empty())
    }
}

/// The patterns that are named in a choice.
fn names<'c>(choice: &'c Choice, all: &mut Vec<&'c str>) {
    for atom in &choice.atoms {
        match atom {
            AtomSyntax::Named(word) if !all.contains(&word.it.as_str()) => all.push(&word.it),
            AtomSyntax::Group(inner) => names(inner, all),
            _ => {}
        }
    }
}
