//! Which message ids were given out in this data folder, in a file beside the database: so ids do
//! not go back when an older copy of the database is put there.
//!
//! Three of its lines have the same length, each its own checksum, and are rewritten in place:
//!
//! ```text
//! reserved 0000000000000002000 5d1c...    ids up to here may have been given out
//! reserved 0000000000000001000 93ab...    the reservation before
//! open     0000000000000001234 07fe...    the newest id that was given out
//! boot     4b1c7a52-...                   the boot of the system, written once
//! ```
//!
//! * **Reserved** ids are synced before one above the reservation before is committed. The two lines
//!   take turns, so a write that is torn by a power cut leaves the reservation before, above which
//!   no id was committed. Ids are reserved in steps, so that messages cost no sync of their own.
//! * **The newest id** is written after each commit and not synced: a killed process leaves it exact, a
//!   power cut may leave an older one. `closed` says that the server ended in peace: then it is
//!   exact, and synced.
//!
//! Each start makes the file anew. Then a database whose newest id is below the one noted here is an
//! older copy. Its ids go on above all that were reserved, and its history gets a new name, by which
//! clients notice. If the power may have been cut (another boot, and no end in peace), ids go on above
//! the reservation too, with the same name: a database from a while before cannot be told then from one
//! that is complete.
//!
//! A whole folder that is put back has an older file too: that is left to the clients, which see the
//! newest id fall.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, ffi};
use sha2::{Digest, Sha256};

use super::StoreError;
use super::open_error::OpenError;
use crate::private_file::{self, FileError};

/// Ids that are reserved at a time: one sync for so many messages, and the gap after a server was
/// killed.
const STEP: i64 = 1_000;

/// Bytes of a line: a word of 8, a number of 19, a checksum of 16, two spaces and the end.
const LINE: usize = 46;

const RESERVED: &str = "reserved";
const OPEN: &str = "open";
const CLOSED: &str = "closed";

/// Which line says the newest id.
const NEWEST: usize = 2;

/// Which line says the boot, and how it begins.
const BOOT: usize = 3;
const BOOT_WORD: &str = "boot     ";

/// Where Linux says which boot this is; elsewhere every end that was not in peace may be a power cut.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The open file.
#[derive(Debug)]
pub(super) struct HighWater {
    file: File,
    /// No id above this one is committed.
    reserved: i64,
    /// The line for the next reservation, 0 or 1.
    next: usize,
    /// The newest id that was committed.
    newest: i64,
}

/// What the file says at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Past {
    reserved: i64,
    newest: i64,
    closed: bool,
    /// The power was not cut since: what was written is there, synced or not.
    same_boot: bool,
}

/// Why the file is not used.
#[derive(Debug, thiserror::Error)]
pub enum HighWaterError {
    /// It is not the server's own file, or cannot be read.
    #[error("high_water beside it: {0}")]
    File(#[from] FileError),
    /// It cannot be written.
    #[error("high_water beside it cannot be written: {0}")]
    Write(#[source] io::Error),
    /// Neither reservation can be read.
    #[error(
        "high_water beside it is damaged, which says what message ids were given out; put a copy of it \
         back, or remove it if this database is the newest there is: ids then go on after its own"
    )]
    Damaged,
}

