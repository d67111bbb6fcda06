//! The data folder: `database.db` with the files of its log, `high_water`, `host_key`, `lock`, `last_backup`, and until
//! it was used `first_administrator_code`. By default the control socket is in it too, and the copies that an upgrade
//! makes.
//!
//! A folder with neither database, nor `high_water`, nor `host_key` is new, and so is one in which a first start was
//! interrupted: the marker `init` is written first and removed last. In any other folder a missing database or key is
//! an error, unless the server is started with `--init`. Files are opened without following symbolic links, and checked
//! by their descriptors. `replacement` puts other files in their place, for restore and repair.
//!
//! The file `first_administrator_code` is written before the new database, and the database has the SHA-256 of the code
//! before the server listens. A file without a hash in a database without users is adopted at the next start. In any
//! other database the file is left from a code that was used, and is removed. A database of an older version has no
//! code: its administrators are made by the administration of the server.

mod error;
mod replacement;
mod unfinished;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{self, Path, PathBuf};
use std::sync::Arc;

use echat_proto::names::InvitationCode;
use echat_system::locked_file::FileId;
use echat_system::private_file::{self, FileError};
use ed25519_dalek::SigningKey;
use rand::TryRng;
use rand::rngs::SysRng;
use rustix::fs::Mode;
use zeroize::Zeroizing;

use crate::host_key;
use crate::storage::EMPTY_DATABASE;
pub use error::{DataDirError, Lack, Missing};
pub use replacement::{Incoming, Offline};
pub use unfinished::{LeftOver, UnfinishedFile, remove_left_over, remove_own};

const DATABASE: &str = "database.db";
const HIGH_WATER: &str = "high_water";
const HOST_KEY: &str = "host_key";
const LOCK: &str = "lock";

/// The code that makes the first administrator. It is created with a new database, and removed when it was used.
pub(crate) const ADMINISTRATOR_CODE: &str = "first_administrator_code";
/// Bytes of it that are read: longer than any code with what a person may have added.
const CODE_FILE: usize = 256;

/// The configuration that came with a backup. The server does not read it here.
pub(crate) const CONFIG: &str = "config.json";

/// The time of the last backup, in unix seconds.
pub(crate) const LAST_BACKUP: &str = "last_backup";

/// The marker of a folder whose files are being created.
const INIT: &str = "init";

/// Suffixes of the files that `SQLite` keeps beside a database in use.
const COMPANIONS: [&str; 3] = ["database.db-wal", "database.db-shm", "database.db-journal"];

/// Beginnings of the names of other files that commands and upgrades make.
const OWN_PREFIXES: [&str; 2] = [DATABASE, unfinished::PREFIX];

/// Makes every later file of this process private to its owner, whatever the umask was.
pub fn keep_new_files_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Whether a path leads to a file of the data folder `data`, which may not be there yet.
pub fn is_own_file(data: &Path, path: &Path) -> bool {
    let own = [
        DATABASE,
        HIGH_WATER,
        HOST_KEY,
        LOCK,
        ADMINISTRATOR_CODE,
        CONFIG,
        LAST_BACKUP,
        INIT,
        replacement::REPLACING,
    ];
    let mut own = own.into_iter().chain(COMPANIONS);
    // It may be there by another name, a link.
    if let Some(file) = FileId::at(path)
        && own
            .clone()
            .any(|name| FileId::at(&data.join(name)) == Some(file))
    {
        return true;
    }
    let full = path::absolute(path).unwrap_or_default();
    let (Some(folder), Some(name)) = (full.parent().and_then(FileId::at), full.file_name()) else {
        return false;
    };
    let has_own_prefix = || {
        let name = name.as_encoded_bytes();
        OWN_PREFIXES
            .iter()
            .any(|own| name.starts_with(own.as_bytes()))
    };
    FileId::at(data) == Some(folder) && (own.any(|own| own == name) || has_own_prefix())
}

/// The data folder of this process. Folder and database are locked while this value lives. It must outlive every other
/// use of the database, because closing any descriptor of that file releases `SQLite`'s own locks on it.
#[derive(Debug)]
pub struct DataDir {
    folder: Folder,
    host_key: SigningKey,
    /// Whether the host key is a file of the folder.
    keeps_host_key: bool,
    /// Holds the lock of the folder until it is closed.
    _lock: File,
    /// Holds the lock of the database until it is closed.
    database: Arc<File>,
}

impl DataDir {
    /// Creates `path` (0700, with its parents) if it does not exist, locks it and its database, checks the files in it
    /// and gives them mode 0600. A first start creates the database and the host key. With `init`, missing files of a
    /// used folder are created. The mode of an existing folder is unchanged.
    ///
    /// # Errors
    /// See [`DataDirError`]. Existing files are then unchanged, except for their modes.
    pub fn open(path: &Path, init: bool) -> Result<Self, DataDirError> {
        Self::open_with_key(path, init, None)
    }

