//! The power is cut while users write: what was acknowledged is there when it comes back.
//!
//! A real server is recorded twice on one data folder, from the first start with nothing there to a
//! stop in order. Then the power is cut at random moments of the record, on a disk that keeps of
//! everything that was not synced what chance will have (`faults::disk`), and echat starts on what
//! is left.

mod recording;

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::path::Path;
use std::sync::LazyLock;
use std::thread;

use echat_testkit::campaign;
use echat_testkit::faults::record::Note;
use echat_testkit::faults::{Shim, root};
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::Client;
use echat_testkit::writers::{Crowd, Written};
use recording::Recording;
use rusqlite::Connection;
use rustix::process::Signal;

/// Cuts of an ordinary run; `ECHAT_CUTS` asks for more.
const CUTS: usize = 150;
/// Cuts of the control.
const CONTROLS: usize = 50;
/// Cuts at each moment of the first start, at least.
const FIRST_STARTS: usize = 4;
/// One message a tick, or two: there are many commits.
const CROWD: Crowd = Crowd {
    writers: 2,
    window: 1,
};
/// Messages that are acknowledged before a recorded server is told to stop: enough for a checkpoint
/// under way, for the log to begin anew, and in both servers together for ids to be reserved twice.
const ACKNOWLEDGED: usize = 800;

static RECORDING: LazyLock<Recording> = LazyLock::new(|| {
    let shim = Shim::new();
    let (dir, server, members) = CROWD.enter(|dir| shim.start(dir, None));
    let first = write_beside_a_reader_and_stop(&dir, server, members);
    let server = shim.start(&dir, None);
    let members = CROWD.return_to(&server);
    let second = write_and_stop(server, members, 1);
    let recording = Recording::new(&shim, &dir, [first, second]);
    // Each server begins a log. The first one begins it anew after a checkpoint; the second one too, unless its
    // checkpoints beside the loop do not keep up with the load of the machine.
    let logs = recording.notes.iter().filter(|note| begins_log(note));
    assert!(logs.count() >= 3, "no checkpoint under load");
    let reservations = reservations(&recording.notes).len();
    assert!(reservations >= 2, "{reservations} reservations of ids");
    recording
});

/// Pages that the server's loop checkpoints at most.
const INLINE: i64 = 2_000;
/// Messages with which the log is longer than that.
const LONG: usize = 950;
/// Pages of a log that no checkpoint ends: fewer than all writers write together.
const ENDLESS: i64 = 50_000;

/// Users write while another program keeps a read open, so that the log cannot be checkpointed, and on when it
/// has let go, until the log begins anew; then the server is told to stop.
fn write_beside_a_reader_and_stop(
    dir: &ServerFolder,
    server: ServerProcess,
    members: Vec<Client>,
) -> Vec<Written> {
    let database = dir.path("data/database.db");
    let reader = Connection::open(&database).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM history")
        .unwrap();
    let written = CROWD.write_until(&server, members, 0, LONG, |server| {
        let observer = Connection::open(&database).unwrap();
        // The reader still holds the log: it is at its longest afterwards.
        let mut long = pages_of_log(&observer);
        reader.execute_batch("ROLLBACK").unwrap();
        loop {
            let now = pages_of_log(&observer);
            if now < long {
                break;
            }
            long = now;
            assert!(long < ENDLESS, "{long} pages: the log does not begin anew");
            thread::yield_now();
        }
        assert!(long > INLINE, "{long} pages: no checkpoint beside the loop");
        drop((reader, observer));
        server.signal(Signal::TERM);
    });
    assert_eq!(server.end().status.code(), Some(0));
    written
}

/// Pages of the write-ahead log since it began.
fn pages_of_log(db: &Connection) -> i64 {
    // The first column is 1, and there are no numbers, if the log's header changed during the look.
    let look = || {
        db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    };
    loop {
        if let (0, pages) = look().unwrap() {
            return pages;
        }
        thread::yield_now();
    }
}

fn begins_log(note: &Note) -> bool {
    matches!(note, Note::Written { at: 0, bytes, .. } if bytes.len() == 32)
}

fn write_and_stop(server: ServerProcess, members: Vec<Client>, round: usize) -> Vec<Written> {
    let written = CROWD.write_until(&server, members, round, ACKNOWLEDGED, |server| {
        server.signal(Signal::TERM);
    });
    assert_eq!(server.end().status.code(), Some(0));
    written
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    let cuts = cuts();
    let recording = &*RECORDING;
    let failed = recording.play(&BTreeSet::new(), &recording.moments(cuts));
    assert!(
        failed.is_empty(),
        "{} of {cuts} cuts: {failed:#?}",
        failed.len()
    );
    eprintln!(
        "{cuts} cuts in {} notes with {} acknowledged messages: 0 lost, 0 corrupt",
        recording.notes.len(),
        recording.acknowledged.len()
    );
}

/// It is short, and the only time when names are made.
#[test]
fn a_power_cut_of_the_first_start_is_repaired_by_the_next() {
    let moments = RECORDING.first_start((cuts() / 100).max(FIRST_STARTS));
    let failed = RECORDING.play(&BTreeSet::new(), &moments);
    assert!(failed.is_empty(), "{failed:#?}");
    eprintln!(
        "{} cuts of the first start: 0 lost, 0 corrupt",
        moments.len()
    );
}

