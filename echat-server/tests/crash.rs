//! The server is killed, or told to stop, while several users write. What was acknowledged is
//! there afterwards, once, and in one order for all.

use std::time::Duration;

use echat_testkit::campaign;
use echat_testkit::clock::now;
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::{Client, raw_connection};
use echat_testkit::writers::{Crowd, check};
use rustix::process::Signal;

/// Kills of an ordinary run; `ECHAT_KILLS` asks for more.
const KILLS: usize = 6;

const CROWD: Crowd = Crowd {
    writers: 20,
    window: 4,
};

#[test]
fn a_kill_under_load_loses_and_doubles_nothing() {
    let kills = campaign::count("ECHAT_KILLS", KILLS);
    let (dir, mut server, mut members) = CROWD.enter(start);
    let (mut after, mut acknowledged, mut restarts) = (0, 0, Vec::new());
    for round in 0..kills {
        let written = CROWD.write_until(&server, members, round, 1 + round * 37 % 197, |server| {
            server.signal(Signal::KILL);
        });
        assert!(written.iter().all(|written| written.goodbye.is_none()));
        assert_eq!(server.end().status.code(), None);
        let killed = now();
        server = start(&dir);
        Client::connect(&server).is_served();
        restarts.push(killed.elapsed());
        members = CROWD.return_to(&server);
        after = check(&mut members, after, &written);
        acknowledged += written.iter().map(|w| w.acknowledged.len()).sum::<usize>();
    }
    restarts.sort();
    eprintln!(
        "{kills} kills, {acknowledged} messages acknowledged, 0 lost, 0 doubled; serving again \
         after {:?} (median), {:?} (longest)",
        restarts[kills / 2],
        restarts[kills - 1]
    );
}

fn start(dir: &ServerFolder) -> ServerProcess {
    dir.start(&["--log", "warn"])
}

#[test]
fn a_stop_under_load_says_goodbye_and_loses_nothing() {
    let (dir, server, members) = CROWD.enter(start);
    let written = CROWD.write_until(&server, members, 0, 100, |server| {
        server.signal(Signal::TERM);
    });
    for written in &written {
        assert_eq!(written.goodbye, Some(5));
    }
    assert_eq!(server.end().status.code(), Some(0));
    let server = start(&dir);
    check(&mut CROWD.return_to(&server), 0, &written);
    assert_eq!(server.stop().status.code(), Some(0));
}

/// How long a server with one signal waits for a client that never closes its half.
const FLUSH: Duration = Duration::from_secs(2);
/// Stops, one of which has to be faster than that: on a busy machine some are not.
const STOPS: usize = 5;

#[test]
fn a_second_signal_stops_at_once() {
    for signals in [[Signal::TERM, Signal::TERM], [Signal::INT, Signal::TERM]] {
        let times = (0..STOPS).map(|_| time_of_stop(signals));
        let slow: Vec<Duration> = times.take_while(|time| *time >= FLUSH).collect();
        assert!(slow.len() < STOPS, "{signals:?}: {slow:?}");
    }
}

/// The time from the second signal to the end.
fn time_of_stop(signals: [Signal; 2]) -> Duration {
    let dir = ServerFolder::new();
    let mut server = dir.start(&[]);
    let mut guest = Client::connect(&server);
    guest.is_served();
    server.signal(signals[0]);
    server.logs("stopping");
    let signalled = now();
    server.signal(signals[1]);
    assert_eq!(server.end().status.code(), Some(0));
    signalled.elapsed()
}

#[test]
fn a_stop_ends_though_clients_stay() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    // None of them ever closes its half.
    let mut user = Client::register(&server, "ann");
    let mut guest = Client::connect(&server);
    guest.is_served();
    let _silent = raw_connection(server.address());
    user.is_served();
    server.signal(Signal::TERM);
    assert_eq!(server.end().status.code(), Some(0));
    while user.hears().is_some() {}
    while guest.hears().is_some() {}
}
