//! Finds mistakes in a script before anything runs: names, arguments, parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::core::base::limits::SOURCE_BYTES;
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::core::inventory::Inventory;

use super::Evaluator;
use super::escapes::place;
use super::params::{HANDLES, ParamKind, ParamKind as K};
use super::value_kinds::{Member, ValueKind, VariableKinds, member, step};
use super::verbs::{Verb, VerbDecl};

/// A parameter that a script declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    pub kind: ParamKind,
    /// The place of its declaration.
    pub place: Place,
}

/// The parameters that a script declares, in order, and all mistakes in it. Names in it are looked up in the inventory, if
/// there is one.
pub fn check(source: &Arc<Source>, inventory: Option<&Inventory>) -> (Vec<Param>, Vec<Diagnostic>) {
    let (declared, found) = inspect(source, inventory);
    (declared.params, found)
}

/// As [`check`], with everything that the script declares.
pub fn inspect(source: &Arc<Source>, inventory: Option<&Inventory>) -> (Declared, Vec<Diagnostic>) {
    if source.text.len() > SOURCE_BYTES {
        let text = format!("{} has more than {SOURCE_BYTES} bytes, which is the limit of a script", source.name);
        return (Declared::default(), vec![Diagnostic::whole(Code::ScriptTooLarge, text)]);
    }
    let evaluator = Evaluator::new(Arc::new(inventory.cloned().unwrap_or_default()));
    let compiled = match evaluator.compile(source) {
        Ok(compiled) => compiled,
        Err(diagnostic) => return (Declared::default(), vec![diagnostic]),
    };
    let ast = &compiled.ast();
    let mut checker = Checker {
        source,
        inventory,
        functions: functions(&evaluator, ast),
        params: Vec::new(),
        used: BTreeSet::new(),
        scope: Vec::new(),
        kinds: VariableKinds::default(),
        event_fields: Vec::new(),
        found: Vec::new(),
    };
    checker.top_level(ast);
    checker.react(ast);
    let mut path = Vec::new();
    for statement in ast.statements() {
        statement.walk(&mut path, &mut |path| checker.node(path));
    }
    for function in ast.iter_functions() {
        // A closure's parameters include what it captures.
        checker.scope = function.params.iter().map(ToString::to_string).collect();
        let mut alone = ast.clone_functions_only();
        alone.retain_functions(|_, _, name, n| name == function.name && n == function.params.len());
        checker.kinds = VariableKinds::default();
        function.params.iter().for_each(|name| checker.kinds.parameter(name));
        alone.walk(&mut |path| {
            path.last().into_iter().for_each(|node| checker.kinds.see(node));
            true
        });
        alone.walk(&mut |path| checker.node(path));
    }
    checker.unused();
    let fields = checker.event_fields.iter().map(|(name, at)| (name.clone(), place(source, *at, name.chars().count()))).collect();
    let mut found = checker.found;
    found.sort_by_key(|d| d.place.as_ref().map(|p| p.bytes.start));
    (Declared { params: checker.params, event_fields: fields }, found)
}

/// What a script declares and uses.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The parameters that it declares, in order.
    pub params: Vec<Param>,
    /// The fields of the event that it names (`event.user`), with their places.
    pub event_fields: Vec<(String, Place)>,
}

impl Declared {
    /// Reports fields that nothing sets and whose name is similar to a known one. Other fields may come from the record.
    pub fn misspelled_fields(&self, known: &BTreeSet<String>) -> Vec<Diagnostic> {
        let unknown = self.event_fields.iter().filter(|(name, _)| name.len() > 2 && !known.contains(name));
        let found = unknown.filter_map(|(name, place)| {
            let near = nearest(name, known.iter().map(String::as_str))?;
            let message = format!("no rule and no event has a field `{name}`: unless the record has it, it is `()`");
            Some(Diagnostic::new(Code::NoSuchField, place.clone(), message).help(did_you_mean(near)))
        });
        found.collect()
    }
}

/// The verbs with this name, of all handles: the full name of the call, and the declaration.
fn called(word: &str) -> impl Iterator<Item = (&'static str, &'static VerbDecl)> {
    let all = Verb::ALL.iter().flat_map(|verb| verb.decl().calls.iter().map(|call| (*call, verb.decl())));
    all.filter(move |(call, _)| call.rsplit('.').next() == Some(word))
}

