//! Commands of a resource on a host: written out, or a built-in table with the host's own values.
//!
//! `{ driver: nlb, program: PATH, port: 5060, cluster: sipcluster, host: 1 }`, or
//! `{ up: [[PROGRAM, ARGUMENT, ...], ...], down: [...], observe: [...], up_when: REGEX, down_when: REGEX }`

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Place, Source};
use crate::core::inventory::Commands;
use crate::core::yaml::{self, Section, YamlKind, YamlNode, YamlReader};

use super::keys;

/// The tables of platforms that this program contains, by name.
const TABLES: [(&str, &str); 1] = [("nlb", include_str!("tables/nlb.yaml"))];

/// True if a resource is brought up and down by commands.
pub(super) fn is_meant(node: &YamlNode) -> bool {
    match &node.kind {
        YamlKind::Map(entries) => entries.iter().any(|(k, _)| k.text == "driver" || keys::COMMANDS.has(&k.text)),
        _ => false,
    }
}

/// Reads the commands, and reports what is wrong.
pub(super) fn read(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place) -> Option<Commands> {
    let YamlKind::Map(entries) = &node.kind else { return None };
    let Some((_, driver)) = entries.iter().find(|(k, _)| k.text == "driver") else {
        let section = reader.section(node, what, place, &keys::COMMANDS)?;
        let commands = of_section(reader, &section, &BTreeMap::new())?;
        whole_paths(reader, &commands, place);
        return Some(commands);
    };
    let name = reader.text(driver)?.to_owned();
    let Some((_, table)) = TABLES.iter().find(|(n, _)| *n == name) else {
        let near = nearest(&name, TABLES.iter().map(|(n, _)| *n)).map(did_you_mean);
        let known: Vec<&str> = TABLES.iter().map(|(n, _)| *n).collect();
        let help = near.unwrap_or_else(|| format!("there is {}; or write `up`, `down` and `observe` out", known.join(", ")));
        reader.report(Code::BadValue, &driver.place, format!("there is no driver `{name}`")).help = Some(help);
        return None;
    };
    let mut words = BTreeMap::new();
    for (key, value) in entries.iter().filter(|(k, _)| k.text != "driver") {
        if !table.contains(&format!("{{{}}}", key.text)) {
            reader.report(Code::UnknownKey, &key.place, format!("the driver {name} has no parameter `{}`", key.text));
        }
        words.insert(key.text.clone(), reader.text(value)?.to_owned());
    }
    let source = Arc::new(Source { name: format!("the table of {name}"), text: (*table).to_owned() });
    let root = yaml::parse(&source, reader.found)?;
    let section = reader.section(&root, "the table", place, &keys::COMMANDS)?;
    let commands = of_section(reader, &section, &words)?;
    let all = commands.up.iter().chain(&commands.down).flatten().chain(&commands.observe);
    if let Some(missing) = all.filter_map(|w| w.split_once('{')?.1.split_once('}')).map(|(word, _)| word.to_owned()).next() {
        reader.report(Code::MissingKey, place, format!("{what} has no `{missing}`, which the driver {name} requires"));
        return None;
    }
    whole_paths(reader, &commands, place);
    Some(commands)
}

fn of_section(reader: &mut YamlReader<'_>, section: &Section<'_>, words: &BTreeMap<String, String>) -> Option<Commands> {
    let put_in =
        |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("{{{word}}}"), value));
    let one = |reader: &mut YamlReader<'_>, node: &YamlNode| -> Vec<String> {
        reader.list(Some(node)).into_iter().filter_map(|n| reader.text(n)).map(put_in).collect()
    };
    let (up, down) = (section.want(reader, "up")?, section.want(reader, "down")?);
    // One command may be written without the list around it.
    let all = |reader: &mut YamlReader<'_>, node: &YamlNode| -> Vec<Vec<String>> {
        let items = reader.list(Some(node));
        if items.iter().all(|n| !matches!(n.kind, YamlKind::List(_))) {
            return vec![one(reader, node)];
        }
        items.into_iter().map(|n| one(reader, n)).collect()
    };
    let (up, down) = (all(reader, up), all(reader, down));
    let observe = section.want(reader, "observe")?;
    let observe = one(reader, observe);
    let expression = |reader: &mut YamlReader<'_>, key: &str| -> Option<String> {
        let node = section.want(reader, key)?;
        let text = reader.text(node)?;
        if let Err(e) = regex::Regex::new(text) {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reader.report(Code::BadValue, &node.place, format!("`{text}` is not a valid regular expression: {why}"));
            return None;
        }
        Some(text.to_owned())
    };
    Some(Commands { up, down, observe, up_when: expression(reader, "up_when")?, down_when: expression(reader, "down_when")? })
}

/// Programs must be whole paths: no shell looks for them, and no folder that another user may write comes first.
fn whole_paths(reader: &mut YamlReader<'_>, commands: &Commands, place: &Place) {
    let whole = |w: &&Vec<String>| w.first().is_none_or(|p| !(p.starts_with('/') || p.contains(":\\")));
    let all = commands.up.iter().chain(&commands.down).chain(std::iter::once(&commands.observe));
    if let Some(words) = all.into_iter().find(whole) {
        let message = match words.first() {
            Some(program) => format!("`{program}`: write the absolute path of the program: no shell searches for it"),
            None => "the command is empty".to_owned(),
        };
        reader.report(Code::BadValue, place, message);
    }
}
