//! The inbox of the controller's thread: it chooses the lane in which each message waits.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::core::base::network::network_of;
use crate::core::base::time::Time;
use crate::core::control::{Input, LogEvent};
use crate::core::engine::is_credible_claim;
use crate::core::event::{Event, Trust};
use crate::core::inventory::Name;
use crate::core::notice::Notice;
use crate::core::site::Current;
use crate::core::wire::Command;
use crate::shell::monitoring::Observation;
use crate::shell::sources::Sink;
use crate::shell::store::UnwantedRecords;

use super::asker::Asker;
use super::clock::EngineClock;
use super::lanes::{LanePlace, Lanes, Pushed};
use super::questions::{Answer, Question};
use super::reloading::{Attempt, Trigger};

/// The bytes of an event in addition to its texts.
const EVENT_BYTES: usize = 512;

/// Sends a command to a host's agent, or drops it. The controller repeats commands.
pub type Route = Box<dyn Fn(Command) + Send>;

/// A message to the controller's thread.
pub enum ControllerMessage {
    /// An input of the pure controller.
    Input(Input),
    /// A host is connected from now on. `serial` distinguishes this connection from an earlier one.
    Reached {
        host: Name,
        serial: u64,
        route: Route,
    },
    /// The host is not connected any more.
    Gone {
        host: Name,
        serial: u64,
    },
    /// A question of an operator, with its sender.
    Ask(Asker, Question, oneshot::Sender<Answer>),
    /// A monitoring system asks how the controller is.
    Observe(SyncSender<Observation>),
    /// A notice for people and for rules.
    Notice(Notice),
    /// A request to read the files again.
    Reload(Trigger),
    Reread(Box<Attempt>),
    /// A part has failed that the program cannot work without. The text says why.
    Failed(String),
    /// The program ends. Nothing is released.
    Stop,
}

/// The sending side of the controller's inbox.
#[derive(Clone)]
pub struct Inbox {
    pub(super) lanes: Arc<Lanes<ControllerMessage>>,
    clock: EngineClock,
    current: Arc<Current>,
    /// Keeps records that no rule wants, if the configuration says so.
    pub(super) unwanted: Option<Arc<UnwantedRecords>>,
}

impl Inbox {
    /// Makes an inbox with room for this number of bytes of events.
    pub(super) fn new(bytes: usize, clock: EngineClock, current: Arc<Current>) -> Inbox {
        Inbox { lanes: Arc::new(Lanes::new(bytes)), clock, current, unwanted: None }
    }

    /// Sends a message to the controller and waits for room. Returns false when the controller has ended.
    pub fn push(&self, message: ControllerMessage) -> bool {
        self.lanes.push(self.place(&message), message)
    }

    /// The lane for a message.
    fn place(&self, message: &ControllerMessage) -> LanePlace {
        let in_order = |source: &String| LanePlace::Events {
            trust: Trust::Local,
            sender: source.clone(),
            bytes: EVENT_BYTES,
            source: source.clone(),
        };
        match message {
            ControllerMessage::Input(Input::Event(log_event)) => self.place_of_event(log_event),
            // The status of a source keeps its place among the events of the source.
            ControllerMessage::Input(
                Input::Position { source, .. } | Input::BacklogEnded { source } | Input::Source { source, .. },
            ) => in_order(source),
            ControllerMessage::Input(Input::Report(report)) => LanePlace::Reports { bytes: report.weight() },
            ControllerMessage::Ask(..) | ControllerMessage::Observe(_) => LanePlace::Asks,
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

    fn place_of_event(&self, log_event: &LogEvent) -> LanePlace {
        let LogEvent { source, event, .. } = log_event;
        let trust = event.trust;
        // The host in a record may be forged, so a sender on the network is identified by its address.
        let sender = match event.sender.filter(|_| trust < Trust::Local) {
            None => source.clone(),
            Some(peer) => {
                let (_, site) = self.current.get();
                if is_credible_claim(&site.inventory, &site.program, &site.index, event, &log_event.hits) {
                    return LanePlace::Claims { source: source.clone(), bytes: EVENT_BYTES + log_event.weight() };
                }
                network_of(peer).to_string()
            }
        };
        LanePlace::Events { trust, sender, bytes: EVENT_BYTES + log_event.weight(), source: source.clone() }
    }

    /// Asks a question and waits for the answer. No thread is blocked meanwhile.
    ///
    /// # Errors
    /// The error of the controller, or that it has ended.
    pub async fn ask(&self, question: Question, by: Asker) -> Answer {
        let (reply, answer) = oneshot::channel();
        let ending = || Err("the controller is ending".to_owned());
        if !self.lanes.deliver(LanePlace::Asks, ControllerMessage::Ask(by, question, reply)).await {
            return ending();
        }
        answer.await.unwrap_or_else(|_| ending())
    }
}

/// The time within which the controller must answer to count as alive.
pub(super) const ALIVE_WITHIN: Duration = Duration::from_secs(5);

impl Inbox {
    /// Asks the controller how it is. Waits at most [`ALIVE_WITHIN`], and not for room.
    ///
    /// # Errors
    /// Returns an error text if the controller does not answer in time, or has ended.
    pub(super) fn observe(&self) -> Result<Observation, String> {
        let (reply, answer) = sync_channel(1);
        let message = ControllerMessage::Observe(reply);
        match self.lanes.offer(self.place(&message), message) {
            Pushed::Yes => {}
            Pushed::Dropped => return Err("too many questions wait for the controller".to_owned()),
            Pushed::Ended => return Err("the controller is ending".to_owned()),
        }
        let late = || format!("the controller did not answer within {} s", ALIVE_WITHIN.as_secs());
        answer.recv_timeout(ALIVE_WITHIN).map_err(|_| late())
    }
}

impl Sink for Inbox {
    fn send(&self, input: Input) -> bool {
        self.push(ControllerMessage::Input(input))
    }

    async fn deliver(&self, input: Input) -> bool {
        let message = ControllerMessage::Input(input);
        self.lanes.deliver(self.place(&message), message).await
    }

    fn offer(&self, input: Input) -> bool {
        let message = ControllerMessage::Input(input);
        self.lanes.offer(self.place(&message), message) == Pushed::Yes
    }

    fn refuses(&self, source: &str, peer: IpAddr) -> bool {
        // A claim has room of its own, so it is decoded if it may be credible.
        !self.current.get().1.takes_unverified_claims() && self.lanes.refuses(source, network_of(peer).to_string(), EVENT_BYTES)
    }

    fn unwanted(&self, source: &str, event: &Event<'_>, arrived: Time) {
        if let Some(kept) = &self.unwanted {
            kept.keep(arrived, source, event);
        }
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}
