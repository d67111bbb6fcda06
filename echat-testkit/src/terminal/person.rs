//! A person at a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use super::emulator::Emulator;
use super::pty::open;
use crate::clock::now;

/// Nothing that a terminal shows is waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Gives a program a terminal of its own.
pub const SETSID: &str = "/usr/bin/setsid";
/// The first columns and rows of a terminal.
const SIZE: (u16, u16) = (80, 24);

/// A person at a terminal.
pub struct Person {
    screen: File,
    child: Child,
    /// The terminal's settings and modes before.
    before: (String, String),
    /// Everything the terminal has shown.
    shown: String,
    /// The first bytes of a character whose rest has not come yet.
    begun: Vec<u8>,
    /// How much of what was shown was waited for already.
    read: usize,
    emulator: Emulator,
    patience: Duration,
}

impl Person {
    /// Starts the program on a terminal of its own.
    pub fn starts(command: Command, program: &str, arguments: &[&str]) -> Self {
        Self::starts_on(SIZE, command, program, arguments)
    }

    /// The same on a terminal of so many columns and rows.
    pub fn starts_on(
        (cols, rows): (u16, u16),
        mut command: Command,
        program: &str,
        arguments: &[&str],
    ) -> Self {
        let (master, name) = open();
        let terminal = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(&name)
                .unwrap()
        };
        tcsetwinsize(&master, winsize(cols, rows)).unwrap();
        let mut emulator = Emulator::new(cols, rows);
        emulator.shows(b"\x1b]2;a title of the shell\x07");
        let before = (settings(&master), emulator.modes());
        // setsid makes it the controlling terminal, which is what /dev/tty means.
        command.args(["--ctty", "--wait", program]).args(arguments);
        command
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal());
        let child = command.spawn().unwrap();
        Self {
            screen: master,
            child,
            before,
            shown: String::new(),
            begun: Vec::new(),
            read: 0,
            emulator,
            patience: PATIENCE,
        }
    }

    /// From now on waits longer for what it wants to see.
    pub fn has_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Waits until the terminal shows this, after what was waited for before.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        let find = |person: &mut Self| {
            let at = person.shown[person.read..].find(text)?;
            person.read += at + text.len();
            Some(())
        };
        self.reads_until(text, find);
    }

    /// Waits until the screen is like this.
    #[track_caller]
    pub fn sees_that(&mut self, what: &str, is: impl Fn(&Emulator) -> bool) {
        self.reads_until(what, |person| is(&person.emulator).then_some(()));
    }

    /// Reads until this finds what it wants.
    #[track_caller]
    pub fn reads_until<T>(
        &mut self,
        what: &str,
        mut find: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let deadline = now() + self.patience;
        loop {
            if let Some(found) = find(self) {
                return found;
            }
            let going = self.has_more(deadline) && self.reads();
            assert!(
                going,
                "{what:?} is not there: {:?}\n{:#?}",
                last(&self.shown),
                self.emulator.rows()
            );
        }
    }

    /// Waits for something to read, at most until then.
    pub fn has_more(&self, until: Instant) -> bool {
        let mut fds = [PollFd::new(&self.screen, PollFlags::IN)];
        let ready = retry_on_intr(|| {
            let left = Timespec::try_from(until.saturating_duration_since(now())).unwrap();
            poll(&mut fds, Some(&left))
        });
        ready.unwrap() > 0
    }

    /// Reads what is shown until something else can be read. A program whose terminal is full goes on only then.
    #[track_caller]
    pub fn reads_until_ready(&mut self, other: impl AsFd) {
        loop {
            let mut fds = [
                PollFd::new(&self.screen, PollFlags::IN),
                PollFd::new(&other, PollFlags::IN),
            ];
            let patience = Timespec::try_from(self.patience).unwrap();
            let ready = retry_on_intr(|| poll(&mut fds, Some(&patience))).unwrap();
            assert!(ready > 0, "nothing comes: {:?}", last(&self.shown));
            if !fds[1].revents().is_empty() || !self.reads() {
                return;
            }
        }
    }

    /// Waits for a line that begins so; what follows on it.
    #[track_caller]
    pub fn reads_line(&mut self, start: &str) -> String {
        self.sees(start);
        let from = self.read;
        self.sees("\r\n");
        self.shown[from..self.read].trim_end().to_owned()
    }

    /// Reads what has come, and answers what the program asks of the terminal; false at the end.
    pub fn reads(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // A read fails once no program has the terminal open.
        let length = self.screen.read(&mut buffer).unwrap_or(0);
        self.emulator.shows(&buffer[..length]);
        // A program that is gone needs no answer.
        let _ = self.screen.write_all(&self.emulator.take_answers());
        self.begun.extend(&buffer[..length]);
        let whole = match str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.begun.len(),
        };
        let rest = self.begun.split_off(whole);
        self.shown.push_str(&String::from_utf8_lossy(&self.begun));
        self.begun = rest;
        length > 0
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap();
    }

    /// What was shown since the start, or since the last [`Person::takes_shown`].
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// What was shown since the last call; it counts as waited for.
    pub fn takes_shown(&mut self) -> String {
        self.read = 0;
        std::mem::take(&mut self.shown)
    }

    /// The terminal as it looks.
    pub fn emulator(&mut self) -> &mut Emulator {
        &mut self.emulator
    }

    /// Gives the terminal another size, as a window does that is dragged.
    pub fn resizes(&mut self, cols: u16, rows: u16) {
        self.emulator.resizes(cols, rows);
        tcsetwinsize(&self.screen, winsize(cols, rows)).unwrap();
    }

    /// The exit code, and all that was shown.
    #[track_caller]
    pub fn ends(mut self) -> (i32, String) {
        self.reads_to_the_end();
        let code = self.child.wait().unwrap().code().unwrap();
        (code, std::mem::take(&mut self.shown))
    }

    /// The terminal is as it was before the program.
    #[track_caller]
    pub fn has_the_terminal_back(&self) {
        let now = (settings(&self.screen), self.emulator.modes());
        assert_eq!(now, self.before, "{:?}", last(&self.shown));
    }

    /// Reads what is shown until the program has let go of the terminal.
    #[track_caller]
    pub fn reads_to_the_end(&mut self) {
        loop {
            let ready = self.has_more(now() + PATIENCE);
            assert!(ready, "it goes on: {:?}", last(&self.shown));
            if !self.reads() {
                return;
            }
        }
    }

    /// The number of the process, which is setsid(1) before it is the program.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The same, as system calls take it.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The terminal, for changes that another program would make.
    pub fn terminal(&self) -> &File {
        &self.screen
    }

    /// Sends a signal to the program.
    pub fn signals(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the program to end or to be stopped.
    pub fn waits(&self) -> WaitStatus {
        let (_, status) = waitpid(Some(self.pid()), WaitOptions::UNTRACED)
            .unwrap()
            .unwrap();
        status
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // A test that fails shows its terminals as they were, with its own output.
        if thread::panicking() {
            let rows = self.emulator.rows().join("\n");
            eprintln!("a terminal of this test:\n{}", rows.trim_end());
        }
        // Neither can fail but for a process that has ended, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(terminal: impl std::os::fd::AsFd) -> String {
    format!("{:?}", tcgetattr(terminal).unwrap())
}

fn winsize(cols: u16, rows: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// The end of a long text.
fn last(text: &str) -> &str {
    let from = text.len().saturating_sub(4000);
    &text[text.ceil_char_boundary(from)..]
}
