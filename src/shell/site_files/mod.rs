//! Configuration, rules and scripts as files: where they are, and how they are loaded. The command line and the running
//! controller load a site with the same functions; [`crate::core::site`] compiles its texts.

mod disk;
pub mod followed;
pub mod machine;
pub mod paths;
pub mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::config::{self, Config};
use crate::core::diag::{Code, Diagnostic, Source, has_errors};
use crate::core::site::{Site, Texts, assemble, mistakes_of_files};

pub use disk::{Disk, Reading, UsableSite};

/// The files of which a site is made.
#[derive(Clone, Debug, Default)]
pub struct SiteFiles {
    /// The configuration, which names the folders of rules and scripts.
    pub config: Option<PathBuf>,
    /// Rule files or folders of them, instead of those that the configuration names.
    pub rules: Vec<PathBuf>,
    /// The folder of scripts. The default without a configuration is `scripts` in the rules' folder or beside it.
    pub scripts: Option<PathBuf>,
    /// A configuration without scripts uses the nearest folder `scripts` above it. Copied rule tests need this.
    pub scripts_above: bool,
    /// Whether the site is to run on this machine, so that what it needs there is checked as well.
    pub to_run: bool,
    /// Texts that go before those on disk, by the real path of the file: an editor's.
    pub open: BTreeMap<PathBuf, String>,
}

impl SiteFiles {
    /// The text that goes before the one on disk, if there is one.
    pub fn open_text(&self, path: &Path) -> Option<Arc<Source>> {
        if self.open.is_empty() {
            return None;
        }
        let text = self.open.get(&path.canonicalize().ok()?)?;
        Some(Arc::new(Source { name: path.display().to_string(), text: text.clone() }))
    }
}

/// A site, and the diagnostics of loading it.
#[derive(Default)]
pub struct Setup {
    /// `None` if there are errors.
    pub site: Option<Arc<Site>>,
    pub diagnostics: Vec<Diagnostic>,
    /// The texts of which it was made.
    pub texts: Texts,
    /// The paths of the rules, for the tests beside them.
    pub rule_paths: Vec<PathBuf>,
    /// The folder of the scripts.
    pub scripts_folder: Option<PathBuf>,
    /// The configuration, and the folder to which its paths are relative.
    pub config: Option<(Config, PathBuf)>,
}

/// Loads a site from the given files. The default is the configuration in its usual place.
pub fn load(given: &SiteFiles) -> Setup {
    let mut setup = Setup::default();
    let found = &mut setup.diagnostics;
    let unless = paths::controller(None);
    let config_file = given.config.as_ref().or((given.rules.is_empty() && unless.exists()).then_some(&unless));
    if config_file.is_none() && given.rules.is_empty() {
        let message =
            "there is no pointsman.yaml in this folder or in /etc/pointsman, and neither a configuration nor rules were named";
        found.push(Diagnostic::whole(Code::FileUnreadable, message).help(
            "write -c FILE, or --rules PATH for rules that need no inventory; `pointsman init` writes a site to start from",
        ));
        return setup;
    }
    let config = match config_file {
        None => None,
        Some(path) => {
            setup.texts.config = given.open_text(path).or_else(|| read::read(path, found));
            let Some(source) = &setup.texts.config else { return setup };
            let (config, more) = config::load(source);
            found.extend(more);
            let Some(config) = config else { return setup };
            Some((config, paths::folder(path).to_owned()))
        }
    };
    setup.rule_paths = rule_paths(given, config.as_ref());
    for path in &setup.rule_paths {
        for file in read::files(path, "alarm", found) {
            setup.texts.rules.extend(given.open_text(&file).or_else(|| read::read_rules(&file, found)));
        }
    }
    if setup.texts.rules.is_empty() && !has_errors(found) {
        let paths: Vec<String> = setup.rule_paths.iter().map(|p| p.display().to_string()).collect();
        let message = format!("there is no rule file (*.alarm) in {}", paths.join(", "));
        let place = config.as_ref().and_then(|(config, _)| config.places.rules.clone()).filter(|_| given.rules.is_empty());
        let help = "write a rule file there, or name the folder that has some (`rules:`, --rules); `pointsman init` writes a site to start from";
        found.push(Diagnostic { place, ..Diagnostic::whole(Code::FileUnreadable, message) }.help(help));
    }
    setup.scripts_folder = scripts_folder(given, config.as_ref(), &setup.rule_paths);
    setup.texts.scripts = match setup.scripts_folder.as_deref() {
        Some(folder) => Some(scripts(given, folder, found)),
        // A configuration without scripts has none. Without a configuration, the scripts are unknown.
        None => config.is_some().then(BTreeMap::new),
    };
    found.extend(config.iter().flat_map(|(config, base)| followed::check(config, base)));
    found.extend(config.iter().flat_map(|(config, _)| mistakes_of_files(config)));
    if let (true, Some((config, base))) = (given.to_run, &config) {
        found.extend(machine::check(config, base, &setup.texts));
    }
    setup.config = config;
    setup.site = assemble(&setup.texts, setup.config.as_ref().map(|(config, _)| config), &mut setup.diagnostics);
    setup
}

/// The paths of the rules that a configuration names.
pub fn rules_of(path: &Path, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let Some(source) = read::read(path, found) else { return Vec::new() };
    let (config, more) = config::load(&source);
    found.extend(more);
    let base = paths::folder(path);
    config.map(|c| c.rules.iter().map(|p| base.join(p)).collect()).unwrap_or_default()
}

fn rule_paths(given: &SiteFiles, config: Option<&(Config, PathBuf)>) -> Vec<PathBuf> {
    match config {
        Some((config, base)) if given.rules.is_empty() => config.rules.iter().map(|p| base.join(p)).collect(),
        _ => given.rules.clone(),
    }
}

fn scripts_folder(given: &SiteFiles, config: Option<&(Config, PathBuf)>, rules: &[PathBuf]) -> Option<PathBuf> {
    if let Some(folder) = &given.scripts {
        return Some(folder.clone());
    }
    if let Some((config, base)) = config {
        let unless = base.join("scripts");
        let above = || {
            let folder = base.canonicalize().ok().filter(|_| given.scripts_above)?;
            folder.ancestors().map(|folder| folder.join("scripts")).find(|scripts| scripts.is_dir())
        };
        let said = config.scripts.as_ref().map(|said| base.join(said));
        return said.or(unless.is_dir().then_some(unless)).or_else(above);
    }
    let folders = rules.iter().map(|p| if p.is_dir() { p.as_path() } else { p.parent().unwrap_or(Path::new("")) });
    folders.flat_map(|p| [p.join("scripts"), p.join("..").join("scripts")]).find(|p| p.is_dir())
}

/// The scripts of a folder, by file name.
fn scripts(given: &SiteFiles, folder: &Path, found: &mut Vec<Diagnostic>) -> BTreeMap<String, Arc<Source>> {
    let mut all = BTreeMap::new();
    if folder.is_file() {
        let message = format!("{} is a file, and `scripts` must be a folder", folder.display());
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        found.push(Diagnostic::whole(Code::FileUnreadable, message).help(format!("name the folder: {}", parent.display())));
        return all;
    }
    for file in read::files(folder, "rhai", found) {
        let Some(source) = given.open_text(&file).or_else(|| read::read(&file, found)) else { continue };
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        all.insert(name, source);
    }
    all
}
