//! One form, compiled from its text, and what it finds.

use super::part::{FormToken, HeadFound, HeadPart, is_id, part, take};

#[derive(Clone, Debug)]
pub(super) struct Form {
    tokens: Vec<FormToken>,
    /// A text that it matches contains a `%`; few texts do.
    pub(super) has_percent: bool,
    /// The condition for the second byte, if it excludes more than the first: most texts end there.
    second: fn(u8) -> bool,
}

impl Form {
    pub(super) fn compile(form: &'static str) -> Form {
        let mut tokens = Vec::new();
        let mut rest = form;
        while let Some(c) = rest.chars().next() {
            if let Some(behind) = rest.strip_prefix("{{") {
                tokens.push(FormToken::Byte(b'{'));
                rest = behind;
                continue;
            }
            if c == '{'
                && let Some((name, behind)) = rest[1..].split_once('}')
            {
                let marked = matches!(tokens.last(), Some(FormToken::Byte(b'%' | b'#')));
                tokens.push(match part(name) {
                    Some(HeadPart::Mnemonic) if marked => FormToken::Part(HeadPart::MarkedMnemonic),
                    found => found.map_or(FormToken::Unknown, FormToken::Part),
                });
                rest = behind;
                continue;
            }
            match c {
                ' ' => tokens.push(FormToken::Blanks),
                '~' => tokens.push(FormToken::Gap),
                other => tokens.extend(other.to_string().bytes().map(FormToken::Byte)),
            }
            rest = &rest[c.len_utf8()..];
        }
        let first = tokens.iter().find(|token| !matches!(token, FormToken::Gap | FormToken::Part(HeadPart::Text)));
        let second: fn(u8) -> bool = match first {
            Some(FormToken::Part(HeadPart::Id)) => is_id,
            Some(FormToken::Part(HeadPart::Hex | HeadPart::Thread | HeadPart::Ceph)) => |b| b.is_ascii_hexdigit(),
            Some(FormToken::Part(HeadPart::Letter)) => |b| matches!(b, b' ' | b',' | b'>' | b'/' | b'!'),
            Some(FormToken::Part(HeadPart::Dashed | HeadPart::Ibm)) => |b| b.is_ascii_uppercase(),
            Some(FormToken::Part(HeadPart::Topics)) => |b| b.is_ascii_lowercase(),
            _ => |_| true,
        };
        Form { has_percent: tokens.contains(&FormToken::Byte(b'%')), tokens, second }
    }

    #[cfg(test)]
    pub(super) fn is_understood(&self) -> bool {
        let fields = self.tokens.iter().filter(|token| matches!(token, FormToken::Part(HeadPart::Field(_)))).count();
        fields <= super::part::FIELDS
            && !self.tokens.contains(&FormToken::Unknown)
            && self.tokens.contains(&FormToken::Part(HeadPart::Text))
    }

    /// True if a text that this form matches may begin with this byte.
    pub(super) fn may_begin_with(&self, byte: u8) -> bool {
        may_begin(&self.tokens, byte)
    }

    /// True if the form begins with a host and blanks.
    pub(super) fn begins_with_host(&self) -> bool {
        self.behind_host().is_some()
    }

    /// What follows a host and blanks at the beginning of the form.
    fn behind_host(&self) -> Option<&[FormToken]> {
        match &self.tokens[..] {
            [FormToken::Part(HeadPart::Host | HeadPart::Field("relay_host")), FormToken::Blanks, rest @ ..] => Some(rest),
            _ => None,
        }
    }

    /// True if this byte may follow the first blanks of such a text. Only forms that begin with a host exclude any.
    pub(super) fn may_have_behind_host(&self, byte: u8) -> bool {
        self.behind_host().is_none_or(|rest| may_begin(rest, byte))
    }

    /// True if this byte may follow the first word of such a text, or 0 its end. Only forms that begin with a word exclude any.
    pub(super) fn may_have_behind_word(&self, byte: u8) -> bool {
        let in_word = |token: &FormToken| match token {
            FormToken::Part(HeadPart::Text) => true,
            FormToken::Byte(byte) => is_word(*byte),
            FormToken::Part(part) => is_part_of_word(*part),
            _ => false,
        };
        let end = self.tokens.iter().position(|token| !in_word(token)).unwrap_or(self.tokens.len());
        match self.tokens[end..] {
            [FormToken::Byte(next), ..] => byte == next,
            [FormToken::Blanks, ..] => matches!(byte, b' ' | b'\t'),
            [FormToken::Gap, FormToken::Byte(next), ..] if !is_word(next) => byte == next || matches!(byte, b' ' | b'\t'),
            _ => true,
        }
    }

