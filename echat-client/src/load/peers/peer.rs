//! What the generator asks of every server alike.

use std::os::fd::BorrowedFd;

use super::super::Failure;
use super::Bench;
use super::process::Process;

/// A server under measurement: how it is started, and how a user of it is connected.
pub(super) trait Peer: Sync {
    /// The head of its column.
    fn name(&self) -> &'static str;

    /// Its program and version; `None` if it is not installed.
    fn version(&self, bench: &Bench) -> Option<String>;

    /// Starts it for at most `users` connections. With `pings` it pings idle connections as often as it does by
    /// default; otherwise never.
    fn start(&self, bench: &Bench, users: usize, pings: bool) -> Result<Process, Failure>;

    /// Connects the user with this number. If [`welcomes`](Self::welcomes) is true, the connection is ready after the
    /// first reply.
    fn connect(
        &self,
        bench: &Bench,
        server: &Process,
        number: usize,
    ) -> Result<Box<dyn Speaker>, Failure>;

    /// Whether an answer comes to a new user without a request.
    fn welcomes(&self) -> bool;

    /// Connects, finishes the handshake, and closes.
    fn touch(&self, bench: &Bench, server: &Process) -> Result<(), Failure>;

    /// Whether the sender of a message to a room receives it too.
    fn sender_gets_a_copy(&self) -> bool;

    /// Whether thousands of users enter one room within a minute.
    fn fills_large_rooms(&self) -> bool {
        true
    }
}

/// A connected user. Requests are queued; [`flush`](Self::flush) writes them.
pub(super) trait Speaker: Send {
    /// The socket, to be polled.
    fn socket(&self) -> BorrowedFd<'_>;
    /// Enters a room; the first user makes it. One answer comes.
    fn join(&mut self, room: &str);
    /// Prepares private messages to and from another user. Returns whether an answer comes.
    fn meet(&mut self, other: usize) -> bool;
    /// Sends a message of 100 bytes to a room.
    fn say(&mut self, room: &str);
    /// Sends a private message of 100 bytes. One answer comes.
    fn tell(&mut self, other: usize);
    /// Asks for nothing. One answer comes, after all that was sent before.
    fn ping(&mut self);
    /// Writes what the system takes now.
    fn flush(&mut self) -> Result<(), Failure>;
    /// Reads all that has arrived; answers the server's pings.
    fn hear(&mut self, scratch: &mut [u8]) -> Result<Heard, Failure>;
}

/// What arrived at a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Messages of users.
    pub(super) deliveries: usize,
    /// Answers to requests of this user.
    pub(super) answers: usize,
}
