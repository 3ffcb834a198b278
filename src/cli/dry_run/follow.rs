//! `dry-run --follow` and `--speed`: a log that grows, and a log that is replayed as slowly as it happened, or some times faster.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::core::base::time::Time;

/// How often a log that grows is looked at, and how long a wait may be before it is seen that the user wants to end.
const LOOK: Duration = Duration::from_millis(100);
/// The exit status of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;
/// The highest and the lowest speed.
const SPEEDS: [f64; 2] = [0.01, 1_000_000.0];

/// Whether the user wants to end (Ctrl-C). The second time ends the program at once.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Waits for Ctrl-C from now on.
    ///
    /// # Errors
    /// The system allows no further thread or no signals.
    pub(in crate::cli) fn by_signal() -> io::Result<Stop> {
        let stop = Stop::default();
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let mut interrupt = {
            let _within = runtime.enter();
            signal(SignalKind::interrupt())?
        };
        let wanted = stop.clone();
        thread::Builder::new().name("ctrl-c".to_owned()).spawn(move || {
            runtime.block_on(async {
                interrupt.recv().await;
                wanted.0.store(true, Ordering::Relaxed);
                interrupt.recv().await;
                std::process::exit(INTERRUPTED);
            });
        })?;
        Ok(stop)
    }

    pub(in crate::cli) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A log that grows. Its end is reached when the user wants to end.
pub(super) struct GrowingLog {
    path: PathBuf,
    file: File,
    /// The position up to which the file was read.
    at: u64,
    /// A new file of this name. The old one is read to its end first.
    next: Option<File>,
    stop: Stop,
}

impl GrowingLog {
    /// Opens a log from its beginning.
    ///
    /// # Errors
    /// It cannot be opened, or it is not a regular file.
    pub(super) fn open(path: &Path, stop: Stop) -> io::Result<GrowingLog> {
        Ok(GrowingLog { path: path.to_owned(), file: File::open(path)?, at: 0, next: None, stop })
    }

    /// Looks for a new file of this name, and goes back to the beginning of one that was emptied.
    fn look(&mut self) -> io::Result<()> {
        let open = self.file.metadata()?;
        if open.len() < self.at {
            self.at = self.file.seek(SeekFrom::Start(0))?;
        }
        // While a log is rotated, there is no file for a moment.
        let Ok(named) = fs::metadata(&self.path) else { return Ok(()) };
        if (named.dev(), named.ino()) != (open.dev(), open.ino())
            && let Ok(file) = File::open(&self.path)
        {
            self.next = Some(file);
        }
        Ok(())
    }
}

impl Read for GrowingLog {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(into)?;
            self.at += read as u64;
            if read > 0 || into.is_empty() || self.stop.is_wanted() {
                return Ok(read);
            }
            if let Some(file) = self.next.take() {
                (self.file, self.at) = (file, 0);
                continue;
            }
            thread::sleep(LOOK);
            self.look()?;
        }
    }
}

/// Reads a speed: `60x` is a minute in each second.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('x').unwrap_or(text).parse::<f64>().ok();
    let [least, most] = SPEEDS;
    number
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| "write how many times faster, from 0.01x to 1000000x: 60x".to_owned())
}

/// Lets the log's time pass at a speed.
pub(super) struct Pace {
    speed: f64,
    /// A time of the log, and when it was reached.
    began: Option<(Time, Instant)>,
}

impl Pace {
    pub(super) fn new(speed: f64) -> Pace {
        Pace { speed, began: None }
    }

    /// How long it takes until this time of the log is reached; `None` if it is reached already.
    fn left(&mut self, at: Time, now: Instant) -> Option<Duration> {
        let (first, began) = *self.began.get_or_insert((at, now));
        let due = began.checked_add(Duration::try_from_secs_f64(at.since(first).as_secs_f64() / self.speed).ok()?)?;
        due.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Waits until this time of the log is reached, or the user wants to end. `before` is called before a wait.
    pub(super) fn wait(&mut self, at: Time, stop: &Stop, before: &mut dyn FnMut()) {
        let mut left = self.left(at, now());
        if left.is_some() {
            before();
        }
        while let Some(wait) = left.filter(|_| !stop.is_wanted()) {
            thread::sleep(wait.min(LOOK));
            left = self.left(at, now());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell reads the clock: the speed of a replay")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_log_grows_is_rotated_and_emptied() {
        let folder = std::env::temp_dir().join(format!("pointsman-growing-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("app.log");
        fs::write(&path, "one\n").unwrap();
        let stop = Stop::default();
        let mut log = GrowingLog::open(&path, stop.clone()).unwrap();
        let mut next = || {
            let mut room = [0; 64];
            let read = log.read(&mut room).unwrap();
            String::from_utf8(room[..read].to_vec()).unwrap()
        };
        assert_eq!(next(), "one\n");
        File::options().append(true).open(&path).unwrap().write_all(b"two\n").unwrap();
        assert_eq!(next(), "two\n");
        let mut old = File::options().append(true).open(&path).unwrap();
        fs::rename(&path, folder.join("app.log.1")).unwrap();
        old.write_all(b"2 late\n").unwrap();
        fs::write(&path, "three\n").unwrap();
        assert_eq!(next(), "2 late\n");
        assert_eq!(next(), "three\n");
        fs::write(&path, "4\n").unwrap();
        assert_eq!(next(), "4\n");
        stop.0.store(true, Ordering::Relaxed);
        assert_eq!(next(), "");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_minute_takes_a_second() {
        let (mut pace, began) = (Pace::new(60.0), now());
        assert_eq!(pace.left(Time::from_millis(0), began), None);
        assert_eq!(pace.left(Time::from_millis(120_000), began), Some(Duration::from_secs(2)));
        assert_eq!(pace.left(Time::from_millis(120_000), began + Duration::from_secs(2)), None);
        assert_eq!(pace.left(Time::from_millis(-5), began), None, "the log steps back");
        for (text, said) in [("60x", Some(60.0)), ("0.5", Some(0.5)), ("0x", None), ("-1x", None), ("NaNx", None), ("fast", None)]
        {
            assert_eq!(speed(text).ok(), said, "{text}");
        }
    }
}
