//! Backups with the real binary: beside a busy server, killed at every change of the disk, verified, restored, and made
//! by the server itself.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use echat_testkit::campaign;
use echat_testkit::clock::now;
use echat_testkit::faults::disk::Disk;
use echat_testkit::faults::record::Note;
use echat_testkit::faults::wall_clock::WallClock;
use echat_testkit::faults::{Rule, Shim, root};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::side_by_side;
use echat_testkit::wire::{Client, number, text};
use echat_testkit::writers::{Crowd, Written};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;
use rustix::io::Errno;
use rustix::process::Signal;
use serde_json::Value;

const CROWD: Crowd = Crowd {
    writers: 20,
    window: 4,
};

/// More changes of the disk than any command makes.
const ENDLESS: u64 = 2_000;

const MESSAGE: &str = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"x"}"#;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Runs a command that succeeds; what it says.
fn runs(dir: &ServerFolder, args: &[&str]) -> String {
    let output = dir.run(args);
    assert_eq!(code(&output), Some(0), "{args:?}: {}", stderr(&output));
    stdout(&output).to_owned()
}

/// What `verify --json` says of a good backup.
fn verified(dir: &ServerFolder, file: &str) -> Value {
    serde_json::from_str(&runs(dir, &["verify", "--json", file])).unwrap()
}

/// Ann alone in the room tea; nothing runs.
fn dir() -> ServerFolder {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0}}}"#,
    );
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    assert_eq!(code(&server.stop()), Some(0));
    dir
}

fn send(server: &ServerProcess, count: usize) -> u64 {
    let mut ann = Client::login(server, "ann");
    (0..count)
        .map(|_| number(&ann.asks(MESSAGE).params, "id"))
        .last()
        .unwrap()
}

/// What a server tells of its history: its name, the newest id and the messages of tea.
fn history(server: &ServerProcess) -> (String, u64, Vec<(u64, String)>) {
    let mut ann = Client::connect(server);
    let bundle = ann.logs_in("ann");
    let name = text(&bundle, "history").to_owned();
    (name, number(&bundle, "newest"), ann.history("tea", 0))
}

#[test]
fn a_backup_beside_a_busy_server_is_one_moment_of_it() {
    let (dir, server, members) = CROWD.enter(|dir| dir.start(&["--log", "warn"]));
    let mut backups = Vec::new();
    let written = CROWD.write_until(&server, members, 0, 200, |server| {
        for round in 0..5 {
            let file = format!("backup{round}");
            runs(&dir, &["backup", &file]);
            backups.push(file);
        }
        server.signal(Signal::TERM);
    });
    assert_eq!(code(&server.end()), Some(0), "the server is not disturbed");
    let key = fs::read_to_string(dir.path("data/host_key")).unwrap();
    let mut newest_before = 200;
    for file in &backups {
        assert_eq!(mode(&dir.path(file)), 0o600);
        let manifest = verified(&dir, file);
        let newest = manifest["newest_id"].as_u64().unwrap();
        assert!(newest >= newest_before, "{newest} after {newest_before}");
        newest_before = newest;
        assert_eq!(manifest["rows"]["messages"], newest, "ids have no gap");
        assert_eq!(manifest["rows"]["users"], CROWD.writers);
        assert_eq!(
            (&manifest["host_key"], &manifest["config"]),
            (&Value::Bool(true), &Value::Bool(true))
        );
        let folder = format!("restored-{file}");
        runs(&dir, &["restore", file, "--data", &folder]);
        let restored = |name: &str| fs::read_to_string(dir.path(&folder).join(name)).unwrap();
        assert_eq!(restored("host_key"), key);
        let config = fs::read_to_string(dir.path("config.json")).unwrap();
        assert_eq!(restored("config.json"), config);
        let server = dir.start(&["--data", &folder, "--log", "warn"]);
        let kept = Client::login(&server, "writer0").history("hall", 0);
        has_all_up_to(&written, &kept, newest);
        assert_eq!(code(&server.stop()), Some(0));
    }
}

/// The history has every acknowledged message up to an id, and no other than those that were sent.
fn has_all_up_to(written: &[Written], kept: &[(u64, String)], newest: u64) {
    let kept: BTreeMap<u64, &String> = kept.iter().map(|(id, text)| (*id, text)).collect();
    assert_eq!(kept.keys().next_back(), Some(&newest));
    let mut known = 0;
    for user in written {
        for (txn_id, acknowledged) in &user.acknowledged {
            if acknowledged.id <= newest {
                assert_eq!(kept.get(&acknowledged.id), Some(&txn_id));
                known += 1;
            }
        }
    }
    assert!(known <= kept.len());
    let sent: Vec<&String> = written.iter().flat_map(|user| &user.sent).collect();
    assert!(kept.values().all(|text| sent.contains(text)));
}

