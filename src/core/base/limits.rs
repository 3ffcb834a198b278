//! Every limit of the program, its reason, and what happens when it is reached.

use std::time::Duration;

/// Maximum bytes of one log record that are decoded. A longer record is cut here, marked and counted; the rest of the line is
/// skipped.
pub const RECORD_BYTES: usize = 64 * 1024;
/// Maximum bytes of one log record over TCP when the memory for long records is used up. A longer record is cut here, marked
/// and counted.
pub const RECORD_BYTES_WITHOUT_ROOM: usize = 4 * 1024;
/// Default of `limits: { memory: ... }`, the memory of the controller. Each use of memory has a share of it: see [`share`].
pub const MEMORY: usize = 512 * 1024 * 1024;
/// Minimum of `limits: { memory: ... }`. A lower value is a diagnostic, because the rules and the program alone may need this
/// much.
pub const MEMORY_LEAST: usize = 128 * 1024 * 1024;
/// Percent of the memory for events on their way from the sources to the controller. When it is used up, senders over TCP and
/// files wait, and datagrams are dropped and counted. A quarter is reserved for trusted senders. Reports of agents may have a
/// quarter of this in addition, and so may claims of pairs.
pub const MEMORY_QUEUE: usize = 12;
/// Percent of the memory for unfinished long records of TCP connections. When it is used up, records are cut at
/// [`RECORD_BYTES_WITHOUT_ROOM`]. A quarter is reserved for hosts of the inventory.
pub const MEMORY_CONNECTIONS: usize = 6;
/// Percent of the memory for the events that alarms keep: of active, pending, suppressed and throttled instances. Above half
/// of it (for trusted senders: three quarters) further instances keep a short form of their event, and above three quarters
/// (for trusted senders: all of it) they are refused. Both are notices.
pub const MEMORY_ALARMS: usize = 20;
/// Percent of the memory for partial matches: events that conditions count or join. When it is used up, the alarm that has
/// most of them drops the older half of its keys, and this is a notice. Up to half of it may be measures (`rate`, `avg` ...);
/// of these, a further key is not measured, and this is a notice.
pub const MEMORY_PARTIAL_MATCHES: usize = 20;
/// Percent of the memory for runs that have not ended: the arguments of their scripts, and the answers of their steps. Less
/// trusted senders may fill only a part of it. When it is used up, a further run is not started, and a step with a larger
/// answer fails with the reason. Both are reported.
pub const MEMORY_RUNS: usize = 20;
/// Maximum open TCP connections of syslog, if the system allows as many file descriptors. Above it, connections of the source
/// that has most are closed and counted. A quarter is reserved for hosts of the inventory, and one source has a quarter at
/// most.
pub const CONNECTIONS: usize = 4_096;
/// Maximum connections of agents before authentication. Above it, those of the source that has most are closed.
pub const PENDING_HANDSHAKES: usize = 512;
/// File descriptors that connections leave to the rest of the program (journal, control socket, scripts). If there are fewer
/// than twice as many, half of all are reserved.
pub const DESCRIPTORS_RESERVED: usize = 256;
/// Number of file descriptors that the program requests from the system, if its hard limit is not lower.
pub const DESCRIPTORS_MOST: u64 = 16_384;
/// Maximum bytes of the text of an event in alarms, the journal and scripts. A longer text is cut, and ends with `…`.
pub const EVENT_TEXT_BYTES: usize = 8 * 1024;
/// Maximum bytes of one other field of an event in alarms, the journal and scripts. A longer field is cut, and ends with `…`.
pub const EVENT_FIELD_BYTES: usize = 1024;
/// Maximum bytes of all fields of an event in alarms, the journal and scripts, its text included. Further fields are dropped,
/// the text last.
pub const EVENT_BYTES: usize = 16 * 1024;
/// Maximum bytes of the summary of an alarm, its fields filled in. A longer summary is cut, and ends with `…`.
pub const SUMMARY_BYTES: usize = 2 * 1024;
/// Maximum bytes of one value of an alarm's key (`by`), and of one value that has to be distinct. A longer value is cut, and
/// gets a hash of the whole so that it differs from others.
pub const KEY_BYTES: usize = 512;
/// Maximum bytes of a text or field of an event that is kept when [`MEMORY_ALARMS`] is nearly used up. A longer one is cut.
pub const EVENT_SHORT_BYTES: usize = 128;
/// Maximum lines of a file within which its header begins and ends. A later header line is a line like any other.
pub const HEADER_LINES: u32 = 64;
/// Maximum bytes of one script, YAML or test file. A larger file is refused with a diagnostic.
pub const SOURCE_BYTES: usize = 1024 * 1024;
/// Maximum bytes of one rule file: tens of thousands of rules. A larger file is refused with a diagnostic.
pub const RULE_FILE_BYTES: usize = 64 * 1024 * 1024;
/// Maximum bytes of a site: configuration, rules and scripts. A larger site is refused, because an accepted one is stored in
/// the journal.
pub const SET_BYTES: usize = 80 * 1024 * 1024;
/// Maximum accepted sites whose rules are kept at once: the current one, and earlier ones that runs still need. A further
/// reload is refused until some of these runs have ended.
pub const SETS: usize = 4;
/// Maximum nesting of parentheses, lists and `not` in a rule. Deeper nesting is a diagnostic, never a stack overflow.
pub const NESTING: usize = 64;
/// Maximum nesting of lists and maps in a configuration or a file of rule tests. Deeper nesting is a diagnostic, and the file
/// is not read.
pub const YAML_NESTING: usize = 64;
/// Maximum diagnostics shown for one file; further ones are counted in a last line.
pub const DIAGNOSTICS_PER_FILE: usize = 50;
/// Maximum mistakes recorded in one rule file. After as many mistakes of syntax the rest of the file is not read; further mistakes
/// of other kinds are counted. The last diagnostic says so.
pub const MISTAKES_PER_FILE: usize = 1_000;
/// Maximum alarms and patterns in a chain in which each causes the next. A further one is not evaluated, and this is reported
/// once.
pub const HOPS: usize = 4;
/// Maximum alarms that one block makes (`with`, row by row). One more is a diagnostic.
pub const ROWS: usize = 1_000;
/// Maximum bytes of a block with all its rows filled in. More is a diagnostic.
pub const FILLED_BYTES: usize = 4 * 1024 * 1024;
/// Maximum conditions joined by `or` in one `detect` or `cancel when`. One more is a diagnostic.
pub const ALTERNATIVES: usize = 1_000;
/// Maximum conditions and expressions that `(A or B where ...)` copies in all rules together. More is a diagnostic.
pub const COPIES: usize = 100_000;
/// Maximum senders for which groups and sites stand (`from group G`), in all conditions together. More is a diagnostic.
pub const GROUP_SENDERS: usize = 500_000;
/// Maximum values of one list in rules, because an event is compared with one after the other. More is a diagnostic.
pub const LIST_ELEMENTS: usize = 10_000;
/// Maximum values of all lists together, counted again for every condition that uses the list. More is a diagnostic.
pub const LISTED: usize = 1_000_000;
/// Maximum names that are compared with unknown names to suggest a similar one, in all rules together. After them there are
/// no suggestions.
pub const NEAR_MISSES: usize = 200_000;
/// Maximum events that a condition counts (`N of`). More is a diagnostic, because each key has a window of this many times.
pub const COUNT: usize = 1_000;
/// Maximum messages for which one record stands (`message repeated N times` of rsyslog). A larger number counts as this many,
/// which is enough for any condition.
pub const REPEATED: u16 = 1_000;
/// Maximum reactions that one `react` starts, those after `then` included. One more is a diagnostic, because each run keeps those
/// that follow it.
pub const REACTION_CALLS: usize = 100;
/// Maximum events that one condition joins by `then` or `and`. One more is a diagnostic.
pub const PARTS: usize = 16;
/// Maximum keys of one alarm with partial matches, and maximum keys of which its `limit` remembers a start. Above it, the
/// half whose last event is oldest is dropped, throttled reactions last. This is reported once.
pub const COUNTED_KEYS: usize = 20_000;
/// Maximum clauses of one calendar, with those of the calendars that it excepts. One more is a diagnostic, because all are
/// evaluated.
pub const CALENDAR_CLAUSES: usize = 100;
/// Maximum length of one time of a calendar (`cron ... for`). A longer one is a diagnostic, because the search goes back as
/// far.
pub const CALENDAR_LASTS: Duration = Duration::from_secs(31 * 24 * 3_600);
/// How far ahead the next change of a calendar is searched. A later change counts as none.
pub const CALENDAR_SEARCH: Duration = Duration::from_secs(5 * 366 * 24 * 3_600);
/// Maximum bytes of the text of one regular expression, its pieces filled in. A longer one is a diagnostic, because its tree
/// alone could take gigabytes.
pub const EXPRESSION_BYTES: usize = 16 * 1024;
/// Maximum partial matches of the conditions of all alarms together. Above it, the alarm that has most of them drops the half
/// of its keys whose last event is oldest. This is reported once for each alarm.
pub const PARTIAL_MATCHES: usize = 4_000_000;
/// Maximum bytes of one compiled regular expression. A larger one is a diagnostic.
pub const REGEX_BYTES: usize = 1024 * 1024;
/// Bytes of a compiled regular expression above which `check` advises against it.
pub const REGEX_BYTES_WISE: usize = 256 * 1024;
/// Maximum bytes of all regular expressions together, by an estimate that is right to a factor of four; the shipped ones take
/// 5 MiB. An expression beyond it is not compiled and is a diagnostic.
pub const REGEX_BYTES_ALL: usize = 64 * 1024 * 1024;
/// Maximum structured-data and captured fields of one event. Further ones stay in the text and are counted.
pub const FIELDS_PER_EVENT: usize = 128;
/// Maximum lines that an alarm keeps for its scripts (`keep N lines`), as many as a script's list may have. More is a
/// diagnostic.
pub const KEPT_LINES: usize = 200;
/// Maximum bytes of one line that is kept. A longer line is cut.
pub const KEPT_LINE_BYTES: usize = 1024;
/// Maximum bytes of the lines that one instance keeps, so that a script can join them to one text. Further lines are counted
/// and not kept.
pub const KEPT_BYTES: usize = 32 * 1024;
/// Maximum bytes of the lines that all alarms keep. Further lines are counted and not kept, and this is reported once.
pub const KEPT_BYTES_ALL: usize = 64 * 1024 * 1024;
/// Maximum active instances of one alarm. A further key is dropped and counted, and raises an alarm once.
pub const INSTANCES_PER_ALARM: usize = 10_000;
/// Maximum senders of one source whose usual age of records is remembered, and of all sources in the journal. Above it, the
/// half with the least trust and the oldest records is dropped: their next record is compared with nothing.
pub const OFFSETS: usize = 10_000;
/// Maximum elements of a list that a reaction stores by `state.append`, as many as a script's list may have. Above it, the
/// oldest are dropped.
pub const STATE_LIST: usize = 200;
/// Maximum bytes of the text of a notification: as many as a script's text may have, and half of what Linux allows for one
/// argument of a command. A longer text is cut, and says so.
pub const NOTIFICATION_BYTES: usize = 64 * 1024;
/// Maximum characters of a notification in the log and in the system log, which have one line for it. A longer one is cut.
pub const NOTIFICATION_LINE: usize = 2_000;
/// Maximum characters of the title of a notification. A longer one is cut.
pub const NOTIFICATION_TITLE: usize = 200;
/// Maximum alarms that one notification lists. Further ones are counted in it.
pub const NOTIFICATION_ALARMS: usize = 20;
/// Maximum fields of an event that a notification keeps. Further ones are dropped.
pub const NOTIFICATION_FIELDS: usize = 40;
/// Maximum bytes of one field of an event in a notification. A longer one is cut.
pub const NOTIFICATION_FIELD_BYTES: usize = 512;
/// Maximum bytes of all fields of an event in a notification. Further ones are dropped.
pub const NOTIFICATION_FIELDS_BYTES: usize = 4 * 1024;
/// Maximum active alarms whose data are kept for notifications. Further ones are only counted in the notification of their
/// group, and their end is not notified.
pub const NOTIFIED_ALARMS: usize = 10_000;
/// Maximum groups of alarms that are notified together, in all routes. Alarms of a further group are notified in a group of
/// the route without `by`.
pub const NOTIFY_GROUPS: usize = 1_000;
/// Maximum notifications that wait for delivery, of all channels. Less trusted senders may fill only a part of it. Further
/// ones are counted, and a notification reports their number.
pub const OUTBOX_NOTIFICATIONS: usize = 5_000;
/// Maximum notifications that wait for delivery by one channel, likewise.
pub const OUTBOX_CHANNEL: usize = 500;
/// Maximum estimated bytes of the notifications that wait for delivery, likewise.
pub const OUTBOX_BYTES: usize = 32 * 1024 * 1024;
/// Default of `give_up` of a channel: how long a notification is retried. Then it is dropped, and this is a notice
/// `notification_failed`, on which rules may raise an alarm.
pub const NOTIFICATION_GIVE_UP: Duration = Duration::from_secs(24 * 3_600);
/// Maximum of `give_up` of a channel. A longer one is a diagnostic.
pub const NOTIFICATION_GIVE_UP_MOST: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Time between the first failed attempt of a notification and the next, a quarter more or less. It doubles with each
/// attempt.
pub const NOTIFICATION_RETRY: Duration = Duration::from_secs(1);
/// Maximum time between two attempts, a quarter more or less.
pub const NOTIFICATION_RETRY_MOST: Duration = Duration::from_secs(300);
/// Maximum time of one attempt to deliver a notification, from the name's lookup to the answer. A longer attempt has failed.
pub const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum bytes that are read of an answer to a notification. The rest is not read.
pub const NOTIFICATION_ANSWER: usize = 64 * 1024;
/// Maximum bytes of the body of a webhook that is a text. A longer one is cut. A JSON body is bounded by its values.
pub const WEBHOOK_BODY: usize = 256 * 1024;
/// Maximum bytes of a secret in a file or credential. A longer one is refused.
pub const SECRET_BYTES: usize = 4 * 1024;
/// Maximum bytes of a template of notifications. A longer one is a diagnostic.
pub const TEMPLATE_BYTES: usize = 16 * 1024;
/// Maximum channels of a configuration: each has a thread. One more is a diagnostic.
pub const CHANNELS: usize = 64;
/// Maximum routes of notifications of a configuration: each is tried with each alarm. One more is a diagnostic.
pub const NOTIFY_ROUTES: usize = 100;
/// Default of `limit` of a channel to people: maximum notifications within ten minutes. Further ones are counted, and one
/// notification reports their number.
pub const CHANNEL_LIMIT: u32 = 60;
/// Maximum connections of root and of the controller's own user to the control socket. A further one is refused.
pub const ASKERS: usize = 64;
/// Maximum connections of one other user to the control socket. A further one is refused.
pub const ASKERS_OF_USER: usize = 16;
/// Maximum connections of all other users to the control socket. A further one is refused.
pub const ASKERS_OF_OTHERS: usize = 64;
/// Maximum questions of root and of the controller's own user that are answered at once. Further ones wait.
pub const ANSWERS: usize = 8;
/// Maximum questions of one other user that are answered at once. Further ones wait.
pub const ANSWERS_OF_USER: usize = 2;
/// Maximum questions of all other users that are answered at once. Further ones wait.
pub const ANSWERS_OF_OTHERS: usize = 4;
/// Maximum bytes of the alarms in one answer to an operator. Further ones are counted in a last row.
pub const ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Maximum entries of one page of the history that the controller reads for an operator. The command asks for the next page.
pub const HISTORY_ENTRIES: usize = 1_000;
/// Maximum bytes of the texts of one page of the history. The command asks for the next page.
pub const HISTORY_BYTES: usize = 2 * 1024 * 1024;
/// Maximum records of the journal that are read for one page of the history, so that a page takes well under a second. The
/// command asks for the next page.
pub const HISTORY_RECORDS: u64 = 100_000;
/// Maximum runs that have not ended, without those of claims. Less trusted senders may fill only a part of it (see
/// docs/explanation/trust.md). A further run is not started, and this is reported.
pub const RUNS: usize = 1_000;
/// Maximum runs of claims that have not ended, separate from the other runs: twice the pairs of a large site. A further claim
/// is carried out without its reaction, and this is reported.
pub const CLAIM_RUNS: usize = 8_000;
/// Maximum runs with `mode dry` that have not ended, separate from the other runs: they only show what would be done. Their
/// memory counts as that of unverified senders. A further one is not started, and this is reported.
pub const DRY_RUNS: usize = 100;
/// Maximum events that wait for the controller. Less trusted senders may fill only a part of it, and one sender as much as is
/// left free. Sources that can wait do so. Further events of other sources are dropped, counted by source and sender, and
/// reported.
pub const INBOX_EVENTS: usize = 65_536;
/// Maximum reports of agents, claims of pairs, and questions of operators that wait for the controller, of each. A further
/// sender waits.
pub const INBOX_WAITING: usize = 8_192;
/// Maximum unverified events per second that rules want and that are accepted, one sender after another. Further ones wait in
/// the queue. Fewer are accepted if they would take more than a quarter of the deciding thread's time.
pub const UNVERIFIED_A_SECOND: usize = 5_000;
/// Maximum commands of scripts that run at once: one process each. Further ones wait.
pub const EFFECTS: usize = 8;
/// The part of [`EFFECTS`] that is reserved for claims.
pub const EFFECTS_FOR_CLAIMS: usize = 2;
/// Maximum commands of scripts that wait. Less trusted senders may fill only a part of it. A further one fails its step.
pub const EFFECTS_WAITING: usize = 1_000;
/// Maximum bytes of the answers of the steps of one run, with the steps' arguments. A step with a larger answer fails with
/// the reason.
pub const RUN_BYTES: usize = 256 * 1024;
/// Maximum entries that one reaction stores in `state`. A further entry fails with the reason.
pub const STATE_ENTRIES: usize = 1_000;
/// Maximum bytes that one reaction stores in `state`. A larger value fails with the reason.
pub const STATE_BYTES: usize = 1024 * 1024;
/// Maximum bytes that all reactions together store in `state`. Less trusted senders may fill only a part of it (see
/// docs/explanation/trust.md). A larger value fails with the reason.
pub const STATE_BYTES_ALL: usize = 16 * 1024 * 1024;
/// Maximum steps of one run. One more fails the run.
pub const STEPS_PER_RUN: usize = 1_000;

