//! Message ids grow in one data folder, over kills and databases that are put back.

use std::fs;

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, why_it_ended};
use echat_testkit::wire::{Client, number, text};
use rusqlite::Connection;

/// Messages that are on the way at a time.
const AT_ONCE: usize = 50;

const MESSAGE: &str = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"x"}"#;

/// What a server tells of its history: its name, and the newest id.
type History = (String, u64);

fn dir() -> ServerFolder {
    let dir = ServerFolder::new();
    let config = r#"{"server": {"limits": {"message_rate": 0}}}"#;
    dir.write("config.json", config);
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    assert_eq!(server.stop().status.code(), Some(0));
    dir
}

fn history(server: &ServerProcess) -> History {
    let bundle = Client::connect(server).logs_in("ann");
    (
        text(&bundle, "history").to_owned(),
        number(&bundle, "newest"),
    )
}

/// Sends so many messages; their ids, which grow.
fn send(server: &ServerProcess, count: usize) -> Vec<u64> {
    let mut ann = Client::login(server, "ann");
    let mut ids = Vec::new();
    while ids.len() < count {
        let some = vec![MESSAGE; AT_ONCE.min(count - ids.len())];
        assert!(ann.says(&some));
        for _ in some {
            ids.push(number(&ann.hears_message().params, "id"));
        }
    }
    assert!(ids.is_sorted_by(|a, b| a < b));
    ids
}

fn aside(dir: &ServerFolder) {
    fs::copy(dir.path("data/database.db"), dir.path("aside")).unwrap();
}

fn put_back(dir: &ServerFolder) {
    for companion in ["-wal", "-shm"] {
        let _ = fs::remove_file(dir.path(format!("data/database.db{companion}")));
    }
    fs::copy(dir.path("aside"), dir.path("data/database.db")).unwrap();
}

#[test]
fn a_clean_restart_leaves_no_gap_and_keeps_the_history() {
    let dir = dir();
    let mut expected = 1;
    let mut name = None;
    for _ in 0..3 {
        let server = dir.start(&[]);
        let (history, newest) = history(&server);
        assert_eq!(newest, expected - 1);
        assert_eq!(*name.get_or_insert_with(|| history.clone()), history);
        assert_eq!(send(&server, 2), [expected, expected + 1]);
        expected += 2;
        assert_eq!(server.stop().status.code(), Some(0));
    }
}

#[test]
fn a_kill_keeps_the_history_and_no_id_is_used_again() {
    let dir = dir();
    let (mut last, mut name) = (0, None);
    for round in 0..4 {
        let server = dir.start(&[]);
        let (history, newest) = history(&server);
        assert_eq!(newest, last);
        assert_eq!(*name.get_or_insert_with(|| history.clone()), history);
        let ids = send(&server, round);
        assert!(ids.first().is_none_or(|id| *id == last + 1));
        last = ids.last().copied().unwrap_or(last);
        server.kill();
    }
}

/// Another boot of the system than the one that the file names.
#[test]
fn a_power_cut_leaves_a_gap_and_keeps_the_history() {
    let dir = dir();
    let server = dir.start(&[]);
    let (name, _) = history(&server);
    assert_eq!(send(&server, 2), [1, 2]);
    server.kill();
    let mark = fs::read_to_string(dir.path("data/high_water")).unwrap();
    let (lines, boot) = mark.split_at(mark.find("boot ").unwrap());
    assert!(boot.len() > 30, "{boot}");
    dir.write_private("data/high_water", format!("{lines}boot     another\n"));
    let server = dir.start(&[]);
    assert_eq!(history(&server), (name, 1_000));
    assert_eq!(send(&server, 1), [1_001]);
}

