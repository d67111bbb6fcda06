//! Every older database becomes one of today, whatever it holds and whenever the server is killed
//! over it.
//!
//! `NNNN.sql` beside this file is a database as the server of that version left it, as text.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use echat_server::data_dir::DataDir;
use echat_server::storage::{Store, create_template, schema_dump};
use echat_testkit::faults::{Rule, Shim};
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::{Client, line};
use rusqlite::Connection;
use rustix::process::Signal;

/// A way to come to a data folder.
type Before = Box<dyn Fn(&ServerFolder)>;

/// One for each version of the schema, from nothing at all: the files `0001.sql` and so on of this folder.
fn versions() -> Vec<Before> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade");
    let databases = (1..).map_while(|version| {
        let sql = fs::read_to_string(folder.join(format!("{version:04}.sql"))).ok()?;
        Some(Box::new(move |dir: &ServerFolder| fixture(dir, &sql)) as Before)
    });
    let mut versions: Vec<Before> = vec![Box::new(|_| {})];
    versions.extend(databases);
    versions
}

fn fixture(dir: &ServerFolder, sql: &str) {
    dir.used(|path| Connection::open(path).unwrap().execute_batch(sql).unwrap());
}

/// What `--init` makes up for: one of two files, or a database without content.
fn missing() -> [Before; 3] {
    [
        Box::new(|dir| dir.used(|_| {})),
        Box::new(|dir| dir.used(|path| fs::write(path, "").unwrap())),
        Box::new(|dir| {
            dir.make_data();
            create_template(&dir.path("data/database.db")).unwrap();
        }),
    ]
}

/// The schema of today.
fn today() -> String {
    let dir = ServerFolder::in_memory();
    create_template(&dir.path("database.db")).unwrap();
    schema_dump(&dir.path("database.db")).unwrap()
}

#[test]
fn the_data_of_an_older_server_survives_the_upgrade() {
    let versions = versions();
    assert!(today().contains(&format!("user_version {}\n", versions.len() - 1)));
    for before in &versions[1..] {
        let dir = ServerFolder::in_memory();
        before(&dir);
        let server = dir.start(&["--log", "warn"]);
        let mut ann = Client::login(&server, "ann");
        let said = [(1, "hello"), (2, "你好"), (4, "without a txn_id")];
        let said = said.map(|(id, content)| (id, content.to_owned()));
        assert_eq!(ann.history("tea", 0), said);
        // The txn_id that bob used then is known still.
        let mut bob = Client::login(&server, "bob");
        let again =
            r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"你好","txn_id":"b1"}"#;
        let again = line(&bob.asks(again));
        assert!(again.contains(r#""id":2"#), "{again}");
        let private = line(&bob.asks(r#"QUERY_HISTORY {"target_type":0,"target":"ann"}"#));
        assert!(private.contains("between us"), "{private}");
        let request =
            line(&ann.asks(r#"RESOLVE_FRIEND_REQUEST {"username":"cyn","accepted":true}"#));
        assert!(request.contains(r#""success":true"#), "{request}");
        assert_eq!(server.stop().status.code(), Some(0));
        assert_eq!(schema_dump(&dir.path("data/database.db")).unwrap(), today());
    }
}

#[test]
fn a_first_start_killed_at_any_moment_is_completed_later() {
    let today = today();
    let mut kills = Vec::new();
    let (versions, missing) = (versions(), missing());
    let starts = versions.iter().map(|before| (before, false));
    for (before, init) in starts.chain(missing.iter().map(|before| (before, true))) {
        let moments = (0..).take_while(|calls| killed_after(before, init, *calls, &today));
        kills.push(moments.count());
    }
    assert!(kills.iter().all(|kills| *kills >= 5), "{kills:?}");
    eprintln!("killed before each of {kills:?} changes of the disk");
}

/// Kills a server that starts there, before it changes the disk once more than so often, and starts
/// again; false if it was ready before that.
fn killed_after(before: &Before, init: bool, calls: u64, today: &str) -> bool {
    let (dir, shim) = (ServerFolder::in_memory(), Shim::new());
    before(&dir);
    let kill = Rule {
        what: "any",
        files: "-",
        skip: calls,
        times: 1,
        errno: None,
    };
    let mut command = shim.command(&dir, Some(kill));
    if init {
        command.arg("--init");
    }
    let mut server = ServerProcess::begin(command);
    if server.becomes_ready() {
        server.kill();
        return false;
    }
    assert_eq!(server.end().status.signal(), Some(Signal::KILL.as_raw()));
    starts(&dir, init);
    assert_eq!(schema_dump(&dir.path("data/database.db")).unwrap(), today);
    true
}

/// What a server does before it listens. A start with `--init` that was killed before it changed
/// anything needs that again.
fn starts(dir: &ServerFolder, init: bool) {
    let data = dir.path("data");
    let begun = data.join("init").exists();
    let dir = DataDir::open(&data, init && !begun).unwrap();
    drop(Store::open_in_folder(&dir.database(), &dir.high_water(), false).unwrap());
    whole(&dir.database());
    assert!(!data.join("init").exists());
}

fn whole(database: &Path) {
    let db = Connection::open(database).unwrap();
    let found: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, "ok");
}
