//! Files that are links, of others, open to others, or used by another server.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use echat_testkit::server_process::{ServerFolder, stderr, why_it_ended};
use echat_testkit::wire::Client;
use rusqlite::Connection;

fn used() -> ServerFolder {
    let dir = ServerFolder::new();
    assert_eq!(dir.start(&[]).stop().status.code(), Some(0));
    dir
}

/// A start there ends with this code and one line that has these words.
fn refused(dir: &ServerFolder, code: i32, words: &str) {
    let output = dir.run(&["--log", "off"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(why_it_ended(&output).starts_with(words), "{said}");
}

#[test]
fn no_link_is_followed() {
    let dir = used();
    for name in [
        "database.db",
        "host_key",
        "high_water",
        "lock",
        "database.db-wal",
        "init",
    ] {
        let path = dir.path("data").join(name);
        let aside = dir.path("aside");
        let was_there = fs::rename(&path, &aside).is_ok();
        if !was_there {
            fs::write(&aside, "theirs").unwrap();
        }
        let content = fs::read(&aside).unwrap();
        for target in [&aside, &dir.path("nothing")] {
            symlink(target, &path).unwrap();
            let words = format!("data/{name}: a symbolic link; put the file itself in its place\n");
            refused(&dir, 77, &words);
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read(&aside).unwrap(), content, "{name}");
        assert!(!dir.path("nothing").exists(), "{name}");
        if was_there {
            fs::rename(&aside, &path).unwrap();
        }
    }
    assert_eq!(dir.start(&[]).stop().status.code(), Some(0));
}

#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    for name in ["database.db", "host_key", "high_water"] {
        let dir = used();
        fs::remove_file(dir.path("data").join(name)).unwrap();
        fs::create_dir(dir.path("data").join(name)).unwrap();
        refused(&dir, 78, &format!("data/{name}: not a regular file\n"));
    }
}

#[test]
fn a_second_name_of_the_database_or_the_key_is_refused() {
    for name in ["database.db", "host_key"] {
        let dir = used();
        fs::hard_link(dir.path("data").join(name), dir.path("other")).unwrap();
        refused(&dir, 77, &format!("data/{name}: has 2 names (hard links)"));
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    let dir = used();
    for (mode, code) in [(0o770, 77), (0o702, 77), (0o755, 0)] {
        fs::set_permissions(dir.path("data"), Permissions::from_mode(mode)).unwrap();
        if code == 0 {
            assert_eq!(dir.start(&[]).stop().status.code(), Some(0));
        } else {
            let words = format!(
                "data: others can write to this folder (mode {mode:04o}); if its files are right, run: \
                 chmod go-w data\n"
            );
            refused(&dir, code, &words);
        }
    }
}

/// Root can give files away; for other users there is a folder of root's.
#[test]
fn files_of_another_user_are_refused() {
    let dir = used();
    let path = dir.path("data/host_key");
    if chown(&path, Some(4_242), None).is_err() {
        let output = dir.run(&["--log", "off", "--data", "/usr"]);
        let said = stderr(&output);
        assert!(
            said.contains("/usr: this folder belongs to user 0"),
            "{said}"
        );
        assert_eq!(output.status.code(), Some(77));
        return;
    }
    refused(
        &dir,
        77,
        "data/host_key: belongs to user 4242, and this program runs as",
    );
    chown(&path, Some(0), None).unwrap();
    for name in ["database.db", "high_water", "lock"] {
        let path = dir.path("data").join(name);
        chown(&path, Some(4_242), None).unwrap();
        refused(&dir, 77, &format!("data/{name}: belongs to user 4242, and"));
        chown(&path, Some(0), None).unwrap();
    }
    chown(dir.path("data"), Some(4_242), None).unwrap();
    refused(
        &dir,
        77,
        "data: this folder belongs to user 4242, and the server",
    );
}

/// A second server is refused, whatever path leads it to the database of one that runs.
#[test]
fn a_second_server_by_another_folder_is_refused() {
    let dir = used();
    let first = dir.start(&[]);
    symlink(dir.path("data"), dir.path("link")).unwrap();
    let second = |data: &str| {
        let output = dir.run(&["--log", "off", "--data", data]);
        assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
        why_it_ended(&output).to_owned()
    };
    assert_eq!(
        second("link"),
        "link: another echat-server uses this folder\n"
    );
    assert_eq!(
        dir.start(&["--data", "other"]).stop().status.code(),
        Some(0)
    );
    fs::remove_file(dir.path("other/database.db")).unwrap();
    fs::hard_link(dir.path("data/database.db"), dir.path("other/database.db")).unwrap();
    assert_eq!(
        second("other"),
        "other/database.db: another echat-server uses this database, by another folder\n"
    );
    // The first one still holds it: others can read and are served.
    Client::register(&first, "ann").is_served();
    assert_eq!(first.stop().status.code(), Some(0));
}

#[test]
fn a_folder_may_be_reached_by_a_link() {
    let dir = used();
    symlink("data", dir.path("link")).unwrap();
    let server = dir.start(&["--data", "link"]);
    Client::register(&server, "ann").is_served();
    server.kill();
    let server = dir.start(&[]);
    Client::login(&server, "ann").is_served();
}

#[test]
fn a_database_with_a_planted_trigger_is_refused() {
    let dir = used();
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    db.execute_batch("CREATE TRIGGER spy AFTER INSERT ON messages BEGIN DELETE FROM users; END")
        .unwrap();
    drop(db);
    let words =
        "data/database.db: this database has the trigger \"spy\", which is not echat's; drop it";
    refused(&dir, 65, words);
}
