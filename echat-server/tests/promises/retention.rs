//! Retention: expired messages are hidden at once, and removed in portions. With `keep_days` 0 nothing is stored.

use super::storage::code;
use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::json::to_json;
use echat_proto::names::Content;
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::Store;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

pub(super) const DAY: i64 = 86_400;
/// The time of the first message. The virtual clock begins ten days later.
const FIRST: i64 = 1_500_000_000 - 10 * DAY;

fn settings(keep_days: Option<u64>) -> Settings {
    Settings {
        keep_days,
        ..Settings::default()
    }
}

/// Ann and bob are friends and in a room. In both conversations bob sent one message a day for ten days, oldest first.
pub(super) fn database(path: &Path) -> Store {
    let mut store = Store::open(path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut batch = store.batch();
    let users = ["ann", "bob"].map(|name| batch.find_user(name).expect("readable").expect("there"));
    let [_, bob] = users;
    let room = batch.find_room("tea").expect("readable").expect("there").id;
    let friend = batch.find_friend(bob.id, "ann").expect("readable");
    let friend = friend.expect("there").1.expect("a friend").id;
    for day in 0..10 {
        for to in [room, friend] {
            let text = Content::new(format!("said on day {day}")).expect("a good text");
            let sent = batch.insert_message(to, bob.id, &text, None, FIRST + day * DAY + DAY / 2);
            sent.expect("it is stored");
        }
    }
    let _ = batch.commit().expect("it is stored");
    store
}

pub(super) fn sim(store: Store, keep_days: Option<u64>) -> Sim {
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    sim.engine.configure(settings(keep_days));
    sim
}

fn list<'m>(reply: &'m Message, key: &str) -> &'m [Value] {
    match reply.params.at(key) {
        Some(Value::List(list)) => list,
        _ => panic!("no list {key}: {reply:?}"),
    }
}

