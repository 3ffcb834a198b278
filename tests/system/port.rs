//! A load-balanced port, end to end: the shipped rules, real agents, and a stand-in for `wlbs`. It keeps a cluster's state, gives
//! the documented answers (enabled, disabled), and can be slow, fail, and print nonsense.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pointsman");

/// `wlbs COMMAND [PORT] CLUSTER:HOST`. Every call is logged, and so is enabling a port that another host has.
const WLBS: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
[ -e "$here/slow" ] && sleep 0.4
if [ -e "$here/failing-$1" ]; then echo "WLBS: the remote control request was not answered" >&2; exit 1; fi
[ -e "$here/nonsense" ] && { echo "WLBS Cluster Control Utility"; exit 0; }
case $1 in
  start) touch "$here/started-$2"; echo "Cluster operations started." ;;
  enable)
    [ -e "$here/started-$3" ] || { echo "Cluster operations are stopped." >&2; exit 1; }
    for other in "$here/enabled-$2-"*; do
      [ -e "$other" ] && [ "$other" != "$here/enabled-$2-$3" ] && echo "TWO $other $3" >> "$here/calls"
    done
    touch "$here/enabled-$2-$3"; echo "Port rule enabled." ;;
  disable) rm -f "$here/enabled-$2-$3"; echo "Port rule disabled." ;;
  queryport)
    if [ -e "$here/enabled-$2-$3" ]; then echo "Port rule $2: the rule is enabled."; else echo "Port rule $2: the rule is disabled."; fi ;;
  *) echo "usage" >&2; exit 2 ;;
esac
"#;

