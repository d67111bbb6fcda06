//! The file that `/export` writes: new, of its user alone, and there only when it is whole.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use echat_system::private_file::NewFile;

use crate::local::folders;

/// So many bytes are synced at once, so that the event loop never waits long for the disk.
const SYNCED_AT_ONCE: usize = 1 << 20;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// The home folder is not known.
    #[error("HOME is not set")]
    NoHome,
    /// A file has the name, or something else that is no folder.
    #[error("the file exists already")]
    Exists,
    /// A folder has the name.
    #[error("this is a folder")]
    Folder,
    /// The folder of the file is not there.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The system refuses.
    #[error(transparent)]
    Io(io::Error),
}

impl ExportError {
    /// What befell the file at `path`.
    fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        |error| {
            let folder = path.parent().unwrap_or(path);
            let is_there = folder.as_os_str().is_empty() || folder.is_dir();
            match error.kind() {
                ErrorKind::AlreadyExists => Self::Exists,
                ErrorKind::IsADirectory => Self::Folder,
                ErrorKind::NotFound | ErrorKind::NotADirectory if !is_there => {
                    Self::NoFolder(folder.to_owned())
                }
                _ => Self::Io(error),
            }
        }
    }
}

/// An export that is being written.
#[derive(Debug)]
pub(super) struct ExportFile {
    path: PathBuf,
    file: NewFile,
    /// Bytes that were written since the last sync.
    unsynced: usize,
}

impl ExportFile {
    /// Begins the file that a user named.
    ///
    /// # Errors
    /// Its place is taken, or it cannot be created.
    pub(super) fn create(
        typed: &str,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ExportError> {
        let path = folders::typed(typed, variable).ok_or(ExportError::NoHome)?;
        if typed.ends_with('/') {
            return Err(ExportError::Folder);
        }
        let file = NewFile::create(&path).map_err(ExportError::at(&path))?;
        let unsynced = 0;
        Ok(Self {
            path,
            file,
            unsynced,
        })
    }

    /// Writes lines.
    ///
    /// # Errors
    /// Whatever the system says, such as that the disk is full.
    pub(super) fn write(&mut self, lines: &str) -> Result<(), ExportError> {
        let file = self.file.file();
        file.write_all(lines.as_bytes()).map_err(ExportError::Io)?;
        self.unsynced += lines.len();
        if self.unsynced >= SYNCED_AT_ONCE {
            file.sync_data().map_err(ExportError::Io)?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Its place is taken, or the system refuses.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        self.file.finish().map_err(ExportError::at(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::fault::LocalizedError;
    use super::*;
    use crate::text::Language;

    /// Why this is no export in a folder that is the home, in both languages.
    fn refusal(home: &Path, typed: &str) -> [String; 2] {
        let error = ExportFile::create(typed, |_| Some(home.into())).unwrap_err();
        [Language::English, Language::Chinese].map(|language| error.localized(language))
    }

    #[test]
    fn a_large_export_is_written_in_portions_and_is_there_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let home = |_: &str| Some(folder.path().into());
        let mut export = ExportFile::create("~/a b", home).unwrap();
        let lines = "line\n".repeat(100_000);
        let mut most = 0;
        for _ in 0..5 {
            export.write(&lines).unwrap();
            most = most.max(export.unsynced);
            assert!(!folder.path().join("a b").exists());
        }
        assert!(most < SYNCED_AT_ONCE);
        export.finish().unwrap();
        let path = folder.path().join("a b");
        assert_eq!(fs::read_to_string(&path).unwrap(), lines.repeat(5));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_there_stays_and_every_error_has_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        fs::write(home.join("file"), "kept").unwrap();
        for (typed, english, chinese) in [
            ("~/file", "the file exists already", "文件已存在"),
            ("~", "this is a folder", "这是一个目录"),
            ("~/new/", "this is a folder", "这是一个目录"),
        ] {
            assert_eq!(refusal(home, typed), [english, chinese], "{typed}");
        }
        for typed in ["~/none/file", "~/file/file"] {
            let [english, chinese] = refusal(home, typed);
            assert!(english.starts_with("there is no folder /"), "{english}");
            assert!(chinese.starts_with("没有目录 /"), "{chinese}");
        }
        let nowhere = ExportFile::create("~/file", |_| None).unwrap_err();
        assert_eq!(nowhere.to_string(), "HOME is not set");
        assert_eq!(fs::read(home.join("file")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(home).unwrap().count(), 1);

        // Another program was faster.
        let export = ExportFile::create("~/late", |_| Some(home.into())).unwrap();
        fs::write(home.join("late"), "kept").unwrap();
        assert!(matches!(export.finish(), Err(ExportError::Exists)));
        assert_eq!(fs::read(home.join("late")).unwrap(), b"kept");
    }
}
