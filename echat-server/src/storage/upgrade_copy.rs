//! The copy of a database that is made before it is upgraded: `database.db.before-5` beside `database.db` is the
//! database as version 5 of the schema left it.
//!
//! * The copy is written under another name, synced and renamed, so a file of this name is complete.
//! * An upgrade that was interrupted goes on with the copy that it made, also if it reached a version in between.
//! * A copy of other data, from an upgrade of another day, is never replaced: the new one gets a number behind its
//!   name.
//! * Until the copy is durable, the database is unchanged. It is made only if the disk has room for the upgrade too.
//!
//! Without room for both (twice the database and 2 MiB) the server does not start (exit code 73), and nothing is
//! changed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use echat_system::{free_space, private_file};
use rusqlite::{Connection, ErrorCode};

use super::backup::{CopyError, copy_database, mark_without_log, open_beside, open_copy};
use super::failure::is_no_room;
use super::migrate::{MIGRATIONS, pragma, refuse_newer};
use super::open_error::OpenError;

/// Copies of one version that are kept beside each other at most.
const COPIES: u32 = 100;

/// Bytes that the upgrade of a small database takes besides its copy: new tables and indexes have pages in the log and
/// in the database, and each page of the log is a page of the database too.
const NEW_TABLES: u64 = 2 * 1024 * 1024;

/// What tells two states of a database apart: the newest user, conversation and message. The ids of deleted ones are
/// not given out again, and no migration changes the newest.
type NewestRows = (i64, i64, i64);

/// What the next start does to a database.
#[derive(Debug)]
pub struct Upgrade {
    /// The version of the database.
    pub found: usize,
    /// The version that this program upgrades to.
    pub known: usize,
    /// How; `None` if there is nothing to upgrade.
    pub plan: Option<UpgradePlan>,
}

/// The copy from before an upgrade, and the room that both take.
#[derive(Debug)]
pub struct UpgradePlan {
    /// The copy.
    pub copy: PathBuf,
    /// Whether an interrupted upgrade has made it.
    pub is_made: bool,
    /// Bytes that the copy takes if it is not made, and at most those that the upgrade takes.
    pub needed: u64,
    /// Bytes that are free.
    pub free: u64,
}

/// What the next start does to the database at `path`. A server may be using it, and nothing is changed.
///
/// # Errors
/// The file is no database of echat, or one of a newer version.
pub fn upgrade_of(path: &Path) -> Result<Upgrade, OpenError> {
    let db = open_beside(path)?;
    plan(&db, path)
}

fn plan(db: &Connection, path: &Path) -> Result<Upgrade, OpenError> {
    let found = refuse_newer(db, MIGRATIONS)?;
    let known = MIGRATIONS.len();
    // A database without tables has nothing to copy.
    let plan = if found == 0 || found == known {
        None
    } else {
        let (copy, is_made) = name_copy(db, path, found)?;
        let free = free_bytes(path).map_err(|error| OpenError::Copy {
            path: copy.clone(),
            source: Box::new(CopyError::Sync(error)),
        })?;
        let size = bytes(db)?;
        let needed = if is_made { 0 } else { size } + size + NEW_TABLES;
        Some(UpgradePlan {
            copy,
            is_made,
            needed,
            free,
        })
    };
    Ok(Upgrade { found, known, plan })
}

/// The name of the copy, and whether it is made already.
fn name_copy(db: &Connection, path: &Path, version: usize) -> Result<(PathBuf, bool), OpenError> {
    let state = state(db)?;
    let earlier = (1..=version).flat_map(|version| names(path, version));
    let is_ours = |copy: &PathBuf| state_of_copy(copy) == Some(state);
    if let Some(copy) = earlier.filter(|copy| copy.exists()).find(is_ours) {
        return Ok((copy, true));
    }
    // What is no complete copy is not worth keeping.
    let is_free = |copy: &PathBuf| state_of_copy(copy).is_none();
    let copy = names(path, version).find(is_free);
    Ok((copy.ok_or(OpenError::Copies(COPIES))?, false))
}

