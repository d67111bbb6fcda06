//! Files that only their owner may read, replaced as a whole.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Puts a new file in the place of the old one; a reader sees the one or the other, whole. The
/// caller holds the lock: two writers at a time would hinder each other.
pub fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = beside(target, "new");
    // What is left of a client that died here; the lock says that nobody is writing it.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, target)
}

/// The file that is locked while `target` is changed, with the directories above it. A lock on
/// `target` itself would be one on a file that [`replace`] removes.
pub fn lock_file(target: &Path) -> io::Result<File> {
    let path = beside(target, "lock");
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
}

/// `known_hosts` -> `known_hosts.lock`, in the same directory.
pub(crate) fn beside(path: &Path, extension: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
