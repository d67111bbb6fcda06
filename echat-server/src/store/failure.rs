//! What an error of `SQLite` means for those who asked.

use std::cell::RefCell;

use rusqlite::ffi::{
    SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_DATA, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ,
};
use rusqlite::{Error, ErrorCode, ffi};

use super::StoreError;

/// Reads that failed. Nothing was written by them, so nothing is uncertain but what they were to read.
const FAILED_READS: [i32; 4] = [
    SQLITE_IOERR_READ,
    SQLITE_IOERR_SHORT_READ,
    SQLITE_IOERR_CORRUPTFS,
    SQLITE_IOERR_DATA,
];

/// Whether an error says that a part of the database cannot be read, or contradicts another part. It
/// leaves nothing open about what is on the disk: the statement is undone, other parts are sound.
///
/// A constraint counts: callers ask before they write, so one that is violated is a lost row or index
/// entry. So does a row that is longer than any that this program writes.
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
        // A row holds what no statement of ours has written.
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => true,
        _ => false,
    }
}

/// Whether another program is at it, or the disk is full: all is as it was, and a later try may succeed.
pub(super) fn can_wait(error: &Error) -> bool {
    use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked | DiskFull)
    )
}

/// The error of a part that is not there though another part says so.
pub(super) fn missing(what: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(what.to_owned()))
}

/// The error of a sync that was asked for beside `SQLite`.
pub(super) fn sync(error: &std::io::Error) -> Error {
    let failed = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
    Error::SqliteFailure(failed, Some(format!("a sync of a fold failed: {error}")))
}

/// Damage that was met and is not reported yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What `SQLite` said the first time, with its extended result code.
    pub what: String,
    /// How many statements met it.
    pub times: u64,
}

/// Keeps the damage that is met until the engine asks for it.
#[derive(Debug, Default)]
pub(super) struct Met(RefCell<Option<Damage>>);

impl Met {
    pub(super) fn note(&self, error: &Error) {
        let mut met = self.0.borrow_mut();
        let damage = met.get_or_insert_with(|| Damage {
            what: described(error),
            times: 0,
        });
        damage.times += 1;
    }

    pub(super) fn take(&self) -> Option<Damage> {
        self.0.borrow_mut().take()
    }

    /// Judges the error of a statement.
    pub(super) fn judge(&self, error: Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            _ if is_damage(&error) => {
                self.note(&error);
                StoreError::Damaged(error)
            }
            _ => StoreError::Fatal(error),
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
    fn what_cannot_be_read_is_damage_and_what_may_not_be_written_is_not() {
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
    fn damage_is_kept_until_it_is_asked_for() {
        let met = Met::default();
        assert_eq!(met.take(), None);
        let judged = met.judge(failure(ffi::SQLITE_CORRUPT_INDEX));
        assert!(matches!(judged, StoreError::Damaged(_)), "{judged}");
        met.note(&missing("a row"));
        let damage = met.take().expect("it was met");
        assert_eq!(damage.times, 2);
        assert!(damage.what.ends_with("code 779"), "{}", damage.what);
        assert_eq!(met.take(), None);
    }
}
