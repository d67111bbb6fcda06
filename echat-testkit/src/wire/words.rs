//! Messages as lines, the way `echat-nc` has them, and what is looked for in them.

use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands;
use echat_proto::json::{from_json, to_json};

/// Every user's password.
pub const PASSWORD: &str = "correct horse battery";

/// `NAME json` as a message; a number may stand for the name.
pub fn message(line: &str) -> Message {
    let (name, json) = line.split_once(' ').unwrap_or((line, "null"));
    let number = commands::by_name(name).map(|info| info.number);
    let command = number.unwrap_or_else(|| name.parse().expect("a command"));
    Message {
        command,
        params: from_json(json).expect("JSON"),
    }
}

/// A message as its line.
pub fn line(message: &Message) -> String {
    let name = commands::by_number(message.command).map_or("?", |info| info.name);
    format!("{name} {}", to_json(&message.params))
}

/// The text under a key.
pub fn text<'v>(params: &'v Value, key: &str) -> &'v str {
    match params.at(key) {
        Some(Value::Str(text)) => text,
        other => panic!("no text {key}: {other:?}"),
    }
}

/// The number under a key.
pub fn number(params: &Value, key: &str) -> u64 {
    match params.at(key) {
        Some(Value::Int(number)) => *number,
        other => panic!("no number {key}: {other:?}"),
    }
}

/// A user's parameters of REGISTER and LOGIN.
pub fn credentials(name: &str) -> String {
    format!(r#"{{"username":"{name}","password":"{PASSWORD}"}}"#)
}
