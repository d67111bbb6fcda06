//! Why a request waits: each reason is reported while it holds, and not afterwards.

use std::net::Ipv4Addr;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::commands::RequestKind;
use echat_server::config::Limits;
use echat_server::engine::WaitReason;
use echat_server::storage::Store;

use super::crowds::{in_rooms, names};
use super::queues::{Client, Sim, account, dict};
use echat_testkit::folder;

const TIME: u32 = RequestKind::QueryServerTime.info().number;
const REGISTER: u32 = RequestKind::Register.info().number;
const LOGIN: u32 = RequestKind::Login.info().number;
const LOGOUT: u32 = RequestKind::Logout.info().number;
const CREATE_ROOM: u32 = RequestKind::CreateRoom.info().number;

fn why(sim: &Sim, client: &Client) -> Option<WaitReason> {
    sim.engine.why_waiting(client.conn)
}

#[test]
fn a_request_waits_for_a_turn_and_then_no_request_waits() {
    let mut sim = Sim::new();
    let mut client = sim.connect();
    sim.settle();
    assert_eq!(why(&sim, &client), Some(WaitReason::InboxEmpty));
    sim.say(&mut client, TIME, Value::Null);
    assert_eq!(why(&sim, &client), Some(WaitReason::NoTurnYet));
    sim.round();
    assert_eq!(why(&sim, &client), Some(WaitReason::InboxEmpty));
    sim.engine.sever(client.conn);
    assert_eq!(why(&sim, &client), None, "the connection is gone");
}

