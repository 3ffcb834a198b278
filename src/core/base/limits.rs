//! Every bound of the program, its reason, and what happens when it is reached.

use std::time::Duration;

/// Bytes of one log record that are decoded. A longer record is cut here, marked and counted; the rest of the line is skipped.
pub const RECORD_BYTES: usize = 64 * 1024;
/// Bytes of one log record over TCP for which there is no room among the long ones of all connections. It is cut here, marked and counted.
pub const RECORD_BYTES_WITHOUT_ROOM: usize = 4 * 1024;
/// Memory of the controller unless `limits: { memory: ... }` says otherwise. Each use of it has a share: see [`share`].
pub const MEMORY: usize = 512 * 1024 * 1024;
/// The least that `limits: { memory: ... }` may say. Less is a diagnostic: rules and program alone may need it.
pub const MEMORY_LEAST: usize = 128 * 1024 * 1024;
/// Percent of the memory for events on their way from the sources to the controller. When it is used up, senders over TCP and files wait,
/// and datagrams are dropped and counted; a quarter is reserved for trusted senders.
pub const MEMORY_QUEUE: usize = 12;
/// Percent of the memory for unfinished long records of TCP connections. When it is used up, they are cut at
/// [`RECORD_BYTES_WITHOUT_ROOM`]; a quarter is reserved for hosts of the inventory.
pub const MEMORY_CONNECTIONS: usize = 6;
/// Percent of the memory for the events that alarms keep: of active, pending, suppressed and throttled instances. When it is used up,
/// further instances keep a short form of their event, and that is a notice; a quarter is reserved for trusted senders.
pub const MEMORY_ALARMS: usize = 20;
/// Percent of the memory for events that conditions count or join. When it is used up, the alarm that has most of them forgets the older
/// half of its keys, and that is a notice.
pub const MEMORY_NOTES: usize = 20;
/// Percent of the memory for runs that have not ended: what their scripts are called with, and the answers of their steps. Senders that are less trusted
/// may fill a part of it only. When it is used up, a further run is not started, a step that answers more fails with the reason, and both are reported.
pub const MEMORY_RUNS: usize = 20;
/// Connections of syslog over TCP that are open at once, if the system allows as many file descriptors. When there are more, connections of the
/// source that has the most are closed and counted; a quarter is reserved for hosts of the inventory, and one source has a quarter at most.
pub const CONNECTIONS: usize = 4_096;
/// Connections of agents at once that have not proved who they are. When there are more, those of the source that has the most are closed.
pub const PENDING_HANDSHAKES: usize = 512;
/// File descriptors that connections leave to the rest of the program (journal, control socket, scripts), half of all if there are fewer than twice as many.
pub const DESCRIPTORS_RESERVED: usize = 256;
/// File descriptors that the program asks the system for, if its hard limit is not lower.
pub const DESCRIPTORS_MOST: u64 = 16_384;
/// Bytes of the text of an event as alarms, the journal and scripts keep it. A longer text is cut, and ends with `…`.
pub const EVENT_TEXT_BYTES: usize = 8 * 1024;
/// Bytes of one other field of an event as alarms, the journal and scripts keep it. A longer one is cut, and ends with `…`.
pub const EVENT_FIELD_BYTES: usize = 1024;
/// Bytes of all fields of an event as alarms, the journal and scripts keep it, its text included. Further fields are left out, the text last.
pub const EVENT_BYTES: usize = 16 * 1024;
/// Bytes of the summary of an alarm, its fields filled in. A longer one is cut, and ends with `…`.
pub const SUMMARY_BYTES: usize = 2 * 1024;
/// Bytes of one value of an alarm's key (`by`), and of one value that has to be distinct. A longer one is cut, and gets a sum of the whole so
/// that it stays apart from others.
pub const KEY_BYTES: usize = 512;
/// Bytes of a text or field of an event that is kept when [`MEMORY_ALARMS`] is used up.
pub const EVENT_SHORT_BYTES: usize = 128;
/// Lines within which a file's header begins and ends. A header line further down is a line like any other.
pub const HEADER_LINES: u32 = 64;
/// Bytes of one script, YAML or test file. A larger file is refused with a diagnostic.
pub const SOURCE_BYTES: usize = 1024 * 1024;
/// Bytes of one rule file: tens of thousands of rules. A larger file is refused with a diagnostic.
pub const RULE_FILE_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of a configuration with its rules and scripts. A larger set is refused: what is accepted stands in the journal.
pub const SET_BYTES: usize = 80 * 1024 * 1024;
/// Accepted sets whose rules are kept at once: that of now, and earlier ones that runs still need. A further reload is refused
/// until some of these runs have ended.
pub const SETS: usize = 4;
/// Nesting of parentheses, lists and `not` in a rule. Deeper is a diagnostic, never a stack overflow.
pub const NESTING: usize = 64;
/// Nesting of lists and maps in a configuration or a file of rule tests. Deeper is a diagnostic, and the file is not read.
pub const YAML_NESTING: usize = 64;
/// Diagnostics shown for one file; further ones are counted in a last line.
pub const DIAGNOSTICS_PER_FILE: usize = 50;
/// Mistakes recorded in one rule file. After so many the rest of the file is not read, and the last diagnostic says so.
pub const MISTAKES_PER_FILE: usize = 1_000;
/// Alarms and patterns that bring each other about in a row. What would go further is not done, and that is told once.
pub const HOPS: usize = 4;
/// Alarms that one block makes (`with`, row by row). One more is a diagnostic.
pub const ROWS: usize = 1_000;
/// Bytes that a block has, all its rows filled in. More is a diagnostic.
pub const FILLED_BYTES: usize = 4 * 1024 * 1024;
/// Conditions joined by `or` in one `detect` or `cancel when`. One more is a diagnostic.
pub const ALTERNATIVES: usize = 1_000;
/// Conditions and expressions that `(A or B where ...)` may copy in all rules together. More is a diagnostic.
pub const COPIES: usize = 100_000;
/// Senders that groups and sites stand for (`from group G`), in all conditions together. More is a diagnostic.
pub const GROUP_SENDERS: usize = 500_000;
/// Values of one list in rules, at most: an event is compared with one after the other. Further ones are an error.
pub const LIST_ELEMENTS: usize = 10_000;
/// Values of all lists together, each counted with every condition that it stands in. More is an error.
pub const LISTED: usize = 1_000_000;
/// Names with which unknown ones are compared to find what was meant, in all rules together. After so many nothing is proposed.
pub const NEAR_MISSES: usize = 200_000;
/// Events that a condition counts (`N of`). More is a diagnostic: a count is a window of so many times for each key.
pub const COUNT: usize = 1_000;
/// Events that one condition joins by `then` or `and`. One more is a diagnostic.
pub const PARTS: usize = 16;
/// Keys of one alarm for which something was counted, and for which its `limit` remembers a start. When there are more, the
/// half whose last event is oldest is forgotten, what waits last, and that is told once.
pub const COUNTED_KEYS: usize = 20_000;
/// Clauses of one calendar, with those of the calendars that it excepts. One more is a diagnostic: all of them are looked at.
pub const CALENDAR_CLAUSES: usize = 100;
/// How long one time of a calendar may last (`cron ... for`). Longer is a diagnostic: so far back must be looked.
pub const CALENDAR_LASTS: Duration = Duration::from_secs(31 * 24 * 3_600);
/// How far ahead a calendar's next change is looked for. Beyond, there is none.
pub const CALENDAR_SEARCH: Duration = Duration::from_secs(5 * 366 * 24 * 3_600);
/// Bytes of the text of one regular expression, its pieces filled in: of a longer one already its tree would take gigabytes. It is a
/// diagnostic.
pub const EXPRESSION_BYTES: usize = 16 * 1024;
/// Events noted for the conditions of all alarms together. When there are more, the alarm that has most of them
/// forgets the half of its keys whose last event is oldest, and that is told once for each alarm.
pub const PARTIAL_MATCHES: usize = 4_000_000;
/// Bytes that one compiled regular expression may take. A larger one is a diagnostic.
pub const REGEX_BYTES: usize = 1024 * 1024;
/// Bytes of a compiled regular expression from which on `check` advises against it.
pub const REGEX_BYTES_WISE: usize = 256 * 1024;
/// Bytes that all regular expressions may take together, by an estimate that is right to a factor of four; the shipped ones take
/// 5 MiB. What is beyond is not compiled, and that is a diagnostic.
pub const REGEX_BYTES_ALL: usize = 64 * 1024 * 1024;
/// Structured-data and captured fields of one event. Further ones stay in the text and are counted.
pub const FIELDS_PER_EVENT: usize = 128;
/// Lines that an alarm keeps for its scripts (`keep N lines`): as many as a script's list may have. More is a diagnostic.
pub const KEPT_LINES: usize = 200;
/// Bytes of one line that is kept. What is longer is cut.
pub const KEPT_LINE_BYTES: usize = 1024;
/// Bytes of the lines that one instance keeps, so that a script can join them to one text. Further ones are counted and not kept.
pub const KEPT_BYTES: usize = 32 * 1024;
/// Bytes of the lines that all alarms keep. Further ones are counted and not kept, and that is told once.
pub const KEPT_BYTES_ALL: usize = 64 * 1024 * 1024;
/// Active instances of one alarm. A further key is dropped, counted, and alarmed once.
pub const INSTANCES_PER_ALARM: usize = 10_000;
/// Senders whose usual age of records is remembered, of one source, and of all sources in the journal. When there are more, the half
/// that is trusted least and was heard longest ago is forgotten: their next record is compared with nothing.
pub const OFFSETS: usize = 10_000;
/// Elements of a list that a reaction keeps by `state.append`: as many as a script's list may have. Of more the oldest go.
pub const STATE_LIST: usize = 200;
/// Bytes of the text of a notification: all that a script's text may have, and half of what Linux lets one argument of a command be. A longer
/// one is cut, and says so.
pub const NOTIFICATION_BYTES: usize = 64 * 1024;
/// Characters of a notification in the log and in the system log, which have one line for it. A longer one is cut.
pub const NOTIFICATION_LINE: usize = 2_000;
/// Characters of the title of a notification. A longer one is cut.
pub const NOTIFICATION_TITLE: usize = 200;
/// Alarms that one notification lists. Further ones are counted in it.
pub const NOTIFICATION_ALARMS: usize = 20;
/// Fields of an event that a notification keeps. Further ones are left out.
pub const NOTIFICATION_FIELDS: usize = 40;
/// Bytes of one field of an event in a notification. A longer one is cut.
pub const NOTIFICATION_FIELD_BYTES: usize = 512;
/// Bytes of all fields of an event in a notification. Further ones are left out.
pub const NOTIFICATION_FIELDS_BYTES: usize = 4 * 1024;
/// Active alarms whose facts are kept for notifications. Further ones are only counted in the notification of their group, and their
/// end is not told.
pub const NOTIFIED_ALARMS: usize = 10_000;
/// Groups of alarms that are told of together, in all routes. Alarms of a further one are told in a group of the route without `by`.
pub const NOTIFY_GROUPS: usize = 1_000;
/// Notifications that wait to be delivered, of all channels. Senders that are less trusted may fill a part of it only. Further ones are
/// counted, and a notification says how many there were.
pub const OUTBOX_NOTIFICATIONS: usize = 5_000;
/// Notifications that wait to be delivered, of one channel, likewise.
pub const OUTBOX_CHANNEL: usize = 500;
/// Bytes of the notifications that wait to be delivered, roughly, likewise.
pub const OUTBOX_BYTES: usize = 32 * 1024 * 1024;
/// How long a notification is tried before it is given up, unless the channel says otherwise (`give_up`). Then that is a notice
/// `notification_failed`, on which rules may raise an alarm.
pub const NOTIFICATION_GIVE_UP: Duration = Duration::from_secs(24 * 3_600);
/// The longest `give_up` of a channel. A longer one is a diagnostic.
pub const NOTIFICATION_GIVE_UP_MOST: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long after the first failed attempt a notification is tried again, a quarter more or less. The time doubles with each attempt.
pub const NOTIFICATION_RETRY: Duration = Duration::from_secs(1);
/// The longest time between two attempts, a quarter more or less.
pub const NOTIFICATION_RETRY_MOST: Duration = Duration::from_secs(300);
/// One attempt to deliver a notification, from the name's lookup to the answer. One that takes longer has failed.
pub const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of the answer of a receiver of notifications that are read. What is more is not read.
pub const NOTIFICATION_ANSWER: usize = 64 * 1024;
/// Bytes of the body of a webhook. A longer one is cut.
pub const WEBHOOK_BODY: usize = 256 * 1024;
/// Bytes of a secret that a file or credential may have. A longer one is refused.
pub const SECRET_BYTES: usize = 4 * 1024;
/// Bytes of a template of notifications. A longer one is a diagnostic.
pub const TEMPLATE_BYTES: usize = 16 * 1024;
/// Channels of a configuration: each has a thread. One more is a diagnostic.
pub const CHANNELS: usize = 64;
/// Routes of notifications of a configuration: each is tried with each alarm. One more is a diagnostic.
pub const NOTIFY_ROUTES: usize = 100;
/// Notifications that a channel to people gets within ten minutes, unless it says otherwise (`limit`). Further ones are counted, and
/// one notification says how many there were.
pub const CHANNEL_LIMIT: u32 = 60;
/// Bytes of the alarms that one answer to an operator shows. Further ones are counted in a last row.
pub const ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Runs that have not ended, without those of claims. Senders that are less trusted may fill a part of it only (see `share_of` of trust).
/// A further one is not started, and that is told.
pub const RUNS: usize = 1_000;
/// Runs of claims that have not ended: room of their own, twice the pairs of a large site. A further claim is carried out without its
/// reaction, and that is told.
pub const CLAIM_RUNS: usize = 8_000;
/// Events that wait for the controller. Senders that are less trusted may fill a part of it only, and one sender as much as
/// is left free. Sources that can wait do; of others what is more is dropped, counted by source and sender, and told.
pub const INBOX_EVENTS: usize = 65_536;
/// Reports of agents, claims of pairs, and questions of operators that wait for the controller, of each. Who sends one more waits.
pub const INBOX_WAITING: usize = 8_192;
/// Unverified events that rules want and that are taken in a second, one sender after another. More wait for room among those that wait.
pub const UNVERIFIED_A_SECOND: usize = 5_000;
/// Commands of scripts that are under way at once: one process each. Further ones wait.
pub const EFFECTS: usize = 8;
/// Of these so many are for claims alone.
pub const EFFECTS_FOR_CLAIMS: usize = 2;
/// Commands of scripts that wait. Senders that are less trusted may fill a part of it only. A further one fails its step.
pub const EFFECTS_WAITING: usize = 1_000;
/// Bytes of the answers of the steps of one run, with the steps' arguments. A step whose answer goes beyond fails with the reason.
pub const RUN_BYTES: usize = 256 * 1024;
/// Entries that one reaction keeps in `state`. Setting one more fails with the reason.
pub const STATE_ENTRIES: usize = 1_000;
/// Bytes that one reaction keeps in `state`. Setting more fails with the reason.
pub const STATE_BYTES: usize = 1024 * 1024;
/// Steps of one run. One more fails the run.
pub const STEPS_PER_RUN: usize = 1_000;

