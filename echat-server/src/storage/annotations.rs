//! What is attached to messages: the users that they name, and reactions to them.
//!
//! A message says with `annotated` whether it may have any, so that nothing is looked up for the others.

use rusqlite::params;

use super::page::sql_limit;
use super::{Batch, ConversationId, Kind, MessageId, StoreError, StoredMessage, User, UserId};

/// In the place of a user: all members of the room.
const ALL_MEMBERS: UserId = UserId(0);

/// How a mention of all members is listed.
pub const ALL: &str = "@all";

/// What a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mention {
    /// This user.
    User(UserId),
    /// All members of the room.
    All,
}

impl Mention {
    fn row(self) -> UserId {
        match self {
            Self::User(user) => user,
            Self::All => ALL_MEMBERS,
        }
    }
}

/// The reactions to a message with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReaction {
    /// The emoji.
    pub emoji: String,
    /// How many users reacted with it.
    pub count: u64,
    /// Whether the reader did.
    pub mine: bool,
}

/// Members of a conversation by name, of a JSON array of names in their stored form.
pub(super) const NAMED: &str = "SELECT u.id, u.name FROM json_each(?1) AS n
     CROSS JOIN users AS u ON u.name = n.value
     CROSS JOIN participants AS p ON p.user = u.id AND p.conversation = ?2";

pub(super) const MENTIONS_OF: &str = "SELECT coalesce(u.name, ?2) FROM mentions AS m
     LEFT JOIN users AS u ON u.id = m.user
     WHERE m.message = ?1 AND (m.user = 0 OR u.id IS NOT NULL) ORDER BY m.place";

pub(super) const REACTIONS_TO: &str = "SELECT r.emoji, r.users, EXISTS
         (SELECT 1 FROM reactors AS b WHERE b.message = r.message AND b.emoji = r.emoji AND b.user = ?2)
     FROM reactions AS r WHERE r.message = ?1 ORDER BY r.place";

/// Removes some of the users who reacted to a message.
pub(super) const REACTORS: &str = "DELETE FROM reactors WHERE (message, emoji, user) IN
     (SELECT message, emoji, user FROM reactors WHERE message = ?1 LIMIT ?2)";

/// So many messages that name a user, from the newest back: whether each counts. Those to a room of users that the
/// user blocks do not, nor those of an account that is being erased.
pub(super) const MENTIONING: &str = "SELECT message, NOT EXISTS (SELECT 1 FROM blocks AS b
             CROSS JOIN rooms AS r ON r.id = ?2 WHERE b.user = ?1 AND b.blocked = sender)
         AND sender NOT IN (SELECT id FROM users WHERE erased = 1)
     FROM (
         SELECT message, sender FROM mentions
             WHERE user = ?1 AND conversation = ?2 AND message > ?3 AND message < ?4
         UNION SELECT message, sender FROM mentions
             WHERE user = 0 AND conversation = ?2 AND message > ?3 AND message < ?4
         ORDER BY message DESC, sender DESC LIMIT ?5)";

/// Messages that name a user, from the newest back: whether each counts as an unread mention.
pub(super) const UNREAD_MENTIONS: &str = "SELECT sender <> ?1
         AND NOT EXISTS (SELECT 1 FROM blocks AS b
             CROSS JOIN rooms AS r ON r.id = ?2 WHERE b.user = ?1 AND b.blocked = sender)
         AND sender NOT IN (SELECT id FROM users WHERE erased = 1)
         AND (SELECT send_time FROM messages WHERE id = message) >= ?4, message
     FROM (SELECT message, sender FROM mentions WHERE user = ?1 AND conversation = ?2 AND message > ?3
         UNION SELECT message, sender FROM mentions WHERE user = 0 AND conversation = ?2 AND message > ?3
         ORDER BY message DESC, sender DESC)";

