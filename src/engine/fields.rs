//! The fields of an event as rules' keys, arguments and scripts see them: names resolved, derived ones added.

use crate::event::{Event, Value};
use crate::inventory::Index;

use super::record::Fields;

/// Every field of an event: what the record says, what was captured, and what the inventory makes of it.
///
/// `app`, `host`, `type` and `pair` are those of [`crate::inventory::Names`]. Captures go before fields of the record, but not before these.
pub fn fields_of(event: &Event<'_>, captures: &[(String, Value<'static>)], index: &Index) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in &event.fields {
        fields.entry(name.to_string()).or_insert_with(|| value.clone().into_owned());
    }
    for (name, value) in captures {
        fields.insert(name.clone(), value.clone());
    }
    for name in ["text", "level", "provenance", "pid", "id", "facility"] {
        if let Some(value) = event.field(name) {
            fields.insert(name.to_owned(), value.into_owned());
        }
    }
    let names = index.names(event);
    for (name, value) in [("app", names.app), ("type", names.kind), ("host", names.host), ("pair", names.pair)] {
        if !value.is_empty() {
            fields.insert(name.to_owned(), value.into());
        }
    }
    if let Some(at) = event.at {
        fields.insert("time".to_owned(), Value::from(at.to_string().as_str()));
    }
    fields
}

/// A text with `{field}` filled in; a field that is absent stays as written.
pub(super) fn fill(template: &str, fields: &Fields) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        rest = &rest[open..];
        match rest.find('}') {
            Some(close) => {
                match fields.get(&rest[1..close]) {
                    Some(value) => text.push_str(&value.to_string()),
                    None => text.push_str(&rest[..=close]),
                }
                rest = &rest[close + 1..];
            }
            None => break,
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        let fields = Fields::from([("app".to_owned(), Value::from("X")), ("n".to_owned(), Value::Int(3))]);
        assert_eq!(fill("{app} said {n} times {what} {", &fields), "X said 3 times {what} {");
    }
}
