//! Secrets: read when they are needed, and kept out of every message.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::core::base::limits::SECRET_BYTES;
use crate::core::inventory::{MaybeSecret, Secret};
use crate::core::notifications::Undelivered;

use super::attempt::later;

/// The secrets that were read for one attempt, so that they can be removed from the error texts of libraries.
#[derive(Default)]
pub(super) struct Secrets {
    known: Vec<String>,
}

impl Secrets {
    /// Reads a secret: the first line of its file. An error names the file and nothing of its content.
    pub(super) fn read(&mut self, secret: &Secret) -> Result<String, Undelivered> {
        let path = match secret {
            Secret::File(path) => path.clone(),
            Secret::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => PathBuf::from(folder).join(name),
                None => {
                    let why =
                        format!("there is no credential {name}: systemd gives none (`LoadCredential={name}:FILE` in the unit)");
                    return Err(later(why));
                }
            },
        };
        let text = first_line(&path).map_err(|why| later(format!("the secret in {} can't be read: {why}", path.display())))?;
        self.known.push(text.clone());
        Ok(text)
    }

    pub(super) fn value(&mut self, value: &MaybeSecret) -> Result<String, Undelivered> {
        match value {
            MaybeSecret::Plain(text) => Ok(text.clone()),
            MaybeSecret::Secret(secret) => self.read(secret),
        }
    }

    /// The text without any of the secrets.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.known.iter().filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| {
            // A library may report only a part of a secret address.
            let path = secret.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
            let text = text.replace(secret.as_str(), "(secret)");
            match path.filter(|path| path.len() >= 4) {
                Some(path) => text.replace(path, "(secret)"),
                None => text,
            }
        })
    }
}

/// Reads a secret: the first line of its file.
///
/// # Errors
/// Returns an error text that names the file, and nothing of its content.
pub fn read_secret(secret: &Secret) -> Result<String, String> {
    Secrets::default().read(secret).map_err(|e| e.why)
}

/// True if two texts are equal. The time that this takes says nothing about where they differ.
pub fn is_same_secret(one: &str, other: &str) -> bool {
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest(one).as_ref() == digest(other).as_ref()
}

fn first_line(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    if !file.metadata().map_err(|e| e.to_string())?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut text = String::new();
    let read = file.take(SECRET_BYTES as u64 + 1).read_to_string(&mut text);
    read.map_err(|_| "it is not text (UTF-8)".to_owned())?;
    if text.len() > SECRET_BYTES {
        return Err(format!("it has more than {SECRET_BYTES} bytes"));
    }
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    match line {
        line if line.is_empty() => Err("it is empty".to_owned()),
        line if line.chars().any(char::is_control) => Err("it has control characters".to_owned()),
        line => Ok(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_from_files_and_shown_to_nobody() {
        let folder = std::env::temp_dir().join(format!("pointsman-secret-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("hook");
        std::fs::write(&path, "https://hooks.example.com/T0/B1/abcdef\n").unwrap();
        let mut secrets = Secrets::default();
        let url = secrets.read(&Secret::File(path.clone())).unwrap();
        assert_eq!(url, "https://hooks.example.com/T0/B1/abcdef");
        assert_eq!(secrets.hidden(&format!("{url}: refused")), "(secret): refused");
        assert_eq!(secrets.hidden("POST /T0/B1/abcdef: 404"), "POST /(secret): 404");
        for bad in ["", "\n", &"x".repeat(SECRET_BYTES + 1), "a\u{1}b"] {
            std::fs::write(&path, bad).unwrap();
            let why = secrets.read(&Secret::File(path.clone())).unwrap_err().why;
            assert!(why.contains("can't be read"), "{why}");
        }
        assert!(secrets.read(&Secret::File(folder.clone())).unwrap_err().why.contains("not a regular file"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
