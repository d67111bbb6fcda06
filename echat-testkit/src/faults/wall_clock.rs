//! A clock on the wall that a test sets: `clock.c` stands between it and the real server.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::compiled;
use crate::server_process::{ServerFolder, ServerProcess};

static SHIM: LazyLock<PathBuf> = LazyLock::new(|| compiled("clock"));

/// What the servers behind it believe.
pub struct WallClock(TempDir);

impl WallClock {
    /// One that shows this second, since 1970.
    pub fn at(unix: i64) -> Self {
        let clock = Self(tempfile::tempdir().unwrap());
        clock.set(unix);
        clock
    }

    /// From now on it is this second.
    pub fn set(&self, unix: i64) {
        // As a whole: a server may look at any moment.
        let next = self.0.path().join("next");
        fs::write(&next, unix.to_string()).unwrap();
        fs::rename(next, self.file()).unwrap();
    }

    /// A server that goes by it.
    pub fn start(&self, dir: &ServerFolder, args: &[&str]) -> ServerProcess {
        let shell = format!(
            "export ECHAT_SHIM_CLOCK={} LD_PRELOAD={}",
            self.file().display(),
            SHIM.display()
        );
        dir.start_behind(&shell, args)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("now")
    }
}
