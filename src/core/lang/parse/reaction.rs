//! Reactions, and the calls of them.

use crate::core::base::limits;
use crate::core::diag::Code;
use crate::core::lang::ast::{
    ArgumentSyntax, At, Binding, CallSyntax, Chain, ExpressionKind, ExpressionSyntax, ReactionClause, ReactionSyntax, Text,
};

use super::cursor::{Cursor, Failed, Parsed};
use super::predicate::{list, literal};
use super::{block, duration, field, name, string, terminal, unknown_clause};

const CLAUSES: &[&str] = &["script", "with", "timeout", "retry", "trust"];

/// `reaction = "reaction" name "{" reaction_clause* "}"`
pub(super) fn reaction(c: &mut Cursor<'_>) -> Parsed<ReactionSyntax> {
    c.want_word("reaction")?;
    let name = name(c, "the reaction's name")?;
    let clauses = block(c, &name, begins, reaction_clause, |_| Some(ReactionClause::Later))?;
    Ok(ReactionSyntax { name, clauses })
}

fn begins(c: &mut Cursor<'_>) -> bool {
    matches!(c.word_ahead(), Some("script" | "with" | "timeout" | "retry" | "trust"))
}

/// `reaction_clause = script | with | timeout | retry | trust`
fn reaction_clause(c: &mut Cursor<'_>) -> Parsed<ReactionClause> {
    match c.word_ahead() {
        Some("script") => script(c),
        Some("with") => with(c),
        Some("timeout") => timeout(c),
        Some("retry") => retry(c),
        Some("trust") => trust(c),
        _ => Err(unknown_clause(c, "a reaction", CLAUSES)),
    }
}

/// `script = "script" STRING`
fn script(c: &mut Cursor<'_>) -> Parsed<ReactionClause> {
    c.want_word("script")?;
    Ok(ReactionClause::Script(string(c)?))
}

/// `with = "with" bindings`
fn with(c: &mut Cursor<'_>) -> Parsed<ReactionClause> {
    c.want_word("with")?;
    Ok(ReactionClause::With(bindings(c)?))
}

/// `timeout = "timeout" DURATION`
fn timeout(c: &mut Cursor<'_>) -> Parsed<ReactionClause> {
    c.want_word("timeout")?;
    Ok(ReactionClause::Timeout(duration(c)?))
}

/// `retry = "retry" INTEGER "times" "every" DURATION`
fn retry(c: &mut Cursor<'_>) -> Parsed<ReactionClause> {
    c.want_word("retry")?;
    let Some(token) = c.take(terminal::integer) else { return Err(c.wanted("the number of retries (a whole number)")) };
    let times = token.it.parse().unwrap_or(u32::MAX);
    c.want_word("times")?;
    c.want_word("every")?;
    Ok(ReactionClause::Retry(times, duration(c)?))
}

/// `trust = "trust" WORD`
fn trust(c: &mut Cursor<'_>) -> Parsed<ReactionClause> {
    c.want_word("trust")?;
    Ok(ReactionClause::Trust(word(c, "a level of trust (unverified, address, local, authenticated)")?))
}

/// `bindings = binding ("," binding)*`
pub(super) fn bindings(c: &mut Cursor<'_>) -> Parsed<Vec<Binding>> {
    let mut all = vec![binding(c)?];
    while c.symbol(",").is_some() {
        all.push(binding(c)?);
    }
    Ok(all)
}

/// `binding = WORD "=" (literal | list)`
fn binding(c: &mut Cursor<'_>) -> Parsed<Binding> {
    if c.sees(terminal::string) {
        return Err(c.wanted_with("a parameter's name", "write the name of the parameter: name = \"...\""));
    }
    let name = word(c, "a parameter's name")?;
    c.want_symbol("=")?;
    let start = c.here();
    let kind = if c.sees_symbol("[") {
        ExpressionKind::List(list(c)?)
    } else {
        match literal(c)? {
            Some(literal) => ExpressionKind::Literal(literal.it),
            None => return Err(c.wanted("a value (texts in quotes)")),
        }
    };
    Ok(Binding { name, value: At { it: kind, span: c.since(start) } })
}