/// The verb for which users of other systems use this name.
fn called_otherwise(name: &str) -> Option<&'static str> {
    Some(match name {
        "warning" => "log.warn",
        "sleep" | "delay" => "wait",
        "exec" | "system" | "shell" | "spawn" => "host(...).run",
        "move" | "switch" | "failover" => "move_to",
        "mail" | "send" | "alert" => "notify",
        "increment" | "inc" | "incr" => "state.add",
        _ => return None,
    })
}

/// The properties of an alarm in scripts.
pub const ALARM_PROPERTIES: &[&str] = &["name", "key", "category", "summary", "count", "raised_at", "lines", "cause"];

/// Every function that the script may call, with its possible numbers of arguments.
fn functions(evaluator: &Evaluator, ast: &AST) -> BTreeMap<String, BTreeSet<usize>> {
    let mut all: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for signature in evaluator.engine().gen_fn_signatures(true) {
        let Some((name, rest)) = signature.split_once('(') else { continue };
        let name = name.rsplit(' ').next().unwrap_or(name);
        let arguments = rest.split(") ->").next().unwrap_or(rest).trim_end_matches(')').trim();
        // A comma within a type's brackets does not separate arguments.
        let (mut depth, mut count) = (0i32, usize::from(!arguments.is_empty()));
        for c in arguments.chars() {
            match c {
                '(' | '<' | '[' => depth += 1,
                ')' | '>' | ']' => depth -= 1,
                ',' if depth == 0 => count += 1,
                _ => {}
            }
        }
        all.entry(name.to_owned()).or_default().insert(count);
    }
    for function in ast.iter_functions() {
        all.entry(function.name.to_owned()).or_default().insert(function.params.len());
    }
    for (name, counts) in [
        ("call", 1..8),
        ("curry", 2..8),
        ("is_shared", 1..2),
        ("type_of", 1..2),
        ("is_def_var", 1..2),
        ("is_def_fn", 2..3),
        ("Fn", 1..2),
    ] {
        all.entry(name.to_owned()).or_default().extend(counts);
    }
    // The library's own function blocks the thread.
    all.remove("sleep");
    all
}