/// The control: the same test sees it when reserved ids are not synced.
#[test]
fn without_the_syncs_of_reserved_ids_they_go_back() {
    // One in ten: in most cuts some note of the newest id survives, and makes up for it.
    let cuts = 3 * CONTROLS;
    let moments = RECORDING.moments(cuts);
    let failed = RECORDING.play(&reservations(&RECORDING.notes), &moments);
    eprintln!("control: ids go back in {} of {cuts} cuts", failed.len());
    assert!(!failed.is_empty());
    for reason in &failed {
        assert!(reason.contains("ids go back"), "{reason}");
    }
}

/// The notes of the syncs of ids that were reserved while a server ran.
fn reservations(notes: &[Note]) -> BTreeSet<usize> {
    let mut written = None;
    let mut syncs = BTreeSet::new();
    for (index, note) in notes.iter().enumerate() {
        match note {
            Note::Written { file, bytes, .. } if bytes.starts_with(b"reserved ") => {
                written = Some(*file);
            }
            Note::Written { .. } => written = None,
            Note::Synced { file } if written.take() == Some(*file) => {
                syncs.insert(index);
            }
            _ => {}
        }
    }
    syncs
}

fn cuts() -> usize {
    campaign::count("ECHAT_CUTS", CUTS)
}

/// The control: the same test sees it when a commit is not synced, which is all that
/// `synchronous=NORMAL` changes. A checkpoint still syncs the log and then the database.
#[test]
fn control_without_the_syncs_of_commits_messages_are_lost() {
    let moments = RECORDING.moments(CONTROLS);
    let failed = RECORDING.play(&commits(&RECORDING.notes), &moments);
    eprintln!(
        "control: {} of {CONTROLS} cuts lose what was acknowledged",
        failed.len()
    );
    assert!(failed.len() > CONTROLS / 4);
    for reason in &failed {
        assert!(reason.contains("was acknowledged"), "{reason}");
    }
}

/// The control leaves out what `SQLite` leaves out: the same transactions with either setting.
#[test]
fn control_leaves_out_exactly_the_syncs_of_synchronous_normal() {
    let full = written_with("FULL");
    let left_out = commits(&full);
    let rest: Vec<_> = (0..)
        .zip(full)
        .filter(|(index, _)| !left_out.contains(index))
        .map(|(_, note)| note)
        .collect();
    assert!(left_out.len() > 300);
    assert_eq!(on_disk(&rest), on_disk(&written_with("NORMAL")));
}

/// What a process did that wrote with this setting.
fn written_with(synchronous: &str) -> Vec<Note> {
    let (dir, shim) = (ServerFolder::new(), Shim::new());
    let writer = shim
        .this_program(&dir, "writes_with_a_setting")
        .env("ECHAT_DATABASE", root(&dir).join("a.db"))
        .env("ECHAT_SYNCHRONOUS", synchronous)
        .output();
    assert!(writer.unwrap().status.success());
    shim.notes()
}

#[test]
#[ignore = "a process of its own for the test above"]
fn writes_with_a_setting() {
    let Ok(path) = env::var("ECHAT_DATABASE") else {
        return;
    };
    let db = Connection::open(path).unwrap();
    let synchronous = env::var("ECHAT_SYNCHRONOUS").unwrap();
    let set = format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}");
    db.execute_batch(&set).unwrap();
    db.execute_batch("CREATE TABLE t (a)").unwrap();
    for _ in 0..400 {
        // Three pages each: a checkpoint is under way, and the log begins anew.
        db.execute_batch("INSERT INTO t VALUES (zeroblob(8000))")
            .unwrap();
    }
}

/// The kinds and places of what was written and synced, in order.
fn on_disk(notes: &[Note]) -> Vec<(&Path, Option<u64>)> {
    let mut names = HashMap::new();
    let mut done = Vec::new();
    for note in notes {
        match note {
            Note::Made { path, file } => {
                names.insert(file, Path::new(path.file_name().unwrap()));
            }
            Note::Written { file, at, .. } => done.push((names[file], Some(*at))),
            Note::Synced { file } => done.push((names[file], None)),
            _ => {}
        }
    }
    done
}

/// The notes of the syncs that end a commit: those of the log right after one of its frames. Its
/// header, when it begins anew, and what a checkpoint is about to copy are synced by NORMAL too.
fn commits(notes: &[Note]) -> BTreeSet<usize> {
    let mut log = 0;
    let mut frames = false;
    let mut commits = BTreeSet::new();
    for (index, note) in notes.iter().enumerate() {
        match note {
            Note::Made { path, file } if path.to_str().unwrap().ends_with("-wal") => log = *file,
            Note::Written { file, at, .. } => frames = *file == log && *at > 0,
            Note::Synced { file } => {
                if *file == log && frames {
                    commits.insert(index);
                }
                frames = false;
            }
            _ => {}
        }
    }
    commits
}
