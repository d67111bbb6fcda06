//! Secrets that the server makes or stores, each a type that is wiped when it is dropped and whose `Debug` shows nothing
//! of it. Those of the wire are in [`echat_proto::names`].

use std::fmt;

use rand::Rng;
use zeroize::Zeroizing;

/// The random bytes of which one secret is made: a bot's token, an invitation code, a temporary password.
#[derive(Clone)]
pub(crate) struct SecretSeed(Zeroizing<[u8; SecretSeed::BYTES]>);

impl SecretSeed {
    /// As many as the longest secret has.
    pub(crate) const BYTES: usize = 32;

    /// New random bytes.
    pub(crate) fn draw(rng: &mut impl Rng) -> Self {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        rng.fill_bytes(&mut *bytes);
        Self(bytes)
    }

    /// All of them.
    pub(crate) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The first `N`, for a shorter secret.
    pub(crate) fn first<const N: usize>(&self) -> &[u8; N] {
        const { assert!(N <= Self::BYTES, "no secret is longer than its seed") };
        self.0.first_chunk().expect("asserted above")
    }
}

impl fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSeed(..)")
    }
}

/// The PHC string of a password's hash, from the worker that makes it to the database, and back. Empty for a bot, which has
/// no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no password.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes the string over, which is wiped with the hash.
impl From<String> for PasswordHash {
    fn from(phc: String) -> Self {
        Self(Zeroizing::new(phc))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}
