//! A non-blocking TCP connection with what still waits to be written. It knows no protocol.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::net::sockopt;

use crate::clock::Clock;
use crate::net::address::Address;
use crate::net::wait::{Interest, WatchedFd, wait};

/// A flush before a close lasts at most so long (PROTOCOL.md, 4).
const FLUSH: Duration = Duration::from_secs(2);
/// TCP keep-alive: the silence before the first probe, the time between probes, and how many may
/// stay without an answer. It ends a connection whose peer is gone even while nothing pings.
const PROBE_AFTER: Duration = Duration::from_mins(1);
const PROBE_EVERY: Duration = Duration::from_secs(15);
const PROBES: u32 = 4;

/// A connection to a server.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// What the system has not taken yet.
    outgoing: Vec<u8>,
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes.
    Bytes(usize),
    /// Nothing at the moment.
    Nothing,
    /// The end: the other side has closed or reset the connection.
    End,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The name has no address, or the system cannot look it up.
    #[error(transparent)]
    Resolve(io::Error),
    /// Every address refused; the last one's reason. The caller names the server.
    #[error(transparent)]
    Connect(io::Error),
    /// The time was over.
    #[error("connecting timed out")]
    TimedOut,
}

impl Socket {
    /// Connects to the first of a host's addresses that answers before `deadline`; each gets an
    /// equal share of what is left of the time. Looking up the name is the system's, and is not
    /// under the deadline.
    pub fn connect(
        address: &Address,
        clock: &Clock,
        deadline: Duration,
    ) -> Result<Self, SocketError> {
        let found: Vec<SocketAddr> = (address.host(), address.port())
            .to_socket_addrs()
            .map_err(SocketError::Resolve)?
            .collect();
        let none = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let mut failure = SocketError::Resolve(none);
        for (tried, candidate) in found.iter().enumerate() {
            let share = u32::try_from(found.len() - tried).unwrap_or(u32::MAX);
            let left = deadline.saturating_sub(clock.now()) / share;
            if left.is_zero() {
                return Err(SocketError::TimedOut);
            }
            let connected = TcpStream::connect_timeout(candidate, left).and_then(|stream| {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                keep_alive(&stream)?;
                Ok(stream)
            });
            match connected {
                Ok(stream) => {
                    return Ok(Self {
                        stream,
                        outgoing: Vec::new(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    failure = SocketError::TimedOut;
                }
                Err(error) => failure = SocketError::Connect(error),
            }
        }
        Err(failure)
    }

    /// Adds bytes to those that wait to be written.
    pub fn queue(&mut self, bytes: &[u8]) {
        self.outgoing.extend_from_slice(bytes);
    }

    /// How many bytes wait to be written.
    pub fn waiting(&self) -> usize {
        self.outgoing.len()
    }

    /// Writes what the system takes now. A connection that takes nothing more drops the rest:
    /// what the other side said before it closed is still there to be read.
    pub fn flush(&mut self) {
        let mut written = 0;
        while written < self.outgoing.len() {
            match self.stream.write(&self.outgoing[written..]) {
                Ok(some) if some > 0 => written += some,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                _ => written = self.outgoing.len(),
            }
        }
        self.outgoing.drain(..written);
    }

    /// Reads once. A reset counts as an end: the difference is only how the other side closed.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            return match self.stream.read(buffer) {
                Ok(0) => Received::End,
                Ok(some) => Received::Bytes(some),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
                Err(_) => Received::End,
            };
        }
    }

    /// Tells the other side that nothing more comes.
    pub fn end_writing(&self) {
        // It fails only if the connection is gone already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits until what is queued is written and, if it is to linger, the other side has closed
    /// too: 2 s at most. Bytes that come in that time are dropped.
    pub fn finish(mut self, lingers: bool, clock: &Clock) {
        let deadline = clock.now() + FLUSH;
        let mut buffer = vec![0; 64 * 1024];
        let mut said = false;
        while clock.now() < deadline {
            self.flush();
            if self.waiting() == 0 && !said {
                self.end_writing();
                said = true;
            }
            if said && !lingers {
                return;
            }
            // A close with unread bytes would reset the connection, and the goodbye be lost.
            match self.receive(&mut buffer) {
                Received::End => return,
                Received::Bytes(_) => continue,
                Received::Nothing => {}
            }
            let interest = self.interest();
            if wait(
                &mut [WatchedFd::new(&self, interest)],
                clock,
                Some(deadline),
            )
            .is_err()
            {
                return;
            }
        }
    }

    /// What to wait for: bytes, and room for those that wait.
    pub fn interest(&self) -> Interest {
        if self.outgoing.is_empty() {
            Interest::Read
        } else {
            Interest::ReadAndWrite
        }
    }
}

/// Has the system probe a silent connection.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_tcp_keepidle(stream, PROBE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, PROBE_EVERY)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)?;
    sockopt::set_socket_keepalive(stream, true)?;
    Ok(())
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_system_probes_a_silent_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let clock = Clock::start();
        let socket = Socket::connect(&address, &clock, Duration::from_secs(30)).unwrap();
        assert!(sockopt::socket_keepalive(&socket).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&socket).unwrap(), PROBE_AFTER);
        assert_eq!(sockopt::tcp_keepintvl(&socket).unwrap(), PROBE_EVERY);
        assert_eq!(sockopt::tcp_keepcnt(&socket).unwrap(), PROBES);
    }
}
