//! The questions of operators about pauses, silences, maintenance and drains. Names are resolved, and requests that make no sense
//! are refused.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::core::base::limits::{OVERRIDE_LASTS, SILENCE_KEY_BYTES};
use crate::core::base::text::{printable, printable_short};
use crate::core::base::time::duration_text;
use crate::core::diag::suggest::hint;
use crate::core::inventory::Name;
use crate::core::lang::program::Category;
use crate::core::overrides::{Override, SilenceMatcher, StandingOverride};

use super::questions::{Desk, REASON};

/// What an operator wants to set aside, with names as they were entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideScope {
    /// A pause of everything.
    Everything,
    /// A pause of the resource or the reaction of this name.
    Named(Name),
    Silence {
        matcher: SilenceMatcher,
        /// Whether it may match every alarm.
        all: bool,
    },
    /// The silence of this number.
    SilenceNumber(u64),
    Maintenance(Name),
    Drain(Name),
}

impl OverrideScope {
    /// The command that begins it, and the command that ends it.
    pub(super) fn commands(&self) -> [&'static str; 2] {
        match self {
            OverrideScope::Everything | OverrideScope::Named(_) => ["pause", "resume"],
            OverrideScope::Silence { .. } | OverrideScope::SilenceNumber(_) => ["silence", "unsilence"],
            OverrideScope::Maintenance(_) => ["maintenance", "maintenance --end"],
            OverrideScope::Drain(_) => ["drain", "undrain"],
        }
    }
}

impl Desk<'_> {
    /// Everything that is set aside.
    pub(super) fn overrides(&self) -> Json {
        let row = |(id, standing): (u64, &StandingOverride)| {
            json!({ "number": id, "command": standing.what.commands()[0], "what": standing.what.target(), "by": standing.by,
                    "since": standing.since.to_string(), "until": standing.until.map(|until| until.to_string()),
                    "reason": standing.reason })
        };
        self.controller.overrides().standing().map(row).collect()
    }

    /// Resolves what an operator wants to set aside.
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

    /// Checks that a run has not ended.
    pub(super) fn run(&self, run: u64) -> Result<(), String> {
        let found = self.controller.runs().run(run);
        found.map(drop).ok_or_else(|| format!("run {run} is not under way; see `pointsman runs`"))
    }

    /// Checks that a run can be started again.
    pub(super) fn may_be_retried(&self, run: u64) -> Result<(), String> {
        let waits =
            self.controller.runs().run(run).and_then(|run| run.asked.as_ref()).is_some_and(|asked| asked.again_at.is_some());
        if waits {
            return Ok(());
        }
        if self.controller.runs().run(run).is_some() {
            return Err(format!("run {run} is under way, and does not wait to try a step again; see `pointsman runs`"));
        }
        let Some(failed) = self.controller.runs().failed(run) else {
            return Err(format!("no run {run} failed or was cancelled lately; see `pointsman history --run {run}`"));
        };
        let gone = |reaction: &&String| {
            !self.site.program.reactions.contains_key(*reaction) && !self.site.scripts.contains_key(&format!("{reaction}.rhai"))
        };
        let mut all = std::iter::once(&failed.bound).chain(&failed.then).map(|bound| &bound.reaction);
        match all.find(gone) {
            Some(reaction) => Err(format!("the rules have no reaction {reaction} any more")),
            None => Ok(()),
        }
    }

    /// The application of this name or alias.
    pub(super) fn application(&self, app: &Name) -> Result<Name, String> {
        let inventory = &self.site.inventory;
        let found = inventory.application(app).map(|(name, _)| name.clone());
        found.ok_or_else(|| unknown("application", app, inventory.applications.keys()))
    }

    fn host(&self, host: &Name) -> Result<Name, String> {
        let hosts = &self.site.inventory.hosts;
        hosts.get_key_value(host).map(|(name, _)| name.clone()).ok_or_else(|| unknown("host", host, hosts.keys()))
    }
}

/// A valid duration of an override.
pub(super) fn credible(lasts: Duration) -> Result<Duration, String> {
    if lasts.is_zero() || lasts > OVERRIDE_LASTS {
        return Err(format!(
            "{} is too short or too long: write 1s to {}d",
            duration_text(lasts),
            OVERRIDE_LASTS.as_secs() / 86_400
        ));
    }
    Ok(lasts)
}

/// A reason that is not empty, in a form that is safe to show.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        Err("the reason is empty: write one for the next person who looks".to_owned())
    } else {
        Ok(printable_short(text, REASON))
    }
}

pub(super) fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n String>) -> String {
    format!("there is no {what} {}{}", printable(name), hint(name, known.map(String::as_str)))
}
