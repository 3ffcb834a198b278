//! Declarations of the keys that a map in a YAML file may have. Readers, the tables of reference pages, and the JSON schemas use
//! them.

/// How the value of a key is written.
#[derive(Clone, Copy, Debug)]
pub enum ValueForm {
    Text,
    Number,
    /// The value is `true` or `false`.
    Truth,
    /// A duration with its unit: `3s`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text, or a list of texts.
    Texts,
    /// A list of words, or one of them.
    Words(&'static [&'static str]),
    /// A map with these keys.
    Map(&'static KeySet),
    /// A list of maps with these keys.
    Maps(&'static KeySet),
    /// A map from names to maps with these keys.
    Named(&'static KeySet),
    /// A map from names to texts, or to lists of texts.
    NamedTexts,
    /// A text, or a map with these keys, or a list of such.
    TextsOrMaps(&'static KeySet),
    /// Several forms that no short word describes; the page says which.
    Any,
}

/// A key of a map in a configuration file.
#[derive(Debug)]
pub struct KeyDecl {
    pub name: &'static str,
    pub form: ValueForm,
    /// What the key means, in Markdown.
    pub meaning: &'static str,
    /// The default, in Markdown; `required` if there is none.
    pub default: &'static str,
}

/// The keys of one kind of map.
#[derive(Debug)]
pub struct KeySet {
    /// The title on the reference page.
    pub title: &'static str,
    pub keys: &'static [KeyDecl],
}

impl KeySet {
    /// True if the map may have such a key.
    pub fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    /// The names of its keys, in the sequence of the page.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }
}

/// The text in the place of the default, for a key that must be present.
pub const REQUIRED: &str = "required";

/// A key with its form, meaning and default.
pub(crate) const fn key(name: &'static str, form: ValueForm, meaning: &'static str, default: &'static str) -> KeyDecl {
    KeyDecl { name, form, meaning, default }
}
