//! Makes a short story of a failing seed: leaves out what is not needed for the failure, then tells it line by line.

use super::scenario::Scenario;
use super::tamper::Tamper;
use super::world::{SimOutcome, play};

/// How many simulations are tried to shorten a story.
const ATTEMPTS: usize = 400;
/// How many lines of a story are shown. The last ones matter.
const LINES: usize = 80;

/// The smallest scenario found that breaks the same invariant (delta debugging: Zeller, Hildebrandt, 2002, in one pass over
/// shrinking chunks), and its outcome with the story.
pub fn shorten(scenario: &Scenario, tamper: Option<Tamper>) -> (Scenario, SimOutcome) {
    let invariant = |s: &Scenario| play(s, tamper, false).violation.map(|v| v.invariant);
    let Some(wanted) = invariant(scenario) else {
        return (scenario.clone(), play(scenario, tamper, true));
    };
    let mut best = scenario.clone();
    let mut attempts = 0;
    let mut chunk = best.acts.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        let mut shorter = false;
        while from < best.acts.len() && attempts < ATTEMPTS {
            let mut candidate = best.clone();
            candidate.acts.drain(from..(from + chunk).min(best.acts.len()));
            attempts += 1;
            if invariant(&candidate) == Some(wanted) {
                best = candidate;
                shorter = true;
            } else {
                from += chunk;
            }
        }
        if attempts >= ATTEMPTS || (chunk == 1 && !shorter) {
            break;
        }
        chunk = (chunk / 2).max(1);
    }
    let outcome = play(&best, tamper, true);
    (best, outcome)
}

/// The story as text for people.
pub fn story_text(scenario: &Scenario, outcome: &SimOutcome) -> String {
    let mut text = format!(
        "{} hosts, {} that only vote, takeover {:?}, seed {}{}\n",
        scenario.hosts,
        scenario.voters,
        scenario.takeover,
        scenario.seed,
        scenario.holder.map(|h| format!(", host{} has the address", h + 1)).unwrap_or_default()
    );
    let skipped = outcome.story.len().saturating_sub(LINES);
    if skipped > 0 {
        text.push_str(&format!("({skipped} lines before these)\n"));
    }
    for line in &outcome.story[skipped..] {
        text.push_str(line);
        text.push('\n');
    }
    match &outcome.violation {
        Some(v) => text.push_str(&format!("{} is broken: {}\n", v.invariant, v.text)),
        None => text.push_str("all is well\n"),
    }
    text
}
