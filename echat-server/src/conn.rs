//! The number of a connection, and the ways in which it ends. Every module may import this.

use echat_proto::commands::CloseReason;
use std::fmt;

/// A connection. Numbers only grow and are never used again, so a late result for a connection that is gone
/// reaches no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Why a session ended, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// LOGOUT.
    Logout,
    /// A further login of the same user took over.
    Displaced,
    /// The client closed the connection, or it broke.
    Closed,
    /// Nothing came for `dead_seconds`.
    Silent,
    /// The server ended the connection and said why.
    Ended(CloseReason),
    /// The database failed, and the server stops.
    Failed,
}

impl From<End> for Departure {
    fn from(end: End) -> Self {
        match end {
            End::Cut | End::Flush => Self::Closed,
            End::Notify(reason) => Self::Ended(reason),
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Logout => "logout",
            Self::Displaced => "displaced",
            Self::Closed => "connection closed",
            Self::Silent => "silent",
            Self::Failed => "database failed",
            Self::Ended(reason) => match reason {
                CloseReason::Bye => "bye",
                CloseReason::Idle => "idle",
                CloseReason::Malformed => "malformed frame",
                CloseReason::TooManyErrors => "too many errors",
                CloseReason::Full => "full",
                CloseReason::Restarting => "server stopping",
                CloseReason::Kicked => "kicked",
                CloseReason::TooSlow => "too slow",
                CloseReason::KeyWornOut => "key worn out",
            },
        })
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At once, and nothing more is sent: its frames are not authentic, or it has said goodbye.
    Cut,
    /// When its send queue is written: the client has closed its half.
    Flush,
    /// With a CLOSE_NOTIFY at the end of its send queue.
    Notify(CloseReason),
}
