//! Connections of the engine without sockets: which requests are answered, in which order, and what waiting requests
//! cost.

mod crowds;
mod guesses;
mod limits;
mod queues;
mod waiting;

use std::collections::VecDeque;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::channel as command;
use echat_proto::names::{RoomName, Username};
use echat_server::config::Limits;
use echat_server::storage::Store;
use echat_testkit::folder;
use queues::{Client, Sim, account, dict};

const LOOK_UP_ROOM: &str = "lobby";

fn large_room() -> Value {
    Value::Str(LOOK_UP_ROOM.to_owned())
}

/// An engine with a room of `members` users, who are offline.
fn sim_with_a_large_room(members: usize) -> Sim {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let name = RoomName::new(LOOK_UP_ROOM).unwrap();
    let user = |batch: &mut echat_server::storage::Batch<'_>, n: usize| {
        let name = Username::new(&format!("member-with-a-{n:05}")).unwrap();
        batch.create_user(&name, "phc", 1).unwrap().unwrap()
    };
    let owner = user(&mut batch, 0);
    let room = batch.create_room(&name, owner, 1).unwrap().unwrap();
    batch.add_member(room, owner, 1).unwrap();
    for n in 1..members {
        let member = user(&mut batch, n);
        batch.add_member(room, member, 1).unwrap();
    }
    let _ = batch.commit().unwrap();
    Sim::over(store)
}

#[test]
fn an_expensive_request_delays_only_its_own_user() {
    let mut sim = sim_with_a_large_room(2_000);
    let (mut zoe, mut ann) = (sim.user("zoe"), sim.user("ann"));
    for client in [&mut zoe, &mut ann] {
        assert_eq!(sim.ask(client, 7, large_room()), [110, 8]);
    }
    let greedy = (0..2).flat_map(|_| sim.frame(&mut zoe, 18, large_room()));
    let greedy: Vec<u8> = greedy.collect();
    sim.send(&zoe, &greedy);
    assert_eq!(sim.answers(&mut zoe).len(), 1, "the other one waits");
    assert_eq!(sim.ask(&mut ann, 18, large_room()), [123]);
    // More than twenty steps a member, at 500 ns a step.
    sim.now += Duration::from_millis(20);
    sim.settle();
    assert_eq!(sim.answers(&mut zoe).len(), 0);
    sim.now += Duration::from_millis(20);
    sim.settle();
    assert_eq!(sim.answers(&mut zoe).len(), 1);
    sim.now += Duration::from_secs(5);
    assert_eq!(sim.ask(&mut zoe, 18, large_room()), [123]);
    for client in [zoe, ann] {
        sim.engine.sever(client.conn);
    }
    sim.settle();
    assert!(sim.engine.is_blank(), "no cool-down outlives its user");
}

#[test]
fn the_members_of_the_largest_room_fit_one_frame() {
    let mut sim = sim_with_a_large_room(9_000);
    let mut zoe = sim.user("zoe");
    assert_eq!(sim.ask(&mut zoe, 7, large_room()), [110, 8]);
    let list = sim.frame(&mut zoe, 18, large_room());
    sim.send(&zoe, &list);
    let answers = sim.answers(&mut zoe);
    let [
        Message {
            command: 123,
            params: Value::List(members),
        },
    ] = &answers[..]
    else {
        panic!("one list")
    };
    assert!(members.len() > 2_000, "{}", members.len());
    let zoe = dict(&[
        ("username", Value::Str("zoe".to_owned())),
        ("online", Value::Bool(true)),
        ("owner", Value::Bool(false)),
    ]);
    assert!(
        members.contains(&zoe),
        "members that are online are listed first"
    );
}

#[test]
fn a_frame_of_the_largest_size_may_arrive_in_any_two_parts() {
    let mut sim = Sim::new();
    let ann = sim.user("ann");
    sim.engine.sever(ann.conn);
    sim.settle();
    for cut in [65_536, 65_540, 65_588] {
        let mut ann = sim.connect();
        sim.now += Duration::from_secs(1);
        assert_eq!(sim.ask(&mut ann, 3, account("ann")), [103, 140, 105]);
        let item = [&5_u32.to_be_bytes()[..], &[0, 0, 0, 1, 0]].concat();
        let items = item.repeat((64 * 1024 - 9) / item.len());
        let frame = sim.frame(&mut ann, command::BATCH, Value::Bytes(items));
        assert_eq!(frame[..4], 65_536_u32.to_be_bytes());
        sim.send(&ann, &frame[..cut]);
        sim.send(&ann, &frame[cut..]);
        assert_eq!(
            sim.answers(&mut ann).len(),
            (64 * 1024 - 9) / item.len(),
            "cut at {cut}"
        );
    }
}

#[test]
fn every_request_before_a_half_close_is_answered() {
    let mut sim = Sim::new();
    let mut guest = sim.connect();
    let mut frames = Vec::new();
    for _ in 0..900 {
        frames.extend(sim.frame(&mut guest, 1, Value::Null));
    }
    let mut socket: VecDeque<u8> = frames.into();
    while !socket.is_empty() {
        sim.read(&guest, &mut socket);
        if !socket.is_empty() {
            sim.round();
        }
    }
    sim.engine.hang_up(guest.conn);
    sim.settle();
    assert_eq!(sim.answers(&mut guest).len(), 900);
}

