//! Why a configuration is refused, in words for the person who wrote it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A configuration that is not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is missing, a folder, or cannot be read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has nothing but white space in it.
    #[error("{}: is empty; leave it out to get the defaults, or write {{}}", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// The file is longer than any configuration.
    #[error("{}: is longer than {limit} bytes", file.display())]
    TooLong {
        /// The file.
        file: PathBuf,
        /// The longest file read, in bytes.
        limit: u64,
    },
    /// The file is not text.
    #[error("{}: not UTF-8 at line {line}", file.display())]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// The line of the first wrong byte, from 1.
        line: usize,
    },
    /// The file is not JSON; the source names line and column.
    #[error("{}: not JSON: {source}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Where, and what was expected.
        source: serde_json::Error,
    },
    /// A key or its value is wrong.
    #[error("{}: {fault}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// The key and what is wrong with it.
        fault: Fault,
    },
    /// A value from a flag or the environment is wrong.
    #[error("{0}")]
    Flag(Fault),
}

/// One key and what is wrong with it; shown as `server.listen: expected a string, found 12`.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct Fault {
    /// The dotted path of the key, or the name of the flag.
    pub path: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a key.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No such key here.
    Unknown {
        /// The known key spelt most like it, when one is near.
        nearest: Option<&'static str>,
        /// Every key known here.
        known: Vec<&'static str>,
    },
    /// The key stands twice in one object.
    Twice,
    /// A value of another JSON type.
    Type {
        /// The type wanted, with its article.
        expected: &'static str,
        /// The value found, shortened.
        found: String,
    },
    /// The right type and a value that is not allowed; the text says what is.
    Invalid(String),
}

impl Reason {
    pub(super) fn unknown(key: &str, known: &[&'static str]) -> Self {
        Self::Unknown {
            nearest: nearest(key, known),
            known: known.to_vec(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => {
                write!(f, "unknown key; did you mean \"{nearest}\"?")
            }
            Self::Unknown { known, .. } => write!(f, "unknown key; known: {}", known.join(", ")),
            Self::Twice => f.write_str("the same key twice"),
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Invalid(why) => f.write_str(why),
        }
    }
}

/// The word most like `word`, unless none comes near.
pub(super) fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
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
pub(super) fn quoted(text: &str) -> String {
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
