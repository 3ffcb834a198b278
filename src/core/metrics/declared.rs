//! The metrics, declared once: name, kind, which program has it, labels, meaning. The reference page and the text that is scraped
//! use these declarations.
//!
//! Label values come from the configuration or from closed sets, never from a log: a sender cannot make new time series.

use std::fmt::Write as _;

/// What the value of a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Counts from the start of the program, and only grows.
    Counter,
    /// A present value, which grows and shrinks.
    Gauge,
    /// Durations in seconds, counted in buckets.
    Histogram,
}

impl MetricKind {
    /// The word of the Prometheus text format.
    pub fn name(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

/// The programs that have a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricOf {
    Controller,
    Agent,
    Both,
}

macro_rules! metrics {
    ($($name:ident = $text:literal, $kind:ident, $of:ident, [$($label:literal)*], $help:literal;)*) => {
        /// One metric; its variants are in the order of the reference page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant's meaning is the text beside it")]
        pub enum MetricId { $($name),* }

        impl MetricId {
            /// Every metric, in the order of declaration.
            pub const ALL: &'static [MetricId] = &[$(MetricId::$name),*];
            /// The name under which it is scraped.
            pub fn name(self) -> &'static str { match self { $(MetricId::$name => $text),* } }
            /// What its value does over time.
            pub fn kind(self) -> MetricKind { match self { $(MetricId::$name => MetricKind::$kind),* } }
            /// The programs that have it.
            pub fn of(self) -> MetricOf { match self { $(MetricId::$name => MetricOf::$of),* } }
            /// The names of its labels, in order.
            pub fn labels(self) -> &'static [&'static str] { match self { $(MetricId::$name => &[$($label),*]),* } }
            /// What it says, in one line.
            pub fn help(self) -> &'static str { match self { $(MetricId::$name => $help),* } }
        }
    };
}

impl MetricId {
    /// The metric with this name.
    pub fn parse(name: &str) -> Option<MetricId> {
        MetricId::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// The unit of its value, which its name ends with.
    pub fn unit(self) -> &'static str {
        let name = self.name().trim_end_matches("_total");
        match name.rsplit('_').next() {
            Some("seconds") => "seconds",
            Some("bytes") => "bytes",
            _ => "",
        }
    }
}

/// `docs/reference/metrics.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Metrics\n\nThis page is generated from the program. The controller and the agents answer `GET /metrics` in the text format of Prometheus if\ntheir configuration has `metrics: { listen: ... }`. [Monitor Pointsman](../how-to/monitor-pointsman.md) shows how.\n\nThe values of labels come from the configuration or from closed sets, never from a log. A counter starts at 0 when the program starts,\nexcept those of channels, which the journal keeps.\n",
    );
    for (title, of) in [("Controller", MetricOf::Controller), ("Agent", MetricOf::Agent), ("Both", MetricOf::Both)] {
        let _ = write!(text, "\n## {title}\n\n| metric | kind | unit | labels | |\n|---|---|---|---|---|\n");
        for metric in MetricId::ALL.iter().filter(|metric| metric.of() == of) {
            let labels: Vec<String> = metric.labels().iter().map(|label| format!("`{label}`")).collect();
            let (name, kind, unit) = (metric.name(), metric.kind().name(), metric.unit());
            let _ = writeln!(text, "| `{name}` | {kind} | {unit} | {} | {} |", labels.join(", "), metric.help());
        }
    }
    text
}

