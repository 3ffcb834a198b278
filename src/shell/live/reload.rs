//! Reloads changed files without losing state (I6). The files are read, checked and tested separately, and the sites are
//! exchanged between two events.
//!
//! ```text
//!   command --+                                                          +--> refused: nothing is changed; reported
//!   signal ---+--> thread: read, compile, tests in a process --> finish -+--> control::Input::Reload, evaluators, sieves
//!   files ----+        (the controller continues meanwhile)               +--> only shown
//! ```
//!
//! A start works the same way: files that would be refused do not run. The controller then runs the site that was accepted last,
//! from the journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::core::base::limits::SETS;
use crate::core::base::text::printable;
use crate::core::config::ReloadPolicy as When;
use crate::core::control::{Input, NewSite, Output, what_is_left};
use crate::core::diag::{Code, Diagnostic, LineIndex, Severity, render};
use crate::core::journal::{ConfigSnapshot, State};
use crate::core::lang::shape::{self, Reset};
use crate::core::notice::{Kind, Notice};
use crate::core::plan;
use crate::core::site::Site;
use crate::shell::command::{Leftovers, run};
use crate::shell::site_files::{Disk, Reading, UsableSite};
use crate::shell::sources::watch;
use crate::shell::store::Retention;

use super::changes::{self, Rules, SiteChange};
use super::controller::Running;
use super::following::entries;
use super::inbox::ControllerMessage;
use super::reloading::{Attempt, Begin, Trigger, reload_of};

/// This program, as it was when it started.
pub(super) const MYSELF: &str = "/proc/self/exe";
/// The time within which all tests of a site must end. Otherwise the site is refused.
const TESTS_WITHIN: Duration = Duration::from_secs(60);
/// How often files are read if they change while they are being read and tested.
const READINGS: u32 = 3;
/// The maximum number of changes in the log. Further ones are only counted.
const CHANGES_LOGGED: usize = 100;
/// The maximum number of errors in a notice.
const ERRORS_NAMED: usize = 3;

/// Decides which site to start with: the files, or the site that was accepted last if the files would be refused.
///
/// # Errors
/// Returns an error text if there is neither.
pub(super) fn begin(files: &Disk, reading: Reading, state: &State) -> Result<Begin, String> {
    let accepted = state.newest_accepted().map(|(number, written)| (number, written.clone()));
    let folders = reading.folders.clone();
    let is_accepted = |r: &Reading| accepted.as_ref().is_some_and(|(_, w)| r.written.as_ref() == Some(w));
    let earlier = |now: Option<(u64, &Arc<Site>)>| {
        let needed = state.accepted.iter().filter(|(number, _)| state.runs.needs(**number));
        let site = |(number, written): (&u64, &Arc<ConfigSnapshot>)| match now {
            Some((n, site)) if n == *number => Some((n, site.clone())),
            _ => Some((*number, files.again(written).good?.site)),
        };
        needed.filter_map(site).collect::<Vec<_>>()
    };
    let refused = match (&reading.good, &accepted) {
        (Some(_), _) if is_accepted(&reading) => None,
        (Some(good), Some(_)) => {
            let left = plan::left_by(&state.ledger, &good.site.inventory);
            let left: Vec<String> = left.iter().map(what_is_left).collect();
            if left.is_empty() { test(files, &reading) } else { Some(left.join("; ")) }
        }
        (Some(_), None) => test(files, &reading),
        (None, _) => Some(mistakes(&reading.diagnostics)),
    };
    let (good, written, number, reset) = match (refused.is_none().then_some(reading.good).flatten(), reading.written, accepted) {
        (Some(good), Some(written), Some((number, last))) if written == last => (good, written, Some(number), Reset::new()),
        (Some(good), Some(written), last) => {
            let before = last.and_then(|(_, last)| files.again(&last).good);
            let reset = before.map(|before| shape::reset(&before.site.program, &good.site.program)).unwrap_or_default();
            (good, written, None, reset)
        }
        (_, _, Some((number, last))) => {
            let reading = files.again(&last);
            let wrong = mistakes(&reading.diagnostics);
            let Some(good) = reading.good else {
                return Err(format!(
                    "the files are refused, and the site that was accepted last is not valid for this version: {wrong}"
                ));
            };
            (good, last, Some(number), Reset::new())
        }
        _ => {
            let why = refused.map(|why| format!(": {why}")).unwrap_or_default();
            return Err(format!("the files are refused, and no site was accepted before that could run instead{why}"));
        }
    };
    let earlier = earlier(number.map(|n| (n, &good.site)));
    Ok(Begin { good, written, number, reset, earlier, refused, folders })
}

