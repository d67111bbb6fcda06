//! The text of a config.json as a tree, and the sections that are read from it.

use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Number;

use super::fault::{Fault, FieldError, JsonType, Reason, TextError, push, quoted};
use super::section::Section;
use super::settings::{ClientConfig, ConfigFile, ServerConfig};

/// The longest config.json that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A config.json that is JSON; whether its keys and values are right shows when a section is read.
#[derive(Debug)]
pub struct Document {
    root: Node,
}

impl Document {
    /// Parses the bytes of a file, which may begin with a byte order mark. Of a longer file one byte more
    /// than [`MAX_FILE_BYTES`] is enough.
    ///
    /// # Errors
    /// A text that is empty, too long, not UTF-8 or not JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, TextError> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let limit = MAX_FILE_BYTES;
            return Err(TextError::TooLong { limit });
        }
        let text = str::from_utf8(bytes).map_err(|error| {
            let read = &bytes[..error.valid_up_to()];
            let line = read.split(|&byte| byte == b'\n').count();
            TextError::NotUtf8 { line }
        })?;
        // Editors of Windows begin a file with a byte order mark (RFC 8259, 8.1).
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        let root = serde_json::from_str(text)?;
        Ok(Self { root })
    }

    /// The section `server`, or its defaults; of the section `client` only the names of the keys are
    /// checked.
    ///
    /// # Errors
    /// The first key at fault.
    pub fn server(&self) -> Result<ServerConfig, Fault> {
        self.root.object("")?;
        let server: ServerConfig = self.read("server")?;
        server.limits.check()?;
        self.check_keys::<ClientConfig>("client")?;
        self.check_sections()?;
        Ok(server)
    }

    /// The section `client`, or its defaults. The rest of the file is not looked at.
    ///
    /// # Errors
    /// The first key at fault.
    pub fn client(&self) -> Result<ClientConfig, Fault> {
        self.root.object("")?;
        self.read("client")
    }

    /// Refuses keys beside the sections, and unknown keys of the section `server`.
    ///
    /// # Errors
    /// The first such key, or a section that is no object.
    pub fn check_server_keys(&self) -> Result<(), Fault> {
        self.root.object("")?;
        self.check_sections()?;
        self.check_keys::<ServerConfig>("server")
    }

    /// Whether the top level is an object without keys.
    pub fn is_blank(&self) -> bool {
        matches!(&self.root, Node::Object(entries) if entries.is_empty())
    }

    /// Whether there is such a section.
    pub fn has_section(&self, section: &str) -> bool {
        self.root.get(section).is_some()
    }

    /// Whether a section says something about a key.
    pub fn has(&self, section: &str, key: &str) -> bool {
        let section = self.root.get(section);
        section.is_some_and(|section| section.get(key).is_some())
    }

    fn read<T: Section>(&self, section: &'static str) -> Result<T, Fault> {
        match self.root.get(section) {
            None => Ok(T::default()),
            Some(node) => serde_path_to_error::deserialize(node).map_err(|error| {
                let path = error.path().clone();
                error.into_inner().at(section, &path)
            }),
        }
    }

    fn check_keys<T: Section>(&self, section: &str) -> Result<(), Fault> {
        let Some(node) = self.root.get(section) else {
            return Ok(());
        };
        refuse_unknown(section, node.object(section)?, T::KEYS)
    }

    fn check_sections(&self) -> Result<(), Fault> {
        refuse_unknown("", self.root.object("")?, ConfigFile::KEYS)
    }
}

fn refuse_unknown(
    path: &str,
    entries: &[(String, Node)],
    known: &'static [&'static str],
) -> Result<(), Fault> {
    match entries
        .iter()
        .find(|(key, _)| !known.contains(&key.as_str()))
    {
        None => Ok(()),
        Some((key, _)) => Err(fault(path, Some(key), Reason::unknown(key, known))),
    }
}

fn fault(path: &str, key: Option<&str>, reason: Reason) -> Fault {
    let mut path = path.to_owned();
    if let Some(key) = key {
        push(&mut path, key);
    } else if path.is_empty() {
        "the top level".clone_into(&mut path);
    }
    Fault { path, reason }
}

/// The words of an enumeration, in the order of its definition.
pub(super) fn words_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    match T::deserialize(&Node::Text(String::new())) {
        Err(FieldError {
            reason: Reason::OneOf { known, .. },
            ..
        }) => known,
        _ => &[],
    }
}

/// A JSON value as it was written: an object keeps its doubled keys, so that they can be refused.
#[derive(Debug)]
enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The value at a key of an object, the first one if there are several.
    fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(entries) = self else {
            return None;
        };
        let entry = entries.iter().find(|(name, _)| name == key);
        entry.map(|(_, node)| node)
    }

    /// The entries of an object, none twice; `path` is where it stands.
    fn object(&self, path: &str) -> Result<&[(String, Self)], Fault> {
        self.entries()
            .map_err(|mistake| fault(path, mistake.key.as_deref(), mistake.reason))
    }

    fn entries(&self) -> Result<&[(String, Self)], FieldError> {
        let Self::Object(entries) = self else {
            return Err(self.mistyped(JsonType::Object));
        };
        let is_twice = |(index, (key, _)): &(usize, &(String, Self))| {
            entries[..*index].iter().any(|(earlier, _)| earlier == key)
        };
        match entries.iter().enumerate().find(is_twice) {
            None => Ok(entries),
            Some((_, (key, _))) => Err(FieldError {
                key: Some(key.clone()),
                reason: Reason::Twice,
            }),
        }
    }

    fn mistyped(&self, expected: JsonType) -> FieldError {
        let found = self.to_string();
        Reason::Type { expected, found }.into()
    }
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

impl<'de> IntoDeserializer<'de, FieldError> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads settings. A value of another type than the one asked for is refused here, so that every such
/// message has the same form.
impl<'de> Deserializer<'de> for &'de Node {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(_) => self.deserialize_u64(visitor),
            Node::Text(text) => visitor.visit_borrowed_str(text),
            Node::List(_) => self.deserialize_seq(visitor),
            Node::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Node::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.mistyped(JsonType::Flag)),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let Node::Number(number) = self else {
            return Err(self.mistyped(JsonType::Whole));
        };
        match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => visitor.visit_u64(number),
            (None, Some(number)) => visitor.visit_i64(number),
            (None, None) => Err(self.mistyped(JsonType::Whole)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Node::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.mistyped(JsonType::Text)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_str(visitor)
    }

    /// A key that is there has a value: null is none.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_some(self)
    }

    /// A list of one string may be written as that string.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Node::List(nodes) => visitor.visit_seq(SeqDeserializer::new(nodes.iter())),
            Node::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.mistyped(JsonType::Texts)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let entries = self.entries()?.iter();
        visitor.visit_map(MapDeserializer::new(
            entries.map(|(key, node)| (key.as_str(), node)),
        ))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self {
            Node::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(self.mistyped(JsonType::Text)),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct identifier ignored_any
    }
}
