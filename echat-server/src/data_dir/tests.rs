//! What is made, what is kept, and what is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::exit::ExitCode;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A folder that a server has used.
fn used() -> (tempfile::TempDir, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("data");
    drop(DataDir::open(&path, false).unwrap());
    (base, path)
}

#[test]
fn files_of_the_server_are_known_by_their_names_and_through_links() {
    let (base, data) = used();
    let own = [
        "database.db",
        "database.db-wal",
        "database.db.before-3",
        "host_key",
        "replacing",
        "unfinished.12.0",
    ];
    for name in own {
        assert!(is_own_file(&data, &data.join(name)), "{name}");
        assert!(!is_own_file(&data, &base.path().join(name)), "{name}");
    }
    for name in ["echat.log", "database.log", "replacing.log"] {
        assert!(!is_own_file(&data, &data.join(name)), "{name}");
    }
    let link = base.path().join("log");
    fs::hard_link(data.join(DATABASE), &link).unwrap();
    assert!(is_own_file(&data, &link));
}

#[test]
fn a_new_folder_is_private_and_locked_while_the_value_lives() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("a/b");
    let first = DataDir::open(&path, false).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(names(&path), [DATABASE, ADMINISTRATOR_CODE, HOST_KEY, LOCK]);
    for name in names(&path) {
        assert_eq!(mode(&path.join(name)), 0o600);
    }
    let key = first.host_key().clone();
    let refused = DataDir::open(&path, false).unwrap_err();
    assert_eq!(refused.exit_code(), ExitCode::Busy);
    drop(first);
    assert_eq!(DataDir::open(&path, false).unwrap().host_key(), &key);
}

#[test]
fn a_used_folder_keeps_its_content_and_its_mode_and_its_files_become_private() {
    let (_base, data) = used();
    fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let files = [DATABASE, HIGH_WATER]
        .into_iter()
        .chain(COMPANIONS)
        .map(|name| data.join(name));
    for before in [0o666, 0o400] {
        for file in files.clone() {
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(before)).unwrap();
        }
        let dir = DataDir::open(&data, false).unwrap();
        assert_eq!(fs::read(dir.database()).unwrap(), b"old");
        let modes = files.clone().map(|file| mode(&file));
        assert_eq!(modes.collect::<Vec<_>>(), [0o600; 5]);
    }
    assert_eq!(mode(&data), 0o755, "a folder that was there keeps its mode");
}

#[test]
fn old_files_are_moved_to_no_folder_but_one_for_them() {
    let (base, data) = used();
    let elsewhere = base.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(data.join("incoming")).unwrap();
    fs::write(data.join("incoming/database.db"), "new").unwrap();
    let before = fs::read(data.join(DATABASE)).unwrap();
    for name in [
        "",
        "before-",
        "../elsewhere",
        "before-/../../elsewhere",
        "lock",
        &elsewhere.display().to_string(),
    ] {
        fs::write(data.join("replacing"), name).unwrap();
        let refused = Offline::open(&data, false).map(drop).unwrap_err();
        assert!(
            refused.to_string().contains("replacing"),
            "{name:?}: {refused}"
        );
        assert_eq!(fs::read(data.join(DATABASE)).unwrap(), before, "{name:?}");
        assert_eq!(names(&elsewhere), [""; 0], "{name:?}");
    }
    fs::write(data.join("replacing"), "before-restore-1").unwrap();
    drop(Offline::open(&data, false).unwrap());
    assert_eq!(fs::read(data.join(DATABASE)).unwrap(), b"new");
    assert_eq!(
        fs::read(data.join("before-restore-1").join(DATABASE)).unwrap(),
        before
    );
}

#[test]
fn a_journal_without_its_database_is_refused_always() {
    for companion in COMPANIONS {
        for init in [false, true] {
            let base = tempfile::tempdir().unwrap();
            let orphan = base.path().join(companion);
            fs::write(&orphan, "pages").unwrap();
            for database in [None, Some("")] {
                if let Some(content) = database {
                    fs::write(base.path().join(DATABASE), content).unwrap();
                }
                let error = DataDir::open(base.path(), init);
                assert!(matches!(error, Err(DataDirError::Orphan { path }) if path == orphan));
            }
            assert!(!base.path().join(HOST_KEY).exists());
        }
    }
}

