//! A damaged database: what is told to the operator, and how its damage stays with those who meet it.

use crate::clock::Now;
use crate::escape::escape;
use crate::store::Store;
use std::time::Duration;

/// Damage is told once in so long, and for so long after it was met ticks are kept apart.
const PERIOD: Duration = Duration::from_mins(10);

/// Damage that was met.
#[derive(Debug, Default)]
pub(super) struct Damages {
    met_at: Option<Duration>,
    told_at: Option<Duration>,
    /// Statements that met damage since it was told.
    untold: u64,
}

impl Damages {
    /// Notes what a tick met; tells the operator if that was not done lately.
    pub(super) fn note(&mut self, store: &mut Store, now: Now) {
        let Some(damage) = store.take_damage() else {
            return;
        };
        self.met_at = Some(now.running);
        self.untold += damage.times;
        if self.told_at.is_some_and(|at| now.running < at + PERIOD) {
            return;
        }
        self.told_at = Some(now.running);
        let times = std::mem::take(&mut self.untold);
        let file = escape(store.path().unwrap_or(":memory:"));
        tracing::error!(
            "the database is damaged: {}; met {times} times; what needs the damaged part is refused with \
             storage_damaged, all else goes on. Check it with: sqlite3 '{file}' 'PRAGMA integrity_check'. \
             Repair: stop the server and put a backup in its place",
            escape(&damage.what)
        );
    }

    /// Whether damage was met lately. `SQLite` commits nothing of a transaction that met damage. So a
    /// tick that wrote ends with that turn then: who meets the damage again takes no other's writes along.
    pub(super) fn are_near(&self, now: Now) -> bool {
        self.met_at.is_some_and(|at| now.running < at + PERIOD)
    }
}
