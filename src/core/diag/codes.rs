//! The stable codes of diagnostics. They are declared once; `grammar/codes.md` is generated from here, and a test compares
//! it.
//!
//! R: rule files. S: scripts. C: configuration and inventory. T: rule tests. Numbers are never reused.

use std::fmt::Write as _;

use super::Severity;

macro_rules! codes {
    ($($name:ident = $text:literal, $severity:ident, $meaning:literal;)*) => {
        /// A stable diagnostic code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant's meaning is the text beside it")]
        pub enum Code { $($name),* }

        impl Code {
            /// Every code, in order of declaration.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
            /// The code as shown: `R001`.
            pub fn text(self) -> &'static str { match self { $(Code::$name => $text),* } }
            pub fn severity(self) -> Severity { match self { $(Code::$name => Severity::$severity),* } }
            /// Its meaning, in one line.
            pub fn meaning(self) -> &'static str { match self { $(Code::$name => $meaning),* } }
        }
    };
}

impl Code {
    /// True if it says that something else does not have a name. All places of the name are then one mistake.
    pub fn is_of_missing_name(self) -> bool {
        matches!(
            self,
            Code::UnknownPattern
                | Code::UnknownReaction
                | Code::UnknownScript
                | Code::NotInInventory
                | Code::UnknownAlarm
                | Code::UnknownGroup
                | Code::UnknownCalendar
                | Code::SenderNotInInventory
        )
    }
}

/// `grammar/codes.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Codes of diagnostics\n\nThis page is generated from the program. R: rule files, S: scripts, C: configuration, T: rule tests. A code keeps its\nmeaning from version to version. A text with an error is refused. A warning is about a text that is valid but probably a mistake.\n\n| code | | |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let severity = match code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let _ = writeln!(text, "| {} | {severity} | {} |", code.text(), code.meaning());
    }
    text
}

