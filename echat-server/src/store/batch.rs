//! One transaction, begun by the first write, and the proof that it is durable.

use std::cell::Cell;

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OptionalExtension, Params, Row, StatementStatus, ffi,
};

use super::failure::{self, Met};
use super::high_water::HighWater;
use super::log::Log;
use super::{Store, StoreError};

/// What a query costs besides the steps it takes, as steps: 3 us.
const QUERY_STEPS: usize = 60;

/// A unit of work. The first write takes the database for writing; dropping it without
/// [`commit`](Batch::commit) leaves no trace.
#[derive(Debug)]
pub struct Batch<'s> {
    db: &'s Connection,
    met: &'s Met,
    log: &'s Log,
    high_water: Option<&'s mut HighWater>,
    /// The newest message id that this batch gave out.
    newest: Option<i64>,
    state: Cell<State>,
    writes: u64,
    work: Cell<u64>,
}

/// Proof that everything a batch wrote is durable. Only a commit makes one.
#[derive(Debug)]
#[must_use = "what waits for the commit is released by its receipt"]
pub struct Receipt(());

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was written: there is no transaction.
    Reading,
    /// There is a transaction.
    Writing,
    /// A statement of the transaction failed. `SQLite` may have ended the transaction by itself, and a
    /// further write would then be durable on its own, so none is let through.
    Broken(Why),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Full,
    Damaged,
    Fatal,
}

impl<'s> Batch<'s> {
    pub(super) fn new(store: &'s mut Store) -> Self {
        Self {
            db: &store.db,
            met: &store.met,
            log: &store.log,
            high_water: store.high_water.as_mut(),
            newest: None,
            state: Cell::new(State::Reading),
            writes: 0,
            work: Cell::new(0),
        }
    }

    /// What was done so far, in steps of `SQLite`'s virtual machine: it tells what a request costs
    /// without a clock, and tells the same each time. A row that is read takes about ten.
    pub fn work(&self) -> u64 {
        self.work.get()
    }

    /// Counts work that was done beside the database, as if it had taken so many steps.
    pub fn count_work(&self, steps: usize) {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.work.set(self.work.get().saturating_add(steps));
    }

    /// How many writes were made, so that a caller can tell whether a request wrote.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Whether what was written so far can still be committed: no statement of its transaction failed.
    pub fn is_whole(&self) -> bool {
        !matches!(self.state.get(), State::Broken(_))
    }

    /// Makes everything written durable. With nothing written the disk is not touched. A long log is
    /// then folded into the database, or a [`Fold`](super::Fold) of it is ready to be taken.
    ///
    /// # Errors
    /// `Full`, and `Damaged` if a statement met damage: the batch is then rolled back. `Fatal` if the
    /// commit or the fold failed in another way.
    pub fn commit(mut self) -> Result<Receipt, StoreError> {
        match self.state.get() {
            State::Reading => {}
            State::Writing => {
                self.db
                    .execute_batch("COMMIT")
                    .map_err(|error| self.not_committed(error))?;
                self.state.set(State::Reading);
                if let (Some(high_water), Some(newest)) = (&mut self.high_water, self.newest) {
                    high_water.note(newest)?;
                }
                self.log.committed(self.db, self.met)?;
            }
            State::Broken(why) => return Err(refusal(why)),
        }
        Ok(Receipt(()))
    }

