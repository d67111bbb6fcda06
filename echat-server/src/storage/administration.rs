//! What the administration of the server reads and writes: accounts as an administrator sees them, the audit, settings
//! in place of the configuration's, and addresses that are not served.

use rusqlite::{Row, params};

use crate::clock::DAY;

use super::accounts::user;
use super::backup::{begin_reading, open_beside};
use super::check::count;
use super::high_water::newest_id;
use super::page::sql_limit;
use super::{Batch, OpenError, StoreError, User, UserId};
use std::path::Path;

/// Old lines that a new one deletes at most.
const PRUNED_AT_ONCE: i64 = 100;

/// An entry of the audit: a change that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditEntry {
    /// Unix seconds.
    pub(crate) at: i64,
    /// The interface: `terminal`, `ctl` or `chat`. The column has the name `door`.
    pub(crate) via: String,
    /// The administrator of the chat, or the user of the system. The column has the name `by`.
    pub(crate) actor: String,
    /// The command as it is typed, without secrets.
    pub(crate) command: String,
    /// `done`, or the code that refused it.
    pub(crate) result: String,
}

/// An account, as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The user.
    pub(crate) user: User,
    /// Unix seconds.
    pub(crate) created_at: i64,
    /// Whether it is an administrator.
    pub(crate) is_administrator: bool,
    /// Whether the next thing to do is to change the password.
    pub(crate) must_change_password: bool,
    /// The end of the last session, in unix seconds.
    pub(crate) last_seen: Option<i64>,
    /// Whether it is suspended now.
    pub(crate) is_suspended: bool,
    /// The owner, if it is a bot.
    pub(crate) owner: Option<String>,
}

/// Addresses that are not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressBan {
    /// An address, a slash, and the bits that count.
    pub(crate) prefix: String,
    /// When the ban ends, in unix seconds; `None` for no end.
    pub(crate) until: Option<i64>,
}

const COLUMNS: &str =
    "u.id, u.name, u.created_at, u.administrator, u.must_change_password, u.last_seen,
     u.suspended_at IS NOT NULL AND (u.suspended_until IS NULL OR u.suspended_until > ?1), o.name";
const ACCOUNTS: &str =
    "FROM users AS u LEFT JOIN bots AS b ON b.user = u.id LEFT JOIN users AS o ON o.id = b.owner
     WHERE u.deleted_at IS NULL";
/// From the bots, which are few, to their accounts, and not the other way round.
const BOTS: &str =
    "FROM bots AS b CROSS JOIN users AS u ON u.id = b.user CROSS JOIN users AS o ON o.id = b.owner
     WHERE u.deleted_at IS NULL";

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        user: user(row)?,
        created_at: row.get(2)?,
        is_administrator: row.get(3)?,
        must_change_password: row.get(4)?,
        last_seen: row.get(5)?,
        is_suspended: row.get(6)?,
        owner: row.get(7)?,
    })
}

/// How much a database stores, which a server may be using: accounts, bots, rooms, friendships and messages, and the id
/// of the newest. The rows are counted one by one, so it is for a thread of its own.
///
/// # Errors
/// The file cannot be opened, or its schema is not echat's.
pub fn statistics(path: &Path) -> Result<Vec<(&'static str, u64)>, OpenError> {
    let db = open_beside(path)?;
    let _pinned = begin_reading(&db)?;
    let counts = [
        (
            "users",
            "SELECT count(*) FROM users WHERE deleted_at IS NULL AND id NOT IN (SELECT user FROM bots)",
        ),
        (
            "deleted_users",
            "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL AND id NOT IN (SELECT user FROM bots)",
        ),
        (
            "bots",
            "SELECT count(*) FROM bots AS b JOIN users AS u ON u.id = b.user WHERE u.deleted_at IS NULL",
        ),
        ("rooms", "SELECT count(*) FROM rooms"),
        (
            "friendships",
            "SELECT count(*) FROM friendships WHERE ended_at IS NULL",
        ),
        ("messages", "SELECT count(*) FROM messages"),
    ];
    let mut counted = Vec::new();
    for (name, sql) in counts {
        counted.push((name, count(&db, sql)?));
    }
    counted.push(("newest_message", newest_id(&db)?.unsigned_abs()));
    Ok(counted)
}

