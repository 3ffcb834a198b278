//! Measures what an editor waits for: answers on a site of many rules, and at each prefix of the shipped files.
//!
//!     cargo build --release && cargo run --release --example bench_lsp            (10,000 alarms)
//!     cargo run --release --example bench_lsp -- prefixes
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads clocks and files")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use lsp_server::{Message, Notification, Request, RequestId};
use pointsman::core::editor::{Documents, Language};
use serde_json::{Value as Json, json};

const ALARMS: usize = 10_000;
const TIMES: u32 = 20;

fn main() {
    if std::env::args().nth(1).is_some_and(|word| word == "prefixes") { prefixes() } else { many_rules() }
}

/// One alarm with its pattern.
fn rule(n: usize) -> String {
    format!(
        "pattern failed_{n} {{ match /service {n}: failed (?<user_{n}>\\S+) from (?<peer:ip>)/ }}\nalarm failing_{n} {{\n    category major\n    summary  \"{{peer}} fails at {n}\"\n    detect   5 of failed_{n} by peer within 1m\n    cancel   after 10m\n    react    report\n}}\n\n"
    )
}

fn many_rules() {
    for (what, files) in [("in 100 files", 100), ("in one file", 1)] {
        let folder = std::env::temp_dir().join(format!("pointsman-lsp-{}", std::process::id()));
        for below in ["rules", "scripts"] {
            fs::create_dir_all(folder.join(below)).unwrap();
        }
        fs::write(folder.join("pointsman.yaml"), "hosts:\n  sip1: { address: 10.10.11.101 }\n").unwrap();
        let script = "const PARAMS = #{};\n\nfn react(alarm, event, params) {\n    log.info(\"x\");\n}\n";
        fs::write(folder.join("scripts/report.rhai"), script).unwrap();
        for file in 0..files {
            let text: String = (0..ALARMS / files).map(|n| rule(file * (ALARMS / files) + n)).collect();
            fs::write(folder.join(format!("rules/{file}.alarm")), text).unwrap();
        }
        println!("{ALARMS} alarms {what}");
        Talk::started(&folder).measure_all();
        let _ = fs::remove_dir_all(&folder);
    }
}

/// A conversation with the program that was built beside this example.
struct Talk {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    document: Json,
    text: String,
    asked: i32,
}

impl Talk {
    fn started(folder: &Path) -> Talk {
        let own = std::env::current_exe().unwrap();
        let program = own.parent().and_then(Path::parent).unwrap().join("pointsman");
        let mut child = Command::new(program)
            .arg("lsp")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("build the program first, with the same profile");
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let text = fs::read_to_string(folder.join("rules/0.alarm")).unwrap();
        let uri = |name: &str| format!("file://{}/{name}", folder.display());
        let document = json!({ "uri": uri("rules/0.alarm") });
        let mut talk = Talk { child, to, from, document, text, asked: 0 };
        talk.ask("initialize", json!({ "processId": null, "rootUri": uri(""), "capabilities": {} }));
        talk.tell("initialized", json!({}));
        let opened = json!({ "uri": uri("rules/0.alarm"), "languageId": "pointsman", "version": 1, "text": talk.text });
        talk.tell("textDocument/didOpen", json!({ "textDocument": opened }));
        let began = Instant::now();
        while !matches!(Message::read(&mut talk.from), Ok(Some(Message::Notification(of))) if of.method.ends_with("Diagnostics"))
        {
        }
        println!("  loaded and checked in {:?}", began.elapsed());
        talk
    }

    fn tell(&mut self, method: &str, params: Json) {
        Message::Notification(Notification::new(method.to_owned(), params)).write(&mut self.to).unwrap();
    }

    fn ask(&mut self, method: &str, params: Json) {
        self.asked += 1;
        let id = RequestId::from(self.asked);
        Message::Request(Request { id: id.clone(), method: method.to_owned(), params }).write(&mut self.to).unwrap();
        while !matches!(Message::read(&mut self.from), Ok(Some(Message::Response(answer))) if answer.id == id) {}
    }

