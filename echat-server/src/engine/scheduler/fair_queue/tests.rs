use super::*;
use std::net::Ipv4Addr;

const NOW: Duration = Duration::from_secs(1);

fn us(count: u64) -> Duration {
    Duration::from_micros(count)
}

fn user(number: u64) -> FlowKey {
    FlowKey::User(UserId(number.cast_signed()))
}

/// Gives a turn, charges for it, and returns its connection.
fn turn(queue: &mut FairQueue, cost: Duration) -> Option<u64> {
    let (conn, key) = queue.pop()?;
    queue.charge(key, cost, None, NOW);
    Some(conn.0)
}

#[test]
fn flows_that_ask_for_the_same_take_turns_in_the_order_of_coming() {
    let mut queue = FairQueue::default();
    for round in 0..3 {
        for number in [3, 1, 2] {
            queue.push(user(number), ConnId(number));
        }
        let order: Vec<_> = std::iter::from_fn(|| turn(&mut queue, us(1))).collect();
        assert_eq!(order, [3, 1, 2], "round {round}");
    }
}

#[test]
fn a_flow_that_asks_for_little_goes_before_a_crowd_that_asks_for_much() {
    let mut queue = FairQueue::default();
    for number in 1..=50 {
        queue.push(user(number), ConnId(number));
    }
    // All have had a turn, which cost much but for one of them; all wait for another.
    for _ in 1..=50 {
        let (conn, key) = queue.pop().expect("fifty wait");
        let cost = if key == user(30) { us(1) } else { us(1_000) };
        queue.charge(key, cost, None, NOW);
        queue.push(key, conn);
    }
    assert_eq!(turn(&mut queue, us(1)), Some(30));
    // A new flow goes before those that had more than their share.
    queue.push(user(99), ConnId(99));
    assert_eq!(turn(&mut queue, us(1)), Some(99));
}

#[test]
fn a_hundred_connections_of_one_flow_get_the_turns_of_one() {
    let mut queue = FairQueue::default();
    let crowd = FlowKey::Prefix(Ipv4Addr::new(192, 0, 2, 1).into());
    for number in 1..=100 {
        queue.push(crowd, ConnId(number));
    }
    queue.push(user(1), ConnId(101));
    queue.push(user(1), ConnId(102));
    let order: Vec<_> = (0..4).filter_map(|_| turn(&mut queue, us(1))).collect();
    assert_eq!(order, [1, 101, 2, 102]);
}

#[test]
fn a_flow_that_had_the_server_alone_does_not_pay_for_it_later() {
    let mut queue = FairQueue::default();
    for _ in 0..100 {
        queue.push(user(1), ConnId(1));
        assert_eq!(turn(&mut queue, us(1_000)), Some(1));
        assert_eq!(queue.pop(), None);
    }
    queue.push(user(1), ConnId(1));
    queue.push(user(2), ConnId(2));
    assert_eq!(turn(&mut queue, us(1)), Some(1));
}

#[test]
fn a_flow_that_cools_down_has_no_turn_and_then_it_does() {
    let mut queue = FairQueue::default();
    queue.push(user(1), ConnId(1));
    queue.push(user(1), ConnId(2));
    let (_, key) = queue.pop().expect("two wait");
    queue.charge(key, us(5_000), Some(us(5_000)), NOW);
    assert!(queue.is_cooling(key) && !queue.is_ready() && queue.pop().is_none());
    // Ten times the cost.
    let nearly = NOW + Duration::from_millis(49);
    let over = NOW + Duration::from_millis(50);
    assert_eq!(queue.next_wake(), Some(over));
    assert!(!queue.wake(nearly));
    assert!(queue.wake(over) && queue.is_ready() && !queue.is_cooling(key));
    assert_eq!(queue.pop(), Some((ConnId(2), key)));
}

#[test]
fn only_repeated_cooldowns_wait_for_those_of_others() {
    let mut queue = FairQueue::default();
    for number in 1..=9 {
        queue.charge(user(number), us(1), Some(us(1_000)), NOW);
    }
    let until = |share: u32| NOW + share * Duration::from_millis(10);
    let cool = |queue: &mut FairQueue, number| {
        queue.charge(user(number), us(1), Some(us(1_000)), NOW);
        queue.flows[&user(number)].cooldown.until()
    };
    assert_eq!(cool(&mut queue, 10), until(1), "a first one");
    assert_eq!(cool(&mut queue, 10), until(2));
    for _ in 0..20 {
        cool(&mut queue, 10);
    }
    assert_eq!(cool(&mut queue, 10), until(11), "ten others, and itself");
    queue.charge(user(11), us(1), Some(Duration::MAX), NOW);
    assert!(queue.flows[&user(11)].cooldown.until() <= NOW + Duration::from_secs(5));
}

