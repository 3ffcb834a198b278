//! Groups, pairs and sites of the inventory in conditions: as senders, as names, and how many of their members are in a
//! state.
//!
//! Everything is resolved here, by the inventory with which the rules are compiled. The engine gets names and numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::limits::GROUP_SENDERS;
use crate::core::diag::Code;
use crate::core::inventory::{Group, Inventory};
use crate::core::lang::ast::{self, At, Choice, File, Quantity, Text};
use crate::core::lang::program::{Counted, MemberState, Members, Sender, Shape, Signal};

use super::Compiler;
use super::condition::CompiledDetect;

impl<'w> Compiler<'_, 'w> {
    /// The members of a group as senders.
    pub(super) fn group_senders(&mut self, file: &File, word: &Text) -> Vec<Sender> {
        let Some(group) = self.group(file, word) else { return vec![nobody(word)] };
        if !self.room_for_senders(file, word, group.hosts.len() + group.applications.len()) {
            return vec![nobody(word)];
        }
        let hosts = group.hosts.into_iter().map(Sender::Host);
        hosts.chain(group.applications.into_iter().map(Sender::App)).collect()
    }

    /// The hosts of a site as senders.
    pub(super) fn site_senders(&mut self, file: &File, word: &Text) -> Vec<Sender> {
        let Some(inventory) = self.inventory_for(file, word) else { return vec![nobody(word)] };
        let at = inventory.hosts.iter().filter(|(_, host)| host.site == word.it && !word.it.is_empty());
        let hosts: Vec<Sender> = at.map(|(name, _)| Sender::Host(name.clone())).collect();
        if hosts.is_empty() {
            let known = sites(inventory);
            self.unknown(file, Code::UnknownGroup, word, format!("no host has the site `{}`", word.it), known);
            return vec![nobody(word)];
        }
        if self.room_for_senders(file, word, hosts.len()) { hosts } else { vec![nobody(word)] }
    }

    /// False when groups stand for too many senders already; this is reported once.
    fn room_for_senders(&mut self, file: &File, word: &Text, more: usize) -> bool {
        let before = self.group_senders;
        self.group_senders = before.saturating_add(more);
        if before <= GROUP_SENDERS && self.group_senders > GROUP_SENDERS {
            let message = format!("with `{}` the groups of all conditions stand for more than {GROUP_SENDERS} senders", word.it);
            let help = "name the group once, in a pattern, and that pattern in the alarms; or match by `from type`".to_owned();
            self.report(file, Code::TooManyAlternatives, &word.span, message).help = Some(help);
        }
        self.group_senders <= GROUP_SENDERS
    }

    /// The hosts that `host a, b` or `host in G` names; empty for all.
    pub(super) fn those_hosts(&mut self, file: &File, names: &[Text], group: Option<&Text>) -> Vec<String> {
        match group {
            None => self.hosts(file, names),
            Some(word) => self.members_of(file, word, "host"),
        }
    }

    pub(super) fn those_apps(&mut self, file: &File, names: &[Text], group: Option<&Text>) -> Vec<String> {
        match group {
            None => self.apps(file, names),
            Some(word) => self.members_of(file, word, "app"),
        }
    }

    /// The hosts or the applications of a group. If it has none, a name that does not exist.
    fn members_of(&mut self, file: &File, word: &Text, field: &str) -> Vec<String> {
        let Some(group) = self.group(file, word) else { return vec![String::new()] };
        let (members, what) = if field == "host" { (group.hosts, "hosts") } else { (group.applications, "applications") };
        if members.is_empty() {
            let message = format!("the group `{}` has no {what}", word.it);
            self.report(file, Code::UnknownGroup, &word.span, message);
            return vec![String::new()];
        }
        members
    }

    /// The inventory, which is necessary to resolve this word; a missing one is reported.
    fn inventory_for(&mut self, file: &File, word: &Text) -> Option<&'w Inventory> {
        if self.world.inventory.is_none() {
            let message = format!("the members of `{}` are in the inventory, and none was given", word.it);
            let help = "name the configuration as well: -c FILE".to_owned();
            self.report(file, Code::UnknownGroup, &word.span, message).help = Some(help);
        }
        self.world.inventory
    }

    fn group(&mut self, file: &File, word: &Text) -> Option<Group> {
        let inventory = self.inventory_for(file, word)?;
        let found = inventory.groups.get(&word.it).cloned();
        if found.is_none() {
            let known = inventory.groups.keys().map(String::as_str);
            self.unknown(file, Code::UnknownGroup, word, format!("the inventory has no group `{}`", word.it), known);
        }
        found
    }

    /// Checks that a count of members in a state is alone in a `detect`.
    pub(super) fn members_alone<'c>(
        &mut self,
        file: &File,
        choices: impl IntoIterator<Item = &'c Choice>,
        alone: Option<&ast::AtomSyntax>,
    ) {
        let mut found = Vec::new();
        choices.into_iter().for_each(|choice| counted(choice, &mut found));
        for atom in found {
            let Some(on) = on(atom).filter(|_| alone != Some(atom)) else { continue };
            let help = "make an alarm of it (category none, if people need not see it), and join `alarm X active`".to_owned();
            let message = "a count of group members in a state must be the whole `detect`, or be joined with other states";
            self.report(file, Code::StandsAlone, &on.span, message).help = Some(help);
        }
    }

    /// A condition about the number of members of a group that are in a state.
    pub(super) fn members(&mut self, file: &File, state: &ast::AtomSyntax, found: &mut CompiledDetect) {
        let Some(on) = on(state) else { return };
        let Some((counted, _, ended)) = self.counted(file, state, on) else { return };
        let by = keys(state);
        if !found.by.is_empty() && found.by != by {
            let help = if by.is_empty() {
                "remove `by`: there is only one group".to_owned()
            } else {
                format!("write by {}", by.join(", "))
            };
            let message = format!("a count of `{}` cannot have these keys", on.it.of.it);
            self.report(file, Code::KeysDiffer, &on.span, message).help = Some(help);
        }
        found.by = by;
        let ended = self.signal(file, ended, &on.span);
        found.detect.parts.push(vec![ended]);
        found.detect.shape = Shape::Members(Box::new(counted));
    }

    /// The count of the members of a group, with the signals that begin and end the state of one.
    pub(super) fn counted(
        &mut self,
        file: &File,
        state: &ast::AtomSyntax,
        on: &At<ast::MembersSyntax>,
    ) -> Option<(Counted, Signal, Signal)> {
        let named = |names: &[Text], group: &Option<Text>| group.is_some() || !names.is_empty();
        let (state, field, [began, ended], named) = match state {
            ast::AtomSyntax::Host { names, group, .. } => {
                (MemberState::Lost, "host", [Signal::HostLost, Signal::HostBack], named(names, group))
            }
            ast::AtomSyntax::App { names, group, .. } => {
                (MemberState::Stopped, "app", [Signal::AppStopped, Signal::AppRuns], named(names, group))
            }
            ast::AtomSyntax::Alarm { name, .. } => {
                let keys = self.alarm_keys.get(name.it.as_str()).cloned().unwrap_or_default();
                let Some(field) = ["app", "host"].into_iter().find(|f| keys.iter().any(|k| k == f)) else {
                    let message = format!(
                        "`{}` has neither the key `app` nor `host`, so it does not say which member it is about",
                        name.it
                    );
                    self.report(file, Code::KeysDiffer, &on.span, message);
                    return None;
                };
                let alarm = || name.it.clone();
                (MemberState::Active(alarm()), field, [Signal::Raised(alarm()), Signal::Cleared(alarm())], false)
            }
            _ => return None,
        };
        if named {
            let message = "the names and `on ... of` both say which members are meant";
            self.report(file, Code::StandsAlone, &on.span, message).help = Some("remove the names".to_owned());
        }
        let groups = self.groups_of(file, on, field);
        let said = format!("{:?} of {}", on.it.quantity, on.it.of.it);
        Some((Counted { state, field, said, groups }, began, ended))
    }

    fn groups_of(&mut self, file: &File, on: &At<ast::MembersSyntax>, field: &'static str) -> Vec<Members> {
        let of = &on.it.of;
        let Some(inventory) = self.inventory_for(file, of) else { return Vec::new() };
        let all: Vec<(Vec<String>, Vec<String>)> = match of.it.as_str() {
            "pair" => inventory.pairs.iter().map(|(name, p)| (vec![name.clone()], pair(inventory, p, field))).collect(),
            "site" => of_sites(inventory, field).into_iter().map(|(site, members)| (vec![site.to_owned()], members)).collect(),
            _ => vec![(Vec::new(), self.members_of(file, of, field))],
        };
        let wanted = |size: usize| match on.it.quantity {
            Quantity::Any => Some(1),
            Quantity::All => Some(size),
            Quantity::AllBut(others) => size.checked_sub(others),
            Quantity::Some(n) => Some(n),
        };
        let fits = |size: usize| wanted(size).filter(|n| (1..=size).contains(n));
        let group = |(key, mut members): (Vec<String>, Vec<String>)| {
            members.sort_unstable();
            Some(Members { n: fits(members.len())?, key, members })
        };
        let groups: Vec<Members> = all.into_iter().filter_map(group).collect();
        if groups.is_empty() {
            let message = format!("no `{}` of the inventory has that many members", of.it);
            self.report(file, Code::BadCount, &on.span, message);
        }
        groups
    }
}