/// Runs the tests of a site in a separate process, and returns which failed.
fn test(files: &Disk, reading: &Reading) -> Option<String> {
    if !reading.tests {
        return None;
    }
    let config = files.config.display().to_string();
    let parent = std::process::id().to_string();
    let arguments = ["--parent", &parent, "test", "-c", &config, "--format", "json"].map(str::to_owned);
    let ended = match run(MYSELF, &arguments, TESTS_WITHIN, Leftovers::End) {
        Ok(ended) => ended,
        Err(why) => return Some(format!("its tests: {why}")),
    };
    if ended.status == 0 {
        return None;
    }
    let lines = ended.stdout.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let failed = lines.filter_map(|line| {
        let text = |key: &str| line.get(key).and_then(Json::as_str).map(str::to_owned);
        match line.get("passed").and_then(Json::as_bool) {
            Some(true) => None,
            Some(false) => {
                let wrong = line.get("wrong").and_then(|w| w.get(0)).and_then(Json::as_str).unwrap_or_default();
                Some(format!("{}: {}: {wrong}", text("file")?, text("test")?))
            }
            None => text("message"),
        }
    });
    let failed: Vec<String> = failed.collect();
    let shown = failed.iter().take(ERRORS_NAMED).map(|f| printable(f)).collect::<Vec<_>>().join("; ");
    Some(match failed.len() {
        0 => "its tests did not end in time; see `pointsman test`".to_owned(),
        n if n > ERRORS_NAMED => format!("tests fail: {shown}; and {} more (`pointsman test`)", n - ERRORS_NAMED),
        _ => format!("tests fail: {shown}"),
    })
}

/// The first errors, in one line.
fn mistakes(diagnostics: &[Diagnostic]) -> String {
    let errors = || diagnostics.iter().filter(|d| d.code.severity() == Severity::Error);
    let one = |d: &Diagnostic| match &d.place {
        Some(place) => format!("{}:{}: {}", place.source.name, place.line_column().0, d.message),
        None => d.message.clone(),
    };
    let shown = errors().take(ERRORS_NAMED).map(one).collect::<Vec<_>>().join("; ");
    match errors().count() {
        n if n > ERRORS_NAMED => format!("{shown}; and {} more (`pointsman check`)", n - ERRORS_NAMED),
        _ => shown,
    }
}

/// Lets a separate process read the files first. Whatever is in them, and whatever is wrong with the program, does not end the
/// process that manages the addresses. Returns an error if that process did not finish.
fn survived(files: &Disk) -> Result<(), String> {
    let config = files.config.display().to_string();
    let parent = std::process::id().to_string();
    let arguments = ["--parent", &parent, "check", "-c", &config, "--no-tests", "--format", "json"].map(str::to_owned);
    match run(MYSELF, &arguments, TESTS_WITHIN, Leftovers::End) {
        // The process has finished, and has reported whether the files are valid.
        Ok(ended) if matches!(ended.status, 0 | 2) => Ok(()),
        Ok(ended) => {
            Err(format!("`pointsman check` ended with {}: this is an error in the program; please report it", ended.status))
        }
        Err(why) => Err(format!("`pointsman check`: {why}")),
    }
}