#[test]
fn a_half_close_without_pending_output_closes_at_once() {
    let mut sim = Sim::new();
    let mut guest = sim.connect();
    assert_eq!(sim.ask(&mut guest, 1, Value::Null), [101]);
    sim.engine.hang_up(guest.conn);
    sim.settle();
    assert!(sim.engine.is_empty());
}

#[test]
fn a_request_at_a_worker_holds_back_the_requests_behind_it() {
    let mut sim = Sim::new();
    let mut guest = sim.connect();
    sim.workers = false;
    let login = sim.frame(&mut guest, 3, account("nobody"));
    sim.send(&guest, &login);
    // Each null takes one byte on the wire, and a whole value in memory.
    let mut socket = VecDeque::new();
    for _ in 0..200 {
        let nulls = Value::List(vec![Value::Null; 4_000]);
        socket.extend(sim.frame(&mut guest, 1, nulls));
    }
    for _ in 0..100 {
        sim.read(&guest, &mut socket);
        sim.round();
    }
    assert!(
        socket.len() > 600 * 1024,
        "only {} bytes were held back",
        socket.len()
    );
    sim.workers = true;
    for _ in 0..200 {
        // Values cost work by their number.
        sim.now += Duration::from_millis(100);
        sim.read(&guest, &mut socket);
        sim.round();
    }
    assert_eq!(sim.answers(&mut guest).len(), 201);
}

#[test]
fn unread_pongs_stay_within_the_send_queue() {
    let mut sim = Sim::new();
    let mut guest = sim.connect();
    sim.settle();
    sim.stalled = Some(guest.conn);
    let mut pings = VecDeque::new();
    while pings.len() < 4 * 1024 * 1024 {
        pings.extend(sim.frame(&mut guest, command::PING, Value::Null));
    }
    let before = pings.len();
    let memory = allocation_counter::measure(|| {
        for _ in 0..100 {
            sim.read(&guest, &mut pings);
            sim.round();
        }
    });
    assert!(pings.len() > before / 4, "the rest waits in the socket");
    let most = 3 * i64::try_from(Limits::default().send_queue_soft).unwrap();
    assert!(memory.bytes_current < most, "{memory:?}");
}

#[test]
fn the_metrics_tell_the_bytes_that_are_queued_to_and_from_clients() {
    let queued = |sim: &mut Sim| {
        let facts = sim.engine.facts();
        (facts.send_queue_bytes, facts.receive_queue_bytes)
    };
    let mut sim = Sim::new();
    let (mut ann, mut bob) = (sim.connect(), sim.connect());
    sim.settle();
    assert_eq!(queued(&mut sim), (0, 0));
    // Seven requests stay behind one at a worker: some of them opened, the others as they came.
    sim.workers = false;
    sim.say(&mut ann, 2, account("ann"));
    sim.round();
    assert_eq!(queued(&mut sim), (0, 0), "the worker has the request");
    let nulls = Value::List(vec![Value::Null; 4_000]);
    let message = Message {
        command: 1,
        params: nulls.clone(),
    };
    let plain = u64::try_from(message.encode().unwrap().len()).unwrap();
    let frames: Vec<_> = (0..7)
        .map(|_| sim.frame(&mut ann, 1, nulls.clone()))
        .collect();
    let sealed = u64::try_from(frames[0].len()).unwrap();
    sim.send(&ann, &frames.concat());
    // Four frames have less than the 16 KiB that are opened ahead, five have more.
    assert_eq!(queued(&mut sim), (0, 5 * plain + 2 * sealed));
    sim.workers = true;
    for _ in 0..20 {
        sim.now += Duration::from_millis(100);
        sim.settle();
    }
    assert_eq!(queued(&mut sim), (0, 0));
    // A connection that does not read.
    sim.stalled = Some(bob.conn);
    for _ in 0..5 {
        sim.say(&mut bob, 1, Value::Null);
    }
    sim.settle();
    let waiting = sim.engine.waiting(bob.conn);
    assert!(waiting > 5 * 16, "{waiting}");
    assert_eq!(queued(&mut sim), (u64::try_from(waiting).unwrap(), 0));
    sim.engine.sever(bob.conn);
    assert_eq!(queued(&mut sim), (0, 0));
}

#[test]
fn a_logout_in_the_tick_of_its_login_leaves_no_session() {
    let mut sim = Sim::new();
    let ann = sim.user("ann");
    sim.engine.sever(ann.conn);
    sim.settle();
    let mut guest = sim.connect();
    let login = sim.frame(&mut guest, 3, account("ann"));
    let logout = sim.frame(&mut guest, 11, Value::Null);
    sim.send(&guest, &[login, logout].concat());
    let numbers: Vec<_> = sim.answers(&mut guest).iter().map(|m| m.command).collect();
    assert_eq!(numbers, [103, 140, 105, 116]);
    sim.now += Duration::from_secs(61);
    sim.settle();
    let goodbye = Message {
        command: command::CLOSE_NOTIFY,
        params: Value::Int(1),
    };
    assert_eq!(sim.answers(&mut guest), [goodbye]);
}

