//! The socket of the administration in the data folder: `echat-server ctl` and other programs of the operator send a
//! command in a line of JSON, and read a line for each. Only the user of the server, and root, may.
//!
//! A client has one command at a time, and its next line is read when it has taken the answer of the last: so what a
//! client costs is bounded by one line and one answer, and a client that never reads stops only itself.

use super::ReactorError;
use super::accepting::Accepting;
use super::slots::{PolledStream, Slots};
use super::tasks::{BUSY, Requester, Tasks};
use super::tokens::EventSource;
use crate::clock::Now;
use crate::ctl::{CtlRequest, LINE_MAX, read_line, refusal_line, reply_line};
use crate::engine::{AdminAnswer, AdminRefusal, Engine, Fatal};
use crate::limits::LogLimiter;
use crate::maintenance::FolderView;
use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry};
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroize;

/// Clients at the same time. One more has the one closed that has done nothing for longest, and is refused if all wait
/// for tasks.
const SLOTS: u16 = 32;
/// Clients that one round accepts.
const ACCEPTS: usize = 64;
/// The time between two signs of life to a client whose command is under way.
const SIGN_INTERVAL: Duration = Duration::from_secs(1);
/// A sign of life: JSON ignores it before the answer.
const SIGN: &str = " ";
/// Bytes of one read.
const CHUNK: usize = 16 * 1024;

/// The socket, and its clients.
pub(super) struct Ctl {
    /// `None`: the folder cannot have one.
    listener: Option<BoundSocket>,
    accepting: Accepting,
    /// The rate limit of the log line about users that may not ask.
    strangers: LogLimiter,
    clients: Slots<CtlClient>,
    /// The number of the next client, and of its next use.
    serial: u64,
    /// When clients whose commands are under way get a sign of life.
    sign_at: Duration,
}

struct BoundSocket {
    socket: UnixListener,
    path: PathBuf,
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        // The next start replaces a socket that is left.
        let _ = fs::remove_file(&self.path);
    }
}

struct CtlClient {
    stream: PolledStream<UnixStream>,
    /// The user of the system.
    user: u32,
    /// Grows with each client.
    serial: u64,
    /// When it did something last: a number that grows.
    used: u64,
    input: Vec<u8>,
    output: Vec<u8>,
    state: CtlState,
    closed: Closed,
}

/// The state of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CtlState {
    /// Its next line is a command.
    Idle,
    /// Its command has a task that is not done.
    Busy,
    /// It is closed when it has read the answer.
    Closing,
}

/// What a client has closed of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closed {
    Nothing,
    /// Its direction: it sends no more commands, and still reads answers.
    Writing,
    /// Both: it reads no answer.
    Both,
}

impl Ctl {
    /// Listens in the data folder. A socket that is left of an earlier server is replaced: the folder is this
    /// process's. On a file system without sockets the server serves as well, which the log says.
    ///
    /// # Errors
    /// [`ReactorError::Occupied`]: something else has the name of the socket, and nothing would administer the server.
    pub(super) fn listen(path: Option<&Path>, registry: &Registry) -> Result<Self, ReactorError> {
        if let Some(path) = path
            && let Ok(found) = path.symlink_metadata()
            && !found.file_type().is_socket()
        {
            return Err(ReactorError::Occupied(path.to_owned()));
        }
        let listener = path.and_then(|path| match bind(path, registry) {
            Ok(bound) => Some(bound),
            Err(error) => {
                tracing::warn!(
                    "no socket for echat-server ctl: {}: {error}",
                    path.display()
                );
                None
            }
        });
        Ok(Self {
            listener,
            accepting: Accepting::new("clients of echat-server ctl"),
            strangers: LogLimiter::default(),
            clients: Slots::new(EventSource::CtlClient, SLOTS),
            serial: 0,
            sign_at: Duration::ZERO,
        })
    }

    /// Notes that clients wait to be accepted.
    pub(super) fn ready(&mut self) {
        self.accepting.ready();
    }

    /// Ends a pause of accepting, since a descriptor is free.
    pub(super) fn try_again(&mut self) {
        self.accepting.try_again();
    }

