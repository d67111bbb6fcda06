//! The server is killed, or told to stop, while several users write. What was acknowledged is
//! there afterwards, once, and in one order for all.

mod place;
mod wire;
mod writers;

use std::env;
use std::time::Duration;

use rustix::process::Signal;
use wire::Client;
use writers::{check, hall, write_until};

/// Kills of an ordinary run; `ECHAT_KILLS` asks for more.
const KILLS: usize = 10;

#[test]
fn a_kill_under_load_loses_and_doubles_nothing() {
    let kills = env::var("ECHAT_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (place, mut server) = hall();
    let mut after = 0;
    for round in 0..kills {
        let written = write_until(&server, round, 1 + round * 37 % 97, |server| {
            server.signal(Signal::KILL);
        });
        assert!(written.iter().all(|written| written.goodbye.is_none()));
        assert_eq!(server.end().status.code(), None);
        server = place.start(&["--log", "warn"]);
        after = check(&server, after, &written);
    }
}

#[test]
fn a_stop_under_load_says_goodbye_and_loses_nothing() {
    let (place, server) = hall();
    let written = write_until(&server, 0, 100, |server| server.signal(Signal::TERM));
    for written in &written {
        assert_eq!(written.goodbye, Some(5));
    }
    assert_eq!(
        server.end_within(Duration::from_secs(5)).status.code(),
        Some(0)
    );
    let server = place.start(&[]);
    check(&server, 0, &written);
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn a_second_signal_stops_at_once() {
    let place = place::Place::new();
    for signals in [[Signal::TERM, Signal::TERM], [Signal::INT, Signal::TERM]] {
        let mut server = place.start(&[]);
        // It never closes its half, for which one signal alone would wait two seconds.
        let mut guest = Client::connect(&server);
        guest.is_served();
        server.signal(signals[0]);
        server.logs("stopping");
        server.signal(signals[1]);
        assert_eq!(
            server.end_within(Duration::from_millis(1500)).status.code(),
            Some(0)
        );
    }
}
