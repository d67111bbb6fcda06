use super::door::SPARE;
use super::*;
use rand::SeedableRng;
use std::net::SocketAddr;

const NOW: Now = Now {
    running: Duration::ZERO,
    unix: 0,
};

fn net() -> Net {
    Net::new(StdRng::seed_from_u64(1))
}

fn address(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 1).into()
}

/// Whether nothing is kept of any connection, once others took note of the closed ones.
fn is_blank(net: &mut Net) -> bool {
    net.take_closed();
    net.departed.clear();
    net.take_dirty();
    net.is_blank()
}

#[test]
fn a_connection_that_is_gone_leaves_nothing_behind() {
    let (mut net, limits) = (net(), Limits::default());
    let conns: Vec<_> = (0..3)
        .filter_map(|last| net.accept(address(last), &limits, NOW))
        .collect();
    assert_eq!((net.guests.len(), net.deadlines.len()), (3, 3));
    for conn in &conns {
        net.with(*conn, &limits, Peer::close_at_once);
    }
    assert_eq!(net.take_closed(), conns);
    let departed: Vec<_> = net.departed.iter().map(|(conn, _)| *conn).collect();
    assert_eq!(departed, conns);
    assert!(is_blank(&mut net));
}

#[test]
fn numbers_are_never_used_again() {
    let (mut net, limits) = (net(), Limits::default());
    let first = net
        .accept(address(1), &limits, NOW)
        .expect("there is place");
    net.with(first, &limits, Peer::close_at_once);
    let second = net
        .accept(address(1), &limits, NOW)
        .expect("there is place");
    assert!(second > first);
    // What is late for the first finds nobody.
    net.complete(first, JobResult::Hashed(String::new()), &limits);
    assert!(net.completed.is_empty() && !net.slots[&second].peer.has_items());
}

