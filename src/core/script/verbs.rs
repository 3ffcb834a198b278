//! The verbs of scripts, declared once: from here come the binding, the checker's knowledge, what a restart does, and
//! `scripts/verbs.md`.

use std::fmt::Write as _;

use super::Again;

/// What a parameter is: of a verb, or of a script (`const PARAMS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    Text,
    Number,
    /// `true` or `false`.
    Bool,
    /// A duration of the rule language, as text: `"2s"`.
    Duration,
    /// An IP address, as text.
    Address,
    /// The name of a host.
    Host,
    /// The name of an application.
    App,
    /// The name of a pair.
    Pair,
    /// The name of a resource.
    Resource,
    /// The name of a channel.
    Channel,
    List,
    Any,
}

impl ParamKind {
    pub const ALL: [ParamKind; 12] = [
        ParamKind::Text,
        ParamKind::Number,
        ParamKind::Bool,
        ParamKind::Duration,
        ParamKind::Address,
        ParamKind::Host,
        ParamKind::App,
        ParamKind::Pair,
        ParamKind::Resource,
        ParamKind::Channel,
        ParamKind::List,
        ParamKind::Any,
    ];

    /// The name that scripts use in `const PARAMS`.
    pub fn name(self) -> &'static str {
        match self {
            ParamKind::Text => "text",
            ParamKind::Number => "number",
            ParamKind::Bool => "bool",
            ParamKind::Duration => "duration",
            ParamKind::Address => "address",
            ParamKind::Host => "host",
            ParamKind::App => "app",
            ParamKind::Pair => "pair",
            ParamKind::Resource => "resource",
            ParamKind::Channel => "channel",
            ParamKind::List => "list",
            ParamKind::Any => "any",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<ParamKind> {
        ParamKind::ALL.into_iter().find(|k| k.name() == name)
    }
}

#[derive(Debug)]
pub struct VerbDecl {
    /// `vip.up`: what it is done to, and what is done; or one word.
    pub name: &'static str,
    /// Its parameters beside the handle's name.
    pub params: &'static [(&'static str, ParamKind)],
    /// What it gives, in a few words.
    pub gives: &'static str,
    /// What a restart does with it when its end is not known.
    pub again: Again,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// A statement that uses it; tried by a test.
    pub example: &'static str,
}

/// A function that gives a handle or looks something up; no step.
#[derive(Debug)]
pub struct HandleDecl {
    /// Its name: `vip`.
    pub name: &'static str,
    /// What its argument names.
    pub of: ParamKind,
    /// What it has beside verbs.
    pub properties: &'static [&'static str],
    /// What it is, in a sentence.
    pub help: &'static str,
}

pub const HANDLES: &[HandleDecl] = &[
    HandleDecl { name: "vip", of: ParamKind::Resource, properties: &["name"], help: "A virtual IP of the inventory." },
    HandleDecl { name: "port", of: ParamKind::Resource, properties: &["name"], help: "A load-balanced port of the inventory." },
    HandleDecl {
        name: "pair",
        of: ParamKind::Pair,
        properties: &["name", "primary", "backup", "primary_host", "backup_host", "vip", "port"],
        help: "A pair of the inventory: its applications, their hosts, and the `vip` or `port` that follows the primary. `other(host)` gives the other host.",
    },
    HandleDecl { name: "host", of: ParamKind::Host, properties: &["name"], help: "A host of the inventory." },
];

use ParamKind as K;

