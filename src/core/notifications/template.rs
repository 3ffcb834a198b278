//! Templates of notifications: text with `{field}` and the variables of Genesys alarm reactions (`$COND_NAME`), filled with an
//! alarm's facts.
//!
//! A field that the alarm does not have is shown as missing: `(no user)`. Braces around anything that is no name are plain text,
//! so JSON can be written as it is. Values come from logs, so each is escaped for the place where it is inserted ([`Escape`]).

use crate::core::base::text::printable;

/// Where a filled template is used, which decides how values are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Lines of text: line feeds and tabs stay, other control characters are escaped.
    Lines,
    /// One line, such as a subject or a header: every control character is escaped.
    Line,
    /// Inside a string of JSON.
    Json,
}

impl Escape {
    /// The value, escaped for this place.
    pub fn apply(self, value: &str) -> String {
        match self {
            Escape::Lines => lines(value),
            Escape::Line => printable(value),
            Escape::Json => {
                let quoted = serde_json::Value::from(lines(value)).to_string();
                quoted.trim_start_matches('"').strip_suffix('"').map(str::to_owned).unwrap_or_default()
            }
        }
    }
}

/// Text of several lines that is safe to show: line feeds and tabs stay, a carriage return before a line feed is removed.
pub fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for part in text.replace("\r\n", "\n").split_inclusive(['\n', '\t']) {
        let end = part.len() - usize::from(part.ends_with(['\n', '\t']));
        safe.push_str(&printable(&part[..end]));
        safe.push_str(&part[end..]);
    }
    safe
}

/// The fields for the variables of Genesys alarm reactions.
const VARIABLES: [(&str, &str); 9] = [
    ("REACT_NAME", "reaction"),
    ("COND_ID", "alarm"),
    ("COND_NAME", "alarm"),
    ("COND_CTGR", "category"),
    ("APP_ID", "app"),
    ("APP_NAME", "app"),
    ("APP_TYPE", "type"),
    ("MSG_ID", "id"),
    ("MSG_DESCR", "event.text"),
];

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TemplatePart<'t> {
    Text(&'t str),
    /// The name of a field, without its braces.
    Field(&'t str),
    /// Capitals behind a dollar sign, with the sign; [`VARIABLES`] may have them or not.
    Variable(&'t str),
}

fn parts(template: &str) -> Vec<TemplatePart<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '$']) {
        let (before, signed) = rest.split_at(at);
        parts.push(TemplatePart::Text(before));
        let (sign, after) = signed.split_at(1);
        let (part, behind) = if sign == "{" {
            match after.split_once('}').filter(|(name, _)| is_name(name)) {
                Some((name, behind)) => (TemplatePart::Field(name), behind),
                None => (TemplatePart::Text(sign), after),
            }
        } else if let Some(behind) = after.strip_prefix('$') {
            (TemplatePart::Text(sign), behind)
        } else {
            let end = after.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(after.len());
            (TemplatePart::Variable(&signed[..=end]), &after[end..])
        };
        parts.push(part);
        rest = behind;
    }
    parts.push(TemplatePart::Text(rest));
    parts
}

/// Fills a template. `value` returns the value of a field.
pub fn fill(template: &str, escape: Escape, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len());
    for part in parts(template) {
        let field = match part {
            TemplatePart::Text(text) => Err(text),
            TemplatePart::Field(name) => Ok(name),
            TemplatePart::Variable(text) => VARIABLES.iter().find(|(v, _)| *v == &text[1..]).map(|(_, field)| *field).ok_or(text),
        };
        match field.map(|name| (name, value(name))) {
            Ok((_, Some(value))) => filled.push_str(&escape.apply(&value)),
            Ok((name, None)) => filled.push_str(&format!("(no {name})")),
            Err(text) => filled.push_str(text),
        }
    }
    filled
}

/// What a template names, as it is written: fields without braces, and variables with the dollar sign, known or not.
pub(super) fn named(template: &str) -> Vec<&str> {
    let name = |part| match part {
        TemplatePart::Field(name) => Some(name),
        // `$5` is an amount, and `$A` may be anything.
        TemplatePart::Variable(name) => (name.len() > 3).then_some(name),
        TemplatePart::Text(_) => None,
    };
    parts(template).into_iter().filter_map(name).collect()
}

/// The variables of Genesys alarm reactions, with the dollar sign.
pub(super) fn variables() -> impl Iterator<Item = String> {
    VARIABLES.iter().map(|(variable, _)| format!("${variable}"))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "alarm" => Some("sip_down".to_owned()),
            "category" => Some("critical".to_owned()),
            "app" => Some("SIP".to_owned()),
            "event.text" => Some("a \"b\"\r\nBcc: x\u{1b}[31m".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn fields_and_variables_are_filled() {
        let text = "{alarm}/$COND_NAME $COND_CTGR $$5 $APP_NAMEs $UNKNOWN {user} {\"a\": {}} $";
        let want = "sip_down/sip_down critical $5 SIPs $UNKNOWN (no user) {\"a\": {}} $";
        assert_eq!(fill(text, Escape::Lines, value), want);
    }

    #[test]
    fn what_a_template_names_is_found() {
        let text = "{alarm}/$COND_NAME $$COND $APP_NAMEs $UNKNOWN $5 $A {\"a\": {}} {event.text}$";
        assert_eq!(named(text), ["alarm", "$COND_NAME", "$APP_NAME", "$UNKNOWN", "event.text"]);
        assert!(variables().all(|v| named(&v) == [v.as_str()]));
    }

    /// A text from a log can't leave the place where it is inserted.
    #[test]
    fn values_are_escaped_for_their_place() {
        assert_eq!(fill("{event.text}", Escape::Lines, value), "a \"b\"\nBcc: x\\x1b[31m");
        assert_eq!(fill("$MSG_DESCR", Escape::Line, value), "a \"b\"\\r\\nBcc: x\\x1b[31m");
        let json = fill("{\"text\": \"{event.text}\"}", Escape::Json, value);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["text"], "a \"b\"\nBcc: x\\x1b[31m");
        assert_eq!(Escape::Json.apply("\"\"\\"), "\\\"\\\"\\\\");
    }
}