/// Takes each of what a used folder has, or its content, and says what is missed.
#[test]
fn missing_files_are_created_only_on_request() {
    let lacks = [None, Some(Lack::Absent), Some(Lack::Empty)];
    for (database, host_key) in lacks.iter().flat_map(|a| lacks.map(|b| (*a, b))) {
        let (_base, data) = used();
        let take = |name: &str, lack: Option<Lack>| match lack {
            None => {}
            Some(Lack::Absent) => fs::remove_file(data.join(name)).unwrap(),
            Some(Lack::Empty) => fs::write(data.join(name), "").unwrap(),
        };
        take(DATABASE, database);
        take(HOST_KEY, host_key);
        let kept = |name: &str| fs::read(data.join(name)).ok();
        let before = [kept(DATABASE), kept(HOST_KEY)];
        fs::write(data.join(HIGH_WATER), "used").unwrap();
        let refused = DataDir::open(&data, false);
        if database.or(host_key).is_none() {
            assert!(refused.is_ok());
            continue;
        }
        let error = refused.unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::NoInput);
        assert!(matches!(
            error,
            DataDirError::Missing { missing, .. } if missing == Missing { database, host_key }
        ));
        assert_eq!([kept(DATABASE), kept(HOST_KEY)], before, "nothing is made");
        assert!(DataDir::open(&data, true).is_ok());
        for (name, lack, before) in [
            (DATABASE, database, &before[0]),
            (HOST_KEY, host_key, &before[1]),
        ] {
            assert_eq!(kept(name) == *before, lack.is_none(), "{name}");
        }
        assert!(DataDir::open(&data, false).is_ok());
        assert_eq!(
            names(&data),
            [DATABASE, ADMINISTRATOR_CODE, HIGH_WATER, HOST_KEY, LOCK]
        );
    }
}

#[test]
fn an_interrupted_first_start_is_continued() {
    for made in [&[][..], &[DATABASE], &[HOST_KEY], &[DATABASE, HOST_KEY]] {
        let (_base, data) = used();
        for name in [DATABASE, HOST_KEY] {
            if !made.contains(&name) {
                fs::remove_file(data.join(name)).unwrap();
            }
        }
        fs::write(data.join(INIT), "").unwrap();
        assert!(DataDir::open(&data, false).is_ok(), "{made:?}");
        assert_eq!(names(&data), [DATABASE, ADMINISTRATOR_CODE, HOST_KEY, LOCK]);
    }
}

#[test]
fn every_bit_that_lets_others_write_to_the_folder_is_refused() {
    let (_base, data) = used();
    for bit in [0o020, 0o002] {
        fs::set_permissions(&data, Permissions::from_mode(0o700 | bit)).unwrap();
        let error = DataDir::open(&data, false).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Permission);
        assert!(matches!(error, DataDirError::FolderOpen { mode, .. } if mode == 0o700 | bit));
    }
}

#[test]
fn a_database_held_from_another_folder_is_busy_and_one_with_two_names_is_refused() {
    let (_base, data) = used();
    let (_other_base, other) = used();
    fs::remove_file(other.join(DATABASE)).unwrap();
    fs::hard_link(data.join(DATABASE), other.join(DATABASE)).unwrap();
    let error = DataDir::open(&other, false).unwrap_err();
    assert!(matches!(
        error,
        DataDirError::File {
            source: FileError::HardLinks(2),
            ..
        }
    ));
    fs::rename(data.join(DATABASE), data.join("aside")).unwrap();
    fs::remove_file(data.join("aside")).unwrap();
    let held = DataDir::open(&other, false).unwrap();
    fs::hard_link(other.join(DATABASE), data.join(DATABASE)).unwrap();
    let error = DataDir::open(&data, false).unwrap_err();
    assert!(matches!(error, DataDirError::DatabaseLocked { .. }));
    assert_eq!(error.exit_code(), ExitCode::Busy);
    drop(held);
}
