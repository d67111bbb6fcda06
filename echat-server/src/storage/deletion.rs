//! Deleted accounts. The row of the user stays under a name that no user can have, since messages refer to it, and its
//! skeletons stay, so that its name is never given out again.

use echat_proto::names::name_of_deleted_account;
use rusqlite::params;

use super::{Batch, ConversationId, MessageId, StoreError, UserId};

/// Index entries of messages that one portion of an erasure looks at: half a millisecond.
const LOOKED_AT: i64 = 2_000;
/// Messages that one portion makes tombstones of: each writes a page of the table.
const ERASED: usize = 64;

/// Deletes the invitations from a user that are hidden from the invited users, who block it. It precedes the end of the
/// blocks: without inviter and block, they would be shown.
const HIDDEN_INVITATIONS: &str = "DELETE FROM room_invitations
     WHERE inviter = ?1 AND user IN (SELECT user FROM blocks WHERE blocked = ?1)";

/// What is deleted with an account, in this order. `?1` is the user, `?2` the time.
const ROWS: &[&str] = &[
    "DELETE FROM logins WHERE user = ?1",
    "DELETE FROM resume_secrets WHERE user = ?1",
    "DELETE FROM devices WHERE user = ?1",
    "UPDATE bots SET token = zeroblob(32), expires_at = NULL WHERE user = ?1",
    "DELETE FROM invitation_codes WHERE maker = ?1",
    "DELETE FROM friend_requests WHERE sender = ?1 OR receiver = ?1",
    HIDDEN_INVITATIONS,
    "DELETE FROM blocks WHERE user = ?1 OR blocked = ?1",
    "DELETE FROM room_invitations WHERE user = ?1",
    "UPDATE room_invitations SET inviter = NULL WHERE inviter = ?1",
    "DELETE FROM bans WHERE user = ?1",
    "DELETE FROM left_rooms WHERE user = ?1",
    "DELETE FROM name_endings WHERE kind = 0 AND id = ?1",
];

/// The place in the order of conversations and messages that an erasure has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasurePlace {
    conversation: i64,
    message: i64,
}

impl Batch<'_> {
    /// Ends the friendships of a user. Their conversations stay.
    fn end_friendships(&mut self, user: UserId, now: i64) -> Result<(), StoreError> {
        for sql in [
            "UPDATE friendships SET ended_at = ?2 WHERE low_user = ?1 AND ended_at IS NULL",
            "UPDATE friendships SET ended_at = ?2 WHERE high_user = ?1 AND ended_at IS NULL",
        ] {
            self.write(sql, params![user, now])?;
        }
        Ok(())
    }

    /// Deletes the account of a user that is in no room and owns no bot. With `erase`, the messages of the user are hidden
    /// from now on, and [`remove`](Self::remove) makes tombstones of them.
    pub(crate) fn delete_account(
        &mut self,
        user: UserId,
        erase: bool,
        now: i64,
    ) -> Result<(), StoreError> {
        self.end_friendships(user, now)?;
        for sql in ROWS {
            self.write(sql, [user])?;
        }
        let name = name_of_deleted_account(user.0);
        self.write(
            "UPDATE users SET name = ?2, password = '', administrator = 0, must_change_password = 0,
                 away = NULL, last_seen = NULL, hides_last_seen = 0, suspended_at = NULL,
                 suspended_until = NULL, suspended_reason = NULL, deleted_at = ?3, erased = ?4
             WHERE id = ?1",
            params![user, name, now, erase],
        )
        .map(drop)
    }

    /// The deleted accounts whose messages are hidden and not all tombstones yet.
    pub fn erasures(&self) -> Result<Vec<UserId>, StoreError> {
        let sql = "SELECT id FROM users WHERE erased = 1 ORDER BY id";
        self.all(sql, [], |row| row.get(0))
    }

    /// Makes tombstones of a portion of a user's messages, from a place on. It looks at 2,000 messages at most, and
    /// writes 64 at most: fewer, or none, while words of others wait to leave the search index. Returns where the next
    /// portion begins. After the last one the user counts as erased no more: nothing is left to hide. Does nothing to a
    /// user whose messages are not hidden.
    pub(super) fn erase(
        &mut self,
        user: UserId,
        from: ErasurePlace,
        now: i64,
    ) -> Result<Option<ErasurePlace>, StoreError> {
        if !self.exists("SELECT 1 FROM users WHERE id = ?1 AND erased = 1", [user])? {
            return Ok(None);
        }
        let most = ERASED.min(self.removable()?);
        if most == 0 {
            return Ok(Some(from));
        }
        let mut seen = 0;
        let mut found = Vec::new();
        let mut last = from;
        self.walk(
            "SELECT conversation, id, sender FROM messages INDEXED BY messages_by_conversation
             WHERE (conversation, id) > (?1, ?2) ORDER BY conversation, id LIMIT ?3",
            params![from.conversation, from.message, LOOKED_AT],
            |row| {
                let conversation: ConversationId = row.get(0)?;
                let sender: UserId = row.get(2)?;
                last = ErasurePlace {
                    conversation: conversation.0,
                    message: row.get(1)?,
                };
                seen += 1;
                if sender == user {
                    found.push(last.message);
                }
                Ok(found.len() < most)
            },
        )?;
        for id in &found {
            self.remove_content(MessageId::of_row(*id), now)?;
        }
        if seen == LOOKED_AT || found.len() == most {
            return Ok(Some(last));
        }
        self.write("UPDATE users SET erased = 0 WHERE id = ?1", [user])?;
        Ok(None)
    }
}
