//! Characters that look like others: texts from word processors and web pages have dashes, letters and blanks that nobody
//! can tell from those of the keyboard.

/// Cyrillic and Greek letters, and the Latin letter that they look like.
const LETTERS: [(&str, char); 24] = [
    ("\u{430}", 'a'),
    ("\u{435}", 'e'),
    ("\u{456}", 'i'),
    ("\u{458}", 'j'),
    ("\u{43e}\u{3bf}", 'o'),
    ("\u{440}", 'p'),
    ("\u{441}", 'c'),
    ("\u{443}", 'y'),
    ("\u{445}", 'x'),
    ("\u{455}", 's'),
    ("\u{410}\u{391}", 'A'),
    ("\u{412}\u{392}", 'B'),
    ("\u{415}\u{395}", 'E'),
    ("\u{41d}\u{397}", 'H'),
    ("\u{406}\u{399}", 'I'),
    ("\u{41a}\u{39a}", 'K'),
    ("\u{41c}\u{39c}", 'M'),
    ("\u{41e}\u{39f}", 'O'),
    ("\u{420}\u{3a1}", 'P'),
    ("\u{421}", 'C'),
    ("\u{422}\u{3a4}", 'T'),
    ("\u{425}\u{3a7}", 'X'),
    ("\u{396}", 'Z'),
    ("\u{39d}", 'N'),
];

/// The character of the keyboard that a character looks like; `None` if it cannot be seen at all. Other characters are
/// themselves.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => return None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{b4}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{2033}' => '"',
        // Forms of full width, as input methods of East Asia write them.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => LETTERS.iter().find(|(letters, _)| letters.contains(other)).map_or(other, |(_, latin)| *latin),
    })
}

/// A text in characters of the keyboard, as far as its characters look like them.
pub fn folded(text: &str) -> String {
    text.chars().filter_map(plain).collect()
}

/// Says which character of two texts, which are equal when they are [`folded`] or one within the other, is not the one that it
/// looks like: a dash for `-`. `None` if all are what they look like.
pub fn difference(wanted: &str, have: &str) -> Option<String> {
    let odd = |text: &str, other: &str| text.chars().find(|c| plain(*c) != Some(*c) && !other.contains(*c));
    let said = |c: char| match plain(c) {
        Some(like) => (format!("`{c}` (U+{:04X})", u32::from(c)), format!("`{like}`")),
        None => (format!("U+{:04X}, which cannot be seen,", u32::from(c)), "nothing".to_owned()),
    };
    if let Some(c) = odd(have, wanted) {
        let (odd, like) = said(c);
        return Some(format!("{odd} stands there, and {like} is wanted"));
    }
    let (odd, like) = said(odd(wanted, have)?);
    Some(format!("{like} stands there, and {odd} is wanted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_look_alike_are_named() {
        for (wanted, have, said) in [
            ("a - b", "a \u{2013} b", Some("`\u{2013}` (U+2013) stands there, and `-` is wanted")),
            ("failed", "f\u{430}iled", Some("`\u{430}` (U+0430) stands there, and `a` is wanted")),
            ("f\u{430}iled", "failed", Some("`a` stands there, and `\u{430}` (U+0430) is wanted")),
            ("down", "do\u{200b}wn", Some("U+200B, which cannot be seen, stands there, and nothing is wanted")),
            ("down", "down", None),
            ("gestört", "gestört", None),
        ] {
            assert_eq!(folded(wanted), folded(have));
            assert_eq!(difference(wanted, have).as_deref(), said);
        }
    }
}
