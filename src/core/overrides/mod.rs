//! Overrides: pauses, silences, maintenance of hosts and drains, which operators begin for a time. State and matching only.
//!
//! ```text
//!   pause        nothing outside is touched: by everything, about one resource, or by one reaction
//!   silence      notifications about matching alarms are withheld; effects go on
//!   maintenance  alarms about a host start no reactions; configured calendars do the same (`maintenance: CALENDAR`)
//!   drain        resources leave a host and none comes to it
//! ```
//!
//! Each override is in force until an operator ends it or its time expires. The state changes only by [`Record`]s.
//! `control::overrides` carries overrides out. Tests: `tests/rules/overrides`, `tests/system/last_word.rs`, the simulator.

mod subject;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::OVERRIDES;
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::notice::Kind;

pub use subject::{AlarmSubject, SilenceMatcher};

/// An override, by what it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// Nothing outside is changed, except that notifications are sent.
    PauseAll,
    /// Nothing is done to this resource.
    PauseResource(Name),
    /// This reaction is not started, and its runs change nothing outside.
    PauseReaction(String),
    /// Notifications about these alarms are withheld.
    Silence(SilenceMatcher),
    /// Alarms about this host start no reactions.
    Maintenance(Name),
    /// This host releases what it holds, and gets nothing.
    Drain(Name),
}

impl Override {
    /// The command that begins it, and the one that ends it.
    pub fn commands(&self) -> [&'static str; 2] {
        match self {
            Override::PauseAll | Override::PauseResource(_) | Override::PauseReaction(_) => ["pause", "resume"],
            Override::Silence(_) => ["silence", "unsilence"],
            Override::Maintenance(_) => ["maintenance", "maintenance --end"],
            Override::Drain(_) => ["drain", "undrain"],
        }
    }

    /// The kinds of the notices for its beginning and its end.
    pub fn notices(&self) -> [Kind; 2] {
        match self {
            Override::PauseAll | Override::PauseResource(_) | Override::PauseReaction(_) => [Kind::Paused, Kind::Resumed],
            Override::Silence(_) => [Kind::SilenceBegun, Kind::SilenceEnded],
            Override::Maintenance(_) => [Kind::MaintenanceBegun, Kind::MaintenanceEnded],
            Override::Drain(_) => [Kind::Drained, Kind::Undrained],
        }
    }

    /// What it is about, as people write it.
    pub fn target(&self) -> String {
        match self {
            Override::PauseAll => "everything".to_owned(),
            Override::PauseResource(name) | Override::Maintenance(name) | Override::Drain(name) => name.clone(),
            Override::PauseReaction(name) => format!("the reaction {name}"),
            Override::Silence(matcher) => matcher.to_string(),
        }
    }

    /// The effect while it is in force, as text.
    fn says(&self) -> String {
        match self {
            Override::PauseAll => "everything is paused".to_owned(),
            Override::PauseResource(name) => format!("{name} is paused"),
            Override::PauseReaction(name) => format!("the reaction {name} is paused"),
            Override::Silence(matcher) => format!("silenced: {matcher}"),
            Override::Maintenance(host) => format!("{host} is in maintenance"),
            Override::Drain(host) => format!("{host} is drained"),
        }
    }

    /// The effect of its end, as text.
    fn ended(&self) -> String {
        match self {
            Override::PauseAll => "everything is resumed".to_owned(),
            Override::PauseResource(name) => format!("{name} is resumed"),
            Override::PauseReaction(name) => format!("the reaction {name} is resumed"),
            Override::Silence(matcher) => format!("not silenced any more: {matcher}"),
            Override::Maintenance(host) => format!("the maintenance of {host} has ended"),
            Override::Drain(host) => format!("{host} is not drained any more"),
        }
    }

    /// The host that it is about.
    pub fn host(&self) -> Option<&Name> {
        match self {
            Override::Maintenance(host) | Override::Drain(host) => Some(host),
            Override::Silence(matcher) => matcher.host.as_ref(),
            _ => None,
        }
    }

    /// The resource that it is about.
    pub fn resource(&self) -> Option<&Name> {
        if let Override::PauseResource(name) = self { Some(name) } else { None }
    }
}

/// An override that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingOverride {
    pub what: Override,
    /// Who asked for it.
    pub by: String,
    pub since: Time,
    /// When it ends by itself; `None` means only by a command.
    pub until: Option<Time>,
    pub reason: String,
}

impl StandingOverride {
    /// What is in force, who asked for it, why and until when.
    pub fn text(&self) -> String {
        format!("{} {}", self.what.says(), self.origin())
    }

    /// Who asked for it, why and until when.
    pub fn origin(&self) -> String {
        let until = self.until.map_or(String::new(), |until| format!(", until {until}"));
        format!("by {} ({}){until}", self.by, self.reason)
    }

    /// The text of a notice that it has ended.
    pub fn end_text(&self, why: &OverrideEnd) -> String {
        match why {
            OverrideEnd::Time => {
                format!("{}: its time has expired (it was set by {}: {})", self.what.ended(), self.by, self.reason)
            }
            OverrideEnd::By(who) => format!("{}, by {who} (it was set by {}: {})", self.what.ended(), self.by, self.reason),
            OverrideEnd::Replaced => format!("{}: it was set again", self.what.ended()),
        }
    }
}

