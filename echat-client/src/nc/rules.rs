//! The limits of a session ([`Rules`]), what it does next ([`Next`]), and how it ended ([`SessionEnd`]).

use std::fmt::Display;
use std::io;
use std::time::Duration;

use crate::exit::Exit;
use crate::net::liveness::Periods;
use crate::secret::SecretBytes;

/// When to stop, and what counts.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about the run"
)]
pub struct Rules {
    /// Stop after so many messages.
    pub count: Option<u64>,
    /// Stop after a message of this number.
    pub until: Option<u32>,
    /// Stop at this time.
    pub deadline: Option<Duration>,
    /// Do not stop at the end of input.
    pub listen: bool,
    /// There is no handshake, so there are no messages and no goodbye.
    pub raw: bool,
    /// How long the server may say nothing before it is asked, and given up. `None`: for ever.
    pub silence: Option<Periods>,
    /// A person sees that a request was refused; the exit code need not say it.
    pub forgiving: bool,
    /// Show nothing but the reply to a request, and a refusal on the way to it.
    pub only_replies: bool,
    /// Whether the lines show passwords and session secrets.
    pub show_secrets: bool,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Seal this plaintext and send it.
    Send(SecretBytes),
    /// Send these bytes as they are.
    Raw(Vec<u8>),
    /// Nothing until something comes, or until this time.
    Wait(Option<Duration>),
    /// It is over.
    End(SessionEnd),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// The exit code.
    pub exit: Exit,
    /// What to tell people.
    pub note: Option<String>,
}

impl SessionEnd {
    /// Success, without a word.
    pub fn success() -> Self {
        Self {
            exit: Exit::Success,
            note: None,
        }
    }

    /// It ended because of this.
    pub fn because(exit: Exit, reason: &dyn Display) -> Self {
        Self {
            exit,
            note: Some(reason.to_string()),
        }
    }

    /// Something failed on this machine.
    pub fn local(reason: &dyn Display) -> Self {
        Self::because(Exit::Local, reason)
    }

    /// Standard output failed. A reader that closed the pipe needs no message about it.
    pub fn output(error: &io::Error) -> Self {
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            exit: Exit::Local,
            note: (!quiet).then(|| error.to_string()),
        }
    }
}

impl Next {
    /// It is over, and people are told why.
    pub fn end(exit: Exit, reason: &dyn Display) -> Self {
        Self::End(SessionEnd::because(exit, reason))
    }

    /// Nothing to do until one of these times, if there is one.
    pub fn rest(until: Option<Duration>, limit: Option<Duration>) -> Self {
        Self::Wait([until, limit].into_iter().flatten().min())
    }
}
