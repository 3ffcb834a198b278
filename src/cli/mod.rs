//! The command line: which commands there are, and the call of the one that was given.
//!
//! This is the shell: it reads files and the clock, and passes both to the code that decides. Exit status: 0 success, 1 a rule
//! test failed or a file is not formatted, 2 the input is wrong or cannot be read, 3 the command line itself is wrong.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line reads clocks and files; the core gets values"
)]

/// Prints a line. If nobody reads the output any more (`pointsman ... | head -1`), that is not an error and must not panic.
macro_rules! println {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout().lock(), $($what)*);
    }};
}

/// Prints a line to standard error, as `println` does.
macro_rules! eprintln {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($what)*);
    }};
}

/// Prints messages that contain their own line ends to standard error.
macro_rules! eprint {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr().lock(), $($what)*);
    }};
}

mod agent;
mod alarms;
mod ask;
mod channels;
mod check;
mod completions;
mod demo;
mod drill;
mod dry_run;
mod enroll;
mod explain;
mod fmt;
mod given;
mod history;
mod init;
mod journal;
mod local_time;
mod log_output;
mod lsp;
mod output;
mod overrides;
mod past;
mod past_alarms;
mod reference;
mod reload;
mod resources;
mod run;
mod runs;
mod schema;
mod shadow;
mod sources;
mod status;
mod table;
mod test;
mod top;
mod verbs;

pub use reference::reference;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::shell::live::{evaluator, program};

use output::{USAGE, WRONG, wrong};

const EXAMPLES: &str = "\
Examples:
  pointsman demo                                two hosts, a client and a failover on this machine
  pointsman init --pair                         a commented site to start from
  pointsman check -c pointsman.yaml             is everything in order?
  pointsman test -c pointsman.yaml              do the rules do what their tests say?
  pointsman fmt                                 formats rule files
  pointsman dry-run -c pointsman.yaml sip.log   what would the rules have done with this log?
  pointsman explain -c pointsman.yaml 'a line'  how is this record read, what matches it, and what nearly does?
  pointsman run -c pointsman.yaml               the controller
  pointsman agent -c agent.yaml                 the agent on a target host
  pointsman status                              is everything in order?
  pointsman top                                 resources, alarms and rates, live
  pointsman resources                           which host should hold each resource, and which does
  pointsman reload --check                      what would the changed files change?

Exit status: 0 all is well, 1 a rule test failed (or `fmt --check` found something), 2 the input is wrong or cannot be read,
3 wrong usage.";

/// Moves addresses to the server whose log says that it is primary now.
#[derive(Parser)]
#[command(name = "pointsman", version, about, after_help = EXAMPLES)]
struct Args {
    /// Ends with the process of this number, which started it
    #[arg(long, hide = true, value_name = "PID")]
    parent: Option<i32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Check(check::Args),
    Test(test::Args),
    Fmt(fmt::Args),
    DryRun(dry_run::Args),
    Explain(explain::Args),
    Shadow(shadow::Args),
    Run(run::Args),
    Agent(agent::Args),
    Enroll(enroll::Args),
    Adopt(agent::AdoptArgs),
    Status(status::Args),
    Top(top::Args),
    Alarms(alarms::AlarmsArgs),
    Ack(alarms::AckArgs),
    Resources(resources::ResourcesArgs),
    Runs(runs::Args),
    History(history::Args),
    Sources(sources::Args),
    Channels(channels::Args),
    Move(resources::MoveArgs),
    Pause(overrides::PauseArgs),
    Resume(overrides::ResumeArgs),
    Silence(overrides::SilenceArgs),
    Unsilence(overrides::UnsilenceArgs),
    Silences(overrides::SilencesArgs),
    Maintenance(overrides::MaintenanceArgs),
    Drain(overrides::DrainArgs),
    Undrain(overrides::UndrainArgs),
    Overrides(overrides::OverridesArgs),
    Reload(reload::Args),
    Journal(journal::Args),
    Lsp(lsp::Args),
    Verbs(verbs::Args),
    Schema(schema::Args),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
    /// Evaluates scripts for a controller, which starts it itself
    #[command(hide = true)]
    Evaluate,
    /// Keeps a network of its own, for the demo
    #[command(hide = true)]
    Hold,
    /// Another command within a network, for the demo
    #[command(hide = true)]
    Within {
        namespace: std::path::PathBuf,
        /// The command
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

/// The whole command line, for completions, manual pages and the test that documents name real commands.
pub fn command_line() -> clap::Command {
    flowing(Args::command())
}

/// A command and its subcommands, with the paragraphs of their closing texts on one line each: the width of the terminal decides
/// where lines end. Indented lines are examples and stay as they are.
fn flowing(mut command: clap::Command) -> clap::Command {
    if let Some(text) = command.get_after_help().map(ToString::to_string) {
        let paragraphs: Vec<String> = text.split("\n\n").map(flowing_paragraph).collect();
        command = command.after_help(paragraphs.join("\n\n"));
    }
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, flowing))
}

