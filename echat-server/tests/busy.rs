//! Another program holds the database for a while: the real server waits, and keeps nobody else
//! waiting.

mod place;
mod wire;

use place::Place;
use rusqlite::Connection;
use wire::{Client, line, text};

#[test]
fn a_write_waits_for_the_lock_while_pings_and_reads_are_answered() {
    let place = Place::new();
    let server = place.start(&["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    bob.events.clear();
    let other = Connection::open(place.path("data/database.db")).unwrap();
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
