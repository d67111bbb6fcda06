//! A first start makes what a server needs. In a folder that was used before, what is missing is said.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use echat_testkit::server_process::{ServerFolder, stderr, stdout, why_it_ended};
use echat_testkit::wire::Client;

/// A place where a server ran and ann has an account.
fn used() -> ServerFolder {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    Client::register(&server, "ann").is_served();
    assert_eq!(server.stop().status.code(), Some(0));
    dir
}

/// A start there ends with 66 and one line that has these words; nothing in the folder changes.
fn refused(dir: &ServerFolder, args: &[&str], words: &str) {
    let before = files(&dir.path("data"));
    let output = dir.run(&[args, &["--log", "off"]].concat());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(66), "{said}");
    assert!(why_it_ended(&output).starts_with(words), "{said}");
    assert_eq!(stdout(&output), "");
    assert_eq!(files(&dir.path("data")), before, "{words}");
}

/// The files of a folder and their contents.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .filter(|(name, _)| name != "lock")
        .collect();
    files.sort();
    files
}

/// Whether ann's account is there.
fn knows_ann(dir: &ServerFolder, args: &[&str]) -> bool {
    let server = dir.start(args);
    let mut client = Client::connect(&server);
    let reply = client.asks(&format!(
        "LOGIN {}",
        echat_testkit::wire::credentials("ann")
    ));
    let known = reply.command == echat_testkit::wire::message("LOGIN_BUNDLE").command;
    assert_eq!(server.stop().status.code(), Some(0));
    known
}

#[test]
fn a_first_start_says_what_it_made_and_where() {
    let absent = ServerFolder::new();
    let empty = ServerFolder::new();
    empty.make_data();
    let locked = ServerFolder::new();
    locked.make_data();
    locked.write_private("data/lock", "");
    for dir in [absent, empty, locked] {
        let log = dir.start(&[]).stop();
        let full = dir.path("data").canonicalize().unwrap();
        for (what, name) in [("database", "database.db"), ("host key", "host_key")] {
            let line = format!("created {what}: {}", full.join(name).display());
            let lines = stderr(&log).lines().filter(|l| l.contains(&line));
            assert_eq!(lines.count(), 1, "{line}: {}", stderr(&log));
        }
        let log = dir.start(&[]).stop();
        assert!(!stderr(&log).contains("created"), "{}", stderr(&log));
    }
}

#[test]
fn a_folder_without_its_database_is_refused() {
    let dir = used();
    let key = fs::read(dir.path("data/host_key")).unwrap();
    fs::remove_file(dir.path("data/database.db")).unwrap();
    let words = "data/database.db: missing, and this folder was used before; put it back, or run \
                 `echat-server --init` to begin with an empty database, keeping what is there\n";
    refused(&dir, &[], words);
    assert!(!knows_ann(&dir, &["--init"]));
    assert_eq!(fs::read(dir.path("data/host_key")).unwrap(), key);
    assert!(!knows_ann(&dir, &[]));
}

#[test]
fn a_folder_without_its_key_is_refused() {
    let dir = used();
    fs::remove_file(dir.path("data/host_key")).unwrap();
    let words = "data/host_key: missing, and this folder was used before; put it back, or run \
                 `echat-server --init` to begin with a new host key, of which clients will warn, keeping \
                 what is there\n";
    refused(&dir, &[], words);
    assert!(knows_ann(&dir, &["--init"]));
    assert!(knows_ann(&dir, &[]));
}

#[test]
fn a_database_of_no_bytes_is_refused_and_so_is_one_of_no_tables() {
    let dir = used();
    let whole = fs::read(dir.path("data/database.db")).unwrap();
    fs::write(dir.path("data/database.db"), "").unwrap();
    refused(&dir, &[], "data/database.db: empty (0 bytes), and");
    fs::remove_file(dir.path("data/database.db")).unwrap();
    rusqlite::Connection::open(dir.path("data/database.db"))
        .unwrap()
        .execute_batch("VACUUM")
        .unwrap();
    assert_eq!(
        fs::metadata(dir.path("data/database.db")).unwrap().len(),
        4096
    );
    refused(
        &dir,
        &[],
        "data/database.db: the database holds nothing at all; put",
    );
    assert!(!knows_ann(&dir, &["--init"]));
    fs::write(dir.path("data/database.db"), whole).unwrap();
    assert!(knows_ann(&dir, &["--init"]), "what is there is kept");
}

#[test]
fn a_link_to_a_folder_that_is_gone_is_no_first_start() {
    let dir = ServerFolder::new();
    symlink("unmounted", dir.path("disk")).unwrap();
    for data in ["disk", "disk/", "disk/data", "disk/a/b"] {
        let output = dir.run(&["--log", "off", "--data", data]);
        let words = "disk: a symbolic link to a folder that is missing; put the folder back (is its disk \
                     mounted?), or remove the link\n";
        assert_eq!(why_it_ended(&output), words, "{data}");
        assert_eq!(output.status.code(), Some(66));
    }
    assert!(!dir.path("unmounted").exists());
}

#[test]
fn only_the_mark_or_a_log_shows_that_a_folder_was_used() {
    let dir = used();
    for name in ["database.db", "host_key"] {
        fs::remove_file(dir.path("data").join(name)).unwrap();
    }
    let words = "data/database.db: missing, and host_key is missing, and this folder was used before; \
                 put both back, or run `echat-server --init` to begin with an empty database and a new \
                 host key, of which clients will warn, keeping what is there\n";
    refused(&dir, &[], words);
    for name in ["-wal", "-shm", "-journal"] {
        let name = format!("data/database.db{name}");
        dir.write_private(&name, "pages");
        for args in [&[][..], &["--init"]] {
            refused(
                &dir,
                args,
                &format!("{name}: belongs to a database.db that is missing or empty"),
            );
        }
        fs::remove_file(dir.path(name)).unwrap();
    }
    assert!(!knows_ann(&dir, &["--init"]));
}
