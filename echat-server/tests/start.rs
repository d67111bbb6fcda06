//! The start of the real binary: the data folder, its lock, its files and the host key.

mod place;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use place::{Place, stderr, stdout};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn every_file_is_private_under_umask_000() {
    let place = Place::new();
    place.write("database.db", "template");
    fs::set_permissions(place.path("database.db"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(place.run(&["--data", "new/data"]).status.code(), Some(0));
    for folder in ["new", "new/data"] {
        assert_eq!(mode(&place.path(folder)), 0o700, "{folder}");
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(place.path("new/data")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["database.db", "host_key", "lock"]);
}

#[test]
fn the_template_beside_the_configuration_is_copied_once() {
    let place = Place::new();
    fs::create_dir(place.path("etc")).unwrap();
    place.write("etc/config.json", "{}");
    place.write("etc/database.db", "beside the file");
    place.write("database.db", "in the current directory");
    for _ in 0..2 {
        place.run(&["--config", "etc/config.json", "--data", "one"]);
        assert_eq!(
            fs::read(place.path("one/database.db")).unwrap(),
            b"beside the file"
        );
        place.write("etc/database.db", "beside the file");
    }
    place.run(&["--data", "two"]);
    assert_eq!(
        fs::read(place.path("two/database.db")).unwrap(),
        b"in the current directory"
    );
    place.write("database.db", "newer");
    place.run(&["--data", "two"]);
    assert_eq!(
        fs::read(place.path("two/database.db")).unwrap(),
        b"in the current directory"
    );
    Place::new().run(&[]);
    place.write("etc/config.json", "{}");
    fs::remove_file(place.path("etc/database.db")).unwrap();
    place.run(&["--config", "etc/config.json", "--data", "three"]);
    assert!(place.path("three/host_key").exists());
    assert!(
        !place.path("three/database.db").exists(),
        "no template, no database yet"
    );
}

#[test]
fn a_second_server_is_refused() {
    let place = Place::new();
    place.run(&[]);
    let lock = File::open(place.path("data/lock")).unwrap();
    lock.lock().unwrap();
    let refused = place.run(&["--log", "off"]);
    assert_eq!(
        stderr(&refused),
        "echat-server: data: another echat-server uses this folder\n"
    );
    assert_eq!(refused.status.code(), Some(75));
    drop(lock);
    assert_eq!(place.run(&[]).status.code(), Some(0));
}

#[test]
fn a_data_folder_that_cannot_be_made_is_refused() {
    let place = Place::new();
    place.write("data", "a file");
    let refused = place.run(&["--log", "off"]);
    assert_eq!(
        stderr(&refused),
        "echat-server: data: cannot be made: File exists (os error 17)\n"
    );
    assert_eq!(refused.status.code(), Some(73));
}

#[test]
fn an_exposed_or_malformed_host_key_is_refused_and_kept() {
    let place = Place::new();
    place.run(&[]);
    let key = place.path("data/host_key");
    let first = fs::read(&key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let exposed = place.run(&["--log", "off"]);
    assert_eq!(
        stderr(&exposed),
        "echat-server: data/host_key: open to others (mode 0644); if nobody has read it, run: \
         chmod 600 data/host_key\n"
    );
    assert_eq!(exposed.status.code(), Some(77));
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(place.run(&[]).status.code(), Some(0));
    assert_eq!(
        fs::read(&key).unwrap(),
        first,
        "the key stays the same from start to start"
    );
    fs::write(&key, &first[1..]).unwrap();
    let malformed = place.run(&["--log", "off"]);
    assert_eq!(
        stderr(&malformed),
        "echat-server: data/host_key: not an echat host key; put back a copy of the right one\n"
    );
    assert_eq!(malformed.status.code(), Some(78));
    assert_eq!(fs::read(&key).unwrap(), first[1..]);
}

#[test]
fn the_log_is_plain_lines_in_utc() {
    let output = Place::new().run(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), "", "stdout is not for the log");
    for line in stderr(&output).lines() {
        let time = line.split(' ').next().unwrap();
        assert_eq!(
            (time.len(), &time[10..11], &time[26..]),
            (27, "T", "Z"),
            "{line}"
        );
        assert!(!line.contains('\u{1b}'));
    }
    assert!(stderr(&output).contains("fingerprint=SHA256:"));
}

#[test]
fn files_made_without_a_mode_are_private_too() {
    // Holds for this whole test process; the servers it starts set their own umask. Beside the
    // unit tests it would hide a missing mode from them.
    echat_server::data_dir::keep_new_files_private();
    let place = Place::new();
    place.write("any", "");
    assert_eq!(mode(&place.path("any")), 0o600);
}
