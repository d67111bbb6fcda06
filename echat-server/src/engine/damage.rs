//! A damaged database: what the operator is told, and for how long ticks commit each write by itself.
//!
//! After damage, unlike after a failed write, it is known what the disk has
//! ([`StoreError::Damaged`](crate::storage::StoreError::Damaged)). The request is refused with storage_damaged. If its
//! transaction had begun, `SQLite` commits nothing more, and the tick is rolled back as for a full disk
//! ([`rollback`](super::rollback)). Departures and LOGOUT end the session even when the lists of friends and rooms
//! cannot be read.

use crate::clock::Now;
use crate::escape::escape;
use crate::storage::Store;
use std::time::Duration;

/// Damage is logged once in so long, and for so long after it was met each write is committed by itself.
const PERIOD: Duration = Duration::from_mins(10);

/// The damage that was met, and when it was logged.
#[derive(Debug, Default)]
pub(super) struct DamageReports {
    met_at: Option<Duration>,
    logged_at: Option<Duration>,
    /// Statements that met damage since it was logged.
    unlogged: u64,
}

impl DamageReports {
    /// Takes in the damage that a tick met, and logs it if that was not done lately.
    pub(super) fn report(&mut self, store: &mut Store, now: Now) {
        let Some(damage) = store.take_damage() else {
            return;
        };
        self.met_at = Some(now.running);
        self.unlogged += damage.times;
        if self.logged_at.is_some_and(|at| now.running < at + PERIOD) {
            return;
        }
        self.logged_at = Some(now.running);
        let times = std::mem::take(&mut self.unlogged);
        let file = escape(store.path().unwrap_or(":memory:"));
        tracing::error!(
            "the database is damaged: {}; met {times} times; what needs the damaged part is refused with \
             storage_damaged, all else goes on. The file: '{file}'. See what is damaged with `echat-server check`; \
             then stop the server, and run `echat-server check --repair` or restore a backup",
            escape(&damage.what)
        );
    }

    /// Whether damage was met lately. `SQLite` commits nothing of a transaction that met damage. So a tick
    /// that wrote then ends with that turn: a request that meets the damage again spoils no other's writes.
    pub(super) fn is_near(&self, now: Now) -> bool {
        self.met_at.is_some_and(|at| now.running < at + PERIOD)
    }
}
