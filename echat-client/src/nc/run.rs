//! The loop: poll(2) over standard input and the socket until the session is over.
//!
//! Standard input may be a terminal, a pipe, a file or /dev/null: poll takes them all. It is read
//! straight from its descriptor; a buffer in between would hide lines from poll.

use std::io;
use std::time::Duration;

use echat_proto::channel::{ChannelError, Incoming};
use echat_proto::commands::CloseReason;
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::known::{HistoryCheck, KnownHistory};
use super::output;
use super::peer::{Peer, ReadOutcome};
use super::rules::{Next, SessionEnd};
use super::script;
use super::session::ScriptSession;
use super::step;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::local::lines::{Lines, NumberedLine};
use crate::net::link::{Tap, WAITING_MAX};
use crate::net::socket::Received;
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::net::wake::Wakes;
use crate::terminal::typed_text;

/// How many bytes one read of the input takes at most.
const READ: usize = 64 * 1024;
const PROMPT: &str = "> ";

/// Where lines come from and how they are treated.
pub struct ScriptInput {
    lines: Lines,
    /// A prompt is shown, and mistakes do not end the session.
    interactive: bool,
    raw: bool,
}

impl ScriptInput {
    /// Standard input.
    pub fn stdin(interactive: bool, raw: bool) -> Self {
        Self {
            lines: Lines::default(),
            interactive,
            raw,
        }
    }
}

/// Runs a session to its end, says goodbye, and returns how it ended.
pub fn run(
    mut peer: Peer,
    session: &mut ScriptSession,
    known: &KnownHistory,
    mut input: Option<ScriptInput>,
    clock: &Clock,
    tap: &mut dyn Tap,
) -> SessionEnd {
    let (end, reason) = match converse(&mut peer, session, known, &mut input, clock, tap) {
        Ok(end) | Err(SessionError::Local(end)) => (end, CloseReason::Bye),
        Err(SessionError::WornOut) => {
            let note = "the keys of this connection are used up; connect again";
            (
                SessionEnd::because(Exit::Protocol, &note),
                CloseReason::KeyWornOut,
            )
        }
        Err(SessionError::Channel(error)) => {
            let end = SessionEnd::because(Exit::Protocol, &error);
            if !matches!(error, ChannelError::Malformed(_)) {
                // Nothing is believed any more, so nothing is said.
                return end;
            }
            (end, CloseReason::Malformed)
        }
    };
    if session.is_connected() {
        let goodbye = (!session.has_said_goodbye()).then_some(reason);
        peer.leave(goodbye, clock, tap);
    }
    end
}

/// Why a session cannot go on.
enum SessionError {
    Local(SessionEnd),
    Channel(ChannelError),
    WornOut,
}

fn converse(
    peer: &mut Peer,
    session: &mut ScriptSession,
    known: &KnownHistory,
    input: &mut Option<ScriptInput>,
    clock: &Clock,
    tap: &mut dyn Tap,
) -> Result<SessionEnd, SessionError> {
    let mut came = Vec::new();
    let mut wakes = Wakes::new(clock).map_err(|error| poll_failed(&error))?;
    loop {
        let deadline = loop {
            let room = peer.socket().waiting() < WAITING_MAX;
            match session.next(clock.now(), room) {
                Next::Send(plain) => peer.send(&plain, tap),
                Next::Raw(bytes) => peer.send_raw(&bytes, tap),
                Next::Wait(deadline) => break deadline,
                Next::End(end) => return Ok(end),
            }
        };
        peer.flush(tap);
        let prompts = input.as_ref().is_some_and(|input| input.interactive);
        if prompts {
            output::ask(PROMPT);
        }
        let ready = poll(peer, session, input.is_some(), &wakes, clock, deadline)
            .map_err(|error| poll_failed(&error))?;
        if prompts {
            output::erase();
        }
        if wakes.take(clock) {
            session.woke();
        }
        if let (true, Some(input)) = (ready.input, input.as_mut()) {
            read_input(input, session).map_err(SessionError::Local)?;
        }
        if ready.socket {
            let (received, frames) = peer.receive(&mut came, tap);
            let ended = received == Received::End;
            if let Received::Bytes(_) = received {
                session.heard(clock.now());
            }
            if let (true, Some(input)) = (ended || has_goodbye(&came), input.as_mut()) {
                read_what_is_there(input, session, clock)?;
            }
            for came in came.drain(..) {
                show(session, known, came).map_err(|error| output_failed(&error))?;
            }
            frames.map_err(SessionError::Channel)?;
            if ended {
                session.disconnected();
            }
        }
        if matches!(peer, Peer::Sealed(link) if link.is_worn_out()) {
            return Err(SessionError::WornOut);
        }
    }
}