pub const VERBS: &[VerbDecl] = &[
    VerbDecl {
        name: "vip.up",
        params: &[("host", K::Host)],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The host becomes desired owner, which implies release everywhere else. The planner does the move.",
        example: "vip(\"sip_vip\").up(\"sip1\");",
    },
    VerbDecl {
        name: "vip.down",
        params: &[("host", K::Host)],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The host must not hold it, unless a newer claim wants it there. The desired owner stays who it is.",
        example: "vip(\"sip_vip\").down(\"sip2\");",
    },
    VerbDecl {
        name: "vip.move_to",
        params: &[("host", K::Host)],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The same as `up`.",
        example: "vip(\"sip_vip\").move_to(\"sip2\");",
    },
    VerbDecl {
        name: "vip.settle",
        params: &[("within", K::Duration)],
        gives: "true when it is in its place, false when the time was over",
        again: Again::Safe,
        help: "Waits until the desired owner holds the address and nobody else does.",
        example: "if !vip(\"sip_vip\").settle(\"10s\") { log.warn(\"not there yet\"); }",
    },
    VerbDecl {
        name: "vip.owner",
        params: &[],
        gives: "the desired owner's name, or `()`",
        again: Again::Safe,
        help: "Who should have it.",
        example: "let owner = vip(\"sip_vip\").owner();",
    },
    VerbDecl {
        name: "vip.holders",
        params: &[],
        gives: "a list of host names",
        again: Again::Safe,
        help: "Who has it, as far as is seen.",
        example: "let all = vip(\"sip_vip\").holders();",
    },
    VerbDecl {
        name: "port.up",
        params: &[("host", K::Host)],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The host becomes desired owner, which implies release everywhere else. The planner does the move.",
        example: "port(\"sip_port\").up(\"sip1\");",
    },
    VerbDecl {
        name: "port.down",
        params: &[("host", K::Host)],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The host must not hold it, unless a newer claim wants it there. The desired owner stays who it is.",
        example: "port(\"sip_port\").down(\"sip2\");",
    },
    VerbDecl {
        name: "port.move_to",
        params: &[("host", K::Host)],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The same as `up`.",
        example: "port(\"sip_port\").move_to(\"sip2\");",
    },
    VerbDecl {
        name: "port.settle",
        params: &[("within", K::Duration)],
        gives: "true when it is in its place, false when the time was over",
        again: Again::Safe,
        help: "Waits until the desired owner holds the address and nobody else does.",
        example: "if !port(\"sip_port\").settle(\"10s\") { log.warn(\"not there yet\"); }",
    },
    VerbDecl {
        name: "port.owner",
        params: &[],
        gives: "the desired owner's name, or `()`",
        again: Again::Safe,
        help: "Who should have it.",
        example: "let owner = port(\"sip_port\").owner();",
    },
    VerbDecl {
        name: "port.holders",
        params: &[],
        gives: "a list of host names",
        again: Again::Safe,
        help: "Who has it, as far as is seen.",
        example: "let all = port(\"sip_port\").holders();",
    },
    VerbDecl {
        name: "pair.switchover",
        params: &[],
        gives: "`accepted`, `held` or `superseded`",
        again: Again::Safe,
        help: "The pair's address goes to the host that does not own it.",
        example: "pair(\"sip\").switchover();",
    },
    VerbDecl {
        name: "host.run",
        params: &[("command", K::Text), ("arguments", K::List)],
        gives: "a map: `status`, `stdout`, `stderr`",
        again: Again::Never,
        help: "Runs a command on the host, without a shell: each argument is one argument.",
        example: "let done = host(\"sip1\").run(\"/usr/bin/systemctl\", [\"is-active\", \"sip\"]);",
    },
    VerbDecl {
        name: "notify",
        params: &[("channel", K::Channel), ("text", K::Text)],
        gives: "nothing",
        again: Again::Safe,
        help: "Tells people through a channel of the configuration; without a text (`\"\"`) of the alarm and of its end.",
        example: "notify(\"noc\", \"the address moved\");",
    },
    VerbDecl {
        name: "wait",
        params: &[("span", K::Duration)],
        gives: "nothing",
        again: Again::Safe,
        help: "Waits. The time counts from when it began, over restarts too.",
        example: "wait(\"2s\");",
    },
    VerbDecl {
        name: "alarm.clear",
        params: &[],
        gives: "nothing",
        again: Again::Safe,
        help: "Clears the alarm that started the run.",
        example: "alarm.clear();",
    },
    VerbDecl {
        name: "log.info",
        params: &[("text", K::Text)],
        gives: "nothing",
        again: Again::Safe,
        help: "Writes a line into the log and the timeline.",
        example: "log.info(\"done\");",
    },
    VerbDecl {
        name: "log.warn",
        params: &[("text", K::Text)],
        gives: "nothing",
        again: Again::Safe,
        help: "The same, as a warning.",
        example: "log.warn(\"done, but late\");",
    },
    VerbDecl {
        name: "log.error",
        params: &[("text", K::Text)],
        gives: "nothing",
        again: Again::Safe,
        help: "The same, as an error.",
        example: "log.error(\"not done\");",
    },
    VerbDecl {
        name: "state.get",
        params: &[("key", K::Text)],
        gives: "the value, or `()`",
        again: Again::Safe,
        help: "What this reaction kept under that key; it outlives the run.",
        example: "let last = state.get(\"last\");",
    },
    VerbDecl {
        name: "state.set",
        params: &[("key", K::Text), ("value", K::Any)],
        gives: "nothing",
        again: Again::Safe,
        help: "Keeps a value for later runs of this reaction.",
        example: "state.set(\"last\", params.host);",
    },
    VerbDecl {
        name: "state.add",
        params: &[("key", K::Text), ("number", K::Number)],
        gives: "the sum",
        again: Again::Safe,
        help: "Adds to the number that is kept under that key, 0 where there is none.",
        example: "let n = state.add(\"failed\", 1);",
    },
    VerbDecl {
        name: "state.append",
        params: &[("key", K::Text), ("value", K::Any)],
        gives: "how many elements the list has",
        again: Again::Safe,
        help: "Appends to the list that is kept under that key; of more than 200 elements the oldest go.",
        example: "state.append(\"users\", event.user);",
    },
    VerbDecl {
        name: "state.remove",
        params: &[("key", K::Text)],
        gives: "nothing",
        again: Again::Safe,
        help: "Keeps it no more.",
        example: "state.remove(\"last\");",
    },
];

