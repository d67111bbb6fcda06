//! Servers whose disk and answers were noted, and what a cut of the power leaves of them.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::{self, Permissions};
use std::iter;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use echat_server::data_dir::DataDir;
use echat_server::storage::{Store, create_template};
use echat_testkit::faults::disk::Disk;
use echat_testkit::faults::record::{Note, SentBytes};
use echat_testkit::faults::{Shim, root};
use echat_testkit::server_process::ServerFolder;
use echat_testkit::side_by_side;
use echat_testkit::wire::Client;
use echat_testkit::writers::{Acknowledged, Written};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;

/// Cuts after which the real binary is started and a new user let in, one of this many.
const STARTS: usize = 50;

/// What servers did on one data folder, and what their clients know.
pub(crate) struct Recording {
    root: PathBuf,
    pub(crate) notes: Vec<Note>,
    /// The note of the first ready line, and the host key that it announced.
    ready: usize,
    host_key: Vec<u8>,
    /// Every message that was sent.
    sent: BTreeSet<String>,
    /// Those that were acknowledged: the note of the call that said so, and the id.
    pub(crate) acknowledged: BTreeMap<String, (usize, u64)>,
}

impl Recording {
    /// Of all that the shim noted in this place, and what the clients of each server know.
    pub(crate) fn new(shim: &Shim, dir: &ServerFolder, written: [Vec<Written>; 2]) -> Self {
        let notes = shim.notes();
        let told = SentBytes::new(&notes);
        let mut acknowledged = BTreeMap::new();
        for (server, written) in written.iter().enumerate() {
            for written in written {
                for (txn_id, Acknowledged { id, received }) in &written.acknowledged {
                    let index = told.index((server, written.port), *received);
                    acknowledged.insert(txn_id.clone(), (index, *id));
                }
            }
        }
        let sent = written
            .into_iter()
            .flatten()
            .flat_map(|written| written.sent);
        Self {
            root: root(dir),
            acknowledged,
            sent: sent.collect(),
            ready: notes
                .iter()
                .position(|note| matches!(note, Note::Ready))
                .unwrap(),
            host_key: fs::read(dir.path("data/host_key")).unwrap(),
            notes,
        }
    }

    /// So many moments of the record, by chance, in order.
    pub(crate) fn moments(&self, cuts: usize) -> Vec<usize> {
        let mut rng = StdRng::seed_from_u64(1);
        let mut moments: Vec<_> = (0..cuts)
            .map(|_| rng.random_range(0..=self.notes.len()))
            .collect();
        moments.sort_unstable();
        moments
    }

    /// Every moment of the first start, so many times.
    pub(crate) fn first_start(&self, times: usize) -> Vec<usize> {
        (0..=self.ready)
            .flat_map(|moment| iter::repeat_n(moment, times))
            .collect()
    }

    /// Cuts the power at these moments, which are in order; what was wrong afterwards. Syncs that are
    /// `left_out` are taken for not done.
    pub(crate) fn play(&self, left_out: &BTreeSet<usize>, moments: &[usize]) -> Vec<String> {
        let mut disk = Disk::new(2);
        let mut done = 0;
        let cuts = moments.iter().enumerate().map(|(number, &moment)| {
            for index in done..moment {
                if !left_out.contains(&index) {
                    disk.apply(&self.notes[index]);
                }
            }
            done = moment;
            let mut rng = StdRng::seed_from_u64(number as u64);
            (number, moment, disk.cut(&mut rng))
        });
        let checked = side_by_side::each(cuts, |(number, moment, found)| {
            let checked = self.is_whole(number, moment, &found);
            checked.map_err(|reason| format!("cut {number}, after note {moment}: {reason}"))
        });
        checked.into_iter().filter_map(Result::err).collect()
    }

    /// What a cut at this moment left is whole, and a server goes on with it.
    fn is_whole(
        &self,
        number: usize,
        moment: usize,
        found: &BTreeMap<PathBuf, Option<Vec<u8>>>,
    ) -> Result<(), String> {
        let dir = self.restored(found);
        self.check(&dir, moment)?;
        if number.is_multiple_of(STARTS) {
            serves(&dir)?;
        }
        if moment > self.ready {
            self.goes_on(&self.restored(found), moment)?;
        }
        Ok(())
    }

