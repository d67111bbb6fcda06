//! The terminal: the only place that knows escape bytes and raw mode. It works inline: lines go
//! above a prompt that stays at the bottom, and the terminal's own scrollback, search and
//! selection keep working.

mod burst;
mod charset;
mod decoder;
mod guard;
mod look;
mod notify;
mod painter;
#[cfg(test)]
mod tests;
mod write;

use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

pub use burst::Burst;
pub use charset::{Charset, Encoded, Transcoder};
pub use decoder::{Decoder, Position, TerminalReply, Token, typed_text};
pub use guard::{EchoOff, RawGuard, restore_on_panic};
pub use look::{Appearance, AppearanceOptions};
pub use notify::notification_for;
pub use painter::Painter;

/// The columns and rows of the terminal `tty`; 80 and 24 if it does not say.
pub fn size(tty: impl AsFd) -> (usize, usize) {
    let told = |count: u16, default| match count {
        0 => default,
        count => usize::from(count),
    };
    match tcgetwinsize(tty) {
        Ok(size) => (told(size.ws_col, 80), told(size.ws_row, 24)),
        Err(_) => (80, 24),
    }
}
