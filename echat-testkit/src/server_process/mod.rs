//! A folder to run the real binary in.

mod running;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::{folder, programs};

pub use running::ServerProcess;

/// A host key, as its file has it.
pub const HOST_KEY: &str = "echat-host-key-ed25519 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// A folder to be the current directory of servers.
pub struct ServerFolder(TempDir);

impl ServerFolder {
    /// An empty one, in memory where the system has that ([`folder::in_memory`]).
    pub fn new() -> Self {
        Self(folder::in_memory())
    }

    /// An empty one on a disk, for tests that measure what its syncs cost.
    pub fn on_disk() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Where `name` is in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the file `name`.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Makes the folder `data`, private.
    pub fn make_data(&self) {
        DirBuilder::new()
            .mode(0o700)
            .create(self.path("data"))
            .unwrap();
    }

    /// Writes the file `name`, private.
    pub fn write_private(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.path(name)).unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    /// Makes the folder `data` of a server that ran here: `database` makes the database at the path
    /// that it is given.
    pub fn used(&self, database: impl FnOnce(&Path)) {
        self.make_data();
        self.write_private("data/host_key", HOST_KEY);
        database(&self.path("data/database.db"));
    }

    /// The binary under test, to be started behind these commands of the shell, with nothing of
    /// ours in the environment. The shell makes place for the server: they are one process.
    pub fn command(&self, shell: &str, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                &format!(
                    r#"{shell}
exec "$0" "$@""#
                ),
            ])
            .arg(programs::server())
            .args(args)
            .current_dir(self.0.path())
            .env_remove("ECHAT_CONFIG")
            .env_remove("ECHAT_LOG");
        command
    }

    /// Runs to its end what is expected to end by itself, under umask 000.
    #[track_caller]
    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = self.command("umask 000", args);
        command.envs(env.iter().copied());
        ServerProcess::begin(command).end()
    }

    /// Runs to its end what is expected to end by itself.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    /// Starts the server on a free port, under umask 000, and waits until it is ready.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> ServerProcess {
        self.start_behind("umask 000", args)
    }

    /// The same behind these commands of the shell.
    #[track_caller]
    pub fn start_behind(&self, shell: &str, args: &[&str]) -> ServerProcess {
        ServerProcess::start(self.command(shell, &[&["--listen", "127.0.0.1:0"], args].concat()))
    }
}

/// What the server printed.
pub fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

/// Why a server ended that logged nothing else (`--log off`): its only line, without time, level and target.
#[track_caller]
pub fn why_it_ended(output: &Output) -> &str {
    assert_eq!(stderr(output).lines().count(), 1, "{output:?}");
    let event = stderr(output)
        .split_once(" ERROR ")
        .map(|(_time, event)| event);
    let parts = event.and_then(|event| event.split_once(": "));
    let (_target, why) = parts.unwrap_or_else(|| panic!("{output:?}"));
    why
}

/// What the server logged or complained of.
pub fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}
