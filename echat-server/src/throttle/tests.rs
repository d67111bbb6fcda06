use super::bucket::ENTRIES;
use super::guesses::{FIRST_WAIT, LOGIN_WINDOW};
use super::*;
use std::net::Ipv4Addr;

const ANN: UserId = UserId(1);
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn throttle() -> Throttle {
    Throttle::new([1; 32])
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn messages_burst_and_then_trickle() {
    let limits = Limits::default();
    let mut throttle = throttle();
    for _ in 0..limits.message_burst {
        assert_eq!(throttle.message_wait(ANN, at(0), &limits), None);
        throttle.count_message(ANN, at(0), &limits);
    }
    let wait = throttle
        .message_wait(ANN, at(0), &limits)
        .expect("the burst is used up");
    assert_eq!(wait, at(1) / 5);
    assert_eq!(throttle.message_wait(ANN, wait, &limits), None);
    assert_eq!(throttle.message_wait(UserId(2), at(0), &limits), None);
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
    let mut throttle = throttle();
    let ann = throttle.guesses.strangers("ann");
    for _ in 0..1_000 {
        throttle.count_message(ANN, at(0), &limits);
        throttle.count_registration(HOME, at(0), &limits);
        throttle.count_request(ANN, at(0), &limits);
        throttle.guesses.count(ann, at(0), &limits);
    }
    assert_eq!(throttle.message_wait(ANN, at(0), &limits), None);
    assert_eq!(throttle.registration_wait(HOME, at(0), &limits), None);
    assert_eq!(throttle.request_wait(ANN, at(0), &limits), None);
    assert_eq!(throttle.guesses.wait(ann, at(0), &limits), None);
}

#[test]
fn strangers_get_at_most_ten_guesses_in_a_window_and_the_owner_gets_in() {
    let limits = Limits::default();
    let mut guesses = throttle().guesses;
    let strangers = guesses.strangers("ann");
    // One try first, and the rest of them late: no window of 15 minutes has more.
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
fn made_up_names_do_not_wash_out_the_count_of_a_real_one() {
    let limits = Limits::default();
    let mut guesses = throttle().guesses;
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
fn a_right_password_forgives_its_own_address_and_of_strangers_its_own_try() {
    let limits = Limits::default();
    let mut guesses = throttle().guesses;
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

    // Whoever only ever knew the password leaves nothing behind.
    guesses.forgive(owner);
    for _ in 0..limits.login_failures {
        guesses.forgive(strangers);
    }
    assert_eq!(guesses.len(), 0);
}

#[test]
fn registrations_are_counted_by_origin_and_maps_stay_small() {
    let limits = Limits::default();
    let mut throttle = throttle();
    for n in 0..u32::try_from(ENTRIES).expect("small") + 50 {
        throttle.count_registration(Ipv4Addr::from_bits(n).into(), at(0), &limits);
    }
    assert!(throttle.registrations.len() <= ENTRIES);
    let network = |n: u64| format!("2001:db8::{n:x}").parse().expect("an address");
    for n in 0..limits.registrations {
        assert_eq!(throttle.registration_wait(network(n), at(n), &limits), None);
        throttle.count_registration(network(n), at(n), &limits);
    }
    let wait = |now| throttle.registration_wait(network(99), at(now), &limits);
    assert_eq!(wait(60), Some(at(540)));
    assert_eq!(wait(599), Some(at(1)));
    assert_eq!(wait(600), None);
    // One place is free, not all: no ten minutes see more.
    throttle.count_registration(network(99), at(600), &limits);
    assert_eq!(
        throttle.registration_wait(network(99), at(600), &limits),
        Some(at(1))
    );
}

#[test]
fn who_comes_and_goes_may_do_so_for_each_room_and_then_at_the_rate_of_messages() {
    let limits = Limits::default();
    let mut throttle = throttle();
    for _ in 0..2 * limits.rooms {
        assert_eq!(throttle.move_wait(ANN, at(0), &limits), None);
        throttle.count_move(ANN, at(0), &limits);
    }
    assert_eq!(throttle.move_wait(ANN, at(0), &limits), Some(at(1) / 5));
    assert_eq!(throttle.message_wait(ANN, at(0), &limits), None);
}

#[test]
fn friend_requests_are_counted_by_user_in_any_hour_and_their_map_stays_small() {
    let limits = Limits::default();
    let mut throttle = throttle();
    for n in 0..limits.friend_requests {
        assert_eq!(throttle.request_wait(ANN, at(n), &limits), None);
        throttle.count_request(ANN, at(n), &limits);
    }
    let wait = |throttle: &Throttle, now| throttle.request_wait(ANN, at(now), &limits);
    assert_eq!(wait(&throttle, 60), Some(at(3_540)));
    assert_eq!(throttle.request_wait(UserId(2), at(60), &limits), None);
    // More users than are remembered: those who asked most stay.
    for n in 0..i64::try_from(ENTRIES).expect("small") + 50 {
        throttle.count_request(UserId(100 + n), at(60), &limits);
    }
    assert!(throttle.requests.len() <= ENTRIES);
    assert_eq!(wait(&throttle, 3_599), Some(at(1)));
    assert_eq!(wait(&throttle, 3_600), None);
    throttle.count_request(ANN, at(3_600), &limits);
    assert_eq!(wait(&throttle, 3_600), Some(at(1)));
}
