//! `echat-nc` as a program: its arguments, input, output and exit code.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

use super::Server;
use super::person::SETSID;

/// A place for the files of one test, and a server.
pub(crate) struct Scene {
    pub(crate) server: Server,
    directory: TempDir,
}

/// What a run of the program left behind.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            server: Server::new(1),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A file of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.path("known_hosts")
    }

    /// A link to the server that pins its key.
    pub(crate) fn link(&self) -> String {
        format!(
            "echat://{}/#{}",
            self.server.address(),
            self.server.fingerprint()
        )
    }

    /// The program with nothing of our environment, and without the terminal that the tests may
    /// have been started at: it would be asked at.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(SETSID);
        if program != SETSID {
            command.args(["--wait", program]);
        }
        command.env_clear().env("HOME", self.directory.path());
        command.env("ECHAT_KNOWN_HOSTS", self.known_hosts());
        command
    }

    /// Runs the program to its end with this input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Outcome {
        outcome(self.start(arguments, input))
    }

    /// Makes an account on the server of this link.
    pub(crate) fn registers(&self, link: &str, name: &str) {
        let credentials = format!(r#"{{"username":"{name}","password":"{SECRET}"}}"#);
        self.run(&[link, "REGISTER", &credentials], "").exits(0);
    }

    /// Runs a request, or a script after `-f`, as a user.
    pub(crate) fn run_as(&self, link: &str, name: &str, args: &[&str]) -> Outcome {
        let login = ["--user", name, "--password-env", "TEST_PASSWORD"];
        let (options, command): (Vec<&str>, Vec<&str>) = match args {
            ["-f", script] => (vec!["-f", script], vec![]),
            command => (vec![], command.to_vec()),
        };
        self.run(&[&login[..], &options, &[link], &command].concat(), "")
    }

    /// Starts the program, with all of its input already there.
    fn start(&self, arguments: &[&str], input: &str) -> Child {
        let mut command = self.command(PROGRAM);
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
    pub(crate) fn with(
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

    /// Writes a file of this test.
    pub(crate) fn write(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        text(&path)
    }
}

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_echat-nc");
/// What the variable TEST_PASSWORD holds.
pub(crate) const SECRET: &str = "correct horse";

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub(crate) fn outcome(child: Child) -> Outcome {
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
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}
