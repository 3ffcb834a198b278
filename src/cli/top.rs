//! `pointsman top`: resources, alarms, rates and latencies of a running controller, live.

mod draw;
mod view;

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Terminal};

use crate::core::base::text::printable_lines;
use crate::shell::live::control_socket::ask;

use super::ask::{ControllerArgs, data};
use super::output::{WRONG, wrong};
use draw::draw;
use view::{Answers, View};

/// The least time between two looks at the controller.
const EVERY: Duration = Duration::from_secs(1);
/// A look is followed by a pause of so many times its duration: looking takes at most a small part of the controller's time.
const PAUSES: u32 = 20;
/// How soon a key has its effect, and a new answer is shown.
const ATTENTION: Duration = Duration::from_millis(100);
/// The size of a frame that is printed, if there is no terminal.
const SIZE: (u16, u16) = (80, 24);

/// Shows resources, alarms, rates and latencies, live; `q` ends it
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman top\n  pointsman top --once          one frame as text, after one second\n\nq or Ctrl-C ends it. Rates are measured since the last refresh, durations since the start of the controller."
)]
pub(super) struct Args {
    /// Print one frame as text and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let Some(data) = data(&args.whom)? else { return Ok(WRONG) };
    if args.once {
        return once(&data);
    }
    let (sender, views) = sync_channel(1);
    thread::spawn(move || look(&data, &sender));
    let mut terminal = ratatui::try_init()?;
    let ended = show(&mut terminal, &views);
    // The terminal is as it was before an error is printed.
    let restored = ratatui::try_restore();
    ended.and(restored).map(|()| 0)
}

/// Prints one frame.
fn once(data: &Path) -> io::Result<u8> {
    let looked = Answers::of(|question| ask(data, question)).and_then(|before| {
        let since = Instant::now();
        thread::sleep(EVERY);
        let now = Answers::of(|question| ask(data, question))?;
        Ok(View::new(Some(&before), &now, since.elapsed()))
    });
    let view = match looked {
        Ok(view) => view,
        Err(why) => return Ok(wrong(&why)),
    };
    let (width, height) = ratatui::crossterm::terminal::size().unwrap_or(SIZE);
    writeln!(io::stdout().lock(), "{}", printable_lines(&frame(&view, width, height)))?;
    Ok(0)
}

/// A frame of this size as text, without spaces at the ends of lines.
fn frame(view: &View, width: u16, height: u16) -> String {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    let Ok(_) = terminal.draw(|frame| draw(frame, view));
    text_of(terminal.backend().buffer())
}

fn text_of(buffer: &Buffer) -> String {
    let lines = buffer.content().chunks(usize::from(buffer.area().width));
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    let lines: Vec<String> = lines.map(|cells| line(cells).trim_end().to_owned()).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Looks at the controller again and again, until nobody wants to see it.
fn look(data: &Path, views: &SyncSender<View>) {
    let mut before: Option<(Instant, Answers)> = None;
    loop {
        let began = Instant::now();
        let view = match Answers::of(|question| ask(data, question)) {
            Ok(now) => {
                let since = before.as_ref().map_or(Duration::ZERO, |(at, _)| began.duration_since(*at));
                let view = View::new(before.as_ref().map(|(_, answers)| answers), &now, since);
                before = Some((began, now));
                view
            }
            Err(why) => {
                before = None;
                View::without_answer(&why)
            }
        };
        if views.send(view).is_err() {
            return;
        }
        thread::sleep(EVERY.max(began.elapsed() * PAUSES));
    }
}

/// Draws what comes until a key ends it.
fn show(terminal: &mut DefaultTerminal, views: &Receiver<View>) -> io::Result<()> {
    let mut view = View::without_answer("asking the controller ...");
    loop {
        terminal.draw(|frame| draw(frame, &view))?;
        if event::poll(ATTENTION)?
            && let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            let interrupted = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if interrupted || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                return Ok(());
            }
        }
        if let Ok(newest) = views.try_recv() {
            view = newest;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value as Json;

    use super::*;

    /// In `tests/top`, `NAME.json` has the answers of a controller, and `NAME-WIDTHxHEIGHT.txt` the frame that comes of them.
    #[test]
    fn frames_are_as_expected() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/top");
        let mut seen = 0;
        for (name, width, height) in [("site", 80, 24), ("site", 120, 30), ("site", 40, 10), ("site", 1, 1), ("gone", 80, 24)] {
            let answers: Json = serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap();
            let of = |when: &str| Answers::of(|question| Ok(answers[when][question.name()].clone()));
            let view = match answers["error"].as_str() {
                Some(why) => View::without_answer(why),
                None => View::new(Some(&of("before").unwrap()), &of("now").unwrap(), Duration::from_secs(2)),
            };
            let text = frame(&view, width, height) + "\n";
            let path = folder.join(format!("{name}-{width}x{height}.txt"));
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(&path, &text).unwrap();
            }
            assert_eq!(text, fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
            seen += 1;
        }
        assert_eq!(seen, 5);
    }

    /// A frame follows the size of the terminal.
    #[test]
    fn a_smaller_terminal_gets_a_smaller_frame() {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let view = View::without_answer("no controller runs");
        terminal.draw(|frame| draw(frame, &view)).unwrap();
        terminal.backend_mut().resize(30, 5);
        terminal.draw(|frame| draw(frame, &view)).unwrap();
        let buffer = terminal.backend().buffer();
        assert_eq!((buffer.area().width, buffer.area().height), (30, 5));
        assert!(
            text_of(buffer).starts_with("no controller runs\n") && text_of(buffer).lines().last().unwrap().starts_with("q ends")
        );
    }
}
