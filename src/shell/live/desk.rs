//! Questions of operators: each is answered from the state of the controller, becomes a command for it, or is refused with a reason.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::core::base::limits::{ANSWER_BYTES, OVERRIDE_LASTS};
use crate::core::base::text::{printable, printable_short};
use crate::core::base::time::{Time, duration_text};
use crate::core::control::{Controller, OperatorCommand};
use crate::core::diag::suggest::hint;
use crate::core::engine::{Instance, Key, is_test};
use crate::core::inventory::{Name, Resource};
use crate::core::notifications::ChannelStatus;
use crate::core::react::Run;
use crate::core::site::Site;
use crate::shell::sources::Named;

use super::questions::{Question, Reply};

/// The number of characters of the name of the person who acknowledges an alarm. The rest of a longer name is cut.
const NAME: usize = 100;
/// The number of characters of the reason for accepting a loss. The rest of a longer reason is cut.
const REASON: usize = 500;

/// The data from which answers are made.
pub(super) struct Desk<'a> {
    pub(super) site: &'a Site,
    pub(super) controller: &'a Controller,
    /// The hosts whose agents are connected.
    pub(super) connected: BTreeSet<&'a Name>,
    pub(super) sources: &'a [Named],
    pub(super) now: Time,
}

impl Desk<'_> {
    /// The answer or the command, or the reason for the refusal.
    pub(super) fn reply(&self, asker: &str, question: Question) -> Result<Reply, String> {
        Ok(Reply::Asked(match question {
            Question::Alarms => return Ok(Reply::Shown(self.alarms())),
            Question::Resources => return Ok(Reply::Shown(self.resources())),
            Question::Runs => return Ok(Reply::Shown(self.runs())),
            Question::Retryable => return Ok(Reply::Shown(self.retryable())),
            // The connection reads the page when everything is on the disk.
            Question::History | Question::HistoryPage(_) => return Ok(Reply::Synced),
            Question::AcceptLoss(reason) => {
                if self.controller.doubt().is_none() {
                    return Err("the controller trusts the journal: there is no loss to accept".to_owned());
                }
                OperatorCommand::AcceptLoss { reason: printable_short(&reason, REASON) }
            }
            Question::Sources => return Ok(Reply::Shown(self.counts())),
            Question::Move(resource, host) => {
                self.placement(&resource, &host)?;
                self.may_move(&resource, &host)?;
                OperatorCommand::Move { resource, host }
            }
            Question::Released(resource, host) => {
                self.placement(&resource, &host)?;
                let planner = self.controller.planner();
                if planner.holders(&resource).contains(&host) {
                    return Err(format!("{host} reports that it holds {resource}; `pointsman move` moves it elsewhere"));
                }
                OperatorCommand::Released { resource, host }
            }
            Question::Resume(resource) => {
                self.resource(&resource)?;
                if self.controller.planner().ledger().entry(&resource).is_none_or(|e| e.held_until.is_none()) {
                    return Err(format!(
                        "{resource} does not wait after too many moves; `pointsman resources` shows its state, and `pointsman resume` ends a pause"
                    ));
                }
                OperatorCommand::Resume { resource }
            }
            Question::Clear { alarm, key, reason } => {
                self.meant(&alarm, key.as_deref(), self.controller.alarms().clearable(&alarm))?;
                OperatorCommand::Clear { alarm, key, reason: reason.map(|reason| printable_short(&reason, REASON)) }
            }
            Question::Ack { alarm, key, by, comment, lasts } => {
                self.may_be_acked(&alarm, key.as_deref())?;
                let by = printable_short(by.as_deref().unwrap_or(asker), NAME);
                let lasts = lasts.map(credible).transpose()?;
                OperatorCommand::Ack { alarm, key, by, comment: comment.map(|text| printable_short(&text, REASON)), lasts }
            }
            Question::Comment { alarm, key, text } => {
                self.meant(&alarm, key.as_deref(), self.controller.alarms().active_of(&alarm).map(|(key, _)| key))?;
                OperatorCommand::Comment { alarm, key, text: reason(&text)? }
            }
            Question::Test { alarm, app, fields } => {
                let app = self.application(&app)?;
                self.controller.may_be_tried(&alarm, &app, &fields)?;
                OperatorCommand::Test { alarm, app, fields }
            }
            Question::Cancel(run) => {
                self.run(run)?;
                OperatorCommand::Cancel { run }
            }
            Question::Retry(run) => {
                self.may_be_retried(run)?;
                OperatorCommand::Retry { run }
            }
            Question::Overrides => return Ok(Reply::Shown(self.overrides())),
            Question::Begin { scope, lasts, reason: why } => {
                let what = self.what(&scope)?;
                if let Some(why) = self.controller.overrides().refusal(&what) {
                    return Err(why);
                }
                OperatorCommand::Begin { what, lasts: lasts.map(credible).transpose()?, reason: reason(&why)? }
            }
            Question::After(scope) => {
                let what = self.standing(&scope)?;
                return Ok(Reply::Shown(json!(self.controller.preview_of_end(self.now, &what))));
            }
            Question::End(scope) => OperatorCommand::End { what: self.standing(&scope)? },
            Question::Approve(run) => {
                if self.controller.runs().run(run).is_none_or(|r| r.approve_by.is_none()) {
                    return Err(format!("no run {run} waits for an approval; see `pointsman runs`"));
                }
                OperatorCommand::Approve { run }
            }
            Question::Channels => return Ok(Reply::Shown(self.channels())),
            Question::TestChannel(channel) => {
                let known = &self.site.inventory.channels;
                if !known.contains_key(&channel) {
                    return Err(unknown("channel", &channel, known.keys()));
                }
                return Ok(Reply::Tested(channel));
            }
            Question::Delivery(id) => {
                return Ok(Reply::Shown(match self.controller.notifier().end_of(id) {
                    None => Json::Null,
                    Some(Ok(())) => json!({ "delivered": true }),
                    Some(Err(why)) => json!({ "delivered": false, "why": why }),
                }));
            }
            Question::Metrics => return Err("the metrics are those of the deciding thread".to_owned()),
            Question::Reload { .. } => return Err("a reload is answered when the files were read".to_owned()),
        }))
    }

    /// Checks that a run has not ended.
    fn run(&self, run: u64) -> Result<(), String> {
        let found = self.controller.runs().run(run);
        found.map(drop).ok_or_else(|| format!("run {run} is not under way; see `pointsman runs`"))
    }

    /// Checks that a run can be started again.
    fn may_be_retried(&self, run: u64) -> Result<(), String> {
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
    fn application(&self, app: &Name) -> Result<Name, String> {
        let inventory = &self.site.inventory;
        let found = inventory.application(app).map(|(name, _)| name.clone());
        found.ok_or_else(|| unknown("application", app, inventory.applications.keys()))
    }

    fn resource(&self, resource: &Name) -> Result<&Resource, String> {
        let known = &self.site.inventory.resources;
        known.get(resource).ok_or_else(|| unknown("resource", resource, known.keys()))
    }

    /// Checks that the resource exists and may be on that host.
    fn placement(&self, resource: &Name, host: &Name) -> Result<(), String> {
        let placements: Vec<&str> = self.resource(resource)?.placements.iter().map(|s| s.host.as_str()).collect();
        if placements.contains(&host.as_str()) {
            return Ok(());
        }
        Err(format!("{resource} can be on {}, and not on {host}", placements.join(", ")))
    }

    /// Checks that the alarm exists and nobody has acknowledged it.
    fn may_be_acked(&self, alarm: &str, key: Option<&str>) -> Result<(), String> {
        let active = self.controller.alarms().active_of(alarm).map(|(key, _)| key);
        let meant = self.meant(alarm, key, active)?;
        let by: Option<Vec<&str>> = meant.into_iter().map(|key| self.controller.alarms().acked(alarm, key)).collect();
        match by.as_deref() {
            Some([who, ..]) => Err(format!("{alarm} was acknowledged by {who} already")),
            _ => Ok(()),
        }
    }

    /// The keys that the operator means: the one that is shown with this text, or all. An error if there is none.
    fn meant<'k>(&self, alarm: &str, key: Option<&str>, of: impl Iterator<Item = &'k Key>) -> Result<Vec<&'k Key>, String> {
        let all: Vec<&Key> = of.collect();
        let meant: Vec<&Key> = all.iter().copied().filter(|k| key.is_none_or(|w| w == k.to_string())).collect();
        let known = || self.site.program.alarms.iter().map(|a| &a.name);
        match key {
            _ if !meant.is_empty() => Ok(meant),
            Some(key) if !all.is_empty() => {
                let keys: Vec<String> = all.iter().map(ToString::to_string).collect();
                let hint = hint(key, keys.iter().map(String::as_str));
                Err(format!("{alarm} is not active with this key{}", printable(&hint)))
            }
            _ if !known().any(|name| name == alarm) => Err(unknown("alarm", alarm, known())),
            _ => Err(format!("{alarm} is not active; see `pointsman alarms`")),
        }
    }

    fn alarms(&self) -> Json {
        let row = |(alarm, key, i): (&str, &Key, &Instance)| {
            let category = self.controller.category_of(alarm);
            let ack = self.controller.alarms().acknowledgement(alarm, key);
            let marks = self.controller.marks(self.now, alarm, key, i);
            let comments: Vec<String> = i.comments.iter().map(|c| format!("{}: {}", c.by, c.text)).collect();
            json!({ "alarm": alarm, "key": key.to_string(), "category": category, "count": i.count,
                    "acked": self.controller.alarms().acked(alarm, key),
                    "since": i.raised_at.to_string(), "last": i.last_at.to_string(), "summary": i.summary, "not_started": i.idle.as_ref().map(ToString::to_string),
                    "acked_until": ack.and_then(|a| a.until).map(|at| at.to_string()), "ack_comment": ack.and_then(|a| a.comment.as_ref()),
                    "silenced": marks.silenced, "maintenance": marks.maintenance, "comments": comments })
        };
        let comments = |i: &Instance| i.comments.iter().map(|c| c.by.len() + c.text.len()).sum::<usize>();
        let size = |(_, key, i): (&str, &Key, &Instance)| key.to_string().len() + i.summary.len() + comments(i);
        bounded(self.controller.alarms().active(), size, row)
    }

    fn resources(&self) -> Json {
        let planner = self.controller.planner();
        let would_do = self.controller.would_do(self.now);
        let row = |(name, resource): (&Name, &Resource)| {
            let host = |host: &Name| json!({ "host": host, "reachable": planner.reachable(host), "connected": self.connected.contains(host) });
            let hosts: Vec<Json> = resource.placements.iter().map(|s| host(&s.host)).collect();
            json!({ "resource": name, "what": resource.what.to_string(), "owner": planner.owner(name),
                    "holders": planner.holders(name), "unheard_holders": planner.unheard_holders(name), "settled": self.controller.is_settled(name), "held": self.controller.blocked_reason(name), "hosts": hosts,
                    "paused": planner.is_paused(name), "would_do": would_do.get(name).filter(|_| planner.is_paused(name)) })
        };
        self.site.inventory.resources.iter().map(row).collect()
    }

    fn runs(&self) -> Json {
        let row = |(id, run): (u64, &Run)| {
            let doing = match (&run.asked, run.begun, run.approve_by) {
                (Some(asked), ..) => format!("{} (attempt {})", asked.step.verb, asked.attempt),
                (None, true, _) => "evaluating".to_owned(),
                (None, false, Some(by)) => format!("waits for an approval until {by}"),
                (None, false, None) => "waits for an earlier run".to_owned(),
            };
            let doing = if run.bound.dry { format!("{doing} (mode dry)") } else { doing };
            json!({ "run": id, "reaction": run.bound.reaction, "key": run.key, "sequence": run.sequence, "steps": run.history.len(), "doing": doing,
                    "test": is_test(&run.bound.call.event) })
        };
        self.controller.runs().runs().map(row).collect()
    }

    /// The runs that can be started again, and those whose step can be tried again at once.
    fn retryable(&self) -> Json {
        let runs = self.controller.runs();
        let waits = runs.runs().filter_map(|(id, run)| {
            let again_at = run.asked.as_ref()?.again_at?;
            let doing = format!("waits until {again_at} to try its step again");
            Some(json!({ "run": id, "reaction": run.bound.reaction, "key": run.key, "doing": doing, "test": is_test(&run.bound.call.event) }))
        });
        let failed = runs.failed_runs().map(|(id, run)| {
            let why_not = self.may_be_retried(id).err().map_or(String::new(), |why| format!("; it can't be started again: {why}"));
            let doing = format!("failed or was cancelled at {}{why_not}", run.ended_at);
            json!({ "run": id, "reaction": run.bound.reaction, "key": run.key, "doing": doing, "test": is_test(&run.bound.call.event) })
        });
        waits.chain(failed).collect()
    }

    fn channels(&self) -> Json {
        let row = |c: ChannelStatus| {
            let (failed_at, why) = c.last_failure.map_or((None, None), |(at, why)| (Some(at.to_string()), Some(why)));
            json!({ "channel": c.channel, "kind": c.kind, "waiting": c.waiting, "tries": c.tries, "held": c.held, "delivered": c.delivered,
                    "failed": c.failed, "last_delivered": c.last_delivered.map(|at| at.to_string()), "last_failure": failed_at, "why": why })
        };
        self.controller.notifier().channels().into_iter().map(row).collect()
    }

    fn counts(&self) -> Json {
        let row = |source: &Named| {
            let mut row = serde_json::Map::from_iter([("source".to_owned(), json!(source.name))]);
            row.extend(source.counts.all().map(|(name, n)| (name.to_owned(), json!(n))));
            Json::Object(row)
        };
        self.sources.iter().map(row).collect()
    }
}