    /// All rows of a query.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.run(sql, |statement| {
            statement
                .query_map(params, from_row)?
                .collect::<rusqlite::Result<Vec<T>>>()
        });
        rows.map_err(|error| self.error(error))
    }

    /// The first row of a query, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let row = self.run(sql, |statement| {
            statement.query_row(params, from_row).optional()
        });
        row.map_err(|error| self.error(error))
    }

    /// Goes through the rows of a query until `each` says false.
    pub(super) fn walk(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), StoreError> {
        let walked = self.run(sql, |statement| {
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                if !each(row)? {
                    break;
                }
            }
            Ok(())
        });
        walked.map_err(|error| self.error(error))
    }

    /// Whether a query has any row.
    pub(super) fn exists(&self, sql: &str, params: impl Params) -> Result<bool, StoreError> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }

    /// The one number that a `SELECT count(*)` gives.
    pub(super) fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        let count: Option<i64> = self.first(sql, params, |row| row.get(0))?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }

    /// Runs one INSERT, UPDATE or DELETE; gives the number of rows changed.
    pub(super) fn write(&mut self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.begin()?;
        let changed = self.run(sql, |statement| statement.execute(params));
        let changed = changed.map_err(|error| self.error(error))?;
        self.writes += 1;
        Ok(changed)
    }

    /// Runs one INSERT; gives the new row's number.
    pub(super) fn insert(&mut self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        self.write(sql, params)?;
        Ok(self.db.last_insert_rowid())
    }

    /// Runs the INSERT of a message; gives its id, which is reserved before it can be committed.
    pub(super) fn insert_id(&mut self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        let id = self.insert(sql, params)?;
        if let Some(high_water) = &mut self.high_water
            && let Err(error) = high_water.reserve(id)
        {
            self.break_off_for(&error);
            return Err(error);
        }
        self.newest = Some(id);
        Ok(id)
    }

    fn run<T>(
        &self,
        sql: &str,
        act: impl FnOnce(&mut CachedStatement<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut statement = self.db.prepare_cached(sql)?;
        let result = act(&mut statement);
        let steps = statement.reset_status(StatementStatus::VmStep);
        self.count_work(QUERY_STEPS + usize::try_from(steps).unwrap_or(0));
        result
    }

    /// The error of a row that another row says is there.
    pub(super) fn missing(&self, what: &str) -> StoreError {
        self.error(failure::missing(what))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        match self.state.get() {
            State::Reading => {
                let begun = self.db.execute_batch("BEGIN IMMEDIATE");
                begun.map_err(|error| self.error(error))?;
                self.state.set(State::Writing);
                Ok(())
            }
            State::Writing => Ok(()),
            State::Broken(why) => Err(refusal(why)),
        }
    }

    /// An error before the first write did no harm: a lock held by another is only waited out.
    /// Within the transaction no other can hold one, and `SQLite` commits nothing any more after
    /// damage was met, also by a read, so that the transaction ends here.
    fn error(&self, error: rusqlite::Error) -> StoreError {
        let reading = self.state.get() == State::Reading;
        let held = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        if reading && held {
            return StoreError::Busy;
        }
        let error = self.met.judge(error);
        if !reading {
            self.break_off_for(&error);
        }
        error
    }

    fn break_off_for(&self, error: &StoreError) {
        self.break_off(match error {
            StoreError::Full => Why::Full,
            StoreError::Damaged(_) => Why::Damaged,
            StoreError::Busy | StoreError::Fatal(_) => Why::Fatal,
        });
    }

    /// A commit that fails leaves open what is on the disk, unless the disk is full.
    fn not_committed(&self, error: rusqlite::Error) -> StoreError {
        let (error, why) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => (StoreError::Full, Why::Full),
            _ => (StoreError::Fatal(error), Why::Fatal),
        };
        self.break_off(why);
        error
    }

    /// What comes first says why.
    fn break_off(&self, why: Why) {
        if self.is_whole() {
            self.state.set(State::Broken(why));
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.state.get() != State::Reading && !self.db.is_autocommit() {
            // If even this fails, the next BEGIN fails too, and that is reported.
            let _ = self.db.execute_batch("ROLLBACK");
        }
    }
}

/// What a batch says after its first failure, which said why.
fn refusal(why: Why) -> StoreError {
    let earlier = || {
        rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_ABORT),
            Some("an earlier statement of this batch failed".to_owned()),
        )
    };
    match why {
        Why::Full => StoreError::Full,
        Why::Damaged => StoreError::Damaged(earlier()),
        Why::Fatal => StoreError::Fatal(earlier()),
    }
}
