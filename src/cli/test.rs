//! `pointsman test`: rule tests in virtual time.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::text::{printable, printable_json};
use crate::core::diag::{Code, Diagnostic, Source, has_errors};
use crate::core::replay::rule_test::{self, Verdict};
use crate::core::replay::test_file::{self, TestFile};
use crate::core::site::Site;

use super::given::Given;
use super::{FAILED, Format, WRONG, colour, plural, report};
use crate::shell::site_files::{self, SiteFiles, read};

const EXAMPLES: &str = "\
Examples:
  pointsman test -c pointsman.yaml                 the tests beside the rules that it names
  pointsman test rules/ip_takeover                 the tests of a folder
  pointsman test rules --only 'primary failure'    those with this in their name
  pointsman test rules -v                          with the timeline of each that fails

A test file (*.test.yaml) may name its configuration and rules; else those given here count, or the rules of its folder.";

/// Runs rule tests
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// Only tests with this text in their name
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Show the timeline of tests that fail; twice, of all
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: Format,
    /// Test files, or folders of them; unless said, where the rules are
    paths: Vec<PathBuf>,
}

/// Sites that were made, by what they were made of.
type Sites = BTreeMap<(Option<PathBuf>, Vec<PathBuf>), Option<Arc<Site>>>;

pub(super) fn run(args: &Args) -> io::Result<u8> {
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
    let mut out = io::stdout().lock();
    let mut sites = Sites::new();
    let (mut passed, mut failed, mut unusable) = (0, 0, 0);
    for path in &files {
        match load(&args.given, path, &mut sites) {
            Ok((file, site)) => {
                let wanted = file.tests.iter().filter(|t| args.only.as_ref().is_none_or(|only| t.name.contains(only)));
                let mut head = false;
                for test in wanted {
                    if args.format == Format::Human && !head {
                        writeln!(out, "{}", printable(&path.display().to_string()))?;
                        head = true;
                    }
                    let verdict = rule_test::run(&site, test);
                    *(if verdict.wrong.is_empty() { &mut passed } else { &mut failed }) += 1;
                    show(&mut out, args, path, &test.name, &verdict)?;
                }
            }
            Err(diagnostics) => {
                unusable += 1;
                out.flush()?;
                report(&diagnostics, args.format)?;
            }
        }
    }
    if args.format == Format::Human {
        let mut summary = format!("{passed} passed, {failed} failed");
        if unusable > 0 {
            summary.push_str(&format!(", {} could not be used", plural(unusable, "file")));
        }
        writeln!(out, "{summary}")?;
    }
    if passed + failed == 0 && unusable == 0 {
        let places: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        eprintln!("pointsman: there is no such test in {} (tests stand in *.test.yaml)", places.join(", "));
        return Ok(WRONG);
    }
    Ok(if unusable > 0 {
        WRONG
    } else if failed > 0 {
        FAILED
    } else {
        0
    })
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The configuration of the site that a folder belongs to: `pointsman.yaml` in it or in one of the folders above, which names rules in
/// that folder, above it or below.
fn site_above(folder: &Path) -> Option<PathBuf> {
    let whole = folder.canonicalize().ok()?;
    let found = whole.ancestors().map(|above| above.join("pointsman.yaml")).find(|file| file.is_file())?;
    let rules = site_files::rules_of(&found, &mut Vec::new());
    let mut rules = rules.iter().filter_map(|path| path.canonicalize().ok());
    rules.find(|path| whole.starts_with(path) || path.starts_with(&whole))?;
    // Named from here where that is possible, as messages show it.
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let named = here.and_then(|here| found.strip_prefix(here).map(Path::to_owned).ok());
    Some(named.unwrap_or(found))
}

/// A test file, and the site that it is about.
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
        let said = || Diagnostic::whole(Code::TestSyntax, format!("{}: its rules are wrong; see above", test.name));
        return site.clone().ok_or_else(|| vec![said()]);
    }
    let setup = site_files::load(&SiteFiles { config, rules, scripts: given.scripts.clone(), scripts_above: true });
    sites.insert(key, setup.site.clone());
    setup.site.ok_or(setup.diagnostics)
}

/// The tests of a site that fail, or can't be run: what makes a site one that is refused.
pub(super) fn failing(given: &Given, rule_paths: &[PathBuf]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = rule_paths.iter().map(|p| if p.is_dir() { p.clone() } else { folder_of(p) }).collect();
    folders.sort();
    folders.dedup();
    let mut files: Vec<PathBuf> = folders.iter().flat_map(|folder| read::files(folder, "test.yaml", &mut found)).collect();
    files.sort();
    files.dedup();
    let mut sites = Sites::new();
    for path in &files {
        let (file, site) = match load(given, path, &mut sites) {
            Ok(loaded) => loaded,
            Err(diagnostics) => {
                let message = format!("the rule tests of {} can't be run", path.display());
                let help = "without `config` they are about your own site; a file whose tests are not wanted may go";
                found.push(Diagnostic::whole(Code::TestFails, message).help(help));
                found.extend(diagnostics);
                continue;
            }
        };
        for test in &file.tests {
            if let Some(wrong) = rule_test::run(&site, test).wrong.first() {
                let message = format!("{}: the rule test `{}` fails: {wrong}", path.display(), test.name);
                let help = format!("`pointsman test {} -v` shows what happened", path.display());
                found.push(Diagnostic::whole(Code::TestFails, message).help(help));
            }
        }
    }
    found
}

fn show(out: &mut impl Write, args: &Args, path: &Path, name: &str, verdict: &Verdict) -> io::Result<()> {
    let good = verdict.wrong.is_empty();
    if args.format == Format::Json {
        let object = serde_json::json!({
            "file": path.display().to_string(),
            "test": name,
            "passed": good,
            "wrong": verdict.wrong,
            "lasted": rule_test::lasted(&verdict.entries),
        });
        return writeln!(out, "{}", printable_json(&object.to_string()));
    }
    let paint = colour(&io::stdout());
    let (word, colour) = if good { ("ok  ", "32") } else { ("FAIL", "1;31") };
    let word = if paint { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() };
    writeln!(out, "  {word} {} ({})", printable(name), rule_test::lasted(&verdict.entries))?;
    for wrong in &verdict.wrong {
        writeln!(out, "       {}", printable(wrong))?;
    }
    if args.verbose > u8::from(good) {
        for entry in &verdict.entries {
            writeln!(out, "       | {}", entry.human(paint))?;
        }
    }
    Ok(())
}
