//! Files only their owner can read, made whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes `path` with mode 0600 and what `write` writes into it, durably: after a crash the file is
/// either absent or complete. The caller holds the lock of the data folder, so nobody else makes
/// the same file, and has seen that `path` is absent.
///
/// # Errors
/// Whatever the system or `write` says; then `path` is untouched.
pub(crate) fn create(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let staged = path.with_added_extension("tmp");
    let made = write_and_rename(&staged, path, write);
    if made.is_err() {
        // Only tidiness: the next start removes it as well.
        let _ = fs::remove_file(&staged);
    }
    made
}

fn write_and_rename(
    staged: &Path,
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    match fs::remove_file(staged) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // Left by a start that was killed, or not there.
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(staged)?;
    write(&mut file)?;
    file.sync_all()?;
    fs::rename(staged, path)?;
    sync_folder_of(path)
}

/// Makes the entry of `path` in its folder durable.
///
/// # Errors
/// Whatever the system says.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_made_private_and_a_stale_temporary_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(folder.path().join("secret.tmp"), "half").unwrap();
        create(&path, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_fill_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let failed = create(&folder.path().join("secret"), |_| {
            Err(io::Error::other("full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
