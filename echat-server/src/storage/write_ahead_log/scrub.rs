//! Zeros the unallocated space of the database's pages.
//!
//! The cells of a B-tree page stand at its end, and an array of pointers to them at its beginning. The space in between
//! is unallocated (`SQLite` file format, section 1.6). `secure_delete` zeros cells, overflow pages and whole pages that
//! are freed. But when `SQLite` distributes the cells of neighbouring pages anew (`rebuildPage` in btree.c), it moves
//! cells without zeroing where they were, and that place may become unallocated space. A text that was moved and is
//! removed later would stay there. No other place keeps bytes of removed cells: free blocks are zeroed, and the
//! function leaves none.
//!
//! So the pages in the log are scanned, and those with bytes in their unallocated space are remembered until a newer
//! version of the page has none. Before a purge empties the log, their unallocated space is zeroed in transactions, a
//! portion each, by the table `sqlite_dbpage`. After that the newest version of every page is free of removed text.
//!
//! A scan is due before frames can be overwritten: before each checkpoint, and while one may let the log restart. In
//! between, commits are scanned a batch of frames at a time, and of a page that many of them wrote only the newest
//! version. Another program can checkpoint the log too. If it restarted with frames that were not scanned, all pages
//! are scrubbed.
//!
//! The file `high_water` says whether the process before ended with all pages scrubbed. If not, a start scrubs all
//! pages, 256 each 20 ms.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::{Connection, params};

use super::log_of;
use super::write_back::{FRAME_HEADER, HEADER, PAGE_SIZE, side_by_side};

/// The position of the salt in the header, and its length: a log that restarts gets another one.
const SALT: usize = 16;
const SALT_BYTES: usize = 8;

/// Frames that are left to the next scan at most: a scan of as many takes a quarter of a millisecond.
const UNSCANNED: u64 = 256;
/// Frames of the log that are read at a time.
const FRAMES: usize = 16;

/// Pages that one portion looks at, and those that it writes at most: about two milliseconds.
const LOOKED_AT: usize = 256;
const WRITTEN: usize = 64;

/// Databases with as many pages are not scrubbed. An overflow page begins with a page number, which could be taken for
/// the flags of a B-tree page there. With pages of 4 KiB these are 128 GiB.
const TOO_MANY: u32 = 0x0200_0000;

/// What is known of the unallocated space of the pages.
#[derive(Debug)]
pub(super) struct Scrub {
    /// Pages that are to be scrubbed.
    pages: RefCell<PageSet>,
    /// Whether any page may have to be: those that an earlier process wrote were not scanned.
    is_unknown: Cell<bool>,
    /// The salt of the log that was scanned last.
    salt: Cell<Option<Salt>>,
    /// How many of its frames were scanned.
    scanned: Cell<u64>,
    /// The pages of these frames; `None` if frames were passed over.
    logged: RefCell<Option<PageSet>>,
    /// Bytes of a page in the log.
    page_size: Cell<usize>,
    /// Frames of the log after the last commit.
    committed: Cell<u64>,
    /// Whether a checkpoint of this process may let the log restart with the next commit.
    may_restart: Cell<bool>,
    log: RefCell<Option<File>>,
    /// What was read of it last.
    bytes: RefCell<Vec<u8>>,
    /// Pages that were scanned.
    #[cfg(test)]
    pages_scanned: Cell<u64>,
    /// Whether the log has it that the database is too large.
    is_too_large: Cell<bool>,
}

type Salt = [u8; SALT_BYTES];

impl Scrub {
    pub(super) fn new() -> Self {
        Self {
            pages: RefCell::default(),
            is_unknown: Cell::new(true),
            salt: Cell::default(),
            scanned: Cell::new(0),
            logged: RefCell::new(Some(PageSet::default())),
            page_size: Cell::new(0),
            committed: Cell::new(0),
            may_restart: Cell::new(false),
            log: RefCell::new(None),
            bytes: RefCell::default(),
            #[cfg(test)]
            pages_scanned: Cell::new(0),
            is_too_large: Cell::new(false),
        }
    }

    /// Whether a database of so many pages is too large to be scrubbed, which the log says once.
    fn skips(&self, pages: u32) -> bool {
        let skips = pages >= TOO_MANY;
        if skips && !self.is_too_large.replace(true) {
            tracing::warn!(
                "the database has 128 GiB or more: what is left of removed text in its pages is not zeroed any more"
            );
        }
        skips
    }