    /// The place so many characters behind the beginning of a word, in the middle of the document.
    fn place(&self, word: &str, behind: usize) -> Json {
        let middle = self.text.len() / 2;
        let at = middle + self.text[middle..].find(word).unwrap() + behind;
        let before = &self.text[..at];
        json!({ "line": before.matches('\n').count(), "character": at - before.rfind('\n').map_or(0, |end| end + 1) })
    }

    fn measure_all(mut self) {
        let document = self.document.clone();
        let at = |place: Json| json!({ "textDocument": document, "position": place });
        let of_pattern = at(self.place("of failed_", 4));
        let with = |mut params: Json, name: &str, value: Json| {
            params[name] = value;
            params
        };
        let all = json!({ "includeDeclaration": true });
        let references = with(of_pattern.clone(), "context", all.clone());
        let of_script = with(at(self.place("report", 2)), "context", all);
        let renamed = with(of_pattern.clone(), "newName", json!("another"));
        let whole = json!({ "textDocument": document });
        let formatted = with(whole.clone(), "options", json!({ "tabSize": 4, "insertSpaces": true }));
        let questions = [
            ("completion of a field", "completion", at(self.place("by peer", 3))),
            ("completion of a pattern", "completion", of_pattern.clone()),
            ("completion of a clause", "completion", at(self.place("cancel", 0))),
            ("hover on a word", "hover", at(self.place("cancel", 2))),
            ("hover on a pattern", "hover", of_pattern.clone()),
            ("definition", "definition", of_pattern),
            ("references of a pattern", "references", references),
            ("references of the script, 10,000 places", "references", of_script),
            ("rename", "rename", renamed),
            ("symbols of the file", "documentSymbol", whole),
            ("formatting of the file", "formatting", formatted),
        ];
        for (what, method, params) in questions {
            self.measure(what, |talk| talk.ask(&format!("textDocument/{method}"), params.clone()));
        }
        let (typed, field) = (self.place("cancel", 0), at(self.place("by peer", 3)));
        let letter = json!({ "range": { "start": typed, "end": typed }, "text": "x" });
        self.measure("a typed letter, and a completion", |talk| {
            let changed = json!({ "uri": document["uri"], "version": talk.asked });
            talk.tell("textDocument/didChange", json!({ "textDocument": changed, "contentChanges": [letter] }));
            talk.ask("textDocument/completion", field.clone());
        });
        self.ask("shutdown", Json::Null);
        self.tell("exit", Json::Null);
        self.child.wait().unwrap();
    }

    fn measure(&mut self, what: &str, mut work: impl FnMut(&mut Talk)) {
        let mut longest = Duration::ZERO;
        let began = Instant::now();
        for _ in 0..TIMES {
            let one = Instant::now();
            work(self);
            longest = longest.max(one.elapsed());
        }
        println!("  {what}: {:?} on average, {longest:?} at most", began.elapsed() / TIMES);
    }
}

/// Each prefix of each shipped file is answered.
fn prefixes() {
    let mut files = Vec::new();
    for folder in ["rules", "examples", "scripts", "tests/rules"] {
        below(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).as_path(), &mut files);
    }
    let (mut places, mut longest) = (0, (Duration::ZERO, String::new()));
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let Some(language) = Language::of(file) else { continue };
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let began = Instant::now();
            let mut documents = Documents::default();
            documents.set(file, language, &text[..at]);
            documents.completions(file, at);
            documents.hover(file, at);
            documents.hover(file, at / 2);
            documents.definitions(file, at);
            documents.references(file, at, true);
            let _ = documents.rename(file, at, "x");
            let _ = documents.formatted(file);
            places += 1;
            if began.elapsed() > longest.0 {
                longest = (began.elapsed(), format!("{file} at {at}"));
            }
        }
    }
    println!("{places} prefixes of {} files: at most {:?} ({})", files.len(), longest.0, longest.1);
}

fn below(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            below(&path, found);
        } else if Language::of(&path.to_string_lossy()).is_some() {
            found.push(path.to_string_lossy().into_owned());
        }
    }
}
