//! Another program holds the database for a while: writes wait, all other requests are served.

use std::time::Duration;

use echat_testkit::campaign;
use echat_testkit::clock::now;
use echat_testkit::server_process::ServerFolder;
use echat_testkit::wire::{Client, line, text};
use rusqlite::Connection;

/// Writes that are refused, each after five seconds, while the database is held; `ECHAT_REFUSALS=6`
/// holds it for half a minute.
const REFUSALS: usize = 1;

#[test]
fn a_write_waits_for_the_lock_while_pings_and_reads_are_answered() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    bob.events.clear();
    let other = Connection::open(dir.path("data/database.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let send = r#"SEND_MESSAGE {"target_type":0,"target":"bob","content":"late","txn_id":"t"}"#;
    ann.says(&[send, "QUERY_SERVER_TIME"]);
    assert_eq!(
        ann.pings(),
        [],
        "the write waits, and what was asked after it"
    );
    bob.is_served();
    let history = bob.asks("QUERY_HISTORY {}");
    assert_eq!(line(&history), r#"HISTORY {"messages":[],"more":false}"#);
    assert!(bob.events.is_empty());

    other.execute_batch("ROLLBACK").unwrap();
    let reply = ann.hears_reply(send);
    assert_eq!(text(&reply.params, "content"), "late");
    ann.hears_reply("QUERY_SERVER_TIME");
    bob.is_served();
    assert_eq!(bob.events.len(), 1);
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn a_write_is_refused_after_five_seconds_while_others_are_served() {
    let refusals = campaign::count("ECHAT_REFUSALS", REFUSALS);
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    bob.events.clear();
    let other = Connection::open(dir.path("data/database.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let send = r#"SEND_MESSAGE {"target_type":0,"target":"bob","content":"late","txn_id":"t"}"#;
    let (mut pings, mut waits) = (Vec::new(), Vec::new());
    for _ in 0..refusals {
        let asked = now();
        ann.says(&[send]);
        while !ann.has_heard_within(Duration::from_millis(20)) {
            let pinged = now();
            assert_eq!(bob.pings(), []);
            pings.push(pinged.elapsed());
        }
        assert_eq!(text(&ann.hears_reply(send).params, "code"), "storage_busy");
        waits.push(asked.elapsed());
        assert!(waits.iter().all(|wait| *wait >= Duration::from_secs(5)));
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(text(&ann.asks(send).params, "content"), "late");
    bob.is_served();
    assert_eq!(bob.events.len(), 1, "once, though it was sent more often");
    assert_eq!(server.stop().status.code(), Some(0));
    pings.sort();
    eprintln!(
        "refused after {:?} at the latest; {} pings in that time, the slowest answered after {:?}",
        waits.iter().max(),
        pings.len(),
        pings.last(),
    );
}
