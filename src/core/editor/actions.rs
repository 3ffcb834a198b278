//! What an editor can do about a diagnostic: put in what was meant.

use std::ops::Range;

use crate::core::diag::Diagnostic;

/// A change that a diagnostic suggests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAction {
    /// What it does, for a menu.
    pub title: String,
    /// The bytes that are replaced.
    pub bytes: Range<usize>,
    pub new_text: String,
}

/// The change that a diagnostic suggests; `None` if it suggests none.
pub fn code_action(diagnostic: &Diagnostic) -> Option<CodeAction> {
    let place = diagnostic.place.as_ref()?;
    let meant = diagnostic.meant()?;
    let there = place.source.text.get(place.bytes.clone()).filter(|there| !there.is_empty() && !there.contains('\n'))?;
    let quote = there.chars().next().filter(|c| matches!(c, '"' | '\'')).filter(|c| there.len() > 1 && there.ends_with(*c));
    let new_text = quote.map_or_else(|| meant.to_owned(), |quote| format!("{quote}{meant}{quote}"));
    Some(CodeAction { title: format!("replace {there} by {new_text}"), bytes: place.bytes.clone(), new_text })
}
