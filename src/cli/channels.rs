//! `pointsman channels`: the status of the notification channels, and a test of a channel.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use clap::Subcommand;
use serde_json::Value as Json;

use crate::core::base::limits::NOTIFICATION_TIMEOUT;
use crate::core::base::text::printable_lines;
use crate::shell::live::control_socket::ask;
use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, data, show};
use super::output::{FAILED, WRONG, wrong};

const COLUMNS: [&str; 9] = ["channel", "kind", "waiting", "held", "delivered", "failed", "last_delivered", "last_failure", "why"];
/// How often to check whether a test was delivered.
const LOOK: Duration = Duration::from_millis(100);

/// Shows the channels of notifications, or tests one
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman channels\n  pointsman channels test noc\n\nExit status of test: 0 delivered, 1 not delivered."
)]
pub(super) struct Args {
    #[command(flatten)]
    whom: ControllerArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Sends a test through a channel, and waits until it is delivered
    Test {
        /// The channel
        name: String,
    },
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    match &args.command {
        None => show(&args.whom, &Question::Channels, &COLUMNS, "the configuration has no channels"),
        Some(Command::Test { name }) => test(&args.whom, name),
    }
}

fn test(whom: &ControllerArgs, name: &str) -> io::Result<u8> {
    let Some(data) = data(whom)? else { return Ok(WRONG) };
    let id = match ask(&data, &Question::TestChannel(name.to_owned())) {
        Ok(id) => id.as_u64().unwrap_or_default(),
        Err(why) => return Ok(wrong(&why)),
    };
    // The time for the attempt, and for the delivery that may be in progress before it.
    let until = Instant::now() + NOTIFICATION_TIMEOUT * 2;
    while Instant::now() < until {
        match ask(&data, &Question::Delivery(id)) {
            Ok(Json::Null) => thread::sleep(LOOK),
            Ok(end) if end.get("delivered").and_then(Json::as_bool) == Some(true) => {
                println!("{}", printable_lines(&format!("the channel {name} delivered the test (notification {id})")));
                return Ok(0);
            }
            Ok(end) => {
                let why = end.get("why").and_then(Json::as_str).unwrap_or_default();
                eprintln!("pointsman: {}", printable_lines(&format!("the channel {name} did not deliver the test: {why}")));
                return Ok(FAILED);
            }
            Err(why) => return Ok(wrong(&why)),
        }
    }
    let text = format!("the test waits behind other notifications of the channel {name}; see `pointsman channels`");
    eprintln!("pointsman: {}", printable_lines(&text));
    Ok(FAILED)
}