/// How old a record may be and still be new before its sender's usual age is known, or while it varies: a wrong clock is not lateness.
pub const LATE_AT_FIRST: Duration = Duration::from_secs(60);
/// How far beyond its sender's usual age a record may come and still be new.
pub const LATE_AFTER: Duration = Duration::from_secs(2);
/// How wrong a clock may be, without our knowing it, before it makes a claim out of a backlog look older than one that was heard
/// before it. Beyond, nothing tells which is newer, and people are asked.
pub const CLOCK_ERROR: Duration = Duration::from_secs(60);
/// Late claims are weighed when no further one has come for this long: of a queue that a server's sender empties, only its newest
/// claim may move anything.
pub const LATE_CLAIMS_QUIET: Duration = Duration::from_secs(1);
/// And after this long in any case.
pub const LATE_CLAIMS_WAIT: Duration = Duration::from_secs(10);
/// How long a pair may be without a primary after a member said that it is backup: a planned switchover takes less. Then that is
/// an alarm.
pub const NO_PRIMARY_AFTER: Duration = Duration::from_secs(10);
/// How long after a start resources are only observed when some hosts have not reported.
pub const SETTLE: Duration = Duration::from_secs(5);
/// How long a run that waits for an operator's yes waits before it ends.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(120);
/// One attempt of a step, where the reaction does not say otherwise.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(2);
/// One command of a driver.
pub const DRIVER_TIMEOUT: Duration = Duration::from_secs(8);
/// How often an agent reports to the controller.
pub const HEARTBEAT: Duration = Duration::from_millis(250);
/// A host is lost when nothing was heard from its agent for so long.
pub const HOST_LOST: Duration = Duration::from_secs(1);
/// A holder under `probe` that reached no majority of its witnesses for so long gives the address up.
pub const ISOLATION: Duration = Duration::from_secs(3);
/// The longest term of a vote (`takeover: quorum`). A request for a longer one is refused: a voter that starts may have to wait
/// that long.
pub const VOTE_TERM_MOST: Duration = Duration::from_secs(60);
/// Resources about which one voter remembers something. It votes about no further one until an older promise has ended.
pub const BALLOTS: usize = 4_096;
/// How often an agent looks whether the applications that it watches run.
pub const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Applications that one agent watches. More in its configuration is a diagnostic; of a report further ones are not believed.
pub const WATCHED: usize = 256;
/// How often an agent measures its host, unless its configuration says otherwise.
pub const METRICS_EVERY: Duration = Duration::from_secs(10);
/// The least and the most that it may say.
pub const METRICS_EVERY_LEAST: Duration = Duration::from_secs(1);
/// See [`METRICS_EVERY_LEAST`].
pub const METRICS_EVERY_MOST: Duration = Duration::from_secs(60);
/// File systems whose use one agent measures. More in its configuration is a diagnostic.
pub const MOUNTS: usize = 32;
/// Metrics that are believed of one host within a second: what one look at everything brings. Further ones are dropped.
pub const METRICS_A_SECOND: usize = 64;
/// Characters of the name of a mount point or a process. A longer one is a diagnostic; of a report it is not believed.
pub const REPORTED_NAME: usize = 255;
/// Deadlines that come to pass one by one, each at its own time, when the time jumps (a log that was quiet for years). Those that are left do at
/// the end of the jump, once each, which is told.
pub const DEADLINES_OF_A_JUMP: usize = 100_000;
/// Files of one pattern that are followed. Of more, those are whose names come last, and that is reported.
pub const FOLLOWED_FILES: usize = 1_000;
/// A file that was read and can't be any more is away after so long: what rotates logs leaves none for a moment.
pub const SOURCE_AWAY_AFTER: Duration = Duration::from_secs(10);
/// A metric of which nothing came for so long, three times the longest interval, is not known any more.
pub const METRIC_LASTS: Duration = Duration::from_secs(180);

