//! The kinds of notices, declared once. The reference page, the levels of messages and events, and the checks of rules about self
//! events and of rule tests use these declarations.

use std::fmt::Write as _;

use crate::core::event::Level;

/// What a notice can be about. In events it is a field with this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Host,
    Resource,
    Pair,
    Alarm,
    Reaction,
    Source,
    Scope,
}

impl Subject {
    /// The name of the field in events.
    pub fn field(self) -> &'static str {
        match self {
            Subject::Host => "host",
            Subject::Resource => "resource",
            Subject::Pair => "pair",
            Subject::Alarm => "alarm",
            Subject::Reaction => "reaction",
            Subject::Source => "source",
            Subject::Scope => "scope",
        }
    }
}

/// Who receives notices of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// People, the journal, and rules as an event.
    Event,
    /// People and the journal. A rule about such a notice could go round without end.
    People,
    /// The output of dry runs and rule tests.
    DryRun,
}

macro_rules! kinds {
    ($($name:ident = $text:literal, $level:ident, $audience:ident, [$($about:ident)*], $meaning:literal, $action:literal;)*) => {
        /// The kind of a notice: a stable word that rules, tests and programs may use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant's meaning is the text beside it")]
        pub enum Kind { $($name),* }

        impl Kind {
            /// Every kind, in the sequence of declaration.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];
            /// The word for it: `host_lost`.
            pub fn name(self) -> &'static str { match self { $(Kind::$name => $text),* } }
            /// The level of its event and of its line in the log.
            pub fn level(self) -> Level { match self { $(Kind::$name => Level::$level),* } }
            /// Who receives notices of this kind.
            pub fn audience(self) -> Audience { match self { $(Kind::$name => Audience::$audience),* } }
            /// The fields that its event may have.
            pub fn about(self) -> &'static [Subject] { match self { $(Kind::$name => &[$(Subject::$about),*]),* } }
            /// What it means, in one line.
            pub fn meaning(self) -> &'static str { match self { $(Kind::$name => $meaning),* } }
            /// What to do about it; empty if nothing is to be done.
            pub fn action(self) -> &'static str { match self { $(Kind::$name => $action),* } }
        }
    };
}

