//! Secrets that the server makes or stores, each a type that is wiped when it is dropped and whose `Debug` shows
//! nothing of it. Those of the wire are in [`echat_proto::names`].
//!
//! # What is wiped
//!
//! Wiped after use are: the receive buffer, waiting messages, the parameters of each request that has a secret
//! parameter, the normalised password, its hash between worker and database (`PasswordHash`), the memory of Argon2id
//! after each job (1 ms after 18 ms of hashing), the random bytes of a new secret (`SecretSeed`), and presented and
//! new secrets of sessions, devices and bots. The client keeps password and secret while its user is logged in, for
//! reconnecting.
//!
//! Not wiped are: the characters that NFC buffers; encoded replies, of which LOGIN_BUNDLE, BOT_TOKEN, INVITATION,
//! INVITATIONS and ADMIN_RESULT have secrets; arguments and reports of the administration, and buffers of its socket
//! that grew; invitation codes between database and reply; `SQLite`'s page cache (password hashes and invitation codes,
//! as in the database); the state of the random generators; the 16 KiB of the read buffer (sealed bytes); num-bigint's
//! copies of exponents, each of which is used once; and copies that a move leaves on the stack.

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

/// The PHC string of a password's hash, from the worker that makes it to the database, and back.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the database has in place of the hash for a person that has no password yet: an imported or repaired
    /// account. For a bot, which never has one, it has an empty text.
    pub const NO_PASSWORD: &str = "*";

    /// The hash that the database has for an account; `None` without a password.
    pub fn stored(text: String) -> Option<Self> {
        let is_hash = !text.is_empty() && text != Self::NO_PASSWORD;
        is_hash.then(|| text.into())
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