fn contents(reply: &Message) -> Vec<String> {
    let text = |message: &Value| match message.at("content") {
        Some(Value::Str(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    list(reply, "messages").iter().map(text).collect()
}

/// All messages of both conversations that ann can read in any way, and the counts.
fn seen(sim: &mut Sim) -> (Vec<String>, Vec<String>) {
    let ask = |sim: &mut Sim, command: &str, params: &str| {
        let mut replies = sim.ask("ann", command, params);
        replies.pop().expect("a reply")
    };
    let mut seen = Vec::new();
    for target in [
        r#""target_type":1,"target":"tea""#,
        r#""target_type":0,"target":"bob""#,
    ] {
        let newest = contents(&ask(sim, "QUERY_HISTORY", &format!("{{{target}}}")));
        let oldest = ask(sim, "QUERY_HISTORY", &format!(r#"{{{target},"after":0}}"#));
        assert_eq!(contents(&oldest), newest);
        let first = ask(
            sim,
            "QUERY_HISTORY",
            &format!(r#"{{{target},"after":0,"limit":1}}"#),
        );
        assert_eq!(contents(&first).first(), newest.first());
        assert_eq!(
            first.params.at("more"),
            Some(&Value::Bool(newest.len() > 1))
        );
        seen.push(newest);
    }
    let all = contents(&ask(sim, "QUERY_HISTORY", "{}"));
    assert_eq!(all.len(), seen[0].len() + seen[1].len());
    let private = seen.pop().expect("two");
    let room = seen.pop().expect("two");
    let rooms = ask(sim, "LIST_ROOMS", "null");
    let Value::List(rooms) = rooms.params else {
        panic!("{rooms:?}")
    };
    let unread = rooms[0].at("unread").cloned();
    assert_eq!(unread, Some(Value::from(room.len() as u64)));
    // A login shows the same messages.
    sim.connect("again", crate::sim::HOME);
    let login = format!(r#"{{"username":"ann","password":"{}"}}"#, seed::PASSWORD);
    let replies = sim.ask("again", "LOGIN", &login);
    sim.rename("again", "ann");
    let bundle = replies.iter().find(|reply| reply.command == 105);
    let bundle = bundle.unwrap_or_else(|| panic!("{replies:?}"));
    assert_eq!(contents(bundle).len(), room.len() + private.len());
    let counts: u64 = list(bundle, "unread")
        .iter()
        .map(|line| match line.at("count") {
            Some(Value::Int(count)) => *count,
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(counts, all.len() as u64);
    assert!(list(bundle, "more").is_empty());
    (room, private)
}

fn from_day(day: i64) -> Vec<String> {
    (day..10).map(|day| format!("said on day {day}")).collect()
}

pub(super) fn stored(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .expect("a count")
}

#[test]
fn expired_messages_are_hidden_at_once_and_removed_in_portions_by_the_shorter_time() {
    // `keep_days` of the server and of the room; then the first day that is kept in the room, and between friends.
    for (server, room, in_room, between_friends) in [
        (None, None, 0, 0),
        (Some(3), None, 7, 7),
        (None, Some(3), 7, 0),
        (Some(3), Some(5), 7, 7),
        (Some(5), Some(3), 7, 5),
        (Some(10), Some(36_500), 0, 0),
        (Some(1), Some(0), 10, 9),
        (Some(0), None, 10, 10),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let mut sim = sim(database(&path), server);
        log_in(&mut sim, &["ann", "bob"]);
        let db = Connection::open(&path).expect("it opens");
        if let Some(days) = room {
            db.execute("UPDATE rooms SET keep_days = ?1", [days])
                .expect("it is there");
        }
        // No time passes, so no portion was removed.
        let hidden = seen(&mut sim);
        assert_eq!(
            hidden,
            (from_day(in_room), from_day(between_friends)),
            "{server:?} {room:?}"
        );
        assert_eq!(stored(&db), 20);
        sim.advance(Duration::from_secs(90));
        assert_eq!(
            stored(&db),
            20 - in_room - between_friends,
            "{server:?} {room:?}"
        );
        assert_eq!(seen(&mut sim), hidden);
        // New ids are above those of removed messages.
        let said = sim.ask(
            "bob",
            "SEND_MESSAGE",
            r#"{"target_type":0,"target":"ann","content":"x"}"#,
        );
        assert_eq!(said[0].params.at("id"), Some(&Value::from(21_u64)));
    }
}

#[test]
fn messages_that_a_reload_hides_are_removed_for_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let mut sim = sim(database(&path), None);
    // All messages are kept for ever when the server starts.
    sim.advance(Duration::from_mins(5));
    let db = Connection::open(&path).expect("it opens");
    assert_eq!(stored(&db), 20);
    sim.engine.configure(settings(Some(3)));
    sim.advance(Duration::from_mins(3));
    assert_eq!(stored(&db), 20 - 7 - 7);
    sim.engine.configure(settings(None));
    log_in(&mut sim, &["ann", "bob"]);
    assert_eq!(seen(&mut sim), (from_day(7), from_day(7)));
}

#[test]
fn transaction_ids_of_a_closed_room_are_forgotten_where_all_messages_are_kept_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let mut sim = sim(database(&path), None);
    sim.advance(Duration::from_mins(5));
    log_in(&mut sim, &["ann", "bob"]);
    let sent = r#"{"target_type":1,"target":"tea","content":"once","txn_id":"t1"}"#;
    sim.ask("bob", "SEND_MESSAGE", sent);
    sim.ask("ann", "CLOSE_ROOM", r#""tea""#);
    sim.advance(Duration::from_secs(2));
    let db = Connection::open(&path).expect("it opens");
    assert_eq!(known(&db), [1, 0, 0]);
    sim.advance(Duration::from_hours(31 * 24));
    assert_eq!(known(&db), [0, 0, 0]);
}

#[test]
fn a_room_that_keeps_messages_for_a_shorter_time_hides_them_at_once_and_a_repeated_journal_gives_the_same_rows()
 {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let mut sim = sim(database(&path), Some(8));
    log_in(&mut sim, &["ann", "bob"]);
    let again = folder.path().join("again.db");
    let db = Connection::open(&path).expect("it opens");
    db.execute("VACUUM INTO ?1", [again.to_str().expect("text")])
        .expect("a copy");
    sim.engine.keep_journal();
    let set = |sim: &mut Sim, days: &str| {
        let params = format!(r#"{{"roomname":"tea","keep_days":{days}}}"#);
        let done = sim.ask("ann", "SET_ROOM", &params);
        assert_eq!(done.last().map(|done| done.command), Some(124));
        sim.end("bob").take_messages();
    };
    set(&mut sim, "4");
    assert_eq!(seen(&mut sim), (from_day(6), from_day(2)));
    // The room is swept now, not at the next regular sweep.
    sim.advance(Duration::from_secs(2));
    assert_eq!(stored(&db), 20 - 6 - 2);
    // Removed messages do not return.
    set(&mut sim, "null");
    assert_eq!(seen(&mut sim), (from_day(6), from_day(2)));
    set(&mut sim, "0");
    assert_eq!(seen(&mut sim), (Vec::new(), from_day(2)));
    let said = sim.ask(
        "bob",
        "SEND_MESSAGE",
        r#"{"target_type":1,"target":"tea","content":"gone","txn_id":"t"}"#,
    );
    assert_eq!(said.last().expect("a reply").command, 109);
    sim.advance(Duration::from_secs(90));
    assert_eq!(stored(&db), 8);
    let mut store = Store::open(&again).expect("a copy");
    for entry in &sim.engine.take_journal() {
        replay(&mut store, (&Limits::default(), &settings(Some(8))), entry)
            .expect("it can be repeated");
    }
    drop(store);
    let dump = |path: &Path| {
        let db = Connection::open(path).expect("it opens");
        let rows = |sql: &str| {
            let mut statement = db.prepare(sql).expect("a query");
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                let values = (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n));
                Ok(format!("{:?}", values.collect::<Vec<_>>()))
            });
            let rows: Result<Vec<String>, _> = rows.expect("rows").collect();
            rows.expect("rows")
        };
        [
            rows("SELECT * FROM messages ORDER BY id"),
            rows("SELECT * FROM unkept_messages ORDER BY id"),
            rows("SELECT * FROM message_ids"),
            rows("SELECT * FROM participants ORDER BY user, conversation"),
        ]
    };
    assert_eq!(dump(&again), dump(&path));
}

#[test]
fn without_retention_a_message_is_delivered_and_its_txn_id_known_but_not_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let mut sim = sim(database(&path), None);
    log_in(&mut sim, &["ann", "bob"]);
    let db = Connection::open(&path).expect("it opens");
    let send = |sim: &mut Sim, target: &str, content: &str, txn: &str| {
        let params = format!(
            r#"{{"target_type":1,"target":"{target}","content":"{content}","txn_id":"{txn}"}}"#
        );
        let replies = sim.ask("bob", "SEND_MESSAGE", &params);
        replies.last().expect("a reply").clone()
    };
    // A message that was kept when it was sent is known after it was removed.
    let kept = send(&mut sim, "tea", "kept until now", "kept");
    sim.ask("ann", "SET_ROOM", r#"{"roomname":"tea","keep_days":0}"#);
    sim.advance(Duration::from_secs(2));
    assert_eq!(send(&mut sim, "tea", "kept until now", "kept"), kept);
    sim.end("ann").take_messages();
    let said = send(&mut sim, "tea", "a word in passing", "t1");
    let told = sim.end("ann").take_messages();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].params.at("content"),
        Some(&Value::from("a word in passing"))
    );
    assert_eq!(told[0].params.at("id"), said.params.at("id"));
    assert_eq!(seen(&mut sim).0, Vec::<String>::new());
    // It is known, acknowledged again and not delivered again. Another text with its id is refused.
    assert_eq!(send(&mut sim, "tea", "a word in passing", "t1"), said);
    assert!(sim.end("ann").take_messages().is_empty());
    for (target, content) in [("tea", "another word"), ("cup", "a word in passing")] {
        let refused = send(&mut sim, target, content, "t1");
        assert_eq!(
            code(&refused),
            Some("txn_reused"),
            "{}",
            to_json(&refused.params)
        );
    }
    let next = send(&mut sim, "tea", "a word in passing", "t2");
    let ids = [&kept, &said, &next].map(|message| message.params.at("id").cloned());
    assert_eq!(ids, [21, 22, 23].map(|id: u64| Some(Value::from(id))));
    // A marker for it is at most the newest stored message.
    let marked = sim.ask(
        "ann",
        "MARK_READ",
        r#"{"target_type":1,"target":"tea","id":23}"#,
    );
    let marked = marked.last().expect("a reply");
    assert_eq!(marked.params.at("id"), Some(&Value::from(0_u64)));
    // The room is closed, and another room has its name. The message is known for 30 days.
    sim.ask("ann", "CLOSE_ROOM", r#""tea""#);
    assert_eq!(send(&mut sim, "tea", "a word in passing", "t1"), said);
    sim.advance(Duration::from_secs(2));
    sim.ask("bob", "CREATE_ROOM", r#"{"roomname":"tea","members":[]}"#);
    assert_eq!(send(&mut sim, "tea", "a word in passing", "t1"), said);
    assert_eq!(send(&mut sim, "tea", "kept until now", "kept"), kept);
    let refused = send(&mut sim, "tea", "another word", "t1");
    assert_eq!(code(&refused), Some("txn_reused"));
    assert_eq!(stored(&db), 10);
    assert_eq!(known(&db), [3, 0, 0]);
    sim.advance(Duration::from_hours(31 * 24));
    assert_eq!(known(&db), [0, 0, 0]);
}

/// Known messages that are not stored, former names of rooms, and closed rooms of which rows are left to remove.
fn known(db: &Connection) -> [i64; 3] {
    ["unkept_messages", "former_room_names", "closed_rooms"].map(|table| {
        let sql = format!("SELECT count(*) FROM {table}");
        db.query_row(&sql, [], |row| row.get(0)).expect("a count")
    })
}

#[test]
fn a_txn_id_is_known_for_30_days_after_any_removal() {
    for (keep, closes) in [("1", false), ("null", true), ("1", true), ("null", false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sim = sim(database(&folder.path().join("a.db")), None);
        log_in(&mut sim, &["ann", "bob"]);
        let sent = r#"{"target_type":1,"target":"tea","content":"once","txn_id":"t1"}"#;
        let first = sim.ask("bob", "SEND_MESSAGE", sent).pop().expect("a reply");
        assert_eq!(first.command, 109);
        let params = format!(r#"{{"roomname":"tea","keep_days":{keep}}}"#);
        sim.ask("ann", "SET_ROOM", &params);
        sim.advance(Duration::from_hours(25));
        log_in(&mut sim, &["ann", "bob"]);
        if closes {
            sim.ask("ann", "CLOSE_ROOM", r#""tea""#);
            sim.advance(Duration::from_secs(2));
            sim.ask(
                "ann",
                "CREATE_ROOM",
                r#"{"roomname":"tea","members":["bob"]}"#,
            );
        }
        for days in [0, 28] {
            sim.advance(Duration::from_hours(24 * days));
            log_in(&mut sim, &["bob"]);
            let again = sim.ask("bob", "SEND_MESSAGE", sent).pop();
            assert_eq!(again.as_ref(), Some(&first), "{keep} {closes} {days}");
            let other = sent.replace("once", "twice");
            let other = sim
                .ask("bob", "SEND_MESSAGE", &other)
                .pop()
                .expect("a reply");
            assert_eq!(code(&other), Some("txn_reused"), "{keep} {closes} {days}");
        }
    }
}
