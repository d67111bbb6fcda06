//! How the program ends: the exit codes, which scripts rely on and `--help` lists.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why the program ended. The numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything that was asked for has come.
    Success = 0,
    /// The server said no.
    Refused = 1,
    /// The arguments, a script or a line of input could not be understood.
    Usage = 2,
    /// There is no server, or it did not finish the handshake.
    CannotConnect = 3,
    /// The server's key is unknown, is not the one expected, or its signature is bad.
    NotTrusted = 4,
    /// The time was over before everything had come.
    TimeOut = 5,
    /// An expectation of a script did not hold.
    Unexpected = 6,
    /// The server broke the protocol, or the connection was cut.
    Protocol = 7,
    /// A local file, standard input or standard output failed.
    Local = 8,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Refused,
        Self::Usage,
        Self::CannotConnect,
        Self::NotTrusted,
        Self::TimeOut,
        Self::Unexpected,
        Self::Protocol,
        Self::Local,
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// One line for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => {
                "refused by the server: a request, the login, or CLOSE_NOTIFY before the end"
            }
            Self::Usage => "usage: arguments, script or input not understood",
            Self::CannotConnect => "cannot connect, or the handshake was not finished",
            Self::NotTrusted => "server not trusted: key unknown or changed, bad signature",
            Self::TimeOut => "time-out: something waited for had not come",
            Self::Unexpected => "expectation failed",
            Self::Protocol => "protocol error: malformed or tampered, or the connection was cut",
            Self::Local => "a local file, standard input or output failed (a closed pipe too)",
        }
    }

    /// Prints what clap has to say, and how the program ends then. Help and version are answers, not
    /// errors, though clap returns them as such.
    pub fn printed(program: &str, said: &clap::Error) -> Self {
        match said.print().and_then(|()| io::stdout().flush()) {
            Ok(()) if said.use_stderr() => Self::Usage,
            Ok(()) => Self::Success,
            Err(error) => {
                // Who has stopped reading wants no word about that.
                if error.kind() != io::ErrorKind::BrokenPipe {
                    let _ = writeln!(io::stderr(), "{program}: {error}");
                }
                Self::Local
            }
        }
    }

    /// Those that the terminal client ends with, which has no expectations.
    pub fn of_chat() -> impl Iterator<Item = Self> {
        let ends = |exit: &Self| *exit != Self::Unexpected;
        Self::ALL.into_iter().filter(ends)
    }

    /// The list for `--help`.
    pub fn table(exits: impl IntoIterator<Item = Self>) -> String {
        exits
            .into_iter()
            .fold(String::from("Exit codes:\n"), |mut table, exit| {
                let _ = writeln!(table, "  {}  {}", exit.code(), exit.meaning());
                table
            })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_what_scripts_were_told() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(Exit::Unexpected.code(), 6);
        for exit in Exit::ALL {
            let line = format!("  {}  {}\n", exit.code(), exit.meaning());
            assert!(Exit::table(Exit::ALL).contains(&line));
        }
    }
}