/// The step's verb of a verb's name: the three levels of `log` are one step with the level as first argument.
pub(crate) fn step_verb(name: &'static str) -> (&'static str, Option<&'static str>) {
    match name {
        "log.info" => ("log", Some("info")),
        "log.warn" => ("log", Some("warn")),
        "log.error" => ("log", Some("error")),
        name => (name, None),
    }
}

/// What a restart does with a step of this verb when its end is not known; a verb that does not exist any more is not
/// done again.
pub fn again(verb: &str) -> Again {
    VERBS.iter().find(|v| step_verb(v.name).0 == verb).map_or(Again::Never, |v| v.again)
}

/// True when a verb is about a resource, which says itself what trust it requires.
pub fn moves_resource(verb: &str) -> bool {
    changes_outside(verb) && matches!(verb.split_once('.'), Some(("vip" | "port" | "pair", _)))
}

/// True when a verb changes something outside of Pointsman's own memory and logs: its run needs the trust that its reaction, or the
/// resource, requires. What is not known to be harmless is not.
pub fn changes_outside(verb: &str) -> bool {
    let (of, does) = verb.split_once('.').unwrap_or(("", verb));
    !matches!((of, does), ("state" | "log" | "alarm", _) | ("", "log" | "notify" | "wait") | (_, "owner" | "holders" | "settle"))
}

/// `scripts/verbs.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Verbs\n\nGenerated from the program (`pointsman verbs`); a test keeps it so. `again` says what a restart does with a step whose\nend was not seen: *safe* is done again, *ask* and *never* give the script the error `unknown: ...`, which it may catch.\n\n## Handles\n\n",
    );
    for handle in HANDLES {
        let _ = writeln!(
            text,
            "- `{}({})`: {} Properties: {}.",
            handle.name,
            handle.of.name(),
            handle.help,
            handle.properties.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ")
        );
    }
    text.push_str("- `retry(n, every, || ...)`: calls the function again, up to `n` times, `every` apart, while it throws.\n\n## Steps\n\n`trust` says whose requirement the event must meet: the resource's (`trust` in the configuration) or the reaction's (`trust` in the rules).\nBoth are `address` by default.\n\n| verb | gives | again | trust | |\n|---|---|---|---|---|\n");
    for verb in VERBS {
        let params: Vec<String> = verb.params.iter().map(|(n, k)| format!("{n}: {}", k.name())).collect();
        let trust = match changes_outside(verb.name) {
            true if moves_resource(verb.name) => "resource",
            true => "reaction",
            false => "",
        };
        let again = match verb.again {
            Again::Safe => "safe",
            Again::Ask => "ask",
            Again::Never => "never",
        };
        let _ = writeln!(text, "| `{}({})` | {} | {again} | {trust} | {} |", verb.name, params.join(", "), verb.gives, verb.help);
    }
    text.push_str("\n## Examples\n\n```rhai\n");
    for verb in VERBS {
        let _ = writeln!(text, "{}", verb.example);
    }
    text.push_str("```\n");
    text
}
