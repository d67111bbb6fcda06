//! Many users at once, and users that use more than their share: other users are not delayed.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::channel as command;
use echat_proto::names::RoomName;
use echat_server::config::Limits;
use echat_server::storage::Store;

use super::queues::{Client, Sim, account, dict};
use echat_testkit::folder;

/// Creates these users and rooms with all of them as members, and logs them in.
pub(crate) fn in_rooms(sim: &mut Sim, names: &[String], rooms: usize) -> Vec<Client> {
    let mut clients: Vec<Client> = names.iter().map(|_| sim.connect()).collect();
    for (client, name) in clients.iter_mut().zip(names) {
        assert_eq!(sim.ask(client, 2, account(name)), [102]);
        // With a small share, each login from one address causes a cool-down.
        sim.now += Duration::from_secs(1);
        sim.settle();
    }
    let mut batch = sim.engine.store().batch();
    let users = batch.users(u32::MAX).unwrap();
    for n in 0..rooms {
        let name = RoomName::new(&format!("room{n}")).unwrap();
        let room = batch.create_room(&name, users[0].id, 1).unwrap().unwrap();
        for user in &users {
            batch.add_member(room, user.id, 1).unwrap();
        }
    }
    let _ = batch.commit().unwrap();
    for (client, name) in clients.iter_mut().zip(names) {
        sim.say(client, 3, account(name));
        sim.settle();
        sim.now += Duration::from_secs(1);
        sim.settle();
    }
    for client in &mut clients {
        sim.answers(client);
    }
    clients
}

pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("user{n}")).collect()
}

#[test]
fn after_a_mass_logout_the_others_get_every_event_and_stay_connected() {
    let limits = Limits {
        send_queue_soft: 2 * 1024,
        send_queue_hard: 4 * 1024,
        ..Limits::default()
    };
    let mut sim = Sim::with(limits, Store::in_memory().unwrap());
    // One tick sends presence to about forty rooms.
    sim.engine.set_turn_cost(Duration::from_micros(50));
    let mut clients = in_rooms(&mut sim, &names(10), 20);
    let mut stay = clients.split_off(6);
    for gone in &clients {
        sim.engine.sever(gone.conn);
    }
    sim.settle();
    for client in &mut stay {
        let messages = sim.answers(client);
        let of_going = messages.iter().filter(|message| message.command == 114);
        assert_eq!((messages.len(), of_going.count()), (6 * 20, 6 * 20));
    }
}

#[test]
fn a_member_that_leaves_does_not_get_the_pending_events_of_the_room() {
    let mut sim = Sim::new();
    // One tick sends presence to one or two rooms.
    sim.engine.set_turn_cost(Duration::from_micros(5));
    let mut clients = in_rooms(&mut sim, &names(6), 20);
    sim.now += Duration::from_secs(10);
    sim.settle();
    let mut stay = clients.remove(0);
    let room = || Value::Str("room19".to_owned());
    sim.say(&mut stay, 14, room());
    for gone in &clients {
        sim.engine.sever(gone.conn);
    }
    sim.settle();
    let messages = sim.answers(&mut stay);
    let left = messages.iter().position(|message| message.command == 119);
    let news = messages
        .iter()
        .map(|m| m.command == 114 && m.params.at("roomname") == Some(&room()));
    let late = news.skip(left.unwrap()).filter(|of_it| *of_it).count();
    let of_others = messages.iter().filter(|m| m.command == 114).count();
    assert_eq!(late, 0);
    assert!((5 * 19..=5 * 20).contains(&of_others), "{of_others}");
}

#[test]
fn pipelined_requests_of_many_users_do_not_delay_another_user() {
    let mut sim = Sim::new();
    let mut ann = sim.user("ann");
    let mut crowd: Vec<Client> = (0..64)
        .map(|_| sim.connect_from(Ipv4Addr::new(192, 0, 2, 1)))
        .collect();
    sim.settle();
    for guest in &mut crowd {
        for _ in 0..32 {
            sim.say(guest, 1, Value::Null);
        }
    }
    sim.say(&mut ann, 1, Value::Null);
    sim.round();
    assert_eq!(sim.answers(&mut ann).len(), 1, "she is served at once");
    let mut answered = |sim: &mut Sim| {
        let count = |guest: &mut Client| sim.answers(guest).len();
        crowd.iter_mut().map(count).sum::<usize>()
    };
    let first = answered(&mut sim);
    assert!((32..1_000).contains(&first), "{first} in one tick");
    sim.settle();
    assert_eq!(first + answered(&mut sim), 64 * 32);
}

