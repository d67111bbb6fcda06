//! A check of a database needs a bounded amount of memory, however many messages there are: the server checks each of
//! its backups. The limit holds for the whole process, so this is the only test here.

use echat_proto::names::{RoomName, Username};
use echat_server::storage::{Store, check_database};
use echat_testkit::folder;
use rusqlite::Connection;

/// More than twice of this would be needed for one row of `SQLite` for each message.
const HEAP: u64 = 24 << 20;

/// Messages of two users, in turn, with a reaction to each.
const FILL: &str = "
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 400000)
    INSERT INTO messages (conversation, sender, send_time, content, annotated, run_above)
        SELECT 1, 1 + n % 2, n, 'tea ' || n, 1, n - 1 FROM n;
    INSERT INTO reactors (message, emoji, user) SELECT id, 'tea', 1 FROM messages;
    INSERT INTO reactions (message, place, emoji, users) SELECT id, 0, 'tea', 1 FROM messages;";

#[test]
fn a_check_needs_no_memory_for_each_message() {
    let folder = folder::in_memory();
    let path = folder.path().join("database.db");
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    let [ann, bob] = ["ann", "bob"].map(|name| {
        let name = Username::new(name).unwrap();
        batch.create_user(&name, "phc", 1).unwrap().unwrap()
    });
    let tea = RoomName::new("tea").unwrap();
    let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
    for user in [ann, bob] {
        batch.add_member(tea, user, 1).unwrap();
    }
    let _ = batch.commit().unwrap();
    drop(store);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(FILL).unwrap();
    db.execute_batch(&format!("PRAGMA hard_heap_limit = {HEAP}"))
        .unwrap();
    drop(db);
    let (findings, summary) = check_database(&path).unwrap();
    assert_eq!(findings.faults, []);
    assert_eq!(summary.unwrap().rows["reactors"], 400_000);
}
