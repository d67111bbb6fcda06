//! A database with several rooms, and pages of it that are damaged.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use echat_proto::names::{Content, RoomName};
use echat_server::storage::{Store, UserId};
use echat_testkit::server_process::ServerFolder;
use echat_testkit::wire::Client;
use rusqlite::Connection;

const PAGE: usize = 4096;
/// Messages of a room: so many that an index has pages for it alone, and that a login does not look at
/// the first ones.
pub(crate) const MESSAGES: usize = 1_500;

/// Ann and bob in the rooms tea, den and hut, and eve alone in nook.
pub(crate) const ROOMS: [(&str, &[usize]); 4] = [
    ("tea", &[0, 1]),
    ("den", &[0, 1]),
    ("nook", &[2]),
    ("hut", &[0, 1]),
];

const CONFIG: &str = r#"{"server": {"limits": {"message_rate": 0, "registrations": 0}}}"#;

/// Files by name.
type Files = [(&'static str, Vec<u8>); 3];

/// The files of a data folder with these rooms. They are made once.
static FILES: LazyLock<Files> = LazyLock::new(|| files(MESSAGES));

fn files(messages: usize) -> Files {
    let dir = ServerFolder::new();
    dir.write("config.json", CONFIG);
    let server = dir.start(&["--log", "warn"]);
    for name in ["ann", "bob", "eve"] {
        Client::register(&server, name);
    }
    assert_eq!(server.stop().status.code(), Some(0));
    fill_with(&database(&dir), &ROOMS, messages);
    let names = ["data/host_key", "data/high_water", "data/database.db"];
    names.map(|name| (name, fs::read(dir.path(name)).unwrap()))
}

/// A folder whose server has these rooms; nothing runs.
pub(crate) fn dir() -> ServerFolder {
    folder_of(&FILES)
}

/// The same with so many messages in a room.
pub(crate) fn dir_with_messages(messages: usize) -> ServerFolder {
    folder_of(&files(messages))
}

fn folder_of(files: &Files) -> ServerFolder {
    let dir = ServerFolder::new();
    dir.write("config.json", CONFIG);
    dir.make_data();
    for (name, content) in files {
        dir.write_private(name, content);
    }
    dir
}

/// The database of a folder.
pub(crate) fn database(dir: &ServerFolder) -> PathBuf {
    dir.path("data/database.db")
}

/// Fills the rooms: each has these members, by their place among all users.
pub(crate) fn fill(database: &Path, rooms: &[(&str, &[usize])]) {
    fill_with(database, rooms, MESSAGES);
}

fn fill_with(database: &Path, rooms: &[(&str, &[usize])], messages: usize) {
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
        for n in 0..messages {
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
    let bytes = fs::read(database).unwrap();
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
