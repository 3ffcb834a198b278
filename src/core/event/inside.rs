//! Fields inside a record's text: `json.path`, `kv.key`, `cef.key`, `leef.key`. They are read only when a rule names one.
//!
//! - `json.user.name`: the first `{` of the text begins an object (RFC 8259; also after `@cee:`). Numbers in a path are
//!   indices of lists; a key with dots in it may be written as it is. `null` counts as absent.
//! - `kv.user`: `user=` at the beginning or after a blank, comma, semicolon or bracket. The value is in quotes, or ends at
//!   the next blank, comma or semicolon.
//! - `cef.src`, `leef.src`: ArcSight's Common Event Format and IBM's Log Event Extended Format. The fields are the keys of
//!   the extension, and the header as `vendor`, `product`, `version`, `id`, `name` and `severity`.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Value;

/// The prefixes of such fields.
pub const PREFIXES: [&str; 4] = ["json.", "kv.", "cef.", "leef."];

/// The value of a field inside a text; `None` when there is none, or the name has none of the prefixes.
pub(super) fn field(text: &str, name: &str) -> Option<Value<'static>> {
    let (form, key) = name.split_once('.')?;
    match form {
        "json" => json(text, key),
        "kv" => pair(text, key).map(|v| Value::Text(Cow::Owned(v))),
        "cef" => cef(text, key).map(|v| Value::Text(Cow::Owned(v))),
        "leef" => leef(text, key).map(Value::from),
        _ => None,
    }
}

/// Maximum number of names that [`names_inside`] finds.
const NAMES: usize = 64;

/// The names of fields inside a text, for hints: the paths of its JSON object, and its `key=value` pairs.
pub fn names_inside(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let object = text.find('{').and_then(|at| serde_json::Deserializer::from_str(&text[at..]).into_iter::<Json>().next()?.ok());
    if let Some(object) = object {
        paths("json", &object, &mut names);
    }
    for (at, _) in text.match_indices('=').take(NAMES) {
        let begin = text[..at]
            .rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)))
            .map_or(0, |before| before + text[before..].chars().next().map_or(0, char::len_utf8));
        let key = &text[begin..at];
        if !key.is_empty() && pair(text, key).is_some() {
            names.push(format!("kv.{key}"));
        }
    }
    names.truncate(NAMES);
    names
}

fn paths(path: &str, json: &Json, names: &mut Vec<String>) {
    let Json::Object(map) = json else { return };
    for (key, value) in map {
        if names.len() >= NAMES {
            return;
        }
        let path = format!("{path}.{key}");
        paths(&path, value, names);
        names.push(path);
    }
}

fn json(text: &str, path: &str) -> Option<Value<'static>> {
    let start = text.find('{')?;
    let first = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Json>().next()?;
    value(at(&first.ok()?, path)?)
}

fn at<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    let step = |key: &str| match json {
        Json::Object(map) => map.get(key),
        Json::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    };
    // The longest key that exists: `{"a.b": 1}` has `a.b`.
    let whole = [path.len()].into_iter();
    let mut ends = whole.chain(path.rmatch_indices('.').map(|(i, _)| i));
    ends.find_map(|end| {
        let inner = step(&path[..end])?;
        if end == path.len() { Some(inner) } else { at(inner, &path[end + 1..]) }
    })
}

fn value(json: &Json) -> Option<Value<'static>> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(n.as_f64()?),
        },
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(list) => Value::List(list.iter().map(|v| value(v).unwrap_or_default()).collect()),
        Json::Object(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), value(v).unwrap_or_default())).collect()),
    })
}

fn pair(text: &str, key: &str) -> Option<String> {
    let mark = format!("{key}=");
    let begins = |at: usize| text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || ",;[({|".contains(c));
    let at = text.match_indices(&mark).map(|(at, _)| at).find(|at| begins(*at))?;
    let rest = &text[at + mark.len()..];
    match rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => {
            let mut value = String::new();
            let mut chars = rest[1..].chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' => value.extend(chars.next()),
                    c if c == quote => return Some(value),
                    c => value.push(c),
                }
            }
            None
        }
        None => {
            Some(rest.split(|c: char| c.is_whitespace() || ",;".contains(c)).next()?.trim_end_matches([']', ')', '}']).to_owned())
        }
    }
}

