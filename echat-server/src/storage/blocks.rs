//! Users that a user blocked.

use rusqlite::params;

use super::accounts::user;
use super::{Batch, StoreError, User, UserId};

/// The users that a user blocks, by name, without deleted accounts.
const BLOCKED: &str = "SELECT u.id, u.name FROM blocks AS b
     CROSS JOIN users AS u ON u.id = b.blocked
     WHERE b.user = ?1 AND u.deleted_at IS NULL ORDER BY u.name";
/// Their number.
pub(super) const BLOCK_COUNT: &str = "SELECT count(*) FROM blocks AS b
     CROSS JOIN users AS u ON u.id = b.blocked
     WHERE b.user = ?1 AND u.deleted_at IS NULL";

impl Batch<'_> {
    /// The users that `by` blocks, by name.
    pub fn blocked_by(&self, by: UserId) -> Result<Vec<User>, StoreError> {
        self.all(BLOCKED, [by], user)
    }

    /// Whether `by` blocks `other`.
    pub fn blocks(&self, by: UserId, other: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM blocks WHERE user = ?1 AND blocked = ?2";
        self.exists(sql, [by, other])
    }

    /// The number of users that `by` blocks, without deleted accounts.
    pub fn block_count(&self, by: UserId) -> Result<u64, StoreError> {
        self.count(BLOCK_COUNT, [by])
    }

    /// Whether `by` blocks so many users. The rows alone mostly say so, and cost less.
    pub fn blocks_as_many(&self, by: UserId, limit: usize) -> Result<bool, StoreError> {
        let limit = limit as u64;
        let rows = self.count("SELECT count(*) FROM blocks WHERE user = ?1", [by])?;
        Ok(rows >= limit && self.block_count(by)? >= limit)
    }

    /// Blocks a user; nothing changes for one that is blocked already.
    pub fn block(&mut self, by: UserId, other: UserId, now: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO blocks (user, blocked, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (user, blocked) DO NOTHING",
            params![by, other, now],
        )
        .map(drop)
    }

    /// Ends a block.
    pub fn unblock(&mut self, by: UserId, other: UserId) -> Result<(), StoreError> {
        let sql = "DELETE FROM blocks WHERE user = ?1 AND blocked = ?2";
        self.write(sql, [by, other]).map(drop)
    }
}
