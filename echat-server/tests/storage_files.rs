//! The database as a file: durability, refusals, locks, a full disk, and the committed template.

use std::path::Path;

use echat_proto::names::{Content, RoomName, Username};
use echat_server::storage::{
    Batch, CheckpointOutcome, OpenError, Purged, Removal, Retention, Store, StoreError,
    create_template, schema_dump,
};
use rusqlite::Connection;

fn name(raw: &str) -> Username {
    Username::new(raw).unwrap()
}

#[test]
fn reopening_shows_exactly_the_committed_data() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    let mut batch = store.batch();
    batch.create_user(&name("bob"), "phc", 1).unwrap().unwrap();
    assert!(batch.writes() > 0);
    drop(batch);
    let mut batch = store.batch();
    assert_eq!(batch.find_user("bob").unwrap(), None);
    batch.create_user(&name("eve"), "phc", 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    drop(store);
    let mut store = Store::open(&path).unwrap();
    let batch = store.batch();
    assert_eq!(batch.find_user("ann").unwrap().unwrap().name, "ann");
    assert!(batch.find_user("eve").unwrap().is_some());
    assert_eq!(batch.find_user("bob").unwrap(), None);
    assert_eq!(batch.writes(), 0);
    let _receipt = batch.commit().unwrap();
}

/// Stores a message of ann, who is alone in her room, and commits it.
fn say(store: &mut Store) -> u64 {
    let mut batch = store.batch();
    let ann = batch.find_user("ann").unwrap().unwrap().id;
    let den = batch.find_room("den").unwrap().unwrap().id;
    let text = Content::new("x").unwrap();
    let id = batch.insert_message(den, ann, &text, None, 1).unwrap();
    let _receipt = batch.commit().unwrap();
    assert_eq!(store.batch().newest_id().unwrap(), id);
    id.0
}

#[test]
fn the_id_of_a_deleted_message_is_not_assigned_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    let ann = batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let den = RoomName::new("den").unwrap();
    batch.create_room(&den, ann, 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    let mut last = (0..5).map(|_| say(&mut store)).last().unwrap();
    assert_eq!(last, 5);
    // The newest, the newest of what is left, several in one statement, and all.
    for which in [
        "id = (SELECT max(id) FROM messages)",
        "id >= (SELECT max(id) - 1 FROM messages)",
        "id < (SELECT max(id) FROM messages)",
        "true",
    ] {
        for reopened in [false, true] {
            say(&mut store);
            last = say(&mut store);
            let other = Connection::open(&path).unwrap();
            let deleted = other.execute(&format!("DELETE FROM messages WHERE {which}"), []);
            assert!(deleted.unwrap() > 0);
            drop(other);
            if reopened {
                store = Store::open(&path).unwrap();
            }
            assert_eq!(store.batch().newest_id().unwrap().0, last, "{which}");
            assert_eq!(say(&mut store), last + 1, "{which}, {reopened}");
        }
    }
}

#[test]
fn ids_of_one_batch_follow_each_other_and_those_of_a_dropped_batch_are_free() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let den = RoomName::new("den").unwrap();
    let den = batch.create_room(&den, ann, 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    let three = |batch: &mut Batch<'_>| {
        let text = Content::new("x").unwrap();
        let ids = (0..3).map(|_| batch.insert_message(den, ann, &text, None, 1).unwrap().0);
        ids.collect::<Vec<_>>()
    };
    let mut dropped = store.batch();
    assert_eq!(three(&mut dropped), [1, 2, 3]);
    drop(dropped);
    for first in [1, 4] {
        let mut batch = store.batch();
        assert_eq!(three(&mut batch), [first, first + 1, first + 2]);
        let _receipt = batch.commit().unwrap();
    }
}

#[test]
fn a_batch_reads_one_snapshot_and_writes_on_no_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let (mut store, mut other) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let mut batch = store.batch();
    assert_eq!(batch.find_user("ann").unwrap(), None);
    let mut theirs = other.batch();
    theirs.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let _receipt = theirs.commit().unwrap();
    assert_eq!(batch.find_user("ann").unwrap(), None, "one snapshot");
    let refused = batch.create_user(&name("ann"), "phc", 1);
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    // Tried again, the request sees what the other program wrote.
    assert!(batch.find_user("ann").unwrap().is_some());
    assert_eq!(batch.create_user(&name("ann"), "phc", 1).unwrap(), None);
    batch.create_user(&name("bob"), "phc", 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    assert!(other.batch().find_user("bob").unwrap().is_some());
}

