//! The verbs as Rhai functions: handles, their methods, and the few functions without a handle.

use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};

use crate::core::diag::suggest::nearest;
use crate::core::inventory::{Inventory, Pair};

use super::params::HANDLES;
use super::tape::Tape;
use super::value::ScriptHandle;
use super::verbs::Verb;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

fn error<T>(context: &NativeCallContext<'_>, text: impl Into<String>) -> Result<T> {
    Err(EvalAltResult::ErrorRuntime(text.into().into(), context.call_position()).into())
}

/// Registers everything that scripts may call in addition to the language's own functions.
pub(super) fn bind(engine: &mut Engine, inventory: &Arc<Inventory>) {
    engine.register_type_with_name::<ScriptHandle>("handle");
    engine.register_indexer_get(
        |context: NativeCallContext<'_>, handle: &mut ScriptHandle, property: ImmutableString| -> Result<Dynamic> {
            match handle.properties.get(property.as_str()) {
                Some(value) => Ok(value.clone()),
                None if matches!(property.as_str(), "vip" | "port") => {
                    let what = format!("{} {}", handle.kind, handle.name);
                    error(&context, format!("{what} has no `{property}`: `resource:` in the configuration gives it one"))
                }
                None => error(&context, format!("{} has no property `{property}`", handle.kind)),
            }
        },
    );
    bind_handles(engine, inventory);
    // A method's name and number of arguments is registered once, whichever handles have it.
    let mut seen: BTreeSet<(&str, usize)> = BTreeSet::new();
    for verb in Verb::ALL {
        let params = verb.decl().params.len();
        for call in verb.decl().calls {
            match call.split_once('.') {
                Some((_, method)) if seen.insert((method, params)) => bind_method(engine, method, params),
                Some(_) => {}
                None => bind_alone(engine, call, *verb, params),
            }
        }
    }
    engine.register_fn("retry", retry);
}

fn bind_method(engine: &mut Engine, method: &'static str, params: usize) {
    type C<'a> = NativeCallContext<'a>;
    match params {
        0 => engine.register_fn(method, move |c: C<'_>, h: ScriptHandle| act(&c, &h, method, vec![])),
        1 => engine.register_fn(method, move |c: C<'_>, h: ScriptHandle, a: Dynamic| act(&c, &h, method, vec![a])),
        _ => engine.register_fn(method, move |c: C<'_>, h: ScriptHandle, a: Dynamic, b: Dynamic| act(&c, &h, method, vec![a, b])),
    };
}

fn bind_alone(engine: &mut Engine, name: &'static str, verb: Verb, params: usize) {
    type C<'a> = NativeCallContext<'a>;
    match params {
        1 => engine.register_fn(name, move |c: C<'_>, a: Dynamic| step(&c, verb, vec![a])),
        _ => engine.register_fn(name, move |c: C<'_>, a: Dynamic, b: Dynamic| step(&c, verb, vec![a, b])),
    };
}

/// Calls a verb of a handle.
fn act(context: &NativeCallContext<'_>, handle: &ScriptHandle, method: &str, args: Vec<Dynamic>) -> Result<Dynamic> {
    let name = format!("{}.{method}", handle.kind);
    let called = |verb: &&Verb| verb.decl().calls.contains(&name.as_str()) && verb.decl().params.len() == args.len();
    let Some(verb) = Verb::ALL.iter().find(called) else {
        return error(context, format!("{} has no verb `{method}` with {} arguments", handle.kind, args.len()));
    };
    let mut all: Vec<Dynamic> = Vec::with_capacity(args.len() + 1);
    if *verb == Verb::Log {
        all.push(method.to_owned().into());
    } else if HANDLES.iter().any(|known| known.name == handle.kind) {
        all.push(handle.name.clone().into());
    }
    all.extend(args);
    step(context, *verb, all)
}

fn step(context: &NativeCallContext<'_>, verb: Verb, args: Vec<Dynamic>) -> Result<Dynamic> {
    match Tape::of(context) {
        Some(tape) => tape.step(verb, args, context.call_position()),
        None => error(context, "verbs work only in runs"),
    }
}

/// `retry(n, every, || ...)`: calls the closure again while it throws, at most `n` more times.
fn retry(context: NativeCallContext<'_>, times: i64, every: Dynamic, attempt: FnPtr) -> Result<Dynamic> {
    let mut left = times.max(0);
    loop {
        match attempt.call_within_context::<Dynamic>(&context, ()) {
            Err(e) if left > 0 && e.is_catchable() => {
                left -= 1;
                let _ = step(&context, Verb::Wait, vec![every.clone()])?;
            }
            result => return result,
        }
    }
}

fn bind_handles(engine: &mut Engine, inventory: &Arc<Inventory>) {
    for kind in ["vip", "port"] {
        let known = inventory.clone();
        engine.register_fn(kind, move |c: NativeCallContext<'_>, name: ImmutableString| -> Result<ScriptHandle> {
            match known.resources.get(name.as_str()) {
                Some(resource) if resource.what.handle() == kind => Ok(ScriptHandle::new(kind, &name, Map::new())),
                Some(resource) => error(&c, format!("{name} is no {kind}: write {}(\"{name}\")", resource.what.handle())),
                None => unknown(&c, "resource", &name, known.resources.keys()),
            }
        });
    }
    let known = inventory.clone();
    engine.register_fn("host", move |c: NativeCallContext<'_>, name: ImmutableString| -> Result<ScriptHandle> {
        match known.host(&name) {
            Some((name, _)) => Ok(ScriptHandle::new("host", name, Map::new())),
            None => unknown(&c, "host", &name, known.hosts.keys()),
        }
    });
    let known = inventory.clone();
    engine.register_fn("pair", move |c: NativeCallContext<'_>, name: ImmutableString| -> Result<ScriptHandle> {
        match known.pairs.get(name.as_str()) {
            Some(pair) => Ok(ScriptHandle::new("pair", &name, properties(&known, pair))),
            None => unknown(&c, "pair", &name, known.pairs.keys()),
        }
    });
    engine.register_fn("other", |c: NativeCallContext<'_>, pair: ScriptHandle, host: ImmutableString| -> Result<Dynamic> {
        let of = |key: &str| pair.properties.get(key).cloned().unwrap_or_default();
        let (a, b) = (of("primary_host"), of("backup_host"));
        if a.to_string() == host.as_str() {
            Ok(b)
        } else if b.to_string() == host.as_str() {
            Ok(a)
        } else {
            error(&c, format!("{host} is not a host of the pair {}", pair.name))
        }
    });
}

fn properties(inventory: &Inventory, pair: &Pair) -> Map {
    let host = |app: &str| inventory.host_of(app).cloned().map_or(Dynamic::UNIT, Dynamic::from);
    let mut map = Map::new();
    map.insert("primary".into(), pair.primary.clone().into());
    map.insert("backup".into(), pair.backup.clone().into());
    map.insert("primary_host".into(), host(&pair.primary));
    map.insert("backup_host".into(), host(&pair.backup));
    if let Some(resource) = &pair.resource {
        let kind = inventory.resources.get(resource).map_or("vip", |r| r.what.handle());
        map.insert(kind.into(), Dynamic::from(ScriptHandle::new(kind, resource, Map::new())));
    }
    map
}

fn unknown<'a, T>(c: &NativeCallContext<'_>, what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Result<T> {
    let near = nearest(name, known.map(String::as_str)).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    error(c, format!("the inventory has no {what} `{name}`{near}"))
}
