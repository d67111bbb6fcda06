//! Raw mode, and the way back out of it, whatever happens.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::thread::{self, ThreadId};

use rustix::termios::{LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcsetattr};

use crate::net::wait::BlockingWriter;
use crate::render::safe::Safe;

/// Bracketed paste on: a paste comes between marks, and its newlines send nothing.
const ENTER: &[u8] = b"\x1b[?2004h";
/// Bracketed paste off, plain style.
const LEAVE: &[u8] = b"\x1b[?2004l\x1b[m";

/// The terminal that a panic restores.
static CURRENT: Mutex<Weak<Raw>> = Mutex::new(Weak::new());
/// Reports of panics in other threads than that of the terminal, until the terminal is given back.
static REPORTS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Raw mode for as long as it lives.
#[derive(Debug)]
pub struct RawGuard(Arc<Raw>);

struct Raw {
    tty: File,
    before: Termios,
    /// Whether escape codes may be written; without, the terminal still ends lines itself.
    escapes: bool,
    is_on: AtomicBool,
    /// The thread that paints.
    owner: ThreadId,
}

impl RawGuard {
    /// Puts the terminal `tty` into raw mode: keys arrive one by one and are not shown. Without
    /// `escapes` no escape code is written for that, and a newline goes on to begin a row.
    ///
    /// # Errors
    /// `tty` is no terminal, or is gone.
    pub fn new(tty: impl AsFd, escapes: bool) -> io::Result<Self> {
        let tty = File::from(tty.as_fd().try_clone_to_owned()?);
        let raw = Arc::new(Raw {
            before: tcgetattr(&tty)?,
            tty,
            escapes,
            is_on: AtomicBool::new(false),
            owner: thread::current().id(),
        });
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&raw);
        let guard = Self(raw);
        guard.resume()?;
        Ok(guard)
    }

    /// Whether the terminal showed what was typed before. One that did not belongs to a program
    /// that shows it itself, such as a shell in Emacs.
    pub fn showed_typing(&self) -> bool {
        self.0.before.local_modes.contains(LocalModes::ECHO)
    }

    /// Gives the terminal back as it was, before the program is stopped.
    pub fn suspend(&self) -> io::Result<()> {
        self.0.leave()
    }

    /// Takes it again.
    pub fn resume(&self) -> io::Result<()> {
        self.0.enter()
    }
}

impl Drop for RawGuard {
    fn drop(&mut self) {
        // A failure cannot be reported any more.
        let _ = self.0.leave();
    }
}

impl Raw {
    fn enter(&self) -> io::Result<()> {
        let mut raw = tcgetattr(&self.tty)?;
        raw.make_raw();
        if !self.escapes {
            let ends_lines = self.before.output_modes & (OutputModes::OPOST | OutputModes::ONLCR);
            raw.output_modes |= ends_lines;
        }
        tcsetattr(&self.tty, OptionalActions::Now, &raw)?;
        self.is_on.store(true, Ordering::SeqCst);
        self.write(ENTER)
    }

    /// The settings go back even if the bytes cannot be written. Reports that were kept are printed then.
    fn leave(&self) -> io::Result<()> {
        if !self.is_on.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let written = self.write(LEAVE);
        tcsetattr(&self.tty, OptionalActions::Now, &self.before)?;
        let reports = std::mem::take(&mut *reports());
        if !reports.is_empty() {
            let _ = (&self.tty).write_all(b"\r\n");
            // With stderr closed, nothing can be reported.
            let _ = io::stderr().write_all(&reports);
        }
        written
    }

    /// Whether another thread than this one may be painting on it.
    fn is_painted_elsewhere(&self) -> bool {
        self.is_on.load(Ordering::SeqCst) && self.owner != thread::current().id()
    }

    fn write(&self, escape: &[u8]) -> io::Result<()> {
        if !self.escapes {
            return Ok(());
        }
        BlockingWriter::new(&self.tty).write_all(escape)
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw")
            .field("is_on", &self.is_on)
            .finish_non_exhaustive()
    }
}

fn reports() -> MutexGuard<'static, Vec<u8>> {
    REPORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on a panic gives the terminal back before it is reported, so that the report can be
/// read. That of another thread is reported when the thread that paints gives the terminal back: it could paint on
/// after this one had done it.
pub fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let current = CURRENT.try_lock().ok().and_then(|weak| weak.upgrade());
            if let Some(raw) = current {
                if raw.is_painted_elsewhere() {
                    return report(&mut *reports(), info);
                }
                let _ = raw.leave();
                let _ = (&raw.tty).write_all(b"\r\n");
            }
            report(&mut io::stderr(), info);
        }));
    });
}

/// Says what the standard report says, but nothing that could control the terminal: a panic may
/// quote what a user wrote.
pub(super) fn report(out: &mut impl Write, info: &PanicHookInfo<'_>) {
    let place = info.location().map_or("?".to_owned(), ToString::to_string);
    let said = Safe::text(info.payload_as_str().unwrap_or("?"));
    let backtrace = Backtrace::capture();
    // With stderr closed, nothing can be reported.
    let _ = writeln!(out, "panicked at {place}:\n{said}");
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(out, "{backtrace}");
    }
}

/// A terminal that shows nothing of what is typed, and otherwise keeps its own line editing: for
/// a password where nothing is redrawn.
#[derive(Debug)]
pub struct EchoOff {
    tty: OwnedFd,
    before: Termios,
}

impl EchoOff {
    /// Until it is dropped, typing shows nothing but the newline.
    pub fn new(tty: impl AsFd) -> io::Result<Self> {
        let tty = tty.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&tty)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&tty, OptionalActions::Now, &silent)?;
        Ok(Self { tty, before })
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        // A failure cannot be reported any more.
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.before);
    }
}
