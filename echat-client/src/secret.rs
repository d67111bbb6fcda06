//! Texts and bytes that are secrets or may be: passwords, tokens, invitation codes, lines as they were typed or pasted.
//! They are wiped when dropped, and `Debug` shows nothing of them.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

/// A text that is a secret or may be one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Bytes that hold a secret or may do so, such as those of a LOGIN.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// Takes the string over, which is wiped with the secret.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Takes the bytes over, which are wiped with the secret.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        let (text, bytes) = (Secret::from("canary"), SecretBytes::from(vec![0xab, 0xcd]));
        assert_eq!((&*text, &*bytes), ("canary", &[0xab, 0xcd][..]));
        assert_eq!(format!("{text:?} {bytes:?}"), "Secret(..) SecretBytes(..)");
    }
}
