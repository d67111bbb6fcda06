//! Log lines about connections that are refused as full: one, then a count every ten seconds.

use std::net::IpAddr;
use std::time::Duration;

/// How often refusals are counted in the log.
const INTERVAL: Duration = Duration::from_secs(10);

/// Connections that were refused since the last line.
#[derive(Debug, Default)]
pub(super) struct Full {
    /// When the next line may be written; `None` if at once.
    until: Option<Duration>,
    refused: u64,
}

impl Full {
    /// Notes that a connection from an address is refused.
    pub(super) fn refuse(&mut self, address: IpAddr, now: Duration) {
        self.expire(now);
        if self.until.is_some() {
            self.refused += 1;
        } else {
            self.until = Some(now + INTERVAL);
            tracing::info!(%address, "a connection is refused: full");
        }
    }

    /// Writes the count when it is time.
    pub(super) fn expire(&mut self, now: Duration) {
        if self.until.is_none_or(|until| until > now) {
            return;
        }
        self.until = (self.refused > 0).then_some(now + INTERVAL);
        self.finish();
    }

    /// Writes the count.
    pub(super) fn finish(&mut self) {
        if self.refused > 0 {
            let refused = std::mem::take(&mut self.refused);
            tracing::info!(refused, "further connections were refused: full");
        }
    }

    /// When [`expire`](Self::expire) has something to write.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.until.filter(|_| self.refused > 0)
    }
}
