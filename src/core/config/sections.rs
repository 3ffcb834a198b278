//! The sections of the configuration. `keys.rs` declares their keys.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::limits::ISOLATION;
use crate::core::base::time::parse_duration;
use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::core::event::{OWN_APP, Trust};
use crate::core::inventory::{
    Application, CatchUp, ClaimPattern, Host, Inventory, Moves, Name, OnLinkLoss, OnQuorumLoss, Pair, Placement, Resource,
    ResourceKind, SAYS_BACKUP, SAYS_PRIMARY, Standby, Takeover, Via,
};
use crate::core::yaml::{Section, YamlKey, YamlNode, YamlReader, parse_address};

use super::access;
use super::channels;
use super::claims;
use super::commands;
use super::files;
use super::groups;
use super::listen;
use super::metrics;
use super::policy::{self, ResourcePlaces};
use super::routes;
use super::sizes;
use super::watch;
use super::{Agent, Config, ConfigPlaces, LocalResource, ReloadPolicy, keys};

/// The longest name of an interface on Linux: IFNAMSIZ without its zero byte.
const INTERFACE: usize = 15;
/// The key of the calendar of recurring maintenance.
const MAINTENANCE: &str = "maintenance";
/// The name of `trust` in earlier versions. It is still read, with a warning.
const EARLIER_TRUST: &str = "provenance";
const PLATFORMS: &[(&str, &str)] =
    &[("linux", "linux"), ("windows", "windows"), ("aix", "aix"), ("solaris", "solaris"), ("other", "other")];

/// Names, aliases and addresses that are in use, with their owner and place.
type Taken = BTreeMap<String, (String, Place)>;

fn earlier_trust<'n>(reader: &mut YamlReader<'_>, section: &Section<'n>) -> Option<&'n YamlNode> {
    let node = section.get(EARLIER_TRUST)?;
    reader.report(Code::EarlierName, &node.place, "`provenance` is called `trust` now").help = Some("trust: address".to_owned());
    Some(node)
}

pub(super) fn config(source: &Arc<Source>, root: &YamlNode, found: &mut Vec<Diagnostic>) -> Config {
    let mut reader = YamlReader { found };
    let place = Place { source: source.clone(), bytes: 0..0 };
    let Some(top) = reader.section(root, "the configuration", &place, &keys::CONTROLLER) else { return Config::default() };
    let mut inventory = Inventory::default();
    let agents_wanted = hosts(&mut reader, &top, &mut inventory);
    applications(&mut reader, &top, &mut inventory);
    let resources = resources(&mut reader, &top, &mut inventory);
    pairs(&mut reader, &top, &mut inventory);
    channels::read(&mut reader, &top, &mut inventory);
    routes::read(&mut reader, &top, &mut inventory);
    groups::read(&mut reader, &top, &mut inventory);
    for (name, places) in &resources {
        policy::check(&mut reader, &inventory, name, places);
    }
    let (rules, rules_place): (Vec<PathBuf>, Vec<Place>) =
        reader.texts(top.get("rules")).into_iter().map(|(path, place)| (path.into(), place)).unzip();
    let rules = if rules.is_empty() { vec![PathBuf::from("rules")] } else { rules };
    let scripts = one(&mut reader, &top, "scripts").map(|(path, _)| path.into());
    let (data, data_place) = one(&mut reader, &top, "data").unzip();
    let data = data.map_or_else(|| super::default_data(source, super::CONTROLLER_DATA), PathBuf::from);
    let files = files::files(&mut reader, &top, &inventory);
    // If a host has an agent by configuration, or a resource is on a host that has one, the controller listens for agents by
    // default.
    let by_agent = |placement: &Placement| inventory.hosts.get(&placement.host).is_some_and(|host| host.via == Via::Agent);
    let agents_wanted = agents_wanted || inventory.resources.values().flat_map(|r| &r.placements).any(by_agent);
    let metrics = top.get("metrics").and_then(|node| Some((metrics::listener(&mut reader, node)?, node)));
    let monitoring = metrics.as_ref().map(|(listener, node)| (listener.address, node.place.clone()));
    let listen = listen::read(&mut reader, &top, &mut inventory, agents_wanted, monitoring);
    let metrics = metrics.map(|(listener, _)| listener);
    let ways = [("ask", ReloadPolicy::Ask), ("watch", ReloadPolicy::Watch)];
    let reload = top.get("reload").and_then(|n| reader.word(n, "way to reload", &ways)).unwrap_or_default();
    inventory.memory = sizes::memory(&mut reader, &top);
    let (user, user_place) = one(&mut reader, &top, "user").unzip();
    let journal = sizes::journal(&mut reader, &top);
    let access = access::access(&mut reader, &top);
    let places = ConfigPlaces { data: data_place, user: user_place, rules: rules_place.into_iter().next() };
    Config { inventory, listen, files, data, rules, scripts, reload, user, journal, access, metrics, places }
}

