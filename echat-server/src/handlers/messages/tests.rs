//! What one message costs: counted, so that the figures are the same in each run.

use std::fs;
use std::path::{Path, PathBuf};

use echat_proto::limits::CONTENT_MAX;
use echat_proto::names::{RoomName, Username};
use tempfile::TempDir;

use super::*;
use crate::config::{Limits, Settings};
use crate::handlers::message_changes::edit_message;
use crate::storage::{Batch, Room, Store, UserId, create_template};

/// Bytes of the header of a write-ahead log, and of one of its frames beside the page
/// (<https://sqlite.org/fileformat2.html>, section 4.1).
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// What one request cost.
#[derive(Debug)]
struct Cost {
    /// Pages that the commit appended to the write-ahead log.
    pages: u64,
    statements: u64,
    /// Steps of `SQLite`'s virtual machine.
    steps: u64,
}

/// A database in a file, where ann and bob are friends and two of the ten members of a room.
struct Scene {
    _folder: TempDir,
    path: PathBuf,
    store: Store,
    ann: Caller,
    bob: Caller,
}

/// What a handler decides with, at second 2.
fn view<'a, 's>(batch: &'a Batch<'s>, limits: &'a Limits, settings: &'a Settings) -> View<'a, 's> {
    View {
        batch,
        limits,
        settings,
        now: 2,
        places: None,
    }
}

fn user(batch: &mut Batch<'_>, name: &str) -> UserId {
    let name = Username::new(name).unwrap();
    batch.create_user(&name, "phc", 1).unwrap().unwrap()
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.db");
        create_template(&path).unwrap();
        let mut store = Store::open(&path).unwrap();
        let mut batch = store.batch();
        let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
        batch.befriend(ann, bob, 1).unwrap();
        let tea = RoomName::new("tea").unwrap();
        let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
        let others = (0..8).map(|n| user(&mut batch, &format!("member{n}")));
        let members: Vec<UserId> = others.collect();
        for member in members.into_iter().chain([ann, bob]) {
            batch.add_member(tea, member, 1).unwrap();
        }
        let _ = batch.commit().unwrap();
        Self {
            _folder: folder,
            path,
            store,
            ann: Caller {
                id: ann,
                name: "ann".into(),
                bot: false,
            },
            bob: Caller {
                id: bob,
                name: "bob".into(),
                bot: false,
            },
        }
    }

    /// Decides, writes and commits some requests in one batch, as a tick does.
    fn commit(
        &mut self,
        requests: usize,
        decide: impl Fn(&View<'_, '_>, Caller, usize) -> Result<Plan, Reject>,
    ) -> Cost {
        let limits = Limits {
            content_bytes: CONTENT_MAX,
            ..Limits::default()
        };
        let before = log_bytes(&self.path);
        let mut batch = self.store.batch();
        for request in 0..requests {
            let settings = Settings::default();
            let view = view(&batch, &limits, &settings);
            let Ok(Plan::Write(_, write)) = decide(&view, self.ann.clone(), request) else {
                panic!("the request is refused")
            };
            assert!(write(&mut batch).is_ok());
        }
        let usage = batch.usage();
        let _ = batch.commit().unwrap();
        let frame = FRAME_HEADER + page_bytes(&self.path);
        Cost {
            pages: (log_bytes(&self.path) - before) / frame,
            statements: usage.statements,
            steps: usage.steps,
        }
    }

    /// Some messages in one batch.
    fn send(&mut self, to: TargetType, messages: usize, txn: Option<&str>) -> Cost {
        let target = match to {
            TargetType::Friend => "bob",
            TargetType::Room => "tea",
        };
        self.commit(messages, |view, me, number| {
            let txn_id = txn.map(|txn| TxnId::new(format!("{txn}{number}")).unwrap());
            let content = Content::new("x".repeat(100)).unwrap();
            send_message(view, me, to, NameQuery::new(target), content, txn_id, None)
        })
    }

    /// Gives the room slow mode.
    fn slow(&mut self, slow_seconds: u32) {
        let mut batch = self.store.batch();
        let was = batch.find_room("tea").unwrap().unwrap();
        let room = Room {
            slow_seconds,
            ..was.clone()
        };
        batch.change_room(&was, &room).unwrap();
        let _ = batch.commit().unwrap();
    }

    fn mark_read(&mut self, id: u64) -> Cost {
        self.commit(1, |view, me, _| {
            mark_read(view, me, TargetType::Room, NameQuery::new("tea"), id)
        })
    }
}

