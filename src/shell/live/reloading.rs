//! The state of a reload: who asked for it, what was read, and what the controller continues with.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::core::config::Config;
use crate::core::control::NewSite;
use crate::core::journal::ConfigSnapshot;
use crate::core::lang::shape::Reset;
use crate::core::site::Site;
use crate::shell::site_files::{Disk, Reading, UsableSite};
use crate::shell::sources::FileWatch;

use super::changes::Rules;
use super::questions::Answer;

/// The origin of a reload.
pub enum Trigger {
    Command {
        /// Only show what would change.
        check: bool,
        /// Allow the removal of resources that hosts hold.
        abandon: bool,
        /// Receives the answer for the operator.
        reply: oneshot::Sender<Answer>,
    },
    Signal,
    Files,
}

/// The result of reading the files.
pub struct Attempt {
    pub(super) reading: Reading,
    pub(super) failed: Option<String>,
    /// The differences in its rules.
    pub(super) rules: Rules,
}

/// The site with which a controller starts.
pub(super) struct Begin {
    pub(super) good: UsableSite,
    pub(super) written: Arc<ConfigSnapshot>,
    /// Its number, if it is the site that was accepted last.
    pub(super) number: Option<u64>,
    /// The alarms whose state was made by other rules and is not valid for these.
    pub(super) reset: Reset,
    /// Earlier sites that runs still need.
    pub(super) earlier: Vec<(u64, Arc<Site>)>,
    /// Why it is not the content of the files.
    pub(super) refused: Option<String>,
    pub(super) folders: Vec<PathBuf>,
}

/// The state of the files while a controller runs.
pub(super) struct Reloading {
    pub(super) files: Arc<Disk>,
    pub(super) written: Arc<ConfigSnapshot>,
    /// The configuration at the start.
    pub(super) started: Config,
    /// The configuration that runs.
    pub(super) config: Config,
    /// Why the files were refused last.
    pub(super) refused: Option<String>,
    pub(super) watch: Option<FileWatch>,
    /// The origin of the reload that is under way.
    pub(super) under_way: Option<Trigger>,
    /// A reload that was requested during the current one.
    pub(super) again: Option<Trigger>,
}

impl Reloading {
    pub(super) fn new(files: Arc<Disk>, written: Arc<ConfigSnapshot>, started: Config, refused: Option<String>) -> Reloading {
        Reloading { files, written, config: started.clone(), started, refused, watch: None, under_way: None, again: None }
    }
}

/// The description of a site for the pure controller.
pub(super) fn reload_of(site: &Site, written: Arc<ConfigSnapshot>, reset: Reset, abandon: bool) -> NewSite {
    let (program, matcher, inventory) = (site.program.clone(), site.matcher.clone(), site.inventory.clone());
    NewSite { written, program, matcher, inventory, reset, abandon }
}
