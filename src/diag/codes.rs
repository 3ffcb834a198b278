//! The stable codes of diagnostics. Declared once; `grammar/codes.md` is generated from here and a test keeps it fresh.
//!
//! R: rule files. S: scripts. C: configuration and inventory. T: rule tests. Numbers are never reused.

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
            /// Error or warning.
            pub fn severity(self) -> Severity { match self { $(Code::$name => Severity::$severity),* } }
            /// What it means, in one line.
            pub fn meaning(self) -> &'static str { match self { $(Code::$name => $meaning),* } }
        }
    };
}

codes! {
    // Rule files: 001-099 syntax, 100-199 names and types, 200-299 unwise.
    RuleSyntax = "R001", Error, "the text is not what the grammar wants here";
    // Scripts.
    ScriptSyntax = "S001", Error, "the script does not parse";
    ScriptTooLarge = "S002", Error, "a script is larger than is read";
    NoReact = "S003", Error, "the script has no `fn react(alarm, event, params)`";
    TopLevel = "S004", Error, "a statement stands outside of all functions";
    BadParams = "S005", Error, "`const PARAMS` is not a map of parameter names and types";
    UnknownVariable = "S101", Error, "a variable that nothing sets";
    UnknownFunction = "S102", Error, "no function or verb has that name";
    WrongArguments = "S103", Error, "a function or verb is called with the wrong number of arguments";
    ParamNotDeclared = "S104", Error, "a parameter that `const PARAMS` does not declare";
    NameNotInInventory = "S105", Error, "a name that the inventory does not have";
    ParamUnused = "S201", Warning, "a declared parameter that the script does not use";
    // Configuration.
    ConfigSyntax = "C001", Error, "the YAML does not parse";
    FileUnreadable = "C002", Error, "a file could not be read";
    // Rule tests.
    TestSyntax = "T001", Error, "the rule test is not understood";
}
