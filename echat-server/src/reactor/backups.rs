//! The timer of automatic backups. The copying is done on a helper thread.

use crate::backup::{self, BackupOutcome, BackupSchedule, BackupSource};
use crate::clock::Now;
use crate::workers::HelperThread;
use mio::Waker;
use std::sync::Arc;
use std::time::Duration;

/// The shortest time from a failed backup to the next attempt.
const RETRY: Duration = Duration::from_mins(10);

pub(super) struct Backups {
    /// `None`: no automatic backups.
    schedule: Option<BackupSchedule>,
    thread: HelperThread<BackupOutcome>,
    /// When the next one is due; `None` while one is being made.
    next_at: Option<Duration>,
    /// Whether the thread makes one.
    is_busy: bool,
    /// Whether the schedule has changed since the thread began, so that its outcome says nothing of the next time.
    is_changed: bool,
    /// The end of the last one that is known, in unix seconds.
    made_at: Option<i64>,
}

impl Backups {
    pub(super) fn new(schedule: Option<BackupSchedule>, waker: &Arc<Waker>) -> Self {
        Self {
            next_at: schedule.as_ref().map(|_| Duration::ZERO),
            schedule,
            is_busy: false,
            is_changed: false,
            made_at: None,
            thread: HelperThread::new("backup", waker),
        }
    }

    /// Changes which backups are made. One that is being made is not broken off.
    pub(super) fn reschedule(&mut self, schedule: Option<BackupSchedule>, now: Now) {
        self.schedule = schedule;
        self.is_changed = self.is_busy;
        if !self.is_busy {
            self.look_at_the_folder(now);
        }
    }

    /// The folder says when the next one is due.
    fn look_at_the_folder(&mut self, now: Now) {
        self.next_at = self.schedule.as_ref().map(|_| now.running);
    }

    /// When [`Backups::begin_due`] has something to do though no outcome comes.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at
    }

    /// The end of the last backup, in unix seconds: 0 if none is known, and nothing if none are made by themselves.
    pub(super) fn made_at(&self) -> Option<i64> {
        self.schedule.as_ref().map(|_| self.made_at.unwrap_or(0))
    }

    /// Logs the outcome of a backup, and begins one of `source` that is due.
    pub(super) fn begin_due(&mut self, source: &BackupSource, now: Now) {
        if let Some(outcome) = self.thread.outcome() {
            self.is_busy = false;
            let is_changed = std::mem::take(&mut self.is_changed);
            if is_changed {
                self.look_at_the_folder(now);
            } else {
                self.plan_after(&outcome, now);
            }
            // The next one is not due when the old schedule says.
            if !(is_changed && matches!(outcome, BackupOutcome::Early(_))) {
                log(&outcome);
            }
        }
        let Some(schedule) = &self.schedule else {
            return;
        };
        if self.next_at.is_some_and(|at| at <= now.running) {
            let job = {
                let (schedule, source) = (schedule.clone(), source.clone());
                move || {
                    backup::lower_priority();
                    schedule.run(&source, now.unix)
                }
            };
            self.next_at = match self.thread.begin(job, || BackupOutcome::BrokenOff) {
                Ok(()) => {
                    self.is_busy = true;
                    None
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot start the thread for a backup");
                    Some(now.running + RETRY)
                }
            };
        }
    }

    /// Sets the time of the next run by the outcome of this one.
    fn plan_after(&mut self, outcome: &BackupOutcome, now: Now) {
        let every = self.schedule.as_ref().map(|schedule| schedule.every);
        self.next_at = every.map(|every| now.running + wait(outcome, every));
        let age = match outcome {
            BackupOutcome::Made(_) => Some(Duration::ZERO),
            BackupOutcome::Early(left) => every.map(|every| every.saturating_sub(*left)),
            BackupOutcome::Failed(_) | BackupOutcome::BrokenOff => None,
        };
        if let Some(age) = age {
            let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            self.made_at = Some(now.unix.saturating_sub(seconds));
        }
    }
}

/// The time from an outcome to the next run.
fn wait(outcome: &BackupOutcome, every: Duration) -> Duration {
    match outcome {
        BackupOutcome::Made(_) => every,
        BackupOutcome::Early(left) => *left,
        BackupOutcome::Failed(_) | BackupOutcome::BrokenOff => RETRY.min(every),
    }
}

