//! The real server over a disk that tests own: `shim.c` stands between it and libc. It notes what is
//! written and synced (`record`), so that a power cut can be played on a disk made of those notes
//! (`disk`), and it makes calls fail (`Rule`). Another one, `clock.c`, stands between it
//! and the clock on the wall (`wall_clock`).

pub mod disk;
pub mod record;
pub mod wall_clock;

use std::env;
use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::LazyLock;

use rustix::io::Errno;
use tempfile::TempDir;

use crate::programs;
use crate::server_process::{ServerFolder, ServerProcess};
use record::Note;

static SHIM: LazyLock<PathBuf> = LazyLock::new(|| compiled("shim"));

/// A compiled shim, made once a process: test programs run side by side.
fn compiled(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/faults/{name}.c"));
    let folder = programs::temporary_folder();
    let (library, ours) = (
        folder.join(format!("{name}.so")),
        folder.join(format!("{name}-{}.so", process::id())),
    );
    let compiled = Command::new("cc")
        .args([
            "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o",
        ])
        .args([&ours, &source])
        .status();
    assert!(compiled.expect("a C compiler").success());
    fs::rename(&ours, &library).unwrap();
    library
}

/// Which calls fail: `skip` of them pass, then `times` fail.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// `read`, `write`, `grow` (a write that needs new space), `sync`, or `any` change of the disk.
    pub what: &'static str,
    /// How the paths of the files end that it is about.
    pub files: &'static str,
    /// Calls that pass before the first one fails.
    pub skip: u64,
    /// -1 for all.
    pub times: i64,
    /// What the call says; without it, the process is killed instead of calling.
    pub errno: Option<Errno>,
}

impl Rule {
    /// Kills the process instead of the change of the disk that comes after so many.
    pub fn kill_after(changes: u64) -> Self {
        Self {
            what: "any",
            files: "-",
            skip: changes,
            times: -1,
            errno: None,
        }
    }
}

impl Display for Rule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            files,
            skip,
            times,
            errno,
        } = self;
        let errno = errno.map_or(0, Errno::raw_os_error);
        write!(out, "{what} {errno} {skip} {times} {files}")
    }
}

/// A folder for notes and the switch, apart from the one that is watched.
pub struct Shim(TempDir);

impl Shim {
    /// Its rules hold from the beginning.
    pub fn new() -> Self {
        let shim = Self(tempfile::tempdir().unwrap());
        shim.switch(true);
        shim
    }

    /// From now on the rule holds, or does not.
    pub fn switch(&self, on: bool) {
        let switch = self.0.path().join("switch");
        if on {
            fs::write(switch, "").unwrap();
        } else {
            fs::remove_file(switch).unwrap();
        }
    }

    /// The server in this place, over the shim.
    pub fn command(&self, dir: &ServerFolder, rule: Option<Rule>) -> Command {
        let data = root(dir).join("data");
        let args = ["--listen", "127.0.0.1:0", "--log", "warn", "--data"];
        // The shell itself runs without it.
        let shell = format!("umask 000; export LD_PRELOAD={}", SHIM.display());
        let mut command = dir.command(&shell, &[&args[..], &[data.to_str().unwrap()]].concat());
        command.envs(self.settings(dir, rule));
        command
    }

    /// The same program with other arguments over the shim, as for a command in place of serving.
    pub fn program(&self, dir: &ServerFolder, args: &[&str], rule: Option<Rule>) -> Command {
        let shell = format!("umask 000; export LD_PRELOAD={}", SHIM.display());
        let mut command = dir.command(&shell, args);
        command.envs(self.settings(dir, rule));
        command
    }

    /// This test program over the shim, to run one test that writes in this place.
    pub fn this_program(&self, dir: &ServerFolder, test: &str) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", test, "--ignored"])
            .env("LD_PRELOAD", &*SHIM)
            .envs(self.settings(dir, None));
        command
    }

    fn settings(&self, dir: &ServerFolder, rule: Option<Rule>) -> Vec<(&'static str, OsString)> {
        let mut settings = vec![
            ("ECHAT_SHIM_ROOT", root(dir).into()),
            ("ECHAT_SHIM_RECORD", self.0.path().join("record").into()),
            ("ECHAT_SHIM_SWITCH", self.0.path().join("switch").into()),
        ];
        settings.extend(rule.map(|rule| ("ECHAT_SHIM_RULE", rule.to_string().into())));
        settings
    }

    /// The same, started and ready.
    pub fn start(&self, dir: &ServerFolder, rule: Option<Rule>) -> ServerProcess {
        ServerProcess::start(self.command(dir, rule))
    }

    /// All that was noted so far.
    pub fn notes(&self) -> Vec<Note> {
        record::parse(&fs::read(self.0.path().join("record")).unwrap())
    }
}

/// The folder that is watched, as the system calls it.
pub fn root(dir: &ServerFolder) -> PathBuf {
    fs::canonicalize(dir.path("")).unwrap()
}
