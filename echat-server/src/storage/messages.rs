//! Stores messages and read markers. Nothing else writes the text of a message, but for an import and a salvage.
//!
//! The next id is one above the newest message and above `message_ids.assigned`, which a trigger sets when the newest
//! message is deleted. So an id is never assigned twice. A message writes three pages: its row, its place in its
//! conversation, and its txn_id (`handlers::messages::tests` counts them).

use echat_proto::names::{Content, TxnId, looks};
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::params;
use sha2::Sha256;

use super::annotations::{Mention, StoredReaction};
use super::{Batch, ConversationId, Kind, MessageId, StoreError, UserId};

/// The highest id that was ever assigned. The messages alone do not tell: the newest may be deleted.
pub(super) const NEWEST_ID: &str = "SELECT max(
         coalesce((SELECT id FROM messages ORDER BY id DESC LIMIT 1), 0),
         coalesce((SELECT assigned FROM message_ids WHERE id = 1), 0))";

/// Stores a message under the next id. ?1 is the newest id if the batch knows it; `SQLite` then does not look it up.
/// After [`MessageId::LAST`] the id is one that [`insert_id`](Batch::insert_id) refuses. The run of its sender goes on
/// if the newest message is of the same one ([`Counting`](super::history::Counting)).
pub(super) const INSERT: &str = "INSERT INTO messages
         (id, conversation, sender, send_time, content, txn_id, reply_to, annotated, run_above)
     VALUES (1 + min(9007199254740991, coalesce(?1, max(
                 coalesce((SELECT id FROM messages ORDER BY id DESC LIMIT 1), 0),
                 coalesce((SELECT assigned FROM message_ids WHERE id = 1), 0)))),
             ?2, ?3, ?4, ?5, ?6, ?7, ?8,
             (SELECT CASE WHEN sender = ?3 THEN coalesce(run_above, id - 1) END
                  FROM messages INDEXED BY messages_by_conversation
                  WHERE conversation = ?2 ORDER BY id DESC LIMIT 1))";

/// Reactions that one portion of removed messages removes at most.
pub(super) const REACTORS_REMOVED: i64 = 500;

/// A user's read marker, and the newest message of the conversation.
pub(super) const MARKERS: &str = "SELECT p.read_id, coalesce((SELECT m.id FROM messages AS m
         WHERE m.conversation = p.conversation ORDER BY m.id DESC LIMIT 1), 0)
     FROM participants AS p WHERE p.user = ?1 AND p.conversation = ?2";

/// A message as one user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct StoredMessage {
    /// Its position in the order of all messages.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The kind of the conversation.
    pub kind: Kind,
    /// The sender.
    pub sender_id: UserId,
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
    /// The message of the same conversation that it answers.
    pub reply_to: Option<MessageId>,
    /// When its text was changed last, in unix seconds.
    pub edited_at: Option<i64>,
    /// The names of the users that it names, and [`ALL`](super::ALL).
    pub mentions: Vec<String>,
    /// The reactions to it, in the order of their first ones.
    pub reactions: Vec<StoredReaction>,
    /// Whether it may have mentions or reactions.
    pub(super) annotated: bool,
}

/// What a new message has besides its text.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// The message of the same conversation that it answers.
    pub reply_to: Option<MessageId>,
    /// What it names, each once.
    pub mentions: Vec<Mention>,
}

/// What a sender has sent with a transaction id before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentBefore {
    /// The id of the message.
    pub id: MessageId,
    /// When it was sent, in unix seconds.
    pub send_time: i64,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The kind of the conversation.
    pub kind: Kind,
    /// The name of the room, or of the other user; `None` if the room was closed since.
    pub target: Option<String>,
    /// Whether the content is the one that it was first sent with.
    pub is_same: bool,
    /// The message as the sender sees it now; `None` if it was removed, its room was closed, or it was never kept.
    pub message: Option<StoredMessage>,
}

/// A message that is about to lose its text.
struct Changing {
    conversation: ConversationId,
    sender: UserId,
    content: String,
    annotated: bool,
    needs_digest: bool,
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

    /// Stores a message without extras, as [`insert_message_with`](Self::insert_message_with) does.
    pub fn insert_message(
        &mut self,
        conversation: ConversationId,
        sender: UserId,
        content: &Content,
        txn_id: Option<&TxnId>,
        now: i64,
    ) -> Result<MessageId, StoreError> {
        let extras = Extras::default();
        self.insert_message_with((conversation, sender), content, txn_id, &extras, now)
    }

