//! The arguments that name the files of a site.

use std::path::PathBuf;

use crate::shell::site_files::{Setup, SiteFiles, load};

/// Which files a site is made of.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Given {
    /// The configuration, which names the folders of rules and scripts
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A rule file or a folder of rule files, instead of those in the configuration
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// The folder of scripts [default without a configuration: `scripts` in the rules' folder or beside it]
    #[arg(long, value_name = "DIR")]
    pub(super) scripts: Option<PathBuf>,
}

impl Given {
    /// Loads the site of the given files. The default is the configuration in its usual place.
    pub(super) fn load(&self) -> Setup {
        load(&self.files())
    }

    /// Loads the site as a start does: also with what it needs of this machine.
    pub(super) fn load_to_run(&self) -> Setup {
        load(&SiteFiles { to_run: true, ..self.files() })
    }

    fn files(&self) -> SiteFiles {
        let Given { config, rules, scripts } = self.clone();
        SiteFiles { config, rules, scripts, ..SiteFiles::default() }
    }
}
