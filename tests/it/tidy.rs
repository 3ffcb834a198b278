//! The rules of the project: layers, purity, owners of dependencies, correct documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{read, root};

/// The maximum number of lines of one file.
const LINES: usize = 1_000;

/// Every file of the project below a folder, by path from the root, without build results and history.
fn all_files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if !matches!(name, "target" | ".git") {
                    open.push(path);
                }
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The sources of the library without their tests: path and code, without comments and doc strings.
fn sources() -> Vec<(String, String)> {
    let files =
        all_files("src").into_iter().filter(|p| p.ends_with(".rs") && !p.ends_with("/tests.rs") && !p.contains("/tests/"));
    files.map(|path| (path.clone(), code(&read(&path)))).collect()
}

/// The code without comments, and without the part after `#[cfg(test)]` (tests are at the end of their file).
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn module(path: &str) -> &str {
    let inside = path.trim_start_matches("src/");
    let inside = inside.strip_prefix("core/").or_else(|| inside.strip_prefix("shell/")).unwrap_or(inside);
    inside.split(['/', '.']).next().unwrap()
}

/// The layer table of ARCHITECTURE.md.
fn layers() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("ARCHITECTURE.md");
    let table = text.split("| module | what it is | may use |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|l| l.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].to_owned(), cells[2].split_whitespace().map(str::to_owned).collect())
    })
    .collect()
}

/// The modules that a source names: `crate::core::x`, `crate::cli` and `use crate::{core::x, shell::y::z}`.
fn named(code: &str) -> BTreeSet<String> {
    let path = regex::Regex::new(r"crate::(?:((?:(?:core|shell)::)?[a-z_]+)|\{([^}]*)\})").unwrap();
    let last = |p: &str| {
        let p = p.trim();
        p.strip_prefix("core::").or_else(|| p.strip_prefix("shell::")).unwrap_or(p).split("::").next().unwrap().to_owned()
    };
    let mut found = BTreeSet::new();
    for caps in path.captures_iter(code) {
        match (caps.get(1), caps.get(2)) {
            (Some(one), _) => drop(found.insert(last(one.as_str()))),
            (_, Some(many)) => {
                found.extend(many.as_str().split(',').map(last).filter(|p| !p.is_empty()));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let layers = layers();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, code) in sources() {
        let me = module(&path).to_owned();
        if matches!(me.as_str(), "lib" | "main" | "mod") {
            continue;
        }
        let Some(allowed) = layers.get(&me) else { panic!("{me} has no row in ARCHITECTURE.md") };
        for other in named(&code).into_iter().filter(|o| *o != me) {
            assert!(allowed.contains(&other), "{path} uses {other}, which the row of {me} does not allow");
            used.entry(me.clone()).or_default().insert(other);
        }
    }
    for (me, allowed) in &layers {
        let floors = ["src", "src/core", "src/shell"];
        assert!(floors.iter().any(|f| root().join(f).join(me).is_dir()), "the table has {me}, and there is no such module");
        let unused: Vec<&String> = allowed.iter().filter(|o| !used.get(me).is_some_and(|u| u.contains(*o))).collect();
        assert!(unused.is_empty(), "the row of {me} allows {unused:?}, which it does not use");
        // A layer uses only layers below its own row, so there are no cycles.
        for other in allowed {
            assert!(!layers[other].contains(me), "{me} and {other} use each other");
        }
    }
    // The check itself recognizes both forms.
    let both = "use crate::{core::a, shell::b::C};\nlet x = crate::core::d::E;";
    assert_eq!(named(both), BTreeSet::from(["a", "b", "d"].map(str::to_owned)));
}

/// The files of a module, and which of their siblings each of them names: `super::x::Y`, `use super::{x::Y, z}`.
fn uses_of_siblings() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let path = regex::Regex::new(r"(?:^|[^:\w])super::(\w+|\{[^;]*\})").unwrap();
    // Groups within groups are behind a name, which is what counts.
    let group = regex::Regex::new(r"\{[^{}]*\}").unwrap();
    let mut modules: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (file, code) in sources().into_iter().filter(|(file, _)| !file.ends_with("/mod.rs")) {
        let (folder, name) = file.trim_end_matches(".rs").rsplit_once('/').unwrap();
        let mut named = BTreeSet::new();
        for found in path.captures_iter(&code) {
            let mut list = found[1].trim_matches(['{', '}']).to_owned();
            while group.is_match(&list) {
                list = group.replace_all(&list, "").into_owned();
            }
            named.extend(list.split(',').map(|p| p.trim().split("::").next().unwrap().to_owned()));
        }
        modules.entry(folder.to_owned()).or_default().insert(name.to_owned(), named);
    }
    modules
}

/// Two files of a module that use each other are one thing in two places, or hide a third one. The grammar is recursive.
#[test]
fn no_files_use_each_other() {
    for (folder, files) in uses_of_siblings().into_iter().filter(|(folder, _)| folder != "src/core/lang/parse") {
        // What uses nothing that is left is taken away, until nothing or only circles are left.
        let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, named) in &files {
            left.insert(name, named.iter().map(String::as_str).filter(|n| *n != name && files.contains_key(*n)).collect());
        }
        while let Some(free) = left.iter().find(|(_, named)| named.is_empty()).map(|(name, _)| *name) {
            left.remove(free);
            left.values_mut().for_each(|named| {
                named.remove(free);
            });
        }
        assert!(left.is_empty(), "files of {folder} use each other: {left:?}");
    }
    // The check finds the circle that is allowed.
    let grammar = &uses_of_siblings()["src/core/lang/parse"];
    assert!(grammar["atom"].contains("detect") && grammar["detect"].contains("atom"), "{grammar:?}");
}

