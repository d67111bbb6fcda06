//! Standard output of `echat-nc follow`: each line in one write, and the cursor behind it.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use echat_proto::json;
use echat_proto::value::Value;

use super::cursor::{Cursor, CursorError, CursorFile, OutputEnd, Saved, int, recover};
use super::room::KnownRoom;
use crate::exit::Exit;
use crate::nc::output;
use crate::nc::rules::SessionEnd;
use crate::net::wait::BlockingWriter;

/// Prints lines, and keeps the cursor.
pub(super) struct Printer {
    output: File,
    cursor: Cursor,
    /// Whether the cursor says where to go on; without it, the first login says where to begin.
    has_begun: bool,
    /// Whether all messages are those of the cursor's room.
    follows_room: bool,
    file: Option<CursorFile>,
    /// Whether the output is a regular file, whose lines tell after a kill which were written.
    is_file: bool,
}

impl Printer {
    /// Standard output, with the cursor of a file if there is one; `first` is the cursor without a file.
    pub(super) fn open(path: Option<&Path>, first: Option<u64>) -> Result<Self, SessionEnd> {
        let output = io::stdout().as_fd().try_clone_to_owned();
        let output = File::from(output.map_err(|error| SessionEnd::output(&error))?);
        let end = OutputEnd::of(&output).map_err(|error| SessionEnd::output(&error))?;
        let mut printer = Self {
            output,
            cursor: Cursor {
                id: first.unwrap_or(0),
                ..Cursor::default()
            },
            has_begun: first.is_some(),
            follows_room: false,
            file: None,
            is_file: end.is_some(),
        };
        if let Some(path) = path {
            if printer.is_file {
                lock(&printer.output)?;
            }
            let opened = CursorFile::open(path).map_err(|error| not_used(path, &error))?;
            printer.begin(path, opened)?;
        }
        Ok(printer)
    }

    fn begin(
        &mut self,
        path: &Path,
        (file, found): (CursorFile, Option<Saved>),
    ) -> Result<(), SessionEnd> {
        self.file = Some(file);
        let Some((cursor, saved)) = found else {
            return Ok(());
        };
        self.cursor = cursor.clone();
        self.has_begun = true;
        if let Some(saved) = saved {
            // The shell opened the file for writing only; this opens it for reading. Not all systems can.
            match File::open("/dev/fd/1") {
                Ok(reading) => recover(&mut self.cursor, saved, &self.output, reading)
                    .map_err(|error| not_used(path, &error.into()))?,
                Err(error) => output::diagnostic(&format!(
                    "the output cannot be read ({error}): lines behind the cursor may be repeated"
                )),
            }
        }
        let end = OutputEnd::of(&self.output).map_err(|error| SessionEnd::output(&error))?;
        if self.cursor == cursor && end == saved {
            return Ok(());
        }
        self.save()
    }

    /// The cursor.
    pub(super) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Names the room that is followed. What the cursor knows of another room is forgotten.
    pub(super) fn follow_room(&mut self, option: &str) {
        let known = KnownRoom::of_option(option, self.cursor.room.as_ref());
        self.cursor.room = Some(known);
        self.follows_room = true;
    }

    /// Keeps what is known about the room, durably if it is something new.
    pub(super) fn know_room(&mut self, room: KnownRoom) -> Result<(), SessionEnd> {
        let room = Some(room);
        if self.cursor.room == room {
            return Ok(());
        }
        self.cursor.room = room;
        self.save()
    }

    /// Whether the cursor says where to go on.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Sets the cursor, and saves it: where to begin, or the beginning of another history.
    pub(super) fn begin_at(&mut self, cursor: Cursor) -> Result<(), SessionEnd> {
        if self.has_begun && self.cursor == cursor {
            return Ok(());
        }
        self.cursor = cursor;
        self.has_begun = true;
        self.save()
    }

    /// Prints a line that is no message.
    pub(super) fn line(&mut self, line: &str) -> Result<(), SessionEnd> {
        let line = format!("{line}\n");
        let written = BlockingWriter::new(&self.output).write_all(line.as_bytes());
        written.map_err(|error| SessionEnd::output(&error))
    }

    /// Prints a message, unless it was printed.
    pub(super) fn message(&mut self, message: &Value) -> Result<(), SessionEnd> {
        let Some(id) = int(message, "id").filter(|id| *id > self.cursor.id) else {
            return Ok(());
        };
        self.line(&json::to_json(message))?;
        self.cursor.pass(id, self.follows_room);
        if self.is_file {
            return Ok(());
        }
        self.save()
    }

    /// A page of messages was printed.
    pub(super) fn end_of_page(&mut self) -> Result<(), SessionEnd> {
        if self.is_file { self.save() } else { Ok(()) }
    }

    /// The pipe behind the output, which has an error when its reader is gone.
    pub(super) fn pipe(&self) -> Option<&File> {
        // select(2) of macOS says nothing about it.
        let is_pipe = self
            .output
            .metadata()
            .is_ok_and(|found| found.file_type().is_fifo());
        (is_pipe && cfg!(not(target_os = "macos"))).then_some(&self.output)
    }

    /// Saves the cursor, after the lines before it.
    fn save(&self) -> Result<(), SessionEnd> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let saved = self
            .sync_output()
            .and_then(|end| file.save(&self.cursor, end));
        saved.map_err(|error| {
            SessionEnd::because(Exit::Local, &format!("the cursor cannot be saved: {error}"))
        })
    }

    fn sync_output(&self) -> io::Result<Option<OutputEnd>> {
        if !self.is_file {
            return Ok(None);
        }
        self.output.sync_data()?;
        OutputEnd::of(&self.output)
    }
}

/// Locks an output file, so that no other run appends to it: after a kill, this one would take the lines of the other
/// for its own. Not all file systems have locks.
fn lock(output: &File) -> Result<(), SessionEnd> {
    match output.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SessionEnd::because(
            Exit::Local,
            &"another echat-nc follows into this output file; each needs a file of its own",
        )),
        Err(TryLockError::Error(_)) | Ok(()) => Ok(()),
    }
}

fn not_used(path: &Path, error: &CursorError) -> SessionEnd {
    let exit = match error {
        CursorError::NoCursor => Exit::Usage,
        CursorError::Locked | CursorError::Io(_) => Exit::Local,
    };
    SessionEnd::because(exit, &format!("{}: {error}", path.display()))
}