/// Reads a text that stands alone: not a list, from which one would be taken in silence.
fn one(reader: &mut YamlReader<'_>, top: &Section<'_>, key: &str) -> Option<(String, Place)> {
    let node = top.get(key);
    let mut all = reader.texts(node);
    if let (true, Some(node)) = (all.len() > 1, node) {
        reader.report(Code::WrongKind, &node.place, format!("`{key}` must be one text, not a list")).help =
            Some(format!("{key}: {}", all[0].0));
    }
    all.pop()
}

/// Reads the whole file of an agent.
pub(super) fn agent(source: &Arc<Source>, root: &YamlNode, found: &mut Vec<Diagnostic>) -> Agent {
    let mut reader = YamlReader { found };
    let place = Place { source: source.clone(), bytes: 0..0 };
    let Some(top) = reader.section(root, "the agent's configuration", &place, &keys::AGENT) else { return Agent::default() };
    let text = |reader: &mut YamlReader<'_>, key: &str| {
        top.want(reader, key).and_then(|n| reader.text(n)).unwrap_or_default().to_owned()
    };
    let mut agent = Agent { host: text(&mut reader, "host"), controller: text(&mut reader, "controller"), ..Agent::default() };
    if let (Some(node), None) =
        (top.get("controller"), agent.controller.rsplit_once(':').and_then(|(_, p)| p.parse::<u16>().ok()))
    {
        let message = format!("`{}` is not a host with a port", agent.controller);
        reader.report(Code::BadValue, &node.place, message).help = Some("controller: pointsman.example.com:5750".to_owned());
    }
    let (data, data_place) = one(&mut reader, &top, "data").unzip();
    agent.data = data.map_or_else(|| super::default_data(source, super::AGENT_DATA), PathBuf::from);
    agent.listen = top.get("listen").map(|n| listen::of_agent(&mut reader, n)).unwrap_or_default();
    let (user, user_place) = one(&mut reader, &top, "user").unzip();
    (agent.user, agent.places) = (user, ConfigPlaces { data: data_place, user: user_place, rules: None });
    watch::read(&mut reader, &top, &mut agent);
    // An agent that only watches or only votes has no resources.
    let looks = ["watch", "metrics", "listen"].iter().any(|key| top.get(key).is_some());
    let resources = if looks { top.get("resources") } else { top.want(&mut reader, "resources") };
    let mut addresses = Taken::new();
    for (key, node) in reader.named(resources) {
        let what = format!("resource {}", key.text);
        if commands::is_meant(node) {
            if let Some(commands) = commands::read(&mut reader, node, &what, &key.place) {
                agent.resources.insert(key.text.clone(), LocalResource::Commands(commands));
            }
            continue;
        }
        let Some(section) = reader.section(node, &what, &key.place, &keys::LOCAL_ADDRESS) else { continue };
        let address = section.want(&mut reader, "address").and_then(|n| network(&mut reader, n));
        let interface = section.want(&mut reader, "interface").and_then(|n| Some((reader.text(n)?.to_owned(), n)));
        let (Some((address, prefix)), Some((interface, node))) = (address, interface) else { continue };
        take(&mut reader, &mut addresses, &address.to_string(), &what, &key.place);
        if !is_interface(&interface, true) {
            reader.report(Code::BadValue, &node.place, format!("`{interface}` is not the name of a network interface"));
        }
        agent.resources.insert(key.text.clone(), LocalResource::Address(address, prefix, interface));
    }
    agent
}