#[test]
fn a_request_and_the_requests_behind_it_wait_for_a_worker() {
    let mut sim = Sim::new();
    let mut client = sim.connect();
    sim.settle();
    sim.workers = false;
    sim.say(&mut client, REGISTER, account("ann"));
    sim.round();
    assert_eq!(why(&sim, &client), Some(WaitReason::WorkerJob));
    sim.say(&mut client, TIME, Value::Null);
    sim.round();
    assert_eq!(why(&sim, &client), Some(WaitReason::WorkerJob));
    sim.workers = true;
    sim.settle();
    assert_eq!(sim.answers(&mut client).len(), 2);
    assert_eq!(why(&sim, &client), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_space_in_the_send_queue() {
    let limits = Limits {
        send_queue_soft: 256,
        ..Limits::default()
    };
    let mut sim = Sim::with(limits, Store::in_memory().unwrap());
    let mut client = sim.connect();
    sim.settle();
    sim.stalled = Some(client.conn);
    for _ in 0..40 {
        sim.say(&mut client, TIME, Value::Null);
    }
    sim.settle();
    assert_eq!(why(&sim, &client), Some(WaitReason::SendQueueFull));
    sim.stalled = None;
    while why(&sim, &client) == Some(WaitReason::SendQueueFull) {
        let (bytes, now) = (sim.engine.output(client.conn, sim.now()).len(), sim.now());
        assert!(bytes > 0);
        sim.engine.wrote(client.conn, bytes, now);
        sim.settle();
    }
    assert_eq!(why(&sim, &client), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_a_retry_of_the_database() {
    let dir = folder::in_memory();
    let path = dir.path().join("database.db");
    let mut sim = Sim::over(Store::open(&path).unwrap());
    let mut ann = sim.user("ann");
    let mut new = sim.connect();
    sim.settle();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let at = sim.now + Duration::from_millis(50);
    let room = dict(&[
        ("roomname", Value::Str("den".to_owned())),
        ("members", Value::List(Vec::new())),
    ]);
    sim.say(&mut ann, CREATE_ROOM, room);
    sim.say(&mut new, REGISTER, account("bob"));
    for _ in 0..4 {
        sim.round();
    }
    // The first is retried as a whole, the second from the end of its worker job.
    assert_eq!(why(&sim, &ann), Some(WaitReason::DatabaseRetry { at }));
    assert_eq!(why(&sim, &new), Some(WaitReason::DatabaseRetry { at }));
    other.execute_batch("COMMIT").unwrap();
    sim.now = at;
    sim.settle();
    assert_eq!(why(&sim, &ann), Some(WaitReason::InboxEmpty));
    assert_eq!(why(&sim, &new), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_the_end_of_a_cooldown() {
    let mut sim = Sim::new();
    let mut client = sim.connect();
    sim.settle();
    sim.engine.set_turn_cost(Duration::from_nanos(1));
    sim.say(&mut client, TIME, Value::Null);
    sim.say(&mut client, TIME, Value::Null);
    sim.round();
    let Some(WaitReason::CoolingDown { until }) = why(&sim, &client) else {
        panic!("{:?}", why(&sim, &client))
    };
    assert_eq!(sim.engine.deadline(), Some(until));
    sim.now = until;
    sim.settle();
    assert_eq!(why(&sim, &client), Some(WaitReason::InboxEmpty));
}

#[test]
fn a_request_waits_for_the_next_tick_when_the_budget_is_spent() {
    let mut sim = Sim::new();
    let mut clients: Vec<Client> = (1..=3)
        .map(|last| sim.connect_from(Ipv4Addr::new(192, 0, 2, last)))
        .collect();
    sim.settle();
    sim.engine.set_turn_cost(Duration::from_nanos(1));
    for client in &mut clients {
        sim.say(client, TIME, Value::Null);
    }
    sim.round();
    let reasons: Vec<_> = clients.iter().map(|client| why(&sim, client)).collect();
    let spent = Some(WaitReason::TickBudgetSpent);
    assert_eq!(reasons, [Some(WaitReason::InboxEmpty), spent, spent]);
}

#[test]
fn a_refused_password_waits_for_the_refusals_before_it() {
    let mut sim = Sim::new();
    let mut clients: Vec<Client> = (0..10).map(|_| sim.connect()).collect();
    sim.settle();
    for client in &mut clients {
        sim.say(client, LOGIN, account("ann"));
    }
    sim.settle();
    // Five attempts are free, and one is the address's own. One of the others was refused at once.
    let refused = |client: &&Client| {
        matches!(
            why(&sim, client),
            Some(WaitReason::RefusedPassword { until: Some(_) })
        )
    };
    assert_eq!(clients.iter().filter(refused).count(), 3);
    sim.now += Duration::from_millis(750);
    for _ in 0..3 {
        sim.settle();
        sim.now += Duration::from_millis(250);
    }
    for client in &clients {
        assert_eq!(why(&sim, client), Some(WaitReason::InboxEmpty));
    }
}

#[test]
fn a_wrong_password_does_not_wait_for_the_cooldown_of_its_user() {
    let mut sim = Sim::new();
    let (mut ann, mut guest) = (sim.user("ann"), sim.connect());
    sim.settle();
    sim.engine.set_turn_cost(Duration::from_nanos(1));
    sim.say(&mut ann, TIME, Value::Null);
    sim.say(&mut ann, TIME, Value::Null);
    sim.round();
    let cools = matches!(why(&sim, &ann), Some(WaitReason::CoolingDown { .. }));
    assert!(cools, "{:?}", why(&sim, &ann));
    let wrong = dict(&[
        ("username", Value::Str("ann".to_owned())),
        ("password", Value::Str("wrong horse".to_owned())),
    ]);
    sim.say(&mut guest, LOGIN, wrong);
    sim.round();
    // The worker is done.
    assert_eq!(why(&sim, &guest), Some(WaitReason::NoTurnYet));
    sim.round();
    assert_eq!(sim.answers(&mut guest).len(), 1);
}

#[test]
fn a_logout_waits_until_all_rooms_have_the_login() {
    let mut sim = Sim::new();
    let mut clients = in_rooms(&mut sim, &names(6), 20);
    assert_eq!(sim.ask(&mut clients[0], LOGOUT, Value::Null), [116]);
    sim.now += Duration::from_secs(10);
    sim.settle();
    // One tick sends presence to one or two rooms.
    sim.engine.set_turn_cost(Duration::from_micros(5));
    sim.say(&mut clients[0], LOGIN, account("user0"));
    for _ in 0..3 {
        sim.round();
    }
    sim.now += Duration::from_secs(10);
    sim.say(&mut clients[0], LOGOUT, Value::Null);
    sim.round();
    assert_eq!(why(&sim, &clients[0]), Some(WaitReason::PresenceFanOut));
    sim.settle();
    assert_eq!(why(&sim, &clients[0]), Some(WaitReason::InboxEmpty));
}
