//! The files of lines that were typed and not acknowledged: `unsent/KEY/USER` in the state
//! directory, a file for each server key and user, plain text and mode 0600.
//!
//! A client that reads a file locks it for as long as it runs: another one would send its lines
//! a second time. An empty file is no file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

use crate::fingerprint::Fingerprint;
use crate::private_file;

/// The files of one server.
#[derive(Debug)]
pub(super) struct Unsent {
    /// The state directory; `None` if there is none, and nothing is kept.
    state: Option<PathBuf>,
    key: Option<Fingerprint>,
    /// The locks that are held, by user.
    locks: BTreeMap<String, File>,
}

impl Unsent {
    pub(super) fn new(state: Option<PathBuf>) -> Self {
        Self {
            state,
            key: None,
            locks: BTreeMap::new(),
        }
    }

    /// From now on the server is the one with this key.
    pub(super) fn server(&mut self, key: &Fingerprint) {
        if self.key.as_ref() != Some(key) {
            self.locks.clear();
            self.key = Some(key.clone());
        }
    }

    /// What a user's file holds; `None` if another client has it.
    pub(super) fn load(&mut self, user: &str) -> io::Result<Option<String>> {
        let Some(path) = self.path(user) else {
            return Ok(Some(String::new()));
        };
        if !self.locks.contains_key(user) {
            let lock = private_file::lock_file(&path)?;
            match lock.try_lock() {
                Ok(()) => self.locks.insert(user.to_owned(), lock),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            };
        }
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(String::new())),
            read => read.map(Some),
        }
    }

    /// Writes a user's file, if it is ours to write.
    pub(super) fn save(&self, user: &str, lines: &str) -> io::Result<()> {
        let Some(path) = self.path(user).filter(|_| self.locks.contains_key(user)) else {
            return Ok(());
        };
        if !lines.is_empty() {
            return private_file::replace(&path, lines.as_bytes());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, user: &str) -> Option<PathBuf> {
        let key = self.key.as_ref()?.to_string();
        let key = key.trim_start_matches("SHA256:");
        let folder = self.state.as_ref()?.join("unsent");
        // The alphabet of base64 that file names can have.
        let key = key.replace('/', "_").replace('+', "-");
        Some(folder.join(key).join(file_name(user)))
    }
}

/// A user's name as a file name: ASCII but letters and digits as `%XX`.
fn file_name(user: &str) -> String {
    let mut name = String::new();
    for c in user.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            let _ = write!(name, "%{:02X}", u32::from(c));
        } else {
            name.push(c);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn unsent(state: &std::path::Path, key: char) -> Unsent {
        let mut unsent = Unsent::new(Some(state.to_owned()));
        let key = format!("SHA256:{}{key}", "/".repeat(42));
        unsent.server(&key.parse().unwrap());
        unsent
    }

    #[test]
    fn lines_are_kept_by_server_and_user_for_one_client_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = unsent(directory.path(), 'A');
        assert_eq!(first.load("../ann").unwrap().as_deref(), Some(""));
        first.save("../ann", "one\n").unwrap();
        let path = first.path("../ann").unwrap();
        assert!(path.starts_with(directory.path()) && path.ends_with("%2E%2E%2Fann"));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let mut second = unsent(directory.path(), 'A');
        assert_eq!(second.load("../ann").unwrap(), None);
        second.save("../ann", "two\n").unwrap();
        assert_eq!(second.load("bob").unwrap().as_deref(), Some(""));
        let mut elsewhere = unsent(directory.path(), 'E');
        assert_eq!(elsewhere.load("../ann").unwrap().as_deref(), Some(""));

        drop(first);
        assert_eq!(second.load("../ann").unwrap().as_deref(), Some("one\n"));
        second.save("../ann", "").unwrap();
        assert!(!path.exists());
    }
}
