//! A database with several rooms, and pages of it that are damaged.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use echat_proto::names::{Content, RoomName};
use echat_server::storage::{Store, UserId};
use rusqlite::Connection;

const PAGE: usize = 4096;
/// Messages of a room: so many that an index has pages for it alone, and that a login does not look at
/// the first ones.
pub(crate) const MESSAGES: usize = 1_500;

/// Fills the rooms: each has these members, by their place among all users.
pub(crate) fn fill(database: &Path, rooms: &[(&str, &[usize])]) {
    let mut store = Store::open(database).unwrap();
    let now = unix_now();
    let mut batch = store.batch();
    let users: Vec<UserId> = batch.users(100).unwrap().iter().map(|u| u.id).collect();
    for (name, members) in rooms {
        let owner = users[members[0]];
        let room = RoomName::new(name).unwrap();
        let room = batch.create_room(&room, owner, now).unwrap().unwrap();
        for member in *members {
            batch.add_member(room, users[*member], now).unwrap();
        }
        for n in 0..MESSAGES {
            let content = Content::new(content(name, n)).unwrap();
            batch
                .insert_message(room, owner, &content, None, now)
                .unwrap();
        }
    }
    let _ = batch.commit().unwrap();
}

/// Seconds since 1970: what is of the last day is read at a start.
#[expect(clippy::disallowed_methods, reason = "the real server is tested")]
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

/// The content of a room's message.
pub(crate) fn content(room: &str, n: usize) -> String {
    format!("{room} {n:04} {}", "x".repeat(300))
}

/// Damages the page that has the content of this message.
pub(crate) fn strike_message(database: &Path, room: &str, n: usize) {
    let bytes = std::fs::read(database).unwrap();
    let content = content(room, n);
    let at = bytes
        .windows(content.len())
        .position(|window| window == content.as_bytes());
    strike(database, at.expect("the message is in the file") / PAGE + 1);
}

/// Damages the last leaf of a table or an index.
pub(crate) fn strike_last_leaf(database: &Path, name: &str) {
    let page: u32 = Connection::open(database)
        .unwrap()
        .query_row(
            "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'
             ORDER BY path DESC LIMIT 1",
            [name],
            |row| row.get(0),
        )
        .unwrap();
    strike(database, page.try_into().unwrap());
}

/// Overwrites a page's header with what no page begins with.
fn strike(database: &Path, page: usize) {
    assert!(page > 1, "the first page is the whole database's");
    let file = OpenOptions::new().write(true).open(database).unwrap();
    let at = u64::try_from((page - 1) * PAGE).unwrap();
    file.write_all_at(&[0xff; 12], at).unwrap();
}
