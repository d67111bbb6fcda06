//! Listening sockets that the service manager opened and passes on (sd_listen_fds(3)). It keeps them open while the
//! server restarts, so a client that connects in between waits in the queue of the socket.

use crate::config::Listen;
use listenfd::ListenFd;
use rustix::net::sockopt;
use std::env;
use std::io::{self, ErrorKind};
use std::net::TcpListener;

/// The variable with the number of passed descriptors.
const COUNT: &str = "LISTEN_FDS";

/// The listening sockets that were passed; without any the server opens its own.
#[derive(Debug, Default)]
pub struct Inherited(Vec<TcpListener>);

impl Inherited {
    /// Takes the passed descriptors over, once, and removes the variables that name them. Call it before the process
    /// has other threads or opens files.
    ///
    /// # Errors
    /// More descriptors than [`Listen::MAX`], or one that is no listening TCP socket.
    pub fn take() -> io::Result<Self> {
        let Some(count) = env::var_os(COUNT) else {
            return Ok(Self::default());
        };
        let count = count.to_str().and_then(|count| count.parse().ok());
        if count.is_none_or(|count: usize| count > Listen::MAX) {
            let most = Listen::MAX;
            return Err(invalid(format!("{COUNT} is not a number up to {most}")));
        }
        let mut passed = ListenFd::from_env();
        let sockets = (0..passed.len()).map(|index| {
            let socket = passed.take_tcp_listener(index)?;
            let socket = socket.ok_or_else(|| invalid(format!("no descriptor {index}")))?;
            if !sockopt::socket_acceptconn(&socket)? {
                let why = "is connected or not listening; a socket unit needs Accept=no";
                return Err(invalid(format!("passed descriptor {index} {why}")));
            }
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        sockets.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_sockets(self) -> Vec<TcpListener> {
        self.0
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}
