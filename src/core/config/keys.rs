//! The keys of both configuration files, declared once. Readers, the tables of the reference page, and the JSON schemas use these
//! declarations.

use crate::core::yaml::{KeyDecl, KeySet, REQUIRED, ValueForm, key};

use crate::core::yaml::ValueForm::{Any, Duration, Map, Named, NamedTexts, Number, Text, Texts, TextsOrMaps, Truth, Word, Words};

const TRUST: ValueForm = Word(&["unverified", "address", "local", "authenticated"]);

/// The top level of `pointsman.yaml`.
pub static CONTROLLER: KeySet = KeySet {
    title: "pointsman.yaml",
    keys: &[
        key("rules", Texts, "rule files, or folders of them", "`rules`"),
        key("scripts", Text, "the folder of the reaction scripts", "`scripts`, if that folder exists"),
        key(
            "data",
            Text,
            "the folder of the journal and the keys",
            "`data`; `/var/lib/pointsman` for a file in `/etc/pointsman`",
        ),
        key("user", Text, "the user that the controller becomes when root starts it", "`pointsman`, if that user exists"),
        key(
            "reload",
            Word(&["ask", "watch"]),
            "`ask`: changed files are loaded when an operator asks; `watch`: changed files are loaded at once",
            "`ask`",
        ),
        key("hosts", Named(&HOST), "the machines; see [hosts](#hosts)", "none"),
        key("applications", Named(&APPLICATION), "the programs; see [applications](#applications)", "none"),
        key("pairs", Named(&PAIR), "applications of which one is primary; see [pairs](#pairs)", "none"),
        key("resources", Named(&RESOURCE), "what moves; see [resources](#resources)", "none"),
        key("groups", NamedTexts, "names for several hosts or applications; see [groups](#groups)", "none"),
        key("channels", Any, "how people are notified; see [channels](#channels)", "none"),
        key("routes", Named(&ROUTE), "who is notified of which alarms; see [routes](notifications.md#routes)", "none"),
        key("listen", Map(&LISTEN), "where the controller listens for logs and agents; see [listen](#listen)", "nothing"),
        key("files", TextsOrMaps(&FILE), "logs that are followed; see [files](#files)", "none"),
        key("limits", Map(&LIMITS), "how much the controller may use; see [limits](#limits)", "see there"),
        key("journal", Map(&JOURNAL), "how much of the journal is kept; see [journal](#journal)", "see there"),
        key(
            "access",
            Map(&ACCESS),
            "who may use the control socket in addition to root and `user`; see [access](#access)",
            "nobody",
        ),
        key(
            "metrics",
            Map(&METRICS_LISTENER),
            "where monitoring systems ask; see [metrics of the controller](#metrics-of-the-controller)",
            "nowhere",
        ),
    ],
};

/// A host of `pointsman.yaml`.
pub static HOST: KeySet = KeySet {
    title: "hosts",
    keys: &[
        key("address", Text, "the host's own address, never one that moves", "none"),
        key("platform", Word(&["linux", "windows", "aix", "solaris", "other"]), "its operating system", "`linux`"),
        key(
            "via",
            Word(&["agent", "ssh", "local"]),
            "how it is reached: `agent`; `local` for the controller's own machine; `ssh` for a host that only writes logs",
            "`agent`",
        ),
        key("agent_port", Number, "the port on which its agent listens for other agents", "5751"),
        key("aliases", Texts, "other names that logs use", "none"),
        key("site", Text, "the name of the place where the host is", "none"),
        key("timezone", Text, "the time zone of stamps that contain none", "see [files](files.md)"),
        key(
            "maintenance",
            Text,
            "a calendar of the rules: its times are [maintenance](../how-to/pause-and-maintenance.md#maintenance)",
            "none",
        ),
    ],
};

/// An application of `pointsman.yaml`.
pub static APPLICATION: KeySet = KeySet {
    title: "applications",
    keys: &[
        key("host", Text, "where it runs", REQUIRED),
        key("type", Text, "what rules select with `from type`", "empty"),
        key(
            "program",
            Text,
            "the name of the program in the logs of its host; the same program may run on several hosts",
            "none",
        ),
        key("aliases", Texts, "other names that logs use", "none"),
        key(
            "maintenance",
            Text,
            "a calendar of the rules: its times are [maintenance](../how-to/pause-and-maintenance.md#maintenance)",
            "none",
        ),
    ],
};