/// Maximum bytes of the dictionary with which a log was packed by xz, as its first block says: xz packs all blocks of a file alike.
/// `xz -9` uses half of it. A log that needs more is refused.
pub const XZ_DICTIONARY: u64 = 128 * 1024 * 1024;
/// How far a stamp that is only a time of day may be after its arrival, because its sender's clock is ahead. A later time is of
/// the day before.
pub const STAMP_AHEAD: Duration = Duration::from_secs(60);
/// Maximum age of a new record while its sender's usual age is unknown or varies: a wrong clock is not lateness.
pub const LATE_AT_FIRST: Duration = Duration::from_secs(60);
/// How much a record may exceed its sender's usual age and still be new.
pub const LATE_AFTER: Duration = Duration::from_secs(2);
/// Maximum clock error that is tolerated when a claim out of a backlog is compared with one that arrived before it. If the
/// claim looks older by more than this, nothing shows which claim is newer, and people are asked.
pub const CLOCK_ERROR: Duration = Duration::from_secs(60);
/// Late claims are evaluated when no further one has arrived for this time. Of a queue that a server's sender empties, only
/// the newest claim may move anything.
pub const LATE_CLAIMS_QUIET: Duration = Duration::from_secs(1);
/// Late claims are evaluated after this time in any case.
pub const LATE_CLAIMS_WAIT: Duration = Duration::from_secs(10);
/// How long a pair may be without a primary after a member claimed to be backup: a planned switchover takes less. After it,
/// this is an alarm.
pub const NO_PRIMARY_AFTER: Duration = Duration::from_secs(10);
/// How long after a start resources are only observed if some hosts have not reported.
pub const SETTLE: Duration = Duration::from_secs(5);
/// Default time for an operator to approve a run. Then the run ends.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(120);
/// Default time limit of one attempt of a step.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit of one command of a driver.
pub const DRIVER_TIMEOUT: Duration = Duration::from_secs(8);
/// Interval of the reports of an agent to the controller.
pub const HEARTBEAT: Duration = Duration::from_millis(250);
/// A host is lost when nothing was received from its agent for this time.
pub const HOST_LOST: Duration = Duration::from_secs(1);
/// A holder under `probe` that reached no majority of its witnesses for this time releases the address.
pub const ISOLATION: Duration = Duration::from_secs(3);
/// Maximum term of a vote (`takeover: quorum`). A request for a longer one is refused, because a voter that starts may have
/// to wait that long.
pub const VOTE_TERM_MOST: Duration = Duration::from_secs(60);
/// Maximum resources with votes that one voter remembers. It votes about no further one until an older promise has ended.
pub const BALLOTS: usize = 4_096;
/// Interval of an agent's checks of the applications that it watches.
pub const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Maximum applications that one agent watches. More in its configuration is a diagnostic; further ones in a report are
/// ignored.
pub const WATCHED: usize = 256;
/// Default interval of an agent's measurements of its host.
pub const METRICS_EVERY: Duration = Duration::from_secs(10);
/// Minimum interval that an agent's configuration may set.
pub const METRICS_EVERY_LEAST: Duration = Duration::from_secs(1);
/// Maximum interval that an agent's configuration may set.
pub const METRICS_EVERY_MOST: Duration = Duration::from_secs(60);
/// Maximum file systems whose use one agent measures. More in its configuration is a diagnostic.
pub const MOUNTS: usize = 32;
/// Maximum metrics of one host that are accepted within a second: those of one complete measurement. Further ones are
/// dropped.
pub const METRICS_A_SECOND: usize = 64;
/// Maximum characters of the name of a mount point or a process. A longer one is a diagnostic; in a report it is ignored.
pub const REPORTED_NAME: usize = 255;
/// Maximum deadlines that are handled each at its own time when time jumps (a log that was quiet for years). The rest is
/// handled at the end of the jump, once each, and this is reported.
pub const DEADLINES_OF_A_JUMP: usize = 100_000;
/// Maximum files of one pattern that are followed. Above it, those whose names sort last are followed, and this is reported.
pub const FOLLOWED_FILES: usize = 1_000;
/// A file that became unreadable counts as unreadable after this time, because rotation of logs leaves no file for a moment.
pub const SOURCE_AWAY_AFTER: Duration = Duration::from_secs(10);
/// A metric without a new value for this time, three times the longest interval, becomes unknown.
pub const METRIC_LASTS: Duration = Duration::from_secs(180);