fn flowing_paragraph(text: &str) -> String {
    let mut flows = String::new();
    let mut after_example = false;
    for line in text.lines() {
        let is_example = line.starts_with(' ');
        if !flows.is_empty() {
            flows.push(if is_example || after_example || flows.ends_with(':') { '\n' } else { ' ' });
        }
        flows.push_str(line);
        after_example = is_example;
    }
    flows
}

/// Checks whether the program understands a command line. An incomplete one is accepted.
///
/// # Errors
/// The error message of clap.
pub fn understands(words: &[String]) -> Result<(), String> {
    use clap::error::ErrorKind as Kind;
    match Args::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(e) => match e.kind() {
            Kind::DisplayHelp
            | Kind::DisplayVersion
            | Kind::MissingRequiredArgument
            | Kind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
            _ => Err(e.to_string()),
        },
    }
}

/// Runs the program with the process's own arguments.
pub fn main() -> ExitCode {
    let args = match command_line().try_get_matches().and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(e) => {
            // Help and version were requested, or the usage is wrong. A closed output is ignored.
            let _ = e.print();
            return if e.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if let Some(parent) = args.parent
        && let Err(why) = program::end_with(parent)
    {
        return ExitCode::from(wrong(&why));
    }
    if matches!(args.command, Command::Run(_) | Command::Agent(_) | Command::Enroll(_) | Command::Adopt(_)) {
        program::make_files_for_owner_only();
    }
    let ended = match args.command {
        Command::Demo(args) => Ok(demo::run(&args)),
        Command::Init(args) => Ok(init::run(&args)),
        Command::Check(args) => check::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::DryRun(args) => dry_run::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Shadow(args) => shadow::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Agent(args) => agent::run(&args),
        Command::Enroll(args) => enroll::run(&args),
        Command::Adopt(args) => agent::adopt(&args),
        Command::Status(args) => status::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Alarms(args) => alarms::run(&args),
        Command::Ack(args) => alarms::ack(&args),
        Command::Resources(args) => resources::run(&args),
        Command::Runs(args) => runs::run(&args),
        Command::History(args) => history::run(&args),
        Command::Sources(args) => sources::run(&args),
        Command::Channels(args) => channels::run(&args),
        Command::Move(args) => resources::move_to(&args),
        Command::Pause(args) => overrides::pause(&args),
        Command::Resume(args) => overrides::resume(&args),
        Command::Silence(args) => overrides::silence(&args),
        Command::Unsilence(args) => overrides::unsilence(&args),
        Command::Silences(args) => overrides::silences(&args),
        Command::Maintenance(args) => overrides::maintenance(&args),
        Command::Drain(args) => overrides::drain(&args),
        Command::Undrain(args) => overrides::undrain(&args),
        Command::Overrides(args) => overrides::overrides(&args),
        Command::Reload(args) => reload::run(&args),
        Command::Journal(args) => journal::run(&args),
        Command::Lsp(args) => lsp::run(args),
        Command::Verbs(args) => verbs::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::print(&args, command_line()),
        Command::Man(args) => completions::man(&args, command_line()),
        Command::Hold => Ok(crate::demo::hold().map_or_else(|why| wrong(&why), |()| 0)),
        Command::Within { namespace, arguments } => Ok(wrong(&crate::demo::within(&namespace, &arguments).to_string())),
        Command::Evaluate => evaluator::serve(io::stdin().lock(), io::stdout().lock()).map(|()| 0),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        // The reader of the output has stopped: `pointsman dry-run ... | head`.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("pointsman: the output could not be written: {e}");
            ExitCode::from(WRONG)
        }
    }
}
