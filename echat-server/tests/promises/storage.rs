//! A full disk, and a database that another program locks.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::names::Username;
use echat_server::config::Limits;
use echat_server::storage::Store;
use echat_testkit::folder;
use std::num::NonZeroUsize;
use std::time::Duration;

const LIMITLESS: u32 = 1 << 30;

pub(super) fn code(message: &Message) -> Option<&str> {
    match message.params.at("code") {
        Some(Value::Str(code)) => Some(code),
        _ => None,
    }
}

fn codes(sim: &mut Sim, name: &str) -> Vec<(u32, Option<String>)> {
    let messages = sim.end(name).take_messages();
    messages
        .iter()
        .map(|m| (m.command, code(m).map(str::to_owned)))
        .collect()
}

fn say(sim: &mut Sim, name: &str, command: &str, params: &str) {
    let number = echat_proto::commands::by_name(command)
        .expect("a command of the table")
        .number;
    sim.say(
        name,
        number,
        echat_proto::json::from_json(params).expect("a test's JSON"),
    );
}

fn long_message(n: usize) -> String {
    message(n, 4_000)
}

fn message(n: usize, length: usize) -> String {
    let content = "x".repeat(length);
    format!(r#"{{"target_type":1,"target":"tea","content":"{content}","txn_id":"{n}"}}"#)
}

/// Ann, bob and eve in a room, on a disk with a few free pages.
fn nearly_full() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "eve"]);
    seed::room(&mut store, "tea", &["ann", "bob", "eve"]);
    let limits = Limits {
        message_rate: 0,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    log_in(&mut sim, &["ann", "bob", "eve"]);
    // Below the present size, so that no page can be added.
    sim.engine.store().limit_pages(1).expect("a pragma");
    for length in [4_000, 400, 40] {
        let full = (0..100).any(|n| {
            let replies = sim.ask("eve", "SEND_MESSAGE", &message(length + n, length));
            replies
                .iter()
                .any(|reply| code(reply) == Some("storage_full"))
        });
        assert!(full, "the disk has an end");
    }
    for name in ["ann", "bob", "eve"] {
        sim.end(name).take_messages();
    }
    sim
}