    /// The same with a host key from elsewhere. The folder then needs none, and one that it has is not used.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open_with_key(
        path: &Path,
        init: bool,
        given: Option<SigningKey>,
    ) -> Result<Self, DataDirError> {
        let folder = Folder::open(path)?;
        let lock = folder.lock()?;
        if folder.finish_replacement()? {
            tracing::info!("completed a restore or a repair that was interrupted");
        }
        let mut found = folder.look()?;
        if given.is_some() {
            found.missing = found.missing.and_then(Missing::besides_host_key);
        }
        if let Some(missing) = found.missing {
            if missing.database.is_some() {
                folder.refuse_orphans()?;
            }
            if found.is_used && !found.is_begun && !init {
                let path = folder.shown(missing.file());
                return Err(DataDirError::Missing { path, missing });
            }
            folder.make(missing, found.is_begun)?;
        }
        for name in COMPANIONS
            .into_iter()
            .chain([HIGH_WATER, ADMINISTRATOR_CODE, DATABASE])
        {
            folder.make_private(name)?;
        }
        let database = folder.hold_database()?;
        let keeps_host_key = given.is_none();
        let host_key = match given {
            Some(key) => key,
            None => host_key::load(&folder.path(HOST_KEY), &folder.shown(HOST_KEY))?,
        };
        if found.missing.is_some() || found.is_begun {
            folder.finish_making()?;
        }
        Ok(Self {
            folder,
            host_key,
            keeps_host_key,
            _lock: lock,
            database: Arc::new(database),
        })
    }

    /// The folder's full path, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.folder.full
    }

    /// The full path of the database.
    pub fn database(&self) -> PathBuf {
        self.folder.path(DATABASE)
    }

    /// The full paths of the database and of the files that `SQLite` keeps beside it.
    pub fn database_files(&self) -> impl Iterator<Item = PathBuf> {
        let names = [DATABASE].into_iter().chain(COMPANIONS);
        names.map(|name| self.folder.path(name))
    }

    /// The open file of the database. It stays open as long as this process uses the database.
    pub fn database_file(&self) -> Arc<File> {
        Arc::clone(&self.database)
    }

    /// The path of the database for messages, below the folder as it was given.
    pub fn shown_database(&self) -> PathBuf {
        self.folder.shown(DATABASE)
    }

    /// The full path of `high_water`, whether it exists or not.
    pub fn high_water(&self) -> PathBuf {
        self.folder.path(HIGH_WATER)
    }

    /// The file of the code that makes the first administrator.
    pub fn administrator_code(&self) -> AdministratorCodeFile {
        self.folder.administrator_code()
    }

    /// The full path of the host key; `None` if the key is from elsewhere.
    pub fn host_key_path(&self) -> Option<PathBuf> {
        self.keeps_host_key.then(|| self.folder.path(HOST_KEY))
    }

    /// The key by which clients know this server.
    pub fn host_key(&self) -> &SigningKey {
        &self.host_key
    }
}

/// The file of the code that makes the first administrator.
///
/// The file is durable before the database has the hash of the code, and the database has it before the server listens.
/// A file without a hash in a database without users is adopted by the next start. In any other database such a file is
/// left from a code that was used, and is removed.
#[derive(Clone, Debug)]
pub struct AdministratorCodeFile {
    path: PathBuf,
    shown: PathBuf,
}

impl AdministratorCodeFile {
    /// The path for messages.
    pub fn shown(&self) -> &Path {
        &self.shown
    }

    /// The code; `None` if there is no file, or a file without a code.
    ///
    /// # Errors
    /// A file that cannot be read, or is not only the owner's.
    pub fn read(&self) -> Result<Option<Zeroizing<String>>, DataDirError> {
        let error = |source| DataDirError::File {
            path: self.shown.clone(),
            source,
        };
        let file = match private_file::open(&self.path, OpenOptions::new().read(true)) {
            Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            opened => opened.map_err(error)?,
        };
        // Allocated in full: growth would leave copies of the code in memory.
        let mut text = Zeroizing::new(String::with_capacity(CODE_FILE));
        match file.take(CODE_FILE as u64).read_to_string(&mut text) {
            Ok(_) => {}
            Err(source) if source.kind() == io::ErrorKind::InvalidData => return Ok(None),
            Err(source) => {
                return Err(DataDirError::Io {
                    path: self.shown.clone(),
                    source,
                });
            }
        }
        let code = InvitationCode::presented(&text);
        Ok(code.ok().and_then(|code| code.key()))
    }

