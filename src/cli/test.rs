//! `pointsman test`: runs rule tests in virtual time.

mod args;
mod coverage;
mod first;
mod from_samples;
mod mutate;
mod parallel;
mod shown;
mod update;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::diag::{Code, Diagnostic, Source, has_errors};
use crate::core::explain::reason_of_test;
use crate::core::replay::rule_test::{self, Verdict};
use crate::core::replay::test_file::{self, RuleTest, TestFile};
use crate::core::site::Site;

use super::given::Given;
use super::output::{FAILED, WRONG, report};
use crate::shell::site_files::{self, SiteFiles, read};

use parallel::in_parallel;

pub(super) use args::Args;

/// The number of mismatches of a test that are explained.
const EXPLAINED: usize = 3;

/// Sites that were loaded, by the files of which they were made.
type Sites = BTreeMap<(Option<PathBuf>, Vec<PathBuf>), Option<Arc<Site>>>;

pub(super) fn run(args: &Args) -> io::Result<u8> {
    if let Some(log) = &args.from {
        return first::run(args, log);
    }
    if args.from_samples {
        return from_samples::run(args);
    }
    if args.watch { watch::run(args, run_once) } else { run_once(args) }
}

fn run_once(args: &Args) -> io::Result<u8> {
    let mut found = Vec::new();
    let mut paths = args.paths.clone();
    if paths.is_empty() {
        let setup = args.given.load();
        if setup.site.is_none() {
            report(&setup.diagnostics, args.format)?;
            return Ok(WRONG);
        }
        paths = setup.rule_paths.iter().map(|p| if p.is_dir() { p.clone() } else { folder_of(p) }).collect();
        paths.sort();
        paths.dedup();
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for path in &paths {
        files.extend(read::files(path, "test.yaml", &mut found));
    }
    files.dedup();
    report(&found, args.format)?;
    if has_errors(&found) {
        return Ok(WRONG);
    }
    let mut sites = Sites::new();
    let mut unusable = 0;
    let mut loaded: Vec<(PathBuf, TestFile, Arc<Site>)> = Vec::new();
    for path in &files {
        match load(&args.given, path, &mut sites) {
            Ok((file, site)) => loaded.push((path.clone(), file, site)),
            Err(diagnostics) => {
                unusable += 1;
                report(&diagnostics, args.format)?;
            }
        }
    }
    if args.mutate {
        return mutate::run(args, &loaded);
    }
    let jobs: Vec<Job<'_>> = loaded
        .iter()
        .flat_map(|(path, file, site)| file.tests.iter().map(move |test| Job { path, test, site }))
        .filter(|job| args.only.as_ref().is_none_or(|only| job.test.name.contains(only)))
        .collect();
    let done = in_parallel(&jobs, |job| Done::of(job, args));
    if args.update {
        return update::run(&jobs, &done);
    }
    // A program that reads the coverage does not expect anything else.
    let mut out: Box<dyn Write> =
        if args.coverage.is_some_and(|how| how.is_for_programs()) { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    shown::write(&mut *out, args, &jobs, &done, unusable)?;
    out.flush()?;
    if let Some(path) = &args.junit
        && let Err(e) = std::fs::write(path, shown::junit(&jobs, &done))
    {
        return Ok(super::output::wrong(&format!("{}: {e}", path.display())));
    }
    if jobs.is_empty() && unusable == 0 {
        let places: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        let what = args.only.as_ref().map_or("no test".to_owned(), |only| format!("no test with `{only}` in its name"));
        return Ok(super::output::wrong(&format!(
            "there is {what} in {} (tests are in *.test.yaml; `pointsman test --from LOG` writes a first one)",
            places.join(", ")
        )));
    }
    if let Some(how) = args.coverage {
        coverage::write(&mut io::stdout().lock(), how, &jobs, &done)?;
    }
    let failed = done.iter().any(|done| !done.verdict.wrong.is_empty());
    Ok(if unusable > 0 {
        WRONG
    } else if failed {
        FAILED
    } else {
        0
    })
}

/// A test to run.
struct Job<'f> {
    path: &'f Path,
    test: &'f RuleTest,
    site: &'f Arc<Site>,
}

/// The result of a test.
struct Done {
    verdict: Verdict,
    /// For each mismatch, the reason why the expected alarm behaved differently.
    reasons: Vec<Vec<String>>,
    /// The parts of the rules that it exercised, if coverage is wanted.
    covered: Option<coverage::Covered>,
    took: std::time::Duration,
}

impl Done {
    fn of(job: &Job<'_>, args: &Args) -> Done {
        let began = std::time::Instant::now();
        let (verdict, covered) = if args.coverage.is_some() {
            let (verdict, trace) = rule_test::run_traced(job.site, job.test, BTreeSet::new());
            let covered = coverage::Covered::of(job.site, &verdict, &trace);
            (verdict, Some(covered))
        } else {
            (rule_test::run(job.site, job.test), None)
        };
        let reason = |wrong: &rule_test::Mismatch| {
            let (alarm, key) = wrong.alarm.as_ref()?;
            Some(reason_of_test(job.site, job.test, alarm, key.as_deref()))
        };
        let reasons = verdict.wrong.iter().take(EXPLAINED).map(|wrong| reason(wrong).unwrap_or_default()).collect();
        Done { verdict, reasons, covered, took: began.elapsed() }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The configuration of the site to which a folder belongs: `pointsman.yaml` in the folder or in one of its parents, if its rules
/// are in that folder, above it or below it.
fn site_above(folder: &Path) -> Option<PathBuf> {
    let whole = folder.canonicalize().ok()?;
    let found = whole.ancestors().map(|above| above.join("pointsman.yaml")).find(|file| file.is_file())?;
    let rules = site_files::rules_of(&found, &mut Vec::new());
    let mut rules = rules.iter().filter_map(|path| path.canonicalize().ok());
    rules.find(|path| whole.starts_with(path) || path.starts_with(&whole))?;
    // Relative to the current folder if possible, because messages show the path.
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let named = here.and_then(|here| found.strip_prefix(here).map(Path::to_owned).ok());
    Some(named.unwrap_or(found))
}

/// Reads a test file and loads the site that it tests.
fn load(given: &Given, path: &Path, sites: &mut Sites) -> Result<(TestFile, Arc<Site>), Vec<Diagnostic>> {
    let mut found = Vec::new();
    let Some(source) = read::read(path, &mut found) else { return Err(found) };
    let (file, more) = test_file::read(&source);
    found.extend(more);
    let Some(file) = file else { return Err(found) };
    let folder = folder_of(path);
    let config = file.config.as_ref().map(|c| folder.join(c)).or_else(|| given.config.clone()).or_else(|| site_above(&folder));
    let rules = if !file.rules.is_empty() {
        file.rules.iter().map(|r| folder.join(r)).collect()
    } else if !given.rules.is_empty() || config.is_some() {
        given.rules.clone()
    } else {
        vec![folder]
    };
    let site = site(given, config, rules, &source, sites)?;
    Ok((file, site))
}

fn site(
    given: &Given,
    config: Option<PathBuf>,
    rules: Vec<PathBuf>,
    test: &Source,
    sites: &mut Sites,
) -> Result<Arc<Site>, Vec<Diagnostic>> {
    let key = (config.clone(), rules.clone());
    if let Some(site) = sites.get(&key) {
        let said = || Diagnostic::whole(Code::TestSyntax, format!("{}: its rules have errors; see above", test.name));
        return site.clone().ok_or_else(|| vec![said()]);
    }
    let setup = site_files::load(&SiteFiles {
        config,
        rules,
        scripts: given.scripts.clone(),
        scripts_above: true,
        ..SiteFiles::default()
    });
    sites.insert(key, setup.site.clone());
    setup.site.ok_or(setup.diagnostics)
}

/// The tests of a site that fail or cannot be run. They make the site invalid.
pub(super) fn failing(given: &Given, rule_paths: &[PathBuf]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = rule_paths.iter().map(|p| if p.is_dir() { p.clone() } else { folder_of(p) }).collect();
    folders.sort();
    folders.dedup();
    let mut files: Vec<PathBuf> = folders.iter().flat_map(|folder| read::files(folder, "test.yaml", &mut found)).collect();
    files.sort();
    files.dedup();
    let mut sites = Sites::new();
    let mut loaded = Vec::new();
    for path in &files {
        match load(given, path, &mut sites) {
            Ok((file, site)) => loaded.push((path, file, site)),
            Err(diagnostics) => {
                let message = format!("the rule tests of {} can't be run", path.display());
                let help = "without `config` its tests use your own site; if you do not want them, delete the file";
                found.push(Diagnostic::whole(Code::TestFails, message).help(help));
                found.extend(diagnostics);
            }
        }
    }
    let jobs: Vec<Job<'_>> = loaded
        .iter()
        .flat_map(|(path, file, site)| file.tests.iter().map(move |test| Job { path: path.as_path(), test, site }))
        .collect();
    let wrong = in_parallel(&jobs, |job| rule_test::run(job.site, job.test).wrong.into_iter().next());
    for (job, wrong) in jobs.iter().zip(wrong) {
        if let Some(wrong) = wrong {
            let path = job.path.display();
            let message = format!("{path}: the rule test `{}` fails: {wrong}", job.test.name);
            let help = format!("`pointsman test {path} -v` shows what happened");
            found.push(Diagnostic::whole(Code::TestFails, message).help(help));
        }
    }
    found
}
