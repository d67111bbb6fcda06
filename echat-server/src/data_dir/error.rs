//! Errors of the data folder.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

use echat_system::private_file::FileError;
use thiserror::Error;

use crate::exit::ExitCode;
use crate::host_key::HostKeyError;

/// How a file is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The file does not exist.
    Absent,
    /// The file is empty.
    Empty,
}

impl Display for Lack {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Absent => "missing",
            Self::Empty => "empty (0 bytes)",
        })
    }
}

/// The files that a used data folder lacks, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The database.
    pub database: Option<Lack>,
    /// The host key.
    pub host_key: Option<Lack>,
}

impl Missing {
    /// What is missing for a server that has its host key from elsewhere.
    pub(super) fn besides_host_key(self) -> Option<Self> {
        let host_key = None;
        self.database.is_some().then_some(Self { host_key, ..self })
    }

    /// The path of the file that is named first.
    pub(super) fn file(self) -> &'static str {
        if self.database.is_some() {
            super::DATABASE
        } else {
            super::HOST_KEY
        }
    }
}

impl Display for Missing {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        const KEY: &str = "a new host key, of which clients will warn";
        let (lacks, them, new) = match (self.database, self.host_key) {
            (Some(database), Some(key)) => (
                format!("{database}, and host_key is {key}"),
                "both",
                format!("an empty database and {KEY}"),
            ),
            (Some(lack), None) => (lack.to_string(), "it", "an empty database".to_owned()),
            (None, Some(lack)) => (lack.to_string(), "it", KEY.to_owned()),
            (None, None) => return Ok(()),
        };
        write!(
            out,
            "{lacks}, and this folder was used before; put {them} back, or run `echat-server --init` to \
             begin with {new}, keeping what is there"
        )
    }
}

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// The folder or a file in it cannot be created.
    #[error("{}: cannot be made: {source}", path.display())]
    Create {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is no such folder.
    #[error("{}: there is no such data folder", path.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
    /// The folder is a symbolic link without a target, as when a disk is not mounted.
    #[error(
        "{}: a symbolic link to a folder that is missing; put the folder back (is its disk mounted?), \
         or remove the link",
        path.display()
    )]
    FolderGone {
        /// The link.
        path: PathBuf,
    },
    /// The folder belongs to another user, who could change its contents.
    #[error(
        "{}: this folder belongs to user {owner}, and the server runs as user {user}; run the server as \
         its owner, or give it the folder with chown",
        path.display()
    )]
    FolderOwner {
        /// The data folder.
        path: PathBuf,
        /// The folder's owner.
        owner: u32,
        /// The effective user.
        user: u32,
    },
    /// Group or others can write to the folder.
    #[error(
        "{}: others can write to this folder (mode {mode:04o}); if its files are right, run: chmod go-w {0}",
        path.display()
    )]
    FolderOpen {
        /// The data folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another process holds the lock.
    #[error("{}: another echat-server uses this folder", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// Another process has locked the database, through another folder.
    #[error("{}: another echat-server uses this database, by another folder", path.display())]
    DatabaseLocked {
        /// The database.
        path: PathBuf,
    },
    /// A folder that was used before lacks a file.
    #[error("{}: {missing}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The missing files.
        missing: Missing,
    },
    /// Locking, reading or removing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file does not belong to the server.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: FileError,
    },
    /// The mode of a file cannot be changed.
    #[error("{}: cannot be made private (mode 0600): {source}", path.display())]
    Chmod {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A journal exists without its database. `SQLite` would copy its old pages into a new database.
    #[error(
        "{}: belongs to a database.db that is missing or empty; put that back, or move this file away",
        path.display()
    )]
    Orphan {
        /// The journal.
        path: PathBuf,
    },
    /// The host key cannot be used.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
}

impl DataDirError {
    /// The exit code of this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Create { .. } => ExitCode::CannotCreate,
            Self::NoFolder { .. }
            | Self::FolderGone { .. }
            | Self::Missing { .. }
            | Self::Orphan { .. } => ExitCode::NoInput,
            Self::Locked { .. } | Self::DatabaseLocked { .. } => ExitCode::Busy,
            Self::FolderOwner { .. } | Self::FolderOpen { .. } | Self::Chmod { .. } => {
                ExitCode::Permission
            }
            Self::Io { .. } => ExitCode::Io,
            Self::File { source, .. } => file_code(source),
            Self::HostKey(error) => error.exit_code(),
        }
    }
}

fn file_code(error: &FileError) -> ExitCode {
    match error {
        FileError::Io(_) => ExitCode::Io,
        FileError::NotAFile => ExitCode::Config,
        FileError::Link | FileError::Owner { .. } | FileError::HardLinks(_) => ExitCode::Permission,
    }
}
