//! Backups of a data folder: one file with the database, the host key and the configuration; how it is made, verified
//! and restored, and when the server makes one by itself.
//!
//! `archive` is the format, `restore` puts a backup into a data folder, `schedule` names and prunes the files of a
//! folder.
//!
//! A backup has its name only when it is good: it is written as `FILE.tmp`, which is locked, synced, opened and checked
//! (pages, foreign keys, schema, derived parts), and then linked to its name, never over another file.

mod administrator_code;
mod archive;
mod restore;
mod schedule;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use echat_system::free_space;
use echat_system::private_file::{self, FileError};
use echat_system::regular_file;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::data_dir::{LAST_BACKUP, UnfinishedFile, remove_left_over};
use crate::exit::ExitCode;
use crate::host_key::{self, HostKeyError};
use crate::storage::{
    CopyError, DATABASE_HEADER, Fault, OpenError, Summary, check_copy, copy_database,
    length_of_log, mark_without_log, newest_time,
};

pub use administrator_code::carry_administrator_code;
pub use archive::{Attachments, FORMAT, FormatError, Manifest};
pub use restore::{RestoreError, RestoreKind, Restored, restore};
pub use schedule::{BackupOutcome, BackupSchedule, Made};

/// What is backed up.
#[derive(Clone, Debug)]
pub struct BackupSource {
    /// The database. A server may be using it.
    pub database: PathBuf,
    /// The host key, if the backup is to have it.
    pub host_key: Option<PathBuf>,
    /// The configuration file, if there is one and the backup is to have it.
    pub config: Option<PathBuf>,
    /// Bytes that stay free on the disk of the database: with fewer, the server refuses to store.
    pub free_bytes: u64,
}

impl BackupSource {
    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.database.parent().unwrap_or(Path::new("."))
    }

    /// Bytes that have to stay free on the disk of a file that is written beside the server.
    ///
    /// # Errors
    /// The file or the database cannot be looked at.
    pub fn reserved_beside(&self, file: &File) -> io::Result<u64> {
        let is_same_disk = self.database.metadata()?.dev() == file.metadata()?.dev();
        Ok(if is_same_disk { self.free_bytes } else { 0 })
    }
}

/// Why a backup is not made or not good.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file of this name exists.
    #[error("{}: exists already; a backup never replaces a file", .0.display())]
    Exists(PathBuf),
    /// The temporary file has content and no note.
    #[error("{}: left by a backup that was killed, or of another program: remove it or take another name", .0.display())]
    LeftOver(PathBuf),
    /// The disk has too little space.
    #[error(
        "{}: needs {needed} bytes, and {free} are free; a backup leaves what `free_bytes` reserves", path.display()
    )]
    Space {
        /// The backup.
        path: PathBuf,
        /// Bytes of the backup, and those that stay free.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Another process is writing a backup of this name.
    #[error("{}: another process is writing this backup", .0.display())]
    Locked(PathBuf),
    /// The temporary file does not belong to this user, or cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: FileError,
    },
    /// A file cannot be created.
    #[error("{}: cannot be made: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The database cannot be copied.
    #[error("{}: {source}", path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: CopyError,
    },
    /// The host key of the data folder cannot be used.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// The file is no complete backup.
    #[error("{}: {source}", path.display())]
    Format {
        /// The backup.
        path: PathBuf,
        /// The fault.
        source: FormatError,
    },
    /// The database in a backup cannot be used.
    #[error("{}: {source}", path.display())]
    Database {
        /// The backup.
        path: PathBuf,
        /// The fault.
        source: OpenError,
    },
    /// The database is not complete without the write-ahead log beside it.
    #[error(
        "{}: this database has a write-ahead log beside it, and may be in use: make a backup of its folder, and restore that",
        .0.display()
    )]
    Log(PathBuf),
    /// The database that was copied, or that in a backup, has faults.
    #[error("{}: the database is damaged: {}", path.display(), listed(faults))]
    Damaged {
        /// The database or the backup.
        path: PathBuf,
        /// Its faults.
        faults: Vec<Fault>,
    },
}

