//! Replaces the files of a data folder by others, all of them or none, and keeps the old ones.
//!
//! ```text
//! incoming/           the new files, complete and synced
//! replacing           the marker: from here on the new files are the folder's; it names the folder for the old ones
//! before-restore-1/   the old files
//! ```
//!
//! Without the marker, `incoming` is left over and is removed. With it, every later use of the folder, also the start
//! of a server, goes on where the last one was interrupted. Each file is moved by one rename, and the folders are
//! synced between the renames, since a power cut may keep a later change of a name and lose an earlier one.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use echat_system::private_file;

use crate::host_key::{self, HostKeyError};

use super::{
    ADMINISTRATOR_CODE, AdministratorCodeFile, COMPANIONS, CONFIG, DATABASE, DataDirError, Folder,
    HIGH_WATER, HOST_KEY,
};

/// The folder of the new files.
const INCOMING: &str = "incoming";

/// The marker.
pub(super) const REPLACING: &str = "replacing";

/// The beginning of the name of a folder for old files.
const BEFORE: &str = "before-";

/// Files that can be replaced.
const REPLACED: [&str; 5] = [DATABASE, ADMINISTRATOR_CODE, HIGH_WATER, HOST_KEY, CONFIG];

/// Files that are moved away with an old database: those of its log, and its code for the first administrator.
const OF_DATABASE: [&str; COMPANIONS.len() + 1] = {
    let mut names = [ADMINISTRATOR_CODE; COMPANIONS.len() + 1];
    let mut at = 0;
    while at < COMPANIONS.len() {
        names[at] = COMPANIONS[at];
        at += 1;
    }
    names
};

/// What else an interrupted command can leave among the new files. Only files of these names are removed: a folder of
/// the same name may be another program's.
const LEFT_OVER: [&str; 8] = [
    "first_administrator_code.tmp",
    "high_water.tmp",
    "host_key.tmp",
    "config.json.tmp",
    "database.db-trial",
    "database.patched",
    "database.patched-wal",
    "database.patched-shm",
];

/// The most folders of old files that are numbered.
const NUMBERS: u32 = 1_000_000;

/// A data folder that no server uses, locked as by a server.
#[derive(Debug)]
pub struct Offline {
    folder: Folder,
    /// Holds the lock of the folder until it is closed.
    _lock: File,
    /// Holds the lock of the database, if there is one, until it is closed.
    _database: Option<File>,
}

/// New files for a data folder.
#[derive(Debug)]
pub struct Incoming(PathBuf);

impl Incoming {
    /// Where the new database is to be.
    pub fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    /// Where the new `high_water` is to be.
    pub fn high_water(&self) -> PathBuf {
        self.0.join(HIGH_WATER)
    }

    /// Creates a new host key.
    ///
    /// # Errors
    /// The system provides no randomness, or the file cannot be created.
    pub fn create_host_key(&self) -> Result<(), HostKeyError> {
        let path = self.0.join(HOST_KEY);
        host_key::create(&path, &path)
    }

    /// Writes the new host key.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn write_host_key(&self, text: &str) -> io::Result<()> {
        self.write(HOST_KEY, text)
    }

    /// Writes the configuration that came with a backup.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn write_config(&self, text: &str) -> io::Result<()> {
        self.write(CONFIG, text)
    }

    /// Writes the code that makes the first administrator.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn write_administrator_code(&self, code: &str) -> io::Result<()> {
        let path = self.0.join(ADMINISTRATOR_CODE);
        private_file::replace(&path, |file| writeln!(file, "{code}"))
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        private_file::replace(&self.0.join(name), |file| file.write_all(text.as_bytes()))
    }
}

impl Offline {
    /// Opens a folder, and completes what was interrupted in it. With `create`, a missing folder is created.
    ///
    /// # Errors
    /// The folder is missing or not this user's own, or a server uses it or its database.
    pub fn open(path: &Path, create: bool) -> Result<Self, DataDirError> {
        let folder = if create {
            Folder::open(path)?
        } else {
            Folder::existing(path)?
        };
        let lock = folder.lock()?;
        folder.finish_replacement()?;
        let database = match folder.file(DATABASE)? {
            Some(_) => Some(folder.hold_database()?),
            None => None,
        };
        Ok(Self {
            folder,
            _lock: lock,
            _database: database,
        })
    }

    /// The full path of the database, whether it exists or not.
    pub fn database(&self) -> PathBuf {
        self.folder.path(DATABASE)
    }

    /// Whether the folder has a database.
    ///
    /// # Errors
    /// The file is not this user's own, or cannot be read.
    pub fn has_database(&self) -> Result<bool, DataDirError> {
        Ok(self.folder.lack(DATABASE)?.is_none())
    }

    /// The path of the database for messages.
    pub fn shown_database(&self) -> PathBuf {
        self.folder.shown(DATABASE)
    }

    /// The full path of `high_water`, whether it exists or not.
    pub fn high_water(&self) -> PathBuf {
        self.folder.path(HIGH_WATER)
    }

