//! The secret with which a session is resumed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::limits::PASSWORD_MAX;

/// A secret that logs in once in place of the password (PROTOCOL.md, section 5.8). As text it is the unpadded base64url
/// form (RFC 4648, section 5) of 32 bytes: 43 characters. It is wiped when dropped; `Debug` does not show it.
///
/// A text of any other form is kept as it is: presented at a login it matches no secret, as a wrong password does. The
/// empty text in `LOGIN_BUNDLE` says that there is no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeSecret(Zeroizing<String>);

/// A secret by which a server knows a client again (PROTOCOL.md, section 5.9). It has the form of a [`ResumeSecret`].
pub type DeviceSecret = ResumeSecret;

/// Why a text is refused as a secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ResumeSecretError {
    /// The text is longer than any secret.
    #[error("a secret has at most {PASSWORD_MAX} bytes")]
    TooLong,
}

impl ResumeSecret {
    /// Bytes of a secret.
    pub const BYTES: usize = 32;
    /// Characters of its text.
    pub const CHARACTERS: usize = 43;

    /// The secret with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        // A buffer that never grows leaves no copies.
        let mut text = Zeroizing::new(String::with_capacity(Self::CHARACTERS));
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        Self(text)
    }

    /// The text that says that there is no secret.
    pub fn none() -> Self {
        Self(Zeroizing::default())
    }

    /// A text presented as a secret: at most 1,024 bytes.
    pub fn presented(text: &str) -> Result<Self, ResumeSecretError> {
        if text.len() > PASSWORD_MAX {
            return Err(ResumeSecretError::TooLong);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Whether this says that there is no secret.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of the secret; `None` for a text of another form.
    pub fn bytes(&self) -> Option<Zeroizing<[u8; Self::BYTES]>> {
        // The decoder asks for space for the last, incomplete group, too.
        let mut buffer = Zeroizing::new([0; Self::BYTES + 1]);
        let length = URL_SAFE_NO_PAD.decode_slice(self.0.as_bytes(), &mut *buffer);
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        let found = buffer.get(..length.ok()?)?;
        if found.len() != Self::BYTES {
            return None;
        }
        bytes.copy_from_slice(found);
        Some(bytes)
    }

    /// The text to send, and to keep.
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }
}

impl Zeroize for ResumeSecret {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ResumeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_one_form_and_round_trips() {
        let secret = ResumeSecret::from_bytes(&[0xfb; 32]);
        let text = secret.to_text();
        // From Python's base64.urlsafe_b64encode.
        assert_eq!(text, "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
        assert_eq!(text.len(), ResumeSecret::CHARACTERS);
        let again = ResumeSecret::presented(&text).expect("short");
        assert_eq!(again, secret);
        assert_eq!(*again.bytes().expect("32 bytes"), [0xfb; 32]);
        assert!(!format!("{secret:?}").contains(&text));
    }

    #[test]
    fn a_text_of_another_form_is_refused() {
        let text = ResumeSecret::from_bytes(&[0xfb; 32]).to_text();
        let padded = format!("{text}=");
        // The last character holds two bits that belong to no byte.
        let loose = format!("{}t", &text[..42]);
        let standard = text.replace('-', "+");
        let long = "A".repeat(1_024);
        let others = ["", "wrong", &text[..42], &padded, &loose, &standard, &long];
        for other in others {
            let presented = ResumeSecret::presented(other).expect("short");
            assert_eq!(presented.bytes(), None, "{other}");
            assert_eq!(presented.is_none(), other.is_empty());
        }
        assert!(ResumeSecret::presented(&"A".repeat(1_025)).is_err());
        assert!(ResumeSecret::none().is_none());
    }
}
