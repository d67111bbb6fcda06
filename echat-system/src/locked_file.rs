//! Files on which a library of this process holds record locks (fcntl(2)), as `SQLite` does on a database: closing any
//! descriptor of such a file releases all locks that the process has on it. So no such file is opened by name, whatever
//! the name is: [`private_file`](crate::private_file) and [`regular_file`](crate::regular_file) refuse it.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The files of this process, and what is said of them.
static FILES: OnceLock<(Vec<LockedFile>, &'static str)> = OnceLock::new();

/// A locked file: whatever is at its path, and the file that was there at first, wherever it is moved.
#[derive(Debug)]
struct LockedFile {
    path: PathBuf,
    /// `None`: there was no file.
    first: Option<FileId>,
}

/// What makes two names those of one file: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(u64, u64);

impl FileId {
    /// The file at a path, of which links are followed; `None` if there is none, or it cannot be looked at.
    pub fn at(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|found| Self::of(&found))
    }

    fn of(found: &Metadata) -> Self {
        Self(found.dev(), found.ino())
    }
}

impl LockedFile {
    fn new(path: PathBuf) -> Self {
        let first = FileId::at(&path);
        Self { path, first }
    }

    fn is(&self, file: FileId) -> bool {
        self.first == Some(file) || FileId::at(&self.path) == Some(file)
    }
}

/// Refuses to open these files from now on, under any name: `why` is the error. A second call has no effect.
pub fn refuse_to_open(paths: impl IntoIterator<Item = PathBuf>, why: &'static str) {
    FILES.get_or_init(|| (paths.into_iter().map(LockedFile::new).collect(), why));
}

/// Whether an error is that of a file that this process has locked.
pub fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

/// Refuses a file that is about to be opened, as stat(2) or lstat(2) found it.
pub(crate) fn refuse(found: io::Result<Metadata>) -> io::Result<()> {
    // What cannot be looked at is refused when it is opened.
    let (Some((files, why)), Ok(found)) = (FILES.get(), found) else {
        return Ok(());
    };
    if is_one_of(files, &found) {
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, *why));
    }
    Ok(())
}

fn is_one_of(files: &[LockedFile], found: &Metadata) -> bool {
    let found = FileId::of(found);
    files.iter().any(|file| file.is(found))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_locked_file_is_known_by_any_name_and_when_it_is_moved_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        let files = [
            LockedFile::new(path("file")),
            LockedFile::new(path("later")),
        ];
        fs::write(path("other"), "").unwrap();
        symlink("file", path("link")).unwrap();
        fs::hard_link(path("file"), path("hard")).unwrap();
        let is_locked = |name: &str| is_one_of(&files, &path(name).metadata().unwrap());
        for name in ["file", "link", "hard"] {
            assert!(is_locked(name), "{name}");
        }
        assert!(!is_locked("other"));
        // A link is not the file that it leads to.
        assert!(!is_one_of(
            &files,
            &path("link").symlink_metadata().unwrap()
        ));
        fs::rename(path("file"), path("moved")).unwrap();
        fs::rename(path("other"), path("file")).unwrap();
        fs::write(path("later"), "").unwrap();
        for name in ["moved", "file", "later"] {
            assert!(is_locked(name), "{name}");
        }
    }
}
