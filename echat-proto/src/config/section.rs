//! A section of config.json as a type: the macro that makes it from its entry in the table, and the rules
//! by which single values are read and described.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, Unexpected, Visitor};

use super::document::words_of;
use crate::names::{Content, RoomName};

/// One key, for the tables in the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The dotted path, as in `server.limits.friends`.
    pub path: String,
    /// The default as config.json has it; `None`: the key has no default.
    pub default: Option<String>,
    /// The values that are allowed.
    pub allowed: Allowed,
    /// The unit of a number, or the form of a text, in English and in Chinese; else empty.
    pub unit: [&'static str; 2],
    /// What the key does, in English and in Chinese.
    pub meaning: [String; 2],
}

/// The values that a key may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A text or a list, of the form that [`Row::unit`] names.
    Text,
    /// A whole number of this range.
    Range(RangeInclusive<u64>),
    /// One of these, as JSON.
    OneOf(Vec<String>),
}

/// An object with known keys, each with a default.
pub trait Section: Default + for<'de> Deserialize<'de> {
    /// Every key, in the order of the table.
    const KEYS: &'static [&'static str];

    /// Adds the rows of all keys below `path`, which ends with a dot or is empty.
    fn describe(path: &str, rows: &mut Vec<Row>);
}

/// Makes a section from its entry in the table. A key is
///
/// ```text
/// /// What it does, for the English table and for rustdoc.
/// #[zh = "The same in Chinese."]
/// #[unit = "bytes", "字节"]
/// name: Type = default => Rule;
/// ```
///
/// Without a rule the type itself says what is allowed ([`Kind`]).
macro_rules! section {
    (
        $(#[$meta:meta])*
        $section:ident {
            $(
                $(#[doc = $en:literal])+
                #[zh = $zh:literal]
                $(#[unit = $unit:literal, $unit_zh:literal])?
                $name:ident: $type:ty = $default:expr $(=> $rule:expr)?;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
        pub struct $section {
            $(
                $(#[doc = $en])+
                #[doc = concat!("\n\nDefault: `", stringify!($default), "`." $(, " Rule: `", stringify!($rule), "`.")?)]
                #[serde(skip_serializing_if = "crate::config::section::is_null")]
                pub $name: $type,
            )*
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl crate::config::section::Section for $section {
            const KEYS: &'static [&'static str] = &[$(stringify!($name),)*];

            fn describe(path: &str, rows: &mut Vec<crate::config::section::Row>) {
                use crate::config::section::{Rule, json, section};
                let defaults = Self::default();
                $(
                    let row = crate::config::section::Row {
                        path: format!("{path}{}", stringify!($name)),
                        default: Some(json(&defaults.$name)).filter(|json| json != "null"),
                        allowed: crate::config::section::Allowed::Text,
                        unit: section!(@unit $($unit, $unit_zh)?),
                        meaning: [concat!($($en,)+).trim().to_owned(), $zh.to_owned()],
                    };
                    Rule::<$type>::describe(&section!(@rule $($rule)?), row, rows);
                )*
            }
        }

        impl<'de> serde::Deserialize<'de> for $section {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use crate::config::section::{Section, section};
                use serde::de::{Error, MapAccess};

                struct Fields;

                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $section;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$section, A::Error> {
                        let mut section = $section::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $(stringify!($name) => {
                                    section.$name = map.next_value_seed(section!(@rule $($rule)?))?;
                                })*
                                _ => return Err(A::Error::unknown_field(&key, $section::KEYS)),
                            }
                        }
                        Ok(section)
                    }
                }

                deserializer.deserialize_struct(stringify!($section), Self::KEYS, Fields)
            }
        }

        impl crate::config::section::Kind for $section {
            fn allowed() -> crate::config::section::Allowed {
                crate::config::section::Allowed::Text
            }

            fn describe(
                row: crate::config::section::Row,
                rows: &mut Vec<crate::config::section::Row>,
            ) {
                <Self as crate::config::section::Section>::describe(&format!("{}.", row.path), rows);
            }
        }
    };
    (@rule) => { std::marker::PhantomData };
    (@rule $rule:expr) => { $rule };
    (@unit) => { ["", ""] };
    (@unit $unit:literal, $unit_zh:literal) => { [$unit, $unit_zh] };
}
pub(super) use section;

/// A value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("settings are JSON")
}

/// Whether a key that may be missing is.
pub(super) fn is_null(value: &impl serde::Serialize) -> bool {
    json(value) == "null"
}

/// How the value of one key is read, and what a document says about it.
pub(super) trait Rule<T>: for<'de> DeserializeSeed<'de, Value = T> {
    /// Adds `row` with the allowed values, or the rows of a section.
    fn describe(&self, row: Row, rows: &mut Vec<Row>);
}

/// A type that needs no rule: it says itself which values it takes.
pub(super) trait Kind: for<'de> Deserialize<'de> {
    /// The values it takes.
    fn allowed() -> Allowed;

    /// Adds its row, or the rows of a section.
    fn describe(mut row: Row, rows: &mut Vec<Row>) {
        row.allowed = Self::allowed();
        rows.push(row);
    }
}

impl<T: Kind> Rule<T> for PhantomData<T> {
    fn describe(&self, row: Row, rows: &mut Vec<Row>) {
        T::describe(row, rows);
    }
}

impl Kind for bool {
    fn allowed() -> Allowed {
        Allowed::OneOf(vec![json(&true), json(&false)])
    }
}

impl Kind for String {
    fn allowed() -> Allowed {
        Allowed::Text
    }
}

impl Kind for Option<String> {
    fn allowed() -> Allowed {
        Allowed::Text
    }
}

/// The words of an enumeration, for its [`Kind`].
pub(super) fn one_of<T: for<'de> Deserialize<'de>>() -> Allowed {
    Allowed::OneOf(words_of::<T>().iter().map(json).collect())
}

/// A whole number of a range.
#[derive(Clone, Debug)]
pub(super) struct IntegerRange<T> {
    range: RangeInclusive<u64>,
    number: PhantomData<T>,
}

/// A whole number of `range`.
pub(super) fn whole<T>(range: RangeInclusive<u64>) -> IntegerRange<T> {
    let number = PhantomData;
    IntegerRange { range, number }
}

/// A type of whole numbers.
pub(super) trait Number: Sized {
    /// `None`: it has no such number.
    fn from_u64(number: u64) -> Option<Self>;
}

impl Number for u64 {
    fn from_u64(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Number for usize {
    fn from_u64(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Number for NonZeroUsize {
    fn from_u64(number: u64) -> Option<Self> {
        Self::new(number.try_into().ok()?)
    }
}

impl<T: Number> Rule<T> for IntegerRange<T> {
    fn describe(&self, mut row: Row, rows: &mut Vec<Row>) {
        row.allowed = Allowed::Range(self.range.clone());
        rows.push(row);
    }
}

impl<'de, T: Number> DeserializeSeed<'de> for IntegerRange<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_u64(self)
    }
}

impl<T: Number> Visitor<'_> for IntegerRange<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.range.start(), self.range.end())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.range
            .contains(&number)
            .then(|| T::from_u64(number))
            .flatten()
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match number.try_into() {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

/// A number that may be null.
#[derive(Clone, Debug)]
pub(super) struct OrNull<T>(IntegerRange<T>);

/// A number that may be null.
pub(super) fn or_null<T>(number: IntegerRange<T>) -> OrNull<T> {
    OrNull(number)
}

impl<T: Number> Rule<Option<T>> for OrNull<T> {
    fn describe(&self, row: Row, rows: &mut Vec<Row>) {
        Rule::describe(&self.0, row, rows);
    }
}

impl<'de, T: Number> DeserializeSeed<'de> for OrNull<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Number> Visitor<'de> for OrNull<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)?;
        f.write_str(" or null")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// Bytes of a message of the day at most.
pub const MESSAGE_OF_THE_DAY_BYTES: usize = 4_000;

/// Whether a text can be the message of the day: 1 to [`MESSAGE_OF_THE_DAY_BYTES`] bytes of what a message can contain.
pub fn is_message_of_the_day(text: &str) -> bool {
    text.len() <= MESSAGE_OF_THE_DAY_BYTES && Content::new(text).is_ok()
}

/// A text that is shown like the content of a message.
#[derive(Clone, Debug)]
pub(super) struct Announcement;

impl Rule<Option<String>> for Announcement {
    fn describe(&self, row: Row, rows: &mut Vec<Row>) {
        rows.push(row);
    }
}

impl<'de> DeserializeSeed<'de> for Announcement {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        if let Some(text) = text.as_ref().filter(|text| !is_message_of_the_day(text)) {
            let expected = "1 to 4,000 bytes of text without control characters";
            return Err(D::Error::invalid_value(Unexpected::Str(text), &expected));
        }
        Ok(text)
    }
}

/// The name of a room, or an empty text.
#[derive(Clone, Debug)]
pub(super) struct RoomOrNone;

impl Rule<String> for RoomOrNone {
    fn describe(&self, row: Row, rows: &mut Vec<Row>) {
        rows.push(row);
    }
}

impl<'de> DeserializeSeed<'de> for RoomOrNone {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let name = String::deserialize(deserializer)?;
        if !name.is_empty() && RoomName::new(&name).is_err() {
            let expected = "the name of a room, or empty";
            return Err(D::Error::invalid_value(Unexpected::Str(&name), &expected));
        }
        Ok(name)
    }
}

/// The path of a file or a folder, which may be missing. One that no system accepts would fail hours later, where the
/// file is first needed.
#[derive(Clone, Debug)]
pub(super) struct PathOrNone(&'static str);

/// The path of a file, which may be missing.
pub(super) const FILE_OR_NONE: PathOrNone = PathOrNone("the path of a file");
/// The path of a folder, which may be missing.
pub(super) const FOLDER_OR_NONE: PathOrNone = PathOrNone(FOLDER);

impl Rule<Option<String>> for PathOrNone {
    fn describe(&self, row: Row, rows: &mut Vec<Row>) {
        rows.push(row);
    }
}

impl<'de> DeserializeSeed<'de> for PathOrNone {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let path = Option::<String>::deserialize(deserializer)?;
        match path.as_ref().filter(|path| !is_path(path)) {
            Some(path) => Err(D::Error::invalid_value(Unexpected::Str(path), &self.0)),
            None => Ok(path),
        }
    }
}

/// Whether a system could accept a path. Every call refuses one with NUL in it, with a message that names no key.
fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

const FOLDER: &str = "the path of a folder";

/// The path of a folder.
#[derive(Clone, Debug)]
pub(super) struct Folder;

impl Rule<PathBuf> for Folder {
    fn describe(&self, row: Row, rows: &mut Vec<Row>) {
        rows.push(row);
    }
}

impl<'de> DeserializeSeed<'de> for Folder {
    type Value = PathBuf;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PathBuf, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Folder {
    type Value = PathBuf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FOLDER)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PathBuf, E> {
        if !is_path(text) {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        }
        Ok(PathBuf::from(text))
    }
}