#[test]
fn a_request_of_a_long_kind_ends_its_turn_even_if_it_was_cheap() {
    let mut sim = Sim::new();
    let mut ann = in_rooms(&mut sim, &names(1), 1).remove(0);
    let text = |text: &str| Value::Str(text.to_owned());
    let room = |name| dict(&[("roomname", text(name)), ("members", Value::List(vec![]))]);
    // Requests, the number of their reply, and how many of them one turn answers.
    let cases = [
        ([(1, Value::Null), (1, Value::Null)], 101, 2),
        ([(17, Value::Null), (17, Value::Null)], 122, 1),
        ([(18, text("room0")), (18, text("room0"))], 123, 1),
        ([(9, room("den")), (9, room("hut"))], 10, 1),
    ];
    for (requests, reply, in_one_turn) in cases {
        for (command, params) in requests {
            sim.say(&mut ann, command, params);
        }
        sim.round();
        let mut replies = |sim: &mut Sim| {
            let answers = sim.answers(&mut ann);
            answers.iter().filter(|m| m.command == reply).count()
        };
        assert_eq!(replies(&mut sim), in_one_turn, "{reply}");
        sim.settle();
        assert_eq!(replies(&mut sim), 2 - in_one_turn, "{reply}");
    }
}

#[test]
fn a_user_that_logs_in_again_waits_before_presence_is_sent_again() {
    let mut sim = Sim::new();
    sim.engine.set_turn_cost(Duration::from_micros(15));
    let mut clients = in_rooms(&mut sim, &names(3), 10);
    sim.now += Duration::from_secs(10);
    sim.settle();
    let mut one = clients.remove(0);
    assert_eq!(sim.ask(&mut one, 11, Value::Null), [116]);
    sim.say(&mut one, 3, account("user0"));
    sim.settle();
    assert!(sim.answers(&mut one).is_empty(), "it is held");
    let mut other = sim.connect();
    sim.say(&mut other, 3, account("user0"));
    sim.settle();
    assert!(
        sim.answers(&mut other).is_empty(),
        "from elsewhere it is too"
    );
    assert!(!sim.engine.has_work(), "and no connection has a turn");
    sim.engine.sever(other.conn);
    sim.now += Duration::from_secs(5);
    sim.settle();
    assert_eq!(sim.answers(&mut one).len(), 3);
}

#[test]
fn queued_requests_take_memory_in_proportion_to_their_bytes() {
    let mut sim = Sim::new();
    let mut ann = sim.user("ann");
    assert_eq!(sim.ask(&mut ann, 11, Value::Null), [116]);
    sim.workers = false;
    sim.say(&mut ann, 3, account("ann"));
    sim.round();
    // A connection that was logged in may still send large frames. Each null takes one byte on the wire, and a whole
    // value in memory.
    let nulls = Message {
        command: 6,
        params: Value::List(vec![Value::Null; 16_000]),
    };
    let item = nulls.encode().unwrap();
    let length = u32::try_from(item.len()).unwrap().to_be_bytes();
    let items = [&length[..], &item].concat().repeat(4);
    let frame = sim.frame(&mut ann, command::BATCH, Value::Bytes(items));
    let mut socket: VecDeque<u8> = frame.into();
    let memory = allocation_counter::measure(|| {
        while !socket.is_empty() {
            sim.read(&ann, &mut socket);
            sim.round();
        }
    });
    assert!(memory.bytes_current < 160 * 1024, "{memory:?}");
}

