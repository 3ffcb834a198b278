//! Evaluates scripts: a pure function from (script, call, history) to what is next.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, LanguageCorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Map, OptimizationLevel, ParseError, Scope};

use crate::core::diag::{Code, Diagnostic, Source};
use crate::core::event::Value;
use crate::core::inventory::Inventory;

use super::bind::bind;
use super::tape::Tape;
use super::value::{ScriptHandle, from_dynamic, to_dynamic};
use super::{FinishedStep, Next, ScriptCall};

/// Maximum operations of one evaluation; a reaction needs a few hundred.
const OPERATIONS: u64 = 100_000;
const CALL_LEVELS: usize = 32;
/// Maximum nesting of expressions, at the top level and in functions.
const EXPRESSION_DEPTH: usize = 32;
/// Maximum bytes of one text.
const TEXT: usize = 64 * 1024;
/// Maximum elements of one list or map, nested ones included. The library walks nested data by recursion; at this depth it
/// stays within two megabytes of stack, which is the size that threads have.
const ELEMENTS: usize = 200;
/// Maximum variables and functions of one script.
const VARIABLES: usize = 1_000;
const FUNCTIONS: usize = 200;

/// A compiled script. It keeps its text: a run ends with the script that it began with.
#[derive(Debug)]
pub struct Compiled {
    ast: AST,
    pub source: Arc<Source>,
}

impl Compiled {
    pub(super) fn ast(&self) -> &AST {
        &self.ast
    }
}

/// Evaluates scripts against one inventory.
pub struct Evaluator {
    engine: Engine,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Evaluator")
    }
}

