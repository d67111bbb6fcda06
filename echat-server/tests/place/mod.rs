//! A folder to run the real binary in.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The binary under test.
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_echat-server");

/// A folder to be the current directory of servers.
pub(crate) struct Place(TempDir);

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Where `name` is in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the file `name`.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs under umask 000, with nothing of ours in the environment but `env`.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        Command::new("sh")
            .args(["-c", r#"umask 000; exec "$0" "$@""#, SERVER])
            .args(args)
            .current_dir(self.0.path())
            .env_remove("ECHAT_CONFIG")
            .env_remove("ECHAT_LOG")
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    /// Runs with these flags.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }
}

/// What the server printed.
pub(crate) fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

/// What the server logged or complained of.
pub(crate) fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}
