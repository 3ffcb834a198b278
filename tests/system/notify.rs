//! Notifications to real receivers: a mail server, an HTTP server, snmptrapd, rsyslog with TLS, Alertmanager. Each receives what
//! was sent, even if it was away while the controller was killed twice. Receivers that misbehave delay no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value as Json;

use crate::site::{Ended, PROGRAM, Site, ready, until};

/// A port that is free now. Each is given once, and the system gives none of them to who asks for any port.
pub(crate) fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok() && UdpSocket::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed)).take(10_000).find(free).unwrap()
}

pub(crate) fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// A receiver that has reported that it is ready.
pub(crate) fn receiver(script: &str, arguments: &[&str]) -> Ended {
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|p| Path::new(p).exists()).unwrap_or("python3");
    let mut child = Command::new(python)
        .arg(here("tests/system/receivers").join(script))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).next();
    assert_eq!(line.as_deref(), Some("ready"), "{script} {arguments:?}");
    Ended(child)
}

/// A self-signed certificate for 127.0.0.1.
fn certificate(folder: &Path) {
    let done = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "tls.key", "-out", "tls.crt"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

const RULES: &str = "
pattern down { match /number (?<n>\\d+) is down/ }
pattern up { match /number (?<n>\\d+) is up/ }
alarm numbers { category critical detect down by n cancel when up help \"call ann\" summary \"number {n}: {text}\" }
";

/// A site with these channels and one route to all of them, which notifies at once. Its files and secrets are in its folder.
pub(crate) fn site(name: &str, channels: &str, to: &str) -> Site {
    let more = format!("files: sip.log\nroutes: {{ all: {{ to: [{to}], by: [alarm, key], wait: 0s, interval: 0s }} }}\n");
    let site = Site::new(&format!("notify-{name}"), &more, "agent");
    let config = read(&site.0.join("pointsman.yaml")).replace("channels:\n", &format!("channels:\n{channels}"));
    fs::write(site.0.join("pointsman.yaml"), config.replace("HERE", site.0.to_str().unwrap())).unwrap();
    for rule in fs::read_dir(site.0.join("rules")).unwrap() {
        fs::remove_file(rule.unwrap().path()).unwrap();
    }
    fs::write(site.0.join("rules/n.alarm"), RULES).unwrap();
    certificate(&site.0);
    fs::write(site.0.join("password"), "s3cret-pw\n").unwrap();
    site
}

fn run(site: &Site, arguments: &[&str]) -> (bool, String) {
    let out = Command::new(PROGRAM).args(arguments).current_dir(&site.0).stdin(Stdio::null()).output().unwrap();
    (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

fn channel(site: &Site, name: &str) -> Json {
    let (_, said) = run(site, &["channels", "--format", "json"]);
    let rows = said.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    rows.into_iter().find(|row| row["channel"] == name).unwrap_or_default()
}

/// A controller that has read the content of its file: what is written from now on is new.
fn listening(site: &Site) -> Ended {
    listening_to(site, site.command())
}

/// The same, started by a command.
pub(crate) fn listening_to(site: &Site, command: Command) -> Ended {
    let ended = |site: &Site| run(site, &["journal", "show"]).1.matches("\"backlog_ended\"").count();
    let before = ended(site);
    let (child, _) = ready(command);
    until("it has read its file", || ended(site) > before);
    child
}

struct Receivers {
    ports: BTreeMap<&'static str, u16>,
    folder: PathBuf,
}

impl Receivers {
    fn new(folder: &Path) -> Receivers {
        let ports = ["smtp", "http", "snmp", "syslog", "am"].into_iter().map(|name| (name, port())).collect();
        Receivers { ports, folder: folder.to_owned() }
    }

    fn channels(&self) -> String {
        let p = &self.ports;
        format!(
            "  mail: {{ mail: {{ server: 'localhost:{}', ca: HERE/tls.crt, user: pointsman, password: {{ file: HERE/password }}, from: pointsman@example.com, to: [noc@example.com, boss@example.com] }} }}
  hook: {{ webhook: {{ url: 'https://localhost:{}/hook', ca: HERE/tls.crt, sign: {{ file: HERE/password }}, headers: {{ X-Alarm: '{{alarm}}', X-Token: {{ file: HERE/password }} }} }} }}
  nms: {{ snmp: {{ server: '127.0.0.1:{}', community: trapped, inform: true }} }}
  siem: {{ remote_syslog: {{ server: 'tls://localhost:{}', ca: HERE/tls.crt, facility: local3 }} }}
  am: {{ alertmanager: {{ url: 'http://127.0.0.1:{}' }} }}
",
            p["smtp"], p["http"], p["snmp"], p["syslog"], p["am"]
        )
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts all receivers, with their usual configurations.
    fn start(&self) -> Vec<Ended> {
        let p = |name: &str| self.ports[name].to_string();
        let path = |name: &str| self.file(name).to_str().unwrap().to_owned();
        let smtp = receiver("mail_server.py", &[&p("smtp"), &path("mails"), &path("tls.crt"), &path("tls.key"), "s3cret-pw"]);
        let http = receiver("web_server.py", &[&p("http"), &path("requests"), "ok", &path("tls.crt"), &path("tls.key")]);
        fs::write(self.file("snmptrapd.conf"), "authCommunity log trapped\n").unwrap();
        let quiet = |command: &mut Command| Ended(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let mibs = format!("{}:{}", here("docs/reference/mib").display(), here("tests/system/receivers/mibs").display());
        let snmp = quiet(
            Command::new("snmptrapd")
                .args([
                    "-f",
                    "-n",
                    "-C",
                    "-c",
                    &path("snmptrapd.conf"),
                    "-A",
                    "-Lf",
                    &path("traps"),
                    "-m",
                    "POINTSMAN-MIB",
                    "-M",
                    &mibs,
                ])
                .args(["-p", &path("snmptrapd.pid"), "-OQ", "-F", "TRAP %W: %v\\n", &format!("udp:127.0.0.1:{}", p("snmp"))]),
        );
        let rsyslog = format!(
            "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{0}/tls.crt\" DefaultNetstreamDriverCertFile=\"{0}/tls.crt\" DefaultNetstreamDriverKeyFile=\"{0}/tls.key\" workDirectory=\"{0}\")
module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\")
input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{1}\")
action(type=\"omfile\" file=\"{0}/records\" template=\"RSYSLOG_SyslogProtocol23Format\")
",
            self.folder.display(),
            p("syslog")
        );
        fs::write(self.file("rsyslog.conf"), rsyslog).unwrap();
        let syslog = quiet(Command::new("rsyslogd").args(["-n", "-f", &path("rsyslog.conf"), "-i", &path("rsyslog.pid")]));
        fs::write(self.file("am.yml"), "route: { receiver: none, group_wait: 1s }\nreceivers: [{ name: none }]\n").unwrap();
        let am = quiet(Command::new("prometheus-alertmanager").current_dir(&self.folder).args([
            &format!("--config.file={}", path("am.yml")),
            &format!("--storage.path={}", path("am")),
            &format!("--web.listen-address=127.0.0.1:{}", p("am")),
            "--cluster.listen-address=",
        ]));
        vec![smtp, http, snmp, syslog, am]
    }

    /// The alerts in Alertmanager, by key, with whether each fires.
    fn alerts(&self) -> Vec<(String, Json)> {
        let url = format!("http://127.0.0.1:{}/api/v2/alerts", self.ports["am"]);
        let script = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())";
        let out = Command::new("python3").args(["-c", script, &url]).output().unwrap();
        let all: Vec<Json> = serde_json::from_slice(&out.stdout).unwrap_or_default();
        all.into_iter().map(|alert| (alert["labels"]["key"].as_str().unwrap_or_default().to_owned(), alert)).collect()
    }
}

pub(crate) fn lines(path: &Path) -> Vec<Json> {
    read(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all_there(receivers: &Receivers, numbers: &[u32]) -> bool {
    let there = |text: &str, n: &u32| text.contains(&format!("number {n}:"));
    let files = ["mails", "requests", "traps", "records"].map(|name| read(&receivers.file(name)));
    numbers.iter().all(|n| files.iter().all(|text| there(text, n)))
}

#[test]
fn each_receiver_gets_what_was_sent() {
    let ports = Receivers::new(Path::new("/"));
    let site = site("all", &ports.channels(), "mail, hook, nms, siem, am");
    let receivers = Receivers { folder: site.0.clone(), ..ports };
    let _running = receivers.start();
    let _controller = listening(&site);
    for name in ["mail", "hook", "nms", "siem", "am"] {
        // Some need a moment to start.
        until(&format!("the channel {name} takes a test"), || run(&site, &["channels", "test", name]).0);
    }
    site.append("number 1 is down: \"Zürich\" <b>]\n");
    until("everybody has it", || all_there(&receivers, &[1]));
    let mails = lines(&receivers.file("mails"));
    let mail = mails.iter().find(|m| m["content"].as_str().unwrap().contains("number 1")).unwrap();
    assert_eq!((&mail["tls"], &mail["user"]), (&Json::from(true), &Json::from("pointsman")), "{mail}");
    assert_eq!(mail["to"], serde_json::json!(["noc@example.com", "boss@example.com"]));
    let content = mail["content"].as_str().unwrap();
    assert!(content.contains("multipart/alternative") && content.contains("text/html"), "{content}");
    assert!(content.contains("help: call ann"), "{content}");
    let requests = lines(&receivers.file("requests"));
    let request = requests.iter().find(|r| r["body"].as_str().unwrap().contains("number 1")).unwrap();
    let body: Json = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["alarms"][0]["alarm"], &body["alarms"][0]["key"]), (&Json::from("numbers"), &Json::from("1")));
    assert_eq!(body["alarms"][0]["fields"]["text"], "number 1 is down: \"Zürich\" <b>]");
    let headers = &request["headers"];
    assert_eq!((&headers["x-alarm"], &headers["x-token"]), (&Json::from("numbers"), &Json::from("s3cret-pw")));
    assert_eq!(headers["idempotency-key"], body["id"]);
    let sum = Command::new("python3")
        .args(["-c", "import hmac, sys; print('sha256=' + hmac.new(b's3cret-pw', sys.argv[1].encode(), 'sha256').hexdigest())"])
        .arg(request["body"].as_str().unwrap())
        .output()
        .unwrap();
    assert_eq!(headers["x-pointsman-signature"], String::from_utf8(sum.stdout).unwrap().trim());
    let traps = read(&receivers.file("traps"));
    assert!(traps.contains("POINTSMAN-MIB::pmAlarmRaised") && traps.contains("POINTSMAN-MIB::pmKey.0 = 1"), "{traps}");
    let records = read(&receivers.file("records"));
    let record = records.lines().find(|line| line.contains("number 1:")).unwrap();
    assert!(
        record.starts_with("<154>1 ") && record.contains("alarm=\"numbers\" key=\"1\" category=\"critical\" status=\"raised\"]"),
        "{record}"
    );
    until("Alertmanager has it", || {
        receivers.alerts().iter().any(|(key, alert)| key == "1" && alert["status"]["state"] == "active")
    });
    site.append("number 1 is up\n");
    until("everybody has the end", || {
        read(&receivers.file("mails")).contains("[CLEARED]")
            && read(&receivers.file("requests")).contains("cleared_at\\\":\\\"")
            && read(&receivers.file("traps")).contains("pmAlarmCleared")
            && read(&receivers.file("records")).contains("status=\"cleared\"]")
    });
    until("Alertmanager has the end", || receivers.alerts().iter().all(|(key, _)| key != "1"));
    // No output for people contains a secret.
    let shown = ["journal show", "history --all", "channels", "check"].map(|c| run(&site, &c.split(' ').collect::<Vec<_>>()).1);
    assert!(shown.iter().all(|text| !text.contains("s3cret")), "a secret is shown");
    let kept = fs::read_dir(site.0.join("data")).unwrap().flatten().filter(|f| f.path().is_file());
    assert!(kept.into_iter().all(|f| !String::from_utf8_lossy(&fs::read(f.path()).unwrap()).contains("s3cret")));
}

/// All receivers are away while the controller is killed twice: nothing is lost, and duplicates have the same key.
#[test]
fn nothing_is_lost_while_receivers_are_away_and_the_controller_is_killed() {
    let ports = Receivers::new(Path::new("/"));
    let site = site("away", &ports.channels(), "mail, hook, nms, siem, am");
    let receivers = Receivers { folder: site.0.clone(), ..ports };
    let mut numbers = Vec::new();
    for n in 0..3_u32 {
        // Killed when it is dropped.
        let _controller = listening(&site);
        for m in [n * 10 + 1, n * 10 + 2] {
            site.append(&format!("number {m} is down\n"));
            numbers.push(m);
        }
        let waiting = |name: &str| channel(&site, name)["waiting"].as_u64().unwrap_or_default();
        let all = ["mail", "hook", "nms", "siem", "am"];
        until("all of it waits", || all.iter().all(|name| waiting(name) >= u64::from(n + 1) * 2));
    }
    let _running = receivers.start();
    let _controller = listening(&site);
    until("everybody has all", || all_there(&receivers, &numbers));
    until("Alertmanager has all", || {
        let keys: BTreeSet<String> = receivers.alerts().into_iter().map(|(key, _)| key).collect();
        numbers.iter().all(|n| keys.contains(&n.to_string()))
    });
    until("nothing waits any more", || channel(&site, "hook")["waiting"] == 0 && channel(&site, "mail")["waiting"] == 0);
    // In order, and each key once or more, with the same content.
    let requests = lines(&receivers.file("requests"));
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut order = Vec::new();
    for request in &requests {
        let (key, body) = (request["headers"]["idempotency-key"].as_str().unwrap(), request["body"].as_str().unwrap());
        if let Some(before) = seen.insert(key.to_owned(), body.to_owned()) {
            assert_eq!(before, body);
        } else {
            let body: Json = serde_json::from_str(body).unwrap();
            order.push(body["alarms"][0]["key"].as_str().unwrap().parse::<u32>().unwrap());
        }
    }
    assert_eq!(order, numbers);
    assert_eq!(channel(&site, "hook")["failed"], 0);
}

/// Receivers that misbehave, each with a channel of its own: they delay only themselves.
#[test]
fn receivers_that_misbehave_delay_nobody_else() {
    let behaviours = ["slow", "redirect", "elsewhere", "huge", "500", "400"];
    let mails = ["nothing", "hang", "4xx", "refuse-one", "greylist"];
    let ports: Vec<u16> = (0..behaviours.len() + mails.len() + 1).map(|_| port()).collect();
    let mut channels = String::new();
    for (behaviour, port) in behaviours.iter().zip(&ports) {
        channels.push_str(&format!("  w{behaviour}: {{ webhook: {{ url: 'http://127.0.0.1:{port}/hook' }}, give_up: 1h }}\n"));
    }
    for (behaviour, port) in mails.iter().zip(&ports[behaviours.len()..]) {
        channels.push_str(&format!(
            "  m{behaviour}: {{ mail: {{ server: 'localhost:{port}', ca: HERE/tls.crt, user: u, password: {{ file: HERE/password }}, from: a@example.com, to: [gone@example.com, b@example.com, grey@example.com] }} }}\n"
        ));
    }
    let good = ports[ports.len() - 1];
    channels.push_str(&format!("  good: {{ webhook: {{ url: 'http://127.0.0.1:{good}/hook' }} }}\n  nobody: {{ snmp: {{ server: '127.0.0.1:9', community: x, inform: true }} }}\n"));
    let names: Vec<String> = behaviours.iter().map(|b| format!("w{b}")).chain(mails.iter().map(|m| format!("m{m}"))).collect();
    let site = site("bad", &channels, &format!("{}, nobody, good", names.join(", ")));
    let path = |name: &str| site.0.join(name).to_str().unwrap().to_owned();
    let mut running: Vec<Ended> = Vec::new();
    for (behaviour, port) in behaviours.iter().zip(&ports) {
        running.push(receiver("web_server.py", &[&port.to_string(), &path(behaviour), behaviour]));
    }
    for (behaviour, port) in mails.iter().zip(&ports[behaviours.len()..]) {
        let arguments = [&port.to_string(), &path(behaviour), &path("tls.crt"), &path("tls.key"), "s3cret-pw", *behaviour];
        running.push(receiver("mail_server.py", &arguments));
    }
    running.push(receiver("web_server.py", &[&good.to_string(), &path("good"), "ok"]));
    let controller = listening(&site);
    site.append("number 1 is down\n");
    until("the good one has it", || read(&site.0.join("good")).contains("number 1:"));
    let failure = |name: &str| channel(&site, name)["why"].as_str().unwrap_or_default().to_owned();
    for (name, why) in [
        ("wredirect", "a redirect, which is not followed"),
        ("welsewhere", "a redirect, which is not followed"),
        ("w500", "the answer is 500"),
        ("w400", "the answer is 400"),
        ("m4xx", "451"),
        ("mrefuse-one", "2 other recipients received it"),
        ("mgreylist", "550"),
        ("nobody", "refused"),
    ] {
        until(&format!("{name} fails: {why}"), || failure(name).contains(why));
    }
    assert!(read(&site.0.join("refuse-one")).contains("b@example.com"), "the other one got it");
    // One is refused, one gets it at once, and one later: each who gets it gets it once.
    until("the one who was put off has it", || read(&site.0.join("greylist")).contains("\"grey@example.com\""));
    until("the refusal is final", || channel(&site, "mgreylist")["failed"] == 1);
    let got: Vec<Json> = lines(&site.0.join("greylist")).iter().map(|mail| mail["to"].clone()).collect();
    assert_eq!(got, [serde_json::json!(["b@example.com"]), serde_json::json!(["grey@example.com"])]);
    // An answer of 200 means success, whatever its content. 1 GB is not read.
    until("huge counts as delivered", || channel(&site, "whuge")["delivered"] == 1);
    assert!(crate::peak(&controller.0).unwrap() < 300 * 1024, "{:?} KB", crate::peak(&controller.0));
    assert!(!read(&site.0.join("elsewhere")).contains("stolen"));
    // Receivers that hang fail by their time-out.
    for name in ["wslow", "mnothing", "mhang"] {
        until(&format!("{name} times out"), || channel(&site, name)["tries"].as_u64() > Some(0));
    }
    site.append("number 2 is down\n");
    until("the good one goes on", || read(&site.0.join("good")).contains("number 2:"));
}

/// Ten thousand alarms at once, by a route with the default options: people get a few notifications, and the counts are correct.
#[test]
fn a_storm_of_alarms_is_a_handful_of_notifications() {
    const ALARMS: u64 = 10_000;
    let http = port();
    let site = site("storm", &format!("  hook: {{ webhook: {{ url: 'http://127.0.0.1:{http}/' }} }}\n"), "hook");
    let config =
        read(&site.0.join("pointsman.yaml")).replace("by: [alarm, key], wait: 0s, interval: 0s", "wait: 2s, interval: 15s");
    fs::write(site.0.join("pointsman.yaml"), config).unwrap();
    let _receiver = receiver("web_server.py", &[&http.to_string(), site.0.join("requests").to_str().unwrap(), "ok"]);
    let _controller = listening(&site);
    let lines: String = (0..ALARMS).map(|n| format!("number {n} is down\n")).collect();
    site.append(&lines);
    let told = || -> Vec<u64> {
        let bodies = lines_of(&site.0.join("requests"));
        bodies.iter().map(|b| b["alarms"].as_array().unwrap().len() as u64 + b["more"].as_u64().unwrap()).collect()
    };
    until("all of them are told", || told().iter().sum::<u64>() >= ALARMS);
    let told = told();
    assert!(told.len() <= 4 && told.iter().sum::<u64>() == ALARMS, "{told:?}");
}

/// The bodies of the requests to an HTTP server.
fn lines_of(path: &Path) -> Vec<Json> {
    let complete = read(path).lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()).collect::<Vec<_>>();
    complete.iter().map(|request| serde_json::from_str(request["body"].as_str().unwrap()).unwrap()).collect()
}
