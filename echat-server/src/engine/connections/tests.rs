use super::admission::OVERFLOW;
use super::*;
use rand::SeedableRng;
use std::net::SocketAddr;

const NOW: Now = Now {
    running: Duration::ZERO,
    unix: 0,
};

fn connections() -> Connections {
    Connections::new(StdRng::seed_from_u64(1))
}

fn address(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 1).into()
}

/// Whether nothing is kept of any connection, once others took note of the closed ones.
fn is_blank(connections: &mut Connections) -> bool {
    connections.take_closed();
    connections.departed.clear();
    connections.take_dirty();
    connections.is_blank()
}

#[test]
fn a_connection_that_is_gone_leaves_nothing_behind() {
    let (mut connections, limits) = (connections(), Limits::default());
    let conns: Vec<_> = (0..3)
        .filter_map(|last| connections.accept(address(last), &limits, NOW))
        .collect();
    assert_eq!(
        (
            connections.admission.unauthenticated(),
            connections.deadlines.len()
        ),
        (3, 3)
    );
    for conn in &conns {
        connections.with(*conn, &limits, Peer::close_at_once);
    }
    assert_eq!(connections.take_closed(), conns);
    let departed: Vec<_> = connections.departed.iter().map(|(conn, _)| *conn).collect();
    assert_eq!(departed, conns);
    assert!(is_blank(&mut connections));
}

#[test]
fn numbers_are_never_used_again() {
    let (mut connections, limits) = (connections(), Limits::default());
    let first = connections
        .accept(address(1), &limits, NOW)
        .expect("there is place");
    connections.with(first, &limits, Peer::close_at_once);
    let second = connections
        .accept(address(1), &limits, NOW)
        .expect("there is place");
    assert!(second > first);
    // A late result for the first is dropped.
    connections.complete(first, JobResult::Hashed(String::new().into()), &limits);
    assert!(
        !connections.jobs.has_completed()
            && !connections
                .entry(second)
                .expect("it is there")
                .peer
                .has_items()
    );
}

#[test]
fn a_worker_that_fails_costs_its_connection_and_no_other() {
    let (mut connections, limits) = (connections(), Limits::default());
    let mut accept = || {
        connections
            .accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let (one, other) = (accept(), accept());
    connections.complete(one, JobResult::Failed, &limits);
    assert_eq!(connections.take_closed(), [one]);
    assert!(connections.entry_mut(other).is_some());
    // Late for a connection that is gone.
    connections.complete(one, JobResult::Failed, &limits);

    // A preparation that failed is asked for again, by the next handshake.
    let jobs = connections.take_jobs();
    connections.complete(jobs[0].conn, JobResult::Failed, &limits);
    assert!(connections.take_jobs().is_empty());
    connections.jobs.prepare_more();
    assert_eq!(connections.take_jobs().len(), 1);
}

#[test]
fn overflow_places_are_given_back() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let mut connections = connections();
    let conns: Vec<_> = (0..=OVERFLOW + 1)
        .map(|n| {
            let conn = connections.accept(address(1), &limits, NOW);
            if n == 0 {
                // One that is logged in does not give its place.
                let conn = conn.expect("a place");
                connections.log_in(conn, UserId(1), &limits);
            }
            conn
        })
        .collect();
    assert_eq!(conns.iter().flatten().count(), 1 + OVERFLOW);
    assert_eq!(connections.admission.overflow(), OVERFLOW);
    for conn in conns.into_iter().flatten() {
        connections.with(conn, &limits, Peer::close_at_once);
    }
    assert!(is_blank(&mut connections));
}

#[test]
fn deadlines_are_met_in_order_and_forgotten() {
    let (mut connections, limits) = (connections(), Limits::default());
    connections
        .accept(address(1), &limits, NOW)
        .expect("there is place");
    let later = Now {
        running: Duration::from_secs(2),
        unix: 0,
    };
    connections
        .accept(address(2), &limits, later)
        .expect("there is place");
    assert_eq!(connections.deadline(), Some(Duration::from_secs(5)));
    connections.expire(
        &limits,
        Now {
            running: Duration::from_secs(5),
            unix: 0,
        },
    );
    assert_eq!(
        (connections.table.len(), connections.deadline()),
        (1, Some(Duration::from_secs(7)))
    );
    connections.expire(
        &limits,
        Now {
            running: Duration::from_secs(7),
            unix: 0,
        },
    );
    assert!(is_blank(&mut connections));
}

/// Makes a connection wait for a worker.
fn logs_in(connections: &mut Connections, conn: ConnId) {
    let name = echat_proto::names::Username::new("ann").expect("a name");
    connections.entry_mut(conn).expect("it is there").pending =
        Some(Box::new(Pending::Register(name, None)));
}

