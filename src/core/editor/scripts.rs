//! Scripts as an editor sees them while they are typed: tokens, the names in them, the parameters that they declare.

use std::sync::Arc;

use crate::core::diag::Source;
use crate::core::lang::names::{FileNames, NameKind, NamePlace, OutlineItem, ParameterOf};
use crate::core::script::{HANDLES, ParamKind, Verb};

/// A token of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptToken<'t> {
    Word(&'t str),
    /// A text in double quotes, without them.
    Text(&'t str),
    Symbol(char),
}

/// The tokens of a script with the bytes at which they begin. A text that is not closed ends with its line. The text between
/// backquotes is read like code, because it may contain some.
pub(super) fn tokens(text: &str) -> Vec<(usize, ScriptToken<'_>)> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match c {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => {
                let end = closed(rest);
                all.push((at, ScriptToken::Text(rest[1..end].trim_end_matches('"'))));
                end
            }
            _ if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                all.push((at, ScriptToken::Word(&rest[..end])));
                end
            }
            _ if c.is_whitespace() => c.len_utf8(),
            _ => {
                all.push((at, ScriptToken::Symbol(c)));
                c.len_utf8()
            }
        };
        at += length;
    }
    all
}

/// Where a text that begins here ends, its quotes included.
fn closed(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The names in a script.
pub(super) fn names(source: &Arc<Source>) -> FileNames {
    let file = source.name.rsplit('/').next().unwrap_or(&source.name).to_owned();
    let all = tokens(&source.text);
    let mut found = FileNames::default();
    let owner = |name: &str| Some((file.clone(), ParameterOf::Named(name.to_owned())));
    let mut add = |kind, at: usize, text: &str, length: usize, defines, owner| {
        found.names.push(NamePlace { kind, text: text.to_owned(), span: at..at + length, defines, written: true, owner });
    };
    for (name, at, _) in declared(&all) {
        add(NameKind::Parameter, at, name, name.len(), true, owner(name));
    }
    for (n, (at, token)) in all.iter().enumerate() {
        let before = |back: usize| n.checked_sub(back).and_then(|i| all.get(i)).map(|(_, token)| *token);
        match token {
            ScriptToken::Word(name) if before(1) == Some(ScriptToken::Symbol('.')) => match before(2) {
                Some(ScriptToken::Word("event")) => add(NameKind::Field, *at, name, name.len(), false, None),
                Some(ScriptToken::Word("params")) => {
                    add(NameKind::Parameter, *at, name, name.len(), false, owner(name));
                }
                _ => {}
            },
            ScriptToken::Text(text) if before(1) == Some(ScriptToken::Symbol('(')) => {
                if let Some(ScriptToken::Word(function)) = before(2)
                    && let Some(kind) = kind_of_first(function)
                    && source.text.get(*at + 1..*at + 1 + text.len()) == Some(*text)
                {
                    add(kind, *at, text, text.len() + 2, false, None);
                }
            }
            _ => {}
        }
    }
    for (n, (at, token)) in all.iter().enumerate() {
        if *token == ScriptToken::Word("fn")
            && let Some((name_at, ScriptToken::Word(name))) = all.get(n + 1)
        {
            let span = *at..name_at + name.len();
            let name_span = *name_at..name_at + name.len();
            found.items.push(OutlineItem {
                kind: NameKind::Script,
                name: (*name).to_owned(),
                name_span,
                span,
                about: Vec::new(),
            });
        }
    }
    found.names.sort_by_key(|name| name.span.start);
    found
}

/// The parameters that a script declares: name and kind.
pub(super) fn parameters(source: &Source) -> Vec<(String, &'static str)> {
    declared(&tokens(&source.text)).into_iter().map(|(name, _, kind)| (name.to_owned(), kind)).collect()
}

/// The entries of `const PARAMS = #{ name: "kind", ... }`.
fn declared<'t>(all: &[(usize, ScriptToken<'t>)]) -> Vec<(&'t str, usize, &'static str)> {
    let Some(start) = all.iter().position(|(_, token)| *token == ScriptToken::Word("PARAMS")) else { return Vec::new() };
    let inside = all[start..].iter().take_while(|(_, token)| *token != ScriptToken::Symbol('}'));
    let inside: Vec<_> = inside.collect();
    let entry = |three: &[&(usize, ScriptToken<'t>)]| match three {
        [(at, ScriptToken::Word(name)), (_, ScriptToken::Symbol(':')), (_, ScriptToken::Text(kind))] => {
            Some((*name, *at, ParamKind::parse(kind)?.name()))
        }
        _ => None,
    };
    inside.windows(3).filter_map(entry).collect()
}

/// What the first argument of a function or verb names.
pub(super) fn kind_of_first(function: &str) -> Option<NameKind> {
    if let Some(handle) = HANDLES.iter().find(|handle| handle.name == function) {
        return kind_of(handle.of.name());
    }
    let is_it = |call: &&str| call.rsplit('.').next() == Some(function);
    let verb = Verb::ALL.iter().map(|verb| verb.decl()).find(|decl| decl.calls.iter().any(&is_it))?;
    kind_of(verb.params.first()?.1.name())
}

/// What the value of a parameter of a kind names.
pub(super) fn kind_of(kind: &str) -> Option<NameKind> {
    Some(match ParamKind::parse(kind)? {
        ParamKind::Host => NameKind::Host,
        ParamKind::App => NameKind::Application,
        ParamKind::Pair => NameKind::Pair,
        ParamKind::Resource => NameKind::Resource,
        ParamKind::Channel => NameKind::Channel,
        ParamKind::Text
        | ParamKind::Number
        | ParamKind::Bool
        | ParamKind::Duration
        | ParamKind::Address
        | ParamKind::List
        | ParamKind::Any => return None,
    })
}