#[test]
fn a_login_on_a_timed_out_connection_takes_over_no_session() {
    let mut sim = Sim::new();
    let mut ann = sim.user("ann");
    let mut late = sim.connect();
    sim.workers = false;
    let login = sim.frame(&mut late, 3, account("ann"));
    sim.send(&late, &login);
    sim.now += Duration::from_secs(61);
    let ping = sim.frame(&mut ann, command::PING, Value::Null);
    sim.send(&ann, &ping);
    sim.workers = true;
    sim.settle();
    let goodbye = Message {
        command: command::CLOSE_NOTIFY,
        params: Value::Int(1),
    };
    assert_eq!(sim.answers(&mut late), [goodbye]);
    assert_eq!(sim.ask(&mut ann, 1, Value::Null), [101], "not kicked");
}

/// Sends a long message to a room of its own, so that a small database is soon full.
fn message(room: &str) -> Value {
    let text = |text: &str| Value::Str(text.to_owned());
    let content = text(&"x".repeat(3_500));
    dict(&[
        ("target_type", Value::Int(1)),
        ("target", text(room)),
        ("content", content),
    ])
}

#[test]
fn a_full_disk_loses_no_request_and_answers_each_once() {
    let mut store = Store::in_memory().unwrap();
    store.limit_pages(40).unwrap();
    let mut sim = Sim::over(store);
    let mut ann = sim.user("ann");
    let mut bob = sim.user("bob");
    for (client, room) in [(&mut ann, "den"), (&mut bob, "nest")] {
        let room = dict(&[
            ("roomname", Value::Str(room.to_owned())),
            ("members", Value::List(Vec::new())),
        ]);
        assert_eq!(sim.ask(client, 9, room), [110, 10]);
    }
    let mut guests: Vec<Client> = (0..4).map(|_| sim.connect()).collect();
    sim.settle();

    // One tick: a write, requests that wait for workers, a write that does not fit, and more of each.
    let bytes = sim.frame(&mut ann, 6, message("den"));
    sim.engine.receive(ann.conn, &bytes, sim.now());
    let (before, behind) = guests.split_at_mut(2);
    for (n, guest) in before.iter_mut().enumerate() {
        let register = sim.frame(guest, 2, account(&format!("early{n}")));
        sim.engine.receive(guest.conn, &register, sim.now());
    }
    let items = (0..14).flat_map(|_| {
        let message = Message {
            command: 6,
            params: message("nest"),
        }
        .encode()
        .unwrap();
        [
            &u32::try_from(message.len()).unwrap().to_be_bytes()[..],
            &message,
        ]
        .concat()
    });
    let items = Value::Bytes(items.collect());
    for _ in 0..2 {
        let bytes = sim.frame(&mut bob, command::BATCH, items.clone());
        sim.engine.receive(bob.conn, &bytes, sim.now());
    }
    for (n, guest) in behind.iter_mut().enumerate() {
        let register = sim.frame(guest, 2, account(&format!("late{n}")));
        sim.engine.receive(guest.conn, &register, sim.now());
    }
    sim.settle();
    sim.settle();
    let answers = sim.answers(&mut bob);
    assert_eq!(answers.len(), 28);
    assert!(
        answers.iter().any(|message| message.command == 203),
        "the disk is full"
    );
    assert_eq!(sim.answers(&mut ann).len(), 1);
    for guest in &mut guests {
        assert_eq!(sim.answers(guest).len(), 1);
    }
}

#[test]
fn a_full_send_queue_at_the_retry_of_a_busy_database_gets_another_turn() {
    let dir = folder::in_memory();
    let path = dir.path().join("database.db");
    let mut sim = Sim::over(Store::open(&path).unwrap());
    let (mut ann, mut bob) = (sim.user("ann"), sim.user("bob"));
    let room = dict(&[
        ("roomname", Value::Str("den".to_owned())),
        ("members", Value::List(Vec::new())),
    ]);
    assert_eq!(sim.ask(&mut ann, 9, room), [110, 10]);
    assert_eq!(sim.ask(&mut bob, 7, Value::Str("den".to_owned())), [110, 8]);

    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let bytes = sim.frame(&mut bob, 6, message("den"));
    sim.send(&bob, &bytes);
    other.execute_batch("COMMIT").unwrap();
    // Before the retry, bob's queue receives more messages of the room than it may hold.
    sim.stalled = Some(bob.conn);
    for _ in 0..80 {
        sim.ask(&mut ann, 6, message("den"));
    }
    sim.now += Duration::from_millis(60);
    sim.settle();
    let now = sim.now();
    let waiting = sim.engine.output(bob.conn, now).len();
    assert!(waiting > 200 * 1024, "{waiting}");

    sim.stalled = None;
    sim.engine.wrote(bob.conn, 0, sim.now());
    sim.settle();
    let answers = sim.answers(&mut bob);
    assert_eq!(
        answers.len(),
        80 + 1,
        "each message, and the acknowledgement of his own"
    );
}
