//! The keys of both configuration files, declared once: what readers accept, the tables of the reference page, and the JSON schemas come
//! from here.

use crate::core::yaml::{KeySet, REQUIRED, ValueForm, key};

use crate::core::yaml::ValueForm::{Any, Duration, Map, Named, NamedTexts, Number, Text, Texts, TextsOrMaps, Truth, Word, Words};

const TRUST: ValueForm = Word(&["unverified", "address", "local", "authenticated"]);

/// `pointsman.yaml`.
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
            "`ask`: an operator takes changed files over; `watch`: every change of the files does",
            "`ask`",
        ),
        key("hosts", Named(&HOST), "the machines; see [hosts](#hosts)", "none"),
        key("applications", Named(&APPLICATION), "the programs; see [applications](#applications)", "none"),
        key("pairs", Named(&PAIR), "applications of which one is primary; see [pairs](#pairs)", "none"),
        key("resources", Named(&RESOURCE), "what moves; see [resources](#resources)", "none"),
        key("groups", NamedTexts, "names for several hosts or applications; see [groups](#groups)", "none"),
        key("channels", Any, "how people are notified; see [channels](#channels)", "none"),
        key("listen", Map(&LISTEN), "where logs and agents are heard; see [listen](#listen)", "nothing"),
        key("files", TextsOrMaps(&FILE), "logs that are followed; see [files](#files)", "none"),
        key("limits", Map(&LIMITS), "how much the controller may use; see [limits](#limits)", "as there"),
        key("journal", Map(&JOURNAL), "how much of the journal is kept; see [journal](#journal)", "as there"),
        key("access", Map(&ACCESS), "who may use the control socket beside root and `user`; see [access](#access)", "nobody"),
    ],
};

/// A host of `pointsman.yaml`.
pub static HOST: KeySet = KeySet {
    title: "hosts",
    keys: &[
        key("address", Text, "the host's own address, never one that moves", "none"),
        key("platform", Word(&["linux", "windows", "aix", "solaris", "other"]), "its operating system", "`linux`"),
        key("via", Word(&["agent", "ssh", "local"]), "`agent`, or `local` for the controller's own machine", "`agent`"),
        key("agent_port", Number, "the port on which its agent listens for other agents", "5751"),
        key("aliases", Texts, "other names that logs use", "none"),
        key("site", Text, "where it stands", "none"),
        key("timezone", Text, "the zone of stamps that do not say theirs", "see [files](files.md)"),
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
        key("backup", Text, "the other one", REQUIRED),
        key("standby", Word(&["hot", "warm"]), "how the backup runs", "`hot`"),
        key("resource", Text, "what follows the primary", "none"),
        key("catch_up", Word(&["move", "ask"]), "what a claim that came late does", "`move`"),
        key("says_primary", TextsOrMaps(&CLAIM), "by which records a member says that it is primary", "Genesys' ids"),
        key("says_backup", TextsOrMaps(&CLAIM), "by which records a member says that it is backup", "Genesys' ids"),
        key(
            "maintenance",
            Text,
            "a calendar of the rules: its times are [maintenance](../how-to/pause-and-maintenance.md#maintenance)",
            "none",
        ),
    ],
};

/// One way in which a member of a pair says what it is.
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
            "what must be known before another host takes it: see [how a host takes over](../explanation/takeover.md)",
            "`quorum` where it is possible",
        ),
        key("voters", Texts, "further hosts whose agents vote", "none"),
        key("on_quorum_loss", Word(&["release", "keep"]), "what a holder without a majority does", "`release`"),
        key("on_link_loss", Word(&["stay", "move"]), "what a lost link does: see [links](links.md)", "`stay`"),
        key(
            "isolation",
            Duration,
            "how long a vote lasts (`quorum`), or after how long an isolated holder gives up (`probe`)",
            "`3s`",
        ),
        key("witnesses", Texts, "addresses that a holder must reach (`probe`)", "none"),
        key("term", Duration, "how long a lease lasts (`lease`)", "`30s`"),
        key("moves", Text, "flap damping", "`4 per 10m`"),
        key("repair", Truth, "whether an address that was added or removed by hand is corrected", "`true`"),
        key("trust", TRUST, "the trust that an event needs to move it", "`address`"),
        key(
            "maintenance",
            Text,
            "a calendar of the rules: its times are [maintenance](../how-to/pause-and-maintenance.md#maintenance)",
            "none",
        ),
        key("provenance", TRUST, "what `trust` was called by earlier versions; it is read, with a warning", "none"),
    ],
};

