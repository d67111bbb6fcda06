//! Deleted accounts: with a rollback, over a restart, and repeated on another database.

use super::storage::code;
use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::names::Content;
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::Store;
use echat_testkit::folder;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Messages of each user: more than three portions of an erasure.
const MESSAGES: usize = 200;
const DELETE: &str = r#"{"password":"correct horse","erase":true}"#;

/// Ann and bob are friends in a room, with many messages from both.
fn conversation() -> Store {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut batch = store.batch();
    let room = batch.find_room("tea").expect("readable").expect("there");
    let users = ["ann", "bob"].map(|name| batch.find_user(name).expect("readable").expect("there"));
    let content = Content::new("hi").expect("a good content");
    for _ in 0..MESSAGES {
        for user in &users {
            let sent = batch.insert_message(room.id, user.id, &content, None, 1);
            sent.expect("memory is there");
        }
    }
    let _ = batch.commit().expect("memory is there");
    store
}

fn sim() -> Sim {
    let mut sim = Sim::new(1, Limits::default(), conversation());
    sim.engine
        .allow_sessions(NonZeroUsize::new(2).expect("two"));
    log_in(&mut sim, &["ann", "bob"]);
    // A login to as many unread messages may begin a cool-down.
    sim.advance(Duration::from_secs(1));
    sim
}

/// The last reply of a request.
fn ask(sim: &mut Sim, name: &str, command: &str, params: &str) -> (u32, Option<String>) {
    let replies = sim.ask(name, command, params);
    let last = replies.last().expect("a reply");
    (last.command, code(last).map(str::to_owned))
}

/// The database refuses the last row of the deletion, and the tick is rolled back.
#[test]
fn a_rolled_back_deletion_ends_no_session() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.engine
        .allow_sessions(NonZeroUsize::new(2).expect("two"));
    log_in(&mut sim, &["ann", "bob"]);
    sim.connect("phone", HOME);
    let credentials = r#"{"username":"ann","password":"correct horse"}"#;
    sim.ask("phone", "LOGIN", credentials);
    sim.end("phone").take_messages();
    let other = rusqlite::Connection::open(&path).expect("the same database");
    let refusing = "CREATE TRIGGER refuse BEFORE UPDATE OF deleted_at ON users
                    BEGIN SELECT RAISE(ABORT, 'refused'); END";
    other.execute_batch(refusing).expect("a trigger");
    let refused = ask(&mut sim, "ann", "DELETE_ACCOUNT", DELETE);
    assert_eq!(refused, (205, Some("storage_damaged".to_owned())));
    for session in ["ann", "phone"] {
        assert_eq!(ask(&mut sim, session, "LIST_ROOMS", "null").0, 122);
    }
    assert!(sim.end("bob").take_messages().is_empty());
    other
        .execute_batch("DROP TRIGGER refuse")
        .expect("it is there");
    assert_eq!(ask(&mut sim, "ann", "DELETE_ACCOUNT", DELETE).0, 116);
    let received = |sim: &mut Sim, name| {
        let told = sim.end(name).take_messages().into_iter();
        told.map(|message| message.command).collect::<Vec<_>>()
    };
    assert_eq!(received(&mut sim, "phone"), [104]);
    assert!(sim.end("phone").is_closed());
    // Bob owns the room now, and receives the departure after the commit.
    assert_eq!(received(&mut sim, "bob"), [147, 112, 142, 114]);
}

/// How many messages of the room have no content for bob.
fn hidden(sim: &mut Sim) -> usize {
    let mut hidden = 0;
    let mut before = u64::MAX >> 1;
    loop {
        let page = format!(r#"{{"target_type":1,"target":"tea","limit":200,"before":{before}}}"#);
        // A page may begin a cool-down, too.
        sim.advance(Duration::from_secs(1));
        let replies = sim.ask("bob", "QUERY_HISTORY", &page);
        let params = &replies.last().expect("a reply").params;
        let Some(Value::List(messages)) = params.at("messages") else {
            panic!("no messages: {params:?}")
        };
        for message in messages {
            let is_empty = message.at("content") == Some(&Value::from(""));
            assert_eq!(is_empty, message.at("deleted") == Some(&Value::Bool(true)));
            hidden += usize::from(is_empty);
        }
        match messages.first().and_then(|message| message.at("id")) {
            Some(Value::Int(oldest)) => before = *oldest,
            _ => return hidden,
        }
    }
}

#[test]
fn an_erasure_continues_after_a_restart_and_a_repeated_journal_gives_the_same_rows() {
    let mut sim = sim();
    sim.engine.keep_journal();
    assert_eq!(ask(&mut sim, "ann", "DELETE_ACCOUNT", DELETE).0, 116);
    sim.advance(Duration::from_secs(2));
    assert_eq!(hidden(&mut sim), MESSAGES);
    assert!(
        sim.engine
            .store()
            .batch()
            .erasures()
            .expect("readable")
            .is_empty()
    );
    let journal = sim.engine.take_journal();
    let rows = |store: &mut Store| {
        let batch = store.batch();
        let bob = batch.find_user("bob").expect("readable").expect("there");
        let page = batch.catch_up(bob.id, echat_server::storage::MessageId(0), 1_000, 1 << 30);
        format!(
            "{:?} {:?}",
            page.expect("readable"),
            batch.rooms(10).expect("readable")
        )
    };
    let mut other = conversation();
    for (index, entry) in journal.iter().enumerate() {
        // A restart after each portion finds the messages hidden, and erases the rest.
        replay(
            &mut other,
            (&Limits::default(), &Settings::default()),
            entry,
        )
        .expect("it was done before");
        let left = other.batch().erasures().expect("readable").len();
        assert!(left <= 1, "after {index}");
    }
    assert_eq!(rows(&mut other), rows(sim.engine.store()));

    let mut begun = conversation();
    let deletion = journal
        .iter()
        .position(|entry| format!("{entry:?}").contains("Deletion"));
    for entry in &journal[..=deletion.expect("it is written down")] {
        replay(
            &mut begun,
            (&Limits::default(), &Settings::default()),
            entry,
        )
        .expect("it was done before");
    }
    assert_eq!(begun.batch().erasures().expect("readable").len(), 1);
    let mut sim = Sim::new(2, Limits::default(), begun);
    log_in(&mut sim, &["bob"]);
    assert_eq!(hidden(&mut sim), MESSAGES, "hidden from the beginning");
    sim.advance(Duration::from_secs(2));
    assert!(
        sim.engine
            .store()
            .batch()
            .erasures()
            .expect("readable")
            .is_empty()
    );
    assert_eq!(hidden(&mut sim), MESSAGES);
}
