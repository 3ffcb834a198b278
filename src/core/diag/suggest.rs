//! Finds the existing name that the user probably meant.

use std::collections::BTreeSet;

/// The name nearest to `wrong`, if it is near enough for a suggestion: the edit distance with transpositions is at most a
/// third of the length, and letter case hardly counts. Among equals the first in the given order wins.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wrong.chars().count() / 3).max(1) * 2;
    known
        .into_iter()
        .map(|name| (distance(wrong, name), name))
        .filter(|(d, name)| *d <= limit && *d < name.chars().count() * 2)
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// The most names that are listed where none is near.
const LISTED: usize = 12;

/// What to write instead of `wrong`, as the end of a message: `; did you mean link?`, or else the names that there are, if they are
/// few. Empty if there are too many.
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: BTreeSet<&str> = known.into_iter().collect();
    match nearest(wrong, known.iter().copied()) {
        Some(near) => format!("; did you mean {near}?"),
        None if known.is_empty() => "; there is none".to_owned(),
        None if known.len() <= LISTED => format!(
            "; there {} {}",
            if known.len() == 1 { "is" } else { "are" },
            known.into_iter().collect::<Vec<_>>().join(", ")
        ),
        None => String::new(),
    }
}

/// The help that names what was probably meant.
pub fn did_you_mean(near: &str) -> String {
    format!("did you mean `{near}`?")
}

/// What such a help names.
pub(super) fn meant(help: &str) -> Option<&str> {
    help.strip_prefix("did you mean `")?.strip_suffix("`?")
}

/// Optimal string alignment distance times two, letter case ignored; one more where only the case differs.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return usize::from(a != b);
    }
    let a: Vec<char> = a.to_ascii_lowercase().chars().take(64).collect();
    let b: Vec<char> = b.to_ascii_lowercase().chars().take(64).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).map(|j| j * 2).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i * 2];
        for j in 1..=b.len() {
            let change = if a[i - 1] == b[j - 1] { 0 } else { 2 };
            let mut best = (rows[i - 1][j] + 2).min(row[j - 1] + 2).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 2);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, meant, nearest};

    #[test]
    fn finds_the_near_miss_and_nothing_else() {
        let known = ["critical", "major", "minor", "none"];
        assert_eq!(nearest("critcal", known), Some("critical"));
        assert_eq!(nearest("MAJOR", known), Some("major"));
        assert_eq!(nearest("mionr", known), Some("minor"));
        assert_eq!(nearest("warning", known), None);
        assert_eq!(nearest("x", ["abc", "y"]), None);
        assert_eq!(meant(&did_you_mean("a`b")), Some("a`b"));
        assert_eq!(meant("close it with }"), None);
    }
}
