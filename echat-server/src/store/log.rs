//! The write-ahead log as a file: when it is folded into the database, and what is done to one that
//! a process left behind.
//!
//! A sync that fails is not made good by a later one that succeeds: the system takes the pages that
//! it could not write for clean, and shows them to whoever reads, until the power is cut. So a
//! failure is never passed over, and a log that was left behind is written anew before anything
//! rests on it. Not even a full disk is passed over then (writing in place may need space where files
//! are copied on write): what the log shows and the disk may not have would be acknowledged to
//! whoever sends it again with its txn_id.

use std::ffi::c_int;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::schema::OpenError;
use crate::private_file;

/// Pages in the log from which on every commit folds it: 4 MiB.
const PAGES: c_int = 1000;

/// Bytes that are written anew at a time.
const CHUNK: usize = 64 * 1024;

/// Folds the log into the database after a commit that made it long. `SQLite` would do that by
/// itself, and keep a failure to itself. The commit stands whatever this says.
pub(super) fn fold(log: &mut Wal, pages: c_int) -> rusqlite::Result<()> {
    if pages < PAGES {
        return Ok(());
    }
    match log.checkpoint() {
        Err(error) if can_wait(&error) => Ok(()),
        folded => folded,
    }
}

/// Another program is at it, or the disk is full: all is in the log still, and the next commit tries
/// again.
fn can_wait(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked | DiskFull)
    )
}

/// Writes the log of the database at `path` anew, and syncs it and its name. Nobody appends to it
/// meanwhile.
pub(super) fn renew(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let held = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let renewed = log_of(path).and_then(|log| write_again(&log));
    held.rollback()?;
    renewed.map_err(OpenError::Log)
}

/// Where `SQLite` keeps the log: beside the file itself, not beside a link to it.
fn log_of(database: &Path) -> io::Result<PathBuf> {
    let mut log = database.canonicalize()?.into_os_string();
    log.push("-wal");
    Ok(log.into())
}

fn write_again(path: &Path) -> io::Result<()> {
    let log = OpenOptions::new().read(true).write(true).open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let length = match log.read_at(&mut chunk, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if length == 0 {
            break;
        }
        log.write_all_at(&chunk[..length], at)?;
        at += length as u64;
    }
    log.sync_all()?;
    // `SQLite` does that too, but goes on if it fails.
    private_file::sync_folder_of(path)
}
