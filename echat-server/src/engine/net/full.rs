//! Log lines about connections that are refused as full.

use crate::limits::LogLimiter;
use std::net::IpAddr;
use std::time::Duration;

/// Connections that were refused since the last line.
#[derive(Debug, Default)]
pub(super) struct Full(LogLimiter);

impl Full {
    /// Notes that a connection from an address is refused.
    pub(super) fn refuse(&mut self, address: IpAddr, now: Duration) {
        self.expire(now);
        if self.0.happens(now) {
            tracing::info!(%address, "a connection is refused: full");
        }
    }

    /// Writes the count when it is time.
    pub(super) fn expire(&mut self, now: Duration) {
        tell(self.0.expire(now));
    }

    /// Writes the count.
    pub(super) fn finish(&mut self) {
        tell(self.0.finish());
    }

    /// When [`expire`](Self::expire) has something to write.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.0.deadline()
    }
}

fn tell(refused: Option<u64>) {
    if let Some(refused) = refused {
        tracing::info!(refused, "further connections were refused: full");
    }
}
