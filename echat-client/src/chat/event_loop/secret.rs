//! The password of a user who is named at the start, where no prompt is kept: it is asked for on
//! the terminal, which shows nothing of it, wherever input and outputs go.

use std::io;

use super::ProgramEnd;
use crate::chat::signals::{self, SignalAction, Signals};
use crate::clock::Clock;
use crate::local::ask::{self, GarbledPassword, Tty};
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::render::safe::Safe;
use crate::secret::Secret;
use crate::terminal::{Charset, EchoOff, Encoded, Transcoder, typed_text};

/// The result of a question for a secret.
pub(super) enum SecretAnswer {
    Secret(Secret),
    /// Nothing was typed, or there is no terminal.
    Nothing,
    /// The program is to end.
    End(ProgramEnd),
}

/// Asks for a secret on the terminal, and waits for it. Whatever the end is, the terminal shows
/// again what is typed.
///
/// # Errors
/// The terminal fails, or what was typed is no text: a [`GarbledPassword`].
pub(super) fn ask(
    question: &str,
    signals: &mut Signals,
    clock: &Clock,
) -> io::Result<SecretAnswer> {
    let Ok(tty) = Tty::open() else {
        return Ok(SecretAnswer::Nothing);
    };
    let question = Safe::line(question);
    let mut silent = Some(EchoOff::new(&tty)?);
    ask::put(Encoded::new(tty.file()), question.as_str())?;
    loop {
        let mut fds = [
            WatchedFd::new(&*signals, Interest::Read),
            WatchedFd::new(&tty, Interest::Read),
        ];
        wait(&mut fds, clock, None)?;
        let is_typed = fds[1].is_ready();
        for action in signals.take() {
            let end = match action {
                SignalAction::Resize => continue,
                SignalAction::Stop => {
                    silent = None;
                    signals::stop()?;
                    continue;
                }
                SignalAction::Continue => {
                    silent = Some(EchoOff::new(&tty)?);
                    ask::put(Encoded::new(tty.file()), question.as_str())?;
                    continue;
                }
                SignalAction::Interrupt => ProgramEnd::Signal(signal_hook::consts::SIGINT),
                SignalAction::End(signal) => ProgramEnd::Signal(signal),
            };
            drop(silent);
            tty.put("\n")?;
            return Ok(SecretAnswer::End(end));
        }
        if is_typed && silent.is_some() {
            let typed = ask::line(&tty)?;
            let typed = match Charset::of_locale() {
                Some(charset) => Transcoder::new(charset).feed(&typed, true),
                None => typed,
            };
            let typed = typed_text(&typed);
            let Ok(text) = str::from_utf8(&typed) else {
                return Err(io::Error::other(GarbledPassword));
            };
            let secret = text.trim_end_matches(['\n', '\r']);
            return Ok(match secret {
                "" => SecretAnswer::Nothing,
                secret => SecretAnswer::Secret(secret.into()),
            });
        }
    }
}
