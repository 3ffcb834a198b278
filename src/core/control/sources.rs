//! Sources that can't be read. While a source is unreadable, a silence of its events proves nothing and does not count.

use std::collections::VecDeque;

use crate::core::base::time::Time;
use crate::core::engine;
use crate::core::journal;

use super::{Controller, Output, Task};
use crate::core::notice::{Kind, Notice};

impl Controller {
    /// A source became unreadable, with the reason, or is readable again (`None`).
    pub(super) fn source(&mut self, now: Time, source: String, why: Option<String>, out: &mut Vec<Output>) {
        let away = why.is_some();
        if self.engine.state().is_away(&source) == away {
            return;
        }
        let (kind, text) = match &why {
            Some(why) => (
                Kind::SourceAway,
                format!(
                    "{source} can't be read ({why}). Until it can, silences (`no A for D`) do not fire. Does it exist, and may Pointsman's user read it? If it is not needed, remove it from the configuration"
                ),
            ),
            None => (Kind::SourceBack, format!("{source} can be read again, or is not in the configuration any more")),
        };
        let notice = Notice { source: Some(source.clone()), ..Notice::new(kind, text) };
        out.push(Output::Notice(notice));
        let sequence = self.input(now, journal::Input::Source { source: source.clone(), away: why }, out);
        let task = Task::Engine(engine::Input::Source { sequence, source, away });
        self.work(now, VecDeque::from([task]), out);
    }
}