/// A channel that is a command.
pub static CHANNEL: KeySet =
    KeySet { title: "channels", keys: &[key("command", Texts, "the program with its arguments, by its whole path", REQUIRED)] };

/// `listen`.
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
        key("timezone", Text, "the zone of stamps that do not say theirs", "see [files](files.md)"),
    ],
};

/// A followed file that is a map.
pub static FILE: KeySet = KeySet {
    title: "files",
    keys: &[
        key("path", Text, "the file, or a pattern of files", REQUIRED),
        key("host", Text, "whose records are in it, where they do not say", "none"),
        key("app", Text, "which application's records are in it, where they do not say", "none"),
        key("timezone", Text, "the zone of stamps that do not say theirs", "the machine's"),
        key("format", Text, "how a line begins, where its stamp is not read by itself", "none"),
        key("olddir", Text, "the folder that rotated files are moved to", "the folder of the log"),
    ],
};

/// `limits`.
pub static LIMITS: KeySet = KeySet {
    title: "limits",
    keys: &[key("memory", Text, "bytes that queues, buffers and alarms may take together", "`512MiB`")],
};

/// `journal`.
pub static JOURNAL: KeySet = KeySet {
    title: "journal",
    keys: &[
        key("keep", Duration, "older records are removed", "`400d`"),
        key("size", Text, "bytes from which on the oldest records are removed", "`4GiB`"),
    ],
};

/// `access`.
pub static ACCESS: KeySet = KeySet {
    title: "access",
    keys: &[
        key("viewer", Map(&ACCESS_LEVEL), "may look at everything", "nobody"),
        key("operator", Map(&ACCESS_LEVEL), "may also do what an operator does", "nobody"),
        key("administrator", Map(&ACCESS_LEVEL), "may do everything", "nobody"),
    ],
};

/// Who has a level of access.
pub static ACCESS_LEVEL: KeySet = KeySet {
    title: "access level",
    keys: &[
        key("users", Texts, "users of the controller's machine", "none"),
        key("groups", Texts, "groups of the controller's machine", "none"),
    ],
};

/// `agent.yaml`.
pub static AGENT: KeySet = KeySet {
    title: "agent.yaml",
    keys: &[
        key("host", Text, "its name in the controller's inventory", REQUIRED),
        key("controller", Text, "the controller's address and port", REQUIRED),
        key("listen", Text, "where other agents connect, or `off`", "port 5751 of every address"),
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
        key("watch", Named(&SIGN), "applications, and how each is seen to run; see [watch](#watch)", "none"),
        key("metrics", Map(&METRICS), "what is measured of the host; see [metrics](#metrics)", "none"),
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
        key("observe", Texts, "the command that shows how it is", REQUIRED),
        key("up_when", Text, "the expression that its output has when it is up", REQUIRED),
        key("down_when", Text, "the expression that its output has when it is down", REQUIRED),
    ],
};

/// How an application is seen to run.
pub static SIGN: KeySet = KeySet {
    title: "watch",
    keys: &[
        key("pid_file", Text, "the file with the number of its process", "one of the three is required"),
        key("unit", Text, "its systemd unit", "one of the three is required"),
        key("process", Text, "the name of its process", "one of the three is required"),
    ],
};

/// What an agent measures.
pub static METRICS: KeySet = KeySet {
    title: "metrics",
    keys: &[
        key("every", Duration, "how often", "`10s`"),
        key("of", Words(&["cpu", "load1", "memory_used", "swap_used", "open_files"]), "which numbers of the host", "none"),
        key("disk_used", Texts, "the mount points whose use is measured", "none"),
    ],
};
