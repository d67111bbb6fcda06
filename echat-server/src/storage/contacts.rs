//! Friendships and friend requests.

use rusqlite::params;

use super::accounts::user;
use super::{Batch, ConversationId, Kind, StoreError, User, UserId};

/// Expired declined requests that one write deletes at most.
const PRUNED_AT_ONCE: i64 = 10;

/// A user by name, and the friendship with another, which may have ended.
pub(super) const FRIEND: &str = "SELECT u.id, u.name, f.conversation, f.ended_at FROM users AS u
     LEFT JOIN friendships AS f
     ON f.low_user = min(u.id, ?1) AND f.high_user = max(u.id, ?1) WHERE u.name = ?2";
/// Pending requests to a user that the user sees, oldest first: not those of users that the user blocks, nor of deleted
/// accounts.
pub(super) const PENDING: &str =
    "SELECT u.name FROM friend_requests AS r CROSS JOIN users AS u ON u.id = r.sender
     WHERE r.receiver = ?1 AND r.declined_at IS NULL AND u.deleted_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = r.receiver AND b.blocked = r.sender)
     ORDER BY r.id";
/// The oldest of them.
pub(super) const OLDEST_PENDING: &str = "SELECT r.sender, r.created_at FROM friend_requests AS r
     CROSS JOIN users AS u ON u.id = r.sender
     WHERE r.receiver = ?1 AND r.declined_at IS NULL AND u.deleted_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = r.receiver AND b.blocked = r.sender)
     ORDER BY r.id LIMIT 1";
/// Their number.
pub(super) const PENDING_COUNT: &str = "SELECT count(*) FROM friend_requests AS r
     CROSS JOIN users AS u ON u.id = r.sender
     WHERE r.receiver = ?1 AND r.declined_at IS NULL AND u.deleted_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = r.receiver AND b.blocked = r.sender)";
/// Deletes requests that were declined long ago and not repeated.
pub(super) const PRUNE: &str = "DELETE FROM friend_requests WHERE id IN
         (SELECT id FROM friend_requests
          WHERE declined_at IS NOT NULL AND asked_again = 0 AND declined_at <= ?1
          ORDER BY declined_at LIMIT ?2)";

/// The conversation of two users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrivateConversation {
    /// It stays when the friendship ends, and goes on with a new one.
    pub id: ConversationId,
    /// Whether they are friends no more.
    pub ended: bool,
}

/// A friend request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FriendRequest {
    /// When the receiver declined it, in unix seconds; `None` while it is pending.
    pub declined_at: Option<i64>,
    /// Whether the sender repeated it since.
    pub asked_again: bool,
}

