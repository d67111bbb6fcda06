//! Automatic backups: when the next one is due, how its file is named, and which files are pruned.
//!
//! [`BackupSchedule::run`] waits for the disk, so it runs on a helper thread. It decides by the files that are there: a
//! server that restarts does not make a backup earlier or later than one that runs on.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use echat_system::private_file::{self, TEMPORARY};
use echat_system::regular_file;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{BackupError, BackupSource, NoConfig, create, hold};

/// A name is `echat-20261129T015521Z.backup`: the time in UTC, so that names sort as times do.
const PREFIX: &str = "echat-";
const TIME: &str = "%Y%m%dT%H%M%SZ";
const SUFFIX: &str = ".backup";

/// Bytes of the time in a name.
const TIME_BYTES: usize = 16;

/// Which backups a server makes by itself.
#[derive(Clone, Debug)]
pub struct BackupSchedule {
    /// The folder of the backups. It is created if it is missing.
    pub folder: PathBuf,
    /// The time from one backup to the next.
    pub every: Duration,
    /// How many are kept, at least one.
    pub keep: usize,
}

/// A backup that was made by itself.
#[derive(Debug)]
pub struct Made {
    /// The file.
    pub path: PathBuf,
    /// How many older ones were removed.
    pub pruned: usize,
    /// How many have a time to come, of a clock that was wrong. They are not removed, nor counted as kept.
    pub to_come: usize,
    /// Why older ones could not be removed.
    pub not_pruned: Option<io::Error>,
    /// Why it is without the configuration.
    pub no_config: Option<NoConfig>,
}

/// What came of one run.
#[derive(Debug)]
pub enum BackupOutcome {
    /// A backup was made. The next one is due after the full time.
    Made(Made),
    /// The newest one is not old enough; it will be after this time.
    Early(Duration),
    /// No backup was made, and none was removed.
    Failed(BackupError),
    /// The thread panicked.
    BrokenOff,
}

impl BackupSchedule {
    /// Makes a backup of `source` if one is due at `now`, in unix seconds, and removes those beyond `keep`, oldest
    /// first. Only regular files with the name of an automatic backup are looked at.
    pub fn run(&self, source: &BackupSource, now: i64) -> BackupOutcome {
        match self.made(source, now) {
            Ok(outcome) => outcome,
            Err(error) => BackupOutcome::Failed(error),
        }
    }

    fn made(&self, source: &BackupSource, now: i64) -> Result<BackupOutcome, BackupError> {
        self.try_folder(now)?;
        let times = self.times().map_err(|source| self.folder_error(source))?;
        // A time to come is that of a clock that was wrong.
        let newest = times.iter().copied().filter(|time| *time <= now).max();
        if let Some(newest) = newest {
            let age = Duration::from_secs((now - newest).unsigned_abs());
            if let Some(early) = self.every.checked_sub(age).filter(|left| !left.is_zero()) {
                return Ok(BackupOutcome::Early(early));
            }
        }
        self.make(source, now).map(BackupOutcome::Made)
    }

    /// Makes a backup of `source` at `now`, whether one is due or not, and removes those beyond `keep`, oldest first.
    ///
    /// # Errors
    /// No backup was made, and none was removed.
    pub fn make(&self, source: &BackupSource, now: i64) -> Result<Made, BackupError> {
        self.create_folder()?;
        let path = self.folder.join(name_at(now));
        let created = create(source, &path, now)?;
        let mut made = Made {
            path,
            pruned: 0,
            to_come: 0,
            not_pruned: None,
            no_config: created.no_config,
        };
        made.not_pruned = self.prune(now, &mut made).err();
        Ok(made)
    }