/// `CEF:Version|Vendor|Product|Version|Signature ID|Name|Severity|Extension` (ArcSight, "Common Event Format").
fn cef(text: &str, key: &str) -> Option<String> {
    let mut rest = &text[text.find("CEF:")? + 4..];
    let mut head = Vec::new();
    while head.len() < 7 {
        let end = unescaped(rest, '|')?;
        head.push(unescape(&rest[..end]));
        rest = &rest[end + 1..];
    }
    let names = ["format", "vendor", "product", "version", "id", "name", "severity"];
    if let Some(place) = names.iter().position(|n| *n == key) {
        return head.into_iter().nth(place);
    }
    // A value continues to the blank before the next key.
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some(equals) = unescaped(&rest[from..], '=').map(|i| from + i) {
        let start = rest[..equals].rfind(' ').map_or(0, |blank| blank + 1);
        starts.push((start, equals));
        from = equals + 1;
    }
    let found = starts.iter().position(|(start, equals)| &rest[*start..*equals] == key)?;
    let value = starts[found].1 + 1;
    let end = starts.get(found + 1).map_or(rest.len(), |(next, _)| next.saturating_sub(1).max(value));
    Some(unescape(rest[value..end].trim_end()))
}

/// The place of a mark without a backslash before it.
fn unescaped(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let here = c == mark && !escaped;
        escaped = c == '\\' && !escaped;
        here.then_some(at)
    })
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some(escaped)) => out.push(escaped),
            (c, _) => out.push(c),
        }
    }
    out
}

/// `LEEF:Version|Vendor|Product|Version|EventID|` and in version 2 a delimiter (a character, or its number as `x5E`), then
/// keys and values (IBM, "Log Event Extended Format").
fn leef<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut rest = &text[text.find("LEEF:")? + 5..];
    let mut head = Vec::new();
    while head.len() < 5 {
        let (part, after) = rest.split_once('|')?;
        head.push(part);
        rest = after;
    }
    let names = ["format", "vendor", "product", "version", "id"];
    if let Some(place) = names.iter().position(|n| *n == key) {
        return head.get(place).copied();
    }
    let mut delimiter = '\t';
    if head.first().is_some_and(|version| version.starts_with('2'))
        && let Some((written, after)) = rest.split_once('|')
    {
        let number = written.strip_prefix("0x").or(written.strip_prefix('x')).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        delimiter = number.and_then(char::from_u32).or(written.chars().next()).unwrap_or('\t');
        rest = after;
    }
    rest.split(delimiter).find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == key).map(|(_, v)| v))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_inside_texts() {
        let json = r#"app: @cee: {"user":{"name":"ann","ids":[7,8.5]},"a.b":{"c":true},"n":null} tail"#;
        let kv = r#"level=info msg="it \"works\", mostly" took=12ms,user=bob; SRC=10.0.0.1 xuser=eve"#;
        let cef = r"CEF:0|Sec\|urity|thing|1.0|100|worm stopped|10|src=10.0.0.1 msg=a \= b, and c dst=2.1.2.2";
        let leef = "LEEF:2.0|Lancope|Stealth|1.0|41|^|src=192.0.2.0^dst=172.50.123.1^sev=5";
        let cases: &[(&str, &str, Option<&str>)] = &[
            (json, "json.user.name", Some("ann")),
            (json, "json.user.ids.1", Some("8.5")),
            (json, "json.user.ids", Some("[7, 8.5]")),
            (json, "json.a.b.c", Some("true")),
            (json, "json.n", None),
            (json, "json.user.nobody", None),
            ("{broken", "json.a", None),
            (kv, "kv.msg", Some("it \"works\", mostly")),
            (kv, "kv.took", Some("12ms")),
            (kv, "kv.user", Some("bob")),
            (kv, "kv.SRC", Some("10.0.0.1")),
            (kv, "kv.src", None),
            ("a=\"open", "kv.a", None),
            (cef, "cef.vendor", Some("Sec|urity")),
            (cef, "cef.name", Some("worm stopped")),
            (cef, "cef.severity", Some("10")),
            (cef, "cef.msg", Some("a = b, and c")),
            (cef, "cef.dst", Some("2.1.2.2")),
            (cef, "cef.nothing", None),
            (leef, "leef.id", Some("41")),
            (leef, "leef.dst", Some("172.50.123.1")),
            ("LEEF:1.0|V|P|1|e|a=1\tb=2 c", "leef.b", Some("2 c")),
            ("LEEF:1.0|V", "leef.b", None),
            ("plain", "other.b", None),
        ];
        for (text, name, wanted) in cases {
            assert_eq!(field(text, name).map(|v| v.to_string()).as_deref(), *wanted, "{name} of {text}");
        }
    }
}
