//! A real editor, Neovim without a screen, drives `pointsman lsp`: what it shows, completes, finds, renames and formats.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::site::PROGRAM;

/// What the editor does. It writes what it saw into `seen.json`.
const DRIVE: &str = include_str!("editor.lua");

const CONFIG: &str = "hosts: { sip1: { address: 10.0.0.1 } }\nchannels: { noc: log }\n";
const PATTERNS: &str = "pattern failed { match /failed (?<user>\\S+)/ }\n";
const RULES: &str =
    "alarm wrong { detect faled by user  cancel after 1h }\nalarm right {\n  detect failed by user\n  cancel after 2h\n}\n";

#[test]
fn neovim_drives_the_language_server() {
    let folder = std::env::temp_dir().join(format!("pointsman-neovim-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("rules")).unwrap();
    for (path, text) in
        [("pointsman.yaml", CONFIG), ("rules/a.alarm", RULES), ("rules/patterns.alarm", PATTERNS), ("drive.lua", DRIVE)]
    {
        fs::write(folder.join(path), text).unwrap();
    }
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-n", "-c", "luafile drive.lua"])
        .current_dir(&folder)
        .env("POINTSMAN", PROGRAM)
        .env("HOME", &folder)
        .env("XDG_STATE_HOME", &folder)
        .output()
        .expect("Neovim is installed");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let seen = fs::read_to_string(folder.join("seen.json")).unwrap_or_else(|e| panic!("{e}: {said}"));
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    assert_eq!(seen["diagnostic"], "R101 0:21", "{seen} {said}");
    let labels: Vec<&str> = seen["completion"].as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
    assert!(labels.contains(&"failed") && labels.contains(&"event") && !labels.contains(&"cancel"), "{labels:?}");
    assert!(seen["hover"].as_str().unwrap().contains("what raises the alarm"), "{seen}");
    // The code action put `failed` in the place of `faled`, and then nothing was wrong.
    assert_eq!(seen["after_action"], 0, "{seen}");
    let defined = seen["definition"].as_str().unwrap();
    assert_eq!(Path::new(defined.split(':').next().unwrap()).file_name().unwrap(), "patterns.alarm", "{defined}");
    assert!(defined.ends_with(":1:8"), "{defined}");
    // The new name is in both files, and the rules are formatted.
    assert_eq!(read("rules/patterns.alarm"), PATTERNS.replace("failed {", "refused {"));
    assert_eq!(
        read("rules/a.alarm"),
        "alarm wrong { detect refused by user  cancel after 1h }\nalarm right {\n    detect refused by user\n    cancel after 2h\n}\n"
    );
    assert_eq!(seen["symbols"], serde_json::json!(["wrong", "right"]));
    assert!(output.status.success(), "{said}");
    let _ = fs::remove_dir_all(&folder);
}
