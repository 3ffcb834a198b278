//! Reads configuration, rules and scripts from files, and makes a [`Site`] of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::limits::{RULE_FILE_BYTES, SOURCE_BYTES};
use crate::core::config::{self, Config, Followed};
use crate::core::diag::{Code, Diagnostic, Place, Source, has_errors};
use crate::core::journal::{ConfigSnapshot, FileText};
use crate::core::lang::{Declarations, Matcher, compile, fields_set};
use crate::core::notifications::unknown_names;
use crate::core::replay::samples;
use crate::core::script::{self, Evaluator, Param};
use crate::core::site::Site;
use crate::shell::linux::file::{kind_of, open_regular, writable_by_others};
use crate::shell::sources::Entry;

use super::paths;

/// Files of one folder, those of the folders in it included, at most.
const FILES: usize = 10_000;
/// Folders within folders, at most: a link to a folder above is no endless tree.
const FOLDERS: usize = 16;

/// Which files a site is made of.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Given {
    /// The configuration; it names the folders of rules and scripts
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A rule file or a folder of them, instead of those that the configuration names
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// The folder of scripts; without a configuration and this, `scripts` in the rules' folder or beside it
    #[arg(long, value_name = "DIR")]
    pub(super) scripts: Option<PathBuf>,
    /// A configuration without scripts has those of the nearest folder `scripts` above it: that of rule tests which were copied.
    #[arg(skip)]
    pub(super) scripts_above: bool,
}

/// A site, and what was found while it was made.
#[derive(Default)]
pub(super) struct Setup {
    /// `None` when something is wrong.
    pub(super) site: Option<Arc<Site>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What it was made of.
    pub(super) texts: Texts,
    /// Where rules came from, for the tests beside them.
    pub(super) rule_paths: Vec<PathBuf>,
    /// Where scripts came from.
    pub(super) scripts_folder: Option<PathBuf>,
    /// The configuration, and the folder that its paths are relative to.
    pub(super) config: Option<(Config, PathBuf)>,
}

/// All texts of a site.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) config: Option<Arc<Source>>,
    pub(super) rules: Vec<Arc<Source>>,
    /// The scripts by file name; `None` when it is not known where they are.
    pub(super) scripts: Option<BTreeMap<String, Arc<Source>>>,
}

/// Makes a site of what was given; without anything, of the configuration in its usual place.
pub(super) fn load(given: &Given) -> Setup {
    let mut setup = Setup::default();
    let found = &mut setup.diagnostics;
    let unless = paths::controller(None);
    let config_file = given.config.as_ref().or((given.rules.is_empty() && unless.exists()).then_some(&unless));
    if config_file.is_none() && given.rules.is_empty() {
        let message = "there is no pointsman.yaml here or in /etc/pointsman, and neither a configuration nor rules were named";
        found.push(Diagnostic::whole(Code::FileUnreadable, message).help(
            "write -c FILE, or --rules PATH for rules that need no inventory; `pointsman init` writes a site to start from",
        ));
        return setup;
    }
    let config = match config_file {
        None => None,
        Some(path) => {
            setup.texts.config = read(path, found);
            let Some(source) = &setup.texts.config else { return setup };
            let (config, more) = config::load(source);
            found.extend(more);
            let Some(config) = config else { return setup };
            Some((config, path.parent().unwrap_or(Path::new("")).to_owned()))
        }
    };
    setup.rule_paths = rule_paths(given, config.as_ref());
    for path in &setup.rule_paths {
        for file in files(path, "alarm", found) {
            setup.texts.rules.extend(read_rules(&file, found));
        }
    }
    if setup.texts.rules.is_empty() && !has_errors(found) {
        let paths: Vec<String> = setup.rule_paths.iter().map(|p| p.display().to_string()).collect();
        found.push(Diagnostic::whole(Code::FileUnreadable, format!("there is no rule file (*.alarm) in {}", paths.join(", "))));
    }
    setup.scripts_folder = scripts_folder(given, config.as_ref(), &setup.rule_paths);
    setup.texts.scripts = match setup.scripts_folder.as_deref() {
        Some(folder) => Some(scripts(folder, found)),
        // A configuration without scripts has none; without a configuration it is not known.
        None => config.is_some().then(BTreeMap::new),
    };
    for (pattern, matches) in config.iter().flat_map(|(config, base)| patterns(config, base)) {
        if matches == 0 {
            let message = format!("no file matches the pattern {pattern} now");
            found.push(
                Diagnostic::whole(Code::NoFileMatches, message).help("one that comes later is followed; is the path right?"),
            );
        }
    }
    setup.config = config;
    make(&mut setup);
    setup
}

