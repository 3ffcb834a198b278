//! The lines of a script that do something: those that call a verb.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::evaluator::Compiled;
use super::verbs::Verb;

impl Compiled {
    /// The lines that call verbs, from 1, each with the verbs' names as they are written: `up`, `notify`. A step has the line of its
    /// call ([`super::Step::line`]).
    pub fn verb_lines(&self) -> BTreeMap<u32, Vec<String>> {
        let own: Vec<(String, usize)> = self.ast().iter_functions().map(|f| (f.name.to_owned(), f.params.len())).collect();
        let mut found: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        let mut call = |call: &FnCallExpr, at: Position, this: usize| {
            let (name, given) = (call.name.as_str(), call.args.len());
            let is_own = own.iter().any(|(own, params)| own == name && *params == given + this);
            let is_verb = |verb: &&Verb| {
                let mut calls = verb.decl().calls.iter();
                verb.decl().params.len() == given
                    && calls.any(|call| call.rsplit('.').next() == Some(name) && call.contains('.') == (this == 1))
            };
            if !is_own
                && Verb::ALL.iter().any(|verb| is_verb(&verb))
                && let Some(line) = at.line().and_then(|line| u32::try_from(line).ok())
            {
                found.entry(line).or_default().push(name.to_owned());
            }
        };
        self.ast().walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(it, at)) | ASTNode::Stmt(Stmt::FnCall(it, at))) => call(it, *at, 0),
                Some(ASTNode::Expr(Expr::MethodCall(it, at))) => call(it, *at, 1),
                _ => {}
            }
            true
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Evaluator;
    use crate::core::diag::Source;

    #[test]
    fn lines_that_call_verbs_are_found() {
        let text = "const PARAMS = #{};\nfn up(x) { x + 1 }\nfn react(alarm, event, params) {\n  let v = vip(\"a\");\n  if up(1) > 2 { v.up(\"h\"); } else {\n    notify(\"c\", \"t\");\n  }\n  log.info(\"x\");\n  retry(2, \"1s\", || v.down(\"h\"));\n}\n";
        let source = Arc::new(Source { name: "a.rhai".to_owned(), text: text.to_owned() });
        let script = Evaluator::new(Arc::default()).compile(&source).unwrap();
        let lines: Vec<(u32, String)> = script.verb_lines().into_iter().map(|(line, names)| (line, names.join(" "))).collect();
        assert_eq!(lines, [(5, "up".to_owned()), (6, "notify".to_owned()), (8, "info".to_owned()), (9, "down".to_owned())]);
    }
}
