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
    fair.backlogs.is_empty()
        && fair.turns.is_empty()
        && fair.waiting.is_empty()
        && fair.overload.points == 0
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
    let mut fair = ByPrefix::new(ServiceOrder::OldestFirst);
    for conn in [1, 2, 3] {
        fair.push(job(conn, v4(1)));
    }
    fair.push(job(4, v4(2)));
    assert_eq!(order(&mut fair), [1, 4, 2, 3]);
    assert!(is_empty(&fair));
}

/// Serves a burst while a further job comes for each served one. Returns how many jobs were served before the
/// last of the burst was.
fn served_until_the_burst_is_done(address: impl Fn(u32) -> Ipv4Addr) -> usize {
    const BURST: u32 = 16;
    let mut fair = ByPrefix::new(ServiceOrder::UntilOverload);
    for n in 0..BURST {
        fair.push(job(n.into(), address(n)));
    }
    let mut left: Vec<u64> = (0..BURST.into()).collect();
    for n in BURST..1_000 {
        let served = fair.pop().expect("jobs wait").conn.0;
        left.retain(|conn| *conn != served);
        if left.is_empty() {
            return usize::try_from(n - BURST).expect("small") + 1;
        }
        fair.push(job(n.into(), address(n)));
    }
    panic!("{left:?} of the burst wait for ever");
}

#[test]
fn no_job_of_a_burst_from_one_address_waits_while_others_keep_coming() {
    assert_eq!(served_until_the_burst_is_done(|_| v4(1)), 16);
}

#[test]
fn no_job_of_a_burst_from_new_addresses_waits_while_others_keep_coming() {
    let new = |n| Ipv4Addr::from(0x0b00_0000 + n);
    assert_eq!(served_until_the_burst_is_done(new), 16);
}

/// A flood: with each served job come five, and of the waiting jobs the oldest are lost beyond `ROOM`. Returns
/// the queue after so many served jobs, the number of the last job, and how many served jobs were the newest.
fn flooded(served: u64, address: impl Fn(u64) -> Ipv4Addr) -> (ByPrefix, u64, u64) {
    const ROOM: u64 = 100;
    let mut fair = ByPrefix::new(ServiceOrder::UntilOverload);
    let (mut last, mut newest) = (0, 0);
    for _ in 0..served {
        for _ in 0..5 {
            last += 1;
            fair.push(job(last, address(last)));
            if let Some(oldest) = last.checked_sub(ROOM) {
                fair.forget(ConnId(oldest));
            }
        }
        let conn = fair.pop().expect("jobs wait").conn.0;
        newest += u64::from(conn == last);
    }
    (fair, last, newest)
}

#[test]
fn in_a_flood_the_newest_job_is_served_since_the_oldest_would_be_lost() {
    let (_, _, newest) = flooded(1_000, |_| v4(1));
    assert!(newest > 950, "{newest}");
    // Every fourth turn is for the prefixes that were served before.
    let (_, _, newest) = flooded(1_000, |n| {
        Ipv4Addr::from(0x0b00_0000 + u32::try_from(n).expect("small"))
    });
    assert!(newest > 700, "{newest}");
}

#[test]
fn after_a_flood_the_oldest_job_is_first_again() {
    let (mut fair, last, _) = flooded(1_000, |_| v4(1));
    let rest = order(&mut fair);
    assert_eq!(rest.first(), Some(&(last - 1)), "the overload goes on");
    let turned = rest.windows(2).position(|pair| pair[0] < pair[1]);
    assert!(turned.is_some_and(|at| at < 50), "{rest:?}");
    assert!(is_empty(&fair));
}

#[test]
fn clients_that_give_up_are_no_overload() {
    let mut fair = ByPrefix::new(ServiceOrder::UntilOverload);
    for conn in 0..100 {
        fair.push(job(conn, v4(1)));
    }
    for round in 0..20 {
        // One of six is lost.
        assert!(fair.forget(ConnId(99 - round)));
        let served = fair.pop().map(|job| job.conn.0);
        assert_eq!(served, Some(4 * round));
        for _ in 0..3 {
            fair.pop();
        }
    }
}

#[test]
fn a_flood_from_many_addresses_does_not_delay_another_address() {
    for kind in [ServiceOrder::OldestFirst, ServiceOrder::UntilOverload] {
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
fn a_prefix_has_one_turn_in_a_round() {
    let mut fair = ByPrefix::new(ServiceOrder::UntilOverload);
    fair.push(job(1, v4(1)));
    fair.push(job(2, v4(2)));
    assert_eq!(fair.pop().map(|job| job.conn.0), Some(1));
    fair.push(job(3, v4(1)));
    assert_eq!(order(&mut fair), [2, 3]);
}

#[test]
fn a_forgotten_job_is_not_served() {
    let mut fair = ByPrefix::new(ServiceOrder::OldestFirst);
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
    let mut fair = ByPrefix::new(ServiceOrder::OldestFirst);
    let address = |network, host| Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host);
    for conn in 1..=3 {
        let host = u16::try_from(conn).expect("small");
        fair.push(job(conn, address(1, host)));
    }
    fair.push(job(4, address(2, 1)));
    assert_eq!(order(&mut fair), [1, 4, 2, 3]);
}

#[test]
fn prefixes_without_jobs_are_forgotten() {
    let mut fair = ByPrefix::new(ServiceOrder::UntilOverload);
    fair.push(job(0, v4(1)));
    for n in 1..20_000_u32 {
        fair.push(job(n.into(), Ipv4Addr::from(0x0b00_0000 + n)));
        assert_eq!(fair.pop().map(|job| job.conn.0), Some(u64::from(n) - 1));
        assert!(
            fair.backlogs.len() <= REMEMBERED + 2,
            "{}",
            fair.backlogs.len()
        );
    }
}

#[test]
fn prefixes_that_are_new_again_and_again_do_not_starve_a_known_one() {
    for kind in [ServiceOrder::OldestFirst, ServiceOrder::UntilOverload] {
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
fn a_prefix_is_new_until_it_is_served() {
    let mut fair = ByPrefix::new(ServiceOrder::OldestFirst);
    fair.push(job(1, v4(1)));
    fair.push(job(2, v4(2)));
    fair.forget(ConnId(2));
    fair.push(job(3, v4(2)));
    fair.push(job(4, v4(3)));
    assert_eq!(order(&mut fair), [1, 3, 4]);
}
