//! Why a request is not handled: each reason is given while it holds, and none afterwards.

use std::net::Ipv4Addr;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::commands::RequestKind;
use echat_server::config::Limits;
use echat_server::engine::WaitReason;
use echat_server::store::Store;

use super::crowds::{in_rooms, names};
use super::queues::{Client, World, account, dict};

const TIME: u32 = RequestKind::QueryServerTime.info().number;
const REGISTER: u32 = RequestKind::Register.info().number;
const LOGIN: u32 = RequestKind::Login.info().number;
const LOGOUT: u32 = RequestKind::Logout.info().number;
const CREATE_ROOM: u32 = RequestKind::CreateRoom.info().number;

fn why(world: &World, client: &Client) -> Option<WaitReason> {
    world.engine.why_waiting(client.conn)
}

#[test]
fn a_request_waits_for_a_turn_and_then_no_request_waits() {
    let mut world = World::new();
    let mut client = world.connect();
    world.settle();
    assert_eq!(why(&world, &client), Some(WaitReason::InboxEmpty));
    world.say(&mut client, TIME, Value::Null);
    assert_eq!(why(&world, &client), Some(WaitReason::NoTurnYet));
    world.round();
    assert_eq!(why(&world, &client), Some(WaitReason::InboxEmpty));
    world.engine.sever(client.conn);
    assert_eq!(why(&world, &client), None, "the connection is gone");
}

#[test]
fn a_request_and_those_behind_it_wait_for_a_worker() {
    let mut world = World::new();
    let mut client = world.connect();
    world.settle();
    world.workers = false;
    world.say(&mut client, REGISTER, account("ann"));
    world.round();
    assert_eq!(why(&world, &client), Some(WaitReason::WorkerJob));
    world.say(&mut client, TIME, Value::Null);
    world.round();
    assert_eq!(why(&world, &client), Some(WaitReason::WorkerJob));
    world.workers = true;
    world.settle();
    assert_eq!(world.answers(&mut client).len(), 2);
    assert_eq!(why(&world, &client), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_space_in_the_send_queue() {
    let limits = Limits {
        send_queue_soft: 256,
        ..Limits::default()
    };
    let mut world = World::with(limits, Store::in_memory().unwrap());
    let mut client = world.connect();
    world.settle();
    world.stalled = Some(client.conn);
    for _ in 0..40 {
        world.say(&mut client, TIME, Value::Null);
    }
    world.settle();
    assert_eq!(why(&world, &client), Some(WaitReason::SendQueueFull));
    world.stalled = None;
    while why(&world, &client) == Some(WaitReason::SendQueueFull) {
        let (bytes, now) = (
            world.engine.output(client.conn, world.now()).len(),
            world.now(),
        );
        assert!(bytes > 0);
        world.engine.wrote(client.conn, bytes, now);
        world.settle();
    }
    assert_eq!(why(&world, &client), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_a_retry_of_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("database.db");
    let mut world = World::over(Store::open(&path).unwrap());
    let mut ann = world.user("ann");
    let mut new = world.connect();
    world.settle();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let at = world.now + Duration::from_millis(50);
    let room = dict(&[
        ("roomname", Value::Str("den".to_owned())),
        ("members", Value::List(Vec::new())),
    ]);
    world.say(&mut ann, CREATE_ROOM, room);
    world.say(&mut new, REGISTER, account("bob"));
    for _ in 0..4 {
        world.round();
    }
    // The one is tried again as a whole, of the other what is left after its worker job.
    assert_eq!(why(&world, &ann), Some(WaitReason::DatabaseRetry { at }));
    assert_eq!(why(&world, &new), Some(WaitReason::DatabaseRetry { at }));
    other.execute_batch("COMMIT").unwrap();
    world.now = at;
    world.settle();
    assert_eq!(why(&world, &ann), Some(WaitReason::InboxEmpty));
    assert_eq!(why(&world, &new), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_the_end_of_a_cooldown() {
    let mut world = World::new();
    let mut client = world.connect();
    world.settle();
    world.engine.set_turn_cost(Duration::from_nanos(1));
    world.say(&mut client, TIME, Value::Null);
    world.say(&mut client, TIME, Value::Null);
    world.round();
    let Some(WaitReason::CoolingDown { until }) = why(&world, &client) else {
        panic!("{:?}", why(&world, &client))
    };
    assert_eq!(world.engine.deadline(), Some(until));
    world.now = until;
    world.settle();
    assert_eq!(why(&world, &client), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_the_next_tick_when_the_budget_is_spent() {
    let mut world = World::new();
    let mut clients: Vec<Client> = (1..=3)
        .map(|last| world.connect_from(Ipv4Addr::new(192, 0, 2, last)))
        .collect();
    world.settle();
    world.engine.set_turn_cost(Duration::from_nanos(1));
    for client in &mut clients {
        world.say(client, TIME, Value::Null);
    }
    world.round();
    let reasons: Vec<_> = clients.iter().map(|client| why(&world, client)).collect();
    let spent = Some(WaitReason::TickBudgetSpent);
    assert_eq!(reasons, [Some(WaitReason::InboxEmpty), spent, spent]);
}

#[test]
fn a_refused_password_waits_for_those_before_it() {
    let mut world = World::new();
    let mut clients: Vec<Client> = (0..10).map(|_| world.connect()).collect();
    world.settle();
    for client in &mut clients {
        world.say(client, LOGIN, account("ann"));
    }
    world.settle();
    // Five tries are free and one is the address's own. Of the others one was refused at once.
    let refused = |client: &&Client| {
        matches!(
            why(&world, client),
            Some(WaitReason::RefusedPassword { until: Some(_) })
        )
    };
    assert_eq!(clients.iter().filter(refused).count(), 3);
    world.now += Duration::from_millis(750);
    for _ in 0..3 {
        world.settle();
        world.now += Duration::from_millis(250);
    }
    for client in &clients {
        assert_eq!(why(&world, client), Some(WaitReason::InboxEmpty));
    }
}

#[test]
fn a_logout_waits_until_all_rooms_are_told_of_the_login() {
    let mut world = World::new();
    let mut clients = in_rooms(&mut world, &names(6), 20);
    assert_eq!(world.ask(&mut clients[0], LOGOUT, Value::Null), [116]);
    world.now += Duration::from_secs(10);
    world.settle();
    // A tick tells a room or two.
    world.engine.set_turn_cost(Duration::from_micros(5));
    world.say(&mut clients[0], LOGIN, account("user0"));
    for _ in 0..3 {
        world.round();
    }
    world.now += Duration::from_secs(10);
    world.say(&mut clients[0], LOGOUT, Value::Null);
    world.round();
    assert_eq!(why(&world, &clients[0]), Some(WaitReason::PresenceFanOut));
    world.settle();
    assert_eq!(why(&world, &clients[0]), Some(WaitReason::InboxEmpty));
}
