//! [`Value`]: what a message carries. It knows nothing of bytes and of commands.

use zeroize::Zeroize;

/// A value of the wire (wire.md 1). A dict keeps the order in which its keys came.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// An unsigned integer; negative numbers have no wire form.
    Int(u64),
    /// An IEEE 754 double; NaN and the infinities have no wire form.
    Float(f64),
    /// Text.
    Str(String),
    /// Values one after another.
    List(Vec<Value>),
    /// Values by name; no key twice, none empty, none over 64 bytes.
    Dict(Vec<(String, Value)>),
    /// True or false.
    Bool(bool),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

impl Value {
    /// The kind of value, in the words of the protocol document.
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

    /// The value under `key`, if this is a dict that has it.
    pub fn at(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Dict(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
}

impl Zeroize for Value {
    /// Overwrites every text and all bytes in it, for values that held a password. Keys stay.
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

/// A key that stands twice among those of a dict. Sorted neighbours find it in n log n; a linear scan per
/// key would let 16,384 keys cost 10^8.
pub(crate) fn key_twice(mut keys: Vec<&str>) -> Option<&str> {
    keys.sort_unstable();
    let pair = keys.windows(2).find(|pair| pair[0] == pair[1])?;
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
