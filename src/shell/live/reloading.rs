//! What is known of a reload on its way: who wants it, what was read, and what the controller goes on with.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::core::config::Config;
use crate::core::control::NewSite;
use crate::core::journal::ConfigSnapshot;
use crate::core::lang::shape::Reset;
use crate::core::site::Site;
use crate::shell::site_files::{Disk, Good, Reading};
use crate::shell::sources::FileWatch;

use super::changes::Rules;
use super::questions::Answer;

/// Who wants a reload.
pub enum Trigger {
    Command {
        /// Only to see what would change.
        check: bool,
        /// What hosts have may go from the configuration.
        abandon: bool,
        /// The answer goes there.
        reply: SyncSender<Answer>,
    },
    Signal,
    Files,
}

/// What a reading came to.
pub struct Attempt {
    pub(super) trigger: Trigger,
    pub(super) reading: Reading,
    pub(super) failed: Option<String>,
    /// What its rules change.
    pub(super) rules: Rules,
}

/// What a controller begins with.
pub(super) struct Begin {
    pub(super) good: Good,
    pub(super) written: Arc<ConfigSnapshot>,
    /// The number that it has already, when it is what was accepted last.
    pub(super) number: Option<u64>,
    /// The alarms whose state was made by other rules and means nothing to these.
    pub(super) reset: Reset,
    /// Sites of earlier sets that runs still need.
    pub(super) earlier: Vec<(u64, Arc<Site>)>,
    /// Why it is not what the files say.
    pub(super) refused: Option<String>,
    pub(super) folders: Vec<PathBuf>,
}

/// What is known of the files while a controller runs.
pub(super) struct Reloading {
    pub(super) files: Arc<Disk>,
    pub(super) written: Arc<ConfigSnapshot>,
    /// The configuration of the start.
    pub(super) started: Config,
    /// The configuration that runs.
    pub(super) config: Config,
    /// Why the files were refused last.
    pub(super) refused: Option<String>,
    pub(super) watch: Option<FileWatch>,
    pub(super) under_way: bool,
    /// Somebody wanted one meanwhile.
    pub(super) again: Option<Trigger>,
}

impl Reloading {
    pub(super) fn new(files: Arc<Disk>, written: Arc<ConfigSnapshot>, started: Config, refused: Option<String>) -> Reloading {
        Reloading { files, written, config: started.clone(), started, refused, watch: None, under_way: false, again: None }
    }
}

/// What the pure controller is told of a site.
pub(super) fn reload_of(site: &Site, written: Arc<ConfigSnapshot>, reset: Reset, abandon: bool) -> NewSite {
    let (program, matcher, inventory) = (site.program.clone(), site.matcher.clone(), site.inventory.clone());
    NewSite { written, program, matcher, inventory, reset, abandon }
}