    /// Notes that an earlier process scrubbed all pages.
    pub(super) fn trust(&self) {
        self.is_unknown.set(false);
    }

    /// Forgets the pages that are to be scrubbed, and cannot be.
    pub(super) fn give_up(&self) {
        self.pages.replace(PageSet::default());
        self.is_unknown.set(false);
    }

    /// Whether all pages are known to be scrubbed.
    pub(super) fn is_done(&self) -> bool {
        let is_scanned = self.scanned.get() == self.committed.get();
        is_scanned && !self.is_unknown.get() && self.pages.borrow().is_empty()
    }

    /// Takes in a commit, after which the log has so many frames. Scans it if it is time.
    pub(super) fn commit(&self, db: &Connection, frames: c_int) {
        let frames = u64::try_from(frames).unwrap_or(0);
        let before = self.committed.replace(frames);
        let is_restarted = frames <= before;
        if is_restarted {
            if self.scanned.get() < before {
                self.is_unknown.set(true);
            }
            self.begin_log(None);
        }
        // By the salt of its beginning, another log is told from this one.
        let is_due = is_restarted || self.may_restart.get() || self.salt.get().is_none();
        if is_due || frames.saturating_sub(self.scanned.get()) >= UNSCANNED {
            // If the log restarted unnoticed, these are the frames that it had.
            self.scan_behind(db, before);
        }
    }

    /// Scans what is not scanned yet, before a checkpoint lets the log restart.
    pub(super) fn before_checkpoint(&self, db: &Connection) {
        self.scan(db);
        self.may_restart.set(true);
    }

    /// The ranges of the database, in bytes and in order, whose pages are in the scanned frames. `None` if they are not
    /// known.
    pub(super) fn logged(&self) -> Option<Vec<Range<u64>>> {
        let logged = self.logged.borrow();
        let pages = logged.as_ref()?.iter().map(u64::from);
        Some(side_by_side(pages, self.page_size.get() as u64))
    }

    /// Scans what is not scanned yet.
    pub(super) fn scan(&self, db: &Connection) {
        self.scan_behind(db, self.committed.get());
    }

    /// The log begins anew: no frame of it is scanned.
    fn begin_log(&self, salt: Option<Salt>) {
        self.scanned.set(0);
        self.logged.replace(Some(PageSet::default()));
        self.salt.set(salt);
        self.may_restart.set(false);
    }

    /// Scans what is not scanned yet. If the log has restarted since the last scan, it had so many frames before.
    fn scan_behind(&self, db: &Connection, before: u64) {
        let Some(path) = path_of(db) else { return };
        if let Err(error) = self.scan_log(path, before) {
            tracing::debug!(%error, "the pages of the write-ahead log cannot be scanned");
            self.is_unknown.set(true);
        }
    }

