//! The workflows: what servers write, what is killed or cut, and the expected result.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::shell::linux::{boot_time, wall_time};

use super::client::{Client, Going, say, serve};
use super::network::{Lab, PATIENCE};

#[derive(Clone, Debug)]
pub struct DemoReport {
    /// The name of each workflow, with its observations or its error.
    pub workflows: Vec<(String, Result<String, String>)>,
    /// The number of workflows. After a failure, the remaining ones are not run.
    pub planned: usize,
}

impl DemoReport {
    /// True if every workflow succeeded.
    pub fn is_well(&self) -> bool {
        self.workflows.iter().all(|(_, seen)| seen.is_ok())
    }
}

pub(super) const PRIMARY_NOW: &str = "00-04563 Hot Standby (Primary) mode activated";
const BACKUP_NOW: &str = "00-04561 Hot Standby (backup) mode activated";

type Seen = Result<String, String>;
type Workflow = fn(&mut Stage<'_>) -> Seen;

/// The workflows, which run one after another in one lab.
const ALL: [(&str, Workflow); 5] = [
    ("first claim", |s| s.first_claim()),
    ("manual switchover", |s| s.switchover()),
    ("primary failure", |s| s.primary_failure()),
    ("primary disconnected and restored", |s| s.disconnected()),
    ("controller killed in the middle of a move", |s| s.controller_killed()),
];

pub(super) struct Stage<'a> {
    pub(super) lab: &'a mut Lab,
    pub(super) client: Client,
    services: Vec<(&'static str, Going)>,
}

/// Runs all workflows one after another. After a failure, the remaining ones are not run.
pub(super) fn run(lab: &mut Lab, tell: &mut dyn FnMut(&str)) -> DemoReport {
    let mut report = DemoReport { workflows: Vec::new(), planned: ALL.len() };
    let stage = Stage::new(lab);
    let mut stage = match stage {
        Ok(stage) => stage,
        Err(e) => {
            report.workflows.push(("setting up".to_owned(), Err(e.to_string())));
            return report;
        }
    };
    for (name, workflow) in ALL {
        let seen = workflow(&mut stage).and_then(|seen| match stage.lab.overlap() {
            None => stage.lab.false_word().map_or(Ok(seen), Err),
            Some(span) => Err(format!("two hosts had the address at once for {}", ms(span))),
        });
        let line = match &seen {
            Ok(seen) => format!("ok      {name:<43} {seen}"),
            Err(why) => format!("FAILED  {name:<43} {why}"),
        };
        tell(&line);
        let failed = seen.is_err();
        report.workflows.push((name.to_owned(), seen));
        if failed {
            break;
        }
    }
    report
}

fn ms(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1_000.0)
}

fn record(app: &str, host: &str, what: &str) -> String {
    let now = wall_time().to_string();
    format!("{} Standard {host} {app} GCTI-{what}", now.trim_end_matches('Z'))
}

impl<'a> Stage<'a> {
    pub(super) fn new(lab: &'a mut Lab) -> std::io::Result<Stage<'a>> {
        let client = Client::start(lab.process("client"))?;
        let services = vec![("sip1", serve(lab.process("sip1"), "sip1")?), ("sip2", serve(lab.process("sip2"), "sip2")?)];
        Ok(Stage { lab, client, services })
    }

    /// Sends a server's role in a record, and returns the time.
    pub(super) fn says(&self, host: &str, what: &str) -> Result<Time, String> {
        let app = if host == "sip1" { "SIP_SERVER_PRIMARY" } else { "SIP_SERVER_BACKUP" };
        let at = boot_time();
        say(self.lab.process(host), record(app, host, what), self.lab.syslog())
            .map_err(|e| format!("a datagram of {host}: {e}"))?;
        Ok(at)
    }

    /// Writes a server's role to the file that the controller follows.
    fn writes(&self, host: &str, what: &str) -> Result<Time, String> {
        let app = if host == "sip1" { "SIP_SERVER_PRIMARY" } else { "SIP_SERVER_BACKUP" };
        let at = boot_time();
        let file = OpenOptions::new().append(true).open(self.lab.folder().join("sip.log"));
        let written = file.and_then(|mut f| f.write_all(format!("{}\n", record(app, host, what)).as_bytes()));
        written.map(|()| at).map_err(|e| format!("sip.log: {e}"))
    }

    /// Waits until a host answers the client and everything has settled.
    pub(super) fn arrives(&self, host: &str, since: Time) -> Seen {
        self.lab.until(&format!("the client is answered by {host}"), |_| self.client.first_answer(host, since).is_some())?;
        let answered = self.client.first_answer(host, since).map(|at| at.since(since)).unwrap_or(PATIENCE);
        self.lab.until_settled(host)?;
        Ok(format!("{host} answers {} after its server said so; outage {}", ms(answered), ms(self.client.outage(since))))
    }

    fn first_claim(&mut self) -> Seen {
        let since = self.says("sip1", PRIMARY_NOW)?;
        self.lab.until("the client is answered by sip1", |_| self.client.first_answer("sip1", since).is_some())?;
        self.lab.until_settled("sip1")?;
        let answered = self.client.first_answer("sip1", since).map(|at| at.since(since)).unwrap_or(PATIENCE);
        Ok(format!("sip1 answers {} after its server said so; nobody had the address before", ms(answered)))
    }

    fn switchover(&mut self) -> Seen {
        self.says("sip1", BACKUP_NOW)?;
        let since = self.says("sip2", PRIMARY_NOW)?;
        self.arrives("sip2", since)
    }

    fn primary_failure(&mut self) -> Seen {
        self.services.retain(|(host, _)| *host != "sip2");
        let since = self.says("sip1", PRIMARY_NOW)?;
        let seen = self.arrives("sip1", since)?;
        let again = serve(self.lab.process("sip2"), "sip2").map_err(|e| format!("the service of sip2: {e}"))?;
        self.services.push(("sip2", again));
        Ok(seen)
    }

    fn disconnected(&mut self) -> Seen {
        self.lab.cable("sip1", false)?;
        let since = self.writes("sip2", PRIMARY_NOW)?;
        self.lab.until("the client is answered by sip2", |_| self.client.first_answer("sip2", since).is_some())?;
        let answered = self.client.first_answer("sip2", since).map(|at| at.since(since)).unwrap_or(PATIENCE);
        self.lab.until("sip1 has given it up by itself", |lab| lab.holders() == ["sip2"])?;
        self.lab.cable("sip1", true)?;
        self.says("sip1", BACKUP_NOW)?;
        self.lab.until_settled("sip2")?;
        Ok(format!("sip2 answers {} after sip1 was cut off; restored, sip1 is backup", ms(answered)))
    }

    fn controller_killed(&mut self) -> Seen {
        let since = self.writes("sip1", PRIMARY_NOW)?;
        // The old owner has released the address, and the new one does not have it yet.
        self.lab.until("sip2 lets go", |lab| lab.holders() != ["sip2"])?;
        self.lab.kill_controller();
        self.lab.start_controller()?;
        self.arrives("sip1", since).map(|seen| format!("{seen} (killed and started again)"))
    }
}
