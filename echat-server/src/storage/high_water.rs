//! The file `high_water` beside the database records which message ids were assigned in this data folder, so that ids
//! never go back when an older copy of the database is put in place.
//!
//! Three of its lines have a fixed length and a checksum each, and are rewritten in place:
//!
//! ```text
//! reserved 0000000000000002000 5d1c...    ids up to this one may have been assigned
//! reserved 0000000000000001000 93ab...    the previous reservation
//! open     0000000000000001234 07fe...    the newest id that was assigned
//! boot     4b1c7a52-...                   the boot of the system, written once
//! ```
//!
//! * **Reserved** ids are synced before an id above the previous reservation is committed. The two lines are written
//!   alternately, so that a write torn by a power cut leaves the previous reservation, above which no id was
//!   committed. Ids are reserved in steps, so that a message needs no sync of its own.
//! * **The newest id** is written after each commit and not synced. It is exact after a killed process, and may be
//!   older after a power cut. The word `closed` instead of `open` marks an orderly end: the id is exact and synced. The
//!   word `scrubbed` also says that no page of the database has text where none is stored
//!   ([`scrub`](super::write_ahead_log)).
//!
//! Each start writes a new file. A database whose newest id is below the recorded one is an older copy: its ids
//! continue above the reservation, and its history gets a new name, by which clients notice. After a possible power cut
//! (another boot, and no orderly end) ids continue above the reservation too, with the same name, since a slightly
//! older database cannot be told from a complete one.
//!
//! A restored whole folder has an older file too. Only clients notice that, by the lower newest id.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use echat_system::private_file::{self, FileError};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, ffi};
use sha2::{Digest, Sha256};

use super::failure;
use super::messages::NEWEST_ID;
use super::migrate::{MIGRATIONS, migrate};
use super::open_error::OpenError;
use super::schema::name_history;
use super::settings::SETTINGS;
use super::{MessageId, StoreError};

/// Ids in one reservation: one sync for this many messages, and the largest gap after a power cut.
const STEP: i64 = 1_000;

/// Bytes of a line: a word of 8, a number of 19, a checksum of 16, two spaces and a newline.
const LINE: usize = 46;

/// Where a line has its number and its checksum, and the bytes that the checksum covers.
const NUMBER: Range<usize> = 9..28;
const SAID: usize = NUMBER.end;
const SUM: Range<usize> = 29..45;

const HEX: &[u8; 16] = b"0123456789abcdef";

const RESERVED: &str = "reserved";
const OPEN: &str = "open";
const CLOSED: &str = "closed";
const SCRUBBED: &str = "scrubbed";

/// The line of the newest id.
const NEWEST: usize = 2;

/// The line of the boot, and its first word.
const BOOT: usize = 3;
const BOOT_WORD: &str = "boot     ";

/// Where Linux identifies the boot. On other systems, every end that was not orderly counts as a possible power cut.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The open file.
#[derive(Debug)]
pub(super) struct HighWater {
    file: File,
    /// The highest id that may be committed.
    reserved: i64,
    /// The line of the next reservation, 0 or 1.
    next: usize,
    /// The newest committed id.
    newest: i64,
    /// Whether the database is the one that the previous process left scrubbed.
    was_scrubbed: bool,
}

/// The contents of the file at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Past {
    reserved: i64,
    newest: i64,
    closed: bool,
    /// Whether the pages of the database were scrubbed at that end.
    scrubbed: bool,
    /// The system has not been restarted since: unsynced writes are present too.
    same_boot: bool,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HighWaterError {
    /// The file does not belong to the server, or cannot be read.
    #[error("high_water beside it: {0}")]
    File(#[from] FileError),
    /// The file cannot be written.
    #[error("high_water beside it cannot be written: {0}")]
    Write(#[source] io::Error),
    /// Neither reservation is valid.
    #[error(
        "high_water beside it is damaged, which says what message ids were given out; put a copy of it \
         back, or remove it if this database is the newest there is: ids then go on after its own"
    )]
    Damaged,
}

