//! The text of a message, and its sender's identifier.

use std::fmt;

use thiserror::Error;

use crate::limits::{CONTENT_MAX, REASON_BYTES, TOPIC_BYTES, TXN_ID_MAX};

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
    #[error("a message can have at most {CONTENT_MAX} bytes; this one has {0}")]
    TooLong(usize),
    /// A C0 or C1 control character other than newline and tab, or DEL.
    #[error("a message cannot contain the control character U+{:04X}", u32::from(*.0))]
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
        if has_possible_control(raw.as_bytes())
            && let Some(c) = raw.chars().find(|c| is_refused(*c))
        {
            return Err(ContentError::Control(c));
        }
        Ok(Self(raw))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The text, taken out.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Whether a refused character may begin at one of the bytes. Groups without an early end become vector instructions.
fn has_possible_control(bytes: &[u8]) -> bool {
    let mut groups = bytes.chunks(32);
    groups.any(|group| {
        group
            .iter()
            .fold(false, |found, byte| found | may_be_control(*byte))
    })
}

fn is_refused(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// Whether a refused character may begin with this byte. In UTF-8, C1 controls begin with 0xc2, as other characters do.
/// Most texts have none of these bytes, and bytes are looked through faster than characters.
fn may_be_control(byte: u8) -> bool {
    (byte < b' ' && !matches!(byte, b'\n' | b'\t')) || matches!(byte, 0x7f | 0xc2)
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
    #[error("a txn_id must have 1 to {TXN_ID_MAX} bytes; this one has {0}")]
    Length(usize),
    /// A byte outside printable ASCII without the space.
    #[error("a txn_id cannot contain the byte 0x{0:02x}")]
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

/// The first character of a text that must be one line which does not belong there: a control character, which includes
/// newline and tab, or a separator of lines or paragraphs (U+2028, U+2029).
pub fn refused_in_one_line(text: &str) -> Option<char> {
    let is_refused = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().find(is_refused)
}

/// Why a user is sent away: up to 200 bytes in one line; an empty one is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonText(String);

/// Why a reason is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReasonError {
    /// The text is too long; its length in bytes.
    #[error("a reason can have at most {REASON_BYTES} bytes; this one has {0}")]
    TooLong(usize),
    /// See [`refused_in_one_line`].
    #[error("a reason cannot contain the control character U+{:04X}", u32::from(*.0))]
    Control(char),
}

impl ReasonText {
    /// Checks a text without changing it.
    pub fn new(raw: impl Into<String>) -> Result<Self, ReasonError> {
        let raw = raw.into();
        if raw.len() > REASON_BYTES {
            return Err(ReasonError::TooLong(raw.len()));
        }
        match refused_in_one_line(&raw) {
            Some(c) => Err(ReasonError::Control(c)),
            None => Ok(Self(raw)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out; `None` if it is empty.
    pub fn into_text(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

/// The topic of a room: up to 300 bytes in one line; an empty one is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic(String);

/// Why a topic is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TopicError {
    /// The text is too long; its length in bytes.
    #[error("a topic can have at most {TOPIC_BYTES} bytes; this one has {0}")]
    TooLong(usize),
    /// See [`refused_in_one_line`].
    #[error("a topic cannot contain the control character U+{:04X}", u32::from(*.0))]
    Control(char),
}

impl Topic {
    /// Checks a text without changing it.
    pub fn new(raw: impl Into<String>) -> Result<Self, TopicError> {
        let raw = raw.into();
        if raw.len() > TOPIC_BYTES {
            return Err(TopicError::TooLong(raw.len()));
        }
        match refused_in_one_line(&raw) {
            Some(c) => Err(TopicError::Control(c)),
            None => Ok(Self(raw)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_character_but_newline_and_tab_is_refused_wherever_it_stands() {
        for c in '\0'..=char::MAX {
            let refused = c.is_control() && c != '\n' && c != '\t';
            for text in [format!("{c}"), format!("ab{c}"), format!("é£{c}z")] {
                let content = Content::new(text.as_str());
                let expected = if refused {
                    Err(ContentError::Control(c))
                } else {
                    Ok(Content(text))
                };
                assert_eq!(content, expected, "{c:?}");
            }
        }
    }

    #[test]
    fn a_reason_is_one_line_of_up_to_200_bytes() {
        assert_eq!(ReasonText::new("").unwrap().into_text(), None);
        let longest = "x".repeat(200);
        assert_eq!(ReasonText::new(longest.clone()).unwrap().as_str(), longest);
        assert_eq!(
            ReasonText::new("茶".repeat(67)),
            Err(ReasonError::TooLong(201))
        );
        for c in ['\0', '\t', '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}'] {
            let refused = ReasonText::new(format!("spam{c}"));
            assert_eq!(refused, Err(ReasonError::Control(c)));
        }
    }

    #[test]
    fn a_topic_is_one_line_of_up_to_300_bytes() {
        assert_eq!(Topic::new("").unwrap(), Topic::default());
        let longest = "茶".repeat(100);
        assert_eq!(Topic::new(longest.clone()).unwrap().as_str(), longest);
        assert_eq!(Topic::new("x".repeat(301)), Err(TopicError::TooLong(301)));
        for c in [
            '\0', '\t', '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}',
        ] {
            let refused = Topic::new(format!("tea{c}"));
            assert_eq!(refused, Err(TopicError::Control(c)));
        }
    }
}