/// Reads and tests until the tested texts are the current content of the files.
fn read(files: &Disk, running: &ConfigSnapshot) -> (Reading, Option<String>) {
    if let Err(why) = survived(files) {
        let found = vec![Diagnostic::whole(Code::FileUnreadable, why)];
        return (Reading { written: None, good: None, diagnostics: found, tests: false, folders: Vec::new() }, None);
    }
    let mut reading = files.read();
    for _ in 0..READINGS {
        if reading.good.is_none() || reading.written.as_deref() == Some(running) {
            return (reading, None);
        }
        let failed = test(files, &reading);
        let again = files.read();
        if again.written == reading.written {
            return (reading, failed);
        }
        reading = again;
    }
    (reading, Some("the files changed while they were read; save them, and try again".to_owned()))
}

impl Running {
    /// Starts or stops watching the files.
    pub(super) fn watch(&mut self, when: When, folders: &[PathBuf]) {
        self.reloading.watch = None;
        if when == When::Ask {
            return;
        }
        let inbox = self.inbox.clone();
        let changed = move || {
            inbox.push(ControllerMessage::Reload(Trigger::Files));
        };
        match watch(&self.reloading.files.config, folders, changed) {
            Ok(watch) => self.reloading.watch = Some(watch),
            Err(why) => tracing::warn!("{why}; changed files are loaded only by `pointsman reload`"),
        }
    }

    /// Begins to read the files, on a separate thread.
    pub(super) fn reload(&mut self, trigger: Trigger) {
        if self.reloading.under_way.is_some() {
            match trigger {
                Trigger::Command { reply, .. } => {
                    let _ = reply.send(Err("a reload is under way; ask again in a moment".to_owned()));
                }
                trigger => self.reloading.again = Some(trigger),
            }
            return;
        }
        let (files, running, inbox) = (self.reloading.files.clone(), self.reloading.written.clone(), self.inbox.clone());
        let before = self.site.program.clone();
        let work = move || {
            let (reading, failed) = read(&files, &running);
            let rules = reading.good.as_ref().map(|good| Rules::between(&before, &good.site.program)).unwrap_or_default();
            inbox.push(ControllerMessage::Reread(Box::new(Attempt { reading, failed, rules })));
        };
        match thread::Builder::new().name("reload".to_owned()).spawn(work) {
            Ok(_) => self.reloading.under_way = Some(trigger),
            Err(e) => {
                let why = format!("no thread can be started for a reload: {e}");
                tracing::error!("{why}");
                if let Trigger::Command { reply, .. } = trigger {
                    let _ = reply.send(Err(why));
                }
            }
        }
    }

    /// Handles files that were read: the changes are shown, refused or accepted.
    pub(super) fn reread(&mut self, attempt: Attempt, outputs: &mut Vec<Output>) {
        let Attempt { reading, failed, rules } = attempt;
        let Some(trigger) = self.reloading.under_way.take() else { return };
        let (check, abandon) = match &trigger {
            Trigger::Command { check, abandon, .. } => (*check, *abandon),
            Trigger::Signal | Trigger::Files => (false, false),
        };
        let changes = reading.good.as_ref().map(|good| {
            let before = [&self.reloading.started, &self.reloading.config];
            changes::between(&self.site, &self.controller, before, &rules, &good.site, &good.config)
        });
        let changes = changes.unwrap_or_default();
        let same = reading.written.as_ref() == Some(&self.reloading.written);
        let mut refused = match &reading.good {
            None => Some(("files", mistakes(&reading.diagnostics))),
            Some(_) if same => None,
            Some(good) => self.hindrance(good, failed, abandon),
        };
        let report = !check
            && !matches!(&trigger, Trigger::Files if refused.as_ref().map(|(_, why)| why) == self.reloading.refused.as_ref());
        let mut applied = false;
        if !check && refused.is_none() {
            match (same, &reading) {
                (true, _) => self.files_are_what_runs(outputs),
                (false, Reading { good: Some(good), written: Some(written), folders, .. }) => {
                    let reload = reload_of(&good.site, written.clone(), rules.reset, abandon);
                    match self.accept(good, reload, folders, &changes, outputs) {
                        Ok(()) => applied = true,
                        Err(why) => refused = Some(("program", why)),
                    }
                }
                (false, _) => {}
            }
        }
        if let (true, Some((_, why))) = (report, &refused) {
            let text = format!("the files are refused, and nothing is changed: {why}");
            outputs.push(Output::Notice(Notice::new(Kind::ReloadRefused, text)));
            self.reloading.refused = Some(why.clone());
        }
        if let Trigger::Command { reply, .. } = trigger {
            self.answers.push((reply, Ok(answer(&reading.diagnostics, &changes, refused, applied)), applied));
        }
        if let Some(trigger) = self.reloading.again.take() {
            self.reload(trigger);
        }
    }

