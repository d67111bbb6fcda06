//! Classifies errors of `SQLite`: retry, damage, full disk, or fatal.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::ffi::{
    SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_DATA, SQLITE_IOERR_READ, SQLITE_IOERR_SHMOPEN,
    SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_WRITE,
};
use rusqlite::{Error, ErrorCode, ffi};

use super::StoreError;

/// Failed reads. They wrote nothing, so the state of the disk is known.
const FAILED_READS: [i32; 4] = [
    SQLITE_IOERR_READ,
    SQLITE_IOERR_SHORT_READ,
    SQLITE_IOERR_CORRUPTFS,
    SQLITE_IOERR_DATA,
];

/// Whether an error means damage: a part of the database cannot be read, or contradicts another part. The state of the
/// disk is known: the statement is rolled back, and other parts are sound.
///
/// A violated constraint counts as damage: callers check before they write, so a row or an index entry is missing. A
/// row longer than any that this program writes counts too.
pub(super) fn is_damage(error: &Error) -> bool {
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TooBig => true,
            ErrorCode::SystemIoFailure => FAILED_READS.contains(&failure.extended_code),
            _ => false,
        },
        // A row holds a value that no statement of echat wrote.
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => true,
        _ => false,
    }
}

/// Whether another process holds a lock, or, for the first write, has committed since the reads.
pub(super) fn is_locked(error: &Error) -> bool {
    use ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// The error for a missing part to which another part refers.
pub(super) fn missing(what: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(what.to_owned()))
}

/// The error of a sync outside `SQLite`.
pub(super) fn sync(error: &std::io::Error) -> Error {
    let failed = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
    Error::SqliteFailure(
        failed,
        Some(format!("a sync of a checkpoint failed: {error}")),
    )
}

/// The error of a checkpoint for which there is no thread.
pub(super) fn no_thread(error: &io::Error) -> Error {
    let failed = ffi::Error::new(ffi::SQLITE_CANTOPEN);
    Error::SqliteFailure(failed, Some(format!("no thread for a checkpoint: {error}")))
}

/// The error of a checkpoint that a read of another program ended early.
pub(super) fn held() -> Error {
    let held = "another program reads what was there before".to_owned();
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), Some(held))
}

/// Damage that is not reported yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The first error of `SQLite`, with its extended result code.
    pub what: String,
    /// The number of statements that met it.
    pub times: u64,
}

/// Whether an error of the system says that there is no room, by the disk or by a quota.
pub(super) fn is_no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// The extension of the file by which it is found out whether there is room, beside the database.
const TRIAL: &str = "db-trial";
/// Bytes of that file: more than any write of `SQLite`.
const TRIED: usize = 64 * 1024;

/// Whether a new file of some length beside a database has no room.
pub(super) fn has_no_room(database: &Path) -> bool {
    let path = database.with_extension(TRIAL);
    // Of a process that was killed.
    let _ = fs::remove_file(&path);
    let written = File::create_new(&path).and_then(|mut file| file.write_all(&vec![0; TRIED]));
    let _ = fs::remove_file(&path);
    written.is_err_and(|error| is_no_room(&error))
}

/// Whether a write failed, or the file with the index of the write-ahead log could not be made or grow: by a full disk
/// too, or by a quota that is used up.
pub(super) fn is_failed_write(error: &Error) -> bool {
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    matches!(
        code,
        Some(SQLITE_IOERR_WRITE | SQLITE_IOERR_SHMOPEN | SQLITE_IOERR_SHMSIZE)
    )
}

/// Classifies errors, and collects damage until the engine takes it.
#[derive(Debug, Default)]
pub(super) struct DamageLog {
    met: RefCell<Option<Damage>>,
    /// `None` if it is in memory.
    database: Option<PathBuf>,
}

impl DamageLog {
    /// For the database at a path; an empty one is of a database in memory.
    pub(super) fn of(database: Option<&str>) -> Self {
        let database = database.filter(|path| !path.is_empty());
        Self {
            met: RefCell::default(),
            database: database.map(PathBuf::from),
        }
    }

    pub(super) fn record(&self, error: &Error) {
        let mut damage = self.met.borrow_mut();
        let damage = damage.get_or_insert_with(|| Damage {
            what: described(error),
            times: 0,
        });
        damage.times += 1;
    }

    pub(super) fn take(&self) -> Option<Damage> {
        self.met.borrow_mut().take()
    }

    /// Whether the disk is full. Where a quota is used up, `SQLite` has the same code as for a disk that fails, and a
    /// write beside the database tells them apart. What the failed write leaves is the same for both.
    pub(super) fn is_full(&self, error: &Error) -> bool {
        let Error::SqliteFailure(failure, _) = error else {
            return false;
        };
        failure.code == ErrorCode::DiskFull
            || is_failed_write(error) && self.database.as_deref().is_some_and(has_no_room)
    }

    /// Whether another process holds a lock or the disk is full: nothing changed, and a later attempt may succeed.
    pub(super) fn can_wait(&self, error: &Error) -> bool {
        is_locked(error) || self.is_full(error)
    }

    /// Classifies the error of a statement.
    pub(super) fn judge(&self, error: Error) -> StoreError {
        if self.is_full(&error) {
            StoreError::Full
        } else if is_damage(&error) {
            self.record(&error);
            StoreError::Damaged(error)
        } else {
            StoreError::Fatal(error)
        }
    }
}

fn described(error: &Error) -> String {
    match error.sqlite_error() {
        Some(failure) => format!("{error}, code {}", failure.extended_code),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn read_errors_are_damage_and_refused_writes_are_not() {
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_CORRUPT_INDEX,
            ffi::SQLITE_CORRUPT_SEQUENCE,
            ffi::SQLITE_CORRUPT_VTAB,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_IOERR_SHORT_READ,
            ffi::SQLITE_IOERR_CORRUPTFS,
            ffi::SQLITE_IOERR_DATA,
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            ffi::SQLITE_TOOBIG,
        ] {
            assert!(is_damage(&failure(code)), "{code}");
        }
        for code in [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_DIR_FSYNC,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_TRUNCATE,
            ffi::SQLITE_IOERR_COMMIT_ATOMIC,
            ffi::SQLITE_IOERR_SHMMAP,
            ffi::SQLITE_IOERR_NOMEM,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_ERROR,
        ] {
            assert!(!is_damage(&failure(code)), "{code}");
        }
        let kind = rusqlite::types::Type::Blob;
        assert!(is_damage(&Error::InvalidColumnType(0, "name".into(), kind)));
        assert!(!is_damage(&Error::QueryReturnedNoRows));
    }

    #[test]
    fn damage_is_kept_until_it_is_read() {
        let log = DamageLog::default();
        assert_eq!(log.take(), None);
        let judged = log.judge(failure(ffi::SQLITE_CORRUPT_INDEX));
        assert!(matches!(judged, StoreError::Damaged(_)), "{judged}");
        log.record(&missing("a row"));
        let damage = log.take().expect("it was met");
        assert_eq!(damage.times, 2);
        assert!(damage.what.ends_with("code 779"), "{}", damage.what);
        assert_eq!(log.take(), None);
    }
}