struct ReadySources {
    input: bool,
    socket: bool,
}

fn poll(
    peer: &mut Peer,
    session: &ScriptSession,
    has_input: bool,
    wakes: &Wakes,
    clock: &Clock,
    deadline: Option<Duration>,
) -> io::Result<ReadySources> {
    let interest = peer.interest();
    let socket = peer.socket();
    let stdin = rustix::stdio::stdin();
    let mut fds = Vec::new();
    // An ended connection is always ready, and so is a file: neither is waited for in vain.
    let connected = session.is_connected();
    let reads = has_input && session.wants_input();
    if connected {
        fds.push(WatchedFd::new(&*socket, interest));
    }
    fds.extend(wakes.watched());
    if reads {
        fds.push(WatchedFd::new(&stdin, Interest::Read));
    }
    wait(&mut fds, clock, deadline)?;
    let is_ready = |fd: Option<&WatchedFd<'_>>| fd.is_some_and(WatchedFd::is_ready);
    Ok(ReadySources {
        socket: connected && is_ready(fds.first()),
        input: reads && is_ready(fds.last()),
    })
}

fn has_goodbye(came: &[ReadOutcome]) -> bool {
    came.iter()
        .any(|came| matches!(came, ReadOutcome::Incoming(Incoming::Close(_))))
}

/// Reads input that is there already: a script that expects the end of the connection must be
/// known before the end is.
fn read_what_is_there(
    input: &mut ScriptInput,
    session: &mut ScriptSession,
    clock: &Clock,
) -> Result<(), SessionError> {
    while session.wants_input() {
        let stdin = rustix::stdio::stdin();
        let mut fds = [WatchedFd::new(&stdin, Interest::Read)];
        wait(&mut fds, clock, Some(Duration::ZERO)).map_err(|error| poll_failed(&error))?;
        if !fds[0].is_ready() {
            break;
        }
        read_input(input, session).map_err(SessionError::Local)?;
    }
    Ok(())
}

/// Reads input once and hands its lines to the session.
fn read_input(input: &mut ScriptInput, session: &mut ScriptSession) -> Result<(), SessionEnd> {
    // It may hold a password.
    let mut buffer = Zeroizing::new(vec![0; READ]);
    match rustix::io::read(rustix::stdio::stdin(), &mut buffer[..]) {
        Ok(0) => {
            let last = input.lines.last_line();
            last.map_or(Ok(()), |line| take_line(line, input, session))?;
            session.end_of_input();
            return Ok(());
        }
        Ok(length) => input.lines.push(&buffer[..length]),
        Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
        Err(error) => {
            let note = format!("standard input: {error}");
            return Err(SessionEnd::because(Exit::Local, &note));
        }
    }
    loop {
        match input.lines.next_line() {
            Ok(Some(line)) => take_line(line, input, session)?,
            Ok(None) => return Ok(()),
            Err(error) => {
                return Err(SessionEnd::because(Exit::Usage, &error));
            }
        }
    }
}

fn take_line(
    (number, line): NumberedLine,
    input: &ScriptInput,
    session: &mut ScriptSession,
) -> Result<(), SessionEnd> {
    // A terminal sends more than what is typed.
    let line = if input.interactive {
        typed_text(&line)
    } else {
        line
    };
    let step = match script::parse(&line) {
        Ok(None) => return Ok(()),
        Ok(Some(statement)) => {
            step::compile(statement, number, input.raw).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match step {
        Ok(step) => session.push(step),
        Err(error) if input.interactive => output::diagnostic(&error),
        Err(error) => {
            let note = format!("line {number}: {error}");
            return Err(SessionEnd::because(Exit::Usage, &note));
        }
    }
    Ok(())
}

/// One line for each message, at once, and before it one if the server's history is another.
fn show(session: &mut ScriptSession, known: &KnownHistory, came: ReadOutcome) -> io::Result<()> {
    let incoming = match came {
        ReadOutcome::Incoming(incoming) => incoming,
        ReadOutcome::Line(line) => return output::line(&line),
    };
    if session.is_over() {
        return Ok(());
    }
    let verdict = known.judge(&incoming);
    let line = session.received(incoming);
    match verdict {
        HistoryCheck::Holds => {}
        HistoryCheck::Replaced(event) => output::line(&event)?,
        HistoryCheck::Untold => output::diagnostic(
            &"the server does not report its history: --after and --history cannot be checked",
        ),
    }
    line.map_or(Ok(()), |line| output::line(&line))
}

/// The program cannot wait for input or the server.
fn poll_failed(error: &io::Error) -> SessionError {
    SessionError::Local(SessionEnd::local(error))
}

/// Standard output failed.
fn output_failed(error: &io::Error) -> SessionError {
    SessionError::Local(SessionEnd::output(error))
}
