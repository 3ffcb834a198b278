//! The files of an administrator as they were accepted: the texts from which a site can be made again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileText {
    /// Its path, as it was given.
    pub name: String,
    pub text: String,
}

/// Configuration, rules and scripts, which are accepted or refused as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSnapshot {
    pub config: FileText,
    /// The rule files, in sequence.
    pub rules: Vec<FileText>,
    /// The scripts, by the name that rules use.
    pub scripts: BTreeMap<String, FileText>,
}

impl ConfigSnapshot {
    /// The length of all texts together, in bytes.
    pub fn bytes(&self) -> usize {
        let texts = self.rules.iter().chain(self.scripts.values()).chain([&self.config]);
        texts.map(|t| t.name.len() + t.text.len()).sum()
    }
}
