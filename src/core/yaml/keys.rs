//! What keys a map in a YAML file may have: what readers accept, the tables of reference pages, and the JSON schemas come from such
//! declarations.

/// What a key's value is written as.
#[derive(Clone, Copy, Debug)]
pub enum ValueForm {
    Text,
    Number,
    /// `true` or `false`.
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
    /// A text or a map with these keys, or a list of such.
    TextsOrMaps(&'static KeySet),
    /// Several forms that no short word is for; the page says which.
    Any,
}

/// A key of a map in a configuration file.
#[derive(Debug)]
pub struct KeyDecl {
    pub name: &'static str,
    pub form: ValueForm,
    /// What it says, in Markdown.
    pub meaning: &'static str,
    /// What counts without it, in Markdown; `required` when there is no such thing.
    pub default: &'static str,
}

/// The keys of one kind of map.
#[derive(Debug)]
pub struct KeySet {
    /// What the reference page calls it.
    pub title: &'static str,
    pub keys: &'static [KeyDecl],
}

impl KeySet {
    /// True when the map may have such a key.
    pub fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    /// The names of its keys, in the order of the page.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }
}

/// What stands as the default of a key that must be there.
pub const REQUIRED: &str = "required";

/// A key with its form, meaning and default.
pub(crate) const fn key(name: &'static str, form: ValueForm, meaning: &'static str, default: &'static str) -> KeyDecl {
    KeyDecl { name, form, meaning, default }
}
