//! `pointsman alarms test`: a test of an alarm. Without `--live` it only shows the steps and performs none.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::core::replay::Replay;
use crate::shell::linux::wall_time;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::site_files::{SiteFiles, load};

use super::ask::{ControllerArgs, data, give_command, operator};
use super::output::{OutputFormat, WRONG, colour, missing, report, wrong};

/// The virtual duration of a test that is only shown.
const LASTS: Duration = Duration::from_secs(60);

#[derive(Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman alarms test app_stopped --app SIP_SERVER_PRIMARY\n  pointsman alarms test link_lost --app SIP_SERVER_PRIMARY --set resource=sip_vip\n  pointsman alarms test app_stopped --app SIP_SERVER_PRIMARY --live\n\nWithout --live the command only shows the steps that the files on the disk would cause. With --live the controller raises the alarm and does everything that the alarm causes, including moves. Summaries and notifications begin with `TEST: `. The alarm ends as its rule says, or by `pointsman alarms clear`."
)]
pub(super) struct TestArgs {
    /// The name of the alarm
    alarm: String,
    /// The application that its event comes from
    #[arg(long, value_name = "APPLICATION")]
    app: String,
    /// A further field of its event; may be given several times
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// Raise the alarm in the controller, with everything that it causes
    #[arg(long)]
    live: bool,
}

pub(super) fn run(args: &TestArgs, whom: &ControllerArgs) -> io::Result<u8> {
    let fields: BTreeMap<String, String> = args.fields.iter().cloned().collect();
    let (alarm, app) = (args.alarm.clone(), args.app.clone());
    if args.live {
        let done = format!("{alarm} is raised as a test; `pointsman history --alarm {alarm}` shows what follows");
        return give_command(whom, Question::Test { alarm, app, fields }, &done);
    }
    let format = match whom.format_without_table() {
        Ok(format) => format,
        Err(code) => return Ok(code),
    };
    let setup = load(&SiteFiles { config: whom.config.clone(), ..SiteFiles::default() });
    let Some(site) = setup.site else {
        report(&setup.diagnostics, format)?;
        return Ok(WRONG);
    };
    let Some(app) = site.inventory.application(&app).map(|(name, _)| name.clone()) else {
        return Ok(wrong(&missing(
            "the inventory has no application",
            &args.app,
            site.inventory.applications.keys().map(String::as_str),
        )));
    };
    let mut replay = Replay::start(site, &BTreeMap::new(), wall_time());
    replay.take_entries();
    if let Err(why) = replay.try_alarm(&operator(), alarm, app, fields) {
        return Ok(wrong(&why));
    }
    replay.pass(replay.now() + LASTS);
    // The running controller continues with the files that it accepted, whatever was edited since.
    if let Some(data) = data(whom)?.filter(|data| UnixStream::connect(control_socket::path(data)).is_ok()) {
        eprintln!(
            "this shows what the files on the disk would do. The running controller ({}) uses the files that it accepted last; `pointsman reload --check` shows the difference",
            data.display()
        );
    }
    let mut out = io::stdout().lock();
    let paint = colour(&io::stdout());
    for entry in replay.take_entries() {
        match format {
            OutputFormat::Json => writeln!(out, "{}", entry.json())?,
            OutputFormat::Human => writeln!(out, "{}", entry.human(paint))?,
        }
    }
    if format == OutputFormat::Human {
        writeln!(out, "nothing was done; `--live` raises the alarm in the controller")?;
    }
    out.flush()?;
    Ok(0)
}

/// Parses `resource=sip_vip`.
fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write FIELD=VALUE")?;
    if name.is_empty() { Err("write FIELD=VALUE".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}
