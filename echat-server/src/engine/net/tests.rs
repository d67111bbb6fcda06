use super::*;
use rand::SeedableRng;

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

/// Whether nothing is kept of any connection.
fn is_blank(net: &Net) -> bool {
    net.slots.is_empty()
        && net.by_address.is_empty()
        && net.guests.is_empty()
        && net.spares == 0
        && net.deadlines.is_empty()
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
    assert_eq!(net.departed, conns);
    assert!(is_blank(&net));
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
    net.complete(first, Done::Hashed(String::new()), &limits);
    assert!(net.completed.is_empty() && !net.slots[&second].peer.has_items());
}

#[test]
fn a_helper_that_fails_costs_its_connection_and_nobody_else() {
    let (mut net, limits) = (net(), Limits::default());
    let mut accept = || {
        net.accept(address(1), &limits, NOW)
            .expect("there is place")
    };
    let (one, other) = (accept(), accept());
    net.complete(one, Done::Failed, &limits);
    assert_eq!(net.take_closed(), [one]);
    assert!(net.slot(other).is_some());
    // Late for one who is gone.
    net.complete(one, Done::Failed, &limits);

    // A preparation that failed is asked for again, and not before somebody needs it.
    let jobs = net.take_jobs();
    net.complete(jobs[0].conn, Done::Failed, &limits);
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
        .map(|_| net.accept(address(1), &net_limits, NOW))
        .collect();
    assert_eq!(conns.iter().flatten().count(), 1 + SPARE);
    assert_eq!(net.spares, SPARE);
    for conn in conns.into_iter().flatten() {
        net.with(conn, &net_limits, Peer::close_at_once);
    }
    assert!(is_blank(&net));
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
    assert!(is_blank(&net));
}
