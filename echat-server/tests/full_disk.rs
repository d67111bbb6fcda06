//! The disk is full, and then it is not: the real server refuses what it cannot keep, and goes on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;

use echat_testkit::clock::now;
use echat_testkit::faults::{Rule, Shim};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr};
use echat_testkit::wire::{Client, line, message, number};
use rustix::io::Errno;

const SERVER: &str = env!("CARGO_BIN_EXE_echat-server");

/// More messages than the disk has place for.
const TOO_MANY: usize = 1_500;

fn dir() -> ServerFolder {
    place_with(0)
}

/// A place for a server that keeps so many bytes of its disk free.
fn place_with(free_bytes: u64) -> ServerFolder {
    let dir = ServerFolder::new();
    let limits = format!(r#"{{"message_rate": 0, "free_bytes": {free_bytes}}}"#);
    dir.write(
        "config.json",
        format!(r#"{{"server": {{"limits": {limits}}}}}"#),
    );
    dir
}

/// A server on a disk of 16 MiB of its own.
fn on_a_small_disk(dir: &ServerFolder, log: &str) -> ServerProcess {
    let shell = r#"mkdir -m 700 data && mount -t tmpfs -o size=16m none data && exec "$0" "$@""#;
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", shell])
        .args([SERVER, "--listen", "127.0.0.1:0", "--log", log])
        .current_dir(dir.path(""));
    ServerProcess::start(command)
}

#[test]
fn a_full_disk_refuses_what_writes_until_there_is_room() {
    refuses_what_writes_until_there_is_room(Errno::NOSPC);
}

/// `SQLite` tells it by the code of a disk that fails.
#[test]
fn a_quota_that_is_used_up_is_a_full_disk() {
    refuses_what_writes_until_there_is_room(Errno::DQUOT);
}

/// No file has room for more bytes.
fn full(errno: Errno) -> Rule {
    Rule {
        what: "grow",
        files: "-",
        skip: 0,
        times: -1,
        errno: Some(errno),
    }
}

fn refuses_what_writes_until_there_is_room(errno: Errno) {
    let (dir, shim) = (dir(), Shim::new());
    shim.switch(false);
    let server = shim.start(&dir, Some(full(errno)));
    let all = fill_and_free(&server, || shim.switch(true), || shim.switch(false));
    assert_eq!(server.stop().status.code(), Some(0));
    let server = shim.start(&dir, None);
    assert_eq!(ids(&mut Client::login(&server, "bob")), all);
}

/// Nothing can be made, not even the index of the log.
#[test]
fn a_start_without_room_says_so() {
    for errno in [Errno::NOSPC, Errno::DQUOT] {
        let (dir, shim) = (dir(), Shim::new());
        assert_eq!(shim.start(&dir, None).stop().status.code(), Some(0));
        let mut server = ServerProcess::begin(shim.command(&dir, Some(full(errno))));
        assert!(!server.becomes_ready());
        let output = server.end();
        let said = "the disk is full; make room and start again";
        assert!(
            stderr(&output).contains(said),
            "{errno}: {}",
            stderr(&output)
        );
        assert_eq!(shim.start(&dir, None).stop().status.code(), Some(0));
    }
}

/// Not even the few bytes that reserve ids can be written, on a disk that copies on write.
#[test]
fn ids_that_cannot_be_reserved_are_a_full_disk() {
    let (dir, shim) = (dir(), Shim::new());
    shim.switch(false);
    let full = Rule {
        what: "write",
        files: "high_water",
        skip: 0,
        times: -1,
        errno: Some(Errno::NOSPC),
    };
    let server = shim.start(&dir, Some(full));
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    shim.switch(true);
    assert_eq!(sends(&mut ann, 1), None);
    assert!(ids(&mut ann).is_empty());
    shim.switch(false);
    assert_eq!(sends(&mut ann, 1), Some(1));
    // The id is reserved; that the newest one cannot be noted costs nothing.
    shim.switch(true);
    assert_eq!(sends(&mut ann, 2), Some(2));
    shim.switch(false);
    assert_eq!(server.stop().status.code(), Some(0));
    let server = shim.start(&dir, None);
    let mut ann = Client::login(&server, "ann");
    assert_eq!(sends(&mut ann, 3), Some(3));
}

#[test]
#[ignore = "mounts a disk of 16 MiB, for which the system must let users have namespaces; campaign"]
fn a_small_disk_that_is_filled_and_freed() {
    let dir = dir();
    let server = on_a_small_disk(&dir, "warn");
    // The disk is seen by the server only.
    let filler = filler(&server);
    let fill = || {
        let mut filler = File::create(&filler).unwrap();
        let full = io::copy(&mut io::repeat(0), &mut filler).and_then(|_| filler.flush());
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
    };
    fill_and_free(&server, fill, || fs::remove_file(&filler).unwrap());
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
#[ignore = "mounts a disk of 16 MiB, for which the system must let users have namespaces; campaign"]
fn a_disk_that_is_nearly_full_refuses_what_stores_and_goes_on() {
    let dir = place_with(8 << 20);
    let server = on_a_small_disk(&dir, "info");
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    sends(&mut ann, 0).expect("the disk has space");
    let filler = filler(&server);
    fs::write(&filler, vec![0; 10 << 20]).unwrap();
    // The server asks for the free space once a second at most.
    let start = now();
    let mut n = 1;
    while sends(&mut ann, n).is_some() {
        n += 1;
        assert!(start.elapsed().as_secs() < 60, "never refused");
    }
    let register = r#"REGISTER {"username":"kim","password":"correct horse"}"#;
    let reply = Client::connect(&server).asks(register);
    assert!(line(&reply).contains("storage_full"), "{}", line(&reply));
    let mut again = Client::login(&server, "ann");
    assert_eq!(ids(&mut again).len(), n);
    let left = again.asks(r#"LEAVE_ROOM "tea""#);
    assert_eq!(left.command, message("LEFT_ROOM").command);

    fs::remove_file(&filler).unwrap();
    let start = now();
    while line(&again.asks(r#"JOIN_ROOM "tea""#)).contains("storage_full") {
        assert!(start.elapsed().as_secs() < 60, "never allowed again");
    }
    sends(&mut again, n).expect("there is space again");
    let output = server.stop();
    let log = stderr(&output);
    assert_eq!(log.matches("the disk is nearly full").count(), 1, "{log}");
    assert_eq!(log.matches("the disk has space again").count(), 1, "{log}");
}

/// A file on the disk of this server.
fn filler(server: &ServerProcess) -> PathBuf {
    let process = format!("/proc/{}", server.id());
    PathBuf::from(process).join("cwd/data/filler")
}

/// Writes until there is no place, and after there is again; the ids of all that was acknowledged.
fn fill_and_free(server: &ServerProcess, fill: impl Fn(), free: impl Fn()) -> Vec<u64> {
    let mut ann = Client::register(server, "ann");
    let mut bob = Client::register(server, "bob");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    bob.asks("JOIN_ROOM \"tea\"");
    let mut all = until_the_log_begins_anew(server, &mut ann);
    let before = all.len();
    fill();
    all.extend((before..TOO_MANY).map_while(|n| sends(&mut ann, n)));
    assert!(all.len() > before, "the log has pages to write again");
    assert!(all.len() < TOO_MANY, "the disk has an end");
    let lost = all.len()..all.len() + 40;
    ann.says(&lost.clone().map(request).collect::<Vec<_>>());
    for n in lost.clone() {
        let reply = ann.hears_reply(&request(n));
        assert!(line(&reply).contains("storage_full"), "{}", line(&reply));
    }
    // Reading and logging in go on.
    let mut again = Client::login(server, "bob");
    assert_eq!(ids(&mut again), all);

    free();
    all.extend(lost.map(|n| sends(&mut ann, n).expect("there is room again")));
    assert_eq!(ids(&mut again), all);
    all
}

/// Sends messages until one makes the log no longer: a checkpoint is done, and the log begins anew. From then
/// on it has pages to write again without new space. Checkpoints run beside the loop, so their number of
/// messages differs from run to run.
fn until_the_log_begins_anew(server: &ServerProcess, ann: &mut Client) -> Vec<u64> {
    let log = PathBuf::from(format!("/proc/{}/cwd/data/database.db-wal", server.id()));
    let mut sent = Vec::new();
    let mut length = 0;
    loop {
        let id = sends(ann, sent.len()).expect("the disk has space");
        sent.push(id);
        assert!(sent.len() < TOO_MANY, "the log is never checkpointed");
        let now = fs::metadata(&log).expect("the log is there").len();
        if now == length {
            return sent;
        }
        length = now;
    }
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
