//! Whether a server's key is the one it should be. A pure decision; nothing is read or written.

use crate::net::fingerprint::Fingerprint;

/// What is known of a server before it shows its key.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The keys that known_hosts has for its address.
    pub known: Vec<Fingerprint>,
    /// The only key that the user will have.
    pub pinned: Option<Fingerprint>,
    /// Whether the key of an unknown server is taken.
    pub accept_new: bool,
}

/// A key that may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// It is known, or pinned.
    Expected,
    /// It is new, and new keys are taken: time to remember it.
    New,
}

/// Why a key is not trusted. Nothing was sent after it was shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The server has never been seen.
    #[error("the server is unknown; its key is {shown}")]
    Unknown {
        /// The key that it showed.
        shown: Fingerprint,
    },
    /// The server is known with another key.
    #[error(
        "the server's key has changed: it is {shown}, expected {}",
        list(known)
    )]
    Changed {
        /// The key that it showed.
        shown: Fingerprint,
        /// The keys that it had.
        known: Vec<Fingerprint>,
    },
    /// The user asked for another key.
    #[error("the server's key is not the expected one: it is {shown}, expected {pinned}")]
    NotPinned {
        /// The key that it showed.
        shown: Fingerprint,
        /// The key that it should have shown.
        pinned: Fingerprint,
    },
}

impl Trust {
    /// Judges the key that a server has proved to hold. A known server must show a known key
    /// whatever is pinned: nothing overrides a changed key.
    pub fn judge(&self, shown: &Fingerprint) -> Result<Trusted, Untrusted> {
        let shown = shown.clone();
        if !self.known.is_empty() && !self.known.contains(&shown) {
            let known = self.known.clone();
            return Err(Untrusted::Changed { shown, known });
        }
        match &self.pinned {
            Some(pinned) if *pinned == shown => Ok(Trusted::Expected),
            Some(pinned) => {
                let pinned = pinned.clone();
                Err(Untrusted::NotPinned { shown, pinned })
            }
            None if !self.known.is_empty() => Ok(Trusted::Expected),
            None if self.accept_new => Ok(Trusted::New),
            None => Err(Untrusted::Unknown { shown }),
        }
    }
}

fn list(keys: &[Fingerprint]) -> String {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    keys.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: char) -> Fingerprint {
        format!("SHA256:{}{last}", "A".repeat(42)).parse().unwrap()
    }

    fn judge(known: &[char], pinned: Option<char>, accept_new: bool) -> Result<Trusted, Untrusted> {
        let known = known.iter().copied().map(key).collect();
        let pinned = pinned.map(key);
        Trust {
            known,
            pinned,
            accept_new,
        }
        .judge(&key('A'))
    }

    #[test]
    fn only_an_expected_key_is_trusted() {
        assert_eq!(judge(&['A'], None, false), Ok(Trusted::Expected));
        assert_eq!(judge(&['E', 'A'], None, false), Ok(Trusted::Expected));
        assert_eq!(judge(&[], Some('A'), false), Ok(Trusted::Expected));
        assert_eq!(judge(&[], None, true), Ok(Trusted::New));
        assert!(matches!(
            judge(&[], None, false),
            Err(Untrusted::Unknown { .. })
        ));
        assert!(matches!(
            judge(&[], Some('E'), false),
            Err(Untrusted::NotPinned { .. })
        ));
        assert!(matches!(
            judge(&['A'], Some('E'), false),
            Err(Untrusted::NotPinned { .. })
        ));
    }

    #[test]
    fn nothing_overrides_a_changed_key() {
        for pinned in [None, Some('A'), Some('E')] {
            for accept_new in [false, true] {
                let error = judge(&['E'], pinned, accept_new).unwrap_err();
                assert!(matches!(error, Untrusted::Changed { .. }));
                let text = error.to_string();
                assert!(
                    text.contains(&key('A').to_string()) && text.contains(&key('E').to_string())
                );
            }
        }
    }
}
