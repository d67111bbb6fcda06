//! Regular files at paths that a user names: opened without waiting for the other end of a pipe.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::locked_file;

/// Opens the file at `path` as `options` say. Links are followed. Never blocks: a pipe without another end is refused
/// as every other file that is not regular.
///
/// # Errors
/// The system's; `EISDIR` for a folder, `not a regular file` for a pipe, a socket or a device, and that of a file that
/// this process has locked ([`locked_file`]).
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    locked_file::refuse(path.metadata())?;
    let other = || io::Error::other("not a regular file");
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = match options.custom_flags(flags).open(path) {
        // A pipe that is not read, or a socket.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NXIO) => return Err(other()),
        opened => opened?,
    };
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !found.is_file() {
        return Err(other());
    }
    Ok(file)
}

/// [`open`] for reading.
///
/// # Errors
/// Those of [`open`].
pub fn read(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn only_a_regular_file_is_opened_and_no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        symlink("file", path("link")).unwrap();
        mknodat(
            CWD,
            path("pipe"),
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        for name in ["file", "link"] {
            assert!(read(&path(name)).is_ok(), "{name}");
        }
        let append = |path: &Path| open(path, OpenOptions::new().append(true).create(true));
        for refused in [read(&path("pipe")), append(&path("pipe"))] {
            assert_eq!(refused.unwrap_err().to_string(), "not a regular file");
        }
        assert!(read(Path::new("/dev/null")).is_err());
        for refused in [read(folder.path()), append(folder.path())] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::IsADirectory);
        }
    }
}
