//! Builds and reads parameters by name, without the server's types.

use crate::committed::CommittedState;
use crate::plan::{ROOMS, Target};
use echat_proto::Value;
use echat_proto::param::{Param, TargetType};
use std::collections::BTreeSet;

pub(crate) fn text(text: &str) -> Value {
    Value::Str(text.to_owned())
}

pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

pub(crate) fn dict<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let entries = entries.into_iter();
    Value::Dict(
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// A time on the wire. Times before 1970 are sent as 0.
pub(crate) fn time(unix: i64) -> Value {
    Value::Int(u64::try_from(unix).unwrap_or(0))
}

/// Whether two values are equal. The order of keys does not matter.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Dict(a), Value::Dict(b)) => {
            let found = |(key, value): &(String, Value)| {
                let other = b.iter().find(|(other, _)| other == key);
                other.is_some_and(|(_, other)| equal(value, other))
            };
            a.len() == b.len() && a.iter().all(found)
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        _ => a == b,
    }
}

/// A value without the entries of these keys, at any depth.
pub(crate) fn without(value: &Value, keys: &[&str]) -> Value {
    match value {
        Value::Dict(entries) => {
            let kept = entries
                .iter()
                .filter(|(key, _)| !keys.contains(&key.as_str()));
            Value::Dict(
                kept.map(|(key, value)| (key.clone(), without(value, keys)))
                    .collect(),
            )
        }
        Value::List(items) => list(items.iter().map(|item| without(item, keys))),
        other => other.clone(),
    }
}

/// A list in a canonical order.
pub(crate) fn sorted(value: &Value) -> Value {
    let Value::List(items) = value else {
        return value.clone();
    };
    let mut items = items.clone();
    items.sort_by_key(|item| match item {
        Value::Dict(entries) => {
            let mut entries: Vec<String> =
                entries.iter().map(|entry| format!("{entry:?}")).collect();
            entries.sort();
            entries.concat()
        }
        other => format!("{other:?}"),
    });
    Value::List(items)
}

/// Received parameters, read by name.
#[derive(Clone, Copy)]
pub(crate) struct Params<'m> {
    pub(crate) all: &'m Value,
    pub(crate) committed: &'m CommittedState,
}

impl<'m> Params<'m> {
    /// The parameters under a key.
    pub(crate) fn at(self, key: &str) -> Result<Self, String> {
        let all = self
            .all
            .at(key)
            .ok_or_else(|| format!("{key} is missing"))?;
        Ok(Self { all, ..self })
    }

    pub(crate) fn has(self, key: &str) -> bool {
        self.all.at(key).is_some()
    }

    pub(crate) fn text(self) -> Result<&'m str, String> {
        match self.all {
            Value::Str(text) => Ok(text),
            other => Err(format!("{other:?} is no text")),
        }
    }

    pub(crate) fn int(self) -> Result<u64, String> {
        match self.all {
            Value::Int(number) => Ok(*number),
            other => Err(format!("{other:?} is no number")),
        }
    }

    /// Whether a key exists and is true.
    pub(crate) fn flag(self, key: &str) -> bool {
        self.all.at(key) == Some(&Value::Bool(true))
    }

    pub(crate) fn user(self, key: &str) -> Result<usize, String> {
        Ok(self.committed.user_named(self.at(key)?.text()?))
    }

    pub(crate) fn room(self, key: &str) -> Result<usize, String> {
        room(self.at(key)?.text()?)
    }

    /// The friend or room of an event.
    pub(crate) fn target(self) -> Result<Target, String> {
        let kind = TargetType::from_value(self.at("target_type")?.all);
        match kind.map_err(|error| format!("{error:?}"))? {
            TargetType::Friend => self.user("target").map(Target::User),
            TargetType::Room => self.room("target").map(Target::Room),
        }
    }

    pub(crate) fn items(self) -> Result<impl Iterator<Item = Self>, String> {
        match self.all {
            Value::List(items) => Ok(items.iter().map(move |all| Self { all, ..self })),
            other => Err(format!("{other:?} is no list")),
        }
    }

    /// A list of names of users.
    pub(crate) fn users(self, key: &str) -> Result<BTreeSet<usize>, String> {
        let names = self.at(key)?.items()?;
        names
            .map(|name| Ok(self.committed.user_named(name.text()?)))
            .collect()
    }
}

pub(crate) fn room(name: &str) -> Result<usize, String> {
    let known = ROOMS.iter().position(|room| *room == name);
    known.ok_or_else(|| format!("no room is called {name:?}"))
}