/// A share of the memory, in bytes: `percent` is one of the `MEMORY_*` above.
pub fn share(memory: usize, percent: usize) -> usize {
    memory / 100 * percent
}
/// How long records of the journal are kept beside those that a start needs, unless the configuration says otherwise (`journal: keep`).
/// Older ones are removed with the next snapshot.
pub const JOURNAL_AGE: Duration = Duration::from_secs(400 * 24 * 3_600);
/// Bytes of the journal's database from which on the oldest records are removed, unless the configuration says otherwise (`journal: size`).
pub const JOURNAL_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// The smallest `journal: size`. A smaller one is a diagnostic.
pub const JOURNAL_BYTES_LEAST: u64 = 16 * 1024 * 1024;
/// Bytes of one snapshot of the journal. A larger one is not written, and that is reported: a start reads more records then.
pub const SNAPSHOT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The highest epoch of generations that is believed: one is used for each start of a controller. A journal with a higher one is
/// refused, and so is a report of an agent.
pub const EPOCH_MOST: u64 = 1 << 40;
/// Notices of one kind that are journaled within a minute, for `pointsman history`. Further ones are counted, and the number is journaled.
pub const NOTICES_A_MINUTE: u32 = 120;
/// How far the wall clock may be from the engine's time before that follows it, its state with it.
pub const CLOCK_STEP: Duration = Duration::from_secs(1);
/// Pauses, silences, maintenances and drains that stand at once. A further one is refused, and that is a notice.
pub const OVERRIDES: usize = 1_000;
/// The longest time for which one may be set (`--for`). A longer one is refused.
pub const OVERRIDE_LASTS: Duration = Duration::from_secs(366 * 24 * 3_600);
/// Comments of one active alarm that are kept. Of more, the oldest are only in the history.
pub const ALARM_COMMENTS: usize = 20;
/// Runs that failed or were cancelled and can be started again (`pointsman runs retry`). Of more, the oldest can't.
pub const RUNS_RETRIED: usize = 100;
