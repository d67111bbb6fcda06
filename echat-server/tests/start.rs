//! The start of the real binary: the data folder, its lock, its files and the host key.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use echat_proto::names::Username;
use echat_server::data_dir::DataDir;
use echat_server::storage::{Store, create_template};
use echat_testkit::server_process::{ServerFolder, stderr, stdout, why_it_ended};
use echat_testkit::wire::Client;
use rusqlite::{Connection, OpenFlags};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// A database that is told from others by its one user.
fn database(path: &Path, user: &str) {
    create_template(path).unwrap();
    let mut store = Store::open(path).unwrap();
    let mut batch = store.batch();
    batch
        .create_user(&Username::new(user).unwrap(), "phc", 1)
        .unwrap()
        .unwrap();
    let _receipt = batch.commit().unwrap();
}

/// The users of a database that no server uses.
fn users(path: &Path) -> Vec<String> {
    let mut store = Store::open(path).unwrap();
    let users = store.batch().users(10).unwrap();
    users.into_iter().map(|user| user.name).collect()
}

/// `git pull` refuses to overwrite a change of a file that git has.
#[test]
fn a_server_in_a_clone_changes_no_file_of_it() {
    const CLONE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let dir = ServerFolder::new();
    let files = ["config.json", "database.db"].map(|name| {
        let content = fs::read(Path::new(CLONE).join(name)).unwrap();
        dir.write(name, &content);
        (name, content)
    });
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    ann.asks(r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"hello"}"#);
    assert_eq!(server.stop().status.code(), Some(0));
    for (name, content) in files {
        assert!(fs::read(dir.path(name)).unwrap() == content, "{name}");
    }
    let mut names: Vec<_> = fs::read_dir(dir.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["config.json", "data", "database.db"]);
    let ignored = fs::read_to_string(Path::new(CLONE).join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "/data"));
}

#[test]
fn every_file_is_private_under_umask_000() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--data", "new/data"]);
    let while_running = [
        "ctl.sock",
        "database.db",
        "database.db-shm",
        "database.db-wal",
        "first_administrator_code",
        "high_water",
        "host_key",
        "lock",
    ];
    assert_eq!(private_files(&dir.path("new/data")), while_running);
    for folder in ["new", "new/data"] {
        assert_eq!(mode(&dir.path(folder)), 0o700, "{folder}");
    }
    assert_eq!(server.stop().status.code(), Some(0));
    // The log is checkpointed at an orderly stop.
    assert_eq!(
        private_files(&dir.path("new/data")),
        [
            "database.db",
            "first_administrator_code",
            "high_water",
            "host_key",
            "lock"
        ]
    );
}

/// The names of a folder's files, all of which must be their owner's alone.
fn private_files(folder: &Path) -> Vec<OsString> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    names
}

/// A database there may hold accounts and triggers that another user planted.
#[test]
fn a_database_beside_the_configuration_is_not_read() {
    let dir = ServerFolder::new();
    fs::create_dir(dir.path("etc")).unwrap();
    dir.write("etc/config.json", "{}");
    database(&dir.path("etc/database.db"), "ann");
    database(&dir.path("database.db"), "bob");
    for args in [&["--config", "etc/config.json"][..], &[]] {
        let data = ["--data", if args.is_empty() { "one" } else { "two" }];
        dir.start(&[args, &data].concat()).stop();
        let none: [&str; 0] = [];
        assert_eq!(users(&dir.path(data[1]).join("database.db")), none);
    }
}

#[test]
fn a_database_that_is_not_ours_is_refused_and_left_alone() {
    let refused = |dir: &ServerFolder, code: i32, words: &str| {
        let path = dir.path("data/database.db");
        let before = fs::read(&path).unwrap();
        let output = dir.run(&["--log", "off"]);
        assert_eq!(
            why_it_ended(&output),
            format!("data/database.db: {words}\n")
        );
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(stdout(&output), "");
        assert!(
            fs::read(&path).unwrap() == before,
            "{words}, and yet changed"
        );
    };
    let dir = ServerFolder::new();
    dir.used(|_| {});
    let path = dir.path("data/database.db");
    dir.write(
        "data/database.db",
        "long enough to have a header ".repeat(40),
    );
    refused(
        &dir,
        65,
        "this file is not an echat database, or its first page is damaged; if it is one, run `echat-server \
         check --repair`",
    );
    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    refused(
        &dir,
        65,
        "this file is not an echat database, or its first page is damaged; if it is one, run `echat-server \
         check --repair`",
    );
    fs::remove_file(&path).unwrap();
    create_template(&path).unwrap();
    let db = Connection::open(&path).unwrap();
    let known: u32 = db
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    db.execute_batch("PRAGMA user_version = 999").unwrap();
    drop(db);
    refused(
        &dir,
        65,
        &format!(
            "the database has version 999 of the tables, this echat knows versions up to {known}; start an echat that \
             knows version 999, or put a copy from before its upgrade (database.db.before-{known}) in its place"
        ),
    );
}

