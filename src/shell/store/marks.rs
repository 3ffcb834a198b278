//! The store of an agent: which controller it obeys, what it obeyed last, and the number of its start.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use crate::core::agent::Durable;

use super::{Error, LOG_PAGES, copied, make_room, open};

const KIND: i32 = 0x504d_6131;
const VERSION: i32 = 1;
const TABLES: &str = "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";

/// The fact that the store has a place file.
const PLACED: &str = "placed";

/// The store of an agent, open for writing.
#[derive(Debug)]
pub struct AgentStore {
    path: PathBuf,
    db: Connection,
}

impl AgentStore {
    /// Opens the store in a folder, or begins one.
    ///
    /// # Errors
    /// When another process uses it, it is damaged, it has another version, or the disk refuses.
    pub fn open(folder: &Path) -> Result<AgentStore, Error> {
        let path = folder.join("agent.db");
        let db = open(&path, KIND, VERSION, TABLES)?;
        Ok(AgentStore { path, db })
    }

    /// True if its file is a copy, which may be older than what the agent promised and obeyed.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn is_copy(&self) -> Result<bool, Error> {
        copied::is_copy(&self.path, self.fact(PLACED)?.is_some()).map_err(|e| self.cannot_tell(&e))
    }

    /// From now on its file does not count as a copy.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remember_place(&self) -> Result<(), Error> {
        copied::remember(&self.path).map_err(|e| self.cannot_tell(&e))?;
        if self.fact(PLACED)?.is_some() { Ok(()) } else { self.set(PLACED, "1") }
    }

    fn cannot_tell(&self, e: &std::io::Error) -> Error {
        Error::new(&self.path, format!("it can't be checked whether it is a copy: {e}"))
    }

    /// Makes syncs fast for a caller that will write much.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn make_room(&self) -> Result<(), Error> {
        make_room(&self.db, LOG_PAGES).map_err(|e| Error::of(&self.path, &e))
    }

    /// Reads the stored data.
    ///
    /// # Errors
    /// When it is damaged, or the disk refuses.
    pub fn load(&self) -> Result<Durable, Error> {
        match self.fact("durable")? {
            None => Ok(Durable::default()),
            Some(text) => serde_json::from_str(&text).map_err(|e| {
                Error::new(
                    &self.path,
                    format!("it is damaged ({e}); move it away, and check which host has the addresses before you start"),
                )
            }),
        }
    }

    /// Writes the data and syncs it.
    ///
    /// # Errors
    /// When the disk refuses. The caller must not act on the data then.
    pub fn save(&self, durable: &Durable) -> Result<(), Error> {
        let text = serde_json::to_string(durable)
            .map_err(|e| Error::new(&self.path, format!("the obeyed command can't be written: {e}")))?;
        self.set("durable", &text)
    }

    /// Counts a start. No two starts have the same number. It is not below `at_least`, which grows with the clock, so that a
    /// store that was lost or restored continues from there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn next_start(&self, at_least: u64) -> Result<u64, Error> {
        let last: u64 = self.fact("start")?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let next = at_least.max(last + 1);
        self.set("start", &next.to_string())?;
        Ok(next)
    }

    fn fact(&self, name: &str) -> Result<Option<String>, Error> {
        let found = self.db.query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0)).optional();
        found.map_err(|e| Error::of(&self.path, &e))
    }

    fn set(&self, name: &str, value: &str) -> Result<(), Error> {
        let set = self.db.execute("INSERT OR REPLACE INTO fact VALUES (?1, ?2)", [name, value]);
        set.map(drop).map_err(|e| Error::of(&self.path, &e))
    }
}