/// A pair of `pointsman.yaml`.
pub static PAIR: KeySet = KeySet {
    title: "pairs",
    keys: &[
        key("primary", Text, "the application that is primary as a rule", REQUIRED),
        key("backup", Text, "the other application", REQUIRED),
        key("standby", Word(&["hot", "warm"]), "how the backup runs: a note for people, which Pointsman does not use", "`hot`"),
        key("resource", Text, "the resource that follows the primary", "none"),
        key("catch_up", Word(&["move", "ask"]), "how a late claim is treated", "`move`"),
        key("says_primary", TextsOrMaps(&CLAIM), "the records by which a member claims to be primary", "Genesys' ids"),
        key("says_backup", TextsOrMaps(&CLAIM), "the records by which a member claims to be backup", "Genesys' ids"),
        key(
            "maintenance",
            Text,
            "a calendar of the rules: its times are [maintenance](../how-to/pause-and-maintenance.md#maintenance)",
            "none",
        ),
    ],
};

/// One way in which a member of a pair claims a role.
pub static CLAIM: KeySet = KeySet {
    title: "says_primary",
    keys: &[
        key("id", Text, "the id of the record", "one of the three is required"),
        key("match", Text, "an expression on its text", "one of the three is required"),
        key("pattern", Text, "a pattern of the rules", "one of the three is required"),
    ],
};

/// A resource of `pointsman.yaml`.
pub static RESOURCE: KeySet = KeySet {
    title: "resources",
    keys: &[
        key("kind", Word(&["address", "port"]), "what moves", "`address`"),
        key(
            "address",
            Text,
            "the address that moves, with the length of its prefix: `10.10.11.103/24`",
            "required for an address",
        ),
        key("port", Number, "the port that moves", "required for a port"),
        key("hosts", Any, "where it may be: each host with its interface, or `agent` for a port", REQUIRED),
        key(
            "takeover",
            Word(&["quorum", "confirmed", "probe", "lease", "forced"]),
            "what must be proved before another host takes it: see [how a host takes over](../explanation/takeover.md)",
            "`quorum` where it is possible",
        ),
        key("voters", Texts, "further hosts whose agents vote", "none"),
        key("on_quorum_loss", Word(&["release", "keep"]), "what a holder without a majority of votes does", "`release`"),
        key(
            "on_link_loss",
            Word(&["stay", "move"]),
            "what happens when the holder loses its link: see [links](links.md)",
            "`stay`",
        ),
        key(
            "isolation",
            Duration,
            "how long a vote lasts (`quorum`), or after how long an isolated holder gives up (`probe`)",
            "`3s`",
        ),
        key("witnesses", Texts, "addresses that a holder must reach (`probe`)", "none"),
        key("term", Duration, "how long a lease lasts (`lease`)", "`30s`"),
        key(
            "moves",
            Text,
            "how many moves are allowed in which time; then the resource stays where it is for a while",
            "`4 per 10m`",
        ),
        key("repair", Truth, "whether an address that was added or removed by hand is corrected", "`true`"),
        key("trust", TRUST, "the trust that an event needs to move it", "`address`"),
        key(
            "maintenance",
            Text,
            "a calendar of the rules: its times are [maintenance](../how-to/pause-and-maintenance.md#maintenance)",
            "none",
        ),
        key("provenance", TRUST, "the earlier name of `trust`; it is accepted with a warning", "none"),
    ],
};

/// A channel that is a map: one of the first six keys gives its kind.
pub static CHANNEL: KeySet = KeySet {
    title: "channels",
    keys: &[
        key("command", Texts, "a program with its arguments, by its whole path", "one of the six is required"),
        key("mail", Map(&MAIL), "people, by SMTP; see [mail](#mail)", "one of the six is required"),
        key("webhook", Map(&WEBHOOK), "an HTTP server; see [webhook](#webhook)", "one of the six is required"),
        key(
            "alertmanager",
            Map(&ALERTMANAGER),
            "Prometheus Alertmanager, API v2; see [alertmanager](#alertmanager)",
            "one of the six is required",
        ),
        key("snmp", Map(&SNMP), "a manager, by SNMP v2c; see [snmp](#snmp)", "one of the six is required"),
        key(
            "remote_syslog",
            Map(&REMOTE_SYSLOG),
            "a syslog server; see [remote_syslog](#remote_syslog)",
            "one of the six is required",
        ),
        key("title", Text, "the [template](#templates) of the title of one alarm", "`[CATEGORY] ALARM [KEY]: SUMMARY`"),
        key(
            "text",
            Text,
            "the [template](#templates) of the text of one alarm",
            "summary, times, host, application, id and text",
        ),
        key(
            "limit",
            Text,
            "how many notifications it gets at most: `30 per 10m`, or `none`",
            "`60 per 10m`; `none` for `log`, `syslog` and `alertmanager`",
        ),
        key("give_up", Duration, "how long a notification is tried", "`24h`"),
    ],
};

