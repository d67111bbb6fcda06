//! Every older database becomes one of today, whatever it holds and whenever the server is killed
//! over it.
//!
//! `NNNN.sql` beside this file is a database as the server of that version left it, as text.

mod as_text;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use as_text::{as_text, rows, words};
use echat_server::data_dir::{DataDir, DataDirError};
use echat_server::storage::{Store, create_template, schema_dump};
use echat_testkit::faults::{Rule, Shim};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::side_by_side::{count_while, each};
use echat_testkit::wire::{Client, line};
use rusqlite::Connection;
use rusqlite::types::Value;
use rustix::io::Errno;
use rustix::process::Signal;

/// A way to come to a data folder.
type Before = Box<dyn Fn(&ServerFolder) + Sync>;

/// The files `0001.sql` and so on of this folder, in order.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension() == Some("sql".as_ref()))
        .collect();
    files.sort();
    files
}

/// One for each version of the schema, from nothing at all.
fn versions() -> Vec<Before> {
    let databases = files().into_iter().map(|file| {
        let database = database(&fs::read_to_string(file).unwrap());
        Box::new(move |dir: &ServerFolder| {
            dir.used(|path| fs::write(path, &database).unwrap());
        }) as Before
    });
    let mut versions: Vec<Before> = vec![Box::new(|_| {})];
    versions.extend(databases);
    versions
}

/// The file of a database that is this text.
fn database(sql: &str) -> Vec<u8> {
    let dir = ServerFolder::new();
    let path = dir.path("database.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(sql).unwrap();
    db.close().unwrap();
    fs::read(path).unwrap()
}

/// The database of the newest file, upgraded to the version of today, as text.
fn upgraded(newest: &Path, version: i64) -> String {
    let text = fs::read_to_string(newest).unwrap();
    let dir = ServerFolder::new();
    dir.used(|path| fs::write(path, database(&text)).unwrap());
    // Without the marker of a data folder a server takes the database for a restored one.
    drop(Store::open(&dir.path("data/database.db")).unwrap());
    let about: String = text
        .split_inclusive('\n')
        .take_while(|line| line.starts_with("--"))
        .collect();
    let of = |version| format!("schema version {version} ");
    let about = about.replacen(&of(version - 1), &of(version), 1);
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    as_text(&db, &about).unwrap()
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
    let dir = ServerFolder::new();
    create_template(&dir.path("database.db")).unwrap();
    schema_dump(&dir.path("database.db")).unwrap()
}

/// `ECHAT_UPDATE=1` adds the file of a new version. Where the migration fills a new table with nothing, a row is added
/// by hand.
#[test]
fn the_newest_version_is_there_as_text() {
    let dir = ServerFolder::new();
    create_template(&dir.path("database.db")).unwrap();
    let db = Connection::open(dir.path("database.db")).unwrap();
    let version: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    let files = files();
    let newest = files.last().unwrap();
    let wanted = newest.with_file_name(format!("{version:04}.sql"));
    if *newest != wanted {
        assert!(
            std::env::var_os("ECHAT_UPDATE").is_some(),
            "{} is missing: run this test with ECHAT_UPDATE=1",
            wanted.display()
        );
        fs::write(&wanted, upgraded(newest, version)).unwrap();
    }
    // Nothing is lost on the way from a database to a text and back.
    let text = fs::read_to_string(&wanted).unwrap();
    let [first, second] = ["first", "second"].map(|name| dir.path(name));
    fs::write(&first, database(&text)).unwrap();
    let db = Connection::open(&first).unwrap();
    fs::write(&second, database(&as_text(&db, "").unwrap())).unwrap();
    let again = Connection::open(&second).unwrap();
    assert_eq!(schema_dump(&first).unwrap(), schema_dump(&second).unwrap());
    assert_eq!(
        words(&db, "search").unwrap(),
        words(&again, "search").unwrap()
    );
    let tables = "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'";
    for table in rows(&db, tables).unwrap() {
        let [Value::Text(table)] = &table[..] else {
            panic!("a table without a name")
        };
        let all = format!("SELECT * FROM \"{table}\"");
        let is_same = rows(&db, &all).unwrap() == rows(&again, &all).unwrap();
        assert!(is_same || table == "sqlite_schema", "{table}");
    }
}

#[test]
fn the_data_of_an_older_server_survives_the_upgrade() {
    let versions = versions();
    let today = today();
    each(versions.iter().enumerate().skip(1), |(version, before)| {
        let dir = ServerFolder::new();
        before(&dir);
        let server = dir.start(&["--log", "info"]);
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
        let output = server.stop();
        assert_eq!(output.status.code(), Some(0));
        let copy = dir.path(format!("data/database.db.before-{version}"));
        let says = format!("copied the database before its upgrade: {}", copy.display());
        let is_copied = version < versions.len() - 1;
        assert_eq!(stderr(&output).contains(&says), is_copied, "{version}");
        holds_copy(&dir, is_copied.then_some(version));
        assert_eq!(schema_dump(&dir.path("data/database.db")).unwrap(), today);
    });
}

/// The versions of the schema that copies in the data folder have. There is no other file of a copy.
fn copies(dir: &ServerFolder) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir.path("data")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if !name.starts_with("database.db.before-") {
            continue;
        }
        let path = dir.path("data").join(&name);
        let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{name}");
        whole(&path);
        let db = Connection::open(&path).unwrap();
        let version = db.pragma_query_value(None, "user_version", |row| row.get(0));
        found.push((name, version.unwrap()));
    }
    found.sort();
    found
}

