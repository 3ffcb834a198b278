//! Asks a running controller, and prints its answer.

use std::io;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::core::base::text::printable_lines;
use crate::shell::live::control_socket::{self, ask};
use crate::shell::live::questions::Question;

use super::output::{OutputFormat, USAGE, WRONG, report, wrong};
use super::table::{RowFormat, print_rows};
use crate::shell::site_files::{paths, read};

/// The controller to ask, and how to print the answer.
#[derive(clap::Args)]
pub(super) struct ControllerArgs {
    /// The configuration of the controller [default: ./pointsman.yaml, then /etc/pointsman/pointsman.yaml]
    #[arg(short, long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// The data folder of the controller, instead of the one that the configuration names
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value_t, value_name = "HOW", global = true)]
    pub(super) format: RowFormat,
}

impl ControllerArgs {
    /// Makes the arguments for the controller of a configuration or a data folder.
    pub(super) fn of(config: Option<PathBuf>, data: Option<PathBuf>, format: OutputFormat) -> ControllerArgs {
        ControllerArgs { config, data, format: format.into() }
    }

    /// The format of a command that prints no table. Otherwise an error has been reported.
    pub(super) fn format_without_table(&self) -> Result<OutputFormat, u8> {
        match self.format {
            RowFormat::Human => Ok(OutputFormat::Human),
            RowFormat::Json => Ok(OutputFormat::Json),
            RowFormat::Csv => {
                wrong("this command prints no table, so there is no CSV; use --format json");
                Err(USAGE)
            }
        }
    }
}

/// The user who gives the command, according to the environment.
pub(super) fn operator() -> String {
    let logged_in = ["SUDO_USER", "USER"].iter().find_map(|name| std::env::var(name).ok().filter(|who| !who.is_empty()));
    logged_in.unwrap_or_else(|| "an operator".to_owned())
}

/// The data folder of the controller to ask. Errors in its configuration are reported only if they hide the folder.
pub(super) fn data(whom: &ControllerArgs) -> io::Result<Option<PathBuf>> {
    if let Some(data) = &whom.data {
        return Ok(Some(data.clone()));
    }
    let mut found = Vec::new();
    let file = paths::controller(whom.config.as_deref());
    let source = read::read(&file, &mut found);
    let (config, more) = source.as_ref().map(crate::core::config::load).unwrap_or_default();
    let base = paths::folder(&file);
    if let Some(config) = config {
        return Ok(Some(base.join(config.data)));
    }
    // The configuration is being edited, and a controller runs with an earlier version that it accepted.
    let as_it_was = source.map(|s| base.join(crate::core::config::data_of(&s)));
    if let Some(data) = as_it_was.filter(|data| control_socket::path(data).exists()) {
        return Ok(Some(data));
    }
    found.extend(more);
    report(&found, OutputFormat::Human)?;
    Ok(None)
}

pub(super) fn give_command(whom: &ControllerArgs, question: Question, done: &str) -> io::Result<u8> {
    let Some(data) = data(whom)? else { return Ok(WRONG) };
    Ok(match ask(&data, &question) {
        Ok(_) => {
            println!("{}", printable_lines(done));
            0
        }
        Err(why) => wrong(&why),
    })
}

pub(super) fn show(whom: &ControllerArgs, question: &Question, columns: &[&str], nothing: &str) -> io::Result<u8> {
    let Some(rows) = rows(whom, question)? else { return Ok(WRONG) };
    print_rows(whom.format, &rows, columns, nothing).map(|()| 0)
}

/// The controller's answer. `None` if there is no answer; the reason has been reported then.
pub(super) fn answer_of(whom: &ControllerArgs, question: &Question) -> io::Result<Option<Json>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    match ask(&data, question) {
        Ok(answer) => return Ok(Some(answer)),
        Err(why) => wrong(&why),
    };
    Ok(None)
}

/// The rows of the controller's answer. `None` if there is no answer; the reason has been reported then.
pub(super) fn rows(whom: &ControllerArgs, question: &Question) -> io::Result<Option<Vec<Json>>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    match ask(&data, question) {
        Ok(Json::Array(rows)) => return Ok(Some(rows)),
        Ok(_) => wrong("the controller's answer is not a table; it may be of another version"),
        Err(why) => wrong(&why),
    };
    Ok(None)
}
