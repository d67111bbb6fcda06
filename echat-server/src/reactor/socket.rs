//! A client's socket: bounded reads, partial writes, and a close that does not lose the last frame to a reset.

use crate::clock::Now;
use crate::conn::ConnId;
use crate::engine::Engine;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

/// Bytes that one round reads from all connections together, unless each would get less than [`LEAST_READ`].
const READS: usize = 128 * 1024;
/// Bytes that one round reads from a connection at least, if available.
const LEAST_READ: usize = 1024;
/// Bytes that one round reads from one connection at most.
const BUDGET: usize = 64 * 1024;
/// Bytes of one read.
const CHUNK: usize = 16 * 1024;

/// The buffer of all reads. It keeps sealed bytes only.
pub(super) type Buffer = Box<[u8; CHUNK]>;

pub(super) fn buffer() -> Buffer {
    Box::new([0; CHUNK])
}

/// Bytes that one round reads from each connection at most, when so many are readable.
pub(super) fn share(readable: usize) -> usize {
    (READS / readable.max(1)).clamp(LEAST_READ, BUDGET)
}

/// Whether the peer has closed its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerEnd {
    No,
    /// The poll reported the end, or an error. The socket is read to its end.
    Reported,
    /// The end was read.
    Read,
}

pub(super) struct Socket {
    stream: TcpStream,
    /// Whether a write was short and the socket is registered for WRITABLE.
    blocked: bool,
    peer_end: PeerEnd,
    /// Whether this side has closed its direction.
    shut: bool,
}