    fn scan_log(&self, path: &Path, before: u64) -> io::Result<()> {
        let mut log = self.log.borrow_mut();
        let log = match &mut *log {
            Some(log) => log,
            none => none.insert(File::open(log_of(path))?),
        };
        let is_scanned = self.scanned.get() == before;
        let mut header = [0; HEADER];
        match log.read_exact_at(&mut header, 0) {
            // The log was emptied.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_unknown.set(self.is_unknown.get() || !is_scanned);
                self.scanned.set(self.committed.get());
                self.logged.replace(None);
                return Ok(());
            }
            read => read?,
        }
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&header[SALT..][..SALT_BYTES]);
        match self.salt.get() {
            Some(known) if known == salt => {}
            None => self.salt.set(Some(salt)),
            Some(_) => {
                self.is_unknown.set(self.is_unknown.get() || !is_scanned);
                self.begin_log(Some(salt));
            }
        }
        if self.is_unknown.get() {
            // All pages will be scrubbed.
            self.scanned.set(self.committed.get());
            self.logged.replace(None);
        }
        self.page_size.set(number(&header[PAGE_SIZE..]) as usize);
        self.scan_frames(log)
    }

    /// Scans the newest version of each page in the frames that are not scanned yet.
    fn scan_frames(&self, log: &File) -> io::Result<()> {
        let frame = FRAME_HEADER + self.page_size.get();
        let mut bytes = self.bytes.borrow_mut();
        bytes.resize(frame * FRAMES, 0);
        let mut pages = self.pages.borrow_mut();
        let mut logged = self.logged.borrow_mut();
        let mut seen = HashSet::new();
        let mut end = self.committed.get();
        while end > self.scanned.get() {
            let count =
                usize::try_from(end - self.scanned.get()).map_or(FRAMES, |all| all.min(FRAMES));
            let from = end - count as u64;
            let bytes = &mut bytes[..frame * count];
            log.read_exact_at(bytes, HEADER as u64 + from * frame as u64)?;
            for frame in bytes.chunks_exact(frame).rev() {
                let (header, page) = frame.split_at(FRAME_HEADER);
                let page_number = number(header);
                if seen.insert(page_number) {
                    if let Some(logged) = &mut *logged {
                        logged.set(page_number, true);
                    }
                    pages.set(page_number, residue(page_number, page).is_some());
                    #[cfg(test)]
                    self.pages_scanned.set(self.pages_scanned.get() + 1);
                }
            }
            end = from;
        }
        self.scanned.set(self.committed.get());
        Ok(())
    }

    /// Scrubs a portion of the pages. Returns whether more are left.
    pub(super) fn portion(&self, db: &Connection) -> rusqlite::Result<bool> {
        if path_of(db).is_none() {
            return Ok(false);
        }
        let mut pages = self.pages.borrow_mut();
        let last: u32 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        if self.skips(last) {
            *pages = PageSet::default();
            return Ok(false);
        }
        if self.is_unknown.replace(false) {
            *pages = PageSet::up_to(last);
        }
        let found: Vec<u32> = pages.iter().take(LOOKED_AT).collect();
        if found.is_empty() {
            return Ok(false);
        }
        let transaction = db.unchecked_transaction()?;
        let mut written = 0;
        let mut done = Vec::with_capacity(found.len());
        for page in found {
            if written == WRITTEN {
                break;
            }
            written += usize::from(page <= last && scrub(db, page)?);
            done.push(page);
        }
        transaction.commit()?;
        for page in done {
            pages.set(page, false);
        }
        Ok(!pages.is_empty())
    }
}

/// Zeros the unallocated space of a page. Returns whether there was anything.
fn scrub(db: &Connection, page: u32) -> rusqlite::Result<bool> {
    let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
    let mut bytes: Vec<u8> = db
        .prepare_cached(sql)?
        .query_row([page], |row| row.get(0))?;
    let Some(residue) = residue(page, &bytes) else {
        return Ok(false);
    };
    bytes[residue].fill(0);
    db.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?
        .execute(params![page, bytes])?;
    Ok(true)
}

/// The unallocated space of a page, if it is a B-tree page and that space has bytes other than zero. A page that
/// contradicts itself is left to a repair.
fn residue(number: u32, page: &[u8]) -> Option<Range<usize>> {
    // The first page begins with the header of the database.
    let header = if number == 1 { 100 } else { 0 };
    let pointers = match page.get(header)? {
        // Interior pages of indexes and tables, and leaves.
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let word = |at: usize| {
        let bytes = page.get(at..at + 2)?;
        Some(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    };
    let end = pointers + 2 * word(header + 3)?;
    let content = match word(header + 5)? {
        0 => 65_536,
        start => start,
    };
    let space = page.get(end..content)?;
    let mut cells = (pointers..end).step_by(2);
    let is_sound =
        cells.all(|at| word(at).is_some_and(|cell| (content..page.len()).contains(&cell)));
    (is_sound && !is_zero(space)).then_some(end..content)
}

/// Whether all bytes are zero. Compiled, it compares many of them at a time.
fn is_zero(bytes: &[u8]) -> bool {
    let mut parts = bytes.chunks(64);
    parts.all(|part| part.iter().fold(0, |all, byte| all | byte) == 0)
}

/// The number at the beginning of these bytes.
fn number(bytes: &[u8]) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[..4]);
    u32::from_be_bytes(number)
}

fn path_of(db: &Connection) -> Option<&Path> {
    db.path().filter(|path| !path.is_empty()).map(Path::new)
}

/// A set of page numbers, of a bit each.
#[derive(Debug, Default)]
struct PageSet {
    words: Vec<u64>,
}

impl PageSet {
    /// The pages from the first to this one.
    fn up_to(last: u32) -> Self {
        let mut set = Self::default();
        for page in 1..=last {
            set.set(page, true);
        }
        set
    }

