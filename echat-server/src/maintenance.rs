//! The commands that keep data safe: backup, verify, restore, check, export, import, and the check before an upgrade.
//! Each ends with a report and an exit code.

mod check;
mod folder_view;
mod transfer;
mod upgrade;

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use echat_proto::records::Code;
use serde_json::json;
use thiserror::Error;

use crate::backup::{
    self, BackupError, BackupSchedule, BackupSource, Manifest, RestoreError, RestoreKind, Restored,
};
use crate::cli::{ExportSelection, Maintenance};
use crate::config::{self, ConfigError, Loaded, Overrides};
use crate::data_dir::{self, ADMINISTRATOR_CODE, CONFIG, DataDir, DataDirError};
use crate::engine::{AdminReport, ExportScope, FileTask, at};
use crate::escape::escape;
use crate::exit::ExitCode;
use crate::host_key;
use crate::storage::{self, HighWaterError, OpenError, TransferError};

pub use folder_view::FolderView;

/// Bytes of what a check found in a line of the log.
const LOGGED: usize = 400;

/// What a command says on standard output, and the exit code that goes with it.
#[derive(Debug)]
pub struct CommandReport {
    /// Whole lines.
    pub text: String,
    /// What is wrong though the command did what it says: a sentence for standard error.
    pub complaint: Option<String>,
    /// The exit code.
    pub code: ExitCode,
}

/// Why a command does not come to a report.
#[derive(Debug, Error)]
#[error(transparent)]
#[non_exhaustive]
pub enum MaintenanceError {
    /// The configuration that names the data folder cannot be used.
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    DataDir(#[from] DataDirError),
    /// The database is damaged.
    #[error("{0}")]
    Damaged(String),
    /// A backup is not made or not good.
    Backup(#[from] BackupError),
    /// Nothing was restored.
    Restore(#[from] RestoreError),
    /// A file of this name exists.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// Under this path the server sees another folder than its caller.
    #[error(
        "{}: the server sees another folder there than you do, or none: its service has a /tmp of its own, it runs in a \
         container, or its user may not look there. Nothing was read or written. Name a file in a folder that both see, \
         such as the data folder, or run the command without ctl",
        folder.display()
    )]
    OtherFolder {
        /// The folder of the file.
        folder: PathBuf,
        /// The exit code: of a file to read, or to write.
        code: ExitCode,
    },
    /// A file cannot be created.
    #[error("{}: cannot be made: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is no user or room of this name to export.
    #[error("{0}")]
    Unknown(TransferError),
    /// Nothing was exported or imported.
    #[error("{}: {source}", path.display())]
    Transfer {
        /// The export.
        path: PathBuf,
        /// The cause.
        source: TransferError,
    },
    /// The database cannot be checked or repaired.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: OpenError,
    },
}

impl MaintenanceError {
    /// The exit code of this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::Config,
            Self::DataDir(error) => error.exit_code(),
            Self::Damaged(_) => ExitCode::Data,
            Self::Backup(error) => error.exit_code(),
            Self::Restore(error) => error.exit_code(),
            Self::Exists(_) | Self::Create { .. } => ExitCode::CannotCreate,
            Self::OtherFolder { code, .. } => *code,
            Self::Unknown(_) => ExitCode::Refused,
            Self::Transfer { source, .. } => match source {
                TransferError::Open(error) => database_code(error),
                TransferError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                    ExitCode::NoInput
                }
                TransferError::Io(_) => ExitCode::Io,
                _ => ExitCode::Data,
            },
            Self::Database { source, .. } => database_code(source),
        }
    }
}

impl MaintenanceError {
    /// The code for programs.
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(TransferError::Unknown { kind: "room", .. }) => {
                Code::UnknownRoom.as_str()
            }
            Self::Unknown(_) => Code::UnknownUser.as_str(),
            _ => self.exit_code().word(),
        }
    }
}

/// The exit code of a database that cannot be opened, by the server or by a command.
pub fn database_code(error: &OpenError) -> ExitCode {
    match error {
        OpenError::Busy => ExitCode::Busy,
        OpenError::Blank => ExitCode::NoInput,
        OpenError::NoRoom { .. } | OpenError::Full | OpenError::Copies(_) => ExitCode::CannotCreate,
        OpenError::HighWater(HighWaterError::Damaged) => ExitCode::Config,
        OpenError::Foreign
        | OpenError::Damaged(_)
        | OpenError::Stranger(..)
        | OpenError::Altered(..)
        | OpenError::Lacks(..)
        | OpenError::Newer { .. }
        | OpenError::Older { .. }
        | OpenError::Dangling(_) => ExitCode::Data,
        OpenError::OldSqlite(_)
        | OpenError::NoPages
        | OpenError::HighWater(_)
        | OpenError::NoWal(_)
        | OpenError::Log(_)
        | OpenError::Copy { .. }
        | OpenError::Sqlite(_) => ExitCode::Io,
    }
}

