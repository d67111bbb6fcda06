use super::*;
use std::net::Ipv4Addr;

const NOW: Duration = Duration::from_secs(1);

fn user(number: u64) -> Payer {
    Payer::User(UserId(number.cast_signed()))
}

/// Gives a turn, charges for it, and says whose it was.
fn turn(turns: &mut Turns, steps: u64) -> Option<u64> {
    let (conn, payer) = turns.next()?;
    turns.charge(payer, steps, None, NOW);
    Some(conn.0)
}

#[test]
fn those_who_ask_for_the_same_take_turns_in_the_order_of_coming() {
    let mut turns = Turns::default();
    for round in 0..3 {
        for number in [3, 1, 2] {
            turns.wait(user(number), ConnId(number));
        }
        let order: Vec<_> = std::iter::from_fn(|| turn(&mut turns, 10)).collect();
        assert_eq!(order, [3, 1, 2], "round {round}");
    }
}

#[test]
fn who_asks_for_little_goes_before_a_crowd_that_asks_for_much() {
    let mut turns = Turns::default();
    for number in 1..=50 {
        turns.wait(user(number), ConnId(number));
    }
    // Everybody has had a turn, and all but one it was much; all wait for another.
    for _ in 1..=50 {
        let (conn, payer) = turns.next().expect("fifty wait");
        let steps = if payer == user(30) { 10 } else { 20_000 };
        turns.charge(payer, steps, None, NOW);
        turns.wait(payer, conn);
    }
    assert_eq!(turn(&mut turns, 10), Some(30));
    // Who comes new goes before those who had more than their share.
    turns.wait(user(99), ConnId(99));
    assert_eq!(turn(&mut turns, 10), Some(99));
}

#[test]
fn a_hundred_connections_of_one_payer_get_the_turns_of_one() {
    let mut turns = Turns::default();
    let crowd = Payer::Origin(Ipv4Addr::new(192, 0, 2, 1).into());
    for number in 1..=100 {
        turns.wait(crowd, ConnId(number));
    }
    turns.wait(user(1), ConnId(101));
    turns.wait(user(1), ConnId(102));
    let order: Vec<_> = (0..4).filter_map(|_| turn(&mut turns, 10)).collect();
    assert_eq!(order, [1, 101, 2, 102]);
}

#[test]
fn who_had_the_server_alone_does_not_pay_for_it_later() {
    let mut turns = Turns::default();
    for _ in 0..100 {
        turns.wait(user(1), ConnId(1));
        assert_eq!(turn(&mut turns, 20_000), Some(1));
        assert_eq!(turns.next(), None);
    }
    turns.wait(user(1), ConnId(1));
    turns.wait(user(2), ConnId(2));
    assert_eq!(turn(&mut turns, 10), Some(1));
}

#[test]
fn a_payer_that_rests_has_no_turn_and_then_it_does() {
    let mut turns = Turns::default();
    turns.wait(user(1), ConnId(1));
    turns.wait(user(1), ConnId(2));
    let (_, payer) = turns.next().expect("two wait");
    turns.charge(payer, 100_000, Some(100_000), NOW);
    assert!(turns.rests(payer) && !turns.is_ready() && turns.next().is_none());
    // 500 ns a step.
    let nearly = NOW + Duration::from_millis(49);
    let rested = NOW + Duration::from_millis(50);
    assert_eq!(turns.first_rested(), Some(rested));
    assert!(!turns.wake(nearly));
    assert!(turns.wake(rested) && turns.is_ready() && !turns.rests(payer));
    assert_eq!(turns.next(), Some((ConnId(2), payer)));
}

#[test]
fn only_who_rests_again_and_again_waits_for_others_who_rest() {
    let mut turns = Turns::default();
    for number in 1..=9 {
        turns.charge(user(number), 1, Some(20_000), NOW);
    }
    let until = |share: u32| NOW + share * Duration::from_millis(10);
    let rest = |turns: &mut Turns, number| {
        turns.charge(user(number), 1, Some(20_000), NOW);
        turns.flows[&user(number)].rest.until()
    };
    assert_eq!(rest(&mut turns, 10), until(1), "a first one");
    assert_eq!(rest(&mut turns, 10), until(2));
    for _ in 0..20 {
        rest(&mut turns, 10);
    }
    assert_eq!(rest(&mut turns, 10), until(11), "ten others, and itself");
    turns.charge(user(11), 1, Some(u64::MAX), NOW);
    assert!(turns.flows[&user(11)].rest.until() <= NOW + Duration::from_secs(5));
}