#[test]
fn only_the_shell_touches_the_world() {
    let words = [
        "std::fs",
        "std::env",
        "std::process",
        "std::net::Tcp",
        "std::net::Udp",
        "std::thread",
        "std::os",
        "Instant",
        "SystemTime",
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "HashMap",
        "HashSet",
        "RandomState",
        "std::io::stdin",
        "std::io::stdout",
        "thread_local!",
        "static mut",
    ];
    for (path, code) in sources() {
        if !path.starts_with("src/core/") {
            continue;
        }
        for word in words {
            // The simulator keeps a compiled script for each thread.
            let excused = (word, path.as_str()) == ("thread_local!", "src/core/sim/controller.rs");
            assert!(excused || !code.contains(word), "{path} names {word}: only the shell touches the world");
        }
    }
}

#[test]
fn dependencies_have_one_owner() {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in section.lines().filter(|l| l.contains('=')) {
        let name = line.split_whitespace().next().unwrap();
        assert!(read("ARCHITECTURE.md").contains(name), "{name} has no reason in ARCHITECTURE.md");
        let Some((_, owners)) = line.split_once('#') else {
            assert!(matches!(name, "serde" | "serde_json"), "{name} names no owner in Cargo.toml");
            continue;
        };
        let owners: Vec<String> = owners.split('(').next().unwrap().split(',').map(|o| o.trim().replace("::", "/")).collect();
        let word = regex::Regex::new(&format!(r"\b{}::", name.replace('-', "_"))).unwrap();
        for (path, code) in sources() {
            let owned =
                owners.iter().any(|o| ["src/", "src/core/", "src/shell/"].iter().any(|f| path.starts_with(&format!("{f}{o}"))));
            assert!(owned || !word.is_match(&code), "{path} uses {name}, which belongs to {owners:?}");
        }
    }
}

#[test]
fn files_have_a_head_and_an_end() {
    for path in all_files("src").into_iter().chain(all_files("tests")).chain(all_files("examples")).filter(|p| p.ends_with(".rs"))
    {
        let text = read(&path);
        assert!(text.starts_with("//! "), "{path} does not begin with a line `//! ` that says what it is");
        assert!(text.lines().count() <= LINES, "{path} has more than {LINES} lines: it is two things");
        let bad = text.lines().position(|l| l.contains("TODO") || l.contains("FIXME") || l.contains("#[ignore"));
        assert!(
            path == "tests/it/tidy.rs" || bad.is_none(),
            "{path}:{}: finish it, or open an issue",
            bad.unwrap_or_default() + 1
        );
    }
}

/// A case without its expectation, or an expectation without its case, tests nothing.
#[test]
fn cases_and_expectations_belong_together() {
    let files = all_files("tests").into_iter().chain(all_files("examples")).collect::<BTreeSet<_>>();
    for path in &files {
        if let Some(stem) = path.strip_suffix(".expected") {
            let whole = ["tests/engine/transitions", "tests/lang/tables"];
            let case = ["alarm", "rhai", "yaml", "log", "jsonl"].iter().any(|e| files.contains(&format!("{stem}.{e}")));
            assert!(case || whole.contains(&stem), "{path} has no case");
        }
        for (folder, extension) in
            [("tests/lang/", "alarm"), ("tests/config/err/", "yaml"), ("tests/script/ok/", "rhai"), ("tests/script/err/", "rhai")]
        {
            if path.starts_with(folder) && path.ends_with(extension) {
                let expected = Path::new(path).with_extension("expected");
                assert!(files.contains(expected.to_str().unwrap()), "{path} has no expectation");
            }
        }
    }
}

/// Every limit and every code is used.
#[test]
fn nothing_is_declared_for_nobody() {
    let all: String = sources()
        .into_iter()
        .filter(|(p, _)| p != "src/core/diag/codes.rs" && p != "src/core/base/limits.rs")
        .map(|(_, c)| c)
        .collect();
    for line in read("src/core/base/limits.rs").lines().filter_map(|l| l.strip_prefix("pub const ")) {
        let name = line.split(':').next().unwrap();
        assert!(regex::Regex::new(&format!(r"\b{name}\b")).unwrap().is_match(&all), "nobody uses the limit {name}");
    }
    for code in pointsman::core::diag::Code::ALL {
        assert!(all.contains(&format!("Code::{code:?}")), "nobody reports {} ({code:?})", code.text());
    }
}

