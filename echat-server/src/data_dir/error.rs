//! Why a data folder is not used.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::exit::ExitCode;
use crate::host_key::HostKeyError;
use crate::private_file::FileError;

/// How a file lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// There is no such file.
    Absent,
    /// It has 0 bytes.
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

/// What a used data folder needs and does not have. One of both, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How the database lacks.
    pub database: Option<Lack>,
    /// How the host key lacks.
    pub host_key: Option<Lack>,
}

impl Missing {
    /// The file that is named first, in its folder.
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

/// Why a data folder is not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// The folder or a file in it cannot be made.
    #[error("{}: cannot be made: {source}", path.display())]
    Create {
        /// What could not be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder's name is a link to nothing, as when a disk is not mounted.
    #[error(
        "{}: a symbolic link to a folder that is missing; put the folder back (is its disk mounted?), \
         or remove the link",
        path.display()
    )]
    FolderGone {
        /// The link.
        path: PathBuf,
    },
    /// The folder belongs to another user, who could change all that is in it.
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
    /// Group or others may put files into the folder.
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
    /// The lock is held by another process.
    #[error("{}: another echat-server uses this folder", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// Another process holds the database, which has a name in another folder too.
    #[error("{}: another echat-server uses this database, by another folder", path.display())]
    DatabaseLocked {
        /// The database.
        path: PathBuf,
    },
    /// Something of a folder that was used before is not there.
    #[error("{}: {missing}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What is missing.
        missing: Missing,
    },
    /// Locking, looking or removing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not the server's own.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FileError,
    },
    /// A file cannot be made private.
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
    /// The exit code that says this.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Create { .. } => ExitCode::CannotCreate,
            Self::FolderGone { .. } | Self::Missing { .. } | Self::Orphan { .. } => {
                ExitCode::NoInput
            }
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