fn log(outcome: &BackupOutcome) {
    match outcome {
        BackupOutcome::Made(made) => {
            tracing::info!(
                "made the backup {}, and removed {} older ones",
                made.path.display(),
                made.pruned
            );
            if made.to_come > 0 {
                tracing::warn!(
                    "{} backups have a time to come, of a clock that was wrong: they do not count as kept, and are not \
                     removed",
                    made.to_come
                );
            }
            if let Some(error) = &made.no_config {
                tracing::warn!("{error}");
            }
            if let Some(error) = &made.not_pruned {
                tracing::error!(%error, "older backups cannot be removed");
            }
        }
        BackupOutcome::Early(left) => {
            tracing::info!("the next backup is due in {} s", left.as_secs());
        }
        BackupOutcome::Failed(error) => {
            tracing::error!("no backup was made, and none was removed: {error}");
        }
        BackupOutcome::BrokenOff => tracing::error!("no backup was made: its thread panicked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Store;
    use mio::{Events, Poll, Token};
    use std::path::Path;

    const HOUR: Duration = Duration::from_hours(1);
    const START: i64 = 1_795_953_600;

    fn now(running: Duration) -> Now {
        let unix = START + i64::try_from(running.as_secs()).unwrap();
        Now { running, unix }
    }

    fn source(database: &Path) -> BackupSource {
        BackupSource {
            database: database.to_owned(),
            host_key: None,
            config: None,
            free_bytes: 0,
        }
    }

    /// A folder with a database, and what tells of an outcome.
    fn folder_and_waker() -> (tempfile::TempDir, Poll, Arc<Waker>) {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(&folder.path().join("database.db")).unwrap());
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        (folder, poll, waker)
    }

    #[test]
    fn a_backup_is_begun_when_it_is_due_and_its_outcome_sets_the_next_time() {
        let (folder, mut poll, waker) = folder_and_waker();
        let database = folder.path().join("database.db");
        let source = source(&database);
        let schedule = BackupSchedule {
            folder: folder.path().join("backups"),
            every: 6 * HOUR,
            keep: 2,
        };
        let mut backups = Backups::new(Some(schedule), &waker);
        let count = || std::fs::read_dir(folder.path().join("backups")).map_or(0, Iterator::count);
        // Begins what is due, and waits for the waker until the outcome was taken.
        let mut round = |backups: &mut Backups, at: Duration| {
            backups.begin_due(&source, now(at));
            while backups.deadline().is_none() {
                poll.poll(&mut Events::with_capacity(1), None).unwrap();
                backups.begin_due(&source, now(at));
            }
            backups.deadline().unwrap()
        };
        assert_eq!(backups.deadline(), Some(Duration::ZERO));
        assert_eq!(backups.made_at(), Some(0));
        assert_eq!(round(&mut backups, Duration::ZERO), 6 * HOUR);
        assert_eq!(round(&mut backups, 5 * HOUR), 6 * HOUR);
        assert_eq!(count(), 1);
        assert_eq!(round(&mut backups, 6 * HOUR), 12 * HOUR);
        assert_eq!(round(&mut backups, 12 * HOUR), 18 * HOUR);
        assert_eq!(count(), 2, "the oldest is pruned");
        // A failure is tried again soon, and removes nothing.
        std::fs::rename(&database, folder.path().join("aside")).unwrap();
        assert_eq!(round(&mut backups, 18 * HOUR), 18 * HOUR + RETRY);
        assert_eq!(count(), 2);
        std::fs::rename(folder.path().join("aside"), &database).unwrap();
        let at = 18 * HOUR + RETRY;
        assert_eq!(round(&mut backups, at), at + 6 * HOUR);
    }

    #[test]
    fn a_schedule_that_changes_during_a_backup_holds_at_once_after_it() {
        let (folder, mut poll, waker) = folder_and_waker();
        let database = folder.path().join("database.db");
        let source = source(&database);
        let schedule = |name: &str| BackupSchedule {
            folder: folder.path().join(name),
            every: 6 * HOUR,
            keep: 2,
        };
        let count =
            |name: &str| std::fs::read_dir(folder.path().join(name)).map_or(0, Iterator::count);
        let mut backups = Backups::new(Some(schedule("old")), &waker);
        // Begins what is due, changes the folder during it, and runs until no backup is in progress.
        let mut changes = |backups: &mut Backups, at: Duration, next: &str| {
            backups.begin_due(&source, now(at));
            backups.reschedule(Some(schedule(next)), now(at));
            assert_eq!(backups.deadline(), None, "one at a time");
            while backups.deadline().is_none() {
                poll.poll(&mut Events::with_capacity(1), None).unwrap();
                backups.begin_due(&source, now(at));
            }
            backups.deadline().unwrap()
        };
        assert_eq!(changes(&mut backups, Duration::ZERO, "new"), 6 * HOUR);
        assert_eq!((count("old"), count("new")), (1, 1));
        // In the old folder it is too early for another one.
        backups.reschedule(Some(schedule("old")), now(HOUR));
        assert_eq!(changes(&mut backups, HOUR, "third"), 7 * HOUR);
        assert_eq!((count("old"), count("third")), (1, 1));
    }

    #[test]
    fn without_a_folder_nothing_is_due() {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let mut backups = Backups::new(None, &waker);
        backups.begin_due(&source(Path::new("none")), now(1_000 * HOUR));
        assert_eq!((backups.deadline(), backups.made_at()), (None, None));
    }
}