/// `chains = chain ("," chain)*`
pub(super) fn chains(c: &mut Cursor<'_>) -> Parsed<Vec<Chain>> {
    let start = c.here();
    let mut all = vec![chain(c, start, 0)?];
    while c.symbol(",").is_some() {
        let calls = all.iter().map(Vec::len).sum();
        all.push(chain(c, start, calls)?);
    }
    Ok(all)
}

/// `chain = call ("then" call)*`
fn chain(c: &mut Cursor<'_>, start: usize, before: usize) -> Parsed<Chain> {
    let mut all = Vec::new();
    loop {
        if before + all.len() >= limits::REACTION_CALLS {
            let span = c.since(start);
            let message = format!("one `react` starts at most {} reactions", limits::REACTION_CALLS);
            return Err(c.fail(Code::TooManyAlternatives, &span, message));
        }
        all.push(call(c)?);
        if c.word("then").is_none() {
            return Ok(all);
        }
    }
}

/// `call = name ("(" arguments? ")")?`
fn call(c: &mut Cursor<'_>) -> Parsed<CallSyntax> {
    let name = name(c, "a reaction's name")?;
    let mut call = CallSyntax { name, arguments: Vec::new() };
    if c.symbol("(").is_some() {
        if c.symbol(")").is_some() {
            return Ok(call);
        }
        call.arguments = arguments(c)?;
        c.want_symbol(")")?;
    }
    Ok(call)
}

/// `arguments = argument ("," argument)*`
fn arguments(c: &mut Cursor<'_>) -> Parsed<Vec<ArgumentSyntax>> {
    let mut all = vec![argument(c)?];
    while c.symbol(",").is_some() {
        all.push(argument(c)?);
    }
    Ok(all)
}

/// `argument = (WORD "=")? expression`
fn argument(c: &mut Cursor<'_>) -> Parsed<ArgumentSyntax> {
    let start = c.here();
    if c.word_ahead().is_some() {
        let name = word(c, "a parameter's name")?;
        if c.sees_symbol("=") && !c.sees_symbol("==") {
            c.want_symbol("=")?;
            return Ok(ArgumentSyntax { name: Some(name), value: expression(c)? });
        }
        c.back_to(start);
    }
    Ok(ArgumentSyntax { name: None, value: expression(c)? })
}

/// `expression = literal | list | ("pair_of" | "host_of") "(" field ")" | NAME`
fn expression(c: &mut Cursor<'_>) -> Parsed<ExpressionSyntax> {
    let start = c.here();
    if let Some(literal) = literal(c)? {
        return Ok(At { it: ExpressionKind::Literal(literal.it), span: literal.span });
    }
    if c.sees_symbol("[") {
        let list = list(c)?;
        return Ok(At { it: ExpressionKind::List(list), span: c.since(start) });
    }
    let Some(word) = c.word_ahead() else { return Err(c.wanted("a value, a field, pair_of(...) or host_of(...)")) };
    let name = c.take(terminal::name).map(Cursor::own).ok_or(Failed)?;
    if c.symbol("(").is_none() {
        return Ok(At { it: ExpressionKind::Field(name.it), span: name.span });
    }
    let of = field(c)?;
    c.want_symbol(")")?;
    let it = match word {
        "pair_of" => ExpressionKind::PairOf(of),
        "host_of" => ExpressionKind::HostOf(of),
        other => {
            let message = format!("rules have no function `{other}`");
            return Err(c.fail_with(
                Code::RuleSyntax,
                &name.span,
                message,
                "there are pair_of(field) and host_of(field); write anything else in the script",
            ));
        }
    };
    Ok(At { it, span: c.since(start) })
}

fn word(c: &mut Cursor<'_>, what: &str) -> Parsed<Text> {
    match c.word_ahead() {
        Some(_) => c.take(terminal::word).map(Cursor::own).ok_or(Failed),
        None => Err(c.wanted(what)),
    }
}
