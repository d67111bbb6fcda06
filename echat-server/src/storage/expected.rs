//! Compares the schema of a database with that of the migrations. A foreign trigger or view would act within echat's
//! own statements.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::migrate::{MIGRATIONS, migrate, pragma};
use super::open_error::OpenError;
use super::template::open_template;

/// Tables that `ANALYZE` creates for the query planner.
const STATISTICS: [&str; 2] = ["sqlite_stat1", "sqlite_stat4"];

/// Tables that Litestream creates in a database that it copies, and their statements. They have no text of a message,
/// and nothing of echat reads them.
const LITESTREAM: [(&str, &str); 2] = [
    (
        "_litestream_seq",
        "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)",
    ),
    (
        "_litestream_lock",
        "CREATE TABLE _litestream_lock (id INTEGER)",
    ),
];

/// Maps the kind and name of a schema object to its table and its statement.
type SchemaObjects = BTreeMap<(String, String), (String, Option<String>)>;

/// Refuses a database of this version whose schema differs from that of the migrations up to it.
pub(super) fn refuse_altered(db: &Connection, version: usize) -> Result<(), OpenError> {
    let (ours, found) = (schema_of(version)?, parts(db)?);
    for ((kind, name), part) in &found {
        let key = (kind.clone(), name.clone());
        match ours.get(&key) {
            None if kind == "table" && is_known(name, part.1.as_deref()) => {}
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

/// Whether a table that is not echat's was created by `SQLite` itself or by Litestream.
fn is_known(name: &str, statement: Option<&str>) -> bool {
    let is_litestream = |(table, sql)| table == name && Some(sql) == statement;
    STATISTICS.contains(&name) || LITESTREAM.into_iter().any(is_litestream)
}

/// The schema of a version: that of today is in the compiled-in database, an earlier one is built from its migrations.
fn schema_of(version: usize) -> Result<SchemaObjects, OpenError> {
    let mut db = open_template()?;
    if usize::try_from(pragma(&db, "user_version")?).ok() != Some(version) {
        db = Connection::open_in_memory()?;
        migrate(&mut db, &MIGRATIONS[..version])?;
    }
    Ok(parts(&db)?)
}

fn parts(db: &Connection) -> rusqlite::Result<SchemaObjects> {
    let mut statement = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
    })?;
    rows.collect()
}
