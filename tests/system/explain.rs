//! `explain` about a running controller: why an alarm was raised or was not, and a run from its record to its last step.

use std::process::Command;

use crate::against::links;
use crate::site::{PROGRAM, Site, ready, until};

fn explain(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(PROGRAM).arg("explain").args(arguments).current_dir(&site.0).output().unwrap();
    (out.status.code(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

#[test]
fn a_running_controller_explains_its_alarms_and_runs() {
    let site = links("explain", "files: sip.log\n");
    let ask = |what: &[&str]| {
        let out = Command::new(PROGRAM).args(what).current_dir(&site.0).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let (running, _) = ready(site.command());
    until("it has read its file", || ask(&["journal", "show"]).contains("\"backlog_ended\""));
    site.append("link eth1 is down\nlink eth2 is down\nlink eth1 is up\n");
    until("both are notified", || ask(&["history", "--all", "--kind", "notified", "--format", "json"]).lines().count() >= 2);
    until("one is cleared", || !ask(&["alarms", "--format", "json"]).contains("eth1"));

    // An alarm that was raised and cleared, one that is active, and one that needs more.
    let alarm = |arguments: &[&str]| explain(&site, &[&["-c", "pointsman.yaml", "--live", "--alarm"], arguments].concat());
    let (code, cleared) = alarm(&["link", "--key", "eth1"]);
    assert!(code == Some(0) && cleared.starts_with("alarm link [eth1] was raised once: "), "{cleared}");
    assert!(cleared.contains("it is cleared: an event or a state ends it") && cleared.contains("record "), "{cleared}");
    let (_, active) = alarm(&["link", "--key", "eth2"]);
    assert!(active.starts_with("alarm link [eth2] was raised once: ") && !active.contains("cleared"), "{active}");
    let (_, never) = alarm(&["storm"]);
    assert!(never.starts_with("alarm storm was not raised") && never.contains("2 of 3 events within 10m"), "{never}");
    let (_, json) = alarm(&["storm", "--format", "json"]);
    let story: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(story["alarm"], "storm", "{json}");
    let (code, unknown) = alarm(&["lnk"]);
    assert!(code == Some(2) && unknown.contains("did you mean link?"), "{unknown}");

    // The whole story of a run: its record, the alarm, each step, its end.
    let shown = ask(&["journal", "show"]);
    let wanted = shown.lines().find(|line| line.contains("\"ran\":\"wanted\"")).unwrap();
    let number: serde_json::Value = serde_json::from_str(wanted).unwrap();
    let run = number["record"]["run"]["run"].to_string();
    let (code, story) = explain(&site, &["-c", "pointsman.yaml", "--run", &run]);
    assert_eq!(code, Some(0), "{story}");
    let parts = [
        "sip.log: link eth1 is down",
        "alarm raised: link",
        "of reaction tell is wanted by alarm link [eth1]",
        "it begins",
        "step 1: notify(note, link eth1",
        "is done",
        "it finished well",
    ];
    let mut rest = story.as_str();
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part} is not there, or not in this order: {story}")).1;
    }
    assert!(!story.contains("eth2"), "the run of another key: {story}");
    let (_, json) = explain(&site, &["-c", "pointsman.yaml", "--run", &run, "--format", "json"]);
    assert_eq!(json.lines().count(), story.lines().count(), "{json}");
    assert!(
        json.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|l| l["record"].is_u64())),
        "{json}"
    );
    let (code, none) = explain(&site, &["-c", "pointsman.yaml", "--run", "987654"]);
    assert!(code == Some(2) && none.contains("the journal has no run 987654"), "{none}");

    // The journal says the same when the controller does not run.
    drop(running);
    assert_eq!(explain(&site, &["-c", "pointsman.yaml", "--run", &run]).1, story);
    assert_eq!(alarm(&["storm"]).1, never);
}
