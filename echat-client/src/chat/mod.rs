//! `echat`, the client people talk with: what surrounds the [application](crate::app).
//!
//! A module imports only from those below it:
//!
//! ```text
//! (this)                        choices to a run, and the exit code
//! event_loop                    poll(2), and the effects of the application done
//! screen  keyboard  signals     what people see and type; what the system wants
//! server  devices               the way to a link; the secrets by which servers know this device
//! unsent  export                the file of unsent lines; the file that `/export` writes
//! choices                       flags, configuration and environment together
//! fault                         what goes wrong, in the user's language
//! args  config                  the command line; the section `client` of config.json
//! ```

mod alerts;
mod args;
mod choices;
mod config;
mod devices;
mod event_loop;
mod export;
mod fault;
mod keyboard;
mod screen;
mod server;
mod signals;
mod unsent;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use echat_system::private_memory;

use crate::exit::Exit;
use crate::terminal::Encoded;
pub use args::command;
use event_loop::{EventLoop, ProgramEnd};
use fault::{LocalizedError, is_garbled_password};

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // Where memory cannot be protected, the program runs all the same.
    let _ = private_memory::forbid_dumps_and_tracing();
    let flags = match args::parse(env::args_os()) {
        Ok(flags) => flags,
        Err(error) => {
            return code(Exit::printed("echat", &error));
        }
    };
    let end = choices::of(flags)
        .map_err(|(exit, note)| (exit, Some(note)))
        .and_then(|choices| {
            let language = choices.language;
            let ended = EventLoop::new(choices).and_then(EventLoop::run);
            ended.map_err(|error| {
                // A reader that closed the pipe needs no message about it.
                let is_quiet = error.kind() == io::ErrorKind::BrokenPipe;
                let exit = if is_garbled_password(&error) {
                    Exit::Usage
                } else {
                    Exit::Local
                };
                (exit, (!is_quiet).then(|| error.localized(language)))
            })
        });
    match end {
        Ok(ProgramEnd::Exit(exit)) => code(exit),
        Ok(ProgramEnd::Signal(signal)) => {
            // The parent process sees the real cause: this signal.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            code(Exit::Local)
        }
        Err((exit, note)) => {
            if let Some(note) = note {
                let _ = Encoded::new(io::stderr()).write_all(format!("echat: {note}\n").as_bytes());
            }
            code(exit)
        }
    }
}

fn code(exit: Exit) -> ExitCode {
    exit.code().into()
}
