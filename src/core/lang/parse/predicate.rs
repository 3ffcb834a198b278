//! Conditions on the fields of an event, and the values in them.

use crate::core::diag::Code;
use crate::core::lang::ast::{At, Element, Literal, LiteralKind, OperandSyntax, PredicateSyntax, Regex, Relation};
use crate::core::lang::program::Comparison;

use super::cursor::{Cursor, Failed, Parsed};
use super::{field, string, terminal};

/// `predicate = conjunction ("or" conjunction)*`
pub(super) fn predicate(c: &mut Cursor<'_>) -> Parsed<PredicateSyntax> {
    let mut all = vec![conjunction(c)?];
    while c.word("or").is_some() {
        all.push(conjunction(c)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { PredicateSyntax::Or(all) })
}

/// `conjunction = unit ("and" unit)*`
fn conjunction(c: &mut Cursor<'_>) -> Parsed<PredicateSyntax> {
    let mut all = vec![unit(c)?];
    while c.word("and").is_some() {
        all.push(unit(c)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { PredicateSyntax::And(all) })
}

/// `unit = "not" unit | "(" predicate ")" | test`
fn unit(c: &mut Cursor<'_>) -> Parsed<PredicateSyntax> {
    let start = c.here();
    if c.word("not").is_some() {
        let span = c.since(start);
        c.deeper(&span)?;
        let inner = unit(c)?;
        c.shallower();
        return Ok(PredicateSyntax::Not(Box::new(inner)));
    }
    if c.symbol("(").is_some() {
        let span = c.since(start);
        c.deeper(&span)?;
        let inner = predicate(c)?;
        c.want_symbol(")")?;
        c.shallower();
        return Ok(inner);
    }
    test(c)
}

/// `test = field relation`
fn test(c: &mut Cursor<'_>) -> Parsed<PredicateSyntax> {
    let field = field(c)?;
    let start = c.here();
    let it = relation(c)?;
    Ok(PredicateSyntax::Test { field, relation: At { it, span: c.since(start) } })
}

/// `relation = COMPARISON operand | ("~" | "!~") regex | "contains" STRING | ("starts" | "ends") "with" STRING | "in" set`
fn relation(c: &mut Cursor<'_>) -> Parsed<Relation> {
    if let Some(comparison) = comparison(c) {
        return Ok(Relation::Compare(comparison, operand(c)?));
    }
    for (symbol, negated) in [("!~", true), ("~", false)] {
        if c.symbol(symbol).is_some() {
            return Ok(Relation::Regex { regex: regex(c)?, negated });
        }
    }
    match c.word_ahead() {
        Some("contains") => {
            c.want_word("contains")?;
            if c.sees(terminal::regex) || c.sees(terminal::raw_regex) {
                return Err(c.wanted_with("a text in quotes", "compare with an expression by `~`: text ~ /.../"));
            }
            Ok(Relation::Contains(string(c)?))
        }
        Some(way @ ("starts" | "ends")) => {
            c.want_word(way)?;
            c.want_word("with")?;
            let text = string(c)?;
            Ok(if way == "starts" { Relation::StartsWith(text) } else { Relation::EndsWith(text) })
        }
        Some("in") => {
            c.want_word("in")?;
            set(c)
        }
        _ if c.sees_symbol("=") => {
            let at = c.here();
            c.skip_token();
            let span = c.since(at);
            Err(c.fail_with(Code::RuleSyntax, &span, "`=` is not a comparison", "write == to compare"))
        }
        Some("not") => {
            Err(c
                .wanted_with("a comparison (`==`, `~`, `contains`, `in` ...)", "write `not` before the field: not peer in homes"))
        }
        Some("is" | "equals" | "eq") => {
            Err(c.wanted_with("a comparison (`==`, `~`, `contains`, `in` ...)", "write == to compare"))
        }
        Some("matches" | "like") => Err(c.wanted_with("a comparison (`==`, `~`, `contains`, `in` ...)", "write ~ /.../")),
        _ => Err(c.wanted("a comparison (`==`, `~`, `contains`, `in` ...)")),
    }
}

pub(super) fn comparison(c: &mut Cursor<'_>) -> Option<Comparison> {
    let token = c.take(terminal::comparison)?;
    Some(match token.it {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    })
}

/// `operand = literal | NAME`
pub(super) fn operand(c: &mut Cursor<'_>) -> Parsed<OperandSyntax> {
    if let Some(literal) = literal(c)? {
        return Ok(OperandSyntax::Literal(literal));
    }
    match c.word_ahead() {
        Some(_) => c.take(terminal::name).map(|t| OperandSyntax::Bare(Cursor::own(t))).ok_or(Failed),
        None => Err(c.wanted("a value or a field")),
    }
}

/// `set = NETWORK | STRING | list | NAME`
fn set(c: &mut Cursor<'_>) -> Parsed<Relation> {
    if let Some(token) = c.take(terminal::network) {
        return Ok(Relation::InNetwork(Cursor::own(token)));
    }
    if c.sees(terminal::string) {
        return Ok(Relation::InNetwork(string(c)?));
    }
    if c.sees_symbol("[") {
        return Ok(Relation::InList(list(c)?));
    }
    match c.word_ahead() {
        Some(_) => c.take(terminal::name).map(|t| Relation::InNamed(Cursor::own(t))).ok_or(Failed),
        None => Err(c.wanted("a list in [ ], its name, or a network (10.0.0.0/8)")),
    }
}

/// `list = "[" (element ("," element)*)? "]"`
pub(super) fn list(c: &mut Cursor<'_>) -> Parsed<Vec<Element>> {
    c.want_symbol("[")?;
    let mut all = Vec::new();
    if c.symbol("]").is_some() {
        return Ok(all);
    }
    loop {
        all.push(element(c)?);
        if c.symbol(",").is_none() {
            c.want_symbol("]")?;
            return Ok(all);
        }
    }
}

/// `element = NETWORK | literal | NAME`
fn element(c: &mut Cursor<'_>) -> Parsed<Element> {
    if let Some(token) = c.take(terminal::network) {
        return Ok(Element::Network(Cursor::own(token)));
    }
    if let Some(literal) = literal(c)? {
        return Ok(Element::Literal(literal));
    }
    match c.word_ahead() {
        Some(_) => c.take(terminal::name).map(|t| Element::Bare(Cursor::own(t))).ok_or(Failed),
        None => Err(c.wanted("a value")),
    }
}

/// `literal = "true" | "false" | STRING | ADDRESS | ID | DURATION | SIZE | PERCENT | NUMBER`
pub(super) fn literal(c: &mut Cursor<'_>) -> Parsed<Option<Literal>> {
    if let Some(word @ ("true" | "false")) = c.word_ahead() {
        let span = c.want_word(word)?;
        return Ok(Some(At { it: LiteralKind::Bool(word == "true"), span }));
    }
    if c.sees_symbol("\"") {
        let text = string(c)?;
        return Ok(Some(At { it: LiteralKind::Text(text.it), span: text.span }));
    }
    type TerminalResult = fn(&str) -> terminal::TerminalResult<'_>;
    type Make = fn(String) -> LiteralKind;
    let kinds: [(TerminalResult, Make); 5] = [
        (terminal::address, LiteralKind::Address),
        (terminal::id, LiteralKind::Id),
        (terminal::duration, LiteralKind::Duration),
        (terminal::size, LiteralKind::Size),
        (terminal::percent, LiteralKind::Percent),
    ];
    for (read, make) in kinds {
        if let Some(token) = c.take(read) {
            return Ok(Some(At { it: make(token.it.to_owned()), span: token.span }));
        }
    }
    if let Some(token) = c.take(terminal::number) {
        let it = match (token.it.parse::<i64>(), token.it.parse::<f64>()) {
            (Ok(n), _) => LiteralKind::Int(n),
            (Err(_), Ok(x)) => LiteralKind::Float(x),
            (Err(_), Err(_)) => LiteralKind::Text(token.it.to_owned()),
        };
        return Ok(Some(At { it, span: token.span }));
    }
    if let Some(token) = c.take(terminal::numberish) {
        let shown = crate::core::base::text::printable_short(token.it, 40);
        return Err(c.fail_with(
            Code::RuleSyntax,
            &token.span,
            format!("`{shown}` is not a number, and other texts need quotes"),
            "a number has digits and at most one point (1000, 0.5); write a text in quotes",
        ));
    }
    Ok(None)
}

/// `regex = (REGEX | RAW_REGEX)+`
pub(super) fn regex(c: &mut Cursor<'_>) -> Parsed<Regex> {
    let start = c.here();
    let mut regex = Regex { pieces: Vec::new(), ignore_case: false, dot_all: false, span: start..start };
    loop {
        let raw = c.sees(terminal::raw_regex);
        let Some(token) = c.take(if raw { terminal::raw_regex } else { terminal::regex }) else { break };
        let (open, close) = if raw { (2, '"') } else { (1, '/') };
        let end = token.it.rfind(close).unwrap_or(token.it.len());
        for flag in token.it[end + 1..].chars() {
            match flag {
                'i' => regex.ignore_case = true,
                's' => regex.dot_all = true,
                other => {
                    let span = token.span.end - (token.it.len() - end - 1)..token.span.end;
                    return Err(c.fail_with(
                        Code::BadText,
                        &span,
                        format!("a regular expression has no flag `{other}`"),
                        "the flags are i (letter case does not count) and s (. also matches a line feed)",
                    ));
                }
            }
        }
        let text = &token.it[open..end];
        // `\/` is a slash to the language; the expression itself does not need the escape.
        let it = if raw { text.to_owned() } else { text.replace("\\/", "/") };
        let from = token.span.start + open;
        regex.pieces.push(At { it, span: from..from + text.len() });
    }
    if regex.pieces.is_empty() {
        if c.sees_symbol("/") || c.sees_symbol("r\"") {
            let at = c.here();
            c.skip_token();
            let span = c.since(at);
            return Err(c.fail_with(
                Code::BadText,
                &span,
                "this regular expression is empty or not closed on its line",
                "write /.../ with \\/ for a slash, or r\"...\"",
            ));
        }
        let help = "write an expression between slashes, text ~ /link .* down/; for a text that is not an expression: text contains \"link\"";
        return Err(c.wanted_with("a regular expression (/.../ or r\"...\")", help));
    }
    regex.span = c.since(start);
    Ok(regex)
}
