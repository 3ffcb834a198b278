//! What the reference says: about words of the rule language the rows of its tables, about keys their declarations.

use crate::core::yaml::KeyDecl;

/// Pages of the reference.
const README: &str = include_str!("../../../docs/reference/rules/README.md");
const ALARMS: &str = include_str!("../../../docs/reference/rules/alarms.md");
const CONDITIONS: &str = include_str!("../../../docs/reference/rules/conditions.md");
const STATES: &str = include_str!("../../../docs/reference/rules/states.md");
const ROLES: &str = include_str!("../../../docs/reference/rules/roles.md");
const PATTERNS: &str = include_str!("../../../docs/reference/rules/patterns.md");
const CALENDARS: &str = include_str!("../../../docs/reference/rules/calendars.md");
const REACTIONS: &str = include_str!("../../../docs/reference/rules/reactions.md");

/// What the reference says about a word; `item` is the first word of the item around it.
pub(super) fn of_word(word: &str, item: &str) -> Option<String> {
    let pages: &[&str] = match item {
        "pattern" | "ignore" | "piece" | "list" => &[PATTERNS, CONDITIONS, STATES, ROLES, README],
        "reaction" => &[REACTIONS, README],
        "calendar" => &[CALENDARS, README],
        "" => &[README],
        _ => &[ALARMS, CONDITIONS, STATES, REACTIONS, ROLES, PATTERNS, CALENDARS, README],
    };
    // A row that begins with the word says more than one that only has it.
    let begins = |code: &str| code.split(|c: char| !is_word(c)).next() == Some(word);
    let has = |code: &str| code.split(|c: char| !is_word(c)).any(|w| w == word);
    [&begins as &dyn Fn(&str) -> bool, &has].into_iter().find_map(|fits| {
        pages.iter().find_map(|page| {
            let rows: Vec<String> = page.lines().filter_map(|line| row(line, fits)).take(6).collect();
            (!rows.is_empty()).then(|| rows.join("\n\n"))
        })
    })
}

/// What the reference says about a key.
pub(super) fn of_key(key: &KeyDecl) -> String {
    format!("`{}`: {}. Default: {}", key.name, key.meaning, key.default)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A row of a table as a text, if the code in its first cell fits.
fn row(line: &str, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    let cells: Vec<&str> = line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split(" | ").map(str::trim).collect();
    let (first, rest) = cells.split_first()?;
    if !first.split('`').skip(1).step_by(2).any(fits) {
        return None;
    }
    let rest: Vec<&str> = rest.iter().filter(|cell| !cell.is_empty() && !cell.starts_with('[')).copied().collect();
    match rest.as_slice() {
        [meaning, default] => Some(format!("{first}: {meaning} (default: {default})")),
        _ => Some(format!("{first}: {}", rest.join("; "))),
    }
}
