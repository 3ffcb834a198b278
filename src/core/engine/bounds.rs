//! How much of an event's fields the engine keeps: long fields are cut, and excess fields are dropped.

use std::collections::BTreeMap;

use crate::core::base::limits::{EVENT_BYTES, EVENT_FIELD_BYTES, EVENT_SHORT_BYTES, EVENT_TEXT_BYTES};
use crate::core::event::{BuiltIn, Value};

/// The fields of an event as rules and scripts see them, derived fields included.
pub type Fields = BTreeMap<String, Value<'static>>;

/// Estimated bytes of a field in addition to its name and value.
const FIELD_BYTES: usize = 48;
/// Number of the record's own fields in the short form of an event.
const SHORT_FIELDS: usize = 24;

/// Estimates the memory of fields, in bytes.
pub(super) fn weight(fields: &Fields) -> usize {
    fields.iter().map(|(name, value)| FIELD_BYTES + name.len() + value.weight()).sum()
}

/// Returns the event as the engine keeps it: long fields are cut, excess fields are dropped, the text stays.
pub(super) fn bounded(mut fields: Fields) -> Fields {
    if weight(&fields) <= EVENT_FIELD_BYTES {
        return fields;
    }
    for (name, value) in &mut fields {
        let most = if name == "text" { EVENT_TEXT_BYTES } else { EVENT_FIELD_BYTES };
        // In JSON a control character takes six bytes.
        if value.weight() > most / 6 {
            *value = value.cut(most);
        }
    }
    let mut left = EVENT_BYTES - EVENT_TEXT_BYTES;
    fields.retain(|name, value| {
        if name == "text" {
            return true;
        }
        let bytes = FIELD_BYTES + name.len() + value.weight();
        let stays = BuiltIn::is_fixed(name) || bytes <= left;
        left -= if stays { bytes.min(left) } else { 0 };
        stays
    });
    fields
}

/// Returns the short form of an event, for when memory is scarce.
pub(super) fn short(fields: &Fields) -> Fields {
    let cut = |(name, value): (&String, &Value<'static>)| (name.clone(), value.cut(EVENT_SHORT_BYTES));
    let own = fields.iter().filter(|(name, _)| BuiltIn::is_fixed(name)).map(cut);
    let others = fields.iter().filter(|(name, _)| !BuiltIn::is_fixed(name)).take(SHORT_FIELDS);
    let others = others.filter(|(name, value)| name.len() + value.weight() <= 4 * EVENT_SHORT_BYTES || value.as_text().is_some());
    own.chain(others.map(cut)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::engine::fields::trust;
    use crate::core::event::Trust;

    fn text(bytes: usize) -> Value<'static> {
        Value::from("x".repeat(bytes).as_str())
    }

    #[test]
    fn one_event_is_bounded_whatever_its_fields_are() {
        let mut fields: Fields = (0..128).map(|n| (format!("field{n:03}"), text(60_000))).collect();
        fields.insert("text".to_owned(), Value::from("\u{1}".repeat(60_000).as_str()));
        fields.insert("trust".to_owned(), Value::from("address"));
        let kept = bounded(fields);
        assert!(weight(&kept) <= EVENT_BYTES + EVENT_FIELD_BYTES, "{}", weight(&kept));
        assert!(serde_json::to_string(&kept).unwrap().len() <= EVENT_BYTES + EVENT_FIELD_BYTES);
        assert!(kept["text"].as_text().unwrap().ends_with('…'));
        assert_eq!((trust(&kept), kept["field000"].as_text().unwrap().len()), (Trust::Address, EVENT_FIELD_BYTES + 3));
        assert!(weight(&short(&kept)) < 8 * 1024);
    }

    #[test]
    fn a_small_event_is_kept_as_it_is() {
        let fields = Fields::from([("text".to_owned(), text(500)), ("peer".to_owned(), Value::Int(3))]);
        assert_eq!(bounded(fields.clone()), fields);
    }
}