impl Batch<'_> {
    /// The members of a conversation among these names, which are in their stored form.
    pub fn members_named(
        &self,
        conversation: ConversationId,
        names: &[&str],
    ) -> Result<Vec<User>, StoreError> {
        let names = serde_json::Value::from(names).to_string();
        self.all(NAMED, params![names, conversation], super::accounts::user)
    }

    /// Stores what a message names.
    pub(super) fn add_mentions(
        &mut self,
        message: MessageId,
        (conversation, sender): (ConversationId, UserId),
        mentions: &[Mention],
    ) -> Result<(), StoreError> {
        for (place, mention) in (0_i64..).zip(mentions) {
            self.write(
                "INSERT INTO mentions (message, place, user, conversation, sender)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![message, place, mention.row(), conversation, sender],
            )?;
        }
        Ok(())
    }

    /// Removes what a message names.
    pub(super) fn remove_mentions(&mut self, message: MessageId) -> Result<(), StoreError> {
        let sql = "DELETE FROM mentions WHERE message = ?1";
        self.write(sql, [message]).map(drop)
    }

    /// Removes the reactions to a message. The users who reacted, of whom there may be 200,000, are hidden with them,
    /// and removed in portions.
    pub(super) fn remove_reactions(&mut self, message: MessageId) -> Result<(), StoreError> {
        let sql = "DELETE FROM reactions WHERE message = ?1";
        if self.write(sql, [message])? > 0 {
            let sql = "INSERT OR IGNORE INTO removed_reactions (message) VALUES (?1)";
            self.write(sql, [message])?;
        }
        Ok(())
    }

    /// Removes some of the users who reacted to a message. Returns how many.
    pub(super) fn remove_reactors(&mut self, message: i64, most: i64) -> Result<i64, StoreError> {
        let removed = self.write(REACTORS, params![message, most])?;
        Ok(i64::try_from(removed).unwrap_or(most))
    }

    /// Removes a portion of the users whose reactions were removed. False if none is left.
    pub(super) fn remove_hidden_reactors(&mut self, most: i64) -> Result<bool, StoreError> {
        let next = "SELECT message FROM removed_reactions ORDER BY message LIMIT 1";
        let mut left = most;
        while left > 0 {
            let Some(message) = self.first(next, [], |row| row.get::<_, i64>(0))? else {
                return Ok(false);
            };
            // Each message costs something too.
            left -= 1 + self.remove_reactors(message, left)?;
            if left > 0 {
                let sql = "DELETE FROM removed_reactions WHERE message = ?1";
                self.write(sql, [message])?;
            }
        }
        Ok(true)
    }

    /// Adds to a message what is attached to it, as a reader sees it.
    pub(super) fn annotate(
        &self,
        reader: UserId,
        message: &mut StoredMessage,
    ) -> Result<(), StoreError> {
        if message.annotated {
            let name = |row: &rusqlite::Row<'_>| row.get(0);
            message.mentions = self.all(MENTIONS_OF, params![message.id, ALL], name)?;
            message.reactions = self.all(REACTIONS_TO, params![message.id, reader], |row| {
                let count: i64 = row.get(1)?;
                Ok(StoredReaction {
                    emoji: row.get(0)?,
                    count: count.unsigned_abs(),
                    mine: row.get(2)?,
                })
            })?;
        }
        Ok(())
    }

    /// Adds a reaction of a user that has not reacted to the message with this emoji.
    pub fn add_reaction(
        &mut self,
        message: MessageId,
        user: UserId,
        emoji: &str,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE messages SET annotated = 1 WHERE id = ?1 AND annotated = 0",
            [message],
        )?;
        self.write(
            "INSERT INTO reactors (message, emoji, user) VALUES (?1, ?2, ?3)",
            params![message, emoji, user],
        )?;
        self.write(
            "INSERT INTO reactions (message, place, emoji, users)
             VALUES (?1, coalesce((SELECT max(place) + 1 FROM reactions WHERE message = ?1), 0), ?2, 1)
             ON CONFLICT (message, emoji) DO UPDATE SET users = users + 1",
            params![message, emoji],
        )
        .map(drop)
    }

    /// Removes a reaction of a user that has reacted to the message with this emoji.
    pub fn remove_reaction(
        &mut self,
        message: MessageId,
        user: UserId,
        emoji: &str,
    ) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM reactors WHERE message = ?1 AND emoji = ?2 AND user = ?3",
            params![message, emoji, user],
        )?;
        let last = "DELETE FROM reactions WHERE message = ?1 AND emoji = ?2 AND users = 1";
        if self.write(last, params![message, emoji])? == 0 {
            let fewer = "UPDATE reactions SET users = users - 1 WHERE message = ?1 AND emoji = ?2";
            self.write(fewer, params![message, emoji])?;
        }
        Ok(())
    }

    /// The conversation kind of a stored message, and whether it is a tombstone; `None` if there is no such message.
    pub(crate) fn stored_message(&self, id: MessageId) -> Result<Option<(Kind, bool)>, StoreError> {
        self.first(
            "SELECT c.kind, m.deleted_at IS NOT NULL FROM messages AS m
             JOIN conversations AS c ON c.id = m.conversation WHERE m.id = ?1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Up to `limit` users of a message's conversation who came before it.
    pub(crate) fn readers(&self, id: MessageId, limit: usize) -> Result<Vec<UserId>, StoreError> {
        self.all(
            "SELECT p.user FROM messages AS m CROSS JOIN participants AS p ON p.conversation = m.conversation
             WHERE m.id = ?1 AND p.after_id < m.id ORDER BY p.after_id, p.user LIMIT ?2",
            params![id, sql_limit(limit)],
            |row| row.get(0),
        )
    }

    /// The members of a room that came after a message and do not see it, sorted.
    pub fn joined_after(
        &self,
        room: ConversationId,
        message: MessageId,
    ) -> Result<Vec<UserId>, StoreError> {
        let mut users: Vec<UserId> =
            self.all(JOINED_AFTER, params![room, message], |row| row.get(0))?;
        users.sort_unstable();
        Ok(users)
    }
}

/// Members of a room that see nothing up to a message.
pub(super) const JOINED_AFTER: &str =
    "SELECT user FROM participants WHERE conversation = ?1 AND after_id >= ?2";
