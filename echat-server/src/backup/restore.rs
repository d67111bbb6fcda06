//! Puts a backup into a data folder, as a whole, and keeps what was there.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::data_dir::{DataDirError, Incoming, Offline};
use crate::exit::ExitCode;
use crate::storage::{OpenError, begin_history, reserved_ids};

use super::administrator_code::carry_administrator_code;
use super::{Attachments, BackupError, Manifest, check_plain, copy_plain, extract, verify};

/// Message ids that a server can have given out in each second since the backup was made, more than any can. It counts
/// only where no `high_water` says what was given out. In ten years these are 3 * 10^13 ids; a number of JSON has 9 *
/// 10^15.
const IDS_A_SECOND: u64 = 100_000;

/// What a file is that is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreKind {
    /// A backup of echat.
    Backup,
    /// A database without the rest of a backup, as a program that copies databases restores one.
    Database,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Where the files are that were there before; `None` if there were none.
    pub aside: Option<PathBuf>,
    /// New message ids are above this one.
    pub above: u64,
    /// Whether the folder has a new code for the first administrator.
    pub has_new_code: bool,
    /// Whether the folder has a host key now.
    pub has_host_key: bool,
}

/// Why nothing was restored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup is not good, or cannot be read.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be prepared.
    #[error("{}: {source}", path.display())]
    Database {
        /// The backup.
        path: PathBuf,
        /// The cause.
        source: OpenError,
    },
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The data folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl RestoreError {
    /// The exit code of this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Backup(error) => error.exit_code(),
            Self::DataDir(error) => error.exit_code(),
            Self::Database { .. } | Self::Write { .. } => ExitCode::Io,
        }
    }
}

/// Restores `file` into the data folder `data`, which is created if it is missing and which no server may be using. Ids
/// continue above all that were given out, and the history gets a new name, by which clients notice. `now` is the time
/// in unix seconds.
///
/// # Errors
/// See [`RestoreError`]. The folder then is as before. A process that is killed leaves it as before or as restored: the
/// next use of the folder completes a restore that had begun to move files.
pub fn restore(
    file: &Path,
    kind: RestoreKind,
    data: &Path,
    now: i64,
) -> Result<Restored, RestoreError> {
    match kind {
        RestoreKind::Backup => drop(verify(file)?),
        RestoreKind::Database => check_plain(file)?,
    }
    let folder = Offline::open(data, true)?;
    let restored = restore_into(&folder, file, kind, data, now);
    if restored.is_err() {
        // On a full disk the new files would take space. The first error is the one to report.
        let _ = folder.discard();
    }
    restored
}

fn restore_into(
    folder: &Offline,
    file: &Path,
    kind: RestoreKind,
    data: &Path,
    now: i64,
) -> Result<Restored, RestoreError> {
    let incoming = folder.stage()?;
    let manifest = match kind {
        RestoreKind::Backup => extract(file, &incoming.database())?,
        RestoreKind::Database => copy_plain(file, &incoming.database())?,
    };
    let above = first_id(&manifest, reserved_ids(&folder.high_water()), now);
    let above =
        begin_history(&incoming.database(), &incoming.high_water(), above).map_err(|source| {
            RestoreError::Database {
                path: file.to_owned(),
                source,
            }
        })?;
    attach(&incoming, &manifest.attachments).map_err(|source| RestoreError::Write {
        path: data.to_owned(),
        source,
    })?;
    let has_new_code = carry_administrator_code(folder, &incoming, false)?;
    let aside = folder.replace(&incoming, "restore")?;
    Ok(Restored {
        has_new_code,
        has_host_key: folder.has_host_key()?,
        manifest,
        aside,
        above,
    })
}

/// The id above which ids continue. The folder's own record is exact; without one that reaches the backup, the age of
/// the backup bounds what was given out since.
fn first_id(manifest: &Manifest, reserved: Option<u64>, now: i64) -> u64 {
    let newest = manifest.summary.newest_id;
    let age = now
        .saturating_sub(manifest.created_at)
        .max(0)
        .unsigned_abs();
    match reserved {
        Some(reserved) if reserved >= newest => reserved,
        _ => newest.saturating_add((age + 1).saturating_mul(IDS_A_SECOND)),
    }
}

fn attach(incoming: &Incoming, attachments: &Attachments) -> io::Result<()> {
    if let Some(key) = &attachments.host_key {
        incoming.write_host_key(key)?;
    }
    if let Some(config) = &attachments.config {
        incoming.write_config(config)?;
    }
    Ok(())
}