    /// Removes the file, durably.
    ///
    /// # Errors
    /// As `unlink(2)`; a file that is not there is no error.
    pub fn remove(&self) -> io::Result<()> {
        match private_file::remove(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// A new code for the first administrator, in its stored form.
///
/// # Errors
/// The system provides no randomness.
pub fn new_administrator_code() -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; InvitationCode::BYTES]);
    SysRng
        .try_fill_bytes(&mut *bytes)
        .map_err(io::Error::other)?;
    let code = InvitationCode::from_bytes(&bytes).key();
    Ok(code.expect("a code of its own form"))
}

/// The files of a data folder that a server may be using.
#[derive(Clone, Debug)]
pub struct DataFiles {
    /// The full path of the database.
    pub database: PathBuf,
    /// Its path for messages.
    pub shown_database: PathBuf,
    /// The full path of the host key; `None` if there is none.
    pub host_key: Option<PathBuf>,
}

/// Finds the files of an existing data folder, whether a server uses it or not. An interrupted restore is completed
/// first.
///
/// # Errors
/// The folder or its database is missing or not this user's own. A file that another user created beside the database
/// would keep the server from starting, so a command runs as the owner of the folder.
pub fn open_for_command(path: &Path) -> Result<DataFiles, DataDirError> {
    let folder = Folder::existing(path)?;
    if folder.is_being_replaced()? {
        Offline::open(path, false)?;
    }
    let found = folder.look()?;
    if let Some(missing) = found.missing.filter(|missing| missing.database.is_some()) {
        let path = folder.shown(missing.file());
        return Err(DataDirError::Missing { path, missing });
    }
    let has_key = folder.lack(HOST_KEY)?.is_none();
    Ok(DataFiles {
        database: folder.path(DATABASE),
        shown_database: folder.shown(DATABASE),
        host_key: has_key.then(|| folder.path(HOST_KEY)),
    })
}

/// The state of a folder.
#[derive(Debug)]
struct FolderState {
    missing: Option<Missing>,
    /// Whether a server has used it.
    is_used: bool,
    /// Whether the creation of files was interrupted.
    is_begun: bool,
}

/// A folder that only this user can write to.
#[derive(Debug)]
struct Folder {
    /// The path as given, for messages.
    given: PathBuf,
    /// The path without symbolic links, for everything else.
    full: PathBuf,
}

impl Folder {
    fn administrator_code(&self) -> AdministratorCodeFile {
        AdministratorCodeFile {
            path: self.path(ADMINISTRATOR_CODE),
            shown: self.shown(ADMINISTRATOR_CODE),
        }
    }

    fn open(given: &Path) -> Result<Self, DataDirError> {
        let path = || given.to_owned();
        // A slash at the end would follow a symbolic link.
        let links = given.ancestors().map(|part| part.components().collect());
        let is_dangling = |part: &PathBuf| part.is_symlink() && !part.exists();
        if let Some(path) = links.into_iter().find(is_dangling) {
            return Err(DataDirError::FolderGone { path });
        }
        create_folder(given).map_err(|source| DataDirError::Create {
            path: path(),
            source,
        })?;
        Self::existing(given)
    }

