//! The language server as a program: what it publishes and answers, and what it does with garbage.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

/// How long an answer may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server with a folder of its own.
struct Talk {
    child: Child,
    to: Option<ChildStdin>,
    messages: Receiver<Json>,
    folder: PathBuf,
    asked: u64,
    /// What came while something else was waited for.
    seen: Vec<Json>,
}

impl Talk {
    /// Starts the server on a site of these files, without any message.
    fn started(name: &str, files: &[(&str, &str)]) -> Talk {
        let folder = std::env::temp_dir().join(format!("pointsman-lsp-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .arg("lsp")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            while let Some(message) = next(&mut from) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let folder = folder.canonicalize().unwrap();
        Talk { to: child.stdin.take(), child, messages, folder, asked: 0, seen: Vec::new() }
    }

    /// A server that is initialized, with these options.
    fn with(name: &str, files: &[(&str, &str)], options: Json) -> Talk {
        let mut talk = Talk::started(name, files);
        let answer = talk.ask(
            "initialize",
            json!({ "processId": null, "rootUri": null, "capabilities": {}, "initializationOptions": options }),
        );
        assert_eq!(answer["result"]["capabilities"]["positionEncoding"], "utf-16", "{answer}");
        talk.tell("initialized", json!({}));
        talk
    }

    fn write(&mut self, bytes: &[u8]) {
        // A server that has ended reads nothing, which the test sees from its status.
        let _ = self.to.as_mut().unwrap().write_all(bytes);
    }

    fn send(&mut self, message: &Json) {
        let text = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    fn tell(&mut self, method: &str, params: Json) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    /// The next message that fits; earlier ones are kept for later.
    fn wait(&mut self, fits: impl Fn(&Json) -> bool) -> Json {
        if let Some(at) = self.seen.iter().position(&fits) {
            return self.seen.remove(at);
        }
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("the server answers");
            if fits(&message) {
                return message;
            }
            self.seen.push(message);
        }
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}", self.folder.join(file).display())
    }

    fn open(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        self.tell(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri, "languageId": "pointsman", "version": 1, "text": text } }),
        );
    }

    /// The next diagnostics of a file for which `fits` holds: their codes.
    fn diagnostics(&mut self, file: &str, fits: impl Fn(&[String]) -> bool) -> Json {
        let uri = self.uri(file);
        let codes = |message: &Json| -> Vec<String> {
            message["params"]["diagnostics"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|d| d["code"].as_str().unwrap().to_owned())
                .collect()
        };
        let message =
            self.wait(|m| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri && fits(&codes(m)));
        message["params"]["diagnostics"].clone()
    }

    /// The exit status, after its input has ended.
    fn status(&mut self) -> Option<i32> {
        drop(self.to.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The next message of a stream.
fn next(from: &mut impl BufRead) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            header => length = header.split_once(": ").and_then(|(_, value)| value.parse().ok()).unwrap_or(length),
        }
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

const CONFIG: &str = "hosts: { sip1: { address: 10.0.0.1 } }\nchannels: { noc: log }\n";
const RULES: &str = "pattern failed { match /failed (?<user>\\S+)/ }\nalarm a { detect failed by user  cancel after 1h }\n";

#[test]
fn what_is_typed_is_checked_and_answered() {
    let mut talk = Talk::with("typed", &[("pointsman.yaml", CONFIG), ("rules/a.alarm", RULES)], json!({}));
    talk.open("rules/a.alarm", RULES);
    talk.diagnostics("rules/a.alarm", |codes| codes.is_empty());
    let uri = talk.uri("rules/a.alarm");
    // A name that is wrong, behind a character of two units: `é🙂`.
    let line = "# é🙂\nalarm b { detect faled by user  cancel after 1h }\n";
    let end = json!({ "line": 2, "character": 0 });
    talk.tell(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "range": { "start": end, "end": end }, "text": line }] }),
    );
    let found = talk.diagnostics("rules/a.alarm", |codes| codes.contains(&"R101".to_owned()));
    assert_eq!(found[0]["range"]["start"], json!({ "line": 3, "character": 17 }), "{found}");
    let at = found[0]["range"].clone();
    let actions = talk
        .ask("textDocument/codeAction", json!({ "textDocument": { "uri": uri }, "range": at, "context": { "diagnostics": [] } }));
    assert_eq!(actions["result"][0]["edit"]["changes"][&uri][0]["newText"], "failed", "{actions}");
    // The answer comes from what is typed now, not from what was loaded.
    let completion = talk
        .ask("textDocument/completion", json!({ "textDocument": { "uri": uri }, "position": { "line": 3, "character": 17 } }));
    let labels: Vec<&str> = completion["result"].as_array().unwrap().iter().map(|c| c["label"].as_str().unwrap()).collect();
    assert!(labels.contains(&"failed") && labels.contains(&"event"), "{labels:?}");
    let hover =
        talk.ask("textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": { "line": 1, "character": 11 } }));
    assert!(hover["result"]["contents"]["value"].as_str().unwrap().contains("what raises the alarm"), "{hover}");
    let symbols = talk.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(symbols["result"].as_array().unwrap().len(), 3, "{symbols}");
    // A rename is one edit of all files; a bad name is refused with its reason.
    let rename = |talk: &mut Talk, new: &str| {
        talk.ask(
            "textDocument/rename",
            json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 9 }, "newName": new }),
        )
    };
    let edit = rename(&mut talk, "refused");
    assert_eq!(edit["result"]["changes"][&uri].as_array().unwrap().len(), 2, "{edit}");
    assert!(rename(&mut talk, "\"").get("error").is_some());
    // The configuration is checked while it is typed, too.
    talk.open("pointsman.yaml", "hosts: { sip1: { adress: 10.0.0.1 } }\n");
    talk.diagnostics("pointsman.yaml", |codes| codes.contains(&"C101".to_owned()));
    assert_eq!(talk.ask("shutdown", Json::Null)["result"], Json::Null);
    talk.tell("exit", Json::Null);
    assert_eq!(talk.status(), Some(0));
}

