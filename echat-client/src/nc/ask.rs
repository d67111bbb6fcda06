//! Questions on the terminal: whether a key is trusted, and the password.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::low_level::emulate_default_handler;
use termion::raw::IntoRawMode;
use zeroize::Zeroizing;

use super::rules::SessionEnd;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::line_editor::{KeyOutcome, LineEditor};
use crate::local::ask::{self, TrustAnswer, Tty};
use crate::local::ignored_signals::IgnoredSignals;
use crate::local::password::{PasswordError, PasswordSource};
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::secret::Secret;
use crate::terminal::{Decoder, Token, typed_text};

pub use crate::local::ask::is_interactive;

/// Asks on the terminal, and waits for a typed yes; `None` without a terminal.
pub fn yes(question: &str) -> Result<Option<bool>, SessionEnd> {
    let Ok(tty) = Tty::open() else {
        return Ok(None);
    };
    let mut question = question;
    loop {
        let answer = tty.put(question).and_then(|()| ask::line(&tty));
        let answer = answer.map_err(|error| SessionEnd::local(&error))?;
        match ask::consent(&typed_text(&answer)) {
            TrustAnswer::Yes => return Ok(Some(true)),
            TrustAnswer::No => return Ok(Some(false)),
            TrustAnswer::Unclear => question = "Please type yes or no: ",
        }
    }
}

/// The password, if it can be had without asking; `None` if it must be asked for.
pub fn password_from(source: Option<&PasswordSource>) -> Result<Option<Secret>, SessionEnd> {
    let exit = |error: &PasswordError| match error {
        PasswordError::Io(..) => Exit::Local,
        _ => Exit::Usage,
    };
    source
        .map(PasswordSource::read)
        .transpose()
        .map_err(|error| SessionEnd::because(exit(&error), &error))
}

/// Asks for the password on the terminal, unseen.
pub fn password(user: &str, clock: &Clock) -> Result<Secret, SessionEnd> {
    let hint = "no terminal to ask for the password; use --password-env or --password-file";
    let terminal = termion::get_tty()
        .map_err(|error| SessionEnd::because(Exit::Usage, &format!("{hint} ({error})")))?;
    let screen = terminal
        .try_clone()
        .map_err(|error| SessionEnd::local(&error))?;
    // Before the terminal changes its mode, so that no signal leaves it changed.
    let mut signals = EndSignals::catch().map_err(|error| SessionEnd::local(&error))?;
    // Unseen even if it is typed before the question is: raw mode comes first.
    let mut screen = screen
        .into_raw_mode()
        .map_err(|error| SessionEnd::local(&error))?;
    let typed = write!(screen, "password of {user:?}: ")
        .and_then(|()| masked_line(&terminal, &mut signals, clock));
    let left = write!(screen, "\r\n");
    drop(screen);
    if let Some(signal) = signals.end() {
        // It ends the process.
        emulate_default_handler(signal).map_err(|error| SessionEnd::local(&error))?;
    }
    let typed = typed.map_err(|error| SessionEnd::local(&error))?;
    left.map_err(|error| SessionEnd::local(&error))?;
    match typed {
        QuestionInput::Line(password) => Ok(password),
        QuestionInput::Nothing => Err(SessionEnd::because(Exit::Usage, &"no password was given")),
        QuestionInput::NotText => Err(SessionEnd::because(
            Exit::Usage,
            &"the typed password is not UTF-8",
        )),
    }
}

/// What was typed at a question.
enum QuestionInput {
    Line(Secret),
    /// The question was broken off, also by a signal.
    Nothing,
    /// It is not UTF-8.
    NotText,
}

/// The signals that end the program, without those that it ignores, as under nohup(1). While this lives they only wake
/// it up; then they end it again.
struct EndSignals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    /// The first one that came.
    came: Option<i32>,
    is_over: Arc<AtomicBool>,
}

impl EndSignals {
    fn catch() -> io::Result<Self> {
        const SIGNALS: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
        let is_over = Arc::new(AtomicBool::new(false));
        let signals = IgnoredSignals::of_process().without(&SIGNALS);
        for signal in signals.clone() {
            // A handler cannot be removed.
            register_conditional_default(signal, Arc::clone(&is_over))?;
        }
        let (read, write) = UnixStream::pair()?;
        Ok(Self {
            delivery: SignalDelivery::with_pipe(read, write, SignalOnly, signals)?,
            came: None,
            is_over,
        })
    }

    /// The signal that the program is to end by.
    fn came(&mut self) -> Option<i32> {
        self.came = self.came.or_else(|| self.delivery.pending().next());
        self.came
    }

    /// From now on they end the program. The one that came before.
    fn end(mut self) -> Option<i32> {
        self.is_over.store(true, Ordering::SeqCst);
        self.came()
    }
}

impl Drop for EndSignals {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

/// The line that is typed at a terminal in raw mode, with the keys of the line editor; nothing
/// after Ctrl-C, or Ctrl-D on an empty line.
fn masked_line(
    terminal: &File,
    signals: &mut EndSignals,
    clock: &Clock,
) -> io::Result<QuestionInput> {
    let mut editor = LineEditor::new();
    editor.masked(true);
    let mut decoder = Decoder::new();
    // Byte by byte: what is typed behind the line stays in the terminal.
    let mut buffer = Zeroizing::new([0; 1]);
    loop {
        let mut fds = [
            WatchedFd::new(terminal, Interest::Read),
            WatchedFd::new(signals.delivery.get_read(), Interest::Read),
        ];
        wait(&mut fds, clock, decoder.deadline())?;
        let is_typed = fds[0].is_ready();
        if signals.came().is_some() {
            return Ok(QuestionInput::Nothing);
        }
        let tokens = if is_typed {
            match rustix::io::read(terminal, &mut buffer[..]) {
                Ok(0) => return Ok(QuestionInput::Nothing),
                Ok(length) => decoder.feed(&buffer[..length], clock.now()),
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(error) => return Err(error.into()),
            }
        } else {
            decoder.late(clock.now())
        };
        for token in tokens {
            match token {
                Token::NotText => return Ok(QuestionInput::NotText),
                Token::Key(key) => match editor.handle(key) {
                    KeyOutcome::Submit(line) => {
                        return Ok(QuestionInput::Line(line));
                    }
                    KeyOutcome::Interrupt | KeyOutcome::EndOfInput => {
                        return Ok(QuestionInput::Nothing);
                    }
                    _ => {}
                },
                Token::Lines(_) | Token::PasteCut { .. } | Token::Reply(_) => {}
            }
        }
    }
}