/// A mail server, and the people who get mail from it.
pub static MAIL: KeySet = KeySet {
    title: "mail",
    keys: &[
        key("server", Text, "its name, with a port", REQUIRED),
        key(
            "encryption",
            Word(&["starttls", "tls", "none"]),
            "STARTTLS, which the server must support, TLS from the beginning, or none; the usual ports are 587, 465 and 25",
            "`starttls`",
        ),
        key("ca", Text, "the file with the authorities of its certificate", "those of this machine"),
        key("user", Text, "the user to log in as", "no login"),
        key("password", Any, "the [secret](#secrets) to log in with; never sent without encryption", "no login"),
        key("from", Text, "the address of the sender", REQUIRED),
        key("to", Texts, "the addresses of the people", REQUIRED),
    ],
};

/// An HTTP server that gets a request for each notification.
pub static WEBHOOK: KeySet = KeySet {
    title: "webhook",
    keys: &[
        key("url", Any, "the address, or a [secret](#secrets) that has it", "required without `pagerduty` and `opsgenie`"),
        key(
            "preset",
            Word(&["slack", "teams", "mattermost", "pagerduty", "opsgenie", "ntfy"]),
            "the service whose format the body has",
            "none",
        ),
        key("body", Text, "a [template](#templates)", "the whole notification as JSON"),
        key("headers", Any, "headers by name: templates or [secrets](#secrets)", "none"),
        key(
            "key",
            Any,
            "the [secret](#secrets) by which PagerDuty, Opsgenie or ntfy identifies the sender",
            "required for PagerDuty and Opsgenie",
        ),
        key(
            "sign",
            Any,
            "the [secret](#secrets) of an HMAC-SHA256 of the body, in the header `X-Pointsman-Signature: sha256=HEX`",
            "none",
        ),
        key("ca", Text, "the file with the authorities of the server's certificate", "those of this machine"),
        key("proxy", Text, "`http://proxy.example.com:3128`", "none"),
    ],
};

/// An Alertmanager of Prometheus, by its API v2.
pub static ALERTMANAGER: KeySet = KeySet {
    title: "alertmanager",
    keys: &[
        key("url", Any, "its address, without `/api/v2`", REQUIRED),
        key("headers", Any, "headers by name: templates or [secrets](#secrets)", "none"),
        key("ca", Text, "the file with the authorities of its certificate", "those of this machine"),
        key("proxy", Text, "`http://proxy.example.com:3128`", "none"),
    ],
};

/// A manager that gets SNMP v2c notifications.
pub static SNMP: KeySet = KeySet {
    title: "snmp",
    keys: &[
        key("server", Text, "its name, with the port if that is not 162", REQUIRED),
        key("community", Any, "the community, or a [secret](#secrets) that has it", REQUIRED),
        key("inform", Truth, "the manager must confirm each notification", "`false`"),
    ],
};

/// A syslog server that gets RFC 5424 records.
pub static REMOTE_SYSLOG: KeySet = KeySet {
    title: "remote_syslog",
    keys: &[
        key("server", Text, "`udp://HOST:514`, `tcp://HOST:601` (with octet counts) or `tls://HOST:6514`", REQUIRED),
        key("ca", Text, "the file with the authorities of its certificate", "those of this machine"),
        key("facility", Text, "the name of a facility: `daemon`, `local3` ...", "`daemon`"),
    ],
};

/// Where a secret is read.
pub static SECRET: KeySet = KeySet {
    title: "a secret",
    keys: &[
        key("file", Text, "the whole path of a file; its first line is the secret", "one of the two is required"),
        key("credential", Text, "the name of a credential of systemd", "one of the two is required"),
    ],
};

