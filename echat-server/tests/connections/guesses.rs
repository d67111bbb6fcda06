//! Login attempts whose connection is closed before the password was compared.

use super::queues::{Sim, dict};
use echat_proto::Value;
use echat_proto::commands::RequestKind;
use std::net::Ipv4Addr;

/// The attempts of all unknown addresses together, and the one of the address itself.
const TRIES: usize = 5 + 1;

/// Sends LOGIN and hangs up. False if the login is refused. No worker completes the job; `begins` is whether one began
/// it.
fn tries(sim: &mut Sim, begins: bool) -> bool {
    let mut client = sim.connect_from(Ipv4Addr::new(192, 0, 2, 1));
    sim.workers = false;
    let password = ("password", Value::Str("wrong horse".to_owned()));
    let params = dict(&[("username", Value::Str("ann".to_owned())), password]);
    sim.say(&mut client, RequestKind::Login.info().number, params);
    sim.settle();
    let jobs = sim.engine.take_jobs();
    sim.workers = true;
    sim.engine.sever(client.conn);
    assert_eq!(sim.engine.take_closed(), [client.conn]);
    if !begins {
        sim.engine.dropped(client.conn);
    }
    jobs.iter().any(|job| job.conn == client.conn)
}

#[test]
fn a_login_attempt_counts_once_its_password_is_hashed() {
    let mut sim = Sim::new();
    // Hanging up before the job begins does not count, however often.
    for n in 0..4 * TRIES {
        assert!(tries(&mut sim, false), "try {n}");
    }
    // Hanging up later counts.
    for n in 0..TRIES {
        assert!(tries(&mut sim, true), "try {n}");
    }
    assert!(!tries(&mut sim, true));
}

#[test]
fn a_secret_of_a_closed_connection_does_not_count_as_an_attempt() {
    let text = |text: &str| Value::Str(text.to_owned());
    let number = |kind: RequestKind| kind.info().number;
    let mut sim = Sim::new();
    let mut bob = sim.user("bob");
    let room = dict(&[("roomname", text("tea")), ("members", Value::List(vec![]))]);
    sim.ask(&mut bob, number(RequestKind::CreateRoom), room);
    let login = dict(&[("username", text("bob")), ("resume", text("wrong"))]);
    for n in 0..4 * TRIES {
        let mut guest = sim.connect_from(Ipv4Addr::new(192, 0, 2, 1));
        sim.settle();
        // The tick writes, so the login waits for the next one.
        let message = dict(&[
            ("target_type", Value::Int(1)),
            ("target", text("tea")),
            ("content", text("hi")),
            ("txn_id", text(&n.to_string())),
        ]);
        sim.say(&mut bob, number(RequestKind::SendMessage), message);
        sim.say(&mut guest, number(RequestKind::Login), login.clone());
        let now = sim.now();
        sim.engine.tick(now).unwrap();
        assert!(sim.engine.output(guest.conn, now).is_empty(), "try {n}");
        sim.engine.sever(guest.conn);
        sim.settle();
    }
    let mut guest = sim.connect_from(Ipv4Addr::new(192, 0, 2, 1));
    sim.say(&mut guest, number(RequestKind::Login), login);
    sim.settle();
    let answers = sim.answers(&mut guest);
    let code = answers.last().and_then(|answer| answer.params.at("code"));
    assert_eq!(code, Some(&text("bad_credentials")));
}
