//! Retention: how long messages are kept.
//!
//! A message is too old when it was sent more days ago than the server or its room keeps messages. Readers pass over it
//! from that moment on: every query of messages has the time from which they are kept. Its row is removed later, in
//! portions ([`Batch::remove`]). Where nothing is kept, a message is not stored at all: its id is assigned.
//!
//! A transaction id is known for 30 days at least. It stands in the row of its message. Of a message that is removed
//! before, or was never kept, a digest remains in `unkept_messages`, with which a message sent again is compared. The
//! sweep forgets it.

use echat_proto::names::{Content, TxnId};
use hmac::Mac;
use rusqlite::params;

use crate::clock::DAY;

use super::messages::SentBefore;
use super::{Batch, ConversationId, MessageId, StoreError, UserId};

/// How long a transaction id is known after its message was sent, in seconds.
const TXN_KNOWN: i64 = 30 * DAY;

/// Entries and conversations that one portion of a sweep looks at: about a millisecond.
const LOOKED_AT: usize = 200;
/// Messages that one portion of a sweep removes at most.
const REMOVED: usize = 64;
/// Bytes of content that one portion of a sweep removes at most, after its first message.
const REMOVED_BYTES: i64 = 128 * 1024;

/// The entries that [`FIRST_SOME`] reads.
const WALKED: usize = 200;

/// The first entries of a conversation in the index after an id.
pub(super) const FIRST_SOME: &str = "SELECT id, send_time FROM messages
     WHERE conversation = ?1 AND id > ?2 ORDER BY id LIMIT 200";
/// The last entry of a conversation in the index.
pub(super) const LAST: &str = "SELECT id, send_time FROM messages
     WHERE conversation = ?1 ORDER BY id DESC LIMIT 1";
/// The next conversation that has messages.
pub(super) const NEXT_CONVERSATION: &str = "SELECT conversation FROM messages
     INDEXED BY messages_by_conversation WHERE conversation > ?1 ORDER BY conversation LIMIT 1";
/// The next room with a retention of its own.
pub(super) const NEXT_ROOM: &str = "SELECT id FROM rooms
     WHERE keep_days IS NOT NULL AND id > ?1 ORDER BY id LIMIT 1";
/// What is known of messages that were removed or not kept, from the oldest on, up to a time.
pub(super) const FORGOTTEN: &str = "SELECT sender, txn_id FROM unkept_messages
     WHERE send_time < ?1 ORDER BY send_time LIMIT ?2";
/// The messages of a conversation after an id, with what removing them costs.
pub(super) const ENTRIES: &str = "SELECT id, send_time, octet_length(content) FROM messages
     WHERE conversation = ?1 AND id > ?2 ORDER BY id LIMIT ?3";

/// How long messages are kept, as of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The moment, in unix seconds.
    pub now: i64,
    /// Days that the server keeps messages; `None` for ever.
    pub days: Option<u32>,
}

impl Retention {
    /// The days that messages of a conversation are kept: the shorter time of server and room. `None` for ever.
    pub fn days_in(self, room: Option<u32>) -> Option<u32> {
        match (self.days, room) {
            (Some(server), Some(room)) => Some(server.min(room)),
            (server, room) => server.or(room),
        }
    }

    /// The time from which on messages of a conversation are kept, in unix seconds: those with an earlier `send_time`
    /// are too old. `i64::MIN` if all are kept, `i64::MAX` if none is.
    pub fn kept_since(self, room: Option<u32>) -> i64 {
        match self.days_in(room) {
            None => i64::MIN,
            Some(0) => i64::MAX,
            Some(days) => self.now.saturating_sub(i64::from(days) * DAY),
        }
    }
}

/// How far a sweep for messages that are too old has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The conversation that it has reached.
    conversation: i64,
    /// The message of it that it has reached; `i64::MAX` if it is done with the conversation.
    message: i64,
    reach: Reach,
}

