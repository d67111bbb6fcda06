//! Texts that people choose, as types with one fallible constructor each.
//!
//! | type | from | refused |
//! | --- | --- | --- |
//! | [`Username`], [`RoomName`] | a new name | [`NameError`] |
//! | [`NameQuery`] | a name to look up | nothing; it may match nothing |
//! | [`Content`] | the text of a message | [`ContentError`] |
//! | [`Password`] | a new password, or one presented at login | [`PasswordError`] |
//! | [`ResumeSecret`] | a secret presented at login | [`ResumeSecretError`] |
//! | [`BotToken`] | a bot's token presented at login | [`BotTokenError`] |
//! | [`Topic`] | the topic of a room | [`TopicError`] |
//! | [`TxnId`] | a sender's identifier of a message | [`TxnIdError`] |
//!
//! A value of one of these types is valid and needs no further check. This module does not know the wire or the
//! database. PROTOCOL.md, section 5.7, has the rules.

mod invitation;
mod look;
mod normal;
mod password;
mod precis;
mod reserved;
mod resume;
mod text;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

pub use invitation::{InvitationCode, InvitationCodeError};
pub use normal::NameError;
pub use password::{Password, PasswordError};
pub use resume::{DeviceSecret, ResumeSecret, ResumeSecretError};
pub use text::{
    Content, ContentError, ReasonError, ReasonText, Topic, TopicError, TxnId, TxnIdError,
    refused_in_one_line,
};
pub use token::{BotToken, BotTokenError};

/// Names of users and rooms follow the same rules; two types keep them apart.
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Normalises and checks a new name: 1..=20 characters and at most 64 bytes of letters, digits and
            /// `_ . -`, beginning with a letter or digit, of one script or a Highly Restrictive mixture
            /// (UTS 39, section 5.2), and no reserved word.
            pub fn new(raw: &str) -> Result<Self, NameError> {
                let stored = normal::normalise(raw)?;
                reserved::refuse(&stored)?;
                Ok(Self(stored))
            }

            /// The stored form: normalised, lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The skeletons of the name, see [`looks`].
            pub fn looks(&self) -> BTreeSet<String> {
                look::looks(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// The name of a user, in its stored form.
    Username
}

name_type! {
    /// The name of a room, in its stored form.
    RoomName
}

/// The skeletons (UTS 39, section 4) of a name in its stored form: in lower and upper case, with and without
/// separators at its ends. Two names that share a skeleton are confusable, so a new name must share none with an
/// existing one. One to six texts, for comparison only.
pub fn looks(stored: &str) -> BTreeSet<String> {
    look::looks(stored)
}

/// What the names of deleted accounts begin with. A number follows. Since it has spaces, no user can take such a name.
pub const DELETED_ACCOUNT: &str = "deleted account ";

/// The name that a deleted account is shown under, in its stored form.
pub fn name_of_deleted_account(number: i64) -> String {
    format!("{DELETED_ACCOUNT}{number}")
}

fn is_of_deleted_account(name: &str) -> bool {
    let number = name.strip_prefix(DELETED_ACCOUNT);
    let number = number.and_then(|number| number.parse::<i64>().ok());
    number.is_some_and(|number| number > 0 && name == name_of_deleted_account(number))
}

/// A name to look up, as in LOGIN, ADD_FRIEND or JOIN_ROOM.
///
/// The constructor never fails, because a name that cannot exist is treated like one that does not exist. Reserved
/// words are looked up like other names, since an account may be older than the reservation. The name of a deleted
/// account is looked up as it is written: conversations with it can still be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameQuery {
    raw: String,
    key: Option<String>,
}

impl NameQuery {
    /// Takes any text.
    pub fn new(raw: impl Into<String>) -> Self {
        let raw = raw.into();
        let key = normal::normalise(&raw).ok();
        let key = key.or_else(|| is_of_deleted_account(&raw).then(|| raw.clone()));
        Self { raw, key }
    }

    /// Whether the stored form of a text takes the tables of Unicode: about 30 us, and 1 us or less otherwise.
    pub fn needs_tables(raw: &str) -> bool {
        normal::needs_tables(raw)
    }

    /// The text as received. It may contain anything and must not be printed or logged.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The stored form to look up; `None` if no name can have it.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}
