//! Silent, slow, many and demanding clients do not delay other users (promises 7, 8, 10 and 25).

mod crowd;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crowd::control::{BESIDE_MUCH_WORK, Control, TROUBLED};
use crowd::dripping::Dripping;
use crowd::flood::{Flood, From, Honest, capacity};
use crowd::greedy::{self, Greed, Plenty};
use crowd::leaving::{self, Crowd, Size};
use crowd::long_log::{self, Beside};
use crowd::room::{Room, Talk, enter, read_to_the_end};
use crowd::silent::{Silent, as_many_as_allowed};
use crowd::watch::{Times, Watch};
use crowd::{Until, start_with_limits};
use echat_system::proc;
use echat_testkit::campaign;
use echat_testkit::server_process::ServerFolder;
use echat_testkit::wire::Client;
use rand::RngExt;

/// Silent connections of an ordinary run; `ECHAT_SILENT` asks for more.
const SILENT: usize = 300;
/// What a silent connection may cost, in KiB.
const SILENT_KIB: u64 = 4;
/// Fewer connections than this say nothing about the memory of one.
const MANY: usize = 2_000;

#[test]
fn silent_and_slow_connections_do_not_delay_a_room() {
    let campaign = campaign::number("ECHAT_SILENT");
    let count = as_many_as_allowed(campaign.unwrap_or(SILENT));
    let dir = ServerFolder::on_disk();
    let limits = r#"{"message_rate": 0, "registrations": 0, "unauthenticated": 1000000,
        "connections": 1000000}"#;
    let server = start_with_limits(&dir, limits);
    let (size, talk) = match campaign {
        Some(_) => (20, Talk::at_ease(1_000)),
        None => (5, Talk::messages(50)),
    };
    let mut room = Room::gather(&server, size);
    let mut control = Control::new(size);
    let alone = room.talk(&talk);
    let (files, kib) = (
        proc::open_files(server.id()).unwrap(),
        proc::resident_kib(server.id()).unwrap(),
    );

    let silent = Silent::gather(server.address(), count);
    while proc::open_files(server.id()).unwrap() < files + count {
        room.talk(&Talk::messages(1));
    }
    let grown = proc::resident_kib(server.id()).unwrap() - kib;
    let among = room.talk(&talk);
    control.keeps_pace(&mut room, TROUBLED);
    let again = silent.go();
    room.talk(&Talk::messages(10));
    if campaign.is_some() {
        println!("a room of {size} alone: {alone}");
        println!("among {count} silent ones, of which {again} had to come again: {among}");
        println!("{grown} KiB for {count} connections");
    }
    if count >= MANY {
        assert!(grown <= SILENT_KIB * count as u64, "{grown} KiB");
    }
    control.stop();
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Users that send byte by byte in an ordinary run; `ECHAT_DRIPPING` asks for more.
const DRIPPING: usize = 20;

