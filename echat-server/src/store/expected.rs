//! Whether a database holds what the migrations made, and nothing else: a trigger or a view that is
//! not ours would act with our statements.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::migrate::{MIGRATIONS, migrate};
use super::open_error::OpenError;

/// Tables that `ANALYZE` makes, for the query planner only.
const STATISTICS: [&str; 2] = ["sqlite_stat1", "sqlite_stat4"];

/// Kind and name of a part of a schema, to its table and its statement.
type Parts = BTreeMap<(String, String), (String, Option<String>)>;

/// Refuses a database of this version whose schema is not the one of the migrations so far.
pub(super) fn refuse_altered(db: &Connection, version: usize) -> Result<(), OpenError> {
    // The schema of echat's own is made anew: it takes a millisecond, and nothing else has to agree.
    let mut ours = Connection::open_in_memory()?;
    migrate(&mut ours, &MIGRATIONS[..version])?;
    let (ours, found) = (parts(&ours)?, parts(db)?);
    for ((kind, name), part) in &found {
        let key = (kind.clone(), name.clone());
        match ours.get(&key) {
            None if kind == "table" && STATISTICS.contains(&name.as_str()) => {}
            None => return Err(OpenError::Stranger(key.0, key.1)),
            Some(own) if own != part => return Err(OpenError::Altered(key.0, key.1)),
            Some(_) => {}
        }
    }
    match ours.keys().find(|key| !found.contains_key(key)) {
        Some((kind, name)) => Err(OpenError::Lacks(kind.clone(), name.clone())),
        None => Ok(()),
    }
}

fn parts(db: &Connection) -> rusqlite::Result<Parts> {
    let mut statement = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
    })?;
    rows.collect()
}
