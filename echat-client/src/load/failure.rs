//! Why nothing could be measured.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use echat_proto::channel::{ChannelError, Message};

use crate::net::link::OpenError;
use crate::net::socket::SocketError;

/// How long any one answer may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}: {1}; build it (cargo build --release) or say where it is (--server)")]
    NoServer(PathBuf, io::Error),
    #[error("the server did not say where it listens")]
    NotReady,
    #[error(transparent)]
    Connect(#[from] SocketError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    System(#[from] rustix::io::Errno),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the server closed a connection")]
    Closed,
    #[error("no answer within {PATIENCE:?}")]
    TimedOut,
    #[error("refused: {0:?}")]
    Refused(Message),
    #[error("the backup failed")]
    NoBackup,
    #[error("what the server uses cannot be read from /proc")]
    NoUsage,
    #[cfg(feature = "peers")]
    #[error("no server has a name that begins with {0:?}; there are {1}")]
    UnknownPeer(String, String),
    #[cfg(feature = "peers")]
    #[error("none of the servers to be measured is installed: {0}")]
    NoneInstalled(String),
    #[cfg(feature = "peers")]
    #[error("{0} does not listen; it said: {1}")]
    NotListening(PathBuf, String),
    #[cfg(feature = "peers")]
    #[error("an answer of a server is strange: {0}")]
    Strange(String),
    #[cfg(feature = "peers")]
    #[error(transparent)]
    Posix(#[from] nix::Error),
    #[cfg(feature = "peers")]
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[cfg(feature = "peers")]
    #[error("plot: {0}")]
    Plot(String),
    #[cfg(feature = "peers")]
    #[error("{0}: no part {1:?} between markers")]
    NoMarker(PathBuf, String),
    #[cfg(not(feature = "peers"))]
    #[error("built without the comparison: cargo build --release --features echat-client/peers")]
    NoPeers,
}
