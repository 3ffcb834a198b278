//! The files of a controller, as a reload reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::limits::SET_BYTES;
use crate::core::config;
use crate::core::diag::{Code, Diagnostic, Source};
use crate::core::journal::{ConfigSnapshot, FileText};
use crate::shell::live::reload::{Files, Good, Reading};

use super::setup::{self, Given, Setup, Texts};

/// A configuration, and what it names.
pub(super) struct Disk {
    pub(super) config: PathBuf,
}

impl Files for Disk {
    fn base(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new(""))
    }

    fn config(&self) -> &Path {
        &self.config
    }

    fn data(&self) -> PathBuf {
        let source = setup::read(&self.config, &mut Vec::new());
        let unreadable = || Arc::new(Source { name: self.config.display().to_string(), text: String::new() });
        self.base().join(config::data_of(&source.unwrap_or_else(unreadable)))
    }

    fn read(&self) -> Reading {
        reading(setup::load(&Given { config: Some(self.config.clone()), ..Given::default() }))
    }

    fn again(&self, written: &ConfigSnapshot) -> Reading {
        reading(setup::of_written(written, self.base()))
    }
}

fn reading(setup: Setup) -> Reading {
    let Setup { site, mut diagnostics, texts, rule_paths, scripts_folder, config } = setup;
    let written = written(&texts).map(Arc::new);
    let too_large = written.as_ref().map(|w| w.bytes()).filter(|bytes| *bytes > SET_BYTES);
    if let Some(bytes) = too_large {
        let message = format!("configuration, rules and scripts are {bytes} bytes; {SET_BYTES} can be kept in the journal");
        diagnostics.push(
            Diagnostic::whole(Code::FileUnreadable, message).help("lists of many values are better matched by fewer rules"),
        );
    }
    let good = site.zip(config).filter(|_| too_large.is_none()).map(|(site, (config, _))| Good { site, config });
    let with_tests = |p: &PathBuf| {
        let folder = if p.is_dir() { p } else { p.parent().unwrap_or(Path::new("")) };
        !setup::files(folder, "test.yaml", &mut Vec::new()).is_empty()
    };
    let tests = rule_paths.iter().any(with_tests);
    Reading { written, good, diagnostics, tests, folders: rule_paths.into_iter().chain(scripts_folder).collect() }
}

/// What was read, as the journal keeps it; `None` when not all could be read.
fn written(texts: &Texts) -> Option<ConfigSnapshot> {
    let text = |source: &Arc<Source>| FileText { name: source.name.clone(), text: source.text.clone() };
    let scripts: BTreeMap<String, FileText> =
        texts.scripts.iter().flatten().map(|(name, source)| (name.clone(), text(source))).collect();
    Some(ConfigSnapshot { config: text(texts.config.as_ref()?), rules: texts.rules.iter().map(text).collect(), scripts })
}
