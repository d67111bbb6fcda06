//! The files of lines that were typed and not acknowledged: `unsent/KEY/USER` in the state
//! directory, a file for each server key and user, plain text and mode 0600.
//!
//! A client that reads a file locks it for as long as it runs: another one would send its lines
//! a second time. An empty file is no file. What is never sent is moved to `USER.aside` beside it.
//!
//! What a server calls its user is text from outside. Only what can be a stored name makes a file
//! ([`NameQuery::key`]), and all spellings of a name make the same one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use echat_proto::names::NameQuery;
use echat_system::private_file;

use crate::app::Files;
use crate::net::fingerprint::Fingerprint;

/// Why a user's lines are not read or not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnsentError {
    /// What the server calls the user can be no name.
    #[error(
        "not created, because the server reports a user name that is not valid; \
         unsent lines are lost when echat quits"
    )]
    NoName,
    /// The file was not read, and may hold other lines.
    #[error("{}: not written, because it was not read", path.display())]
    NotRead {
        /// The file of the lines.
        path: PathBuf,
    },
    /// Reading, writing or locking failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file of the lines.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl UnsentError {
    /// What befell a file.
    fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// The files of one server.
#[derive(Debug)]
pub(super) struct Unsent {
    /// The state directory; `None` if there is none, and nothing is kept.
    state: Option<PathBuf>,
    key: Option<Fingerprint>,
    /// The locks that are held, by the user's stored name.
    locks: BTreeMap<String, File>,
    /// The users whose files could not be locked or read, by their stored names: they are not ours.
    foreign: BTreeSet<String>,
    /// Whether it was said that a user has no file.
    is_refused: bool,
    /// Lines that were set aside and could not be written there yet, by the user's file: another server may have a user
    /// of the same name.
    owed: BTreeMap<PathBuf, Vec<u8>>,
}

impl Unsent {
    pub(super) fn new(state: Option<PathBuf>) -> Self {
        Self {
            state,
            key: None,
            locks: BTreeMap::new(),
            foreign: BTreeSet::new(),
            is_refused: false,
            owed: BTreeMap::new(),
        }
    }

    /// From now on the server is the one with this key.
    pub(super) fn server(&mut self, key: &Fingerprint) {
        if self.key.as_ref() != Some(key) {
            self.locks.clear();
            self.foreign.clear();
            self.key = Some(key.clone());
        }
    }

    /// The bytes of a user's file; `None` if another client has it. A user that can have no file has
    /// nothing in it.
    ///
    /// # Errors
    /// The file cannot be locked or read. It is not ours then: nothing here writes or removes it.
    pub(super) fn load(&mut self, user: &str) -> Result<Option<Vec<u8>>, UnsentError> {
        let Some((name, path)) = stored_name(user).and_then(|name| self.named(name)) else {
            return Ok(Some(Vec::new()));
        };
        self.foreign.insert(name.clone());
        if let Entry::Vacant(place) = self.locks.entry(name.clone()) {
            let lock = private_file::lock_file(&path).map_err(UnsentError::at(&path))?;
            match lock.try_lock() {
                Ok(()) => place.insert(lock),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(UnsentError::at(&path)(error)),
            };
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.locks.remove(&name);
                return Err(UnsentError::at(&path)(error));
            }
        };
        self.foreign.remove(&name);
        Ok(Some(bytes))
    }

    /// Whether a user's file is ours to write. It is not if another client has it, or if it cannot be read; that was
    /// said then.
    ///
    /// # Errors
    /// The file was never read.
    fn is_ours(&self, name: &str, path: &Path) -> Result<bool, UnsentError> {
        let is_locked = self.locks.contains_key(name);
        if !is_locked && !self.foreign.contains(name) {
            let path = path.to_owned();
            return Err(UnsentError::NotRead { path });
        }
        Ok(is_locked)
    }

    /// Where the lines of a user are kept; `None` if they are not.
    pub(super) fn files(&self, user: &str) -> Option<Files> {
        let (name, path) = stored_name(user).and_then(|name| self.named(name))?;
        self.locks.contains_key(&name).then(|| Files {
            waiting: path.display().to_string(),
            aside: aside(&path).display().to_string(),
        })
    }

    /// Adds a line to the file of those that are never sent. While that fails, [`Unsent::save`] keeps
    /// it among the others.
    ///
    /// # Errors
    /// The file cannot be written, or that of the user's other lines was never read.
    pub(super) fn set_aside(&mut self, user: &str, line: &[u8]) -> Result<(), UnsentError> {
        let Some((name, path)) = stored_name(user).and_then(|name| self.named(name)) else {
            return Ok(());
        };
        if !self.is_ours(&name, &path)? {
            return Ok(());
        }
        let owed = self.owed.entry(path.clone()).or_default();
        owed.extend_from_slice(line);
        let path = aside(&path);
        append(&path, owed).map_err(UnsentError::at(&path))?;
        owed.clear();
        Ok(())
    }

    /// Writes a user's file, if it is ours to write. That there is none for a user is an error
    /// once, and only with lines to keep.
    ///
    /// # Errors
    /// The file cannot be written. With lines to keep, also if it was never read.
    pub(super) fn save(&mut self, user: &str, lines: &str) -> Result<(), UnsentError> {
        let Some(name) = stored_name(user) else {
            let is_first = !lines.is_empty() && !std::mem::replace(&mut self.is_refused, true);
            return if is_first {
                Err(UnsentError::NoName)
            } else {
                Ok(())
            };
        };
        let Some((name, path)) = self.named(name) else {
            return Ok(());
        };
        let has_nothing = lines.is_empty() && !self.locks.contains_key(&name);
        if has_nothing || !self.is_ours(&name, &path)? {
            return Ok(());
        }
        let owed = self.owed.get(&path).map_or(&[][..], Vec::as_slice);
        let lines = [owed, lines.as_bytes()].concat();
        if !lines.is_empty() {
            return private_file::replace(&path, |file| file.write_all(&lines))
                .map_err(UnsentError::at(&path));
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(UnsentError::at(&path)(error))
            }
            _ => Ok(()),
        }
    }

    /// A stored name and the path of its file; `None` without a place or a server.
    fn named(&self, name: String) -> Option<(String, PathBuf)> {
        let path = user_file(self.state.as_deref()?, "unsent", self.key.as_ref()?, &name);
        Some((name, path))
    }
}

