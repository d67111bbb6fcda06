//! `echat-server export` and `import`: accounts, rooms and messages as lines of JSON.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use echat_proto::names::{Password, RoomName, Username};
use echat_system::private_file::NewFile;
use echat_system::{free_space, regular_file};

use super::{CommandReport, MaintenanceError, done};
use crate::backup::{BackupSource, carry_administrator_code};
use crate::cli::ExportSelection;
use crate::config::{self, Overrides};
use crate::data_dir::{
    self, ADMINISTRATOR_CODE, DataDirError, Incoming, Offline, UnfinishedFile, remove_left_over,
};
use crate::storage::{
    self, CopyError, DATABASE_HEADER, Imported, ImportedOriginal, Scope, TransferError,
    begin_history, copy_database, create_template, reserved_ids, shortened,
};
use crate::workers::jobs::{self, HashMemory};

/// The target that stands for standard output.
const STDOUT: &str = "-";

pub(super) fn export(
    folder: Overrides,
    target: &Path,
    what: ExportSelection,
    now: i64,
) -> Result<CommandReport, MaintenanceError> {
    let loaded = config::load_for_folder(folder)?;
    let files = data_dir::open_for_command(&loaded.config.data)?;
    if target == Path::new(STDOUT) {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = storage::export(&files.database, &scope(what), now, &mut out);
        written
            .and_then(|_| Ok(out.flush()?))
            .map_err(|source| failed(Path::new("stdout"), source))?;
        return Ok(done(String::new()));
    }
    let source = BackupSource {
        database: files.database,
        host_key: None,
        config: None,
        free_bytes: loaded.config.limits.free_bytes,
    };
    let messages = export_from(&source, target, what, now)?;
    let shown = target.display();
    Ok(done(format!("exported {messages} messages to {shown}\n")))
}

/// Exports a part of a database to a new file. Returns the number of messages.
pub(super) fn export_from(
    source: &BackupSource,
    target: &Path,
    what: ExportSelection,
    now: i64,
) -> Result<u64, MaintenanceError> {
    if target.symlink_metadata().is_ok() {
        return Err(MaintenanceError::Exists(target.to_owned()));
    }
    let not_made = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => MaintenanceError::Exists(target.to_owned()),
        _ => MaintenanceError::Create {
            path: target.to_owned(),
            source,
        },
    };
    // What cannot be removed is not in the way of an export.
    let _ = remove_left_over(source.folder());
    let mut new = NewFile::create(target).map_err(not_made)?;
    let temporary = new.temporary().to_owned();
    let _unfinished = UnfinishedFile::note(source.folder(), &temporary, new.file());
    let written = write_lines(new.file(), source, &scope(what), now);
    let messages = written.map_err(|source| failed(target, source))?;
    match new.finish() {
        Ok(()) => Ok(messages),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(not_made(error)),
        Err(error) => Err(failed(target, error.into())),
    }
}

/// Writes an export. Returns the number of messages.
fn write_lines(
    file: &File,
    source: &BackupSource,
    scope: &Scope,
    now: i64,
) -> Result<u64, TransferError> {
    let mut out = BufWriter::new(SparingWriter::new(file, source)?);
    let messages = storage::export(&source.database, scope, now, &mut out)?;
    out.flush()?;
    Ok(messages)
}

/// The error of an export.
fn failed(target: &Path, source: TransferError) -> MaintenanceError {
    match source {
        unknown @ TransferError::Unknown { .. } => MaintenanceError::Unknown(unknown),
        source => MaintenanceError::Transfer {
            path: target.to_owned(),
            source,
        },
    }
}

/// A new file that leaves free what the server reserves on its disk.
struct SparingWriter<'a> {
    file: &'a File,
    reserved: u64,
    /// Bytes that can be written before the disk is looked at again.
    allowed: usize,
}

impl<'a> SparingWriter<'a> {
    /// Bytes that are written from one look at the disk to the next.
    const STEP: usize = 1024 * 1024;

