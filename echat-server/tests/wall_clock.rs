//! The wall clock of the real server jumps while users talk (promise 23). What the engine makes
//! of it is shown in `promises/clock.rs`; here the process reads that clock itself.

use echat_proto::Value;
use echat_proto::channel::Message;
use echat_testkit::faults::wall_clock::WallClock;
use echat_testkit::server_process::ServerFolder;
use echat_testkit::wire::{Client, line, number};

const YEAR: i64 = 365 * 24 * 60 * 60;
const NOW: i64 = 1_800_000_000;
/// Ten years on and back, 1969, and both sides of the ends of 31 and 32 bits (2038, 2106).
const JUMPS: [i64; 9] = [
    NOW,
    NOW + 10 * YEAR,
    NOW - 10 * YEAR,
    -YEAR,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    NOW,
];

/// Says something to the room; what was acknowledged.
fn say(client: &mut Client, txn: &str) -> (u64, u64) {
    let params = format!(r#"{{"target_type":1,"target":"tea","content":"x","txn_id":"{txn}"}}"#);
    let Message { params, .. } = client.asks(&format!("SEND_MESSAGE {params}"));
    (number(&params, "id"), number(&params, "send_time"))
}

#[test]
fn a_jump_of_the_clock_disconnects_no_user() {
    let (dir, clock) = (ServerFolder::new(), WallClock::at(NOW));
    let server = clock.start(&dir, &[]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    let made = ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    assert!(line(&made).contains(r#""success":true"#));
    bob.asks(r#"JOIN_ROOM "tea""#);

    let mut said = Vec::new();
    for (jump, unix) in JUMPS.into_iter().enumerate() {
        clock.set(unix);
        let shown = u64::try_from(unix).unwrap_or(0);
        let time = ann.asks("QUERY_SERVER_TIME");
        assert_eq!(time.params, Value::Int(shown));
        let talker = if jump % 2 == 0 { &mut ann } else { &mut bob };
        let acknowledged = say(talker, &jump.to_string());
        assert_eq!(acknowledged.1, shown);
        // Said again in another time, it is the same message.
        clock.set(unix + 20 * YEAR);
        assert_eq!(say(talker, &jump.to_string()), acknowledged);
        // No connection counts as silent, and a new client is served.
        ann.is_served();
        bob.is_served();
        Client::connect(&server).is_served();
        said.push(acknowledged.0);
    }
    assert!(said.is_sorted_by(|one, next| one < next), "{said:?}");
    let seen = |client: &mut Client| -> Vec<u64> {
        let all = client.history("tea", 0);
        all.into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(
        (seen(&mut ann), seen(&mut bob)),
        (said.clone(), said.clone())
    );

    // A server that starts in another time goes on behind what was said.
    assert_eq!(server.stop().status.code(), Some(0));
    clock.set(-YEAR);
    let server = clock.start(&dir, &[]);
    let mut bob = Client::login(&server, "bob");
    let (id, time) = say(&mut bob, "later");
    assert!(id > said[said.len() - 1] && time == 0);
    assert_eq!(server.stop().status.code(), Some(0));
}