codes! {
    // Rule files: 001-099 syntax, 100-199 names and types, 200-299 unwise.
    RuleSyntax = "R001", Error, "the text does not match the grammar here";
    TooDeep = "R003", Error, "parentheses or `not` are nested too deeply";
    RuleFileTooLarge = "R004", Error, "a rule file is too large";
    BadText = "R005", Error, "a string or regular expression is not closed on its line, or has an unknown escape or flag";
    BadDuration = "R006", Error, "a duration has no unit, or is too large";
    Unclosed = "R007", Error, "a block is not closed";
    UnknownClause = "R008", Error, "a block has no clause of that name";
    TwoReadings = "R009", Error, "without parentheses this could be read in two ways";
    BadEventId = "R010", Error, "an event id or a range of ids is not understood";
    ReservedWord = "R011", Error, "a keyword is used where a name is expected";
    UnknownPattern = "R101", Error, "no pattern has that name";
    UnknownReaction = "R102", Error, "neither a reaction nor a script has that name";
    UnknownScript = "R103", Error, "there is no script of that name";
    UnknownParameter = "R104", Error, "the script has no such parameter";
    MissingParameter = "R105", Error, "a parameter of the script gets no value";
    ParameterTwice = "R106", Error, "a parameter gets two values";
    BadArgument = "R107", Error, "an argument is not of the type that the script declares";
    NotInInventory = "R108", Error, "an argument names something that the inventory does not have";
    DuplicateName = "R109", Error, "two alarms, patterns or reactions have the same name";
    DuplicateClause = "R110", Error, "a clause that may be given once is given twice";
    NoDetect = "R111", Error, "an alarm does not say what raises it";
    BadRegex = "R112", Error, "a regular expression is not valid";
    RegexTooLarge = "R113", Error, "a regular expression is too large";
    UnknownLevel = "R114", Error, "no level has that name";
    UnknownCategory = "R115", Error, "no category has that name";
    UnknownMode = "R116", Error, "no mode has that name";
    UnknownProvenance = "R117", Error, "no trust has that name";
    UnknownSender = "R118", Error, "the inventory has no such sender, but one with a similar name";
    CancelContradiction = "R119", Error, "two clauses about the end of an alarm contradict each other";
    KeysDiffer = "R120", Error, "`cancel when` has other keys than `detect`";
    ClauseNotHere = "R121", Error, "the clause has no meaning in this block";
    TooManyAlternatives = "R122", Error, "a condition has too many alternatives, or a `react` too many reactions";
    BadNetwork = "R123", Error, "a network is not understood";
    SampleFails = "R124", Error, "a sample is not as its pattern says";
    BadCount = "R125", Error, "a count is not within its bounds";
    NoWindow = "R126", Error, "a condition that waits for something has no time";
    UnknownAlarm = "R127", Error, "no alarm has that name";
    UnknownPiece = "R128", Error, "there is no piece of an expression of that name";
    PieceInItself = "R129", Error, "a piece of an expression contains itself";
    BadRow = "R130", Error, "the rows of an alarm do not fit it";
    BadTime = "R131", Error, "a condition has a time or a measure that is not valid for its kind";
    Cycle = "R132", Error, "a condition refers to itself";
    UnknownMetric = "R133", Error, "no agent measures that";
    UnknownGroup = "R134", Error, "the inventory has no such group or site, or it has no suitable member";
    StandsAlone = "R135", Error, "a count of group members in a state is not the whole `detect`, is not joined with states, or is not about the whole group";
    KeyRenamed = "R136", Error, "a key of `by` is renamed in a way that has no meaning";
    KeysUnknown = "R137", Error, "a condition that can be true while nothing is active has keys whose possible values are not known";
    NotJoined = "R138", Error, "a condition has both states and events, or joins states by both `and` and `or`";
    UnknownCalendar = "R140", Error, "there is no calendar of that name";
    UnknownZone = "R141", Error, "there is no time zone of that name";
    BadDate = "R142", Error, "there is no such day, or a range of days ends before it begins";
    BadHours = "R143", Error, "there is no such time of day, or a span of hours has no length";
    UnknownDay = "R144", Error, "no day of the week has that name";
    BadCron = "R145", Error, "a cron expression is not valid";
    CalendarInItself = "R146", Error, "a calendar excepts itself, perhaps by way of others";
    CalendarTooLarge = "R147", Error, "a calendar has too many clauses, or a span that is too long";
    NoCancel = "R201", Warning, "an alarm without `cancel` stays until an operator clears it";
    MatchesEverything = "R202", Warning, "a condition that every event matches";
    UnusedReaction = "R203", Warning, "a reaction that no alarm uses";
    UnusedPattern = "R204", Warning, "a pattern, or a piece of one, that nothing uses";
    HiddenCapture = "R205", Warning, "a capture has the name of a field that every event has, so it is never seen";
    NeverMatches = "R206", Warning, "a condition that no event can match";
    NoEffect = "R207", Warning, "a clause that has no effect";
    SenderNotInInventory = "R208", Warning, "a sender that the inventory does not have";
    BareField = "R209", Warning, "an unquoted word that is read as a field which nothing sets";
    EndlessWindow = "R210", Warning, "a condition of several events without a time between them";
    StandsTwice = "R211", Warning, "a list has the same entry twice";
    SameAlarm = "R212", Warning, "two alarms that differ in nothing but their names";
    Covered = "R213", Warning, "an alternative that another one includes";
    CostlyRegex = "R214", Warning, "a regular expression that costs more than necessary";
    KeyMissing = "R215", Warning, "a key of `by` that some of the events do not have";
    NeverEnds = "R216", Warning, "a `cancel when` that ends no instance";
    UnusedCapture = "R217", Warning, "a capture that nothing uses";
    TriedWithAll = "R218", Warning, "a condition whose expressions are tried with every record";
    NeverRaised = "R219", Warning, "an alarm that is raised only while another one is active which never is";
    NearlyCaptured = "R220", Warning, "a field that nothing captures, and that is nearly the name of a capture or of a field that every event has";
    UnknownField = "R221", Warning, "a field that nothing in the condition captures: it is missing unless the record has it";
    NeverLongEnough = "R222", Warning, "a silence that is longer than any period of the alarm's calendars";
    WrongWayRound = "R223", Warning, "the threshold that ends an alarm is not on the other side of the one that raises it";
    UnreadableId = "R224", Warning, "an event id that no record has";
    UnknownNotice = "R225", Warning, "an event id that no event of Pointsman itself has";
    MoreMistakes = "R226", Warning, "a rule file has more errors than are listed";
    OpenBrace = "R228", Warning, "a text for people with a brace that begins the name of a field and is not closed";
    UnusedCalendar = "R230", Warning, "a calendar that no alarm uses";
    NeverActive = "R231", Warning, "a calendar that is never active";
    CronEither = "R232", Warning, "a cron expression with a day of month and a day of week, of which either is enough";
    EffectsUntrusted = "R250", Warning, "anyone who can send a datagram can cause the effects of a reaction";
    // Codes of scripts.
    ScriptSyntax = "S001", Error, "the script does not parse";
    ScriptTooLarge = "S002", Error, "a script is too large";
    NoReact = "S003", Error, "the script has no `fn react(alarm, event, params)`";
    TopLevel = "S004", Error, "a statement is outside all functions";
    BadParams = "S005", Error, "`const PARAMS` is not a map of parameter names and types";
    UnknownVariable = "S101", Error, "a variable that nothing sets";
    UnknownFunction = "S102", Error, "no function or verb has that name";
    WrongArguments = "S103", Error, "a function or verb is called with the wrong number of arguments";
    ParamNotDeclared = "S104", Error, "a parameter that `const PARAMS` does not declare";
    NameNotInInventory = "S105", Error, "a name that the inventory does not have";
    UnknownProperty = "S106", Error, "the alarm, or what `vip`, `port`, `pair` or `host` give, has no property of that name";
    NotRunThere = "S107", Error, "a command on a host where no commands are run";
    ParamUnused = "S201", Warning, "a declared parameter that the script does not use";
    PerhapsNotRun = "S203", Warning, "a command on a host that may be one where no commands are run";
    NoSuchField = "S204", Warning, "a field of the event that nothing sets, with a name similar to one that is set";
    NameUnchecked = "S202", Warning, "a resource, pair or host whose name can't be looked up beforehand";
    // Codes of the configuration.
    ConfigSyntax = "C001", Error, "the YAML does not parse";
    FileUnreadable = "C002", Error, "a file could not be read";
    ConfigTooLarge = "C003", Error, "a configuration is too large";
    YamlNotTaken = "C004", Error, "anchors, aliases, tags and further documents of YAML are not supported";
    TooNested = "C005", Error, "the YAML is nested too deeply";
    UnknownKey = "C101", Error, "there is no key of that name here";
    DuplicateKey = "C102", Error, "a key is given twice";
    MissingKey = "C103", Error, "a required key is missing";
    WrongKind = "C104", Error, "a text, a list or a map is used where another of them is expected";
    BadValue = "C105", Error, "a value is not valid, or outside its bounds";
    DanglingName = "C106", Error, "a name that nothing in the configuration has";
    NameTaken = "C107", Error, "a name, alias or address that is already in use";
    NoSeat = "C108", Error, "a resource follows a pair to a host where it can't be";
    FewSeats = "C109", Error, "a resource can be on fewer than two hosts";
    PolicyCannotWork = "C110", Error, "a takeover policy that can't work here";
    CannotRun = "C111", Error, "something that this version cannot do";
    RouteName = "C112", Error, "a route of notifications names an alarm or a calendar that the rules do not have";
    OpenToAll = "C113", Error, "the metrics would be open to everybody who reaches the address";
    NotOnThisMachine = "C115", Error, "this machine has no such user, or no such data folder can be used on it";
    NoLog = "C116", Error, "something is followed that is not a log: a folder, a device, or a file of Pointsman itself";
    TokenInClear = "C214", Warning, "a token that crosses the network without encryption";
    Forced = "C201", Warning, "a takeover policy under which two hosts may have one address";
    NothingComesOfIt = "C202", Warning, "a setting that has no effect";
    EarlierName = "C204", Warning, "a key with the name that it had in earlier versions";
    NotCovered = "C203", Warning, "a takeover policy that does not cover a failure which another one covers here";
    NoFileMatches = "C210", Warning, "a followed file that does not exist now, or a pattern that no file matches";
    FormatUnread = "C211", Warning, "a format of stamps that reads none of the first lines of a file";
    NoOlddir = "C212", Warning, "a folder of rotated files that does not exist now";
    FollowedTwice = "C213", Warning, "a log that two entries of `files` follow";
    TemplateName = "C216", Warning, "a name in a template of a channel that nothing has, and that is similar to one that exists";
    PerhapsNotHere = "C215", Warning, "a user, a group or a permission that is missing on this machine";
    // Codes of rule tests.
    TestSyntax = "T001", Error, "the rule test is not understood";
    TestFails = "T002", Error, "a rule test of the site fails";
}
