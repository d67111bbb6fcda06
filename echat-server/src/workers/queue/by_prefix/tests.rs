use super::*;
use crate::workers::jobs::Task;
use echat_proto::names::Password;
use std::net::{Ipv4Addr, Ipv6Addr};

fn job(conn: u64, address: impl Into<IpAddr>) -> Job {
    let password = Password::presented("some password").expect("short");
    Job {
        conn: ConnId(conn),
        address: address.into(),
        task: Task::Hash { password },
    }
}

fn is_empty(fair: &ByPrefix) -> bool {
    fair.backlogs.is_empty() && fair.turns.is_empty() && fair.waiting.is_empty()
}

fn v4(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn order(fair: &mut ByPrefix) -> Vec<u64> {
    std::iter::from_fn(|| fair.pop())
        .map(|job| job.conn.0)
        .collect()
}

#[test]
fn addresses_take_turns() {
    let mut fair = ByPrefix::new(Order::OldestFirst);
    for conn in [1, 2, 3] {
        fair.push(job(conn, v4(1)));
    }
    fair.push(job(4, v4(2)));
    assert_eq!(order(&mut fair), [1, 4, 2, 3]);
    assert!(is_empty(&fair));
}

#[test]
fn a_flood_from_one_address_keeps_nobody_waiting_who_comes_after_it() {
    let mut fair = ByPrefix::new(Order::NewestFirst);
    for conn in 1..=400 {
        fair.push(job(conn, v4(1)));
    }
    assert_eq!(fair.pop().map(|job| job.conn.0), Some(400));
}

#[test]
fn a_flood_from_many_addresses_keeps_nobody_waiting_from_another() {
    for kind in [Order::OldestFirst, Order::NewestFirst] {
        let mut fair = ByPrefix::new(kind);
        for conn in 0..400 {
            fair.push(job(conn, v4(u8::try_from(conn % 200).expect("small"))));
        }
        // None of them is new after that: others have every fourth turn.
        for conn in 0..300 {
            assert!(fair.pop().is_some());
            fair.push(job(
                1_000 + conn,
                v4(u8::try_from(conn % 200).expect("small")),
            ));
        }
        fair.push(job(7, v4(250)));
        // One of the others goes before it at most.
        let next = [fair.pop(), fair.pop()].map(|job| job.map(|job| job.conn.0));
        assert!(next.contains(&Some(7)), "{kind:?}: {next:?}");
        order(&mut fair);
        assert!(is_empty(&fair));
    }
}

#[test]
fn who_comes_again_has_no_second_turn_in_a_round() {
    let mut fair = ByPrefix::new(Order::NewestFirst);
    fair.push(job(1, v4(1)));
    fair.push(job(2, v4(2)));
    assert_eq!(fair.pop().map(|job| job.conn.0), Some(2));
    fair.push(job(3, v4(2)));
    assert_eq!(order(&mut fair), [1, 3]);
}

#[test]
fn what_is_forgotten_is_not_done() {
    let mut fair = ByPrefix::new(Order::OldestFirst);
    for (conn, address) in [(1, 1), (2, 2), (3, 1)] {
        fair.push(job(conn, v4(address)));
    }
    for conn in [1, 2] {
        assert!(fair.forget(ConnId(conn)));
        assert!(!fair.forget(ConnId(conn)), "once");
    }
    assert_eq!(fair.pop().map(|job| job.conn.0), Some(3));
    assert!(!fair.forget(ConnId(3)), "it is begun");
    assert!(is_empty(&fair));
}

#[test]
fn a_network_of_ipv6_has_one_turn_whatever_its_addresses() {
    let mut fair = ByPrefix::new(Order::OldestFirst);
    let address = |network, host| Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host);
    for conn in 1..=3 {
        let host = u16::try_from(conn).expect("small");
        fair.push(job(conn, address(1, host)));
    }
    fair.push(job(4, address(2, 1)));
    assert_eq!(order(&mut fair), [1, 4, 2, 3]);
}

#[test]
fn addresses_without_jobs_are_not_remembered_for_ever() {
    let mut fair = ByPrefix::new(Order::NewestFirst);
    fair.push(job(0, v4(1)));
    for n in 1..20_000_u32 {
        fair.push(job(n.into(), Ipv4Addr::from(0x0b00_0000 + n)));
        assert_eq!(fair.pop().map(|job| job.conn.0), Some(n.into()));
        assert!(
            fair.backlogs.len() <= REMEMBERED + 2,
            "{}",
            fair.backlogs.len()
        );
    }
}

#[test]
fn a_crowd_that_is_new_again_and_again_does_not_starve_who_was_here() {
    for kind in [Order::OldestFirst, Order::NewestFirst] {
        let mut fair = ByPrefix::new(kind);
        let mut last = 0;
        let mut one_of_the_crowd = || {
            last += 1;
            job(last.into(), Ipv4Addr::from(0x0b00_0000 + last % 3_000))
        };
        for _ in 0..10 {
            fair.push(one_of_the_crowd());
        }
        for time in ["first", "second"] {
            fair.push(job(0, v4(1)));
            let served = (0..100).any(|_| {
                let served = fair.pop();
                fair.push(one_of_the_crowd());
                served.is_some_and(|job| job.conn == ConnId(0))
            });
            assert!(served, "{kind:?}, the {time} time");
        }
    }
}

#[test]
fn who_was_forgotten_unserved_is_new_still() {
    let mut fair = ByPrefix::new(Order::OldestFirst);
    fair.push(job(1, v4(1)));
    fair.push(job(2, v4(2)));
    fair.forget(ConnId(2));
    fair.push(job(3, v4(2)));
    fair.push(job(4, v4(3)));
    assert_eq!(order(&mut fair), [1, 3, 4]);
}
