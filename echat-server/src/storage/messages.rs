//! Stores messages and read markers.

use echat_proto::names::{Content, TxnId};
use rusqlite::params;

use super::{Batch, ConversationId, Kind, MessageId, StoreError, UserId};

/// The highest id that was ever assigned. The messages alone do not tell: the newest may be deleted.
pub(super) const NEWEST_ID: &str = "SELECT max(
         coalesce((SELECT id FROM messages ORDER BY id DESC LIMIT 1), 0),
         coalesce((SELECT assigned FROM message_ids WHERE id = 1), 0))";

/// Stores a message under the next id. ?1 is the newest id if the batch knows it; `SQLite` then does not look it up.
const INSERT: &str = "INSERT INTO messages (id, conversation, sender, send_time, content, txn_id)
     VALUES (1 + coalesce(?1, max(
                 coalesce((SELECT id FROM messages ORDER BY id DESC LIMIT 1), 0),
                 coalesce((SELECT assigned FROM message_ids WHERE id = 1), 0))),
             ?2, ?3, ?4, ?5, ?6)";

/// A user's read marker, and the newest message of the conversation.
pub(super) const MARKERS: &str = "SELECT p.read_id, coalesce((SELECT m.id FROM messages AS m
         WHERE m.conversation = p.conversation ORDER BY m.id DESC LIMIT 1), 0)
     FROM participants AS p WHERE p.user = ?1 AND p.conversation = ?2";

/// A message as one user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its position in the order of all messages.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The kind of the conversation.
    pub kind: Kind,
    /// The name of the sender.
    pub sender: String,
    /// The time of sending, in unix seconds.
    pub send_time: i64,
    /// The text; empty if it was deleted.
    pub content: String,
    /// Whether it was deleted.
    pub deleted: bool,
    /// The name of the room, or of the other user.
    pub target: String,
    /// Whether the user sent it, or it is not after the user's read marker.
    pub sent: bool,
    /// Whether the sender is a bot, or was one. [`find_txn`](Batch::find_txn) does not tell: its caller is the sender.
    pub bot: bool,
}

/// What a sender has stored with a transaction id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentBefore {
    /// This message.
    Message(StoredMessage),
    /// A message to a room that was closed since, and is being removed.
    InClosedRoom,
}

impl Batch<'_> {
    /// The highest message id that this database has ever assigned; 0 before the first message.
    pub fn newest_id(&self) -> Result<MessageId, StoreError> {
        let newest = self.first(NEWEST_ID, [], |row| row.get(0))?;
        Ok(newest.unwrap_or(MessageId(0)))
    }

    /// The opaque name of this database's history (PROTOCOL.md, section 5.1).
    pub fn history_name(&self) -> Result<String, StoreError> {
        let name = self.first("SELECT name FROM history", [], |row| row.get(0))?;
        Ok(name.unwrap_or_default())
    }

    /// Stores a message. The caller has checked that the sender may send it, and has looked up the transaction id with
    /// [`find_txn`](Batch::find_txn).
    pub fn insert_message(
        &mut self,
        conversation: ConversationId,
        sender: UserId,
        content: &Content,
        txn_id: Option<&TxnId>,
        now: i64,
    ) -> Result<MessageId, StoreError> {
        let newest = self.newest_assigned();
        let row = self.insert_id(
            INSERT,
            params![
                newest,
                conversation,
                sender,
                now,
                content.as_str(),
                txn_id.map(TxnId::as_str)
            ],
        )?;
        Ok(MessageId::of_row(row))
    }

    /// Makes a tombstone of a message: its id, sender and time stay, its content is gone.
    pub(super) fn delete_message(&mut self, id: i64, now: i64) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET content = '', deleted_at = ?2
                   WHERE id = ?1 AND deleted_at IS NULL";
        self.write(sql, params![id, now]).map(drop)
    }

    /// Calls `each` with sender, bytes of content and time of the newest messages, up to a limit, until it returns
    /// false. Contents are not read.
    pub fn newest_sizes(
        &self,
        most: u32,
        mut each: impl FnMut(UserId, u64, i64) -> bool,
    ) -> Result<(), StoreError> {
        self.walk(
            "SELECT sender, octet_length(content), send_time FROM messages
             ORDER BY id DESC LIMIT ?1",
            [most],
            |row| {
                let bytes: i64 = row.get(1)?;
                Ok(each(row.get(0)?, bytes.unsigned_abs(), row.get(2)?))
            },
        )
    }

    /// The message that a sender stored with this transaction id, as the sender sees it, even if the sender has left
    /// its conversation.
    pub fn find_txn(
        &self,
        sender: UserId,
        txn_id: &TxnId,
    ) -> Result<Option<SentBefore>, StoreError> {
        self.first(
            "SELECT m.id, m.conversation, c.kind, s.name, m.send_time, m.content,
                    coalesce(r.name, o.name), m.deleted_at IS NOT NULL
             FROM messages AS m
             CROSS JOIN conversations AS c ON c.id = m.conversation
             CROSS JOIN users AS s ON s.id = m.sender
             LEFT JOIN rooms AS r ON r.id = m.conversation
             LEFT JOIN friendships AS f ON f.conversation = m.conversation
             LEFT JOIN users AS o ON o.id = f.low_user + f.high_user - m.sender
             WHERE m.sender = ?1 AND m.txn_id = ?2",
            params![sender, txn_id.as_str()],
            |row| {
                let Some(target) = row.get(6)? else {
                    return Ok(SentBefore::InClosedRoom);
                };
                Ok(SentBefore::Message(StoredMessage {
                    id: row.get(0)?,
                    conversation: row.get(1)?,
                    kind: row.get(2)?,
                    sender: row.get(3)?,
                    send_time: row.get(4)?,
                    content: row.get(5)?,
                    target,
                    deleted: row.get(7)?,
                    sent: true,
                    bot: false,
                }))
            },
        )
    }

    /// Frees the transaction id of a message to a room that was closed since.
    pub fn free_txn(&mut self, sender: UserId, txn_id: &TxnId) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET txn_id = NULL WHERE sender = ?1 AND txn_id = ?2";
        self.write(sql, params![sender, txn_id.as_str()]).map(drop)
    }

    /// Moves a user's read marker to `id`, never back and never beyond the newest visible message. Returns the resulting
    /// marker, or `None` if the user is not part of the conversation.
    pub fn mark_read(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<Option<MessageId>, StoreError> {
        let markers: Option<(MessageId, MessageId)> =
            self.first(MARKERS, params![user, conversation], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let Some((read, newest)) = markers else {
            return Ok(None);
        };
        let wanted = id.min(newest);
        if wanted <= read {
            return Ok(Some(read));
        }
        self.write(
            "UPDATE participants SET read_id = ?3 WHERE user = ?1 AND conversation = ?2",
            params![user, conversation, wanted],
        )?;
        Ok(Some(wanted))
    }
}
