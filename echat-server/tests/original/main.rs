//! A database of the original E-Chat is added to a data folder, with the real binary.

mod bounds;

use std::fs;
use std::path::PathBuf;

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::wire::{Client, line};
use rusqlite::Connection;

/// What the original wrote in a short talk of two friends, and a message of a former member.
const ORIGINAL: &str = include_str!("original.sql");

/// A folder with the database of the original, and more rows of it.
fn folder(more: &str) -> ServerFolder {
    let dir = ServerFolder::new();
    also(&dir, ORIGINAL);
    also(&dir, more);
    dir
}

fn also(dir: &ServerFolder, more: &str) {
    let db = Connection::open(dir.path("original.db")).unwrap();
    // As the original had it.
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db.execute_batch(more).unwrap();
}

/// Imports the database, and returns the report.
fn imports(dir: &ServerFolder) -> String {
    let output = dir.run(&["import", "original.db", "--data", "data"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output).to_owned()
}

/// Logs in with a password of the original.
fn log_in(client: &mut Client, name: &str, password: &str) -> String {
    let login = format!(r#"LOGIN {{"username":"{name}","password":"{password}"}}"#);
    line(&client.asks(&login))
}

fn aside(dir: &ServerFolder) -> Vec<PathBuf> {
    let files = fs::read_dir(dir.path("data")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let is_aside = |path: &PathBuf| path.to_string_lossy().contains("before-import");
    paths.filter(is_aside).collect()
}

#[test]
fn what_the_original_wrote_is_there_with_its_passwords_and_can_be_imported_again() {
    let dir = folder("");
    let report = imports(&dir);
    assert_eq!(
        report,
        "imported original.db into data: users 3, friendships 1, requests 1, rooms 1, members 2, messages 3; 9 message rows \
         read, 0 messages there already\n\
         user alice has a password that is too short today: it still works, and echat asks for a new one\n\
         user bob has a password that is too short today: it still works, and echat asks for a new one\n\
         user carol has a password that is too short today: it still works, and echat asks for a new one\n\
         left out: message row 9 (1): no member of the room received it\n\
         left out: message row 7, 8 (2): the text is empty\n\
         no account is an administrator; the code that makes the first one: data/first_administrator_code\n"
    );
    // No password is stored as it was.
    let bytes = fs::read(dir.path("data/database.db")).unwrap();
    for password in ["pw1", "pw2", "pw3"] {
        let found = bytes.windows(3).any(|window| window == password.as_bytes());
        assert!(!found, "{password}");
    }
    let checked = dir.run(&["check", "--data", "data"]);
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
    let server = dir.start(&["--log", "warn"]);
    let mut bob = Client::connect(&server);
    let wrong = log_in(&mut bob, "bob", "pw1");
    assert!(wrong.contains("bad_credentials"), "{wrong}");
    let bundle = log_in(&mut bob, "bob", "pw2");
    assert!(
        bundle.contains(r#""must_change_password":true"#),
        "{bundle}"
    );
    assert!(bundle.contains(r#""friends":["alice"]"#), "{bundle}");
    assert!(bundle.contains(r#""unread":[]"#), "{bundle}");
    let said = ["hello", "hi again 你好"];
    let room: Vec<String> = bob
        .history("room1", 0)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(room, said);
    let private = line(&bob.asks(r#"QUERY_HISTORY {"target_type":0,"target":"alice"}"#));
    assert!(private.contains("private hi"), "{private}");
    assert!(private.contains(r#""send_time":1795332188"#), "{private}");
    let mut alice = Client::connect(&server);
    let bundle = log_in(&mut alice, "alice", "pw1");
    assert!(
        bundle.contains(r#""pending_requests":["carol"]"#),
        "{bundle}"
    );
    let mut carol = Client::connect(&server);
    log_in(&mut carol, "carol", "pw3");
    let refused = line(&carol.asks(r#"QUERY_HISTORY {"target_type":1,"target":"room1"}"#));
    assert!(refused.contains("not_a_member"), "{refused}");
    is_imported_again(&dir, server, &mut bob);
}

/// The same database, and a later state of it.
fn is_imported_again(dir: &ServerFolder, server: ServerProcess, bob: &mut Client) {
    // A new message, then the same import: nothing is doubled or changed.
    let new = line(&bob.asks(r#"SEND_MESSAGE {"target_type":1,"target":"room1","content":"new"}"#));
    assert!(new.starts_with("ON_NEW_MESSAGE"), "{new}");
    let in_use = dir.run(&["import", "original.db", "--data", "data"]);
    assert_ne!(in_use.status.code(), Some(0), "{}", stdout(&in_use));
    server.stop();
    let again = imports(dir);
    assert!(
        again.starts_with(
            "imported original.db into data: users 0, friendships 0, requests 0, rooms 0, members 0, messages 0; 9 message \
             rows read, 3 messages there already\n"
        ),
        "{again}"
    );
    assert_eq!(aside(dir), Vec::<PathBuf>::new(), "nothing was replaced");
    // The original went on: what is new there comes after what is here, and the old files are kept.
    also(
        dir,
        "INSERT INTO users VALUES ('2026-11-23 00:00:00', 'dan', 'a longer one');
         INSERT INTO room_users VALUES ('room1', 'dan');
         INSERT INTO messages VALUES
             (10, 1795400000, 'alice', 'dan', 1, 'room1', 'late', 0), (11, 1795400000, 'bob', 'dan', 1, 'room1', 'late', 1),
             (12, 1795400000, 'dan', 'dan', 1, 'room1', 'late', 1);",
    );
    let report = imports(dir);
    let start = "imported original.db into data: users 1, friendships 0, requests 0, rooms 0, members 1, messages 1; 12";
    assert!(report.starts_with(start), "{report}");
    assert!(
        report.contains("what was there before: data/before-import-1\n"),
        "{report}"
    );
    assert_eq!(aside(dir).len(), 1);
    let server = dir.start(&["--log", "warn"]);
    let mut bob = Client::connect(&server);
    log_in(&mut bob, "bob", "pw2");
    let room: Vec<String> = bob
        .history("room1", 0)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(room, ["hello", "hi again 你好", "new", "late"]);
    let mut dan = Client::connect(&server);
    let bundle = log_in(&mut dan, "dan", "a longer one");
    assert!(
        bundle.contains(r#""must_change_password":false"#),
        "{bundle}"
    );
    let room: Vec<String> = dan
        .history("room1", 0)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(room, ["late"], "what was said before is not for dan");
}

/// Names that echat changes, and rows that make no sense.
const ODD: &str = "INSERT INTO users VALUES
             ('2026-11-23 00:00:01', 'Alice', 'password one'), ('2026-11-23 00:00:02', 'a b', 'password two'),
             ('2026-11-23 00:00:03', '', 'password three'), ('2026-11-23 00:00:04', '  ', ''),
             ('2026-11-23 00:00:05', 'b0b', 'password five'), ('2026-11-23 00:00:06', 'esc' || char(27) || '[2J', 'password six'),
             ('2026-11-23 00:00:07', '小明', 'password seven'), ('never', 'server', x'ff');
         INSERT INTO chat_rooms VALUES ('2026-11-23 00:00:00', 'Room1'), ('2026-11-23 00:00:00', 'empty');
         INSERT INTO room_users VALUES ('Room1', '小明'), ('Room1', 'nobody'), ('nowhere', 'bob');
         INSERT INTO freinds VALUES ('bob', 'bob', '2026-11-23 00:00:00', 1), ('bob', 'gone', '2026-11-23 00:00:00', 1),
             ('bob', 'alice', '2026-11-23 00:00:00', 0);
         INSERT INTO messages VALUES
             (20, 1795400000, '小明', '小明', 1, 'Room1', 'twice', 1), (21, 1795400000, '小明', '小明', 1, 'Room1', 'twice', 0),
             (22, 1795400000, '小明', NULL, 1, 'Room1', 'no sender', 1), (23, 1795400000, 'bob', 'alice', 7, 'bob', 'odd', 1),
             (24, 1795400000, '小明', 'a b', 0, 'a b', 'no friends', 0), (25, 1795400000, 'a b', 'a b', 0, '小明', 'no friends', 1),
             (26, 'soon', '小明', 'a b', 0, 'a b', 'no time', 1), (27, 1795400000, 'bob', 'bob', 0, 'bob', 'to myself', 1),
             (28, 1795400000, 'bob', 'alice', 1, 'room1', 'bell ' || char(7), 1), (29, 1795400000, 'bob', 'alice', 0, 'carol', '?', 1);";

#[test]
fn names_that_echat_does_not_allow_are_changed_and_what_makes_no_sense_is_left_out() {
    let dir = folder(ODD);
    let report = imports(&dir);
    let has = |part: &str| assert!(report.contains(part), "{part}\n{report}");
    has("users 11, friendships 2, requests 1, rooms 2, members 3, messages 6;");
    for renamed in [
        r#"user "Alice" is now alice-2"#,
        r#"user "a b" is now a_b"#,
        r#"user "" is now user"#,
        r#"user "  " is now user-2"#,
        r#"user "b0b" is now b0b-2"#,
        r#"user "esc\u{1b}[2J" is now esc__2j"#,
        r#"room "Room1" is now room1-2"#,
    ] {
        has(&format!("{renamed}\n"));
    }
    assert!(!report.contains("小明\" is now"), "{report}");
    for left_out in [
        r#"friendship of "bob" and "bob" (1): both are the same user"#,
        r#"friendship of "bob" and "gone" (1): a user does not exist"#,
        r#"room "empty" (1): it has no members"#,
        r#"member "nobody" of "Room1" (1): a user does not exist"#,
        r#"member "bob" of "nowhere" (1): the room does not exist, or has no members"#,
        "message row 22 (1): a user does not exist",
        "message row 23 (1): the kind of its target is unknown",
        "message row 26 (1): the time is no number",
        "message row 27 (1): it is from a user to the same user",
        "message row 28 (1): the text has characters that echat does not allow, or is too long",
        "message row 29 (1): sender and target do not fit",
    ] {
        has(&format!("left out: {left_out}\n"));
    }
    assert!(!report.contains('\u{1b}'), "{report:?}");
    let checked = dir.run(&["check", "--data", "data"]);
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
    let server = dir.start(&["--log", "warn"]);
    let mut ming = Client::connect(&server);
    let bundle = log_in(&mut ming, "小明", "password seven");
    assert!(bundle.contains(r#""count":1"#), "it was not sent: {bundle}");
    let room: Vec<String> = ming
        .history("room1-2", 0)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(room, ["twice", "twice"]);
    let private = line(&ming.asks(r#"QUERY_HISTORY {"target_type":0,"target":"a_b"}"#));
    assert!(private.contains("no friends"), "{private}");
    let refused = r#"SEND_MESSAGE {"target_type":0,"target":"a_b","content":"x"}"#;
    let refused = line(&ming.asks(refused));
    assert!(refused.contains("not_a_friend"), "{refused}");
    // An account without a password, or with one that is no text, opens for nobody.
    let mut other = Client::connect(&server);
    for name in ["user-2", "server-2"] {
        let wrong = log_in(&mut other, name, "*");
        assert!(wrong.contains("bad_credentials"), "{name}: {wrong}");
    }
}

#[test]
fn accounts_of_the_folder_are_not_taken_over_and_what_was_removed_does_not_come_back() {
    let dir = folder("");
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0, "registrations": 0}}}"#,
    );
    let server = dir.start(&["--log", "warn"]);
    let mut alice = Client::register(&server, "alice");
    alice.asks(r#"CREATE_ROOM {"roomname":"room1","members":[]}"#);
    server.stop();
    let report = imports(&dir);
    assert!(
        report.contains("user \"alice\" is now alice-2\n"),
        "{report}"
    );
    assert!(
        report.contains("room \"room1\" is now room1-2\n"),
        "{report}"
    );
    let server = dir.start(&["--log", "warn"]);
    let mut alice = Client::login(&server, "alice");
    assert_eq!(alice.history("room1", 0), []);
    let mut bob = Client::connect(&server);
    log_in(&mut bob, "bob", "pw2");
    let left = line(&bob.asks(r#"LEAVE_ROOM "room1-2""#));
    assert!(left.starts_with("LEFT_ROOM"), "{left}");
    let mut other = Client::connect(&server);
    log_in(&mut other, "alice-2", "pw1");
    let deleted = line(&other.asks(r#"DELETE_ACCOUNT {"password":"pw1","erase":true}"#));
    assert!(deleted.contains("LOGGED_OUT"), "{deleted}");
    server.stop();
    let report = imports(&dir);
    assert!(
        report.contains("users 0, friendships 0, requests 0, rooms 0, members 0, messages 0;"),
        "{report}"
    );
    assert!(
        report.contains("left out: user \"alice\" (1): the account was deleted\n"),
        "{report}"
    );
    assert!(
        report.contains("left out: room \"room1\" (1): it was closed\n"),
        "{report}"
    );
}

#[test]
fn another_database_is_refused_and_nothing_is_left() {
    let dir = folder("");
    let db = Connection::open(dir.path("other.db")).unwrap();
    db.execute_batch("CREATE TABLE users (name TEXT)").unwrap();
    let output = dir.run(&["import", "other.db", "--data", "data"]);
    assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("this is no database of the original E-Chat"),
        "{said}"
    );
    assert!(!dir.path("data/database.db").exists());
    // A file that is cut off.
    let bytes = fs::read(dir.path("original.db")).unwrap();
    fs::write(dir.path("cut.db"), &bytes[..bytes.len() / 2]).unwrap();
    let output = dir.run(&["import", "cut.db", "--data", "data"]);
    assert_ne!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(!dir.path("data/database.db").exists());
    imports(&dir);
}