/// Makes sure that there is a copy of the database at `path`, which `db` has open, if migrations are about to change
/// it.
///
/// # Errors
/// The disk has no room for the copy and the upgrade, or the copy cannot be made. Nothing is changed.
pub(super) fn copy_before_upgrade(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let Some(plan) = plan(db, path)?.plan else {
        return Ok(());
    };
    if plan.needed > plan.free {
        return Err(plan.no_room());
    }
    let copy = plan.copy.display();
    if plan.is_made {
        tracing::info!("the copy from before the upgrade is there: {copy}");
    } else {
        make(path, &plan)?;
        tracing::info!("copied the database before its upgrade: {copy}");
    }
    Ok(())
}

/// The names of copies of a version: `database.db.before-5`, `database.db.before-5.2` and so on.
fn names(database: &Path, version: usize) -> impl Iterator<Item = PathBuf> {
    let first = private_file::beside(database, format!("before-{version}"));
    let others = (2..=COPIES).map({
        let first = first.clone();
        move |number| private_file::beside(&first, number.to_string())
    });
    std::iter::once(first).chain(others)
}

fn state(db: &Connection) -> rusqlite::Result<NewestRows> {
    let sql = "SELECT (SELECT max(id) FROM users), (SELECT max(id) FROM conversations),
                      (SELECT max(id) FROM messages)";
    let number = |id: Option<i64>| id.unwrap_or(0);
    db.query_row(sql, [], |row| {
        Ok((
            number(row.get(0)?),
            number(row.get(1)?),
            number(row.get(2)?),
        ))
    })
}

/// The state that a complete copy has; `None` for anything else. Its file is as long as its header says.
fn state_of_copy(copy: &Path) -> Option<NewestRows> {
    let length = copy.symlink_metadata().ok()?.len();
    let db = open_copy(copy).ok()?;
    (bytes(&db).ok()? == length).then(|| state(&db).ok())?
}

fn bytes(db: &Connection) -> rusqlite::Result<u64> {
    let pages = u64::try_from(pragma(db, "page_count")?).unwrap_or(0);
    Ok(pages * u64::try_from(pragma(db, "page_size")?).unwrap_or(0))
}

impl UpgradePlan {
    fn no_room(&self) -> OpenError {
        OpenError::NoRoom {
            path: self.copy.clone(),
            needed: self.needed,
            free: self.free,
        }
    }
}

fn make(path: &Path, plan: &UpgradePlan) -> Result<(), OpenError> {
    let copy = plan.copy.as_path();
    let failed = |source| OpenError::Copy {
        path: copy.to_owned(),
        source: Box::new(source),
    };
    let mut fault = None;
    let made = private_file::replace(copy, |file| {
        let written = write(path, &private_file::beside(copy, "tmp"), file);
        written.map_err(|error| {
            fault = Some(error);
            io::Error::other("no copy")
        })
    });
    match (made, fault) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(error)) if is_full(&error) => Err(plan.no_room()),
        (Err(_), Some(error)) => Err(failed(error)),
        (Err(error), None) if is_no_room(&error) => Err(plan.no_room()),
        (Err(error), None) => Err(failed(CopyError::Sync(error))),
    }
}

/// Copies the database into the open file, whose name is `copy`.
fn write(database: &Path, copy: &Path, file: &File) -> Result<(), CopyError> {
    copy_database(database, copy, || file.sync_data())?;
    mark_without_log(file).map_err(CopyError::Sync)
}

/// Bytes that the file system of a file has left for this user.
fn free_bytes(path: &Path) -> io::Result<u64> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    free_space::of_folder(folder.unwrap_or_else(|| Path::new(".")))
}

fn is_full(error: &CopyError) -> bool {
    match error {
        CopyError::Page(error) => error.sqlite_error_code() == Some(ErrorCode::DiskFull),
        CopyError::Sync(error) => is_no_room(error),
        CopyError::Open(_) => false,
    }
}
