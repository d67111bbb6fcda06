//! Guessing a password is bounded, also for those who guess everywhere at once; who owns the account
//! still gets in.

use crate::world::{HOME, World, seed};
use echat_proto::Value;
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::store::Store;
use std::time::Duration;

/// The bound of the promise, in one window.
const GUESSES: usize = 10;
const WINDOW: Duration = Duration::from_mins(15);
const LOGIN: u32 = 3;

fn world() -> World {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    World::new(1, Limits::default(), store)
}

/// Says LOGIN as ann.
fn tries(world: &mut World, name: &str, password: &str) {
    let params = format!(r#"{{"username":"ann","password":"{password}"}}"#);
    world.say(name, LOGIN, from_json(&params).expect("JSON"));
}

/// How the one LOGIN ended that was said: `ok` or the refusal's code.
fn ending(world: &mut World, name: &str) -> String {
    let replies = world.end(name).take_messages();
    match replies.last().map(|reply| reply.params.at("code")) {
        Some(Some(Value::Str(code))) => code.clone(),
        Some(None) => "ok".to_owned(),
        other => panic!("{name}: {other:?}"),
    }
}

/// Connections from as many addresses.
fn crowd(world: &mut World, size: usize, network: &str) -> Vec<String> {
    let names: Vec<String> = (0..size).map(|n| format!("{network}.{n}")).collect();
    for name in &names {
        world.connect(name, &format!("{name}:1"));
    }
    world.settle();
    names
}

/// All guess at once; how many of the guesses were compared with the password.
fn guess_at_once(world: &mut World, names: &[String]) -> usize {
    for name in names {
        tries(world, name, "wrong horse");
    }
    world.settle();
    let compared = |name: &&String| match &*ending(world, name) {
        "bad_credentials" => true,
        "login_throttled" => false,
        other => panic!("{other}"),
    };
    names.iter().filter(compared).count()
}

#[test]
fn many_connections_at_once_have_no_more_guesses_than_one() {
    let mut world = world();
    let names = crowd(&mut world, 20, "192.0.2");
    let tried = guess_at_once(&mut world, &names);
    assert!((5..=GUESSES).contains(&tried), "{tried} were tried");
}

#[test]
fn ten_addresses_have_ten_guesses_in_a_window_and_the_owner_gets_in_meanwhile() {
    let mut world = world();
    world.connect("home", HOME);
    tries(&mut world, "home", seed::PASSWORD);
    world.settle();
    assert_eq!(ending(&mut world, "home"), "ok");
    world.ask("home", "LOGOUT", "null");

    // Connections without a login last a minute: then the guessers come back.
    let step = Duration::from_mins(1);
    let mut tried = 0;
    for round in 0..WINDOW.as_secs() / step.as_secs() {
        let names = crowd(&mut world, 10, &format!("198.51.{round}"));
        tried += guess_at_once(&mut world, &names);
        // The owner mistypes once; strangers are no reason to wait for the next try.
        world.connect("home", HOME);
        for (password, end) in [("wrong horse", "bad_credentials"), (seed::PASSWORD, "ok")] {
            tries(&mut world, "home", password);
            world.settle();
            assert_eq!(ending(&mut world, "home"), end, "round {round}");
        }
        for end in world.ends.values_mut() {
            end.hang_up();
        }
        world.advance(step);
        world.ends.clear();
    }
    assert!((6..=GUESSES).contains(&tried), "{tried} were tried");
}

#[test]
fn an_owner_who_comes_from_a_new_address_gives_guessers_no_new_budget() {
    let mut world = world();
    let names = crowd(&mut world, 10, "192.0.2");
    assert_eq!(guess_at_once(&mut world, &names[..4]), 4, "free");
    world.connect("abroad", "203.0.113.1:1");
    tries(&mut world, "abroad", seed::PASSWORD);
    world.settle();
    assert_eq!(ending(&mut world, "abroad"), "ok");
    assert_eq!(
        guess_at_once(&mut world, &names),
        1,
        "the last that is free"
    );
}

#[test]
fn a_name_that_nobody_has_is_answered_and_costs_like_one_that_somebody_has() {
    let mut world = world();
    world.connect("guest", HOME);
    let mut answers = Vec::new();
    // Known, unknown, and such as nobody can have.
    for name in ["ann", "eve", "no name", "", "ANN"] {
        let before = world.hashed;
        let params = format!(r#"{{"username":"{name}","password":"wrong horse"}}"#);
        answers.push(world.ask("guest", "LOGIN", &params));
        assert_eq!(world.hashed - before, 1, "{name:?}");
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}
