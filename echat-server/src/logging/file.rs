//! The file of the log, which is opened again after it was renamed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use echat_system::regular_file;

use super::writer::Sink;

/// A file that lines are appended to.
pub(super) struct LogFile(File);

impl LogFile {
    /// Opens or creates the file, which only its user can read.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        append_to(path).map(Self)
    }
}

/// Opens or creates a file for lines, which only its user can read.
pub(super) fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    regular_file::open(path, options.append(true).create(true).mode(0o600))
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for LogFile {
    fn continue_in(&mut self, file: File) {
        self.0 = file;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_was_renamed_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        fs::rename(&path, &old).unwrap();
        log.write_all(b"two\n").unwrap();
        log.continue_in(append_to(&path).unwrap());
        log.write_all(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    }
}