fn is_interface(name: &str, linux: bool) -> bool {
    !(name.is_empty() || name.contains(['/', ' ']) || (linux && name.len() > INTERFACE))
}

/// Takes a name that must be unique. Returns false, and reports it, if something else has the name.
fn take(reader: &mut YamlReader<'_>, taken: &mut Taken, text: &str, owner: &str, place: &Place) -> bool {
    match taken.get(text) {
        Some((other, first)) => {
            let message =
                format!("`{text}` is the name, an alias or the address of {other} already, and can't be that of {owner} too");
            let first = first.clone();
            reader.report(Code::NameTaken, place, message).context.push((first, "first here".to_owned()));
            false
        }
        None => {
            taken.insert(text.to_owned(), (owner.to_owned(), place.clone()));
            true
        }
    }
}

/// Reads the hosts. Returns true if one of them has an agent by configuration.
fn hosts(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) -> bool {
    let mut agents = false;
    let mut taken = Taken::new();
    let all = reader.named(top.get("hosts"));
    for (key, _) in &all {
        take(reader, &mut taken, &key.text, &format!("host {}", key.text), &key.place);
    }
    for (key, node) in all {
        let what = format!("host {}", key.text);
        let Some(section) = reader.section(node, &what, &key.place, &keys::HOST) else { continue };
        let address = section.get("address").and_then(|n| Some((reader.address(n)?, n)));
        if let Some((address, node)) = address {
            take(reader, &mut taken, &address.to_string(), &what, &node.place);
        }
        let aliases = reader.texts(section.get("aliases"));
        for (alias, place) in &aliases {
            take(reader, &mut taken, alias, &what, place);
        }
        let ways = [("agent", Via::Agent), ("ssh", Via::Ssh), ("local", Via::Local)];
        let via = section.get("via").and_then(|n| Some((reader.word(n, "way to a host", &ways)?, n)));
        if let Some((Via::Ssh, node)) = via {
            let message = format!("`via: ssh` is not available yet: records of {what} are read, but nothing is done on it");
            reader.report(Code::NothingComesOfIt, &node.place, message).help =
                Some("write via: agent and run an agent there, if it should hold a resource".to_owned());
        }
        let via = via.map(|(via, _)| via);
        agents |= via == Some(Via::Agent);
        let host = Host {
            address: address.map(|(a, _)| a),
            platform: section.get("platform").and_then(|n| reader.word(n, "platform", PLATFORMS)).unwrap_or("linux").to_owned(),
            via: via.unwrap_or_default(),
            aliases: aliases.into_iter().map(|(a, _)| a).collect(),
            site: section.get("site").and_then(|n| reader.text(n)).unwrap_or_default().to_owned(),
            agent_port: section.get("agent_port").and_then(|n| port(reader, n)),
            zone: section.get("timezone").and_then(|n| files::zone(reader, n)),
        };
        inventory.maintenance.hosts.extend(calendar(reader, &section, &key.text));
        inventory.hosts.insert(key.text.clone(), host);
    }
    agents
}

