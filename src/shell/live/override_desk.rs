//! The questions of operators about pauses, silences, maintenance and drains. Names are resolved, and requests that make no sense
//! are refused.

use serde_json::{Value as Json, json};

use crate::core::base::limits::SILENCE_KEY_BYTES;
use crate::core::base::text::printable;
use crate::core::inventory::Name;
use crate::core::lang::program::Category;
use crate::core::overrides::{Override, StandingOverride};

use super::desk::{Desk, unknown};
use super::questions::OverrideScope;

impl Desk<'_> {
    /// The overrides in force, as rows.
    pub(super) fn overrides(&self) -> Json {
        let row = |(id, standing): (u64, &StandingOverride)| {
            json!({ "number": id, "command": standing.what.commands()[0], "what": standing.what.target(), "by": standing.by,
                    "since": standing.since.to_string(), "until": standing.until.map(|until| until.to_string()),
                    "reason": standing.reason })
        };
        self.controller.overrides().standing().map(row).collect()
    }

    /// Resolves the override that an operator wants to begin.
    pub(super) fn what(&self, scope: &OverrideScope) -> Result<Override, String> {
        let inventory = &self.site.inventory;
        Ok(match scope {
            OverrideScope::Everything => Override::PauseAll,
            OverrideScope::Named(name) => {
                let scripts = self.site.scripts.keys().filter_map(|file| file.strip_suffix(".rhai"));
                let mut reactions = self.site.program.reactions.keys().map(String::as_str).chain(scripts);
                match (inventory.resources.contains_key(name), reactions.any(|reaction| reaction == name)) {
                    (true, false) => Override::PauseResource(name.clone()),
                    (false, true) => Override::PauseReaction(name.clone()),
                    (true, true) => {
                        return Err(format!(
                            "{name} is a resource and a reaction: give one of them another name, or pause --all"
                        ));
                    }
                    (false, false) => {
                        let reactions = self.site.program.reactions.keys();
                        return Err(unknown("resource or reaction", name, inventory.resources.keys().chain(reactions)));
                    }
                }
            }
            OverrideScope::Silence { matcher, all } => {
                if matcher.matches_everything() && !all {
                    return Err("this silence would match every alarm: name an alarm, --host, --app or --category, or use --all"
                        .to_owned());
                }
                if let Some(key) = matcher.key.as_ref().filter(|key| key.len() > SILENCE_KEY_BYTES) {
                    return Err(format!(
                        "the key has {} bytes, and {SILENCE_KEY_BYTES} are the limit: copy it from `pointsman alarms`",
                        key.len()
                    ));
                }
                let program = &self.site.program;
                if let Some(alarm) = matcher.alarm.as_ref().filter(|alarm| !program.alarms.iter().any(|a| a.name == **alarm)) {
                    return Err(unknown("alarm", alarm, program.alarms.iter().map(|a| &a.name)));
                }
                if let Some(host) = matcher.host.as_ref().filter(|host| !inventory.hosts.contains_key(*host)) {
                    return Err(unknown("host", host, inventory.hosts.keys()));
                }
                if let Some(app) = matcher.app.as_ref().filter(|app| !inventory.applications.contains_key(*app)) {
                    return Err(unknown("application", app, inventory.applications.keys()));
                }
                if let Some(category) =
                    matcher.category.as_ref().filter(|name| !Category::ALL.iter().any(|c| c.name() == name.as_str()))
                {
                    let names: Vec<String> = Category::ALL.iter().map(|category| category.name().to_owned()).collect();
                    return Err(unknown("category", category, names.iter()));
                }
                Override::Silence(matcher.clone())
            }
            OverrideScope::SilenceNumber(number) => {
                let silence = self
                    .controller
                    .overrides()
                    .standing()
                    .find(|(id, standing)| id == number && matches!(standing.what, Override::Silence(_)));
                let Some((_, standing)) = silence else {
                    return Err(format!("there is no silence {number}; see `pointsman silences`"));
                };
                standing.what.clone()
            }
            OverrideScope::Maintenance(host) => Override::Maintenance(self.host(host)?),
            OverrideScope::Drain(host) => Override::Drain(self.host(host)?),
        })
    }

    /// Resolves what an operator wants to end. It must be in force.
    pub(super) fn standing(&self, scope: &OverrideScope) -> Result<Override, String> {
        let gone = match scope {
            // An override can be ended even if the configuration no longer has its name.
            OverrideScope::Named(name) => [Override::PauseResource(name.clone()), Override::PauseReaction(name.clone())].to_vec(),
            OverrideScope::Maintenance(host) => vec![Override::Maintenance(host.clone())],
            OverrideScope::Drain(host) => vec![Override::Drain(host.clone())],
            OverrideScope::Everything | OverrideScope::Silence { .. } | OverrideScope::SilenceNumber(_) => {
                vec![self.what(scope)?]
            }
        };
        let standing = gone.into_iter().find(|what| self.controller.overrides().find(what).is_some());
        standing.ok_or_else(|| {
            let what = match scope {
                OverrideScope::Everything => "there is no pause of everything".to_owned(),
                OverrideScope::Named(name) => format!("there is no pause of {} alone", printable(name)),
                OverrideScope::Maintenance(host) => format!("{} is not in maintenance by a command", printable(host)),
                OverrideScope::Drain(host) => format!("{} is not drained", printable(host)),
                OverrideScope::Silence { .. } | OverrideScope::SilenceNumber(_) => "there is no such silence".to_owned(),
            };
            format!("{what}; `pointsman overrides` lists what is")
        })
    }

    /// Checks that nothing prevents an operator from moving this resource to this host.
    pub(super) fn may_move(&self, resource: &Name, host: &Name) -> Result<(), String> {
        let overrides = self.controller.overrides();
        if let Some(standing) = overrides.pause_of_resource(resource, None) {
            let resume = if standing.what == Override::PauseAll { "--all".to_owned() } else { resource.clone() };
            return Err(format!("{}: nothing is moved; `pointsman resume {resume}` ends that", standing.text()));
        }
        match overrides.find(&Override::Drain(host.clone())) {
            Some((_, standing)) => Err(format!("{}: nothing goes there; `pointsman undrain {host}` ends that", standing.text())),
            None => Ok(()),
        }
    }

    fn host(&self, host: &Name) -> Result<Name, String> {
        let hosts = &self.site.inventory.hosts;
        hosts.get_key_value(host).map(|(name, _)| name.clone()).ok_or_else(|| unknown("host", host, hosts.keys()))
    }
}
