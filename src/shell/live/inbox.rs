//! The way to the controller's thread: which lane each message waits in.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use crate::core::base::network::network_of;
use crate::core::base::time::Time;
use crate::core::control::{Input, LogEvent};
use crate::core::engine::is_credible_claim;
use crate::core::event::Trust;
use crate::core::site::Current;
use crate::shell::sources::Sink;

use super::clock::EngineClock;
use super::controller::ControllerMessage;
use super::lanes::{LanePlace, Lanes, Pushed};
use super::questions::{Answer, Question};

/// Bytes of an event beside its texts.
const EVENT_BYTES: usize = 512;

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
    pub fn ask(&self, question: Question, by: String) -> Answer {
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
