//! A transaction of one tick, and the proof that what it wrote is durable.
//!
//! The first statement begins the transaction, and the first write makes it a writing one. All reads of the batch share
//! one snapshot and one lock of the log, which `SQLite` otherwise takes and releases with each statement.
//!
//! A commit that fails for any reason but a full disk or damage is not tried again: no reply leaves, and the process
//! ends with exit code 74. Clients reconnect and send their messages again with the same txn_id. A failed checkpoint
//! ends the process in the same way.

use std::cell::Cell;

use echat_proto::names::NameQuery;
use rusqlite::limits::Limit;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, StatementStatus, ffi};

use super::failure::{self, DamageLog};
use super::high_water::HighWater;
use super::history::UnreadBounds;
use super::write_ahead_log::WriteAheadLog;
use super::{MessageId, Retention, Store, StoreError};

/// A unit of work. Dropping it without [`commit`](Batch::commit) rolls its writes back.
#[derive(Debug)]
pub struct Batch<'s> {
    db: &'s Connection,
    damage: &'s DamageLog,
    log: &'s WriteAheadLog,
    high_water: Option<&'s mut HighWater>,
    /// Whether the database may have notes of messages that were removed or not kept. If not, they are not looked up.
    pub(super) has_unkept: &'s Cell<bool>,
    /// How long messages are kept, as of the time of this batch.
    pub(super) retention: Retention,
    /// Days that entries of the audit are kept.
    pub(super) audit_days: u64,
    /// Whether the search index may lack something: set too often rather than too seldom.
    is_unindexed: &'s Cell<bool>,
    pub(super) unread_bounds: UnreadBounds,
    /// The newest message id that this batch assigned.
    newest: Option<i64>,
    /// Whether it removed text of messages.
    removes_text: bool,
    state: Cell<TransactionState>,
    writes: u64,
    usage: Cell<Usage>,
}

/// What a batch did so far, counted without a clock: the same work gives the same counts each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Statements that were run.
    pub statements: u64,
    /// Steps of `SQLite`'s virtual machine in them. A row that is read takes about ten.
    pub steps: u64,
    /// Bytes of text that statements searched, which their steps do not show.
    pub scanned_bytes: u64,
    /// Work of the search index that steps do not show, in microseconds.
    pub index_micros: u64,
    /// Names that callers brought into their stored form, to look them up, without the tables of Unicode.
    pub plain_names: u64,
    /// The same with these tables.
    pub unicode_names: u64,
    /// Messages that were inserted.
    pub messages: u64,
}

