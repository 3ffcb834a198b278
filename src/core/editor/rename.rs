//! Renames what a name stands for, in all documents at once.

use crate::core::base::text::is_unsafe;
use crate::core::lang::names::{NameKind, is_plain_name};

use super::{DocumentPlace, Documents, Language};

/// The greatest number of characters of a name.
const LENGTH: usize = 255;

impl Documents {
    /// The place of the name at a byte, if it can be renamed.
    ///
    /// # Errors
    /// Why it cannot be renamed, in a sentence.
    pub fn renamable(&self, document: &str, at: usize) -> Result<DocumentPlace, String> {
        let name = self.name_at(document, at).ok_or("there is no name here")?;
        let what = match name.kind {
            NameKind::Script => "a script has the name of its file: rename the file",
            NameKind::Field => "a field is also named by records and texts: rename it by hand",
            NameKind::Type => "the type of an application is not a name of this site alone",
            NameKind::Argument => "the parameter does not say what this text names",
            _ => "",
        };
        if !what.is_empty() {
            return Err(what.to_owned());
        }
        let all = self.same(document, &name);
        if !all.iter().any(|(_, other)| other.defines) {
            return Err(format!("`{}` is not defined in the files of this site", name.text));
        }
        if let Some((of, _)) = all.iter().find(|(_, other)| !other.written) {
            return Err(format!("a row of {of} fills in a part of this name: rename it by hand"));
        }
        Ok(DocumentPlace { document: document.to_owned(), bytes: name.span })
    }

    /// The edits by which the thing at a byte gets another name: what is replaced, and by which text.
    ///
    /// # Errors
    /// Why it cannot have that name, in a sentence.
    pub fn rename(&self, document: &str, at: usize, new: &str) -> Result<Vec<(DocumentPlace, String)>, String> {
        self.renamable(document, at)?;
        let Some(name) = self.name_at(document, at) else { return Ok(Vec::new()) };
        let bad = |c: char| is_unsafe(c) || matches!(c, '"' | '\\' | '\n' | '\r' | '{' | '}' | '$');
        if new.is_empty() || new.chars().count() > LENGTH || new.trim() != new || new.contains(bad) {
            return Err(format!("`{new}` is not a name: it has 1 to {LENGTH} characters, and no quote, brace or backslash"));
        }
        if matches!(name.kind, NameKind::Piece | NameKind::Parameter) && !is_plain_name(new) {
            return Err(format!("`{new}` cannot stand there: letters, digits, `_`, `.` and `-` can"));
        }
        if new != name.text && self.clashes(name.kind, new) {
            return Err(format!("there is already something with the name `{new}`"));
        }
        let edit = |(of, place): (&str, &crate::core::lang::names::NamePlace)| {
            let language = self.all.get(of).map(|document| document.language);
            let there = self.text(of).and_then(|source| source.text.get(place.span.clone())).unwrap_or_default();
            let within =
                self.text(of).and_then(|source| source.text.get(..place.span.start)).is_some_and(|t| t.ends_with(['"', '\'']));
            let place = DocumentPlace { document: of.to_owned(), bytes: place.span.clone() };
            (place, if within { new.to_owned() } else { written(language, there, new) })
        };
        Ok(self.same(document, &name).into_iter().map(edit).collect())
    }

    /// Names that would be the same thing as another one.
    fn clashes(&self, kind: NameKind, new: &str) -> bool {
        // Patterns and lists share nothing, but senders do: a name or alias is one host or one application.
        let senders = [NameKind::Host, NameKind::Application];
        let kinds: &[NameKind] = if senders.contains(&kind) { &senders } else { std::slice::from_ref(&kind) };
        kinds.iter().any(|kind| self.defines(*kind, new))
    }
}

/// How a name is written where another one stands.
fn written(language: Option<Language>, there: &str, new: &str) -> String {
    let quoted = there.starts_with('"') && there.len() > 1;
    match language {
        Some(Language::Script) if quoted => format!("\"{new}\""),
        Some(Language::Rules) if quoted || !is_plain_name(new) => format!("\"{new}\""),
        Some(Language::Configuration | Language::Agent | Language::Tests) if !is_plain_name(new) || new == "null" => {
            format!("\"{new}\"")
        }
        _ => new.to_owned(),
    }
}
