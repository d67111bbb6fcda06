//! What people type, made safe to store: one fallible constructor each.
//!
//! | type | from | refused |
//! | --- | --- | --- |
//! | [`Username`], [`RoomName`] | a name somebody wants to have | [`NameError`] |
//! | [`NameQuery`] | a name somebody asks for | nothing; it may match nothing |
//! | [`Content`] | a message's text | [`ContentError`] |
//! | [`Password`] | a password to keep, or one presented | [`PasswordError`] |
//! | [`TxnId`] | a sender's own number for a message | [`TxnIdError`] |
//!
//! Who holds one of these need not check again. Nothing here knows the wire or the database.

mod look;
mod normal;
mod password;
mod precis;
mod reserved;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

pub use normal::NameError;
pub use password::{Password, PasswordError};
pub use text::{Content, ContentError, TxnId, TxnIdError};

/// Users and rooms are named by the same rules, but one is never taken for the other.
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Normalises and checks a name that is to be created: 1..=20 characters and at most
            /// 64 bytes of letters, digits and `_ . -`, begun by a letter or digit, of one script
            /// or a Highly Restrictive mixture (UTS 39 section 5.2), and no reserved word.
            pub fn new(raw: &str) -> Result<Self, NameError> {
                let stored = normal::normalise(raw)?;
                reserved::refuse(&stored)?;
                Ok(Self(stored))
            }

            /// The stored form: normalised and in lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What the name looks like, see [`looks`].
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

/// What a name in its stored form looks like: skeletons (UTS 39 section 4) of it in lower and in upper
/// case, as it is and without separators at its ends. Two names that share one can be taken for each
/// other, so a new name must share none. One to six texts, which are for comparing only.
pub fn looks(stored: &str) -> BTreeSet<String> {
    look::looks(stored)
}

/// A name as somebody asks for it: to log in, to befriend, to join.
///
/// Making one never fails, because a name that cannot exist is answered like one that does not.
/// Reserved words are looked up like any others: they may become reserved after somebody has one.
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
        Self { raw, key }
    }

    /// The text as it was asked for. It may hold anything, so it is no text to print or to log.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The stored form to look for; `None` when nothing can be so named.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}
