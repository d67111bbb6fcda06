//! Users that may not come to a room.

use rusqlite::params;

use super::{Batch, ConversationId, StoreError, UserId};

/// The bans of a room by name, those that have not expired, without deleted accounts.
pub(super) const BANS: &str =
    "SELECT u.name, coalesce(o.name, ''), b.created_at, b.until, b.reason FROM bans AS b
     CROSS JOIN users AS u ON u.id = b.user LEFT JOIN users AS o ON o.id = b.operator
     WHERE b.room = ?1 AND (b.until IS NULL OR b.until > ?2) AND u.deleted_at IS NULL ORDER BY u.name";
/// Their number.
pub(super) const BAN_COUNT: &str = "SELECT count(*) FROM bans AS b
     CROSS JOIN users AS u ON u.id = b.user
     WHERE b.room = ?1 AND (b.until IS NULL OR b.until > ?2) AND u.deleted_at IS NULL";
/// The ban of one user, if it has not expired.
pub(super) const BAN: &str = "SELECT until, reason FROM bans
     WHERE room = ?1 AND user = ?2 AND (until IS NULL OR until > ?3)";

/// How long a user may not come to a room, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// When it ends, in unix seconds; `None`: when it is lifted.
    pub until: Option<i64>,
    /// What the operator gave as the reason.
    pub reason: Option<String>,
}

/// A ban, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanSummary {
    /// The name of the user that is banned.
    pub username: String,
    /// The name of the operator that banned the user; empty if there is none any more.
    pub by: String,
    /// When the user was banned, in unix seconds.
    pub at: i64,
    /// How long, and why.
    pub ban: Ban,
}

impl Batch<'_> {
    /// The ban of a user in a room. One that ends at `now`, or before, is none.
    pub fn ban_of(
        &self,
        room: ConversationId,
        user: UserId,
        now: i64,
    ) -> Result<Option<Ban>, StoreError> {
        self.first(BAN, params![room, user, now], |row| {
            Ok(Ban {
                until: row.get(0)?,
                reason: row.get(1)?,
            })
        })
    }

    /// The bans of a room by name, without those that ended.
    pub fn bans(&self, room: ConversationId, now: i64) -> Result<Vec<BanSummary>, StoreError> {
        self.all(BANS, params![room, now], |row| {
            let ban = Ban {
                until: row.get(3)?,
                reason: row.get(4)?,
            };
            Ok(BanSummary {
                username: row.get(0)?,
                by: row.get(1)?,
                at: row.get(2)?,
                ban,
            })
        })
    }

    /// The number of bans of a room, without those that ended and those of deleted accounts.
    pub fn ban_count(&self, room: ConversationId, now: i64) -> Result<u64, StoreError> {
        self.count(BAN_COUNT, params![room, now])
    }

    /// Whether a room has so many bans. The rows alone mostly say so, and cost less.
    pub fn has_as_many_bans(
        &self,
        room: ConversationId,
        limit: usize,
        now: i64,
    ) -> Result<bool, StoreError> {
        let limit = limit as u64;
        let rows = "SELECT count(*) FROM bans WHERE room = ?1 AND (until IS NULL OR until > ?2)";
        let rows = self.count(rows, params![room, now])?;
        Ok(rows >= limit && self.ban_count(room, now)? >= limit)
    }

    /// Bans a user from a room in place of an earlier ban, and deletes the bans of the room that ended. There are never
    /// more of these than a room may have bans.
    pub fn ban(
        &mut self,
        room: ConversationId,
        user: UserId,
        operator: UserId,
        ban: &Ban,
        now: i64,
    ) -> Result<(), StoreError> {
        self.prune_bans(room, now)?;
        self.write(
            "INSERT INTO bans (room, user, operator, created_at, until, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (room, user) DO UPDATE SET operator = excluded.operator,
                 created_at = excluded.created_at, until = excluded.until, reason = excluded.reason",
            params![room, user, operator, now, ban.until, ban.reason],
        )
        .map(drop)
    }

    /// Lifts the ban of a user, and deletes the bans of the room that ended. False if the user was not banned.
    pub fn unban(
        &mut self,
        room: ConversationId,
        user: UserId,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.prune_bans(room, now)?;
        let sql = "DELETE FROM bans WHERE room = ?1 AND user = ?2";
        Ok(self.write(sql, params![room, user])? > 0)
    }

    fn prune_bans(&mut self, room: ConversationId, now: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM bans WHERE room = ?1 AND until <= ?2";
        self.write(sql, params![room, now]).map(drop)
    }
}
