//! A log that another program keeps long: which thread checkpoints it, and how its file is truncated.

use std::fs::File;
use std::sync::Arc;

use echat_server::storage::CheckpointOutcome;

use super::*;

/// Pages of the log, and how many of them are in the database.
fn log(other: &Connection) -> (i32, i32) {
    let look = "PRAGMA wal_checkpoint(NOOP)";
    other
        .query_row(look, [], |row| Ok((row.get(1)?, row.get(2)?)))
        .unwrap()
}

/// Pages from which the log is checkpointed, and pages that a commit copies at most, in these tests.
const CHECKPOINT_FROM: i32 = 100;
const INLINE: i32 = 200;

/// A user who sends one message after another, and the most pages that one of their commits copied.
struct Sender {
    user: Actor,
    sent: usize,
    copied: i32,
}

impl Sender {
    fn new(user: Actor) -> Self {
        Self {
            user,
            sent: 0,
            copied: 0,
        }
    }

    /// Sends a message. Returns whether the log has restarted: it is shorter than before.
    fn sends(&mut self, harness: &mut Harness, look: &Connection) -> bool {
        let before = log(look);
        let reply = self.user.asks(harness, &send(self.sent));
        assert!(line(&reply).starts_with("ON_NEW_MESSAGE"));
        self.sent += 1;
        let after = log(look);
        let restarted = after.0 < before.0;
        if !restarted {
            self.copied = self.copied.max(after.1 - before.1);
        }
        restarted
    }
}

#[test]
fn a_long_log_is_left_to_another_thread_and_a_short_one_is_not() {
    let (_folder, path) = database();
    let mut store = Store::open(&path).unwrap();
    store.set_checkpoint_limits(CHECKPOINT_FROM, INLINE, INLINE);
    let mut harness = restless(store);
    let (ann, _bob) = (harness.enter("ann"), harness.enter("bob"));
    let (other, look) = (
        Connection::open(&path).unwrap(),
        Connection::open(&path).unwrap(),
    );
    let mut sender = Sender::new(ann);
    // Without a reader the log begins anew again and again, by commits alone.
    let anew = (0..200)
        .filter(|_| sender.sends(&mut harness, &look))
        .count();
    assert!(anew >= 3, "{anew}");
    assert!(harness.checkpoints.is_empty());

    // A reader of a log that is copied whole reads the database alone, and does not hold the log.
    while log(&look).0 == log(&look).1 {
        sender.sends(&mut harness, &look);
    }
    other
        .execute_batch("BEGIN; SELECT count(*) FROM messages")
        .unwrap();
    while log(&look).0 < 5 * INLINE {
        assert!(!sender.sends(&mut harness, &look));
    }
    // A reader that stays is not worked against with each commit.
    assert_eq!(harness.checkpoints.len(), 1, "one checkpoint at a time");
    let (_, held) = log(&look);
    for _ in 0..2 {
        let outcome = harness.checkpoints.pop().expect("a checkpoint").run();
        harness.engine().checkpoint_done(outcome).unwrap();
        assert_eq!(log(&look).1, held, "the reader holds the rest");
        assert!(!sender.sends(&mut harness, &look));
    }
    assert!(harness.checkpoints.is_empty(), "not with each commit");

    other.execute_batch("ROLLBACK").unwrap();
    let pages = log(&look).0;
    while harness.checkpoints.is_empty() {
        assert!(
            log(&look).0 < pages + CHECKPOINT_FROM,
            "it is not checkpointed"
        );
        assert!(!sender.sends(&mut harness, &look));
    }
    let (_, copied) = log(&look);
    assert_eq!(copied, held, "no commit copies so much");
    // Others commit while the checkpoint runs.
    let checkpoint = harness.checkpoints.pop().unwrap();
    assert!(!sender.sends(&mut harness, &look));
    let pages = log(&look).0;
    let outcome = checkpoint.run();
    assert_eq!(log(&look).1, pages);
    harness.engine().checkpoint_done(outcome).unwrap();
    assert!(sender.sends(&mut harness, &look), "the log begins anew");
    assert!(harness.checkpoints.is_empty());
    assert!(
        sender.copied <= INLINE,
        "{} pages by a commit",
        sender.copied
    );
    assert_eq!(stored(&look), sender.sent);
}

