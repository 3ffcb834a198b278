//! Changed files and the real program: reloaded by command, signal and watching. Bad files change nothing, also at a start.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output};

use crate::site::{AGENTS, PROGRAM, Site, claim, ready, until};

fn alarm(name: &str) -> String {
    format!("alarm {name} {{ detect event 00-04563 by host cancel by hand }}\n")
}

fn pointsman(site: &Site, arguments: &[&str]) -> (i32, String) {
    let out: Output = Command::new(PROGRAM).args(arguments).current_dir(&site.0).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + String::from_utf8_lossy(&out.stderr).as_ref();
    (out.status.code().unwrap(), said)
}

/// Writes records until an alarm is active.
fn raised(site: &Site, name: &str) {
    until(&format!("{name} is raised"), || {
        site.append(&claim(1));
        site.ask("alarms").contains(&format!("\"alarm\":\"{name}\""))
    });
}

/// How often the condition of an alarm fired.
fn count(site: &Site, name: &str) -> u64 {
    let rows = site.ask("alarms");
    let rows = rows.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    rows.filter(|r| r["alarm"] == name).map(|r| r["count"].as_u64().unwrap()).sum()
}

fn write(site: &Site, file: &str, text: &str) {
    fs::write(site.0.join(file), text).unwrap();
}

#[test]
fn changed_files_are_taken_over_and_bad_ones_change_nothing() {
    let site = Site::new("reload", "files: sip.log\n", "agent");
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/pointsman/own.alarm");
    fs::copy(own, site.0.join("rules/own.alarm")).unwrap();
    write(&site, "rules/kept.alarm", &alarm("kept"));
    let (running, _) = ready(site.command());
    raised(&site, "kept");
    let before = count(&site, "kept");

    // First only shown, then done.
    write(&site, "rules/a.alarm", &alarm("by_command"));
    let (status, said) = pointsman(&site, &["reload", "--check"]);
    assert!(status == 0 && said.contains("by_command") && said.contains("added") && said.contains("yet"), "{said}");
    let (status, said) = pointsman(&site, &["reload", "--dry-run", "--format", "json"]);
    let first = "{\"change\":\"added\",\"name\":\"by_command\",\"state\":null,\"what\":\"alarm\"}";
    assert!(status == 0 && said.starts_with(first), "{said}");
    let (status, said) = pointsman(&site, &["reload"]);
    assert!(status == 0 && said.contains("by_command") && said.contains("applied"), "{said}");
    raised(&site, "by_command");
    assert!(count(&site, "kept") >= before + count(&site, "by_command"), "its state was kept");
    let (status, said) = pointsman(&site, &["reload"]);
    assert!(status == 0 && said.contains("nothing changed"), "{said}");

    // Bad rules, and rules whose own test fails.
    write(&site, "rules/a.alarm", "alarm by_command { detect nonsense }\n");
    let (status, said) = pointsman(&site, &["reload"]);
    assert!(
        status == 2 && said.contains("R101") && said.contains("rules/a.alarm:1:") && said.contains("nothing is changed"),
        "{said}"
    );
    until("the refusal is an alarm", || site.ask("alarms").contains("\"alarm\":\"files_refused\""));
    write(&site, "rules/a.alarm", &alarm("tested"));
    let test = "tests:\n  - { name: it does not, steps: [{ pass: 1s }], ends: { alarms: [tested] } }\n";
    write(&site, "rules/a.test.yaml", test);
    let (status, said) = pointsman(&site, &["reload"]);
    assert!(status == 1 && said.contains("it does not"), "{said}");
    let counted = count(&site, "by_command");
    site.append(&claim(2));
    until("what ran goes on", || count(&site, "by_command") > counted);
    assert!(!site.ask("alarms").contains("tested"));

    // By signal. The refusal ends.
    fs::remove_file(site.0.join("rules/a.test.yaml")).unwrap();
    write(&site, "rules/a.alarm", &format!("{}{}", alarm("by_command"), alarm("by_signal")));
    let process = nix::unistd::Pid::from_raw(running.0.id().cast_signed());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGHUP).unwrap();
    raised(&site, "by_signal");
    until("the refusal is over", || !site.ask("alarms").contains("files_refused"));

    // By watching, from when the configuration enables it.
    let config = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    write(&site, "pointsman.yaml", &format!("reload: watch\n{config}"));
    let (status, said) = pointsman(&site, &["reload"]);
    assert!(status == 0 && said.contains("setting"), "{said}");
    fs::create_dir(site.0.join("rules/more")).unwrap();
    write(&site, "rules/more/b.alarm", &alarm("by_watching"));
    raised(&site, "by_watching");

    // A configuration that is not even YAML, at a start: the site that was accepted last runs, with its state.
    let kept = count(&site, "kept");
    drop(running);
    let good = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    write(&site, "pointsman.yaml", &format!("{good}\n  ]: no\n"));
    let (running, _) = ready(site.command());
    until("the refusal is told", || site.ask("history").contains("the site that was accepted last runs"));
    until("its state is kept", || count(&site, "kept") >= kept);
    assert!(site.ask("alarms").contains("files_refused"));
    let counted = count(&site, "by_watching");
    until("rules act", || {
        site.append(&claim(3));
        count(&site, "by_watching") > counted
    });
    // After a correction, the files are the same as the running site.
    write(&site, "pointsman.yaml", &good);
    until("the refusal is over", || !site.ask("alarms").contains("files_refused"));
    drop(running);

    let (status, said) = pointsman(&site, &["journal", "verify"]);
    assert!(status == 0 && said.contains("all is well"), "{said}");
    // Rules that were changed while no controller ran are accepted at the start, and the listed alarms end.
    write(&site, "rules/kept.alarm", &alarm("kept").replace("by host", "by app"));
    let (running, _) = ready(site.command());
    until("it answers", || site.ask("alarms").contains("by_watching"));
    assert!(!site.ask("alarms").contains("\"kept\""), "its key is another");
    drop(running);
    // Without an accepted site, bad files do not start.
    write(&site, "rules/a.alarm", "nonsense");
    fs::rename(site.0.join("data"), site.0.join("old")).unwrap();
    let (status, said) = pointsman(&site, &["run"]);
    assert!(status == 2 && said.contains("R001"), "{said}");
}