struct Checker<'a> {
    source: &'a Arc<Source>,
    inventory: Option<&'a Inventory>,
    functions: BTreeMap<String, BTreeSet<usize>>,
    params: Vec<Param>,
    used: BTreeSet<String>,
    /// Parameters of the function that is being checked.
    scope: Vec<String>,
    /// What the variables of that function are.
    kinds: VariableKinds,
    /// Fields of the event that it names, with their positions.
    event_fields: Vec<(String, Position)>,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn report(&mut self, code: Code, at: Position, length: usize, message: String, near: Option<&str>) {
        let mut diagnostic = Diagnostic::new(code, place(self.source, at, length), message);
        if let Some(near) = near {
            diagnostic = diagnostic.help(did_you_mean(near));
        }
        self.found.push(diagnostic);
    }

    fn top_level(&mut self, ast: &AST) {
        for statement in ast.statements() {
            match statement {
                Stmt::Var(variable, ..) if variable.0.name == "PARAMS" => self.declared(&variable.1),
                Stmt::Noop(_) => {}
                other => {
                    let message =
                        "a script has only functions and `const PARAMS` outside of functions; this statement never runs";
                    self.report(Code::TopLevel, other.position(), 1, message.to_owned(), None);
                }
            }
        }
    }

    fn declared(&mut self, value: &Expr) {
        let wanted = "`const PARAMS` is a map of names and types: #{ pair: \"pair\", host: \"host\" }";
        let Expr::Map(map, _) = value else {
            return self.report(Code::BadParams, value.position(), 1, wanted.to_owned(), None);
        };
        for (name, kind) in &map.0 {
            let Expr::StringConstant(word, at) = kind else {
                self.report(Code::BadParams, kind.position(), 1, wanted.to_owned(), None);
                continue;
            };
            match ParamKind::parse(word) {
                Some(kind) => {
                    let place = place(self.source, name.pos, name.name.chars().count());
                    self.params.push(Param { name: name.name.to_string(), kind, place });
                }
                None => {
                    let names: Vec<&str> = ParamKind::ALL.iter().map(|k| k.name()).collect();
                    let message = format!("there is no parameter type `{word}`; there are {}", names.join(", "));
                    self.report(Code::BadParams, *at, word.chars().count() + 2, message, nearest(word, names.iter().copied()));
                }
            }
        }
    }

    fn react(&mut self, ast: &AST) {
        let found = ast.iter_functions().find(|f| f.name == "react").map(|f| f.params.len());
        if found != Some(3) {
            let message = match found {
                None => "the script has no `fn react(alarm, event, params)`, which is what a run calls".to_owned(),
                Some(n) => format!("`react` has {n} parameters; it is called with three: fn react(alarm, event, params)"),
            };
            self.found.push(Diagnostic::whole(Code::NoReact, format!("{}: {message}", self.source.name)));
        }
    }

    /// Checks one node. Returns true, so that the walk continues.
    fn node(&mut self, path: &[ASTNode<'_>]) -> bool {
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, _, at))) if variable.0.is_none() => {
                let name = variable.1.clone();
                let known = ["state", "log"].contains(&name.as_str()) || self.scope.iter().any(|n| *n == name.as_str());
                if !known && !self.functions.contains_key(name.as_str()) {
                    let message = format!("nothing sets the variable `{name}` here");
                    let arguments = ["alarm", "event", "params"];
                    if arguments.contains(&name.as_str()) {
                        let message =
                            format!("{message}; a function sees only its own parameters, `state` and `log`: pass `{name}` to it");
                        self.report(Code::UnknownVariable, *at, name.chars().count(), message, None);
                    } else {
                        let near = nearest(&name, arguments.into_iter().chain(["state", "log"]));
                        self.report(Code::UnknownVariable, *at, name.chars().count(), message, near);
                    }
                }
            }
            Some(ASTNode::Expr(Expr::FnCall(call, at))) => self.call(call, *at, 0),
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => self.call(call, *at, 1),
            Some(ASTNode::Stmt(Stmt::FnCall(call, at))) => self.call(call, *at, 0),
            Some(ASTNode::Expr(Expr::Dot(dot, ..))) => {
                if let (Expr::Variable(variable, ..), Expr::Property(property, at)) = (&dot.lhs, first(&dot.rhs)) {
                    match variable.1.as_str() {
                        "params" => self.parameter(&property.2.clone(), *at),
                        "alarm" => self.alarm_property(&property.2.clone(), *at),
                        "event" => self.event_fields.push((property.2.to_string(), *at)),
                        _ => {}
                    }
                }
                self.members(&dot.lhs, &dot.rhs);
                if let Expr::MethodCall(call, at) = first(&dot.rhs)
                    && call.name == "run"
                    && call.args.len() == 2
                {
                    self.runs_on(&dot.lhs, *at);
                }
            }
            _ => {}
        }
        true
    }

    fn parameter(&mut self, name: &str, at: Position) {
        self.used.insert(name.to_owned());
        if !self.params.iter().any(|p| p.name == name) {
            let known: Vec<String> = self.params.iter().map(|p| p.name.clone()).collect();
            let message = format!("`const PARAMS` does not declare `{name}`");
            self.report(
                Code::ParamNotDeclared,
                at,
                name.chars().count(),
                message,
                nearest(name, known.iter().map(String::as_str)),
            );
        }
    }

    fn alarm_property(&mut self, name: &str, at: Position) {
        if !ALARM_PROPERTIES.contains(&name) {
            let message = format!("an alarm has no property `{name}`; it has {}", ALARM_PROPERTIES.join(", "));
            let near = nearest(name, ALARM_PROPERTIES.iter().copied());
            self.report(Code::UnknownProperty, at, name.chars().count(), message, near);
        }
    }

    /// Checks the properties and verbs behind a value whose kind is known: `p.vip.move_to(host)`.
    fn members(&mut self, of: &Expr, rhs: &Expr) {
        let (mut kind, mut rest) = (self.kinds.of(of), Some(rhs));
        while let (Some(known), Some(chain)) = (kind, rest) {
            let (here, next) = step(chain);
            let Some(member) = member(here) else { return };
            self.member(known, &member, here.position());
            (kind, rest) = (known.gives(&member), next);
        }
    }

    fn member(&mut self, kind: ValueKind, member: &Member<'_>, at: Position) {
        let what = kind.name();
        match member {
            Member::Property(name) if !kind.properties().contains(name) => {
                let verbs = kind.verbs().unwrap_or_default();
                if verbs.contains(name) {
                    let message = format!("`{name}` is a verb of {what}, and is called: {name}(...)");
                    return self.report(Code::UnknownProperty, at, name.chars().count(), message, None);
                }
                let all = kind.properties();
                let message = match all {
                    [] => format!("{what} has no property `{name}`"),
                    _ => format!("{what} has no property `{name}`; it has {}", all.join(", ")),
                };
                self.report(Code::UnknownProperty, at, name.chars().count(), message, nearest(name, all.iter().copied()));
            }
            // A name that no handle has is reported as an unknown function.
            Member::Call(name) if self.functions.contains_key(*name) => {
                let Some(verbs) = kind.verbs().filter(|verbs| !verbs.contains(name)) else { return };
                // Functions for every value, such as `type_of` and `to_string`, and those of the script itself.
                if called(name).next().is_none() && *name != "other" {
                    return;
                }
                let message = format!("{what} has no verb `{name}`; it has {}", verbs.join(", "));
                self.report(Code::UnknownFunction, at, name.chars().count(), message, nearest(name, verbs.iter().copied()));
            }
            _ => {}
        }
    }

    /// Checks `host(...).run(...)`: only the controller's own machine runs commands.
    fn runs_on(&mut self, handle: &Expr, at: Position) {
        let Some(inventory) = self.inventory else { return };
        let Expr::FnCall(call, _) = handle else { return };
        if call.name != "host" {
            return;
        }
        match call.args.first() {
            Some(Expr::StringConstant(host, at)) if inventory.host(host).is_some() => {
                if let Err(why) = inventory.runs_commands(host) {
                    self.report(Code::NotRunThere, *at, host.chars().count() + 2, why, None);
                }
            }
            Some(Expr::StringConstant(..)) | None => {}
            Some(_) => {
                let others = inventory.hosts.keys().filter_map(|host| inventory.runs_commands(host).err());
                let others: Vec<String> = others.collect();
                if let Some(first) = others.first() {
                    let more = if others.len() > 1 { format!(" (and {} more hosts)", others.len() - 1) } else { String::new() };
                    let message = format!("this step fails on a host that is not the controller's own machine: {first}{more}");
                    self.report(Code::PerhapsNotRun, at, "run".len(), message, None);
                    if let Some(last) = self.found.last_mut() {
                        last.help = Some(
                            "only a host with `via: local` runs commands; on other hosts use the verbs of its agent (vip, port)"
                                .to_owned(),
                        );
                    }
                }
            }
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position, this: usize) {
        if call.op_token.is_some() || call.name.starts_with("anon$") {
            return;
        }
        let (name, given) = (call.name.as_str(), call.args.len());
        match self.functions.get(name) {
            None => {
                let known: Vec<String> = self.functions.keys().filter(|n| n.starts_with(char::is_alphabetic)).cloned().collect();
                let message = format!("there is no function or verb `{name}`");
                let near = called_otherwise(name).or_else(|| nearest(name, known.iter().map(String::as_str)));
                self.report(Code::UnknownFunction, at, name.chars().count(), message, near);
            }
            Some(counts) if !counts.contains(&(given + this)) => {
                let shape = |(call, verb): (&str, &VerbDecl)| {
                    format!("{call}({})", verb.params.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", "))
                };
                let shapes: Vec<String> = called(name).map(shape).collect();
                let wanted = if shapes.is_empty() { String::new() } else { format!("; it is {}", shapes.join(" or ")) };
                let arguments = if given == 1 { "argument" } else { "arguments" };
                let message = format!("`{name}` cannot be called with {given} {arguments}{wanted}");
                self.report(Code::WrongArguments, at, name.chars().count(), message, None);
            }
            Some(_) if name == "log" && this == 0 && call.args.first().is_some_and(is_text) => {
                self.report(
                    Code::WrongArguments,
                    at,
                    name.len(),
                    "`log(...)` is the logarithm, of a number".to_owned(),
                    Some("log.info"),
                );
            }
            Some(_) => self.literals(call, this),
        }
    }

    /// Checks names in quotes that must be in the inventory.
    fn literals(&mut self, call: &FnCallExpr, this: usize) {
        let name = call.name.as_str();
        if this == 0
            && let Some(handle) = HANDLES.iter().find(|h| h.name == name)
        {
            match call.args.first() {
                Some(Expr::StringConstant(text, at)) => {
                    self.named(handle.of, &text.clone(), *at);
                    self.handled(name, text, *at);
                }
                Some(argument) => self.unchecked(handle.of, name, argument),
                None => {}
            }
            return;
        }
        let verb = called(name).find(|(_, verb)| verb.params.len() == call.args.len());
        let Some((_, verb)) = verb else { return };
        for ((_, kind), argument) in verb.params.iter().zip(&call.args) {
            match argument {
                Expr::StringConstant(text, at) => self.named(*kind, &text.clone(), *at),
                other => self.unchecked(*kind, name, other),
            }
        }
    }

    /// Warns of a name from elsewhere, which rules would check if the script declared its kind.
    fn unchecked(&mut self, kind: ParamKind, verb: &str, argument: &Expr) {
        let Expr::Dot(dot, ..) = argument else { return };
        let (Expr::Variable(variable, ..), Expr::Property(property, at)) = (&dot.lhs, &dot.rhs) else { return };
        let (what, name) = (kind.name(), property.2.as_str());
        let declared = self.params.iter().find(|p| p.name == name).map(|p| p.kind);
        let (message, help) = match (variable.1.as_str(), kind, declared) {
            ("params", K::Resource | K::Pair | K::Host | K::Channel, Some(declared)) if declared != kind => (
                format!(
                    "`{verb}` takes a {what}, and the parameter `{name}` is declared as {}, so `check` cannot check its name",
                    declared.name()
                ),
                format!("declare it in `const PARAMS` as {name}: \"{what}\""),
            ),
            ("event", K::Resource | K::Pair, _) => (
                format!("the event names the {what}, so whoever writes the log chooses it, and `check` cannot check it"),
                format!("let rules pass it: declare a parameter of the type {what} in `const PARAMS`"),
            ),
            _ => return,
        };
        let place = place(self.source, *at, name.chars().count());
        self.found.push(Diagnostic::new(Code::NameUnchecked, place, message).help(help));
    }

    fn named(&mut self, kind: ParamKind, name: &str, at: Position) {
        let length = name.chars().count() + 2;
        if kind == ParamKind::Duration && crate::core::base::time::parse_duration(name).is_none() {
            let message = format!("`{name}` is not a duration; write a number with a unit: \"2s\", \"1m30s\"");
            return self.report(Code::WrongArguments, at, length, message, None);
        }
        let Some(inventory) = self.inventory else { return };
        if let Some((what, known)) = unknown_name(inventory, kind, name) {
            let message = format!("the inventory has no {what} `{name}`");
            self.report(Code::NameNotInInventory, at, length, message, nearest(name, known.iter().map(String::as_str)));
        }
    }

    /// Reports `vip("x")` where x is a port, and the reverse.
    fn handled(&mut self, handle: &str, name: &str, at: Position) {
        let Some(resource) = self.inventory.and_then(|i| i.resources.get(name)) else { return };
        let right = resource.what.handle();
        if ["vip", "port"].contains(&handle) && handle != right {
            let message = format!("{name} is no {handle}: write {right}(\"{name}\")");
            self.report(Code::NameNotInInventory, at, name.chars().count() + 2, message, None);
        }
    }

    fn unused(&mut self) {
        let unused: Vec<Param> = self.params.iter().filter(|p| !self.used.contains(&p.name)).cloned().collect();
        for param in unused {
            let message = format!("the parameter `{}` is declared and never used", param.name);
            self.found.push(Diagnostic::new(Code::ParamUnused, param.place, message));
        }
    }
}

