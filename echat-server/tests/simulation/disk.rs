//! The database file and its faults: a full disk, a lock held by another program, commits that fail, damaged pages.
//! Reads the committed state over a connection of its own.

use crate::committed::{CommittedState, UNREAD_MAX};
use crate::fail;
use crate::plan::{PEOPLE, USERS};
use crate::run::CommittedWrite;
use crate::sim::seed;
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::{Store, UnreadBounds};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// A file system in memory, if there is one. Other tests measure the cost of a real sync.
const MEMORY: &str = "/dev/shm";
/// More than the number of different statements.
const STATEMENTS: usize = 64;
/// More pages than any case needs.
const AMPLE_PAGES: u32 = 1 << 30;
/// Makes commits with messages fail, and only those: a deferred foreign key that is checked at the commit.
const FAIL_COMMITS: &str = "
    CREATE TABLE sabotage (user INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER sabotage_messages AFTER INSERT ON messages
    BEGIN INSERT INTO sabotage VALUES (-1); END;";
const ALLOW_COMMITS: &str =
    "DROP TRIGGER IF EXISTS sabotage_messages; DROP TABLE IF EXISTS sabotage;";
/// Makes an insert of a message fail like a damaged page. Other writes succeed.
const DAMAGE: &str = "
    CREATE TRIGGER damaged_messages BEFORE INSERT ON messages
    BEGIN SELECT RAISE(ABORT, 'damaged'); END;";
const UNDO_DAMAGE: &str = "DROP TRIGGER damaged_messages";

fn folder() -> TempDir {
    tempfile::tempdir_in(MEMORY)
        .or_else(|_| tempfile::tempdir())
        .expect("a folder")
}

type InitialDatabases = (TempDir, BTreeMap<(usize, bool), PathBuf>);

/// The initial databases, by number of accounts and whether these are friends. They are copied for each case, because
/// creating one costs more than running a case.
static INITIAL: LazyLock<InitialDatabases> = LazyLock::new(|| {
    let folder = folder();
    let initial = (0..=PEOPLE).flat_map(|accounts| [(accounts, false), (accounts, true)]);
    let made = initial.map(|(accounts, all_friends)| {
        let path = folder.path().join(format!("{accounts}-{all_friends}.db"));
        let mut store = Store::open(&path).expect("a new database");
        seed::accounts(&mut store, &USERS[..accounts]);
        if all_friends {
            seed::friends(&mut store, &USERS[..accounts]);
        }
        // The store is closed here, so all content is in one file.
        ((accounts, all_friends), path)
    });
    let made = made.collect();
    (folder, made)
});

/// A database as the server of a case has it: few unread messages are counted.
fn open_store(path: &Path) -> Store {
    let mut store = Store::open(path).expect("the database opens");
    store.bound_unread(UnreadBounds {
        most: UNREAD_MAX,
        ..UnreadBounds::default()
    });
    store
}

#[expect(clippy::struct_excessive_bools, reason = "faults may be combined")]
pub(crate) struct Disk {
    folder: TempDir,
    /// The initial database of the case.
    initial: &'static Path,
    /// Reads the committed state.
    reader: Connection,
    /// Another program, which locks or changes the database.
    other_program: Connection,
    locked: bool,
    failing_commits: bool,
    damaged: bool,
    full: bool,
}

impl Disk {
    /// A disk with a database of `accounts` accounts.
    pub(crate) fn new(accounts: usize, all_friends: bool) -> (Self, Store) {
        let folder = folder();
        let path = folder.path().join("a.db");
        let initial: &'static Path = &INITIAL.1[&(accounts, all_friends)];
        std::fs::copy(initial, &path).expect("place for a database");
        let store = open_store(&path);
        let connect = || {
            let db = Connection::open(&path).expect("the same database");
            db.set_prepared_statement_cache_capacity(STATEMENTS);
            db
        };
        let disk = Self {
            reader: connect(),
            other_program: connect(),
            folder,
            initial,
            locked: false,
            failing_commits: false,
            damaged: false,
            full: false,
        };
        (disk, store)
    }

    /// Opens the database like a new process.
    pub(crate) fn open(&self) -> Store {
        open_store(&self.folder.path().join("a.db"))
    }

    /// Reads the committed state again. Returns the previous state if anything changed.
    pub(crate) fn read(&self, committed: &mut CommittedState) -> Option<CommittedState> {
        committed
            .read(&self.reader)
            .expect("the database can be read")
    }

    /// Whether the whole database is still in the committed state that was read last.
    pub(crate) fn is_current(&self, committed: &CommittedState) -> bool {
        committed
            .is_current(&self.reader)
            .expect("the database can be read")
    }

    /// The devices of users, with the stored hashes of their secrets.
    pub(crate) fn devices(&self, committed: &CommittedState) -> Vec<(usize, Vec<u8>)> {
        let devices = committed.devices(&self.reader);
        devices.expect("the database can be read")
    }

    /// Repeats all writes on a copy of the initial database, and compares both databases row by row.
    pub(crate) fn check_replay(
        &self,
        written: &[CommittedWrite],
        limits: &Limits,
        settings: &Settings,
    ) -> Result<(), String> {
        let path = self.folder.path().join("again.db");
        std::fs::copy(self.initial, &path).expect("place for a database");
        let mut store = Store::open(&path).expect("a database");
        for written in written {
            match written {
                CommittedWrite::Request(entry) => {
                    let again = replay(&mut store, (limits, settings), entry);
                    again.map_err(|why| format!("a write cannot be repeated: {why}"))?;
                }
                CommittedWrite::Suspension { user, until, now } => {
                    suspend(&mut store, *user, *until, *now);
                }
                CommittedWrite::Unsuspension { user } => unsuspend(&mut store, *user),
            }
        }
        let again = Connection::open(&path).expect("the same database");
        for table in tables(&self.reader) {
            if are_same(&self.reader, &again, &table).expect("both can be read") {
                continue;
            }
            let (first, second) = (rows(&self.reader, &table), rows(&again, &table));
            let differ: Vec<_> = first.symmetric_difference(&second).collect();
            if !differ.is_empty() {
                return fail(&format!(
                    "the same requests write other rows into {table}: {differ:?}"
                ));
            }
        }
        Ok(())
    }

    /// Whether the database keeps digests of removed messages or former names of rooms. A sweep forgets them after 30
    /// days.
    pub(crate) fn keeps_digests(&self) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM unkept_messages)
             OR EXISTS (SELECT 1 FROM former_room_names)";
        let kept = self.reader.query_row(sql, [], |row| row.get(0));
        kept.expect("the database can be read")
    }

    /// Whether any fault is active.
    pub(crate) fn has_fault(&self) -> bool {
        self.locked || self.failing_commits || self.damaged || self.full
    }

    /// Whether commits fail.
    pub(crate) fn fails_commits(&self) -> bool {
        self.failing_commits
    }

    pub(crate) fn fill(&mut self, store: &mut Store) {
        // Below the present size, so that no page can be added.
        store.limit_pages(1).expect("a pragma");
        self.full = true;
    }

    pub(crate) fn lock(&mut self) {
        if !self.locked {
            self.other_program
                .execute_batch("BEGIN EXCLUSIVE")
                .expect("it is free between ticks");
            self.locked = true;
        }
    }

    pub(crate) fn fail_commits(&mut self) {
        if !self.locked && !self.failing_commits {
            self.other_program
                .execute_batch(FAIL_COMMITS)
                .expect("it is free between ticks");
            self.failing_commits = true;
        }
    }

    /// From now on messages meet a damaged page.
    pub(crate) fn damage(&mut self) {
        if !self.locked && !self.damaged {
            self.other_program
                .execute_batch(DAMAGE)
                .expect("it is free between ticks");
            self.damaged = true;
        }
    }

    /// Ends all faults, for the present process or the next one.
    pub(crate) fn repair(&mut self, store: &mut Store) {
        if std::mem::take(&mut self.locked) {
            self.other_program
                .execute_batch("ROLLBACK")
                .expect("it is locked");
        }
        if std::mem::take(&mut self.failing_commits) {
            self.other_program
                .execute_batch(ALLOW_COMMITS)
                .expect("it is free between ticks");
        }
        if std::mem::take(&mut self.damaged) {
            self.other_program
                .execute_batch(UNDO_DAMAGE)
                .expect("it is free between ticks");
        }
        store.limit_pages(AMPLE_PAGES).expect("a pragma");
        self.full = false;
    }
}