/// `applied` means that it is on the disk, also if the program is killed in the next moment.
#[test]
fn an_applied_site_survives_a_kill() {
    let site = Site::new("reload-killed", "files: sip.log\n", "agent");
    let (running, _) = ready(site.command());
    write(&site, "rules/a.alarm", &alarm("by_command"));
    let (status, said) = pointsman(&site, &["reload"]);
    drop(running);
    assert!(status == 0 && said.contains("applied"), "{said}");
    write(&site, "pointsman.yaml", "nonsense");
    let (_running, _) = ready(site.command());
    raised(&site, "by_command");
}

/// A resource that a host has cannot be removed from the configuration by mistake. New terms apply from the next grant on.
/// Settings that need a restart are reported.
#[test]
fn what_is_in_use_stays() {
    let site = Site::new("reload-held", "files: sip.log\n", "agent");
    let (_running, _) = ready(site.command());
    let config = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    let listen = "listen: { agents: 127.0.0.1:0, syslog: [tcp://127.0.0.1:0] }";
    write(&site, "pointsman.yaml", &config.replace(AGENTS, listen).replace("takeover: confirmed", "takeover: forced"));
    let (status, said) = pointsman(&site, &["reload", "--check"]);
    assert!(status == 0 && said.contains("sip_vip") && said.contains("listen: syslog"), "{said}");
    assert!(said.contains("needs a restart; unchanged until then"), "{said}");
    let (status, said) = pointsman(&site, &["reload"]);
    assert!(status == 0 && said.contains("applied"), "{said}");
    assert!(!site.ask("sources").contains("tcp"));

    // A new file is followed from its end, and a removed one is not followed. A file that returns is read from its last position.
    let wanted = |source: &str| {
        let rows = site.ask("sources");
        let rows = rows.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        rows.filter(|r| r["source"].as_str().unwrap().ends_with(source)).map(|r| r["wanted"].as_u64().unwrap()).next()
    };
    let append = |file: &str, n: u32| {
        let mut log = fs::OpenOptions::new().append(true).create(true).open(site.0.join(file)).unwrap();
        log.write_all(claim(n).as_bytes()).unwrap();
    };
    let follow = |files: &str| {
        write(&site, "pointsman.yaml", &config.replace("files: sip.log", &format!("files: {files}")));
        let (status, said) = pointsman(&site, &["reload"]);
        assert!(status == 0 && said.contains("file ") && said.contains("applied"), "{said}");
    };
    append("other.log", 1);
    follow("[sip.log, other.log]");
    until("the new file is followed", || wanted("other.log").is_some());
    append("other.log", 2);
    until("its record is heard", || wanted("other.log") == Some(1));
    append("sip.log", 3);
    until("the first is still followed", || wanted("sip.log") == Some(1));
    follow("sip.log");
    assert_eq!(wanted("other.log"), None);
    append("other.log", 4);
    follow("[sip.log, other.log]");
    until("it is read on", || wanted("other.log") == Some(1));
    append("other.log", 5);
    until("and once only", || wanted("other.log") == Some(2));
    assert_eq!(wanted("sip.log"), Some(1));
}
