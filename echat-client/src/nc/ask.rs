//! What only a person knows: a yes, a password.

use std::fmt::Display;
use std::io::Write;

use termion::input::TermRead;
use termion::raw::IntoRawMode;
use zeroize::Zeroizing;

use super::rules::End;
use crate::ask::Tty;
use crate::exit::Exit;
use crate::password::{PasswordError, Source};

pub use crate::ask::is_interactive;

/// Asks on the terminal, and waits for a typed yes; `None` without a terminal.
pub fn yes(question: &str) -> Result<Option<bool>, End> {
    let Ok(tty) = Tty::open() else {
        return Ok(None);
    };
    let answer = tty.yes(question).map_err(|error| local(&error))?;
    Ok(Some(answer))
}

/// The password, if it can be had without asking; `None` if it must be asked for.
pub fn password_from(source: Option<&Source>) -> Result<Option<Zeroizing<String>>, End> {
    let exit = |error: &PasswordError| match error {
        PasswordError::Io(..) => Exit::Local,
        _ => Exit::Usage,
    };
    source
        .map(Source::read)
        .transpose()
        .map_err(|error| End::because(exit(&error), &error))
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