/// A route of notifications.
pub static ROUTE: KeySet = KeySet {
    title: "routes",
    keys: &[
        key("to", Texts, "the channels", REQUIRED),
        key("category", Words(&["critical", "major", "minor", "none"]), "categories of alarms", "all but `none`"),
        key("alarm", Texts, "names of alarms; `*` stands for any characters", "all"),
        key("where", NamedTexts, "values that fields of the alarm or its event must have, with `*`", "any"),
        key("during", Texts, "calendars of the rules, in one of which the alarm is raised", "any time"),
        key("not_during", Texts, "calendars of the rules, in none of which it is raised", "none"),
        key("by", Texts, "alarms with the same values of these fields are one group", "`[alarm]`"),
        key("wait", Duration, "how long the first alarm of a group waits for others", "`10s`"),
        key("interval", Duration, "the least time between two notifications of a group", "`5m`"),
        key("repeat", Duration, "people are notified again of a group with an unacknowledged alarm after this time", "never"),
        key("escalate", Map(&ESCALATE), "who is notified of an alarm that was not acknowledged in time", "nobody"),
        key("cleared", Truth, "whether people are notified when alarms end", "`true`"),
    ],
};

/// Who is notified of an alarm that nobody acknowledged in time.
pub static ESCALATE: KeySet = KeySet {
    title: "escalate",
    keys: &[
        key("after", Duration, "how long after the alarm was raised", REQUIRED),
        key("to", Texts, "further channels; they are notified of the end, too", REQUIRED),
    ],
};

/// The section `listen` of `pointsman.yaml`.
pub static LISTEN: KeySet = KeySet {
    title: "listen",
    keys: &[
        key("syslog", TextsOrMaps(&LISTENER), "`udp://ADDRESS:PORT` and `tcp://ADDRESS:PORT`, or maps with a time zone", "none"),
        key("agents", Text, "where agents connect", "`0.0.0.0:5750` when a host has an agent"),
        key("privileged_senders", Truth, "a sender over TCP has the trust `address` only from a port below 1024", "`false`"),
    ],
};

/// A listener that is a map.
pub static LISTENER: KeySet = KeySet {
    title: "a listener",
    keys: &[
        key("address", Text, "`udp://ADDRESS:PORT` or `tcp://ADDRESS:PORT`", REQUIRED),
        key("timezone", Text, "the time zone of stamps that contain none", "see [files](files.md)"),
    ],
};

/// A followed file that is a map.
pub static FILE: KeySet = KeySet {
    title: "files",
    keys: &[
        key("path", Text, "the file, or a pattern of files", REQUIRED),
        key("host", Text, "the host of records that name none", "none"),
        key("app", Text, "the application of records that name none", "none"),
        key("timezone", Text, "the time zone of stamps that contain none", "the machine's"),
        key("format", Text, "how a line begins, if its stamp is not recognised without this", "none"),
        key("olddir", Text, "the folder that rotated files are moved to", "the folder of the log"),
    ],
};

/// The section `limits` of `pointsman.yaml`.
pub static LIMITS: KeySet = KeySet {
    title: "limits",
    keys: &[key("memory", Text, "bytes that queues, buffers and alarms may take together", "`512MiB`")],
};

/// The section `journal` of `pointsman.yaml`.
pub static JOURNAL: KeySet = KeySet {
    title: "journal",
    keys: &[
        key("keep", Duration, "older records are removed", "`400d`"),
        key("size", Text, "above this size in bytes the oldest records are removed", "`4GiB`"),
        key(
            "unwanted",
            Text,
            "how many bytes of records that no rule wants are kept, to try other rules with them; takes effect at a start",
            "none",
        ),
    ],
};

/// The section `access` of `pointsman.yaml`.
pub static ACCESS: KeySet = KeySet {
    title: "access",
    keys: &[
        key("viewer", Map(&ACCESS_LEVEL), "may look at everything", "nobody"),
        key("operator", Map(&ACCESS_LEVEL), "may also do what an operator does", "nobody"),
        key("administrator", Map(&ACCESS_LEVEL), "may do everything", "nobody"),
    ],
};

