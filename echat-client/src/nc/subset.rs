//! Whether a value has what a pattern asks for.
//!
//! * A dict has a dict's entries if it has all its keys, each with a matching value; it may have
//!   more.
//! * A list matches a list of equal length, item by item.
//! * Everything else must be equal, and of the same type: 1 is not 1.0.

use echat_proto::value::Value;

/// Whether `value` has everything that is in `pattern`.
pub fn matches(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::Dict(entries), Value::Dict(_)) => entries
            .iter()
            .all(|(key, wanted)| value.at(key).is_some_and(|found| matches(wanted, found))),
        (Value::List(wanted), Value::List(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(wanted, found)| matches(wanted, found))
        }
        _ => pattern == value,
    }
}

#[cfg(test)]
mod tests {
    use echat_proto::json::{from_json, to_json};
    use proptest::prelude::*;

    use super::*;

    fn has(pattern: &str, value: &str) -> bool {
        matches(&from_json(pattern).unwrap(), &from_json(value).unwrap())
    }

    #[test]
    fn a_pattern_matches_a_part() {
        for (pattern, value) in [
            ("{}", r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"{"b":2,"a":1}"#),
            (r#"{"a":{"b":null}}"#, r#"{"a":{"b":null,"c":1}}"#),
            (r#"[{"a":1},2]"#, r#"[{"a":1,"b":2},2]"#),
            ("[]", "[]"),
            (r#"{"$bytes":"00FF"}"#, r#"{"$bytes":"00ff"}"#),
            ("1.0", "1e0"),
        ] {
            assert!(has(pattern, value), "{pattern} is in {value}");
        }
    }

    #[test]
    fn missing_or_different_values_do_not_match() {
        for (pattern, value) in [
            (r#"{"a":1}"#, "{}"),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":1}"#, r#"{"a":2}"#),
            ("[1]", "[1,2]"),
            ("[1,2]", "[2,1]"),
            ("[]", "null"),
            ("{}", "[]"),
            ("1", "1.0"),
            ("1", "\"1\""),
            ("true", "1"),
        ] {
            assert!(!has(pattern, value), "{pattern} is not in {value}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0..3u64).prop_map(Value::Int),
            any::<bool>().prop_map(Value::Bool),
            "[ab]".prop_map(Value::Str),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            let dict = prop::collection::btree_map("[abc]", inner.clone(), 0..3);
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(Value::List),
                dict.prop_map(|entries| Value::Dict(entries.into_iter().collect())),
            ]
        })
    }

    /// The value without some of its dict entries.
    fn thinned(value: &Value, keep: &mut dyn FnMut() -> bool) -> Value {
        match value {
            Value::List(items) => Value::List(items.iter().map(|i| thinned(i, keep)).collect()),
            Value::Dict(entries) => {
                let kept = entries
                    .iter()
                    .filter(|_| keep())
                    .cloned()
                    .collect::<Vec<_>>();
                let thin = kept
                    .into_iter()
                    .map(|(key, value)| (key, thinned(&value, keep)));
                Value::Dict(thin.collect())
            }
            _ => value.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_value_matches_itself_and_every_part(value in any_value(), seed: u64) {
            prop_assert!(matches(&value, &value));
            let mut bits = seed;
            let part = thinned(&value, &mut || { bits = bits.rotate_left(1); bits & 1 == 1 });
            prop_assert!(matches(&part, &value), "{} in {}", to_json(&part), to_json(&value));
            // And the other way round only if nothing was taken away.
            prop_assert_eq!(matches(&value, &part), part == value);
        }
    }
}