metrics! {
    // What comes in.
    SourceRecords = "pointsman_source_records_total", Counter, Controller, ["source"], "Records that a source received and decoded.";
    SourceWanted = "pointsman_source_records_wanted_total", Counter, Controller, ["source"], "Records that matched a condition of a rule, or are a claim.";
    SourceIgnored = "pointsman_source_records_ignored_total", Counter, Controller, ["source"], "Records that an `ignore` of the rules matched.";
    SourceDropped = "pointsman_source_records_dropped_total", Counter, Controller, ["source"], "Records that were dropped because the controller or the kernel had no room for them.";
    SourceCut = "pointsman_source_records_cut_total", Counter, Controller, ["source"], "Records that were too long and were cut.";
    SourceNotUtf8 = "pointsman_source_records_not_utf8_total", Counter, Controller, ["source"], "Records that were not UTF-8 and were read as Latin-1.";
    SourceBroken = "pointsman_source_records_broken_total", Counter, Controller, ["source"], "Records whose header could not be read completely, and broken frames.";
    SourceRefused = "pointsman_source_connections_refused_total", Counter, Controller, ["source"], "Connections that were closed or refused because there were too many.";
    SourcesUnreadable = "pointsman_sources_unreadable", Gauge, Controller, [], "Followed files that cannot be read now.";
    Inputs = "pointsman_inputs_total", Counter, Controller, ["kind"], "Inputs that the deciding thread handled: events, reports, results, operators' commands.";
    Events = "pointsman_events_total", Counter, Controller, ["trust"], "Events that the deciding thread handled, by the trust of their sender.";
    QueueMessages = "pointsman_queue_messages", Gauge, Controller, ["lane"], "Messages that wait for the deciding thread.";
    // What is decided.
    JournalRecords = "pointsman_journal_records_total", Counter, Controller, ["kind"], "Records that were written to the journal.";
    JournalSync = "pointsman_journal_sync_seconds", Histogram, Controller, [], "Time that one sync of the journal to the disk takes.";
    JournalBytes = "pointsman_journal_bytes", Gauge, Controller, [], "Size of the journal's database with its write-ahead log.";
    JournalDoubt = "pointsman_journal_in_doubt", Gauge, Controller, [], "1 if the journal may have lost records and is not acted on.";
    AlarmChanges = "pointsman_alarm_changes_total", Counter, Controller, ["change"], "Changes of alarms: raised, repeated, cleared.";
    AlarmsActive = "pointsman_alarms_active", Gauge, Controller, ["category" "state"], "Active alarms by category, and whether somebody acknowledged them.";
    RunChanges = "pointsman_run_changes_total", Counter, Controller, ["change"], "Runs of reactions: wanted, begun, and how they ended. Runs with `mode dry` are counted separately.";
    DryRunChanges = "pointsman_dry_run_changes_total", Counter, Controller, ["change"], "Runs with `mode dry`, which change nothing outside: wanted, begun, and how they ended.";
    Steps = "pointsman_steps_total", Counter, Controller, ["result"], "Steps of runs: done, failed, retried. Those of runs with `mode dry` are not counted.";
    RunsActive = "pointsman_runs_active", Gauge, Controller, ["state"], "Runs that have not ended: running, waiting for an earlier run, waiting for an approval, with `mode dry`.";
    Notices = "pointsman_notices_total", Counter, Controller, ["kind"], "Notices; the reference of notices has the kinds.";
    Questions = "pointsman_questions_total", Counter, Controller, ["result"], "Questions and commands on the control socket: answered, or refused with a reason.";
    // What is moved.
    Commands = "pointsman_commands_sent_total", Counter, Controller, ["action"], "Commands to agents.";
    MoveSteps = "pointsman_move_steps_total", Counter, Controller, ["step"], "Steps of moves: release and take are commands, released and taken are confirmations.";
    Resources = "pointsman_resources", Gauge, Controller, ["state"], "Resources by state: settled, moving, blocked, paused.";
    ResourceSettled = "pointsman_resource_settled", Gauge, Controller, ["resource"], "1 if the desired owner, or the host that replaces a drained one, holds the resource, no other host does, and its pair has a primary.";
    ResourceHolders = "pointsman_resource_holders", Gauge, Controller, ["resource"], "Hosts that hold the resource, as reported; 1 is right.";
    ResourceVoters = "pointsman_resource_voters", Gauge, Controller, ["resource"], "Voters of a resource with `takeover: quorum`, with the controller.";
    ResourceVotersReporting = "pointsman_resource_voters_heard", Gauge, Controller, ["resource"], "Voters that report to the controller, including itself.";
    HostConnected = "pointsman_host_connected", Gauge, Controller, ["host"], "1 if the host's agent is connected.";
    HostReports = "pointsman_host_heard", Gauge, Controller, ["host"], "1 if the host's agent reports.";
    Overrides = "pointsman_overrides", Gauge, Controller, ["kind"], "Pauses, silences, maintenances and drains in force.";
    // How long it takes.
    Journaled = "pointsman_event_journaled_seconds", Histogram, Controller, [], "From the arrival of an event to its sync in the journal.";
    FirstCommand = "pointsman_event_first_command_seconds", Histogram, Controller, [], "From the arrival of an event that moves a resource to the first command to an agent.";
    HolderSeen = "pointsman_event_holder_seen_seconds", Histogram, Controller, [], "From the arrival of an event that moves a resource to the report of its new holder.";
    // Who is notified.
    ChannelWaiting = "pointsman_channel_notifications_waiting", Gauge, Controller, ["channel"], "Notifications that wait for a channel.";
    ChannelHeld = "pointsman_channel_notifications_held", Gauge, Controller, ["channel"], "Notifications that the limit of a channel withholds.";
    ChannelTries = "pointsman_channel_tries", Gauge, Controller, ["channel"], "Failed attempts for the first notification that waits for a channel.";
    ChannelDelivered = "pointsman_channel_notifications_delivered_total", Counter, Controller, ["channel"], "Notifications that a channel delivered.";
    ChannelFailed = "pointsman_channel_notifications_failed_total", Counter, Controller, ["channel"], "Notifications that were given up.";
    // What is used.
    MemoryUsed = "pointsman_memory_used_bytes", Gauge, Controller, ["use"], "Bytes of a share of `limits: memory` in use, as estimated.";
    MemoryShare = "pointsman_memory_share_bytes", Gauge, Controller, ["use"], "Bytes that a use may take of `limits: memory`.";
    RulesNumber = "pointsman_site_number", Gauge, Controller, [], "Number of the configuration that runs; each accepted reload adds 1.";
    ReloadRefused = "pointsman_site_refused", Gauge, Controller, [], "1 if the files are in error and what was accepted last runs.";

    AgentConnected = "pointsman_agent_connected", Gauge, Agent, [], "1 if the agent is connected to its controller.";
    AgentCommands = "pointsman_agent_commands_total", Counter, Agent, ["action"], "Commands that the controller sent.";
    AgentReports = "pointsman_agent_reports_total", Counter, Agent, [], "Reports to the controller.";
    AgentOperations = "pointsman_agent_operations_total", Counter, Agent, ["operation" "result"], "Operations of drivers: observe, add, remove.";
    AgentAnnouncements = "pointsman_agent_announcements_total", Counter, Agent, [], "Announcements of addresses to the neighbours.";
    AgentPeerMessages = "pointsman_agent_peer_messages_total", Counter, Agent, ["direction"], "Messages from and to agents of other hosts.";
    AgentHolds = "pointsman_agent_resource_held", Gauge, Agent, ["resource"], "1 if the host holds the resource and is meant to.";
    AgentWants = "pointsman_agent_resource_wanted", Gauge, Agent, ["resource"], "1 if the last command was to hold the resource.";
    AgentMeasured = "pointsman_agent_measured", Gauge, Agent, ["metric"], "Values of the host that `metrics: of` measures, as rules see them.";

    CertificateEnds = "pointsman_certificate_expires_timestamp_seconds", Gauge, Both, ["host"], "When the certificate of a host's agent ends, in seconds since 1970.";
    HttpRequests = "pointsman_http_requests_total", Counter, Both, ["code"], "Requests to this listener, by the status of the answer.";
    BuildInfo = "pointsman_build_info", Gauge, Both, ["version"], "1, with the version of the program.";
    SeriesLeftOut = "pointsman_series_left_out", Gauge, Both, [], "Time series of this answer that were left out because a metric has too many.";
    ProcessCpu = "process_cpu_seconds_total", Counter, Both, [], "Processor time of the program, user and system.";
    ProcessMemory = "process_resident_memory_bytes", Gauge, Both, [], "Resident memory of the program.";
    ProcessFiles = "process_open_fds", Gauge, Both, [], "Open file descriptors of the program.";
    ProcessFilesMost = "process_max_fds", Gauge, Both, [], "File descriptors that the program may open.";
    ProcessStart = "process_start_time_seconds", Gauge, Both, [], "When the program started, in seconds since 1970.";
}