/// A share of the memory, in bytes: `percent` is one of the `MEMORY_*` above.
pub fn share(memory: usize, percent: usize) -> usize {
    memory / 100 * percent
}
/// Default of `journal: keep`: how long records of the journal are kept in addition to those that a start needs. Older ones
/// are removed with the next snapshot.
pub const JOURNAL_AGE: Duration = Duration::from_secs(400 * 24 * 3_600);
/// Default of `journal: size`: bytes of the journal's database above which the oldest records are removed.
pub const JOURNAL_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes of the journal's file system that the journal leaves free, or a quarter of a small one. If fewer are free, the oldest
/// records are removed before their time, and this is reported: a journal that fills its disk would end the controller.
pub const JOURNAL_DISK_FREE: u64 = 256 * 1024 * 1024;
/// Bytes of a file in the data folder that keeps room for the journal (`journal.reserve`), or half of what the journal leaves
/// free if that is less. On a full disk the file is removed, so that the controller goes on while old records are removed and
/// people make room.
pub const JOURNAL_RESERVE: u64 = 32 * 1024 * 1024;
/// Minimum of `journal: size`. A smaller one is a diagnostic.
pub const JOURNAL_BYTES_LEAST: u64 = 16 * 1024 * 1024;
/// Maximum bytes of one snapshot of the journal. A larger one is not written, and this is reported: a start then reads more
/// records.
pub const SNAPSHOT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Maximum epoch of generations: each start of a controller uses one. A journal with a higher one is refused, and so is a
/// report of an agent.
pub const EPOCH_MOST: u64 = 1 << 40;
/// Maximum epoch that a report of an agent may have, unless the journal has a higher one: half of [`EPOCH_MOST`]. The next
/// controller uses a higher epoch than any that was reported, so an agent that lies must not use up all of them. Above it, the
/// report is ignored, and this is a notice.
pub const EPOCH_REPORTED: u64 = EPOCH_MOST / 2;
/// Maximum notices of one kind per minute that are written to the journal, for `pointsman history`, and to the controller's log.
/// Further ones are counted, and the number is written.
pub const NOTICES_A_MINUTE: u32 = 120;
/// Maximum difference between the wall clock and the engine's time. Above it, the engine's time and its state are moved to
/// the wall clock.
pub const CLOCK_STEP: Duration = Duration::from_secs(1);
/// Minimum time between two such moves. Each starts the controller's decisions again, and for a few seconds no address moves from
/// a lost host. A clock that is set again and again must not prevent that for ever.
pub const CLOCK_FOLLOWED: Duration = Duration::from_secs(120);
/// Maximum pauses, silences, maintenances and drains at once. A further one is refused, and this is a notice.
pub const OVERRIDES: usize = 1_000;
/// Maximum bytes of the key in a silence. A longer one is refused.
pub const SILENCE_KEY_BYTES: usize = 8 * 1024;
/// Maximum time for which one may be set (`--for`). A longer one is refused.
pub const OVERRIDE_LASTS: Duration = Duration::from_secs(366 * 24 * 3_600);
/// Maximum comments of one active alarm that are kept. Older ones are only in the history.
pub const ALARM_COMMENTS: usize = 20;
/// Maximum runs that failed or were cancelled and can be started again (`pointsman runs retry`). Above it, the oldest cannot.
pub const RUNS_RETRIED: usize = 100;
/// Maximum time series of one metric. Further ones are left out, and the metric `pointsman_series_left_out` counts them.
pub const METRIC_SERIES: usize = 1_000;
/// Number of the newest events whose arrival is remembered for the durations of moves. A move because of an older one is not
/// measured.
pub const ARRIVALS_KEPT: usize = 8_192;
/// Maximum connections of monitoring systems. Above it, those of the source that has most are closed. One source has a quarter
/// at most.
pub const MONITORING_CONNECTIONS: usize = 64;
/// Maximum entries on the page of `dry-run --html`. Further ones are counted, and the page says so.
pub const ENTRIES_OF_A_PAGE: usize = 100_000;
/// Minimum of `journal: unwanted`. A smaller one is a diagnostic.
pub const UNWANTED_BYTES_LEAST: u64 = 1024 * 1024;
/// Maximum records that no rule wants that wait to be kept (`journal: unwanted`). Further ones are dropped and counted.
pub const UNWANTED_QUEUE: usize = 1_000;
/// Maximum of `times` in a step of a rule test: how often the step is done. A larger number is a diagnostic.
pub const STEP_TIMES: u32 = 10_000;
