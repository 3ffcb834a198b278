//! The differences between two sites, for people. They are shown before the new site is accepted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::core::config::Config;
use crate::core::control::Controller;
use crate::core::inventory::{Inventory, Name, Via};
use crate::core::lang::program::Program;
use crate::core::lang::shape::{self, Reset};
use crate::core::script::{BUILT_IN, BUILT_IN_SCRIPT, built_in};
use crate::core::site::Site;

/// The note for a setting that is read only at a start.
const NEEDS_A_RESTART: &str = "needs a restart";

/// One difference from the running site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SiteChange {
    /// The kind: `alarm`, `pattern`, `reaction`, `script`, `host`, `application`, `pair`, `resource`, `channel`, `route`, `file`
    /// or `setting`.
    pub(super) what: &'static str,
    pub(super) name: String,
    /// The change: `added`, `removed` or `changed`.
    pub(super) change: &'static str,
    /// What happens to its state, or when the change takes effect. `None` if there is no state and the change takes effect at
    /// once.
    pub(super) state: Option<String>,
}

/// The differences between two sets of rules. Comparing ten thousand rules takes a while, so the controller's thread does not do
/// it.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// The alarms whose state is dropped.
    pub(super) reset: Reset,
    different: Vec<((&'static str, String), &'static str)>,
}

impl Rules {
    pub(super) fn between(before: &Program, after: &Program) -> Rules {
        let mut different = different(&shape::all(before), &shape::all(after));
        // Nobody wrote the built-in reaction: it comes and goes with the first rule that uses it.
        let is_built_in = |program: &Program| program.reactions.get(BUILT_IN).is_none_or(|r| r.script == BUILT_IN_SCRIPT);
        if is_built_in(before) && is_built_in(after) {
            different.retain(|((what, name), _)| *what != "reaction" || name != BUILT_IN);
        }
        Rules { reset: shape::reset(before, after), different }
    }

    fn list(&self, controller: &Controller, all: &mut Vec<SiteChange>) {
        let mut active: BTreeMap<&str, usize> = BTreeMap::new();
        for (alarm, ..) in controller.alarms().active() {
            *active.entry(alarm).or_default() += 1;
        }
        let cleared = |name: &str| match active.get(name) {
            Some(1) => "; 1 that is active is cleared, without its reactions".to_owned(),
            Some(n) => format!("; {n} that are active are cleared, without their reactions"),
            None => String::new(),
        };
        for ((what, name), change) in &self.different {
            let state = match (*what, *change) {
                ("alarm", "changed") => Some(match self.reset.get(name) {
                    Some(why) => format!("state is reset: {why}{}", cleared(name)),
                    None => "state is kept".to_owned(),
                }),
                ("alarm", "removed") => Some(format!("its state is dropped{}", cleared(name))),
                _ => None,
            };
            all.push(SiteChange { what, name: name.clone(), change, state });
        }
    }
}

/// All differences between the running site and another one, by kind and name. `before` has the configurations of the start and
/// of now.
pub(super) fn between(
    running: &Site,
    controller: &Controller,
    before: [&Config; 2],
    rules: &Rules,
    after: &Site,
    config: &Config,
) -> Vec<SiteChange> {
    let mut all = Vec::new();
    rules.list(controller, &mut all);
    scripts(running, after, &mut all);
    inventory(running, after, &mut all);
    settings(before, config, &mut all);
    all
}

fn scripts(running: &Site, after: &Site, all: &mut Vec<SiteChange>) {
    let built_in = built_in();
    let texts = |site: &Site| {
        let written = site.scripts.iter().filter(|(_, script)| script.source.text != built_in.text);
        written.map(|(name, script)| (name.clone(), script.source.text.clone())).collect::<BTreeMap<_, _>>()
    };
    for (name, change) in different(&texts(running), &texts(after)) {
        let under_way = "unfinished runs continue with the text that they began with".to_owned();
        let state = (change != "added").then_some(under_way);
        all.push(SiteChange { what: "script", name, change, state });
    }
}

fn inventory(running: &Site, after: &Site, all: &mut Vec<SiteChange>) {
    let (old, new) = (&running.inventory, &after.inventory);
    let mut push = |what: &'static str, changes: Vec<(Name, &'static str)>| {
        all.extend(changes.into_iter().map(|(name, change)| SiteChange { what, name, change, state: None }));
    };
    push("host", different(&old.hosts, &new.hosts));
    push("application", different(&old.applications, &new.applications));
    push("pair", different(&old.pairs, &new.pairs));
    push("group", different(&old.groups, &new.groups));
    push("channel", different(&old.channels, &new.channels));
    push("route", different(&old.routes, &new.routes));
    push("resource", different(&old.resources, &new.resources));
}

fn settings([started, running]: [&Config; 2], config: &Config, all: &mut Vec<SiteChange>) {
    let files = |c: &Config| c.files.iter().map(|f| (f.path.display().to_string(), f.clone())).collect::<BTreeMap<_, _>>();
    for (name, change) in different(&files(running), &files(config)) {
        all.push(SiteChange { what: "file", name, change, state: None });
    }
    let sockets = |c: &Config| (c.listen.udp.clone(), c.listen.tcp.clone(), c.listen.zones.clone());
    let late = [
        ("data", started.data != config.data),
        ("user", started.user != config.user),
        ("limits: memory (queues and buffers)", started.inventory.memory != config.inventory.memory),
        ("listen: syslog", sockets(started) != sockets(config)),
        ("listen: agents", started.listen.agents != config.listen.agents),
        ("metrics", started.metrics != config.metrics),
        ("journal: unwanted", started.journal.unwanted != config.journal.unwanted),
        ("what this machine may touch (`via: local`)", here(&started.inventory) != here(&config.inventory)),
    ];
    for (name, _) in late.into_iter().filter(|(_, is)| *is) {
        let state = Some(format!("{NEEDS_A_RESTART}; unchanged until then"));
        all.push(SiteChange { what: "setting", name: name.to_owned(), change: "changed", state });
    }
    let kept = |c: &Config| (c.journal.keep, c.journal.size);
    let at_once = [
        ("reload", running.reload != config.reload),
        ("access", running.access != config.access),
        ("journal: keep, size", kept(running) != kept(config)),
        ("listen: privileged_senders", running.inventory.privileged_senders != config.inventory.privileged_senders),
        ("maintenance (calendars)", running.inventory.maintenance != config.inventory.maintenance),
    ];
    for (name, _) in at_once.into_iter().filter(|(_, is)| *is) {
        all.push(SiteChange { what: "setting", name: name.to_owned(), change: "changed", state: None });
    }
}

/// The resources that the controller's own machine brings up and down.
fn here(inventory: &Inventory) -> Vec<String> {
    let local: BTreeSet<&Name> = inventory.hosts.iter().filter(|(_, h)| h.via == Via::Local).map(|(name, _)| name).collect();
    let placements = inventory.resources.iter().flat_map(|(name, r)| r.placements.iter().map(move |s| (name, &r.what, s)));
    placements.filter(|(_, _, s)| local.contains(&s.host)).map(|placement| format!("{placement:?}")).collect()
}

/// The names that only one of the maps has, or whose values differ, in order.
fn different<K: Ord + Clone, V: PartialEq>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Vec<(K, &'static str)> {
    let names: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    let change = |name: &K| match (old.get(name), new.get(name)) {
        (None, _) => Some("added"),
        (_, None) => Some("removed"),
        (Some(before), Some(after)) => (before != after).then_some("changed"),
    };
    names.into_iter().filter_map(|name| Some((name.clone(), change(name)?))).collect()
}
