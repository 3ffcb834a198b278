//! The kinds of parameters of scripts and verbs, and the handles that have verbs.

/// The kind of a parameter of a verb or of a script (`const PARAMS`).
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

    /// The kind with that name.
    pub fn parse(name: &str) -> Option<ParamKind> {
        ParamKind::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// A function that returns a handle or looks something up; it is not a step.
#[derive(Debug)]
pub struct HandleDecl {
    /// Its name: `vip`.
    pub name: &'static str,
    /// The kind of name that its argument is.
    pub of: ParamKind,
    /// Its properties, in addition to verbs.
    pub properties: &'static [&'static str],
    /// Its description, in a sentence.
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