/// Suspends a user, in a transaction of its own.
pub(crate) fn suspend(store: &mut Store, user: usize, until: Option<i64>, now: i64) {
    let mut batch = store.batch();
    let found = batch.find_user(USERS[user]).expect("it can be read");
    if let Some(found) = found {
        let suspended = batch.suspend(found.id, until, Some("spam"), now);
        suspended.expect("it can be written");
    }
    let _ = batch.commit().expect("it can be written");
}

/// Ends a suspension.
pub(crate) fn unsuspend(store: &mut Store, user: usize) {
    let mut batch = store.batch();
    let found = batch.find_user(USERS[user]).expect("it can be read");
    if let Some(found) = found {
        batch.unsuspend(found.id).expect("it can be written");
    }
    let _ = batch.commit().expect("it can be written");
}

/// The names of all tables, including those of SQLite. The virtual table of the search index stores its rows in tables
/// of SQLite.
fn tables(db: &Connection) -> Vec<String> {
    let mut statement = db
        .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'virtual'")
        .expect("a query");
    let names = statement.query_map([], |row| row.get(0)).expect("a query");
    names.map(|name| name.expect("a name")).collect()
}

/// Whether two tables have the same rows in the same order.
fn are_same(one: &Connection, other: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = format!("SELECT * FROM \"{table}\"");
    let (mut one, mut other) = (one.prepare(&sql)?, other.prepare(&sql)?);
    let columns = one.column_count();
    let (mut one, mut other) = (one.query([])?, other.query([])?);
    loop {
        match (one.next()?, other.next()?) {
            (None, None) => return Ok(true),
            (Some(one), Some(other)) => {
                for column in 0..columns {
                    if one.get_ref(column)? != other.get_ref(column)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
    }
}

/// The rows of a table, each as text. Every table has a key, so no two rows are equal.
fn rows(db: &Connection, table: &str) -> BTreeSet<String> {
    let mut statement = db
        .prepare(&format!("SELECT * FROM \"{table}\""))
        .expect("a query");
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
        let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(format!("{values:?}"))
    };
    let rows = statement.query_map([], row).expect("a query");
    rows.map(|row| row.expect("a row")).collect()
}