#[test]
fn users_that_send_byte_by_byte_do_not_delay_a_room() {
    let campaign = campaign::number("ECHAT_DRIPPING");
    let dir = ServerFolder::on_disk();
    let server = start_with_limits(&dir, r#"{"message_rate": 0, "registrations": 0}"#);
    let (size, talk) = match campaign {
        Some(_) => (20, Talk::at_ease(1_000)),
        None => (5, Talk::messages(50)),
    };
    let mut room = Room::gather(&server, size);
    let mut control = Control::new(size);
    let alone = room.talk(&talk);
    let count = campaign.unwrap_or(DRIPPING);
    let dripping = Dripping::gather(&server, count);
    let among = room.talk(&talk);
    control.keeps_pace(&mut room, TROUBLED);
    let requests = dripping.go();
    if campaign.is_some() {
        println!("a room of {size} alone: {alone}");
        println!("among {count} users that sent {requests} requests byte by byte: {among}");
    }
    control.stop();
    assert_eq!(server.stop().status.code(), Some(0));
}

/// The length of messages while one member does not read: its queue is soon too long. A long run goes on with
/// short ones, until there were as many as `ECHAT_STALLED` says.
const LONG: usize = 3_900;
/// Messages that are sent at once.
const BURST: u64 = 16;
/// The test fails if the member that does not read is still connected after so many messages.
const SOON: u64 = 200_000;
/// What the server may grow by, in KiB: a queue of 1 MiB, a frame of it that is begun, and what
/// the database and the allocator keep.
const GROWTH_KIB: u64 = 12 * 1024;
/// What a long campaign adds to that: the database's cache of pages, filled.
const CACHE_KIB: u64 = 16 * 1024;

#[test]
fn a_stalled_reader_delays_only_itself() {
    let campaign = campaign::number("ECHAT_STALLED");
    let dir = ServerFolder::on_disk();
    let limits = r#"{"message_rate": 0, "registrations": 0, "dead_seconds": 0}"#;
    let mut server = start_with_limits(&dir, limits);
    let mut room = Room::gather(&server, if campaign.is_some() { 49 } else { 3 });
    let mut stalled = enter(&server, "stalled", false);
    let kib = proc::peak_resident_kib(server.id()).unwrap();
    let talk = |length| Talk {
        burst: BURST,
        length,
        ..Talk::messages(BURST)
    };
    let over = AtomicBool::new(false);
    let last = thread::scope(|scope| {
        // This fails if one of the others misses a message.
        let talking = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && room.last_id() < SOON {
                room.talk(&talk(LONG));
            }
            while room.last_id() < campaign.unwrap_or(0) {
                room.talk(&talk(100));
            }
        });
        let until = Until(&over);
        server.logs("too slow");
        let watch = Watch::start();
        let (last, goodbye) = read_to_the_end(&mut stalled);
        // A connection that cannot be written to for two seconds is closed without a goodbye.
        let in_time = watch.elapsed() < Duration::from_secs(1);
        drop(until);
        talking.join().unwrap();
        assert!(goodbye == Some(7) || (goodbye.is_none() && !in_time));
        last
    });
    let grown = proc::peak_resident_kib(server.id()).unwrap() - kib;
    let most = GROWTH_KIB + campaign.map_or(0, |_| CACHE_KIB);
    assert!(grown < most, "{grown} KiB");

    let mut back = Client::login(&server, "stalled");
    let missed = back.history(crowd::room::NAME, last);
    let ids = missed.iter().map(|(id, _)| *id);
    assert!(ids.eq(last + 1..=room.last_id()));
    if campaign.is_some() {
        println!(
            "{} messages to 50; the stalled one had {last}, was closed, and caught up with {}; \
             at most {grown} KiB more",
            room.last_id(),
            missed.len()
        );
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Hellos a second of an ordinary run.
const HELLOS: u32 = 400;
/// How soon an honest client connects again in an ordinary run.
const AGAIN: Duration = Duration::from_millis(50);
/// A flood is so many times what the server can answer.
const TIMES: u32 = 5;
/// Addresses that a flood may come from.
const ADDRESSES: u8 = 100;

#[test]
fn a_flood_of_hellos_delays_no_room_and_a_login_succeeds() {
    let campaign: Option<usize> = campaign::number("ECHAT_LOGINS");
    let dir = ServerFolder::on_disk();
    let server = start_with_limits(&dir, r#"{"message_rate": 0, "registrations": 0}"#);
    let mut room = Room::gather(&server, 5);
    let mut control = Control::new(5);
    drop(Client::register(&server, "honest"));
    let honest = Honest {
        server: &server,
        name: "honest",
    };
    let wait = |attempts| campaign.map_or(AGAIN, |_| back_off(attempts));
    let per_second = campaign.map_or(HELLOS, |_| TIMES * capacity(&server, 1_000));
    for from in [From::Others(ADDRESSES), From::Home] {
        let flood = Flood::start(server.address(), from, per_second);
        control.keeps_pace(&mut room, TROUBLED);
        let over = AtomicBool::new(false);
        let (talked, logins) = thread::scope(|scope| {
            let talking = scope.spawn(|| {
                let mut talked = Times::default();
                while !over.load(Ordering::Relaxed) {
                    talked.append(room.talk(&Talk::at_ease(10)));
                }
                talked
            });
            let until = Until(&over);
            let logins = (0..campaign.unwrap_or(1)).map(|_| honest.logs_in(wait));
            let logins: Vec<_> = logins.collect();
            drop(until);
            (talking.join().unwrap(), logins)
        });
        let sent = flood.stop();
        if campaign.is_some() {
            let (attempts, times): (Vec<u32>, Times) = logins.into_iter().unzip();
            println!(
                "{sent:.0} hellos a second from {from:?} (capacity {})",
                per_second / TIMES
            );
            println!("  the room: {talked}");
            println!("  logins: {times}; attempts {attempts:?}");
        }
    }
    control.stop();
    assert_eq!(server.stop().status.code(), Some(0));
}

/// What `echat` waits before it connects again (echat-client/src/chat/backoff.rs).
fn back_off(attempts: u32) -> Duration {
    let longest = 1_000 << (attempts - 1).min(5);
    Duration::from_millis(rand::rng().random_range(longest / 2..=longest))
}

/// Users that leave at once in an ordinary run; `ECHAT_LEAVING` asks for more.
const LEAVING: Size = Size {
    going: 4,
    staying: 3,
    rooms: 20,
};

#[test]
fn users_that_leave_at_once_disconnect_no_other_user() {
    let campaign = campaign::number("ECHAT_LEAVING");
    let size = campaign.map_or(LEAVING, |going| Size {
        going,
        staying: 100,
        rooms: 199,
    });
    let dir = ServerFolder::on_disk();
    leaving::prepare(&dir, size);
    let server = start_with_limits(&dir, r#"{"message_rate": 0, "registrations": 0}"#);
    let mut room = Room::gather(&server, 5);
    let crowd = Crowd::gather(&server, size);
    let staying = crowd.part();
    let mut talked = Times::default();
    loop {
        talked.append(room.talk(&Talk::at_ease(10)));
        if staying.iter().all(thread::JoinHandle::is_finished) {
            break;
        }
    }
    for listener in staying {
        assert_eq!(listener.join().unwrap(), size.going * size.rooms);
    }
    if campaign.is_some() {
        println!(
            "{} users that shared {} rooms with {} others hung up; a room beside them: {talked}",
            size.going, size.rooms, size.staying
        );
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Windows of frames that a client sends in an ordinary run; `ECHAT_GREEDY` asks for seconds.
const WINDOWS: usize = 3;
/// What a client may read: as much as config.json allows by default.
const PLENTY: Plenty = Plenty {
    users: 1,
    rooms: 199,
    unread: 1_000,
    members: 9_999,
};
const ENOUGH: Plenty = Plenty {
    users: 2,
    rooms: 20,
    unread: 100,
    members: 200,
};

#[test]
fn users_that_send_as_fast_as_they_can_delay_no_other_user() {
    let campaign: Option<u64> = campaign::number("ECHAT_GREEDY");
    let dir = ServerFolder::on_disk();
    let plenty = match campaign {
        Some(_) => Plenty {
            users: campaign::number("ECHAT_GREEDY_USERS").unwrap_or(PLENTY.users),
            ..PLENTY
        },
        None => ENOUGH,
    };
    greedy::prepare(&dir, plenty);
    let limits = match campaign {
        Some(_) => r#"{"registrations": 0}"#,
        // The room may send faster than in the other tests; a window of messages is still too many.
        None => r#"{"registrations": 0, "message_rate": 500, "message_burst": 200}"#,
    };
    let server = start_with_limits(&dir, limits);
    let mut room = Room::gather(&server, if campaign.is_some() { 20 } else { 5 });
    let mut control = Control::new(5);
    let mut greedy = greedy::enter(&server, plenty.users);
    for greed in Greed::ALL {
        let over = AtomicBool::new(false);
        let watch = Watch::start();
        let (talked, windows) = thread::scope(|scope| {
            let ask = |greedy: &mut greedy::Greedy| {
                let mut windows = 0;
                while windows < WINDOWS || !over.load(Ordering::Relaxed) {
                    greedy::ask(greedy, greed);
                    windows += 1;
                }
                windows
            };
            let asking = greedy
                .iter_mut()
                .map(|greedy| scope.spawn(move || ask(greedy)));
            let asking: Vec<_> = asking.collect();
            let until = Until(&over);
            let talked = campaign.map(|seconds| room.talk(&Talk::at_ease(50 * seconds)));
            if campaign.is_none() {
                control.keeps_pace(&mut room, BESIDE_MUCH_WORK);
            }
            drop(until);
            let windows = asking.into_iter().map(|greedy| greedy.join().unwrap());
            (talked, windows.sum::<usize>())
        });
        if let Some(talked) = talked {
            let frames = u128::try_from(windows * greed.window()).unwrap();
            let per_second = frames * 1_000 / watch.elapsed().as_millis();
            println!("{per_second} frames a second for {greed:?}; the room: {talked}");
        }
    }
    control.stop();
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Pages of a log that is not checkpointed by the loop itself; `ECHAT_LOG_MIB` asks for more.
const LONG_LOG: u64 = 3_000;
/// Pages of a MiB.
const MIB: u64 = 256;
/// The file of the log is cut back to so many bytes.
const CUT_BACK: u64 = 16 * 1024 * 1024;
/// Messages within which a log begins anew when it may, or the test fails.
const ANEW: usize = 200;

#[test]
fn a_long_log_is_checkpointed_beside_a_busy_room() {
    let campaign: Option<u64> = campaign::number("ECHAT_LOG_MIB");
    let dir = ServerFolder::on_disk();
    let limits = r#"{"message_rate": 0, "registrations": 0, "user_bytes_a_day": 0}"#;
    let server = start_with_limits(&dir, limits);
    let mut room = Room::gather(&server, if campaign.is_some() { 10 } else { 3 });
    let some = campaign.map_or(Talk::messages(10), |_| Talk::at_ease(500));
    let alone = room.talk(&some);
    let beside = Beside::of(&dir);
    beside.hold();
    let long = campaign.map_or(LONG_LOG, |mib| mib * MIB);
    let grow = Talk {
        burst: BURST,
        length: LONG,
        ..Talk::messages(BURST)
    };
    while beside.left() < long {
        room.talk(&grow);
    }
    let held = room.talk(&some);
    assert!(beside.left() >= long, "{:?}", beside.log());
    let (pages, _) = beside.log();
    beside.let_go();
    let among = room.talk(&some);
    let again = (0..ANEW).find(|_| {
        room.talk(&Talk::messages(10));
        beside.log().0 < pages
    });
    assert!(again.is_some(), "{:?} of {pages}", beside.log());
    let after = room.talk(&some);
    if campaign.is_some() {
        println!("a room of 10 alone: {alone}");
        println!("while {pages} pages of the log are held by a reader: {held}");
        println!("while they are checkpointed: {among}");
        println!("afterwards: {after}");
    }
    let length = || long_log::length(&dir);
    // The file loses a step each time the log begins anew.
    for _ in 0..long {
        if length() > CUT_BACK {
            room.talk(&grow);
        }
    }
    assert!(length() <= CUT_BACK, "{} bytes", length());
    assert_eq!(server.stop().status.code(), Some(0));
    let server = dir.start(&["--log", "warn"]);
    let mut back = Client::login(&server, "member0");
    let kept = back.history(crowd::room::NAME, 0);
    assert!(kept.iter().map(|(id, _)| *id).eq(1..=room.last_id()));
    assert_eq!(server.stop().status.code(), Some(0));
}