    /// When a client is accepted after a pause, or signs of life are due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let next = [self.accepting.retry_at(), self.signs_due()];
        next.into_iter().flatten().min()
    }

    /// Takes in what became possible at the client in a slot.
    pub(super) fn take_event(&mut self, slot: u16, event: &Event) {
        if let Some(client) = self.clients.get_mut(slot) {
            client.stream.take_event(event);
            if event.is_write_closed() {
                client.closed = Closed::Both;
            }
        }
    }

    /// Whether a round would find something to do at once.
    pub(super) fn has_work(&self, now: Duration) -> bool {
        let has_work = |client: &CtlClient| {
            client.may_ask() && (client.stream.can_read() || client.has_line())
        };
        self.listener.is_some() && self.accepting.is_ready(now) || self.clients.iter().any(has_work)
    }

    /// When the next signs of life are due; `None` while no command is under way.
    fn signs_due(&self) -> Option<Duration> {
        let mut clients = self.clients.iter();
        clients
            .any(|client| client.state == CtlState::Busy)
            .then_some(self.sign_at)
    }

    /// Gives a sign of life to the clients whose commands are under way. One that does not read gets no more than one.
    fn sign(&mut self, now: Duration) {
        if self.signs_due().is_none_or(|at| now < at) {
            return;
        }
        self.sign_at = now + SIGN_INTERVAL;
        for client in self.clients.iter_mut() {
            if client.state == CtlState::Busy && client.output.is_empty() {
                client.answer(SIGN);
                client.write();
            }
        }
    }

    /// Accepts clients, and carries out one command of each.
    pub(super) fn serve(
        &mut self,
        engine: &mut Engine,
        tasks: &mut Tasks,
        registry: &Registry,
        now: Now,
    ) -> Result<(), Fatal> {
        self.accept(registry, now.running);
        for slot in 0..self.clients.count() {
            let Some(client) = self.clients.get_mut(slot) else {
                continue;
            };
            client.write();
            client.read();
            if let Some(line) = client.line() {
                self.serial += 1;
                client.used = self.serial;
                let requester = Requester::Ctl(slot, client.serial);
                let (answer, folder) = carry_out(engine, client.user, line, now)?;
                match answer {
                    AdminAnswer::Task(task, operation) => {
                        client.state = CtlState::Busy;
                        tasks.add(requester, task, folder, *operation);
                    }
                    AdminAnswer::Done(report) => client.answer(&reply_line(&report)),
                    AdminAnswer::Refused(refused) => {
                        client.answer(&refusal_line(&refused));
                    }
                }
                client.write();
            }
            if client.is_over() {
                tasks.forget(Requester::Ctl(slot, client.serial));
                self.clients.take(slot);
            }
        }
        self.sign(now.running);
        Ok(())
    }

    /// Gives a client the answer that its task has come to. It may be gone.
    pub(super) fn answer(&mut self, slot: u16, serial: u64, line: &str) {
        let client = self.clients.get_mut(slot);
        if let Some(client) = client.filter(|client| client.serial == serial) {
            client.state = CtlState::Idle;
            client.answer(line);
            client.write();
        }
    }

    fn accept(&mut self, registry: &Registry, now: Duration) {
        let Some(bound) = &self.listener else {
            return;
        };
        for _ in 0..ACCEPTS {
            let Some((stream, _)) = self.accepting.next(now, || bound.socket.accept()) else {
                return;
            };
            // A client that waits for a task keeps its slot.
            let rank = |client: &CtlClient| (client.state != CtlState::Busy).then_some(client.used);
            let Some(slot) = self.clients.free_or_lowest(rank) else {
                refuse_one_more(stream);
                continue;
            };
            self.serial += 1;
            let source = self.clients.source(slot);
            let mut client = CtlClient::new(stream, self.serial, registry, source);
            if let Some(client) = client.as_mut().filter(|client| !client.may_use()) {
                if self.strangers.allows(now) {
                    let user = client.user;
                    tracing::warn!("echat-server ctl: the user {user} of the system may not ask");
                }
                let message = "Only the user of the server, and root, may ask.";
                client.refuse("not_allowed", message);
            }
            self.clients.put(slot, client);
        }
    }
}

/// Refuses a client for which there is no slot.
fn refuse_one_more(mut stream: UnixStream) {
    let message = "All places are taken by commands that are not done. Try again later.";
    let refused = AdminRefusal::new(BUSY, message);
    // A new connection has room for a line. A client that is gone needs no answer.
    let _ = stream.write(refusal_line(&refused).as_bytes());
}

fn bind(path: &Path, registry: &Registry) -> io::Result<BoundSocket> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = crate::ctl::with_short_path(path, |path| UnixListener::bind(path))?;
    let path = path.to_owned();
    let mut bound = BoundSocket { socket, path };
    fs::set_permissions(&bound.path, Permissions::from_mode(0o600))?;
    let token = EventSource::CtlListener.token();
    registry.register(&mut bound.socket, token, Interest::READABLE)?;
    Ok(bound)
}

