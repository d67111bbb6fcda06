//! [`Value`]: the parameters of a message. This module does not know bytes or commands.

use smallvec::SmallVec;
use zeroize::Zeroize;

/// A value of the wire (PROTOCOL.md, section 2). A dict keeps the order of its keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// An unsigned integer; negative numbers cannot be encoded.
    Int(u64),
    /// An IEEE 754 double; NaN and infinities cannot be encoded.
    Float(f64),
    /// Text.
    Str(String),
    /// A sequence of values.
    List(Vec<Value>),
    /// Values by key; keys are distinct and have 1 to 64 bytes.
    Dict(Vec<(String, Value)>),
    /// True or false.
    Bool(bool),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The name of its type in PROTOCOL.md, section 2.
    pub const fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::List(_) => "list",
            Value::Dict(_) => "dict",
            Value::Bool(_) => "bool",
            Value::Bytes(_) => "bytes",
        }
    }

    /// The value of `key`, if this is a dict with that key.
    pub fn at(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Dict(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
}

impl Zeroize for Value {
    /// Overwrites every text and byte string in it, for values that held a password. Keys remain.
    fn zeroize(&mut self) {
        match self {
            Value::Str(text) => text.zeroize(),
            Value::Bytes(bytes) => bytes.zeroize(),
            Value::List(items) => items.iter_mut().for_each(Zeroize::zeroize),
            Value::Dict(entries) => entries.iter_mut().for_each(|(_, value)| value.zeroize()),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Bool(_) => {}
        }
    }
}

/// The keys of a dict. Those of the table's commands need no allocation.
pub(crate) type Keys<'a> = SmallVec<[&'a str; 10]>;

/// A key that occurs twice in a dict. Few keys are compared with each other; many are sorted, since each with each
/// would take 10^8 steps for 16,384 keys.
pub(crate) fn key_twice<'a>(keys: &Keys<'a>) -> Option<&'a str> {
    if !keys.spilled() {
        let mut places = keys.iter().enumerate();
        return places.find_map(|(at, key)| keys[..at].contains(key).then_some(*key));
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    let pair = sorted.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(pair[0])
}

/// The tag bytes of the wire.
pub(crate) mod tag {
    pub(crate) const NULL: u8 = 0;
    pub(crate) const INT: u8 = 1;
    pub(crate) const FLOAT: u8 = 2;
    pub(crate) const STR: u8 = 3;
    pub(crate) const LIST: u8 = 4;
    pub(crate) const DICT: u8 = 5;
    pub(crate) const BOOL: u8 = 6;
    pub(crate) const BYTES: u8 = 7;
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.to_owned())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Int(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_occurs_twice_is_found_among_few_and_many() {
        let names: Vec<String> = (0..40).map(|number| format!("key{number}")).collect();
        for count in [0, 1, 2, 9, 10, 11, 40] {
            let keys: Keys<'_> = names[..count].iter().map(String::as_str).collect();
            assert_eq!(key_twice(&keys), None, "{count}");
            for again in &names[..count] {
                let mut keys = keys.clone();
                keys.push(again);
                assert_eq!(key_twice(&keys), Some(again.as_str()), "{count}");
            }
        }
    }

    #[test]
    fn wiping_reaches_every_text() {
        let secret = || Value::from("secret");
        let mut value = Value::Dict(vec![
            ("password".to_owned(), secret()),
            (
                "in a list".to_owned(),
                Value::List(vec![secret(), Value::Int(1)]),
            ),
            ("in bytes".to_owned(), Value::Bytes(b"secret".to_vec())),
        ]);
        value.zeroize();
        assert!(!format!("{value:?}").contains("secret"), "{value:?}");
        assert_eq!(value.at("in bytes"), Some(&Value::Bytes(Vec::new())));
    }
}