/// Paths and sources that the documents name exist, and their links have targets.
#[test]
fn documents_name_what_is_there() {
    let path = regex::Regex::new(r"`((?:src|tests|rules|scripts|grammar|examples|\.ci)/[A-Za-z0-9_./-]+)`").unwrap();
    let link = regex::Regex::new(r"\]\(([^)#:]+)\)").unwrap();
    let source = regex::Regex::new(r"`([a-z_0-9]+\.rs)`").unwrap();
    let all = all_files(".");
    let names: BTreeSet<&str> = all.iter().filter_map(|path| path.rsplit('/').next()).collect();
    for document in all.iter().filter(|p| p.ends_with(".md") || p.ends_with(".rs")) {
        // Only the comments of a source.
        let text = match document.ends_with(".rs") {
            true => read(document).lines().filter(|l| l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"),
            false => read(document),
        };
        for named in source.captures_iter(&text).map(|c| c[1].to_owned()) {
            assert!(names.contains(named.as_str()), "{document} names {named}, which is not there");
        }
        let beside = Path::new(document).parent().unwrap_or(Path::new("")).to_owned();
        for (found, base) in path
            .captures_iter(&text)
            .map(|c| (c[1].to_owned(), PathBuf::new()))
            .chain(link.captures_iter(&text).map(|c| (c[1].to_owned(), beside.clone())))
        {
            assert!(root().join(&base).join(&found).exists(), "{document} names {found}, which is not there");
        }
    }
}

/// The documents show the actual output: `$ pointsman ...` with its output, `...` for omitted lines.
#[test]
fn the_commands_of_the_documents_work() {
    let mut tried = 0;
    for document in ["README.md", "grammar/README.md", "scripts/README.md", "rules/README.md"] {
        for block in read(document).split("```console\n").skip(1).map(|b| b.split("```").next().unwrap().to_owned()) {
            let mut lines = block.lines().map(str::trim);
            let command = lines.next().unwrap().strip_prefix("$ pointsman ").unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_pointsman"))
                .args(command.split_whitespace())
                .current_dir(root())
                .output()
                .unwrap();
            assert!(output.status.success(), "{document}: {command}");
            let said = String::from_utf8(output.stdout).unwrap();
            let mut said = said.lines().map(str::trim);
            for wanted in lines.filter(|l| !l.is_empty() && *l != "...") {
                assert!(said.any(|l| l == wanted), "{document}: `{command}` does not print, in this order: {wanted}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 2, "{tried}");
}

/// Type names that several modules have, with the reason: they are always written with their module.
const SHARED_NAMES: [(&str, &str); 5] = [
    ("Args", "the arguments of one command"),
    ("Input", "what one state machine gets"),
    ("Output", "what one state machine wants done"),
    ("Record", "what one state machine keeps in the journal"),
    ("State", "what one state machine's records fold to"),
];

/// Every type name is unique in the project.
#[test]
fn public_type_names_are_unique() {
    let word = regex::Regex::new(r"(?m)^\s*pub(?:\([^)]*\))? (?:struct|enum|trait|type) ([A-Z]\w*)").unwrap();
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, code) in sources() {
        for found in word.captures_iter(&code) {
            places.entry(found[1].to_owned()).or_default().push(path.clone());
        }
    }
    for (name, paths) in places {
        let shared = SHARED_NAMES.iter().any(|(shared, _)| *shared == name);
        assert!(shared || paths.len() == 1, "the type {name} is defined in {paths:?}: give each its own name");
    }
}

/// A comment of one or two words adds nothing to the name. (Those of the command line are its help.)
#[test]
fn doc_comments_say_something() {
    for path in all_files("src").into_iter().filter(|p| p.ends_with(".rs") && !p.starts_with("src/cli/")) {
        let text = read(&path);
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let is_doc = |i: usize| lines.get(i).is_some_and(|l| l.starts_with("///"));
        for i in (0..lines.len()).filter(|i| is_doc(*i) && !is_doc(i + 1) && (*i == 0 || !is_doc(i - 1))) {
            let said = lines[i].trim_start_matches("///").trim();
            let formal = said.contains('`') || said.contains('[');
            assert!(formal || said.split_whitespace().count() >= 4, "{path}:{}: say more, or nothing: {said}", i + 1);
        }
    }
}

/// Readers of the documentation find every page, as files and as a book.
#[test]
fn every_page_is_in_the_index() {
    for index in ["docs/README.md", "docs/SUMMARY.md"] {
        let text = read(index);
        for page in all_files("docs")
            .into_iter()
            .filter(|p| p.ends_with(".md") && !matches!(p.as_str(), "docs/README.md" | "docs/SUMMARY.md"))
        {
            let link = format!("({})", page.trim_start_matches("docs/"));
            assert!(text.contains(&link), "{index} does not link {page}");
        }
    }
}
