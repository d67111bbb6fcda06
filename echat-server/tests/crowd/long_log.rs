//! Another program that keeps a read open, so that the log of the database cannot be checkpointed, and then closes it.

use echat_testkit::server_process::ServerFolder;
use rusqlite::Connection;

/// The database seen by other programs: one that reads, and one that looks at the log.
pub(crate) struct Beside {
    reader: Connection,
    look: Connection,
}

impl Beside {
    pub(crate) fn of(dir: &ServerFolder) -> Self {
        let open = || Connection::open(dir.path("data/database.db")).unwrap();
        Self {
            reader: open(),
            look: open(),
        }
    }

    /// Begins to read.
    pub(crate) fn hold(&self) {
        let read = "BEGIN; SELECT count(*) FROM history";
        self.reader.execute_batch(read).unwrap();
    }

    /// Ends the read.
    pub(crate) fn let_go(&self) {
        self.reader.execute_batch("ROLLBACK").unwrap();
    }

    /// Pages in the log, and how many of them are in the database already.
    pub(crate) fn log(&self) -> (u64, u64) {
        let look = "PRAGMA wal_checkpoint(NOOP)";
        let pages = self.look.query_row(look, [], |row| {
            Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let (pages, copied) = pages.unwrap();
        (pages.try_into().unwrap(), copied.try_into().unwrap())
    }

    /// Pages of the log that are not in the database yet.
    pub(crate) fn left(&self) -> u64 {
        let (pages, copied) = self.log();
        pages - copied
    }
}

/// Bytes of the file of the log.
pub(crate) fn length(dir: &ServerFolder) -> u64 {
    let file = std::fs::metadata(dir.path("data/database.db-wal"));
    file.unwrap().len()
}
