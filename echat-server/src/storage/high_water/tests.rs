//! What the file says after every way in which it can be written, torn or damaged.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A file that is just made, for a database with this newest id.
fn made(newest: i64) -> (tempfile::TempDir, PathBuf, HighWater) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("high_water");
    let mark = HighWater::create(&path, newest, newest).unwrap();
    (folder, path, mark)
}

fn past(path: &Path) -> (i64, i64, bool) {
    let past = Past::read(path).unwrap().expect("a file");
    (past.reserved, past.newest, past.closed)
}

#[test]
fn the_form_of_the_file_does_not_change() {
    let (_folder, path, mut mark) = made(0);
    mark.reserve(1).unwrap();
    mark.record(7).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let (lines, rest) = text.split_at(BOOT * LINE);
    assert_eq!(rest, format!("boot     {}\n", boot().unwrap_or_default()));
    assert_eq!(
        lines,
        "reserved 0000000000000001000 813b057df3aa9fae\n\
         reserved 0000000000000000000 b773380ebfb59935\n\
         open     0000000000000000007 bec883ccfceddf77\n"
    );
    mark.close(false).unwrap();
    assert_eq!(past(&path), (1_000, 7, true));
}

#[test]
fn reserved_ids_cover_all_assigned_ids() {
    let (_folder, path, mut mark) = made(41);
    assert_eq!(past(&path), (41, 41, false));
    for id in 42..=5_000 {
        mark.reserve(id).unwrap();
        assert!(past(&path).0 >= id);
        mark.record(id).unwrap();
    }
    assert_eq!(past(&path), (41 + 5_000, 5_000, false));
}

/// Only the line that was being written may be torn, and each line is enough alone.
#[test]
fn a_torn_line_leaves_the_reservation_before_it() {
    let (_folder, path, mut mark) = made(0);
    for id in [1, 1_001, 2_001, 3_001] {
        let before = past(&path).0;
        mark.reserve(id).unwrap();
        let whole = fs::read(&path).unwrap();
        let torn = mark_of_latest(&whole);
        for at in torn * LINE..(torn + 1) * LINE {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(past(&path).0, before, "byte {at} after {id}");
        }
        fs::write(&path, &whole).unwrap();
    }
}

/// Which of the two reservations is the later one.
fn mark_of_latest(bytes: &[u8]) -> usize {
    let id = |at: usize| bytes[at * LINE + 9..][..19].to_vec();
    usize::from(id(1) > id(0))
}

#[test]
fn a_torn_newest_id_means_an_unclean_end() {
    let (_folder, path, mark) = made(5);
    mark.close(false).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    for at in NEWEST * LINE..BOOT * LINE {
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(past(&path), (5, 0, false), "byte {at}");
        assert!(!Past::read(&path).unwrap().unwrap().same_boot);
        bytes[at] ^= 1;
    }
    // Cut off before it.
    fs::write(&path, &bytes[..NEWEST * LINE]).unwrap();
    assert_eq!(past(&path), (5, 0, false));
}

#[test]
fn a_reservation_that_is_damaged_later_is_made_up_for_by_the_newest_id() {
    let (_folder, path, mut mark) = made(0);
    mark.reserve(1).unwrap();
    mark.record(1_000).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let later = mark_of_latest(&bytes) * LINE;
    bytes[later] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(past(&path), (2_000, 1_000, false));
}

#[test]
fn with_no_reservation_left_the_file_is_damaged_and_kept() {
    let (_folder, path, _) = made(5);
    let whole = fs::read(&path).unwrap();
    let mut both = whole.clone();
    both[0] ^= 1;
    both[LINE] ^= 1;
    let swapped = [
        &whole[NEWEST * LINE..BOOT * LINE],
        &whole[NEWEST * LINE..BOOT * LINE],
        &whole[..LINE],
    ]
    .concat();
    for bytes in [&both[..], &swapped, b"", &whole[..LINE - 1], b"a note\n"] {
        fs::write(&path, bytes).unwrap();
        let opened = Past::read(&path);
        assert!(matches!(opened, Err(HighWaterError::Damaged)), "{opened:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
