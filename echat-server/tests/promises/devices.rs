//! Devices, and the lists in LOGIN_BUNDLE.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::by_name;
use echat_proto::json::{from_json, to_json};
use echat_server::config::Limits;
use echat_server::storage::{Store, create_template};
use echat_testkit::folder;
use rusqlite::Connection;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

const DAY: i64 = 24 * 60 * 60;

fn sim(path: &Path, names: &[&str]) -> Sim {
    create_template(path).expect("a new database");
    let mut store = Store::open(path).expect("a good database");
    seed::accounts(&mut store, names);
    let limits = Limits {
        login_failures: 0,
        ..Limits::default()
    };
    Sim::new(1, limits, store)
}

/// LOGIN_BUNDLE of ann on a new connection, which is closed afterwards.
fn bundle(sim: &mut Sim, more: &str) -> Message {
    bundle_of(sim, "ann", more)
}

fn bundle_of(sim: &mut Sim, user: &str, more: &str) -> Message {
    let name = format!("c{}", sim.ends.len());
    sim.connect(&name, HOME);
    let login = format!(
        r#"{{"username":"{user}","password":"{}"{more}}}"#,
        seed::PASSWORD
    );
    let mut replies = sim.ask(&name, "LOGIN", &login);
    if replies.is_empty() {
        // A user of a thousand rooms cools down after a login.
        sim.advance(Duration::from_secs(10));
        replies = sim.end(&name).take_messages();
    }
    let bundle = replies.pop().expect("a reply");
    assert_eq!(bundle.command, 105, "{bundle:?}");
    sim.end(&name).hang_up();
    sim.settle();
    bundle
}

fn device_of(bundle: &Message) -> String {
    match bundle.params.at("device") {
        Some(Value::Str(device)) => device.clone(),
        other => panic!("{other:?}"),
    }
}

/// Logs in with a device. Returns whether the server recognises it.
fn is_known(sim: &mut Sim, device: &str) -> bool {
    let bundle = bundle(sim, &format!(r#","device":"{device}""#));
    device_of(&bundle) == device
}

#[test]
fn a_user_has_twenty_devices_and_each_is_forgotten_after_90_days_without_use() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut sim = sim(&path, &["ann"]);
    sim.skip_hashing = true;
    let mut devices = Vec::new();
    for _ in 0..20 {
        sim.now.unix += 1;
        devices.push(device_of(&bundle(&mut sim, "")));
    }
    sim.now.unix += 1;
    assert!(is_known(&mut sim, &devices[0]));
    sim.now.unix += 1;
    devices.push(device_of(&bundle(&mut sim, "")));
    assert!(is_known(&mut sim, &devices[0]), "it was used since");
    let count = "SELECT count(*), count(DISTINCT secret) FROM devices";
    let db = Connection::open(&path).expect("the database");
    let rows = |db: &Connection| {
        db.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("a count")
    };
    assert_eq!(rows(&db), (20, 20));
    // Only hashes are stored.
    let stored = std::fs::read(&path).expect("the database");
    let log = std::fs::read(path.with_extension("db-wal")).expect("its log");
    for device in &devices {
        for bytes in [&stored, &log] {
            let found = bytes.windows(43).any(|part| part == device.as_bytes());
            assert!(!found, "a device is stored as it is");
        }
    }
    sim.now.unix += 90 * DAY;
    assert!(is_known(&mut sim, &devices[0]), "90 days");
    assert!(is_known(&mut sim, &devices[0]), "its use counts");
    sim.now.unix += 90 * DAY + 1;
    assert!(!is_known(&mut sim, &devices[0]));
    // Its login deleted the earlier ones and added a new one.
    assert_eq!(rows(&db), (1, 1));
}

#[test]
fn a_device_that_is_not_stored_is_not_given_out() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let names: Vec<String> = (0..200).map(|number| format!("user{number}")).collect();
    let mut users: Vec<&str> = names.iter().map(String::as_str).collect();
    users.push("ann");
    let mut sim = sim(&path, &users);
    sim.skip_hashing = true;
    let known = device_of(&bundle(&mut sim, ""));
    sim.engine.store().limit_pages(1).expect("a pragma");
    let is_full = names.iter().any(|user| {
        let bundle = bundle_of(&mut sim, user, "");
        device_of(&bundle).is_empty()
    });
    assert!(is_full, "the disk has an end");
    sim.engine.store().limit_pages(u32::MAX).expect("a pragma");
    let fresh = device_of(&bundle(&mut sim, ""));
    assert!(is_known(&mut sim, &fresh));
    assert!(known != fresh);
}

#[test]
fn the_bundle_lists_blocked_users_and_invitations_of_others() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut sim = sim(&path, &["ann", "bob", "eve", "kim"]);
    for (room, owner) in [("tea", "bob"), ("den", "eve"), ("hall", "bob")] {
        seed::room(sim.engine.store(), room, &[owner]);
    }
    let db = Connection::open(&path).expect("the database");
    let sql = "
        INSERT INTO blocks SELECT a.id, b.id, 1 FROM users AS a, users AS b
            WHERE a.name = 'ann' AND b.name IN ('eve', 'kim');
        INSERT INTO room_invitations SELECT a.id, r.id, r.owner, 1 FROM users AS a, rooms AS r
            WHERE a.name = 'ann' AND r.name IN ('tea', 'den');
        INSERT INTO room_invitations SELECT a.id, r.id, NULL, 1 FROM users AS a, rooms AS r
            WHERE a.name = 'ann' AND r.name = 'hall';";
    db.execute_batch(sql).expect("rows");
    let bundle = bundle(&mut sim, "");
    let list = |key| to_json(bundle.params.at(key).expect("a list"));
    assert_eq!(list("blocked"), r#"["eve","kim"]"#);
    let expected = r#"[{"roomname":"tea","by":"bob"},{"roomname":"hall"}]"#;
    assert_eq!(list("invitations"), expected);
}

