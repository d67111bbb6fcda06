//! Closed rooms are hidden at once, and removed in portions, also by the next process.

use super::log_lines::logged;
use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::by_name;
use echat_proto::json::from_json;
use echat_proto::names::Content;
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::Store;
use echat_testkit::folder;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

/// Messages of the closed room.
const MESSAGES: i64 = 350;
/// Rows that one portion removes at most.
const PORTION: i64 = 100;
/// Every table that refers to a conversation, and its column.
const TABLES: [(&str, &str); 7] = [
    ("messages", "conversation"),
    ("participants", "conversation"),
    ("room_invitations", "room"),
    ("bans", "room"),
    ("slow_mode", "room"),
    ("unkept_messages", "conversation"),
    ("closed_rooms", "id"),
];

/// A database in which tea has many messages, an invitation, a ban and a slow-mode entry, and cup is another room.
fn database(path: &Path) -> Store {
    let mut store = Store::open(path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob", "eve", "joe"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    seed::room(&mut store, "cup", &["bob"]);
    seed::invite(&mut store, "tea", "eve");
    seed::ban(&mut store, ("tea", "joe"), (None, None), 0);
    let mut batch = store.batch();
    let tea = batch.find_room("tea").expect("it reads").expect("there").id;
    let cup = batch.find_room("cup").expect("it reads").expect("there").id;
    let ann = batch.find_user("ann").expect("it reads").expect("there").id;
    for number in 0..MESSAGES {
        let text = Content::new(format!("message {number}")).expect("a good text");
        let room = if number % 10 == 0 { cup } else { tea };
        batch
            .insert_message(room, ann, &text, None, 1)
            .expect("it is stored");
        batch
            .insert_message(tea, ann, &text, None, 1)
            .expect("it is stored");
    }
    batch.note_sent(tea, ann, 1).expect("it is stored");
    let _ = batch.commit().expect("it is stored");
    store
}

fn count(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).expect("a count")
}

/// Rows that are left of a room.
fn left(db: &Connection, room: i64) -> i64 {
    let rows = TABLES.map(|(table, column)| {
        count(
            db,
            &format!("SELECT count(*) FROM {table} WHERE {column} = {room}"),
        )
    });
    rows.iter().sum()
}

fn room_id(db: &Connection, name: &str) -> i64 {
    count(db, &format!("SELECT id FROM rooms WHERE name = '{name}'"))
}

/// Every row of every table, in order.
fn dump(path: &Path) -> Vec<String> {
    let db = Connection::open(path).expect("it opens");
    TABLES
        .iter()
        .chain(&[("rooms", ""), ("name_endings", ""), ("name_looks", "")])
        .map(|(table, _)| {
            let mut statement = db
                .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))
                .or_else(|_| db.prepare(&format!("SELECT * FROM {table} ORDER BY 1")))
                .expect("a table");
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                let values = (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n));
                Ok(format!("{:?}", values.collect::<Vec<_>>()))
            });
            let rows: Result<Vec<String>, _> = rows.expect("rows").collect();
            format!("{table}: {:#?}", rows.expect("rows"))
        })
        .collect()
}

fn messages(reply: &[Message]) -> usize {
    match reply.last().and_then(|last| last.params.at("messages")) {
        Some(Value::List(messages)) => messages.len(),
        _ => panic!("{reply:?}"),
    }
}

fn sim(store: Store) -> Sim {
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    sim
}

/// The database has no contradiction.
fn is_whole(db: &Connection) {
    let check: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
    let broken = count(db, "SELECT count(*) FROM pragma_foreign_key_check");
    assert_eq!(broken, 0);
}

/// What is left of a room after the next deadline that removes something.
fn rows_after_a_portion(sim: &mut Sim, db: &Connection, room: i64) -> i64 {
    let before = left(db, room);
    for _ in 0..3 {
        let at = sim.engine.deadline().expect("a portion is due");
        sim.move_to(at.max(sim.now.running));
        sim.ask("bob", "QUERY_SERVER_TIME", "null");
        if left(db, room) < before {
            break;
        }
    }
    left(db, room)
}

