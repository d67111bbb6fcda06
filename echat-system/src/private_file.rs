//! Files that only their owner can read: opened without following links, replaced as a whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use tempfile::NamedTempFile;
use thiserror::Error;

use crate::locked_file;

/// Why a file is not used.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A symbolic link, whether it leads somewhere or not.
    #[error("a symbolic link; put the file itself in its place")]
    Link,
    /// A folder, a pipe, a device.
    #[error("not a regular file")]
    NotAFile,
    /// The file of another user.
    #[error(
        "belongs to user {owner}, and this program runs as user {user}; run it as the owner, \
         or give it the file with chown"
    )]
    Owner {
        /// Its owner's number.
        owner: u32,
        /// The effective user's number.
        user: u32,
    },
    /// Another name leads to the same file.
    #[error(
        "has {0} names (hard links), and a file of its own is needed: copy it, and put the copy here"
    )]
    HardLinks(u64),
}

/// Opens the file at `path` as `options` say. A link in its place is not followed, a pipe is not
/// waited for, and the file must be a regular one of the effective user.
///
/// # Errors
/// Every [`FileError`] but `HardLinks`; an `Io` of the kind `NotFound` if there is no file, and that of a file that the
/// process has locked ([`locked_file`]).
pub fn open(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
    locked_file::refuse(path.symlink_metadata())?;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = flags.bits().cast_signed();
    let file = match options.mode(0o600).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) => return Err(refusal(error)),
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(FileError::NotAFile);
    }
    let user = rustix::process::geteuid().as_raw();
    if found.uid() != user {
        let owner = found.uid();
        return Err(FileError::Owner { owner, user });
    }
    Ok(file)
}

fn refusal(error: io::Error) -> FileError {
    match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => FileError::Link,
        Some(Errno::ISDIR | Errno::NXIO) => FileError::NotAFile,
        _ => FileError::Io(error),
    }
}

/// Refuses a file that has another name too, in a folder that may be open to others.
///
/// # Errors
/// `HardLinks`, or what the system says.
pub fn refuse_hard_links(file: &File) -> Result<(), FileError> {
    match file.metadata()?.nlink() {
        0 | 1 => Ok(()),
        names => Err(FileError::HardLinks(names)),
    }
}

/// Gives an open file the mode 0600, if it has another.
///
/// # Errors
/// Whatever the system says.
pub fn make_private(file: &File) -> io::Result<()> {
    if file.metadata()?.permissions().mode() & 0o7777 == 0o600 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Puts a file with mode 0600 and what `write` writes into it in the place of `path`, durably: a reader, and
/// a crash, see the earlier file or the new one, whole. The caller holds a lock, so no other process
/// replaces the same file: the new file is written as `path.tmp`, and one that a killed process left there
/// is removed first.
///
/// # Errors
/// Whatever the system or `write` says; then `path` is untouched.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    match fs::remove_file(beside(path, TEMPORARY)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_owned();
    name.push(".");
    let mut staged = tempfile::Builder::new()
        .prefix(&name)
        .rand_bytes(0)
        .suffix(TEMPORARY)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder_of(path))?;
    write(staged.as_file_mut())?;
    staged.as_file().sync_all()?;
    // A failure drops the path, which removes the temporary file. `persist` would rename without libc, and
    // the tests that cut the power record what the server asks of libc.
    let staged = staged.into_temp_path();
    fs::rename(&staged, path)?;
    staged.keep()?;
    sync_folder_of(path)
}

/// A file with mode 0600 that is written over some time and then put in a place that is free: a reader, and a crash,
/// see no file there or the whole one. Until then it is a hidden temporary file in the same folder, locked, and removed
/// when this is dropped. What a killed process left is removed when the next file begins in the folder.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    staged: NamedTempFile,
}

/// The end of the name of a hidden temporary file of [`NewFile`]. Files of other programs do not have it.
const STAGED: &str = ".echat-tmp";

