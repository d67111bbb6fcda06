//! A host key as people compare it (wire.md 6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

/// `SHA256:` and the unpadded standard base64 (RFC 4648, section 4) of SHA-256 of the 32-byte key.
pub fn fingerprint(host_key: &VerifyingKey) -> String {
    format!(
        "SHA256:{}",
        STANDARD_NO_PAD.encode(Sha256::digest(host_key.as_bytes()))
    )
}