    /// True if the second byte of such a text may be this one.
    pub(super) fn may_go_on_with(&self, byte: u8) -> bool {
        (self.second)(byte)
    }

    /// Returns true, with the parts in `found`, if the text begins as the form does.
    pub(super) fn read<'a>(&self, text: &'a str, found: &mut HeadFound<'a>) -> bool {
        let mut touched = false;
        let whole = self.take(text, found, &mut touched).is_some();
        if !whole && touched {
            *found = HeadFound::default();
        }
        whole
    }

    fn take<'a>(&self, text: &'a str, found: &mut HeadFound<'a>, touched: &mut bool) -> Option<()> {
        let mut rest = text;
        for (i, token) in self.tokens.iter().enumerate() {
            match token {
                FormToken::Byte(byte) => {
                    if rest.as_bytes().first() != Some(byte) {
                        return None;
                    }
                    // A form's bytes are whole characters, so this is a boundary as soon as a whole character matched.
                    rest = rest.get(1..)?;
                }
                FormToken::Blanks | FormToken::Gap => {
                    let behind = rest.trim_start_matches([' ', '\t']);
                    if behind.len() == rest.len() && *token == FormToken::Blanks {
                        return None;
                    }
                    rest = behind;
                }
                FormToken::Part(HeadPart::Text) => {
                    found.text = rest;
                    *touched = true;
                }
                FormToken::Part(part) => {
                    rest = take(*part, &self.tokens[i + 1..], rest, found)?;
                    *touched = true;
                }
                FormToken::Unknown => return None,
            }
        }
        Some(())
    }
}

/// True for the bytes of a word, for [`Form::may_have_behind_word`].
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// True for parts that take only bytes of a word, and at least one. What such a part leaves of the word must match as well.
fn is_part_of_word(part: HeadPart) -> bool {
    matches!(
        part,
        HeadPart::Number
            | HeadPart::Process
            | HeadPart::Digits
            | HeadPart::Severity
            | HeadPart::Samba
            | HeadPart::Errpt
            | HeadPart::Level
            | HeadPart::CapitalLevel
            | HeadPart::Letter
            | HeadPart::TwoLetters
            | HeadPart::Facility
            | HeadPart::Threat
            | HeadPart::Hex
            | HeadPart::Thread
            | HeadPart::Id
            | HeadPart::Ibm
            | HeadPart::Dashed
    )
}

/// True if a text that these tokens match may begin with this byte.
fn may_begin(tokens: &[FormToken], byte: u8) -> bool {
    for token in tokens {
        return match token {
            FormToken::Gap if byte == b' ' || byte == b'\t' => true,
            FormToken::Gap | FormToken::Part(HeadPart::Text) => continue,
            FormToken::Blanks => byte == b' ' || byte == b'\t',
            FormToken::Byte(b) => *b == byte,
            // These may be missing.
            FormToken::Part(HeadPart::Leef | HeadPart::Bea) => continue,
            FormToken::Part(
                HeadPart::Number
                | HeadPart::Process
                | HeadPart::Severity
                | HeadPart::Epoch
                | HeadPart::Digits
                | HeadPart::Uptime
                | HeadPart::Clock
                | HeadPart::Samba
                | HeadPart::Errpt
                | HeadPart::Zabbix,
            ) => byte.is_ascii_digit(),
            FormToken::Part(HeadPart::Level) => b"acdefghilmnpstvw".contains(&(byte | 0x20)),
            FormToken::Part(HeadPart::Facility) => b"acdfklmnsu".contains(&(byte | 0x20)),
            FormToken::Part(HeadPart::Topics | HeadPart::Threat) => byte.is_ascii_lowercase(),
            FormToken::Part(HeadPart::Snare) => byte.is_ascii_alphabetic(),
            FormToken::Part(
                HeadPart::Letter
                | HeadPart::Capitals
                | HeadPart::CapitalLevel
                | HeadPart::TwoLetters
                | HeadPart::Php
                | HeadPart::Postgres
                | HeadPart::Ibm
                | HeadPart::Dashed,
            ) => byte.is_ascii_uppercase(),
            FormToken::Part(HeadPart::Hex | HeadPart::Thread | HeadPart::Ceph) => byte.is_ascii_hexdigit(),
            FormToken::Part(HeadPart::Id) => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            FormToken::Part(HeadPart::Mnemonic | HeadPart::MarkedMnemonic) => byte.is_ascii_alphanumeric() || byte == b'%',
            FormToken::Part(HeadPart::Stamp) => byte.is_ascii_alphanumeric() || byte == b'*' || byte == b'.',
            FormToken::Part(_) => byte > b' ',
            FormToken::Unknown => false,
        };
    }
    false
}
