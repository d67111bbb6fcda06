//! The requests of `--send`: lines of standard input, each kept until the server has answered it.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use echat_proto::commands::{self, Ending, SessionEffect};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::exit::Exit;
use crate::local::lines::Lines;
use crate::nc::rules::SessionEnd;
use crate::nc::script;
use crate::nc::step::{self, ScriptStep};
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::secret::SecretBytes;

/// Unanswered requests and their bytes, beyond which no more are read while nothing is printed.
const WAITING: usize = 1_000;
const WAITING_BYTES: usize = 16 << 20;
/// The same while messages are printed. A program that writes more of them before it reads a message waits for ever.
const PRINTING: usize = 100_000;
const PRINTING_BYTES: usize = 64 << 20;
/// Bytes of one read.
const READ: usize = 64 * 1024;

/// A request that is not answered.
struct QueuedRequest {
    /// Its number among the commands.
    command: u32,
    plain: SecretBytes,
    /// The number of its line.
    line: usize,
}

/// Requests that are not answered, the oldest first.
pub(super) struct RequestQueue {
    lines: Lines,
    waiting: VecDeque<QueuedRequest>,
    /// Bytes of them.
    bytes: usize,
    /// When the oldest one is sent again, by the clock, if the server refused it for now.
    held_until: Option<Duration>,
    /// The codes of the refusals of the oldest one that people were told.
    told: BTreeSet<String>,
    /// Whether no more lines come.
    ended: bool,
    /// Whether a request was refused for good.
    has_refusal: bool,
}

impl RequestQueue {
    /// The lines of standard input, or none.
    pub(super) fn new(reads_input: bool) -> Self {
        Self {
            lines: Lines::default(),
            waiting: VecDeque::new(),
            bytes: 0,
            held_until: None,
            told: BTreeSet::new(),
            ended: !reads_input,
            has_refusal: false,
        }
    }

    /// Whether every line was read and answered.
    pub(super) fn is_done(&self) -> bool {
        self.ended && self.waiting.is_empty()
    }

    /// Whether standard input is to be waited for.
    pub(super) fn wants_input(&self) -> bool {
        self.wants(WAITING, WAITING_BYTES)
    }

    /// Whether there are fewer requests than this, with fewer bytes, and more may come.
    fn wants(&self, count: usize, bytes: usize) -> bool {
        !self.ended && self.waiting.len() < count && self.bytes < bytes
    }

    /// When the next request may be sent, if it is held.
    pub(super) fn held_until(&self) -> Option<Duration> {
        self.held_until
    }

    /// Whether people are told that the request that was sent is refused for now: not twice for one reason.
    pub(super) fn tells(&mut self, code: &str) -> bool {
        self.told.insert(code.to_owned())
    }

    /// Keeps the request that was sent, and sends none before this time.
    pub(super) fn hold(&mut self, until: Duration) {
        self.held_until = Some(until);
    }

    /// The number and the bytes of the request that is to be sent now.
    pub(super) fn next(&self, now: Duration) -> Option<(u32, &[u8])> {
        if self.held_until.is_some_and(|until| now < until) {
            return None;
        }
        let request = self.waiting.front()?;
        Some((request.command, &request.plain))
    }

    /// Takes the final answer to the request that was sent. Returns the line of a request that is refused.
    pub(super) fn answered(&mut self, ending: Ending) -> Option<usize> {
        self.held_until = None;
        self.told.clear();
        let request = self.waiting.pop_front()?;
        self.bytes -= request.plain.len();
        let is_refused = ending == Ending::Refused;
        self.has_refusal |= is_refused;
        is_refused.then_some(request.line)
    }

    /// Whether a request was refused for good.
    pub(super) fn has_refusal(&self) -> bool {
        self.has_refusal
    }

    /// Reads the lines that are there without waiting. The program that writes them may wait until they are read before
    /// it reads what is printed for it.
    pub(super) fn read_what_is_there(&mut self, clock: &Clock) -> Result<(), SessionEnd> {
        while self.wants(PRINTING, PRINTING_BYTES) {
            let stdin = rustix::stdio::stdin();
            let mut fds = [WatchedFd::new(&stdin, Interest::Read)];
            let waited = wait(&mut fds, clock, Some(Duration::ZERO));
            waited.map_err(|error| unreadable(&error))?;
            if !fds[0].is_ready() {
                return Ok(());
            }
            self.read()?;
        }
        Ok(())
    }

    /// Reads once from standard input, which is ready.
    pub(super) fn read(&mut self) -> Result<(), SessionEnd> {
        // It may hold a password.
        let mut buffer = Zeroizing::new(vec![0; READ]);
        match rustix::io::read(rustix::stdio::stdin(), &mut buffer[..]) {
            Ok(0) => {
                self.ended = true;
                if let Some((number, line)) = self.lines.last_line() {
                    self.push(number, &line)?;
                }
                return Ok(());
            }
            Ok(length) => self.lines.push(&buffer[..length]),
            Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(unreadable(&error.into())),
        }
        loop {
            match self.lines.next_line() {
                Ok(Some((number, line))) => self.push(number, &line)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(SessionEnd::because(Exit::Usage, &error)),
            }
        }
    }

    fn push(&mut self, number: usize, line: &[u8]) -> Result<(), SessionEnd> {
        let wrong = |what: &dyn std::fmt::Display| {
            SessionEnd::because(Exit::Usage, &format!("line {number}: {what}"))
        };
        let statement = script::parse(line).map_err(|error| wrong(&error))?;
        let Some(statement) = statement else {
            return Ok(());
        };
        let step = step::compile(statement, number, false).map_err(|error| wrong(&error))?;
        let command = match &step {
            ScriptStep::Send(plain, _) => plain
                .first_chunk()
                .map(|number| u32::from_be_bytes(*number)),
            _ => None,
        };
        let keeps_session = |command| {
            let answers = commands::by_number(command).and_then(|info| info.answers);
            answers.is_some_and(|answers| answers.session == SessionEffect::Keeps)
        };
        match (step, command.filter(|command| keeps_session(*command))) {
            (ScriptStep::Send(plain, line), Some(command)) => {
                self.bytes += plain.len();
                self.waiting.push_back(QueuedRequest {
                    command,
                    plain,
                    line,
                });
            }
            _ => {
                return Err(wrong(
                    &"only requests that keep the session can be sent here",
                ));
            }
        }
        Ok(())
    }
}

fn unreadable(error: &io::Error) -> SessionEnd {
    SessionEnd::because(Exit::Local, &format!("standard input: {error}"))
}
