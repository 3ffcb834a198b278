//! What the controller's thread and the host's thread say of themselves to monitoring systems and to systemd.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::core::base::time::Time;
use crate::core::control::{Input, Output};
use crate::core::inventory::{Name, Via};
use crate::core::metrics::{MetricId, Samples, controller_state};
use crate::core::site::Current;
use crate::shell::monitoring::Observation;
use crate::shell::tls::Authority;

use super::controller::Running;
use super::host::HostMessage;
use super::inbox::{ALIVE_WITHIN, Inbox};

/// The metrics of a source's counters, in the order of [`crate::shell::sources::SourceCounts::all`].
const OF_SOURCES: [MetricId; 8] = [
    MetricId::SourceRecords,
    MetricId::SourceWanted,
    MetricId::SourceDropped,
    MetricId::SourceCut,
    MetricId::SourceNotUtf8,
    MetricId::SourceBroken,
    MetricId::SourceIgnored,
    MetricId::SourceRefused,
];

impl Running {
    /// Lets the controller take an input, and counts it.
    pub(super) fn turn(&mut self, now: Time, input: Input, outputs: &mut Vec<Output>) {
        let before = outputs.len();
        let arrived = self.counts.input(now, &input);
        self.controller.turn(now, input, outputs);
        if let Some(arrived) = arrived {
            self.counts.arrived(arrived, &outputs[before..]);
        }
    }

    /// Everything that monitoring systems see of this thread.
    pub(super) fn observation(&self) -> Observation {
        let mut samples = Samples::default();
        let connected = self.connected();
        let site = &self.site;
        for source in &self.sources {
            for (metric, (_, count)) in OF_SOURCES.iter().zip(source.counts.all()) {
                samples.count(*metric, &[&source.name], count);
            }
        }
        for (lane, length) in self.inbox.lanes.lengths() {
            samples.size(MetricId::QueueMessages, &[lane], length);
        }
        let (used, most) = self.inbox.lanes.bytes();
        samples.size(MetricId::MemoryUsed, &["queue"], used);
        samples.size(MetricId::MemoryShare, &["queue"], most);
        self.counts.add_to(&mut samples);
        controller_state(&self.controller, (&site.inventory, &site.program), &connected, &mut samples);
        samples.truth(MetricId::ReloadRefused, &[], self.reloading.refused.is_some());
        let mut unready: Vec<String> = Vec::new();
        if let Some(doubt) = self.controller.doubt() {
            unready.push(format!("the journal may have lost records and is not acted on: {}", doubt.reason));
        }
        unready.extend(self.controller.alarms().away().map(|source| format!("{source} can't be read")));
        let agents = site.inventory.hosts.iter().filter(|(_, host)| host.via == Via::Agent);
        let silent = agents.filter(|(name, _)| !self.controller.planner().reachable(name)).map(|(name, _)| name.clone());
        Observation { samples, unready, silent: silent.collect() }
    }

    /// The line that `systemctl status` shows.
    pub(super) fn status_line(&self) -> String {
        let planner = self.controller.planner();
        let resources = &self.site.inventory.resources;
        let settled = resources.keys().filter(|name| self.controller.is_settled(name)).count();
        let alarms: usize = self.controller.alarms().numbers().map(|(_, active, _)| active).sum();
        let agents = self.site.inventory.hosts.iter().filter(|(_, host)| host.via != Via::Ssh);
        let (connected, hosts) =
            agents.fold((0, 0), |(connected, all), (name, _)| (connected + usize::from(planner.reachable(name)), all + 1));
        let paused = if self.controller.overrides().is_empty() { "" } else { "; an override is in force" };
        let doubt = if self.controller.doubt().is_some() { "the journal is in doubt; " } else { "" };
        format!(
            "{doubt}{settled} of {} resources settled, {connected} of {hosts} hosts connected, {alarms} alarms active{paused}",
            resources.len()
        )
    }
}

/// How a controller is, with what its files say: when certificates end, how large the journal is.
pub(super) fn of_controller(
    inbox: Inbox,
    current: Arc<Current>,
    authority: Option<Arc<Authority>>,
    data: &Path,
) -> impl Fn() -> Result<Observation, String> + Send + Sync + 'static {
    let journal = ["journal.db", "journal.db-wal"].map(|name| data.join(name));
    move || {
        let mut observation = inbox.observe()?;
        let samples = &mut observation.samples;
        let size: u64 = journal.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|meta| meta.len()).sum();
        samples.count(MetricId::JournalBytes, &[], size);
        if let Some(authority) = &authority {
            let (_, site) = current.get();
            for name in site.inventory.hosts.iter().filter(|(_, host)| host.via == Via::Agent).map(|(name, _)| name) {
                authority.ends(name).into_iter().for_each(|ends| samples.count(MetricId::CertificateEnds, &[name], ends));
            }
        }
        Ok(observation)
    }
}

/// How an agent is. `ends` is when its certificate ends, in seconds since 1970; `is_connected` says whether it is connected to its
/// controller.
pub(super) fn of_agent(
    host: Name,
    inbox: SyncSender<HostMessage>,
    ends: impl Fn() -> Result<i64, String> + Send + Sync + 'static,
    is_connected: impl Fn() -> bool + Send + Sync + 'static,
) -> impl Fn() -> Result<Observation, String> + Send + Sync + 'static {
    move || {
        let (reply, answer) = sync_channel(1);
        inbox.try_send(HostMessage::Observe(reply)).map_err(|_| "too many messages wait for the agent".to_owned())?;
        let late = |_| format!("the agent did not answer within {} s", ALIVE_WITHIN.as_secs());
        let mut samples: Samples = answer.recv_timeout(ALIVE_WITHIN).map_err(late)?;
        let connected = is_connected();
        samples.truth(MetricId::AgentConnected, &[], connected);
        if let Some(ends) = ends().ok().and_then(|ends| u64::try_from(ends).ok()) {
            samples.count(MetricId::CertificateEnds, &[&host], ends);
        }
        let silent = if connected { Vec::new() } else { vec!["the controller".to_owned()] };
        Ok(Observation { samples, unready: Vec::new(), silent })
    }
}
