//! `check` and `check --repair` with the real binary: what is derived is made anew, what can be read of a damaged file
//! is saved, and what is lost is listed.

mod damage;

use std::fs;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use damage::{database, dir, dir_with_messages, strike_last_leaf, strike_message};
use echat_testkit::faults::record::Note;
use echat_testkit::faults::{Rule, Shim, root};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::side_by_side;
use echat_testkit::wire::{Client, credentials, line, number, text};
use rusqlite::Connection;
use serde_json::Value;

fn json(output: &Output) -> Value {
    serde_json::from_str(stdout(output)).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

/// What `check` or `check --repair` says, and its exit code.
fn check(dir: &ServerFolder, repair: bool) -> (Value, i32) {
    let args: &[&str] = if repair {
        &["check", "--json", "--repair"]
    } else {
        &["check", "--json"]
    };
    let output = dir.run(args);
    (json(&output), output.status.code().unwrap())
}

fn kinds(report: &Value) -> Vec<&str> {
    let faults = report["faults"].as_array().unwrap();
    let mut kinds: Vec<&str> = faults
        .iter()
        .map(|fault| fault["kind"].as_str().unwrap())
        .collect();
    kinds.dedup();
    kinds
}

fn lost(report: &Value) -> Vec<&str> {
    let lost = report["lost"].as_array().unwrap();
    lost.iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn a_sound_database_is_sound_beside_its_server_and_left_alone() {
    let dir = dir();
    let server = dir.start(&["--log", "warn"]);
    Client::login(&server, "ann").is_served();
    let (report, code) = check(&dir, false);
    assert_eq!((report["outcome"].as_str(), code), (Some("sound"), 0));
    let refused = dir.run(&["check", "--repair"]);
    assert_eq!(refused.status.code(), Some(75), "{}", stderr(&refused));
    assert_eq!(server.stop().status.code(), Some(0));
    let before = fs::read(database(&dir)).unwrap();
    let said = dir.run(&["check", "--repair"]);
    assert_eq!(stdout(&said), "data/database.db: sound\n");
    assert!(fs::read(database(&dir)).unwrap() == before);
}

#[test]
fn counters_and_indexes_are_made_anew_in_place() {
    let dir = dir();
    let db = Connection::open(database(&dir)).unwrap();
    db.execute_batch(
        "UPDATE rooms SET members = 40 WHERE name = 'tea';
         DELETE FROM name_endings WHERE ending = 'nn';
         DELETE FROM name_looks WHERE kind = 1;
         INSERT INTO name_endings VALUES (0, 'ghost', 99);",
    )
    .unwrap();
    drop(db);
    let (report, code) = check(&dir, false);
    assert_eq!((report["outcome"].as_str(), code), (Some("damaged"), 65));
    assert_eq!(kinds(&report), ["counter", "name_endings", "name_looks"]);
    let (report, code) = check(&dir, true);
    assert_eq!((report["outcome"].as_str(), code), (Some("repaired"), 0));
    assert_eq!(report["aside"], Value::Null);
    assert_eq!(check(&dir, false).1, 0);
    let server = dir.start(&["--log", "warn"]);
    let mut ann = Client::login(&server, "ann");
    let rooms = line(&ann.asks("LIST_ROOMS"));
    assert!(rooms.contains(r#""members":2"#), "{rooms}");
    let found = line(&ann.asks(r#"FIND {"keyword":"nn"}"#));
    assert!(found.contains("ann"), "{found}");
}

/// Damage, what is lost by it, and whether messages of this room are.
struct Case {
    strike: fn(&ServerFolder),
    lost: &'static [&'static str],
}

fn leaf(dir: &ServerFolder, name: &str) {
    strike_last_leaf(&database(dir), name);
}

const CASES: &[Case] = &[
    // An index of the messages: all of it is in the rows.
    Case {
        strike: |dir| leaf(dir, "messages_by_conversation"),
        lost: &[],
    },
    Case {
        strike: |dir| leaf(dir, "name_endings"),
        lost: &[],
    },
    Case {
        strike: |dir| strike_message(&database(dir), "tea", 700),
        lost: &["messages: rows ", "messages of room \"tea\", ids "],
    },
    Case {
        strike: |dir| {
            strike_message(&database(dir), "tea", 3);
            strike_message(&database(dir), "tea", 900);
            strike_message(&database(dir), "hut", damage::MESSAGES - 1);
        },
        lost: &[
            "messages: rows ",
            "messages of room \"tea\", ids ",
            "messages of room \"hut\", ids ",
        ],
    },
    Case {
        strike: |dir| leaf(dir, "rooms"),
        lost: &["room \"tea\": its topic and settings; it is still public"],
    },
    Case {
        strike: |dir| leaf(dir, "participants"),
        lost: &["10 memberships: "],
    },
    Case {
        strike: |dir| leaf(dir, "conversations"),
        lost: &[],
    },
    Case {
        strike: |dir| {
            leaf(dir, "history");
            leaf(dir, "message_ids");
        },
        lost: &[],
    },
];

#[test]
fn what_can_be_read_of_a_damaged_file_is_saved_and_the_rest_listed() {
    side_by_side::each(CASES.iter().enumerate(), |(at, case)| {
        let dir = dir();
        (case.strike)(&dir);
        let damaged = fs::read(database(&dir)).unwrap();
        let (found, code) = check(&dir, false);
        assert_eq!(
            (found["outcome"].as_str(), code),
            (Some("damaged"), 65),
            "{at}"
        );
        let (report, code) = check(&dir, true);
        assert_eq!(report["outcome"], "repaired", "{at}: {report}");
        let lines = lost(&report);
        assert_eq!(code, if lines.is_empty() { 0 } else { 65 }, "{at}");
        for words in case.lost {
            let is_said = lines.iter().any(|line| line.contains(words));
            assert!(is_said, "{at}: {words}: {lines:?}");
        }
        if let Some(aside) = report["aside"].as_str() {
            let kept = fs::read(dir.path(aside).join("database.db")).unwrap();
            assert!(kept == damaged, "{at}: the damaged file is kept");
        }
        assert_eq!(check(&dir, false).0["outcome"], "sound", "{at}");
        serves_what_is_left(&dir, at, &lines);
    });
}

/// A folder with another database.
fn dir_with(database: &[u8]) -> ServerFolder {
    let dir = dir();
    dir.write_private("data/database.db", database);
    dir
}

/// All users log in, read all messages that are not lost, and write new ones with new ids.
fn serves_what_is_left(dir: &ServerFolder, at: usize, lost: &[&str]) {
    let server = dir.start(&["--log", "warn"]);
    for (name, room) in [("ann", "tea"), ("bob", "hut"), ("eve", "nook")] {
        let mut client = Client::login(&server, name);
        if !lost.iter().any(|line| line.contains("memberships")) {
            let messages = client.history(room, 0);
            let gone = damage::MESSAGES - messages.len();
            let is_listed = lost
                .iter()
                .any(|line| line.starts_with(&format!("{gone} messages of room {room:?},")));
            assert!(gone == 0 || is_listed, "{at}: {gone} of {room}: {lost:?}");
            assert!(gone < 40, "{at}: {gone} of {room}");
            let right = |(_, text): &(u64, String)| text.starts_with(room);
            assert!(messages.iter().all(right), "{at}");
        }
        let request = format!(
            r#"SEND_MESSAGE {{"target_type":1,"target":"{room}","content":"hi","txn_id":"{name}"}}"#
        );
        let sent = client.asks(&request);
        assert!(line(&sent).starts_with("ON_NEW_MESSAGE"), "{at}: {sent:?}");
        let id = number(&sent.params, "id");
        assert!(id > 4 * damage::MESSAGES as u64, "{at}: {id}");
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn the_names_of_lost_accounts_are_kept() {
    let dir = dir();
    leaf(&dir, "users");
    let (report, code) = check(&dir, true);
    assert_eq!((report["outcome"].as_str(), code), (Some("repaired"), 65));
    let lines = lost(&report);
    for name in ["ann", "bob", "eve"] {
        let words = format!("account {name:?}: its password and settings; it needs a new password");
        assert!(lines.contains(&words.as_str()), "{lines:?}");
    }
    // No password opens the account, and its name is not free.
    let server = dir.start(&["--log", "off"]);
    let mut client = Client::connect(&server);
    let refused = client.asks(&format!("LOGIN {}", credentials("ann")));
    assert_eq!(text(&refused.params, "code"), "bad_credentials");
    let refused = client.asks(&format!("REGISTER {}", credentials("ann")));
    assert_eq!(text(&refused.params, "code"), "name_taken");
    // With the index of names lost too, the account is a deleted one, and its messages stay.
    server.stop();
    leaf(&dir, "users");
    leaf(&dir, "sqlite_autoindex_users_1");
    let (report, _) = check(&dir, true);
    assert_eq!(report["outcome"], "repaired", "{report}");
    let words = "account 1: all but its number; its messages stay, of \"deleted account 1\"";
    assert!(lost(&report).contains(&words), "{report}");
    let db = Connection::open(database(&dir)).unwrap();
    let messages: i64 = db
        .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(messages, 4 * i64::try_from(damage::MESSAGES).unwrap());
}

/// Its header, all of it, and the whole page without a word of what it was.
#[test]
fn a_damaged_first_page_is_replaced_by_that_of_a_new_database() {
    let places = [(0, 16), (16, 40), (0, 100), (100, 112), (0, 4096)];
    side_by_side::each(places.into_iter(), |(from, to)| {
        let dir = dir();
        let mut bytes = fs::read(database(&dir)).unwrap();
        bytes[from..to].fill(0xff);
        dir.write_private("data/database.db", &bytes);
        let output = dir.run(&["check"]);
        assert_eq!(output.status.code(), Some(65), "{from}");
        assert!(stderr(&output).contains("check --repair"), "{from}");
        let (report, code) = check(&dir, true);
        assert_eq!(report["outcome"], "repaired", "{from}: {report}");
        assert_eq!((lost(&report).len(), code), (0, 0), "{from}: {report}");
        let kept = dir.path("data/before-repair-1/database.db");
        assert!(fs::read(kept).unwrap() == bytes);
        assert_eq!(check(&dir, false).0["outcome"], "sound", "{from}");
        serves_what_is_left(&dir, from, &[]);
    });
}

#[test]
fn of_a_file_that_was_cut_the_lost_rooms_and_ids_are_named_and_no_advice_is_repeated() {
    let dir = dir();
    let db = Connection::open(database(&dir)).unwrap();
    db.execute_batch(
        "UPDATE participants SET read_id =
             (SELECT coalesce(max(m.id), 0) FROM messages AS m WHERE m.conversation = participants.conversation);",
    )
    .unwrap();
    let newest = "SELECT max(m.id) FROM messages AS m JOIN rooms AS r ON r.id = m.conversation WHERE r.name = ?1";
    let newest = |room: &str| {
        db.query_row(newest, [room], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let newest: Vec<(&str, i64)> = damage::ROOMS
        .iter()
        .map(|(room, _)| (*room, newest(room)))
        .collect();
    drop(db);
    let bytes = fs::read(database(&dir)).unwrap();
    let dir = dir_with(&bytes[..bytes.len() / 4096 / 2 * 4096]);
    let output = dir.run(&["check", "--repair"]);
    assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(!said.contains("--repair"), "{said}");
    let server = dir.start(&["--log", "warn"]);
    for (user, room) in [("ann", "tea"), ("ann", "hut"), ("eve", "nook")] {
        let mut client = Client::login(&server, user);
        let left = client.history(room, 0).len();
        let (_, id) = newest.iter().find(|(name, _)| *name == room).unwrap();
        let names_id = |line: &str| {
            line.contains(&format!("of room {room:?}")) && line.contains(&id.to_string())
        };
        let is_named = said.lines().any(names_id);
        assert_eq!(is_named, left < damage::MESSAGES, "{room} {left}: {said}");
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// What a line says after these words up to the next space.
fn number_behind(line: &str, words: &str) -> i64 {
    let (_, rest) = line.split_once(words).expect(words);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect(line)
}

/// Nothing is read in these rooms: only the ids that were given out tell how much was lost.
#[test]
fn of_a_file_that_was_cut_no_room_is_left_out_and_no_less_is_said_than_is_known() {
    let dir = dir();
    // The start and the end note the newest id.
    assert_eq!(dir.start(&["--log", "warn"]).stop().status.code(), Some(0));
    let ids = |dir: &ServerFolder| -> Vec<(i64, String)> {
        let db = Connection::open(database(dir)).unwrap();
        let sql = "SELECT m.id, r.name FROM messages AS m JOIN rooms AS r ON r.id = m.conversation";
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    let before = ids(&dir);
    let newest = before.iter().map(|(id, _)| *id).max().unwrap();
    let bytes = fs::read(database(&dir)).unwrap();
    let high_water = fs::read(dir.path("data/high_water")).unwrap();
    let dir = dir_with(&bytes[..bytes.len() / 4096 / 2 * 4096]);
    dir.write_private("data/high_water", high_water);
    let (report, code) = check(&dir, true);
    assert_eq!(code, 65);
    let lost = lost(&report);
    let after = ids(&dir);
    let gone: Vec<&(i64, String)> = before.iter().filter(|row| !after.contains(row)).collect();
    assert!(!gone.is_empty());
    let rows = lost
        .iter()
        .find(|line| line.starts_with("messages: rows from number "));
    let rows = rows.unwrap_or_else(|| panic!("{lost:?}"));
    assert_eq!(number_behind(rows, "numbers up to "), newest, "{rows}");
    let low = number_behind(rows, "rows from number ");
    assert_eq!(
        number_behind(rows, "cannot be read: "),
        newest - low + 1,
        "{rows}"
    );
    for (room, _) in damage::ROOMS {
        let ids: Vec<i64> = gone
            .iter()
            .filter(|(_, of)| of == room)
            .map(|(id, _)| *id)
            .collect();
        let line = lost
            .iter()
            .find(|line| line.contains(&format!("of room {room:?}")));
        let Some(line) = line else {
            assert!(ids.is_empty(), "{room}: {lost:?}");
            continue;
        };
        if line.contains("how many is not known") {
            let (_, among) = line.split_once("among the ids ").unwrap();
            let from = number_behind(among, "");
            let to = number_behind(among, " to ");
            assert!(ids.iter().all(|id| (from..=to).contains(id)), "{line}");
        } else {
            assert!(
                line.starts_with(&format!("{} ", ids.len())),
                "{line} {}",
                ids.len()
            );
        }
    }
}

#[test]
fn a_killed_repair_leaves_the_damaged_or_the_repaired_database() {
    // The steps of a repair are the same with few messages.
    let original = dir_with_messages(200);
    strike_message(&database(&original), "tea", 100);
    let whole = fs::read(database(&original)).unwrap();
    let repair = |dir: &ServerFolder, shim: &Shim, rule| {
        // The shim watches paths from the root.
        let data = root(dir).join("data");
        let args = ["check", "--repair", "--data", data.to_str().unwrap()];
        let output = ServerProcess::begin(shim.program(dir, &args, rule)).end();
        assert!(
            [None, Some(65)].contains(&output.status.code()),
            "messages are lost"
        );
        output.status.code().is_none()
    };
    let (dir, shim) = (dir_with(&whole), Shim::new());
    assert!(!repair(&dir, &shim, None));
    let written = changes_before_the_old_is_moved(&shim.notes());
    assert!(written > 40, "{written}");
    // Of the many writes of the new database some are enough; at its beginning and around its end each one.
    let some = (20..written - 11).step_by(11);
    let (damaged, repaired) = (AtomicU32::new(0), AtomicU32::new(0));
    let is_done = AtomicBool::new(false);
    let skips = (0..20).chain(some).chain(written - 11..);
    let skips = skips.take_while(|_| !is_done.load(Ordering::Relaxed));
    side_by_side::each(skips, |skip| {
        let (dir, shim) = (dir_with(&whole), Shim::new());
        if !repair(&dir, &shim, Some(Rule::kill_after(skip))) {
            is_done.store(true, Ordering::Relaxed);
        }
        let count = match check(&dir, false).0["outcome"].as_str() {
            Some("sound") => &repaired,
            Some("damaged") => &damaged,
            other => panic!("{other:?}"),
        };
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (damaged, repaired) = (damaged.into_inner(), repaired.into_inner());
    assert!(damaged > 10 && repaired > 1, "{damaged}, {repaired}");
}

/// Changes of the disk before a repair makes the folder for the files that it replaces.
fn changes_before_the_old_is_moved(notes: &[Note]) -> u64 {
    let is_move = |note: &Note| matches!(note, Note::MadeFolder { path } if path.ends_with("before-repair-1"));
    let moved = notes.iter().position(is_move).unwrap();
    let is_none = |note: &&Note| matches!(note, Note::Started | Note::Ready);
    let changes = notes[..moved].iter().filter(|note| !is_none(note));
    changes.count() as u64
}

/// Ann and bob were friends; eve deleted her account, and not all that she said is erased yet.
const GONE: &str = "
    INSERT INTO conversations (id, kind) VALUES (900, 0);
    INSERT INTO friendships (low_user, high_user, conversation, created_at, ended_at) VALUES (1, 2, 900, 1, 2);
    INSERT INTO participants (user, conversation, after_id, read_id, joined_at) VALUES (1, 900, 0, 0, 1), (2, 900, 0, 0, 1);
    DELETE FROM name_endings WHERE kind = 0 AND id = 3;
    UPDATE users SET name = 'deleted account 1', password = '', deleted_at = 5, erased = 1 WHERE id = 3;
    UPDATE rooms SET owner = 1 WHERE owner = 3;
    UPDATE participants SET user = 1 WHERE user = 3 AND conversation = (SELECT id FROM rooms WHERE name = 'nook');
    DELETE FROM participants WHERE user = 3;
    UPDATE messages SET sender = 3 WHERE id = 1;
    UPDATE rooms SET private = 1, owner = 2 WHERE name = 'den';";

#[test]
fn a_repair_shows_nothing_that_was_hidden_and_opens_nothing_that_was_closed() {
    let original = dir();
    Connection::open(database(&original))
        .unwrap()
        .execute_batch(GONE)
        .unwrap();
    let whole = fs::read(database(&original)).unwrap();
    let seen = |dir: &ServerFolder| {
        let db = Connection::open(database(dir)).unwrap();
        let sql = "SELECT (SELECT group_concat(name || ' ' || private || ' ' || coalesce(owner, '-'), ', ' ORDER BY name)
                               FROM rooms),
                          (SELECT group_concat(id || ' ' || (deleted_at IS NOT NULL) || ' ' || erased, ', ') FROM users),
                          (SELECT group_concat(conversation || ' ' || (ended_at IS NOT NULL), ', ') FROM friendships)";
        db.query_row(sql, [], |row| {
            let text = |column| row.get::<_, String>(column);
            Ok([text(0)?, text(1)?, text(2)?])
        })
        .unwrap()
    };
    let before = seen(&dir_with(&whole));
    assert!(before[0].contains("lobby 0 -"), "{before:?}");
    assert!(before[0].contains("den 1 2"), "{before:?}");
    assert_eq!(before[1..], ["1 0 0, 2 0 0, 3 1 1", "900 1"]);
    for table in ["rooms", "users", "friendships"] {
        let dir = dir_with(&whole);
        leaf(&dir, table);
        let (report, _) = check(&dir, true);
        assert_eq!(report["outcome"], "repaired", "{table}: {report}");
        assert_eq!(seen(&dir), before, "{table}: {report}");
    }
    // Without the index, a friendship counts as ended.
    let dir = dir_with(&whole);
    let db = Connection::open(database(&dir)).unwrap();
    db.execute_batch("UPDATE friendships SET ended_at = NULL")
        .unwrap();
    drop(db);
    leaf(&dir, "friendships");
    leaf(&dir, "friendships_ended");
    let (report, _) = check(&dir, true);
    assert_eq!(seen(&dir)[2], "900 1", "{report}");
    let said = "1 friendships: whether they ended";
    assert!(
        lost(&report).iter().any(|line| line.contains(said)),
        "{report}"
    );
}
