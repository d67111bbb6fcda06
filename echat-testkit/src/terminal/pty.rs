//! A terminal of the test's own, pty(7): what is typed, what is shown, and a screen that is not read.

use std::fs::File;
use std::io::{Read, Write};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// No test waits longer than this for something to be shown.
const PATIENCE: Timespec = Timespec {
    tv_sec: 30,
    tv_nsec: 0,
};

/// A new terminal: its own end, and the name of the program's end.
pub(super) fn open() -> (File, String) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master.into(), name.into_string().unwrap())
}

/// A terminal; closed when dropped, as a window is.
pub struct Pty {
    master: File,
    name: String,
}

impl Pty {
    /// Opens one.
    pub fn open() -> Self {
        let (master, name) = open();
        Self { master, name }
    }

    /// Commands of the shell that make this the controlling terminal, with standard input and error on
    /// it, and end with this command instead of the server.
    pub fn shell(&self, command: &str) -> String {
        let name = &self.name;
        format!("exec 0<>{name} 2<>{name}\nexec setsid -c {command}")
    }

    /// Types.
    pub fn types(&self, text: &str) {
        (&self.master).write_all(text.as_bytes()).unwrap();
    }

    /// Reads what is shown until these words have come.
    pub fn shows(&self, words: &str) -> String {
        let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
            assert_ne!(poll(&mut fds, Some(&PATIENCE)), Ok(0), "silent: {words}");
            let length = (&self.master).read(&mut buffer).unwrap();
            shown.extend(&buffer[..length]);
            let text = String::from_utf8_lossy(&shown);
            if text.contains(words) {
                return text.into_owned();
            }
        }
    }

    /// Reads what is shown until no program has the terminal any more.
    pub fn reads_on(&self) -> JoinHandle<String> {
        let mut master = self.master.try_clone().unwrap();
        thread::spawn(move || {
            let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
            // At the end Linux gives an error (EIO).
            while let Ok(length @ 1..) = master.read(&mut buffer) {
                shown.extend(&buffer[..length]);
            }
            String::from_utf8_lossy(&shown).into_owned()
        })
    }
}
