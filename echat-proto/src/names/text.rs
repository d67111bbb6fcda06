//! The text of a message, and its sender's identifier.

use std::fmt;

use thiserror::Error;

use crate::limits::{CONTENT_MAX, TXN_ID_MAX};

/// The text of one message: 1..=[`CONTENT_MAX`] bytes of UTF-8 (a server may allow fewer). Newline and tab are the only
/// control characters. The receiving client makes any other risky character visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(String);

/// Why a message's text is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ContentError {
    /// The text is empty.
    #[error("a message needs at least one character")]
    Empty,
    /// The text is too long; its length in bytes.
    #[error("a message has at most {CONTENT_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// A C0 or C1 control character other than newline and tab, or DEL.
    #[error("a message cannot have the control character U+{:04X}", u32::from(*.0))]
    Control(char),
}

impl Content {
    /// Checks a text without changing it.
    pub fn new(raw: impl Into<String>) -> Result<Self, ContentError> {
        let raw = raw.into();
        if raw.is_empty() {
            return Err(ContentError::Empty);
        }
        if raw.len() > CONTENT_MAX {
            return Err(ContentError::TooLong(raw.len()));
        }
        match raw
            .chars()
            .find(|&c| c.is_control() && !matches!(c, '\n' | '\t'))
        {
            Some(c) => Err(ContentError::Control(c)),
            None => Ok(Self(raw)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sender's identifier of a message (`txn_id`), which makes sending idempotent: 1..=64 bytes of 0x21..=0x7e.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxnId(String);

/// Why a transaction id is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TxnIdError {
    /// Empty, or too long.
    #[error("a txn_id has 1 to {TXN_ID_MAX} bytes, this one has {0}")]
    Length(usize),
    /// A byte outside printable ASCII without the space.
    #[error("a txn_id cannot have the byte 0x{0:02x}")]
    Byte(u8),
}

impl TxnId {
    /// Checks an id without changing it.
    pub fn new(raw: impl Into<String>) -> Result<Self, TxnIdError> {
        let raw = raw.into();
        if !(1..=TXN_ID_MAX).contains(&raw.len()) {
            return Err(TxnIdError::Length(raw.len()));
        }
        match raw.bytes().find(|byte| !byte.is_ascii_graphic()) {
            Some(byte) => Err(TxnIdError::Byte(byte)),
            None => Ok(Self(raw)),
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
