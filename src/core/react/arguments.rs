//! The arguments of a reaction's script: parameters bound in the rules, arguments of the call, and the alarm.

use std::collections::BTreeMap;

use crate::core::base::limits::STEP_TIMEOUT;
use crate::core::engine::StartReactions;
use crate::core::event::Value;
use crate::core::inventory::Inventory;
use crate::core::lang::program::{self, Argument, EFFECTS_REQUIRE, Mode, Program};
use crate::core::script::ScriptCall;

use super::record::Bound;

/// Binds one call of an alarm's reaction.
///
/// # Errors
/// The argument that has no value, and why.
pub(super) fn bind(
    program: &Program,
    rules: u64,
    inventory: &Inventory,
    start: &StartReactions,
    call: &program::ReactionCall,
) -> Result<Bound, String> {
    let mut params: BTreeMap<String, Value<'static>> = BTreeMap::new();
    let reaction = program.reactions.get(&call.reaction);
    if let Some(reaction) = reaction {
        params.extend(reaction.with.iter().cloned());
    }
    for (name, argument) in &call.args {
        let value =
            evaluate(inventory, start, argument).map_err(|why| format!("`{name}` of {} has no value: {why}", call.reaction))?;
        params.insert(name.clone(), value);
    }
    Ok(Bound {
        reaction: call.reaction.clone(),
        call: ScriptCall { alarm: alarm_of(start), event: (*start.event).clone(), params },
        rules,
        timeout: reaction.map_or(STEP_TIMEOUT, |r| r.timeout),
        retry: reaction.and_then(|r| r.retry),
        requires: reaction.map_or(EFFECTS_REQUIRE, |r| r.requires),
        dry: start.mode == Mode::Dry,
    })
}

fn evaluate(inventory: &Inventory, start: &StartReactions, argument: &Argument) -> Result<Value<'static>, String> {
    let field = |name: &str| match name {
        "alarm" => Ok(Value::from(start.alarm.as_str())),
        "key" => Ok(Value::from(start.key.to_string().as_str())),
        _ => start.event.get(name).cloned().ok_or_else(|| format!("the event has no field {name}")),
    };
    match argument {
        Argument::Value(value) => Ok(value.clone()),
        Argument::Field(name) => field(name),
        Argument::PairOf(name) => {
            let app = field(name)?.to_string();
            let pair = inventory.pair_of(&app).ok_or_else(|| format!("no pair of the inventory has the application {app}"))?;
            Ok(Value::from(pair.0.as_str()))
        }
        Argument::HostOf(name) => {
            let app = field(name)?.to_string();
            let host = inventory.host_of(&app).ok_or_else(|| format!("the inventory has no application {app}"))?;
            Ok(Value::from(host.as_str()))
        }
    }
}

/// The alarm as its script sees it.
fn alarm_of(start: &StartReactions) -> BTreeMap<String, Value<'static>> {
    let mut alarm = BTreeMap::from([
        ("name".to_owned(), Value::from(start.alarm.as_str())),
        ("key".to_owned(), Value::from(start.key.to_string().as_str())),
        ("category".to_owned(), Value::from(start.category.name())),
        ("summary".to_owned(), Value::from(start.summary.as_str())),
        ("count".to_owned(), Value::Int(i64::try_from(start.count).unwrap_or(i64::MAX))),
        ("raised_at".to_owned(), Value::from(start.raised_at.to_string().as_str())),
    ]);
    let lines = start.lines.iter().map(|line| Value::from(line.as_str())).collect();
    alarm.insert("lines".to_owned(), Value::List(lines));
    let cause = start.cleared.as_ref().map_or(String::new(), ToString::to_string);
    alarm.insert("cause".to_owned(), Value::from(cause.as_str()));
    alarm
}
