//! `echat-nc` as a program: its arguments, input, output and exit code.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::server_end::Server;
use crate::terminal::person::SETSID;
use crate::{folder, programs};

/// A place for the files of one test, and a server.
pub struct Scene {
    /// The server, played by the test.
    pub server: Server,
    directory: TempDir,
}

/// What a run of the program left behind.
pub struct Outcome {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Scene {
    /// An empty folder, and a server that listens.
    pub fn new() -> Self {
        Self {
            server: Server::new(1),
            directory: folder::in_memory(),
        }
    }

    /// A file of this test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The file with the keys of known servers.
    pub fn known_hosts(&self) -> PathBuf {
        self.path("known_hosts")
    }

    /// A link to the server that pins its key.
    pub fn link(&self) -> String {
        format!(
            "echat://{}/#{}",
            self.server.address(),
            self.server.fingerprint()
        )
    }

    /// The program with nothing of our environment, and without the terminal that the tests may
    /// have been started at: it would be asked at.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(SETSID);
        let program = program.as_ref();
        if program != SETSID {
            command.arg("--wait").arg(program);
        }
        command.env_clear().env("HOME", self.directory.path());
        command.env("ECHAT_KNOWN_HOSTS", self.known_hosts());
        command
    }

    /// Runs the program to its end with this input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Outcome {
        outcome(self.start(arguments, input))
    }

    /// Makes an account on the server of this link.
    pub fn registers(&self, link: &str, name: &str) {
        let credentials = format!(r#"{{"username":"{name}","password":"{SECRET}"}}"#);
        self.run(&[link, "REGISTER", &credentials], "").exits(0);
    }

    /// Runs a request, or a script after `-f`, as a user.
    pub fn run_as(&self, link: &str, name: &str, args: &[&str]) -> Outcome {
        let login = ["--user", name, "--password-env", "TEST_PASSWORD"];
        let (options, command): (Vec<&str>, Vec<&str>) = match args {
            ["-f", script] => (vec!["-f", script], vec![]),
            command => (vec![], command.to_vec()),
        };
        self.run(&[&login[..], &options, &[link], &command].concat(), "")
    }

    /// Starts the program, with all of its input already there.
    fn start(&self, arguments: &[&str], input: &str) -> Child {
        let mut command = self.command(programs::nc());
        command.args(arguments).env("TEST_PASSWORD", SECRET);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child
    }

    /// Runs the program against a server that does this.
    pub fn with(
        &self,
        arguments: &[&str],
        input: &str,
        act: impl FnOnce(&Server) + Send,
    ) -> Outcome {
        thread::scope(|scope| {
            let server = scope.spawn(|| act(&self.server));
            let outcome = self.run(arguments, input);
            if let Err(panic) = server.join() {
                eprintln!("{}{}", outcome.out, outcome.err);
                std::panic::resume_unwind(panic);
            }
            outcome
        })
    }

    /// Writes a file of this test, which may hold a password. A new one can be read by its owner only.
    pub fn write(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path).unwrap();
        file.write_all(contents.as_bytes()).unwrap();
        text(&path)
    }
}

/// What the variable TEST_PASSWORD holds.
pub const SECRET: &str = "correct horse";

/// A path as text.
pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Waits for the end of a program.
pub fn outcome(child: Child) -> Outcome {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    Outcome {
        code: status.code().expect("it was not killed"),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

impl Outcome {
    /// The exit code must be this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}
