//! The folder that holds everything a running server owns: `database.db`, `host_key`, `lock`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use thiserror::Error;

use crate::exit::ExitCode;
use crate::private_file;

/// The name of the database, in the data folder and of the template beside config.json.
const DATABASE: &str = "database.db";

/// What `SQLite` may keep beside a database while it is in use.
const COMPANIONS: [&str; 3] = ["database.db-wal", "database.db-shm", "database.db-journal"];

/// From now on every file this process makes is its owner's alone, whatever the umask was.
pub fn keep_new_files_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// The data folder of this process, locked while this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Closing it gives the lock up.
    _lock: File,
}

/// Why a data folder is not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// The folder or its lock file cannot be made.
    #[error("{}: cannot be made: {source}", path.display())]
    Create {
        /// What could not be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock is held by another process.
    #[error("{}: another echat-server uses this folder", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// Locking, looking or copying failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database cannot be made private.
    #[error("{}: cannot be made private (mode 0600): {source}", path.display())]
    Chmod {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A journal stands without its database: with a new database beside it, `SQLite` would play
    /// the old pages into the new file.
    #[error(
        "{}: stands without its database.db; put that back, or move this file away",
        path.display()
    )]
    Orphan {
        /// The journal.
        path: PathBuf,
    },
    /// A journal stands beside the template: what is in it would be missing from a copy.
    #[error(
        "{}: belongs to a database.db in use or not closed; close it, then start again",
        path.display()
    )]
    TemplateInUse {
        /// The journal.
        path: PathBuf,
    },
}

impl DataDirError {
    /// The exit code that says this.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Create { .. } | Self::Orphan { .. } | Self::TemplateInUse { .. } => {
                ExitCode::CannotCreate
            }
            Self::Locked { .. } => ExitCode::Busy,
            Self::Io { .. } => ExitCode::Io,
            Self::Chmod { .. } => ExitCode::Permission,
        }
    }
}

