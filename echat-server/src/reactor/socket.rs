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

/// Bytes that one round reads from each connection at most, when so many are readable.
pub(super) fn share(readable: usize) -> usize {
    (READS / readable.max(1)).clamp(LEAST_READ, BUDGET)
}

pub(super) struct Socket {
    stream: TcpStream,
    /// Whether a write was short and the socket is registered for WRITABLE.
    blocked: bool,
    /// Whether the peer has closed its direction.
    at_end: bool,
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
            at_end: false,
            shut: false,
        })
    }

    /// Reads within a budget of bytes; true if no bytes are left.
    pub(super) fn read(
        &mut self,
        conn: ConnId,
        mut budget: usize,
        engine: &mut Engine,
        now: Now,
    ) -> bool {
        let mut buffer = [0; CHUNK];
        while budget > 0 {
            if !engine.wants_bytes(conn) {
                return false;
            }
            let most = CHUNK.min(budget);
            match self.stream.read(&mut buffer[..most]) {
                Ok(0) => {
                    self.at_end = true;
                    engine.hang_up(conn);
                    return true;
                }
                Ok(length) => {
                    engine.receive(conn, &buffer[..length], now);
                    budget -= length;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
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
        let armed = match self.write_all(conn, engine, now) {
            Ok(()) => Interest::READABLE,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.blocked = true;
                Interest::READABLE | Interest::WRITABLE
            }
            Err(_) => return engine.sever(conn),
        };
        if self.blocked && registry.reregister(&mut self.stream, token, armed).is_err() {
            return engine.sever(conn);
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
                Ok(length) => engine.wrote(conn, length, now),
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
        if self.at_end {
            engine.hang_up(conn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
