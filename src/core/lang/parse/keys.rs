//! `by`: the keys of a condition, and their names in its operands.

use crate::core::diag::Code;
use crate::core::lang::ast::{Keys, Rename, Text};

use super::cursor::{Cursor, Failed, Parsed};
use super::{field, terminal};

/// `by = "by" field ("," field)*`
pub(super) fn by(c: &mut Cursor<'_>) -> Parsed<Vec<Text>> {
    c.want_word("by")?;
    let mut all = vec![field(c)?];
    while c.symbol(",").is_some() {
        all.push(field(c)?);
    }
    Ok(all)
}

/// `keys = "by" key ("," key)*`
pub(super) fn keys(c: &mut Cursor<'_>) -> Parsed<Keys> {
    c.want_word("by")?;
    let mut keys = Keys::default();
    key(c, &mut keys)?;
    while c.symbol(",").is_some() {
        key(c, &mut keys)?;
    }
    Ok(keys)
}

/// `key = field ("as" field | "=" FIELD_OF ("," FIELD_OF)*)?`
fn key(c: &mut Cursor<'_>, keys: &mut Keys) -> Parsed<()> {
    let field = field(c)?;
    if c.word("as").is_some() {
        let key = super::field(c)?;
        keys.renames.push(Rename { key: key.it.clone(), of: field, every: true });
        keys.by.push(key);
        return Ok(());
    }
    if c.symbol("=").is_some() {
        loop {
            let Some(of) = c.take(terminal::field_of) else { return Err(no_operand(c, &field.it)) };
            keys.renames.push(Rename { key: field.it.clone(), of: Cursor::own(of), every: false });
            if !another(c) {
                break;
            }
            c.symbol(",");
        }
    }
    keys.by.push(field);
    Ok(())
}

/// True when another operand's field follows a comma, and not another key.
fn another(c: &mut Cursor<'_>) -> bool {
    let start = c.here();
    let field = c.symbol(",").is_some() && c.take(terminal::field_of).is_some();
    let is = field && !c.sees_symbol("=") && !c.sees_word("as");
    c.back_to(start);
    is
}

fn no_operand(c: &mut Cursor<'_>, key: &str) -> Failed {
    let Some(token) = c.take(terminal::name) else { return c.wanted("an operand and its field (A.user)") };
    let message =
        format!("`{}` does not say to which operand the field belongs", crate::core::base::text::printable_short(token.it, 40));
    let help = format!("name a pattern of this condition: by {key} = A.user, B.{}", token.it);
    c.fail_with(Code::RuleSyntax, &token.span, message, help)
}
