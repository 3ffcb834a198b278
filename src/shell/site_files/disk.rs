//! The files of a controller, as they are read at a start and for a reload.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::limits::SET_BYTES;
use crate::core::config::{self, Config};
use crate::core::diag::{Code, Diagnostic, Source};
use crate::core::journal::ConfigSnapshot;
use crate::core::site::{Site, Texts, assemble};

use super::paths;
use super::read::{files, read};
use super::{Setup, SiteFiles, load};

/// A configuration and the files that it names.
#[derive(Clone, Debug)]
pub struct Disk {
    pub config: PathBuf,
}

/// A site that was read and checked.
pub struct Reading {
    /// Its texts; `None` if even the configuration could not be read.
    pub written: Option<Arc<ConfigSnapshot>>,
    /// The compiled site; `None` if it has errors.
    pub good: Option<UsableSite>,
    pub diagnostics: Vec<Diagnostic>,
    pub tests: bool,
    /// The folders of rules and scripts.
    pub folders: Vec<PathBuf>,
}

/// A site that may run.
#[derive(Clone)]
pub struct UsableSite {
    pub site: Arc<Site>,
    pub config: Config,
}

impl Disk {
    /// The folder to which paths in the configuration are relative.
    pub fn base(&self) -> &Path {
        paths::folder(&self.config)
    }

    /// The data folder. It is available even if the configuration has errors.
    pub fn data(&self) -> PathBuf {
        let source = read(&self.config, &mut Vec::new());
        let unreadable = || Arc::new(Source { name: self.config.display().to_string(), text: String::new() });
        self.base().join(config::data_of(&source.unwrap_or_else(unreadable)))
    }

    /// Reads the files as they are now.
    pub fn read(&self) -> Reading {
        reading(load(&SiteFiles { config: Some(self.config.clone()), to_run: true, ..SiteFiles::default() }))
    }

    /// Makes a reading of texts that were accepted earlier.
    pub fn again(&self, accepted: &ConfigSnapshot) -> Reading {
        let texts = Texts::of(accepted);
        let mut diagnostics = Vec::new();
        let config = texts.config.as_ref().and_then(|source| {
            let (config, found) = config::load(source);
            diagnostics.extend(found);
            config
        });
        let site = config.as_ref().and_then(|config| assemble(&texts, Some(config), &mut diagnostics));
        let config = config.map(|config| (config, self.base().to_owned()));
        reading(Setup { site, diagnostics, texts, config, ..Setup::default() })
    }
}

fn reading(setup: Setup) -> Reading {
    let Setup { site, mut diagnostics, texts, rule_paths, scripts_folder, config } = setup;
    let written = texts.snapshot().map(Arc::new);
    let too_large = written.as_ref().map(|w| w.bytes()).filter(|bytes| *bytes > SET_BYTES);
    if let Some(bytes) = too_large {
        let message = format!("configuration, rules and scripts have {bytes} bytes; the journal can store at most {SET_BYTES}");
        diagnostics.push(Diagnostic::whole(Code::FileUnreadable, message).help("match long lists of values by fewer rules"));
    }
    let good = site.zip(config).filter(|_| too_large.is_none()).map(|(site, (config, _))| UsableSite { site, config });
    let with_tests = |p: &PathBuf| {
        let folder = if p.is_dir() { p } else { p.parent().unwrap_or(Path::new("")) };
        !files(folder, "test.yaml", &mut Vec::new()).is_empty()
    };
    let tests = rule_paths.iter().any(with_tests);
    Reading { written, good, diagnostics, tests, folders: rule_paths.into_iter().chain(scripts_folder).collect() }
}