    /// Whether the folder has a host key.
    ///
    /// # Errors
    /// The file is not this user's own, or cannot be read.
    pub fn has_host_key(&self) -> Result<bool, DataDirError> {
        Ok(self.folder.lack(HOST_KEY)?.is_none())
    }

    /// The file of the code that makes the first administrator.
    pub fn administrator_code(&self) -> AdministratorCodeFile {
        self.folder.administrator_code()
    }

    /// An empty place for new files.
    ///
    /// # Errors
    /// The system refuses.
    pub fn stage(&self) -> Result<Incoming, DataDirError> {
        let path = self.folder.path(INCOMING);
        make_folder(&path).map_err(|source| DataDirError::Create {
            path: self.folder.shown(INCOMING),
            source,
        })?;
        Ok(Incoming(path))
    }

    /// Removes new files that are not to be the folder's after all, unless it was begun to replace the old ones.
    ///
    /// # Errors
    /// The system refuses.
    pub fn discard(&self) -> Result<(), DataDirError> {
        self.folder.finish_replacement().map(drop)
    }

    /// Replaces the files of the folder by the new ones and moves the old ones to `before-WHY-N`, where N is the first
    /// free number. Returns that folder, unless there were no old files. Files without a new one stay.
    ///
    /// # Errors
    /// The system refuses. If it does so before the marker is durable, nothing has changed; after that, the next use of
    /// the folder goes on.
    pub fn replace(&self, incoming: &Incoming, why: &str) -> Result<Option<PathBuf>, DataDirError> {
        let synced = File::open(&incoming.0).and_then(|folder| folder.sync_all());
        synced.map_err(self.folder.io_error(INCOMING))?;
        let names = (1..NUMBERS).map(|number| format!("{BEFORE}{why}-{number}"));
        let is_free = |name: &String| self.folder.path(name).symlink_metadata().is_err();
        let aside = names.into_iter().find(is_free).ok_or_else(|| {
            let full = io::Error::from(io::ErrorKind::AlreadyExists);
            self.folder.io_error(BEFORE)(full)
        })?;
        self.folder
            .create(REPLACING, |file| file.write_all(aside.as_bytes()))?;
        let moved = self.folder.finish_replacement()?;
        Ok(moved.then(|| self.folder.shown(&aside)))
    }
}

impl Folder {
    /// Whether files are to be moved before the folder can be used.
    pub(super) fn is_being_replaced(&self) -> Result<bool, DataDirError> {
        Ok(self.lack(REPLACING)? != Some(super::Lack::Absent))
    }

    /// Completes an interrupted replacement, or removes new files that never became the folder's. The caller holds the
    /// lock. Returns whether old files were moved.
    pub(super) fn finish_replacement(&self) -> Result<bool, DataDirError> {
        if !self.is_being_replaced()? {
            self.remove_incoming().map_err(self.io_error(INCOMING))?;
            return Ok(false);
        }
        let marker = self.path(REPLACING);
        let aside = self.aside(&marker).map_err(self.io_error(REPLACING))?;
        for name in REPLACED {
            self.replace_one(name, &aside)
                .map_err(self.io_error(name))?;
        }
        match fs::remove_dir(self.path(INCOMING)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.io_error(INCOMING)(error));
            }
            _ => {}
        }
        private_file::remove(&marker).map_err(self.io_error(REPLACING))?;
        Ok(aside.is_dir())
    }

    /// The folder for the old files, which the marker names.
    fn aside(&self, marker: &Path) -> io::Result<PathBuf> {
        let name = fs::read_to_string(marker)?;
        let name = name.trim_end();
        let rest = name.strip_prefix(BEFORE).unwrap_or_default();
        if rest.is_empty() || rest.contains('/') {
            let message = "it does not name a folder for the old files; nothing is moved";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(self.path(name))
    }

    /// Removes new files that never became the folder's.
    fn remove_incoming(&self) -> io::Result<()> {
        let incoming = self.path(INCOMING);
        if !incoming.is_dir() || incoming.is_symlink() {
            return Ok(());
        }
        let names = REPLACED.iter().chain(&COMPANIONS).chain(&LEFT_OVER);
        for name in names {
            match fs::remove_file(incoming.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match fs::remove_dir(&incoming) {
            // It has files of others. Then nothing can be staged here, which the next command says.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed,
        }
    }

    fn replace_one(&self, name: &str, aside: &Path) -> io::Result<()> {
        let incoming = self.path(INCOMING).join(name);
        if incoming.symlink_metadata().is_err() {
            // There is no new one, or it has its place already.
            return Ok(());
        }
        let companions: &[&str] = if name == DATABASE { &OF_DATABASE } else { &[] };
        for old in companions.iter().copied().chain([name]) {
            if self.path(old).symlink_metadata().is_ok() {
                if !aside.is_dir() {
                    make_folder(aside)?;
                }
                fs::rename(self.path(old), aside.join(old))?;
                private_file::sync_folder_of(&aside.join(old))?;
            }
        }
        private_file::sync_folder_of(&self.path(name))?;
        fs::rename(&incoming, self.path(name))?;
        private_file::sync_folder_of(&self.path(name))?;
        private_file::sync_folder_of(&incoming)
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    private_file::sync_folder_of(path)
}
