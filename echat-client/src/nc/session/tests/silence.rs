//! A server that says nothing any more.

use super::*;
use crate::net::liveness::Periods;

fn watching(script: &str, listen: bool) -> ScriptSession {
    let rules = Rules {
        listen,
        silence: Some(Periods::default()),
        ..Rules::default()
    };
    scripted(script, rules)
}

fn asks(session: &mut ScriptSession, now: u64) {
    let (sent, _) = drive(session, secs(now));
    assert_eq!(sent, ["PING"], "at {now} s");
}

#[test]
fn an_idle_listener_pings_and_gives_up() {
    let mut session = watching("", true);
    waits(&mut session, 0, Some(90));
    asks(&mut session, 90);
    waits(&mut session, 104, Some(105));
    let note = ends(&mut session, 105, Exit::Protocol);
    assert_eq!(
        note,
        "the server is not responding; the connection was closed"
    );
    assert!(!session.is_connected());
}

#[test]
fn an_awaited_answer_is_pinged_for_sooner() {
    let mut session = watching("LIST_ROOMS", false);
    assert_eq!(drive(&mut session, secs(0)).0, ["LIST_ROOMS"]);
    waits(&mut session, 1, Some(30));
    asks(&mut session, 30);
    // Not even its PONG is shown, and any byte is an answer.
    assert_eq!(comes(&mut session, "PONG"), None);
    session.heard(secs(31));
    waits(&mut session, 40, Some(61));
    comes(&mut session, "ROOMS []");
    ends(&mut session, 40, Exit::Success);
}

#[test]
fn a_pong_that_the_script_asked_for_is_shown() {
    let mut session = watching("PING", true);
    assert_eq!(drive(&mut session, secs(0)).0, ["PING"]);
    asks(&mut session, 30);
    assert!(comes(&mut session, "PONG").is_some());
    assert_eq!(comes(&mut session, "PONG"), None);
}

#[test]
fn waking_pings_at_once() {
    let mut session = watching("", true);
    waits(&mut session, 0, Some(90));
    session.woke();
    session.heard(secs(1));
    asks(&mut session, 1);
    ends(&mut session, 16, Exit::Protocol);
}

#[test]
fn after_a_goodbye_nothing_is_pinged() {
    let mut session = watching("CLOSE_NOTIFY 0", true);
    assert_eq!(drive(&mut session, secs(0)).0, ["CLOSE_NOTIFY"]);
    waits(&mut session, 90, Some(105));
    ends(&mut session, 105, Exit::Success);
}
