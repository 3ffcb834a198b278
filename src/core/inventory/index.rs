//! Looks up what the names in a record mean, at a cost that does not grow with the inventory.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::core::event::Event;

use super::{Inventory, Name};

/// The names of an event. Each is the inventory's name if the record has that name or an alias of it, and otherwise the name as
/// written; empty if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names<'a> {
    pub app: &'a str,
    /// The type of the application, from the inventory, or else from the file header.
    pub kind: &'a str,
    /// The host. If the record names none, it is the host of the application.
    pub host: &'a str,
    pub pair: &'a str,
}

/// The names of an inventory, ready for look-up.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Applications by name and alias.
    apps: BTreeMap<String, App>,
    /// Applications by program. They are few: one for each host of a pair.
    programs: BTreeMap<String, Vec<App>>,
    /// Hosts by name, alias and address as written.
    hosts: BTreeMap<String, Name>,
    /// The sites of hosts, by the inventory's name of the host, if the configuration has one.
    sites: BTreeMap<Name, String>,
}

#[derive(Clone, Debug, Default)]
struct App {
    name: Name,
    kind: String,
    host: Name,
    pair: Name,
}

impl Index {
    /// The index of an inventory.
    pub fn new(inventory: &Inventory) -> Index {
        let mut index = Index::default();
        for (name, host) in &inventory.hosts {
            if !host.site.is_empty() {
                index.sites.insert(name.clone(), host.site.clone());
            }
            let address = host.address.map(|a| a.to_string());
            for written in address.iter().chain(&host.aliases).chain([name]) {
                index.hosts.insert(written.clone(), name.clone());
            }
        }
        for (name, application) in &inventory.applications {
            let pair = inventory.pairs.iter().find(|(_, p)| &p.primary == name || &p.backup == name);
            let pair = pair.map(|(pair, _)| pair.clone()).unwrap_or_default();
            let app = App { name: name.clone(), kind: application.kind.clone(), host: application.host.clone(), pair };
            for alias in &application.aliases {
                // An alias that is the same on several hosts is a program.
                if inventory.of_program(alias).nth(1).is_some() {
                    index.programs.entry(alias.clone()).or_default().push(app.clone());
                } else {
                    index.apps.insert(alias.clone(), app.clone());
                }
            }
            if !application.program.is_empty() && !application.aliases.contains(&application.program) {
                index.programs.entry(application.program.clone()).or_default().push(app.clone());
            }
            index.apps.insert(name.clone(), app);
        }
        index
    }

    /// The names of an event.
    pub fn names<'a>(&'a self, event: &'a Event<'_>) -> Names<'a> {
        let host = if event.host.is_empty() { None } else { self.host(&event.host) };
        let app = if event.app.is_empty() { None } else { self.app_on(&event.app, &event.host, host) };
        Names {
            app: app.map_or(&event.app, |a| &a.name),
            kind: app.map_or(&event.app_type, |a| &a.kind),
            host: match (host, event.host.is_empty(), app) {
                (Some(name), _, _) => name,
                (None, true, Some(app)) => &app.host,
                (None, _, _) => &event.host,
            },
            pair: app.map_or("", |a| &a.pair),
        }
    }

    /// The application that a record means: the program of its host, else the name or alias. If the record names no host, a
    /// program that only one application has also counts.
    fn app_on(&self, written: &str, host_written: &str, host: Option<&Name>) -> Option<&App> {
        if !self.programs.is_empty()
            && let Some(all) = self.programs.get(written)
        {
            let found = match (host, all.as_slice()) {
                (Some(host), all) => all.iter().find(|app| app.host == *host),
                (None, [only]) if host_written.is_empty() => Some(only),
                (None, _) => None,
            };
            if found.is_some() {
                return found;
            }
        }
        self.apps.get(written)
    }

    /// The site of a host, by the inventory's name of the host; empty if it has none.
    pub fn site(&self, host: &str) -> &str {
        self.sites.get(host).map_or("", String::as_str)
    }

    /// The application that logs mean: by name, by alias, or by a program that only one application has.
    pub fn app(&self, written: &str) -> Option<&Name> {
        let only = || self.programs.get(written).and_then(|all| if let [only] = all.as_slice() { Some(only) } else { None });
        self.apps.get(written).or_else(only).map(|app| &app.name)
    }

    /// The host that logs mean: by name, alias or address, or by its name before the first dot.
    pub fn host(&self, written: &str) -> Option<&Name> {
        self.hosts
            .get(written)
            // An IPv6 address may be written in many ways.
            .or_else(|| if written.contains(':') { self.hosts.get(&written.parse::<IpAddr>().ok()?.to_string()) } else { None })
            .or_else(|| self.hosts.get(written.split_once('.')?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::inventory::{Application, Host, Via};

    /// The index gives the same result as the inventory's own look-up, for every way to write a name.
    #[test]
    fn it_says_what_the_inventory_says() {
        let host = |address: &str, alias: &str| Host {
            address: address.parse().ok(),
            platform: "linux".to_owned(),
            via: Via::Agent,
            aliases: vec![alias.to_owned()],
            ..Host::default()
        };
        let app = |host: &str, alias: &str| Application {
            kind: "T".to_owned(),
            host: host.to_owned(),
            aliases: vec![alias.to_owned()],
            ..Application::default()
        };
        let inventory = Inventory {
            hosts: [("a".to_owned(), host("10.0.0.1", "alpha.x")), ("b".to_owned(), host("fd00::1", "beta"))].into(),
            applications: [("A".to_owned(), app("a", "one")), ("B".to_owned(), app("b", "two"))].into(),
            ..Inventory::default()
        };
        let index = Index::new(&inventory);
        for host in ["a", "b", "alpha.x", "alpha.y", "a.example.com", "beta.x", "10.0.0.1", "fd00:0::1", "10.0.0.2", "nobody", ""]
        {
            for app in ["A", "B", "one", "two", "three", ""] {
                let event = Event { host: host.into(), app: app.into(), app_type: "H".into(), ..Event::default() };
                let names = index.names(&event);
                let known = inventory.application(app);
                assert_eq!(names.app, known.map_or(app, |(n, _)| n));
                assert_eq!(names.kind, known.map_or("H", |(_, a)| &a.kind));
                let by_app = if host.is_empty() { known.map_or("", |(_, a)| a.host.as_str()) } else { host };
                assert_eq!(names.host, inventory.host(host).map_or(by_app, |(n, _)| n), "{host} {app}");
            }
        }
        // The same program on two hosts is one application on each.
        let keepalived =
            |host: &str| Application { host: host.to_owned(), program: "keepalived".to_owned(), ..Application::default() };
        let mut two = inventory.clone();
        two.applications.extend([("K1".to_owned(), keepalived("a")), ("K2".to_owned(), keepalived("b"))]);
        let index = Index::new(&two);
        for (host, app) in [("alpha.x", "K1"), ("fd00::1", "K2"), ("nobody", "keepalived"), ("", "keepalived")] {
            let event = Event { host: host.into(), app: "keepalived".into(), ..Event::default() };
            assert_eq!(index.names(&event).app, app, "{host}");
        }
        assert_eq!(Index::default().names(&Event { app: "x".into(), ..Event::default() }).app, "x", "as written");
    }
}
