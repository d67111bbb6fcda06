//! What a run starts and writes: processes and temporary folders. Nothing of them is left when the run ends, also by
//! SIGINT or SIGTERM.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, io, process, thread};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::local::ignored_signals::IgnoredSignals;

/// What is to be removed.
static LEFT: Mutex<Left> = Mutex::new(Left {
    processes: Vec::new(),
    folders: Vec::new(),
    folder_count: 0,
});

/// While this is locked, no process is started or reaped, and no folder made.
struct Left {
    /// Processes that are not reaped, so that their numbers are not given to others.
    processes: Vec<Pid>,
    folders: Vec<PathBuf>,
    /// How many folders were made.
    folder_count: u64,
}

impl Left {
    fn lock() -> MutexGuard<'static, Self> {
        LEFT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A failure cannot be reported any more. What cannot be removed stays in the folder for temporary things.
    fn remove(&mut self) {
        for process in self.processes.drain(..) {
            let _ = kill_process(process, Signal::KILL);
            // It writes to its folder until it has ended.
            let _ = waitpid(Some(process), WaitOptions::empty());
        }
        for folder in self.folders.drain(..) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// From now on SIGINT and SIGTERM remove what is left before they end the program, unless it was started to ignore
/// them.
pub(super) fn remove_at_signals() -> io::Result<()> {
    let ending = IgnoredSignals::of_process().without(&[SIGINT, SIGTERM]);
    let mut signals = Signals::new(ending)?;
    let cleaner = thread::Builder::new().name("cleanup".to_owned());
    cleaner.spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Locked to the end: nothing new begins.
            let mut left = Left::lock();
            left.remove();
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

/// A temporary folder that only its owner may enter, removed when it is dropped.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// An empty one.
    pub(super) fn new() -> io::Result<Self> {
        let mut left = Left::lock();
        left.folder_count += 1;
        let name = format!("echat-load-{}-{}", process::id(), left.folder_count);
        let path = env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        left.folders.push(path.clone());
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let mut left = Left::lock();
        // What cannot be removed stays in the folder for temporary things.
        let _ = fs::remove_dir_all(&self.0);
        left.folders.retain(|folder| *folder != self.0);
    }
}

/// A process that is killed when this is dropped.
pub(super) struct ChildProcess {
    child: Child,
    /// Its number, until it is reaped: another process may have it then.
    number: Option<Pid>,
}

impl ChildProcess {
    /// Starts a program.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let mut left = Left::lock();
        let child = command.spawn()?;
        let number = Pid::from_child(&child);
        left.processes.push(number);
        let number = Some(number);
        Ok(Self { child, number })
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its output, if that is a pipe; once.
    pub(super) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has ended.
    #[cfg(feature = "peers")]
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        let mut left = Left::lock();
        let has_ended = self.child.try_wait()?.is_some();
        if has_ended {
            self.forget(&mut left);
        }
        Ok(has_ended)
    }

    /// Waits for its end. Whether it succeeded.
    pub(super) fn succeeds(mut self) -> io::Result<bool> {
        Ok(self.wait()?.success())
    }

    /// Asks it to end, and waits until it has ended.
    #[cfg(feature = "peers")]
    pub(super) fn end(&mut self) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        self.wait()?;
        Ok(())
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        // It is reaped under the lock, but not waited for.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(error) = waitid(WaitId::Pid(Pid::from_child(&self.child)), options) {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        let mut left = Left::lock();
        let status = self.child.wait()?;
        self.forget(&mut left);
        Ok(status)
    }

    /// Ends it at once, and waits until it has ended.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        let mut left = Left::lock();
        self.child.kill()?;
        self.child.wait()?;
        self.forget(&mut left);
        Ok(())
    }

    fn forget(&mut self, left: &mut Left) {
        let number = self.number.take();
        left.processes.retain(|process| Some(*process) != number);
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // It fails only for a process that has ended.
        let _ = self.kill();
    }
}
