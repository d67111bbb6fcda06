//! The secrets by which servers know this device: `devices/KEY/USER` in the state directory, a file for each server key
//! and user, mode 0600. A login that presents one has a budget of its own against guessed passwords, so that strangers
//! cannot delay it.
//!
//! A secret that cannot be read or written costs only that budget: the login goes on without it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use echat_proto::names::DeviceSecret;
use echat_system::private_file;
use zeroize::Zeroizing;

use super::unsent::{stored_name, user_file};
use crate::net::fingerprint::Fingerprint;

/// The secrets of all users and servers.
#[derive(Debug)]
pub(super) struct Devices {
    /// The state directory; `None` if there is none, and nothing is kept.
    state: Option<PathBuf>,
    key: Option<Fingerprint>,
}

impl Devices {
    pub(super) fn new(state: Option<PathBuf>) -> Self {
        Self { state, key: None }
    }

    /// From now on the server is the one with this key.
    pub(super) fn server(&mut self, key: &Fingerprint) {
        self.key = Some(key.clone());
    }

    /// The secret that this server gave for a user.
    pub(super) fn load(&self, user: &str) -> Option<DeviceSecret> {
        let text = Zeroizing::new(fs::read_to_string(self.path(user)?).ok()?);
        let secret = DeviceSecret::presented(text.trim_end()).ok()?;
        // A file of another form is not sent: it may be anything.
        secret.bytes().is_some().then_some(secret)
    }

    /// Keeps the secret in place of the one before. One that is kept already is not written again.
    pub(super) fn keep(&self, user: &str, secret: &DeviceSecret) {
        let Some(path) = self.path(user) else {
            return;
        };
        if self.load(user).as_ref() == Some(secret) {
            return;
        }
        // Another client of the user that is about to write brings a secret that is as good.
        let lock = private_file::lock_file(&path).ok();
        let Some(_lock) = lock.filter(|lock| lock.try_lock().is_ok()) else {
            return;
        };
        let text = Zeroizing::new(secret.to_text() + "\n");
        let _ = private_file::replace(&path, |file| file.write_all(text.as_bytes()));
    }

    /// A user has another name, and the server knows the same secret under it.
    pub(super) fn rename(&self, was: &str, name: &str) {
        let Some(secret) = self.load(was) else {
            return;
        };
        self.keep(name, &secret);
        if let (Some(old), Some(new)) = (self.path(was), self.path(name))
            && old != new
            && self.load(name) == Some(secret)
        {
            let _ = private_file::remove(&old);
        }
    }

    fn path(&self, user: &str) -> Option<PathBuf> {
        let name = stored_name(user)?;
        let (state, key) = (self.state.as_deref()?, self.key.as_ref()?);
        Some(user_file(state, "devices", key, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn devices(state: &tempfile::TempDir, key: char) -> Devices {
        let mut devices = Devices::new(Some(state.path().to_owned()));
        let key = format!("SHA256:{}{key}", "/".repeat(42));
        devices.server(&key.parse().unwrap());
        devices
    }

    #[test]
    fn a_secret_is_kept_privately_by_server_and_user() {
        let state = tempfile::tempdir().unwrap();
        let (first, second) = (devices(&state, 'A'), devices(&state, 'E'));
        let secret = DeviceSecret::from_bytes(&[7; 32]);
        assert_eq!(first.load("ann"), None);
        first.keep("Ann", &secret);
        assert_eq!(first.load("ann"), Some(secret));
        assert_eq!(first.load("bob"), None);
        assert_eq!(second.load("ann"), None);
        let path = first.path("ann").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let newer = DeviceSecret::from_bytes(&[8; 32]);
        first.keep("ann", &newer);
        assert_eq!(first.load("ann"), Some(newer));
        // The server knows the user under another name.
        first.rename("ann", "ella");
        let newer = DeviceSecret::from_bytes(&[8; 32]);
        assert_eq!(first.load("ella"), Some(newer));
        assert_eq!(first.load("ann"), None);
        first.rename("ann", "eve");
        assert_eq!(first.load("eve"), None);
        first.rename("ella", "Ella");
        assert!(first.load("ella").is_some());
        fs::write(&path, "of another form").unwrap();
        assert_eq!(first.load("ann"), None);
        // Without a state directory nothing is kept.
        Devices::new(None).keep("ann", &DeviceSecret::from_bytes(&[7; 32]));
    }
}