impl Kind {
    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// True for kinds that rules can be about.
    pub fn is_event(self) -> bool {
        self.audience() == Audience::Event
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The text of `docs/reference/notices.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Notices\n\nThis page is generated from the program. A notice is something that people should know. It is a line in the controller's log, an entry of\n`pointsman history` and, unless the table says otherwise, an event of the application `pointsman` with the trust `authenticated`: its kind is the\nevent's id, its text the event's text, and its fields are those that the table names.\n\n```alarm\nalarm host_lost {\n    detect event \"host_lost\" from app pointsman where trust == \"authenticated\" by host\n    cancel when event \"host_back\" where trust == \"authenticated\"\n}\n```\n\n`pointsman check` reports an id that no notice has (R225). A condition matches a notice only if it has an id, or names the application `pointsman`.\n\n",
    );
    for (heading, audience) in [
        ("## Events that rules can be about", Audience::Event),
        ("## Only for people", Audience::People),
        ("## Only in dry runs and rule tests", Audience::DryRun),
    ] {
        let _ = writeln!(text, "{heading}\n\n| kind | level | fields | meaning | what to do |\n|---|---|---|---|---|");
        for kind in Kind::ALL.iter().filter(|kind| kind.audience() == audience) {
            let fields: Vec<String> = kind.about().iter().map(|about| format!("`{}`", about.field())).collect();
            let (level, meaning, action) = (kind.level().name(), kind.meaning(), kind.action());
            let _ = writeln!(text, "| `{kind}` | {level} | {} | {meaning} | {action} |", fields.join(", "));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

kinds! {
    // Hosts and agents.
    HostLost = "host_lost", Warning, Event, [Host], "a host's agent does not report any more", "is the host up, does its agent run, and is the network between them in order?";
    HostBack = "host_back", Notice, Event, [Host], "a host's agent reports again, or the host was removed from the configuration", "";
    AgentTooOld = "agent_too_old", Warning, Event, [Host Resource], "an agent has an earlier version, which cannot do what a resource requires", "upgrade the agent";
    ListDiffers = "list_differs", Warning, Event, [Host Resource], "an agent's own list has another address for a resource, or lacks it", "make `agent.yaml` and `pointsman.yaml` agree";
    ReportStrange = "report_strange", Warning, Event, [Host], "an agent reports something that the inventory does not have, or that no controller can have given it", "compare its `watch` with `applications`; is its store damaged?";
    ImplausibleReport = "implausible_report", Warning, Event, [Host Resource], "an agent reports a number that is not possible; it is ignored", "is its store damaged, or its key stolen?";
    ClonedIdentity = "cloned_identity", Warning, Event, [Host], "a second agent with the identity of a host was refused", "stop the copy; if the key may be stolen, `pointsman enroll HOST --revoke`";
    CertificateEnds = "certificate_ends", Warning, Event, [Host], "an agent's certificate ends soon, or has ended", "is the agent connected, and its disk in order? Otherwise `pointsman enroll HOST`";
    CertificateGood = "certificate_good", Notice, Event, [Host], "an agent's certificate is valid for long enough again", "";
    AppStopped = "app_stopped", Warning, Event, [Host], "an application that an agent watches does not run", "";
    AppRuns = "app_runs", Notice, Event, [Host], "an application that an agent watches runs, or is not watched any more", "";
    MetricGone = "metric_gone", Warning, Event, [Host Alarm], "a metric that an alarm needs has not arrived", "does the agent run, and does its `metrics` include it?";
    // Moves of resources.
    Settled = "settled", Notice, Event, [Host Resource], "a resource is where it should be, and nowhere else", "";
    OwnerUnknown = "owner_unknown", Warning, Event, [Host Resource], "it is not known which host should hold a resource", "a claim in the logs, or `pointsman move`, decides";
    OwnerUnreachable = "owner_unreachable", Warning, Event, [Host Resource], "the host that should hold a resource does not report", "check the host, or `pointsman move`";
    PlacementUnreachable = "placement_unreachable", Warning, Event, [Host Resource], "a host does not take a resource, because clients would not reach it there", "the text says why";
    ReleaseFailed = "release_failed", Warning, Event, [Host Resource], "a host does not release a resource", "check the host, or remove it there by hand";
    ReleaseUnconfirmed = "release_unconfirmed", Warning, Event, [Host Resource], "no host takes a resource, because nothing proves that another host has released it", "when that host certainly does not hold it: `pointsman resources released`";
    TakeFailed = "take_failed", Warning, Event, [Host Resource], "a host could not take a resource", "the text has the message of the driver";
    TakeoverForced = "takeover_forced", Warning, Event, [Host Resource], "a resource is taken without a confirmed release (`takeover: forced`): two hosts may hold it", "check whether the other host has it";
    Conflict = "conflict", Warning, Event, [Host Resource], "another station answers for an address before it is taken, so it is not taken", "find it by its MAC address and remove the address there";
    Rival = "rival", Warning, Event, [Host Resource], "another station claims an address that a host holds; the host defends it", "find it by its MAC address and remove the address there";
    RivalGone = "rival_gone", Notice, Event, [Host Resource], "no other station claims it any more", "";
    TwoHolders = "two_holders", Warning, Event, [Host Resource], "several hosts hold a resource at once", "remove it where it does not belong";
    OneHolder = "one_holder", Notice, Event, [Host Resource], "a resource is not on several hosts any more", "";
    Drift = "drift", Warning, Event, [Host Resource], "a resource went to or from a host without a command", "does something other than Pointsman add or remove it?";
    Isolated = "isolated", Warning, Event, [Host Resource], "a host reached no majority of its witnesses and gave up a resource", "which witnesses does it not reach?";
    LeaseEnded = "lease_ended", Warning, Event, [Host Resource], "a host gave up a resource, because its lease was not renewed", "does it reach the controller?";
    QuorumLost = "quorum_lost", Warning, Event, [Host Resource], "a host gave up a resource, because it had no majority of its voters", "which voters does it not reach?";
    OtherController = "other_controller", Warning, Event, [Host Resource], "a host obeys another controller", "`pointsman adopt` on the host, if this controller should command it";
    Flapping = "flapping", Warning, Event, [Host Resource], "a resource moved too often; it stays where it is for a while", "`pointsman resources` shows until when";
    Abandoned = "abandoned", Warning, Event, [Host Resource], "a resource that a host may have is not in the configuration any more", "remove it from that host by hand";
    LinkLost = "link_lost", Warning, Event, [Host Resource], "the network interface of a placement has no link", "check the cable, the switch port and `ip link`";
    LinkUp = "link_up", Notice, Event, [Host Resource], "the network interface of a placement has a link again", "";
    HolderUnreachable = "holder_unreachable", Warning, Event, [Host Resource], "the host that holds a resource has no link for it", "repair the link, or `pointsman move`";
    HolderReachable = "holder_reachable", Notice, Event, [Host Resource], "the holder has a link again, or does not hold the resource any more", "";
    Unknown = "unknown", Warning, Event, [Host Resource], "an operator or a claim named a host that has no placement for the resource", "`pointsman resources` shows the hosts";
    // Claims of pairs.
    CatchUp = "catch_up", Notice, Event, [Host Resource Pair], "a claim arrived late and is carried out, or left to an operator", "";
    ClaimApplied = "claim_applied", Warning, Event, [Host Resource Pair], "no reaction carried a claim out, so the controller does", "find out why the reaction failed";
    ClaimOutdated = "claim_outdated", Warning, Event, [Host Resource Pair], "a late claim is older than the newest decision about its resource, so nothing is moved", "`pointsman move`, if the host is primary now";
    RoleUnclear = "role_unclear", Warning, Event, [Resource], "both members of a pair claim to be primary, and it is unknown which claim is newer", "check the servers, then `pointsman move`";
    RoleClear = "role_clear", Notice, Event, [Resource], "it is clear again which member is primary", "";
    NoPrimary = "no_primary", Warning, Event, [Resource Pair], "no member of a pair is known to be primary", "check the servers; `pointsman move` moves the resource";
    PrimaryKnown = "primary_known", Notice, Event, [Resource Pair], "a member of the pair is known to be primary again", "";
    // Rules and reactions.
    Limit = "limit", Warning, Event, [Alarm], "a condition reached a limit and drops something", "the text says which limit, and how to stay under it";
    Late = "late", Warning, Event, [Alarm], "a record arrived late: it changes its alarm, but starts no reaction", "if it was new, its sender's clock or time zone is wrong";
    NoKey = "no_key", Warning, Event, [Alarm], "an event lacks a field that its alarm needs for `by`", "capture the field, or change `by`";
    NoField = "no_field", Warning, Event, [Alarm], "a summary names a field that the event lacks", "capture the field, or change the summary";
    NotNow = "not_now", Warning, Event, [Alarm], "an alarm is not raised, because its calendars do not allow it now", "";
    Suppressed = "inhibited", Warning, Event, [Alarm], "an alarm is not raised, because another one is active; or it is raised, because the other one has too little trust to suppress it", "";
    Throttled = "put_off", Warning, Event, [Alarm], "reactions are delayed, because there were too many (`limit`)", "";
    NotStarted = "not_started", Warning, Event, [Reaction], "a reaction could not be started", "the text says why";
    Confirm = "confirm", Warning, Event, [Reaction], "a run waits for an operator", "`pointsman runs approve N`";
    NotificationRetried = "notification_retried", Warning, Event, [], "a channel could not deliver a notification, and tries again", "`pointsman channels` says why";
    NotificationFailed = "notification_failed", Error, Event, [], "a channel could not deliver a notification, and does not try again", "notify people by other means; `pointsman channels test NAME`";
    NotificationsHeld = "notifications_held", Warning, Event, [], "a channel gets no more notifications for now, because its limit is reached or the outbox is full", "`pointsman alarms`; is `limit` or the grouping of the routes right?";
    Retry = "retry", Warning, Event, [Reaction], "a step failed and is tried again", "";
    RunFailed = "run_failed", Warning, Event, [Reaction], "a run failed", "the text says in which step and why";
    StepUnknown = "step_unknown", Warning, Event, [Reaction], "the controller stopped while a step was being done; whether it was done is not known", "check whether it was, and do it by hand if not";
    RunCancelled = "run_cancelled", Notice, Event, [Reaction], "an operator cancelled a run", "";
    // Overrides of operators.
    Paused = "paused", Warning, Event, [Resource Reaction Scope], "everything, a resource or a reaction is paused: nothing outside is changed", "`pointsman resume` shows first what will happen then";
    Resumed = "resumed", Notice, Event, [Resource Reaction Scope], "a pause has ended", "";
    WouldDo = "would_do", Notice, Event, [Alarm Reaction], "a reaction or a step of a run was withheld by a pause or by maintenance; it is not done later", "";
    SilenceBegun = "silence_begun", Notice, Event, [Host Alarm Scope], "notifications about matching alarms are withheld", "`pointsman silences` lists them";
    SilenceEnded = "silence_ended", Notice, Event, [Host Alarm Scope], "a silence has ended", "";
    MaintenanceBegun = "maintenance_begun", Notice, Event, [Host Scope], "a host is in maintenance: alarms about it start no reactions", "";
    MaintenanceEnded = "maintenance_ended", Notice, Event, [Host Scope], "the maintenance of a host has ended", "";
    Drained = "drained", Warning, Event, [Host Scope], "a host is drained: nothing goes there", "`pointsman undrain HOST` ends it";
    Undrained = "undrained", Notice, Event, [Host Scope], "a host is not drained any more", "";
    OverrideRefused = "override_refused", Warning, Event, [Host Resource Scope], "too many pauses, silences, maintenances and drains are in force", "end some of them";
    // Sources.
    SourceAway = "source_away", Warning, Event, [Source], "a source cannot be read; meanwhile no silence fires", "does it exist, and may Pointsman's user read it?";
    SourceBack = "source_back", Notice, Event, [Source], "a source can be read again", "";
    RecordsLost = "records_lost", Warning, Event, [Source], "records of a source may be lost", "let logrotate keep a few files; prefer `create` to `copytruncate`";
    EventsDropped = "events_dropped", Warning, Event, [Source], "more events arrived than the controller accepts from senders with this trust", "which sender sends them (`pointsman sources`)?";
    ClockOffset = "clock_offset", Warning, Event, [Host], "the time stamps of a host differ constantly from this machine's clock, or are right again", "set its clock, or write `timezone:` for it";
    // The controller.
    Reloaded = "reloaded", Notice, Event, [], "a new configuration, new rules and scripts are in force", "";
    ReloadRefused = "reload_refused", Warning, Event, [], "changed files were refused", "`pointsman check` and `pointsman test` say what is wrong";
    JournalBehind = "journal_behind", Warning, Event, [Host], "the journal lost records that were acted on: nothing is sent to any host", "put back a newer copy of the data folder, or `pointsman journal accept-loss`";
    JournalUnproven = "journal_unproven", Warning, Event, [], "it is not known whether the journal is complete: nothing is sent to any host until every agent has reported", "`pointsman resources` shows which host does not report";
    JournalTrusted = "journal_trusted", Notice, Event, [], "every agent has reported, and none knows more than the journal", "";
    JournalLossAccepted = "journal_loss_accepted", Warning, Event, [], "an operator accepted that records are missing", "";
    JournalDamaged = "journal_damaged", Warning, Event, [], "old records are damaged, but the state is complete", "`pointsman journal verify` lists all of it; is the disk in order?";
    JournalSnapshot = "journal_snapshot", Warning, Event, [], "a snapshot of the journal is damaged or cannot be written, or the journal cannot be read to remove old records", "is the disk in order, and is there room?";
    JournalDisk = "journal_disk", Warning, Event, [], "the journal's disk is almost full: the oldest records are removed before their time", "make room there, or set a smaller `journal: size`; when the disk is full and the journal has used its reserve, the controller ends";
    JournalDiskGood = "journal_disk_good", Notice, Event, [], "the journal's disk has room again", "";
    JournalMoved = "journal_moved", Warning, Event, [], "the journal's database was deleted, moved or replaced while the controller writes it: the controller goes on, and a restart would not find what it writes", "put the file back if it was moved; otherwise restart the controller at a quiet time, and accept the loss";
    JournalInPlace = "journal_in_place", Notice, Event, [], "the journal's database is in its place again", "";
    JournalEnd = "journal_end", Warning, Event, [], "the file `journal.end` is missing, or does not match the journal", "was the data folder restored?";
    ClockChanged = "clock_changed", Warning, Event, [], "the controller's wall clock was set", "";
    TimeSkipped = "time_skipped", Warning, Event, [], "too many deadlines expired in one jump of the time; each is handled once", "";
    Withheld = "withheld", Warning, People, [], "too many events of one kind within a minute: rules receive no more of them in this minute", "";
    NoticesDropped = "notices_dropped", Warning, People, [], "too many notices of one kind within a minute: the others are neither in the journal nor in the controller's log", "";
    Dry = "dry", Notice, People, [Alarm Reaction], "what a reaction of an alarm with `mode dry` would have done: its start, each step, its end", "";
    Log = "log", Notice, People, [Reaction], "a line that a script wrote with `log`", "";
    Step = "step", Notice, People, [Host Resource], "a step of a move", "";
    // Dry runs.
    World = "world", Notice, DryRun, [], "what a dry run assumes at its start", "";
    UnknownClaimant = "unknown_claimant", Warning, DryRun, [], "an application claims a role, and no pair of the inventory has it", "is it an alias?";
    TimeNotBelieved = "time_not_believed", Warning, DryRun, [], "a stamp differs by more than an hour from the lines around it, and is not used", "";
    TimeSteppedBack = "time_stepped_back", Warning, DryRun, [], "the times go back, and the following records agree", "";
}
