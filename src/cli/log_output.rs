//! The messages of `run` and `agent` on standard error: as text for people, as logfmt or JSON for programs.

use std::io::{self, Write};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::core::base::text::{printable, printable_json};

use super::output::colour;

/// Which messages are written, and how.
#[derive(clap::Args)]
pub(super) struct LogArgs {
    /// The least severe messages that are shown: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: String,
    /// How messages are written
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    log_format: LogFormat,
}

/// The form of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// `key=value` pairs
    Logfmt,
    /// One JSON object a line
    Json,
}

impl LogArgs {
    /// Sends the messages of the program to standard error.
    pub(super) fn begin(&self) {
        let filter = EnvFilter::try_new(&self.log).unwrap_or_else(|_| EnvFilter::new("info"));
        let format = self.log_format;
        let writer = move || Messages { format };
        let layer = match format {
            LogFormat::Text => {
                let text = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
                text.log_internal_errors(false).with_ansi(colour(&io::stderr())).boxed()
            }
            LogFormat::Logfmt => tracing_logfmt::builder().with_target(false).layer().with_writer(writer).boxed(),
            LogFormat::Json => {
                let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
                json.with_span_list(false).with_writer(writer).with_target(false).log_internal_errors(false).boxed()
            }
        };
        let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    }
}

/// Standard error for the messages of the programs. C0 control characters are escaped where messages are made. Here the other
/// ones are escaped that could come from a log or a peer.
#[derive(Clone, Copy)]
struct Messages {
    format: LogFormat,
}

impl Messages {
    fn safe(self, text: &str) -> String {
        let escaped = |text: &str| match self.format {
            LogFormat::Json => printable_json(text).into_owned(),
            LogFormat::Text | LogFormat::Logfmt => printable(text),
        };
        text.split_inclusive(|c: char| c.is_ascii_control())
            .map(|part| {
                let (text, end) = part.split_at(part.trim_end_matches(|c: char| c.is_ascii_control()).len());
                escaped(text) + end
            })
            .collect()
    }
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(self.safe(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_a_log_is_escaped_in_every_form() {
        let hostile = "a \u{202e}b\n";
        assert_eq!(Messages { format: LogFormat::Text }.safe(hostile), "a \\u{202e}b\n");
        assert_eq!(Messages { format: LogFormat::Logfmt }.safe(hostile), "a \\u{202e}b\n");
        assert_eq!(Messages { format: LogFormat::Json }.safe(hostile), "a \\u202eb\n");
    }
}
