//! What the database costs with 10^6 messages in it (`ECHAT_BENCH_MESSAGES` changes the number):
//! `cargo bench -p echat-server --bench storage`.
//!
//! Each bench does what one request, or one tick of requests, does with the database. Commits sync the disk.

mod large;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::{Bencher, black_box};
use echat_proto::names::{Content, TxnId};
use echat_server::storage::{Batch, MessageId, Store, UserId};
use tempfile::TempDir;

/// Messages in the database unless `ECHAT_BENCH_MESSAGES` says otherwise.
const MESSAGES: u64 = 1_000_000;
/// Limits of the pages of a reply (PROTOCOL.md, section 5.6).
const PAGE: usize = 50;
const PAGE_BYTES: usize = 240 * 1024;

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

static TXN: AtomicU64 = AtomicU64::new(0);

struct Scene {
    store: Store,
    _folder: TempDir,
}

fn main() {
    divan::main();
}

/// Runs `act` on the database, which the first call makes.
fn with_store<T>(act: impl FnOnce(&mut Store) -> T) -> T {
    SCENE.with_borrow_mut(|scene| {
        let scene = scene.get_or_insert_with(|| {
            let messages = std::env::var("ECHAT_BENCH_MESSAGES").ok();
            let messages = messages.and_then(|count| count.parse().ok());
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("database.db");
            let store = large::fill(&path, messages.unwrap_or(MESSAGES));
            Scene {
                store: store.expect("a large database"),
                _folder: folder,
            }
        });
        act(&mut scene.store)
    })
}

/// Measures `act`, after the database is made.
fn measure<T>(bencher: Bencher<'_, '_>, act: impl Fn(&mut Store) -> T) {
    with_store(|_| ());
    bencher.bench_local(|| with_store(&act));
}

fn user(batch: &Batch<'_>, name: &str) -> UserId {
    batch
        .find_user(name)
        .expect("it reads")
        .expect("it is there")
        .id
}

/// Looks up what SEND_MESSAGE looks up, and stores a message.
fn send(batch: &mut Batch<'_>, me: UserId, friend: &str) -> MessageId {
    let number = TXN.fetch_add(1, Ordering::Relaxed);
    let txn = TxnId::new(format!("bench{number}")).expect("a valid txn_id");
    let content = Content::new("x".repeat(100)).expect("a valid text");
    assert!(
        batch
            .find_txn(me, &txn, &content)
            .expect("it reads")
            .is_none()
    );
    let found = batch.find_friend(me, friend).expect("it reads");
    let conversation = found.and_then(|(_, conversation)| conversation);
    let conversation = conversation.map(|conversation| conversation.id);
    batch
        .insert_message(
            conversation.expect("a friend"),
            me,
            &content,
            Some(&txn),
            2_000_000_000,
        )
        .expect("it is stored")
}

/// One tick of messages from different users, committed.
#[divan::bench(args = [1, 32, 1_000])]
fn messages_and_commit(bencher: Bencher<'_, '_>, messages: usize) {
    measure(bencher, |store| {
        let mut batch = store.batch();
        for number in 0..messages {
            let me = user(&batch, &format!("user{}", number % large::USERS));
            let friend = format!("user{}", (number + 1) % large::USERS);
            send(&mut batch, me, &friend);
        }
        batch.commit().expect("it is committed")
    });
}

/// A message without its commit.
#[divan::bench]
fn message(bencher: Bencher<'_, '_>) {
    measure(bencher, |store| {
        let mut batch = store.batch();
        let me = user(&batch, "user1");
        black_box(send(&mut batch, me, "user2"));
    });
}

#[divan::bench]
fn mark_read(bencher: Bencher<'_, '_>) {
    measure(bencher, |store| {
        let mut batch = store.batch();
        let me = user(&batch, "user1");
        let room = batch.find_own_room(me, "room0").expect("it reads");
        let room = room.expect("a room").id;
        batch
            .mark_read(me, room, MessageId(u64::MAX))
            .expect("it is marked")
    });
}

/// What LOGIN reads: the newest messages and unread counts of all conversations.
#[divan::bench]
fn login_bundle(bencher: Bencher<'_, '_>) {
    measure(bencher, |store| {
        let batch = store.batch();
        let me = user(&batch, "user500");
        batch.bundle(me, PAGE, 500, PAGE_BYTES).expect("it reads")
    });
}

/// The newest page of a room, and one from the middle of the database.
#[divan::bench(args = [1, 2])]
fn page(bencher: Bencher<'_, '_>, part: u64) {
    measure(bencher, |store| {
        let batch = store.batch();
        let me = user(&batch, "user1");
        let room = batch.find_own_room(me, "room0").expect("it reads");
        let room = room.expect("a room").id;
        let newest = batch.newest_id().expect("it reads").0;
        let before = Some(MessageId(newest / part + 1));
        batch
            .history(me, room, before, None, PAGE, PAGE_BYTES)
            .expect("it reads")
    });
}