impl Batch<'_> {
    /// A user's friends by name.
    pub fn friends(&self, of: UserId) -> Result<Vec<User>, StoreError> {
        self.all(
            "SELECT u.id, u.name FROM
                 (SELECT high_user AS friend FROM friendships WHERE low_user = ?1 AND ended_at IS NULL
                  UNION ALL SELECT low_user FROM friendships
                      WHERE high_user = ?1 AND ended_at IS NULL) AS f
             CROSS JOIN users AS u ON u.id = f.friend ORDER BY u.name",
            [of],
            user,
        )
    }

    /// The number of a user's friends.
    pub fn friend_count(&self, of: UserId) -> Result<u64, StoreError> {
        let sql =
            "SELECT (SELECT count(*) FROM friendships WHERE low_user = ?1 AND ended_at IS NULL)
                 + (SELECT count(*) FROM friendships WHERE high_user = ?1 AND ended_at IS NULL)";
        self.count(sql, [of])
    }

    /// The number of a user's former friends, whose conversations the user keeps.
    pub fn former_friend_count(&self, of: UserId) -> Result<u64, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM friendships WHERE low_user = ?1 AND ended_at IS NOT NULL)
                 + (SELECT count(*) FROM friendships WHERE high_user = ?1 AND ended_at IS NOT NULL)";
        self.count(sql, [of])
    }

    /// Whether two users were friends and are not any more.
    pub fn are_former_friends(&self, a: UserId, b: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM friendships WHERE low_user = ?1 AND high_user = ?2 AND ended_at IS NOT NULL";
        self.exists(sql, [a.min(b), a.max(b)])
    }

    /// Ends a friendship. Its conversation stays.
    pub fn end_friendship(&mut self, a: UserId, b: UserId, now: i64) -> Result<(), StoreError> {
        let sql = "UPDATE friendships SET ended_at = ?3
             WHERE low_user = ?1 AND high_user = ?2 AND ended_at IS NULL";
        self.write(sql, params![a.min(b), a.max(b), now]).map(drop)
    }

    /// The conversation of two users; `None` if they are not friends.
    pub fn friendship(&self, a: UserId, b: UserId) -> Result<Option<ConversationId>, StoreError> {
        let sql = "SELECT conversation FROM friendships
             WHERE low_user = ?1 AND high_user = ?2 AND ended_at IS NULL";
        self.first(sql, [a.min(b), a.max(b)], |row| row.get(0))
    }

    /// The user with this name, and the conversation with `me`; `None` in its place if they never were friends.
    pub fn find_friend(
        &self,
        me: UserId,
        key: &str,
    ) -> Result<Option<(User, Option<PrivateConversation>)>, StoreError> {
        self.first(FRIEND, params![me, key], |row| {
            let (id, ended_at): (Option<_>, Option<i64>) = (row.get(2)?, row.get(3)?);
            let conversation = id.map(|id| PrivateConversation {
                id,
                ended: ended_at.is_some(),
            });
            Ok((user(row)?, conversation))
        })
    }

    /// The names of the senders of a user's pending requests, oldest first, without users that the user blocks.
    pub fn pending_requests(&self, receiver: UserId) -> Result<Vec<String>, StoreError> {
        self.all(PENDING, [receiver], |row| row.get(0))
    }

    /// The number of a user's pending requests, without those of users that the user blocks and of deleted accounts.
    pub fn pending_count(&self, receiver: UserId) -> Result<u64, StoreError> {
        self.count(PENDING_COUNT, [receiver])
    }

    /// Whether a user has so many of these requests. The rows alone mostly say so, and cost less.
    pub fn has_as_many_pending(&self, receiver: UserId, limit: usize) -> Result<bool, StoreError> {
        let limit = limit as u64;
        let rows =
            "SELECT count(*) FROM friend_requests WHERE receiver = ?1 AND declined_at IS NULL";
        Ok(self.count(rows, [receiver])? >= limit && self.pending_count(receiver)? >= limit)
    }

    /// The sender and time of the oldest of these requests.
    pub fn oldest_pending(&self, receiver: UserId) -> Result<Option<(UserId, i64)>, StoreError> {
        self.first(OLDEST_PENDING, [receiver], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// The request from `sender` to `receiver`, pending or declined.
    pub fn request(
        &self,
        sender: UserId,
        receiver: UserId,
    ) -> Result<Option<FriendRequest>, StoreError> {
        self.first(
            "SELECT declined_at, asked_again FROM friend_requests
             WHERE receiver = ?2 AND sender = ?1",
            [sender, receiver],
            |row| {
                Ok(FriendRequest {
                    declined_at: row.get(0)?,
                    asked_again: row.get(1)?,
                })
            },
        )
    }

    /// Stores a request from `sender` to `receiver`, a different user. A declined request becomes a new one and the
    /// newest. A pending request stays as it is.
    pub fn add_request(
        &mut self,
        sender: UserId,
        receiver: UserId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM friend_requests
             WHERE receiver = ?2 AND sender = ?1 AND declined_at IS NOT NULL",
            [sender, receiver],
        )?;
        self.write(
            "INSERT INTO friend_requests (sender, receiver, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (receiver, sender) DO NOTHING",
            params![sender, receiver, now],
        )
        .map(drop)
    }

    /// Declines a pending request; false if there is none.
    pub fn decline_request(
        &mut self,
        sender: UserId,
        receiver: UserId,
        now: i64,
    ) -> Result<bool, StoreError> {
        let changed = self.write(
            "UPDATE friend_requests SET declined_at = ?3, asked_again = 0
             WHERE receiver = ?2 AND sender = ?1 AND declined_at IS NULL",
            params![sender, receiver, now],
        )?;
        Ok(changed > 0)
    }

    /// Records that the sender of a declined request repeated it.
    pub fn ask_again(&mut self, sender: UserId, receiver: UserId) -> Result<(), StoreError> {
        self.write(
            "UPDATE friend_requests SET asked_again = 1
             WHERE receiver = ?2 AND sender = ?1 AND declined_at IS NOT NULL",
            [sender, receiver],
        )
        .map(drop)
    }

    /// Withdraws a request with a block: that of the user who blocks, when the block begins, and that of the blocked
    /// user, which it hides, when it ends. A pending one is deleted. A declined one stays, so that the sender cannot
    /// ask anew before its time, but is not accepted by a request in return.
    pub fn withdraw_request(&mut self, sender: UserId, receiver: UserId) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM friend_requests
             WHERE receiver = ?2 AND sender = ?1 AND declined_at IS NULL",
            [sender, receiver],
        )?;
        self.write(
            "UPDATE friend_requests SET asked_again = 0 WHERE receiver = ?2 AND sender = ?1",
            [sender, receiver],
        )
        .map(drop)
    }

    /// Deletes a few of the requests that were declined at or before `until` and not repeated.
    pub fn forget_declined(&mut self, until: i64) -> Result<(), StoreError> {
        self.write(PRUNE, [until, PRUNED_AT_ONCE]).map(drop)
    }

    /// Deletes a request, pending or declined; false if there is none.
    pub fn delete_request(&mut self, sender: UserId, receiver: UserId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM friend_requests WHERE receiver = ?2 AND sender = ?1";
        Ok(self.write(sql, [sender, receiver])? > 0)
    }

    /// Makes two users friends, and deletes their requests in both directions. Users who are friends already, or were,
    /// keep their conversation.
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
        let again = self.write(
            "UPDATE friendships SET ended_at = NULL, created_at = ?3
             WHERE low_user = ?1 AND high_user = ?2",
            params![a.min(b), a.max(b), now],
        )?;
        if again > 0 {
            let conversation = self.friendship(a, b)?;
            return conversation.ok_or_else(|| self.missing("a friendship that was there is not"));
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