    /// The reason why a valid site cannot be accepted, and the kind of the reason.
    fn hindrance(&self, good: &UsableSite, failed: Option<String>, abandon: bool) -> Option<(&'static str, String)> {
        if let Some(failed) = failed {
            return Some(("tests", failed));
        }
        let left = self.controller.left_by(&good.site.inventory);
        if !(abandon || left.is_empty()) {
            return Some(("left", left.join("; ")));
        }
        if self.sites.len() >= SETS {
            let text = format!(
                "runs of {} earlier sets of rules have not ended, which is the limit; see `pointsman runs`",
                self.sites.len() - 1
            );
            return Some(("runs", text));
        }
        None
    }

    /// The files are the same as the running site again, or still.
    fn files_are_what_runs(&mut self, outputs: &mut Vec<Output>) {
        if self.reloading.refused.take().is_some() {
            let text = "the files are the same as the running site".to_owned();
            outputs.push(Output::Notice(Notice::new(Kind::Reloaded, text)));
        }
    }

    fn accept(
        &mut self,
        good: &UsableSite,
        reload: NewSite,
        folders: &[PathBuf],
        changes: &[SiteChange],
        outputs: &mut Vec<Output>,
    ) -> Result<(), String> {
        let evaluated = self.sites.start(good.site.clone())?;
        for change in changes.iter().take(CHANGES_LOGGED) {
            let state = change.state.as_ref().map(|s| format!(" ({s})")).unwrap_or_default();
            tracing::info!("reload: {} {} {}{state}", change.what, printable(&change.name), change.change);
        }
        if changes.len() > CHANGES_LOGGED {
            tracing::info!("reload: and {} more", changes.len() - CHANGES_LOGGED);
        }
        let written = reload.written.clone();
        self.turn(self.clock.now(), Input::Reload(Box::new(reload)), outputs);
        let number = self.controller.rules();
        self.site = good.site.clone();
        self.sites.insert(number, evaluated);
        self.current.exchange(number, good.site.clone());
        // It is on the disk before anybody is shown what it does.
        self.sync_with_batch();
        (self.reloading.written, self.reloading.refused) = (written, None);
        self.reloading.config = good.config.clone();
        if let Err(why) = super::control_socket::admit(&self.reloading.files.data(), !good.config.access.is_empty()) {
            tracing::warn!("who may open the control socket could not be changed: {why}");
        }
        let limits = good.config.journal;
        let retention = Retention::of_folder(self.journal.folder(), limits.keep, limits.size);
        self.journal.keep(retention);
        let base = self.reloading.files.base().to_owned();
        self.follow_only(entries(&good.config, &base));
        self.watch(good.config.reload, folders);
        Ok(())
    }
}

/// The answer to an operator.
fn answer(diagnostics: &[Diagnostic], changes: &[SiteChange], refused: Option<(&str, String)>, applied: bool) -> Json {
    let mut lines = LineIndex::default();
    let diagnostics_json: Vec<Json> =
        diagnostics.iter().filter_map(|d| serde_json::from_str(&render::json(d, &mut lines)).ok()).collect();
    let refused = refused.map(|(kind, why)| json!({ "by": kind, "why": why }));
    json!({ "applied": applied, "refused": refused, "changes": changes, "diagnostics": diagnostics_json,
            "text": render::human(diagnostics, false) })
}
