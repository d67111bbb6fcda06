//! The database's file and what may befall it: no place, another program, commits that fail. What is
//! read here is what is committed, over a connection of its own.

use crate::fail;
use crate::plan::{PEOPLE, USERS};
use crate::run::Written;
use crate::sim::seed;
use crate::truth::{Truth, UNREAD_MOST};
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::{Store, UnreadBounds};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Where there is memory to be used as a disk: what the sync of a real one costs is measured elsewhere.
const MEMORY: &str = "/dev/shm";
/// More statements than are read with.
const STATEMENTS: usize = 64;
/// More pages than any case needs.
const ROOMY: u32 = 1 << 30;
/// Makes commits of messages fail, and no other ones: a foreign key that is looked at only then.
const SABOTAGE: &str = "
    CREATE TABLE sabotage (user INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER sabotage_messages AFTER INSERT ON messages
    BEGIN INSERT INTO sabotage VALUES (-1); END;";
const REPAIR: &str = "DROP TRIGGER IF EXISTS sabotage_messages; DROP TABLE IF EXISTS sabotage;";
/// Makes messages meet what the server takes for damage, while others are stored.
const DAMAGE: &str = "
    CREATE TRIGGER damaged_messages BEFORE INSERT ON messages
    BEGIN SELECT RAISE(ABORT, 'damaged'); END;";
const RESTORE: &str = "DROP TRIGGER damaged_messages";

fn folder() -> TempDir {
    tempfile::tempdir_in(MEMORY)
        .or_else(|_| tempfile::tempdir())
        .expect("a folder")
}

type Beginnings = (TempDir, BTreeMap<(usize, bool), PathBuf>);

/// The databases that cases begin with, by how many have accounts and whether they are friends:
/// copied for each case, as making one costs more than a case.
static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let folder = folder();
    let beginnings = (0..=PEOPLE).flat_map(|accounts| [(accounts, false), (accounts, true)]);
    let made = beginnings.map(|(accounts, acquainted)| {
        let path = folder.path().join(format!("{accounts}-{acquainted}.db"));
        let mut store = Store::open(&path).expect("a new database");
        seed::accounts(&mut store, &USERS[..accounts]);
        if acquainted {
            seed::friends(&mut store, &USERS[..accounts]);
        }
        // Closed, so that all of it is in the one file.
        ((accounts, acquainted), path)
    });
    let made = made.collect();
    (folder, made)
});

/// A database as the server of a case has it: few unread messages are counted.
fn opened(path: &Path) -> Store {
    let mut store = Store::open(path).expect("the database opens");
    store.bound_unread(UnreadBounds {
        most: UNREAD_MOST,
        ..UnreadBounds::default()
    });
    store
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each trouble may come with others"
)]
pub(crate) struct Disk {
    folder: TempDir,
    /// The database that the case began with.
    beginning: &'static Path,
    /// Reads what is committed.
    reader: Connection,
    /// The other program that takes the database, or changes it.
    other: Connection,
    occupied: bool,
    broken: bool,
    damaged: bool,
    full: bool,
}

impl Disk {
    /// A disk with a database in which so many have accounts.
    pub(crate) fn new(accounts: usize, acquainted: bool) -> (Self, Store) {
        let folder = folder();
        let path = folder.path().join("a.db");
        let beginning: &'static Path = &BEGINNINGS.1[&(accounts, acquainted)];
        std::fs::copy(beginning, &path).expect("place for a database");
        let store = opened(&path);
        let connect = || {
            let db = Connection::open(&path).expect("the same database");
            db.set_prepared_statement_cache_capacity(STATEMENTS);
            db
        };
        let disk = Self {
            reader: connect(),
            other: connect(),
            folder,
            beginning,
            occupied: false,
            broken: false,
            damaged: false,
            full: false,
        };
        (disk, store)
    }

    /// Opens the database as a new process does.
    pub(crate) fn open(&self) -> Store {
        opened(&self.folder.path().join("a.db"))
    }

