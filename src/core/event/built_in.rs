//! The built-in fields of events, declared once for the compiler, the engine and the documents.

macro_rules! built_in {
    ($($name:ident = $text:literal, $meaning:literal;)*) => {
        /// A field that every event can have from its record or from the inventory. It may be absent from an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant's meaning is the text beside it")]
        pub enum BuiltIn { $($name),* }

        impl BuiltIn {
            /// Every field, in order of declaration.
            pub const ALL: &'static [BuiltIn] = &[$(BuiltIn::$name),*];
            /// The name that rules and scripts use.
            pub fn name(self) -> &'static str { match self { $(BuiltIn::$name => $text),* } }
            /// The field with that name.
            pub fn parse(name: &str) -> Option<BuiltIn> { match name { $($text => Some(BuiltIn::$name),)* _ => None } }
            /// Its meaning, in one line.
            pub fn meaning(self) -> &'static str { match self { $(BuiltIn::$name => $meaning),* } }
        }
    };
}

built_in! {
    Host = "host", "the host that the inventory knows it by, else as the record names it";
    App = "app", "the application that the inventory knows it by, else the program of the record";
    Type = "type", "the type of the application";
    Text = "text", "the message of the record, without its head";
    Level = "level", "the severity that the record states";
    Trust = "trust", "how far its sender is authenticated";
    Pid = "pid", "the process";
    Id = "id", "the event id";
    Facility = "facility", "syslog's facility, a number";
    Pair = "pair", "the pair that the application is a member of";
    Site = "site", "the site of the host";
    Time = "time", "the stamp, in UTC";
    ClaimedRole = "claimed_role", "the role that a member of a pair claims: `primary` or `backup`";
    Raw = "raw", "the record as it arrived";
    Sender = "sender", "the address that it came from";
}

impl BuiltIn {
    /// True when a capture with this name goes before the field. Otherwise such a capture is never visible.
    pub fn gives_way(self) -> bool {
        matches!(self, BuiltIn::Raw | BuiltIn::Sender)
    }

    /// The fields that go before captures with their names.
    pub fn fixed() -> impl Iterator<Item = BuiltIn> + Clone {
        BuiltIn::ALL.iter().copied().filter(|field| !field.gives_way())
    }

    /// True for the name of such a field.
    pub fn is_fixed(name: &str) -> bool {
        BuiltIn::parse(name).is_some_and(|field| !field.gives_way())
    }
}

/// Fields of events and of changes in the engine that do not come from the record, as rules and scripts name them.
pub const DERIVED: [&str; 9] = ["alarm", "by", "calendar", "cause", "count", "key", "metric", "mount", "value"];