/// The database of some time ago is put back after this many further messages and runs.
fn put_back_after(further: &[usize], killed: bool) {
    let dir = dir();
    let server = dir.start(&[]);
    send(&server, 3);
    let (name, _) = history(&server);
    server.stop();
    aside(&dir);
    let mut last = 0;
    for count in further {
        let server = dir.start(&[]);
        last = *send(&server, *count).last().unwrap();
        if killed {
            server.kill();
        } else {
            server.stop();
        }
    }
    let mut names = vec![name];
    for _ in 0..2 {
        put_back(&dir);
        let server = dir.start(&["--log", "warn"]);
        let (name, newest) = history(&server);
        assert!(newest >= last, "{newest} after {last}");
        assert!(!names.contains(&name), "{name} again");
        names.push(name);
        let ids = send(&server, 2);
        assert!(ids[0] > last, "{} after {last}", ids[0]);
        last = ids[1];
        let output = server.stop();
        let log = stderr(&output);
        let said = log.lines().filter(|line| {
            line.contains("WARN") && line.contains("data/database.db is not the newest database")
        });
        assert_eq!(said.count(), 1, "{log}");
    }
    // From here on nothing changes any more.
    let server = dir.start(&["--log", "warn"]);
    assert_eq!(history(&server), (names[2].clone(), last));
    assert_eq!(send(&server, 1), [last + 1]);
    assert_eq!(stderr(&server.stop()), "");
}

#[test]
fn ids_of_an_older_database_continue_above_the_mark() {
    put_back_after(&[1], false);
    put_back_after(&[5, 1, 7], false);
}

#[test]
fn ids_of_an_older_database_continue_above_the_mark_after_kills() {
    put_back_after(&[1], true);
    put_back_after(&[5, 1, 7], true);
}

/// More messages than are reserved at a time, twice.
#[test]
fn ids_of_an_older_database_continue_above_many_messages() {
    put_back_after(&[1_100, 1_200], false);
    put_back_after(&[1_100, 1_200], true);
}

/// What `sqlite3 database.db ".restore ..."` does to a server that runs.
#[test]
fn a_database_that_goes_back_under_a_server_ends_it() {
    let dir = dir();
    let server = dir.start(&[]);
    let (name, _) = history(&server);
    let last = send(&server, 5)[4];
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    db.execute_batch(
        "BEGIN; DELETE FROM messages WHERE id > 3;
         UPDATE message_ids SET assigned = 3; COMMIT;",
    )
    .unwrap();
    drop(db);
    let mut ann = Client::login(&server, "ann");
    assert!(ann.says(&[MESSAGE]));
    assert!(ann.hears().is_none(), "it is not acknowledged");
    let output = server.end();
    assert_eq!(output.status.code(), Some(74));
    let words = "its newest message id was 5, and now it gives out 4";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    let server = dir.start(&[]);
    assert_ne!(history(&server).0, name);
    assert!(send(&server, 1)[0] > last);
}

#[test]
fn ids_of_a_new_database_continue_above_the_mark() {
    let dir = dir();
    let server = dir.start(&[]);
    let (name, _) = history(&server);
    let last = send(&server, 5)[4];
    server.stop();
    fs::remove_file(dir.path("data/database.db")).unwrap();
    let server = dir.start(&["--init"]);
    drop(Client::register(&server, "ann"));
    let (again, newest) = history(&server);
    assert!(newest >= last);
    assert_ne!(again, name);
}

#[test]
fn without_the_mark_ids_go_on_after_the_database() {
    let dir = dir();
    let server = dir.start(&[]);
    let (name, _) = history(&server);
    let last = send(&server, 5)[4];
    server.stop();
    fs::remove_file(dir.path("data/high_water")).unwrap();
    let server = dir.start(&["--log", "warn"]);
    let (renamed, newest) = history(&server);
    assert_ne!(renamed, name, "clients load their history anew");
    assert_eq!(newest, last);
    assert_eq!(send(&server, 1), [last + 1]);
    let log = stderr(&server.stop()).to_owned();
    assert!(log.contains("is without its file high_water"), "{log}");
}

#[test]
fn a_damaged_mark_is_refused_and_kept() {
    let dir = dir();
    for content in ["", "reserved 12\n"] {
        fs::write(dir.path("data/high_water"), content).unwrap();
        let output = dir.run(&["--log", "off"]);
        let words = "data/database.db: high_water beside it is damaged, which says what message ids were \
                     given out; put a copy of it back, or remove it if this database is the newest there \
                     is: ids then go on after its own\n";
        assert_eq!(why_it_ended(&output), words);
        assert_eq!(output.status.code(), Some(78));
        assert_eq!(
            fs::read_to_string(dir.path("data/high_water")).unwrap(),
            content
        );
    }
    fs::remove_file(dir.path("data/high_water")).unwrap();
    assert_eq!(dir.start(&[]).stop().status.code(), Some(0));
}