impl DataDir {
    /// Makes `path` (0700, and its parents) if it is not there, locks it, and makes the database
    /// in it private. Without a database there, a copy of `database.db` beside `config_file`
    /// becomes it, or an empty file if there is none; with no `config_file`, the current directory
    /// is looked in. The mode of a folder that was there is left alone.
    ///
    /// # Errors
    /// The folder or lock cannot be made, another process holds the lock, a file cannot be made
    /// or made private, a journal stands without its database.
    pub fn open(path: &Path, config_file: Option<&Path>) -> Result<Self, DataDirError> {
        create_folder(path).map_err(|source| DataDirError::Create {
            path: path.to_owned(),
            source,
        })?;
        let dir = Self {
            path: path.to_owned(),
            _lock: lock(path)?,
        };
        if !exists(&dir.database())? {
            if let Some(path) = companion_in(path)? {
                return Err(DataDirError::Orphan { path });
            }
            let template =
                config_file.map_or_else(|| DATABASE.into(), |file| file.with_file_name(DATABASE));
            make_database(&template, &dir.database())?;
        }
        dir.make_database_private()?;
        Ok(dir)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where the host key is, or will be.
    pub fn host_key(&self) -> PathBuf {
        self.path.join("host_key")
    }

    fn make_database_private(&self) -> Result<(), DataDirError> {
        for name in [DATABASE].into_iter().chain(COMPANIONS) {
            let path = self.path.join(name);
            match fs::set_permissions(&path, Permissions::from_mode(0o600)) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(DataDirError::Chmod { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Makes `path` and its parents with mode 0700, each durable in its own parent.
fn create_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another server may have made it in between; the lock decides who uses it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => private_file::sync_folder_of(path),
    }
}

fn lock(folder: &Path) -> Result<File, DataDirError> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(|source| DataDirError::Create {
        path: path.clone(),
        source,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataDirError::Locked {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(DataDirError::Io { path, source }),
    }
}

/// Whether anything stands at `path`, even a link to nothing.
fn exists(path: &Path) -> Result<bool, DataDirError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(DataDirError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The first of [`COMPANIONS`] that stands in `folder`.
fn companion_in(folder: &Path) -> Result<Option<PathBuf>, DataDirError> {
    for path in COMPANIONS.map(|name| folder.join(name)) {
        if exists(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Makes `database` a copy of the file `template`, or empty if there is none. Its name is durable then:
/// a power cut cannot leave a journal behind that stands without it.
fn make_database(template: &Path, database: &Path) -> Result<(), DataDirError> {
    let create_error = |source| DataDirError::Create {
        path: database.to_owned(),
        source,
    };
    if !exists(template)? {
        return private_file::create(database, |_| Ok(())).map_err(create_error);
    }
    if let Some(path) = companion_in(template.parent().unwrap_or(Path::new("")))? {
        return Err(DataDirError::TemplateInUse { path });
    }
    let io_error = |source| DataDirError::Io {
        path: template.to_owned(),
        source,
    };
    let mut from = File::open(template).map_err(io_error)?;
    private_file::create(database, |to| io::copy(&mut from, to).map(drop)).map_err(create_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_folder_is_private_and_locked_while_the_value_lives() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("a/b");
        let first = DataDir::open(&path, Some(&base.path().join("config.json"))).unwrap();
        assert_eq!((mode(&path), mode(&path.join("lock"))), (0o700, 0o600));
        let refused = DataDir::open(&path, None).unwrap_err();
        assert_eq!(refused.exit_code(), ExitCode::Busy);
        drop(first);
        assert!(DataDir::open(&path, Some(&base.path().join("config.json"))).is_ok());
    }

    #[test]
    fn an_old_database_is_kept_and_made_private_with_its_companions() {
        let base = tempfile::tempdir().unwrap();
        let config = base.path().join("config.json");
        fs::write(base.path().join(DATABASE), "template").unwrap();
        let data = base.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
        let files = [DATABASE]
            .into_iter()
            .chain(COMPANIONS)
            .map(|name| data.join(name));
        for file in files.clone() {
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        }
        let dir = DataDir::open(&data, Some(&config)).unwrap();
        assert_eq!(fs::read(dir.database()).unwrap(), b"old");
        assert_eq!(
            files.map(|file| mode(&file)).collect::<Vec<_>>(),
            [0o600; 4]
        );
        assert_eq!(mode(&data), 0o755, "a folder that was there keeps its mode");
    }

    #[test]
    fn a_journal_without_its_database_is_refused() {
        let base = tempfile::tempdir().unwrap();
        for companion in COMPANIONS {
            let orphan = base.path().join(companion);
            fs::write(&orphan, "pages").unwrap();
            let error = DataDir::open(base.path(), Some(&base.path().join("none/config.json")));
            assert!(matches!(error, Err(DataDirError::Orphan { path }) if path == orphan));
            fs::remove_file(&orphan).unwrap();
        }
    }

    #[test]
    fn without_a_template_the_database_has_its_name_before_anything_is_written_beside_it() {
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&base.path().join("data"), Some(&base.path().join("c"))).unwrap();
        assert_eq!(fs::read(dir.database()).unwrap(), b"");
        assert_eq!(mode(&dir.database()), 0o600);
    }

    #[test]
    fn a_template_in_use_is_not_copied() {
        let base = tempfile::tempdir().unwrap();
        let (config, data) = (base.path().join("config.json"), base.path().join("data"));
        fs::write(base.path().join(DATABASE), "template").unwrap();
        let journal = base.path().join(COMPANIONS[0]);
        fs::write(&journal, "pages").unwrap();
        let error = DataDir::open(&data, Some(&config));
        assert!(matches!(error, Err(DataDirError::TemplateInUse { path }) if path == journal));
        fs::remove_file(&journal).unwrap();
        let dir = DataDir::open(&data, Some(&config)).unwrap();
        assert_eq!(fs::read(dir.database()).unwrap(), b"template");
    }
}
