//! The lobby: it is created once, it replaces no other room, and the journal repeats it.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::names::RoomName;
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::Store;
use echat_testkit::folder;
use rusqlite::Connection;
use std::fmt::Write;
use std::path::Path;

fn settings(lobby: &str) -> Settings {
    Settings {
        lobby: RoomName::new(lobby).ok(),
        ..Settings::default()
    }
}

/// A server that starts on a database.
fn start(store: Store, lobby: &str) -> Sim {
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.engine.configure(settings(lobby));
    sim.engine.keep_journal();
    sim.engine.create_lobby(sim.now).expect("a good disk");
    sim
}

fn register(sim: &mut Sim, name: &str) {
    sim.connect(name, "127.0.0.1:1");
    let params = format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD);
    let replies = sim.ask(name, "REGISTER", &params);
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert_eq!(replies[0].command, 102, "{replies:?}");
}

/// Name, owner and members of all rooms.
fn rooms(sim: &mut Sim) -> Vec<(String, String, u64)> {
    sim.engine.store().batch().rooms(10).expect("readable")
}

/// All rows of the tables that a new account and a room write.
fn rows(path: &Path) -> String {
    let db = Connection::open(path).expect("a database");
    let mut all = String::new();
    for (table, order) in [
        ("users", "id"),
        ("conversations", "id"),
        ("rooms", "id"),
        ("participants", "user, conversation"),
        ("name_looks", "kind, look, id"),
    ] {
        let sql = format!("SELECT * FROM {table} ORDER BY {order}");
        let mut statement = db.prepare(&sql).expect("a table");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("readable");
        while let Some(row) = rows.next().expect("readable") {
            for column in 0..columns {
                let value = row.get_ref(column).expect("a value");
                write!(all, "{value:?} ").expect("memory is there");
            }
            all += "\n";
        }
    }
    all
}

#[test]
fn the_lobby_is_created_once_and_the_log_of_writes_repeats_it_with_its_members() {
    let folder = folder::in_memory();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let mut sim = start(Store::open(&here).expect("it opens"), "lobby");
    assert_eq!(rooms(&mut sim), [("lobby".into(), String::new(), 0)]);
    for name in ["ann", "bob"] {
        register(&mut sim, name);
    }
    assert_eq!(rooms(&mut sim), [("lobby".into(), String::new(), 2)]);
    let journal = sim.engine.take_journal();
    // The next start finds it, and writes nothing.
    let mut sim = start(Store::open(&here).expect("it opens"), "lobby");
    assert_eq!(rooms(&mut sim), [("lobby".into(), String::new(), 2)]);
    assert!(sim.engine.take_journal().is_empty());
    drop(sim);

    let mut store = Store::open(&there).expect("it opens");
    for entry in &journal {
        let limits = Limits::default();
        // The decision is in the journal, not in the configuration of the server that repeats it.
        replay(&mut store, (&limits, &settings("other")), entry).expect("it was done before");
    }
    drop(store);
    assert_eq!(rows(&there), rows(&here));
}

#[test]
fn an_existing_room_stays_unchanged_and_takes_no_new_accounts() {
    // The same name, a name that looks like it, and an account, whose name does not matter.
    for (from_before, is_created) in [("lobby", false), ("l0bby", false), ("tea", true)] {
        let mut store = Store::in_memory().expect("memory");
        seed::accounts(&mut store, &["ann", "lobby"]);
        seed::room(&mut store, from_before, &["ann"]);
        let mut sim = start(store, "lobby");
        let mut expected = vec![(from_before.to_owned(), "ann".to_owned(), 1)];
        if is_created {
            expected.insert(0, ("lobby".to_owned(), String::new(), 0));
        }
        assert_eq!(rooms(&mut sim), expected);
        register(&mut sim, "cyn");
        if is_created {
            expected[0].2 = 1;
        }
        assert_eq!(rooms(&mut sim), expected, "{from_before}");
    }
}

#[test]
fn no_lobby_for_an_empty_name_and_after_a_full_disk_the_next_start_creates_it() {
    let mut sim = start(Store::in_memory().expect("memory"), "");
    assert_eq!(rooms(&mut sim), []);
    register(&mut sim, "ann");
    let mut sim = Sim::new(1, Limits::default(), Store::in_memory().expect("memory"));
    sim.engine.configure(settings("lobby"));
    sim.engine.store().limit_pages(1).expect("a pragma");
    // Fills the existing pages.
    let mut name = 0;
    loop {
        let mut batch = sim.engine.store().batch();
        let room = RoomName::new(&format!("room{name}")).expect("a name");
        let created = batch.create_room(&room, None, 1);
        if created.is_err() || batch.commit().is_err() {
            break;
        }
        name += 1;
    }
    sim.engine.create_lobby(sim.now).expect("no fatal failure");
    let lobby = |sim: &mut Sim| sim.engine.store().batch().find_room("lobby");
    assert_eq!(lobby(&mut sim).expect("readable"), None);
    sim.engine.store().limit_pages(1 << 20).expect("a pragma");
    sim.engine.create_lobby(sim.now).expect("a good disk");
    let made = lobby(&mut sim).expect("readable").expect("created");
    assert_eq!((made.owner, made.created_at), (None, sim.now.unix));
}

/// The names that a list of members shows as away.
fn away(sim: &mut Sim, asker: &str, room: &str) -> Vec<String> {
    let replies = sim.ask(
        asker,
        "LIST_MEMBERS",
        &format!(r#"{{"roomname":"{room}"}}"#),
    );
    let params = &replies.last().expect("a reply").params;
    let Some(Value::List(members)) = params.at("members") else {
        panic!("{params:?}");
    };
    let is_away = |member: &&Value| member.at("away").is_some();
    let name = |member: &Value| match member.at("username") {
        Some(Value::Str(name)) => name.clone(),
        other => panic!("{other:?}"),
    };
    members.iter().filter(is_away).map(name).collect()
}

#[test]
fn a_list_of_members_hides_absences_of_strangers_and_blockers() {
    let mut store = Store::in_memory().expect("memory");
    // For ann, bob is a friend, cyn shares another room, dan shares only the lobby, and eve blocks ann.
    let all = ["ann", "bob", "cyn", "dan", "eve"];
    seed::accounts(&mut store, &all);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::lobby(&mut store, "lobby", &all);
    seed::room(&mut store, "tea", &["ann", "cyn", "eve"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &all);
    for name in all {
        sim.ask(name, "SET_AWAY", r#""lunch""#);
    }
    sim.ask("eve", "BLOCK", r#""ann""#);
    assert_eq!(away(&mut sim, "ann", "lobby"), ["ann", "bob", "cyn"]);
    assert_eq!(away(&mut sim, "ann", "tea"), ["ann", "cyn"]);
    assert_eq!(away(&mut sim, "eve", "tea"), ["ann", "cyn", "eve"]);
    assert_eq!(away(&mut sim, "dan", "lobby"), ["dan"]);
}
