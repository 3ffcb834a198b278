//! The sites to which open documents belong, loaded beside the thread that answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::config;
use crate::core::diag::{Diagnostic, Source};
use crate::core::editor::{Documents, Language};
use crate::core::replay::test_file;
use crate::shell::site_files::{SiteFiles, load, read};

/// How many folders above a document are looked at for a configuration.
const ABOVE: usize = 16;

/// The files of which a site is made, without the texts of open documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SiteKey {
    pub(super) config: Option<PathBuf>,
    pub(super) rules: Vec<PathBuf>,
    pub(super) scripts: Option<PathBuf>,
}

/// A site that was loaded: its texts with their names, and what is wrong with it.
pub(super) struct Assembled {
    pub(super) key: SiteKey,
    /// The number of the change after which it was loaded.
    pub(super) change: u64,
    pub(super) documents: Documents,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// The site that a document belongs to: the configuration above it, or one beside it, or the rules of its folder.
pub(super) fn site_of(path: &Path, language: Language) -> SiteKey {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let of_config = |config: PathBuf| SiteKey { config: Some(config), ..SiteKey::default() };
    if language == Language::Configuration {
        return of_config(path.to_owned());
    }
    if let Some(config) = folder.ancestors().take(ABOVE).map(|above| above.join("pointsman.yaml")).find(|file| file.is_file()) {
        return of_config(config);
    }
    let rules = if language == Language::Script { folder.parent().unwrap_or(folder) } else { folder };
    let beside = std::fs::read_dir(rules).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut configs: Vec<PathBuf> =
        beside.filter(|path| Language::of(&path.to_string_lossy()) == Some(Language::Configuration)).collect();
    configs.sort();
    let text = |path: &PathBuf| read::read(path, &mut Vec::new()).is_some_and(|source| is_configuration(&source.text));
    match configs.into_iter().find(text) {
        Some(config) => of_config(config),
        None => SiteKey {
            rules: vec![rules.to_owned()],
            scripts: (language == Language::Script).then(|| folder.to_owned()),
            ..SiteKey::default()
        },
    }
}

/// True for a text that has keys of a configuration at its top.
pub(super) fn is_configuration(text: &str) -> bool {
    text.lines().any(|line| ["rules:", "hosts:", "applications:"].iter().any(|key| line.starts_with(key)))
}

/// Loads a site. `open` has the texts of open documents by their real path, and `before` what was known of the site.
pub(super) fn assemble(key: SiteKey, change: u64, open: BTreeMap<PathBuf, String>, before: Documents) -> Assembled {
    let SiteKey { config, rules, scripts } = key.clone();
    let setup = load(&SiteFiles { config, rules, scripts, scripts_above: true, open: open.clone(), to_run: false });
    let mut diagnostics = setup.diagnostics;
    let mut documents = before;
    let mut present = Vec::new();
    let mut set = |path: &str, language: Language, text: &str| {
        let name = real_name(Path::new(path));
        documents.set(&name, language, text);
        present.push(name);
    };
    if let Some(config) = &setup.texts.config {
        set(&config.name, Language::Configuration, &config.text);
    }
    for rules in &setup.texts.rules {
        set(&rules.name, Language::Rules, &rules.text);
    }
    for script in setup.texts.scripts.iter().flatten().map(|(_, script)| script) {
        set(&script.name, Language::Script, &script.text);
    }
    let folders = setup.rule_paths.iter().map(|path| if path.is_dir() { path.clone() } else { path.with_file_name("") });
    let mut tests: Vec<PathBuf> = folders.flat_map(|folder| read::files(&folder, "test.yaml", &mut Vec::new())).collect();
    tests.sort();
    tests.dedup();
    for path in tests {
        let files = SiteFiles { open: open.clone(), ..SiteFiles::default() };
        let Some(source) = files.open_text(&path).or_else(|| read::read(&path, &mut Vec::new())) else { continue };
        set(&source.name, Language::Tests, &source.text);
        diagnostics.extend(test_file::read(&source).1);
    }
    for (path, text) in open.iter().filter(|(path, _)| Language::of(&path.to_string_lossy()) == Some(Language::Agent)) {
        let source = Source { name: path.to_string_lossy().into_owned(), text: text.clone() };
        diagnostics.extend(config::load_agent(&Arc::new(source)).1);
    }
    // A configuration that cannot be read says nothing about the rest: what was known stays.
    if setup.config.is_some() || key.config.is_none() {
        documents.retain(|name| present.iter().any(|path| path == name));
    }
    Assembled { key, change, documents, diagnostics }
}

/// The name of a document: its real path.
pub(super) fn real_name(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}
