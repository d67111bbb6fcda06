//! [`Value`](crate::Value) as JSON and back, for people and scripts. This module does not know sockets or terminals.
//!
//! | value | JSON |
//! | --- | --- |
//! | int | a number without `.` and `e`, 0 to 2^64 - 1 |
//! | float | a number with `.` or `e` |
//! | bytes | `{"$bytes": "00ff"}` |
//! | null, bool, str, list, dict | the same; a dict keeps the order of its keys |
//!
//! A dict key `$bytes` is written as `$$bytes`, and so on, so that every value survives both conversions. Characters
//! that could control a terminal (control characters, bidi, zero width, tags) are escaped.

mod read;
mod write;

pub use read::{JsonError, from_json, from_json_any_number};
pub use write::to_json;

/// The key that marks bytes.
const BYTES_KEY: &str = "$bytes";

/// Whether a key is [`BYTES_KEY`] with any number of further `$` before it.
fn is_bytes_key(key: &str) -> bool {
    key.ends_with(BYTES_KEY)
        && key[..key.len() - BYTES_KEY.len()]
            .bytes()
            .all(|byte| byte == b'$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_kind() {
        let max = Value::Int(u64::MAX);
        assert_eq!(from_json("18446744073709551615"), Ok(max));
        assert_eq!(from_json("1"), Ok(Value::Int(1)));
        assert_eq!(from_json("1.0"), Ok(Value::Float(1.0)));
        assert_eq!(from_json("1e3"), Ok(Value::Float(1000.0)));
        assert_eq!(to_json(&Value::Float(1.0)), "1.0");
        for none in [
            "18446744073709551616",
            "100000000000000000000",
            "-1",
            "1e999",
        ] {
            assert!(matches!(from_json(none), Err(JsonError::Number)), "{none}");
        }
    }

    #[test]
    fn a_whole_number_of_any_size_can_be_read_as_the_nearest_one() {
        for (text, number) in [
            ("-1", -1.0),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ] {
            assert_eq!(from_json_any_number(text), Ok(Value::Float(number)));
        }
        assert_eq!(from_json_any_number("[1]"), from_json("[1]"));
        assert!(matches!(
            from_json_any_number("1e999"),
            Err(JsonError::Number)
        ));
    }

    #[test]
    fn bytes_and_keys_have_their_json_form() {
        let bytes = Value::Bytes(vec![0, 255]);
        assert_eq!(from_json(r#"{"$bytes": "00ff"}"#), Ok(bytes));
        let dict = Value::Dict(vec![("$bytes".into(), Value::from("00"))]);
        assert_eq!(to_json(&dict), r#"{"$$bytes":"00"}"#);
        assert_eq!(from_json(&to_json(&dict)), Ok(dict));
        assert!(from_json(r#"{"$bytes": "0"}"#).is_err());
        assert!(from_json(r#"{"$bytes": 1}"#).is_err());
    }

    #[test]
    fn duplicate_keys_depth_and_trailing_bytes_are_refused() {
        for doubled in [
            r#"{"a":1,"a":2}"#,
            r#"{"$$bytes":1,"$$bytes":2}"#,
            r#"{"$bytes":1,"$$bytes":2}"#,
            r#"{"$$bytes":1,"$bytes":2}"#,
        ] {
            let refused = from_json(doubled);
            assert!(
                matches!(refused, Err(JsonError::DoubledKey(_))),
                "{doubled}"
            );
        }
        assert!(from_json(r#"{"$$bytes":1,"$$$bytes":2}"#).is_ok());
        assert!(from_json(&"[".repeat(200)).is_err());
        let nine = format!("{}0{}", "[".repeat(8), "]".repeat(8));
        assert!(matches!(from_json(&nine), Err(JsonError::TooDeep)));
        assert!(from_json("1 2").is_err());
        assert!(from_json("").is_err());
    }

    #[test]
    fn nothing_printed_acts_on_a_terminal() {
        let hostile =
            Value::from("\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{200b}\u{2028}\u{e0041}\r\n好");
        let json = to_json(&hostile);
        assert_eq!(
            json,
            r#""\u001b]0;x\u0007\u009b31m\u202e\u200b\u2028\udb40\udc41\r\n好""#
        );
        assert_eq!(from_json(&json), Ok(hostile));
    }

    #[test]
    fn no_hazardous_character_is_printed() {
        for character in '\0'..=char::MAX {
            let value = Value::Str(character.to_string());
            let json = to_json(&value);
            assert!(
                !json.chars().any(crate::terminal_text::is_hazard),
                "{json:?}"
            );
            if crate::terminal_text::is_hazard(character) {
                assert_eq!(from_json(&json), Ok(value));
            }
        }
    }

    proptest! {
        #[test]
        fn text_and_floats_round_trip(text in ".*", n in any::<f64>(), key in r"\$*(bytes|a)") {
            let n = if n.is_finite() { n } else { 0.5 };
            let value = Value::Dict(vec![
                (key, Value::List(vec![Value::Str(text), Value::Float(n)])),
            ]);
            prop_assert_eq!(from_json(&to_json(&value)), Ok(value));
        }
    }
}