#[test]
fn a_closed_room_is_gone_at_once_and_removed_in_portions_by_the_next_process_too() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut sim = sim(database(&path));
    log_in(&mut sim, &["ann", "bob"]);
    // A login with many messages is followed by a cool-down.
    sim.advance(Duration::from_secs(1));
    let again = folder.path().join("again.db");
    let db = Connection::open(&path).expect("it opens");
    db.execute("VACUUM INTO ?1", [again.to_str().expect("text")])
        .expect("a copy");
    sim.engine.keep_journal();
    let mut written = Vec::new();
    let (tea, cup) = (room_id(&db, "tea"), room_id(&db, "cup"));
    let others = left(&db, cup);
    let before = left(&db, tea);
    assert!(before > 6 * PORTION, "{before}");

    let closed = sim.ask("ann", "CLOSE_ROOM", r#""tea""#);
    assert_eq!(closed.last().map(|reply| reply.command), Some(124));
    assert_eq!(messages(&sim.ask("ann", "QUERY_HISTORY", "{}")), 0);
    let unknown = sim.ask("bob", "ROOM_INFO", r#""tea""#);
    assert_eq!(
        unknown[unknown.len() - 1].params.at("code"),
        Some(&Value::from("unknown_room"))
    );
    // The row of closed_rooms is new.
    let mut rows = left(&db, tea);
    assert_eq!(rows, before + 1);

    // Each deadline brings one portion, and requests are answered in between. Some are the search index's.
    for _ in 0..3 {
        let now = rows_after_a_portion(&mut sim, &db, tea);
        assert!((1..=PORTION).contains(&(rows - now)), "{rows} to {now}");
        rows = now;
        written.extend(sim.engine.take_journal());
    }
    assert!(rows > 0);

    // The process ends, and the next one continues.
    let store = Store::open(&path).expect("it opens again");
    sim.restart(Limits::default(), store);
    sim.engine.keep_journal();
    sim.advance(Duration::from_secs(5));
    written.extend(sim.engine.take_journal());
    assert_eq!(left(&db, tea), 0);
    assert_eq!(left(&db, cup), others);
    assert!(sim.engine.deadline().is_none_or(|at| at > sim.now.running));
    is_whole(&db);

    // The journal repeats all writes on another database.
    let mut store = Store::open(&again).expect("a copy");
    for entry in &written {
        replay(
            &mut store,
            (&Limits::default(), &Settings::default()),
            entry,
        )
        .expect("it can be repeated");
    }
    drop(store);
    assert_eq!(dump(&again), dump(&path));
}

#[test]
fn a_room_stays_open_if_its_closing_is_rolled_back() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "eve"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    seed::room(&mut store, "cup", &["eve"]);
    let mut sim = sim(store);
    log_in(&mut sim, &["ann", "bob", "eve"]);
    let number = |name: &str| by_name(name).expect("a command").number;
    let say = |sim: &mut Sim, name: &str, command: &str, params: &str| {
        let params = from_json(params).expect("JSON");
        sim.say(name, number(command), params);
    };
    // No page can be added: the message does not fit, and the tick is rolled back.
    sim.engine.store().limit_pages(1).expect("a pragma");
    let content = "x".repeat(4_000);
    let long = format!(r#"{{"target_type":1,"target":"cup","content":"{content}"}}"#);
    say(&mut sim, "ann", "CLOSE_ROOM", r#""tea""#);
    for _ in 0..9 {
        say(&mut sim, "eve", "SEND_MESSAGE", &long);
    }
    sim.settle();
    let told = sim.end("ann").take_messages();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].params.at("code"),
        Some(&Value::from("storage_full"))
    );
    assert!(sim.end("bob").take_messages().is_empty());
    sim.engine.store().limit_pages(1 << 30).expect("a pragma");
    let short = r#"{"target_type":1,"target":"tea","content":"hi"}"#;
    sim.ask("ann", "SEND_MESSAGE", short);
    let heard = sim.end("bob").take_messages();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].command, 109);
}