#[test]
fn on_a_full_disk_every_request_of_the_tick_is_answered() {
    let mut sim = nearly_full();
    for name in ["ann", "bob", "eve"] {
        say(&mut sim, name, "SEND_MESSAGE", &long_message(1_000));
        say(&mut sim, name, "LIST_MEMBERS", r#""tea""#);
    }
    sim.settle();
    for name in ["ann", "bob", "eve"] {
        let told = codes(&mut sim, name);
        assert_eq!(told[0], (203, Some("storage_full".to_owned())), "{name}");
        assert_eq!(told.len(), 2, "{name}: {told:?}");
    }
}

#[test]
fn after_a_full_disk_memory_agrees_with_the_database() {
    let mut sim = nearly_full();
    // bob leaves in the tick that is rolled back: bob is still a member, also in memory.
    say(&mut sim, "bob", "LEAVE_ROOM", r#""tea""#);
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    assert_eq!(
        codes(&mut sim, "bob"),
        [(205, Some("storage_full".to_owned()))]
    );
    assert_eq!(
        codes(&mut sim, "eve"),
        [(203, Some("storage_full".to_owned()))]
    );
    assert_eq!(codes(&mut sim, "ann"), []);
    sim.engine.store().limit_pages(LIMITLESS).expect("a pragma");
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    for (name, key) in [("ann", false), ("bob", false), ("eve", true)] {
        let got = sim.end(name).take_messages();
        assert!(got.len() == 1 && got[0].command == 109, "{name}: {got:?}");
        assert_eq!(got[0].params.at("txn_id").is_some(), key, "{name}");
    }
}

#[test]
fn on_a_full_disk_two_sessions_of_a_user_get_the_same_events() {
    let mut sim = nearly_full();
    let two = NonZeroUsize::new(2).expect("not zero");
    sim.engine.allow_sessions(two);
    sim.connect("bob2", crate::sim::HOME);
    let password = seed::PASSWORD;
    let credentials = format!(r#"{{"username":"bob","password":"{password}"}}"#);
    say(&mut sim, "bob2", "LOGIN", &credentials);
    sim.settle();
    assert_eq!(
        codes(&mut sim, "bob2"),
        [(103, None), (140, None), (105, None)]
    );
    // The effect of one request is rolled back with the tick, so the other user receives no event.
    say(&mut sim, "bob", "LEAVE_ROOM", r#""tea""#);
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    let full = Some("storage_full".to_owned());
    assert_eq!(codes(&mut sim, "bob"), [(205, full.clone())]);
    assert_eq!(codes(&mut sim, "bob2"), []);
    assert_eq!(codes(&mut sim, "eve"), [(203, full)]);
    // One of them logs out in such a tick: the user is still online, and in the room.
    say(&mut sim, "bob", "LOGOUT", "null");
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    assert_eq!(codes(&mut sim, "bob"), [(116, None)]);
    sim.engine.store().limit_pages(LIMITLESS).expect("a pragma");
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    assert_eq!(codes(&mut sim, "ann"), [(109, None)]);
    assert_eq!(codes(&mut sim, "bob2"), [(109, None)]);
}

#[test]
fn a_logout_in_a_tick_that_is_rolled_back_reaches_the_rooms_that_the_user_is_still_in() {
    let mut sim = nearly_full();
    // In the order of names: bob leaves the room and logs out, eve fills the disk. Bob is still a member.
    say(&mut sim, "bob", "LEAVE_ROOM", r#""tea""#);
    say(&mut sim, "bob", "LOGOUT", "null");
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    let full = Some("storage_full".to_owned());
    assert_eq!(codes(&mut sim, "bob"), [(205, full.clone()), (116, None)]);
    assert_eq!(codes(&mut sim, "eve"), [(203, full), (114, None)]);
    assert_eq!(codes(&mut sim, "ann"), [(114, None)]);
}

#[test]
fn a_session_that_a_logout_ends_is_told_so_in_a_tick_that_is_rolled_back() {
    let mut sim = nearly_full();
    let sessions = NonZeroUsize::new(3).expect("not zero");
    sim.engine.allow_sessions(sessions);
    let [first, second] = [0, 1].map(|number| format!("c{}", sim.ends.len() + number));
    let password = format!(r#""password":"{}""#, seed::PASSWORD);
    let secret = logs_in(&mut sim, "bob", &password).expect("a right password");
    let resume = format!(r#""resume":"{secret}""#);
    logs_in(&mut sim, "bob", &resume).expect("a fresh secret");
    say(&mut sim, "bob", "LOGOUT", "null");
    sim.settle();
    for name in ["ann", "bob", "eve", &first, &second] {
        sim.end(name).take_messages();
    }
    // The first session's secret opened the second one, so LOGOUT ends both, bob's last ones.
    say(&mut sim, &first, "LOGOUT", "null");
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    let full = Some("storage_full".to_owned());
    assert_eq!(codes(&mut sim, &first), [(116, None)]);
    assert_eq!(codes(&mut sim, &second), [(104, None)]);
    assert_eq!(codes(&mut sim, "eve"), [(203, full), (114, None)]);
    assert_eq!(codes(&mut sim, "ann"), [(114, None)]);
}

#[test]
fn a_login_survives_a_full_disk_and_each_waiting_request_is_answered_once() {
    let mut sim = nearly_full();
    sim.connect("guest", crate::sim::HOME);
    sim.connect("new", crate::sim::HOME);
    sim.settle();
    let credentials =
        |name: &str| format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD);
    sim.hold = true;
    say(&mut sim, "new", "REGISTER", &credentials("joe"));
    say(&mut sim, "guest", "LOGIN", &credentials("ann"));
    sim.settle();
    // The job completions and the write that fills the disk are in one tick.
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.hold = false;
    sim.settle();
    assert_eq!(
        codes(&mut sim, "guest"),
        [(103, None), (140, None), (105, None)]
    );
    assert_eq!(codes(&mut sim, "ann"), [(104, None)]);
    assert_eq!(codes(&mut sim, "new").len(), 1);
    assert_eq!(
        codes(&mut sim, "eve"),
        [(203, Some("storage_full".to_owned()))]
    );
}

/// Logs a user in on a new connection. Returns the secret of the bundle, or the code of the refusal.
fn logs_in(sim: &mut Sim, user: &str, proof: &str) -> Result<String, String> {
    let name = format!("c{}", sim.ends.len());
    sim.connect(&name, crate::sim::HOME);
    sim.settle();
    let login = format!(r#"{{"username":"{user}",{proof}}}"#);
    let replies = sim.ask(&name, "LOGIN", &login);
    let last = replies.last().expect("a reply");
    match (code(last), last.params.at("resume")) {
        (Some(code), _) => Err(code.to_owned()),
        (None, Some(Value::Str(secret))) => Ok(secret.clone()),
        (None, other) => panic!("a bundle with {other:?}"),
    }
}

#[test]
fn a_full_disk_keeps_logins_gives_no_secret_and_voids_the_one_that_was_used() {
    let mut sim = nearly_full();
    let password = format!(r#""password":"{}""#, seed::PASSWORD);
    let secret = |secret: &str| format!(r#""resume":"{secret}""#);
    let mut given = Vec::new();
    let is_full = (0..60).any(|_| {
        let mut secret_of =
            |user| logs_in(&mut sim, user, &password).expect("a login needs no space");
        given.push(secret_of("ann"));
        ["bob", "eve"]
            .into_iter()
            .any(|user| secret_of(user).is_empty())
    });
    assert!(is_full, "the disk has an end");
    given.retain(|secret| !secret.is_empty());
    // No write is possible, so the database cannot know that these were used.
    let used: Vec<&String> = given
        .iter()
        .filter(|given| {
            logs_in(&mut sim, "ann", &secret(given))
                .expect("as with a password")
                .is_empty()
        })
        .collect();
    assert!(!used.is_empty());
    let is_void = |sim: &mut Sim, given: &String| {
        logs_in(sim, "ann", &secret(given)) == Err("bad_credentials".to_owned())
    };
    assert!(is_void(&mut sim, used[0]));
    sim.engine.store().limit_pages(LIMITLESS).expect("a pragma");
    assert!(is_void(&mut sim, used[0]), "memory knows it");
    let fresh = logs_in(&mut sim, "ann", &password).expect("a right password");
    assert!(!fresh.is_empty(), "there is space again");
    for used in used {
        assert!(is_void(&mut sim, used), "the database knows it now");
        // Wrong secrets are counted. A right password cancels the count.
        logs_in(&mut sim, "ann", &password).expect("a right password");
    }
    assert!(logs_in(&mut sim, "ann", &secret(&fresh)).is_ok());
}

#[test]
fn a_resumed_login_does_not_depend_on_writes_that_a_full_disk_rolls_back() {
    let mut sim = nearly_full();
    let sessions = NonZeroUsize::new(4).expect("not zero");
    sim.engine.allow_sessions(sessions);
    let password = format!(r#""password":"{}""#, seed::PASSWORD);
    let secret = logs_in(&mut sim, "bob", &password).expect("a right password");
    assert!(!secret.is_empty());
    sim.connect("carl", crate::sim::HOME);
    sim.settle();
    for name in ["bob", "carl", "eve"] {
        sim.end(name).take_messages();
    }
    // In the order of names: bob leaves the room, another client of bob logs in, eve fills the disk.
    say(&mut sim, "bob", "LEAVE_ROOM", r#""tea""#);
    let login = format!(r#"{{"username":"bob","resume":"{secret}"}}"#);
    say(&mut sim, "carl", "LOGIN", &login);
    say(&mut sim, "eve", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    let full = Some("storage_full".to_owned());
    let left = sim.end("bob").take_messages();
    assert!(left.iter().any(|reply| code(reply) == full.as_deref()));
    assert_eq!(codes(&mut sim, "eve"), [(203, full)]);
    let replies = sim.end("carl").take_messages();
    let bundle = replies.last().expect("a reply");
    assert_eq!(bundle.command, 105);
    assert!(
        format!("{:?}", bundle.params).contains("tea"),
        "bob is still a member"
    );
}

#[test]
fn revocations_are_written_within_a_second_or_at_the_stop_without_other_writes() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    let sessions = NonZeroUsize::new(9).expect("not zero");
    sim.engine.allow_sessions(sessions);
    let other = rusqlite::Connection::open(&path).expect("the same database");
    let run = |sql: &str| other.execute_batch(sql).expect("no other program writes");
    let chains = || {
        let sql = "SELECT count(*) FROM resume_secrets";
        let count = other.query_row(sql, [], |row| row.get::<_, i64>(0));
        count.expect("a table")
    };
    let password = format!(r#""password":"{}""#, seed::PASSWORD);
    let resume = |secret: &str| format!(r#""resume":"{secret}""#);
    let void = |sim: &mut Sim| {
        let secret = logs_in(sim, "ann", &password).expect("a right password");
        run("BEGIN IMMEDIATE");
        let next = logs_in(sim, "ann", &resume(&secret)).expect("a good secret");
        assert!(next.is_empty(), "it cannot be stored");
        run("COMMIT");
        assert_eq!(chains(), 1, "the chain is still stored");
    };
    void(&mut sim);
    sim.advance(Duration::from_secs(2));
    assert_eq!(chains(), 0);
    void(&mut sim);
    sim.engine.end_sessions(false, sim.now);
    assert_eq!(chains(), 0);
}

#[test]
fn logout_voids_its_secret_although_a_locked_database_missed_the_first_request() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    let other = rusqlite::Connection::open(&path).expect("the same database");
    let run = |sql: &str| other.execute_batch(sql).expect("no other program writes");
    let password = format!(r#""password":"{}""#, seed::PASSWORD);
    let resume = |secret: &str| format!(r#""resume":"{secret}""#);
    let first = logs_in(&mut sim, "ann", &password).expect("a right password");
    let session = format!("c{}", sim.ends.len());
    let second = logs_in(&mut sim, "ann", &resume(&first)).expect("a good secret");
    run("BEGIN IMMEDIATE");
    sim.ask(&session, "LIST_ROOMS", "null");
    run("COMMIT");
    sim.ask(&session, "LOGOUT", "null");
    let refused = Err("bad_credentials".to_owned());
    assert_eq!(logs_in(&mut sim, "ann", &resume(&second)), refused);
}

#[test]
fn without_resumed_sessions_old_secrets_are_deleted_at_logins() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann"]);
    let password = format!(r#""password":"{}""#, seed::PASSWORD);
    let mut sim = Sim::new(1, Limits::default(), store);
    logs_in(&mut sim, "ann", &password).expect("a right password");
    drop(sim);
    let limits = Limits {
        resume_hours: 0,
        ..Limits::default()
    };
    let store = Store::open(&path).expect("the database");
    let mut sim = Sim::new(2, limits, store);
    sim.advance(Duration::from_secs(1));
    assert_eq!(logs_in(&mut sim, "ann", &password).as_deref(), Ok(""));
    let other = rusqlite::Connection::open(&path).expect("the same database");
    let sql = "SELECT count(*) FROM resume_secrets";
    let left = other.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(left.expect("a table"), 0);
}

#[test]
fn a_registration_of_a_rolled_back_tick_is_answered_once() {
    let mut sim = nearly_full();
    sim.connect("guest", crate::sim::HOME);
    sim.settle();
    let credentials = format!(r#"{{"username":"joe","password":"{}"}}"#, seed::PASSWORD);
    // In the order of names: ann's write is made, the unauthenticated connection begins to wait, zed fills the disk.
    sim.rename("eve", "zed");
    say(
        &mut sim,
        "ann",
        "MARK_READ",
        r#"{"target_type":1,"target":"tea","id":1}"#,
    );
    say(&mut sim, "guest", "REGISTER", &credentials);
    say(&mut sim, "zed", "SEND_MESSAGE", &long_message(1_000));
    sim.settle();
    assert_eq!(
        codes(&mut sim, "ann"),
        [(205, Some("storage_full".to_owned()))]
    );
    assert_eq!(
        codes(&mut sim, "zed"),
        [(203, Some("storage_full".to_owned()))]
    );
    assert_eq!(codes(&mut sim, "guest").len(), 1);
    assert_eq!(sim.end("guest").unanswered(), 0);
}

#[test]
fn job_completions_cut_off_by_a_full_disk_are_answered() {
    let mut sim = nearly_full();
    // No further account fits.
    let full = (0..1_000).any(|n| {
        let mut batch = sim.engine.store().batch();
        let name = Username::new(&format!("filler{n}")).expect("a possible name");
        let made = batch.create_user(&name, &"x".repeat(100), 0);
        made.and_then(|_| batch.commit()).is_err()
    });
    assert!(full, "the disk has an end");
    let names: Vec<String> = (0..4).map(|n| format!("new{n}")).collect();
    for name in &names {
        sim.connect(name, crate::sim::HOME);
    }
    sim.settle();
    sim.hold = true;
    for name in &names {
        let skeletons = format!(
            r#"{{"username":"{}{name}","password":"{}"}}"#,
            "w".repeat(15),
            seed::PASSWORD
        );
        say(&mut sim, name, "REGISTER", &skeletons);
        say(&mut sim, name, "QUERY_SERVER_TIME", "null");
    }
    sim.settle();
    sim.hold = false;
    sim.settle();
    for name in &names {
        sim.end(name).take_messages();
        assert_eq!(sim.end(name).unanswered(), 0, "{name} waits");
    }
}

#[test]
fn a_locked_database_delays_writes_for_five_seconds_and_nothing_else() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob"]);
    let other = rusqlite::Connection::open(&path).expect("the same database");
    let hold = || {
        other
            .execute_batch("BEGIN EXCLUSIVE")
            .expect("no other program holds it");
    };
    let short = r#"{"target_type":1,"target":"tea","content":"hi"}"#;

    // Unlocked in time: nothing was lost, and the order was kept.
    hold();
    say(&mut sim, "ann", "SEND_MESSAGE", short);
    say(&mut sim, "ann", "LIST_ROOMS", "null");
    say(&mut sim, "bob", "LIST_ROOMS", "null");
    sim.advance(Duration::from_secs(4));
    assert_eq!(codes(&mut sim, "ann"), []);
    assert_eq!(codes(&mut sim, "bob"), [(122, None)]);
    other.execute_batch("ROLLBACK").expect("it is held");
    sim.advance(Duration::from_secs(1));
    assert_eq!(codes(&mut sim, "ann"), [(109, None), (122, None)]);
    assert_eq!(codes(&mut sim, "bob"), [(109, None)]);

    // Not unlocked: refused after five seconds. The next request has five seconds of its own.
    hold();
    say(&mut sim, "ann", "SEND_MESSAGE", short);
    say(&mut sim, "ann", "JOIN_ROOM", r#""coffee""#);
    say(&mut sim, "ann", "LEAVE_ROOM", r#""tea""#);
    sim.advance(Duration::from_secs(6));
    let busy = Some("storage_busy".to_owned());
    assert_eq!(
        codes(&mut sim, "ann"),
        [(203, busy.clone()), (8, Some("unknown_room".to_owned()))]
    );
    sim.advance(Duration::from_secs(5));
    assert_eq!(codes(&mut sim, "ann"), [(205, busy.clone())]);

    // Job completions wait like requests do. A login needs no write.
    sim.connect("new", crate::sim::HOME);
    sim.connect("two", crate::sim::HOME);
    let credentials =
        |name: &str| format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD);
    say(&mut sim, "new", "REGISTER", &credentials("joe"));
    say(&mut sim, "two", "LOGIN", &credentials("ann"));
    sim.advance(Duration::from_secs(4));
    assert_eq!(codes(&mut sim, "new"), []);
    assert_eq!(
        codes(&mut sim, "two"),
        [(103, None), (140, None), (105, None)]
    );
    sim.advance(Duration::from_secs(2));
    assert_eq!(codes(&mut sim, "new"), [(205, busy)]);
    // A registration that waited succeeds once the database is unlocked.
    say(&mut sim, "new", "REGISTER", &credentials("joe"));
    sim.advance(Duration::from_secs(1));
    other.execute_batch("ROLLBACK").expect("it is held");
    sim.advance(Duration::from_secs(1));
    assert_eq!(codes(&mut sim, "new"), [(102, None)]);
}
