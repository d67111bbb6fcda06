//! Runs of messages of one sender, which unread counts skip (`run_above` of a message): whether they agree with the
//! messages, and how they are made anew.
//!
//! The index of messages has all that this needs. It is read in its order, so the memory does not grow with the number
//! of messages.

use rusqlite::{Connection, OptionalExtension};

use super::retention::NEXT_CONVERSATION;

/// Messages that are read before what differs among them is written.
const PORTION: i64 = 4_096;

/// All messages that are not deleted.
const ALL: &str = "SELECT conversation, id, sender, run_above FROM messages
     INDEXED BY messages_by_conversation WHERE deleted_at IS NULL ORDER BY conversation, id";

/// The next ones of a conversation.
const SOME: &str = "SELECT id, sender, run_above FROM messages
     INDEXED BY messages_by_conversation
     WHERE conversation = ?1 AND id > ?2 AND deleted_at IS NULL ORDER BY id LIMIT ?3";

/// The messages of one conversation that are not deleted, from the oldest on.
#[derive(Default)]
struct Runs {
    /// The sender and the id of the newest one.
    last: Option<(i64, i64)>,
    /// The newest one that is of another sender, or 0.
    above: i64,
}

impl Runs {
    /// Adds the next message. Returns whether it is of the same sender as the one before it.
    fn add(&mut self, id: i64, sender: i64) -> bool {
        let before = self.last.replace((sender, id));
        let goes_on = before.is_some_and(|(last, _)| last == sender);
        if !goes_on {
            self.above = before.map_or(0, |(_, id)| id);
        }
        goes_on
    }
}

/// What was read of a conversation.
struct Read {
    messages: i64,
    /// The ids of those that store another run, with the right one.
    differing: Vec<(i64, Option<i64>)>,
}

/// Counts messages whose run reaches back beyond one of another sender.
pub(super) fn count_wrong(db: &Connection) -> rusqlite::Result<u64> {
    let mut statement = db.prepare(ALL)?;
    let mut rows = statement.query([])?;
    let mut runs = Runs::default();
    let mut of: Option<i64> = None;
    let mut wrong = 0;
    while let Some(row) = rows.next()? {
        let (conversation, id, sender, stored): (i64, i64, i64, Option<i64>) = row.try_into()?;
        if of.replace(conversation) != Some(conversation) {
            runs = Runs::default();
        }
        runs.add(id, sender);
        if stored.is_some_and(|stored| stored < runs.above) {
            wrong += 1;
        }
    }
    Ok(wrong)
}

/// Makes the runs of all messages anew.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    let next = |after: i64| -> rusqlite::Result<Option<i64>> {
        let mut statement = db.prepare_cached(NEXT_CONVERSATION)?;
        statement.query_row([after], |row| row.get(0)).optional()
    };
    let mut last = i64::MIN;
    while let Some(conversation) = next(last)? {
        rebuild_of(db, conversation)?;
        last = conversation;
    }
    Ok(())
}

fn rebuild_of(db: &Connection, conversation: i64) -> rusqlite::Result<()> {
    let mut runs = Runs::default();
    loop {
        let after = runs.last.map_or(i64::MIN, |(_, id)| id);
        let read = read(db, &mut runs, (conversation, after))?;
        let mut update = db.prepare_cached("UPDATE messages SET run_above = ?2 WHERE id = ?1")?;
        for change in read.differing {
            update.execute(change)?;
        }
        if read.messages < PORTION {
            return Ok(());
        }
    }
}

/// Adds the next messages of a conversation after an id to its runs.
fn read(
    db: &Connection,
    runs: &mut Runs,
    (conversation, after): (i64, i64),
) -> rusqlite::Result<Read> {
    let mut statement = db.prepare_cached(SOME)?;
    let mut rows = statement.query([conversation, after, PORTION])?;
    let mut read = Read {
        messages: 0,
        differing: Vec::new(),
    };
    while let Some(row) = rows.next()? {
        let (id, sender, stored): (i64, i64, Option<i64>) = row.try_into()?;
        let run = runs.add(id, sender).then_some(runs.above);
        if run != stored {
            read.differing.push((id, run));
        }
        read.messages += 1;
    }
    Ok(read)
}
