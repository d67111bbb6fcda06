//! How often handling a message allocates memory, counted in the engine with its database on the disk. Allocations of
//! SQLite are not counted. A bound that fails is to be met by allocating less, not by a larger bound.

#[path = "../benches/stage/mod.rs"]
mod stage;

use allocation_counter::measure;
use echat_proto::commands::Request;
use echat_proto::names::{Content, NameQuery, TxnId};
use echat_proto::param::TargetType;
use echat_server::storage::Store;
use echat_testkit::folder;
use stage::Stage;

/// Messages of one user that are counted, one after another.
const MESSAGES: u64 = 50;
/// Members of the room, which includes the sender.
const MEMBERS: usize = 10;

/// A private message with acknowledgement: opened, decoded, stored, told to the friend, acknowledged, sealed twice.
#[test]
fn a_private_message_allocates_little() {
    let each = allocations_a_message(TargetType::Friend, &stage::user(1));
    assert!(each <= 30, "{each} allocations a message");
}

/// A message to a room of ten: sealed ten times.
#[test]
fn a_message_to_a_small_room_allocates_little() {
    let each = allocations_a_message(TargetType::Room, "room");
    assert!(each <= 36, "{each} allocations a message");
}

/// Allocations for each message of a user, after some that fill kept buffers and the cache of statements.
fn allocations_a_message(target_type: TargetType, target: &str) -> u64 {
    let folder = folder::in_memory();
    let mut store = Store::open(&folder.path().join("database.db")).expect("a new database");
    let ids = stage::accounts(&mut store, MEMBERS);
    stage::room(&mut store, "room", &ids);
    let mut stage = Stage::new(store);
    for number in 0..MEMBERS {
        stage.log_in(&stage::user(number));
    }
    let frames: Vec<Vec<u8>> = (0..2 * MESSAGES)
        .map(|number| stage.seal(0, &message(target_type, target, number)))
        .collect();
    let mut send = |frames: &[Vec<u8>]| {
        for frame in frames {
            stage.receive(0, frame);
            let sent = stage.settle();
            assert!(sent > 400, "no acknowledgement and no event: {sent} bytes");
        }
    };
    let (first, counted) = frames.split_at(frames.len() / 2);
    send(first);
    measure(|| send(counted)).count_total / MESSAGES
}

/// A message of 100 bytes with a transaction id.
fn message(target_type: TargetType, target: &str, number: u64) -> Request {
    Request::SendMessage {
        target_type,
        target: NameQuery::new(target),
        content: Content::new("a".repeat(100)).expect("a good text"),
        txn_id: Some(TxnId::new(format!("message-{number}")).expect("a good id")),
        reply_to: None,
    }
}
