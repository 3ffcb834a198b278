//! What is known about the thing at a place, as Markdown.

use std::ops::Range;

use crate::core::event::BuiltIn;
use crate::core::lang::names::{NameKind, NamePlace};
use crate::core::script::{HANDLES, Verb};

use super::complete::rules::item_word;
use super::complete::script::signature;
use super::complete::yaml::{YamlLevel, level, place};
use super::scripts::{ScriptToken, tokens};
use super::{Documents, Language, docs, is_keyword, word_before, yaml};

/// An explanation of what stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The bytes that it is about.
    pub bytes: Range<usize>,
    /// Markdown; what comes from files is in code.
    pub text: String,
}

/// The greatest number of lines about one thing.
const LINES: usize = 20;

impl Documents {
    /// What is known about the thing at a byte.
    pub fn hover(&self, name: &str, at: usize) -> Option<Hover> {
        let document = self.all.get(name)?;
        let text = &document.source.text;
        if !text.is_char_boundary(at) {
            return None;
        }
        let start = word_before(text, at);
        let length = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len() - start);
        let word = &text[start..start + length];
        let of_word = match document.language {
            Language::Rules if !word.is_empty() && is_keyword(text, start, word) => {
                let before = &text[..start];
                let item =
                    if text[..start + length].ends_with(item_word(&text[..start + length])) { "" } else { item_word(before) };
                docs::of_word(word, item)
            }
            Language::Script => script_word(text, at),
            Language::Configuration | Language::Agent | Language::Tests => key(document.language, text, start + length),
            Language::Rules => None,
        };
        let named = self.name_at(name, at);
        // A name is explained as what it names, and a word of the language as such.
        if let Some(named) = named.filter(|named| document.language != Language::Rules || of_word.is_none() || named.written) {
            let known = self.about(&named);
            if !known.is_empty() {
                return Some(Hover { bytes: named.span.clone(), text: known });
            }
        }
        of_word.map(|text| Hover { bytes: start..start + length, text })
    }

    /// What is known about a name.
    fn about(&self, name: &NamePlace) -> String {
        let mut lines = vec![format!("{} {}", name.kind.noun(), code(&name.text))];
        match name.kind {
            NameKind::Field => match BuiltIn::parse(&name.text) {
                Some(field) => lines.push(field.meaning().to_owned()),
                None => {
                    let all = self.everywhere().filter(|(_, n)| n.defines && n.kind == NameKind::Field && n.text == name.text);
                    let captured: Vec<&str> = all.map(|(document, _)| document).take(3).collect();
                    lines.push(if captured.is_empty() {
                        "nothing captures it: it comes with the record".to_owned()
                    } else {
                        format!("captured or set in {}", captured.iter().map(|c| code(c)).collect::<Vec<_>>().join(", "))
                    });
                }
            },
            NameKind::Parameter => {
                if let Some((owner, _)) = &name.owner {
                    let kind = self.parameters(owner).into_iter().find(|(parameter, _)| *parameter == name.text);
                    lines.extend(kind.map(|(_, kind)| format!("of {}: {kind}", code(&self.script_name(owner)))));
                }
            }
            kind => {
                let items = self.all.iter().flat_map(|(of, document)| document.names.items.iter().map(move |item| (of, item)));
                let item = items.filter(|(_, item)| item.kind == kind).find(|(_, item)| item.name == name.text);
                match item {
                    Some((document, item)) => {
                        lines.push(format!("defined in {}", code(document)));
                        lines.extend(item.about.iter().map(|(title, text)| format!("{title}: {}", code(text))));
                    }
                    None if kind == NameKind::Reaction => {
                        lines.push(format!("the script {}", code(&self.script_name(&name.text))));
                        let params: Vec<String> =
                            self.parameters(&name.text).iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
                        lines.push(format!("parameters: {}", code(&params.join(", "))));
                    }
                    None => {}
                }
            }
        }
        lines.truncate(LINES);
        lines.join("\n\n")
    }

    /// The file names of all scripts, sorted.
    pub(super) fn scripts(&self) -> Vec<&str> {
        let scripts = self.all.iter().filter(|(_, document)| document.language == Language::Script);
        let mut all: Vec<&str> = scripts.map(|(name, _)| name.rsplit('/').next().unwrap_or(name)).collect();
        all.sort_unstable();
        all
    }
}

/// A text as code in Markdown, whatever is in it.
fn code(text: &str) -> String {
    let text: String = text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = if text.contains('`') { "``" } else { "`" };
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", if text.is_empty() { " " } else { &text })
}

/// The key of a YAML file whose name ends at a byte.
fn key(language: Language, text: &str, end: usize) -> Option<String> {
    if !text.get(end..)?.starts_with(':') {
        return None;
    }
    let found = place(text.get(..end)?)?;
    let name = &text[found.start..end];
    let Some(YamlLevel::Keys(set)) = level(yaml::top(language), &found.path) else { return None };
    set.keys.iter().find(|key| key.name == name).map(docs::of_key)
}

/// The verb or handle of a script at a byte.
fn script_word(text: &str, at: usize) -> Option<String> {
    let all = tokens(text);
    let n = all.partition_point(|(start, _)| *start <= at).checked_sub(1)?;
    let ScriptToken::Word(word) = all[n].1 else { return None };
    let member = n > 0 && all[n - 1].1 == ScriptToken::Symbol('.');
    if !member && let Some(handle) = HANDLES.iter().find(|handle| handle.name == word) {
        return Some(format!("`{}({})`: {}", handle.name, handle.of.name(), handle.help));
    }
    let fits = |call: &str| if member { call.rsplit('.').next() == Some(word) && call.contains('.') } else { call == word };
    let decls = Verb::ALL.iter().map(|verb| verb.decl());
    let lines: Vec<String> = decls
        .flat_map(|decl| decl.calls.iter().filter(|call| fits(call)).map(move |call| (decl, *call)))
        .map(|(decl, call)| format!("`{}`: {} Gives {}.", signature(decl, call), decl.help, decl.gives))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n\n"))
}
