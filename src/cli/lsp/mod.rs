//! `pointsman lsp`: a language server for rules, scripts, rule tests and configurations.
//!
//! One thread reads messages, one answers them, and one at a time loads a site after a pause in typing. Answers other than
//! diagnostics come from the texts of the moment and from the site as it was loaded last: they never wait.

mod answers;
mod counts;
mod frames;
mod positions;
mod server;
mod sites;

use std::io::{self, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use lsp_server::{ErrorCode, Message, RequestId, Response};

use super::given::Given;
use super::output::WRONG;
use frames::MessageFrame;
use server::{Input, Server};

const EXAMPLES: &str = "\
An editor starts it and talks to it by standard input and output. docs/how-to/editors.md shows how to set up Neovim, Helix and
VS Code.

Without -c and --rules, a document belongs to the nearest pointsman.yaml above it, or to the files of its folder.";

/// The messages and results that may wait for the thread that answers.
const WAITING: usize = 64;

/// Runs a language server for editors
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// Ignored: some editors pass it
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) fn run(args: Args) -> io::Result<u8> {
    let Args { given, stdio: _ } = args;
    let (to, inputs) = sync_channel(WAITING);
    let from_editor = to.clone();
    thread::spawn(move || listen(&from_editor));
    serve(Server::new(given, to), &inputs)
}

/// Passes messages on until the stream ends. Its end is the end of the editor.
fn listen(to: &SyncSender<Input>) {
    let mut from = BufReader::new(io::stdin().lock());
    loop {
        let input = match frames::read(&mut from) {
            Ok(frame) => Input::MessageFrame(frame),
            Err(why) => Input::Broken(why.to_string()),
        };
        let last = matches!(input, Input::MessageFrame(MessageFrame::End) | Input::Broken(_));
        if to.send(input).is_err() || last {
            return;
        }
    }
}

/// Answers until the editor wants the end or is gone.
fn serve(mut server: Server, inputs: &Receiver<Input>) -> io::Result<u8> {
    loop {
        let input = match server.due() {
            None => inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => inputs.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match input {
            Err(RecvTimeoutError::Timeout) => server.assemble(),
            Err(RecvTimeoutError::Disconnected) | Ok(Input::MessageFrame(MessageFrame::End)) => return Ok(0),
            Ok(Input::Broken(why)) => {
                eprintln!("pointsman lsp: {why}");
                return Ok(WRONG);
            }
            Ok(Input::MessageFrame(MessageFrame::Garbage(why))) => {
                let id: RequestId = 0.into();
                server.send(Message::Response(Response::new_err(id, ErrorCode::ParseError as i32, why)))?;
            }
            Ok(Input::MessageFrame(MessageFrame::Message(message))) => {
                if let Some(code) = server.message(message)? {
                    return Ok(code);
                }
            }
            Ok(Input::Assembled(assembled)) => server.assembled(*assembled)?,
            Ok(Input::Counted(counted)) => server.counted(counted)?,
        }
    }
}