/// What a sweep looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The oldest messages of one room.
    Room,
    /// The oldest messages of every conversation.
    Oldest,
    /// Every message: where the clock was put back, one that is too old may follow one that is not.
    Every,
}

impl Sweep {
    /// A sweep of one room.
    pub fn of_room(room: ConversationId) -> Self {
        Self {
            conversation: room.0,
            message: 0,
            reach: Reach::Room,
        }
    }

    /// A sweep of all conversations. `thorough`: it does not stop at the first message of a conversation that is kept.
    pub fn of_all(thorough: bool) -> Self {
        let reach = if thorough {
            Reach::Every
        } else {
            Reach::Oldest
        };
        Self {
            conversation: 0,
            message: i64::MAX,
            reach,
        }
    }

    /// Whether it looks at everything that another one looks at, which is done or not.
    pub(super) fn includes(self, other: Self) -> bool {
        match (self.reach, other.reach) {
            (Reach::Room, Reach::Room) => self.conversation == other.conversation,
            (Reach::Room, _) | (_, Reach::Room) | (Reach::Oldest, Reach::Every) => false,
            (Reach::Oldest | Reach::Every, _) => true,
        }
    }
}

/// The time of sending from which on transaction ids are known, in unix seconds.
fn known_since(now: i64) -> i64 {
    now.saturating_sub(TXN_KNOWN)
}

/// A message with a transaction id: sender, transaction id, conversation, time, content, and the digest of its first
/// content.
type SentRow = (UserId, String, ConversationId, i64, String, Option<Vec<u8>>);