fn applications(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) {
    let (mut taken, mut programs) = (Taken::new(), Taken::new());
    let all = reader.named(top.get("applications"));
    for (key, _) in &all {
        take(reader, &mut taken, &key.text, &format!("application {}", key.text), &key.place);
    }
    for (key, node) in all {
        let what = format!("application {}", key.text);
        let Some(section) = reader.section(node, &what, &key.place, &keys::APPLICATION) else { continue };
        let aliases = reader.texts(section.get("aliases"));
        for place in
            aliases.iter().filter(|(a, _)| a == OWN_APP).map(|(_, p)| p).chain((key.text == OWN_APP).then_some(&key.place))
        {
            reader.report(Code::NameTaken, place, format!("`{OWN_APP}` is the application of Pointsman's own events"));
        }
        let host = section.want(reader, "host").and_then(|n| reader.known(n, "host", inventory.hosts.keys()));
        for (alias, place) in &aliases {
            let on = host.clone().unwrap_or_default();
            if let Some((_, first)) = taken.get(alias) {
                // This is another application's own name.
                let first = first.clone();
                let message = format!("`{alias}` is the name of another application, and can't be an alias of {what}");
                reader.report(Code::NameTaken, place, message).context.push((first, "first here".to_owned()));
            } else if !take(reader, &mut programs, &format!("{alias} on {on}"), &what, place)
                && let Some(last) = reader.found.last_mut()
            {
                last.help = Some("on one host, a name in the logs must mean one application".to_owned());
            }
        }
        let program = section.get("program").and_then(|n| Some((reader.text(n)?.to_owned(), n)));
        let is_alias = |program: &str| aliases.iter().any(|(alias, _)| alias == program);
        if let (Some((program, node)), Some(host)) = (&program, &host)
            && !is_alias(program)
        {
            take(reader, &mut programs, &format!("{program} on {host}"), &what, &node.place);
        }
        let application = Application {
            kind: section.get("type").and_then(|n| reader.text(n)).unwrap_or_default().to_owned(),
            host: host.unwrap_or_default(),
            aliases: aliases.into_iter().map(|(a, _)| a).collect(),
            program: program.map(|(name, _)| name).unwrap_or_default(),
        };
        inventory.maintenance.applications.extend(calendar(reader, &section, &key.text));
        inventory.applications.insert(key.text.clone(), application);
    }
}

fn pairs(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) {
    let (mut members, mut followed) = (Taken::new(), Taken::new());
    for (key, node) in reader.named(top.get("pairs")) {
        let what = format!("pair {}", key.text);
        let Some(section) = reader.section(node, &what, &key.place, &keys::PAIR) else { continue };
        let mut member = |reader: &mut YamlReader<'_>, role: &str| -> Option<String> {
            let node = section.want(reader, role)?;
            let name = reader.known(node, "application", inventory.applications.keys())?;
            match members.get(&name) {
                Some((pair, first)) if *pair == what => {
                    let message = format!("{what} has {name} as its primary and as its backup");
                    let first = (first.clone(), "first here".to_owned());
                    let diagnostic = reader.report(Code::NameTaken, &node.place, message);
                    diagnostic.context.push(first);
                    diagnostic.help = Some("name the application of the other host".to_owned());
                }
                _ => {
                    take(reader, &mut members, &name, &what, &node.place);
                }
            }
            Some(name)
        };
        let (primary, backup) = (member(reader, "primary"), member(reader, "backup"));
        let resource = section.get("resource").and_then(|n| Some((reader.known(n, "resource", inventory.resources.keys())?, n)));
        if let Some((resource, node)) = &resource {
            take(reader, &mut followed, resource, &what, &node.place);
            for app in [&primary, &backup].into_iter().flatten() {
                has_placement(reader, inventory, resource, app, &node.place);
            }
        }
        let standby = [("hot", Standby::Hot), ("warm", Standby::Warm)];
        let catch_up = [("move", CatchUp::Move), ("ask", CatchUp::Ask)];
        let says_primary = claims::read(reader, &section, "says_primary", &SAYS_PRIMARY);
        let says_backup = claims::read(reader, &section, "says_backup", &SAYS_BACKUP);
        for (one, other) in [("says_primary", "says_backup"), ("says_backup", "says_primary")] {
            if let (Some(node), None) = (section.get(one), section.get(other)) {
                let message = format!("{what} has `{one}` and no `{other}`: the ids of Genesys servers are expected for that");
                reader.report(Code::NothingComesOfIt, &node.place, message).help = Some(format!("write `{other}` as well"));
            }
        }
        let pair = Pair {
            primary: primary.unwrap_or_default(),
            backup: backup.unwrap_or_default(),
            standby: section.get("standby").and_then(|n| reader.word(n, "kind of standby", &standby)).unwrap_or(Standby::Hot),
            resource: resource.map(|(r, _)| r),
            catch_up: section.get("catch_up").and_then(|n| reader.word(n, "way to catch up", &catch_up)).unwrap_or_default(),
            says_primary: says_primary.ids,
            says_backup: says_backup.ids,
            primary_patterns: says_primary.patterns,
            backup_patterns: says_backup.patterns,
        };
        let same_id = pair.says_primary.iter().find(|id| pair.says_backup.contains(id)).map(ToString::to_string);
        let same_pattern = pair.primary_patterns.iter().find(|p| pair.backup_patterns.contains(p)).map(|p| match p {
            ClaimPattern::Match(text) | ClaimPattern::Pattern(text) => text.clone(),
        });
        if let Some(both) = same_id.or(same_pattern)
            && let Some(node) = section.get("says_backup").or(section.get("says_primary"))
        {
            reader.report(
                Code::BadValue,
                &node.place,
                format!("{both} would claim both that a member is primary and that it is backup"),
            );
        }
        inventory.maintenance.pairs.extend(calendar(reader, &section, &key.text));
        inventory.pairs.insert(key.text.clone(), pair);
    }
}

