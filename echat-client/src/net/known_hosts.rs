//! Which server showed which key: the file `known_hosts`.
//!
//! ```text
//! # comments and empty lines are kept
//! chat.example.org:7000 SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
//! [2001:db8::1]:7000 SHA256:...
//! ```
//!
//! Several lines for one address are several keys that it may show; only a person writes such
//! lines. [`KnownHosts::remember`] never replaces a key: that takes [`KnownHosts::forget`] first.
//! A line that means nothing is kept as it is and counted in [`Keys::malformed`].
//!
//! Every change writes a new file (mode 0600, in a directory made with 0700) and renames it over
//! the old one, under a lock, so that two clients that meet a new server at once both succeed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use echat_system::private_file;
use rustix::fs::{FlockOperation, flock};

use crate::local::folders;
use crate::local::lines::without_mark;
use crate::net::address::Address;
use crate::net::fingerprint::Fingerprint;

/// A variable that names another file.
pub(crate) const VARIABLE: &str = "ECHAT_KNOWN_HOSTS";
/// The largest file that is read, in bytes: some ten thousand servers.
const MAX_FILE: u64 = 1 << 20;

/// The longest chain of symbolic links that is followed, as on Linux.
const LINKS_MAX: usize = 40;

/// The file, which need not exist yet.
#[derive(Clone, Debug)]
pub(crate) struct KnownHosts {
    path: PathBuf,
}

/// What the file says about one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The keys that this address may show; empty for an unknown server.
    pub known: Vec<Fingerprint>,
    /// The numbers, from 1, of lines that mean nothing.
    pub malformed: Vec<usize>,
}

/// Why the file could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KnownHostsError {
    /// There is neither `ECHAT_KNOWN_HOSTS`, `XDG_STATE_HOME` nor `HOME`.
    #[error(
        "no place for known_hosts: set HOME, XDG_STATE_HOME or ECHAT_KNOWN_HOSTS, or include \
         the server's key in the address: echat://host:port/#SHA256:..."
    )]
    NoPlace,
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than 1 MiB.
    #[error("{} is larger than 1 MiB and cannot be a list of hosts", .0.display())]
    TooLarge(PathBuf),
    /// The path leads to a directory or a device.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Another key is known for this address already.
    #[error("{address} is already known with another key, {known}")]
    Conflict {
        /// The server.
        address: Address,
        /// The key that stands in the file.
        known: Fingerprint,
    },
}

impl KnownHostsError {
    /// Whether a key that is named with the address takes the place of one that could not be
    /// remembered. A key that contradicts the file is not helped by that.
    pub(crate) fn is_helped_by_pinning(&self) -> bool {
        match self {
            Self::NoPlace | Self::Io { .. } | Self::NotAFile(_) => true,
            Self::TooLarge(_) | Self::Conflict { .. } => false,
        }
    }
}