fn listed(faults: &[Fault]) -> String {
    match faults {
        [] => "its tables cannot be read".to_owned(),
        [fault] => fault.to_string(),
        [fault, rest @ ..] => format!("{fault}, and {} more faults", rest.len()),
    }
}

impl BackupError {
    /// The exit code of this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Exists(_) | Self::LeftOver(_) | Self::Create { .. } => ExitCode::CannotCreate,
            Self::Locked(_) | Self::Log(_) => ExitCode::Busy,
            Self::File { source, .. } => match source {
                FileError::Io(_) => ExitCode::Io,
                _ => ExitCode::Permission,
            },
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ExitCode::NoInput
            }
            Self::Io { .. } | Self::Space { .. } => ExitCode::Io,
            Self::Copy { source, .. } if source.is_damage() => ExitCode::Data,
            Self::Copy { source, .. } => match source {
                CopyError::Open(OpenError::Busy) => ExitCode::Busy,
                _ => ExitCode::Io,
            },
            Self::HostKey(error) => error.exit_code(),
            Self::Format { .. } | Self::Database { .. } | Self::Damaged { .. } => ExitCode::Data,
        }
    }
}

/// Gives the calling thread the lowest priority, on Linux: the loop goes before it.
pub fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        // What is added to the nice value.
        const NICE: i32 = 19;
        // Without it the work is done as well.
        let _ = rustix::process::nice(NICE);
    }
}

/// A backup that was made.
#[derive(Debug)]
pub struct Created {
    /// What it has.
    pub manifest: Manifest,
    /// Why it is without the configuration that it was to have.
    pub no_config: Option<NoConfig>,
}

/// Why a backup is without the configuration that it was to have.
#[derive(Debug, Error)]
#[error("the backup is without the configuration, which cannot be read: {0}")]
pub struct NoConfig(BackupError);

/// Makes a backup at `target` from a folder that a server may be using. The file is private, complete, synced and
/// verified before it has its name. A configuration that cannot be read is left out. `now` is the time in unix seconds.
///
/// # Errors
/// See [`BackupError`]. No file `target` is there then, nor its temporary file, unless another process writes that.
pub fn create(source: &BackupSource, target: &Path, now: i64) -> Result<Created, BackupError> {
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let temporary = private_file::beside(target, private_file::TEMPORARY);
    // What cannot be removed is not in the way of a backup.
    let _ = remove_left_over(source.folder());
    let file = hold(&temporary)?;
    let _unfinished = UnfinishedFile::note(source.folder(), &temporary, &file);
    let made = has_space(source, &file, target)
        .and_then(|()| fill(source, &file, &temporary, now))
        .and_then(|created| {
            publish(&temporary, target)?;
            Ok(created)
        });
    match &made {
        // The backup is good without the note.
        Ok(created) => drop(note(source.folder(), created.manifest.created_at)),
        // The first error is the one to report.
        Err(_) => drop(private_file::remove_large(&temporary)),
    }
    made
}

/// Notes in the data folder that a backup of it was made, for the metrics.
fn note(folder: &Path, at: i64) -> io::Result<()> {
    private_file::replace(&folder.join(LAST_BACKUP), |file| writeln!(file, "{at}"))
}

/// When the last backup of a database was made, in unix seconds, by whichever process; `None` if that is not known.
pub fn last_backup(database: &Path) -> Option<i64> {
    let noted = text(&database.with_file_name(LAST_BACKUP)).ok()?;
    noted.trim_end().parse().ok()
}

