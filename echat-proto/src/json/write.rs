//! [`Value`] to one line of JSON.

use std::fmt::Write;

use super::is_bytes_key;
use crate::terminal_text::is_hazard;
use crate::value::Value;

/// One line of JSON, without characters that control a terminal.
pub fn to_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Int(number) => out.push_str(&number.to_string()),
        // serde_json writes the shortest digits that parse to the same double, always with `.` or `e`.
        Value::Float(number) => out.push_str(&serde_json::json!(number).to_string()),
        Value::Str(text) => write_text(text, out),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Bytes(bytes) => {
            out.push_str(r#"{"$bytes":""#);
            out.push_str(&hex::encode(bytes));
            out.push_str(r#""}"#);
        }
        Value::List(items) => write_all('[', ']', items, out, write),
        Value::Dict(entries) => write_all('{', '}', entries, out, |(key, item), out| {
            if is_bytes_key(key) {
                write_text(&format!("${key}"), out);
            } else {
                write_text(key, out);
            }
            out.push(':');
            write(item, out);
        }),
    }
}

fn write_all<T>(
    open: char,
    close: char,
    items: &[T],
    out: &mut String,
    each: impl Fn(&T, &mut String),
) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut String) {
    let quoted = serde_json::Value::from(text).to_string();
    for character in quoted.chars() {
        if is_hazard(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        } else {
            out.push(character);
        }
    }
}