/// Where monitoring systems ask.
const METRICS_LISTEN: KeyDecl = key("listen", Text, "the address and port of `/metrics`, `/healthz` and `/readyz`", "nowhere");
const METRICS_TOKEN: KeyDecl = key(
    "token",
    Any,
    "the [secret](notifications.md#secrets) that a monitoring system must send; required unless the address is loopback",
    "none",
);
const METRICS_TLS: KeyDecl = key("tls", Map(&METRICS_CERTIFICATE), "the certificate to show", "no encryption");

/// The section `metrics` of `pointsman.yaml`.
pub static METRICS_LISTENER: KeySet = KeySet {
    title: "metrics of the controller",
    keys: &[
        key("listen", Text, "the address and port of `/metrics`, `/healthz` and `/readyz`", REQUIRED),
        METRICS_TOKEN,
        METRICS_TLS,
    ],
};

/// The certificate of the listener for monitoring systems.
pub static METRICS_CERTIFICATE: KeySet = KeySet {
    title: "tls of metrics",
    keys: &[
        key(
            "certificate",
            Text,
            "the whole path of the certificate with its chain (PEM); read again when it is renewed",
            REQUIRED,
        ),
        key("key", Text, "the whole path of its private key (PEM)", REQUIRED),
    ],
};

/// The users and groups that have a level of access.
pub static ACCESS_LEVEL: KeySet = KeySet {
    title: "access level",
    keys: &[
        key("users", Texts, "users of the controller's machine", "none"),
        key("groups", Texts, "groups of the controller's machine", "none"),
    ],
};

/// The top level of `agent.yaml`.
pub static AGENT: KeySet = KeySet {
    title: "agent.yaml",
    keys: &[
        key("host", Text, "its name in the controller's inventory", REQUIRED),
        key("controller", Text, "the controller's address and port", REQUIRED),
        key("listen", Text, "the address where other agents connect, or `off`", "port 5751 of every address"),
        key(
            "data",
            Text,
            "the folder of its state and keys",
            "`data`; `/var/lib/pointsman-agent` for a file in `/etc/pointsman`",
        ),
        key("user", Text, "the user that the agent becomes when root starts it", "`pointsman`, if that user exists"),
        key(
            "resources",
            Any,
            "`NAME: { address: 10.10.11.103/24, interface: eth0 }`, or [commands](../how-to/load-balanced-port.md)",
            "required, unless it only watches or votes",
        ),
        key(
            "watch",
            Named(&SIGN),
            "the applications that the agent watches, and how it sees that each runs; see [watch](#watch)",
            "none",
        ),
        key("metrics", Map(&METRICS), "what is measured, and where monitoring systems ask; see [metrics](#metrics)", "none"),
    ],
};

/// An address on an agent's own list.
pub static LOCAL_ADDRESS: KeySet = KeySet {
    title: "an address of the agent's list",
    keys: &[
        key("address", Text, "the address with the length of its prefix", REQUIRED),
        key("interface", Text, "the network interface", REQUIRED),
    ],
};

/// Commands that bring a resource up and down.
pub static COMMANDS: KeySet = KeySet {
    title: "commands",
    keys: &[
        key("up", Any, "the commands that bring it up", REQUIRED),
        key("down", Any, "the commands that bring it down", REQUIRED),
        key("observe", Texts, "the command that prints its state", REQUIRED),
        key("up_when", Text, "the expression that matches its output when the resource is up", REQUIRED),
        key("down_when", Text, "the expression that matches its output when the resource is down", REQUIRED),
    ],
};

/// How an agent sees that an application runs.
pub static SIGN: KeySet = KeySet {
    title: "watch",
    keys: &[
        key("pid_file", Text, "the file with the number of its process", "one of the three is required"),
        key("unit", Text, "its systemd unit", "one of the three is required"),
        key("process", Text, "the name of its process", "one of the three is required"),
    ],
};

/// What an agent measures of its host.
pub static METRICS: KeySet = KeySet {
    title: "metrics",
    keys: &[
        key("every", Duration, "how often", "`10s`"),
        key("of", Words(&["cpu", "load1", "memory_used", "swap_used", "open_files"]), "which metrics of the host", "none"),
        key("disk_used", Texts, "the mount points whose use is measured", "none"),
        METRICS_LISTEN,
        METRICS_TOKEN,
        METRICS_TLS,
    ],
};
