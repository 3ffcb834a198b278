//! `pointsman agent` and `pointsman adopt`: on a target host.

use std::io;
use std::path::{Path, PathBuf};

use crate::core::base::text::printable;
use crate::core::config::{self, Agent};
use crate::core::diag::has_errors;
use crate::shell::live::program;
use crate::shell::store::AgentStore;

use super::log_output::LogArgs;
use super::output::{OutputFormat, WRONG, plural, report, wrong};
use crate::shell::site_files::{machine, paths, read};

const EXAMPLES: &str = "\
Examples:
  pointsman agent -c /etc/pointsman/agent.yaml
  pointsman agent --check -c agent.yaml     is it in order?

  # agent.yaml
  host: sip1
  controller: pointsman.example.com:5750
  listen: 0.0.0.0:5751                       # for agents of other hosts: the default, or `off`
  data: /var/lib/pointsman-agent
  resources:
    sip_vip: { address: 10.10.11.103/24, interface: eth0 }
  watch:
    SIP_SERVER_PRIMARY: { pid_file: /run/sip/sip.pid }
  metrics: { every: 10s, of: [cpu, memory_used], disk_used: [/, /var] }

The agent brings up and takes down only the resources that its own file lists. At a start it also takes down
those of an earlier list. It must be enrolled before its first start: `pointsman enroll --help`.
SIGTERM ends it; addresses stay as they are.";

/// Runs the agent of a target host
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The agent's configuration [default: ./agent.yaml, then /etc/pointsman/agent.yaml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only check the configuration
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    log: LogArgs,
}

const ADOPT: &str = "\
An agent obeys the controller that commanded it first, and no other. If that controller was set up again, or its journal was
lost, stop the agent, run `pointsman adopt`, and start the agent again: it then obeys the next controller that commands it.

Examples:
  pointsman adopt -c /etc/pointsman/agent.yaml";

/// Lets this host's agent obey another controller
#[derive(clap::Args)]
#[command(after_help = ADOPT)]
pub(super) struct AdoptArgs {
    /// The agent's configuration [default: ./agent.yaml, then /etc/pointsman/agent.yaml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let file = paths::agent(args.config.as_deref());
    let Some(config) = load(&file)? else { return Ok(WRONG) };
    let missing = machine::check_agent(&config, paths::folder(&file));
    report(&missing, OutputFormat::Human)?;
    if has_errors(&missing) {
        return Ok(WRONG);
    }
    if args.check {
        println!("all is well: the agent of {}, {}", printable(&config.host), plural(config.resources.len(), "resource"));
        return Ok(0);
    }
    args.log.begin();
    program::fail_as_a_whole();
    Ok(match program::agent(config, paths::folder(&file)) {
        Ok(()) => 0,
        Err(why) => wrong(&why),
    })
}

pub(super) fn adopt(args: &AdoptArgs) -> io::Result<u8> {
    let file = paths::agent(args.config.as_deref());
    let Some(config) = load(&file)? else { return Ok(WRONG) };
    let data = paths::folder(&file).join(&config.data);
    let adopted = AgentStore::open(&data).and_then(|marks| {
        let mut durable = marks.load()?;
        durable.adopt();
        marks.save(&durable)
    });
    Ok(match adopted {
        Ok(()) => {
            println!("{} obeys the next controller that commands it", printable(&config.host));
            0
        }
        Err(e) => wrong(&e.to_string()),
    })
}

/// Reads an agent's configuration and prints its errors.
pub(super) fn load(path: &Path) -> io::Result<Option<Agent>> {
    let mut found = Vec::new();
    let loaded = read::read(path, &mut found).map(|source| config::load_agent(&source));
    let (agent, more) = loaded.unwrap_or_default();
    found.extend(more);
    report(&found, OutputFormat::Human)?;
    Ok(agent)
}
