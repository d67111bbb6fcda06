//! A full disk and a lock that another program holds, seen by clients of the engine.

mod harness;
mod long_log;

use std::path::{Path, PathBuf};
use std::time::Duration;

use echat_proto::channel::Incoming;
use echat_server::storage::{Store, create_template};
use echat_testkit::folder;
use echat_testkit::wire::{credentials, line, text};
use harness::{Actor, Harness};
use rusqlite::Connection;
use tempfile::TempDir;

/// A database where ann and bob are friends.
fn database() -> (TempDir, PathBuf) {
    let folder = folder::in_memory();
    let path = folder.path().join("database.db");
    create_template(&path).unwrap();
    let mut harness = Harness::new(Store::open(&path).unwrap());
    let (mut ann, mut bob) = (harness.enter("ann"), harness.enter("bob"));
    ann.asks(&mut harness, "ADD_FRIEND \"bob\"");
    let accept = r#"RESOLVE_FRIEND_REQUEST {"username":"ann","accepted":true}"#;
    bob.asks(&mut harness, accept);
    (folder, path)
}

/// Fills the disk as far as this database is concerned.
fn fill(path: &Path) -> Store {
    // Opened before the table that is not echat's.
    let mut store = Store::open(path).unwrap();
    let other = Connection::open(path).unwrap();
    other
        .execute_batch("CREATE TABLE junk AS SELECT zeroblob(400000) AS bytes")
        .unwrap();
    let pages: u32 = other
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    drop(other);
    store.limit_pages(pages).unwrap();
    store
}

/// Makes room on the disk again.
fn free(path: &Path) {
    Connection::open(path)
        .unwrap()
        .execute_batch("DROP TABLE junk")
        .unwrap();
}

fn send(n: usize) -> String {
    let content = format!("{n:04} {}", "x".repeat(3000));
    format!(
        r#"SEND_MESSAGE {{"target_type":0,"target":"bob","content":"{content}","txn_id":"t{n}"}}"#
    )
}

/// Sends until there is no room any more; how many were acknowledged.
fn send_until_full(harness: &mut Harness, ann: &mut Actor) -> usize {
    (0..100)
        .find(|n| {
            let reply = ann.asks(harness, &send(*n));
            if line(&reply).starts_with("ON_NEW_MESSAGE") {
                return false;
            }
            assert_eq!(text(&reply.params, "code"), "storage_full");
            true
        })
        .expect("a full disk")
}

