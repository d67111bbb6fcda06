//! A page of the database is damaged: requests that need it are refused, all others are served, in the real
//! server and in each tick of the engine.

mod damage;
mod harness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use damage::{content, database, dir, strike_last_leaf, strike_message};
use echat_server::storage::{Store, StoreError, create_template};
use echat_testkit::faults::{Rule, Shim};
use echat_testkit::folder;
use echat_testkit::server_process::{ServerProcess, stderr, stdout};
use echat_testkit::wire::{Client, credentials, line, text};
use harness::{Actor, Harness};
use rusqlite::Connection;
use rustix::io::Errno;
use tempfile::TempDir;

const FIRST_PAGE: &str = r#"QUERY_HISTORY {"target_type":1,"target":"tea","after":0,"limit":10}"#;
const LAST_PAGE: &str = r#"QUERY_HISTORY {"target_type":1,"target":"tea","limit":10}"#;
const OTHER_PAGE: &str = r#"QUERY_HISTORY {"target_type":1,"target":"den","after":0,"limit":10}"#;

fn send(room: &str, txn_id: &str) -> String {
    format!(
        r#"SEND_MESSAGE {{"target_type":1,"target":"{room}","content":"hi","txn_id":"{txn_id}"}}"#
    )
}

fn code(client: &mut Client, request: &str) -> String {
    let reply = client.asks(request);
    text(&reply.params, "code").to_owned()
}

/// Stops in order; how many lines of the log are errors, all of which must say what to do.
fn errors(server: ServerProcess) -> usize {
    let output = server.stop();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let errors = stderr(&output).lines().filter(|l| l.contains("ERROR"));
    let errors: Vec<_> = errors.collect();
    for error in &errors {
        assert!(error.contains("`echat-server check --repair`"), "{error}");
        assert!(error.contains("data/database.db"), "{error}");
        assert!(error.contains("backup"), "{error}");
    }
    errors.len()
}

#[test]
fn a_damaged_message_fails_only_the_requests_that_read_it() {
    let dir = dir();
    strike_message(&database(&dir), "tea", 0);
    strike_message(&database(&dir), "nook", damage::MESSAGES - 1);
    for round in 0..2 {
        let server = dir.start(&["--log", "info"]);
        let mut ann = Client::login(&server, "ann");
        let mut bob = Client::login(&server, "bob");
        ann.events.clear();
        for n in 0..10 {
            assert_eq!(code(&mut ann, FIRST_PAGE), "storage_damaged");
            assert!(line(&ann.asks(LAST_PAGE)).starts_with("HISTORY"));
            let page = line(&ann.asks(OTHER_PAGE));
            assert!(page.contains(&content("den", 9)), "{page}");
            for room in ["tea", "den", "hut"] {
                let txn_id = format!("{round}-{room}-{n}");
                let reply = line(&ann.asks(&send(room, &txn_id)));
                assert!(reply.starts_with("ON_NEW_MESSAGE"), "{reply}");
            }
        }
        bob.is_served();
        let heard = bob.events.iter().filter(|event| event.command == 109);
        assert_eq!(heard.count(), 30);

        // What eve's login shows cannot be read: it is refused, and eve is not online.
        let mut eve = Client::connect(&server);
        let login = format!("LOGIN {}", credentials("eve"));
        for _ in 0..3 {
            assert_eq!(code(&mut eve, &login), "storage_damaged");
        }
        assert_eq!(code(&mut eve, "LIST_ROOMS"), "not_logged_in");
        Client::login(&server, "bob").is_served();
        assert_eq!(errors(server), 1);
    }
}