/// Creates the temporary file, or takes over an empty one, which a process left that was killed before it could note
/// it, and locks it. What is not empty and has no note is another program's.
fn hold(temporary: &Path) -> Result<File, BackupError> {
    let path = || temporary.to_owned();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = match private_file::open(temporary, &mut options) {
        Err(FileError::Io(source)) => {
            let path = path();
            return Err(BackupError::Create { path, source });
        }
        opened => opened.map_err(|source| BackupError::File {
            path: path(),
            source,
        })?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BackupError::Locked(path())),
        Err(TryLockError::Error(source)) => {
            let path = path();
            return Err(BackupError::Io { path, source });
        }
    }
    // The process that held it may have given it its name in between: then it is a complete backup.
    let is_same = temporary
        .symlink_metadata()
        .and_then(|named| Ok(named.ino() == file.metadata()?.ino()));
    if !is_same.unwrap_or(false) {
        return Err(BackupError::Locked(path()));
    }
    if file.metadata().is_ok_and(|found| found.len() > 0) {
        return Err(BackupError::LeftOver(path()));
    }
    let private = private_file::refuse_hard_links(&file)
        .and_then(|()| Ok(private_file::make_private(&file)?));
    private.map_err(|source| BackupError::File {
        path: path(),
        source,
    })?;
    Ok(file)
}

/// Refuses a backup for which there is no space, before it takes that of the server.
fn has_space(source: &BackupSource, file: &File, target: &Path) -> Result<(), BackupError> {
    let known = || -> io::Result<(u64, u64)> {
        let database = source.database.metadata()?;
        let needed = database.len();
        let needed = needed.saturating_add(length_of_log(&source.database));
        let needed = needed.saturating_add(source.reserved_beside(file)?);
        Ok((needed, free_space::of_file(file)?))
    };
    match known() {
        Ok((needed, free)) if needed > free => Err(BackupError::Space {
            path: target.to_owned(),
            needed,
            free,
        }),
        // What is not known is found out by writing.
        _ => Ok(()),
    }
}

fn fill(
    source: &BackupSource,
    file: &File,
    temporary: &Path,
    now: i64,
) -> Result<Created, BackupError> {
    let io_error = |source| BackupError::Io {
        path: temporary.to_owned(),
        source,
    };
    let (attachments, no_config) = attachments(source)?;
    copy_database(&source.database, temporary, || Ok(())).map_err(|error| BackupError::Copy {
        path: source.database.clone(),
        source: error,
    })?;
    mark_without_log(file).map_err(io_error)?;
    let summary = sound(temporary, &source.database)?;
    let manifest = Manifest::new(summary, attachments, now);
    archive::append(file, &manifest).map_err(io_error)?;
    file.sync_all().map_err(io_error)?;
    Ok(Created {
        manifest,
        no_config,
    })
}

/// What the backup has beside the database. A configuration that cannot be read keeps no database from being backed up.
fn attachments(source: &BackupSource) -> Result<(Attachments, Option<NoConfig>), BackupError> {
    let mut attachments = Attachments::default();
    if let Some(path) = &source.host_key {
        // A key that no server would use is not worth keeping.
        host_key::load(path, path)?;
        attachments.host_key = Some(text(path)?);
    }
    let mut no_config = None;
    if let Some(path) = &source.config {
        match text(path) {
            Ok(text) => attachments.config = Some(text),
            Err(error) => no_config = Some(NoConfig(error)),
        }
    }
    Ok((attachments, no_config))
}

fn text(path: &Path) -> Result<Zeroizing<String>, BackupError> {
    let read = regular_file::read(path).and_then(io::read_to_string);
    let read = read.map(Zeroizing::new);
    read.map_err(|source| BackupError::Io {
        path: path.to_owned(),
        source,
    })
}

/// What the copy at `path` holds, if it has no faults. Errors name it `shown`.
fn sound(path: &Path, shown: &Path) -> Result<Summary, BackupError> {
    let path_of = || shown.to_owned();
    let (findings, summary) = check_copy(path).map_err(|source| BackupError::Database {
        path: path_of(),
        source,
    })?;
    match summary {
        Some(summary) if findings.faults.is_empty() => Ok(summary),
        _ => Err(BackupError::Damaged {
            path: path_of(),
            faults: findings.faults,
        }),
    }
}

