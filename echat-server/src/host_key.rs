//! The Ed25519 host key, by which clients recognise this server.
//!
//! One line of text: `echat-host-key-ed25519`, a space, the seed in padded base64.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use echat_system::private_file::{self, FileError};
use ed25519_dalek::{SecretKey, SigningKey};
use rand::TryRng;
use rand::rngs::SysRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::exit::ExitCode;

const PREFIX: &str = "echat-host-key-ed25519 ";

/// The name of the host key among the credentials of a service manager.
pub const CREDENTIAL: &str = "host_key";

/// The largest size of a valid file, in bytes, rounded up.
const MAX_FILE_BYTES: usize = 256;

/// Why a host key cannot be used. No error message contains any part of the key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostKeyError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A symbolic link, not a regular file, a file of another user, or one with a second hard link.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: FileError,
    },
    /// Group or others can read the file.
    #[error(
        "{}: open to others (mode {mode:04o}); if no other user has read it, run: chmod 600 {0}",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not contain a host key.
    #[error("{}: not an echat host key; put back a copy of the right one", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// A new key cannot be created.
    #[error("{}: cannot be made: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl HostKeyError {
    /// The exit code of this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Read { .. } => ExitCode::Io,
            Self::File {
                source: FileError::NotAFile,
                ..
            }
            | Self::Malformed { .. } => ExitCode::Config,
            Self::File { .. } | Self::Exposed { .. } => ExitCode::Permission,
            Self::Create { .. } => ExitCode::CannotCreate,
        }
    }
}

/// Reads the host key at `path`. Error messages name it `shown`.
///
/// # Errors
/// The file cannot be read; it is a symbolic link, not regular, belongs to another user, has a second hard link, is
/// readable by group or others, or contains no host key.
pub fn load(path: &Path, shown: &Path) -> Result<SigningKey, HostKeyError> {
    let path_of = || shown.to_owned();
    let read_error = |source| HostKeyError::Read {
        path: path_of(),
        source,
    };
    let file_error = |source| match source {
        FileError::Io(source) => read_error(source),
        source => HostKeyError::File {
            path: path_of(),
            source,
        },
    };
    let file = private_file::open(path, OpenOptions::new().read(true)).map_err(file_error)?;
    private_file::refuse_hard_links(&file).map_err(file_error)?;
    let mode = file.metadata().map_err(read_error)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path_of();
        return Err(HostKeyError::Exposed { path, mode });
    }
    let key = read(file).map_err(read_error)?;
    key.ok_or_else(|| HostKeyError::Malformed { path: path_of() })
}

/// The host key that a service manager passes as the credential [`CREDENTIAL`] (systemd.exec(5), `LoadCredential=`);
/// `None` without one. The service manager decides on the owner and the mode of the file.
///
/// # Errors
/// The file cannot be read, or contains no host key.
pub fn from_credentials() -> Result<Option<SigningKey>, HostKeyError> {
    let Some(folder) = env::var_os("CREDENTIALS_DIRECTORY") else {
        return Ok(None);
    };
    let path = Path::new(&folder).join(CREDENTIAL);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(HostKeyError::Read { path, source }),
        Ok(file) => file,
    };
    match read(file) {
        Ok(Some(key)) => Ok(Some(key)),
        Ok(None) => Err(HostKeyError::Malformed { path }),
        Err(source) => Err(HostKeyError::Read { path, source }),
    }
}

/// The key in a file; `None` if it contains none.
fn read(file: File) -> io::Result<Option<SigningKey>> {
    // Allocated in full: growth would leave copies of the key in memory.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE_BYTES));
    match file.take(MAX_FILE_BYTES as u64).read_to_string(&mut text) {
        Ok(_) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn parse(text: &str) -> Option<SigningKey> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let seed = Zeroizing::new(STANDARD.decode(line.strip_prefix(PREFIX)?).ok()?);
    let seed: &SecretKey = seed.as_slice().try_into().ok()?;
    Some(SigningKey::from_bytes(seed))
}

/// Creates a new key at `path`, durably. Error messages name it `shown`.
///
/// # Errors
/// The system provides no randomness, or the file cannot be created.
pub(crate) fn create(path: &Path, shown: &Path) -> Result<(), HostKeyError> {
    write_new(path).map_err(|source| HostKeyError::Create {
        path: shown.to_owned(),
        source,
    })
}

fn write_new(path: &Path) -> io::Result<()> {
    let mut seed = Zeroizing::new(SecretKey::default());
    SysRng
        .try_fill_bytes(seed.as_mut())
        .map_err(io::Error::other)?;
    let base64 = Zeroizing::new(STANDARD.encode(seed.as_slice()));
    private_file::replace(path, |file| {
        for part in [PREFIX, base64.as_str(), "\n"] {
            file.write_all(part.as_bytes())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    /// A folder with a private `host_key` of this content.
    fn folder_with(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host_key");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        (folder, path)
    }

    fn key_at(path: &Path) -> Result<SigningKey, HostKeyError> {
        load(path, path)
    }

    #[test]
    fn a_key_that_is_made_is_new_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host_key");
        create(&path, &path).unwrap();
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
        let made = key_at(&path).unwrap();
        assert_eq!(key_at(&path).unwrap(), made);
        let other = folder.path().join("other");
        create(&other, &other).unwrap();
        assert_ne!(key_at(&other).unwrap(), made);
    }

    #[test]
    fn the_format_of_the_file_does_not_change() {
        let line = format!("{PREFIX}AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
        let (_folder, path) = folder_with(line.as_bytes());
        let seed: SecretKey = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(key_at(&path).unwrap().to_bytes(), seed);
    }

    #[test]
    fn another_file_is_malformed_and_left_alone() {
        let seed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        for content in [
            String::new(),
            seed.to_owned(),
            format!("{PREFIX}{}", &seed[4..]),
            format!("{PREFIX}{seed}{seed}"),
            format!("{PREFIX}{seed}\n\n"),
            format!("{PREFIX} {seed}"),
            format!("{PREFIX}{seed}\n").repeat(100),
        ] {
            let (_folder, path) = folder_with(content.as_bytes());
            let error = key_at(&path).unwrap_err();
            assert!(
                matches!(error, HostKeyError::Malformed { .. }),
                "{content}: {error}"
            );
            assert!(!error.to_string().contains("AAEC"));
            assert_eq!(fs::read(&path).unwrap(), content.as_bytes());
        }
        let (_folder, path) = folder_with(b"\xff\xfe");
        assert!(matches!(key_at(&path), Err(HostKeyError::Malformed { .. })));
    }

    #[test]
    fn every_bit_for_others_is_refused() {
        let (_folder, path) = folder_with(b"");
        for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            fs::set_permissions(&path, Permissions::from_mode(0o600 | bit)).unwrap();
            let error = key_at(&path).unwrap_err();
            assert!(matches!(error, HostKeyError::Exposed { mode, .. } if mode == 0o600 | bit));
        }
    }

    #[test]
    fn a_folder_or_a_link_is_refused_as_a_key() {
        let (folder, path) = folder_with(b"");
        let refused = |path: &Path| match key_at(path) {
            Err(HostKeyError::File { source, .. }) => source,
            other => panic!("{other:?}"),
        };
        assert!(matches!(refused(folder.path()), FileError::NotAFile));
        let link = folder.path().join("link");
        for target in ["host_key", "nowhere"] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            assert!(matches!(refused(&link), FileError::Link));
            fs::remove_file(&link).unwrap();
        }
        fs::hard_link(&path, &link).unwrap();
        assert!(matches!(refused(&path), FileError::HardLinks(2)));
    }
}
