//! What is wrong with a config.json, in words for its author.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};
use serde_path_to_error::{Path, Segment};
use thiserror::Error;

/// A text that is no config.json at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing but white space.
    #[error("the file is empty; delete it to use the defaults, or write {{}}")]
    Empty,
    /// Longer than any configuration.
    #[error("the file is longer than {limit} bytes")]
    TooLong {
        /// The longest file that is read, in bytes.
        limit: u64,
    },
    /// Not text.
    #[error("not UTF-8 at line {line}")]
    NotUtf8 {
        /// The line of the first wrong byte, from 1.
        line: usize,
    },
    /// Not JSON; the source names line and column.
    #[error("not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
}

/// One key and what is wrong with it; shown as `server.listen: expected a string, found 12`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct Fault {
    /// The dotted path of the key, or the name of a flag.
    pub path: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no such key here.
    Unknown {
        /// The known key that is spelt most like it, if one is near.
        nearest: Option<&'static str>,
        /// Every key known here.
        known: &'static [&'static str],
    },
    /// The key stands twice in one object.
    Twice,
    /// A value of another JSON type.
    Type {
        /// The type wanted.
        expected: JsonType,
        /// The value found, shortened.
        found: String,
    },
    /// A word that is none of those known here.
    OneOf {
        /// Every word known here.
        known: &'static [&'static str],
        /// The word found, shortened.
        found: String,
    },
    /// The right type, and a value that is not allowed.
    Value {
        /// What is allowed: a range or a form.
        allowed: String,
        /// The value found, shortened.
        found: String,
    },
    /// Anything else; the text says it.
    Invalid(String),
}

/// A JSON type, as it is called in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// Keys and values.
    Object,
    /// A string.
    Text,
    /// A string, or a list of them.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A number without a fraction.
    Whole,
}

impl Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Text => "a string",
            Self::Texts => "a string or a list of strings",
            Self::Flag => "true or false",
            Self::Whole => "a whole number",
        })
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => write!(f, "unknown key; did you mean \"{nearest}\"?"),
            Self::Unknown { known, .. } => write!(f, "unknown key; known: {}", known.join(", ")),
            Self::Twice => f.write_str("the same key twice"),
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::OneOf { known, found } => {
                write!(f, "must be one of {}, not {found}", known.join(", "))
            }
            Self::Value { allowed, found } => write!(f, "must be {allowed}, not {found}"),
            Self::Invalid(why) => f.write_str(why),
        }
    }
}

impl Reason {
    pub(super) fn unknown(key: &str, known: &'static [&'static str]) -> Self {
        let nearest = nearest(key, known);
        Self::Unknown { nearest, known }
    }
}

/// The error that serde passes up through a section: what is wrong, and with which key of the object that
/// is being read, if it is not the object itself.
#[derive(Debug)]
pub(super) struct FieldError {
    pub(super) key: Option<String>,
    pub(super) reason: Reason,
}

impl FieldError {
    /// The mistake with the path of the object or value that was being read.
    pub(super) fn at(self, section: &str, path: &Path) -> Fault {
        let mut whole = section.to_owned();
        for segment in path {
            match segment {
                Segment::Seq { index } => whole = format!("{whole}[{index}]"),
                Segment::Map { key } => push(&mut whole, key),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        if let Some(key) = &self.key {
            push(&mut whole, key);
        }
        if whole.is_empty() {
            "the top level".clone_into(&mut whole);
        }
        Fault {
            path: whole,
            reason: self.reason,
        }
    }
}

/// Adds a key to a path. A key is whatever the file says: escaped, it cannot control the terminal.
pub(super) fn push(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.extend(key.escape_debug());
}

impl From<Reason> for FieldError {
    fn from(reason: Reason) -> Self {
        Self { key: None, reason }
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for FieldError {}

impl Error for FieldError {
    fn custom<T: Display>(text: T) -> Self {
        Reason::Invalid(text.to_string()).into()
    }

    fn invalid_value(found: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        let (allowed, found) = (allowed.to_string(), shown(found));
        Reason::Value { allowed, found }.into()
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let found = quoted(word);
        Reason::OneOf { known, found }.into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self {
            key: Some(key.to_owned()),
            reason: Reason::unknown(key, known),
        }
    }
}

/// A value as a message names it.
fn shown(value: Unexpected<'_>) -> String {
    match value {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Str(text) => quoted(text),
        other => other.to_string(),
    }
}

/// The word that is most like `word`, unless none is near.
pub fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    /// Below this a suggestion confuses more than it helps: found by trying typing errors.
    const NEAR: f64 = 0.75;
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// `text` in quotes, escaped, and shortened to 40 characters.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start:?}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_forgives_a_slip_and_refuses_a_guess() {
        let known = ["listen", "data", "log", "limits"];
        assert_eq!(nearest("lisen", &known), Some("listen"));
        assert_eq!(nearest("Data", &known), Some("data"));
        assert_eq!(nearest("limit", &known), Some("limits"));
        assert_eq!(nearest("colour", &known), None);
    }

    #[test]
    fn quoted_text_is_escaped_and_short() {
        assert_eq!(quoted("a\u{1b}[2J"), r#""a\u{1b}[2J""#);
        assert_eq!(quoted(&"x".repeat(1000)).len(), 40 + "\"\"...".len());
    }
}