#[test]
fn a_backup_replaces_no_file_and_leaves_nothing_when_it_fails() {
    let dir = dir();
    dir.write("taken", "mine");
    let refused = dir.run(&["backup", "taken"]);
    assert_eq!(code(&refused), Some(73));
    assert_eq!(
        stderr(&refused),
        "echat-server: taken: exists already; a backup never replaces a file\n"
    );
    assert_eq!(fs::read_to_string(dir.path("taken")).unwrap(), "mine");
    for (args, expected) in [
        (&["backup", "nowhere/file"][..], 73),
        (&["backup", "file", "--data", "nothing"], 66),
        (&["backup", "file", "--config", "nothing"], 78),
        (&["backup"], 64),
        (&["verify", "nothing"], 66),
        (&["verify", "taken"], 65),
        (&["restore", "nothing", "--data", "new"], 66),
        (&["restore", "taken", "--data", "new"], 65),
        (&["check", "--data", "nothing"], 66),
    ] {
        let refused = dir.run(args);
        assert_eq!(code(&refused), Some(expected), "{args:?}");
        assert_eq!(stdout(&refused), "", "{args:?}");
    }
    assert!(!dir.path("new").exists());
    // The folder of a server that never ran.
    fs::create_dir(dir.path("empty")).unwrap();
    let refused = dir.run(&["backup", "file", "--data", "empty"]);
    assert_eq!(code(&refused), Some(66), "{}", stderr(&refused));
    assert_eq!(fs::read_dir(dir.path("empty")).unwrap().count(), 0);
    let mut left: Vec<_> = fs::read_dir(dir.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["config.json", "data", "empty", "taken"]);
}

#[test]
fn a_backup_leaves_the_space_that_the_server_reserves() {
    let dir = dir();
    let reserved = 1_000_000_000_000_u64;
    dir.write(
        "config.json",
        format!(r#"{{"server": {{"limits": {{"free_bytes": {reserved}}}}}}}"#),
    );
    let refused = dir.run(&["backup", "file"]);
    assert_eq!(code(&refused), Some(74), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("`free_bytes` reserves"));
    assert!(!dir.path("file").exists() && !dir.path("file.tmp").exists());
}

#[test]
fn two_processes_do_not_write_one_backup() {
    let dir = dir();
    dir.write_private("file.tmp", "half a backup of another process");
    let held = fs::File::open(dir.path("file.tmp")).unwrap();
    held.try_lock().unwrap();
    let refused = dir.run(&["backup", "file"]);
    assert_eq!(code(&refused), Some(75), "{}", stderr(&refused));
    let left = fs::read_to_string(dir.path("file.tmp")).unwrap();
    assert_eq!(left, "half a backup of another process");
}

#[test]
fn a_backup_takes_over_only_an_empty_temporary_file() {
    let dir = dir();
    dir.write_private("file.tmp", "notes of the operator");
    let refused = dir.run(&["backup", "file"]);
    assert_eq!(code(&refused), Some(73), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("file.tmp: left by a backup"));
    let left = fs::read_to_string(dir.path("file.tmp")).unwrap();
    assert_eq!(left, "notes of the operator");
    // A process that was killed before it wrote anything.
    dir.write_private("file.tmp", "");
    runs(&dir, &["backup", "file"]);
    verified(&dir, "file");
}

#[test]
fn a_backup_can_leave_the_key_and_the_configuration_out() {
    let dir = dir();
    runs(
        &dir,
        &["backup", "file", "--without-key", "--without-config"],
    );
    let manifest = verified(&dir, "file");
    assert_eq!(
        (&manifest["host_key"], &manifest["config"]),
        (&Value::Bool(false), &Value::Bool(false))
    );
    let bytes = fs::read(dir.path("file")).unwrap();
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|bytes| bytes == needle);
    assert!(!has(b"echat-host-key") && !has(b"message_rate"));
    // A folder that has a key keeps it; one without is not served without a word.
    let key = fs::read(dir.path("data/host_key")).unwrap();
    runs(&dir, &["restore", "file", "--data", "data"]);
    assert_eq!(fs::read(dir.path("data/host_key")).unwrap(), key);
    let said = runs(&dir, &["restore", "file", "--data", "new"]);
    assert!(said.contains("new has no host key"), "{said}");
    assert_eq!(code(&dir.run(&["--data", "new"])), Some(66));
}