/// The group, and the quantity of its members, that a state is about.
pub(super) fn on(state: &ast::AtomSyntax) -> Option<&At<ast::MembersSyntax>> {
    match state {
        ast::AtomSyntax::Alarm { on, .. } | ast::AtomSyntax::Host { on, .. } | ast::AtomSyntax::App { on, .. } => on.as_ref(),
        _ => None,
    }
}

/// The keys of a condition about the number of members of a group that are in a state.
pub(super) fn keys(state: &ast::AtomSyntax) -> Vec<String> {
    let each = on(state).map(|on| on.it.of.it.as_str()).filter(|of| crate::core::inventory::EACH.contains(of));
    each.into_iter().map(str::to_owned).collect()
}

fn counted<'c>(choice: &'c Choice, found: &mut Vec<&'c ast::AtomSyntax>) {
    for atom in &choice.atoms {
        match atom {
            ast::AtomSyntax::Group(inner) => counted(inner, found),
            ast::AtomSyntax::Not { .. } => {}
            atom if on(atom).is_some() => found.push(atom),
            _ => {}
        }
    }
}

/// A sender that no event has.
fn nobody(word: &Text) -> Sender {
    Sender::Host(format!("nobody in {}", word.it))
}

pub(super) fn sites(inventory: &Inventory) -> BTreeSet<&str> {
    inventory.hosts.values().map(|host| host.site.as_str()).filter(|site| !site.is_empty()).collect()
}

fn pair(inventory: &Inventory, pair: &crate::core::inventory::Pair, field: &str) -> Vec<String> {
    let apps = [&pair.primary, &pair.backup];
    if field == "app" {
        return apps.into_iter().cloned().collect();
    }
    let hosts: BTreeSet<&String> = apps.into_iter().filter_map(|app| inventory.host_of(app)).collect();
    hosts.into_iter().cloned().collect()
}

/// The hosts, or the applications, at each site.
fn of_sites<'i>(inventory: &'i Inventory, field: &str) -> BTreeMap<&'i str, Vec<String>> {
    let site = |host: &str| inventory.hosts.get(host).map_or("", |h| h.site.as_str());
    let mut all: BTreeMap<&str, Vec<String>> = sites(inventory).into_iter().map(|site| (site, Vec::new())).collect();
    let hosts = inventory.hosts.keys().map(|host| (host.as_str(), host));
    let apps = inventory.applications.iter().map(|(name, app)| (app.host.as_str(), name));
    let members: Vec<(&str, &String)> = if field == "host" { hosts.collect() } else { apps.collect() };
    for (host, member) in members {
        if let Some(members) = all.get_mut(site(host)) {
            members.push(member.clone());
        }
    }
    all
}