impl NewFile {
    /// Begins a file for the place `path`.
    ///
    /// # Errors
    /// `IsADirectory` or `AlreadyExists` if something is there, a link too; else whatever the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // What cannot be removed is not in the way.
        let _ = remove_staged(folder_of(path));
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        loop {
            let staged = tempfile::Builder::new()
                .prefix(&prefix)
                .suffix(STAGED)
                .permissions(Permissions::from_mode(0o600))
                .tempfile_in(folder_of(path))?;
            // A process that finds the file before it is locked removes it.
            let is_taken = matches!(staged.as_file().try_lock(), Err(TryLockError::WouldBlock));
            if !is_taken && staged.as_file().metadata()?.nlink() > 0 {
                let path = path.to_owned();
                return Ok(Self { path, staged });
            }
        }
    }

    /// The file, to write into it.
    pub fn file(&mut self) -> &mut File {
        self.staged.as_file_mut()
    }

    /// Where the file is until it is finished.
    pub fn temporary(&self) -> &Path {
        self.staged.path()
    }

    /// Syncs what was written and puts the file in its place, durably.
    ///
    /// # Errors
    /// `AlreadyExists` if something has come there, which stays; else whatever the system says.
    pub fn finish(self) -> io::Result<()> {
        self.staged.as_file().sync_all()?;
        self.staged.persist_noclobber(&self.path)?;
        sync_folder_of(&self.path)
    }
}

/// Removes temporary files of [`NewFile`] that no process holds.
fn remove_staged(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(b".") || !name.ends_with(STAGED.as_bytes()) {
            continue;
        }
        // The lock ends with the process that wrote, and is held until the file is gone.
        let path = entry.path();
        let Ok(file) = open(&path, OpenOptions::new().read(true).write(true)) else {
            continue;
        };
        if file.try_lock().is_ok() {
            remove_large(&path)?;
        }
    }
    Ok(())
}

/// The extension of a file that is being written.
pub const TEMPORARY: &str = "tmp";

/// Removes the file at `path`, durably.
///
/// # Errors
/// Whatever the system says.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_folder_of(path)
}

/// Bytes of a large file that are freed at a time.
const FREED: u64 = 8 * 1024 * 1024;

/// Removes the file at `path`, which may be large. The name is gone at once, not durably. The space of its last name is
/// freed in portions, each of which is synced: a file system that frees some hundred MiB in one step delays the syncs
/// of all other programs for tens of milliseconds.
///
/// # Errors
/// Whatever the system says before the name is gone.
pub fn remove_large(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    // A file that cannot be opened is removed all the same, and so is another name of a locked one.
    let file = locked_file::refuse(path.symlink_metadata()).and_then(|()| options.open(path));
    fs::remove_file(path)?;
    // What is not freed in portions is freed when the file is closed.
    let _ = file.and_then(|file| free_in_portions(&file));
    Ok(())
}

fn free_in_portions(file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if metadata.nlink() > 0 || !metadata.is_file() {
        return Ok(());
    }
    let mut length = metadata.len();
    while length > FREED {
        length -= FREED;
        file.set_len(length)?;
        file.sync_data()?;
    }
    Ok(())
}

/// Makes the entry of `path` in its folder durable.
///
/// # Errors
/// Whatever the system says.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The file that is locked while `target` is changed, with the folders above it (mode 0700). A lock on
/// `target` itself would be one on a file that [`replace`] removes.
///
/// # Errors
/// Whatever the system says.
pub fn lock_file(target: &Path) -> io::Result<File> {
    let path = beside(target, "lock");
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
}

