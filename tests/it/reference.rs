//! Reference pages that are generated from the program: they agree with the program, and the examples agree with them.

use pointsman::core::config::{self, keys};
use pointsman::core::event::BuiltIn;
use pointsman::core::replay::test_file;
use pointsman::core::yaml::{KeySet, ValueForm, schema, table};
use serde_json::Value as Json;

use crate::support::{expect, files, read, source};

/// A page whose generated parts, between `<!-- generated NAME -->` and `<!-- end -->`, are those of the program.
fn renewed(page: &str, part: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<!-- generated ") {
        let (name, after) = after.split_once(" -->\n").expect("the comment ends");
        let (_, after) = after.split_once("<!-- end -->").expect("the part ends");
        text.push_str(&format!("{before}<!-- generated {name} -->\n{}<!-- end -->", part(name)));
        rest = after;
    }
    text + rest
}

const SETS: [&KeySet; 30] = [
    &keys::CHANNEL,
    &keys::MAIL,
    &keys::WEBHOOK,
    &keys::ALERTMANAGER,
    &keys::SNMP,
    &keys::REMOTE_SYSLOG,
    &keys::ROUTE,
    &keys::ESCALATE,
    &keys::CONTROLLER,
    &keys::HOST,
    &keys::APPLICATION,
    &keys::PAIR,
    &keys::CLAIM,
    &keys::RESOURCE,
    &keys::LISTEN,
    &keys::FILE,
    &keys::LIMITS,
    &keys::JOURNAL,
    &keys::ACCESS,
    &keys::ACCESS_LEVEL,
    &keys::AGENT,
    &keys::SIGN,
    &keys::METRICS,
    &keys::METRICS_LISTENER,
    &keys::METRICS_CERTIFICATE,
    &keys::COMMANDS,
    &test_file::TEST_FILE,
    &test_file::RULE_TEST,
    &test_file::STEP,
    &test_file::ENDS,
];

#[test]
fn the_tables_of_keys_are_the_programs() {
    for page in ["docs/reference/configuration.md", "docs/reference/notifications.md", "docs/reference/rule-tests.md"] {
        let of = |name: &str| {
            let set = SETS.iter().find(|set| set.title == name).unwrap_or_else(|| panic!("{page}: no keys are called {name}"));
            table(set)
        };
        expect(page, &renewed(&read(page), of));
    }
    let fields = |_: &str| {
        let rows = BuiltIn::ALL.iter().map(|field| format!("| `{}` | {} |\n", field.name(), field.meaning()));
        format!("| field | |\n|---|---|\n{}", rows.collect::<String>())
    };
    expect("docs/reference/rules/patterns.md", &renewed(&read("docs/reference/rules/patterns.md"), fields));
}

#[test]
fn the_page_of_the_command_line_is_the_programs() {
    expect("docs/reference/command-line.md", &pointsman::cli::reference());
}

/// Checks a value against a schema, for the keywords of JSON schema that our schemas use.
fn valid(value: &Json, schema: &Json, at: &str) -> Result<(), String> {
    for word in schema.as_object().unwrap().keys() {
        let known = [
            "$schema",
            "title",
            "description",
            "type",
            "enum",
            "anyOf",
            "items",
            "properties",
            "required",
            "additionalProperties",
        ];
        assert!(known.contains(&word.as_str()), "{at}: {word} is not looked at here");
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("no type {other}"),
    };
    let types: Vec<&str> = match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(all) => all.iter().map(|t| t.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    if !(types.is_empty() || types.iter().any(|t| is(t))) {
        return Err(format!("{at}: {value} is none of {types:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{at}: {value} is none of {words:?}"));
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let why: Vec<String> = any.iter().filter_map(|one| valid(value, one, at).err()).collect();
        if why.len() == any.len() {
            return Err(why.join("; or "));
        }
    }
    if let (Some(items), Some(all)) = (schema.get("items"), value.as_array()) {
        all.iter().try_for_each(|item| valid(item, items, at))?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: there is no {name}"));
        }
    }
    for (name, value) in object {
        let at = format!("{at}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(one), _) => valid(value, one, &at)?,
            (None, Json::Bool(false)) => return Err(format!("{at}: there is no such key")),
            (None, Json::Null | Json::Bool(true)) => {}
            (None, others) => valid(value, others, &at)?,
        }
    }
    Ok(())
}