/// The name of this part and its calendar of maintenance, if it has one.
fn calendar(reader: &mut YamlReader<'_>, section: &Section<'_>, name: &str) -> Option<(Name, String)> {
    let node = section.get(MAINTENANCE)?;
    Some((name.to_owned(), reader.text(node)?.to_owned()))
}

fn has_placement(reader: &mut YamlReader<'_>, inventory: &Inventory, resource: &str, app: &str, place: &Place) {
    let Some(host) = inventory.applications.get(app).map(|a| &a.host).filter(|h| !h.is_empty()) else { return };
    // A host that is not known was reported, and may be the one that is missing.
    let is_unknown = |s: &Placement| !inventory.hosts.contains_key(&s.host);
    if inventory.resources.get(resource).is_some_and(|r| r.placements.is_empty() || r.placements.iter().any(is_unknown)) {
        return;
    }
    let has_placement = inventory.resources.get(resource).is_some_and(|r| r.placements.iter().any(|s| &s.host == host));
    if !has_placement {
        let message = format!("{app} runs on {host}, and {resource} cannot be there");
        reader.report(Code::NoSeat, place, message).help =
            Some(format!("add {host} with its interface to the hosts of {resource}"));
    }
}

fn resources(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) -> BTreeMap<Name, ResourcePlaces> {
    let mut places = BTreeMap::new();
    let mut taken = Taken::new();
    for (key, node) in reader.named(top.get("resources")) {
        let what = format!("resource {}", key.text);
        let Some(section) = reader.section(node, &what, &key.place, &keys::RESOURCE) else { continue };
        let kinds = [("address", false), ("port", true)];
        let is_port =
            section.get("kind").and_then(|n| reader.word(n, "kind of resource in this version", &kinds)).unwrap_or(false);
        let address = if is_port { None } else { section.want(reader, "address").and_then(|n| network(reader, n)) };
        let port = if is_port { section.want(reader, "port").and_then(|n| port(reader, n)) } else { None };
        if let Some(node) = section.get(if is_port { "address" } else { "port" }) {
            let message = format!("{what} has the kind {}, which has no such key", if is_port { "port" } else { "address" });
            reader.report(Code::UnknownKey, &node.place, message);
        }
        if let (Some((address, _)), Some(node)) = (address, section.get("address")) {
            take(reader, &mut taken, &address.to_string(), &what, &node.place);
            if let Some((host, _)) = inventory.hosts.iter().find(|(_, h)| h.address == Some(address)) {
                let message = format!("{address} is the own address of {host}, so it cannot move");
                reader.report(Code::NameTaken, &node.place, message);
            }
        }
        if let (true, Some(node)) = (is_port, section.get("on_link_loss")) {
            let message = format!("{what} is a port, which has no network interface of its own, so `on_link_loss` has no effect");
            reader.report(Code::NothingComesOfIt, &node.place, message);
        }
        let placements = placements(reader, &section, &what, is_port, inventory);
        let witnesses: Vec<IpAddr> =
            reader.list(section.get("witnesses")).into_iter().filter_map(|n| reader.address(n)).collect();
        let on_all = |via: &[Via]| {
            placements.iter().all(|s: &Placement| inventory.hosts.get(&s.host).is_some_and(|h| via.contains(&h.via)))
        };
        let voters: Vec<Name> = reader
            .list(section.get("voters"))
            .into_iter()
            .filter_map(|n| reader.known(n, "host", inventory.hosts.keys()))
            .collect();
        let unless = if !is_port && policy::can_vote(inventory, &placements, &voters) {
            Takeover::Quorum
        } else if !witnesses.is_empty() && on_all(&[Via::Agent, Via::Local]) {
            Takeover::Probe
        } else {
            Takeover::Confirmed
        };
        let takeovers = [
            ("quorum", Takeover::Quorum),
            ("confirmed", Takeover::Confirmed),
            ("probe", Takeover::Probe),
            ("lease", Takeover::Lease),
            ("forced", Takeover::Forced),
        ];
        let trust_levels = Trust::ALL.map(|trust| (trust.name(), trust));
        let s = Duration::from_secs;
        let resource = Resource {
            what: match (address, port) {
                (Some((address, prefix)), _) => ResourceKind::Address(address, prefix),
                // Without a valid address or port there is a diagnostic, and only the kind counts.
                (None, None) if !is_port => ResourceKind::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 32),
                (None, port) => ResourceKind::Port(port.unwrap_or(0)),
            },
            placements,
            takeover: section.get("takeover").and_then(|n| reader.word(n, "way to take over", &takeovers)).unwrap_or(unless),
            witnesses,
            term: section.get("term").and_then(|n| reader.span(n, s(30)..=s(86_400))).unwrap_or(s(30)),
            isolation: section.get("isolation").and_then(|n| reader.span(n, s(1)..=s(60))).unwrap_or(ISOLATION),
            voters,
            on_quorum_loss: section
                .get("on_quorum_loss")
                .and_then(|n| {
                    let ways = [("release", OnQuorumLoss::Release), ("keep", OnQuorumLoss::Keep)];
                    reader.word(n, "way to act without a majority", &ways)
                })
                .unwrap_or_default(),
            moves: section.get("moves").and_then(|n| moves(reader, n)).unwrap_or_default(),
            on_link_loss: section
                .get("on_link_loss")
                .and_then(|n| reader.word(n, "action on link loss", &[("stay", OnLinkLoss::Stay), ("move", OnLinkLoss::Move)]))
                .unwrap_or_default(),
            repair: section.get("repair").and_then(|n| reader.truth(n)).unwrap_or(true),
            trust: section
                .get("trust")
                .or_else(|| earlier_trust(reader, &section))
                .and_then(|n| reader.word(n, "trust", &trust_levels))
                .unwrap_or(Trust::Address),
        };
        inventory.maintenance.resources.extend(calendar(reader, &section, &key.text));
        inventory.resources.insert(key.text.clone(), resource);
        let of = |name: &str| section.get(name).map(|n| n.place.clone());
        places.insert(
            key.text.clone(),
            ResourcePlaces {
                name: key.place.clone(),
                takeover: of("takeover"),
                witnesses: of("witnesses"),
                voters: of("voters"),
                on_quorum_loss: of("on_quorum_loss"),
            },
        );
    }
    places
}