/// `known_hosts` and `lock` make `known_hosts.lock`, in the same folder.
pub fn beside(path: &Path, extension: impl AsRef<OsStr>) -> PathBuf {
    path.with_added_extension(extension)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_large_file_is_removed_and_its_other_name_keeps_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("large"), folder.path().join("other"));
        let content = vec![7; 20 * 1024 * 1024];
        fs::write(&path, &content).unwrap();
        fs::hard_link(&path, &other).unwrap();
        remove_large(&path).unwrap();
        assert!(!path.exists());
        assert!(fs::read(&other).unwrap() == content);
        let open = File::open(&other).unwrap();
        remove_large(&other).unwrap();
        assert!(!other.exists());
        assert!(open.metadata().unwrap().len() <= FREED);
        assert!(remove_large(&other).is_err());
        // A link is removed, and not what it leads to.
        fs::write(&other, &content).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        remove_large(&path).unwrap();
        assert!(fs::read(&other).unwrap() == content);
    }

    #[test]
    fn a_file_is_made_private_and_a_stale_temporary_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(folder.path().join("secret.tmp"), "half").unwrap();
        replace(&path, |file| file.write_all(b"whole")).unwrap();
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
        let path = folder.path().join("secret");
        let failed = replace(&path, |_| Err(io::Error::other("full")));
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // The new file is written, and a folder is in its place.
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, |file| file.write_all(b"whole")).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_the_place_of_either_file_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("victim"), "kept").unwrap();
        for link in ["secret", "secret.tmp"] {
            std::os::unix::fs::symlink("victim", path(link)).unwrap();
            replace(&path("secret"), |file| file.write_all(b"whole")).unwrap();
            assert_eq!(fs::read(path("victim")).unwrap(), b"kept");
            assert!(path("secret").symlink_metadata().unwrap().is_file());
        }
    }

    #[test]
    fn only_a_regular_file_is_opened_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::create_dir(path("folder")).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        std::os::unix::fs::symlink("nothing", path("dangling")).unwrap();
        let opened =
            |name: &str, write: bool| open(&path(name), OpenOptions::new().read(true).write(write));
        for write in [false, true] {
            assert!(opened("file", write).is_ok());
            for link in ["link", "dangling"] {
                assert!(matches!(opened(link, write), Err(FileError::Link)));
            }
            for other in ["folder", "socket"] {
                assert!(matches!(opened(other, write), Err(FileError::NotAFile)));
            }
        }
        let made = open(
            &path("dangling"),
            OpenOptions::new().write(true).create(true),
        );
        assert!(matches!(made, Err(FileError::Link)));
        assert!(!path("nothing").exists());
    }

    #[test]
    fn a_new_file_is_there_when_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut new = NewFile::create(&path).unwrap();
        new.file().write_all(b"whole").unwrap();
        assert!(!path.exists());
        new.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!((mode & 0o7777, names()), (0o600, 1));

        // One that is given up leaves nothing.
        let other = folder.path().join("other");
        let mut new = NewFile::create(&other).unwrap();
        new.file().write_all(b"half").unwrap();
        drop(new);
        assert_eq!(names(), 1);
    }

    #[test]
    fn what_killed_processes_left_goes_with_the_next_file_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut running = NewFile::create(&path("running")).unwrap();
        running.file().write_all(b"half").unwrap();
        fs::write(path(".export.AbCdEf.echat-tmp"), "half").unwrap();
        fs::write(path(".other.AbCdEf.echat-tmp"), "half").unwrap();
        let kept = [".export.swp", "export.echat-tmp", ".export.AbCdEf.tmp"];
        for name in kept {
            fs::write(path(name), "kept").unwrap();
        }
        std::os::unix::fs::symlink("export.echat-tmp", path(".link.echat-tmp")).unwrap();
        fs::create_dir(path(".folder.echat-tmp")).unwrap();
        NewFile::create(&path("export")).unwrap().finish().unwrap();
        running.finish().unwrap();
        assert_eq!(fs::read(path("running")).unwrap(), b"half");
        for name in kept {
            assert_eq!(fs::read(path(name)).unwrap(), b"kept");
        }
        assert!(path(".link.echat-tmp").is_symlink() && path(".folder.echat-tmp").is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 7);
    }

    #[test]
    fn a_new_file_takes_the_place_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "kept").unwrap();
        fs::create_dir(path("folder")).unwrap();
        std::os::unix::fs::symlink("nothing", path("dangling")).unwrap();
        let refused = |name: &str| NewFile::create(&path(name)).unwrap_err().kind();
        assert_eq!(refused("file"), io::ErrorKind::AlreadyExists);
        assert_eq!(refused("dangling"), io::ErrorKind::AlreadyExists);
        assert_eq!(refused("folder"), io::ErrorKind::IsADirectory);
        assert_eq!(refused("no-folder/file"), io::ErrorKind::NotFound);
        assert_eq!(refused("file/file"), io::ErrorKind::NotADirectory);

        // Another program was faster.
        let new = NewFile::create(&path("new")).unwrap();
        fs::write(path("new"), "kept").unwrap();
        assert_eq!(
            new.finish().unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        for name in ["file", "new"] {
            assert_eq!(fs::read(path(name)).unwrap(), b"kept");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_second_name_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let file = open(&path, OpenOptions::new().read(true)).unwrap();
        assert!(refuse_hard_links(&file).is_ok());
        fs::hard_link(&path, folder.path().join("other")).unwrap();
        assert!(matches!(
            refuse_hard_links(&file),
            Err(FileError::HardLinks(2))
        ));
    }
}
