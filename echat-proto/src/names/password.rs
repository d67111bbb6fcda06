//! Passwords: normalised so that every keyboard makes the same bytes, and wiped when dropped.

use std::fmt;

use precis_core::profile::PrecisFastInvocation;
use precis_profiles::OpaqueString;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::limits::{PASSWORD_MAX, PASSWORD_MIN};

/// A password. It is wiped when dropped, cannot be cloned, and `Debug` does not show it.
pub struct Password(Zeroizing<Vec<u8>>);

/// Why a password is refused. Holds nothing of the password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PasswordError {
    /// Nothing was presented.
    #[error("a password is needed")]
    Empty,
    /// Too short to be registered.
    #[error("a password has at least {PASSWORD_MIN} bytes")]
    TooShort,
    /// Over the limit, as typed or as normalised.
    #[error("a password has at most {PASSWORD_MAX} bytes")]
    TooLong,
    /// Control characters and others that RFC 8264 keeps out of free text.
    #[error("a password cannot have control characters or unassigned ones")]
    BadCharacter,
}

impl Password {
    /// A password to be kept: 8..=1,024 bytes after normalisation by `OpaqueString` (RFC 8265
    /// section 4), and no more before it. Never trimmed: spaces count.
    pub fn new(raw: &str) -> Result<Self, PasswordError> {
        check_presence(raw)?;
        let bytes = normalise(raw).ok_or(PasswordError::BadCharacter)?;
        match bytes.len() {
            0..PASSWORD_MIN => Err(PasswordError::TooShort),
            PASSWORD_MIN..=PASSWORD_MAX => Ok(Self(bytes)),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// A password somebody claims to have: 1..=1,024 bytes. What cannot be normalised is taken as
    /// it is: no kept password is like it, so it fails as late and as slowly as any wrong one.
    pub fn presented(raw: &str) -> Result<Self, PasswordError> {
        check_presence(raw)?;
        let as_typed = || Zeroizing::new(raw.as_bytes().to_vec());
        Ok(Self(normalise(raw).unwrap_or_else(as_typed)))
    }

    /// The text to send; what was presented as no text of its own cannot occur.
    pub(crate) fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

fn check_presence(raw: &str) -> Result<(), PasswordError> {
    match raw.len() {
        0 => Err(PasswordError::Empty),
        1..=PASSWORD_MAX => Ok(()),
        _ => Err(PasswordError::TooLong),
    }
}

/// The profile's own intermediate copies are not wiped: its crate does not offer it.
fn normalise(raw: &str) -> Option<Zeroizing<Vec<u8>>> {
    let normal = OpaqueString::enforce(raw).ok()?;
    Some(Zeroizing::new(normal.into_owned().into_bytes()))
}