#[test]
fn a_batch_that_only_read_holds_no_checkpoint_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let (mut store, mut other) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    for committed in [true, false] {
        let batch = store.batch();
        assert_eq!(batch.find_user("eve").unwrap(), None);
        if committed {
            let _receipt = batch.commit().unwrap();
        } else {
            drop(batch);
        }
        let mut theirs = other.batch();
        let user = name(if committed { "ann" } else { "bob" });
        theirs.create_user(&user, "phc", 1).unwrap().unwrap();
        let _receipt = theirs.commit().unwrap();
        let look = "PRAGMA wal_checkpoint(TRUNCATE)";
        let db = Connection::open(&path).unwrap();
        let busy: bool = db.query_row(look, [], |row| row.get(0)).unwrap();
        assert!(!busy);
    }
}

#[test]
fn no_link_to_a_database_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (there, link) = (dir.path().join("there.db"), dir.path().join("a.db"));
    create_template(&there).unwrap();
    let before = std::fs::read(&there).unwrap();
    for target in ["there.db", "nothing.db"] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        let opened = Store::open(&link);
        assert!(matches!(opened, Err(OpenError::Sqlite(_))), "{opened:?}");
        std::fs::remove_file(&link).unwrap();
    }
    assert_eq!(std::fs::read(&there).unwrap(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// Each part of a schema that no echat made, and each that is gone or changed, with what is said.
#[test]
fn a_schema_that_is_not_ours_is_refused_and_left_alone() {
    for (sql, words) in [
        (
            "CREATE TRIGGER spy AFTER INSERT ON messages BEGIN DELETE FROM users; END",
            r#"has the trigger "spy""#,
        ),
        ("CREATE VIEW rows AS SELECT 1", r#"has the view "rows""#),
        ("CREATE TABLE theirs (a)", r#"has the table "theirs""#),
        (
            "CREATE UNIQUE INDEX one ON messages (sender)",
            r#"has the index "one""#,
        ),
        (
            "CREATE VIRTUAL TABLE words USING fts5 (a)",
            r#"has the table "words"#,
        ),
        (
            "ALTER TABLE users ADD COLUMN extra TEXT",
            r#"table "users" of this database is not"#,
        ),
        (
            "DROP INDEX friend_requests_pending",
            r#"lacks the index "friend_requests_pending""#,
        ),
        ("DROP TABLE left_rooms", r#"lacks the table "left_rooms""#),
        ("ANALYZE", ""),
        (
            "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
             CREATE TABLE _litestream_lock (id INTEGER)",
            "",
        ),
        (
            "CREATE TABLE _litestream_lock (id INTEGER, content TEXT)",
            r#"has the table "_litestream_lock""#,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        create_template(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = std::fs::read(&path).unwrap();
        match Store::open(&path) {
            Ok(_) => assert_eq!(words, "", "{sql}"),
            Err(error) => {
                assert!(error.to_string().contains(words), "{sql}: {error}");
                assert!(!words.is_empty(), "{sql}: {error}");
                assert_eq!(std::fs::read(&path).unwrap(), before, "{sql}");
            }
        }
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    create_template(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 999")
        .unwrap();
    let before = schema_dump(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 999, .. }),
        "{error}"
    );
    assert_eq!(schema_dump(&path).unwrap(), before);
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(OpenError::Foreign)));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let text = dir.path().join("notes.txt");
    std::fs::write(
        &text,
        "no database at all, but long enough to have a header ".repeat(40),
    )
    .unwrap();
    assert!(matches!(Store::open(&text), Err(OpenError::Foreign)));
}

#[test]
fn a_lock_held_by_another_is_busy_at_once_and_only_for_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut batch = store.batch();
    assert_eq!(batch.find_user("ann").unwrap(), None);
    let busy = batch.create_user(&name("ann"), "phc", 1);
    assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
    assert_eq!(batch.writes(), 0);
    other.execute_batch("ROLLBACK").unwrap();
    assert!(batch.create_user(&name("ann"), "phc", 1).unwrap().is_some());
    let _receipt = batch.commit().unwrap();
}

#[test]
fn a_full_disk_refuses_the_whole_batch_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    create_template(&path).unwrap();
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    let ann = batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let bob = batch.create_user(&name("bob"), "phc", 1).unwrap().unwrap();
    let talk = batch.befriend(ann, bob, 1).unwrap();
    let _receipt = batch.commit().unwrap();
    store.limit_pages(40).unwrap();
    let long = Content::new("x".repeat(4_000)).unwrap();
    let mut batch = store.batch();
    let failed = (0..1_000).find_map(|_| batch.insert_message(talk, ann, &long, None, 1).err());
    assert!(matches!(failed, Some(StoreError::Full)), "{failed:?}");
    // Whatever the engine does now, nothing of this batch becomes durable.
    assert!(matches!(
        batch.set_password(ann, "other"),
        Err(StoreError::Full)
    ));
    assert!(matches!(batch.commit(), Err(StoreError::Full)));
    assert!(
        store
            .batch()
            .history(ann, talk, None, None, 10, 1 << 20)
            .unwrap()
            .messages
            .is_empty()
    );
    let (_, phc) = store.batch().credentials("ann").unwrap().unwrap();
    assert_eq!(phc, Some("phc".to_owned().into()));
    store.limit_pages(1 << 20).unwrap();
    let mut batch = store.batch();
    batch.insert_message(talk, ann, &long, None, 1).unwrap();
    let _receipt = batch.commit().unwrap();
}

#[test]
fn the_committed_database_has_the_schema_of_the_migrations() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh.db");
    create_template(&fresh).unwrap();
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "a log was left beside it"
    );
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../database.db");
    assert_eq!(
        schema_dump(&committed).unwrap(),
        schema_dump(&fresh).unwrap()
    );
    // It becomes every new server's database: no row of anything, and no word in the index.
    let bytes = std::fs::read(&committed).unwrap();
    let copy = dir.path().join("copy.db");
    std::fs::write(&copy, bytes).unwrap();
    let db = Connection::open(&copy).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let tables = tables.query_map([], |row| row.get(0)).unwrap();
    let tables: Vec<String> = tables.map(Result::unwrap).collect();
    assert!(tables.len() > 8, "{tables:?}");
    for table in tables {
        let rows: i64 = db
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    // FTS5 keeps a record of sums and one of segments.
    let words = "SELECT count(*) FROM search_data WHERE id > 10";
    let words: i64 = db.query_row(words, [], |row| row.get(0)).unwrap();
    assert_eq!(words, 0);
}

/// Closes a room, and removes what was said in it.
fn remove_a_room(store: &mut Store) {
    let mut batch = store.batch();
    let ann = batch.find_user("ann").unwrap().unwrap().id;
    let room = RoomName::new("tea").unwrap();
    let tea = batch.create_room(&room, ann, 1).unwrap().unwrap();
    let text = Content::new("a secret").unwrap();
    batch.insert_message(tea, ann, &text, None, 1).unwrap();
    let _receipt = batch.commit().unwrap();
    let mut batch = store.batch();
    let tea = batch.find_room("tea").unwrap().unwrap();
    batch.close_room(&tea).unwrap();
    let removal = Removal::ClosedRooms;
    while batch
        .remove(&removal, Retention::default())
        .unwrap()
        .is_some()
    {}
    let _receipt = batch.commit().unwrap();
}

#[test]
fn a_purge_leaves_a_long_log_to_another_thread_and_ends_with_an_empty_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).unwrap();
    store.set_checkpoint_limits(10_000, 20, 100);
    let log = path.with_extension("db-wal");
    let length = || std::fs::metadata(&log).unwrap().len();
    let mut batch = store.batch();
    let ann = batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let den = RoomName::new("den").unwrap();
    batch.create_room(&den, ann, 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    assert!(!store.has_leftovers());
    remove_a_room(&mut store);
    assert!(store.has_leftovers());
    for _ in 0..100 {
        say(&mut store);
    }
    let said = length();
    assert!(matches!(store.purge().unwrap(), Purged::Waits));
    let scrubbed = length();
    assert!(scrubbed > said);
    assert!(matches!(store.purge().unwrap(), Purged::Waits));
    let outcome = store.take_checkpoint().unwrap().run();
    store.checkpoint_done(outcome).unwrap();
    assert_eq!(length(), scrubbed, "a short file is cut in the loop");
    assert!(matches!(store.purge().unwrap(), Purged::All));
    assert_eq!(length(), 0);
    assert!(!store.has_leftovers());
    // A read of another program holds what was in the log when it began.
    say(&mut store);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN; SELECT count(*) FROM messages")
        .unwrap();
    remove_a_room(&mut store);
    store.set_checkpoint_limits(10_000, 1_000, 1_000);
    assert!(matches!(store.purge().unwrap(), Purged::Held(_)));
    other.execute_batch("COMMIT").unwrap();
    assert!(matches!(store.purge().unwrap(), Purged::All));
    assert_eq!(length(), 0);
}

