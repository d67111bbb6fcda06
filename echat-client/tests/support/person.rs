//! A person at a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::time::Duration;

use echat_client::clock::Clock;
use echat_client::socket::wait;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetattr;

/// Nothing that a terminal shows is waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Gives a program a terminal of its own.
pub(crate) const SETSID: &str = "/usr/bin/setsid";

/// A person at a terminal.
pub(crate) struct Person {
    screen: File,
    child: Child,
    /// The terminal's settings before.
    before: String,
    /// Everything the terminal has shown.
    shown: String,
    /// How much of that was waited for already.
    read: usize,
}

impl Person {
    /// Starts the program on a terminal of its own.
    pub(crate) fn starts(mut command: Command, program: &str, arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(&name)
                .unwrap()
        };
        // setsid makes it the controlling terminal, which is what /dev/tty means.
        command.args(["--ctty", "--wait", program]).args(arguments);
        let before = settings(&master);
        command
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal());
        let child = command.spawn().unwrap();
        Self {
            screen: master.into(),
            child,
            before,
            shown: String::new(),
            read: 0,
        }
    }

    /// Waits until the terminal shows this, after what was waited for before.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        let clock = Clock::start();
        loop {
            if let Some(at) = self.shown[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            let mut fds = [PollFd::new(&self.screen, PollFlags::IN)];
            wait(&mut fds, &clock, Some(PATIENCE)).unwrap();
            assert!(
                clock.now() < PATIENCE,
                "{text:?} is not in {:?}",
                self.shown
            );
            assert!(self.reads(), "{text:?} is not in {:?}", self.shown);
        }
    }

    /// Waits for a line that begins so; what follows on it.
    #[track_caller]
    pub(crate) fn reads_line(&mut self, start: &str) -> String {
        self.sees(start);
        let from = self.read;
        self.sees("\r\n");
        self.shown[from..self.read].trim_end().to_owned()
    }

    pub(crate) fn reads(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // A terminal that nobody holds any more is an error to read.
        let length = self.screen.read(&mut buffer).unwrap_or(0);
        self.shown
            .push_str(&String::from_utf8_lossy(&buffer[..length]));
        length > 0
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap();
    }

    /// The exit code, and all that was shown.
    pub(crate) fn ends(mut self) -> (i32, String) {
        while self.reads() {}
        (self.child.wait().unwrap().code().unwrap(), self.shown)
    }

    /// The terminal is as it was before the program.
    #[track_caller]
    pub(crate) fn has_the_terminal_back(&self) {
        assert_eq!(settings(&self.screen), self.before);
        let on = self.shown.matches("\x1b[?2004h").count();
        assert_eq!(on, self.shown.matches("\x1b[?2004l").count());
    }

    /// Reads what is shown until the program has let go of the terminal.
    pub(crate) fn reads_to_the_end(&mut self) {
        while self.reads() {}
    }

    pub(crate) fn signals(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the program to end or to be stopped.
    pub(crate) fn waits(&self) -> WaitStatus {
        let pid = Pid::from_child(&self.child);
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        status
    }
}

fn settings(terminal: impl std::os::fd::AsFd) -> String {
    format!("{:?}", tcgetattr(terminal).unwrap())
}