/// If the inventory lacks the name that a parameter of this kind names: the word for its kind, and the names that exist.
pub fn unknown_name(inventory: &Inventory, kind: ParamKind, name: &str) -> Option<(&'static str, Vec<String>)> {
    fn keys<V>(map: &BTreeMap<String, V>) -> Vec<String> {
        map.keys().cloned().collect()
    }
    let (known, what, all) = match kind {
        ParamKind::Host => (inventory.host(name).is_some(), "host", keys(&inventory.hosts)),
        ParamKind::App => (inventory.application(name).is_some(), "application", keys(&inventory.applications)),
        ParamKind::Pair => (inventory.pairs.contains_key(name), "pair", keys(&inventory.pairs)),
        ParamKind::Resource => (inventory.resources.contains_key(name), "resource", keys(&inventory.resources)),
        ParamKind::Channel => (inventory.channels.contains_key(name), "channel", keys(&inventory.channels)),
        _ => return None,
    };
    (!known).then_some((what, all))
}

/// True for a text, as far as it shows.
fn is_text(expression: &Expr) -> bool {
    match expression {
        Expr::StringConstant(..) | Expr::InterpolatedString(..) => true,
        Expr::FnCall(call, _) => call.name == "+" && call.args.iter().any(is_text),
        _ => false,
    }
}

/// The first part of what follows a dot: `a` of `x.a.b`.
fn first(rhs: &Expr) -> &Expr {
    match rhs {
        Expr::Dot(dot, ..) | Expr::Index(dot, ..) => first(&dot.lhs),
        other => other,
    }
}
