//! `pointsman enroll`: makes a token on the controller, and requests a certificate on the host.

use std::io::{self, BufRead as _, Read as _};
use std::path::PathBuf;

use crate::core::base::text::{printable, printable_lines};
use crate::shell::live::program::{data_folder, keys};
use crate::shell::tls::{self, Authority};

use super::output::{WRONG, report, wrong};
use crate::shell::site_files::{paths, read};

/// The number of bytes of a token that are read.
const TOKEN: u64 = 4_096;

const EXAMPLES: &str = "\
Examples:
  on the controller:  pointsman enroll sip1 -c /etc/pointsman/pointsman.yaml
  on the host:        pointsman enroll --token sip1:4f0c...:9a31... -c /etc/pointsman/agent.yaml
  on the controller:  pointsman enroll sip1 --revoke      revokes its certificates at once

A token is valid for one hour and one use. It contains the checksum of the controller's certificate, so an agent that
enrolls with it cannot be directed to another controller. Certificates last 90 days, and agents renew them by themselves.";

/// Gives an agent its certificate, with a one-time token
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// On the controller: the host whose agent may enroll
    #[arg(required_unless_present = "token", conflicts_with = "token")]
    host: Option<String>,
    /// On the host: the token; `-` reads it from standard input, so that no list of processes shows it
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// On the controller: revokes the host's certificates at once and closes its connection
    #[arg(long, requires = "host")]
    revoke: bool,
    /// The configuration of the controller, or, with a token, of the agent
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    match (&args.host, &args.token) {
        (_, Some(token)) if token == "-" => {
            let mut line = String::new();
            io::stdin().lock().take(TOKEN).read_line(&mut line)?;
            on_host(args, line.trim())
        }
        (_, Some(token)) => on_host(args, token),
        (Some(host), None) => on_controller(args, host),
        (None, None) => Ok(WRONG),
    }
}

fn on_controller(args: &Args, host: &str) -> io::Result<u8> {
    let file = paths::controller(args.config.as_deref());
    let mut found = Vec::new();
    let loaded = read::read(&file, &mut found).map(|source| crate::core::config::load(&source));
    let (config, more) = loaded.unwrap_or_default();
    found.extend(more);
    report(&found, super::output::OutputFormat::Human)?;
    let Some(config) = config else { return Ok(WRONG) };
    if !args.revoke && config.inventory.hosts.get(host).is_none_or(|h| h.via != crate::core::inventory::Via::Agent) {
        return Ok(wrong(&format!("{} has no host {host} with `via: agent`", file.display())));
    }
    let data = paths::folder(&file).join(&config.data);
    let authority = data_folder(&data).and_then(|()| Authority::open(&keys(&data)));
    let done = authority.and_then(|authority| match args.revoke {
        true => {
            let revoked = authority.revoke(host);
            revoked.map(|()| format!("all certificates of {host} are revoked; a running controller closes its connection"))
        }
        false => authority.token(host).map(|token| {
            let command = format!("pointsman enroll --token {token} -c agent.yaml");
            format!("{token}\n\nValid for one hour and one use. On {host}, as the agent's user:\n  {command}")
        }),
    });
    Ok(match done {
        Ok(text) => {
            println!("{}", printable_lines(&text));
            0
        }
        Err(why) => wrong(&why),
    })
}

fn on_host(args: &Args, token: &str) -> io::Result<u8> {
    let file = paths::agent(args.config.as_deref());
    let Some(config) = super::agent::load(&file)? else { return Ok(WRONG) };
    let data = paths::folder(&file).join(&config.data);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let enrolled =
        data_folder(&data).and_then(|()| runtime.block_on(tls::enroll(&config.controller, token, &config.host, &keys(&data))));
    Ok(match enrolled {
        Ok(()) => {
            println!("{} is enrolled; start its agent", printable(&config.host));
            0
        }
        Err(why) => wrong(&why),
    })
}