/// Whatever keeps another thread from copying the log or from cutting its file, the purge says it, and the server tries
/// again after a pause.
#[test]
fn a_purge_says_why_another_thread_did_not_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    let ann = batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let den = RoomName::new("den").unwrap();
    let den = batch.create_room(&den, ann, 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    let connection = Connection::open(&path).unwrap();
    let other = |statement: &str| connection.execute_batch(statement).unwrap();
    let wanted = |store: &mut Store| loop {
        assert!(matches!(store.purge().unwrap(), Purged::Waits));
        if let Some(checkpoint) = store.take_checkpoint() {
            return checkpoint;
        }
    };
    let beside = |store: &mut Store| {
        let outcome = wanted(store).run();
        store.checkpoint_done(outcome).unwrap();
    };
    let is_held = |store: &mut Store| matches!(store.purge().unwrap(), Purged::Held(_));
    let ends = |store: &mut Store| {
        while let Purged::Waits = store.purge().unwrap() {
            if let Some(checkpoint) = store.take_checkpoint() {
                let outcome = checkpoint.run();
                store.checkpoint_done(outcome).unwrap();
            }
        }
        assert!(!store.has_leftovers());
    };

    // More than the loop copies, and a read holds some of it.
    store.set_checkpoint_limits(10_000, 1, 1);
    other("BEGIN; SELECT count(*) FROM messages");
    remove_a_room(&mut store);
    for _ in 0..2 {
        beside(&mut store);
        assert!(is_held(&mut store));
    }
    other("COMMIT");
    ends(&mut store);

    // A file that the loop does not cut.
    let text = Content::new("x".repeat(3_900)).unwrap();
    let mut batch = store.batch();
    for _ in 0..4_500 {
        batch.insert_message(den, ann, &text, None, 1).unwrap();
    }
    let _receipt = batch.commit().unwrap();
    remove_a_room(&mut store);
    let checkpoint = wanted(&mut store);
    other("BEGIN IMMEDIATE");
    let outcome = checkpoint.run();
    store.checkpoint_done(outcome).unwrap();
    assert!(is_held(&mut store));
    beside(&mut store);
    assert!(is_held(&mut store));
    other("COMMIT");

    // No thread.
    drop(wanted(&mut store));
    let outcome = CheckpointOutcome::not_begun(&std::io::Error::other("no thread"));
    store.checkpoint_done(outcome).unwrap();
    assert!(is_held(&mut store));
    ends(&mut store);
}

