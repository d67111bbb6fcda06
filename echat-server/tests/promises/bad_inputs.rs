//! Every request gets exactly one final reply, however wrong its parameters are, and the connection
//! stays. Which fields there are is read from the table of commands.

use crate::world::script::log_in;
use crate::world::{HOME, World, seed};
use echat_proto::Value;
use echat_proto::commands::{CommandInfo, FieldInfo, RequestKind, Shape};
use echat_server::config::Limits;
use echat_server::store::Store;

/// One value of each kind.
fn kinds() -> [Value; 8] {
    [
        Value::Null,
        Value::Int(u64::MAX),
        Value::Float(1.5),
        Value::from("text"),
        Value::List(vec![Value::Int(1)]),
        Value::Dict(vec![("key".to_owned(), Value::Null)]),
        Value::Bool(true),
        Value::Bytes(vec![0, 255]),
    ]
}

/// A value that the field takes.
fn good(field: &FieldInfo) -> Value {
    match field.kind {
        "int" => Value::Int(1),
        "bool" => Value::Bool(false),
        "list" => Value::List(Vec::new()),
        kind if kind.starts_with("int 0") => Value::Int(0),
        "str" if field.name == "password" => Value::from("long enough"),
        "str" => Value::from("somebody"),
        kind => panic!("a request has a field of the new type {kind:?}"),
    }
}

fn is_of_its_kind(field: &FieldInfo, value: &Value) -> bool {
    field.kind == value.kind() || (field.optional && *value == Value::Null)
}

fn dict(fields: &[FieldInfo]) -> Vec<(String, Value)> {
    fields
        .iter()
        .map(|field| (field.name.to_owned(), good(field)))
        .collect()
}

/// Parameters that are wrong, and the field that is to be blamed.
fn wrong(info: &CommandInfo) -> Vec<(Value, String)> {
    let others = |but: &'static str| kinds().into_iter().filter(move |value| value.kind() != but);
    match info.shape {
        Shape::Null => others("null")
            .map(|value| (value, "params".to_owned()))
            .collect(),
        Shape::One(field) => others(field.kind)
            .map(|value| (value, field.name.to_owned()))
            .collect(),
        Shape::Dict(fields) => {
            let mut wrong: Vec<_> = others("dict")
                .map(|value| (value, "params".to_owned()))
                .collect();
            for (index, field) in fields.iter().enumerate() {
                for value in kinds() {
                    if !is_of_its_kind(field, &value) {
                        let mut entries = dict(fields);
                        entries[index].1 = value;
                        wrong.push((Value::Dict(entries), field.name.to_owned()));
                    }
                }
                if !field.optional {
                    let mut entries = dict(fields);
                    entries.remove(index);
                    wrong.push((Value::Dict(entries), field.name.to_owned()));
                }
            }
            let mut entries = dict(fields);
            entries.push(("extra".to_owned(), Value::Null));
            wrong.push((Value::Dict(entries), "extra".to_owned()));
            wrong
        }
    }
}

/// Texts that are hard to store, to compare or to print.
fn hostile() -> Vec<Value> {
    let long = |n| "x".repeat(n);
    let mut texts: Vec<String> = [
        "",
        " ",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        " ann",
        "ann ",
        "a\0b",
        "\u{1b}[2J",
        "a\r\nb",
        "\u{9b}31m",
        "\u{2028}",
        "\u{202e}nna",
        "\u{e0041}",
        "e\u{301}",
        "\u{e9}",
        "ß",
        "İ",
        "ς",
        "ａｎｎ",
        "раураl",
        "%",
        "_",
        "'; DROP TABLE users; --",
        "\u{10ffff}",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("a{}", "\u{301}".repeat(100)));
    texts.extend([20, 21, 64, 65, 1_024, 1_025, 3_000].map(long));
    texts.into_iter().map(Value::Str).collect()
}

/// A field's values at and beyond what it takes, whose right answer is not of this table.
fn edges(field: &FieldInfo) -> Vec<Value> {
    match field.kind {
        "str" => hostile(),
        "list" => hostile()
            .into_iter()
            .map(|text| Value::List(vec![text.clone(), text]))
            .collect(),
        "bool" => vec![Value::Bool(true)],
        _ => [
            0,
            1,
            2,
            1 << 31,
            (1 << 32) - 1,
            1 << 32,
            1 << 53,
            1 << 63,
            u64::MAX,
        ]
        .map(Value::Int)
        .into(),
    }
}

fn world() -> World {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    let limits = Limits {
        login_failures: 0,
        registrations: 0,
        message_rate: 0,
        ..Limits::default()
    };
    let mut world = World::new(1, limits, store);
    log_in(&mut world, &["ann"]);
    world.connect("guest", HOME);
    world
}

/// Who gets beyond the gate of a request.
fn asker(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Register | RequestKind::Login => "guest",
        _ => "ann",
    }
}

#[test]
fn wrong_parameters_are_refused_in_the_form_of_the_table() {
    let mut world = world();
    for kind in RequestKind::ALL {
        let (who, info) = (asker(*kind), kind.info());
        for (params, field) in wrong(info) {
            world.say(who, info.number, params.clone());
            world.settle();
            let replies = world.end(who).take_messages();
            let [reply] = &replies[..] else {
                panic!("{} {params:?}: {replies:?}", info.name)
            };
            assert_eq!(
                Some(reply.command),
                info.refusal,
                "{} {params:?}",
                info.name
            );
            let code = reply.params.at("code");
            assert_eq!(
                code,
                Some(&Value::from("bad_params")),
                "{} {params:?}",
                info.name
            );
            let blamed = reply.params.at("field");
            assert_eq!(
                blamed,
                Some(&Value::from(&*field)),
                "{} {params:?}",
                info.name
            );
        }
    }
}

#[test]
fn hostile_values_get_one_reply_each_and_the_connection_stays() {
    let mut world = world();
    for kind in RequestKind::ALL {
        let (who, info) = (asker(*kind), kind.info());
        let asked: Vec<Value> = match info.shape {
            Shape::Null => continue,
            Shape::One(field) => edges(&field),
            Shape::Dict(fields) => (0..fields.len())
                .flat_map(|index| {
                    edges(&fields[index]).into_iter().map(move |value| {
                        let mut entries = dict(fields);
                        entries[index].1 = value;
                        Value::Dict(entries)
                    })
                })
                .collect(),
        };
        // Hashing costs 20 ms; what gets so far is tried a few times only.
        let hashed = matches!(kind, RequestKind::Register | RequestKind::Login);
        for params in asked.into_iter().step_by(if hashed { 5 } else { 1 }) {
            world.say(who, info.number, params);
            world.settle();
            world.end(who).take_messages();
            assert_eq!(world.end(who).owed(), 0, "{} is not answered", info.name);
            assert!(
                world.end(who).is_open(),
                "{} closed the connection",
                info.name
            );
            if who == "guest" && world.engine.roster().everybody().count() > 1 {
                world.ask(who, "LOGOUT", "null");
            }
        }
    }
}

#[test]
fn a_hundred_requests_at_once_get_a_hundred_replies() {
    let mut world = world();
    for (index, kind) in RequestKind::ALL.iter().cycle().take(100).enumerate() {
        let params = if index % 3 == 0 {
            Value::Null
        } else {
            Value::Int(index as u64)
        };
        world.say("ann", kind.info().number, params);
    }
    world.settle();
    world.end("ann").take_messages();
    assert_eq!(world.end("ann").owed(), 0);
    assert!(world.end("ann").is_open());
}