/// Proof that everything a batch wrote is durable. Only a commit creates one.
#[derive(Debug)]
#[must_use = "replies are released by the receipt"]
pub struct Receipt(());

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TransactionState {
    /// Nothing was written. The transaction of the reads is open unless there was none yet, or the last one failed.
    Reading,
    /// The transaction holds the lock for writing.
    Writing,
    /// A statement of the transaction failed. `SQLite` may have ended the transaction by itself; a further write
    /// would then be durable on its own, so all are refused.
    Broken(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Full,
    Damaged,
    Fatal,
}

impl<'s> Batch<'s> {
    pub(super) fn new(store: &'s mut Store, now: i64) -> Self {
        let days = store.keep_days;
        Self {
            retention: Retention { now, days },
            audit_days: store.audit_days,
            unread_bounds: store.unread_bounds,
            has_unkept: &store.has_unkept,
            db: &store.db,
            damage: &store.damage,
            log: &store.log,
            high_water: store.high_water.as_mut(),
            is_unindexed: &store.is_unindexed,
            newest: None,
            removes_text: false,
            state: Cell::new(TransactionState::Reading),
            writes: 0,
            usage: Cell::new(Usage::default()),
        }
    }

    /// What was done so far.
    pub fn usage(&self) -> Usage {
        self.usage.get()
    }

    /// Counts bytes of text that a statement searches, as `instr` does. Its steps do not show them.
    pub fn count_scanned(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.add(|usage| usage.scanned_bytes = usage.scanned_bytes.saturating_add(bytes));
    }

    /// Counts work of the search index that steps do not show, in microseconds.
    pub(super) fn count_index_work(&self, micros: u64) {
        self.add(|usage| usage.index_micros = usage.index_micros.saturating_add(micros));
    }

    /// Rows that were changed since the database was opened, those of the parts of an index of words too.
    pub(super) fn total_changes(&self) -> u64 {
        self.db.total_changes()
    }

    /// Changes the most bytes of a text that statements take.
    pub(super) fn limit_texts(&self, bytes: i32) {
        // It fails for a limit that does not exist.
        let _ = self.db.set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes);
    }

    /// Notes whether the search index may lack something.
    pub(super) fn set_unindexed(&self, is_unindexed: bool) {
        self.is_unindexed.set(is_unindexed);
    }

    /// Counts a name that a caller brings into its stored form.
    pub fn count_name(&self, name: &str) {
        self.add(|usage| {
            let names = if NameQuery::needs_tables(name) {
                &mut usage.unicode_names
            } else {
                &mut usage.plain_names
            };
            *names += 1;
        });
    }

    fn add(&self, add: impl FnOnce(&mut Usage)) {
        let mut usage = self.usage.get();
        add(&mut usage);
        self.usage.set(usage);
    }

    /// The number of writes so far, so that a caller can tell whether a request wrote.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Notes that text of messages was removed or replaced, of which nothing may be left in the files.
    pub(super) fn note_removed_text(&mut self) {
        self.removes_text = true;
    }

    /// Whether the writes can still be committed: no statement of the transaction failed.
    pub fn is_whole(&self) -> bool {
        !matches!(self.state.get(), TransactionState::Broken(_))
    }

    /// Makes all writes durable. Without writes, the disk is not touched. If the write-ahead log is long, it is then
    /// checkpointed, or a [`Checkpoint`](super::Checkpoint) is ready to be taken.
    ///
    /// # Errors
    /// `Full`, or `Damaged` if a statement met damage: the batch is rolled back. `Fatal` if the commit or the
    /// checkpoint failed in another way.
    pub fn commit(mut self) -> Result<Receipt, StoreError> {
        match self.state.get() {
            TransactionState::Reading => self.end_reading(),
            TransactionState::Writing => {
                self.control("COMMIT")
                    .map_err(|error| self.not_committed(error))?;
                self.state.set(TransactionState::Reading);
                if self.removes_text {
                    self.log.note_removed();
                }
                if let (Some(high_water), Some(newest)) = (&mut self.high_water, self.newest) {
                    high_water.record(newest)?;
                }
                self.log.committed(self.db, self.damage)?;
            }
            TransactionState::Broken(why) => return Err(refusal(why)),
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

    /// Calls `each` for the rows of a query until it returns false.
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

    /// Whether a query returns a row.
    pub(super) fn exists(&self, sql: &str, params: impl Params) -> Result<bool, StoreError> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }

    /// The number that a `SELECT count(*)` returns.
    pub(super) fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        let count: Option<i64> = self.first(sql, params, |row| row.get(0))?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }

    /// Runs one INSERT, UPDATE or DELETE; returns the number of rows changed.
    pub(super) fn write(&mut self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        if let TransactionState::Broken(why) = self.state.get() {
            return Err(refusal(why));
        }
        let changed = self.run(sql, |statement| statement.execute(params));
        match changed {
            // Another process writes, or has written since this batch read: nothing of this batch is written yet.
            Err(error) if self.is_reading() && failure::is_locked(&error) => Err(self.error(error)),
            changed => {
                self.state.set(TransactionState::Writing);
                let changed = changed.map_err(|error| self.error(error))?;
                self.writes += 1;
                Ok(changed)
            }
        }
    }

    /// Runs one INSERT; returns the number of the new row.
    pub(super) fn insert(&mut self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        self.write(sql, params)?;
        Ok(self.db.last_insert_rowid())
    }

    /// Runs the INSERT of a message; returns its id, which is reserved before the commit. `Full` if no ids are left.
    pub(super) fn insert_id(&mut self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        let id = self.insert(sql, params)?;
        self.reserve(id)?;
        Ok(id)
    }

    /// Assigns the id of a message that is not stored. It is reserved before the commit. `Full` if no ids are left.
    pub(super) fn assign(&mut self, id: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO message_ids (id, assigned) VALUES (1, ?1)
             ON CONFLICT (id) DO UPDATE SET assigned = max(assigned, excluded.assigned)";
        self.write(sql, [id])?;
        self.reserve(id)
    }

    fn reserve(&mut self, id: i64) -> Result<(), StoreError> {
        if id > MessageId::LAST.row() {
            self.break_off(Failure::Full);
            return Err(StoreError::Full);
        }
        if let Some(high_water) = &mut self.high_water
            && let Err(error) = high_water.reserve(id)
        {
            self.break_off_for(&error);
            return Err(error);
        }
        self.newest = Some(id);
        self.is_unindexed.set(true);
        self.add(|usage| usage.messages += 1);
        Ok(())
    }

    /// The newest message id that this batch assigned. No other program writes while its transaction is open.
    pub(super) fn newest_assigned(&self) -> Option<i64> {
        self.newest
    }

    fn run<T>(
        &self,
        sql: &str,
        act: impl FnOnce(&mut CachedStatement<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        if self.is_reading() && self.db.is_autocommit() {
            self.control("BEGIN")?;
        }
        let mut statement = self.db.prepare_cached(sql)?;
        let result = act(&mut statement);
        let steps = statement.reset_status(StatementStatus::VmStep);
        self.add(|usage| {
            usage.statements += 1;
            usage.steps += u64::try_from(steps).unwrap_or(0);
        });
        result
    }

    /// The error for a missing row to which another row refers.
    pub(super) fn missing(&self, what: &str) -> StoreError {
        self.error(failure::missing(what))
    }

    fn is_reading(&self) -> bool {
        self.state.get() == TransactionState::Reading
    }

    /// Begins or ends a transaction.
    fn control(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Ends the transaction of reads. The next statement begins another.
    fn end_reading(&self) {
        if !self.db.is_autocommit() && self.control("COMMIT").is_err() {
            // If this fails too, the next BEGIN fails and is reported.
            let _ = self.control("ROLLBACK");
        }
    }

    /// Classifies an error. Before the first write, an error leaves nothing behind, and a lock of another process only
    /// means a retry. Once the batch wrote, no other process holds a lock. After damage, even if a read met it,
    /// `SQLite` commits nothing more of a transaction, so the transaction ends here; one that only read is begun anew.
    fn error(&self, error: rusqlite::Error) -> StoreError {
        let reading = self.is_reading();
        if reading {
            self.end_reading();
            if failure::is_locked(&error) {
                return StoreError::Busy;
            }
        }
        let error = self.damage.judge(error);
        if !reading {
            self.break_off_for(&error);
        }
        error
    }

    fn break_off_for(&self, error: &StoreError) {
        self.break_off(match error {
            StoreError::Full => Failure::Full,
            StoreError::Damaged(_) => Failure::Damaged,
            StoreError::Busy | StoreError::Fatal(_) => Failure::Fatal,
        });
    }

    /// Classifies the error of a commit: unless the disk is full, the state of the disk is unknown.
    fn not_committed(&self, error: rusqlite::Error) -> StoreError {
        let (error, why) = if self.damage.is_full(&error) {
            (StoreError::Full, Failure::Full)
        } else {
            self.log.note_failure();
            (StoreError::Fatal(error), Failure::Fatal)
        };
        self.break_off(why);
        error
    }

    /// Keeps the first failure, which is the cause.
    fn break_off(&self, why: Failure) {
        if self.is_whole() {
            self.state.set(TransactionState::Broken(why));
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.is_reading() {
            self.end_reading();
        } else if !self.db.is_autocommit() {
            // If this fails too, the next BEGIN fails and is reported.
            let _ = self.control("ROLLBACK");
        }
    }
}

/// The error of every statement after the first failure, which reported the cause.
fn refusal(why: Failure) -> StoreError {
    let earlier = || {
        rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_ABORT),
            Some("an earlier statement of this batch failed".to_owned()),
        )
    };
    match why {
        Failure::Full => StoreError::Full,
        Failure::Damaged => StoreError::Damaged(earlier()),
        Failure::Fatal => StoreError::Fatal(earlier()),
    }
}
