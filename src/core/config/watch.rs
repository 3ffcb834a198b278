//! What an agent watches by its own configuration: `watch` (applications) and `metrics` (the host).
//!
//! `watch: { NAME: { pid_file: PATH, process: NAME } | { unit: NAME } | { process: NAME } }`,
//! `metrics: { every: 10s, of: [cpu, load1], disk_used: [/, /var] }`

use std::path::{Component, Path};

use crate::core::base::limits::{METRICS_EVERY_LEAST, METRICS_EVERY_MOST, MOUNTS, REPORTED_NAME, WATCHED};
use crate::core::diag::Code;
use crate::core::inventory::{METRICS, Measuring, OF_MOUNTS, Sign};
use crate::core::yaml::{Section, YamlKey, YamlNode, YamlReader};

use super::Agent;
use super::keys;
use super::listen;
use super::metrics;

/// Reads both, and reports what is wrong.
pub(super) fn read(reader: &mut YamlReader<'_>, top: &Section<'_>, agent: &mut Agent) {
    let all = reader.named(top.get("watch"));
    if let Some((key, _)) = all.get(WATCHED) {
        reader.report(Code::BadValue, &key.place, format!("an agent watches at most {WATCHED} applications"));
    }
    for (key, node) in all {
        if let Some(sign) = sign(reader, key, node) {
            agent.watch.insert(key.text.clone(), sign);
        }
    }
    let Some(node) = top.get("metrics") else { return };
    let Some(section) = reader.section(node, "`metrics`", &node.place, &keys::METRICS) else { return };
    agent.metrics = measuring(reader, &section);
    let Some(at) = section.get("listen") else { return };
    agent.monitored = metrics::of_section(reader, &section);
    if let Some(monitored) = &agent.monitored {
        let agents = (agent.listen, top.get("listen"));
        listen::of_agents_metrics(reader, agents, (monitored.address, at.place.clone()));
    }
}

/// Reads how the agent sees that an application runs.
fn sign(reader: &mut YamlReader<'_>, key: &YamlKey, node: &YamlNode) -> Option<Sign> {
    let what = format!("application {}", key.text);
    let section = reader.section(node, &what, &key.place, &keys::SIGN)?;
    let mut text = |name: &str| section.get(name).and_then(|n| Some((reader.text(n)?.to_owned(), n)));
    let (pid_file, unit, process) = (text("pid_file"), text("unit"), text("process"));
    if let Some((name, node)) = &process
        && (name.is_empty() || name.chars().count() > REPORTED_NAME)
    {
        reader.report(Code::BadValue, &node.place, format!("the name of a process has 1 to {REPORTED_NAME} characters"));
        return None;
    }
    match (pid_file, unit, process) {
        (Some((path, node)), None, process) => {
            if !path.starts_with('/') {
                reader.report(Code::BadValue, &node.place, "write the absolute path of the file");
                return None;
            }
            Some(Sign::PidFile(path.into(), process.map(|(name, _)| name)))
        }
        (None, Some((unit, node)), None) => {
            let plain = Path::new(&unit).components().all(|c| matches!(c, Component::Normal(_)));
            if !plain || !unit.contains('.') {
                let message = format!("`{unit}` is not the name of a unit");
                reader.report(Code::BadValue, &node.place, message).help = Some(
                    "unit: sip.service; for a unit outside system.slice write its path: machine.slice/sip.service".to_owned(),
                );
                return None;
            }
            Some(Sign::Unit(unit))
        }
        (None, None, Some((process, _))) => Some(Sign::Process(process)),
        (None, None, None) => {
            let message = format!("{what} does not say how to see that it runs");
            reader.report(Code::MissingKey, &key.place, message).help =
                Some("write { pid_file: /run/sip.pid }, { unit: sip.service } or { process: sipserver }".to_owned());
            None
        }
        _ => {
            let message = format!("{what} needs exactly one of `pid_file` (with the name of its process), `unit` and `process`");
            reader.report(Code::BadValue, &key.place, message);
            None
        }
    }
}

fn measuring(reader: &mut YamlReader<'_>, section: &Section<'_>) -> Measuring {
    let mut measuring = Measuring::default();
    if let Some(every) = section.get("every").and_then(|n| reader.span(n, METRICS_EVERY_LEAST..=METRICS_EVERY_MOST)) {
        measuring.every = every;
    }
    let words: Vec<(&str, &'static str)> = METRICS.iter().filter(|m| **m != OF_MOUNTS).map(|m| (*m, *m)).collect();
    for node in reader.list(section.get("of")) {
        measuring.of.extend(reader.word(node, "metric", &words).filter(|m| !measuring.of.contains(m)));
    }
    for (mount, place) in reader.texts(section.get(OF_MOUNTS)) {
        if !mount.starts_with('/') || measuring.mounts.contains(&mount) || measuring.mounts.len() >= MOUNTS {
            let message = format!("`{mount}` is not the whole path of a further mount point (at most {MOUNTS}, each once)");
            reader.report(Code::BadValue, &place, message);
            continue;
        }
        measuring.mounts.push(mount);
    }
    measuring
}
