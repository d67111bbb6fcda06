//! A password or a bot's token that need not be typed. It is never an argument: others can read those.

use std::env::{self, VarError};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use echat_proto::limits::PASSWORD_MAX;
use zeroize::Zeroizing;

use crate::local::lines::{is_utf16, without_mark};
use crate::secret::Secret;

/// The most that a file or a command may say, in bytes: a password, and what is not part of it, a
/// byte order mark and the end of the line.
const MAX: usize = PASSWORD_MAX + '\u{feff}'.len_utf8() + "\r\n".len();

/// Where a password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// In an environment variable.
    Variable(String),
    /// In a file that only its owner can read, up to the end of its only line.
    File(PathBuf),
    /// In what a command of the shell says, likewise.
    Command(String),
    /// A bot's token, in such a file.
    Token(PathBuf),
}

/// Why it is not there. What was found is never shown.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The variable is not set.
    #[error("{0:?} is not set")]
    NotSet(String),
    /// It is no text.
    #[error("{0} is not UTF-8")]
    NotUtf8(String),
    /// It is UTF-16, as some programs of Windows write.
    #[error("{0} is UTF-16; save it as UTF-8")]
    Utf16(String),
    /// There is nothing, or nothing but the end of a line.
    #[error("{0} is empty: it contains no password")]
    Empty(String),
    /// It has more than one line.
    #[error("{0} has more than one line; a password must be one line")]
    Lines(String),
    /// It is longer than any password.
    #[error("{0} is longer than {PASSWORD_MAX} bytes, the limit of a password")]
    TooLong(String),
    /// The command failed.
    #[error("the password command failed: {0}")]
    Failed(ExitStatus),
    /// The file can be read or written by other users.
    #[error("{0} can be read or written by other users: run chmod 600 {0}")]
    Shared(String),
    /// A file or a command could not be read.
    #[error("{0}: {1}")]
    Io(String, #[source] io::Error),
}

impl PasswordSource {
    /// The password.
    pub fn read(&self) -> Result<Secret, PasswordError> {
        match self {
            Self::Variable(name) => match env::var(name) {
                Ok(password) => password_of(&Zeroizing::new(password), format!("{name:?}")),
                Err(VarError::NotUnicode(_)) => Err(PasswordError::NotUtf8(format!("{name:?}"))),
                Err(VarError::NotPresent) => Err(PasswordError::NotSet(name.clone())),
            },
            Self::File(path) | Self::Token(path) => {
                let what = path.display().to_string();
                match private(path) {
                    Ok(Some(file)) => line_of(file, what),
                    Ok(None) => Err(PasswordError::Shared(what)),
                    Err(error) => Err(PasswordError::Io(what, error)),
                }
            }
            Self::Command(command) => run(command),
        }
    }
}

/// Opens a file; `None` for a regular file that other users can read or write. A pipe has one reader.
fn private(path: &Path) -> io::Result<Option<File>> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    let is_shared = found.is_file() && found.permissions().mode() & 0o066 != 0;
    Ok((!is_shared).then_some(file))
}

/// Runs a command, which may ask on the terminal for whatever it needs.
fn run(command: &str) -> Result<Secret, PasswordError> {
    let what = || "the password command".to_owned();
    let io = |error| PasswordError::Io(what(), error);
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let said = child.stdout.take().expect("it was asked for");
    let password = line_of(said, what());
    let status = child.wait().map_err(io)?;
    // A command whose output is too long may have died of that, by SIGPIPE.
    if status.success() || matches!(password, Err(PasswordError::TooLong(_))) {
        password
    } else {
        Err(PasswordError::Failed(status))
    }
}

