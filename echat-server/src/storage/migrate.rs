//! Migrations of the schema.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::open_error::OpenError;
use super::skeletons;

/// The files of the folder `migrations`, which `build.rs` lists: entry n leads from version n to n + 1. Files are added
/// and never changed.
pub(super) const MIGRATIONS: &[&str] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// "ECH2": the application id of echat's databases.
pub(super) const APPLICATION_ID: i32 = 0x4543_4832;
/// Its position in the file (https://sqlite.org/fileformat2.html, section 1.3).
pub(super) const APPLICATION_ID_AT: u64 = 68;

/// Refuses a file of a newer version; returns the version otherwise.
pub(super) fn refuse_newer(db: &Connection, migrations: &[&str]) -> Result<usize, OpenError> {
    let found = usize::try_from(pragma(db, "user_version")?).unwrap_or(usize::MAX);
    if found > migrations.len() {
        return Err(OpenError::Newer {
            found,
            known: migrations.len(),
        });
    }
    Ok(found)
}

/// Refuses a file of another version than the newest.
pub(super) fn refuse_older(db: &Connection, migrations: &[&str]) -> Result<(), OpenError> {
    let (found, known) = (refuse_newer(db, migrations)?, migrations.len());
    if found < known {
        return Err(OpenError::Older { found, known });
    }
    Ok(())
}

/// Applies the missing migrations, each in a transaction together with its number, so that a killed process leaves a
/// complete version. Foreign keys are off during it, so that a migration can rebuild a table, and are checked before
/// each commit.
pub(super) fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    skeletons::add_function(db)?;
    // This has no effect within a transaction.
    db.pragma_update(None, "foreign_keys", false)?;
    while migrate_once(db, migrations)? {}
    Ok(db.pragma_update(None, "foreign_keys", true)?)
}

/// Applies the next migration; false if there is none.
fn migrate_once(db: &mut Connection, migrations: &[&str]) -> Result<bool, OpenError> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = refuse_newer(&step, migrations)?;
    let Some(sql) = migrations.get(found) else {
        return Ok(false);
    };
    step.execute_batch(sql)?;
    let broken = step.query_row("PRAGMA foreign_key_check", [], |row| row.get(0));
    if let Some(table) = broken.optional()? {
        return Err(OpenError::Dangling(table));
    }
    step.pragma_update(None, "application_id", APPLICATION_ID)?;
    step.pragma_update(
        None,
        "user_version",
        i64::try_from(found + 1).unwrap_or(i64::MAX),
    )?;
    step.commit()?;
    Ok(true)
}

/// Reads a number from the header of the database.
pub(super) fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, name, |row| row.get(0))
}