/// Why an override ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideEnd {
    /// The time for which it was set has expired.
    Time,
    /// An operator ended it by a command.
    By(String),
    /// The same override was set again, with another time or reason.
    Replaced,
}

/// Why a claim moves nothing for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithheldBy {
    /// The reaction that would have moved the resource is paused.
    Reaction(String),
    /// The subject of the claim is in maintenance.
    Maintenance,
}

/// A change of the overrides in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "overridden")]
pub enum Record {
    Begun {
        /// The sequence of the command's input, which becomes the number of the override.
        id: u64,
        standing: StandingOverride,
    },
    Ended {
        id: u64,
        at: Time,
        why: OverrideEnd,
        /// The override that ended, for the history.
        what: Override,
    },
    /// The claim with this sequence moves nothing for now.
    ClaimWithheld {
        #[serde(rename = "order")]
        sequence: u64,
        by: WithheldBy,
    },
    /// The claim with this sequence moves its resource again.
    ClaimFreed {
        #[serde(rename = "order")]
        sequence: u64,
    },
}

/// All overrides in force: the fold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    standing: BTreeMap<u64, StandingOverride>,
    /// Claims that move nothing for now, by sequence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    withheld: BTreeMap<u64, WithheldBy>,
}

impl State {
    /// Applies one record. The state changes in no other way.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Begun { id, standing } => {
                self.standing.insert(*id, standing.clone());
            }
            Record::Ended { id, .. } => {
                self.standing.remove(id);
            }
            Record::ClaimWithheld { sequence, by } => {
                self.withheld.insert(*sequence, by.clone());
            }
            Record::ClaimFreed { sequence } => {
                self.withheld.remove(sequence);
            }
        }
    }

    /// True if no override is in force and no claim is withheld.
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty() && self.withheld.is_empty()
    }

    /// The overrides in force with their numbers, oldest first.
    pub fn standing(&self) -> impl Iterator<Item = (u64, &StandingOverride)> {
        self.standing.iter().map(|(id, standing)| (*id, standing))
    }

    /// The override in force of this kind and subject.
    pub fn find(&self, what: &Override) -> Option<(u64, &StandingOverride)> {
        self.standing().find(|(_, standing)| standing.what == *what)
    }

    /// Why this override can't begin, as a text for an operator; `None` if it can. One that is in force may be replaced.
    pub fn refusal(&self, what: &Override) -> Option<String> {
        let is_full = self.standing.len() >= OVERRIDES && self.find(what).is_none();
        is_full.then(|| {
            format!(
                "{} is not added: {OVERRIDES} pauses, silences, maintenances and drains are in force, which is the limit; end some of \
                 them first, see `pointsman overrides`",
                what.target()
            )
        })
    }

    /// When the next override ends by itself.
    pub fn next_end(&self) -> Option<Time> {
        self.standing.values().filter_map(|standing| standing.until).min()
    }

    /// The pause that applies to a resource, other than `but`.
    pub fn pause_of_resource(&self, resource: &str, but: Option<&Override>) -> Option<&StandingOverride> {
        self.pause(but, |what| matches!(what, Override::PauseResource(name) if name == resource))
    }

    /// The pause that keeps a reaction from changing anything outside.
    pub fn pause_of_reaction(&self, reaction: &str) -> Option<&StandingOverride> {
        self.pause(None, |what| matches!(what, Override::PauseReaction(name) if name == reaction))
    }

    /// The pause of this one reaction, which keeps it from starting.
    pub fn reaction_is_paused(&self, reaction: &str) -> Option<&StandingOverride> {
        self.standing.values().find(|s| matches!(&s.what, Override::PauseReaction(name) if name == reaction))
    }

    fn pause(&self, but: Option<&Override>, is: impl Fn(&Override) -> bool) -> Option<&StandingOverride> {
        let others = || self.standing.values().filter(|s| but != Some(&s.what));
        others().find(|s| s.what == Override::PauseAll).or_else(|| others().find(|s| is(&s.what)))
    }

    /// The silence that matches an alarm.
    pub fn silence_of(&self, subject: &AlarmSubject<'_>) -> Option<&StandingOverride> {
        self.standing.values().find(|s| matches!(&s.what, Override::Silence(matcher) if matcher.matches(subject)))
    }

    /// The maintenance of a host that an operator asked for.
    pub fn maintenance_of(&self, host: &str) -> Option<&StandingOverride> {
        self.standing.values().find(|s| matches!(&s.what, Override::Maintenance(name) if name == host))
    }

    /// The hosts that are drained.
    pub fn drained(&self) -> impl Iterator<Item = &Name> {
        self.standing.values().filter_map(|s| if let Override::Drain(host) = &s.what { Some(host) } else { None })
    }

    /// Claims that move nothing for now, by sequence.
    pub fn withheld(&self) -> impl Iterator<Item = (u64, &WithheldBy)> {
        self.withheld.iter().map(|(sequence, by)| (*sequence, by))
    }

    /// Why a claim moves nothing for now.
    pub fn withholds(&self, sequence: u64) -> Option<&WithheldBy> {
        self.withheld.get(&sequence)
    }
}