/// One line; nothing is trimmed but its end.
fn line_of(from: impl Read, what: String) -> Result<Secret, PasswordError> {
    // A buffer that never grows leaves no copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX));
    // One byte over the limit tells a file at the limit from a larger one.
    if let Err(error) = from.take(MAX as u64 + 1).read_to_end(&mut bytes) {
        return Err(PasswordError::Io(what, error));
    }
    if bytes.len() > MAX {
        return Err(PasswordError::TooLong(what));
    }
    if is_utf16(&bytes) {
        return Err(PasswordError::Utf16(what));
    }
    let Ok(text) = str::from_utf8(without_mark(&bytes)) else {
        return Err(PasswordError::NotUtf8(what));
    };
    let line = text.strip_suffix('\n').unwrap_or(text);
    password_of(line.strip_suffix('\r').unwrap_or(line), what)
}

/// A line that can be a password.
fn password_of(line: &str, what: String) -> Result<Secret, PasswordError> {
    if line.is_empty() {
        Err(PasswordError::Empty(what))
    } else if line.contains('\n') {
        Err(PasswordError::Lines(what))
    } else if line.len() > PASSWORD_MAX {
        Err(PasswordError::TooLong(what))
    } else {
        Ok(line.into())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    fn write(path: &Path, contents: &[u8]) {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600);
        file.open(path).unwrap().write_all(contents).unwrap();
    }

    fn from_file(contents: &[u8]) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        write(&path, contents);
        PasswordSource::File(path)
            .read()
            .ok()
            .map(|found| found.to_string())
    }

    #[test]
    fn a_password_file_is_one_line_of_which_only_the_end_is_trimmed() {
        for (contents, password) in [
            (&b" pass word \n"[..], Some(" pass word ")),
            (b"secret\r\n", Some("secret")),
            (b"secret", Some("secret")),
            ("\u{feff}secret\n".as_bytes(), Some("secret")),
            (b"\xff", None),
            (b"", None),
            (b"\n", None),
            (b"\r\n", None),
            ("\u{feff}\n".as_bytes(), None),
            (b"one\ntwo\n", None),
            (&[b'x'; PASSWORD_MAX + 1], None),
            (&[b'x'; 5000], None),
        ] {
            assert_eq!(from_file(contents).as_deref(), password);
        }
    }

    #[test]
    fn a_file_with_a_secret_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        write(&path, b"abcd-efgh\n");
        for (mode, is_private) in [
            (0o600, true),
            (0o400, true),
            (0o640, false),
            (0o620, false),
            (0o604, false),
        ] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
            match PasswordSource::File(path.clone()).read() {
                Ok(secret) => assert!(is_private && *secret == *"abcd-efgh", "{mode:o}"),
                Err(PasswordError::Shared(_)) => assert!(!is_private, "{mode:o}"),
                Err(other) => panic!("{mode:o}: {other}"),
            }
        }
    }

    #[test]
    fn utf_16_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        for contents in [
            &b"\xff\xfes\0e\0c\0r\0e\0t\0"[..],
            b"s\0e\0c\0r\0e\0t\0\n\0",
        ] {
            write(&path, contents);
            let error = PasswordSource::File(path.clone()).read().unwrap_err();
            assert!(matches!(error, PasswordError::Utf16(_)), "{error}");
            assert!(error.to_string().ends_with("is UTF-16; save it as UTF-8"));
        }
    }

    #[test]
    fn a_password_command_succeeds_or_fails() {
        let command = |text: &str| PasswordSource::Command(text.to_owned()).read();
        assert_eq!(&*command("printf 'a b\\n'").unwrap(), "a b");
        assert!(matches!(
            command("echo secret; exit 3"),
            Err(PasswordError::Failed(_))
        ));
        assert!(matches!(
            command("yes secret"),
            Err(PasswordError::TooLong(_))
        ));
    }

    #[test]
    fn a_variable_must_be_set() {
        let source = PasswordSource::Variable("ECHAT_TEST_NO_SUCH_VARIABLE".to_owned());
        assert!(matches!(source.read(), Err(PasswordError::NotSet(_))));
    }
}
