//! A typed reader over one JSON object: every error names the path of the key at fault.
//!
//! The keys asked for are the keys known: what is left when reading ends is refused.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::error::{Fault, Reason, quoted};

/// A JSON value as it was written: an object keeps its doubled keys, so they can be refused.
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => f.write_str(&quoted(value)),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Object(entries))
    }
}

/// One JSON object being read.
pub(super) struct Section {
    /// The dotted path to this object; empty at the top.
    path: String,
    /// What has not been asked for yet.
    left: Vec<(String, Node)>,
    /// Every key asked for so far.
    known: Vec<&'static str>,
}

impl Section {
    /// Starts reading a whole file.
    pub(super) fn root(node: Node) -> Result<Self, Fault> {
        Self::new(String::new(), node)
    }

    fn new(path: String, node: Node) -> Result<Self, Fault> {
        let Node::Object(left) = node else {
            let path = if path.is_empty() {
                "the top level".to_owned()
            } else {
                path
            };
            return Err(mistyped(path, "an object", &node));
        };
        let section = Self {
            path,
            left,
            known: Vec::new(),
        };
        for (index, (key, _)) in section.left.iter().enumerate() {
            if section.left[..index]
                .iter()
                .any(|(earlier, _)| earlier == key)
            {
                return Err(section.fault(key, Reason::Twice));
            }
        }
        Ok(section)
    }

    /// Takes the object at `key`; a missing one reads as empty.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Self, Fault> {
        let node = self.take(key).unwrap_or_else(|| Node::Object(Vec::new()));
        Self::new(self.path_of(key), node)
    }

    /// Takes the string at `key` and parses it; a missing one is `None`.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Fault> {
        match self.take(key) {
            None => Ok(None),
            Some(Node::Text(text)) => match parse(&text) {
                Ok(value) => Ok(Some(value)),
                Err(why) => Err(self.fault(key, Reason::Invalid(why))),
            },
            Some(other) => Err(mistyped(self.path_of(key), "a string", &other)),
        }
    }

    /// Takes the string at `key`, or the strings of a list there, and parses each; a missing one is
    /// `None`. A fault in a list names the place of the item, counted from 0.
    pub(super) fn texts<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, Fault> {
        let (nodes, is_list) = match self.take(key) {
            None => return Ok(None),
            Some(Node::List(nodes)) => (nodes, true),
            Some(one) => (vec![one], false),
        };
        let mut values = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let (path, expected) = if is_list {
                (format!("{}[{index}]", self.path_of(key)), "a string")
            } else {
                (self.path_of(key), "a string or a list of strings")
            };
            let Node::Text(text) = node else {
                return Err(mistyped(path, expected, node));
            };
            match parse(text) {
                Ok(value) => values.push(value),
                Err(why) => {
                    let reason = Reason::Invalid(why);
                    return Err(Fault { path, reason });
                }
            }
        }
        Ok(Some(values))
    }

    /// Takes the whole number at `key`; a missing one is `None`, one outside `range` is refused.
    pub(super) fn number<T>(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<T>,
    ) -> Result<Option<T>, Fault>
    where
        T: TryFrom<u64> + PartialOrd + Display,
    {
        let number = match self.take(key) {
            None => return Ok(None),
            Some(Node::Number(number)) if !number.is_f64() => number,
            Some(other) => return Err(mistyped(self.path_of(key), "a whole number", &other)),
        };
        let value = number.as_u64().and_then(|value| T::try_from(value).ok());
        value
            .filter(|value| range.contains(value))
            .map(Some)
            .ok_or_else(|| {
                let why = format!("must be {}..={}, not {number}", range.start(), range.end());
                self.fault(key, Reason::Invalid(why))
            })
    }

    /// Knows `key` without looking at its value.
    pub(super) fn skip(&mut self, key: &'static str) {
        self.take(key);
    }

    /// A fault of the value at `key`.
    pub(super) fn fault(&self, key: &str, reason: Reason) -> Fault {
        Fault {
            path: self.path_of(key),
            reason,
        }
    }

    /// Ends the reading: refuses the first key nobody asked for.
    pub(super) fn finish(self) -> Result<(), Fault> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(self.fault(key, Reason::unknown(key, &self.known))),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let index = self.left.iter().position(|(name, _)| name == key)?;
        Some(self.left.remove(index).1)
    }

    fn path_of(&self, key: &str) -> String {
        // A key is whatever the file says: escaped, it cannot write to the terminal.
        let key = key.escape_debug();
        if self.path.is_empty() {
            key.to_string()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

fn mistyped(path: String, expected: &'static str, found: &Node) -> Fault {
    Fault {
        path,
        reason: Reason::Type {
            expected,
            found: found.to_string(),
        },
    }
}