/// Performs a command. `now` is the time in unix seconds.
///
/// # Errors
/// See [`MaintenanceError`].
pub fn perform(task: Maintenance, now: i64) -> Result<CommandReport, MaintenanceError> {
    backup::lower_priority();
    match task {
        Maintenance::Backup {
            folder,
            target,
            keep: None,
            with_key,
            with_config,
        } => back_up(folder, &target, (with_key, with_config), now),
        Maintenance::Backup {
            folder,
            target,
            keep: Some(keep),
            ..
        } => back_up_and_prune(folder, target, keep, now),
        Maintenance::Verify { file, json } => verify(&file, json),
        Maintenance::Restore {
            file,
            is_database,
            data,
        } => {
            let kind = if is_database {
                RestoreKind::Database
            } else {
                RestoreKind::Backup
            };
            restore(&file, kind, &data, now)
        }
        Maintenance::Check {
            folder,
            repair,
            json,
        } => check::check(folder, repair, json, now),
        Maintenance::Export {
            folder,
            target,
            what,
        } => transfer::export(folder, &target, what, now),
        Maintenance::CheckUpgrade(folder) => upgrade::check(folder),
        Maintenance::Import { file, folder } => {
            let data = config::load_for_folder(folder)?.config.data;
            transfer::import(&file, &data, now)
        }
    }
}

/// Performs a task of the administration on a thread of the server. `caller` is how the caller sees the folder of the
/// file, if that is known. `now` is in unix seconds.
///
/// # Errors
/// A code, and a sentence.
pub fn perform_task(
    task: FileTask,
    caller: Option<FolderView>,
    source: &BackupSource,
    now: i64,
) -> Result<AdminReport, (&'static str, String)> {
    let performed =
        refuse_other_folder(&task, caller).and_then(|()| perform_file_task(task, source, now));
    performed.map_err(|error| (error.code(), error.to_string()))
}

/// Refuses a file whose folder is not the one that the caller means.
fn refuse_other_folder(
    task: &FileTask,
    caller: Option<FolderView>,
) -> Result<(), MaintenanceError> {
    let (file, code) = match task {
        FileTask::Backup(file) | FileTask::Export(file, _) => (file, ExitCode::CannotCreate),
        FileTask::Verify(file) => (file, ExitCode::NoInput),
        FileTask::Check | FileTask::Statistics => return Ok(()),
    };
    if caller.is_none_or(|caller| caller == FolderView::of(file)) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(file).to_owned();
    Err(MaintenanceError::OtherFolder { folder, code })
}

fn perform_file_task(
    task: FileTask,
    source: &BackupSource,
    now: i64,
) -> Result<AdminReport, MaintenanceError> {
    match task {
        FileTask::Backup(target) => back_up_beside(source, &target, now),
        FileTask::Verify(file) => backup::verify(&file)
            .map(|manifest| {
                let done = verified(&file, &manifest).trim_end().replace('\n', "; ");
                described(AdminReport::done(done), &file, &manifest)
                    .key("fingerprint", fingerprint(&manifest))
            })
            .map_err(MaintenanceError::from),
        FileTask::Check => check::beside(&source.database).inspect_err(log_damage),
        FileTask::Statistics => statistics(&source.database),
        FileTask::Export(target, scope) => {
            let what = match scope {
                ExportScope::All => ExportSelection::All { passwords: false },
                ExportScope::User(name) => ExportSelection::User(name),
                ExportScope::Room(name) => ExportSelection::Room(name),
            };
            transfer::export_from(source, &target, what, now).map(|messages| {
                let shown = target.display().to_string();
                let done = format!("exported {messages} messages to {shown}");
                AdminReport::done(done)
                    .key("file", shown)
                    .key("messages", messages)
            })
        }
    }
}

