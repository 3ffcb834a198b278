//! `pointsman reload`: makes a running controller reload changed files.

use std::io::{self, Write as _};

use serde_json::Value as Json;

use crate::core::base::text::{printable, printable_json, printable_lines};
use crate::shell::live::control_socket::ask;
use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, data};
use super::output::{FAILED, OutputFormat, WRONG, wrong};
use super::table::table;

const EXAMPLES: &str = "\
Examples:
  pointsman reload --check              shows what would change, and changes nothing
  pointsman reload                      shows the changes and applies them
  pointsman reload --abandon            also applies if a host holds a resource that is no longer in the configuration
  pointsman reload --format json        the changes, one object a line

Configuration, rules and scripts are checked as a whole and tested with their own tests first; if anything is wrong, nothing is changed.
An alarm keeps its state while its name, its `by` and the shape of its `detect` are the same. SIGHUP does the same, and with
`reload: watch` in the configuration every change of the files does.

Exit status: 0 applied (with --check: valid), or nothing to change; 1 a test failed; 2 refused for another reason.";

/// Loads changed configuration, rules and scripts, without losing state
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Only show what would change
    #[arg(long, visible_alias = "dry-run")]
    check: bool,
    /// Also remove resources that hosts hold from the configuration; they stay on the hosts until you remove them by hand
    #[arg(long)]
    abandon: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let format = match args.whom.format_without_table() {
        Ok(format) => format,
        Err(code) => return Ok(code),
    };
    // The files may have errors, but the controller must be found nevertheless.
    let Some(data) = data(&args.whom)? else { return Ok(WRONG) };
    let answer = match ask(&data, &Question::Reload { check: args.check, abandon: args.abandon }) {
        Ok(answer) => answer,
        Err(why) => return Ok(wrong(&why)),
    };
    let list = |key: &str| answer.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let (changes, diagnostics) = (list("changes"), list("diagnostics"));
    let refused = answer.get("refused").filter(|r| !r.is_null());
    let mut out = io::stdout().lock();
    if format == OutputFormat::Json {
        for row in changes.iter().chain(&diagnostics) {
            writeln!(out, "{}", printable_json(&row.to_string()))?;
        }
        let end = serde_json::json!({ "applied": answer.get("applied"), "refused": refused, "changes": changes.len() });
        writeln!(out, "{}", printable_json(&end.to_string()))?;
    } else {
        eprint!("{}", printable_lines(answer.get("text").and_then(Json::as_str).unwrap_or_default()));
        if !changes.is_empty() {
            table(&mut out, &changes, &["what", "name", "change", "state"])?;
        }
        if refused.is_none() {
            let said = match (changes.is_empty(), answer.get("applied").and_then(Json::as_bool)) {
                (_, Some(true)) => "applied",
                (true, _) => "nothing changed",
                (false, _) => "nothing was changed yet: `pointsman reload` applies the changes",
            };
            writeln!(out, "{said}")?;
        }
    }
    out.flush()?;
    let Some(refused) = refused else { return Ok(0) };
    let text = |key: &str| refused.get(key).and_then(Json::as_str).unwrap_or_default();
    wrong(&format!("refused, and nothing is changed: {}", printable(text("why"))));
    Ok(if text("by") == "tests" { FAILED } else { WRONG })
}
