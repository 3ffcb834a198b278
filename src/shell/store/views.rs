//! The read-only views of the journal's database, for queries of people. `docs/reference/sql-views.md` describes them.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value as Json;

use super::{Error, JournalReader};

/// The statements that create all views.
const VIEWS: &str = include_str!("views.sql");

/// Creates the views in a journal's database, or replaces those of another version of the program.
pub(super) fn ensure(db: &Connection) -> rusqlite::Result<()> {
    let ours = crc32fast::hash(VIEWS.as_bytes()).to_string();
    let there: Option<String> = db.query_row("SELECT value FROM fact WHERE name = 'views'", [], |row| row.get(0)).optional()?;
    if there.as_ref() == Some(&ours) {
        return Ok(());
    }
    db.execute_batch(&format!("BEGIN IMMEDIATE; {VIEWS} INSERT OR REPLACE INTO fact VALUES ('views', '{ours}'); COMMIT"))
}

impl JournalReader {
    /// Runs one SQL statement, which can only read, and visits the rows until `each` returns false. Returns the names of the
    /// columns.
    ///
    /// # Errors
    /// When the statement is wrong or changes something, or the database cannot be read.
    pub fn query(&self, sql: &str, each: &mut dyn FnMut(&[String], Vec<Json>) -> bool) -> Result<Vec<String>, Error> {
        if sql.trim().is_empty() {
            return Err(Error::new(self.path(), "the query is empty; `pointsman journal query --help` has an example"));
        }
        let wrong = |e: rusqlite::Error| Error::new(self.path(), format!("the query fails: {e}"));
        let mut query = self.connection().prepare(sql).map_err(wrong)?;
        let columns = apart(query.column_names());
        let mut rows = query.query([]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let values: Result<Vec<Json>, _> = (0..columns.len()).map(|i| row.get_ref(i).map(json)).collect();
            if !each(&columns, values.map_err(wrong)?) {
                break;
            }
        }
        Ok(columns)
    }
}

/// The names of columns, with a number behind those that stand further to the left as well.
fn apart(names: Vec<&str>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        columns.extend(names.find(|name| !columns.contains(name)));
    }
    columns
}

fn json(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(n) => Json::from(n),
        ValueRef::Real(n) => Json::from(n),
        ValueRef::Text(text) | ValueRef::Blob(text) => Json::from(String::from_utf8_lossy(text).into_owned()),
    }
}
