//! Mistakes in a text that a person wrote (rules, scripts, YAML), as values that are rendered last.
//!
//! Every front end collects [`Diagnostic`]s and does not stop at the first. A diagnostic helps an operator at night: it has
//! one message that is enough alone, a stable code, the place, and a suggestion if there is one. Line and column appear only
//! in [`render`].

pub mod codes;
mod lines;
pub mod lookalikes;
pub mod render;
pub mod suggest;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use codes::Code;
pub use lines::LineIndex;

/// A text that a person wrote, with the name to show for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Path as the user gave it.
    pub name: String,
    pub text: String,
}

/// A place in a source: a byte range.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    pub source: Arc<Source>,
    /// Its bytes; may be empty (a point).
    pub bytes: Range<usize>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{:?}]", self.source.name, self.bytes)
    }
}

impl Place {
    /// 1-based line and column (in characters) of the start. [`LineIndex`] is faster for several places.
    pub fn line_column(&self) -> (usize, usize) {
        let mark = lines::LinePosition::default().advance(&self.source.text, self.bytes.start.min(self.source.text.len()));
        (mark.line + 1, mark.column + 1)
    }
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Valid but unwise; `check` succeeds.
    Warning,
    Error,
}

/// One mistake, or one unwise choice, in a text that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code; [`codes`] has its severity and its one-line meaning.
    pub code: Code,
    /// One sentence that is enough alone.
    pub message: String,
    /// Where it is; `None` when it concerns a file as a whole (missing, too large).
    pub place: Option<Place>,
    /// Other places that explain it, each with a label ("first defined here").
    pub context: Vec<(Place, String)>,
    /// What to do about it, if that is not obvious ("did you mean `sip_vip`?").
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic at a place, without context and help.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, message: message.into(), place: Some(place), context: Vec::new(), help: None }
    }

    /// A diagnostic about a whole file or the whole site.
    pub fn whole(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, message: message.into(), place: None, context: Vec::new(), help: None }
    }

    /// What should stand at the place instead, if the help names it.
    pub fn meant(&self) -> Option<&str> {
        suggest::meant(self.help.as_deref()?)
    }

    /// Adds a help line to the diagnostic.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that explains the diagnostic.
    pub fn context(mut self, place: Place, label: impl Into<String>) -> Diagnostic {
        self.context.push((place, label.into()));
        self
    }
}

/// True when one of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.code.severity() == Severity::Error)
}