/// The user of the system at the other end.
#[cfg(target_os = "linux")]
fn user_of(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

/// Elsewhere the mode of the socket alone decides.
#[cfg(not(target_os = "linux"))]
fn user_of(_: &UnixStream) -> io::Result<u32> {
    Ok(geteuid().as_raw())
}

/// Carries out the command of a line. Returns the answer, and how the client sees the folder of its file if it said so.
fn carry_out(
    engine: &mut Engine,
    user: u32,
    mut line: Vec<u8>,
    now: Now,
) -> Result<(AdminAnswer, Option<FolderView>), Fatal> {
    let read = read_line(&line);
    line.zeroize();
    match read {
        Ok(CtlRequest {
            command,
            arguments,
            folder,
        }) => {
            let answer = engine.administer(Some(user), &command, arguments, now)?;
            Ok((answer, folder))
        }
        Err(why) => {
            let message = format!("The line is no command: {why}.");
            let refused = AdminRefusal::new("bad_line", message);
            Ok((AdminAnswer::Refused(refused), None))
        }
    }
}

impl CtlClient {
    fn new(
        stream: UnixStream,
        serial: u64,
        registry: &Registry,
        source: EventSource,
    ) -> Option<Self> {
        let user = user_of(&stream).ok()?;
        Some(Self {
            stream: PolledStream::register(stream, registry, source).ok()?,
            user,
            serial,
            used: serial,
            input: Vec::new(),
            output: Vec::new(),
            state: CtlState::Idle,
            closed: Closed::Nothing,
        })
    }

    /// Whether it is the user of the server, or root.
    fn may_use(&self) -> bool {
        self.user == 0 || self.user == geteuid().as_raw()
    }

    /// Refuses what a client says, and all that follows.
    fn refuse(&mut self, code: &'static str, message: &str) {
        self.state = CtlState::Closing;
        self.input = Vec::new();
        self.answer(&refusal_line(&AdminRefusal::new(code, message)));
        self.write();
    }

    /// Whether its next line is taken: it has taken the answer of the last one.
    fn may_ask(&self) -> bool {
        self.state == CtlState::Idle && self.output.is_empty()
    }

    fn has_line(&self) -> bool {
        self.input.contains(&b'\n')
    }

    /// Reads until there is a line. One that is too long is refused, and so is all that follows.
    fn read(&mut self) {
        if !self.may_ask() {
            return;
        }
        let mut chunk = [0; CHUNK];
        while !self.has_line()
            && self.input.len() <= LINE_MAX
            && let Some(read) = self.stream.read(&mut chunk)
        {
            match read {
                Ok(0) => self.note_end(),
                Ok(length) => self.input.extend_from_slice(&chunk[..length]),
                Err(_) => {
                    self.note_end();
                    self.input.clear();
                }
            }
        }
        chunk.zeroize();
        let length = self.input.iter().position(|byte| *byte == b'\n');
        if length.unwrap_or(self.input.len()) > LINE_MAX {
            self.refuse("too_long", &format!("A line may have {LINE_MAX} bytes."));
        }
    }

    fn note_end(&mut self) {
        self.closed = self.closed.max(Closed::Writing);
    }

    /// Takes a whole line, if the client has taken the answer of the last one.
    fn line(&mut self) -> Option<Vec<u8>> {
        if !self.may_ask() {
            return None;
        }
        let end = self.input.iter().position(|byte| *byte == b'\n')?;
        let rest = self.input.split_off(end + 1);
        Some(std::mem::replace(&mut self.input, rest))
    }

    fn answer(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
    }

    fn write(&mut self) {
        let written = self.stream.write(&self.output).unwrap_or_else(|_| {
            self.state = CtlState::Closing;
            self.output.len()
        });
        // An answer may have a password.
        self.output[..written].zeroize();
        self.output.drain(..written);
    }

    /// Whether nothing is to be said any more. Half a line at the end is no command.
    fn is_over(&self) -> bool {
        let is_silent = match self.state {
            CtlState::Idle => self.closed != Closed::Nothing && !self.has_line(),
            CtlState::Busy if self.closed == Closed::Both => return true,
            CtlState::Busy => false,
            CtlState::Closing => true,
        };
        is_silent && self.output.is_empty()
    }
}