/// A timer looks at the exit code only.
#[test]
fn a_backup_that_cannot_remove_older_ones_says_so_by_its_exit_code() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    fs::create_dir(dir.path("all")).unwrap();
    for day in 1..4 {
        dir.write(&format!("all/echat-2026010{day}T000000Z.backup"), "");
    }
    let stays = Rule {
        what: "any",
        files: "echat-20260102T000000Z.backup",
        skip: 0,
        times: -1,
        errno: Some(Errno::ACCESS),
    };
    let shim = Shim::new();
    // The shim knows whole paths.
    let all = root(&dir).join("all");
    let args = ["backup", all.to_str().unwrap(), "--keep", "1"];
    let mut command = shim.program(&dir, &args, Some(stays));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    let said = "the backup is good, but older ones cannot be removed: ";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert!(!stdout(&output).contains(said));
    assert!(
        stdout(&output).contains("; 2 older ones removed\n"),
        "{}",
        stdout(&output)
    );
    assert_eq!(fs::read_dir(dir.path("all")).unwrap().count(), 2);
}

#[test]
fn a_backup_into_a_folder_is_named_by_the_time_and_the_oldest_are_removed() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    let old = [
        "echat-20260101T000000Z.backup",
        "echat-20260102T000000Z.backup",
    ];
    fs::create_dir(dir.path("all")).unwrap();
    for name in old.into_iter().chain(["mine.backup"]) {
        dir.write(&format!("all/{name}"), "");
    }
    let backup = ["backup", "all", "--keep", "2"];
    let output = dir.run(&backup);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut names: Vec<String> = fs::read_dir(dir.path("all"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let [older, new, mine] = names.as_slice() else {
        panic!("{names:?}")
    };
    assert_eq!([older, mine], [old[1], "mine.backup"]);
    assert!(stdout(&output).contains(new), "{}", stdout(&output));
    let verified = dir.run(&["verify", &format!("all/{new}")]);
    assert!(stdout(&verified).contains("with the host key"));
    // A backup that fails removes none.
    dir.run(&["restore", &format!("all/{new}"), "--data", "other"]);
    fs::remove_file(dir.path("data/database.db")).unwrap();
    assert_eq!(dir.run(&backup).status.code(), Some(66));
    assert_eq!(fs::read_dir(dir.path("all")).unwrap().count(), 3);
    for count in ["0", "10001", "-1"] {
        let refused = dir.run(&["backup", "all", "--keep", count]);
        assert_eq!(refused.status.code(), Some(64), "{count}");
    }
}

#[test]
fn a_changed_or_shortened_backup_is_refused() {
    let dir = dir();
    let server = dir.start(&[]);
    send(&server, 50);
    server.stop();
    runs(&dir, &["backup", "file"]);
    let whole = fs::read(dir.path("file")).unwrap();
    let refused = |bytes: &[u8]| {
        dir.write("other", bytes);
        for args in [
            &["verify", "other"][..],
            &["restore", "other", "--data", "new"],
        ] {
            let output = dir.run(args);
            assert_eq!(code(&output), Some(65), "{args:?}: {}", stderr(&output));
        }
        let json = dir.run(&["verify", "other", "--json"]);
        assert_eq!(code(&json), Some(65));
        let json: Value = serde_json::from_str(stdout(&json)).unwrap();
        assert_eq!(json["ok"], false);
    };
    for length in [0, 4_096, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..length]);
    }
    for at in (100..whole.len()).step_by(whole.len() / 13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        refused(&bytes);
    }
    refused(&[&whole[..], b"\n"].concat());
    assert!(!dir.path("new").exists());
}

/// Runs a command over the shim until it succeeds: at each of its changes of the disk it is killed, or the change and
/// all later ones fail. `after` looks at what is left. Returns the number of changes.
fn stopped_at_every_change(
    args: &[&str],
    errno: Option<Errno>,
    before: impl Fn() -> ServerFolder + Sync,
    after: impl Fn(&ServerFolder, u64, bool) + Sync,
) -> u64 {
    side_by_side::count_while(|skip| {
        assert!(skip < ENDLESS, "the command has no end");
        let dir = before();
        let shim = Shim::new();
        let rule = Rule {
            errno,
            ..Rule::kill_after(skip)
        };
        // The shim watches paths from the root.
        let file = root(&dir).join("file");
        let file = file.to_str().unwrap();
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "file" { file } else { *arg })
            .collect();
        let output = ServerProcess::begin(shim.program(&dir, &args, Some(rule))).end();
        let was_stopped = code(&output) != Some(0);
        assert_eq!(was_stopped && errno.is_none(), code(&output).is_none());
        after(&dir, skip, was_stopped);
        was_stopped
    })
}