struct Cluster {
    folder: PathBuf,
    programs: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn pointsman(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

impl Cluster {
    fn start() -> Cluster {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = std::env::temp_dir().join(format!("pointsman-port-{}", std::process::id()));
        fs::create_dir_all(folder.join("sip1")).unwrap();
        fs::create_dir_all(folder.join("sip2")).unwrap();
        fs::write(folder.join("wlbs"), WLBS).unwrap();
        fs::set_permissions(folder.join("wlbs"), fs::Permissions::from_mode(0o755)).unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let shipped = fs::read_to_string(here.join("examples/sip-pair/nlb.yaml")).unwrap();
        let rules = |text: String| {
            // More moves than are allowed per day.
            text.replace("../../", &format!("{}/", here.display()))
                .replace("kind: port", "kind: port\n    moves: 100 per 10m")
                .replace("takeover: forced", "takeover: confirmed")
        };
        let text = rules(shipped) + "listen: { agents: 127.0.0.1:0 }\nfiles: sip.log\n";
        fs::write(folder.join("pointsman.yaml"), text).unwrap();
        fs::write(folder.join("sip.log"), "").unwrap();
        let mut cluster = Cluster { folder, programs: Vec::new() };
        let mut controller = pointsman(&cluster.folder, &["run"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(controller.stderr.take().unwrap()).lines().map_while(Result::ok);
        cluster.programs.push(controller);
        let ready = lines.find(|l| l.contains("ready:")).expect("the controller gets ready");
        thread::spawn(move || lines.for_each(drop));
        let address = ready.split("agents ").nth(1).unwrap().split([',', '\u{1b}']).next().unwrap().trim().to_owned();
        for number in [1, 2] {
            let wlbs = cluster.folder.join("wlbs");
            let list = format!("{{ driver: nlb, program: {}, port: 5060, cluster: sipcluster, host: {number} }}", wlbs.display());
            let text = format!("host: sip{number}\ncontroller: {address}\nresources:\n  sip_port: {list}\n");
            let file = format!("sip{number}/agent.yaml");
            fs::write(cluster.folder.join(&file), text).unwrap();
            let token = pointsman(&cluster.folder, &["enroll", &format!("sip{number}")]).output().unwrap();
            let token = String::from_utf8(token.stdout).unwrap().lines().next().unwrap().to_owned();
            assert!(pointsman(&cluster.folder, &["enroll", "--token", &token, "-c", &file]).status().unwrap().success());
            cluster.programs.push(pointsman(&cluster.folder, &["agent", "-c", &file]).stderr(Stdio::null()).spawn().unwrap());
        }
        cluster.until("both agents report", |c| {
            let said = c.ask("resources");
            said.matches("\"reachable\":true").count() == 2
        });
        cluster
    }

    fn ask(&self, what: &str) -> String {
        String::from_utf8(pointsman(&self.folder, &[what, "--format", "json"]).output().unwrap().stdout).unwrap()
    }

    /// One server claims that it is primary now, and the other that it is backup.
    fn claim(&self, host: usize) {
        let now = pointsman::shell::linux::wall_time().to_string();
        let now = now.trim_end_matches('Z');
        let (apps, hosts) = (["SIP_SERVER_PRIMARY", "SIP_SERVER_BACKUP"], ["sip1", "sip2"]);
        let other = 3 - host;
        let line = |h: usize, id: &str| format!("{now} Standard {} {} GCTI-00-{id} mode activated\n", hosts[h - 1], apps[h - 1]);
        let text = format!("{}{}", line(other, "04561"), line(host, "04563"));
        fs::OpenOptions::new().append(true).open(self.folder.join("sip.log")).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn enabled(&self) -> Vec<usize> {
        (1..=2).filter(|n| self.folder.join(format!("enabled-5060-sipcluster:{n}")).exists()).collect()
    }

    fn is(&self, what: &str, so: bool) {
        let path = self.folder.join(what);
        if so { fs::write(path, "").unwrap() } else { fs::remove_file(path).unwrap() }
    }

    fn until(&self, what: &str, there: impl Fn(&Cluster) -> bool) {
        for _ in 0..1_500 {
            if there(self) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not come to this: {what}\n{}{}", self.ask("resources"), self.ask("history"));
    }

    fn settled(&self, host: usize) {
        self.until(&format!("the port is enabled on {host} alone"), |c| {
            c.enabled() == [host] && c.ask("resources").contains(&format!("\"holders\":[\"sip{host}\"]"))
        });
    }
}

#[test]
fn a_port_follows_the_primary() {
    let cluster = Cluster::start();
    cluster.claim(1);
    cluster.settled(1);
    cluster.claim(2);
    cluster.settled(2);
    // Slow, as a cluster that converges is.
    cluster.is("slow", true);
    cluster.claim(1);
    cluster.settled(1);
    cluster.is("slow", false);
    // The old host does not release it: no other host takes it, and people are notified. Then the old host does.
    cluster.is("failing-disable", true);
    cluster.claim(2);
    cluster.until("people are told", |c| c.ask("history").contains("release_failed"));
    assert_eq!(cluster.enabled(), [1], "not on two");
    cluster.is("failing-disable", false);
    cluster.settled(2);
    // The new host cannot enable it: the attempt is repeated.
    cluster.is("failing-enable", true);
    cluster.claim(1);
    cluster.until("nobody has it", |c| c.enabled().is_empty());
    cluster.is("failing-enable", false);
    cluster.settled(1);
    // Its output is meaningless: nothing is concluded from it.
    cluster.is("nonsense", true);
    cluster.claim(2);
    cluster.until("it is held back", |c| c.ask("resources").contains("waiting for its release on sip1"));
    cluster.is("nonsense", false);
    cluster.settled(2);
    let calls = fs::read_to_string(cluster.folder.join("calls")).unwrap();
    assert!(!calls.contains("TWO"), "{calls}");
    let acts: Vec<&str> = calls.lines().filter(|c| !c.starts_with("queryport")).collect();
    // The first claim, as documented: off on the other host, started and on here. (No host was known to be without it.)
    let first: Vec<&str> = acts.iter().copied().skip_while(|c| !c.starts_with("start")).take(2).collect();
    assert_eq!(first, ["start sipcluster:1", "enable 5060 sipcluster:1"]);
    assert!(acts.contains(&"disable 5060 sipcluster:1") && acts.contains(&"enable 5060 sipcluster:2"));
}