#[test]
fn a_log_that_an_earlier_process_left_is_purged() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("a.db"), dir.path().join("b.db"));
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    remove_a_room(&mut store);
    // As a kill leaves it.
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    drop(store);
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(8).any(|window| window == b"a secret")
    };
    assert!(holds(&copy.with_extension("db-wal")));
    let mut store = Store::open(&copy).unwrap();
    assert!(store.has_leftovers());
    store.set_checkpoint_limits(10_000, 1_000, 1_000);
    assert!(matches!(store.purge().unwrap(), Purged::All));
    assert!(!holds(&copy) && !holds(&copy.with_extension("db-wal")));
    drop(store);
    assert!(!Store::open(&copy).unwrap().has_leftovers());
}

#[test]
fn a_start_looks_at_all_pages_unless_the_process_before_ended_with_all_scrubbed() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mark) = (dir.path().join("a.db"), dir.path().join("high_water"));
    let open = || Store::open_in_folder(&path, &mark, true).unwrap();
    let mut store = open();
    assert!(!store.has_leftovers(), "it never had a message");
    let mut batch = store.batch();
    batch.create_user(&name("ann"), "phc", 1).unwrap().unwrap();
    let _receipt = batch.commit().unwrap();
    remove_a_room(&mut store);
    store.set_checkpoint_limits(10_000, 1_000, 1_000);
    assert!(matches!(store.purge().unwrap(), Purged::All));
    store.close().unwrap();
    drop(store);
    let mut store = open();
    assert!(!store.has_leftovers());
    // Pages with copies of moved texts are scrubbed at the end, too.
    remove_a_room(&mut store);
    store.close().unwrap();
    drop(store);
    let store = open();
    assert!(!store.has_leftovers());
    drop(store);
    assert!(open().has_leftovers(), "no orderly end");
}