#[test]
fn who_leaves_leaves_nothing_behind_and_few_are_remembered() {
    let mut turns = Turns::default();
    let place = turns.wait(user(1), ConnId(1));
    turns.leave(place, ConnId(1));
    assert!(!turns.is_ready());
    assert_eq!(turns.waiting(), 0);
    let mut now = NOW;
    for number in 0..10_000 {
        turns.charge(user(number), 10, Some(20_000), now);
        now += Duration::from_millis(100);
        turns.wake(now);
        assert_eq!(turns.next(), None);
    }
    // Ten seconds of them, and as many again before they are looked through.
    assert!(turns.flows.len() <= 204, "{} remembered", turns.flows.len());
}

#[test]
fn who_has_rested_does_not_go_before_those_who_ask_for_little() {
    let mut turns = Turns::default();
    turns.charge(user(1), 20_001, Some(20_001), NOW);
    turns.wait(user(1), ConnId(1));
    // Meanwhile others have many turns, and one of them another to come.
    for _ in 0..10 {
        turns.wait(user(2), ConnId(2));
        turns.wait(user(3), ConnId(3));
        assert_eq!(turn(&mut turns, 10_000), Some(2));
        assert_eq!(turn(&mut turns, 10_000), Some(3));
    }
    turns.wait(user(4), ConnId(4));
    assert!(turns.wake(NOW + Duration::from_secs(1)));
    let order: Vec<_> = std::iter::from_fn(|| turn(&mut turns, 10)).collect();
    assert_eq!(order, [4, 1]);
}

#[test]
fn refused_tries_at_passwords_are_a_few_a_second_an_origin_and_slow_nobody_else() {
    let mut turns = Turns::default();
    let poller = Payer::Refused(Ipv4Addr::new(192, 0, 2, 1).into());
    let (mut polls, mut others) = (0, 0);
    for ms in 0..10_000 {
        let now = Duration::from_millis(ms);
        turns.wake(now);
        if ms == 0 {
            for conn in 1..=100 {
                turns.wait(poller, ConnId(conn));
            }
        }
        turns.wait(user(1), ConnId(101));
        while let Some((conn, payer)) = turns.next() {
            turns.charge(payer, 100, None, now);
            if payer == poller {
                polls += 1;
                turns.fine(payer, now);
                turns.wait(payer, conn);
            } else {
                others += 1;
            }
        }
    }
    assert_eq!((polls, others), (40, 10_000));

    // A fine makes no rest for work longer.
    let rest_beside = |fined: u8| {
        let mut turns = Turns::default();
        for last in 0..fined {
            turns.fine(Payer::Refused(Ipv4Addr::new(192, 0, 2, last).into()), NOW);
        }
        for _ in 0..5 {
            turns.charge(user(1), 20_000, Some(20_000), NOW);
        }
        let resting: Vec<_> = turns.resting.iter().copied().collect();
        resting
    };
    assert_eq!(rest_beside(0), rest_beside(50));
}

#[test]
fn refused_tries_of_an_origin_keep_none_of_its_other_requests_waiting() {
    let mut turns = Turns::default();
    let address = Ipv4Addr::new(192, 0, 2, 1).into();
    let (refused, origin) = (Payer::Refused(address), Payer::Origin(address));
    turns.fine(refused, NOW);
    for conn in 1..=64 {
        turns.wait(refused, ConnId(conn));
    }
    assert!(turns.is_taken(refused) && !turns.is_taken(origin));
    turns.wait(origin, ConnId(65));
    assert_eq!(turns.next(), Some((ConnId(65), origin)));
    // After the rest, those that wait still go before a later one.
    assert!(turns.wake(NOW + rest::fine()));
    assert!(!turns.rests(refused) && turns.is_taken(refused));
    assert_eq!(turns.next(), Some((ConnId(1), refused)));
}