fn port(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<u16> {
    let text = reader.text(node)?;
    let port = text.parse().ok().filter(|p| *p > 0);
    if port.is_none() {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not the number of a port")).help =
            Some("port: 5060".to_owned());
    }
    port
}

/// Reads an address with a prefix: `10.10.11.103/24`.
fn network(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<(IpAddr, u8)> {
    let text = reader.text(node)?;
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        let address = parse_address(address)?;
        let prefix: u8 = prefix.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (1..=most).contains(&prefix).then_some((address, prefix))
    });
    let usable = |a: IpAddr| !(a.is_unspecified() || a.is_loopback() || a.is_multicast());
    match parsed {
        Some((address, _)) if !usable(address) => {
            reader.report(Code::BadValue, &node.place, format!("{address} is not an address that clients can reach"));
            None
        }
        Some(network) => Some(network),
        None => {
            let message = format!("`{text}` is not an address with the length of its prefix");
            reader.report(Code::BadValue, &node.place, message).help = Some("write 10.10.11.103/24".to_owned());
            None
        }
    }
}

/// Reads placements: `hosts: { sip1: eth0, sip2: eth0 }`.
fn placements(
    reader: &mut YamlReader<'_>,
    section: &Section<'_>,
    what: &str,
    is_port: bool,
    inventory: &Inventory,
) -> Vec<Placement> {
    let node = section.want(reader, "hosts");
    let mut placements = Vec::new();
    for (YamlKey { text, place }, value) in reader.named(node) {
        // An unknown host is reported, and counts, so that it is the only mistake that is reported.
        reader.is_known(text, place, "host", inventory.hosts.keys());
        if is_port {
            let local = inventory.hosts.get(text).is_some_and(|h| h.via == Via::Local);
            if inventory.hosts.get(text).is_some_and(|h| h.via == Via::Ssh) {
                let message = format!("{what} cannot be on {text}: `via: ssh` is not available yet");
                reader.report(Code::CannotRun, place, message).help = Some("run an agent there: via: agent".to_owned());
                continue;
            }
            // A mistake in the commands does not change the host.
            let commands = match (commands::is_meant(value), local) {
                (true, true) => commands::read(reader, value, &format!("{what} on {text}"), place),
                (false, false) => {
                    reader.word(value, "way (the agent's own list has the commands)", &[("agent", ())]);
                    None
                }
                (true, false) => {
                    let message = format!("{text} has an agent, whose own list has the commands");
                    reader.report(Code::BadValue, &value.place, message).help = Some(format!("{text}: agent"));
                    None
                }
                (false, true) => {
                    let message = format!("{text} is this machine, so write the commands here");
                    reader.report(Code::BadValue, &value.place, message).help =
                        Some(format!("{text}: {{ driver: nlb, program: PATH, port: 5060, cluster: NAME, host: 1 }}"));
                    None
                }
            };
            placements.push(Placement { host: text.clone(), interface: String::new(), commands });
            continue;
        }
        let Some(interface) = reader.text(value) else { continue };
        can_have_address(reader, inventory, text, what, place);
        // Drivers of other platforms quote longer names.
        let linux = inventory.hosts.get(text).is_some_and(|h| h.platform == "linux");
        if !is_interface(interface, linux) {
            reader.report(Code::BadValue, &value.place, format!("`{interface}` is not the name of a network interface"));
        }
        placements.push(Placement { host: text.clone(), interface: interface.to_owned(), commands: None });
    }
    if let (Some(node), true) = (node, placements.len() < 2) {
        let message =
            format!("{what} can be on {}, so it cannot move", if placements.is_empty() { "no host" } else { "one host only" });
        reader.report(Code::FewSeats, &node.place, message).help = Some("hosts: { sip1: eth0, sip2: eth0 }".to_owned());
    }
    placements
}

