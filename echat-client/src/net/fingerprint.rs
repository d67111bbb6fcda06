//! The printed form of a server's key: `SHA256:` and 43 characters of unpadded base64.
//!
//! Two keys are the same when their fingerprints are: this type makes sure that a fingerprint has
//! exactly one spelling, so that comparing texts compares digests.

use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "SHA256:";
/// 32 bytes in base64 without padding: 42 characters of 6 bits, and one that carries only 4.
const DIGEST_CHARS: usize = 43;
/// The characters whose two low bits are zero; any other in the last place would be a second
/// spelling of the same digest.
const LAST: &str = "AEIMQUYcgkosw048";

/// The fingerprint of a server's public key, checked for form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

/// Why a text is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is SHA256: and 43 characters of base64")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digest = text.strip_prefix(PREFIX).ok_or(FingerprintError)?;
        let is_base64 = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
        let well_formed = digest.len() == DIGEST_CHARS
            && digest.bytes().all(is_base64)
            && digest.ends_with(|last| LAST.contains(last));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(FingerprintError)
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn a_fingerprint_is_shown_as_it_was_read() {
        assert_eq!(GOOD.parse::<Fingerprint>().unwrap().to_string(), GOOD);
    }

    #[test]
    fn other_fingerprints_are_refused() {
        let digest = &GOOD[PREFIX.len()..];
        for bad in [
            String::new(),
            digest.to_owned(),
            format!("sha256:{digest}"),
            format!("{GOOD}="),
            GOOD[..GOOD.len() - 1].to_owned(),
            format!("{GOOD} "),
            GOOD.replace('+', "-"),
            // The same 32 bytes, spelled with a stray low bit.
            format!("{}V", &GOOD[..GOOD.len() - 1]),
        ] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad:?} was taken");
        }
    }
}
