//! Completion in scripts: verbs and handles, properties, fields, parameters, and names in quotes.

use crate::core::event::BuiltIn;
use crate::core::lang::names::NameKind;
use crate::core::script::{ALARM_PROPERTIES, HANDLES, Verb, VerbDecl};

use super::super::scripts::{ScriptToken, kind_of_first, parameters, tokens};
use super::super::{Documents, word_before};
use super::{Completion, CompletionKind, Completions};

pub(super) fn completions(documents: &Documents, text: &str, at: usize) -> Vec<Completion> {
    let before = &text[..at];
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    if line.contains("//") {
        return Vec::new();
    }
    // A text that is not closed before the cursor.
    let all = tokens(before);
    if let Some((start, ScriptToken::Text(typed))) = all.last()
        && start + 1 + typed.len() == before.len()
        && line.matches('"').count() % 2 == 1
    {
        let mut found = Completions::new(text, start + 1..at);
        if let [.., (_, ScriptToken::Word(function)), (_, ScriptToken::Symbol('(')), _] = all.as_slice()
            && let Some(kind) = kind_of_first(function)
        {
            for name in documents.defined(kind) {
                found.add(CompletionKind::Name, name, kind.noun());
            }
        }
        return found.all;
    }
    let start = before[word_before(before, at)..]
        .rfind('.')
        .map_or_else(|| word_before(before, at), |dot| word_before(before, at) + dot + 1);
    let mut found = Completions::new(text, start..at);
    let owner = before[..start].strip_suffix('.').map(|before| {
        let from = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
        (&before[from..], before)
    });
    match owner {
        Some(("alarm", _)) => {
            found.add_all(CompletionKind::Field, ALARM_PROPERTIES.iter().map(|property| (*property, "of the alarm")));
            verbs(&mut found, |call| call.strip_prefix("alarm."));
        }
        Some(("event", _)) => {
            for field in documents.defined(NameKind::Field) {
                found.add(CompletionKind::Field, field, "captured");
            }
            found.add_all(CompletionKind::Field, BuiltIn::ALL.iter().map(|field| (field.name(), field.meaning())));
        }
        Some(("params", _)) => {
            let source = crate::core::diag::Source { name: String::new(), text: text.to_owned() };
            for (name, kind) in parameters(&source) {
                found.add(CompletionKind::Parameter, &name, kind);
            }
        }
        Some((handle @ ("log" | "state"), _)) => verbs(&mut found, |call| call.strip_prefix(handle)?.strip_prefix('.')),
        Some((_, before)) => {
            // `vip("x").`, or a variable that may be any handle.
            let handle = HANDLES.iter().find(|handle| {
                let open = before.rfind('(').unwrap_or(0);
                before.ends_with(')') && before[..open].ends_with(handle.name)
            });
            for decl in HANDLES.iter().filter(|decl| handle.is_none_or(|handle| handle.name == decl.name)) {
                found.add_all(CompletionKind::Field, decl.properties.iter().map(|property| (*property, decl.name)));
                verbs(&mut found, |call| call.strip_prefix(decl.name)?.strip_prefix('.'));
            }
        }
        None => {
            for handle in HANDLES {
                if let Some(completion) =
                    found.add_as(CompletionKind::Function, handle.name, &format!("{}(", handle.name), handle.of.name())
                {
                    completion.docs = handle.help.to_owned();
                }
            }
            verbs(&mut found, |call| (!call.contains('.')).then_some(call));
            for word in ["alarm", "event", "params", "log", "state"] {
                found.add(CompletionKind::Field, word, "");
            }
            for word in [
                "let", "if", "else", "for", "in", "while", "loop", "return", "fn", "try", "catch", "throw", "const", "true",
                "false",
            ] {
                found.add(CompletionKind::Keyword, word, "");
            }
        }
    }
    found.all
}

fn verbs(found: &mut Completions, of: impl Fn(&'static str) -> Option<&'static str>) {
    for decl in Verb::ALL.iter().map(|verb| verb.decl()) {
        for call in decl.calls {
            if let Some(name) = of(call)
                && let Some(completion) =
                    found.add_as(CompletionKind::Function, name, &format!("{name}("), &signature(decl, call))
            {
                completion.docs = format!("{} Gives {}.", decl.help, decl.gives);
            }
        }
    }
}

/// A verb with its parameters: `vip.up(host: host)`.
pub(in crate::core::editor) fn signature(decl: &VerbDecl, call: &str) -> String {
    let params: Vec<String> = decl.params.iter().map(|(name, kind)| format!("{name}: {}", kind.name())).collect();
    format!("{call}({})", params.join(", "))
}
