//! The disk says that it failed: the real server acknowledges nothing that is not there, and stops.

mod recording;

use std::collections::BTreeSet;

use echat_testkit::clock::now;
use echat_testkit::faults::record::Note;
use echat_testkit::faults::{Rule, Shim};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr};
use echat_testkit::side_by_side::count_while;
use echat_testkit::writers::Crowd;
use recording::Recording;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rustix::io::Errno;
use rustix::process::Signal;

/// One message a tick, so that few of them are many commits.
const CROWD: Crowd = Crowd {
    writers: 1,
    window: 1,
};
/// Messages that are acknowledged before the disk fails, where it does not fail at once, and after it.
const ACKNOWLEDGED: usize = 40;
/// Power cuts in what was recorded.
const CUTS: usize = 20;

/// Calls of this kind on such a file fail, so often: the server stops with code 74, and nothing that it
/// acknowledged is missing, neither when it starts again nor when the power is cut then.
fn stops_and_starts_again(what: &'static str, files: &'static str, times: i64) {
    fails(what, files, times, ACKNOWLEDGED, Reader::None);
}

/// The same while another program keeps a read open, until so many messages are acknowledged: the log is
/// long when it lets go, and is checkpointed beside the loop.
fn stops_beside_the_loop(what: &'static str) {
    fails(what, "database.db", 1, LONG, Reader::BesideFirst);
}

/// When another program keeps a read open, so that the log goes on and does not restart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    None,
    /// Beside the server whose disk fails, until it does.
    BesideFirst,
    /// Beside the next server.
    BesideSecond,
}

/// Messages with which the log is longer than what the loop itself checkpoints.
const LONG: usize = 900;

/// Such calls fail after so many messages, from the first one on if it is none.
fn fails(what: &'static str, files: &'static str, times: i64, acknowledged: usize, reader: Reader) {
    let shim = Shim::new();
    if acknowledged > 0 {
        shim.switch(false);
    }
    let rule = Rule {
        what,
        files,
        skip: 0,
        times,
        errno: Some(Errno::IO),
    };
    let (dir, server, members) = CROWD.enter(|dir| shim.start(dir, Some(rule)));
    let first_reader = (reader == Reader::BesideFirst).then(|| reading(&dir));
    let mut struck = now();
    let first = CROWD.write_until(&server, members, 0, acknowledged, |_| {
        shim.switch(true);
        if let Some(reader) = &first_reader {
            reader.execute_batch("ROLLBACK").unwrap();
        }
        struck = now();
    });
    if acknowledged == 0 {
        assert!(first.iter().all(|written| written.acknowledged.is_empty()));
    }
    let output = server.end();
    eprintln!("{rule}: stopped {:?} after it would", struck.elapsed());
    assert_eq!(output.status.code(), Some(74));
    let last = stderr(&output).lines().last().unwrap_or_default();
    let said = "; stopping, nothing unsaved was acknowledged";
    assert!(last.ends_with(said), "{}", stderr(&output));
    assert!(last.contains(" ERROR echat_server: "), "{last}");
    let notes = shim.notes();
    let failed = notes
        .iter()
        .position(|note| matches!(note, Note::NotSynced { .. }));
    assert_eq!(failed.is_some(), what == "sync");
    let later = &notes[failed.unwrap_or(notes.len())..];
    // Checkpoints write the database beside the loop, which still acknowledges what it has synced in the log.
    let is_beside = files == "database.db";
    assert!(is_beside || !later.iter().any(|note| matches!(note, Note::Sent { .. })));

    drop(first_reader);
    let second_reader = (reader == Reader::BesideSecond).then(|| reading(&dir));
    let server = shim.start(&dir, None);
    let members = CROWD.return_to(&server);
    let second = CROWD.write_until(&server, members, 1, ACKNOWLEDGED, |server| {
        server.signal(Signal::TERM);
    });
    assert_eq!(server.end().status.code(), Some(0));
    drop(second_reader);
    let recording = Recording::new(&shim, &dir, [first, second]);
    assert_eq!(recording.check(&dir, recording.notes.len()), Ok(()));
    assert_eq!(
        recording.play(&BTreeSet::new(), &recording.moments(CUTS)),
        [""; 0]
    );
}

