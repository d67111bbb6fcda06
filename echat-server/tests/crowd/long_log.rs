//! Another program that keeps a read open, so that the log of the database cannot be folded, and lets go.

use rusqlite::Connection;

use crate::place::Place;

/// The database seen by another program.
pub(crate) struct Beside(Connection);

impl Beside {
    pub(crate) fn of(place: &Place) -> Self {
        Self(Connection::open(place.path("data/database.db")).unwrap())
    }

    /// Begins to read.
    pub(crate) fn hold(&self) {
        let read = "BEGIN; SELECT count(*) FROM history";
        self.0.execute_batch(read).unwrap();
    }

    /// Ends the read.
    pub(crate) fn let_go(&self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }

    /// Pages in the log, and how many of them are in the database already.
    pub(crate) fn log(&self) -> (u64, u64) {
        let look = "PRAGMA wal_checkpoint(NOOP)";
        let pages = self.0.query_row(look, [], |row| {
            Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let (pages, folded) = pages.unwrap();
        (pages.try_into().unwrap(), folded.try_into().unwrap())
    }
}
