//! Guesses of a password are limited, also for guessers with many addresses. The owner of the account can still log in.

use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::storage::Store;
use std::time::Duration;

/// Attempts that all unknown addresses share in one window. Each new address has one more of its own.
const SHARED: usize = 10;
const WINDOW: Duration = Duration::from_mins(15);
const LOGIN: u32 = 3;

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    Sim::new(1, Limits::default(), store)
}

/// Sends LOGIN as ann.
fn tries(sim: &mut Sim, name: &str, password: &str) {
    let params = format!(r#"{{"username":"ann","password":"{password}"}}"#);
    sim.say(name, LOGIN, from_json(&params).expect("JSON"));
}

/// The result of the LOGIN: `ok` or the code of the refusal.
fn ending(sim: &mut Sim, name: &str) -> String {
    let replies = sim.end(name).take_messages();
    match replies.last().map(|reply| reply.params.at("code")) {
        Some(Some(Value::Str(code))) => code.clone(),
        Some(None) => "ok".to_owned(),
        other => panic!("{name}: {other:?}"),
    }
}

/// One connection from each of `size` addresses.
fn crowd(sim: &mut Sim, size: usize, network: &str) -> Vec<String> {
    let names: Vec<String> = (0..size).map(|n| format!("{network}.{n}")).collect();
    for name in &names {
        sim.connect(name, &format!("{name}:1"));
    }
    sim.settle();
    names
}

/// `size` connections from one address.
fn together(sim: &mut Sim, size: usize, address: &str) -> Vec<String> {
    let names: Vec<String> = (0..size).map(|n| format!("{address}#{n}")).collect();
    for name in &names {
        sim.connect(name, &format!("{address}:1"));
    }
    sim.settle();
    names
}

/// All guess at once. Returns how many guesses were compared with the password.
fn guess_at_once(sim: &mut Sim, names: &[String]) -> usize {
    for name in names {
        tries(sim, name, "wrong horse");
    }
    // Refusals of an address come one at a time, with a cool-down after each.
    sim.advance(Duration::from_secs(3));
    let compared = |name: &&String| match &*ending(sim, name) {
        "bad_credentials" => true,
        "login_throttled" => false,
        other => panic!("{other}"),
    };
    names.iter().filter(compared).count()
}

#[test]
fn many_connections_at_once_have_no_more_guesses_than_one() {
    let mut sim = sim();
    let names: Vec<String> = ["192.0.2.1", "192.0.2.2"]
        .iter()
        .flat_map(|address| together(&mut sim, 10, address))
        .collect();
    let tried = guess_at_once(&mut sim, &names);
    assert_eq!(tried, 5 + 2, "five are free, and each address has its own");
}

#[test]
fn ten_addresses_have_ten_guesses_in_a_window_while_the_owner_logs_in() {
    let mut sim = sim();
    sim.connect("home", HOME);
    tries(&mut sim, "home", seed::PASSWORD);
    sim.settle();
    assert_eq!(ending(&mut sim, "home"), "ok");
    sim.ask("home", "LOGOUT", "null");

    // Connections without a login are closed after a minute. Then the guessers connect again.
    let step = Duration::from_secs(57);
    let mut tried = 0;
    for round in 0..WINDOW.as_secs() / 60 {
        let names = crowd(&mut sim, 10, "198.51.100");
        tried += guess_at_once(&mut sim, &names);
        // The owner mistypes once. The guesses of strangers do not delay the next attempt.
        sim.connect("home", HOME);
        for (password, end) in [("wrong horse", "bad_credentials"), (seed::PASSWORD, "ok")] {
            tries(&mut sim, "home", password);
            sim.settle();
            assert_eq!(ending(&mut sim, "home"), end, "round {round}");
        }
        for end in sim.ends.values_mut() {
            end.hang_up();
        }
        sim.advance(step);
        sim.ends.clear();
    }
    assert!((16..=SHARED + 10).contains(&tried), "{tried} were tried");
}

#[test]
fn an_owner_at_a_new_address_logs_in_while_guessers_use_up_the_budget() {
    let mut sim = sim();
    let names = crowd(&mut sim, 10, "192.0.2");
    assert_eq!(guess_at_once(&mut sim, &names), 10);
    assert_eq!(guess_at_once(&mut sim, &names), 5, "their own tries");
    assert_eq!(guess_at_once(&mut sim, &names), 0);
    // IPv6 addresses of one network share their attempts.
    for (address, password, end) in [
        ("[2001:db8::1]:1", "wrong horse", "bad_credentials"),
        ("[2001:db8::2]:1", seed::PASSWORD, "login_throttled"),
        ("[2001:db8:0:1::1]:1", seed::PASSWORD, "ok"),
        ("203.0.113.1:1", seed::PASSWORD, "ok"),
    ] {
        sim.connect("abroad", address);
        tries(&mut sim, "abroad", password);
        sim.settle();
        assert_eq!(ending(&mut sim, "abroad"), end, "{address}");
    }
    // The owner's address is known now, and has attempts of its own.
    sim.connect("abroad", "203.0.113.1:2");
    for password in ["wrong horse", seed::PASSWORD] {
        tries(&mut sim, "abroad", password);
        sim.settle();
    }
    assert_eq!(ending(&mut sim, "abroad"), "ok");
    assert_eq!(guess_at_once(&mut sim, &names), 0);
}

#[test]
fn refused_logins_are_limited_for_each_address_and_delay_no_other_address() {
    let mut sim = sim();
    let here = "198.51.100.7";
    sim.connect("neighbour", &format!("{here}:9"));
    let credentials = format!(r#"{{"username":"ann","password":"{}"}}"#, seed::PASSWORD);
    sim.ask("neighbour", "LOGIN", &credentials);
    // As bob, since ann's own address always has an attempt.
    let names = together(&mut sim, 50, here);
    for name in &names {
        polls_bob(&mut sim, name, 32);
    }
    sim.settle();
    assert_eq!(
        replies(&mut sim, &names),
        5 + 1 + 1,
        "tries, and one refusal"
    );
    for second in 1..=10 {
        sim.advance(Duration::from_secs(1));
        assert_eq!(replies(&mut sim, &names), 4, "second {second}");
        let mut served = |name: &str| sim.ask(name, "QUERY_SERVER_TIME", "null").len();
        assert_eq!(served("neighbour"), 1, "logged in, at the same address");
        sim.connect("elsewhere", "192.0.2.1:1");
        assert_eq!(sim.ask("elsewhere", "QUERY_SERVER_TIME", "null").len(), 1);
    }
}

/// Sends LOGIN as bob. The shared attempts for bob are used up after a few.
fn polls_bob(sim: &mut Sim, name: &str, times: usize) {
    let try_bob = from_json(r#"{"username":"bob","password":"wrong"}"#).expect("JSON");
    for _ in 0..times {
        sim.say(name, LOGIN, try_bob.clone());
    }
}

fn replies(sim: &mut Sim, names: &[String]) -> usize {
    let of = |name: &String| sim.end(name).take_messages().len();
    names.iter().map(of).sum()
}

#[test]
fn refused_logins_keep_no_other_connection_of_their_address_from_logging_in() {
    let mut sim = sim();
    let here = "198.51.100.7";
    let names = together(&mut sim, 64, here);
    for name in &names {
        polls_bob(&mut sim, name, 32);
    }
    sim.settle();
    replies(&mut sim, &names);
    for round in 0..5 {
        sim.connect("new", &format!("{here}:9"));
        tries(&mut sim, "new", seed::PASSWORD);
        sim.settle();
        assert_eq!(ending(&mut sim, "new"), "ok", "round {round}");
        sim.end("new").hang_up();
        sim.advance(Duration::from_secs(1));
        assert_eq!(replies(&mut sim, &names), 4, "round {round}");
    }
}

#[test]
fn reconnecting_for_each_poll_gives_no_more_refusals() {
    let mut sim = sim();
    let here = "198.51.100.7";
    let spent = together(&mut sim, 7, here);
    for name in &spent {
        polls_bob(&mut sim, name, 1);
    }
    sim.settle();
    assert_eq!(replies(&mut sim, &spent), 5 + 1 + 1);
    let mut all = Vec::new();
    for round in 0..20 {
        let names: Vec<String> = (0..8).map(|n| format!("poller {round}.{n}")).collect();
        for name in &names {
            sim.connect(name, &format!("{here}:1"));
        }
        sim.settle();
        for name in &names {
            polls_bob(&mut sim, name, 1);
        }
        sim.advance(Duration::from_millis(500));
        for name in &names {
            sim.end(name).hang_up();
        }
        all.extend(names);
    }
    // Refusals of closed connections still precede those of later ones.
    let refused = replies(&mut sim, &all);
    assert!(
        (2 * 20 - 1..=2 * 20 + 1).contains(&refused),
        "{refused} in 10 s"
    );
}

#[test]
fn a_login_of_the_owner_from_a_new_address_gives_guessers_no_new_budget() {
    let mut sim = sim();
    let names = crowd(&mut sim, 10, "192.0.2");
    assert_eq!(guess_at_once(&mut sim, &names[..4]), 4, "free");
    sim.connect("abroad", "203.0.113.1:1");
    tries(&mut sim, "abroad", seed::PASSWORD);
    sim.settle();
    assert_eq!(ending(&mut sim, "abroad"), "ok");
    // The last shared attempt, and the own attempt of each of the other nine.
    assert_eq!(guess_at_once(&mut sim, &names), 1 + 9);
    assert_eq!(
        guess_at_once(&mut sim, &names),
        1,
        "the own one of the tenth"
    );
    assert_eq!(guess_at_once(&mut sim, &names), 0);
}

#[test]
fn an_unknown_name_gets_the_answer_and_the_cost_of_a_known_one() {
    let mut sim = sim();
    sim.connect("guest", HOME);
    let mut answers = Vec::new();
    // A known name, an unknown one, and names that no account can have.
    for name in ["ann", "eve", "no name", "", "ANN"] {
        let before = sim.hashed;
        let params = format!(r#"{{"username":"{name}","password":"wrong horse"}}"#);
        answers.push(sim.ask("guest", "LOGIN", &params));
        assert_eq!(sim.hashed - before, 1, "{name:?}");
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}