    fn new(file: &'a File, source: &BackupSource) -> io::Result<Self> {
        Ok(Self {
            reserved: source.reserved_beside(file)?,
            file,
            allowed: 0,
        })
    }
}

impl Write for SparingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.allowed < bytes.len() && self.reserved > 0 {
            let free = free_space::of_file(self.file)?;
            if free < self.reserved.saturating_add(Self::STEP as u64) {
                let reserved = self.reserved;
                return Err(io::Error::other(format!(
                    "{free} bytes are free on the disk, and an export leaves what `free_bytes` reserves ({reserved})"
                )));
            }
            self.allowed = Self::STEP;
        }
        let written = self.file.write(bytes)?;
        self.allowed = self.allowed.saturating_sub(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// With names in their stored form.
fn scope(what: ExportSelection) -> Scope {
    match what {
        ExportSelection::All { passwords } => Scope::All { passwords },
        ExportSelection::User(name) => Scope::User(match Username::new(&name) {
            Ok(valid) => valid.as_str().to_owned(),
            Err(_) => name,
        }),
        ExportSelection::Room(name) => Scope::Room(match RoomName::new(&name) {
            Ok(valid) => valid.as_str().to_owned(),
            Err(_) => name,
        }),
    }
}

pub(super) fn import(
    file: &Path,
    data: &Path,
    now: i64,
) -> Result<CommandReport, MaintenanceError> {
    let error = |source| MaintenanceError::Transfer {
        path: file.to_owned(),
        source,
    };
    let mut lines = regular_file::read(file).map_err(|source| error(source.into()))?;
    if is_database(&mut lines).map_err(|source| error(source.into()))? {
        return import_original(file, data, now);
    }
    let folder = Offline::open(data, true)?;
    if folder.has_database()? {
        return Err(MaintenanceError::Exists(folder.shown_database()));
    }
    let incoming = folder.stage()?;
    let imported = fill(&incoming, lines, now).map_err(error);
    let finished = imported.and_then(|imported| {
        if !folder.has_host_key()? {
            incoming.create_host_key().map_err(DataDirError::from)?;
        }
        let has_new_code = carry_administrator_code(&folder, &incoming, true)?;
        folder.replace(&incoming, "import")?;
        Ok((imported, has_new_code))
    });
    if finished.is_err() {
        // The first error is the one to report.
        let _ = folder.discard();
    }
    let (imported, has_new_code) = finished?;
    let Imported {
        users,
        rooms,
        messages,
        ..
    } = imported;
    let mut text = format!(
        "imported {} into {}: users {users}, rooms {rooms}, messages {messages}\n",
        file.display(),
        data.display()
    );
    if has_new_code {
        text += &code_line(data);
    }
    Ok(done(text))
}

/// Where the code of the first administrator is.
fn code_line(data: &Path) -> String {
    format!(
        "no account is an administrator; the code that makes the first one: {}\n",
        data.join(ADMINISTRATOR_CODE).display()
    )
}

/// Whether a file is a database, as one of the original E-Chat, and no export.
fn is_database(file: &mut File) -> io::Result<bool> {
    let mut begin = Vec::new();
    file.take(DATABASE_HEADER.len() as u64)
        .read_to_end(&mut begin)?;
    file.rewind()?;
    Ok(begin == DATABASE_HEADER)
}

/// Adds a database of the original E-Chat to a folder, which may have a database. The old files are kept aside.
fn import_original(file: &Path, data: &Path, now: i64) -> Result<CommandReport, MaintenanceError> {
    let folder = Offline::open(data, true)?;
    let added = add_original(&folder, file, now);
    if !matches!(&added, Ok((imported, ..)) if imported.is_new()) {
        // The first error is the one to report.
        let _ = folder.discard();
    }
    let (imported, aside, has_new_code) = added?;
    let mut text = said(file, data, &imported);
    if let Some(aside) = aside {
        // A string takes all text.
        let _ = writeln!(text, "what was there before: {}", aside.display());
    }
    if has_new_code {
        text += &code_line(data);
    }
    Ok(done(text))
}

/// What was imported, the folder of the old files, and whether there is a new code for an administrator.
type Added = (ImportedOriginal, Option<PathBuf>, bool);

fn add_original(folder: &Offline, file: &Path, now: i64) -> Result<Added, MaintenanceError> {
    let error = |source| MaintenanceError::Transfer {
        path: file.to_owned(),
        source,
    };
    let had_database = folder.has_database()?;
    let incoming = folder.stage()?;
    let database = incoming.database();
    if had_database {
        File::create_new(&database).map_err(|source| error(source.into()))?;
        let copied = copy_database(&folder.database(), &database, || Ok(()));
        copied.map_err(|source| error(not_copied(source)))?;
    } else {
        create_template(&database).map_err(|source| error(source.into()))?;
    }
    let above = reserved_ids(&folder.high_water()).unwrap_or(0);
    let mut rng = StdRng::try_from_rng(&mut SysRng).map_err(|source| {
        let source = io::Error::other(source.to_string());
        error(source.into())
    })?;
    let mut memory = HashMemory::default();
    let mut hash = |password: &Password| jobs::hash(password, &mut rng, &mut memory);
    let imported =
        storage::import_original(file, &database, (above, now), &mut hash).map_err(error)?;
    if !imported.is_new() {
        return Ok((imported, None, false));
    }
    begin_history(&database, &incoming.high_water(), above)
        .map_err(|source| error(source.into()))?;
    if !folder.has_host_key()? {
        incoming.create_host_key().map_err(DataDirError::from)?;
    }
    let has_new_code = carry_administrator_code(folder, &incoming, !had_database)?;
    let aside = folder.replace(&incoming, "import")?;
    Ok((imported, aside, has_new_code))
}

fn not_copied(error: CopyError) -> TransferError {
    match error {
        CopyError::Open(error) => error.into(),
        CopyError::Page(error) => error.into(),
        CopyError::Sync(error) => error.into(),
    }
}

/// Lines of the report of each kind at most.
const LINES: usize = 100;

/// The report: what is new, then what needs a look.
fn said(file: &Path, data: &Path, imported: &ImportedOriginal) -> String {
    let ImportedOriginal {
        users,
        friends,
        requests,
        rooms,
        members,
        messages,
        rows,
        known,
        ..
    } = imported;
    let mut text = format!(
        "imported {} into {}: users {users}, friendships {friends}, requests {requests}, rooms {rooms}, members \
         {members}, messages {messages}; {rows} message rows read, {known} messages there already\n",
        file.display(),
        data.display()
    );
    let weak = imported.weak.iter().map(|name| {
        format!("user {name} has a password that is too short today: it still works, and echat asks for a new one")
    });
    let without_password = imported.without_password.iter().map(|name| {
        format!(
            "user {name} has no password: set one with `echat-server ctl reset-password {name}`"
        )
    });
    let passwords: Vec<String> = without_password.chain(weak).collect();
    let left_out: Vec<String> = imported
        .left_out
        .iter()
        .map(|line| format!("left out: {line}"))
        .collect();
    for lines in [&imported.renamed, &passwords, &left_out] {
        for line in lines.iter().take(LINES) {
            let _ = writeln!(text, "{}", shortened(line));
        }
        if let Some(more) = lines.len().checked_sub(LINES).filter(|more| *more > 0) {
            let _ = writeln!(text, "and {more} more");
        }
    }
    text
}

fn fill(incoming: &Incoming, lines: File, now: i64) -> Result<Imported, TransferError> {
    let database = incoming.database();
    let imported = storage::import(BufReader::new(lines), &database, now)?;
    begin_history(&database, &incoming.high_water(), imported.newest_id)?;
    Ok(imported)
}