impl Socket {
    pub(super) fn new(
        mut stream: TcpStream,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        // Frames are written whole: Nagle's algorithm would only delay them.
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE)?;
        Ok(Self {
            stream,
            blocked: false,
            peer_end: PeerEnd::No,
            shut: false,
        })
    }

    /// Notes that the poll reported the end of the peer's direction, or an error.
    pub(super) fn note_end(&mut self) {
        if self.peer_end == PeerEnd::No {
            self.peer_end = PeerEnd::Reported;
        }
    }

    /// Reads within a budget of bytes; true if no bytes are left.
    ///
    /// A read that fills less than its buffer has emptied the socket: bytes, an end or an error that come later are a
    /// new event (epoll(7), on `EPOLLET`). Only an end that was reported together with these bytes is read at once.
    pub(super) fn read(
        &mut self,
        conn: ConnId,
        mut budget: usize,
        buffer: &mut Buffer,
        engine: &mut Engine,
        now: Now,
    ) -> bool {
        while budget > 0 {
            if !engine.wants_bytes(conn) {
                return false;
            }
            let most = CHUNK.min(budget);
            match read_once(
                &mut self.stream,
                &mut buffer[..most],
                self.peer_end != PeerEnd::No,
            ) {
                Input::End => {
                    self.peer_end = PeerEnd::Read;
                    engine.hang_up(conn);
                    return true;
                }
                Input::Bytes { length, last } => {
                    engine.receive(conn, &buffer[..length], now);
                    budget -= length;
                    if last {
                        return true;
                    }
                }
                Input::Nothing => return true,
                Input::Failed => {
                    engine.sever(conn);
                    return true;
                }
            }
        }
        false
    }

    /// Marks the socket as writable; returns whether a write was waiting for it.
    pub(super) fn unblock(&mut self) -> bool {
        std::mem::take(&mut self.blocked)
    }

    /// Writes the engine's output for this connection.
    pub(super) fn write(
        &mut self,
        conn: ConnId,
        engine: &mut Engine,
        registry: &Registry,
        token: Token,
        now: Now,
    ) {
        if self.blocked {
            return;
        }
        match self.write_all(conn, engine, now) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.blocked = true;
                let both = Interest::READABLE | Interest::WRITABLE;
                if registry.reregister(&mut self.stream, token, both).is_err() {
                    return engine.sever(conn);
                }
            }
            Err(_) => return engine.sever(conn),
        }
        if engine.is_finished(conn) {
            self.say_no_more(conn, engine);
        }
    }

    fn write_all(&mut self, conn: ConnId, engine: &mut Engine, now: Now) -> io::Result<()> {
        loop {
            let bytes = engine.output(conn, now);
            if bytes.is_empty() {
                return Ok(());
            }
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => {
                    if !engine.wrote(conn, length, now) {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes this direction. The other one is read until the peer closes it: closing a socket with unread bytes would
    /// reset the connection, and the reset can overtake the last frame.
    fn say_no_more(&mut self, conn: ConnId, engine: &mut Engine) {
        if !self.shut {
            self.shut = true;
            // Fails only if the connection is gone, which the next read reports.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        if self.peer_end == PeerEnd::Read {
            engine.hang_up(conn);
        }
    }
}

/// The result of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// Bytes, and whether the socket has no others now.
    Bytes {
        length: usize,
        last: bool,
    },
    /// No bytes are left now.
    Nothing,
    /// The peer has closed its direction.
    End,
    Failed,
}

/// Reads once. `ending` says whether an end was reported, which follows the bytes.
fn read_once(stream: &mut impl Read, buffer: &mut [u8], ending: bool) -> Input {
    loop {
        return match stream.read(buffer) {
            Ok(0) => Input::End,
            Ok(length) => Input::Bytes {
                length,
                last: length < buffer.len() && !ending,
            },
            Err(error) if error.kind() == ErrorKind::WouldBlock => Input::Nothing,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => Input::Failed,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::time::Duration;

    /// A connected pair: a client, and the server's side on a poll.
    fn pair(poll: &Poll) -> (std::net::TcpStream, TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        let mut server = TcpStream::from_std(server);
        let registry = poll.registry();
        registry
            .register(&mut server, Token(1), Interest::READABLE)
            .unwrap();
        (client, server)
    }

    /// Waits for an event; whether it reports the end of the peer's direction.
    fn next_event(poll: &mut Poll) -> Option<bool> {
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::from_secs(10)))
            .unwrap();
        events.iter().next().map(mio::event::Event::is_read_closed)
    }

    #[test]
    fn one_short_read_empties_a_socket_and_later_bytes_and_the_end_are_new_events() {
        let mut poll = Poll::new().unwrap();
        let (mut client, mut server) = pair(&poll);
        let mut buffer = [0; 64];
        for text in [&b"one"[..], b"two"] {
            client.write_all(text).unwrap();
            assert_eq!(next_event(&mut poll), Some(false));
            let all = Input::Bytes {
                length: 3,
                last: true,
            };
            assert_eq!(read_once(&mut server, &mut buffer, false), all);
            assert_eq!(&buffer[..3], text);
        }
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(next_event(&mut poll), Some(true), "the end is an event");
        assert_eq!(read_once(&mut server, &mut buffer, true), Input::End);
    }

    #[test]
    fn an_end_that_is_reported_with_the_last_bytes_is_read_behind_them() {
        let mut poll = Poll::new().unwrap();
        let (mut client, mut server) = pair(&poll);
        client.write_all(b"bye").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        while next_event(&mut poll) != Some(true) {}
        let mut buffer = [0; 64];
        let bytes = Input::Bytes {
            length: 3,
            last: false,
        };
        assert_eq!(read_once(&mut server, &mut buffer, true), bytes);
        assert_eq!(read_once(&mut server, &mut buffer, true), Input::End);
    }

    #[test]
    fn a_full_buffer_leaves_it_open_whether_more_bytes_wait() {
        let mut buffer = [0; 4];
        let mut read = |bytes: &[u8]| read_once(&mut &*bytes, &mut buffer, false);
        let of = |length, last| Input::Bytes { length, last };
        assert_eq!(read(b"four"), of(4, false));
        assert_eq!(read(b"six"), of(3, true));
        assert_eq!(read(b""), Input::End);
    }

    #[test]
    fn a_round_shares_a_bounded_number_of_bytes_among_all() {
        for readable in 0..=10_000 {
            let share = share(readable);
            assert!((LEAST_READ..=BUDGET).contains(&share), "{readable}");
            let most = READS.max(readable * LEAST_READ);
            assert!(readable * share <= most, "{readable}");
        }
    }
}
