//! A value of a field, a parameter or a script: text, number, boolean, or a list or map of these.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::base::text::cut;

/// A value as rules, scripts and the journal use it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value<'a> {
    /// Nothing: the result of a step that has none.
    #[default]
    Unit,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    /// Values by name, sorted.
    Map(BTreeMap<String, Value<'a>>),
}

/// Estimated bytes of an entry of a map in addition to its name and value.
const ENTRY_BYTES: usize = 48;

impl Value<'_> {
    /// The value with its text copied.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Unit => Value::Unit,
            Value::Bool(b) => Value::Bool(b),
            Value::Int(i) => Value::Int(i),
            Value::Float(x) => Value::Float(x),
            Value::Text(t) => Value::Text(Cow::Owned(t.into_owned())),
            Value::List(l) => Value::List(l.into_iter().map(Value::into_owned).collect()),
            Value::Map(m) => Value::Map(m.into_iter().map(|(k, v)| (k, v.into_owned())).collect()),
        }
    }

    /// The value with texts of more than `max` bytes cut, at any depth.
    pub fn cut(&self, max: usize) -> Value<'static> {
        match self {
            Value::Text(t) => Value::Text(Cow::Owned(cut(t, max).into_owned())),
            Value::List(items) => Value::List(items.iter().map(|v| v.cut(max)).collect()),
            Value::Map(items) => Value::Map(items.iter().map(|(name, value)| (name.clone(), value.cut(max))).collect()),
            other => other.clone().into_owned(),
        }
    }

    /// Estimates its memory in bytes.
    pub fn weight(&self) -> usize {
        let inside = match self {
            Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
            Value::Text(t) => t.len(),
            Value::List(items) => items.iter().map(Value::weight).sum(),
            Value::Map(items) => items.iter().map(|(name, value)| ENTRY_BYTES + name.len() + value.weight()).sum(),
        };
        size_of::<Self>() + inside
    }

    /// Its number, or the number that its text can be read as.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            // Exact up to 2^53; counts in logs are smaller.
            #[allow(clippy::cast_precision_loss, reason = "as said")]
            Value::Int(n) => Some(*n as f64),
            Value::Float(x) => Some(*x),
            Value::Text(t) if t.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => t.parse().ok(),
            _ => None,
        }
    }

    /// True if it was written as a number, and not as a text that can be read as one.
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Int(_) | Value::Float(_))
    }

    /// Its text, if it is a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }
}

impl From<&str> for Value<'static> {
    fn from(s: &str) -> Self {
        Value::Text(Cow::Owned(s.to_owned()))
    }
}

impl fmt::Display for Value<'_> {
    /// The value as a message shows it: text without quotes, the rest as in JSON. It is not escaped; see
    /// [`crate::core::base::text`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Unit => f.write_str("()"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(i) => write!(f, "{i}"),
            Value::Float(x) => write!(f, "{x}"),
            Value::Text(t) => f.write_str(t),
            Value::List(items) => {
                f.write_str("[")?;
                for (i, v) in items.iter().enumerate() {
                    write!(f, "{}{v}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Value::Map(items) => {
                f.write_str("{")?;
                for (i, (k, v)) in items.iter().enumerate() {
                    write!(f, "{}{k}: {v}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}