/// The longest lists, with messages, fit into 240 KiB and into the values of a message.
#[test]
fn the_longest_bundle_fits() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut sim = sim(&path, &["ann"]);
    let db = Connection::open(&path).expect("the database");
    // Names of 64 bytes. The rooms and friendships are ann's, each with an unread and a read message.
    let sql = "
        PRAGMA foreign_keys = OFF;
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
            INSERT INTO users (name, password, created_at)
            SELECT printf('%04d', n) || replace(hex(zeroblob(8)), '00', 'x') || replace(hex(zeroblob(13)), '00', '茶'), 'x', 1 FROM n;
        INSERT INTO conversations (id, kind) SELECT 10000 + id, 0 FROM users WHERE name <> 'ann';
        INSERT INTO friendships (low_user, high_user, conversation, created_at)
            SELECT 1, id, 10000 + id, 1 FROM users WHERE name <> 'ann';
        INSERT INTO conversations (id, kind) SELECT 20000 + id, 1 FROM users WHERE name <> 'ann';
        INSERT INTO rooms (id, name, owner, members, created_at)
            SELECT 20000 + id, name, id, 2, 1 FROM users WHERE name <> 'ann';
        INSERT INTO participants (user, conversation, after_id, read_id, joined_at)
            SELECT 1, id, 0, 0, 1 FROM conversations;
        INSERT INTO messages (conversation, sender, content, send_time)
            SELECT id, 2, hex(zeroblob(1000)), 1 FROM conversations;
        INSERT INTO blocks SELECT 1, id, 1 FROM users WHERE name <> 'ann' AND id <= 1001;
        INSERT INTO friend_requests (sender, receiver, created_at)
            SELECT id, 1, 1 FROM users WHERE id > 1001;
        INSERT INTO room_invitations SELECT 1, id, NULL, 1 FROM rooms LIMIT 200;";
    db.execute_batch(sql).expect("rows");
    for more in ["", r#","messages":false"#] {
        let bundle = bundle(&mut sim, more);
        let bytes = bundle.encode().expect("a wire form").len();
        assert!(bytes <= 240 * 1024, "{bytes}");
        assert!(bytes > 100 * 1024, "{bytes}");
        for key in ["friends", "chat_rooms", "pending_requests", "blocked"] {
            let Some(Value::List(items)) = bundle.params.at(key) else {
                panic!("{key}")
            };
            assert!(items.len() > 500, "{key}: {}", items.len());
        }
        let Some(Value::List(items)) = bundle.params.at("invitations") else {
            panic!("no invitations")
        };
        assert_eq!(items.len(), 200);
    }
}

/// A login and a new password, or the deletion of the account, whose jobs complete in one tick. The login is handled
/// first, and its notes are written after the commit.
#[test]
fn nothing_of_a_login_is_noted_after_a_write_of_the_same_tick_that_deletes_it() {
    let new_password = r#"{"old":"correct horse","new":"wrong horse"}"#;
    let deletion = r#"{"password":"correct horse","erase":false}"#;
    for (command, params, noted) in [
        ("END_OTHER_SESSIONS", "null", ("devices, logins", 1, 1)),
        ("CHANGE_PASSWORD", new_password, ("logins", 0, 1)),
        ("DELETE_ACCOUNT", deletion, ("nothing", 0, 0)),
    ] {
        let dir = folder::in_memory();
        let path = dir.path().join("a.db");
        let mut sim = sim(&path, &["ann"]);
        sim.engine
            .allow_sessions(NonZeroUsize::MIN.saturating_add(2));
        log_in(&mut sim, &["ann"]);
        let db = Connection::open(&path).expect("the database");
        // Only the notes of the second login count.
        db.execute_batch("DELETE FROM devices; DELETE FROM logins;")
            .expect("no rows");
        sim.connect("phone", HOME);
        sim.settle();
        sim.hold = true;
        let login = format!(r#"{{"username":"ann","password":"{}"}}"#, seed::PASSWORD);
        for (name, command, params) in [("phone", "LOGIN", &*login), ("ann", command, params)] {
            let number = by_name(command).expect("a command").number;
            sim.say(name, number, from_json(params).expect("JSON"));
            sim.settle();
        }
        sim.hold = false;
        sim.settle();
        let count = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            db.query_row(&sql, [], |row| row.get(0)).expect("a count")
        };
        let (what, devices, logins) = noted;
        assert_eq!(
            (count("devices"), count("logins")),
            (devices, logins),
            "{command}: {what}"
        );
        let phone = sim.end("phone").take_messages();
        assert!(
            phone.iter().any(|message| message.command == 105),
            "{phone:?}"
        );
    }
}