/// A copy of a folder in which nothing runs.
fn copied(dir: &ServerFolder) -> ServerFolder {
    let copy = ServerFolder::new();
    let status = std::process::Command::new("cp")
        .args(["-a", "--"])
        .arg(dir.path("."))
        .arg(copy.path(""))
        .status();
    assert!(status.unwrap().success());
    copy
}

#[test]
fn a_stopped_backup_is_no_file_or_a_complete_one() {
    let original = dir();
    for errno in [None, Some(Errno::NOSPC), Some(Errno::IO)] {
        let changes = stopped_at_every_change(
            &["backup", "file"],
            errno,
            || copied(&original),
            |dir, skip, was_stopped| {
                let is_there = dir.path("file").exists();
                assert!(was_stopped || is_there);
                if !is_there {
                    runs(dir, &["backup", "file"]);
                }
                verified(dir, "file");
                if !was_stopped {
                    assert!(!dir.path("file.tmp").exists(), "{skip}");
                }
            },
        );
        assert!(changes > 20, "{changes}");
    }
}

#[test]
fn a_stopped_restore_leaves_the_old_or_the_new_state() {
    let original = dir();
    let server = original.start(&[]);
    send(&server, 3);
    runs(&original, &["backup", "file"]);
    send(&server, 4);
    let (old_name, old_newest, old) = history(&server);
    assert_eq!(code(&server.stop()), Some(0));
    let left = Left {
        old_name,
        old_newest,
        old,
    };
    for errno in [None, Some(Errno::IO)] {
        let (olds, news) = (AtomicU32::new(0), AtomicU32::new(0));
        let changes = stopped_at_every_change(
            &["restore", "file", "--data", "data"],
            errno,
            || copied(&original),
            |dir, skip, was_stopped| {
                if left.is_old(dir, skip) {
                    assert!(was_stopped);
                    olds.fetch_add(1, Ordering::Relaxed);
                } else {
                    news.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        let (olds, news) = (olds.into_inner(), news.into_inner());
        assert!(olds > 10 && news > 5, "{olds} and {news} of {changes}");
    }
}

/// What a server had before a restore, of which the backup has the first three messages.
struct Left {
    old_name: String,
    old_newest: u64,
    old: Vec<(u64, String)>,
}

impl Left {
    /// A server starts on what a stopped restore left: all of it is old, or all of it is restored. Says which.
    fn is_old(&self, dir: &ServerFolder, skip: u64) -> bool {
        let server = dir.start(&["--log", "warn"]);
        let (name, newest, messages) = history(&server);
        assert!(newest >= self.old_newest, "{skip}");
        let is_old = name == self.old_name;
        let expected = if is_old {
            &self.old[..]
        } else {
            &self.old[..3]
        };
        assert_eq!(messages, expected, "{skip}");
        assert!(send(&server, 1) > self.old_newest, "{skip}");
        assert_eq!(code(&server.stop()), Some(0));
        for left in ["incoming", "replacing"] {
            assert!(!dir.path("data").join(left).exists(), "{skip}: {left}");
        }
        // It can be run again.
        if skip.is_multiple_of(8) {
            runs(dir, &["restore", "file", "--data", "data"]);
            let server = dir.start(&["--log", "warn"]);
            assert_eq!(history(&server).2, self.old[..3]);
        }
        is_old
    }
}

/// Cuts of an ordinary run, each after a change of the disk that a restore makes; `ECHAT_CUTS` asks for more.
const CUTS: usize = 120;

/// Of what was not synced, each sector and each name survives or does not (`faults::disk`).
#[test]
fn a_power_cut_during_a_restore_leaves_the_old_or_the_new_state() {
    let (dir, shim) = (ServerFolder::new(), Shim::new());
    let server = shim.start(&dir, None);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    send(&server, 3);
    let data = root(&dir).join("data").to_str().unwrap().to_owned();
    let recorded = |args: &[&str]| {
        let output = ServerProcess::begin(shim.program(&dir, args, None)).end();
        assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    };
    let file = root(&dir).join("file").to_str().unwrap().to_owned();
    recorded(&["backup", &file, "--data", &data]);
    send(&server, 4);
    assert_eq!(code(&server.stop()), Some(0));
    let old_name = stored(&dir).0;
    recorded(&["restore", &file, "--data", &data]);
    let notes = shim.notes();
    let restore = notes.iter().rposition(|note| matches!(note, Note::Started));
    let restore = restore.unwrap();
    let mut disk = Disk::new(1);
    notes[..restore].iter().for_each(|note| disk.apply(note));
    let cuts = campaign::count("ECHAT_CUTS", CUTS);
    let each = cuts.div_ceil(notes.len() - restore);
    let cuts = notes
        .iter()
        .enumerate()
        .skip(restore)
        .flat_map(|(at, note)| {
            disk.apply(note);
            let cut = |seed| disk.cut(&mut StdRng::seed_from_u64((at * 1_000 + seed) as u64));
            let cuts: Vec<_> = (0..each).map(|seed| (at, cut(seed))).collect();
            cuts
        });
    let states = side_by_side::each(cuts, |(at, found)| {
        let left = on_a_disk(&dir, &found);
        runs(&left, &["check"]);
        let (name, messages) = stored(&left);
        let expected = if name == old_name { 7 } else { 3 };
        assert_eq!(messages, expected, "after note {at}: {:?}", notes[at]);
        assert!(!left.path("data/replacing").exists());
        messages
    });
    assert!(
        [3, 7].iter().all(|state| states.contains(state)),
        "{states:?}"
    );
}

/// What the disk has after a cut.
fn on_a_disk(dir: &ServerFolder, found: &BTreeMap<PathBuf, Option<Vec<u8>>>) -> ServerFolder {
    let left = ServerFolder::new();
    let root = root(dir);
    for (path, content) in found {
        let path = path.strip_prefix(&root).unwrap();
        match content {
            None => DirBuilder::new()
                .mode(0o700)
                .create(left.path(path))
                .unwrap(),
            Some(content) => left.write_private(path.to_str().unwrap(), content),
        }
    }
    left
}

/// The name of the history, and the number of messages, in a database that no server uses.
fn stored(dir: &ServerFolder) -> (String, i64) {
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    let sql = "SELECT (SELECT name FROM history), (SELECT count(*) FROM messages)";
    db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

#[test]
fn a_folder_of_another_program_is_left_alone() {
    let dir = dir();
    runs(&dir, &["backup", "file"]);
    fs::create_dir(dir.path("data/incoming")).unwrap();
    dir.write("data/incoming/theirs", "kept");
    assert_eq!(code(&dir.start(&[]).stop()), Some(0));
    let refused = dir.run(&["restore", "file", "--data", "data"]);
    assert_eq!(code(&refused), Some(73), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("data/incoming"));
    let theirs = fs::read_to_string(dir.path("data/incoming/theirs")).unwrap();
    assert_eq!(theirs, "kept");
}

#[test]
fn a_restore_keeps_what_was_there_and_ids_go_on() {
    let dir = dir();
    let server = dir.start(&[]);
    send(&server, 3);
    runs(&dir, &["backup", "file"]);
    let last = send(&server, 5);
    let (old_name, _, old) = history(&server);
    // A server that runs is not disturbed.
    let refused = dir.run(&["restore", "file", "--data", "data"]);
    assert_eq!(code(&refused), Some(75), "{}", stderr(&refused));
    assert_eq!(send(&server, 1), last + 1);
    // Killed: its newest messages are in the log only.
    server.kill();
    let mut names = vec![old_name];
    let mut last = last + 1;
    for round in 1..=2 {
        let said = runs(&dir, &["restore", "file", "--data", "data"]);
        let aside = format!("data/before-restore-{round}");
        assert!(
            said.contains(&format!("what was there before: {aside}\n")),
            "{said}"
        );
        for name in ["database.db", "high_water", "host_key"] {
            assert_eq!(mode(&dir.path("data").join(name)), 0o600);
            assert!(dir.path(&aside).join(name).exists(), "{name}");
        }
        assert_eq!(mode(&dir.path(&aside)), 0o700);
        let server = dir.start(&["--log", "warn"]);
        let (name, newest, messages) = history(&server);
        assert!(!names.contains(&name), "clients notice");
        names.push(name);
        assert_eq!(messages, old[..3]);
        assert!(newest >= last);
        let next = send(&server, 1);
        assert!(next > last, "{next} after {last}");
        last = next;
        assert_eq!(stderr(&server.stop()), "");
    }
    // What was kept is a whole folder.
    let server = dir.start(&["--data", "data/before-restore-1", "--log", "warn"]);
    assert_eq!(history(&server).2[..8], old);
    assert_eq!(history(&server).2.len(), 9);
}

/// A database without the rest of a backup, as programs that copy databases restore one.
#[test]
fn a_database_alone_is_restored_only_when_the_command_says_so() {
    let dir = dir();
    let server = dir.start(&[]);
    let last = send(&server, 3);
    let (name, _, messages) = history(&server);
    assert_eq!(server.stop().status.code(), Some(0));
    let restore = ["restore", "--database", "found.db", "--data", "copied"];
    assert_eq!(code(&dir.run(&restore)), Some(66), "no file");
    dir.write("found.db", "no database");
    assert_eq!(code(&dir.run(&restore)), Some(65));
    fs::copy(dir.path("data/database.db"), dir.path("found.db")).unwrap();
    let as_backup = dir.run(&["restore", "found.db", "--data", "copied"]);
    assert_eq!(code(&as_backup), Some(65), "{}", stderr(&as_backup));
    dir.write("found.db-wal", "a log");
    let refused = dir.run(&restore);
    assert_eq!(code(&refused), Some(75), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("write-ahead log"));
    assert!(!dir.path("copied/database.db").exists());
    fs::remove_file(dir.path("found.db-wal")).unwrap();
    let said = runs(&dir, &restore);
    assert!(said.contains("has no host key"), "{said}");
    fs::copy(dir.path("data/host_key"), dir.path("copied/host_key")).unwrap();
    let moved = dir.start(&["--data", "copied", "--log", "warn"]);
    let (moved_name, _, restored) = history(&moved);
    assert_ne!(moved_name, name, "clients notice");
    assert_eq!(restored, messages);
    assert!(send(&moved, 1) >= last + 100_000);
    assert_eq!(stderr(&moved.stop()), "");
}

/// On another machine there is no `high_water` that says what was given out since.
#[test]
fn clients_that_follow_to_another_port_notice_and_see_ids_go_on() {
    let dir = dir();
    let server = dir.start(&[]);
    send(&server, 3);
    runs(&dir, &["backup", "file"]);
    let last = send(&server, 2_500);
    let (name, ..) = history(&server);
    runs(&dir, &["restore", "file", "--data", "moved"]);
    let moved = dir.start(&["--data", "moved", "--log", "warn"]);
    assert_eq!(moved.fingerprint(), server.fingerprint(), "the same key");
    let (moved_name, newest, messages) = history(&moved);
    assert_ne!(moved_name, name);
    assert_eq!(messages.len(), 3);
    assert!(newest >= last, "{newest} after {last}");
    assert!(send(&moved, 1) > last);
    assert_eq!(stderr(&moved.stop()), "");
}

/// A database from before has older secrets than the clients. None of these is stolen.
#[test]
fn a_restore_accuses_no_client_of_theft() {
    let dir = dir();
    let server = dir.start(&[]);
    let resume = |client: &mut Client, secret: &str| {
        client.asks(&format!(
            r#"LOGIN {{"username":"carol","resume":"{secret}"}}"#
        ))
    };
    Client::register(&server, "carol").asks("LOGOUT");
    let bundle = Client::connect(&server).logs_in("carol");
    let mut secret = text(&bundle, "resume").to_owned();
    runs(&dir, &["backup", "before.backup"]);
    for _ in 0..3 {
        let mut carol = Client::connect(&server);
        let bundle = resume(&mut carol, &secret).params;
        secret = text(&bundle, "resume").to_owned();
        carol.is_served();
    }
    server.stop();
    runs(&dir, &["restore", "before.backup", "--data", "data"]);
    let server = dir.start(&[]);
    let refused = resume(&mut Client::connect(&server), &secret);
    assert_eq!(text(&refused.params, "code"), "bad_credentials");
    let log = server.stop();
    assert!(
        !stderr(&log).contains("a used secret came again"),
        "{log:?}"
    );
}

#[test]
fn a_damaged_database_is_not_backed_up_as_a_good_one() {
    let dir = dir();
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    let page: u64 = db
        .query_row(
            "SELECT pageno FROM dbstat WHERE name = 'name_looks' AND pagetype = 'leaf'",
            [],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
        .unwrap();
    drop(db);
    let mut bytes = fs::read(dir.path("data/database.db")).unwrap();
    let at = usize::try_from((page - 1) * 4096).unwrap();
    bytes[at..at + 12].fill(0xff);
    dir.write("data/database.db", bytes);
    let refused = dir.run(&["backup", "file"]);
    assert_eq!(code(&refused), Some(65), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("the database is damaged"));
    assert!(!dir.path("file").exists() && !dir.path("file.tmp").exists());
}

/// The names of the automatic backups.
fn automatic(dir: &ServerFolder) -> Vec<String> {
    let entries = fs::read_dir(dir.path("backups")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn the_server_makes_backups_by_itself_and_keeps_so_many() {
    let dir = dir();
    dir.write(
        "config.json",
        r#"{"server": {"backup": {"folder": "backups", "every_hours": 6, "keep": 2}}}"#,
    );
    let noon = 1_795_953_600;
    let clock = WallClock::at(noon);
    let run = |at: i64, words: &str| {
        clock.set(at);
        let mut server = clock.start(&dir, &["--log", "info"]);
        let line = server.logs(words);
        Client::connect(&server).is_served();
        assert_eq!(code(&server.stop()), Some(0));
        line
    };
    run(
        noon,
        "made the backup backups/echat-20261129T120000Z.backup",
    );
    assert_eq!(automatic(&dir), ["echat-20261129T120000Z.backup"]);
    run(noon + 5 * 3_600, "the next backup is due in 3600 s");
    run(noon + 6 * 3_600, "removed 0 older ones");
    run(noon + 12 * 3_600, "removed 1 older ones");
    let names = automatic(&dir);
    let kept = [
        "echat-20261129T180000Z.backup",
        "echat-20261130T000000Z.backup",
    ];
    assert_eq!(names, kept);
    for name in kept {
        let manifest = verified(&dir, &format!("backups/{name}"));
        assert_eq!(manifest["host_key"], true);
    }
    assert_eq!(mode(&dir.path("backups")), 0o700);
    // A folder that is none: the log says so at once, though the next backup is not due, and the server serves on.
    fs::rename(dir.path("backups"), dir.path("aside")).unwrap();
    dir.write("backups", "a file");
    run(
        noon + 12 * 3_600,
        "no backup was made, and none was removed",
    );
}

#[test]
fn a_configuration_that_cannot_be_read_keeps_no_backup_from_being_made() {
    let dir = dir();
    let mut server = dir.start(&["--log", "info"]);
    fs::remove_file(dir.path("config.json")).unwrap();
    let why = |file: &str| {
        format!("the backup is without the configuration, which cannot be read: {file}: ")
    };
    let said = runs(&dir, &["ctl", "backup", "one"]);
    assert!(said.contains(&why("config.json")), "{said}");
    server.logs(&why("config.json"));
    // As the timer of the package, which names both.
    for (file, target) in [
        ("none", &["two"][..]),
        ("data", &["--keep", "2", "backups"]),
    ] {
        let named = ["--config", file, "--data", "data"];
        let output = dir.run(&[&["backup"], target, &named].concat());
        assert_eq!(code(&output), Some(0), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(
            said.starts_with(&format!("echat-server: {}", why(file))),
            "{said}"
        );
    }
    let made = format!("backups/{}", automatic(&dir)[0]);
    for file in ["one", "two", &made] {
        let manifest = verified(&dir, file);
        assert_eq!(
            (&manifest["config"], &manifest["host_key"]),
            (&false.into(), &true.into())
        );
    }
    assert_eq!(code(&server.stop()), Some(0));
}

/// A folder of files that a process of this user may list, and not write to: also root, so it is one of the system.
const UNWRITABLE: &str = "/proc/self/fd";

#[test]
fn a_folder_that_takes_no_backup_is_named_at_a_start_and_refused_by_a_reload() {
    let dir = dir();
    let config = |folder: &str| {
        format!(
            r#"{{"server": {{"log": "info", "message_of_the_day": "of {folder}", "backup": {{"folder": "{folder}"}}}}}}"#
        )
    };
    dir.write("config.json", config("backups"));
    let mut server = dir.start(&[]);
    server.logs("made the backup");
    dir.write("file", "");
    for bad in [UNWRITABLE, "/proc/backups", "file", "file/backups"] {
        dir.write("config.json", config(bad));
        let refused = dir.run(&["ctl", "reload"]);
        assert_eq!(code(&refused), Some(78), "{bad}: {}", stderr(&refused));
        let why = format!("the configuration is kept: server.backup.folder: {bad}");
        assert!(stderr(&refused).contains(&why), "{}", stderr(&refused));
        server.signal(Signal::HUP);
        server.logs(&format!("SIGHUP: {why}"));
        assert!(runs(&dir, &["ctl", "message-of-the-day"]).contains("of backups"));
    }
    // Nothing is left of the trial in a folder that takes files.
    fs::create_dir(dir.path("other")).unwrap();
    dir.write("config.json", config("other"));
    runs(&dir, &["ctl", "reload"]);
    server.logs("made the backup other/");
    let names: Vec<_> = fs::read_dir(dir.path("other")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    server.stop();
    dir.write("config.json", config(UNWRITABLE));
    let mut server = dir.start(&[]);
    server.logs("no backup was made, and none was removed: /proc/self/fd");
    Client::connect(&server).is_served();
    server.stop();
}

/// Users of the measured room, and the time between two messages of each: 200 messages a second in all.
const SENDERS: usize = 20;
const STEP: Duration = Duration::from_millis(100);

/// Measures what a backup costs a room: 20 users send 200 messages a second into a database of 250 MB, first alone,
/// then beside backups. Prints the round trips, the duration of a backup and the longest log. `ECHAT_BACKUP_ROWS` is
/// the number of older messages, of 1,000 bytes each.
#[test]
#[ignore = "measures for half a minute"]
fn a_room_beside_backups_under_a_steady_load() {
    let rows = campaign::count("ECHAT_BACKUP_ROWS", 220_000);
    let dir = ServerFolder::on_disk();
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0, "user_bytes_a_day": 0, "registrations": 0}}}"#,
    );
    let server = dir.start(&["--log", "warn"]);
    for sender in 0..SENDERS {
        let mut user = Client::register(&server, &format!("user{sender}"));
        user.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
        user.asks(r#"JOIN_ROOM "tea""#);
    }
    server.stop();
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO messages (conversation, sender, send_time, content)
             SELECT (SELECT id FROM rooms), 1, 0, printf('%.*c', 1000, 'x') FROM n"
    );
    db.execute_batch(&fill).unwrap();
    drop(db);
    let server = dir.start(&["--log", "warn"]);
    let mut users: Vec<Client> = (0..SENDERS)
        .map(|sender| Client::login(&server, &format!("user{sender}")))
        .collect();
    let alone = round_trips(&mut users);
    let done = AtomicBool::new(false);
    let (beside, durations) = thread::scope(|scope| {
        let backups = scope.spawn(|| {
            let mut durations = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let begun = now();
                runs(&dir, &["backup", &format!("backup{}", durations.len())]);
                durations.push(begun.elapsed());
            }
            durations
        });
        let times = round_trips(&mut users);
        done.store(true, Ordering::Relaxed);
        (times, backups.join().unwrap())
    });
    for (name, times) in [("alone", alone), ("beside backups", beside)] {
        let at = |part: usize| times[times.len() * part / 1_000];
        eprintln!(
            "{name}: {} messages, median {:?}, p99 {:?}, longest {:?}",
            times.len(),
            at(500),
            at(990),
            times[times.len() - 1]
        );
    }
    let size = fs::metadata(dir.path("backup0")).unwrap().len();
    let log = fs::metadata(dir.path("data/database.db-wal"))
        .unwrap()
        .len();
    eprintln!("{size} bytes in {durations:?}; the file of the log has {log} bytes");
}

/// Each user sends a message in each of a hundred steps; the round trips, shortest first.
fn round_trips(users: &mut [Client]) -> Vec<Duration> {
    let begun = now();
    let send = |user: &mut Client, number: usize| {
        let mut times = Vec::new();
        // Users take turns within a step.
        let mut due = STEP * u32::try_from(number).unwrap() / u32::try_from(SENDERS).unwrap();
        while due < 100 * STEP {
            while let Some(early) = due.checked_sub(begun.elapsed()).filter(|t| !t.is_zero()) {
                // Events of others come in the meantime: the socket is the clock.
                if user.has_heard_within(early) {
                    user.hears_message();
                }
            }
            user.asks(MESSAGE);
            user.events.clear();
            // From when it was due: a round trip that takes long delays the next ones.
            times.push(begun.elapsed().saturating_sub(due));
            due += STEP;
        }
        times
    };
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let threads: Vec<_> = users
            .iter_mut()
            .enumerate()
            .map(|(number, user)| scope.spawn(move || send(user, number)))
            .collect();
        let times = threads.into_iter().map(|thread| thread.join().unwrap());
        times.collect::<Vec<_>>().concat()
    });
    times.sort_unstable();
    times
}
