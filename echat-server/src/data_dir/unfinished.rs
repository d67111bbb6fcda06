//! Files that are being written anywhere on the disk, such as a backup: their notes in the data folder, by which what a
//! killed process left is recognised and removed.
//!
//! A note is a file of the folder, locked while its process writes. It has the path, and what makes the file that one:
//! device, inode and the time of its birth. A file under the same path that anything else has made is not touched.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{self, Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use echat_system::private_file;
use serde_json::{Value, json};

/// The beginning of a note's name. The number of its process and a number of its own follow.
pub(super) const PREFIX: &str = "unfinished.";
/// Bytes of a note at most: of a path (`PATH_MAX`), escaped, and numbers.
const NOTE_BYTES: u64 = 64 * 1024;

/// The number of the next note of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file that is being written, until this is dropped.
#[derive(Debug)]
pub struct UnfinishedFile {
    note: PathBuf,
    /// Locked while the file is being written.
    _lock: File,
}

/// The content of a note.
#[derive(Debug, PartialEq, Eq)]
struct Note {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Nanoseconds since 1970, where the file system knows it.
    born: Option<u128>,
}

impl Note {
    fn of(path: &Path, found: &Metadata) -> Self {
        let born = found.created().ok();
        let born = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Self {
            path: path.to_owned(),
            device: found.dev(),
            inode: found.ino(),
            born: born.map(|born| born.as_nanos()),
        }
    }

    /// `None` for a path that is not UTF-8.
    fn text(&self) -> Option<String> {
        let note = json!({
            "path": self.path.to_str()?,
            "device": self.device,
            "inode": self.inode,
            "born": self.born.map(|born| born.to_string()),
        });
        Some(note.to_string())
    }

    fn read(file: &File) -> Option<Self> {
        let mut text = String::new();
        file.take(NOTE_BYTES).read_to_string(&mut text).ok()?;
        let note: Value = serde_json::from_str(&text).ok()?;
        Some(Self {
            path: note["path"].as_str()?.into(),
            device: note["device"].as_u64()?,
            inode: note["inode"].as_u64()?,
            born: note["born"].as_str().and_then(|born| born.parse().ok()),
        })
    }

    /// Removes the file, if it is still the one that was noted.
    fn remove_file(&self) -> io::Result<bool> {
        let found = match self.path.symlink_metadata() {
            // A folder above it may be a file by now.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(false);
            }
            found => found?,
        };
        let user = rustix::process::geteuid().as_raw();
        let is_same =
            found.is_file() && found.uid() == user && Self::of(&self.path, &found) == *self;
        if is_same {
            private_file::remove_large(&self.path)?;
        }
        Ok(is_same)
    }
}

impl UnfinishedFile {
    /// Notes in the data folder `folder` that the new file at `path` is being written. `None` if that cannot be noted,
    /// as on a full disk: the file is written all the same.
    pub fn note(folder: &Path, path: &Path, file: &File) -> Option<Self> {
        let path = path::absolute(path).ok()?;
        let content = Note::of(&path, &file.metadata().ok()?).text()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let note = folder.join(format!("{PREFIX}{}.{number}", process::id()));
        let mut options = OpenOptions::new();
        let mut lock = private_file::open(&note, options.write(true).create_new(true)).ok()?;
        let unfinished = Self {
            note,
            _lock: lock.try_clone().ok()?,
        };
        lock.try_lock().ok()?;
        lock.write_all(content.as_bytes()).ok()?;
        Some(unfinished)
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.note);
    }
}

/// The notes of a data folder.
fn notes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut notes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_note = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        if is_note {
            notes.push(entry.path());
        }
    }
    Ok(notes)
}

/// What became of files that killed processes were writing.
#[derive(Debug, Default)]
pub struct LeftOver {
    /// Those that were removed.
    pub removed: Vec<PathBuf>,
    /// The file or note that could not be removed or read, with the cause; of each one.
    pub kept: Vec<(PathBuf, io::Error)>,
}

/// Removes what killed processes were writing, by the notes of a data folder. What a running process writes stays. A
/// file that cannot be removed does not keep the others.
pub fn remove_left_over(folder: &Path) -> LeftOver {
    let mut left = LeftOver::default();
    let notes = match notes(folder) {
        Ok(notes) => notes,
        Err(error) => {
            left.kept.push((folder.to_owned(), error));
            return left;
        }
    };
    for note in notes {
        match remove_noted(&note) {
            Ok(path) => left.removed.extend(path),
            Err(kept) => left.kept.push(kept),
        }
    }
    left
}

