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
    /// Times that changes that void secrets were kept in memory, since the disk did not take them.
    voids: LogLimiter,
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

    /// Notes that secrets were voided in memory only, of so many chains by now.
    pub(super) fn voids_kept(&mut self, error: &StoreError, chains: usize, now: Duration) {
        self.expire(now);
        if self.voids.happens(now) {
            tracing::warn!(%error, chains, "void secrets are void in memory, and not on the disk yet");
        }
    }

    /// Logs the counts when it is time.
    pub(super) fn expire(&mut self, now: Duration) {
        let counts = [&mut self.refused, &mut self.notes, &mut self.voids];
        log_counts(counts.map(|count| count.expire(now)));
    }

    /// Logs the counts.
    pub(super) fn finish(&mut self) {
        let counts = [&mut self.refused, &mut self.notes, &mut self.voids];
        log_counts(counts.map(LogLimiter::finish));
    }

    /// When [`expire`](Self::expire) has something to log.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let deadlines = [
            self.refused.deadline(),
            self.notes.deadline(),
            self.voids.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }
}

fn log_counts([refused, notes, voids]: [Option<u64>; 3]) {
    if let Some(times) = refused {
        tracing::error!(
            times,
            "the disk was full again: what was to be stored was refused"
        );
    }
    if let Some(times) = notes {
        tracing::warn!(times, "further notes about logins were not kept");
    }
    if let Some(times) = voids {
        tracing::warn!(times, "further secrets were voided in memory only");
    }
}