#[test]
fn a_removed_connection_leaves_nothing_behind_and_few_flows_are_remembered() {
    let mut queue = FairQueue::default();
    let ticket = queue.push(user(1), ConnId(1));
    queue.remove(ticket, ConnId(1));
    assert!(!queue.is_ready());
    assert_eq!(queue.waiting(), 0);
    let mut now = NOW;
    for number in 0..10_000 {
        queue.charge(user(number), us(1), Some(us(1_000)), now);
        now += Duration::from_millis(100);
        queue.wake(now);
        assert_eq!(queue.pop(), None);
    }
    // Ten seconds of them, and as many again before they are looked through.
    assert!(queue.flows.len() <= 204, "{} remembered", queue.flows.len());
}

#[test]
fn a_flow_that_has_cooled_down_does_not_go_before_flows_that_ask_for_little() {
    let mut queue = FairQueue::default();
    queue.charge(user(1), us(1_001), Some(us(1_001)), NOW);
    queue.push(user(1), ConnId(1));
    // In between others have many turns, and one of them another to come.
    for _ in 0..10 {
        queue.push(user(2), ConnId(2));
        queue.push(user(3), ConnId(3));
        assert_eq!(turn(&mut queue, us(500)), Some(2));
        assert_eq!(turn(&mut queue, us(500)), Some(3));
    }
    queue.push(user(4), ConnId(4));
    assert!(queue.wake(NOW + Duration::from_secs(1)));
    let order: Vec<_> = std::iter::from_fn(|| turn(&mut queue, us(1))).collect();
    assert_eq!(order, [4, 1]);
}

#[test]
fn refused_tries_at_passwords_are_a_few_a_second_a_prefix_and_slow_no_other_flow() {
    let mut queue = FairQueue::default();
    let poller = FlowKey::Refused(Ipv4Addr::new(192, 0, 2, 1).into());
    let (mut polls, mut others) = (0, 0);
    for ms in 0..10_000 {
        let now = Duration::from_millis(ms);
        queue.wake(now);
        if ms == 0 {
            for conn in 1..=100 {
                queue.push(poller, ConnId(conn));
            }
        }
        queue.push(user(1), ConnId(101));
        while let Some((conn, key)) = queue.pop() {
            queue.charge(key, us(5), None, now);
            if key == poller {
                polls += 1;
                queue.charge_refusal(key, now);
                queue.push(key, conn);
            } else {
                others += 1;
            }
        }
    }
    assert_eq!((polls, others), (40, 10_000));

    // A charge_refusal makes no rest for work longer.
    let cooling_beside = |refused: u8| {
        let mut queue = FairQueue::default();
        for last in 0..refused {
            queue.charge_refusal(FlowKey::Refused(Ipv4Addr::new(192, 0, 2, last).into()), NOW);
        }
        for _ in 0..5 {
            queue.charge(user(1), us(1_000), Some(us(1_000)), NOW);
        }
        let cooling: Vec<_> = queue.cooling.iter().copied().collect();
        cooling
    };
    assert_eq!(cooling_beside(0), cooling_beside(50));
}

#[test]
fn refused_tries_of_a_prefix_keep_none_of_its_other_requests_waiting() {
    let mut queue = FairQueue::default();
    let address = Ipv4Addr::new(192, 0, 2, 1).into();
    let (refused, prefix) = (FlowKey::Refused(address), FlowKey::Prefix(address));
    queue.charge_refusal(refused, NOW);
    for conn in 1..=64 {
        queue.push(refused, ConnId(conn));
    }
    assert!(queue.is_busy(refused) && !queue.is_busy(prefix));
    queue.push(prefix, ConnId(65));
    assert_eq!(queue.pop(), Some((ConnId(65), prefix)));
    // After the cool-down, those that wait still go before a later one.
    assert!(queue.wake(NOW + REFUSAL));
    assert!(!queue.is_cooling(refused) && queue.is_busy(refused));
    assert_eq!(queue.pop(), Some((ConnId(1), refused)));
}