/// Bytes of frames in the log. The tests write too little for a checkpoint.
fn log_bytes(database: &Path) -> u64 {
    let log = fs::metadata(database.with_extension("db-wal")).unwrap();
    log.len().saturating_sub(LOG_HEADER)
}

/// The size of a page: two bytes in the header of the database (section 1.3).
fn page_bytes(database: &Path) -> u64 {
    let header = fs::read(database).unwrap();
    u64::from(header[16]) << 8 | u64::from(header[17]) << 16
}

/// Other versions of `SQLite` may take a few steps more or less.
fn assert_cost(cost: &Cost, pages: u64, statements: u64, steps: u64) {
    assert_eq!(
        (cost.pages, cost.statements),
        (pages, statements),
        "{cost:?}"
    );
    assert!(cost.steps <= steps, "{cost:?}");
}

#[test]
fn slow_mode_costs_only_the_rooms_that_have_it() {
    let mut scene = Scene::new();
    scene.send(TargetType::Room, 1, Some("first"));
    let without = scene.send(TargetType::Room, 1, Some("a"));
    scene.slow(60);
    // The owner is exempt, and pays for the look-up of the role at most.
    let exempt = scene.send(TargetType::Room, 1, Some("b"));
    assert_eq!(
        (without.pages, without.statements),
        (exempt.pages, exempt.statements)
    );
    scene.ann = scene.bob.clone();
    // The time of the last message is read and written.
    assert_cost(&scene.send(TargetType::Room, 1, Some("c")), 4, 5, 240);
}

#[test]
fn a_message_writes_few_pages_in_few_statements() {
    let mut scene = Scene::new();
    scene.send(TargetType::Friend, 1, Some("first"));
    scene.send(TargetType::Room, 1, Some("second"));
    // Its row, its place in the conversation, and its txn_id.
    assert_cost(&scene.send(TargetType::Friend, 1, Some("a")), 3, 3, 170);
    assert_cost(&scene.send(TargetType::Room, 1, Some("b")), 3, 3, 178);
    assert_cost(&scene.send(TargetType::Room, 1, None), 2, 2, 152);
    // Ten in one tick.
    assert_cost(&scene.send(TargetType::Room, 10, Some("c")), 3, 30, 1650);
    assert_cost(&scene.mark_read(2), 1, 3, 100);
}

#[test]
fn the_names_in_a_text_are_looked_up_behind_the_rates_and_counted() {
    let mut scene = Scene::new();
    scene.send(TargetType::Friend, 1, None);
    let limits = Limits::default();
    let text = format!("@明{}_", "１".repeat(58)).repeat(21);
    for edits in [false, true] {
        let mut batch = scene.store.batch();
        let settings = Settings::default();
        let view = view(&batch, &limits, &settings);
        let (me, content) = (scene.ann.clone(), Content::new(text.clone()).unwrap());
        let plan = if edits {
            edit_message(&view, me, 1, content)
        } else {
            let (to, bob) = (TargetType::Friend, NameQuery::new("bob"));
            send_message(&view, me, to, bob, content, None, None)
        };
        let Ok(Plan::Write(_, write)) = plan else {
            panic!("the request is refused")
        };
        assert_eq!(batch.usage().unicode_names, 0);
        assert!(write(&mut batch).is_ok());
        assert_eq!(batch.usage().unicode_names, 200);
    }
}
