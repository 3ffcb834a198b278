//! The verbs of scripts, declared once. The declarations determine the binding, the checks, what a restart does, who does a
//! step, the trust that it requires, and `scripts/verbs.md`.

use serde::{Deserialize, Serialize};

use super::Again;
use super::params::ParamKind;

/// What a step does. It is journaled by its name, so a verb is never removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Verb {
    /// A verb of a virtual IP.
    Vip(ResourceVerb),
    /// A verb of a load-balanced port.
    Port(ResourceVerb),
    PairSwitchover,
    HostRun,
    Notify,
    Wait,
    AlarmClear,
    /// Logs a line for people; its first argument is the level.
    Log,
    /// A verb of the values that a reaction stores.
    State(StateVerb),
}

/// A change of a resource, or a question about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceVerb {
    Up,
    Down,
    MoveTo,
    Settle,
    Owner,
    Holders,
}

/// An operation on the values that a reaction stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateVerb {
    Get,
    Set,
    Add,
    Append,
    Remove,
}

/// Who does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// The run itself: it waits, logs, or uses the values of its reaction.
    Run,
    /// The controller: planner and alarms.
    Controller,
    /// Workers beside the controller: an effect outside of Pointsman.
    Effects,
}

/// The requirement that the trust of the run's event must meet before the step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The step changes nothing outside of Pointsman's own memory and logs.
    Nothing,
    /// The resource's own (`trust` in the configuration).
    Resource,
    /// The reaction's (`trust` in the rules).
    Reaction,
}

/// The declaration of a verb.
#[derive(Debug)]
pub struct VerbDecl {
    /// Its name in steps and rule tests: `vip.up`.
    pub name: &'static str,
    /// Its names in scripts, which are the same except for `log`.
    pub calls: &'static [&'static str],
    /// Its parameters after the handle's name.
    pub params: &'static [(&'static str, ParamKind)],
    /// What it returns, in a few words.
    pub gives: &'static str,
    /// What a restart does with it when its result is unknown.
    pub again: Again,
    pub executor: Executor,
    pub requires: Requirement,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// A statement that uses it; a test runs it.
    pub example: &'static str,
}

macro_rules! verbs {
    (@calls $name:literal) => { &[$name] };
    (@calls $name:literal $($call:literal)+) => { &[$($call),+] };
    ($([$($verb:tt)+] = $name:literal $(as [$($call:literal),+])? ($($param:ident: $kind:ident),*) {
        gives: $gives:literal, again: $again:ident, executor: $executor:ident, requires: $requires:ident,
        help: $help:literal,
        example: $example:literal,
    })*) => {
        impl Verb {
            /// Every verb, in the order of the reference.
            pub const ALL: &'static [Verb] = &[$($($verb)+),*];

            /// The declaration of the verb.
            pub fn decl(self) -> &'static VerbDecl {
                match self {
                    $($($verb)+ => &VerbDecl {
                        name: $name,
                        calls: verbs!(@calls $name $($($call)+)?),
                        params: &[$((stringify!($param), ParamKind::$kind)),*],
                        gives: $gives,
                        again: Again::$again,
                        executor: Executor::$executor,
                        requires: Requirement::$requires,
                        help: $help,
                        example: $example,
                    }),*
                }
            }
        }
    };
}

