//! Documents from declared keys: tables for reference pages, and JSON schemas for editors.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::keys::{KeyDecl, KeySet, REQUIRED, ValueForm};

/// The keys as a Markdown table.
pub fn table(keys: &KeySet) -> String {
    let mut text = String::from("| key | value | meaning | default |\n|---|---|---|---|\n");
    for key in keys.keys {
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", key.name, form(key.form), key.meaning, key.default);
    }
    text
}

fn form(form: ValueForm) -> String {
    let words = |words: &[&str]| words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    match form {
        ValueForm::Text => "text".to_owned(),
        ValueForm::Number => "number".to_owned(),
        ValueForm::Truth => "`true` or `false`".to_owned(),
        ValueForm::Duration => "duration".to_owned(),
        ValueForm::Word(all) => words(all),
        ValueForm::Texts => "list of texts".to_owned(),
        ValueForm::Words(all) => format!("list of {}", words(all)),
        ValueForm::Map(_) => "map".to_owned(),
        ValueForm::Maps(_) => "list of maps".to_owned(),
        ValueForm::Named(_) | ValueForm::NamedTexts => "map by name".to_owned(),
        ValueForm::TextsOrMaps(_) => "list of texts or maps".to_owned(),
        ValueForm::Any => "as described".to_owned(),
    }
}

/// The JSON schema of a file whose top level has these keys (draft 2020-12).
pub fn schema(keys: &KeySet) -> Json {
    let mut schema = map(keys);
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        object.insert("title".to_owned(), keys.title.into());
    }
    schema
}

fn map(keys: &KeySet) -> Json {
    let properties: Map<String, Json> = keys
        .keys
        .iter()
        .map(|key| {
            let mut value = value(key.form);
            if let Some(object) = value.as_object_mut() {
                object.insert("description".to_owned(), described(key).into());
            }
            (key.name.to_owned(), value)
        })
        .collect();
    let required: Vec<&str> = keys.keys.iter().filter(|key| key.default == REQUIRED).map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The meaning of a key and its default.
fn described(key: &KeyDecl) -> String {
    if key.default == REQUIRED { key.meaning.to_owned() } else { format!("{}. Default: {}", key.meaning, key.default) }
}

fn value(form: ValueForm) -> Json {
    // YAML reads `10` as a number and `true` as a boolean where a text is meant, and null where a value is left out.
    let text = || json!({ "type": ["string", "number", "boolean", "null"] });
    let list = |of: Json| json!({ "anyOf": [of, { "type": "array", "items": of }, { "type": "null" }] });
    match form {
        ValueForm::Text | ValueForm::Duration => text(),
        ValueForm::Number => json!({ "type": ["integer", "null"] }),
        ValueForm::Truth => json!({ "type": ["boolean", "null"] }),
        ValueForm::Word(words) => json!({ "enum": words }),
        ValueForm::Texts => list(text()),
        ValueForm::Words(words) => list(json!({ "enum": words })),
        ValueForm::Map(keys) => map(keys),
        ValueForm::Maps(keys) => list(map(keys)),
        ValueForm::Named(keys) => {
            json!({ "type": ["object", "null"], "additionalProperties": { "anyOf": [map(keys), { "type": "null" }] } })
        }
        ValueForm::NamedTexts => json!({ "type": ["object", "null"], "additionalProperties": list(text()) }),
        ValueForm::TextsOrMaps(keys) => list(json!({ "anyOf": [text(), map(keys)] })),
        ValueForm::Any => json!({}),
    }
}
