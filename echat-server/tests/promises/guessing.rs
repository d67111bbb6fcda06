//! Guessing a password is bounded, also for those who guess everywhere at once.

use crate::world::{World, seed};
use echat_proto::Value;
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::store::Store;

#[test]
fn many_connections_at_once_have_no_more_guesses_than_one() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    let mut world = World::new(1, Limits::default(), store);
    let names: Vec<String> = (0..20).map(|n| format!("guesser{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        world.connect(name, &format!("192.0.2.{n}:1"));
    }
    for name in &names {
        let guess = format!(r#"{{"username":"ann","password":"{name}"}}"#);
        world.say(name, 3, from_json(&guess).expect("JSON"));
    }
    world.settle();
    let mut tried = 0;
    for name in &names {
        let replies = world.end(name).take_messages();
        let [reply] = &replies[..] else {
            panic!("{name}: {replies:?}")
        };
        tried += usize::from(reply.params.at("code") == Some(&Value::from("bad_credentials")));
    }
    assert!(tried <= 10, "{tried} passwords were tried");
}