/// The patterns of files that a configuration follows, and how many files match each now.
pub(super) fn patterns(config: &Config, base: &Path) -> Vec<(String, usize)> {
    let entry =
        |file: &Followed| Entry::new(std::path::absolute(base.join(&file.path)).unwrap_or_else(|_| base.join(&file.path)));
    let patterns = config.files.iter().map(entry).filter(Entry::is_pattern);
    patterns.map(|entry| (entry.name(), entry.matches().len())).collect()
}

/// Makes a site of texts that were accepted earlier; `base` is the folder that the configuration's paths are relative to.
pub(super) fn of_written(written: &ConfigSnapshot, base: &Path) -> Setup {
    let source = |text: &FileText| Arc::new(Source { name: text.name.clone(), text: text.text.clone() });
    let config_source = source(&written.config);
    let (config, diagnostics) = config::load(&config_source);
    let texts = Texts {
        config: Some(config_source),
        rules: written.rules.iter().map(source).collect(),
        scripts: Some(written.scripts.iter().map(|(name, text)| (name.clone(), source(text))).collect()),
    };
    let mut setup = Setup { diagnostics, texts, config: config.map(|c| (c, base.to_owned())), ..Setup::default() };
    if setup.config.is_some() {
        make(&mut setup);
    }
    setup
}

/// Checks and compiles what was read.
fn make(setup: &mut Setup) {
    let Setup { diagnostics: found, texts, config, .. } = setup;
    let inventory = config.as_ref().map(|(c, _)| &c.inventory);
    let mut params: Option<BTreeMap<String, Vec<Param>>> = None;
    let mut scripts = Vec::new();
    for (name, source) in texts.scripts.iter().flatten() {
        let (declared, more) = script::inspect(source, inventory);
        found.extend(more);
        params.get_or_insert_default().insert(name.clone(), declared.params.clone());
        scripts.push(declared);
    }
    let params = params.or(texts.scripts.is_some().then(BTreeMap::new));
    let (program, more) = compile(&texts.rules, &Declarations { inventory, scripts: params.as_ref() });
    found.extend(more);
    if let Some(inventory) = inventory {
        let unknown = unknown_names(inventory, &program);
        found.extend(unknown.into_iter().map(|text| Diagnostic::whole(Code::RouteName, text)));
    }
    // Of a script that does not parse it is not known what it declares.
    if found.iter().any(|d| d.code == Code::ScriptSyntax) {
        found.retain(|d| !matches!(d.code, Code::UnknownParameter | Code::MissingParameter));
    }
    let fields = fields_set(&program);
    found.extend(scripts.iter().flat_map(|declared| declared.misspelled_fields(&fields)));
    let matcher = Matcher::new(&program, inventory);
    found.extend(samples::check(&program, &matcher));
    let inventory = Arc::new(config.as_ref().map(|(c, _)| c.inventory.clone()).unwrap_or_default());
    let evaluator = Evaluator::new(inventory.clone());
    let mut compiled = BTreeMap::new();
    for (name, source) in texts.scripts.iter().flatten() {
        match evaluator.compile(source) {
            Ok(script) => {
                compiled.insert(name.clone(), script);
            }
            // `script::check` has said why.
            Err(diagnostic) if !has_errors(found) => found.push(diagnostic),
            Err(_) => {}
        }
    }
    if !has_errors(found) {
        setup.site = Some(Arc::new(Site::new(inventory, Arc::new(program), matcher, compiled, evaluator)));
    }
}

/// The rules that a configuration names.
pub(super) fn rules_of(path: &Path, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let Some(source) = read(path, found) else { return Vec::new() };
    let (config, more) = config::load(&source);
    found.extend(more);
    let base = path.parent().unwrap_or(Path::new(""));
    config.map(|c| c.rules.iter().map(|p| base.join(p)).collect()).unwrap_or_default()
}