    /// The folder at `given`, which is not created.
    fn existing(given: &Path) -> Result<Self, DataDirError> {
        let path = || given.to_owned();
        let io_error = |source| DataDirError::Io {
            path: path(),
            source,
        };
        // An empty path is the current directory.
        let full = Path::new(".").join(given);
        let full = match full.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DataDirError::NoFolder { path: path() });
            }
            full => full.map_err(io_error)?,
        };
        let found = full.symlink_metadata().map_err(io_error)?;
        let user = rustix::process::geteuid().as_raw();
        if found.uid() != user {
            return Err(DataDirError::FolderOwner {
                path: path(),
                owner: found.uid(),
                user,
            });
        }
        let mode = found.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(DataDirError::FolderOpen { path: path(), mode });
        }
        Ok(Self {
            given: path(),
            full,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.full.join(name)
    }

    fn shown(&self, name: &str) -> PathBuf {
        self.given.join(name)
    }

    fn file_error(&self, name: &str) -> impl FnOnce(FileError) -> DataDirError {
        let path = self.shown(name);
        move |source| match source {
            FileError::Io(source) => DataDirError::Io { path, source },
            source => DataDirError::File { path, source },
        }
    }

    fn io_error(&self, name: &str) -> impl FnOnce(io::Error) -> DataDirError {
        let path = self.shown(name);
        move |source| DataDirError::Io { path, source }
    }

    /// Opens `name`; `None` if it does not exist.
    fn file(&self, name: &str) -> Result<Option<File>, DataDirError> {
        match private_file::open(&self.path(name), OpenOptions::new().read(true)) {
            Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some).map_err(self.file_error(name)),
        }
    }

    fn lock(&self) -> Result<File, DataDirError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = match private_file::open(&self.path(LOCK), &mut options) {
            Err(FileError::Io(source)) => {
                let path = self.shown(LOCK);
                return Err(DataDirError::Create { path, source });
            }
            opened => opened.map_err(self.file_error(LOCK))?,
        };
        if !self.has_locked(LOCK, &file)? {
            let path = self.given.clone();
            return Err(DataDirError::Locked { path });
        }
        self.chmod(LOCK, &file)?;
        Ok(file)
    }

    /// Locks the file `name`; false if another process holds the lock.
    fn has_locked(&self, name: &str, file: &File) -> Result<bool, DataDirError> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(self.io_error(name)(source)),
        }
    }

    /// Opens the database and locks it against a server that reaches it through another folder.
    fn hold_database(&self) -> Result<File, DataDirError> {
        let mut options = OpenOptions::new();
        let file = private_file::open(&self.path(DATABASE), options.read(true).write(true))
            .map_err(self.file_error(DATABASE))?;
        if !self.has_locked(DATABASE, &file)? {
            let path = self.shown(DATABASE);
            return Err(DataDirError::DatabaseLocked { path });
        }
        private_file::refuse_hard_links(&file).map_err(self.file_error(DATABASE))?;
        Ok(file)
    }

    /// Gives the file `name` the mode 0600, even if it is read-only, as a copy may be.
    fn make_private(&self, name: &str) -> Result<(), DataDirError> {
        match self.file(name)? {
            Some(file) => self.chmod(name, &file),
            None => Ok(()),
        }
    }

    fn chmod(&self, name: &str, file: &File) -> Result<(), DataDirError> {
        private_file::make_private(file).map_err(|source| DataDirError::Chmod {
            path: self.shown(name),
            source,
        })
    }

    fn look(&self) -> Result<FolderState, DataDirError> {
        let (database, host_key) = (self.lack(DATABASE)?, self.lack(HOST_KEY)?);
        let is_there = |lack| lack != Some(Lack::Absent);
        Ok(FolderState {
            missing: (database.or(host_key).is_some()).then_some(Missing { database, host_key }),
            is_used: is_there(database) || is_there(host_key) || is_there(self.lack(HIGH_WATER)?),
            is_begun: is_there(self.lack(INIT)?),
        })
    }

    /// The fault in the content of the file `name`, if any.
    fn lack(&self, name: &str) -> Result<Option<Lack>, DataDirError> {
        let Some(file) = self.file(name)? else {
            return Ok(Some(Lack::Absent));
        };
        let length = file.metadata().map_err(self.io_error(name))?.len();
        Ok((length == 0).then_some(Lack::Empty))
    }

    /// Refuses any of [`COMPANIONS`].
    fn refuse_orphans(&self) -> Result<(), DataDirError> {
        for name in COMPANIONS {
            if self.lack(name)? != Some(Lack::Absent) {
                let path = self.shown(name);
                return Err(DataDirError::Orphan { path });
            }
        }
        Ok(())
    }

    /// Creates missing files, and replaces empty ones.
    fn make(&self, missing: Missing, is_begun: bool) -> Result<(), DataDirError> {
        if !is_begun {
            let why = b"The missing files of this folder are being made.\n";
            self.create(INIT, |file| file.write_all(why))?;
        }
        if missing.database.is_some() {
            // Before the database, so that no new database is without one, whenever the start is interrupted.
            self.create_administrator_code()?;
            self.create(DATABASE, |file| file.write_all(EMPTY_DATABASE))?;
            let path = self.path(DATABASE);
            tracing::info!("created database: {}", path.display());
        }
        if missing.host_key.is_some() {
            host_key::create(&self.path(HOST_KEY), &self.shown(HOST_KEY))?;
            let path = self.path(HOST_KEY);
            tracing::info!("created host key: {}", path.display());
        }
        Ok(())
    }

    fn create_administrator_code(&self) -> Result<(), DataDirError> {
        let code = new_administrator_code().map_err(|source| {
            let path = self.shown(ADMINISTRATOR_CODE);
            DataDirError::Create { path, source }
        })?;
        self.create(ADMINISTRATOR_CODE, |file| writeln!(file, "{}", *code))
    }

    fn finish_making(&self) -> Result<(), DataDirError> {
        private_file::remove(&self.path(INIT)).map_err(self.io_error(INIT))
    }

    fn create(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), DataDirError> {
        private_file::replace(&self.path(name), write).map_err(|source| DataDirError::Create {
            path: self.shown(name),
            source,
        })
    }
}

/// Creates `path` and its parents with mode 0700, each durable in its parent.
fn create_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another server may have created it in between; the lock decides which one uses it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => private_file::sync_folder_of(path),
    }
}

#[cfg(test)]
mod tests;
