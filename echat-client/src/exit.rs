//! How the program ends: the exit codes, which scripts rely on and `--help` lists.

use std::io::{self, Write as _};

echat_system::exit_codes! {
    /// Why the program ended. The numbers never change their meaning.
    pub enum Exit {
        Success = 0, "success";
        Refused = 1, "refused by the server: a request, the login or the connection";
        Usage = 2, "invalid arguments, script or input";
        CannotConnect = 3, "cannot connect, or the handshake failed";
        NotTrusted = 4, "server not trusted: unknown or changed key, or invalid signature";
        TimeOut = 5, "timed out";
        Unexpected = 6, "expectation failed";
        Protocol = 7, "protocol error: malformed or altered data, or the connection was lost";
        Local = 8, "a local file, standard input or standard output failed, or a pipe was closed";
    }
}

impl Exit {
    /// Prints what clap has to say, and how the program ends then. Help and version are answers, not
    /// errors, though clap returns them as such.
    pub fn printed(program: &str, said: &clap::Error) -> Self {
        match said.print().and_then(|()| io::stdout().flush()) {
            Ok(()) if said.use_stderr() => Self::Usage,
            Ok(()) => Self::Success,
            Err(error) => {
                // A reader that closed the pipe needs no message about it.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_do_not_change() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(Exit::Unexpected.code(), 6);
        for exit in Exit::ALL {
            let line = format!("  {}  {}\n", exit.code(), exit.meaning());
            assert!(Exit::table(Exit::ALL).contains(&line));
        }
    }
}
