//! Literals as values, where no field gives them another meaning.

use crate::core::event::Value;
use crate::core::lang::ast::{Element, ExpressionKind, ExpressionSyntax, LiteralKind};

/// The value of a literal or a list; a bare word in a list is text.
pub(super) fn literal(value: &ExpressionSyntax) -> Value<'static> {
    match &value.it {
        ExpressionKind::Literal(literal) => value_of(literal),
        ExpressionKind::List(elements) => Value::List(
            elements
                .iter()
                .map(|e| match e {
                    Element::Literal(literal) => value_of(&literal.it),
                    Element::Network(word) | Element::Bare(word) => Value::from(word.it.as_str()),
                })
                .collect(),
        ),
        ExpressionKind::Field(name) => Value::from(name.as_str()),
        ExpressionKind::PairOf(_) | ExpressionKind::HostOf(_) => Value::Unit,
    }
}

/// The value of a literal where no field gives it another meaning.
pub(super) fn value_of(literal: &LiteralKind) -> Value<'static> {
    match literal {
        LiteralKind::Bool(b) => Value::Bool(*b),
        LiteralKind::Int(n) => Value::Int(*n),
        LiteralKind::Float(x) => Value::Float(*x),
        LiteralKind::Text(t)
        | LiteralKind::Address(t)
        | LiteralKind::Id(t)
        | LiteralKind::Duration(t)
        | LiteralKind::Size(t)
        | LiteralKind::Percent(t) => Value::from(t.as_str()),
    }
}
