//! Which file is read, and what overrides it.

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{Config, ConfigError, Fault, Listen, LogFilter, Reason};

/// The longest config.json read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What was said outside the file; each wins over the file.
#[derive(Debug, Default)]
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

/// A configuration and where it came from.
#[derive(Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file that was read; `None`: built-in defaults.
    pub file: Option<PathBuf>,
}

/// Reads the file named in `overrides`, else ./config.json if there is one, else takes the
/// built-in defaults; then applies the other overrides.
///
/// # Errors
/// A named file that is not there; a file that cannot be read, is empty, longer than
/// [`MAX_FILE_BYTES`], not UTF-8 or not JSON; a wrong key or value; a bad log filter.
pub fn load(overrides: Overrides) -> Result<Loaded, ConfigError> {
    let file = overrides.file.or_else(|| present(Path::new("config.json")));
    let mut config = match &file {
        Some(file) => read(file)?,
        None => Config::default(),
    };
    if !overrides.listen.is_empty() {
        config.listen = Listen::new(overrides.listen).map_err(|why| flag("--listen", why))?;
    }
    if let Some(data) = overrides.data {
        config.data = data;
    }
    if let Some(log) = overrides.log {
        config.log =
            LogFilter::parse(&log).map_err(|bad| flag("--log or ECHAT_LOG", bad.to_string()))?;
    }
    Ok(Loaded { config, file })
}

/// A flag's value is wrong.
fn flag(name: &str, why: String) -> ConfigError {
    ConfigError::Flag(Fault {
        path: name.to_owned(),
        reason: Reason::Invalid(why),
    })
}

/// `path`, if anything at all is there: a dangling link is a mistake to report, not an absence.
fn present(path: &Path) -> Option<PathBuf> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        _ => Some(path.to_owned()),
    }
}

fn read(path: &Path) -> Result<Config, ConfigError> {
    let file = || path.to_owned();
    let bytes = read_bounded(path).map_err(|source| ConfigError::Read {
        file: file(),
        source,
    })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ConfigError::TooLong {
            file: file(),
            limit: MAX_FILE_BYTES,
        });
    }
    let text = str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .split(|&byte| byte == b'\n')
            .count();
        ConfigError::NotUtf8 { file: file(), line }
    })?;
    // Editors of Windows begin a file with a byte order mark (RFC 8259, 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(ConfigError::Empty { file: file() });
    }
    let node = serde_json::from_str(text).map_err(|source| ConfigError::Syntax {
        file: file(),
        source,
    })?;
    Config::read(node).map_err(|fault| ConfigError::Key {
        file: file(),
        fault,
    })
}

/// All of the file, or one byte more than is allowed.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
