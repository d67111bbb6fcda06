//! The way to a link: known hosts, connection and handshake, on a thread of their own, so that
//! neither a slow name server nor a silent host blocks the keyboard.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock::Clock;
use crate::net::address::Address;
use crate::net::fingerprint::Fingerprint;
use crate::net::known_hosts::{Keys, KnownHosts, KnownHostsError};
use crate::net::link::{Link, OpenError, Unwatched};
use crate::net::socket::{Socket, SocketError};
use crate::net::trust::{Trust, Untrusted};

/// Limit on connecting and the handshake together.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many numbers of damaged lines are shown.
const LINES_SHOWN: usize = 10;

/// Which server, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct KnownServer {
    pub(super) address: Address,
    /// The only key that it may show.
    pub(super) pinned: Option<Fingerprint>,
    /// `None` where there is no place for the file: then the key must be pinned.
    pub(super) hosts: Option<KnownHosts>,
    /// Whether ./config.json names the address, which the user need not know.
    pub(super) is_from_here: bool,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(transparent)]
    Hosts(#[from] KnownHostsError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Open(OpenError),
    /// The key is not known. A person may decide that it is trusted.
    #[error("the server is unknown")]
    Unknown {
        shown: Fingerprint,
        damaged: Option<DamagedHosts>,
    },
    #[error(transparent)]
    Thread(#[from] io::Error),
}

/// Lines of known_hosts that mean nothing.
#[derive(Debug)]
pub(super) struct DamagedHosts {
    path: PathBuf,
    /// Their numbers, from 1; at least one.
    lines: Vec<usize>,
}

impl DamagedHosts {
    /// The lines of the file that mean nothing, if there are any.
    fn of(hosts: &KnownHosts, lines: Vec<usize>) -> Option<Self> {
        let path = hosts.path().to_owned();
        (!lines.is_empty()).then_some(Self { path, lines })
    }

    /// The file.
    pub(super) fn file(&self) -> String {
        self.path.display().to_string()
    }

    /// The first lines, as a list.
    pub(super) fn lines(&self) -> String {
        let shown = self.lines.iter().take(LINES_SHOWN);
        let shown: Vec<String> = shown.map(ToString::to_string).collect();
        let more = if self.lines.len() > LINES_SHOWN {
            ", ..."
        } else {
            ""
        };
        format!("{}{more}", shown.join(", "))
    }
}

impl KnownServer {
    fn open(&self, clock: &Clock) -> Result<Link, ConnectError> {
        let keys = match &self.hosts {
            Some(hosts) => hosts.look_up(&self.address)?,
            None => Keys::default(),
        };
        let trust = Trust {
            known: keys.known,
            pinned: self.pinned.clone(),
            accept_new: false,
        };
        let deadline = clock.now() + PATIENCE;
        let socket = Socket::connect(&self.address, clock, deadline)?;
        let opened = Link::open(socket, &trust, clock, deadline, &mut Unwatched);
        opened.map_err(|error| match error {
            OpenError::Untrusted(Untrusted::Unknown { shown }) => {
                let hosts = self.hosts.as_ref();
                let damaged = hosts.and_then(|hosts| DamagedHosts::of(hosts, keys.malformed));
                ConnectError::Unknown { shown, damaged }
            }
            error => ConnectError::Open(error),
        })
    }

    /// Remembers the key of a server that was unknown.
    pub(super) fn remember(&self, key: &Fingerprint) -> Result<(), KnownHostsError> {
        match &self.hosts {
            Some(hosts) => hosts.remember(&self.address, key),
            None => Err(KnownHostsError::NoPlace),
        }
    }
}

/// A link under way. It is ready to read when it is done; dropped, its outcome is dropped too.
#[derive(Debug)]
pub(super) struct Dial {
    done: UnixStream,
    result: Receiver<Result<Link, ConnectError>>,
    thread: JoinHandle<()>,
}

impl Dial {
    pub(super) fn start(server: &KnownServer, clock: Clock) -> io::Result<Self> {
        let (done, end) = UnixStream::pair()?;
        let (sender, result) = channel();
        let server = server.clone();
        let name = "connect".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || {
            // If the receiver is gone, this drops and closes the link.
            let _ = sender.send(server.open(&clock));
            drop(end);
        })?;
        Ok(Self {
            done,
            result,
            thread,
        })
    }

    /// The outcome. A panic there is one here. It is reported when the terminal is given back.
    pub(super) fn finish(self) -> Result<Link, ConnectError> {
        let outcome = self.result.recv();
        if let Err(panic) = self.thread.join() {
            resume_unwind(panic);
        }
        outcome.expect("a thread that did not panic has sent the outcome")
    }
}

impl AsFd for Dial {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.done.as_fd()
    }
}