/// Makes a backup on a thread of the server.
fn back_up_beside(
    source: &BackupSource,
    target: &Path,
    now: i64,
) -> Result<AdminReport, MaintenanceError> {
    let created = backup::create(source, target, now)?;
    let manifest = &created.manifest;
    let mut done = format!("backup {}: {}", target.display(), contents(manifest));
    if let Some(why) = &created.no_config {
        tracing::warn!("{why}");
        // A string takes all text.
        let _ = write!(done, "; {why}");
    }
    Ok(described(AdminReport::done(done), target, manifest))
}

/// Logs what a check of the database found that this process serves: the caller may be a timer whose output is not
/// read.
fn log_damage(error: &MaintenanceError) {
    if error.exit_code() != ExitCode::Data {
        return;
    }
    let found = error.to_string();
    let shown = &found[..found.floor_char_boundary(LOGGED)];
    tracing::error!(
        "a check of the database found damage: {}; stop the server, and run `echat-server check --repair` or restore a \
         backup",
        escape(shown)
    );
}

/// A report with what a backup has, by key.
fn described(report: AdminReport, file: &Path, manifest: &Manifest) -> AdminReport {
    let summary = &manifest.summary;
    let (users, rooms, messages) = counts(manifest);
    report
        .key("file", file.display().to_string())
        .key("users", users)
        .key("rooms", rooms)
        .key("messages", messages)
        .key("newest_message", summary.newest_id)
        .key("host_key", manifest.attachments.host_key.is_some())
        .key("config", manifest.attachments.config.is_some())
        .key("created", at(manifest.created_at))
        .key("echat", manifest.echat.clone())
        .key("schema", summary.schema)
}

/// Users without deleted ones, rooms and messages of a backup.
fn counts(manifest: &Manifest) -> (u64, u64, u64) {
    let rows = &manifest.summary.rows;
    let rows = |table: &str| rows.get(table).copied().unwrap_or_default();
    // The row of a deleted account stays, so that its name is not given out again.
    let deleted = manifest.summary.deleted_users.unwrap_or_default();
    let users = rows("users").saturating_sub(deleted);
    (users, rows("rooms"), rows("messages"))
}

/// Counts what the database stores.
fn statistics(database: &Path) -> Result<AdminReport, MaintenanceError> {
    let counts = storage::statistics(database).map_err(|source| MaintenanceError::Database {
        path: database.to_owned(),
        source,
    })?;
    let facts = counts.into_iter();
    Ok(AdminReport::facts(
        facts.map(|(name, count)| (name, count.into())).collect(),
    ))
}

fn done(text: String) -> CommandReport {
    CommandReport {
        text,
        complaint: None,
        code: ExitCode::Ok,
    }
}

/// The automatic backups that a configuration asks for.
pub fn schedule(loaded: &Loaded) -> Option<BackupSchedule> {
    let settings = &loaded.config.backup;
    Some(BackupSchedule {
        folder: settings.folder.as_ref()?.into(),
        every: Duration::from_hours(settings.every_hours),
        keep: settings.keep,
    })
}

/// What a backup of the folder that this process serves has.
pub fn source(loaded: &Loaded, data: &DataDir) -> BackupSource {
    BackupSource {
        database: data.database(),
        host_key: data.host_key_path(),
        config: loaded.file.clone(),
        free_bytes: loaded.config.limits.free_bytes,
    }
}

fn back_up(
    folder: Overrides,
    target: &Path,
    (with_key, with_config): (bool, bool),
    now: i64,
) -> Result<CommandReport, MaintenanceError> {
    let loaded = config::load_for_backup(folder)?;
    let files = data_dir::open_for_command(&loaded.config.data)?;
    let source = BackupSource {
        database: files.database,
        host_key: files.host_key.filter(|_| with_key),
        config: loaded.file.filter(|_| with_config),
        free_bytes: loaded.config.limits.free_bytes,
    };
    let created = backup::create(&source, target, now)?;
    let shown = target.display();
    let mut report = done(format!("backup {shown}: {}\n", contents(&created.manifest)));
    report.complaint = created.no_config.map(|why| why.to_string());
    Ok(report)
}