/// Brings the file at `path` and a database together, before the database gives out ids. `named` says
/// whether the database's history had a name before this start.
///
/// # Errors
/// The file is damaged, cannot be read, made or written; the database cannot be written.
pub(super) fn settle(
    db: &mut Connection,
    database: &Path,
    path: &Path,
    named: bool,
) -> Result<HighWater, OpenError> {
    let newest = newest_id(db)?;
    let past = Past::read(path)?;
    // A server of this version was here and has left no file: the database alone was put here.
    let is_alone = past.is_none() && named && newest > 0;
    let past = past.unwrap_or(Past {
        reserved: newest,
        newest,
        closed: true,
        same_boot: true,
    });
    let is_older = newest < past.newest;
    let mut from = newest;
    if is_older || !(past.closed || past.same_boot) {
        from = newest.max(past.reserved);
    }
    if from > newest || is_older || is_alone {
        go_on_above(db, from, is_older || is_alone)?;
    }
    if is_alone {
        tracing::warn!(
            "{} is without its file high_water, which says what message ids were given out; new ids begin \
             above {from}, and clients load their history anew",
            database.display(),
        );
    } else if is_older {
        tracing::warn!(
            "{} is not the newest database of this folder: its newest message id is {newest}, but {} \
             was given out; new ids begin above {from}, and clients load their history anew",
            database.display(),
            past.newest,
        );
    } else if from > newest {
        tracing::info!("the power may have been cut: new message ids begin above {from}");
    }
    let made = HighWater::create(path, past.reserved.max(from), from);
    Ok(made.map_err(HighWaterError::Write)?)
}

/// The highest message id that a database ever gave out; 0 before the first.
pub(super) fn newest_id(db: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'";
    let newest = db.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(newest.unwrap_or(0))
}

/// From now on the database gives out ids above this one; with `renamed` its history has a new name.
fn go_on_above(db: &mut Connection, id: i64, renamed: bool) -> rusqlite::Result<()> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'messages'";
    if step.execute(sql, [id])? == 0 {
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', ?1)";
        step.execute(sql, [id])?;
    }
    if renamed {
        step.execute("UPDATE history SET name = lower(hex(randomblob(8)))", [])?;
    }
    step.commit()
}

impl Past {
    /// What the file at `path` says; `None` if there is none.
    fn read(path: &Path) -> Result<Option<Self>, HighWaterError> {
        let file = match private_file::open(path, OpenOptions::new().read(true)) {
            Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            opened => opened?,
        };
        let mut lines = [[0; LINE]; 3];
        for (at, line) in lines.iter_mut().enumerate() {
            match file.read_exact_at(line, offset(at)) {
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(FileError::Io(error).into());
                }
                // A line that is cut short has no right checksum.
                _ => {}
            }
        }
        let [first, second, newest] = lines.map(|line| parse(&line));
        let reserved = [first, second].into_iter().flatten();
        let reserved = reserved.filter(|(word, _)| word == RESERVED);
        let reserved = reserved.map(|(_, id)| id).max();
        let reserved = reserved.ok_or(HighWaterError::Damaged)?;
        let (newest, closed, same_boot) = match newest {
            Some((word, id)) if word == CLOSED => (id, true, false),
            Some((word, id)) if word == OPEN => (id, false, is_of_this_boot(&file)?),
            // Torn by a power cut: what is reserved says enough.
            _ => (0, false, false),
        };
        Ok(Some(Self {
            // If the later reservation was damaged long after it was written, it reserved no more.
            reserved: if newest > reserved {
                newest.saturating_add(STEP)
            } else {
                reserved
            },
            newest,
            closed,
            same_boot,
        }))
    }
}

impl HighWater {
    /// Makes the file, in place of the one from before: after a sync that failed, that may not be on
    /// the disk as it is read.
    fn create(path: &Path, reserved: i64, newest: i64) -> io::Result<Self> {
        private_file::create(path, |file| {
            for (at, id) in [(0, reserved), (1, reserved)] {
                file.write_all_at(&line(RESERVED, id), offset(at))?;
            }
            file.write_all_at(&line(OPEN, newest), offset(NEWEST))?;
            let boot = format!("{BOOT_WORD}{}\n", boot().unwrap_or_default());
            file.write_all_at(boot.as_bytes(), offset(BOOT))
        })?;
        let opened = private_file::open(path, OpenOptions::new().write(true));
        Ok(Self {
            file: opened.map_err(io::Error::other)?,
            reserved,
            next: 0,
            newest,
        })
    }

