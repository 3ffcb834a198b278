//! The cases of `tests/cases`: small inputs from public reports, each with the result that a person expects.
//!
//! Method: each `run.sh` runs in a copy of its folder, with the built program. It makes its own networks and processes and stops
//! them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::site::PROGRAM;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn cases_of_public_reports_come_out_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = std::env::temp_dir().join(format!("pointsman-cases-{}", std::process::id()));
    copy(&root.join("tests/cases"), &scratch);
    let mut cases: Vec<PathBuf> = fs::read_dir(&scratch).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in &cases {
        let output = Command::new("bash").arg(case.join("run.sh")).env("POINTSMAN", PROGRAM).env("REPO", root).output().unwrap();
        if !output.status.success() {
            let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
            wrong.push(format!("{}:\n{said}", case.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases came out wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= 19, "{} cases", cases.len());
    fs::remove_dir_all(&scratch).unwrap();
}
