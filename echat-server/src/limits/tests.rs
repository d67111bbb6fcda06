use super::login_throttle::{CountedAttempt, FIRST_WAIT, LOGIN_WINDOW, NEWCOMERS};
use super::token_bucket::ENTRIES;
use super::*;
use std::net::Ipv4Addr;

const ANN: UserId = UserId(1);
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn rate_limits() -> RateLimits {
    RateLimits::new([1; 32])
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn messages_are_sent_in_a_burst_and_then_at_the_rate() {
    let limits = Limits::default();
    let mut rates = rate_limits();
    for _ in 0..limits.message_burst {
        assert_eq!(rates.message_wait(ANN, at(0), &limits), None);
        rates.count_message(ANN, at(0), &limits);
    }
    let wait = rates
        .message_wait(ANN, at(0), &limits)
        .expect("the burst is used up");
    assert_eq!(wait, at(1) / 5);
    assert_eq!(rates.message_wait(ANN, wait, &limits), None);
    assert_eq!(rates.message_wait(UserId(2), at(0), &limits), None);
}

#[test]
fn changes_have_the_rate_of_messages_and_do_not_use_it_up() {
    let limits = Limits::default();
    let mut rates = rate_limits();
    for _ in 0..limits.message_burst {
        assert_eq!(rates.change_wait(ANN, at(0), &limits), None);
        rates.count_change(ANN, at(0), &limits);
    }
    assert_eq!(rates.change_wait(ANN, at(0), &limits), Some(at(1) / 5));
    assert_eq!(rates.change_wait(ANN, at(1) / 5, &limits), None);
    assert_eq!(rates.message_wait(ANN, at(0), &limits), None);
}

#[test]
fn zero_turns_a_rate_off() {
    let limits = Limits {
        message_rate: 0,
        registrations: 0,
        friend_requests: 0,
        login_failures: 0,
        ..Limits::default()
    };
    let mut rates = rate_limits();
    let ann = rates.guesses.strangers("ann");
    for _ in 0..1_000 {
        rates.count_message(ANN, at(0), &limits);
        rates.count_change(ANN, at(0), &limits);
        rates.count_registration(HOME, at(0), &limits);
        rates.count_request(ANN, at(0), &limits);
        rates.guesses.count(ann, at(0), &limits);
    }
    assert_eq!(rates.message_wait(ANN, at(0), &limits), None);
    assert_eq!(rates.change_wait(ANN, at(0), &limits), None);
    assert_eq!(rates.registration_wait(HOME, at(0), &limits), None);
    assert_eq!(rates.request_wait(ANN, at(0), &limits), None);
    assert_eq!(rates.guesses.wait(ann, at(0), &limits), None);
}

#[test]
fn strangers_get_at_most_ten_guesses_in_a_window_and_the_owner_gets_in() {
    let limits = Limits::default();
    let mut guesses = rate_limits().guesses;
    let strangers = guesses.strangers("ann");
    // One attempt first, and the rest of them late: no window of 15 minutes has more.
    let mut tries = vec![1];
    guesses.count(strangers, at(1), &limits);
    let window = LOGIN_WINDOW.as_secs();
    for second in 686..10 * window {
        while guesses.wait(strangers, at(second), &limits).is_none() {
            guesses.count(strangers, at(second), &limits);
            tries.push(second);
        }
    }
    let within = |from: &u64| {
        tries
            .iter()
            .filter(|at| (*from..from + window).contains(at))
            .count()
    };
    let most = tries.iter().map(within).max().unwrap_or(0);
    assert!((6..=10).contains(&most), "{most}");
    assert_eq!(
        guesses.wait(guesses.known("ann", HOME), at(1), &limits),
        None
    );
}

#[test]
fn invented_names_do_not_evict_the_count_of_a_real_one() {
    let limits = Limits::default();
    let mut guesses = rate_limits().guesses;
    let ann = guesses.strangers("ann");
    for _ in 0..limits.login_failures {
        guesses.count(ann, at(0), &limits);
    }
    for name in 0..200_000 {
        let name = guesses.strangers(&format!("name{name}"));
        for _ in 0..2 {
            guesses.count(name, at(0), &limits);
        }
    }
    assert!(guesses.wait(ann, at(1), &limits) >= Some(at(29)));
    let home = guesses.known("ann", HOME);
    assert_eq!(guesses.wait(home, at(1), &limits), None);

    // What is over is dropped as soon as anything is counted.
    assert!(guesses.len() <= 1 << 16);
    guesses.count(home, at(3_600), &limits);
    assert_eq!(guesses.len(), 1);
}

#[test]
fn a_right_password_clears_its_own_address_and_one_attempt_of_the_name() {
    let limits = Limits::default();
    let mut guesses = rate_limits().guesses;
    let (strangers, owner) = (guesses.strangers("ann"), guesses.known("ann", HOME));
    for guesser in [strangers, owner] {
        for _ in 0..limits.login_failures {
            guesses.count(guesser, at(0), &limits);
        }
        guesses.forgive(guesser);
        assert_eq!(guesses.wait(guesser, at(0), &limits), None);
        guesses.count(guesser, at(0), &limits);
    }
    assert_eq!(guesses.wait(owner, at(0), &limits), None);
    let wait = guesses.wait(strangers, at(0), &limits);
    assert_eq!(wait, Some(FIRST_WAIT), "the guesses before still count");

    // A user who only ever typed the right password leaves nothing behind.
    guesses.forgive(owner);
    for _ in 0..limits.login_failures {
        guesses.forgive(strangers);
    }
    assert_eq!(guesses.len(), 0);
}

#[test]
fn registrations_are_counted_by_prefix_and_maps_stay_small() {
    let limits = Limits::default();
    let mut rates = rate_limits();
    for n in 0..u32::try_from(ENTRIES).expect("small") + 50 {
        rates.count_registration(Ipv4Addr::from_bits(n).into(), at(0), &limits);
    }
    assert!(rates.registrations.len() <= ENTRIES);
    let network = |n: u64| format!("2001:db8::{n:x}").parse().expect("an address");
    for n in 0..limits.registrations {
        assert_eq!(rates.registration_wait(network(n), at(n), &limits), None);
        rates.count_registration(network(n), at(n), &limits);
    }
    let wait = |now| rates.registration_wait(network(99), at(now), &limits);
    assert_eq!(wait(60), Some(at(540)));
    assert_eq!(wait(599), Some(at(1)));
    assert_eq!(wait(600), None);
    // One place is free, not all: no ten minutes see more.
    rates.count_registration(network(99), at(600), &limits);
    assert_eq!(
        rates.registration_wait(network(99), at(600), &limits),
        Some(at(1))
    );
}

#[test]
fn logins_are_charged_for_their_logout_at_the_rate_of_messages() {
    let limits = Limits::default();
    let mut rates = rate_limits();
    for _ in 0..limits.rooms {
        assert_eq!(rates.join_wait(ANN, 1, at(0), &limits), None);
        rates.count_joins(ANN, 1, at(0), &limits);
    }
    let wait = |rates: &RateLimits, joins| rates.join_wait(ANN, joins, at(0), &limits);
    assert_eq!(wait(&rates, 1), Some(at(2) / 5));
    assert_eq!(wait(&rates, 10), Some(at(4)));
    assert_eq!(rates.join_wait(UserId(2), 1, at(0), &limits), None);
    assert_eq!(rates.message_wait(ANN, at(0), &limits), None);
}

#[test]
fn friend_requests_are_counted_by_user_in_any_hour_and_their_map_stays_small() {
    let limits = Limits::default();
    let mut rates = rate_limits();
    for n in 0..limits.friend_requests {
        assert_eq!(rates.request_wait(ANN, at(n), &limits), None);
        rates.count_request(ANN, at(n), &limits);
    }
    let wait = |rates: &RateLimits, now| rates.request_wait(ANN, at(now), &limits);
    assert_eq!(wait(&rates, 60), Some(at(3_540)));
    assert_eq!(rates.request_wait(UserId(2), at(60), &limits), None);
    // More users than are remembered: those with the most stay.
    for n in 0..i64::try_from(ENTRIES).expect("small") + 50 {
        rates.count_request(UserId(100 + n), at(60), &limits);
    }
    assert!(rates.requests.len() <= ENTRIES);
    assert_eq!(wait(&rates, 3_599), Some(at(1)));
    assert_eq!(wait(&rates, 3_600), None);
    rates.count_request(ANN, at(3_600), &limits);
    assert_eq!(wait(&rates, 3_600), Some(at(1)));
}

#[test]
fn a_room_larger_than_the_burst_needs_a_full_bucket_and_leaves_a_debt() {
    let limits = Limits::default();
    let mut rates = rate_limits();
    rates.count_joins(ANN, 1, at(0), &limits);
    let full = Some(at(2) / 5);
    assert_eq!(rates.join_wait(ANN, 1_000, at(0), &limits), full);
    assert_eq!(rates.join_wait(ANN, 1_000, at(1), &limits), None);
    rates.count_joins(ANN, 1_000, at(1), &limits);
    // 2,000 tokens were taken of 400: 1,600 and the next two come first, five a second.
    let wait = rates.join_wait(ANN, 1, at(1), &limits);
    assert_eq!(wait, Some(at(1_602) / 5));
}

#[test]
fn each_new_prefix_has_one_attempt_of_its_own_in_any_window() {
    let limits = Limits::default();
    let mut guesses = rate_limits().guesses;
    let window = LOGIN_WINDOW.as_secs();
    let prefixs: Vec<IpAddr> = (1..=20)
        .map(|n| Ipv4Addr::new(192, 0, 2, n).into())
        .collect();
    let mut tries = Vec::new();
    for second in 0..4 * window {
        for (n, prefix) in prefixs.iter().enumerate() {
            let (strangers, own) = (guesses.strangers("ann"), guesses.newcomer("ann", *prefix));
            let free = |guesser| guesses.wait(guesser, at(second), &limits).is_none();
            let Some(free) = [strangers, own].into_iter().find(|budget| free(*budget)) else {
                continue;
            };
            guesses.count(free, at(second), &limits);
            tries.push((second, (free == own).then_some(n)));
        }
    }
    for (from, _) in &tries {
        let within = tries
            .iter()
            .filter(|(at, _)| (*from..from + window).contains(at));
        let (own, shared): (Vec<_>, Vec<_>) = within.partition(|(_, own)| own.is_some());
        assert!(shared.len() <= 10, "{}", shared.len());
        for n in 0..prefixs.len() {
            let mine = own.iter().filter(|(_, owner)| *owner == Some(n)).count();
            assert!(mine <= 1, "{mine} tries of its own");
        }
    }
    assert!(tries.iter().filter(|(_, own)| own.is_some()).count() >= 3 * prefixs.len());

    // The budget of one account says nothing of another, and a right password takes its attempt back.
    let own = guesses.newcomer("ann", prefixs[0]);
    assert!(guesses.wait(own, at(4 * window - 1), &limits).is_some());
    let other = guesses.newcomer("bob", prefixs[0]);
    assert_eq!(guesses.wait(other, at(4 * window - 1), &limits), None);
    guesses.forgive(own);
    assert_eq!(guesses.wait(own, at(4 * window - 1), &limits), None);
}

#[test]
fn new_prefixes_are_bounded_and_have_no_attempt_of_their_own_beyond_the_bound() {
    let limits = Limits::default();
    let mut guesses = rate_limits().guesses;
    let mut address = |n: u32| guesses_newcomer(&guesses, n);
    let (known, late): (Vec<_>, _) = ((0..140_000).map(&mut address).collect(), address(140_001));
    for own in known {
        if guesses.wait(own, at(0), &limits).is_none() {
            guesses.count(own, at(0), &limits);
        }
    }
    assert!(guesses.len() <= NEWCOMERS, "{}", guesses.len());
    assert_eq!(guesses.len(), NEWCOMERS);
    assert_eq!(guesses.wait(late, at(1), &limits), Some(LOGIN_WINDOW));
    // What is over is forgotten, and there is place again.
    guesses.sweep(LOGIN_WINDOW);
    assert_eq!(
        (guesses.len(), guesses.wait(late, LOGIN_WINDOW, &limits)),
        (0, None)
    );
}

/// The own attempt of one of many names and addresses.
fn guesses_newcomer(guesses: &LoginThrottle, n: u32) -> Guesser {
    guesses.newcomer(&format!("name{}", n / 1_000), Ipv4Addr::from_bits(n).into())
}

#[test]
fn a_withdrawn_attempt_removes_no_other() {
    let limits = Limits::default();
    let mut guesses = rate_limits().guesses;
    let known = guesses.known("ann", HOME);
    for guesser in [guesses.strangers("ann"), known] {
        for second in [1, 2, 3, 4, 5, 6] {
            guesses.count(guesser, at(second), &limits);
        }
        let wait = guesses.wait(guesser, at(6), &limits);
        assert_eq!(wait, Some(2 * FIRST_WAIT));
        // Not the last one: the wait goes on from it, for one attempt less.
        guesses.take_back(CountedAttempt { guesser, at: at(2) });
        assert_eq!(guesses.wait(guesser, at(6), &limits), Some(FIRST_WAIT));
        // There is no other that was counted then.
        guesses.take_back(CountedAttempt { guesser, at: at(2) });
        assert_eq!(guesses.wait(guesser, at(6), &limits), Some(FIRST_WAIT));
    }
    let own = guesses.newcomer("ann", HOME);
    guesses.count(own, at(7), &limits);
    for (then, is_free) in [(6, false), (7, true)] {
        guesses.take_back(CountedAttempt {
            guesser: own,
            at: at(then),
        });
        assert_eq!(guesses.wait(own, at(8), &limits).is_none(), is_free);
    }
    for second in [1, 3, 4, 5, 6] {
        guesses.take_back(CountedAttempt {
            guesser: known,
            at: at(second),
        });
    }
    assert_eq!(guesses.len(), 1, "the strangers'");
}