    fn set(&mut self, page: u32, is_in: bool) {
        let (word, bit) = (page as usize / 64, 1 << (page % 64));
        if word >= self.words.len() {
            if !is_in {
                return;
            }
            self.words.resize(word + 1, 0);
        }
        if is_in {
            self.words[word] |= bit;
        } else {
            self.words[word] &= !bit;
        }
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.words.iter().zip(0_u32..);
        words
            .filter(|(word, _)| **word != 0)
            .flat_map(|(word, at)| {
                (0..64)
                    .filter(move |bit| word >> bit & 1 == 1)
                    .map(move |bit| at * 64 + bit)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LogFilter;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI32, Ordering};

    #[test]
    fn only_a_sound_page_of_a_tree_has_unallocated_space() {
        let mut page = vec![0; 512];
        // A leaf of a table with one cell of 12 bytes at its end.
        page[0] = 13;
        page[3..7].copy_from_slice(&[0, 1, 1, 244]);
        page[8..10].copy_from_slice(&[1, 244]);
        page[500..].fill(7);
        assert_eq!(residue(2, &page), None, "it is zero");
        page[100] = 1;
        assert_eq!(residue(2, &page), Some(10..500));
        assert_eq!(
            residue(1, &page),
            None,
            "the header of the first page is elsewhere"
        );
        for (at, byte) in [(0, 0), (4, 2), (5, 3), (8, 0), (9, 243)] {
            let mut other = page.clone();
            other[at] = byte;
            assert_eq!(residue(2, &other), None, "byte {at}");
        }
    }

    #[test]
    fn a_database_that_is_too_large_is_skipped_and_the_log_says_so_once() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let (path, filter) = (log.path().to_owned(), LogFilter::parse("warn").unwrap());
        let open = move || File::options().append(true).open(&path).unwrap();
        echat_testkit::log_capture::with_subscriber(
            crate::logging::subscriber(&filter, false, open),
            || {
                let scrub = Scrub::new();
                assert!(!scrub.skips(TOO_MANY - 1));
                assert!(scrub.skips(TOO_MANY) && scrub.skips(TOO_MANY + 1));
            },
        );
        let lines = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
        assert!(lines.contains("128 GiB or more"), "{lines}");
    }

    #[test]
    fn a_set_has_what_was_put_into_it_and_not_taken_out() {
        let mut set = PageSet::up_to(130);
        assert_eq!(set.iter().count(), 130);
        for page in 2..=129 {
            set.set(page, false);
        }
        set.set(1_000, false);
        set.set(700, true);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 130, 700]);
        assert!(!set.is_empty() && PageSet::default().is_empty());
    }

    /// A database with a log, whose commits a scrub takes in, and the number of pages that each commit writes.
    struct Commits {
        db: Connection,
        scrub: Scrub,
        frames: Arc<AtomicI32>,
        path: PathBuf,
        _folder: tempfile::TempDir,
    }

    impl Commits {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.db");
            let mut db = Connection::open(&path).unwrap();
            db.pragma_update(None, "journal_mode", "WAL").unwrap();
            db.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
                .unwrap();
            let frames = Arc::new(AtomicI32::new(0));
            let told = Arc::clone(&frames);
            let hook = move |_: &mut rusqlite::hooks::Wal, pages: c_int| {
                told.store(pages, Ordering::Relaxed);
                Ok(())
            };
            db.wal_hook(Some(hook)).unwrap();
            let scrub = Scrub::new();
            scrub.trust();
            Self {
                db,
                scrub,
                frames,
                path,
                _folder: folder,
            }
        }

        /// Commits a change of so many pages at least.
        fn commit(&self, pages: i64) {
            let sql = "INSERT OR REPLACE INTO t VALUES (?1, randomblob(4000))";
            let transaction = self.db.unchecked_transaction().unwrap();
            for row in 0..pages {
                transaction.execute(sql, [row]).unwrap();
            }
            transaction.commit().unwrap();
            self.scrub
                .commit(&self.db, self.frames.load(Ordering::Relaxed));
        }

        /// Another program copies the whole log, so that the next commit begins it anew.
        fn checkpoint_elsewhere(&self) {
            let other = Connection::open(&self.path).unwrap();
            let sql = "PRAGMA wal_checkpoint(PASSIVE)";
            let (pages, copied): (i64, i64) = other
                .query_row(sql, [], |row| Ok((row.get(1)?, row.get(2)?)))
                .unwrap();
            assert_eq!(pages, copied);
        }

        fn is_unknown(&self) -> bool {
            self.scrub.is_unknown.get()
        }
    }

    #[test]
    fn commits_are_scanned_in_batches_and_before_a_checkpoint() {
        let commits = Commits::new();
        commits.commit(2);
        let first = commits.scrub.scanned.get();
        for _ in 0..10 {
            commits.commit(2);
            assert_eq!(commits.scrub.scanned.get(), first);
        }
        assert!(!commits.scrub.is_done(), "it is not scanned");
        commits.scrub.before_checkpoint(&commits.db);
        assert_eq!(commits.scrub.scanned.get(), commits.scrub.committed.get());
        // The log may restart with each of these.
        commits.commit(2);
        assert_eq!(commits.scrub.scanned.get(), commits.scrub.committed.get());
        super::super::checkpoint(&commits.db).unwrap();
        commits.commit(50);
        assert!(commits.scrub.committed.get() > 40 && !commits.is_unknown());
        assert_eq!(commits.scrub.scanned.get(), commits.scrub.committed.get());
        let scanned = commits.scrub.scanned.get();
        commits.commit(2);
        assert_eq!(
            commits.scrub.scanned.get(),
            scanned,
            "the log has restarted"
        );
        while commits.scrub.scanned.get() == scanned {
            commits.commit(20);
        }
        assert!(commits.scrub.scanned.get() >= scanned + UNSCANNED);
    }

    #[test]
    fn the_pages_of_the_scanned_frames_are_known() {
        let commits = Commits::new();
        let is_known = || {
            commits.scrub.scan(&commits.db);
            let frames = commits.frames.load(Ordering::Relaxed);
            let ranges = super::super::write_back::ranges(&log_of(&commits.path), 0..frames);
            assert_eq!(commits.scrub.logged().unwrap(), ranges.unwrap());
        };
        for pages in [2, 30, 300, 2] {
            commits.commit(pages);
            is_known();
        }
        super::super::checkpoint(&commits.db).unwrap();
        // The log begins anew.
        commits.commit(7);
        assert!(commits.frames.load(Ordering::Relaxed) < 20);
        is_known();
        commits.scrub.is_unknown.set(true);
        commits.commit(2);
        commits.scrub.scan(&commits.db);
        assert_eq!(commits.scrub.logged(), None, "frames were passed over");
    }

    #[test]
    fn of_a_page_that_many_commits_write_only_the_newest_version_is_scanned() {
        let commits = Commits::new();
        let index =
            "CREATE TABLE u (a TEXT PRIMARY KEY, b TEXT) WITHOUT ROWID; CREATE INDEX v ON u (b)";
        commits.db.execute_batch(index).unwrap();
        for _ in 0..500 {
            let sql = "INSERT INTO u VALUES (hex(randomblob(8)), hex(randomblob(8)))";
            commits.db.execute(sql, []).unwrap();
            let frames = commits.frames.load(Ordering::Relaxed);
            commits.scrub.commit(&commits.db, frames);
        }
        commits.scrub.scan(&commits.db);
        let (frames, scanned) = (
            commits.scrub.scanned.get(),
            commits.scrub.pages_scanned.get(),
        );
        assert!(
            frames >= 1_000 && scanned < frames / 10,
            "{scanned} of {frames}"
        );
    }

    #[test]
    fn a_log_that_another_program_lets_restart_makes_all_pages_unknown() {
        // The log has fewer frames than before, as many, or more.
        for pages in [1, 6, 60] {
            let commits = Commits::new();
            commits.commit(1);
            commits.commit(5);
            commits.checkpoint_elsewhere();
            commits.commit(pages);
            commits.scrub.scan(&commits.db);
            assert!(commits.is_unknown(), "{pages}");
        }
        // Not if all of it was scanned.
        let commits = Commits::new();
        commits.commit(5);
        commits.scrub.scan(&commits.db);
        commits.checkpoint_elsewhere();
        commits.commit(1);
        commits.scrub.scan(&commits.db);
        assert!(!commits.is_unknown());
        // Of a log that restarted unnoticed, it is not known what was scanned.
        commits.commit(9);
        commits.checkpoint_elsewhere();
        commits.commit(90);
        commits.scrub.scan(&commits.db);
        assert!(commits.is_unknown());
    }
}