    /// Stores a message. The caller has checked that the sender may send it, and has looked up the transaction id with
    /// [`find_txn`](Batch::find_txn).
    pub fn insert_message_with(
        &mut self,
        (conversation, sender): (ConversationId, UserId),
        content: &Content,
        txn_id: Option<&TxnId>,
        extras: &Extras,
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
                txn_id.map(TxnId::as_str),
                extras.reply_to,
                !extras.mentions.is_empty()
            ],
        )?;
        let id = MessageId::of_row(row);
        self.add_mentions(id, (conversation, sender), &extras.mentions)?;
        Ok(id)
    }

    /// Changes the text of a message, and what it names.
    pub fn set_content(
        &mut self,
        id: MessageId,
        content: &Content,
        mentions: &[Mention],
        now: i64,
    ) -> Result<(), StoreError> {
        let Some(was) = self.changing(id)? else {
            return Ok(());
        };
        let digest = self.digest_of(&was)?;
        self.text_goes_at_cost(id.row(), &was.content)?;
        self.write(
            "UPDATE messages SET content = ?2, edited_at = ?3, digest = coalesce(digest, ?4),
                    annotated = max(annotated, ?5) WHERE id = ?1",
            params![id, content.as_str(), now, digest, !mentions.is_empty()],
        )?;
        if was.annotated {
            self.remove_mentions(id)?;
        }
        self.add_mentions(id, (was.conversation, was.sender), mentions)?;
        self.note_removed_text();
        Ok(())
    }

    /// Makes a tombstone of a message: its id, sender and time stay; its content is gone, and all that is attached to
    /// it.
    pub fn remove_content(&mut self, id: MessageId, now: i64) -> Result<(), StoreError> {
        let Some(was) = self.changing(id)? else {
            return Ok(());
        };
        let digest = self.digest_of(&was)?;
        self.text_goes_at_cost(id.row(), &was.content)?;
        self.write(
            "UPDATE messages SET content = '', deleted_at = ?2, digest = coalesce(digest, ?3),
                    edited_at = NULL, reply_to = NULL, annotated = 0 WHERE id = ?1",
            params![id, now, digest],
        )?;
        if was.annotated {
            self.remove_mentions(id)?;
            self.remove_reactions(id)?;
        }
        self.note_removed_text();
        Ok(())
    }

    /// A message that is about to lose its text; `None` if it has none any more.
    fn changing(&self, id: MessageId) -> Result<Option<Changing>, StoreError> {
        self.first(
            "SELECT conversation, sender, content, annotated, txn_id IS NOT NULL AND digest IS NULL
             FROM messages WHERE id = ?1 AND deleted_at IS NULL",
            [id],
            |row| {
                Ok(Changing {
                    conversation: row.get(0)?,
                    sender: row.get(1)?,
                    content: row.get(2)?,
                    annotated: row.get(3)?,
                    needs_digest: row.get(4)?,
                })
            },
        )
    }

    /// The digest of the text that a message is about to lose, unless it has one already or never needs one.
    fn digest_of(&self, was: &Changing) -> Result<Option<Vec<u8>>, StoreError> {
        if !was.needs_digest {
            return Ok(None);
        }
        let digest = self.digest(&was.content)?;
        Ok(digest.map(|digest| digest.finalize().into_bytes().to_vec()))
    }

    /// The keyed digest of a text; `None` if the key was lost.
    pub(super) fn digest(&self, text: &str) -> Result<Option<Hmac<Sha256>>, StoreError> {
        let key = self.first("SELECT key FROM digest_key", [], |row| {
            row.get::<_, [u8; 32]>(0)
        })?;
        Ok(key.map(|key| {
            let digest = Hmac::<Sha256>::new_from_slice(&key);
            digest.expect("any length is a key").chain_update(text)
        }))
    }

    /// Whether a message was first sent with this text. One that was changed has a digest of that text; without, as
    /// after an import, it counts as the same.
    fn was_sent_as(&self, message: &StoredMessage, content: &Content) -> Result<bool, StoreError> {
        if message.edited_at.is_none() && !message.deleted {
            return Ok(message.content == content.as_str());
        }
        let sql = "SELECT digest FROM messages WHERE id = ?1";
        let first: Option<Option<Vec<u8>>> = self.first(sql, [message.id], |row| row.get(0))?;
        let (Some(first), Some(now)) = (first.flatten(), self.digest(content.as_str())?) else {
            return Ok(true);
        };
        Ok(now.verify_slice(&first).is_ok())
    }

    /// Removes messages in this order with all that is stored of them. Their ids are not assigned again, and their
    /// transaction ids stay known for as long as any. A message may have thousands of reactions: false if some are
    /// left, which the next call goes on with.
    pub(super) fn remove_messages(&mut self, ids: &[i64], now: i64) -> Result<bool, StoreError> {
        let mut left = REACTORS_REMOVED;
        for id in ids {
            left -= self.remove_reactors(*id, left)?;
            if left <= 0 {
                self.remove_reactions(MessageId::of_row(*id))?;
                return Ok(false);
            }
            self.note_removed_text();
            self.note_removed(*id, now)?;
            self.text_goes(*id)?;
            self.write("DELETE FROM messages WHERE id = ?1", [id])?;
        }
        Ok(true)
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

    /// What a sender has sent with this transaction id, as the sender sees it, even if the sender has left its
    /// conversation. `content` is what the sender sends with it now.
    pub fn find_txn(
        &self,
        sender: UserId,
        txn_id: &TxnId,
        content: &Content,
    ) -> Result<Option<SentBefore>, StoreError> {
        let found = self.first(
            "SELECT m.id, m.conversation, c.kind, s.name, m.send_time, m.content,
                    coalesce(r.name, o.name), m.deleted_at IS NOT NULL, m.reply_to, m.edited_at,
                    m.annotated
             FROM messages AS m
             CROSS JOIN conversations AS c ON c.id = m.conversation
             CROSS JOIN users AS s ON s.id = m.sender
             LEFT JOIN rooms AS r ON r.id = m.conversation
             LEFT JOIN friendships AS f ON f.conversation = m.conversation
             LEFT JOIN users AS o ON o.id = f.low_user + f.high_user - m.sender
             WHERE m.sender = ?1 AND m.txn_id = ?2",
            params![sender, txn_id.as_str()],
            |row| {
                let target: Option<String> = row.get(6)?;
                let message = StoredMessage {
                    id: row.get(0)?,
                    conversation: row.get(1)?,
                    kind: row.get(2)?,
                    sender_id: sender,
                    sender: row.get(3)?,
                    send_time: row.get(4)?,
                    content: row.get(5)?,
                    target: target.clone().unwrap_or_default(),
                    deleted: row.get(7)?,
                    sent: true,
                    bot: false,
                    reply_to: row.get(8)?,
                    edited_at: row.get(9)?,
                    mentions: Vec::new(),
                    reactions: Vec::new(),
                    annotated: row.get(10)?,
                };
                Ok((target, message))
            },
        )?;
        let Some((target, mut message)) = found else {
            return self.find_removed(sender, txn_id, content);
        };
        let is_same = self.was_sent_as(&message, content)?;
        // A closed room, and what is too old, is removed in portions: its messages count as removed already.
        let kept_since = self.kept_since(message.conversation)?;
        let is_kept = target.is_some() && message.send_time >= kept_since;
        if is_kept {
            self.annotate(sender, &mut message)?;
        }
        Ok(Some(SentBefore {
            id: message.id,
            send_time: message.send_time,
            conversation: message.conversation,
            kind: message.kind,
            is_same,
            message: is_kept.then_some(message),
            target,
        }))
    }

    /// Whether a conversation goes by this name for a sender, or went by it: the name of the room, or of the other
    /// user. A name that is confusable with one that the user has or had counts as that: only the skeletons of former
    /// names are kept, and no other user can have such a name.
    pub fn went_by(
        &self,
        (conversation, kind): (ConversationId, Kind),
        sender: UserId,
        name: &str,
    ) -> Result<bool, StoreError> {
        if kind == Kind::Room {
            let sql = "SELECT 1 FROM rooms WHERE id = ?1 AND name = ?2
                 UNION ALL SELECT 1 FROM former_room_names WHERE room = ?1 AND name = ?2";
            return self.exists(sql, params![conversation, name]);
        }
        let sql = "SELECT u.id, u.name FROM friendships AS f
             CROSS JOIN users AS u ON u.id = f.low_user + f.high_user - ?2
             WHERE f.conversation = ?1";
        let other: Option<(UserId, String)> =
            self.first(sql, params![conversation, sender], |row| row.try_into())?;
        let Some((other, is_called)) = other else {
            return Ok(false);
        };
        if is_called == name {
            return Ok(true);
        }
        self.has_look(Kind::Private, other.0, &looks(name))
    }

    /// Moves a user's read marker to `id`, never back and never beyond the newest visible message. Returns the
    /// resulting marker, or `None` if the user is not part of the conversation.
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