    /// Finds out whether the folder takes a backup, before one is due: creates it if it is missing, and a file in it,
    /// which is removed again.
    ///
    /// # Errors
    /// It does not.
    pub fn try_folder(&self, now: i64) -> Result<(), BackupError> {
        self.create_folder()?;
        let temporary = private_file::beside(&self.folder.join(name_at(now)), TEMPORARY);
        match hold(&temporary) {
            Ok(_file) => fs::remove_file(&temporary).map_err(|source| self.folder_error(source)),
            // Another process is making a backup there.
            Err(BackupError::Locked(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn create_folder(&self) -> Result<(), BackupError> {
        let mut builder = DirBuilder::new();
        let created = builder.recursive(true).mode(0o700).create(&self.folder);
        created.map_err(|source| self.folder_error(source))
    }

    fn folder_error(&self, source: io::Error) -> BackupError {
        let path = self.folder.clone();
        BackupError::Create { path, source }
    }

    /// The times of the backups in the folder.
    fn times(&self) -> io::Result<Vec<i64>> {
        let mut times = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            times.extend(entry.file_name().to_str().and_then(time_of));
        }
        times.sort_unstable();
        Ok(times)
    }

    /// Removes the oldest backups, but not the one that was just made at `now`, and what killed processes left of
    /// others.
    fn prune(&self, now: i64, made: &mut Made) -> io::Result<()> {
        let times = self.times()?;
        made.to_come = times.iter().filter(|time| **time > now).count();
        let older: Vec<i64> = times.into_iter().filter(|time| *time < now).collect();
        let beyond = older.len().saturating_sub(self.keep.saturating_sub(1));
        let mut pruned = Ok(());
        for time in &older[..beyond] {
            match private_file::remove_large(&self.folder.join(name_at(*time))) {
                Ok(()) => made.pruned += 1,
                Err(error) => pruned = pruned.and(Err(error)),
            }
        }
        let left_over = self.remove_left_over();
        if made.pruned > 0 {
            private_file::sync_folder_of(&made.path)?;
        }
        pruned.and(left_over)
    }

    /// Removes incomplete files of automatic backups that no process holds.
    fn remove_left_over(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(TEMPORARY));
            let time = name.and_then(|name| name.strip_suffix('.'));
            if time.and_then(time_of).is_some() && entry.file_type()?.is_file() {
                remove_unheld(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn remove_unheld(path: &Path) -> io::Result<()> {
    let file = regular_file::read(path)?;
    match file.try_lock() {
        Ok(()) => private_file::remove_large(path),
        Err(fs::TryLockError::WouldBlock) => Ok(()),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// The name of a backup that is made at this time.
fn name_at(unix: i64) -> String {
    let time = Timestamp::from_second(unix).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{PREFIX}{}{SUFFIX}", time.strftime(TIME))
}

/// The time in the name of an automatic backup; `None` for every other name.
fn time_of(name: &str) -> Option<i64> {
    let time = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let time = Some(time).filter(|time| time.len() == TIME_BYTES)?;
    let time = DateTime::strptime(TIME, time).ok()?;
    let unix = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    (name_at(unix) == name).then_some(unix)
}

#[cfg(test)]
mod tests {
    use super::super::verify;
    use super::*;
    use crate::storage::Store;

    const HOUR: i64 = 3_600;
    const NOON: i64 = 1_795_953_600;

    /// A data folder, and backups of it every six hours.
    struct Backups {
        _folder: tempfile::TempDir,
        source: BackupSource,
        schedule: BackupSchedule,
    }

    impl Backups {
        fn keeping(keep: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("database.db");
            drop(Store::open(&database).unwrap());
            let schedule = BackupSchedule {
                folder: folder.path().join("backups"),
                every: Duration::from_hours(6),
                keep,
            };
            let source = BackupSource {
                database,
                host_key: None,
                config: None,
                free_bytes: 0,
            };
            Self {
                _folder: folder,
                source,
                schedule,
            }
        }

        fn run(&self, now: i64) -> BackupOutcome {
            self.schedule.run(&self.source, now)
        }

        /// A file in the folder of backups.
        fn file(&self, name: impl AsRef<Path>) -> PathBuf {
            self.schedule.folder.join(name)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.schedule.folder).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        }
    }

    #[test]
    fn names_are_times_in_utc_and_no_other_name_is_one() {
        assert_eq!(name_at(NOON), "echat-20261129T120000Z.backup");
        assert_eq!(time_of("echat-20261129T120000Z.backup"), Some(NOON));
        for other in [
            "echat-20261129T120000Z.backup.tmp",
            "echat-20261129T120000.backup",
            "echat-20261329T120000Z.backup",
            "echat-2026-11-29T120000Z.backup",
            "echat-20261129T120000Z.backup2",
            "Echat-20261129T120000Z.backup",
            "echat-before-upgrade.backup",
            "",
        ] {
            assert_eq!(time_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_backup_is_made_when_it_is_due_and_the_oldest_are_pruned() {
        let backups = Backups::keeping(3);
        for round in 0..6 {
            let now = NOON + round * 6 * HOUR;
            let BackupOutcome::Made(made) = backups.run(now) else {
                panic!("it is due");
            };
            assert!(made.not_pruned.is_none());
            verify(&made.path).unwrap();
            let BackupOutcome::Early(left) = backups.run(now + HOUR) else {
                panic!("it is not due");
            };
            assert_eq!(left, Duration::from_hours(5));
        }
        let kept: Vec<String> = (3..6).map(|n| name_at(NOON + n * 6 * HOUR)).collect();
        assert_eq!(backups.names(), kept);
    }

    #[test]
    fn a_configuration_that_is_gone_is_left_out_and_a_key_that_is_gone_is_an_error() {
        let mut backups = Backups::keeping(1);
        backups.source.config = Some(backups.source.folder().join("config.json"));
        let BackupOutcome::Made(made) = backups.run(NOON) else {
            panic!("only the configuration is missing");
        };
        let why = made.no_config.expect("a reason").to_string();
        assert!(why.contains("config.json: No such file"), "{why}");
        assert_eq!(verify(&made.path).unwrap().attachments.config, None);
        backups.source.host_key = Some(backups.source.folder().join("host_key"));
        let failed = backups.run(NOON + 6 * HOUR);
        assert!(matches!(failed, BackupOutcome::Failed(_)), "{failed:?}");
    }

    #[test]
    fn a_folder_that_takes_no_file_is_found_out_before_a_backup_is_due() {
        let backups = Backups::keeping(1);
        assert!(matches!(backups.run(NOON), BackupOutcome::Made(_)));
        // Not even root can create a file of this name.
        let trial = format!("{}.{TEMPORARY}", name_at(NOON + HOUR));
        fs::create_dir(backups.file(trial)).unwrap();
        let failed = backups.run(NOON + HOUR);
        assert!(matches!(failed, BackupOutcome::Failed(_)), "{failed:?}");
        let early = backups.run(NOON + 2 * HOUR);
        assert!(matches!(early, BackupOutcome::Early(_)), "{early:?}");
    }

    #[test]
    fn foreign_files_are_never_pruned() {
        let backups = Backups::keeping(1);
        fs::create_dir_all(backups.file("echat-20200101T000000Z.backup")).unwrap();
        let foreign = [
            "echat-before-upgrade.backup",
            "echat-20200102T000000Z.backup.bak",
            "echat-20200102T000000Z.Backup",
            "notes.txt",
            "20200102T000000Z.backup",
            "other.backup.tmp",
        ];
        for name in foreign {
            fs::write(backups.file(name), "kept").unwrap();
        }
        // What a killed process left, and what another one is writing.
        fs::write(backups.file("echat-20200103T000000Z.backup.tmp"), "").unwrap();
        let held = backups.file("echat-20200104T000000Z.backup.tmp");
        let holder = fs::File::create(&held).unwrap();
        holder.try_lock().unwrap();
        for round in 0..3 {
            let made = backups.run(NOON + round * 6 * HOUR);
            assert!(matches!(made, BackupOutcome::Made(_)), "{made:?}");
        }
        let mut expected: Vec<String> = foreign.iter().map(|name| (*name).to_owned()).collect();
        expected.push("echat-20200101T000000Z.backup".to_owned());
        expected.push("echat-20200104T000000Z.backup.tmp".to_owned());
        expected.push(name_at(NOON + 12 * HOUR));
        expected.sort();
        assert_eq!(backups.names(), expected);
    }

    /// The clock was wrong, or was set back.
    #[test]
    fn backups_of_a_time_to_come_take_the_place_of_no_other() {
        let backups = Backups::keeping(2);
        let wrong = NOON + 1_000 * 24 * HOUR;
        let times = [
            wrong,
            wrong + 6 * HOUR,
            NOON,
            NOON + 6 * HOUR,
            NOON + 12 * HOUR,
        ];
        for (now, to_come) in times.into_iter().zip([0, 0, 2, 2, 2]) {
            let BackupOutcome::Made(made) = backups.run(now) else {
                panic!("it is due");
            };
            assert_eq!(made.to_come, to_come, "{now}");
        }
        let kept = [NOON + 6 * HOUR, NOON + 12 * HOUR, wrong, wrong + 6 * HOUR];
        assert_eq!(backups.names(), kept.map(name_at));
    }

    #[test]
    fn a_backup_of_a_time_to_come_does_not_stop_others_and_the_new_one_is_kept() {
        let backups = Backups::keeping(2);
        let wrong = NOON + 1_000 * 24 * HOUR;
        for now in [wrong, NOON, NOON + 6 * HOUR] {
            assert!(matches!(backups.run(now), BackupOutcome::Made(_)), "{now}");
            assert!(backups.names().contains(&name_at(now)), "{now}");
        }
    }

    #[test]
    fn a_failed_backup_removes_nothing() {
        let mut backups = Backups::keeping(1);
        assert!(matches!(backups.run(NOON), BackupOutcome::Made(_)));
        backups.source.database = backups.file("missing");
        let failed = backups.run(NOON + 6 * HOUR);
        assert!(matches!(failed, BackupOutcome::Failed(_)), "{failed:?}");
        assert_eq!(backups.names(), [name_at(NOON)]);
    }
}
