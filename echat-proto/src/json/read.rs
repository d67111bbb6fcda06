//! JSON to [`Value`], by serde_json. Raw values preserve two facts that a parsed number loses: whether it was an
//! integer, and its digits beyond 2^64.

use super::{BYTES_KEY, is_bytes_key};
use crate::limits;
use crate::value::{Value, key_twice};
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use thiserror::Error;

/// Why a JSON text cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A negative integer, an integer over 2^64 - 1, or a number beyond the range of a double.
    /// It is not quoted: it may be a password without quotes.
    #[error("a number is out of range: whole numbers go from 0 to 2^64 - 1")]
    Number,
    /// `$bytes` with an odd number of digits, or digits that are not hexadecimal.
    #[error("$bytes needs an even number of hexadecimal digits")]
    Bytes,
    /// A dict with a repeated key.
    #[error("the key {0:?} is repeated")]
    DoubledKey(String),
    /// Nesting deeper than [`limits::DEPTH`].
    #[error("values are nested too deeply")]
    TooDeep,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        JsonError::Syntax(error.to_string())
    }
}

/// Converts a JSON text, which must be exactly one value.
pub fn from_json(text: &str) -> Result<Value, JsonError> {
    read(serde_json::from_str(text)?, 1, read_number)
}

/// The same, but a whole number that [`Value::Int`] cannot have, such as -1, becomes the nearest [`Value::Float`]: for
/// parameters whose ranges are judged later, each by its name.
pub fn from_json_any_number(text: &str) -> Result<Value, JsonError> {
    let number = |text: &str| read_number(text).or_else(|_| read_float(text));
    read(serde_json::from_str(text)?, 1, number)
}

/// Converts a number.
type ReadNumber = fn(&str) -> Result<Value, JsonError>;

fn read(raw: &RawValue, depth: usize, number: ReadNumber) -> Result<Value, JsonError> {
    if depth > limits::DEPTH {
        return Err(JsonError::TooDeep);
    }
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => read_dict(text, depth, number),
        Some(b'[') => {
            let raw: Vec<&RawValue> = serde_json::from_str(text)?;
            // Reserved at once: growth by doubling takes three times the memory while it copies.
            let mut items = Vec::with_capacity(raw.len());
            for item in raw {
                items.push(read(item, depth + 1, number)?);
            }
            Ok(Value::List(items))
        }
        Some(b'"') => Ok(Value::Str(serde_json::from_str(text)?)),
        Some(b'n') => Ok(Value::Null),
        Some(b't' | b'f') => Ok(Value::Bool(serde_json::from_str(text)?)),
        _ => number(text),
    }
}

fn read_number(text: &str) -> Result<Value, JsonError> {
    if text.contains(['.', 'e', 'E']) {
        read_float(text)
    } else {
        let whole = text.parse().map(Value::Int);
        whole.map_err(|_| JsonError::Number)
    }
}

fn read_float(text: &str) -> Result<Value, JsonError> {
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Ok(Value::Float(number)),
        _ => Err(JsonError::Number),
    }
}

fn read_dict(text: &str, depth: usize, number: ReadNumber) -> Result<Value, JsonError> {
    let entries = serde_json::Deserializer::from_str(text).deserialize_map(Entries)?;
    if let [(key, raw)] = &entries[..]
        && key == BYTES_KEY
    {
        let digits: String = serde_json::from_str(raw.get()).map_err(|_| JsonError::Bytes)?;
        return hex::decode(digits)
            .map(Value::Bytes)
            .map_err(|_| JsonError::Bytes);
    }
    let mut dict = Vec::with_capacity(entries.len());
    for (mut key, raw) in entries {
        if is_bytes_key(&key) && key != BYTES_KEY {
            key.remove(0);
        }
        dict.push((key, read(raw, depth + 1, number)?));
    }
    let twice = key_twice(&dict.iter().map(|(key, _)| key.as_str()).collect());
    match twice.map(str::to_owned) {
        None => Ok(Value::Dict(dict)),
        Some(key) => Err(JsonError::DoubledKey(key)),
    }
}

/// The entries of an object in their order, including repeated keys.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
