//! The reports of agents, end to end: a real process that is killed and restarted, and a file system that is measured, observed
//! by a real agent and reported over mutual TLS.

use std::fs;
use std::process::{Child, Command, Stdio};

use pointsman::shell::linux::lab;

use crate::site::{Ended, PROGRAM, Site, ready, until};

const RULES: &str = "
alarm stopped { detect app stopped  summary \"{text}\" }
alarm used    { detect metric disk_used(mount = \"/\") >= 0  summary \"{mount} of {host}: {value}\" }
alarm full    { detect metric disk_used > 100 }
";

/// A process that does nothing, and its pid file.
fn sleeper(site: &Site) -> Child {
    let child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    fs::write(site.0.join("sip.pid"), format!("{}\n", child.id())).unwrap();
    child
}

#[test]
fn an_agent_tells_what_runs_and_what_it_measures() {
    let new_network = std::thread::spawn(|| {
        lab::new_network().expect("tests of the system run as root");
        let site = Site::new("reports", "files: sip.log\nlisten: { agents: 127.0.0.1:5750 }\n", "agent");
        fs::write(site.0.join("rules/reports.alarm"), RULES).unwrap();
        fs::create_dir(site.0.join("sip1")).unwrap();
        let pid_file = site.0.join("sip.pid");
        // The backup is on the other host. Reports of this agent about it are not accepted.
        let agent = format!(
            "host: sip1\ncontroller: 127.0.0.1:5750\nwatch:\n  SIP_SERVER_PRIMARY: {{ pid_file: {}, process: sleep }}\n  \
             SIP_SERVER_BACKUP: {{ process: nobody-here }}\nmetrics: {{ every: 1s, of: [cpu, load1], disk_used: / }}\n",
            pid_file.display()
        );
        fs::write(site.0.join("sip1/agent.yaml"), agent).unwrap();
        let (_controller, _) = ready(site.command());
        let run = |arguments: &[&str]| {
            let out = Command::new(PROGRAM).args(arguments).current_dir(&site.0).output().unwrap();
            let said = String::from_utf8_lossy(&out.stdout).into_owned() + String::from_utf8_lossy(&out.stderr).as_ref();
            assert!(out.status.success(), "{arguments:?}: {said}");
            said
        };
        let token = run(&["enroll", "sip1"]).lines().next().unwrap().to_owned();
        run(&["enroll", "--token", &token, "-c", "sip1/agent.yaml"]);
        let mut first = Ended(sleeper(&site));
        let mut command = Command::new(PROGRAM);
        command.args(["agent", "-c", "sip1/agent.yaml"]).current_dir(&site.0).stdin(Stdio::null()).stderr(Stdio::null());
        let _agent = Ended(command.spawn().unwrap());

        until("the file system was measured", || site.ask("alarms").contains("/ of sip1: "));
        until("another host's application is not believed", || site.ask("history").contains("report_strange"));
        assert!(!site.ask("alarms").contains("\"stopped\""), "{}", site.ask("alarms"));
        // It is a zombie now: it has ended, and is still in the table of processes.
        first.0.kill().unwrap();
        until("its end is an alarm", || site.ask("alarms").contains("SIP_SERVER_PRIMARY has stopped on sip1"));
        // An operator acknowledges it once. An alarm that is not active cannot be acknowledged.
        run(&["ack", "stopped", "SIP_SERVER_PRIMARY", "--by", "ann"]);
        assert!(site.ask("alarms").contains("\"acked\":\"ann\""), "{}", site.ask("alarms"));
        for (arguments, why) in [(["ack", "stopped"], "was acknowledged by ann already"), (["ack", "full"], "is not active")] {
            let out = Command::new(PROGRAM).args(arguments).current_dir(&site.0).output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(!out.status.success() && said.contains(why), "{arguments:?}: {said}");
        }
        let _second = Ended(sleeper(&site));
        until("it runs again", || !site.ask("alarms").contains("\"stopped\""));
        let alarms = site.ask("alarms");
        assert!(!alarms.contains("\"full\"") && !alarms.contains("BACKUP"), "{alarms}");
    });
    new_network.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