/// Reconciles the file at `path` with a database, before the database assigns ids. `named` says whether the history had
/// a name before this start.
///
/// # Errors
/// The file is damaged, or cannot be read, created or written; or the database cannot be written.
pub(super) fn settle(
    db: &mut Connection,
    database: &Path,
    path: &Path,
    named: bool,
) -> Result<HighWater, OpenError> {
    let newest = newest_id(db)?;
    if newest >= MessageId::LAST.row() {
        tracing::error!(
            "{}: its newest message id is {newest}, and no id follows: messages are refused with storage_full; put a \
             backup from before in its place",
            database.display(),
        );
    }
    let past = Past::read(path)?;
    // The history has a name but there is no file: only the database was put here.
    let is_alone = past.is_none() && named && newest > 0;
    let past = past.unwrap_or(Past {
        reserved: newest,
        newest,
        closed: true,
        scrubbed: false,
        same_boot: true,
    });
    let is_older = newest < past.newest;
    let mut from = newest;
    if is_older || !(past.closed || past.same_boot) {
        from = newest.max(past.reserved);
    }
    if from > newest || is_older || is_alone {
        continue_above(db, from, is_older || is_alone)?;
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
    let mut made = made.map_err(HighWaterError::Write)?;
    // A database that never had a message has no text that was removed.
    let is_new = newest == 0 && past.newest == 0;
    made.was_scrubbed = is_new || past.scrubbed && !is_older && newest == past.newest;
    Ok(made)
}

/// Prepares a database that is to replace another one: its history gets a new name, and its ids continue above `above`
/// and above its own. Writes the file `high_water` that belongs to it. Returns the id above which ids continue.
///
/// # Errors
/// The database is not one of echat, or cannot be migrated or written.
pub fn begin_history(database: &Path, high_water: &Path, above: u64) -> Result<u64, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(database, flags)?;
    db.execute_batch(SETTINGS)?;
    migrate(&mut db, MIGRATIONS)?;
    name_history(&db)?;
    let above = i64::try_from(above).unwrap_or(i64::MAX / 2);
    let from = newest_id(&db)?.max(above);
    continue_above(&mut db, from, true)?;
    db.close().map_err(|(_, error)| error)?;
    let made = HighWater::create(high_water, from, from).map_err(HighWaterError::Write)?;
    made.close(false)
        .map_err(|error| HighWaterError::Write(io::Error::other(error)))?;
    Ok(from.unsigned_abs())
}

/// The ids that the file at `path` has reserved, or `None` if it is missing or damaged.
pub fn reserved_ids(path: &Path) -> Option<u64> {
    let past = Past::read(path).ok().flatten()?;
    Some(past.reserved.max(past.newest).unsigned_abs())
}

/// The newest id that the file at `path` records; `None` if it is missing or damaged. After a power cut it may be
/// older.
pub fn recorded_id(path: &Path) -> Option<u64> {
    let past = Past::read(path).ok().flatten()?;
    Some(past.newest.unsigned_abs())
}

/// The highest message id that a database has ever assigned; 0 before the first.
pub(super) fn newest_id(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row(NEWEST_ID, [], |row| row.get(0))
}

/// Lets the database assign ids above this one; with `renamed`, its history gets a new name. The secrets of sessions
/// are void then: newer ones that honest clients have would look like stolen ones, and older ones may be revoked since.
fn continue_above(db: &mut Connection, id: i64, renamed: bool) -> rusqlite::Result<()> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "INSERT INTO message_ids (id, assigned) VALUES (1, ?1)
               ON CONFLICT (id) DO UPDATE SET assigned = excluded.assigned";
    step.execute(sql, [id])?;
    if renamed {
        step.execute("UPDATE history SET name = lower(hex(randomblob(8)))", [])?;
        step.execute("DELETE FROM resume_secrets", [])?;
    }
    step.commit()
}

impl Past {
    /// Reads the file at `path`; `None` if it does not exist.
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
                // A truncated line has a wrong checksum.
                _ => {}
            }
        }
        let [first, second, newest] = lines.map(|line| parse(&line));
        let reserved = [first, second].into_iter().flatten();
        let reserved = reserved.filter(|(word, _)| word == RESERVED);
        let reserved = reserved.map(|(_, id)| id).max();
        let reserved = reserved.ok_or(HighWaterError::Damaged)?;
        let scrubbed = matches!(&newest, Some((word, _)) if word == SCRUBBED);
        let (newest, closed, same_boot) = match newest {
            Some((word, id)) if scrubbed || word == CLOSED => (id, true, false),
            Some((word, id)) if word == OPEN => (id, false, is_of_this_boot(&file)?),
            // Torn by a power cut: the reservation is sufficient.
            _ => (0, false, false),
        };
        Ok(Some(Self {
            // If the later reservation was damaged after it was written, the other one still bounds all ids.
            reserved: if newest > reserved {
                newest.saturating_add(STEP)
            } else {
                reserved
            },
            newest,
            closed,
            scrubbed,
            same_boot,
        }))
    }
}

