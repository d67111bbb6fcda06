//! The timer of automatic backups. The copying is done on a helper thread.

use crate::backup::{self, Outcome, Schedule};
use crate::clock::Now;
use crate::workers::HelperThread;
use mio::Waker;
use std::sync::Arc;
use std::time::Duration;

/// The shortest time from a failed backup to the next attempt.
const RETRY: Duration = Duration::from_mins(10);

pub(super) struct Backups {
    /// `None`: no automatic backups.
    schedule: Option<Schedule>,
    thread: HelperThread<Outcome>,
    /// When the next one is due; `None` while one is being made.
    next_at: Option<Duration>,
}

impl Backups {
    pub(super) fn new(schedule: Option<Schedule>, waker: &Arc<Waker>) -> Self {
        Self {
            next_at: schedule.as_ref().map(|_| Duration::ZERO),
            schedule,
            thread: HelperThread::new("backup", waker),
        }
    }

    /// When [`Backups::attend`] has something to do though no outcome comes.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at
    }

    /// Logs the outcome of a backup, and begins one that is due.
    pub(super) fn attend(&mut self, now: Now) {
        let Some(schedule) = &self.schedule else {
            return;
        };
        if let Some(outcome) = self.thread.outcome() {
            self.next_at = Some(now.running + wait(&outcome, schedule.every));
            log(&outcome);
        }
        if self.next_at.is_some_and(|at| at <= now.running) {
            let job = {
                let schedule = schedule.clone();
                move || {
                    backup::give_way();
                    schedule.run(now.unix)
                }
            };
            self.next_at = match self.thread.begin(job, || Outcome::BrokenOff) {
                Ok(()) => None,
                Err(error) => {
                    tracing::warn!(%error, "cannot start the thread for a backup");
                    Some(now.running + RETRY)
                }
            };
        }
    }
}

/// The time from an outcome to the next run.
fn wait(outcome: &Outcome, every: Duration) -> Duration {
    match outcome {
        Outcome::Made(_) => every,
        Outcome::Early(left) => *left,
        Outcome::Failed(_) | Outcome::BrokenOff => RETRY.min(every),
    }
}

fn log(outcome: &Outcome) {
    match outcome {
        Outcome::Made(made) => {
            tracing::info!(
                "made the backup {}, and removed {} older ones",
                made.path.display(),
                made.pruned
            );
            if let Some(error) = &made.not_pruned {
                tracing::error!(%error, "older backups cannot be removed");
            }
        }
        Outcome::Early(left) => {
            tracing::info!("the next backup is due in {} s", left.as_secs());
        }
        Outcome::Failed(error) => {
            tracing::error!("no backup was made, and none was removed: {error}");
        }
        Outcome::BrokenOff => tracing::error!("no backup was made: its thread panicked"),
    }
}