#[test]
fn a_worker_that_fails_costs_its_connection_and_nobody_else() {
    let (mut net, limits) = (net(), Limits::default());
    let mut accept = || {
        net.accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let (one, other) = (accept(), accept());
    net.complete(one, JobResult::Failed, &limits);
    assert_eq!(net.take_closed(), [one]);
    assert!(net.slot(other).is_some());
    // Late for one who is gone.
    net.complete(one, JobResult::Failed, &limits);

    // A preparation that failed is asked for again, and not before somebody needs it.
    let jobs = net.take_jobs();
    net.complete(jobs[0].conn, JobResult::Failed, &limits);
    assert!(net.take_jobs().is_empty());
    net.prepare_more();
    assert_eq!(net.take_jobs().len(), 1);
}

#[test]
fn spare_places_are_given_back() {
    let net_limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let mut net = net();
    let conns: Vec<_> = (0..=SPARE + 1)
        .map(|n| {
            let conn = net.accept(address(1), &net_limits, NOW);
            if n == 0 {
                // One that is logged in does not give its place.
                let conn = conn.expect("a place");
                net.with(conn, &net_limits, |peer| peer.authenticate(&net_limits));
            }
            conn
        })
        .collect();
    assert_eq!(conns.iter().flatten().count(), 1 + SPARE);
    assert_eq!(net.spares, SPARE);
    for conn in conns.into_iter().flatten() {
        net.with(conn, &net_limits, Peer::close_at_once);
    }
    assert!(is_blank(&mut net));
}

#[test]
fn deadlines_are_met_in_order_and_forgotten() {
    let (mut net, limits) = (net(), Limits::default());
    net.accept(address(1), &limits, NOW)
        .expect("there is place");
    let later = Now {
        running: Duration::from_secs(2),
        unix: 0,
    };
    net.accept(address(2), &limits, later)
        .expect("there is place");
    assert_eq!(net.deadline(), Some(Duration::from_secs(5)));
    net.expire(
        &limits,
        Now {
            running: Duration::from_secs(5),
            unix: 0,
        },
    );
    assert_eq!(
        (net.slots.len(), net.deadline()),
        (1, Some(Duration::from_secs(7)))
    );
    net.expire(
        &limits,
        Now {
            running: Duration::from_secs(7),
            unix: 0,
        },
    );
    assert!(is_blank(&mut net));
}

/// What a request that waits for a worker leaves in the books.
fn logs_in(net: &mut Net, conn: ConnId) {
    let name = echat_proto::names::Username::new("ann").expect("a name");
    net.slot(conn).expect("it is there").pending = Some(Pending::Register(name));
}

#[test]
fn a_crowd_of_logins_gives_way_to_new_ones_like_anybody() {
    let (mut net, limits) = (
        net(),
        Limits {
            connections_per_address: 0,
            ..Limits::default()
        },
    );
    let accept = |net: &mut Net| {
        net.accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let mut crowd: Vec<_> = (0..limits.unauthenticated)
        .map(|_| accept(&mut net))
        .collect();
    for conn in &crowd[1..] {
        logs_in(&mut net, *conn);
    }
    // The one that keeps the server waiting goes first, then the oldest of the logins.
    for _ in 0..limits.unauthenticated {
        let new = accept(&mut net);
        assert_eq!(net.take_closed(), [crowd.remove(0)]);
        logs_in(&mut net, new);
        crowd.push(new);
    }
}

#[test]
fn of_logins_only_the_oldest_eighth_is_spared() {
    let limits = Limits {
        unauthenticated: 16,
        ..Limits::default()
    };
    let mut net = net();
    let accept = |net: &mut Net| {
        net.accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let guests: Vec<_> = (0..16).map(|_| accept(&mut net)).collect();
    logs_in(&mut net, guests[0]);
    accept(&mut net);
    assert_eq!(net.take_closed(), [guests[1]]);
    // Two are the oldest eighth: that a younger one could go saves neither.
    logs_in(&mut net, guests[2]);
    accept(&mut net);
    assert_eq!(net.take_closed(), [guests[0]]);
}

#[test]
fn an_ipv6_network_has_the_places_of_one_address() {
    let limits = Limits {
        connections_per_address: 2,
        ..Limits::default()
    };
    let mut net = net();
    let mut from = |text: &str| {
        let address = SocketAddr::new(text.parse().expect("an address"), 1);
        let conn = net
            .accept(address, &limits, NOW)
            .expect("spare places are there");
        net.slots[&conn].spare
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
    assert_eq!(net.take_closed().len(), 1);
}

/// Connections that may be accepted from one address, of which all but these are logged in.
fn shared_address(net: &mut Net, limits: &Limits, guests: &[usize]) -> Vec<ConnId> {
    (0..limits.connections_per_address)
        .map(|n| {
            let conn = net.accept(address(1), limits, NOW).expect("a place");
            if !guests.contains(&n) {
                net.with(conn, limits, |peer| peer.authenticate(limits));
            }
            conn
        })
        .collect()
}

#[test]
fn guests_give_way_within_their_address() {
    let limits = Limits::default();
    let mut net = net();
    let elsewhere = net.accept(address(2), &limits, NOW).expect("a place");
    let here = shared_address(&mut net, &limits, &[5, 6, 7]);
    logs_in(&mut net, here[5]);
    for gone in [6, 7] {
        let new = net.accept(address(1), &limits, NOW).expect("a place");
        assert!(!net.slots[&new].spare);
        assert_eq!(net.take_closed(), [here[gone]], "the oldest idle guest");
        net.with(new, &limits, |peer| peer.authenticate(&limits));
    }
    // Only one that is logging in is left; it goes before a new connection is refused.
    let new = net.accept(address(1), &limits, NOW).expect("a place");
    assert_eq!(net.take_closed(), [here[5]]);
    net.with(new, &limits, |peer| peer.authenticate(&limits));
    // All are logged in: refused, and no guest of another address pays for it.
    let new = net.accept(address(1), &limits, NOW).expect("a spare place");
    assert!(net.slots[&new].spare && net.take_closed().is_empty());
    assert!(net.slot(elsewhere).is_some());
    // The spare connection holds no place of the address.
    net.with(here[0], &limits, Peer::close_at_once);
    let new = net.accept(address(1), &limits, NOW).expect("a place");
    assert!(!net.slots[&new].spare);
}

#[test]
fn guests_give_way_when_the_whole_server_is_full() {
    let limits = Limits {
        connections: 4,
        connections_per_address: 3,
        ..Limits::default()
    };
    let mut net = net();
    let accept = |net: &mut Net, last| {
        let conn = net.accept(address(last), &limits, NOW).expect("a place");
        assert!(net.slots.len() - net.spares <= limits.connections);
        (conn, net.slots[&conn].spare)
    };
    let guests = [1, 2, 3, 4].map(|last| accept(&mut net, last).0);
    logs_in(&mut net, guests[0]);
    // The oldest idle guest goes, wherever it is from, and the new one has its place.
    let mut members = Vec::new();
    for gone in [guests[1], guests[2], guests[3], guests[0]] {
        let (new, spare) = accept(&mut net, 5 + u8::from(members.len() > 1));
        assert_eq!((net.take_closed(), spare), (vec![gone], false));
        net.with(new, &limits, |peer| peer.authenticate(&limits));
        members.push(new);
    }
    // All are logged in: new ones are told that the server is full, and have no place to give.
    for _ in 0..SPARE {
        let (_, spare) = accept(&mut net, 7);
        assert!(spare && net.take_closed().is_empty());
    }
    assert_eq!(net.spares, SPARE);
    assert_eq!(net.accept(address(7), &limits, NOW), None);
    // A place that is free again is not taken by them.
    net.with(members[0], &limits, Peer::close_at_once);
    assert_eq!(net.take_closed(), [members[0]]);
    let (new, spare) = accept(&mut net, 7);
    assert!(!spare && net.take_closed().is_empty());
    // A full address has its own guests give way, or is full: not those of others.
    for conn in [members[1], members[2]] {
        net.with(conn, &limits, Peer::close_at_once);
    }
    net.take_closed();
    for _ in 0..2 {
        let conn = accept(&mut net, 6).0;
        net.with(conn, &limits, |peer| peer.authenticate(&limits));
    }
    let (_, spare) = net
        .accept(address(6), &limits, NOW)
        .map_or((ConnId(0), true), |conn| (conn, net.slots[&conn].spare));
    assert!(spare && net.slot(new).is_some(), "full there");
    for conn in net.slots.keys().copied().collect::<Vec<_>>() {
        net.with(conn, &limits, Peer::close_at_once);
    }
    assert!(is_blank(&mut net));
}