fn json_of(yaml: &str) -> Json {
    serde_yaml::from_str(yaml).expect("it is YAML")
}

#[test]
fn the_schemas_are_fresh_and_the_examples_are_as_they_say() {
    let schemas = [("pointsman", &keys::CONTROLLER), ("agent", &keys::AGENT), ("tests", &test_file::TEST_FILE)];
    let [controller, agent, tests] = schemas.map(|(name, keys)| {
        let schema = schema(keys);
        expect(format!("docs/reference/schema/{name}.schema.json"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
        schema
    });
    let mut seen = [0; 3];
    let examples = ["starter-logs", "starter-pair", "sip-pair", "web-pair"].map(|name| format!("examples/{name}"));
    let rules = ["nlb", "pairs", "ip_takeover", "hosts", "sec", "pointsman", "intruders"].map(|name| format!("rules/{name}"));
    let agents = files("tests/config/agent", "yaml").into_iter().filter(|(name, _)| name == "good.yaml");
    let agents = agents.map(|(_, text)| ("agent.yaml".to_owned(), text));
    for (name, text) in examples.iter().chain(&rules).flat_map(|folder| files(folder, "yaml")).chain(agents) {
        let (schema, n) = if name.ends_with(".test.yaml") {
            (&tests, 2)
        } else if name == "agent.yaml" {
            (&agent, 1)
        } else {
            (&controller, 0)
        };
        if let Err(why) = valid(&json_of(&text), schema, "") {
            panic!("{name}: {why}");
        }
        seen[n] += 1;
    }
    assert!(seen[0] >= 2 && seen[1] >= 1 && seen[2] >= 3, "{seen:?}");
    // The schemas refuse unknown keys and words as the readers do.
    for (name, text) in files("tests/config/err", "yaml") {
        let (_, found) = config::load(&source(&name, &text));
        let by_key = found.iter().any(|d| d.code.text() == "C101");
        if by_key && let Ok(json) = serde_yaml::from_str::<Json>(&text) {
            assert!(valid(&json, &controller, "").is_err(), "{name} has an unknown key, which the schema allows");
        }
    }
}

/// The declared words of a key are those that its reader accepts.
#[test]
fn the_words_of_keys_are_those_that_are_read() {
    let with = |set: &KeySet, line: &str| -> String {
        let hosts =
            "hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }\napplications: { A: { host: a }, B: { host: b } }\n";
        match set.title {
            "pointsman.yaml" => line.to_owned(),
            "hosts" => format!("hosts: {{ a: {{ {line} }} }}"),
            "pairs" => format!("{hosts}pairs: {{ p: {{ primary: A, backup: B, {line} }} }}"),
            "resources" => format!("{hosts}resources: {{ r: {{ address: 10.0.0.3/24, hosts: {{ a: e, b: e }}, {line} }} }}"),
            "mail" => format!("channels: {{ c: {{ mail: {{ server: h, from: a@b, to: c@d, {line} }} }} }}"),
            "webhook" => format!("channels: {{ c: {{ webhook: {{ url: 'http://h/', key: {{ file: /k }}, {line} }} }} }}"),
            other => panic!("{other} has words, which are not tried here"),
        }
    };
    let mut tried = 0;
    for set in SETS.iter().take(18) {
        for key in set.keys {
            let ValueForm::Word(words) = key.form else { continue };
            let found = |word: &str| {
                let text = with(set, &format!("{}: {word}", key.name));
                let (_, found) = config::load(&source("c.yaml", &text));
                found.into_iter().filter(|d| d.message.contains(&format!("`{word}` is not a valid "))).collect::<Vec<_>>()
            };
            for word in words {
                assert!(found(word).is_empty(), "{}: {word}", key.name);
                tried += 1;
            }
            let wrong = found("quite-wrong");
            let help = wrong.first().and_then(|d| d.help.clone()).unwrap_or_else(|| panic!("{} takes any word", key.name));
            assert_eq!(help, format!("write {}", words.join(" or ")), "{}", key.name);
        }
    }
    assert!(tried >= 20, "{tried}");
}