/// There is one copy, of this version, or none.
fn holds_copy(dir: &ServerFolder, version: Option<usize>) {
    let expected = version.map(|version| {
        let name = format!("database.db.before-{version}");
        (name, i64::try_from(version).unwrap())
    });
    assert_eq!(copies(dir), Vec::from_iter(expected));
}

/// The data of a database of any version.
fn messages(path: &Path) -> Vec<(i64, String)> {
    let db = Connection::open(path).unwrap();
    let mut all = db
        .prepare("SELECT id, content FROM messages ORDER BY id")
        .unwrap();
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_copy_of_other_data_is_kept_and_half_of_one_is_not_taken_for_a_copy() {
    let (dir, versions) = (ServerFolder::new(), versions());
    versions[5](&dir);
    let (database, copy) = (
        dir.path("data/database.db"),
        dir.path("data/database.db.before-5"),
    );
    // Half a copy, as a person or another program may leave one.
    let bytes = fs::read(&database).unwrap();
    fs::write(&copy, &bytes[..bytes.len() / 2]).unwrap();
    let said = messages(&database);
    starts(&dir, false);
    holds_copy(&dir, Some(5));
    assert_eq!(messages(&copy), said);
    let kept = fs::read(&copy).unwrap();
    // The older server ran again on what it knows, and the next upgrade is another one.
    for again in [2, 3] {
        for name in ["database.db", "high_water"] {
            fs::remove_file(dir.path("data").join(name)).unwrap();
        }
        fs::write(&database, &bytes).unwrap();
        let db = Connection::open(&database).unwrap();
        let sql = "INSERT INTO messages (conversation, sender, send_time, content)
                   SELECT conversation, sender, send_time, 'later' FROM messages LIMIT ?1";
        db.execute(sql, [again]).unwrap();
        drop(db);
        let said = messages(&database);
        starts(&dir, false);
        let name = format!("database.db.before-5.{again}");
        assert!(copies(&dir).contains(&(name.clone(), 5)));
        assert_eq!(messages(&dir.path("data").join(&name)), said);
    }
    assert_eq!(fs::read(&copy).unwrap(), kept);
    // A copy that is put back opens, and its upgrade needs no other copy.
    for name in ["database.db", "high_water"] {
        fs::remove_file(dir.path("data").join(name)).unwrap();
    }
    fs::copy(&copy, &database).unwrap();
    starts(&dir, false);
    assert_eq!(copies(&dir).len(), 3);
}

/// The exit code of `--upgrade-check`, and what it says.
fn checked(dir: &ServerFolder) -> (Option<i32>, String) {
    let output = dir.run(&["--upgrade-check"]);
    let said = [stdout(&output), stderr(&output)].concat();
    (output.status.code(), said)
}

/// Every file of the data folder with its content.
fn contents(dir: &ServerFolder) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(dir.path("data")).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

#[test]
fn a_check_before_an_upgrade_says_what_the_next_start_does_and_changes_nothing() {
    let versions = versions();
    let known = versions.len() - 1;
    assert_eq!(checked(&ServerFolder::new()).0, Some(66));
    each(versions.iter().enumerate().skip(1), |(version, before)| {
        let dir = ServerFolder::new();
        before(&dir);
        let untouched = contents(&dir);
        let (code, said) = checked(&dir);
        assert_eq!(code, Some(0), "{said}");
        if version == known {
            assert!(said.contains("nothing to upgrade"), "{said}");
            assert_eq!(contents(&dir), untouched);
            return;
        }
        let to = format!(
            "version {version} of the tables; the next start upgrades it to version {known}"
        );
        assert!(said.contains(&to), "{said}");
        let copy = format!("database.db.before-{version}\n");
        assert!(said.contains(&copy) && said.contains("enough"), "{said}");
        assert_eq!(contents(&dir), untouched);
        for args in [
            &["check"][..],
            &["check", "--repair"],
            &["export", "all.jsonl", "--all"],
        ] {
            let output = dir.run(args);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(65), "{args:?}: {said}");
            let why = format!("has version {version} of the tables");
            assert!(
                said.contains(&why) && said.contains("start the server once"),
                "{said}"
            );
            assert!(!dir.path("all.jsonl").exists());
        }
        // Beside a server too, which has done it.
        let server = dir.start(&[]);
        let (code, said) = checked(&dir);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("nothing to upgrade"), "{said}");
        assert_eq!(server.stop().status.code(), Some(0));
        let db = Connection::open(dir.path("data/database.db")).unwrap();
        let newer = i64::try_from(known + 1).unwrap();
        db.pragma_update(None, "user_version", newer).unwrap();
        drop(db);
        let (code, said) = checked(&dir);
        assert_eq!(code, Some(65), "{said}");
        let needed = format!("start an echat that knows version {newer}");
        assert!(said.contains(&needed), "{said}");
        let output = dir.run(&["--listen", "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
        assert!(stderr(&output).contains(&needed), "{}", stderr(&output));
    });
}

#[test]
fn a_disk_without_room_for_the_copy_leaves_everything_as_it_is() {
    let (dir, shim) = (ServerFolder::new(), Shim::new());
    versions()[5](&dir);
    let database = dir.path("data/database.db");
    let before = fs::read(&database).unwrap();
    let full = Rule {
        what: "write",
        files: ".tmp",
        skip: 2,
        times: -1,
        errno: Some(Errno::NOSPC),
    };
    let output = ServerProcess::begin(shim.command(&dir, Some(full))).end();
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    let says = stderr(&output);
    assert!(
        says.contains("make room and start again, nothing was changed"),
        "{says}"
    );
    assert!(says.contains("database.db.before-5"), "{says}");
    holds_copy(&dir, None);
    let mut after = fs::read(&database).unwrap();
    // The server keeps a write-ahead log, which the header says from its first start on.
    after[18..20].copy_from_slice(&before[18..20]);
    after[24..28].copy_from_slice(&before[24..28]);
    after[92..100].copy_from_slice(&before[92..100]);
    assert!(after == before);
    starts(&dir, false);
    holds_copy(&dir, Some(5));
}

/// Copies the data folder to a disk of this size in the folder `SMALL`, and lets a server start there that cannot
/// listen. Whether that changed nothing, and the exit codes of the check and of the start.
const ON_A_SMALL_DISK: &str = r#"
    mkdir -m 700 $SMALL && mount -t tmpfs -o size=$SIZE,mode=700 none $SMALL && cp -a data/. $SMALL || exit 1
    "$SERVER" --data $SMALL --upgrade-check >/dev/null; check=$?
    "$SERVER" --data $SMALL --listen 203.0.113.1:1 2>/dev/null; start=$?
    cmp -s data/database.db $SMALL/database.db && same=same
    ls $SMALL | grep -q before && same=
    echo "$check $start $same""#;

/// The check and the start agree on each size of the disk: there is room for all, or nothing is changed.
#[test]
fn an_upgrade_begins_only_with_room_for_all_of_it() {
    let versions = versions();
    for version in [1, 6, versions.len() - 2] {
        let dir = ServerFolder::new();
        versions[version](&dir);
        // A name of the history, as any server leaves it: then nothing is written before the upgrade.
        let database = dir.path("data/database.db");
        let db = Connection::open(&database).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        drop(db);
        let size = database.metadata().unwrap().len() / 1024;
        let rooms = (0..=16).map(|part| size + part * (size + 2_048) / 12);
        let codes = each(rooms, |room| {
            let size = format!("{}k", room + 64);
            let output = Command::new("unshare")
                .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
                .arg(ON_A_SMALL_DISK)
                .env("SERVER", env!("CARGO_BIN_EXE_echat-server"))
                .envs([("SIZE", &size), ("SMALL", &size)])
                .current_dir(dir.path(""))
                .output()
                .unwrap();
            fs::remove_dir(dir.path(&size)).unwrap();
            stdout(&output).trim_end().to_owned()
        });
        // 69: it was upgraded, and cannot listen.
        let enough = codes.iter().filter(|codes| *codes == "0 69").count();
        let little = codes.iter().filter(|codes| *codes == "73 73 same").count();
        assert!(enough > 0 && little > 0, "{version}: {codes:?}");
        assert_eq!(enough + little, codes.len(), "{version}: {codes:?}");
    }
}

#[test]
fn a_first_start_killed_at_any_moment_is_completed_later() {
    let today = today();
    let mut kills = Vec::new();
    let (versions, missing) = (versions(), missing());
    let older = 1..versions.len() - 1;
    let starts = versions.iter().enumerate().map(|(version, before)| {
        let copied = Some(version).filter(|version| older.contains(version));
        (before, false, copied)
    });
    for (before, init, copied) in starts.chain(missing.iter().map(|before| (before, true, None))) {
        kills.push(count_while(|calls| {
            let killed = killed_after(before, init, calls, &today);
            killed.is_some_and(|dir| {
                holds_copy(&dir, copied);
                true
            })
        }));
    }
    assert!(kills.iter().all(|kills| *kills >= 5), "{kills:?}");
    eprintln!("killed before each of {kills:?} changes of the disk");
}

/// Kills a server that starts there, before it changes the disk once more than so often, and starts
/// again; `None` if it was ready before that.
fn killed_after(before: &Before, init: bool, calls: u64, today: &str) -> Option<ServerFolder> {
    let (dir, shim) = (ServerFolder::new(), Shim::new());
    before(&dir);
    let mut command = shim.command(&dir, Some(Rule::kill_after(calls)));
    if init {
        command.arg("--init");
    }
    let mut server = ServerProcess::begin(command);
    if server.becomes_ready() {
        server.kill();
        return None;
    }
    assert_eq!(server.end().status.signal(), Some(Signal::KILL.as_raw()));
    starts(&dir, init);
    assert_eq!(schema_dump(&dir.path("data/database.db")).unwrap(), today);
    Some(dir)
}

/// What a server does before it listens. A start with `--init` that was killed before it changed
/// anything needs that again.
fn starts(dir: &ServerFolder, init: bool) {
    let data = dir.path("data");
    let begun = data.join("init").exists();
    let dir = loop {
        match DataDir::open(&data, init && !begun) {
            // A process that another test begins holds the lock of this one until it runs its program.
            Err(DataDirError::Locked { .. } | DataDirError::DatabaseLocked { .. }) => {
                thread::yield_now();
            }
            opened => break opened.unwrap(),
        }
    };
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
