//! Copies a database as of one moment, beside a server that goes on writing.
//!
//! A read transaction pins one snapshot until the last page is copied. So commits of the server neither change the copy
//! nor begin it anew (`SQLite`'s backup API starts again after each foreign commit, unless its source is in a
//! transaction), and the duration depends on the size of the database alone. While the snapshot is pinned, the log
//! cannot restart: it grows by what is committed in that time, about 2.4 MB a second at 200 messages a second in
//! commits of their own, and the next checkpoint after it catches up. The copy is written to the disk in portions of 1
//! MiB and synced once at the end, so that no sync of the log waits long.
//!
//! A command copies in a process of its own, an automatic backup on a helper thread with its own connection, both with
//! the lowest priority. Neither checkpoints. No other descriptor of the database is opened in the server's process,
//! since closing one would release `SQLite`'s locks.
//!
//! `VACUUM INTO` has the same snapshot. It decodes every row and builds every index anew, which takes several times the
//! processor time, and it writes without a pause: its one sync at the end would delay the syncs of the log.

use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use super::expected;
use super::failure;
use super::migrate::{MIGRATIONS, refuse_newer};
use super::open_error::OpenError;
use super::schema::refuse_foreign;
use super::settings::SETTINGS;
use super::write_ahead_log::write_back;

/// How a database begins (<https://sqlite.org/fileformat2.html>, section 1.3.1).
pub const DATABASE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Where the header of a database says that it has a write-ahead log, and the two bytes of one without
/// (<https://sqlite.org/fileformat2.html>, section 1.3.3).
const LOG_VERSIONS_AT: u64 = 18;
const WITHOUT_LOG: [u8; 2] = [1, 1];

/// Notes in the header of a complete copy that no write-ahead log belongs to it.
///
/// # Errors
/// The copy cannot be written.
pub fn mark_without_log(copy: &File) -> io::Result<()> {
    copy.write_all_at(&WITHOUT_LOG, LOG_VERSIONS_AT)
}

/// Pages that are copied before they are written to the disk, 1 MiB of the usual pages: more would keep the disk from
/// syncing the log of the server.
const PORTION: c_int = 256;

/// How long an attempt waits for a lock. Readers wait only while the log is recovered or deleted.
const PATIENCE: Duration = Duration::from_secs(10);

/// Settings of the copy. It needs no journal, since an incomplete one is not kept, and the caller syncs it at the end.
const COPY_SETTINGS: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -1024;
";

/// Why a database cannot be copied.
#[derive(Debug, Error)]
pub enum CopyError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A page cannot be read or written.
    #[error("a page cannot be copied: {0}")]
    Page(#[source] rusqlite::Error),
    /// The copy cannot be synced.
    #[error(transparent)]
    Sync(io::Error),
}

/// Copies the database at `database` to the empty file at `copy`. `each` is called after each portion of 1 MiB, which
/// is written to the disk then, but not synced. The copy has no write-ahead log and needs none.
///
/// # Errors
/// The file is not an echat database of a known version, or a page cannot be read or written. `copy` is then
/// incomplete.
pub fn copy_database(
    database: &Path,
    copy: &Path,
    mut each: impl FnMut() -> io::Result<()>,
) -> Result<(), CopyError> {
    let from = open_beside(database)?;
    let pinned = begin_reading(&from)?;
    let mut to = Connection::open_with_flags(copy, own_file()).map_err(CopyError::Page)?;
    to.execute_batch(COPY_SETTINGS).map_err(CopyError::Page)?;
    let backup = Backup::new(&from, &mut to).map_err(CopyError::Page)?;
    let mut written = WrittenCopy::of(copy).map_err(CopyError::Sync)?;
    loop {
        let step = backup.step(PORTION).map_err(CopyError::Page)?;
        written.write_back().map_err(CopyError::Sync)?;
        each().map_err(CopyError::Sync)?;
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            // Both files are this function's own, and the snapshot is pinned.
            _ => return Err(OpenError::Busy.into()),
        }
    }
    drop(backup);
    drop(pinned);
    to.close().map_err(|(_, error)| CopyError::Page(error))
}

/// What was written of a copy.
struct WrittenCopy {
    file: File,
    /// Bytes that were written to the disk.
    bytes: u64,
}

impl WrittenCopy {
    fn of(copy: &Path) -> io::Result<Self> {
        let file = File::open(copy)?;
        Ok(Self { file, bytes: 0 })
    }