fn rule_paths(given: &Given, config: Option<&(Config, PathBuf)>) -> Vec<PathBuf> {
    match config {
        Some((config, base)) if given.rules.is_empty() => config.rules.iter().map(|p| base.join(p)).collect(),
        _ => given.rules.clone(),
    }
}

fn scripts_folder(given: &Given, config: Option<&(Config, PathBuf)>, rules: &[PathBuf]) -> Option<PathBuf> {
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

/// The scripts of a folder by file name.
fn scripts(folder: &Path, found: &mut Vec<Diagnostic>) -> BTreeMap<String, Arc<Source>> {
    let mut all = BTreeMap::new();
    for file in files(folder, "rhai", found) {
        let Some(source) = read(&file, found) else { continue };
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        all.insert(name, source);
    }
    all
}

/// The files of a folder with an extension, by name, those of its folders included; of a file, itself.
pub(super) fn files(path: &Path, extension: &str, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    if let Ok(meta) = fs::metadata(path).as_ref()
        && !meta.is_dir()
    {
        found.push(unreadable(path, &format!("it is {}, and has to be a regular file or a folder", kind_of(meta.file_type()))));
        return Vec::new();
    }
    let mut all = Vec::new();
    walk(path, extension, 0, &mut BTreeSet::new(), &mut all, found);
    all.sort();
    all
}

fn walk(
    folder: &Path,
    extension: &str,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    all: &mut Vec<PathBuf>,
    found: &mut Vec<Diagnostic>,
) {
    // A link to a folder that was seen already brings nothing new.
    if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.to_owned())) {
        return;
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return found.push(unreadable(folder, &e.to_string())),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && depth < FOLDERS {
            walk(&path, extension, depth + 1, seen, all, found);
        } else if path.to_string_lossy().ends_with(&format!(".{extension}")) && path.is_file() {
            if all.len() == FILES {
                return found.push(unreadable(folder, &format!("more than {FILES} files")));
            }
            all.push(path);
        }
    }
}

/// A file as a text; what prevents it is reported.
pub(super) fn read(path: &Path, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    read_up_to(path, SOURCE_BYTES, found)
}

/// The same of a file of rules.
pub(super) fn read_rules(path: &Path, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    read_up_to(path, RULE_FILE_BYTES, found)
}

fn read_up_to(path: &Path, most: usize, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    let file = open_regular(path);
    if let (Ok(_), Some(open)) = (&file, writable_by_others(path)) {
        let message = format!("{} is not read: every user of this machine may change {}", path.display(), open.display());
        found.push(Diagnostic::whole(Code::FileUnreadable, message).help(format!("chmod o-w {}", open.display())));
        return None;
    }
    match file.and_then(|file| bytes_up_to(file, most)) {
        Ok(bytes) => text_up_to(path.display().to_string(), bytes, most, found),
        Err(e) => {
            found.push(unreadable(path, &e.to_string()));
            None
        }
    }
}

/// The bytes of a rule file, and one more if it is too large.
pub(super) fn bytes(from: impl Read) -> std::io::Result<Vec<u8>> {
    bytes_up_to(from, RULE_FILE_BYTES)
}

fn bytes_up_to(from: impl Read, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes of a rule file as a text; what prevents it is reported.
pub(super) fn text(name: String, bytes: Vec<u8>, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    text_up_to(name, bytes, RULE_FILE_BYTES, found)
}

fn text_up_to(name: String, bytes: Vec<u8>, most: usize, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    // Of one that is too large no more than that is known; where it was cut, a character may be, too.
    if bytes.len() > most {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Some(Arc::new(Source { name, text }));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(Arc::new(Source { name, text })),
        Err(e) => {
            let at = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
            let source = Arc::new(Source { name, text });
            let place = Place { source, bytes: at..at + '\u{FFFD}'.len_utf8() };
            let message = format!("byte {at} is not UTF-8: the file is not read");
            found.push(Diagnostic::new(Code::FileUnreadable, place, message).help("save it as UTF-8"));
            None
        }
    }
}

pub(super) fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::whole(Code::FileUnreadable, format!("{} could not be read: {why}", path.display()))
}