impl Batch<'_> {
    /// How long messages are kept, as of the time of this batch.
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// The time from which on messages of a conversation are kept, in unix seconds. See [`Retention::kept_since`].
    pub fn kept_since(&self, conversation: ConversationId) -> Result<i64, StoreError> {
        let sql = "SELECT keep_days FROM rooms WHERE id = ?1";
        let room = self.first(sql, [conversation], |row| row.get(0))?.flatten();
        Ok(self.retention.kept_since(room))
    }

    /// Whether anything is ever too old, as it is now.
    pub fn removes_by_age(&self) -> Result<bool, StoreError> {
        Ok(self.retention.days.is_some()
            || self.exists(NEXT_ROOM, [0])?
            || self.exists("SELECT 1 FROM unkept_messages", [])?)
    }

    /// The id up to which readers of a conversation pass over all messages, at least `above`. Messages beyond it are to
    /// be judged each, since the clock may have been put back. Costs one seek unless messages are too old and not
    /// removed yet, and the logarithm of their number if there are many.
    pub(super) fn passed_over(
        &self,
        conversation: ConversationId,
        above: i64,
        kept_since: i64,
    ) -> Result<i64, StoreError> {
        if kept_since == i64::MIN {
            return Ok(above);
        }
        let entry = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (mut low, mut is_all) = (above, false);
        let mut looked_at = 0;
        self.walk(FIRST_SOME, params![conversation, above], |row| {
            let (id, time) = entry(row)?;
            is_all = time < kept_since;
            if is_all {
                low = id;
                looked_at += 1;
            }
            Ok(is_all)
        })?;
        if !is_all || looked_at < WALKED {
            return Ok(low);
        }
        let Some((last, time)) = self.first(LAST, [conversation], entry)? else {
            return Ok(above);
        };
        if time < kept_since {
            return Ok(last.max(above));
        }
        // Between the message at `low` and the last one, the clock counts as one that was never put back.
        self.last_before(conversation, (low, last), kept_since)
    }

    /// Assigns an id to a message that is not stored, and notes what a message sent again is compared with.
    pub(crate) fn insert_unkept(
        &mut self,
        (conversation, sender): (ConversationId, UserId),
        content: &Content,
        txn_id: Option<&TxnId>,
        now: i64,
    ) -> Result<MessageId, StoreError> {
        let newest = match self.newest_assigned() {
            Some(newest) => newest,
            None => self.newest_id()?.row(),
        };
        let id = newest.saturating_add(1);
        self.assign(id)?;
        if let Some(txn_id) = txn_id {
            let digest = self.content_digest(content.as_str())?;
            self.note_unkept((sender, txn_id.as_str(), id, conversation, now), &digest)?;
        }
        Ok(MessageId::of_row(id))
    }

    /// Notes a message that is not kept: sender, transaction id, id, conversation and time.
    fn note_unkept(
        &mut self,
        (sender, txn_id, id, conversation, now): (UserId, &str, i64, ConversationId, i64),
        digest: &[u8],
    ) -> Result<(), StoreError> {
        self.has_unkept.set(true);
        let sql = "INSERT OR REPLACE INTO unkept_messages
                 (sender, txn_id, id, conversation, send_time, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.write(sql, params![sender, txn_id, id, conversation, now, digest])
            .map(drop)
    }

    /// What a sender sent with this transaction id, if that message was removed or not kept.
    pub(super) fn find_removed(
        &self,
        sender: UserId,
        txn_id: &TxnId,
        content: &Content,
    ) -> Result<Option<SentBefore>, StoreError> {
        if !self.has_unkept.get() {
            return Ok(None);
        }
        let found = self.first(
            "SELECT u.id, u.send_time, c.kind, coalesce(r.name, o.name), u.digest,
                    u.conversation
             FROM unkept_messages AS u
             CROSS JOIN conversations AS c ON c.id = u.conversation
             LEFT JOIN rooms AS r ON r.id = u.conversation
             LEFT JOIN friendships AS f ON f.conversation = u.conversation
             LEFT JOIN users AS o ON o.id = f.low_user + f.high_user - u.sender
             WHERE u.sender = ?1 AND u.txn_id = ?2 AND u.send_time >= ?3",
            params![sender, txn_id.as_str(), known_since(self.retention.now)],
            |row| {
                let digest: [u8; 32] = row.get(4)?;
                let sent = SentBefore {
                    id: row.get(0)?,
                    send_time: row.get(1)?,
                    conversation: row.get(5)?,
                    kind: row.get(2)?,
                    target: row.get(3)?,
                    is_same: false,
                    message: None,
                };
                Ok((sent, digest))
            },
        )?;
        let Some((sent, digest)) = found else {
            return Ok(None);
        };
        let is_same = self.content_digest(content.as_str())? == digest;
        Ok(Some(SentBefore { is_same, ..sent }))
    }

    /// Notes the transaction id of a message that is about to be removed, if it is to be known any longer.
    pub(super) fn note_removed(&mut self, id: i64, now: i64) -> Result<(), StoreError> {
        // The text that it was first sent with has a digest if it was changed or deleted since.
        let sql = "SELECT sender, txn_id, conversation, send_time, content, digest FROM messages
             WHERE id = ?1 AND txn_id IS NOT NULL AND send_time >= ?2
                 AND (digest IS NOT NULL OR deleted_at IS NULL)";
        let found: Option<SentRow> =
            self.first(sql, [id, known_since(now)], |row| row.try_into())?;
        if let Some((sender, txn_id, conversation, time, content, first)) = found {
            let row = (sender, txn_id.as_str(), id, conversation, time);
            let digest = match first {
                Some(first) => first,
                None => self.content_digest(&content)?.into(),
            };
            self.note_unkept(row, &digest)?;
        }
        Ok(())
    }

    /// Forgets a portion of the transaction ids whose time is over. False if nothing is left to forget.
    fn forget_removed(&mut self, now: i64) -> Result<bool, StoreError> {
        let most = i64::try_from(LOOKED_AT).unwrap_or(i64::MAX);
        let forgotten: Vec<(UserId, String)> =
            self.all(FORGOTTEN, [known_since(now), most], |row| row.try_into())?;
        for (sender, txn_id) in &forgotten {
            let sql = "DELETE FROM unkept_messages WHERE sender = ?1 AND txn_id = ?2";
            self.write(sql, params![sender, txn_id])?;
        }
        Ok(forgotten.len() == LOOKED_AT)
    }

    /// The digest of a content under the key of this database. The key keeps a short text from being found by trying,
    /// by a reader of the digests alone.
    fn content_digest(&self, content: &str) -> Result<[u8; 32], StoreError> {
        let digest = self.digest(content)?;
        let digest = digest.ok_or_else(|| self.missing("the key of the digests is not there"))?;
        Ok(digest.finalize().into_bytes().into())
    }

    /// The ids of the messages of a conversation, for tests.
    #[cfg(test)]
    pub(crate) fn all_ids_of(&self, conversation: ConversationId) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT id FROM messages WHERE conversation = ?1 ORDER BY id";
        self.all(sql, [conversation], |row| row.get(0))
    }

    /// One portion of a sweep: removes the messages that are too old. Returns where the next one begins; `None` after
    /// the last.
    pub(super) fn sweep(
        &mut self,
        mut sweep: Sweep,
        retention: Retention,
    ) -> Result<Option<Sweep>, StoreError> {
        let begin = sweep;
        // Words of others leave the search index first.
        let removed = REMOVED.min(self.removable()?);
        if removed == 0 {
            return Ok(Some(begin));
        }
        let (mut looked_at, mut bytes) = (0, 0);
        let mut too_old = Vec::new();
        while looked_at < LOOKED_AT && too_old.len() < removed && bytes < REMOVED_BYTES {
            if sweep.message == i64::MAX {
                let next = if retention.days.is_some() {
                    NEXT_CONVERSATION
                } else {
                    NEXT_ROOM
                };
                let next = match sweep.reach {
                    Reach::Room => None,
                    Reach::Oldest | Reach::Every => {
                        self.first(next, [sweep.conversation], |row| row.get(0))?
                    }
                };
                let Some(next) = next else {
                    let is_done = self.remove_messages(&too_old, retention.now)?;
                    let has_more = !is_done
                        || sweep.reach != Reach::Room && self.forget_removed(retention.now)?;
                    return Ok(has_more.then_some(begin));
                };
                (sweep.conversation, sweep.message) = (next, 0);
            }
            looked_at += 1;
            let most = (LOOKED_AT - looked_at).min(removed - too_old.len()).max(1);
            let done = self.sweep_one(&mut sweep, retention, most, &mut |message, size| {
                too_old.push(message);
                bytes += size;
                bytes < REMOVED_BYTES
            })?;
            looked_at += done;
        }
        let is_done = self.remove_messages(&too_old, retention.now)?;
        Ok(Some(if is_done { sweep } else { begin }))
    }

    /// Looks at up to `most` messages of the conversation that a sweep has reached, and calls `found` for those that
    /// are too old until it returns false. Returns how many it looked at.
    fn sweep_one(
        &self,
        sweep: &mut Sweep,
        retention: Retention,
        most: usize,
        found: &mut dyn FnMut(i64, i64) -> bool,
    ) -> Result<usize, StoreError> {
        let sql = "SELECT keep_days FROM rooms WHERE id = ?1";
        let room = self.first(sql, [sweep.conversation], |row| row.get(0))?;
        let kept_since = retention.kept_since(room.flatten());
        let mut looked_at = 0;
        let mut is_cut = false;
        let Sweep {
            conversation,
            message: from,
            reach,
        } = *sweep;
        let message = &mut sweep.message;
        let limit = i64::try_from(most).unwrap_or(1);
        self.walk(ENTRIES, params![conversation, from, limit], |row| {
            let (id, time): (i64, i64) = (row.get(0)?, row.get(1)?);
            if time >= kept_since && reach != Reach::Every {
                return Ok(false);
            }
            looked_at += 1;
            *message = id;
            is_cut = looked_at == most;
            if time < kept_since && !found(id, row.get(2)?) {
                is_cut = true;
            }
            Ok(!is_cut)
        })?;
        if !is_cut {
            *message = i64::MAX;
        }
        Ok(looked_at)
    }
}
