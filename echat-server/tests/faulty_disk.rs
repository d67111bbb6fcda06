//! The disk says no, or says that it failed: the real server acknowledges nothing that is not there.

mod faults;
mod place;
mod wire;
mod writers;

use std::collections::BTreeSet;

use faults::record::Note;
use faults::recording::Recording;
use faults::{Rule, Shim};
use place::{Place, Running, stderr};
use rustix::io::Errno;
use rustix::process::Signal;
use wire::{Client, line, message, number};
use writers::Crowd;

/// One message a tick, so that few of them are many commits.
const CROWD: Crowd = Crowd {
    writers: 1,
    window: 1,
};
/// Messages that are acknowledged before the disk fails, and again after it.
const ACKNOWLEDGED: usize = 40;
/// Power cuts in what was recorded.
const CUTS: usize = 20;

/// Once this many calls of this kind on such a file have failed, the server is stopped with code 74,
/// nothing was acknowledged that is not there, neither when it starts again nor when then the power
/// is cut.
fn stops_and_starts_again(what: &'static str, files: &'static str, times: i64) {
    let shim = Shim::new();
    shim.switch(false);
    let rule = Rule {
        what,
        files,
        skip: 0,
        times,
        errno: Some(Errno::IO),
    };
    let (place, server, members) = CROWD.enter(|place| shim.start(place, Some(rule)));
    let mut written = CROWD.write_until(&server, members, 0, ACKNOWLEDGED, |_| shim.switch(true));
    let output = server.end();
    assert_eq!(output.status.code(), Some(74));
    let said = "stopping, nothing unsaved was acknowledged";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    let notes = shim.notes();
    let failed = notes
        .iter()
        .position(|note| matches!(note, Note::NotSynced { .. }));
    assert_eq!(failed.is_some(), what == "sync");
    let later = &notes[failed.unwrap_or(notes.len())..];
    assert!(!later.iter().any(|note| matches!(note, Note::Sent { .. })));

    let server = shim.start(&place, None);
    let members = CROWD.return_to(&server);
    written.extend(
        CROWD.write_until(&server, members, 1, ACKNOWLEDGED, |server| {
            server.signal(Signal::TERM);
        }),
    );
    assert_eq!(server.end().status.code(), Some(0));
    let recording = Recording::new(&shim, &place, written);
    assert_eq!(recording.check(&place, recording.notes.len()), Ok(()));
    assert_eq!(
        recording.play(&BTreeSet::new(), &recording.moments(CUTS)),
        [""; 0]
    );
}

#[test]
fn a_sync_of_the_log_that_fails() {
    stops_and_starts_again("sync", "-wal", 1);
}

#[test]
fn a_sync_of_the_log_that_fails_at_the_end_too() {
    stops_and_starts_again("sync", "-wal", 2);
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

/// Every sync that a first start asks for, one after the other: none that fails is passed over.
#[test]
fn a_sync_of_the_first_start_that_fails() {
    let syncs = (0..1_000)
        .take_while(|syncs| refuses_to_start(*syncs))
        .count();
    assert!(syncs >= 5, "{syncs} syncs");
}

/// Whether one that comes after so many is asked for. It fails: the server says so and stops, and the
/// next one starts.
fn refuses_to_start(syncs: u64) -> bool {
    let (place, shim) = (Place::in_memory(), Shim::new());
    let rule = Rule {
        what: "sync",
        files: "-",
        skip: syncs,
        times: 1,
        errno: Some(Errno::IO),
    };
    let mut server = Running::begin(shim.command(&place, Some(rule)));
    let is_ready = server.becomes_ready();
    let notes = shim.notes();
    if is_ready {
        server.kill();
        return passed_over(&notes);
    }
    let output = server.end();
    let code = output.status.code().unwrap();
    assert!([73, 74].contains(&code), "{code}: {}", stderr(&output));
    assert_eq!(shim.start(&place, None).stop().status.code(), Some(0));
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

/// Messages after which the log has been folded once: from then on there are pages to write again
/// without new space, and then a long log that cannot be folded.
const FOLDED: usize = 160;

/// The real disk under the database has no place left, and then has some again.
#[test]
fn a_full_disk_refuses_what_writes_until_there_is_room() {
    let shim = Shim::new();
    shim.switch(false);
    let place = Place::in_memory();
    place.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0}}}"#,
    );
    let full = Rule {
        what: "grow",
        files: "-",
        skip: 0,
        times: -1,
        errno: Some(Errno::NOSPC),
    };
    let server = shim.start(&place, Some(full));
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    bob.asks("JOIN_ROOM \"tea\"");
    let before: Vec<_> = (0..FOLDED).map(|n| sends(&mut ann, n)).collect();
    assert!(before.iter().all(Option::is_some));
    shim.switch(true);
    let kept: Vec<_> = (FOLDED..1000).map_while(|n| sends(&mut ann, n)).collect();
    assert!(!kept.is_empty(), "the log was folded");
    let first_lost = FOLDED + kept.len();
    assert!(first_lost < 1000, "the disk has an end");
    let lost = first_lost..first_lost + 40;
    ann.says(&lost.clone().map(request).collect::<Vec<_>>());
    for n in lost.clone() {
        let reply = ann.hears_reply(&request(n));
        assert!(line(&reply).contains("storage_full"), "{}", line(&reply));
    }
    // Reading and logging in go on.
    let mut again = Client::login(&server, "bob");
    let mut all: Vec<_> = before.into_iter().flatten().chain(kept).collect();
    assert_eq!(ids(&mut again), all);

    shim.switch(false);
    all.extend(lost.map(|n| sends(&mut ann, n).expect("there is room again")));
    assert_eq!(ids(&mut again), all);
    assert_eq!(server.stop().status.code(), Some(0));
    let server = shim.start(&place, None);
    assert_eq!(ids(&mut Client::login(&server, "bob")), all);
}

/// A message so long that it takes a page of its own.
fn request(n: usize) -> String {
    let content = "x".repeat(3_900);
    format!(
        r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{n} {content}","txn_id":"t{n}"}}"#
    )
}

/// The id of a message that was acknowledged; `None` if there was no room.
fn sends(ann: &mut Client, n: usize) -> Option<u64> {
    let reply = ann.asks(&request(n));
    if line(&reply).contains("storage_full") {
        return None;
    }
    assert_eq!(reply.command, message("ON_NEW_MESSAGE").command);
    Some(number(&reply.params, "id"))
}

/// The ids of all messages in the room.
fn ids(member: &mut Client) -> Vec<u64> {
    let history = member.history("tea", 0);
    history.into_iter().map(|(id, _)| id).collect()
}