    /// Makes the kernel write what was added. A sync would do it too, but each one commits the journal of the file
    /// system, for which the syncs of the log wait.
    fn write_back(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let portions = (self.bytes..length)
            .step_by(write_back::PORTION)
            .map(|at| at..length.min(at + write_back::PORTION as u64));
        let portions: Vec<_> = portions.collect();
        if write_back::write_back(&self.file, &portions).is_err() {
            // The file system has no direct reads.
            self.file.sync_data()?;
        }
        self.bytes = length;
        Ok(())
    }
}

/// Opens a database that a server may be using. Closing the connection never checkpoints: only the server may, which
/// knows what is on the disk.
pub(super) fn open_beside(database: &Path) -> Result<Connection, OpenError> {
    let open = || -> Result<Connection, OpenError> {
        let db = Connection::open_with_flags(database, own_file())?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.busy_timeout(PATIENCE)?;
        db.execute_batch(SETTINGS)?;
        refuse_foreign(&db, false)?;
        let version = refuse_newer(&db, MIGRATIONS)?;
        expected::refuse_altered(&db, version)?;
        Ok(db)
    };
    open().map_err(|error| error.of(database))
}

/// Begins a transaction and pins its snapshot with a first read.
pub(super) fn begin_reading(db: &Connection) -> Result<rusqlite::Transaction<'_>, OpenError> {
    let reading = db.unchecked_transaction()?;
    reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(reading)
}

/// How an existing file is opened.
fn own_file() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

/// Opens a complete copy, which has no log, for reading. Nothing is created beside it.
///
/// # Errors
/// The file is not an echat database of a known version.
pub(super) fn open_copy(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Result<Connection, OpenError> {
        let db = Connection::open_with_flags(path, flags)?;
        db.execute_batch(SETTINGS)?;
        refuse_foreign(&db, false)?;
        let version = refuse_newer(&db, MIGRATIONS)?;
        expected::refuse_altered(&db, version)?;
        Ok(db)
    };
    open().map_err(|error| error.of(path))
}

/// Whether an error means that pages cannot be read, rather than that the disk is full for example.
pub(super) fn is_damaged(error: &CopyError) -> bool {
    match error {
        CopyError::Open(error) => matches!(error, OpenError::Damaged(_) | OpenError::Foreign),
        CopyError::Page(error) => failure::is_damage(error),
        CopyError::Sync(_) => false,
    }
}

impl CopyError {
    /// Whether the database itself is the cause.
    pub fn is_damage(&self) -> bool {
        is_damaged(self)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::super::{Store, check};
    use super::*;

    fn database() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.db");
        drop(Store::open(&path).unwrap());
        let db = Connection::open(&path).unwrap();
        db.execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO users (name, password, created_at)
                 SELECT 'user' || i, printf('%.*c', 200, 'x'), 0 FROM n",
        )
        .unwrap();
        (folder, path)
    }

    /// A commit during the copy is not in it, and does not begin it anew.
    #[test]
    fn commits_during_the_copy_do_not_begin_it_anew() {
        let (folder, path) = database();
        let copy = folder.path().join("copy");
        let file = File::create_new(&copy).unwrap();
        let writer = Connection::open(&path).unwrap();
        let pages: u32 = writer
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let mut portions = 0;
        copy_database(&path, &copy, || {
            portions += 1;
            assert!(portions < pages, "the copy has no end");
            writer
                .execute("UPDATE users SET created_at = created_at + 1", [])
                .map_err(io::Error::other)?;
            file.sync_data()
        })
        .unwrap();
        assert_eq!(portions, pages.div_ceil(PORTION.unsigned_abs()));
        assert!(portions > 3, "{portions}");
        file.write_all_at(&[1, 1], 18).unwrap();
        let db = open_copy(&copy).unwrap();
        let (least, most): (i64, i64) = db
            .query_row(
                "SELECT min(created_at), max(created_at) FROM users",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!((least, most), (0, 0), "one moment, the first");
        // The names have no endings, which is a fault of this database, not of the copy.
        let faults = check::findings(&db).unwrap().faults;
        assert!(faults.iter().all(check::Fault::is_derived), "{faults:?}");
    }

    #[test]
    fn what_is_no_database_of_echat_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("theirs"), folder.path().join("copy"));
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE theirs (a)")
            .unwrap();
        let _file = File::create_new(&copy).unwrap();
        let refused = copy_database(&path, &copy, || Ok(())).unwrap_err();
        assert!(refused.is_damage(), "{refused}");
    }
}