#[test]
fn a_crowd_of_logins_gives_way_to_new_connections() {
    let (mut connections, limits) = (
        connections(),
        Limits {
            connections_per_address: 0,
            ..Limits::default()
        },
    );
    let accept = |connections: &mut Connections| {
        connections
            .accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let mut crowd: Vec<_> = (0..limits.unauthenticated)
        .map(|_| accept(&mut connections))
        .collect();
    for conn in &crowd[1..] {
        logs_in(&mut connections, *conn);
    }
    // The one that keeps the server waiting goes first, then the oldest of the logins.
    for _ in 0..limits.unauthenticated {
        let new = accept(&mut connections);
        assert_eq!(connections.take_closed(), [crowd.remove(0)]);
        logs_in(&mut connections, new);
        crowd.push(new);
    }
}

#[test]
fn of_logins_only_the_oldest_eighth_is_spared() {
    let limits = Limits {
        unauthenticated: 16,
        ..Limits::default()
    };
    let mut connections = connections();
    let accept = |connections: &mut Connections| {
        connections
            .accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let guests: Vec<_> = (0..16).map(|_| accept(&mut connections)).collect();
    logs_in(&mut connections, guests[0]);
    accept(&mut connections);
    assert_eq!(connections.take_closed(), [guests[1]]);
    // Two are the oldest eighth: that a younger one could go saves neither.
    logs_in(&mut connections, guests[2]);
    accept(&mut connections);
    assert_eq!(connections.take_closed(), [guests[0]]);
}

/// Whether a connection is only told that the server is full.
fn overflows(connections: &Connections, conn: ConnId) -> bool {
    connections
        .entry(conn)
        .expect("it is there")
        .peer
        .is_overflow()
}

#[test]
fn an_ipv6_network_has_the_places_of_one_address() {
    let limits = Limits {
        connections_per_address: 2,
        ..Limits::default()
    };
    let mut connections = connections();
    let mut from = |text: &str| {
        let address = SocketAddr::new(text.parse().expect("an address"), 1);
        let conn = connections
            .accept(address, &limits, NOW)
            .expect("overflow places are there");
        overflows(&connections, conn)
    };
    let told_full = [
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8::3",
        "2001:db8:0:1::1",
    ]
    .map(&mut from);
    assert_eq!(told_full, [false; 4]);
    // The third connection of the network took the place of its oldest guest.
    assert_eq!(connections.take_closed().len(), 1);
}

/// Connections that may be accepted from one address, of which all but these are logged in.
fn shared_address(connections: &mut Connections, limits: &Limits, guests: &[usize]) -> Vec<ConnId> {
    (0..limits.connections_per_address)
        .map(|n| {
            let conn = connections
                .accept(address(1), limits, NOW)
                .expect("a place");
            if !guests.contains(&n) {
                connections.log_in(conn, UserId(1), limits);
            }
            conn
        })
        .collect()
}

#[test]
fn connections_without_a_login_give_way_within_their_address() {
    let limits = Limits::default();
    let mut connections = connections();
    let elsewhere = connections
        .accept(address(2), &limits, NOW)
        .expect("a place");
    let here = shared_address(&mut connections, &limits, &[5, 6, 7]);
    logs_in(&mut connections, here[5]);
    for gone in [6, 7] {
        let new = connections
            .accept(address(1), &limits, NOW)
            .expect("a place");
        assert!(!overflows(&connections, new));
        assert_eq!(
            connections.take_closed(),
            [here[gone]],
            "the oldest idle guest"
        );
        connections.log_in(new, UserId(1), &limits);
    }
    // Only one that is logging in is left; it goes before a new connection is refused.
    let new = connections
        .accept(address(1), &limits, NOW)
        .expect("a place");
    assert_eq!(connections.take_closed(), [here[5]]);
    connections.log_in(new, UserId(1), &limits);
    // All are logged in: refused, and no guest of another address pays for it.
    let new = connections
        .accept(address(1), &limits, NOW)
        .expect("an overflow place");
    assert!(overflows(&connections, new) && connections.take_closed().is_empty());
    assert!(connections.entry_mut(elsewhere).is_some());
    // The overflow connection holds no place of the address.
    connections.with(here[0], &limits, Peer::close_at_once);
    let new = connections
        .accept(address(1), &limits, NOW)
        .expect("a place");
    assert!(!overflows(&connections, new));
}

#[test]
fn connections_without_a_login_give_way_when_the_whole_server_is_full() {
    let limits = Limits {
        connections: 4,
        connections_per_address: 3,
        ..Limits::default()
    };
    let mut connections = connections();
    let accept = |connections: &mut Connections, last| {
        let conn = connections
            .accept(address(last), &limits, NOW)
            .expect("a place");
        assert!(connections.table.len() - connections.admission.overflow() <= limits.connections);
        (conn, overflows(connections, conn))
    };
    let guests = [1, 2, 3, 4].map(|last| accept(&mut connections, last).0);
    logs_in(&mut connections, guests[0]);
    // The oldest idle guest goes, wherever it is from, and the new one has its place.
    let mut members = Vec::new();
    for gone in [guests[1], guests[2], guests[3], guests[0]] {
        let (new, overflow) = accept(&mut connections, 5 + u8::from(members.len() > 1));
        assert_eq!((connections.take_closed(), overflow), (vec![gone], false));
        connections.log_in(new, UserId(1), &limits);
        members.push(new);
    }
    // All are logged in: new ones are told that the server is full, and have no place to give.
    for _ in 0..OVERFLOW {
        let (_, overflow) = accept(&mut connections, 7);
        assert!(overflow && connections.take_closed().is_empty());
    }
    assert_eq!(connections.admission.overflow(), OVERFLOW);
    assert_eq!(connections.accept(address(7), &limits, NOW), None);
    // A place that is free again is not taken by them.
    connections.with(members[0], &limits, Peer::close_at_once);
    assert_eq!(connections.take_closed(), [members[0]]);
    let (new, overflow) = accept(&mut connections, 7);
    assert!(!overflow && connections.take_closed().is_empty());
    // A full address has its own guests give way, or is full: not those of others.
    for conn in [members[1], members[2]] {
        connections.with(conn, &limits, Peer::close_at_once);
    }
    connections.take_closed();
    for _ in 0..2 {
        let conn = accept(&mut connections, 6).0;
        connections.log_in(conn, UserId(1), &limits);
    }
    let (_, overflow) = connections
        .accept(address(6), &limits, NOW)
        .map_or((ConnId(0), true), |conn| {
            (conn, overflows(&connections, conn))
        });
    assert!(
        overflow && connections.entry_mut(new).is_some(),
        "full there"
    );
    for conn in connections.table.conns() {
        connections.with(conn, &limits, Peer::close_at_once);
    }
    assert!(is_blank(&mut connections));
}