#[test]
fn alarms_are_counted_in_a_chosen_log() {
    let log = "<14>1 2026-03-14T09:15:02Z h1 app 1 - - failed root\n<14>1 2026-03-14T09:15:03Z h1 app 1 - - failed guest\n";
    let rules = "pattern failed { match /failed (?<user>\\S+)/ }\nalarm a { detect failed by user  cancel after 1h }\nalarm never { detect event \"NONE\"  cancel after 1h }\n";
    let mut talk = Talk::started("counted", &[("rules/a.alarm", rules), ("log", log)]);
    let log = talk.folder.join("log");
    talk.ask(
        "initialize",
        json!({ "capabilities": { "workspace": { "inlayHint": { "refreshSupport": true } } }, "initializationOptions": { "log": log } }),
    );
    talk.tell("initialized", json!({}));
    talk.open("rules/a.alarm", rules);
    talk.wait(|message| message["method"] == "workspace/inlayHint/refresh");
    let uri = talk.uri("rules/a.alarm");
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let hints = talk.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": whole }));
    let labels: Vec<&str> = hints["result"].as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["raised 2 times", "raised 0 times"]);
}

#[test]
fn garbage_is_an_error_or_a_clean_end() {
    // A whole message that is not JSON, or not of the protocol, is answered, and the server goes on.
    let mut talk = Talk::started("garbage", &[]);
    assert_eq!(talk.ask("textDocument/hover", json!({}))["error"]["code"], -32002);
    for text in ["{", "[]", "{\"id\": 1}", "\"x\"", "{\"jsonrpc\":\"2.0\",\"method\":5}", "\u{0}\u{1}"] {
        talk.write(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }
    talk.wait(|message| message["error"]["code"] == -32700);
    assert!(talk.ask("initialize", json!({ "capabilities": 5 }))["error"].is_object());
    assert!(talk.ask("initialize", json!({ "capabilities": {} }))["result"].is_object());
    assert_eq!(talk.ask("initialize", json!({ "capabilities": {} }))["error"]["code"], -32600);
    assert_eq!(talk.ask("no/such/method", json!({}))["error"]["code"], -32601);
    assert_eq!(talk.ask("textDocument/hover", json!({ "textDocument": 7 }))["error"]["code"], -32602);
    // Documents that are not open, that are no files, positions far outside, and changes of nothing.
    let there = json!({ "textDocument": { "uri": "untitled:x" }, "position": { "line": 4_294_967_295_u32, "character": 4_294_967_295_u32 } });
    for method in ["completion", "hover", "definition", "prepareRename"] {
        assert_eq!(talk.ask(&format!("textDocument/{method}"), there.clone())["result"], Json::Null);
    }
    talk.tell(
        "textDocument/didOpen",
        json!({ "textDocument": { "uri": "http://x/a.alarm", "languageId": "", "version": 1, "text": "alarm" } }),
    );
    talk.open("a.alarm", "alarm é🙂 {");
    let uri = talk.uri("a.alarm");
    let far = json!({ "line": 99, "character": 99 });
    for range in [json!({ "start": far, "end": far }), json!({ "start": far, "end": { "line": 0, "character": 7 } })] {
        talk.tell(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "range": range, "text": "x" }] }),
        );
    }
    talk.tell("textDocument/didChange", json!({ "textDocument": { "uri": uri } }));
    let at = json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 99 } });
    assert!(talk.ask("textDocument/completion", at)["result"].is_array());
    assert_eq!(talk.status(), Some(0));

    // What is no message at all, or too large, or ends in the middle: an end with a reason.
    for (name, bytes) in [
        ("text", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("noise", "\u{0}".repeat(10_000)),
        ("large", "Content-Length: 99999999999\r\n\r\n".to_owned()),
        ("larger", format!("Content-Length: {}\r\n\r\n", "9".repeat(400))),
        ("headers", "X-Y: z\r\n".repeat(10_000)),
        ("cut", "Content-Length: 100\r\n\r\n{".to_owned()),
    ] {
        let mut talk = Talk::started(name, &[]);
        talk.write(bytes.as_bytes());
        assert_eq!(talk.status(), Some(2), "{name}");
    }
    // The editor is gone, at any time.
    assert_eq!(Talk::started("gone", &[]).status(), Some(0));
    let mut talk = Talk::with("leaves", &[], json!({}));
    talk.tell("exit", Json::Null);
    assert_eq!(talk.status(), Some(1), "without `shutdown`");
}
