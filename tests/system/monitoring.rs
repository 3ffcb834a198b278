//! Monitoring systems: the real Prometheus scrapes a controller and its alerts fire; scrapers that misbehave delay nothing; an
//! agent is watched as well.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use pointsman::demo::{Flood, Flooded, measure_floods};
use pointsman::shell::linux::lab;
use serde_json::Value as Json;

use crate::site::{Ended, PROGRAM, Site, claim, ready, until};

/// A site whose metrics are at a port that the system chooses.
fn site(name: &str, more: &str) -> Site {
    Site::new(&format!("monitoring-{name}"), &format!("files: sip.log\nmetrics: {{ listen: 127.0.0.1:0{more} }}\n"), "agent")
}

/// A controller, and the address of its metrics.
fn controller(site: &Site) -> (Ended, SocketAddr) {
    let (running, line) = ready(site.command());
    let address = line.split("metrics ").nth(1).unwrap().split(',').next().unwrap().trim();
    (running, address.parse().unwrap())
}

/// What comes back for these bytes: the whole answer, as far as it comes within a minute.
fn answer(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The other side may close while this side still writes.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(address: SocketAddr, path: &str) -> String {
    answer(address, format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").as_bytes())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

/// The value of a time series, by its name with labels.
fn value(address: SocketAddr, series: &str) -> Option<f64> {
    let text = get(address, "/metrics");
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

fn run(program: &str, arguments: &[&str], folder: &Path, input: &str) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

/// `GET` of an API of Prometheus.
fn api(address: SocketAddr, path: &str) -> Json {
    let answer = answer(address, format!("GET /api/v1/{path} HTTP/1.0\r\nHost: here\r\n\r\n").as_bytes());
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap_or_default()
}

fn encoded(query: &str) -> String {
    query.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A self-signed certificate for 127.0.0.1, and a token.
fn secrets(folder: &Path) {
    let arguments = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1 -keyout tls.key -out tls.crt";
    let (done, said) = run("openssl", &arguments.split(' ').collect::<Vec<_>>(), folder, "");
    assert!(done, "{said}");
    fs::write(folder.join("token"), "s3cret-token\n").unwrap();
}

#[test]
fn prometheus_scrapes_a_controller_and_alerts_fire() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring");
    for (what, file) in [("rules", "alerts.yaml"), ("config", "prometheus.yaml")] {
        let (done, said) = run("promtool", &["check", what, file], &here, "");
        assert!(done, "{said}");
    }
    let site = site("prometheus", ", token: { file: HERE/token }, tls: { certificate: HERE/tls.crt, key: HERE/tls.key }");
    let config = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    let config = config.replace("HERE", site.0.to_str().unwrap()).replace("takeover: confirmed", "takeover: quorum");
    fs::write(site.0.join("pointsman.yaml"), config).unwrap();
    secrets(&site.0);
    let (_controller, target) = controller(&site);
    // What comes before the file is read for the first time is a backlog; the claims of the test need not be new.
    site.append(&claim(1));

    let port = SocketAddr::from(([127, 0, 0, 1], crate::notify::port()));
    // As in the example, but as quick as a test.
    let alerts = fs::read_to_string(here.join("alerts.yaml")).unwrap();
    let alerts: String = alerts.lines().filter(|l| !l.trim().starts_with("for:")).map(|l| format!("{l}\n")).collect();
    fs::write(site.0.join("alerts.yaml"), alerts).unwrap();
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nrule_files: [alerts.yaml]\nscrape_configs:\n- job_name: pointsman\n  \
         scheme: https\n  authorization: {{ credentials_file: token }}\n  tls_config: {{ ca_file: tls.crt }}\n  static_configs: [{{ targets: ['{target}'] }}]\n"
    );
    fs::write(site.0.join("prometheus.yml"), config).unwrap();
    let mut prometheus = Command::new("prometheus");
    prometheus.args(["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]).arg(format!("--web.listen-address={port}"));
    prometheus.current_dir(&site.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _prometheus = Ended(prometheus.spawn().unwrap());
    until("Prometheus listens", || TcpStream::connect(port).is_ok());

    let query = |query: &str| api(port, &format!("query?query={}", encoded(query)));
    until("it was scraped, by TLS and with the token", || query("up")["data"]["result"][0]["value"][1] == "1");
    until("its alert fires", || {
        let alerts = api(port, "alerts");
        let alerts = alerts["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let fires = |name: &str| alerts.iter().any(|a| a["labels"]["alertname"] == name && a["state"] == "firing");
        fires("PointsmanHostSilent") && fires("PointsmanNotSettled")
    });
    until("its events are counted", || {
        query("sum(pointsman_source_records_total)")["data"]["result"][0]["value"][1].as_str().is_some_and(|n| n != "0")
    });
    // Every query of the dashboard is one that Prometheus understands.
    let dashboard: Json = serde_json::from_str(&fs::read_to_string(here.join("grafana.json")).unwrap()).unwrap();
    let mut tried = 0;
    for target in dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let text = target["expr"].as_str().unwrap();
        let text = text.replace("$__rate_interval", "5s").replace("$job", ".*").replace("$instance", ".*");
        let answer = query(&text);
        assert_eq!(answer["status"], "success", "{text}: {answer}");
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn what_is_scraped_is_what_prometheus_wants() {
    let site = site("text", "");
    let (_controller, address) = controller(&site);
    until("an event is journaled", || {
        site.append(&claim(1));
        value(address, "pointsman_event_journaled_seconds_count").is_some_and(|n| n > 0.0)
    });
    let answer = get(address, "/metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let (done, said) = run("promtool", &["check", "metrics"], &site.0, text);
    assert!(done, "{said}");
    // Every metric is one that is declared, and nothing of the log is in it.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(pointsman::core::metrics::MetricId::parse(name).is_some(), "{line}");
    }
    assert!(!text.contains("number 1") && !text.contains("GCTI"), "{text}");
    assert_eq!(status(&get(address, "/healthz")), "200");
    let readiness = get(address, "/readyz");
    assert!(status(&readiness) == "200" && readiness.contains("no reports from sip2"), "{readiness}");
    fs::remove_file(site.0.join("sip.log")).unwrap();
    until("a source is away", || {
        let readiness = get(address, "/readyz");
        status(&readiness) == "503" && readiness.contains("sip.log can't be read")
    });
    let top = Command::new(PROGRAM).args(["top", "--once"]).current_dir(&site.0).output().unwrap();
    let top = String::from_utf8(top.stdout).unwrap();
    assert!(top.contains("sip_vip") && top.contains("to journal"), "{top}");
}

#[test]
fn requests_that_nobody_should_send() {
    let site = site("requests", ", token: { file: HERE/token }");
    let config = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    fs::write(site.0.join("pointsman.yaml"), config.replace("HERE", site.0.to_str().unwrap())).unwrap();
    fs::write(site.0.join("token"), "s3cret-token\n").unwrap();
    let (_controller, address) = controller(&site);
    let with = |method: &str, path: &str, more: &str| {
        let answer = answer(address, format!("{method} {path} HTTP/1.1\r\nHost: here\r\n{more}\r\n").as_bytes());
        status(&answer).to_owned()
    };
    let token = "Authorization: Bearer s3cret-token\r\n";
    for (path, wanted) in [
        ("/metrics", "200"),
        ("/healthz", "200"),
        ("/metrics?name=x", "200"),
        ("/", "404"),
        ("/../../etc/passwd", "404"),
        ("/metrics/..%2f..%2fetc/passwd", "404"),
        ("//metrics", "404"),
    ] {
        assert_eq!(with("GET", path, token), wanted, "{path}");
        assert_eq!(with("GET", path, ""), "401", "{path}");
        assert_eq!(with("GET", path, "Authorization: Bearer s3cret-tokeN\r\n"), "401", "{path}");
    }
    assert_eq!(with("GET", "/metrics", "Authorization: Basic s3cret-token\r\n"), "401");
    for method in ["POST", "PUT", "DELETE", "HEAD", "CONNECT", "BREW"] {
        let answer = with(method, "/metrics", token);
        assert!(matches!(answer.as_str(), "405" | "400"), "{method}: {answer}");
    }
    // The connection may be closed while the rest is still sent, and then the answer is lost.
    for (path, more) in [
        ("/metrics".to_owned(), format!("X: {}\r\n", "x".repeat(1_000_000))),
        (format!("/{}", "x".repeat(1_000_000)), String::new()),
    ] {
        let answer = with("GET", &path, &more);
        assert!(matches!(answer.as_str(), "431" | "414" | "nothing"), "{answer}");
    }
    assert_eq!(with("GET", "/metrics", &"X: y\r\n".repeat(1_000)), "431");
    // Not HTTP at all: the connection ends.
    for bytes in [&b"\0\x01\x02\x03\r\n\r\n"[..], b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let answer = answer(address, bytes);
        assert!(matches!(status(&answer), "400" | "nothing"), "{answer}");
    }
    assert_eq!(with("GET", "/metrics", token), "200");
    // The token was changed: nobody has to restart anything.
    fs::write(site.0.join("token"), "another\n").unwrap();
    assert_eq!(with("GET", "/metrics", token), "401");
    fs::remove_file(site.0.join("token")).unwrap();
    assert_eq!(with("GET", "/metrics", "Authorization: Bearer \r\n"), "503");
}

/// Half-open connections, slow senders and readers, and a flood of scrapes: events are journaled as quickly as before.
#[test]
fn scrapers_that_misbehave_delay_nothing() {
    let site = site("flood", "");
    let (_controller, address) = controller(&site);
    until("the file is read", || {
        site.append(&claim(0));
        site_count(&site) > 0.0
    });
    let quiet = journaled(&site);
    let (stop, scraped) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        // Half-open, and one byte a second.
        scope.spawn(|| {
            let mut idle: Vec<TcpStream> = (0..300).filter_map(|_| TcpStream::connect(address).ok()).collect();
            while !stop.load(Ordering::Relaxed) {
                for stream in &mut idle {
                    if stream.write_all(b"G").is_err() {
                        let Ok(again) = TcpStream::connect(address) else { continue };
                        *stream = again;
                    }
                }
                thread::sleep(Duration::from_secs(1));
            }
        });
        // Scrapes that never read the answer.
        scope.spawn(|| {
            let mut unread = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                if let Ok(mut stream) = TcpStream::connect(address) {
                    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
                    unread.push(stream);
                }
                if unread.len() > 200 {
                    unread.clear();
                }
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    scraped.fetch_add(u64::from(get(address, "/metrics").contains("pointsman_build_info")), Ordering::Relaxed);
                }
            });
        }
        until("somebody who reads the answer gets one", || scraped.load(Ordering::Relaxed) > 0);
        // Who delays anything delays it every time. Other tests do so sometimes.
        let mut meanwhile = [0; 3];
        let is_well = (0..5).any(|_| {
            meanwhile = journaled(&site);
            // Records on which nothing depends are synced within 20 ms.
            meanwhile[0] >= 100 && meanwhile[2] * 2 > meanwhile[0]
        });
        stop.store(true, Ordering::Relaxed);
        let shown = |seen: [u64; 3]| format!("{} of {} events within 20 ms, {} within 50 ms", seen[1], seen[0], seen[2]);
        let (quiet, meanwhile) = (shown(quiet), shown(meanwhile));
        let _ = writeln!(
            std::io::stderr(),
            "journaled before: {quiet}; during {} scrapes and the rest: {}",
            scraped.load(Ordering::Relaxed),
            meanwhile
        );
        assert!(is_well, "{meanwhile}");
    });
}

/// Scrapers hold every connection of the listener and never read. A connection lasts 10 seconds, so a move that waits for one of
/// them would take as long.
#[test]
fn scrapers_that_hang_delay_no_move() {
    let measured = thread::spawn(|| {
        let mut all = Vec::new();
        let ended =
            measure_floods(Path::new(PROGRAM), 10, &[Flood::Quiet, Flood::Scrapers], &mut |_, seen| all.push(seen.clone()));
        ended.map(|()| all)
    });
    let all = measured.join().unwrap().unwrap_or_else(|why| panic!("{why}"));
    let [quiet, hanging] = all.try_into().unwrap();
    assert!(hanging.a_second > 0, "nobody scraped");
    let worst = |seen: &Flooded| *seen.moves.last().unwrap();
    let _ = writeln!(std::io::stderr(), "worst move: {:?}; with scrapers that hang: {:?}", worst(&quiet), worst(&hanging));
    assert!(hanging.moves.len() == 10 && worst(&hanging) < Duration::from_secs(5), "{hanging:?}");
}

/// Sends 100 events, one after the other: how many were journaled, how many of these within 20 ms, and within 50 ms.
fn journaled(site: &Site) -> [u64; 3] {
    let before = histogram(site);
    for n in 1..=100 {
        let seen = site_count(site);
        site.append(&claim(n));
        until("the event is journaled", || site_count(site) > seen);
    }
    let after = histogram(site);
    let of = |all: &[(f64, u64)], seconds: f64| all.iter().find(|(end, _)| *end >= seconds).unwrap().1;
    [60.0, 0.02, 0.05].map(|seconds| of(&after, seconds) - of(&before, seconds))
}

/// The buckets of the time from arrival to journal, as the control socket has them.
fn histogram(site: &Site) -> Vec<(f64, u64)> {
    let row = metric(site, "pointsman_event_journaled_seconds");
    let buckets = row["buckets"].as_array().unwrap();
    buckets.iter().map(|b| (b[0].as_f64().unwrap(), b[1].as_u64().unwrap())).collect()
}

fn site_count(site: &Site) -> f64 {
    metric(site, "pointsman_event_journaled_seconds")["count"].as_f64().unwrap_or_default()
}

fn metric(site: &Site, name: &str) -> Json {
    use pointsman::shell::live::control_socket::ask;
    use pointsman::shell::live::questions::Question;
    let answer = ask(&site.0.join("data"), &Question::Metrics).unwrap_or_default();
    answer.as_array().and_then(|rows| rows.iter().find(|row| row["metric"] == name)).cloned().unwrap_or_default()
}

#[test]
fn an_agent_is_watched_as_well() {
    let new_network = thread::spawn(|| {
        lab::new_network().expect("tests of the system run as root");
        let site = Site::new("monitoring-agent", "files: sip.log\nlisten: { agents: 127.0.0.1:5750 }\n", "agent");
        fs::create_dir(site.0.join("sip1")).unwrap();
        let agent = "host: sip1\ncontroller: 127.0.0.1:5750\nmetrics: { every: 1s, of: [load1], disk_used: /, listen: 127.0.0.1:9469 }\n\
                     resources:\n  sip_vip: { address: 10.77.0.100/24, interface: lo }\n";
        fs::write(site.0.join("sip1/agent.yaml"), agent).unwrap();
        let (controller, _) = ready(site.command());
        let done = |arguments: &[&str]| {
            let (done, said) = run(PROGRAM, arguments, &site.0, "");
            assert!(done, "{arguments:?}: {said}");
            said
        };
        let token = done(&["enroll", "sip1"]).lines().next().unwrap().to_owned();
        done(&["enroll", "--token", &token, "-c", "sip1/agent.yaml"]);
        let mut command = Command::new(PROGRAM);
        command.args(["agent", "-c", "sip1/agent.yaml"]).current_dir(&site.0).stdin(Stdio::null()).stderr(Stdio::null());
        let _agent = Ended(command.spawn().unwrap());
        let address: SocketAddr = "127.0.0.1:9469".parse().unwrap();
        until("it listens", || TcpStream::connect(address).is_ok());
        until("it is connected", || value(address, "pointsman_agent_connected") == Some(1.0));
        until("it reports", || value(address, "pointsman_agent_reports_total").is_some_and(|n| n > 0.0));
        assert!(value(address, "pointsman_certificate_expires_timestamp_seconds{host=\"sip1\"}").is_some_and(|n| n > 1.7e9));
        until("it measured", || value(address, "pointsman_agent_measured{metric=\"disk_used /\"}").is_some());
        assert_eq!(value(address, "pointsman_agent_resource_held{resource=\"sip_vip\"}"), Some(0.0));
        let (lint, said) =
            run("promtool", &["check", "metrics"], &site.0, get(address, "/metrics").split_once("\r\n\r\n").unwrap().1);
        assert!(lint, "{said}");
        done(&["resources", "released", "sip_vip", "sip2"]);
        until("it holds the address", || {
            // What comes before the file is read for the first time is a backlog.
            site.append(&claim(1));
            value(address, "pointsman_agent_resource_held{resource=\"sip_vip\"}") == Some(1.0)
        });
        for name in ["pointsman_event_first_command_seconds", "pointsman_event_holder_seen_seconds"] {
            until(name, || metric(&site, name)["count"] == 1);
        }
        drop(controller);
        until("the controller is gone", || get(address, "/readyz").contains("no reports from the controller"));
        assert_eq!(status(&get(address, "/healthz")), "200");
    });
    new_network.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// The messages of a controller for programs that collect them.
#[test]
fn messages_have_a_form_for_programs() {
    let site = site("messages", "");
    let line = |format: &str| {
        let mut command = site.command();
        command.args(["--log-format", format]);
        ready(command).1
    };
    let json: Json = serde_json::from_str(&line("json")).unwrap();
    assert!(json["level"] == "INFO" && json["message"].as_str().unwrap().starts_with("ready: "), "{json}");
    let logfmt = line("logfmt");
    assert!(logfmt.contains("level=info") && logfmt.contains("message=\"ready: "), "{logfmt}");
    assert!(line("text").contains(" INFO ready: "));
}

/// `top` in a real terminal: it draws, `q` and Ctrl-C end it, and the terminal is as before.
#[test]
fn top_ends_and_leaves_the_terminal_as_it_was() {
    let site = site("top", "");
    let (_controller, _) = controller(&site);
    for key in ["q", "\u{3}"] {
        let typescript = site.0.join("typescript");
        let command = format!(
            "stty rows 24 cols 80; before=$(stty -g); {PROGRAM} top; echo ended with $?; [ \"$before\" = \"$(stty -g)\" ] && echo as before"
        );
        let mut script = Command::new("script");
        script.args(["--quiet", "--flush", "--return", "--command", &command]).arg(&typescript).current_dir(&site.0);
        let mut script =
            script.env("TERM", "xterm").env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let shown = || String::from_utf8_lossy(&fs::read(&typescript).unwrap_or_default()).into_owned();
        until("it draws", || shown().contains("sip_vip"));
        script.stdin.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
        until("it has ended", || shown().contains("ended with 0"));
        drop(script.stdin.take());
        assert!(script.wait().unwrap().success());
        let shown = shown();
        assert!(shown.contains("\u{1b}[?1049h") && shown.contains("\u{1b}[?1049l") && shown.contains("as before"), "{shown:?}");
        fs::remove_file(&typescript).unwrap();
    }
}
