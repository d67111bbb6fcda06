//! Log lines about what the disk did not take. A full disk refuses every tick that writes, so the lines have
//! a rate limit.

use crate::limits::LogLimiter;
use crate::storage::StoreError;
use std::time::Duration;

/// What was not stored, and not logged yet.
#[derive(Debug, Default)]
pub(super) struct FullDiskLog {
    /// Ticks whose writes were refused because the disk is full.
    refused: LogLimiter,
    /// Times that notes about logins were not kept.
    notes: LogLimiter,
}

impl FullDiskLog {
    /// Notes that a tick's writes are refused because the disk is full.
    pub(super) fn refused(&mut self, now: Duration) {
        self.expire(now);
        if self.refused.happens(now) {
            tracing::error!("the disk is full: what was to be stored is refused");
        }
    }

    /// Notes that notes about logins were not kept.
    pub(super) fn note_lost(&mut self, error: &StoreError, now: Duration) {
        self.expire(now);
        if self.notes.happens(now) {
            tracing::warn!(%error, "a note about a login was not kept");
        }
    }

    /// Logs the counts when it is time.
    pub(super) fn expire(&mut self, now: Duration) {
        log_counts(self.refused.expire(now), self.notes.expire(now));
    }

    /// Logs the counts.
    pub(super) fn finish(&mut self) {
        log_counts(self.refused.finish(), self.notes.finish());
    }

    /// When [`expire`](Self::expire) has something to log.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let deadlines = [self.refused.deadline(), self.notes.deadline()];
        deadlines.into_iter().flatten().min()
    }
}

fn log_counts(refused: Option<u64>, notes: Option<u64>) {
    if let Some(times) = refused {
        tracing::error!(
            times,
            "the disk was full again: what was to be stored was refused"
        );
    }
    if let Some(times) = notes {
        tracing::warn!(times, "further notes about logins were not kept");
    }
}