/// Another program, which keeps a read open. It does not checkpoint the log when it ends, which would not be recorded.
fn reading(dir: &ServerFolder) -> Connection {
    let reader = Connection::open(dir.path("data/database.db")).unwrap();
    reader
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM history")
        .unwrap();
    reader
}

#[test]
fn a_sync_of_the_log_that_fails() {
    stops_and_starts_again("sync", "-wal", 1);
}

#[test]
fn a_sync_of_the_log_that_fails_at_the_end_too() {
    stops_and_starts_again("sync", "-wal", 2);
}

/// The next server appends to the log that was not synced, because it cannot restart it.
#[test]
fn a_sync_of_the_log_that_fails_before_it_goes_on() {
    fails("sync", "-wal", 1, ACKNOWLEDGED, Reader::BesideSecond);
}

#[test]
fn a_sync_of_the_database_that_fails() {
    stops_and_starts_again("sync", "database.db", 1);
}

#[test]
fn a_write_to_the_log_that_fails() {
    stops_and_starts_again("write", "-wal", 1);
}

#[test]
fn a_write_to_the_database_that_fails() {
    stops_and_starts_again("write", "database.db", 1);
}

#[test]
fn a_write_of_a_background_checkpoint_that_fails() {
    stops_beside_the_loop("write");
}

#[test]
fn a_sync_of_a_background_checkpoint_that_fails() {
    stops_beside_the_loop("sync");
}

#[test]
fn a_sync_of_the_reserved_ids_that_fails() {
    fails("sync", "high_water", 1, 0, Reader::None);
}

#[test]
fn a_write_of_the_reserved_ids_that_fails() {
    fails("write", "high_water", 1, 0, Reader::None);
}

#[test]
fn a_write_of_the_newest_id_that_fails() {
    stops_and_starts_again("write", "high_water", 1);
}

/// Every sync that a first start asks for, one after the other: none that fails is passed over.
#[test]
fn a_sync_of_the_first_start_that_fails() {
    let syncs = count_while(refuses_to_start);
    assert!(syncs >= 5, "{syncs} syncs");
}

/// Whether one that comes after so many is asked for. It fails: the server says so and stops, and the
/// next one starts.
fn refuses_to_start(syncs: u64) -> bool {
    let (dir, shim) = (ServerFolder::new(), Shim::new());
    let rule = Rule {
        what: "sync",
        files: "-",
        skip: syncs,
        times: 1,
        errno: Some(Errno::IO),
    };
    let mut server = ServerProcess::begin(shim.command(&dir, Some(rule)));
    let is_ready = server.becomes_ready();
    let notes = shim.notes();
    if is_ready {
        server.kill();
        return passed_over(&notes);
    }
    let output = server.end();
    let code = output.status.code().unwrap();
    assert!([73, 74].contains(&code), "{code}: {}", stderr(&output));
    assert_eq!(shim.start(&dir, None).stop().status.code(), Some(0));
    true
}

/// Whether a sync failed and the server got ready. `SQLite` passes over that of a folder: then the
/// server has synced the folder itself, with the log's name in it.
fn passed_over(notes: &[Note]) -> bool {
    let mut log = false;
    let (mut failed, mut named) = (false, false);
    for note in notes {
        match note {
            Note::NotSynced { .. } => panic!("ready after a sync that failed"),
            Note::NotSyncedFolder { .. } => failed = true,
            Note::Made { path, .. } => log |= path.ends_with("data/database.db-wal"),
            Note::SyncedFolder { path } => named |= log && path.ends_with("data"),
            _ => {}
        }
    }
    assert!(named, "a log, and its name is durable");
    failed
}