fn history(harness: &mut Harness, actor: &mut Actor) -> Vec<String> {
    let reply = actor.asks(harness, r#"QUERY_HISTORY {"limit":200}"#);
    let Some(echat_proto::Value::List(page)) = reply.params.at("messages") else {
        panic!("{}", line(&reply))
    };
    page.iter()
        .map(|m| text(m, "content")[..4].to_owned())
        .collect()
}

fn numbers(upto: usize) -> Vec<String> {
    (0..upto).map(|n| format!("{n:04}")).collect()
}

#[test]
fn a_full_disk_refuses_what_writes_and_serves_what_reads() {
    let (_folder, path) = database();
    let mut harness = Harness::new(fill(&path));
    let (mut ann, mut bob) = (harness.enter("ann"), harness.enter("bob"));
    let kept = send_until_full(&mut harness, &mut ann);
    bob.hears(&mut harness);
    assert_eq!(history(&mut harness, &mut bob), numbers(kept));
    // Logging in only reads, and what is told apart from messages is still told.
    let mut bob = harness.enter("bob");
    assert_eq!(history(&mut harness, &mut bob), numbers(kept));
    assert!(line(&ann.asks(&mut harness, &send(kept))).contains("storage_full"));
    assert!(
        bob.hears(&mut harness).is_empty(),
        "what is not kept is not delivered"
    );

    free(&path);
    let reply = ann.asks(&mut harness, &send(kept));
    assert!(
        line(&reply).starts_with("ON_NEW_MESSAGE"),
        "{}",
        line(&reply)
    );
    assert_eq!(bob.hears(&mut harness).len(), 1);
    assert_eq!(history(&mut harness, &mut bob), numbers(kept + 1));
    drop(harness);
    let mut harness = Harness::new(Store::open(&path).unwrap());
    let mut ann = harness.enter("ann");
    assert_eq!(history(&mut harness, &mut ann), numbers(kept + 1));
}

#[test]
fn on_a_full_disk_every_pipelined_request_is_answered() {
    let (_folder, path) = database();
    let mut harness = Harness::new(fill(&path));
    let (mut ann, mut bob) = (harness.enter("ann"), harness.enter("bob"));
    let kept = send_until_full(&mut harness, &mut ann);
    bob.hears(&mut harness);
    let requests: Vec<_> = (kept..kept + 40).map(send).collect();
    ann.says(&mut harness, &requests);
    // Both are handled in the tick that fails.
    bob.says(
        &mut harness,
        &["LIST_ROOMS", "ADD_FRIEND \"cyn\"", "QUERY_SERVER_TIME"],
    );
    harness.settle();
    let replies = ann.hears_messages(&mut harness);
    assert_eq!(replies.len(), 40);
    assert!(
        replies
            .iter()
            .all(|reply| text(&reply.params, "code") == "storage_full")
    );
    assert_eq!(bob.hears_messages(&mut harness).len(), 3);
}

#[test]
fn on_a_full_disk_every_registration_of_a_tick_is_answered() {
    let (_folder, path) = database();
    let mut harness = Harness::new(fill(&path));
    let mut ann = harness.enter("ann");
    send_until_full(&mut harness, &mut ann);
    // Names fill pages too: registrations succeed until no page is left.
    let mut guest = harness.connect();
    let full = (0..1000).any(|n| {
        let register = format!("REGISTER {}", credentials(&format!("user{n}")));
        line(&guest.asks(&mut harness, &register)).contains("storage_full")
    });
    assert!(full);
    let mut guests: Vec<_> = (0..3).map(|_| harness.connect()).collect();
    for (n, guest) in guests.iter_mut().enumerate() {
        let register = format!("REGISTER {}", credentials(&format!("late{n}")));
        guest.says(&mut harness, &[&register, "QUERY_SERVER_TIME"]);
    }
    harness.settle();
    for guest in &mut guests {
        let replies: Vec<_> = guest
            .hears_messages(&mut harness)
            .iter()
            .map(line)
            .collect();
        assert_eq!(replies.len(), 2, "{replies:?}");
        assert!(replies[0].contains("storage_full"));
        assert!(replies[1].starts_with("SEND_SERVER_TIME"));
    }
}

#[test]
fn a_write_waits_five_seconds_for_a_lock_and_is_then_refused() {
    let (_folder, path) = database();
    let mut harness = Harness::new(Store::open(&path).unwrap());
    let (mut ann, mut bob) = (harness.enter("ann"), harness.enter("bob"));
    ann.hears(&mut harness);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let requests = [send(0), "QUERY_SERVER_TIME".to_owned(), "PING".to_owned()];
    ann.says(&mut harness, &requests);
    harness.settle();
    assert_eq!(ann.hears(&mut harness), [Incoming::Pong]);
    harness.pass(Duration::from_millis(4_950));
    assert_eq!(ann.hears(&mut harness), []);
    assert_eq!(
        history(&mut harness, &mut bob),
        numbers(0),
        "others read at the same time"
    );
    harness.pass(Duration::from_millis(50));
    let replies: Vec<_> = ann.hears_messages(&mut harness).iter().map(line).collect();
    assert_eq!(replies.len(), 2);
    assert!(replies[0].contains("storage_busy"), "{replies:?}");
    assert!(replies[1].starts_with("SEND_SERVER_TIME"));

    ann.says(&mut harness, &[send(0)]);
    harness.settle();
    harness.pass(Duration::from_secs(3));
    assert_eq!(ann.hears(&mut harness), []);
    other.execute_batch("ROLLBACK").unwrap();
    harness.pass(Duration::from_millis(50));
    assert!(line(&ann.hears_messages(&mut harness)[0]).starts_with("ON_NEW_MESSAGE"));
    assert_eq!(bob.hears(&mut harness).len(), 1);
    assert_eq!(history(&mut harness, &mut bob), numbers(1));
}

/// An engine over it without cool-downs.
fn restless(store: Store) -> Harness {
    let mut harness = Harness::new(store);
    harness.engine().set_turn_cost(Duration::from_millis(50));
    harness
}

/// Messages that are committed.
fn stored(db: &Connection) -> usize {
    let count = "SELECT count(*) FROM messages";
    let count: i64 = db.query_row(count, [], |row| row.get(0)).unwrap();
    count.try_into().unwrap()
}

fn log_length(path: &Path) -> u64 {
    let log = path.with_extension("db-wal");
    std::fs::metadata(log).map_or(0, |log| log.len())
}