#[test]
fn a_second_server_is_refused_and_a_reader_is_not() {
    let dir = ServerFolder::new();
    dir.used(|path| database(path, "ann"));
    let first = dir.start(&[]);
    let refused = dir.run(&["--log", "off"]);
    assert_eq!(
        why_it_ended(&refused),
        "data: another echat-server uses this folder\n"
    );
    assert_eq!(refused.status.code(), Some(75));
    let reader = Connection::open_with_flags(
        dir.path("data/database.db"),
        OpenFlags::SQLITE_OPEN_READ_ONLY,
    );
    let count = |db: &Connection| -> i64 {
        db.query_row("SELECT count(*) FROM users", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(&reader.unwrap()), 1);
    first.kill();
    assert_eq!(
        dir.start(&[]).stop().status.code(),
        Some(0),
        "the lock ends with its process"
    );
}

#[test]
fn a_port_in_use_is_refused() {
    let dir = ServerFolder::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let refused = dir.run(&["--log", "off", "--listen", &address]);
    assert_eq!(
        why_it_ended(&refused),
        format!("cannot listen on {address}: Address already in use (os error 98)\n")
    );
    assert_eq!(refused.status.code(), Some(69));
    assert_eq!(stdout(&refused), "");
}

#[test]
fn a_data_folder_that_cannot_be_made_is_refused() {
    let dir = ServerFolder::new();
    dir.write("data", "a file");
    let refused = dir.run(&["--log", "off"]);
    assert_eq!(
        why_it_ended(&refused),
        "data: cannot be made: File exists (os error 17)\n"
    );
    assert_eq!(refused.status.code(), Some(73));
}

#[test]
fn an_exposed_or_malformed_host_key_is_refused_and_kept() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    let key = dir.path("data/host_key");
    let first = fs::read(&key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let exposed = dir.run(&["--log", "off"]);
    assert_eq!(
        why_it_ended(&exposed),
        "data/host_key: open to others (mode 0644); if no other user has read it, run: chmod 600 data/host_key\n"
    );
    assert_eq!(exposed.status.code(), Some(77));
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(dir.start(&[]).stop().status.code(), Some(0));
    assert_eq!(
        fs::read(&key).unwrap(),
        first,
        "the key stays the same from start to start"
    );
    fs::write(&key, &first[1..]).unwrap();
    let malformed = dir.run(&["--log", "off"]);
    assert_eq!(
        why_it_ended(&malformed),
        "data/host_key: not an echat host key; put back a copy of the right one\n"
    );
    assert_eq!(malformed.status.code(), Some(78));
    assert_eq!(fs::read(&key).unwrap(), first[1..]);
}

#[test]
fn stdout_is_one_ready_line_and_the_log_is_plain_lines_in_utc() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let (address, fingerprint) = (server.address(), server.fingerprint().to_owned());
    assert!(address.ip().is_loopback());
    assert_ne!(address.port(), 0);
    let output = server.stop();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stdout(&output),
        format!("listening on {address} {fingerprint}\n")
    );
    let data = DataDir::open(&dir.path("data"), false).unwrap();
    let key = data.host_key().verifying_key();
    assert_eq!(fingerprint, echat_proto::fingerprint(&key));
    for line in stderr(&output).lines() {
        let time = line.split(' ').next().unwrap();
        assert_eq!(
            (time.len(), &time[10..11], &time[26..]),
            (27, "T", "Z"),
            "{line}"
        );
        assert!(!line.contains('\u{1b}'));
    }
}

#[test]
fn files_made_without_a_mode_are_private_too() {
    // Holds for this whole test process; the servers it starts set their own umask. Beside the
    // unit tests it would hide a missing mode from them.
    echat_server::data_dir::keep_new_files_private();
    let dir = ServerFolder::new();
    dir.write("any", "");
    assert_eq!(mode(&dir.path("any")), 0o600);
}
