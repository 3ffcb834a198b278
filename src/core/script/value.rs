//! Values between scripts and the rest of the program.

use rhai::{Array, Dynamic, Map};

use crate::core::event::Value;

use super::bind::ScriptHandle;

/// A value as scripts see it.
pub(super) fn to_dynamic(value: &Value<'_>) -> Dynamic {
    match value {
        Value::Unit => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::Float(x) => (*x).into(),
        Value::Text(t) => t.to_string().into(),
        Value::List(items) => items.iter().map(to_dynamic).collect::<Array>().into(),
        Value::Map(items) => items.iter().map(|(k, v)| (k.as_str().into(), to_dynamic(v))).collect::<Map>().into(),
    }
}

/// A script's value; what has no counterpart (a function, a handle) is its name. Depth is bounded by the limits on lists
/// and maps.
pub(super) fn from_dynamic(value: &Dynamic) -> Value<'static> {
    if value.is_unit() {
        Value::Unit
    } else if let Ok(b) = value.as_bool() {
        Value::Bool(b)
    } else if let Ok(i) = value.as_int() {
        Value::Int(i)
    } else if let Ok(x) = value.as_float() {
        Value::Float(x)
    } else if let Some(array) = value.read_lock::<Array>() {
        Value::List(array.iter().map(from_dynamic).collect())
    } else if let Some(map) = value.read_lock::<Map>() {
        Value::Map(map.iter().map(|(k, v)| (k.to_string(), from_dynamic(v))).collect())
    } else if let Some(handle) = value.read_lock::<ScriptHandle>() {
        Value::from(handle.name.as_str())
    } else {
        Value::from(value.to_string().as_str())
    }
}
