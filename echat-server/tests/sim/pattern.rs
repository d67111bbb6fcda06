//! Patterns and captures in the values of transcripts; see [`super::script`].

use echat_proto::Value;
use std::collections::BTreeMap;

/// Captured values by name.
pub(super) type Captures = BTreeMap<String, Value>;

/// A value to be sent, with `$name` and `x*4000` replaced.
pub(super) fn filled(value: &Value, captures: &Captures) -> Value {
    match value {
        Value::Str(text) => match (text.strip_prefix('$'), repeated(text)) {
            (Some(name), _) => captures
                .get(name)
                .unwrap_or_else(|| panic!("${name} was not captured"))
                .clone(),
            (None, Some(long)) => Value::Str(long),
            (None, None) => value.clone(),
        },
        Value::List(items) => {
            Value::List(items.iter().map(|item| filled(item, captures)).collect())
        }
        Value::Dict(entries) => Value::Dict(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), filled(item, captures)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// `x*4000`: a character and a count.
fn repeated(text: &str) -> Option<String> {
    let (unit, times) = text.split_once('*')?;
    let times = times.parse().ok()?;
    (unit.chars().count() == 1).then(|| unit.repeat(times))
}

/// Whether a received value matches the expected one.
pub(super) fn fits(pattern: &Value, got: &Value, captures: &mut Captures) -> bool {
    match (pattern, got) {
        (Value::Str(text), _) if text == "*" => true,
        (Value::Str(text), _) if text.starts_with('$') => {
            let known = captures
                .entry(text[1..].to_owned())
                .or_insert_with(|| got.clone());
            known == got
        }
        (Value::Str(text), Value::Int(got)) if text.starts_with(">$") => {
            matches!(captures.get(&text[2..]), Some(Value::Int(known)) if got > known)
        }
        (Value::Str(text), Value::Str(got)) => {
            text == got || repeated(text).is_some_and(|long| long == *got)
        }
        (Value::List(patterns), Value::List(items)) => {
            patterns.len() == items.len()
                && patterns
                    .iter()
                    .zip(items)
                    .all(|(pattern, item)| fits(pattern, item, captures))
        }
        (Value::Dict(patterns), Value::Dict(_)) => {
            patterns.iter().all(|(key, pattern)| match got.at(key) {
                Some(item) => fits(pattern, item, captures),
                None => *pattern == Value::from("(absent)"),
            })
        }
        _ => pattern == got,
    }
}
