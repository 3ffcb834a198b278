//! Converts values between scripts and the rest of the program.

use std::sync::Arc;

use rhai::{Array, Dynamic, Map};

use crate::core::event::Value;

/// Something that has verbs: `vip("x")`, `pair("y")`, `host("z")`, `log`, `state`, `alarm`.
#[derive(Clone, Debug)]
pub(super) struct ScriptHandle {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// Its properties, in addition to verbs.
    pub(super) properties: Arc<Map>,
}

impl ScriptHandle {
    pub(super) fn new(kind: &'static str, name: &str, mut properties: Map) -> ScriptHandle {
        if !name.is_empty() {
            properties.entry("name".into()).or_insert_with(|| name.to_owned().into());
        }
        ScriptHandle { kind, name: name.to_owned(), properties: Arc::new(properties) }
    }
}

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

/// The value of a script. A value without counterpart (a function, a handle) becomes its name. The limits on lists and maps
/// bound the depth.
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
