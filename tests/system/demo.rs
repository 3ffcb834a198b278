//! The demo, as root and as a user without any rights.

use std::fs;
use std::process::{Command, Output};

use crate::site::install;

/// A copy of the program that every user may read, wherever the project is.
struct Copy(std::path::PathBuf);

impl Copy {
    fn new(name: &str) -> Copy {
        let path = std::env::temp_dir().join(format!("pointsman-{name}-{}", std::process::id()));
        install(&path);
        Copy(path)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn ended_well(demo: &Output, program: &str) {
    let (out, err) = (String::from_utf8_lossy(&demo.stdout), String::from_utf8_lossy(&demo.stderr));
    assert!(demo.status.success(), "{out}{err}");
    assert_eq!(out.lines().filter(|l| l.starts_with("ok ")).count(), 5, "{out}");
    assert!(out.ends_with("no two hosts had the address at once\n"), "{out}");
    print!("{out}");
    // None of its processes are left.
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!command.starts_with(program.as_bytes()), "{} still runs", process.path().display());
    }
}

#[test]
fn the_demo_passes_as_root() {
    let copy = Copy::new("demo-root");
    let demo = Command::new(&copy.0).arg("demo").output().unwrap();
    ended_well(&demo, copy.0.to_str().unwrap());
}

#[test]
fn the_demo_passes_without_root() {
    let copy = Copy::new("demo-user");
    let demo = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy.0)
        .arg("demo")
        .current_dir("/")
        .output()
        .unwrap();
    ended_well(&demo, copy.0.to_str().unwrap());
}