/// Checks that a host can have an address: agents on Linux bring addresses up, and the controller does on its own machine.
fn can_have_address(reader: &mut YamlReader<'_>, inventory: &Inventory, host: &str, what: &str, place: &Place) {
    let Some(known) = inventory.hosts.get(host) else { return };
    let (message, help) = if known.via == Via::Ssh {
        (format!("{what} cannot be on {host}: `via: ssh` is not available yet"), "run an agent there: via: agent")
    } else if known.platform != "linux" {
        (
            format!(
                "{what} cannot be on {host}: addresses can be brought up only on Linux, and its platform is {}",
                known.platform
            ),
            "for other platforms write kind: port, with `up` and `down` in the agent's own list",
        )
    } else {
        return;
    };
    reader.report(Code::CannotRun, place, message).help = Some(help.to_owned());
}

/// Reads a limit of moves: `4 per 10m`.
fn moves(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<Moves> {
    let text = reader.text(node)?;
    let parsed = text.split_once(" per ").and_then(|(count, per)| {
        let count: u32 = count.trim().parse().ok()?;
        let per = parse_duration(per.trim())?;
        (count >= 1 && !per.is_zero()).then_some(Moves { count, per })
    });
    if parsed.is_none() {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not a number of moves within a time")).help =
            Some("write 4 per 10m".to_owned());
    }
    parsed
}