#[test]
fn pipelined_pages_wait_until_the_output_before_them_is_written() {
    let mut sim = Sim::new();
    let mut ann = in_rooms(&mut sim, &names(1), 1).remove(0);
    let text = |text: &str| Value::Str(text.to_owned());
    for _ in 0..80 {
        let message = dict(&[
            ("target_type", Value::Int(1)),
            ("target", text("room0")),
            ("content", text(&"x".repeat(3_900))),
        ]);
        assert_eq!(sim.ask(&mut ann, 6, message), [109]);
    }
    sim.stalled = Some(ann.conn);
    for _ in 0..8 {
        let page = dict(&[("limit", Value::Int(200))]);
        sim.say(&mut ann, 12, page);
    }
    let soft = Limits::default().send_queue_soft;
    for seconds in 0..60 {
        sim.now += Duration::from_secs(seconds);
        let pong = sim.frame(&mut ann, command::PONG, Value::Null);
        sim.engine.receive(ann.conn, &pong, sim.now());
        sim.settle();
        let waiting = sim.engine.waiting(ann.conn);
        assert!((200 * 1024..=soft).contains(&waiting), "{waiting}");
    }
    sim.stalled = None;
    sim.engine.wrote(ann.conn, 0, sim.now());
    for _ in 0..100 {
        let now = sim.now();
        let bytes = sim.engine.output(ann.conn, now).to_vec();
        sim.engine.wrote(ann.conn, bytes.len(), now);
        sim.sent.entry(ann.conn).or_default().extend(bytes);
        // Each page is much work, too.
        sim.now += Duration::from_secs(1);
        sim.settle();
    }
    assert_eq!(sim.answers(&mut ann).len(), 8);
}

#[test]
fn a_job_completion_on_a_busy_database_does_not_spin() {
    let dir = folder::in_memory();
    let path = dir.path().join("database.db");
    let mut sim = Sim::over(Store::open(&path).unwrap());
    let mut guest = sim.connect();
    sim.settle();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    sim.say(&mut guest, 2, account("ann"));
    for _ in 0..4 {
        sim.round();
    }
    assert!(!sim.engine.has_work());
    other.execute_batch("COMMIT").unwrap();
    sim.settle();
    assert!(sim.answers(&mut guest).is_empty());
    sim.now += Duration::from_millis(50);
    sim.settle();
    assert_eq!(sim.answers(&mut guest).len(), 1);
}

#[test]
fn a_login_with_an_immediate_logout_ends_with_the_offline_event() {
    let mut sim = Sim::new();
    sim.engine.set_turn_cost(Duration::from_micros(5));
    let mut clients = in_rooms(&mut sim, &names(2), 20);
    let (mut stays, goes) = (clients.remove(0), clients.remove(0));
    sim.engine.sever(goes.conn);
    sim.settle();
    for _ in 0..3 {
        sim.now += Duration::from_secs(10);
        sim.settle();
        let mut again = sim.connect();
        sim.say(&mut again, 3, account("user1"));
        sim.settle();
        sim.engine.sever(again.conn);
        sim.settle();
    }
    let mut words = HashMap::new();
    for message in sim.answers(&mut stays) {
        if let (113 | 114, Some(Value::Str(room))) =
            (message.command, message.params.at("roomname"))
        {
            words.insert(room.clone(), message.command);
        }
    }
    assert_eq!(words.len(), 20);
    assert!(words.values().all(|word| *word == 114), "{words:?}");
}

#[test]
fn requests_behind_a_login_are_charged_to_its_user_and_not_to_the_address() {
    let mut sim = super::sim_with_a_large_room(2_000);
    let here = Ipv4Addr::new(192, 0, 2, 1);
    let mut ann = sim.user("ann");
    assert_eq!(sim.ask(&mut ann, 7, super::large_room()), [110, 8]);
    sim.engine.sever(ann.conn);
    sim.settle();
    sim.now += Duration::from_secs(20);
    let (mut ann, mut neighbour) = (sim.connect_from(here), sim.connect_from(here));
    sim.settle();
    sim.say(&mut ann, 3, account("ann"));
    sim.say(&mut ann, 18, super::large_room());
    sim.settle();
    assert_eq!(sim.answers(&mut ann).len(), 4);
    sim.say(&mut neighbour, 1, Value::Null);
    sim.settle();
    assert_eq!(sim.answers(&mut neighbour).len(), 1);
}