#[test]
fn damage_outside_of_what_a_login_needs_locks_no_user_out() {
    let dir = dir();
    // The name of the history, and the notes about logins.
    for table in ["history", "logins"] {
        strike_last_leaf(&database(&dir), table);
    }
    let server = dir.start(&["--log", "off"]);
    Client::login(&server, "eve").is_served();
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn damage_that_a_check_finds_is_in_the_log() {
    let dir = dir();
    strike_message(&database(&dir), "tea", 0);
    let server = dir.start(&["--log", "error"]);
    let checked = dir.run(&["ctl", "check"]);
    assert_eq!(checked.status.code(), Some(65), "{}", stderr(&checked));
    let log = server.stop();
    let logged = stderr(&log);
    assert!(logged.contains("ERROR"), "{logged}");
    assert!(
        logged.contains("a check of the database found damage"),
        "{logged}"
    );
}

#[test]
fn damage_found_in_a_write_rolls_back_only_its_tick() {
    let dir = dir();
    // New messages of the last room go there.
    strike_last_leaf(&database(&dir), "messages_by_conversation");
    // Which names look alike cannot be told: none can be made.
    strike_last_leaf(&database(&dir), "name_looks");
    for round in 0..2 {
        let server = dir.start(&["--log", "info"]);
        let mut eve = Client::login(&server, "eve");
        let mut guest = Client::connect(&server);
        for n in 0..10 {
            assert_eq!(code(&mut eve, "JOIN_ROOM \"hut\""), "storage_damaged");
            let register = format!("REGISTER {}", credentials(&format!("new{n}")));
            assert_eq!(code(&mut guest, &register), "storage_damaged");
            let reply = line(&eve.asks(&send("nook", &format!("{round}-{n}"))));
            assert!(reply.starts_with("ON_NEW_MESSAGE"), "{reply}");
            assert_eq!(eve.pings(), []);
        }
        // She did not come to the room, and what was refused left nothing behind.
        assert_eq!(code(&mut eve, &send("hut", "t")), "not_a_member");
        let rooms = line(&eve.asks("LIST_ROOMS"));
        assert!(rooms.contains("nook") && !rooms.contains("hut"), "{rooms}");
        assert_eq!(errors(server), 1);
    }
    let db = Connection::open(database(&dir)).unwrap();
    let users: i64 = db
        .query_row("SELECT count(*) FROM users NOT INDEXED", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(users, 3);
}

#[test]
fn an_unreadable_sector_fails_only_the_requests_that_read_it() {
    // `SQLite` makes damage of EIO by itself, and passes on what other errors of a disk are.
    for errno in [Errno::IO, Errno::NODATA] {
        a_sector_cannot_be_read(errno);
    }
}

fn a_sector_cannot_be_read(errno: Errno) {
    let (dir, shim) = (dir(), Shim::new());
    // A start looks at all pages, unless the server ended in order.
    let output = dir.start(&["--log", "warn"]).stop();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // Messages of the last day are read at a start, and are in memory then.
    let db = rusqlite::Connection::open(database(&dir)).unwrap();
    db.execute("UPDATE messages SET send_time = send_time - 172800", [])
        .unwrap();
    // And so are messages that are to be indexed.
    let indexed = "INSERT OR REPLACE INTO search_progress (id, above, upto) SELECT 1, 0, max(id) FROM messages";
    db.execute(indexed, []).unwrap();
    drop(db);
    shim.switch(false);
    let rule = Rule {
        what: "read",
        files: "database.db",
        skip: 0,
        times: -1,
        errno: Some(errno),
    };
    let server = shim.start(&dir, Some(rule));
    let mut ann = Client::login(&server, "ann");
    let mut bob = Client::login(&server, "bob");
    // What was read before is in memory.
    let reply = line(&ann.asks(&send("hut", "0")));
    assert!(reply.starts_with("ON_NEW_MESSAGE"), "{reply}");
    shim.switch(true);
    for n in 1..10 {
        assert_eq!(code(&mut ann, FIRST_PAGE), "storage_damaged");
        let reply = line(&bob.asks(&send("hut", &n.to_string())));
        assert!(reply.starts_with("ON_NEW_MESSAGE"), "{reply}");
        assert_eq!(
            text(&bob.asks(&send("hut", &n.to_string())).params, "content"),
            "hi"
        );
    }
    shim.switch(false);
    let page = line(&ann.asks(FIRST_PAGE));
    assert!(page.contains(&content("tea", 9)), "{page}");
    assert_eq!(errors(server), 1);
}

#[test]
fn a_database_whose_beginning_is_damaged_is_refused_with_what_to_do() {
    let dir = dir();
    let whole = std::fs::read(database(&dir)).unwrap();
    // The magic string; the size of pages; the tree of the schema.
    for at in [0, 16, 100] {
        let mut bytes = whole.clone();
        bytes[at..at + 2].fill(0xff);
        std::fs::write(database(&dir), &bytes).unwrap();
        let output = dir.run(&["--listen", "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(65), "{}", stdout(&output));
        let said = stderr(&output);
        assert!(said.contains("the database is damaged"), "{at}: {said}");
        assert!(said.contains("backup"), "{said}");
        assert!(said.contains("database.db"), "{said}");
        assert_eq!(std::fs::read(database(&dir)).unwrap(), bytes, "{at}");
    }
}

/// Settings and bans say which users must not be served: without them the server does not start.
#[test]
fn a_server_whose_settings_or_bans_are_damaged_does_not_start_and_says_what_to_do() {
    for (table, row) in [
        ("server_settings", "VALUES ('motd', 'hello')"),
        ("address_bans", "VALUES ('192.0.2.0/24', 0, NULL)"),
    ] {
        let dir = dir();
        let db = rusqlite::Connection::open(database(&dir)).unwrap();
        db.execute(&format!("INSERT INTO {table} {row}"), [])
            .unwrap();
        drop(db);
        strike_last_leaf(&database(&dir), table);
        let output = dir.run(&["--listen", "127.0.0.1:0"]);
        let said = stderr(&output);
        assert_ne!(output.status.code(), Some(0), "{said}");
        assert!(
            said.contains("`echat-server check --repair`"),
            "{table}: {said}"
        );
        assert!(said.contains("database.db"), "{said}");
    }
}

/// The same rooms for the engine alone, with users of it.
fn engine_database() -> (TempDir, PathBuf) {
    let folder = folder::in_memory();
    let path = folder.path().join("database.db");
    create_template(&path).unwrap();
    let mut harness = Harness::new(Store::open(&path).unwrap());
    for name in ["ann", "bob", "eve"] {
        harness.enter(name);
    }
    drop(harness);
    damage::fill(&path, &damage::ROOMS);
    (folder, path)
}

/// An engine over it without cool-downs.
fn engine(path: &Path) -> Harness {
    let mut harness = Harness::new(Store::open(path).unwrap());
    harness.engine().set_turn_cost(Duration::from_millis(50));
    harness
}

fn replies(harness: &mut Harness, actor: &mut Actor) -> Vec<String> {
    actor.hears_messages(harness).iter().map(line).collect()
}

#[test]
fn repeated_reads_of_a_damaged_page_roll_back_no_writes_of_others() {
    let (_folder, path) = engine_database();
    strike_message(&path, "tea", 0);
    let mut harness = engine(&path);
    let (mut ann, mut eve) = (harness.enter("ann"), harness.enter("eve"));
    let mut kept = 0;
    for n in 0..20 {
        // In either order, all of it in the round's first tick if it may be.
        let request = send("nook", &format!("t{n}"));
        if n % 2 == 0 {
            eve.says(&mut harness, &[&request]);
            ann.says(&mut harness, &[FIRST_PAGE]);
        } else {
            ann.says(&mut harness, &[FIRST_PAGE]);
            eve.says(&mut harness, &[&request]);
        }
        harness.settle();
        let refused = replies(&mut harness, &mut ann);
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains("storage_damaged"), "{refused:?}");
        let sent = replies(&mut harness, &mut eve);
        assert_eq!(sent.len(), 1, "{sent:?}");
        kept += usize::from(sent[0].starts_with("ON_NEW_MESSAGE"));
    }
    assert!(kept >= 19, "{kept} of 20: only the first may be lost");
    // A write and a read of damage in one turn are both rolled back; the next turn is whole.
    ann.says(&mut harness, &[send("den", "a").as_str(), FIRST_PAGE]);
    eve.says(&mut harness, &[send("nook", "e")]);
    harness.settle();
    let own = replies(&mut harness, &mut ann);
    assert!(own.iter().all(|l| l.contains("storage_damaged")), "{own:?}");
    assert!(replies(&mut harness, &mut eve)[0].starts_with("ON_NEW_MESSAGE"));
    let again = ann.asks(&mut harness, &send("den", "a"));
    assert!(line(&again).starts_with("ON_NEW_MESSAGE"));
}

#[test]
fn sessions_end_although_the_friends_to_notify_cannot_be_read() {
    let (_folder, path) = engine_database();
    let mut harness = engine(&path);
    let (mut ann, bob) = (harness.enter("ann"), harness.enter("bob"));
    assert_eq!(harness.engine().roster().sessions().count(), 2);
    strike_last_leaf(&path, "friendships");
    // The engine has pages in memory, until another program writes.
    let other = Connection::open(&path).unwrap();
    other
        .execute("UPDATE history SET name = name || name", [])
        .unwrap();
    let out = ann.asks(&mut harness, "LOGOUT");
    assert!(line(&out).starts_with("LOGGED_OUT"), "{}", line(&out));
    bob.hangs_up(&mut harness);
    assert_eq!(harness.engine().roster().sessions().count(), 0);
    let mut batch = harness.engine().store().batch();
    let met = batch.friends(echat_server::storage::UserId(1));
    assert!(matches!(met, Err(StoreError::Damaged(_))), "{met:?}");
    assert!(batch.is_whole());
    batch
        .set_password(echat_server::storage::UserId(1), "other")
        .unwrap();
    let _ = batch.commit().unwrap();
}

#[test]
fn a_row_that_no_server_has_written_is_damage_too() {
    for change in [
        // No UTF-8; longer than any message; a kind that there is not.
        "UPDATE messages SET content = CAST(x'ff41' AS TEXT) WHERE id = 1",
        "UPDATE messages SET content = printf('%.*c', 200000, 'x') WHERE id = 1",
        "PRAGMA ignore_check_constraints = ON;
         UPDATE conversations SET kind = 7 WHERE id = (SELECT id FROM rooms WHERE name = 'tea')",
    ] {
        let (_folder, path) = engine_database();
        let mut harness = engine(&path);
        let (mut ann, mut eve) = (harness.enter("ann"), harness.enter("eve"));
        let other = Connection::open(&path).unwrap();
        other.execute_batch(change).unwrap();
        let page = line(&ann.asks(&mut harness, FIRST_PAGE));
        assert!(page.contains("storage_damaged"), "{change}: {page}");
        let sent = line(&eve.asks(&mut harness, &send("nook", "t")));
        assert!(sent.starts_with("ON_NEW_MESSAGE"), "{change}: {sent}");
    }
}
