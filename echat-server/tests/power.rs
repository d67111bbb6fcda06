//! The power is cut while users write: what was acknowledged is there when it comes back.
//!
//! A real server is recorded twice on one data folder, from the first start with nothing there to a
//! stop in peace. Then the power is cut at random moments of the record, on a disk that keeps of
//! everything that was not synced what chance will have (`faults::disk`), and echat starts on what
//! is left.

mod faults;
mod place;
mod wire;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Display;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use echat_server::data_dir::DataDir;
use echat_server::host_key;
use echat_server::store::Store;
use faults::Shim;
use faults::disk::Disk;
use faults::record::{Note, Told};
use place::{Place, Running};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use rustix::process::Signal;
use wire::Client;
use writers::{Acknowledged, Written, hall, log_in, write_until};

/// Cuts of an ordinary run; `ECHAT_CUTS` asks for more.
const CUTS: usize = 150;
/// Cuts after which the real binary is started and a new user let in, one of this many.
const STARTS: usize = 50;
/// Few, so that a tick has few messages and there are many ticks.
const WRITERS: usize = 3;
/// Messages that are acknowledged before a recorded server is told to stop: enough for a checkpoint
/// under way, and for the log to begin anew.
const ACKNOWLEDGED: usize = 1_600;

/// What a server did, and what its clients know.
struct Recording {
    root: PathBuf,
    notes: Vec<Note>,
    /// The note of the first ready line, and the host key that it announced.
    ready: usize,
    host_key: Vec<u8>,
    /// Every message that was sent.
    sent: BTreeSet<String>,
    /// Those that were acknowledged: the note of the call that said so, and the id.
    acknowledged: BTreeMap<String, (usize, u64)>,
}

static RECORDING: LazyLock<Recording> = LazyLock::new(|| {
    let shim = Shim::new();
    let (place, server, members) = hall(WRITERS, |place| shim.start(place, None));
    let mut written = write_and_stop(server, members, 0);
    let server = shim.start(&place, None);
    let members = log_in(&server, WRITERS);
    written.extend(write_and_stop(server, members, 1));
    let notes = shim.notes();
    let told = Told::new(&notes);
    let acknowledged = written.iter().flat_map(
        |Written {
             acknowledged, port, ..
         }| {
            let told = &told;
            acknowledged
                .iter()
                .map(move |(txn_id, Acknowledged { id, received })| {
                    (txn_id.clone(), (told.index(*port, *received), *id))
                })
        },
    );
    Recording {
        root: faults::root(&place),
        acknowledged: acknowledged.collect(),
        sent: written
            .into_iter()
            .flat_map(|written| written.sent)
            .collect(),
        ready: notes
            .iter()
            .position(|note| matches!(note, Note::Ready))
            .unwrap(),
        host_key: fs::read(place.path("data/host_key")).unwrap(),
        notes: with_checkpoint(notes),
    }
});

/// The record, if it is of the moments that it is meant for.
fn with_checkpoint(notes: Vec<Note>) -> Vec<Note> {
    let log_is_anew =
        |note: &Note| matches!(note, Note::Written { at: 0, bytes, .. } if bytes.len() == 32);
    let logs = notes.iter().filter(|note| log_is_anew(note)).count();
    // Each server begins one, and once more after its checkpoint.
    assert!(logs >= 4, "{logs} beginnings of a log");
    notes
}

