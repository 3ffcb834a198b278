//! Reads `grammar/pointsman.ebnf`, the normative grammar, into productions.

use std::sync::LazyLock;

use regex::Regex;

/// The text of the grammar.
const TEXT: &str = include_str!("../../../../grammar/pointsman.ebnf");

/// The right side of a production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A word of the language or punctuation, without its quotes.
    Word(String),
    /// The name of a production, or of a terminal if it is in capitals.
    Name(String),
    /// The regular expression of a terminal.
    Pattern(String),
    Sequence(Vec<Part>),
    Choice(Vec<Part>),
    Optional(Box<Part>),
    /// At least this many times.
    Many(Box<Part>, usize),
}

/// True for the name of a terminal, which is written in capitals.
pub fn is_terminal(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// The productions as they are written: name and right side, in the order of the file.
pub fn productions() -> Vec<(&'static str, &'static str)> {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

/// Reads the right side of a production.
pub fn right_side(text: &str) -> Part {
    static TOKEN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#""(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/|[A-Za-z_]+|[()|*+?]"#).ok());
    let tokens = TOKEN.iter().flat_map(|token| token.find_iter(text)).map(|found| found.as_str()).collect();
    Reader { tokens, at: 0 }.choice()
}

struct Reader<'t> {
    tokens: Vec<&'t str>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn ahead(&self) -> Option<&'t str> {
        self.tokens.get(self.at).copied()
    }

    fn choice(&mut self) -> Part {
        let mut all = vec![self.sequence()];
        while self.ahead() == Some("|") {
            self.at += 1;
            all.push(self.sequence());
        }
        if all.len() == 1 { all.remove(0) } else { Part::Choice(all) }
    }

    fn sequence(&mut self) -> Part {
        let mut all = Vec::new();
        while let Some(token) = self.ahead().filter(|token| !matches!(*token, "|" | ")")) {
            self.at += 1;
            let part = self.part(token);
            let repeated = match self.ahead() {
                Some("?") => Part::Optional(Box::new(part)),
                Some("*") => Part::Many(Box::new(part), 0),
                Some("+") => Part::Many(Box::new(part), 1),
                _ => {
                    all.push(part);
                    continue;
                }
            };
            self.at += 1;
            all.push(repeated);
        }
        if all.len() == 1 { all.remove(0) } else { Part::Sequence(all) }
    }

    fn part(&mut self, token: &str) -> Part {
        match token.as_bytes() {
            [b'(', ..] => {
                let inner = self.choice();
                // The closing parenthesis.
                self.at += 1;
                inner
            }
            [b'"', ..] => Part::Word(token.trim_matches('"').to_owned()),
            [b'/', .., b'/'] => Part::Pattern(token[1..token.len() - 1].replace("\\/", "/")),
            _ => Part::Name(token.to_owned()),
        }
    }
}