impl Batch<'_> {
    /// The first `limit` accounts behind a name, by name.
    pub(crate) fn accounts(
        &self,
        after: &str,
        limit: usize,
        now: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} {ACCOUNTS} AND u.name > ?2 ORDER BY u.name LIMIT ?3");
        self.all(&sql, params![now, after, sql_limit(limit)], account)
    }

    /// The first `limit` bots behind a name, by name.
    pub(crate) fn bots(&self, after: &str, limit: usize) -> Result<Vec<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} {BOTS} AND u.name > ?2 ORDER BY u.name LIMIT ?3");
        self.all(&sql, params![0, after, sql_limit(limit)], account)
    }

    /// The account of a user that is not deleted.
    pub(crate) fn account(&self, user: UserId, now: i64) -> Result<Option<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} {ACCOUNTS} AND u.id = ?2");
        self.first(&sql, params![now, user], account)
    }

    /// The administrators, by name; at most `limit`.
    pub fn administrators(&self, limit: usize) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM users INDEXED BY users_administrators
                   WHERE administrator = 1 AND deleted_at IS NULL ORDER BY name LIMIT ?1";
        self.all(sql, [sql_limit(limit)], |row| row.get(0))
    }

    /// Whether the user is an administrator, and no other account is one.
    pub(crate) fn is_last_administrator(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.is_administrator(user)? && self.administrators(2)?.len() == 1)
    }

    /// The first `limit` rooms behind a name, by name: name, owner, members, whether it is private.
    pub(crate) fn room_page(
        &self,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, String, u64, bool)>, StoreError> {
        self.all(
            "SELECT r.name, coalesce(u.name, ''), r.members, r.private FROM rooms AS r
             LEFT JOIN users AS u ON u.id = r.owner WHERE r.name > ?1 ORDER BY r.name LIMIT ?2",
            params![after, sql_limit(limit)],
            |row| {
                let members: i64 = row.get(2)?;
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    members.unsigned_abs(),
                    row.get(3)?,
                ))
            },
        )
    }

    /// Since when entries of the audit are kept, in unix seconds.
    fn audit_since(&self, now: i64) -> i64 {
        let days = i64::try_from(self.audit_days).unwrap_or(i64::MAX);
        now.saturating_sub(days.saturating_mul(DAY))
    }

    /// Adds a line to the audit, and deletes some that are kept no longer.
    pub(crate) fn note_audit(&mut self, line: &AuditEntry) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)",
            [self.audit_since(line.at), PRUNED_AT_ONCE],
        )?;
        self.write(
            "INSERT INTO audit (at, door, by, command, result) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![line.at, line.via, line.actor, line.command, line.result],
        )
        .map(drop)
    }

    /// The newest `limit` lines of the audit with a lower number that are kept at `now`, with their numbers; newest
    /// first.
    pub(crate) fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
        now: i64,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let before = before.and_then(|before| i64::try_from(before).ok());
        self.all(
            "SELECT id, at, door, by, command, result FROM audit WHERE id < ?1 AND at >= ?3
             ORDER BY id DESC LIMIT ?2",
            params![
                before.unwrap_or(i64::MAX),
                sql_limit(limit),
                self.audit_since(now)
            ],
            |row| {
                let id: i64 = row.get(0)?;
                let line = AuditEntry {
                    at: row.get(1)?,
                    via: row.get(2)?,
                    actor: row.get(3)?,
                    command: row.get(4)?,
                    result: row.get(5)?,
                };
                Ok((id.unsigned_abs(), line))
            },
        )
    }

    /// The settings in place of the configuration's: names and values.
    pub(crate) fn server_settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT name, value FROM server_settings ORDER BY name";
        self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Stores a setting in place of the configuration's; `None` gives it back to the configuration.
    pub(crate) fn set_server_setting(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), StoreError> {
        match value {
            Some(value) => self.write(
                "INSERT INTO server_settings (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![name, value],
            ),
            None => self.write("DELETE FROM server_settings WHERE name = ?1", [name]),
        }
        .map(drop)
    }

    /// `limit` of the bans of addresses that hold at `now`, in the order of their texts.
    pub(crate) fn address_bans(
        &self,
        now: i64,
        limit: usize,
    ) -> Result<Vec<AddressBan>, StoreError> {
        self.all(
            "SELECT prefix, until FROM address_bans WHERE until IS NULL OR until > ?1
             ORDER BY prefix LIMIT ?2",
            params![now, sql_limit(limit)],
            |row| {
                Ok(AddressBan {
                    prefix: row.get(0)?,
                    until: row.get(1)?,
                })
            },
        )
    }

    /// Stores that addresses are not served, and deletes the bans that have ended.
    pub(crate) fn ban_addresses(&mut self, ban: &AddressBan, now: i64) -> Result<(), StoreError> {
        self.write("DELETE FROM address_bans WHERE until <= ?1", [now])?;
        self.write(
            "INSERT INTO address_bans (prefix, created_at, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (prefix) DO UPDATE SET until = excluded.until",
            params![ban.prefix, now, ban.until],
        )
        .map(drop)
    }

    /// Ends the ban of addresses; false if there is none.
    pub(crate) fn unban_addresses(&mut self, prefix: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM address_bans WHERE prefix = ?1";
        Ok(self.write(sql, [prefix])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use crate::storage::Store;
    use echat_proto::names::Username;

    #[test]
    fn administrators_are_found_without_a_look_at_the_other_users() {
        let mut store = Store::in_memory().expect("memory");
        let mut steps = Vec::new();
        let mut made = 0;
        for users in [10, 2_000] {
            let mut batch = store.batch();
            while made < users {
                let name = Username::new(&format!("user{made}")).expect("a name");
                let user = batch.create_user(&name, "phc", 1).expect("memory");
                let is_administrator = made == 5;
                let user = user.expect("free");
                let set = batch.set_administrator(user, is_administrator);
                set.expect("memory");
                made += 1;
            }
            drop(batch.commit().expect("memory"));
            let batch = store.batch();
            let before = batch.usage().steps;
            let found = batch.administrators(20).expect("memory");
            assert_eq!(found, ["user5"]);
            steps.push(batch.usage().steps - before);
        }
        assert!(steps[1] <= steps[0] + 10, "{steps:?}");
    }
}
