//! Writes the pages of a checkpoint to the disk in small portions.
//!
//! `SQLite` copies pages into the kernel's cache and syncs the file once. A sync of some hundred MiB keeps the disk
//! busy, and every sync of the log waits for it. A direct read (`O_DIRECT`) makes the kernel write the cached pages of
//! its range and wait for them (`open(2)`). So the disk receives one portion at a time and serves other syncs in
//! between. The bytes that are read are discarded.

use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes that are written at a time.
pub(in crate::storage) const PORTION: usize = 1024 * 1024;

/// Alignment of direct reads, in bytes: the largest block size of disks in use.
const ALIGN: usize = 4096;

/// Bytes of the log's header (`SQLite` file format, section 4.1).
pub(super) const HEADER: usize = 32;

/// The position of the page size in the header.
pub(super) const PAGE_SIZE: usize = 8;

/// Bytes of the header of each page in the log.
pub(super) const FRAME_HEADER: usize = 24;

/// The ranges of the database, in bytes and in order, to which these pages of `log` belong (the first page is 0).
pub(super) fn ranges(log: &Path, copied: Range<c_int>) -> io::Result<Vec<Range<u64>>> {
    let log = File::open(log)?;
    let mut word = [0; 4];
    let mut read = |at| {
        log.read_exact_at(&mut word, at)
            .map(|()| u64::from(u32::from_be_bytes(word)))
    };
    let page = read(PAGE_SIZE as u64)?;
    let mut pages = Vec::new();
    for frame in copied {
        let frame = u64::try_from(frame).unwrap_or(0);
        pages.push(read(HEADER as u64 + frame * (FRAME_HEADER as u64 + page))?);
    }
    pages.sort_unstable();
    pages.dedup();
    Ok(side_by_side(pages, page))
}

/// The byte ranges of pages of `page` bytes, which are numbered from one and in order. Adjacent pages form one range of
/// at most [`PORTION`].
pub(super) fn side_by_side(pages: impl IntoIterator<Item = u64>, page: u64) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for number in pages.into_iter().filter(|number| *number > 0) {
        let start = (number - 1) * page;
        match ranges.last_mut() {
            Some(last) if last.end == start && start + page - last.start <= PORTION as u64 => {
                last.end += page;
            }
            _ => ranges.push(start..start + page),
        }
    }
    ranges
}

/// Makes the kernel write these ranges of `file` one after another. On return they are written, but not synced.
///
/// # Errors
/// The file system does not support direct reads, or a write failed. A sync through the same descriptor reports the
/// failed write too.
pub(in crate::storage) fn write_back(file: &File, ranges: &[Range<u64>]) -> io::Result<()> {
    read_directly(file)?;
    let longest = ranges.iter().map(|range| range.end - range.start).max();
    let longest = longest.map_or(0, |bytes| {
        usize::try_from(bytes).unwrap_or(PORTION).min(PORTION)
    });
    let mut bytes = vec![0; longest + ALIGN];
    let aligned = bytes.as_ptr().align_offset(ALIGN);
    for range in ranges {
        let length = usize::try_from(range.end - range.start).unwrap_or(PORTION);
        let portion = bytes.get_mut(aligned..aligned + length.min(PORTION));
        let portion = portion.ok_or(io::ErrorKind::InvalidInput)?;
        match file.read_at(portion, range.start) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes all later reads through `file` direct.
#[cfg(target_os = "linux")]
fn read_directly(file: &File) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    Ok(fcntl_setfl(file, fcntl_getfl(file)? | OFlags::DIRECT)?)
}

#[cfg(not(target_os = "linux"))]
fn read_directly(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn pages_side_by_side_are_written_together_in_portions() {
        let ranges = side_by_side([1, 2, 3, 7, 9, 10], 4096);
        assert_eq!(ranges, [0..12_288, 24_576..28_672, 32_768..40_960]);
        let lengths = side_by_side(1..=600, 4096);
        let lengths: Vec<u64> = lengths
            .iter()
            .map(|range| range.end - range.start)
            .collect();
        assert_eq!(lengths, [1 << 20, 1 << 20, 88 * 4096]);
    }

    #[test]
    fn the_ranges_are_those_of_the_pages_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE a (x); INSERT INTO a VALUES (zeroblob(2000000));",
        )
        .unwrap();
        let pages: u32 = db
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let look = "PRAGMA wal_checkpoint(NOOP)";
        let frames = db.query_row(look, [], |row| row.get(1)).unwrap();
        let log = folder.path().join("database-wal");
        let found = ranges(&log, 0..frames).unwrap();
        assert_eq!(found, side_by_side(1..=pages.into(), 4096));
        assert_eq!(found.len(), 2);
        assert!(ranges(&log, 0..frames + 1).is_err(), "there are no more");
    }
}
