//! What scripts have done in the world beside moving resources: telling people, and running commands on this host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use crate::base::limits::DRIVER_TIMEOUT;
use crate::base::text::printable_short;
use crate::command::run;
use crate::event::Value;
use crate::inventory::{Channel, Inventory};
use crate::script::{Step, StepResult};

use super::notification;

/// Does a step, on a thread of its own, and tells its result.
pub(super) fn perform(inventory: Arc<Inventory>, step: Step, done: impl FnOnce(StepResult) + Send + 'static) {
    let work = move || done(effect(&inventory, &step));
    if let Err(e) = thread::Builder::new().name("effect".to_owned()).spawn(work) {
        tracing::error!("no thread can be started for a step: {e}");
    }
}

fn effect(inventory: &Inventory, step: &Step) -> StepResult {
    let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
    match step.verb.as_str() {
        "notify" => {
            let Some(channel) = inventory.channels.get(&text(0)) else {
                return Err(format!("the configuration has no channel {}", text(0)));
            };
            notify(channel, &text(0), &notification::carried(channel, &text(1))).map(|()| Value::Unit)
        }
        "host.run" => {
            let host = text(0);
            inventory.runs_commands(&host)?;
            let arguments: Vec<String> = match step.args.get(2) {
                Some(Value::List(all)) => all.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            };
            let done = run(&text(1), &arguments, DRIVER_TIMEOUT)?;
            Ok(Value::Map(BTreeMap::from([
                ("status".to_owned(), Value::Int(i64::from(done.status))),
                ("stdout".to_owned(), Value::Text(done.stdout.into())),
                ("stderr".to_owned(), Value::Text(done.stderr.into())),
            ])))
        }
        verb => Err(format!("`{verb}` is nothing that is done here; this is a fault of the program")),
    }
}

fn notify(channel: &Channel, name: &str, text: &str) -> Result<(), String> {
    match channel {
        Channel::Log => {
            tracing::info!(channel = name, "{text}");
            Ok(())
        }
        Channel::Syslog => {
            let formatter = syslog::Formatter3164 {
                facility: syslog::Facility::LOG_DAEMON,
                hostname: None,
                process: "pointsman".to_owned(),
                pid: std::process::id(),
            };
            let mut logger = syslog::unix(formatter).map_err(|e| format!("the system log can't be reached: {e}"))?;
            logger.notice(text).map_err(|e| format!("the system log did not take it: {e}"))
        }
        Channel::Command(words) => {
            let Some((program, arguments)) = words.split_first() else { return Err("the channel has no command".to_owned()) };
            let mut arguments = arguments.to_vec();
            arguments.push(text.to_owned());
            let done = run(program, &arguments, DRIVER_TIMEOUT)?;
            match done.status {
                0 => Ok(()),
                status => Err(format!("{program} ended with {status}: {}", printable_short(done.stderr.trim(), 200))),
            }
        }
    }
}
