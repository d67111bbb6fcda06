//! What only the inside can tell: migrations step by step, and what queries cost.

use rusqlite::Connection;

use super::history::{NEWEST, NEWEST_IDS, OLDEST, OLDEST_IDS, ONE, SEAT, SEATS, UNREAD};
use super::schema::{MIGRATIONS, migrate};
use super::search::{ROOMS, USERS};
use super::*;

/// A database file as version `version` of the schema left it.
fn older_database(path: &std::path::Path, version: usize) {
    let mut db = Connection::open(path).unwrap();
    migrate(&mut db, &MIGRATIONS[..version]).unwrap();
}

#[test]
fn every_older_schema_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh.db");
    create_template(&fresh).unwrap();
    for version in 0..=MIGRATIONS.len() {
        let path = dir.path().join(format!("{version}.db"));
        older_database(&path, version);
        drop(Store::open(&path).unwrap());
        assert_eq!(schema_dump(&path).unwrap(), schema_dump(&fresh).unwrap());
    }
}

#[test]
fn an_upgrade_keeps_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("1.db");
    older_database(&path, 1);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "INSERT INTO users VALUES (7, 'ann', 'ann', '$argon2id$', 1);
         INSERT INTO conversations VALUES (3, 1);
         INSERT INTO rooms VALUES (3, 'tea', 'tea', 7, 1, 1);",
    )
    .unwrap();
    drop(db);
    let mut store = Store::open(&path).unwrap();
    let batch = store.batch();
    let ann = batch.find_user("ann").unwrap().unwrap();
    assert_eq!(batch.rooms(9).unwrap(), [("tea".into(), "ann".into(), 1)]);
    assert_eq!(batch.owned_count(ann.id).unwrap(), 1);
}

#[test]
fn a_failing_migration_leaves_the_version_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    older_database(&path, MIGRATIONS.len());
    let before = schema_dump(&path).unwrap();
    let mut steps = MIGRATIONS.to_vec();
    steps.push("CREATE TABLE half (a) STRICT; SELECT no_such_function();");
    let mut db = Connection::open(&path).unwrap();
    assert!(migrate(&mut db, &steps).is_err());
    drop(db);
    assert_eq!(schema_dump(&path).unwrap(), before);
    assert!(Store::open(&path).is_ok());
}

#[test]
fn reading_and_searching_only_ever_seek() {
    let store = Store::in_memory().unwrap();
    for sql in [
        SEATS, SEAT, NEWEST, OLDEST, ONE, NEWEST_IDS, OLDEST_IDS, UNREAD, USERS, ROOMS,
    ] {
        let plan = plan(&store, sql);
        for line in &plan {
            // Subqueries of one row or of bounded rows are scanned; tables never are.
            assert!(
                !line.starts_with("SCAN") || line.contains("subquery"),
                "{sql}\n{plan:#?}"
            );
            assert!(!line.contains("TEMP B-TREE"), "{sql}\n{plan:#?}");
        }
    }
}

fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut statement = store
        .connection()
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    for index in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(index, 1).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push(row.get(3).unwrap());
    }
    plan
}

#[test]
fn the_connection_syncs_every_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("a.db")).unwrap();
    let setting = |name: &str| -> i64 {
        store
            .connection()
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    };
    // 2 is FULL.
    assert_eq!(setting("synchronous"), 2);
    assert_eq!(setting("foreign_keys"), 1);
    assert_eq!(setting("trusted_schema"), 0);
    assert_eq!(setting("busy_timeout"), 0);
    let mode: String = store
        .connection()
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}