    /// Reserves ids so that `id` is among them.
    ///
    /// # Errors
    /// `Full` when the disk has no place, `Fatal` above all when the sync fails, and when the id was
    /// given out before: then an older database was put in place of this one while it is open.
    pub(super) fn reserve(&mut self, id: i64) -> Result<(), StoreError> {
        if id <= self.newest {
            let newest = self.newest;
            return Err(failed(format!(
                "its newest message id was {newest}, and now it gives out {id}: another program put an \
                 older copy back"
            )));
        }
        if id <= self.reserved {
            return Ok(());
        }
        let reserved = id.saturating_add(STEP - 1);
        self.write(self.next, RESERVED, reserved)
            .map_err(|error| refusal(&error))?;
        // What the disk has after a failed sync is uncertain, even if it was for want of space.
        self.file.sync_data().map_err(|error| fatal(&error))?;
        self.next = 1 - self.next;
        self.reserved = reserved;
        Ok(())
    }

    /// Notes the newest id after its commit.
    ///
    /// # Errors
    /// `Fatal` if that fails for another reason than a full disk: then an older number stands, as it may
    /// after a power cut.
    pub(super) fn note(&mut self, newest: i64) -> Result<(), StoreError> {
        self.newest = newest;
        match self
            .write(NEWEST, OPEN, newest)
            .map_err(|error| refusal(&error))
        {
            Err(StoreError::Full) => Ok(()),
            noted => noted,
        }
    }

    /// Notes that the server ends in peace.
    ///
    /// # Errors
    /// `Fatal` if it cannot be made durable.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.write(NEWEST, CLOSED, self.newest)
            .map_err(|error| fatal(&error))?;
        self.file.sync_all().map_err(|error| fatal(&error))
    }

    fn write(&self, at: usize, word: &str, id: i64) -> io::Result<()> {
        self.file.write_all_at(&line(word, id), offset(at))
    }
}

/// Whether the file was made since the system was started.
fn is_of_this_boot(file: &File) -> Result<bool, FileError> {
    let mut rest = [0; 64];
    let length = file.read_at(&mut rest, offset(BOOT))?;
    let text = str::from_utf8(&rest[..length]).unwrap_or_default();
    let noted = text.strip_prefix(BOOT_WORD).map(str::trim_end);
    Ok(boot().is_some_and(|boot| noted == Some(&boot)))
}

/// The name of this boot.
fn boot() -> Option<String> {
    let id = fs::read_to_string(BOOT_ID).ok()?;
    Some(id.trim_end().to_owned()).filter(|id| !id.is_empty())
}

fn offset(line: usize) -> u64 {
    (line * LINE) as u64
}

/// A line: what it says, and the beginning of the SHA-256 of that.
fn line(word: &str, id: i64) -> Vec<u8> {
    let said = format!("{word:<8} {id:019}");
    format!("{said} {}\n", checksum(&said)).into_bytes()
}

fn checksum(said: &str) -> String {
    let mut beginning = [0; 8];
    for (byte, of_sum) in beginning.iter_mut().zip(Sha256::digest(said)) {
        *byte = of_sum;
    }
    format!("{:016x}", u64::from_be_bytes(beginning))
}

/// The word and the number of a line that is whole.
fn parse(bytes: &[u8; LINE]) -> Option<(String, i64)> {
    let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (said, sum) = text.rsplit_once(' ')?;
    let (word, number) = said.rsplit_once(' ')?;
    let id = number.parse().ok().filter(|id| *id >= 0)?;
    (sum == checksum(said)).then(|| (word.trim_end().to_owned(), id))
}

fn refusal(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => fatal(error),
    }
}

fn fatal(error: &io::Error) -> StoreError {
    failed(format!("high_water: {error}"))
}

fn failed(words: String) -> StoreError {
    StoreError::Fatal(rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_IOERR),
        Some(words),
    ))
}

#[cfg(test)]
mod tests;