fn write_and_stop(server: Running, members: Vec<Client>, round: usize) -> Vec<Written> {
    let written = write_until(&server, members, round, ACKNOWLEDGED, |server| {
        server.signal(Signal::TERM);
    });
    assert_eq!(server.end().status.code(), Some(0));
    written
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    let cuts = env::var("ECHAT_CUTS").map_or(CUTS, |cuts| cuts.parse().unwrap());
    let recording = &*RECORDING;
    let failed = play(recording, &BTreeSet::new(), cuts);
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

/// The control: the same test sees it when a commit is not synced, which is all that
/// `synchronous=NORMAL` changes. A checkpoint still syncs the log and then the database.
#[test]
fn without_the_syncs_that_normal_leaves_out_it_does() {
    let failed = play(&RECORDING, &commits(&RECORDING.notes), CUTS);
    eprintln!("{} of {CUTS} cuts lose what was acknowledged", failed.len());
    assert!(failed.len() > CUTS / 4);
    for reason in &failed {
        assert!(reason.contains("was acknowledged"), "{reason}");
    }
}

/// The notes of the syncs that end a commit: those of the log right after one of its frames. Its
/// header, when it begins anew, and what a checkpoint is about to fold are synced by NORMAL too.
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

/// Cuts the power at so many moments; what was wrong afterwards. Syncs that are `left_out` are taken
/// for not done.
fn play(recording: &Recording, left_out: &BTreeSet<usize>, cuts: usize) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(1);
    let mut moments: Vec<_> = (0..cuts)
        .map(|_| rng.random_range(0..=recording.notes.len()))
        .collect();
    moments.sort_unstable();
    let mut disk = Disk::new(2);
    let mut done = 0;
    let mut failed = Vec::new();
    for (number, moment) in moments.into_iter().enumerate() {
        for index in done..moment {
            if !left_out.contains(&index) {
                disk.apply(&recording.notes[index]);
            }
        }
        done = moment;
        let mut rng = StdRng::seed_from_u64(number as u64);
        let place = restored(recording, &disk.cut(&mut rng));
        let mut checked = check(recording, &place, moment);
        if number % STARTS == 0 && checked.is_ok() {
            checked = serves(&place);
        }
        if let Err(reason) = checked {
            failed.push(format!("cut {number}, after note {moment}: {reason}"));
        }
    }
    failed
}

/// A place with these files, whose names are those of the recorded place.
fn restored(recording: &Recording, found: &BTreeMap<PathBuf, Option<Vec<u8>>>) -> Place {
    let place = Place::new();
    for (path, content) in found {
        let path = place.path(path.strip_prefix(&recording.root).unwrap());
        match content {
            None => fs::create_dir(&path).unwrap(),
            // The name of its folder may be lost.
            Some(content) if path.parent().unwrap().exists() => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            }
            Some(_) => {}
        }
    }
    place
}

/// Whether echat starts on these files, and what it told by then is there.
fn check(recording: &Recording, place: &Place, moment: usize) -> Result<(), String> {
    let dir = DataDir::open(&place.path("data"), Some(&place.path("config.json"))).map_err(text)?;
    host_key::load_or_create(&dir.host_key()).map_err(text)?;
    drop(Store::open(&dir.database()).map_err(text)?);
    let announced = moment > recording.ready;
    if announced && fs::read(dir.host_key()).map_err(text)? != recording.host_key {
        return Err("another host key than was announced".to_owned());
    }
    let found = messages(&dir.database()).map_err(text)?;
    for (txn_id, (told, id)) in &recording.acknowledged {
        if *told < moment && found.get(txn_id) != Some(id) {
            return Err(format!("{txn_id} was acknowledged as {id}"));
        }
    }
    match found
        .keys()
        .find(|txn_id| !recording.sent.contains(*txn_id))
    {
        Some(unknown) => Err(format!("{unknown} was never sent")),
        None => Ok(()),
    }
}

/// The ids of all messages by txn_id, which is their content, in a database that is whole.
fn messages(path: &Path) -> Result<BTreeMap<String, u64>, rusqlite::Error> {
    let db = Connection::open(path)?;
    let whole: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(whole, "ok");
    assert!(!db.prepare("PRAGMA foreign_key_check")?.exists([])?);
    let mut found = BTreeMap::new();
    let mut statement = db.prepare("SELECT txn_id, content, id FROM messages")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let txn_id: String = row.get(0)?;
        assert_eq!(txn_id, row.get::<_, String>(1)?);
        assert_eq!(
            found.insert(txn_id, row.get::<_, i64>(2)?.cast_unsigned()),
            None,
            "doubled"
        );
    }
    Ok(found)
}

/// The real binary starts there, lets somebody new in, and stops in peace.
fn serves(place: &Place) -> Result<(), String> {
    let server = place.start(&["--log", "warn"]);
    Client::register(&server, "late").is_served();
    match server.stop().status.code() {
        Some(0) => Ok(()),
        code => Err(format!("the server ended with {code:?}")),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