/// A valid duration of an override.
fn credible(lasts: Duration) -> Result<Duration, String> {
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
fn reason(text: &str) -> Result<String, String> {
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

/// The approximate number of bytes of a row in addition to its texts.
const ROW_BYTES: usize = 512;

/// As many rows as one answer may have, by their estimated size in bytes. A last row says how many more there are. These are only
/// counted, so that a question costs the deciding thread a bounded time.
fn bounded<T: Copy>(all: impl Iterator<Item = T>, size: impl Fn(T) -> usize, row: impl Fn(T) -> Json) -> Json {
    let (mut shown, mut bytes, mut more) = (Vec::new(), 0, 0_usize);
    for one in all {
        if more == 0 {
            bytes += size(one) + ROW_BYTES;
        }
        if bytes > ANSWER_BYTES { more += 1 } else { shown.push(row(one)) }
    }
    if more > 0 {
        let summary =
            format!("{more} further alarms are active and not shown: one answer has at most {} MiB", ANSWER_BYTES >> 20);
        shown.push(json!({ "alarm": "...", "key": "", "category": "none", "count": more, "summary": summary }));
    }
    Json::Array(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_bounded_and_says_what_it_leaves_out() {
        let made = std::cell::Cell::new(0);
        let row = |n: usize| {
            made.set(made.get() + 1);
            Json::from(n)
        };
        let rows = |n: usize| bounded(0..n, |_| 1_536, row);
        assert_eq!(rows(100).as_array().map(Vec::len), Some(100));
        let all = rows(20_000);
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), ANSWER_BYTES / 2_048 + 1);
        assert_eq!(all.last().unwrap()["count"], 20_000 - ANSWER_BYTES / 2_048);
        assert_eq!(made.get(), 100 + ANSWER_BYTES / 2_048, "a row that is not shown is not made");
    }
}