#[test]
fn a_bot_leaves_with_its_owner_and_inherits_no_room() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob", "eve", "beep", "bop"]);
    seed::room(&mut store, "tea", &["ann", "beep", "bop", "bob", "eve"]);
    seed::operators(&mut store, "tea", &["bob"]);
    let db = Connection::open(&path).expect("it opens");
    db.execute_batch(
        "INSERT INTO bots (user, owner, token, created_at)
         SELECT b.id, o.id, zeroblob(32), 1 FROM users AS b CROSS JOIN users AS o
         WHERE (b.name, o.name) IN (VALUES ('beep', 'ann'), ('bop', 'bob'));",
    )
    .expect("two bots");
    let mut sim = sim(store);
    log_in(&mut sim, &["ann", "bob", "eve"]);
    let members = |sim: &mut Sim, caller: &str| -> Vec<String> {
        let page = sim.ask(caller, "LIST_MEMBERS", r#"{"roomname":"tea"}"#);
        let Some(Value::List(lines)) = page[page.len() - 1].params.at("members") else {
            panic!("{page:?}")
        };
        let line = |line: &Value| match (line.at("username"), line.at("role"), line.at("bot")) {
            (Some(Value::Str(name)), Some(Value::Str(role)), bot) => {
                let bot = if bot.is_some() { " bot" } else { "" };
                format!("{name} {role}{bot}")
            }
            _ => panic!("{line:?}"),
        };
        lines.iter().map(line).collect()
    };
    assert_eq!(
        members(&mut sim, "eve"),
        [
            "ann owner",
            "beep member bot",
            "bob operator",
            "bop member bot",
            "eve member"
        ]
    );
    let refused = sim.ask(
        "ann",
        "SET_ROLE",
        r#"{"roomname":"tea","username":"bop","role":"operator"}"#,
    );
    assert_eq!(
        refused[0].params.at("code"),
        Some(&Value::from("not_allowed"))
    );
    // The bots of a demoted operator leave.
    sim.ask(
        "ann",
        "SET_ROLE",
        r#"{"roomname":"tea","username":"bob","role":"member"}"#,
    );
    sim.end("eve").take_messages();
    assert_eq!(
        members(&mut sim, "eve"),
        ["ann owner", "beep member bot", "bob member", "eve member"]
    );
    sim.ask("ann", "LEAVE_ROOM", r#""tea""#);
    let told: Vec<u32> = sim
        .end("eve")
        .take_messages()
        .iter()
        .map(|message| message.command)
        .collect();
    assert_eq!(told, [114, 114, 147]);
    assert_eq!(members(&mut sim, "eve"), ["bob owner", "eve member"]);
}

/// The events of kind 152 that these users have received.
fn told(sim: &mut Sim, names: &[&str]) -> usize {
    let messages = names.iter().map(|name| sim.end(name).take_messages());
    let messages: Vec<Message> = messages.flatten().collect();
    messages.iter().filter(|one| one.command == 152).count()
}

#[test]
fn users_who_are_invited_to_a_changed_room_are_told_a_few_at_a_time() {
    let names: Vec<String> = (0..40).map(|number| format!("guest{number}")).collect();
    let guests: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut store = Store::in_memory().expect("a new database");
    seed::accounts(&mut store, &["ann"]);
    seed::accounts(&mut store, &guests);
    seed::room(&mut store, "tea", &["ann"]);
    for guest in &guests {
        seed::invite(&mut store, "tea", guest);
    }
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    log_in(&mut sim, &["ann"]);
    log_in(&mut sim, &guests);
    told(&mut sim, &guests);
    for (command, params) in [
        ("SET_ROOM", r#"{"roomname":"tea","new_name":"cup"}"#),
        ("CLOSE_ROOM", r#""cup""#),
    ] {
        let request = by_name(command).expect("a command").number;
        sim.say("ann", request, from_json(params).expect("JSON"));
        let mut rounds = Vec::new();
        while sim.step().expect("a round") {
            rounds.push(told(&mut sim, &guests));
        }
        assert_eq!(rounds.iter().sum::<usize>(), guests.len(), "{command}");
        assert!(
            rounds.iter().all(|told| *told <= 8),
            "{command}: {rounds:?}"
        );
    }
}

#[test]
fn a_damaged_search_index_holds_up_removal_without_keeping_the_server_busy_and_the_log_says_so() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut sim = Sim::new(1, Limits::default(), database(&path));
    log_in(&mut sim, &["ann"]);
    sim.advance(Duration::from_secs(5));
    let db = Connection::open(&path).expect("it opens");
    let damage = "UPDATE search_data SET block = zeroblob(length(block)) WHERE id > 10";
    assert!(db.execute(damage, []).expect("there is an index") > 0);
    let lines = logged(|| {
        sim.ask("ann", "CLOSE_ROOM", r#""tea""#);
        sim.advance(Duration::from_secs(10));
    });
    let says = "no more texts are removed from the disk, until the database is repaired";
    assert_eq!(
        lines.iter().filter(|line| line.contains(says)).count(),
        1,
        "{lines:#?}"
    );
    assert!(
        count(
            &db,
            "SELECT count(*) FROM messages WHERE conversation IN (SELECT id FROM closed_rooms)"
        ) > 0
    );
    let due = sim.engine.deadline().expect("the removal goes on");
    sim.move_to(due);
    sim.settle();
    let pause = sim.engine.deadline().map(|at| at.saturating_sub(due));
    assert!(pause >= Some(Duration::from_millis(500)), "{pause:?}");
}