/// Removes a note of a killed process, and its file, which is returned. An error has the path that it is about.
fn remove_noted(note: &Path) -> Result<Option<PathBuf>, (PathBuf, io::Error)> {
    let Ok(file) = private_file::open(note, OpenOptions::new().read(true)) else {
        return Ok(None);
    };
    // A lock that cannot be taken is held by the process that writes.
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let mut removed = None;
    if let Some(noted) = Note::read(&file) {
        match noted.remove_file() {
            Ok(true) => removed = Some(noted.path),
            Ok(false) => {}
            Err(error) => return Err((noted.path, error)),
        }
    }
    fs::remove_file(note).map_err(|error| (note.to_owned(), error))?;
    Ok(removed)
}

/// Removes what the threads of this process are writing, for a process that is about to end: its end stops those
/// threads wherever they are.
pub fn remove_own(folder: &Path) {
    let own = format!("{PREFIX}{}.", process::id());
    for path in notes(folder).unwrap_or_default() {
        let is_own = path.file_name().and_then(|name| name.to_str());
        if !is_own.is_some_and(|name| name.starts_with(&own)) {
            continue;
        }
        let Ok(file) = private_file::open(&path, OpenOptions::new().read(true)) else {
            continue;
        };
        // What cannot be removed now is removed at the next start. One that has its name by now is complete.
        if Note::read(&file).is_some_and(|note| note.remove_file().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    /// A folder, and a file in it that is noted.
    fn noted() -> (tempfile::TempDir, PathBuf, UnfinishedFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.tmp");
        let file = File::create_new(&path).unwrap();
        let noted = UnfinishedFile::note(folder.path(), &path, &file).unwrap();
        (folder, path, noted)
    }

    fn cleaned(folder: &Path) -> Vec<PathBuf> {
        let left = remove_left_over(folder);
        assert!(left.kept.is_empty(), "{left:?}");
        left.removed
    }

    /// As a killed process leaves it: the lock is gone, and the note is there.
    fn kill(noted: UnfinishedFile) {
        let note = noted.note.clone();
        let content = fs::read(&note).unwrap();
        drop(noted);
        fs::write(&note, content).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_being_written_is_not() {
        let (folder, path, noted) = noted();
        assert_eq!(cleaned(folder.path()), [] as [PathBuf; 0]);
        assert!(path.exists());
        kill(noted);
        assert_eq!(cleaned(folder.path()), [path]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_removed_does_not_keep_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let parent = folder.path().join(name);
            fs::create_dir(&parent).unwrap();
            let path = parent.join("backup.tmp");
            let file = File::create_new(&path).unwrap();
            kill(UnfinishedFile::note(folder.path(), &path, &file).unwrap());
            paths.push(path);
        }
        // The parent of one is a link to itself now, so its path cannot be looked up. That of another one is a file:
        // there is nothing below it.
        let [link, file] = [1, 3].map(|number: usize| paths[number].parent().unwrap());
        fs::remove_dir_all(link).unwrap();
        std::os::unix::fs::symlink(link, link).unwrap();
        fs::remove_dir_all(file).unwrap();
        fs::write(file, "").unwrap();
        let mut left = remove_left_over(folder.path());
        left.removed.sort();
        assert_eq!(left.removed, [paths[0].clone(), paths[2].clone()]);
        let [(kept, error)] = &left.kept[..] else {
            panic!("{left:?}")
        };
        assert_eq!(
            (kept, error.raw_os_error()),
            (&paths[1], Some(Errno::LOOP.raw_os_error()))
        );
        let again = remove_left_over(folder.path());
        assert_eq!((again.removed.len(), again.kept.len()), (0, 1));
    }

    #[test]
    fn another_file_of_the_same_name_is_never_removed() {
        for own in [false, true] {
            let (folder, path, noted) = noted();
            let kept = folder.path().join("kept");
            // It exists at the same time, so it has another inode.
            fs::write(&kept, "of the user").unwrap();
            fs::rename(&kept, &path).unwrap();
            if own {
                remove_own(folder.path());
            } else {
                kill(noted);
                assert!(cleaned(folder.path()).is_empty());
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), "of the user");
        }
    }

    #[test]
    fn a_link_a_folder_and_a_note_without_sense_are_left_alone() {
        let (folder, path, noted) = noted();
        kill(noted);
        let file = folder.path().join("file");
        fs::rename(&path, &file).unwrap();
        std::os::unix::fs::symlink(&file, &path).unwrap();
        assert!(cleaned(folder.path()).is_empty());
        assert!(file.exists() && path.is_symlink());
        fs::write(folder.path().join("unfinished.1.1"), "{}").unwrap();
        fs::create_dir(folder.path().join("unfinished.folder")).unwrap();
        assert!(cleaned(folder.path()).is_empty());
        assert!(folder.path().join("unfinished.folder").exists());
    }

    #[test]
    fn a_process_that_ends_removes_what_its_threads_write() {
        let (folder, path, noted) = noted();
        remove_own(folder.path());
        assert!(!path.exists());
        drop(noted);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