impl HighWater {
    /// Creates the file in place of the previous one. After a failed sync, the previous one may differ on the disk from
    /// what a read returns.
    fn create(path: &Path, reserved: i64, newest: i64) -> io::Result<Self> {
        private_file::replace(path, |file| {
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
            was_scrubbed: false,
        })
    }

    /// Reserves ids up to at least `id`.
    ///
    /// # Errors
    /// `Full` if the disk has no space. `Fatal` if the sync fails, or if the id was assigned before: then the database
    /// was replaced by an older one while it was open.
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
        // After a failed sync the state of the disk is unknown, even if space was the cause.
        self.file.sync_data().map_err(|error| fatal(&error))?;
        self.next = 1 - self.next;
        self.reserved = reserved;
        Ok(())
    }

    /// Records the newest id after its commit.
    ///
    /// # Errors
    /// `Fatal` if that fails for another reason than a full disk. After a full disk an older id stands, as after a
    /// power cut.
    pub(super) fn record(&mut self, newest: i64) -> Result<(), StoreError> {
        self.newest = newest;
        match self
            .write(NEWEST, OPEN, newest)
            .map_err(|error| refusal(&error))
        {
            Err(StoreError::Full) => Ok(()),
            noted => noted,
        }
    }

    /// Whether the pages of the database are as the previous process left them at its orderly end, scrubbed.
    pub(super) fn was_scrubbed(&self) -> bool {
        self.was_scrubbed
    }

    /// Records an orderly end, and whether the pages of the database are scrubbed.
    ///
    /// # Errors
    /// `Fatal` if the record cannot be made durable.
    pub(super) fn close(&self, is_scrubbed: bool) -> Result<(), StoreError> {
        let word = if is_scrubbed { SCRUBBED } else { CLOSED };
        self.write(NEWEST, word, self.newest)
            .map_err(|error| fatal(&error))?;
        self.file.sync_all().map_err(|error| fatal(&error))
    }

    fn write(&self, at: usize, word: &str, id: i64) -> io::Result<()> {
        self.file.write_all_at(&line(word, id), offset(at))
    }
}

/// Whether the file was created in the present boot.
fn is_of_this_boot(file: &File) -> Result<bool, FileError> {
    let mut rest = [0; 64];
    let length = file.read_at(&mut rest, offset(BOOT))?;
    let text = str::from_utf8(&rest[..length]).unwrap_or_default();
    let noted = text.strip_prefix(BOOT_WORD).map(str::trim_end);
    Ok(boot().is_some_and(|boot| noted == Some(&boot)))
}

/// The identifier of the present boot.
fn boot() -> Option<String> {
    let id = fs::read_to_string(BOOT_ID).ok()?;
    Some(id.trim_end().to_owned()).filter(|id| !id.is_empty())
}

fn offset(line: usize) -> u64 {
    (line * LINE) as u64
}

/// A line: its text, and the first digits of the SHA-256 of that text. Each commit writes one, so its digits are set
/// without the formatting machinery.
fn line(word: &str, id: i64) -> [u8; LINE] {
    let mut line = [b' '; LINE];
    line[..word.len()].copy_from_slice(word.as_bytes());
    let mut rest = id.unsigned_abs();
    for digit in line[NUMBER].iter_mut().rev() {
        *digit = HEX[usize::try_from(rest % 10).unwrap_or(0)];
        rest /= 10;
    }
    let sum = checksum(&line[..SAID]);
    line[SUM].copy_from_slice(&sum);
    line[LINE - 1] = b'\n';
    line
}

/// The first bytes of the SHA-256 as hexadecimal digits.
fn checksum(said: &[u8]) -> [u8; 16] {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(Sha256::digest(said)) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    digits
}

/// The word and the number of a valid line.
fn parse(bytes: &[u8; LINE]) -> Option<(String, i64)> {
    let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (said, sum) = text.rsplit_once(' ')?;
    let (word, number) = said.rsplit_once(' ')?;
    let id = number.parse().ok().filter(|id| *id >= 0)?;
    (sum.as_bytes() == checksum(said.as_bytes())).then(|| (word.trim_end().to_owned(), id))
}

fn refusal(error: &io::Error) -> StoreError {
    if failure::is_no_room(error) {
        StoreError::Full
    } else {
        fatal(error)
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
