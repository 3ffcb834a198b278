//! What the expressions of a function are, as far as its text shows: handles, and the results of commands. So a property or a
//! verb that they do not have is found before anything runs.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, Stmt};

use super::params::{HANDLES, HandleDecl};
use super::verbs::Verb;

/// What `host(...).run(...)` gives.
const RESULT_PROPERTIES: &[&str] = &["status", "stdout", "stderr"];

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValueKind {
    Handle(&'static HandleDecl),
    /// `log` or `state`.
    Named(&'static str),
    /// What a command gave.
    CommandResult,
}

impl PartialEq for ValueKind {
    fn eq(&self, other: &ValueKind) -> bool {
        self.name() == other.name()
    }
}

/// The variables of one function of which the kind is known; `None` for those that are set in several ways.
#[derive(Debug, Default)]
pub(super) struct VariableKinds(BTreeMap<String, Option<ValueKind>>);

/// A name behind a dot: a property, or a verb with its number of arguments.
#[derive(Debug)]
pub(super) enum Member<'a> {
    Property(&'a str),
    Call(&'a str),
}

impl ValueKind {
    /// How scripts call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            ValueKind::Handle(decl) => decl.name,
            ValueKind::Named(name) => name,
            ValueKind::CommandResult => "the result of a command",
        }
    }

    /// The properties that it has.
    pub(super) fn properties(self) -> &'static [&'static str] {
        match self {
            ValueKind::Handle(decl) => decl.properties,
            ValueKind::Named(_) => &[],
            ValueKind::CommandResult => RESULT_PROPERTIES,
        }
    }

    /// Its verbs; `None` if it has the functions of a map.
    pub(super) fn verbs(self) -> Option<Vec<&'static str>> {
        let own = match self {
            ValueKind::Handle(decl) => decl.name,
            ValueKind::Named(name) => name,
            ValueKind::CommandResult => return None,
        };
        let calls = Verb::ALL.iter().flat_map(|verb| verb.decl().calls);
        let mut all: Vec<&str> =
            calls.filter_map(|call| call.split_once('.')).filter(|(of, _)| *of == own).map(|(_, verb)| verb).collect();
        if own == "pair" {
            all.push("other");
        }
        Some(all)
    }

    /// What the member gives, if that is known.
    pub(super) fn gives(self, member: &Member<'_>) -> Option<ValueKind> {
        match (self, member) {
            (ValueKind::Handle(decl), Member::Property(name)) if decl.name == "pair" => {
                ["vip", "port"].contains(name).then(|| handle(name))?
            }
            (ValueKind::Handle(decl), Member::Call("run")) if decl.name == "host" => Some(ValueKind::CommandResult),
            _ => None,
        }
    }
}

fn handle(name: &str) -> Option<ValueKind> {
    HANDLES.iter().find(|decl| decl.name == name).map(ValueKind::Handle)
}

impl VariableKinds {
    /// Takes a node of the function into account. Every node is to be seen once before kinds are asked for.
    pub(super) fn see(&mut self, node: &ASTNode<'_>) {
        match node {
            ASTNode::Stmt(Stmt::Var(declared, ..)) => {
                let kind = self.of(&declared.1);
                self.set(&declared.0.name, kind);
            }
            ASTNode::Stmt(Stmt::Assignment(assigned)) => {
                if let Expr::Variable(variable, ..) = &assigned.1.lhs {
                    self.set(&variable.1, None);
                }
            }
            ASTNode::Stmt(Stmt::For(each, _)) => {
                self.set(&each.0.name, None);
                if let Some(counter) = &each.1 {
                    self.set(&counter.name, None);
                }
            }
            ASTNode::Stmt(Stmt::TryCatch(parts, _)) => {
                if let Expr::Variable(caught, ..) = &parts.expr {
                    self.set(&caught.1, None);
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str, kind: Option<ValueKind>) {
        let known = self.0.entry(name.to_owned()).or_insert(kind);
        if *known != kind {
            *known = None;
        }
    }

    /// A parameter of the function, whose kind is not known.
    pub(super) fn parameter(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }

    /// The kind of an expression.
    pub(super) fn of(&self, expression: &Expr) -> Option<ValueKind> {
        match expression {
            Expr::FnCall(call, _) if call.args.len() == 1 => handle(&call.name),
            Expr::Variable(variable, ..) => match self.0.get(variable.1.as_str()) {
                Some(kind) => *kind,
                None => ["log", "state"].into_iter().find(|name| *name == variable.1.as_str()).map(ValueKind::Named),
            },
            Expr::Dot(dot, ..) => {
                let mut kind = self.of(&dot.lhs)?;
                let mut rest = &dot.rhs;
                loop {
                    let (here, next) = step(rest);
                    kind = kind.gives(&member(here)?)?;
                    match next {
                        Some(next) => rest = next,
                        None => return Some(kind),
                    }
                }
            }
            _ => None,
        }
    }
}

/// The first element of what follows a dot, and what follows that.
pub(super) fn step(rhs: &Expr) -> (&Expr, Option<&Expr>) {
    match rhs {
        Expr::Dot(dot, ..) => (&dot.lhs, Some(&dot.rhs)),
        other => (other, None),
    }
}

/// A property or a call behind a dot; `None` for anything else, such as an index.
pub(super) fn member(expression: &Expr) -> Option<Member<'_>> {
    match expression {
        Expr::Property(property, _) => Some(Member::Property(property.2.as_str())),
        Expr::MethodCall(call, _) => Some(Member::Call(call.name.as_str())),
        _ => None,
    }
}
