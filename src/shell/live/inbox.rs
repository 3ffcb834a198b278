//! The way to the controller's thread: which lane each message waits in.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::core::base::network::network_of;
use crate::core::base::time::Time;
use crate::core::control::{Input, LogEvent};
use crate::core::engine::is_credible_claim;
use crate::core::event::Trust;
use crate::core::inventory::Name;
use crate::core::notice::Notice;
use crate::core::site::Current;
use crate::core::wire::Command;
use crate::shell::sources::Sink;

use super::asker::Asker;
use super::clock::EngineClock;
use super::lanes::{LanePlace, Lanes, Pushed};
use super::questions::{Answer, Question};
use super::reloading::{Attempt, Trigger};

/// Bytes of an event beside its texts.
const EVENT_BYTES: usize = 512;

/// Sends a command to a host's agent, or drops it: it is said again.
pub type Route = Box<dyn Fn(Command) + Send>;

/// Something that the controller's thread is told.
pub enum ControllerMessage {
    /// An input of the pure controller.
    Input(Input),
    /// A host can be reached from now on; `serial` tells this way from an earlier one.
    Reached {
        host: Name,
        serial: u64,
        route: Route,
    },
    /// It can't be any more.
    Gone {
        host: Name,
        serial: u64,
    },
    /// Somebody asks: who, what.
    Ask(Asker, Question, SyncSender<Answer>),
    /// Something that people, and rules, should know.
    Notice(Notice),
    /// The files are to be read anew.
    Reload(Trigger),
    Reread(Box<Attempt>),
    /// A part that nothing works without has failed, in words.
    Failed(String),
    /// The program ends. Nothing is released.
    Stop,
}

/// The way to the controller's thread.
#[derive(Clone)]
pub struct Inbox {
    pub(super) lanes: Arc<Lanes<ControllerMessage>>,
    clock: EngineClock,
    current: Arc<Current>,
}

impl Inbox {
    /// A way with room for so many bytes of events.
    pub(super) fn new(bytes: usize, clock: EngineClock, current: Arc<Current>) -> Inbox {
        Inbox { lanes: Arc::new(Lanes::new(bytes)), clock, current }
    }

    /// Tells the controller; waits for room. False when it has ended.
    pub fn tell(&self, message: ControllerMessage) -> bool {
        self.lanes.push(self.place(&message), message)
    }

    /// Where a message waits.
    fn place(&self, message: &ControllerMessage) -> LanePlace {
        let in_order = |source: &String| LanePlace::Events {
            trust: Trust::Local,
            sender: source.clone(),
            bytes: EVENT_BYTES,
            source: source.clone(),
        };
        match message {
            ControllerMessage::Input(Input::Heard(heard)) => self.place_of_event(heard),
            // What a source says of itself keeps its place among its events.
            ControllerMessage::Input(
                Input::Position { source, .. } | Input::BacklogEnded { source } | Input::Source { source, .. },
            ) => in_order(source),
            ControllerMessage::Input(Input::Report(_)) => LanePlace::Reports,
            ControllerMessage::Ask(..) => LanePlace::Asks,
            ControllerMessage::Input(_)
            | ControllerMessage::Reached { .. }
            | ControllerMessage::Gone { .. }
            | ControllerMessage::Notice(_)
            | ControllerMessage::Reload(_)
            | ControllerMessage::Reread(_)
            | ControllerMessage::Failed(_)
            | ControllerMessage::Stop => LanePlace::Control,
        }
    }

    fn place_of_event(&self, heard: &LogEvent) -> LanePlace {
        let LogEvent { source, event, .. } = heard;
        let trust = event.trust;
        // What a record says of its host may be forged, so a sender on the network is known by its address.
        let sender = match event.sender.filter(|_| trust < Trust::Local) {
            None => source.clone(),
            Some(peer) => {
                let (_, site) = self.current.get();
                if is_credible_claim(&site.inventory, &site.program, &site.index, event, &heard.hits) {
                    return LanePlace::Claims(source.clone());
                }
                network_of(peer).to_string()
            }
        };
        LanePlace::Events { trust, sender, bytes: EVENT_BYTES + heard.weight(), source: source.clone() }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the controller says, or that it has ended.
    pub fn ask(&self, question: Question, by: Asker) -> Answer {
        let (reply, answer) = sync_channel(1);
        if !self.tell(ControllerMessage::Ask(by, question, reply)) {
            return Err("the controller is ending".to_owned());
        }
        answer.recv().unwrap_or_else(|_| Err("the controller is ending".to_owned()))
    }
}

impl Sink for Inbox {
    fn send(&self, input: Input) -> bool {
        self.tell(ControllerMessage::Input(input))
    }

    async fn deliver(&self, input: Input) -> bool {
        let message = ControllerMessage::Input(input);
        self.lanes.deliver(self.place(&message), message).await
    }

    fn offer(&self, input: Input) -> bool {
        let message = ControllerMessage::Input(input);
        self.lanes.offer(self.place(&message), message) == Pushed::Yes
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}