impl KnownHosts {
    /// The file at `path`.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The user's file: `$ECHAT_KNOWN_HOSTS`, else `known_hosts` in `$XDG_STATE_HOME/echat`, else
    /// in `~/.local/state/echat`. An empty variable counts as absent, and so does a relative
    /// `XDG_STATE_HOME` (the XDG specification says so).
    pub(crate) fn of_user(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, KnownHostsError> {
        if let Some(path) = variable(VARIABLE).filter(|value| !value.is_empty()) {
            return Ok(Self::at(path));
        }
        let state = folders::state(variable).ok_or(KnownHostsError::NoPlace)?;
        Ok(Self {
            path: state.join("known_hosts"),
        })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The keys known for `address`. A file that is not there knows none.
    pub(crate) fn look_up(&self, address: &Address) -> Result<Keys, KnownHostsError> {
        let mut keys = Keys::default();
        for (index, line) in lines(&self.read()?).enumerate() {
            match parse(line) {
                HostLine::Entry(host, key) if host == *address => keys.known.push(key),
                HostLine::Entry(..) | HostLine::Blank => {}
                HostLine::Malformed => keys.malformed.push(index + 1),
            }
        }
        Ok(keys)
    }

    /// Adds a line for a server that was unknown; does nothing if this key is known already.
    pub(crate) fn remember(
        &self,
        address: &Address,
        key: &Fingerprint,
    ) -> Result<(), KnownHostsError> {
        let target = self.target()?;
        let _lock = lock(&target)?;
        let known = self.look_up(address)?.known;
        if known.contains(key) {
            return Ok(());
        }
        if let Some(known) = known.into_iter().next() {
            return Err(KnownHostsError::Conflict {
                address: address.clone(),
                known,
            });
        }
        let mut content = self.read()?;
        if content.last().is_some_and(|last| *last != b'\n') {
            content.push(b'\n');
        }
        content.extend(format!("{address} {key}\n").bytes());
        replace(&target, &content)
    }

    /// Removes every line of `address` and says how many there were.
    pub(crate) fn forget(&self, address: &Address) -> Result<usize, KnownHostsError> {
        let content = self.read()?;
        if !lines(&content).any(|line| names(line, address)) {
            return Ok(0);
        }
        let target = self.target()?;
        let _lock = lock(&target)?;
        let content = self.read()?;
        let (gone, kept): (Vec<_>, Vec<_>) = content
            .split_inclusive(|byte| *byte == b'\n')
            .partition(|line| names(line, address));
        replace(&target, &kept.concat())?;
        Ok(gone.len())
    }

    fn read(&self) -> Result<Vec<u8>, KnownHostsError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&self.path)(error)),
        };
        let mut content = Vec::new();
        // One byte over the limit tells a file at the limit from a larger one.
        file.take(MAX_FILE + 1)
            .read_to_end(&mut content)
            .map_err(io_error(&self.path))?;
        if content.len() as u64 > MAX_FILE {
            return Err(KnownHostsError::TooLarge(self.path.clone()));
        }
        Ok(content)
    }

    /// The file that changes are made to: a symbolic link stays one, even if it leads to a file that
    /// is yet to be made.
    fn target(&self) -> Result<PathBuf, KnownHostsError> {
        let mut target = self.path.clone();
        for _ in 0..LINKS_MAX {
            let Ok(link) = fs::read_link(&target) else {
                break;
            };
            target = target.parent().unwrap_or(Path::new("")).join(link);
        }
        if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            return Err(KnownHostsError::NotAFile(target));
        }
        Ok(target)
    }
}

/// Keeps other clients from changing `target` while the result lives.
fn lock(target: &Path) -> Result<File, KnownHostsError> {
    let file = private_file::lock_file(target).map_err(io_error(target))?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| io_error(target)(error.into()))?;
    Ok(file)
}

fn replace(target: &Path, content: &[u8]) -> Result<(), KnownHostsError> {
    private_file::replace(target, |file| file.write_all(content)).map_err(io_error(target))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> KnownHostsError {
    let path = path.to_owned();
    move |source| KnownHostsError::Io { path, source }
}

enum HostLine {
    Entry(Address, Fingerprint),
    /// Empty, or a comment.
    Blank,
    Malformed,
}

fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|byte| *byte == b'\n')
}

fn names(line: &[u8], address: &Address) -> bool {
    matches!(parse(line), HostLine::Entry(host, _) if host == *address)
}

fn parse(line: &[u8]) -> HostLine {
    let Ok(text) = str::from_utf8(without_mark(line)) else {
        return HostLine::Malformed;
    };
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return HostLine::Blank;
    }
    let mut words = text.split_whitespace();
    let (Some(host), Some(key), None) = (words.next(), words.next(), words.next()) else {
        return HostLine::Malformed;
    };
    match (host.parse(), key.parse()) {
        (Ok(host), Ok(key)) => HostLine::Entry(host, key),
        _ => HostLine::Malformed,
    }
}

#[cfg(test)]
mod tests;
