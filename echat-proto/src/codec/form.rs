//! The output of the decoder: a [`Value`], or nothing but the fact that the bytes are valid.

use crate::value::Value;

/// Builds the decoder's output.
pub(super) trait ValueBuilder: Sized {
    /// The output for a key.
    type Key;

    fn key(key: &str) -> Self::Key;
    fn null() -> Self;
    fn int(number: u64) -> Self;
    fn float(number: f64) -> Self;
    fn text(text: &str) -> Self;
    fn list(items: Vec<Self>) -> Self;
    fn dict(entries: Vec<(Self::Key, Self)>) -> Self;
    fn truth(truth: bool) -> Self;
    fn bytes(bytes: &[u8]) -> Self;
}

impl ValueBuilder for Value {
    type Key = String;

    fn key(key: &str) -> String {
        key.to_owned()
    }

    fn null() -> Self {
        Value::Null
    }

    fn int(number: u64) -> Self {
        Value::Int(number)
    }

    fn float(number: f64) -> Self {
        Value::Float(number)
    }

    fn text(text: &str) -> Self {
        Value::Str(text.to_owned())
    }

    fn list(items: Vec<Self>) -> Self {
        Value::List(items)
    }

    fn dict(entries: Vec<(String, Self)>) -> Self {
        Value::Dict(entries)
    }

    fn truth(truth: bool) -> Self {
        Value::Bool(truth)
    }

    fn bytes(bytes: &[u8]) -> Self {
        Value::Bytes(bytes.to_owned())
    }
}

/// A type without size: a vector of these allocates nothing.
impl ValueBuilder for () {
    type Key = ();

    fn key(_: &str) {}

    fn null() {}

    fn int(_: u64) {}

    fn float(_: f64) {}

    fn text(_: &str) {}

    fn list(_: Vec<Self>) {}

    fn dict(_: Vec<((), Self)>) {}

    fn truth(_: bool) {}

    fn bytes(_: &[u8]) {}
}