/// Pages that a commit copies of a log of moderate length, in this test.
const FEW: i32 = 20;

#[test]
fn commits_copy_the_rest_of_a_checkpoint_beside_the_loop_and_no_more() {
    let (_folder, path) = database();
    let mut store = Store::open(&path).unwrap();
    store.set_checkpoint_limits(CHECKPOINT_FROM, FEW, INLINE);
    let mut harness = restless(store);
    let mut ann = harness.enter("ann");
    let look = Connection::open(&path).unwrap();
    let (mut restarts, mut beside, mut longest) = (0, 0, 0);
    for sent in 0..400 {
        let before = log(&look);
        let reply = ann.asks(&mut harness, &send(sent));
        assert!(line(&reply).starts_with("ON_NEW_MESSAGE"));
        let after = log(&look);
        longest = longest.max(after.0);
        if after.0 < before.0 {
            restarts += 1;
        } else {
            assert!(after.1 - before.1 <= FEW, "{before:?}, then {after:?}");
        }
        // The thread takes as long as three messages.
        if sent % 3 == 0
            && let Some(checkpoint) = harness.checkpoints.pop()
        {
            beside += 1;
            let outcome = checkpoint.run();
            harness.engine().checkpoint_done(outcome).unwrap();
        }
    }
    assert!(restarts >= 3 && beside >= restarts, "{restarts}, {beside}");
    assert!(longest < 2 * CHECKPOINT_FROM, "{longest} pages");

    // Without a thread, commits copy all of it.
    let mut longest = 0;
    for sent in 400..1_000 {
        ann.asks(&mut harness, &send(sent));
        longest = longest.max(log(&look).0);
        for _ in std::mem::take(&mut harness.checkpoints) {
            let outcome = CheckpointOutcome::not_begun(&std::io::Error::other("no thread"));
            harness.engine().checkpoint_done(outcome).unwrap();
        }
    }
    assert!(longest < 2 * CHECKPOINT_FROM, "{longest} pages");
}

/// A server hands the descriptor of its data folder over. `/dev/null` stands in for a disk here whose syncs fail.
#[test]
fn a_checkpoint_syncs_the_database_and_reports_a_failure() {
    for (file, fails) in [("database.db", false), ("/dev/null", true)] {
        let (dir, path) = database();
        let mut store = Store::open(&path).unwrap();
        store.set_checkpoint_limits(CHECKPOINT_FROM, INLINE, INLINE);
        let file = File::open(dir.path().join(file)).unwrap();
        store.sync_checkpoints_by(Arc::new(file));
        let mut harness = restless(store);
        let mut ann = harness.enter("ann");
        let (reader, look) = (
            Connection::open(&path).unwrap(),
            Connection::open(&path).unwrap(),
        );
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM messages")
            .unwrap();
        let mut sent = 0;
        while log(&look).0 < 2 * INLINE {
            ann.asks(&mut harness, &send(sent));
            sent += 1;
        }
        let checkpoint = harness.checkpoints.pop().expect("a checkpoint");
        reader.execute_batch("ROLLBACK").unwrap();
        let outcome = checkpoint.run();
        let (pages, done) = log(&look);
        assert_eq!(pages, done);
        assert_eq!(harness.engine().checkpoint_done(outcome).is_err(), fails);
        // After a failure the log stays: it has the pages that the disk may lack.
        drop((reader, look, harness));
        assert_eq!(log_length(&path) > 0, fails);
    }
}

/// The process ends while the thread of the checkpoint is at work: the pages that it copied are not synced yet.
#[test]
fn a_store_that_is_closed_during_a_checkpoint_keeps_the_log() {
    let (_folder, path) = database();
    let mut store = Store::open(&path).unwrap();
    store.set_checkpoint_limits(CHECKPOINT_FROM, FEW, INLINE);
    let mut harness = restless(store);
    let mut ann = harness.enter("ann");
    let mut sent = 0;
    while harness.checkpoints.is_empty() {
        ann.asks(&mut harness, &send(sent));
        sent += 1;
    }
    drop(harness);
    assert!(log_length(&path) > 0, "the thread may still be at work");
    drop(Store::open(&path).unwrap());
    assert_eq!(stored(&Connection::open(&path).unwrap()), sent);
}