impl Verb {
    /// Its name in steps and rule tests.
    pub fn name(self) -> &'static str {
        self.decl().name
    }

    /// The verb with this name in steps.
    pub fn parse(name: &str) -> Option<Verb> {
        Verb::ALL.iter().copied().find(|verb| verb.name() == name)
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Verb {
    type Error = String;

    fn try_from(name: String) -> Result<Verb, String> {
        Verb::parse(&name).ok_or_else(|| format!("this version has no verb `{name}`"))
    }
}

impl From<Verb> for String {
    fn from(verb: Verb) -> String {
        verb.name().to_owned()
    }
}

verbs! {
    [Verb::Vip(ResourceVerb::Up)] = "vip.up" (host: Host) {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The host becomes desired owner, which implies release everywhere else. The planner does the move.",
        example: "vip(\"sip_vip\").up(\"sip1\");",
    }
    [Verb::Vip(ResourceVerb::Down)] = "vip.down" (host: Host) {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The host must not hold it, unless a newer claim places it there. The desired owner stays the same.",
        example: "vip(\"sip_vip\").down(\"sip2\");",
    }
    [Verb::Vip(ResourceVerb::MoveTo)] = "vip.move_to" (host: Host) {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The same as `up`.",
        example: "vip(\"sip_vip\").move_to(\"sip2\");",
    }
    [Verb::Vip(ResourceVerb::Settle)] = "vip.settle" (within: Duration) {
        gives: "true when it is settled, false when the time has expired", again: Safe, executor: Controller, requires: Nothing,
        help: "Waits until the desired owner holds the address and no other host does.",
        example: "if !vip(\"sip_vip\").settle(\"10s\") { log.warn(\"not there yet\"); }",
    }
    [Verb::Vip(ResourceVerb::Owner)] = "vip.owner" () {
        gives: "the desired owner's name, or `()`", again: Safe, executor: Controller, requires: Nothing,
        help: "The host that should hold it.",
        example: "let owner = vip(\"sip_vip\").owner();",
    }
    [Verb::Vip(ResourceVerb::Holders)] = "vip.holders" () {
        gives: "a list of host names", again: Safe, executor: Controller, requires: Nothing,
        help: "The hosts that hold it, as their agents report now.",
        example: "let all = vip(\"sip_vip\").holders();",
    }
    [Verb::Port(ResourceVerb::Up)] = "port.up" (host: Host) {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The host becomes desired owner, which implies release everywhere else. The planner does the move.",
        example: "port(\"sip_port\").up(\"sip1\");",
    }
    [Verb::Port(ResourceVerb::Down)] = "port.down" (host: Host) {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The host must not hold it, unless a newer claim places it there. The desired owner stays the same.",
        example: "port(\"sip_port\").down(\"sip2\");",
    }
    [Verb::Port(ResourceVerb::MoveTo)] = "port.move_to" (host: Host) {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The same as `up`.",
        example: "port(\"sip_port\").move_to(\"sip2\");",
    }
    [Verb::Port(ResourceVerb::Settle)] = "port.settle" (within: Duration) {
        gives: "true when it is settled, false when the time has expired", again: Safe, executor: Controller, requires: Nothing,
        help: "Waits until the desired owner holds the address and no other host does.",
        example: "if !port(\"sip_port\").settle(\"10s\") { log.warn(\"not there yet\"); }",
    }
    [Verb::Port(ResourceVerb::Owner)] = "port.owner" () {
        gives: "the desired owner's name, or `()`", again: Safe, executor: Controller, requires: Nothing,
        help: "The host that should hold it.",
        example: "let owner = port(\"sip_port\").owner();",
    }
    [Verb::Port(ResourceVerb::Holders)] = "port.holders" () {
        gives: "a list of host names", again: Safe, executor: Controller, requires: Nothing,
        help: "The hosts that hold it, as their agents report now.",
        example: "let all = port(\"sip_port\").holders();",
    }
    [Verb::PairSwitchover] = "pair.switchover" () {
        gives: "`accepted`, `held` or `superseded`", again: Safe, executor: Controller, requires: Resource,
        help: "The pair's address goes to the host that does not own it.",
        example: "pair(\"sip\").switchover();",
    }
    [Verb::HostRun] = "host.run" (command: Text, arguments: List) {
        gives: "a map: `status`, `stdout`, `stderr`", again: Never, executor: Effects, requires: Reaction,
        help: "Runs a command on the host, without a shell: each argument is one argument.",
        example: "let done = host(\"sip1\").run(\"/usr/bin/systemctl\", [\"is-active\", \"sip\"]);",
    }
    [Verb::Notify] = "notify" (channel: Channel, text: Text) {
        gives: "nothing", again: Safe, executor: Controller, requires: Nothing,
        help: "Notifies people by a channel of the configuration; without a text (`\"\"`), of the alarm and of its end.",
        example: "notify(\"noc\", \"the address moved\");",
    }
    [Verb::Wait] = "wait" (span: Duration) {
        gives: "nothing", again: Safe, executor: Run, requires: Nothing,
        help: "Waits. The time is measured from its beginning, also across restarts.",
        example: "wait(\"2s\");",
    }
    [Verb::AlarmClear] = "alarm.clear" () {
        gives: "nothing", again: Safe, executor: Controller, requires: Nothing,
        help: "Clears the alarm that started the run.",
        example: "alarm.clear();",
    }
    [Verb::Log] = "log" as ["log.info", "log.warn", "log.error"] (text: Text) {
        gives: "nothing", again: Safe, executor: Run, requires: Nothing,
        help: "Writes a line into the log and the timeline: as information, a warning or an error.",
        example: "log.info(\"done\");",
    }
    [Verb::State(StateVerb::Get)] = "state.get" (key: Text) {
        gives: "the value, or `()`", again: Safe, executor: Run, requires: Nothing,
        help: "The value that this reaction stored under that key, in this run or an earlier one.",
        example: "let last = state.get(\"last\");",
    }
    [Verb::State(StateVerb::Set)] = "state.set" (key: Text, value: Any) {
        gives: "nothing", again: Safe, executor: Run, requires: Nothing,
        help: "Stores a value for later runs of this reaction.",
        example: "state.set(\"last\", params.host);",
    }
    [Verb::State(StateVerb::Add)] = "state.add" (key: Text, number: Number) {
        gives: "the sum", again: Safe, executor: Run, requires: Nothing,
        help: "Adds to the number that is stored under that key (0 if there is none).",
        example: "let n = state.add(\"failed\", 1);",
    }
    [Verb::State(StateVerb::Append)] = "state.append" (key: Text, value: Any) {
        gives: "how many elements the list has", again: Safe, executor: Run, requires: Nothing,
        help: "Appends to the list that is stored under that key; of more than 200 elements the oldest are removed.",
        example: "state.append(\"users\", event.user);",
    }
    [Verb::State(StateVerb::Remove)] = "state.remove" (key: Text) {
        gives: "nothing", again: Safe, executor: Run, requires: Nothing,
        help: "Removes the value.",
        example: "state.remove(\"last\");",
    }
}
