//! Which configuration the server runs with: the file, and what overrides it.
//!
//! The keys, their defaults and their ranges are in [`echat_proto::config`]. A flag wins over the environment,
//! the environment over the file, the file over the default.

mod log_filter;

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use echat_proto::config::{Document, TextError};
pub use echat_proto::config::{
    Fault, Inviters, Limits, Listen, LogFormat, MAX_FILE_BYTES, Networks, Reason, Registration,
    ServerConfig,
};
use echat_proto::names::RoomName;
use echat_system::regular_file;
use thiserror::Error;

pub use self::log_filter::{BadLogFilter, LogFilter};

/// What is said outside the file; each wins over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The file to read: `--config`, else `ECHAT_CONFIG`. It has to be there.
    pub file: Option<PathBuf>,
    /// Every `--listen`; with none, the file says where.
    pub listen: Vec<SocketAddr>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--log`, else `ECHAT_LOG`.
    pub log: Option<String>,
}

/// What an administrator chose besides the limits, as far as requests depend on it. The default is that of tests: that
/// of the configuration without a lobby.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which new accounts may register.
    pub registration: Registration,
    /// Which users make invitations to register.
    pub invitations: Inviters,
    /// The public room that every new account is in.
    pub lobby: Option<RoomName>,
    /// A text that each user is shown after logging in.
    pub message_of_the_day: Option<String>,
    /// Days that messages are kept; `None` for ever.
    pub keep_days: Option<u64>,
    /// Seconds in which a message may be edited; 0 for no limit.
    pub edit_seconds: u64,
    /// Days that an entry of the audit is kept.
    pub audit_days: u64,
    /// What is logged.
    pub log: String,
}

impl Default for Settings {
    fn default() -> Self {
        let mut settings = Self::from(&ServerConfig::default());
        settings.lobby = None;
        settings
    }
}

impl From<&ServerConfig> for Settings {
    fn from(config: &ServerConfig) -> Self {
        Self {
            registration: config.registration,
            invitations: config.invitations,
            lobby: RoomName::new(&config.lobby).ok(),
            message_of_the_day: config.message_of_the_day.clone(),
            keep_days: config.keep_days,
            edit_seconds: config.edit_seconds,
            audit_days: config.audit_days,
            log: config.log.clone(),
        }
    }
}

/// A configuration and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: ServerConfig,
    /// What is logged: `config.log`, parsed.
    pub log: LogFilter,
    /// The file that was read; `None`: built-in defaults.
    pub file: Option<PathBuf>,
}

/// A configuration that is not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is missing, a folder, or cannot be read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no JSON text.
    #[error("{}: {source}", file.display())]
    Text {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: TextError,
    },
    /// A key or its value is wrong.
    #[error("{}: {fault}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// The key and what is wrong with it.
        fault: Fault,
    },
    /// A value from a flag or the environment is wrong.
    #[error("{0}")]
    Flag(Fault),
    /// It should have named the data folder of a command.
    #[error("{0}\n--data DIR names the data folder without a configuration")]
    NoFolder(Box<Self>),
}

/// Reads the file named in `overrides`, else ./config.json if there is one, else takes the built-in
/// defaults; then applies the other overrides.
///
/// # Errors
/// A named file that is not there; a file that cannot be read, is empty, longer than
/// [`MAX_FILE_BYTES`], not UTF-8 or not JSON; a wrong key or value; a bad log filter.
pub fn load(overrides: Overrides) -> Result<Loaded, ConfigError> {
    load_by(overrides, |path| File::open(path))
}

/// The same for a command about a data folder. With `--data` the configuration is not needed: in place of a
/// ./config.json that cannot be used, which may be under repair, the defaults hold.
///
/// # Errors
/// Those of [`load`], unless `--data` names the folder and the file is not named.
pub fn load_for_folder(overrides: Overrides) -> Result<Loaded, ConfigError> {
    let is_named = overrides.file.is_some();
    let data = overrides.data.clone();
    match (load(overrides), data) {
        (Err(flag @ ConfigError::Flag(_)), _) => Err(flag),
        (Err(_), Some(data)) if !is_named => defaults(data),
        (Err(error), None) => Err(ConfigError::NoFolder(Box::new(error))),
        (loaded, _) => loaded,
    }
}

/// The same for a backup. With `--data` it is made without a file that cannot be read, also if the file is named.
///
/// # Errors
/// Those of [`load_for_folder`], but for such a file.
pub fn load_for_backup(overrides: Overrides) -> Result<Loaded, ConfigError> {
    let Some(data) = overrides.data.clone() else {
        return load_for_folder(overrides);
    };
    match load(overrides.clone()) {
        Err(ConfigError::Read { file, .. }) => Ok(Loaded {
            file: Some(file),
            ..defaults(data)?
        }),
        _ => load_for_folder(overrides),
    }
}

/// The built-in defaults for this folder.
fn defaults(data: PathBuf) -> Result<Loaded, ConfigError> {
    let config = ServerConfig {
        data,
        ..ServerConfig::default()
    };
    let log = parse_log("server.log", &config.log).map_err(ConfigError::Flag)?;
    let file = None;
    Ok(Loaded { config, log, file })
}

/// The same for a server that runs. `known` is the file that it has read before, which has to be there still: the
/// defaults in place of it would open what the file closed. A pipe, which may have nothing to read, would stop the
/// server.
///
/// # Errors
/// Those of [`load`], a known file that is gone, and a file that is not regular.
pub fn load_again(overrides: Overrides, known: Option<&Path>) -> Result<Loaded, ConfigError> {
    let file = overrides.file.or_else(|| known.map(Path::to_owned));
    load_by(Overrides { file, ..overrides }, regular_file::read)
}

fn load_by(
    overrides: Overrides,
    open: impl FnOnce(&Path) -> io::Result<File>,
) -> Result<Loaded, ConfigError> {
    let file = overrides.file.or_else(|| present(Path::new("config.json")));
    let mut config = match &file {
        Some(file) => read(file, open)?,
        None => ServerConfig::default(),
    };
    let mut log = parse_log("server.log", &config.log).map_err(|fault| match &file {
        Some(file) => in_file(file, fault),
        None => ConfigError::Flag(fault),
    })?;
    if !overrides.listen.is_empty() {
        config.listen = Listen::new(overrides.listen)
            .map_err(|why| ConfigError::Flag(invalid("--listen", why)))?;
    }
    if let Some(data) = overrides.data {
        config.data = data;
    }
    if let Some(filter) = overrides.log {
        log = parse_log("--log or ECHAT_LOG", &filter).map_err(ConfigError::Flag)?;
        config.log = filter;
    }
    Ok(Loaded { config, log, file })
}

fn invalid(path: &str, why: String) -> Fault {
    let (path, reason) = (path.to_owned(), Reason::Invalid(why));
    Fault { path, reason }
}

fn parse_log(path: &str, filter: &str) -> Result<LogFilter, Fault> {
    LogFilter::parse(filter).map_err(|bad| invalid(path, bad.to_string()))
}

/// `path`, if anything at all is there: a dangling link is a mistake to report, not an absence.
fn present(path: &Path) -> Option<PathBuf> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        _ => Some(path.to_owned()),
    }
}

fn read(
    path: &Path,
    open: impl FnOnce(&Path) -> io::Result<File>,
) -> Result<ServerConfig, ConfigError> {
    let file = || path.to_owned();
    let bytes = open(path)
        .and_then(read_bounded)
        .map_err(|source| ConfigError::Read {
            file: file(),
            source,
        })?;
    let document = Document::parse(&bytes).map_err(|source| ConfigError::Text {
        file: file(),
        source,
    })?;
    document.server().map_err(|fault| in_file(path, fault))
}

fn in_file(path: &Path, fault: Fault) -> ConfigError {
    let file = path.to_owned();
    ConfigError::Key { file, fault }
}

/// All of the file, or one byte more than is allowed.
fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