    /// A place with these files, whose names are those of the recorded place.
    fn restored(&self, found: &BTreeMap<PathBuf, Option<Vec<u8>>>) -> ServerFolder {
        let dir = ServerFolder::new();
        for (path, content) in found {
            let path = dir.path(path.strip_prefix(&self.root).unwrap());
            match content {
                None => fs::create_dir(&path).unwrap(),
                // The name of its folder may be lost.
                Some(content) if path.parent().unwrap().exists() => {
                    let is_mark = path.ends_with("data/high_water");
                    let content = if is_mark {
                        after_another_boot(content)
                    } else {
                        content
                    };
                    fs::write(&path, content).unwrap();
                    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
                }
                Some(_) => {}
            }
        }
        dir
    }

    /// Whether ids go on above all that were told, though the database that is put back is from
    /// before the first message.
    fn goes_on(&self, dir: &ServerFolder, moment: usize) -> Result<(), String> {
        for file in fs::read_dir(dir.path("data")).map_err(text)? {
            let file = file.map_err(text)?;
            if file
                .file_name()
                .to_string_lossy()
                .starts_with("database.db")
            {
                fs::remove_file(file.path()).map_err(text)?;
            }
        }
        create_template(&dir.path("data/database.db")).map_err(text)?;
        let newest = newest_id(dir)?;
        let told = self.acknowledged.values();
        let told = told.filter(|(told, _)| *told < moment).map(|(_, id)| *id);
        match told.max() {
            Some(told) if told > newest => Err(format!("ids go back from {told} to {newest}")),
            _ => Ok(()),
        }
    }

    /// Whether echat starts on these files, and what it told by then is there.
    pub(crate) fn check(&self, dir: &ServerFolder, moment: usize) -> Result<(), String> {
        newest_id(dir)?;
        let announced = moment > self.ready;
        let host_key = fs::read(dir.path("data/host_key")).map_err(text)?;
        if announced && host_key != self.host_key {
            return Err("another host key than was announced".to_owned());
        }
        let found = messages(&dir.path("data/database.db")).map_err(text)?;
        for (txn_id, (told, id)) in &self.acknowledged {
            if *told < moment && found.get(txn_id) != Some(id) {
                return Err(format!("{txn_id} was acknowledged as {id}"));
            }
        }
        match found.keys().find(|txn_id| !self.sent.contains(*txn_id)) {
            Some(unknown) => Err(format!("{unknown} was never sent")),
            None => Ok(()),
        }
    }
}

/// The content of `high_water` without the boot that it names: the power was not cut really.
fn after_another_boot(content: &[u8]) -> &[u8] {
    let boot = content.windows(6).position(|bytes| bytes == b"\nboot ");
    boot.map_or(content, |begin| &content[..=begin])
}

/// Opens the data folder as a server does; the newest message id that counts as given out.
fn newest_id(dir: &ServerFolder) -> Result<u64, String> {
    let dir = DataDir::open(&dir.path("data"), false).map_err(text)?;
    let store = Store::open_in_folder(&dir.database(), &dir.high_water(), false);
    let newest = store.map_err(text)?.batch().newest_id();
    Ok(newest.map_err(text)?.0)
}

/// The ids of all messages by txn_id, which is their content, in a database that is whole.
fn messages(path: &Path) -> Result<BTreeMap<String, u64>, rusqlite::Error> {
    let db = Connection::open(path)?;
    let whole: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(whole, "ok");
    assert!(!db.prepare("PRAGMA foreign_key_check")?.exists([])?);
    let mut found = BTreeMap::new();
    let mut statement = db.prepare("SELECT txn_id, content, id FROM messages")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let txn_id: String = row.get(0)?;
        assert_eq!(txn_id, row.get::<_, String>(1)?);
        assert_eq!(
            found.insert(txn_id, row.get::<_, i64>(2)?.cast_unsigned()),
            None,
            "doubled"
        );
    }
    Ok(found)
}

/// The real binary starts there, serves a new user, and stops in order.
fn serves(dir: &ServerFolder) -> Result<(), String> {
    let server = dir.start(&["--log", "warn"]);
    Client::register(&server, "late").is_served();
    match server.stop().status.code() {
        Some(0) => Ok(()),
        code => Err(format!("the server ended with {code:?}")),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