/// The file of the log keeps so many bytes after a peak, and loses so many at a time, here.
const KEPT: u64 = 600_000;
const CUT: u64 = 400_000;

#[test]
fn a_long_log_is_cut_back_in_steps() {
    let (_folder, path) = database();
    let long = |path| {
        let mut store = Store::open(path).unwrap();
        store.set_checkpoint_limits(CHECKPOINT_FROM, INLINE, INLINE);
        store.set_truncation(KEPT, CUT);
        restless(store)
    };
    let mut harness = long(&path);
    let mut ann = harness.enter("ann");
    let reader = Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM messages")
        .unwrap();
    let sent = (0..2_000).find(|n| {
        ann.asks(&mut harness, &send(*n));
        log_length(&path) > 10 * CUT
    });
    reader.execute_batch("ROLLBACK").unwrap();
    let mut sent = sent.unwrap() + 1;
    let mut cuts = Vec::new();
    while log_length(&path) > KEPT {
        assert!(sent < 10_000, "{} bytes are left", log_length(&path));
        let before = log_length(&path);
        ann.asks(&mut harness, &send(sent));
        sent += 1;
        cuts.push(before.saturating_sub(log_length(&path)));
        if let Some(checkpoint) = harness.checkpoints.pop() {
            harness.engine().checkpoint_done(checkpoint.run()).unwrap();
        }
    }
    // The log may have grown by what a commit may copy since the limit was set.
    let most = CUT + u64::try_from(2 * INLINE).unwrap() * 4_120;
    assert!(
        cuts.iter().all(|cut| *cut <= most),
        "{:?}",
        cuts.iter().max()
    );
    assert!(cuts.iter().filter(|cut| **cut > 0).count() >= 3);
    assert_eq!(stored(&reader), sent);
}

#[test]
fn a_store_with_a_long_log_is_closed_without_a_checkpoint() {
    let (_folder, path) = database();
    let mut store = Store::open(&path).unwrap();
    store.set_checkpoint_limits(CHECKPOINT_FROM, INLINE, INLINE);
    let mut harness = restless(store);
    let mut ann = harness.enter("ann");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN; SELECT count(*) FROM messages")
        .unwrap();
    let sent = (0..1_000).find(|n| {
        ann.asks(&mut harness, &send(*n));
        log_length(&path) > 400 * 4096
    });
    drop(other);
    let before = log_length(&path);
    drop(harness);
    assert_eq!(log_length(&path), before, "it was checkpointed");
    drop(Store::open(&path).unwrap());
    assert_eq!(
        log_length(&path),
        0,
        "by the bounds of a server it is short"
    );
    let kept = stored(&Connection::open(&path).unwrap());
    assert_eq!(kept, sent.unwrap() + 1);
}

#[test]
fn a_purge_of_a_long_log_is_tried_four_times_a_second_while_another_program_reads() {
    let (_folder, path) = database();
    let mut store = Store::open(&path).unwrap();
    // The loop copies nothing of it.
    store.set_checkpoint_limits(10_000, 0, 0);
    let mut harness = restless(store);
    let mut ann = harness.enter("ann");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN; SELECT count(*) FROM messages")
        .unwrap();
    let said = ann.asks(&mut harness, &send(0));
    let id = echat_testkit::wire::number(&said.params, "id");
    ann.asks(&mut harness, &format!(r#"DELETE_MESSAGE {{"id":{id}}}"#));
    let attempts = |harness: &mut Harness, seconds: u32| {
        let mut count = 0;
        for _ in 0..seconds * 100 {
            harness.pass(Duration::from_millis(10));
            for checkpoint in std::mem::take(&mut harness.checkpoints) {
                count += 1;
                let outcome = checkpoint.run();
                harness.engine().checkpoint_done(outcome).unwrap();
            }
        }
        count
    };
    // At first it may be a commit of the server that holds it.
    assert!(attempts(&mut harness, 2) > 5);
    let later = attempts(&mut harness, 10);
    assert!((20..=40).contains(&later), "{later} in ten seconds");
    assert!(harness.engine().store().has_leftovers());
    other.execute_batch("ROLLBACK").unwrap();
    attempts(&mut harness, 1);
    assert!(!harness.engine().store().has_leftovers());
}