impl Evaluator {
    /// An evaluator with all limits set, in which scripts can reach only the verbs.
    pub fn new(inventory: Arc<Inventory>) -> Evaluator {
        let mut engine = Engine::new_raw();
        LanguageCorePackage::new().register_into_engine(&mut engine);
        ArithmeticPackage::new().register_into_engine(&mut engine);
        BasicStringPackage::new().register_into_engine(&mut engine);
        BasicIteratorPackage::new().register_into_engine(&mut engine);
        BasicFnPackage::new().register_into_engine(&mut engine);
        LogicPackage::new().register_into_engine(&mut engine);
        BasicMathPackage::new().register_into_engine(&mut engine);
        BasicArrayPackage::new().register_into_engine(&mut engine);
        BasicMapPackage::new().register_into_engine(&mut engine);
        MoreStringPackage::new().register_into_engine(&mut engine);
        engine
            .set_optimization_level(OptimizationLevel::None)
            .set_max_operations(OPERATIONS)
            .set_max_call_levels(CALL_LEVELS)
            .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH)
            .set_max_string_size(TEXT)
            .set_max_array_size(ELEMENTS)
            .set_max_map_size(ELEMENTS)
            .set_max_variables(VARIABLES)
            .set_max_functions(FUNCTIONS)
            .set_max_modules(0)
            .set_allow_shadowing(true);
        for word in ["eval", "import", "export", "print", "debug"] {
            engine.disable_symbol(word);
        }
        // The core package has a `sleep` that blocks the thread.
        fn no_sleep<T>(_: T) -> Result<(), Box<EvalAltResult>> {
            Err("`sleep` is not a verb; use wait(\"2s\")".into())
        }
        engine.register_fn("sleep", no_sleep::<i64>);
        engine.register_fn("sleep", no_sleep::<f64>);
        engine.on_print(|_| {}).on_debug(|_, _, _| {});
        bind(&mut engine, &inventory);
        resolve(&mut engine);
        Evaluator { engine }
    }

    /// Compiles a script.
    ///
    /// # Errors
    /// A mistake in its syntax, with its place. [`super::check()`] finds other mistakes.
    pub fn compile(&self, source: &Arc<Source>) -> Result<Arc<Compiled>, Diagnostic> {
        match self.engine.compile(super::escapes::expand(&source.text).0) {
            Ok(ast) => Ok(Arc::new(Compiled { ast, source: source.clone() })),
            Err(e) => Err(syntax(source, &e)),
        }
    }

    /// What the script does next, given what it did.
    pub fn next(&self, script: &Compiled, call: &ScriptCall, history: &[FinishedStep]) -> Next {
        let tape = Tape::new(history);
        let mut alarm = map(&call.alarm);
        alarm.entry("name".into()).or_insert_with(|| String::new().into());
        let alarm = ScriptHandle::new("alarm", "", alarm);
        let arguments = (Dynamic::from(alarm), Dynamic::from(map(&call.event)), Dynamic::from(map(&call.params)));
        let options = CallFnOptions::new().eval_ast(false).with_tag(tape.clone());
        let result = self.engine.call_fn_with_options::<Dynamic>(options, &mut Scope::new(), &script.ast, "react", arguments);
        let played = tape.played();
        if let Some(why) = played.differs {
            return Next::Failed(why);
        }
        if let Some(step) = played.wanted {
            return Next::Step(step);
        }
        match result {
            Ok(_) if played.left > 0 => Next::Failed(format!(
                "it ended before {} recorded steps: the script is not a function of its arguments",
                played.left
            )),
            Ok(value) => Next::Finished(from_dynamic(&value)),
            Err(e) => Next::Failed(explain(&e)),
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// Makes `state` and `log` visible everywhere, also in helper functions, which see no variable of their caller.
#[allow(deprecated, reason = "the library marks this call volatile; it has no other for what functions see")]
fn resolve(engine: &mut Engine) {
    let state = ScriptHandle::new("state", "", Map::new());
    let log = ScriptHandle::new("log", "", Map::new());
    engine.on_var(move |name, _, _| {
        Ok(match name {
            "state" => Some(Dynamic::from(state.clone())),
            "log" => Some(Dynamic::from(log.clone())),
            _ => None,
        })
    });
}

fn map(values: &BTreeMap<String, Value<'static>>) -> Map {
    values.iter().map(|(k, v)| (k.as_str().into(), to_dynamic(v))).collect()
}

/// An error of a script, as a text for an administrator.
fn explain(error: &EvalAltResult) -> String {
    let mut inner = error;
    let mut place = error.position();
    while let EvalAltResult::ErrorInFunctionCall(_, _, within, _) = inner {
        inner = within;
        if !inner.position().is_none() {
            place = inner.position();
        }
    }
    let words = match inner {
        EvalAltResult::ErrorTooManyOperations(_) => format!("it took more than {OPERATIONS} operations; an endless loop?"),
        EvalAltResult::ErrorStackOverflow(_) => format!("functions called each other more than {CALL_LEVELS} deep"),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            format!("a value grew too large ({what}): texts have at most {TEXT} bytes, lists and maps {ELEMENTS} elements")
        }
        EvalAltResult::ErrorRuntime(value, _) => value.to_string(),
        other => {
            let mut other = other.to_string();
            if let Some(at) = other.rfind(" (line ") {
                other.truncate(at);
            }
            other
        }
    };
    match place.line() {
        Some(line) => format!("{words} (line {line})"),
        None => words,
    }
}

fn syntax(source: &Arc<Source>, error: &ParseError) -> Diagnostic {
    let words = error.err_type().to_string();
    let found = Diagnostic::new(
        Code::ScriptSyntax,
        super::escapes::place(source, error.position(), 1),
        format!("the script does not parse: {words}"),
    );
    let helps = [
        ("'print'", "write log.info(text)"),
        ("'debug'", "write log.info(text)"),
        ("'eval'", "a script cannot run text as code: write a function"),
        ("'import'", "a script is one file: copy functions that several scripts need"),
        ("'while'", "write loops as `while condition { ... }`; to wait, write wait(\"2s\")"),
        ("'='", "to compare, write `==`"),
    ];
    match helps.into_iter().find(|(word, _)| words.contains(word)) {
        Some((_, help)) => found.help(help),
        None => found,
    }
}
