//! Rooms that users left. An owner cannot add such a user again; the user can join again.

use rusqlite::params;

use super::{Batch, ConversationId, StoreError, UserId};

/// Left rooms that are remembered of a user, newest first: as many as a user can be in.
const KEPT: u64 = 1_000;

impl Batch<'_> {
    /// Records that a user left a room, and deletes the oldest record beyond the limit.
    pub fn note_left(
        &mut self,
        user: UserId,
        room: ConversationId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO left_rooms (user, conversation, left_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (user, conversation) DO UPDATE SET left_at = excluded.left_at",
            params![user, room, now],
        )?;
        let notes = self.count("SELECT count(*) FROM left_rooms WHERE user = ?1", [user])?;
        if notes > KEPT {
            self.write(
                "DELETE FROM left_rooms WHERE (user, conversation) IN
                     (SELECT user, conversation FROM left_rooms WHERE user = ?1
                      ORDER BY left_at, conversation LIMIT ?2)",
                params![user, i64::try_from(notes - KEPT).unwrap_or(i64::MAX)],
            )?;
        }
        Ok(())
    }

    /// Deletes the record, after the user joined again.
    pub fn forget_left(&mut self, user: UserId, room: ConversationId) -> Result<(), StoreError> {
        let sql = "DELETE FROM left_rooms WHERE user = ?1 AND conversation = ?2";
        self.write(sql, params![user, room]).map(drop)
    }

    /// Whether a user left a room and has not joined it again.
    pub fn has_left(&self, user: UserId, room: ConversationId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM left_rooms WHERE user = ?1 AND conversation = ?2";
        self.exists(sql, params![user, room])
    }
}
