//! What a connection is called, and how it ends. Everybody may know this, and it knows nobody.

use echat_proto::commands::CloseReason;
use std::fmt;

/// A connection. Numbers only grow: one is never used again, so that what is late for a connection
/// that is gone finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At once, without a word: nothing that it says is believed any more, or it has said goodbye.
    Cut,
    /// Without a word, when what waits for it is written: it has closed its half.
    Flush,
    /// With a CLOSE_NOTIFY behind what waits for it.
    Notify(CloseReason),
}
