//! The names by which `history` selects entries: a name that nothing has is refused, with the nearest one that something has.

use std::collections::BTreeSet;

use crate::core::base::text::printable;
use crate::core::base::time::Time;
use crate::core::diag::suggest::hint;
use crate::core::journal::{HISTORY_KINDS, HistoryEntry};
use crate::core::notice::Kind;
use crate::shell::site_files::{SiteFiles, load, paths};

use super::Args;

/// What a name of an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NamedThing {
    Alarm,
    Host,
    Resource,
    Reaction,
}

impl NamedThing {
    pub(super) const ALL: [NamedThing; 4] = [NamedThing::Alarm, NamedThing::Host, NamedThing::Resource, NamedThing::Reaction];

    /// Its name, which is also that of the option.
    fn name(self) -> &'static str {
        match self {
            NamedThing::Alarm => "alarm",
            NamedThing::Host => "host",
            NamedThing::Resource => "resource",
            NamedThing::Reaction => "reaction",
        }
    }

    /// The name that an entry has of this kind.
    pub(super) fn of(self, entry: &HistoryEntry) -> Option<&String> {
        match self {
            NamedThing::Alarm => entry.alarm.as_ref(),
            NamedThing::Host => entry.host.as_ref(),
            NamedThing::Resource => entry.resource.as_ref(),
            NamedThing::Reaction => entry.reaction.as_ref(),
        }
    }

    /// The name that the arguments want of this kind.
    pub(super) fn wanted(self, args: &Args) -> Option<&String> {
        match self {
            NamedThing::Alarm => args.past.of_alarm.as_ref(),
            NamedThing::Host => args.past.host.as_ref(),
            NamedThing::Resource => args.resource.as_ref(),
            NamedThing::Reaction => args.reaction.as_ref(),
        }
    }
}

/// The names in entries of the journal.
#[derive(Debug, Default)]
pub(super) struct SeenNames(BTreeSet<(NamedThing, String)>);

impl SeenNames {
    pub(super) fn add(&mut self, entry: &HistoryEntry) {
        for what in NamedThing::ALL {
            if let Some(name) = what.of(entry)
                && !self.0.contains(&(what, name.clone()))
            {
                self.0.insert((what, name.clone()));
            }
        }
    }

    /// A message about a wanted name that neither the journal nor the configuration has.
    pub(super) fn unknown(mut self, args: &Args) -> Option<String> {
        let wanted = || NamedThing::ALL.into_iter().filter_map(|what| Some((what, what.wanted(args)?)));
        if wanted().all(|(what, name)| self.0.contains(&(what, name.clone()))) {
            return None;
        }
        // Without its site, nobody knows which names are wrong.
        if !self.add_site(args) {
            return None;
        }
        let (what, name) = wanted().find(|(what, name)| !self.0.contains(&(*what, (*name).clone())))?;
        let what_name = what.name();
        let known = self.0.iter().filter(|(of, _)| *of == what).map(|(_, name)| name.as_str());
        Some(format!(
            "--{what_name}: neither the journal nor the configuration has the {what_name} {}{}",
            printable(name),
            hint(name, known)
        ))
    }

    /// Adds the names that the site has now. Returns false if it cannot be read.
    fn add_site(&mut self, args: &Args) -> bool {
        let config = Some(paths::controller(args.whom.config.as_deref()));
        let Some(site) = load(&SiteFiles { config, ..SiteFiles::default() }).site else { return false };
        let mut add = |what: NamedThing, name: &str| {
            self.0.insert((what, name.to_owned()));
        };
        site.program.alarms.iter().for_each(|alarm| add(NamedThing::Alarm, &alarm.name));
        site.inventory.hosts.keys().for_each(|name| add(NamedThing::Host, name));
        site.inventory.resources.keys().for_each(|name| add(NamedThing::Resource, name));
        let alarms = &site.program.alarms;
        let calls = alarms.iter().flat_map(|alarm| alarm.react.iter().chain(&alarm.on_cancel).flatten());
        calls.for_each(|call| add(NamedThing::Reaction, &call.reaction));
        true
    }
}

/// Parses the value of `--kind`.
pub(super) fn kind(text: &str) -> Result<String, String> {
    let known = || HISTORY_KINDS.iter().copied().chain(Kind::ALL.iter().map(|kind| kind.name()));
    if known().any(|kind| kind == text) {
        return Ok(text.to_owned());
    }
    let near = match hint(text, known()).as_str() {
        "" => format!("; there are {} and the kinds of docs/reference/notices.md", HISTORY_KINDS.join(", ")),
        near => near.to_owned(),
    };
    Err(format!("no entry is of that kind{near}"))
}

/// Says that there is nothing, and of what.
pub(super) fn nothing(args: &Args) -> String {
    let about = NamedThing::ALL
        .into_iter()
        .filter_map(|what| Some(format!("about the {} {}", what.name(), printable(what.wanted(args)?))));
    let more = [
        args.kind.as_ref().map(|kind| format!("of the kind {kind}")),
        args.run.map(|run| format!("of run {run}")),
        args.audit.then(|| "that an operator asked for".to_owned()),
        args.past.since.map(|since: Time| format!("since {since}")),
        args.past.until.map(|until| format!("until {until}")),
    ];
    let all: Vec<String> = about.chain(more.into_iter().flatten()).collect();
    match all.is_empty() {
        true => "the journal has nothing that people want to read: the controller has not started yet".to_owned(),
        false => format!("the journal has nothing {}", all.join(" ")),
    }
}