/// Writes a backup into a folder, as the server does by itself, and removes the oldest ones.
fn back_up_and_prune(
    overrides: Overrides,
    folder: PathBuf,
    keep: usize,
    now: i64,
) -> Result<CommandReport, MaintenanceError> {
    let loaded = config::load_for_backup(overrides)?;
    let files = data_dir::open_for_command(&loaded.config.data)?;
    let source = BackupSource {
        database: files.database,
        host_key: files.host_key,
        config: loaded.file,
        free_bytes: loaded.config.limits.free_bytes,
    };
    let schedule = BackupSchedule {
        folder,
        // One is always due.
        every: Duration::ZERO,
        keep,
    };
    let made = schedule.make(&source, now)?;
    let mut text = format!(
        "backup {}; {} older ones removed\n",
        made.path.display(),
        made.pruned
    );
    if made.to_come > 0 {
        // A string takes all text.
        let _ = writeln!(
            text,
            "{} backups have a time to come, of a clock that was wrong: they do not count as kept, and are not removed",
            made.to_come
        );
    }
    let mut report = done(text);
    let mut complaints: Vec<String> = made.no_config.iter().map(ToString::to_string).collect();
    if let Some(error) = made.not_pruned {
        complaints.push(format!(
            "the backup is good, but older ones cannot be removed: {error}"
        ));
        report.code = ExitCode::Io;
    }
    report.complaint = (!complaints.is_empty()).then(|| complaints.join("\n"));
    Ok(report)
}

/// What a backup has, in one line.
fn contents(manifest: &Manifest) -> String {
    let (users, rooms, messages) = counts(manifest);
    let mut text = format!(
        "users {users}, rooms {rooms}, messages {messages}, newest message id {}",
        manifest.summary.newest_id
    );
    for (name, attachment) in [
        ("the host key", &manifest.attachments.host_key),
        ("the configuration", &manifest.attachments.config),
    ] {
        let with = if attachment.is_some() {
            "with"
        } else {
            "without"
        };
        // A string takes all text.
        let _ = write!(text, ", {with} {name}");
    }
    text
}

fn verify(file: &Path, as_json: bool) -> Result<CommandReport, MaintenanceError> {
    let verified = backup::verify(file);
    if as_json {
        return Ok(verified_as_json(verified));
    }
    Ok(done(self::verified(file, &verified?)))
}

/// What is said of a sound backup.
fn verified(file: &Path, manifest: &Manifest) -> String {
    let time = jiff::Timestamp::from_second(manifest.created_at).unwrap_or_default();
    let mut text = format!(
        "sound {}: {}\nmade {time} by echat {}, schema {}\n",
        file.display(),
        contents(manifest),
        manifest.echat,
        manifest.summary.schema
    );
    if let Some(fingerprint) = fingerprint(manifest) {
        // A string takes all text.
        let _ = writeln!(text, "fingerprint of the host key: {fingerprint}");
    }
    text
}

fn verified_as_json(verified: Result<Manifest, BackupError>) -> CommandReport {
    match verified {
        Ok(manifest) => {
            let mut value = manifest.described();
            value["ok"] = true.into();
            value["fingerprint"] = fingerprint(&manifest).into();
            done(format!("{value}\n"))
        }
        Err(error) => CommandReport {
            complaint: None,
            code: error.exit_code(),
            text: format!("{}\n", json!({"ok": false, "error": error.to_string()})),
        },
    }
}

fn fingerprint(manifest: &Manifest) -> Option<String> {
    let key = host_key::parse(manifest.attachments.host_key.as_ref()?)?;
    Some(echat_proto::fingerprint(&key.verifying_key()))
}

fn restore(
    file: &Path,
    kind: RestoreKind,
    data: &Path,
    now: i64,
) -> Result<CommandReport, MaintenanceError> {
    let Restored {
        manifest,
        aside,
        above,
        has_new_code,
        has_host_key,
    } = backup::restore(file, kind, data, now)?;
    let mut text = format!(
        "restored {} into {}: {}\nnew message ids begin above {above}; clients load their history anew\n",
        file.display(),
        data.display(),
        contents(&manifest)
    );
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    if let Some(aside) = aside {
        say(format!("what was there before: {}", aside.display()));
    }
    if manifest.attachments.config.is_some() {
        let path = data.join(CONFIG);
        say(format!(
            "the configuration: {}; a server reads it with --config",
            path.display()
        ));
    }
    if has_new_code {
        let path = data.join(ADMINISTRATOR_CODE);
        say(format!(
            "the code that makes the first administrator is a new one: {}",
            path.display()
        ));
    }
    if !has_host_key {
        say(format!(
            "{} has no host key: put the old one there, or make a new one with `echat-server --init`, of \
             which clients will warn",
            data.display()
        ));
    }
    Ok(done(text))
}
