//! The fingerprint of a host key, which people compare (PROTOCOL.md, section 8).

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_equal_those_of_other_tools() {
        // The host key of the golden vectors; the figure is from Python's hashlib and base64.
        let mut key = [0; 32];
        let digits = "ed1d966996c81d444b8cf8627b560261a6c3a6418e1322e0b3bcc59052d1b50c";
        hex::decode_to_slice(digits, &mut key).expect("32 bytes");
        let key = VerifyingKey::from_bytes(&key).expect("a point of the curve");
        assert_eq!(
            fingerprint(&key),
            "SHA256:o/oSRcwexYJsLHpOUoo+Qm2jMe58c6brXwwbfcxEKiU"
        );
    }
}
