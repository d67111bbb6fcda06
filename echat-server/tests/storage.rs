//! A full disk and a lock that another program holds, seen by those who talk to the engine.

#[path = "storage/long_log.rs"]
mod long_log;
mod stage;
#[path = "wire/words.rs"]
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use echat_proto::channel::Incoming;
use echat_server::store::{Store, create_template};
use rusqlite::Connection;
use stage::{Actor, Stage};
use tempfile::TempDir;
use words::{credentials, line, text};

/// A database where ann and bob are friends.
fn database() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("database.db");
    create_template(&path).unwrap();
    let mut stage = Stage::new(Store::open(&path).unwrap());
    let (mut ann, mut bob) = (stage.enter("ann"), stage.enter("bob"));
    ann.asks(&mut stage, "ADD_FRIEND \"bob\"");
    let accept = r#"RESOLVE_FRIEND_REQUEST {"username":"ann","accepted":true}"#;
    bob.asks(&mut stage, accept);
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
fn send_until_full(stage: &mut Stage, ann: &mut Actor) -> usize {
    (0..100)
        .find(|n| {
            let reply = ann.asks(stage, &send(*n));
            if line(&reply).starts_with("ON_NEW_MESSAGE") {
                return false;
            }
            assert_eq!(text(&reply.params, "code"), "storage_full");
            true
        })
        .expect("a full disk")
}

fn history(stage: &mut Stage, actor: &mut Actor) -> Vec<String> {
    let reply = actor.asks(stage, r#"QUERY_HISTORY {"limit":200}"#);
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
    let mut stage = Stage::new(fill(&path));
    let (mut ann, mut bob) = (stage.enter("ann"), stage.enter("bob"));
    let kept = send_until_full(&mut stage, &mut ann);
    bob.hears(&mut stage);
    assert_eq!(history(&mut stage, &mut bob), numbers(kept));
    // Logging in only reads, and what is told apart from messages is still told.
    let mut bob = stage.enter("bob");
    assert_eq!(history(&mut stage, &mut bob), numbers(kept));
    assert!(line(&ann.asks(&mut stage, &send(kept))).contains("storage_full"));
    assert!(
        bob.hears(&mut stage).is_empty(),
        "what is not kept is not delivered"
    );

    free(&path);
    let reply = ann.asks(&mut stage, &send(kept));
    assert!(
        line(&reply).starts_with("ON_NEW_MESSAGE"),
        "{}",
        line(&reply)
    );
    assert_eq!(bob.hears(&mut stage).len(), 1);
    assert_eq!(history(&mut stage, &mut bob), numbers(kept + 1));
    drop(stage);
    let mut stage = Stage::new(Store::open(&path).unwrap());
    let mut ann = stage.enter("ann");
    assert_eq!(history(&mut stage, &mut ann), numbers(kept + 1));
}

#[test]
fn on_a_full_disk_every_pipelined_request_is_answered() {
    let (_folder, path) = database();
    let mut stage = Stage::new(fill(&path));
    let (mut ann, mut bob) = (stage.enter("ann"), stage.enter("bob"));
    let kept = send_until_full(&mut stage, &mut ann);
    bob.hears(&mut stage);
    let requests: Vec<_> = (kept..kept + 40).map(send).collect();
    ann.says(&mut stage, &requests);
    // Both are handled in the tick that fails.
    bob.says(
        &mut stage,
        &["LIST_ROOMS", "ADD_FRIEND \"cyn\"", "QUERY_SERVER_TIME"],
    );
    stage.settle();
    let replies = ann.hears_messages(&mut stage);
    assert_eq!(replies.len(), 40);
    assert!(
        replies
            .iter()
            .all(|reply| text(&reply.params, "code") == "storage_full")
    );
    assert_eq!(bob.hears_messages(&mut stage).len(), 3);
}

#[test]
fn on_a_full_disk_every_registration_of_a_tick_is_answered() {
    let (_folder, path) = database();
    let mut stage = Stage::new(fill(&path));
    let mut ann = stage.enter("ann");
    send_until_full(&mut stage, &mut ann);
    // Names fill pages too; until none fits any more, somebody is still let in.
    let mut guest = stage.connect();
    let full = (0..1000).any(|n| {
        let register = format!("REGISTER {}", credentials(&format!("user{n}")));
        line(&guest.asks(&mut stage, &register)).contains("storage_full")
    });
    assert!(full);
    let mut guests: Vec<_> = (0..3).map(|_| stage.connect()).collect();
    for (n, guest) in guests.iter_mut().enumerate() {
        let register = format!("REGISTER {}", credentials(&format!("late{n}")));
        guest.says(&mut stage, &[&register, "QUERY_SERVER_TIME"]);
    }
    stage.settle();
    for guest in &mut guests {
        let replies: Vec<_> = guest.hears_messages(&mut stage).iter().map(line).collect();
        assert_eq!(replies.len(), 2, "{replies:?}");
        assert!(replies[0].contains("storage_full"));
        assert!(replies[1].starts_with("SEND_SERVER_TIME"));
    }
}

#[test]
fn a_write_waits_five_seconds_for_a_lock_and_is_then_refused() {
    let (_folder, path) = database();
    let mut stage = Stage::new(Store::open(&path).unwrap());
    let (mut ann, mut bob) = (stage.enter("ann"), stage.enter("bob"));
    ann.hears(&mut stage);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let requests = [send(0), "QUERY_SERVER_TIME".to_owned(), "PING".to_owned()];
    ann.says(&mut stage, &requests);
    stage.settle();
    assert_eq!(ann.hears(&mut stage), [Incoming::Pong]);
    stage.pass(Duration::from_millis(4_950));
    assert_eq!(ann.hears(&mut stage), []);
    assert_eq!(
        history(&mut stage, &mut bob),
        numbers(0),
        "others read meanwhile"
    );
    stage.pass(Duration::from_millis(50));
    let replies: Vec<_> = ann.hears_messages(&mut stage).iter().map(line).collect();
    assert_eq!(replies.len(), 2);
    assert!(replies[0].contains("storage_busy"), "{replies:?}");
    assert!(replies[1].starts_with("SEND_SERVER_TIME"));

    ann.says(&mut stage, &[send(0)]);
    stage.settle();
    stage.pass(Duration::from_secs(3));
    assert_eq!(ann.hears(&mut stage), []);
    other.execute_batch("ROLLBACK").unwrap();
    stage.pass(Duration::from_millis(50));
    assert!(line(&ann.hears_messages(&mut stage)[0]).starts_with("ON_NEW_MESSAGE"));
    assert_eq!(bob.hears(&mut stage).len(), 1);
    assert_eq!(history(&mut stage, &mut bob), numbers(1));
}

/// An engine over it in which nobody has to rest.
fn restless(store: Store) -> Stage {
    let mut stage = Stage::new(store);
    stage.engine().set_turn_cost(Duration::from_millis(50));
    stage
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
