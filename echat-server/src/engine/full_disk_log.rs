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
    /// Times that revocations were kept in memory, since the disk did not take them.
    revocations: LogLimiter,
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

    /// Counts that secrets were revoked in memory only, of so many chains by now.
    pub(super) fn revocations_unwritten(
        &mut self,
        error: &StoreError,
        chains: usize,
        now: Duration,
    ) {
        self.expire(now);
        if self.revocations.happens(now) {
            tracing::warn!(%error, chains, "revocations of secrets hold in memory, and are not written yet");
        }
    }

    /// Logs the counts when it is time.
    pub(super) fn expire(&mut self, now: Duration) {
        let counts = [&mut self.refused, &mut self.notes, &mut self.revocations];
        log_counts(counts.map(|count| count.expire(now)));
    }

    /// Logs the counts.
    pub(super) fn finish(&mut self) {
        let counts = [&mut self.refused, &mut self.notes, &mut self.revocations];
        log_counts(counts.map(LogLimiter::finish));
    }

    /// When [`expire`](Self::expire) has something to log.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let deadlines = [
            self.refused.deadline(),
            self.notes.deadline(),
            self.revocations.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }
}

fn log_counts([refused, notes, revocations]: [Option<u64>; 3]) {
    if let Some(times) = refused {
        tracing::error!(
            times,
            "the disk was full again: what was to be stored was refused"
        );
    }
    if let Some(times) = notes {
        tracing::warn!(times, "further notes about logins were not kept");
    }
    if let Some(times) = revocations {
        tracing::warn!(times, "further revocations were not written");
    }
}