/// Gives the complete file its name, durably, and never in the place of another file.
fn publish(temporary: &Path, target: &Path) -> Result<(), BackupError> {
    let error = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => BackupError::Create {
            path: target.to_owned(),
            source,
        },
    };
    match fs::hard_link(temporary, target) {
        Ok(()) => fs::remove_file(temporary).map_err(error)?,
        Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => return Err(error(exists)),
        // A file system without hard links.
        Err(_) if target.symlink_metadata().is_err() => {
            fs::rename(temporary, target).map_err(error)?;
        }
        Err(_) => return Err(BackupError::Exists(target.to_owned())),
    }
    private_file::sync_folder_of(target).map_err(error)
}

/// Verifies the backup at `path`: complete and unchanged since it was made; the database sound, of a known version, and
/// with the rows that were counted then; the key usable.
///
/// # Errors
/// See [`BackupError`].
pub fn verify(path: &Path) -> Result<Manifest, BackupError> {
    let format = |source| BackupError::Format {
        path: path.to_owned(),
        source,
    };
    let file = regular_file::read(path).map_err(|source| BackupError::Io {
        path: path.to_owned(),
        source,
    })?;
    let manifest = archive::read(&file, &mut io::sink()).map_err(format)?;
    let summary = Summary {
        deleted_users: manifest.summary.deleted_users,
        ..sound(path, path)?
    };
    if summary != manifest.summary {
        return Err(format(FormatError::Contents));
    }
    Ok(manifest)
}

/// Writes the database of the backup at `path` to `database`, which is new, and returns what else the backup has.
///
/// # Errors
/// See [`BackupError`]. The backup has changed since it was verified, or a file cannot be read or written.
pub fn extract(path: &Path, database: &Path) -> Result<Manifest, BackupError> {
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    let file = regular_file::read(path).map_err(io_error(path))?;
    let mut copy = new_copy(database)?;
    let manifest = archive::read(&file, &mut copy).map_err(|source| BackupError::Format {
        path: path.to_owned(),
        source,
    })?;
    copy.sync_all().map_err(io_error(database))?;
    Ok(manifest)
}

/// Refuses a file that is no database, or not a complete one, before anything is made of it.
///
/// # Errors
/// See [`BackupError`].
fn check_plain(path: &Path) -> Result<(), BackupError> {
    let io_error = |source| BackupError::Io {
        path: path.to_owned(),
        source,
    };
    let file = regular_file::read(path).map_err(io_error)?;
    let mut head = [0; DATABASE_HEADER.len()];
    let is_database = match file.read_exact_at(&mut head, 0) {
        Ok(()) => head == *DATABASE_HEADER,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(io_error(error)),
    };
    if !is_database {
        return Err(BackupError::Database {
            path: path.to_owned(),
            source: OpenError::Foreign,
        });
    }
    if length_of_log(path) > 0 {
        return Err(BackupError::Log(path.to_owned()));
    }
    Ok(())
}

/// Copies the database at `path` to `database`, which is new, and returns what a backup would say of it. It counts as
/// made when its newest message was sent, since nothing says until when it was copied.
///
/// # Errors
/// See [`BackupError`]. The database has faults, or a file cannot be read or written.
fn copy_plain(path: &Path, database: &Path) -> Result<Manifest, BackupError> {
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    let mut file = regular_file::read(path).map_err(io_error(path))?;
    let mut copy = new_copy(database)?;
    io::copy(&mut file, &mut copy).map_err(io_error(database))?;
    mark_without_log(&copy)
        .and_then(|()| copy.sync_all())
        .map_err(io_error(database))?;
    let summary = sound(database, path)?;
    let newest = newest_time(database).map_err(|source| BackupError::Database {
        path: path.to_owned(),
        source,
    })?;
    Ok(Manifest::new(summary, Attachments::default(), newest))
}

/// Creates the file of a copied database.
fn new_copy(database: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private_file::open(database, &mut options).map_err(|source| BackupError::File {
        path: database.to_owned(),
        source,
    })
}