    /// Reads what is committed; what was before, if that is something else.
    pub(crate) fn read(&self, truth: &mut Truth) -> Option<Truth> {
        truth.read(&self.reader).expect("the database can be read")
    }

    /// Whether all of it is committed still.
    pub(crate) fn keeps(&self, truth: &Truth) -> bool {
        truth
            .stands(&self.reader)
            .expect("the database can be read")
    }

    /// The devices of users, and what is stored of their secrets.
    pub(crate) fn devices(&self, truth: &Truth) -> Vec<(usize, Vec<u8>)> {
        let devices = truth.devices(&self.reader);
        devices.expect("the database can be read")
    }

    /// Repeats everything that was written on a copy of the beginning, and compares both databases row by
    /// row.
    pub(crate) fn repeats(
        &self,
        written: &[Written],
        limits: &Limits,
        settings: &Settings,
    ) -> Result<(), String> {
        let path = self.folder.path().join("again.db");
        std::fs::copy(self.beginning, &path).expect("place for a database");
        let mut store = Store::open(&path).expect("a database");
        for written in written {
            match written {
                Written::Request(entry) => {
                    let again = replay(&mut store, (limits, settings), entry);
                    again.map_err(|why| format!("what was written cannot be repeated: {why}"))?;
                }
                Written::Suspension { user, until, now } => {
                    suspend(&mut store, *user, *until, *now);
                }
                Written::Pardon { user } => pardon(&mut store, *user),
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

    /// Whether the digest of a removed message is kept, which a sweep forgets when it is 30 days old.
    pub(crate) fn keeps_digests(&self) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM unkept_messages)
             OR EXISTS (SELECT 1 FROM former_room_names)";
        let kept = self.reader.query_row(sql, [], |row| row.get(0));
        kept.expect("the database can be read")
    }

    /// Whether anything is wrong with it.
    pub(crate) fn is_troubled(&self) -> bool {
        self.occupied || self.broken || self.damaged || self.full
    }

    /// Whether commits fail.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(crate) fn fill(&mut self, store: &mut Store) {
        // Less than there is: not a page more.
        store.limit_pages(1).expect("a pragma");
        self.full = true;
    }

    pub(crate) fn occupy(&mut self) {
        if !self.occupied {
            self.other
                .execute_batch("BEGIN EXCLUSIVE")
                .expect("it is free between ticks");
            self.occupied = true;
        }
    }

    pub(crate) fn sabotage(&mut self) {
        if !self.occupied && !self.broken {
            self.other
                .execute_batch(SABOTAGE)
                .expect("it is free between ticks");
            self.broken = true;
        }
    }

    /// Messages meet damage from now on.
    pub(crate) fn damage(&mut self) {
        if !self.occupied && !self.damaged {
            self.other
                .execute_batch(DAMAGE)
                .expect("it is free between ticks");
            self.damaged = true;
        }
    }

    /// What the next process, or the engine's own, finds is well.
    pub(crate) fn mend(&mut self, store: &mut Store) {
        if std::mem::take(&mut self.occupied) {
            self.other.execute_batch("ROLLBACK").expect("it is held");
        }
        if std::mem::take(&mut self.broken) {
            self.other
                .execute_batch(REPAIR)
                .expect("it is free between ticks");
        }
        if std::mem::take(&mut self.damaged) {
            self.other
                .execute_batch(RESTORE)
                .expect("it is free between ticks");
        }
        store.limit_pages(ROOMY).expect("a pragma");
        self.full = false;
    }
}

/// Suspends a user; nobody else writes meanwhile.
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
pub(crate) fn pardon(store: &mut Store, user: usize) {
    let mut batch = store.batch();
    let found = batch.find_user(USERS[user]).expect("it can be read");
    if let Some(found) = found {
        batch.unsuspend(found.id).expect("it can be written");
    }
    let _ = batch.commit().expect("it can be written");
}

/// The names of all tables, those of SQLite too. The virtual table of the search index has its rows in tables of SQLite.
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

/// The rows of a table, each as text. No table has two equal rows: each has a key.
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
