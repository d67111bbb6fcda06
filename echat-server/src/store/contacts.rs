//! Friendships and the requests that lead to them.

use rusqlite::params;

use super::accounts::user;
use super::{Batch, ConversationId, Kind, StoreError, User, UserId};

impl Batch<'_> {
    /// A user's friends by name.
    pub fn friends(&self, of: UserId) -> Result<Vec<User>, StoreError> {
        self.all(
            "SELECT u.id, u.name FROM
                 (SELECT high_user AS friend FROM friendships WHERE low_user = ?1
                  UNION ALL SELECT low_user FROM friendships WHERE high_user = ?1) AS f
             CROSS JOIN users AS u ON u.id = f.friend ORDER BY u.name",
            [of],
            user,
        )
    }

    /// How many friends a user has.
    pub fn friend_count(&self, of: UserId) -> Result<u64, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM friendships WHERE low_user = ?1)
                        + (SELECT count(*) FROM friendships WHERE high_user = ?1)";
        self.count(sql, [of])
    }

    /// The conversation of two friends; `None` when they are not friends.
    pub fn friendship(&self, a: UserId, b: UserId) -> Result<Option<ConversationId>, StoreError> {
        let sql = "SELECT conversation FROM friendships WHERE low_user = ?1 AND high_user = ?2";
        self.first(sql, [a.min(b), a.max(b)], |row| row.get(0))
    }

    /// The names of those who asked a user for friendship and wait for an answer, oldest first.
    pub fn pending_requests(&self, receiver: UserId) -> Result<Vec<String>, StoreError> {
        self.all(
            "SELECT u.name FROM friend_requests AS r CROSS JOIN users AS u ON u.id = r.sender
             WHERE r.receiver = ?1 ORDER BY r.id",
            [receiver],
            |row| row.get(0),
        )
    }

    /// How many requests wait for a user's answer.
    pub fn pending_count(&self, receiver: UserId) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM friend_requests WHERE receiver = ?1",
            [receiver],
        )
    }

    /// Whether `sender` asked `receiver` and waits for an answer.
    pub fn requested(&self, sender: UserId, receiver: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM friend_requests WHERE receiver = ?2 AND sender = ?1";
        self.exists(sql, [sender, receiver])
    }

    /// Notes that `sender` asks `receiver`, who must be another; asking twice is asking once.
    pub fn add_request(
        &mut self,
        sender: UserId,
        receiver: UserId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO friend_requests (sender, receiver, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (receiver, sender) DO NOTHING",
            params![sender, receiver, now],
        )
        .map(drop)
    }

    /// Takes a request back; false when there was none.
    pub fn delete_request(&mut self, sender: UserId, receiver: UserId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM friend_requests WHERE receiver = ?2 AND sender = ?1";
        Ok(self.write(sql, [sender, receiver])? > 0)
    }

    /// Makes two users friends, and removes their requests in both directions. Those who are
    /// friends already keep their conversation.
    pub fn befriend(
        &mut self,
        a: UserId,
        b: UserId,
        now: i64,
    ) -> Result<ConversationId, StoreError> {
        self.delete_request(a, b)?;
        self.delete_request(b, a)?;
        if let Some(conversation) = self.friendship(a, b)? {
            return Ok(conversation);
        }
        let conversation = self.create_conversation(Kind::Private)?;
        self.write(
            "INSERT INTO friendships (low_user, high_user, conversation, created_at)
             VALUES (?1, ?2, ?3, ?4)",
            params![a.min(b), a.max(b), conversation, now],
        )?;
        self.add_participant(conversation, a, now)?;
        self.add_participant(conversation, b, now)?;
        Ok(conversation)
    }
}
