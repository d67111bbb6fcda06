//! What only a person knows: a yes, a password. The only module that names termion.

use std::env::{self, VarError};
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use termion::input::TermRead;
use termion::raw::IntoRawMode;
use zeroize::Zeroizing;

use super::args::PasswordSource;
use super::exit::Exit;
use super::files;
use super::output;
use super::rules::End;

/// The largest password file, in bytes; a password has at most 1,024.
const MAX_FILE: u64 = 4096;

/// Whether a person reads questions and types answers.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal, and waits for a typed yes.
pub fn yes(question: &str) -> Result<bool, End> {
    output::ask(question);
    let mut answer = [0; 256];
    // A terminal gives one line to one read, so that lines behind it stay for the session.
    let length = rustix::io::read(rustix::stdio::stdin(), &mut answer[..]);
    let length = length.map_err(|error| local(&error))?;
    Ok(answer[..length].trim_ascii() == b"yes")
}

/// The password, if it can be had without asking; `None` if it must be asked for.
pub fn password_from(source: &PasswordSource) -> Result<Option<Zeroizing<String>>, End> {
    let usage = |note: &dyn Display| End::because(Exit::Usage, note);
    match source {
        PasswordSource::Prompt => Ok(None),
        PasswordSource::Variable(name) => match env::var(name) {
            Ok(password) => Ok(Some(password.into())),
            // The error itself would show what is in there.
            Err(VarError::NotUnicode(_)) => Err(usage(&format!("{name:?} is not UTF-8"))),
            Err(VarError::NotPresent) => Err(usage(&format!("{name:?} is not set"))),
        },
        PasswordSource::File(path) => {
            let bytes = Zeroizing::new(files::read(path, MAX_FILE)?);
            let text = str::from_utf8(&bytes)
                .map_err(|_| usage(&format!("{} is not UTF-8", path.display())))?;
            let line = text.strip_suffix('\n').unwrap_or(text);
            Ok(Some(
                line.strip_suffix('\r').unwrap_or(line).to_owned().into(),
            ))
        }
    }
}

/// Asks for the password on the terminal, unseen.
pub fn password(user: &str) -> Result<Zeroizing<String>, End> {
    let hint = "no terminal to ask for the password; use --password-env or --password-file";
    let mut terminal = termion::get_tty()
        .map_err(|error| End::because(Exit::Usage, &format!("{hint} ({error})")))?;
    let screen = terminal.try_clone().map_err(|error| local(&error))?;
    // Unseen even if it is typed before the question is: raw mode comes first.
    let mut screen = screen.into_raw_mode().map_err(|error| local(&error))?;
    write!(screen, "password of {user:?}: ").map_err(|error| local(&error))?;
    let typed = terminal
        .read_passwd(&mut *screen)
        .map_err(|error| local(&error))?;
    write!(screen, "\r\n").map_err(|error| local(&error))?;
    typed
        .map(Zeroizing::new)
        .ok_or_else(|| End::because(Exit::Usage, &"no password was given"))
}

fn local(error: &dyn Display) -> End {
    End::because(Exit::Local, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(contents: &[u8]) -> Result<String, Exit> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, contents).unwrap();
        let found = password_from(&PasswordSource::File(path)).map_err(|end| end.exit)?;
        Ok(found.unwrap().to_string())
    }

    #[test]
    fn a_password_file_is_one_line_and_nothing_is_trimmed_but_its_end() {
        assert_eq!(from_file(b" pass word \n").unwrap(), " pass word ");
        assert_eq!(from_file(b"secret\r\n").unwrap(), "secret");
        assert_eq!(from_file(b"secret").unwrap(), "secret");
        assert_eq!(from_file(b"\xff"), Err(Exit::Usage));
        assert_eq!(from_file(&[b'x'; 5000]), Err(Exit::Usage));
    }

    #[test]
    fn a_variable_must_be_set() {
        let source = PasswordSource::Variable("ECHAT_NC_TEST_NO_SUCH_VARIABLE".to_owned());
        let end = password_from(&source).unwrap_err();
        assert_eq!(end.exit, Exit::Usage);
        assert_eq!(password_from(&PasswordSource::Prompt).unwrap(), None);
    }
}
