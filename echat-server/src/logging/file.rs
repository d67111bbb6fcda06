//! The file of the log, which is opened again after it was renamed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that lines are appended to.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Set to have it opened again.
    reopen: &'static AtomicBool,
}

impl LogFile {
    /// Opens or creates the file, which only its user can read.
    pub(super) fn open(path: &Path, reopen: &'static AtomicBool) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: append_to(path)?,
            reopen,
        })
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Without a new file, lines go to the old one, wherever it is.
        if self.reopen.swap(false, Ordering::Relaxed)
            && let Ok(file) = append_to(&self.path)
        {
            self.file = file;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_opened_again_at_the_next_line() {
        static REOPEN: AtomicBool = AtomicBool::new(false);
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut log = LogFile::open(&path, &REOPEN).unwrap();
        log.write_all(b"one\n").unwrap();
        fs::rename(&path, &old).unwrap();
        log.write_all(b"two\n").unwrap();
        REOPEN.store(true, Ordering::Relaxed);
        log.write_all(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        // A folder that is gone loses no line.
        let gone = folder.path().join("gone");
        fs::create_dir(&gone).unwrap();
        let mut log = LogFile::open(&gone.join("log"), &REOPEN).unwrap();
        fs::rename(&gone, folder.path().join("kept")).unwrap();
        REOPEN.store(true, Ordering::Relaxed);
        log.write_all(b"four\n").unwrap();
        let kept = fs::read_to_string(folder.path().join("kept/log")).unwrap();
        assert_eq!(kept, "four\n");
    }
}
