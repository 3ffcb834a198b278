//! Reactions and calls of them: finds scripts, binds each parameter once, checks the declared types.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::base::limits::STEP_TIMEOUT;
use crate::core::base::time::parse_duration;
use crate::core::diag::Code;
use crate::core::diag::suggest::nearest;
use crate::core::event::{BuiltIn, Trust};
use crate::core::lang::ast::{
    self, At, Chain, ExpressionKind, ExpressionSyntax, File, Item, LiteralKind, ReactionClause, Text, TextSpan,
};
use crate::core::lang::program::{Argument, EFFECTS_REQUIRE, Reaction, ReactionCall};
use crate::core::script::{BUILT_IN, BUILT_IN_SCRIPT, Param, ParamKind, built_in, check, unknown_name};

use super::Compiler;
use super::values::literal;

impl<'t> Compiler<'t, '_> {
    pub(super) fn reactions(&mut self, trees: &'t [File]) {
        let mut places = std::collections::BTreeMap::new();
        for file in trees {
            for item in &file.items {
                let Item::Reaction(reaction) = item else { continue };
                if let Some(first) = places.get(&reaction.name.it).cloned() {
                    self.twice(file, &reaction.name, "reactions", first);
                    continue;
                }
                places.insert(reaction.name.it.clone(), file.place(&reaction.name.span));
                self.reaction(file, reaction);
            }
        }
        // A script without a reaction of its name is a reaction itself.
        for script in self.world.scripts.into_iter().flat_map(|s| s.keys()) {
            if let Some(name) = script.strip_suffix(".rhai")
                && !self.program.reactions.contains_key(name)
            {
                self.program.reactions.insert(name.to_owned(), of_script(name, script));
            }
        }
    }

    fn reaction(&mut self, file: &File, tree: &ast::ReactionSyntax) {
        let mut script: Option<Text> = None;
        let mut with: Vec<&ast::Binding> = Vec::new();
        let mut timeout: Option<Duration> = None;
        let mut retry = None;
        let mut requires = None;
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for clause in &tree.clauses {
            let kind = match &clause.it {
                ReactionClause::Script(word) => {
                    script = Some(word.clone());
                    "script"
                }
                ReactionClause::With(bindings) => {
                    with.extend(bindings);
                    continue;
                }
                ReactionClause::Timeout(span) => {
                    timeout = Some(*span);
                    "timeout"
                }
                ReactionClause::Retry(times, every) => {
                    retry = Some((*times, *every));
                    "retry"
                }
                ReactionClause::Trust(word) => {
                    requires = self.effects_require(file, word);
                    "trust"
                }
                ReactionClause::Later => continue,
            };
            if !seen.insert(kind) {
                self.report(file, Code::DuplicateClause, &clause.span, format!("`{kind}` is given twice in this reaction"));
            }
        }
        let script = script.unwrap_or_else(|| At { it: format!("{}.rhai", tree.name.it), span: tree.name.span.clone() });
        let params = self.script(file, &script);
        let mut bound: BTreeSet<&str> = BTreeSet::new();
        let mut values = Vec::new();
        for binding in with {
            if !bound.insert(&binding.name.it) {
                let message = format!("`{}` gets two values", binding.name.it);
                self.report(file, Code::ParameterTwice, &binding.name.span, message);
                continue;
            }
            if let Some(params) = &params {
                self.parameter(file, params, &binding.name, &script.it, Some(&binding.value));
            }
            values.push((binding.name.it.clone(), literal(&binding.value)));
        }
        let reaction = Reaction {
            name: tree.name.it.clone(),
            script: script.it,
            with: values,
            timeout: timeout.unwrap_or(STEP_TIMEOUT),
            retry,
            requires: requires.unwrap_or(EFFECTS_REQUIRE),
        };
        self.program.reactions.insert(tree.name.it.clone(), reaction);
    }

    /// The trust that the effects of a reaction require. A trust below `address` is reported as a risk.
    fn effects_require(&mut self, file: &File, word: &Text) -> Option<Trust> {
        let Some(trust) = Trust::parse(&word.it) else {
            let message = format!("there is no trust level `{}`", word.it);
            self.unknown(file, Code::UnknownProvenance, word, message, Trust::ALL.map(Trust::name));
            return None;
        };
        if trust < EFFECTS_REQUIRE {
            let message = "anyone who can send a datagram can make this reaction change things outside, for example run commands";
            self.report(file, Code::EffectsUntrusted, &word.span, message.to_owned()).help =
                Some("remove `trust` if the senders use TCP, or if their log is a followed file".to_owned());
        }
        Some(trust)
    }

    /// The parameters of a script; `None` when the scripts are unknown, or this one does not exist.
    fn script(&mut self, file: &File, word: &Text) -> Option<Vec<Param>> {
        let scripts = self.world.scripts?;
        if let Some(params) = scripts.get(&word.it) {
            return Some(params.clone());
        }
        let known: Vec<&str> = scripts.keys().map(String::as_str).collect();
        self.unknown(file, Code::UnknownScript, word, format!("there is no script `{}`", word.it), known);
        None
    }

    /// Checks a parameter that gets a value: the script must have it, and the value must have its type.
    fn parameter(&mut self, file: &File, params: &[Param], name: &Text, script: &str, value: Option<&ExpressionSyntax>) {
        let Some(param) = params.iter().find(|p| p.name == name.it) else {
            let known: Vec<String> = params.iter().map(|p| p.name.clone()).collect();
            let message = format!("{script} has no parameter `{}`", name.it);
            return self.unknown(file, Code::UnknownParameter, name, message, known.iter().map(String::as_str));
        };
        if let Some(value) = value {
            self.typed(file, param, value);
        }
    }

    fn typed(&mut self, file: &File, param: &Param, value: &ExpressionSyntax) {
        if let ExpressionKind::Field(name) = &value.it {
            return self.unquoted(file, param, name, &value.span);
        }
        let ExpressionKind::Literal(literal) = &value.it else {
            if matches!(value.it, ExpressionKind::List(_)) && !matches!(param.kind, ParamKind::List | ParamKind::Any) {
                self.bad_argument(file, param, &value.span);
            }
            return;
        };
        let text = match literal {
            LiteralKind::Text(t) | LiteralKind::Address(t) | LiteralKind::Id(t) | LiteralKind::Duration(t) => Some(t.as_str()),
            _ => None,
        };
        let fits = match param.kind {
            ParamKind::Any => true,
            ParamKind::Text => text.is_some(),
            ParamKind::Number => matches!(literal, LiteralKind::Int(_) | LiteralKind::Float(_)),
            ParamKind::Bool => matches!(literal, LiteralKind::Bool(_)),
            ParamKind::Duration => text.is_some_and(|t| parse_duration(t).is_some()),
            ParamKind::Address => text.is_some_and(|t| t.parse::<std::net::IpAddr>().is_ok()),
            ParamKind::List => false,
            ParamKind::Host | ParamKind::App | ParamKind::Pair | ParamKind::Resource | ParamKind::Channel => text.is_some(),
        };
        if !fits {
            return self.bad_argument(file, param, &value.span);
        }
        if let (Some(inventory), Some(text)) = (self.world.inventory, text)
            && let Some((what, known)) = unknown_name(inventory, param.kind, text)
        {
            let word = At { it: text.to_owned(), span: value.span.clone() };
            let message = format!("the inventory has no {what} `{text}`");
            self.unknown(file, Code::NotInInventory, &word, message, known.iter().map(String::as_str));
        }
    }

    /// Reports a name of the inventory without quotes: it is read as a field, which no event has.
    fn unquoted(&mut self, file: &File, param: &Param, name: &str, span: &TextSpan) {
        let is_named =
            matches!(param.kind, ParamKind::Host | ParamKind::App | ParamKind::Pair | ParamKind::Resource | ParamKind::Channel);
        let is_known = self.world.inventory.is_some_and(|inventory| unknown_name(inventory, param.kind, name).is_none());
        if is_named && is_known && BuiltIn::parse(name).is_none() && !self.captured.contains(name) {
            let message = format!("`{name}` without quotes is a field of the event, and nothing captures one of that name");
            self.report(file, Code::BadArgument, span, message).help = Some(format!("write \"{name}\""));
        }
    }

    fn bad_argument(&mut self, file: &File, param: &Param, span: &TextSpan) {
        let message = format!("`{}` must be a {}, and this is not one", param.name, param.kind.name());
        self.report(file, Code::BadArgument, span, message);
    }

    /// Compiles the chains of a `react`.
    pub(super) fn chains(&mut self, file: &File, chains: &[Chain]) -> Vec<Vec<ReactionCall>> {
        chains.iter().map(|chain| chain.iter().filter_map(|call| self.call(file, call)).collect()).collect()
    }

    fn call(&mut self, file: &File, call: &ast::CallSyntax) -> Option<ReactionCall> {
        self.used_reactions.insert(call.name.it.clone());
        if call.name.it == BUILT_IN && !self.program.reactions.contains_key(BUILT_IN) {
            self.program.reactions.insert(BUILT_IN.to_owned(), of_script(BUILT_IN, BUILT_IN_SCRIPT));
        }
        let Some(reaction) = self.program.reactions.get(&call.name.it).cloned() else {
            if self.world.scripts.is_none() {
                // The scripts are unknown: it may be one of them.
                return Some(ReactionCall { reaction: call.name.it.clone(), args: self.named_only(file, call) });
            }
            let known: Vec<String> = self.reaction_names().into_iter().chain([BUILT_IN.to_owned()]).collect();
            let message = format!("there is neither a reaction nor a script named `{}`", call.name.it);
            self.unknown(file, Code::UnknownReaction, &call.name, message, known.iter().map(String::as_str));
            return None;
        };
        let params = self.world.scripts.and_then(|s| s.get(&reaction.script)).cloned();
        let params = params.or_else(|| (reaction.script == BUILT_IN_SCRIPT).then(|| check(&built_in(), None).0));
        let Some(params) = params else {
            return Some(ReactionCall { reaction: reaction.name, args: self.named_only(file, call) });
        };
        let args = self.arguments(file, call, &reaction, &params);
        Some(ReactionCall { reaction: reaction.name, args })
    }

    fn arguments(
        &mut self,
        file: &File,
        call: &ast::CallSyntax,
        reaction: &Reaction,
        params: &[Param],
    ) -> Vec<(String, Argument)> {
        let mut given: Vec<(String, Argument)> = Vec::new();
        // Arguments without a name fill, in order, the parameters that `with` leaves open.
        let mut open = params.iter().filter(|p| !reaction.with.iter().any(|(n, _)| n == &p.name));
        for argument in &call.arguments {
            let name = match &argument.name {
                Some(name) => {
                    self.parameter(file, params, name, &reaction.script, Some(&argument.value));
                    name.clone()
                }
                None => match open.next() {
                    Some(param) => {
                        self.typed(file, param, &argument.value);
                        At { it: param.name.clone(), span: argument.value.span.clone() }
                    }
                    None => {
                        let message = format!(
                            "{} has {} parameters, and this is one argument too many",
                            call.name.it,
                            params.len() - reaction.with.len()
                        );
                        self.report(file, Code::UnknownParameter, &argument.value.span, message);
                        continue;
                    }
                },
            };
            let twice = given.iter().any(|(n, _)| n == &name.it) || reaction.with.iter().any(|(n, _)| n == &name.it);
            if twice {
                let message = format!("`{}` gets two values", name.it);
                self.report(file, Code::ParameterTwice, &name.span, message);
                continue;
            }
            given.push((name.it, argument_of(&argument.value)));
        }
        for param in params {
            let has = given.iter().any(|(n, _)| n == &param.name) || reaction.with.iter().any(|(n, _)| n == &param.name);
            if !has {
                let message = format!("{} gets no value for `{}` ({})", call.name.it, param.name, param.kind.name());
                let near = call
                    .arguments
                    .iter()
                    .filter_map(|a| a.name.as_ref())
                    .find(|n| nearest(&n.it, [param.name.as_str()]).is_some());
                let help = match near {
                    Some(near) if near.it != param.name => format!("is `{}` meant?", near.it),
                    _ => format!("write {}({} = ...)", call.name.it, param.name),
                };
                self.report(file, Code::MissingParameter, &call.name.span, message).help = Some(help);
            }
        }
        given
    }

    /// If the script is unknown, arguments need names.
    fn named_only(&mut self, file: &File, call: &ast::CallSyntax) -> Vec<(String, Argument)> {
        let mut given = Vec::new();
        for argument in &call.arguments {
            match &argument.name {
                Some(name) => given.push((name.it.clone(), argument_of(&argument.value))),
                None => {
                    let message = "the script is not available here, so it is not known which parameter this is";
                    self.report(file, Code::UnknownParameter, &argument.value.span, message).help =
                        Some("write parameter = value".to_owned());
                }
            }
        }
        given
    }
}

/// The implicit reaction of a script that the rules do not name.
fn of_script(name: &str, script: &str) -> Reaction {
    Reaction {
        name: name.to_owned(),
        script: script.to_owned(),
        with: Vec::new(),
        timeout: STEP_TIMEOUT,
        retry: None,
        requires: EFFECTS_REQUIRE,
    }
}

fn argument_of(value: &ExpressionSyntax) -> Argument {
    match &value.it {
        ExpressionKind::Field(name) => Argument::Field(name.clone()),
        ExpressionKind::PairOf(field) => Argument::PairOf(field.it.clone()),
        ExpressionKind::HostOf(field) => Argument::HostOf(field.it.clone()),
        ExpressionKind::Literal(_) | ExpressionKind::List(_) => Argument::Value(literal(value)),
    }
}