/// The file of a user on a server, `FOLDER/KEY/USER` in the state directory, for a name as servers store it.
pub(super) fn user_file(state: &Path, folder: &str, key: &Fingerprint, name: &str) -> PathBuf {
    let key = key.to_string();
    let key = key.trim_start_matches("SHA256:");
    // The alphabet of base64 that file names can have.
    let key = key.replace('/', "_").replace('+', "-");
    state.join(folder).join(key).join(file_name(name))
}

/// Where the lines are that are never sent. No user's file is called so: a name has no dot there.
fn aside(path: &Path) -> PathBuf {
    private_file::beside(path, "aside")
}

/// Adds to a file that only its owner may read, and syncs it. A part that cannot be added leaves it as
/// it was.
fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let length = file.metadata()?.len();
    let added = file.write_all(bytes).and_then(|()| file.sync_all());
    if added.is_err() {
        file.set_len(length)?;
    }
    added
}

/// The form in which a server stores this name; `None` if it can be none.
pub(super) fn stored_name(user: &str) -> Option<String> {
    NameQuery::new(user).key().map(str::to_owned)
}

/// A stored name as a file name: its `_ . -` as `%XX`. It has at most 64 bytes, 192 so written.
fn file_name(name: &str) -> String {
    let mut file = String::new();
    for c in name.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            let _ = write!(file, "%{:02X}", u32::from(c));
        } else {
            file.push(c);
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn key(last: char) -> Fingerprint {
        let text = format!("SHA256:{}{last}", "/".repeat(42));
        text.parse().unwrap()
    }

    fn unsent(state: &Path, last: char) -> Unsent {
        let mut unsent = Unsent::new(Some(state.to_owned()));
        unsent.server(&key(last));
        unsent
    }

    fn path_of(unsent: &Unsent, user: &str) -> PathBuf {
        unsent.named(stored_name(user).unwrap()).unwrap().1
    }

    #[test]
    fn lines_are_kept_by_server_and_user_for_one_client_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = unsent(directory.path(), 'A');
        assert_eq!(first.load("a.n_n-").unwrap().as_deref(), Some(&b""[..]));
        first.save("a.n_n-", "one\n").unwrap();
        let path = path_of(&first, "a.n_n-");
        assert!(path.starts_with(directory.path()) && path.ends_with("a%2En%5Fn%2D"));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let mut second = unsent(directory.path(), 'A');
        assert_eq!(second.load("a.n_n-").unwrap(), None);
        second.save("a.n_n-", "two\n").unwrap();
        assert_eq!(second.load("bob").unwrap().as_deref(), Some(&b""[..]));
        let mut elsewhere = unsent(directory.path(), 'E');
        assert_eq!(elsewhere.load("a.n_n-").unwrap().as_deref(), Some(&b""[..]));

        drop(first);
        assert_eq!(
            second.load("a.n_n-").unwrap().as_deref(),
            Some(&b"one\n"[..])
        );
        second.save("a.n_n-", "").unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_never_touched() {
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        let path = path_of(&unsent, "ann");
        // A read of a directory fails for root too.
        fs::create_dir_all(&path).unwrap();
        assert!(unsent.load("ann").is_err());
        assert_eq!(unsent.files("ann"), None);
        // Readable again, it holds what an earlier run kept.
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "good\n").unwrap();
        unsent.set_aside("ann", b"bad\n").unwrap();
        unsent.save("ann", "new\n").unwrap();
        unsent.save("ann", "").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"good\n");
        assert!(!aside(&path).exists());
    }

    #[test]
    fn invalid_bytes_are_set_aside_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        let path = path_of(&unsent, "ann");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"good\nb\xffd\n").unwrap();
        let loaded = unsent.load("ann").unwrap();
        assert_eq!(loaded.as_deref(), Some(&b"good\nb\xffd\n"[..]));
        unsent.set_aside("ann", b"b\xffd\n").unwrap();
        assert_eq!(fs::read(aside(&path)).unwrap(), b"b\xffd\n");
    }

    #[test]
    fn lines_set_aside_are_appended_to_a_separate_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        assert_eq!(unsent.files("ann"), None);
        assert!(unsent.set_aside("ann", b"lost\n").is_err());
        unsent.load("ann").unwrap();
        let files = unsent.files("ann").unwrap();
        unsent.set_aside("ann", b"one\n").unwrap();
        unsent.set_aside("ann", b"two\n").unwrap();
        unsent.save("ann", "").unwrap();
        assert_eq!(fs::read_to_string(&files.aside).unwrap(), "one\ntwo\n");
        let mode = fs::metadata(&files.aside).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!Path::new(&files.waiting).exists());
    }

    #[test]
    fn lines_that_cannot_be_set_aside_go_to_no_other_server() {
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        let path = path_of(&unsent, "ann");
        unsent.load("ann").unwrap();
        fs::create_dir(aside(&path)).unwrap();
        assert!(unsent.set_aside("ann", b"lost\n").is_err());
        unsent.server(&key('E'));
        unsent.load("ann").unwrap();
        unsent.save("ann", "other\n").unwrap();
        assert_eq!(fs::read(path_of(&unsent, "ann")).unwrap(), b"other\n");
        // They are still those of the first server.
        unsent.server(&key('A'));
        unsent.load("ann").unwrap();
        unsent.save("ann", "one\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"lost\none\n");
    }

    #[test]
    fn lines_of_a_user_whose_file_was_not_read_are_not_dropped_silently() {
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        unsent.load("ann").unwrap();
        assert!(unsent.save("anna", "one\n").is_err());
        assert!(unsent.set_aside("anna", b"bad\n").is_err());
        unsent.save("anna", "").unwrap();
        unsent.load("anna").unwrap();
        unsent.save("anna", "one\n").unwrap();
        assert_eq!(fs::read(path_of(&unsent, "anna")).unwrap(), b"one\n");
    }

    #[test]
    fn a_line_that_cannot_be_set_aside_stays_with_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        unsent.load("ann").unwrap();
        let files = unsent.files("ann").unwrap();
        fs::create_dir(&files.aside).unwrap();
        assert!(unsent.set_aside("ann", b"bad\n").is_err());
        unsent.save("ann", "good\n").unwrap();
        let kept = || fs::read_to_string(&files.waiting).unwrap();
        assert_eq!(kept(), "bad\ngood\n");
        fs::remove_dir(&files.aside).unwrap();
        unsent.set_aside("ann", b"worse\n").unwrap();
        unsent.save("ann", "good\n").unwrap();
        assert_eq!(kept(), "good\n");
        assert_eq!(fs::read_to_string(&files.aside).unwrap(), "bad\nworse\n");
    }

    #[test]
    fn all_spellings_of_a_name_share_one_file() {
        for (one, other) in [
            ("ann", "ANN"),
            ("Müller", "mu\u{308}ller"),
            ("ｂｏｂ", "bob"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let mut first = unsent(directory.path(), 'A');
            first.load(one).unwrap();
            first.save(one, "one\n").unwrap();
            assert_eq!(first.load(other).unwrap().as_deref(), Some(&b"one\n"[..]));
            let mut second = unsent(directory.path(), 'A');
            assert_eq!(second.load(other).unwrap(), None, "{other:?}");
        }
    }

    #[test]
    fn an_impossible_name_creates_no_file_and_is_reported_once() {
        let long = "a".repeat(300);
        let at_the_limit = "a".repeat(20);
        for user in [
            "",
            ".",
            "..",
            "../ann",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "\u{1b}[2J",
            "a b",
            "-ann",
            ".ann",
            "ann%2E",
            "a\u{202e}b",
            "🙂",
            &long,
        ] {
            let directory = tempfile::tempdir().unwrap();
            let state = directory.path().join("state");
            let mut unsent = unsent(&state, 'A');
            assert_eq!(unsent.load(user).unwrap().as_deref(), Some(&b""[..]));
            unsent.save(user, "").unwrap();
            let refused = unsent.save(user, "one\n");
            assert!(matches!(refused, Err(UnsentError::NoName)), "{user:?}");
            unsent.save(user, "one\ntwo\n").unwrap();
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
        let directory = tempfile::tempdir().unwrap();
        let mut unsent = unsent(directory.path(), 'A');
        unsent.load(&at_the_limit).unwrap();
        unsent.save(&at_the_limit, "one\n").unwrap();
        assert!(path_of(&unsent, &at_the_limit).exists());
    }
}
