//! Tries at passwords whose connections are gone before the password was compared.

use super::queues::{World, dict};
use echat_proto::Value;
use echat_proto::commands::RequestKind;
use std::net::Ipv4Addr;

/// Tries that strangers have at once, and an address's own.
const TRIES: usize = 5 + 1;

/// Says LOGIN and hangs up; false if it is refused. No worker does the job; `begins` is whether one began it.
fn tries(world: &mut World, begins: bool) -> bool {
    let mut client = world.connect_from(Ipv4Addr::new(192, 0, 2, 1));
    world.workers = false;
    let password = ("password", Value::Str("wrong horse".to_owned()));
    let params = dict(&[("username", Value::Str("ann".to_owned())), password]);
    world.say(&mut client, RequestKind::Login.info().number, params);
    world.settle();
    let jobs = world.engine.take_jobs();
    world.workers = true;
    world.engine.sever(client.conn);
    assert_eq!(world.engine.take_closed(), [client.conn]);
    if !begins {
        world.engine.dropped(client.conn);
    }
    jobs.iter().any(|job| job.conn == client.conn)
}

#[test]
fn a_try_counts_from_when_its_password_is_hashed() {
    let mut world = World::new();
    // Hanging up before that is no try, however often.
    for n in 0..4 * TRIES {
        assert!(tries(&mut world, false), "try {n}");
    }
    // Hanging up later does not make a try free.
    for n in 0..TRIES {
        assert!(tries(&mut world, true), "try {n}");
    }
    assert!(!tries(&mut world, true));
}
