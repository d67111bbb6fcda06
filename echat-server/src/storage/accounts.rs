//! Users, their password hashes, and the addresses from which they logged in.

use std::net::IpAddr;

use echat_proto::names::Username;
use rusqlite::{Row, params};

use crate::clock::DAY;
use crate::secrets::PasswordHash;

use super::page::sql_limit;
use super::{Batch, Kind, StoreError, User, UserId};

/// How long an address that logged in to an account is known to it, in seconds: 30 days.
pub(crate) const KNOWN_ADDRESS: i64 = 30 * DAY;

/// Expired addresses that one login deletes at most.
const PRUNED_AT_ONCE: i64 = 100;

/// A suspension that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// When it ends, in unix seconds; `None` for no end.
    pub until: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

impl Batch<'_> {
    /// The user with this name, given in its stored form.
    pub fn find_user(&self, key: &str) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, name FROM users WHERE name = ?1 AND deleted_at IS NULL";
        self.first(sql, [key], user)
    }

    /// The user that messages show under a name in its stored form, also one whose account is deleted.
    pub fn find_sender(&self, key: &str) -> Result<Option<UserId>, StoreError> {
        let sql = "SELECT id FROM users WHERE name = ?1";
        self.first(sql, [key], |row| row.get(0))
    }

    /// Whether a user can be asked for something: a person, whose account is neither deleted nor suspended at `now`.
    pub fn can_be_asked(&self, user: UserId, now: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users AS u WHERE u.id = ?1 AND u.deleted_at IS NULL
             AND (u.suspended_at IS NULL OR u.suspended_until <= ?2)
             AND NOT EXISTS (SELECT 1 FROM bots AS b WHERE b.user = u.id)";
        self.exists(sql, params![user, now])
    }

    /// The name of a user in its stored form.
    pub fn user_name(&self, user: UserId) -> Result<Option<String>, StoreError> {
        self.first("SELECT name FROM users WHERE id = ?1", [user], |row| {
            row.get(0)
        })
    }

    /// The first `limit` users by name.
    pub fn users(&self, limit: u32) -> Result<Vec<User>, StoreError> {
        self.all(
            "SELECT id, name FROM users WHERE deleted_at IS NULL ORDER BY name LIMIT ?1",
            [limit],
            user,
        )
    }

    /// The user with this name, and the hash of the password if the user has one.
    pub fn credentials(
        &self,
        key: &str,
    ) -> Result<Option<(User, Option<PasswordHash>)>, StoreError> {
        let sql = "SELECT id, name, password FROM users WHERE name = ?1 AND deleted_at IS NULL";
        self.first(sql, [key], |row| {
            Ok((user(row)?, PasswordHash::stored(row.get(2)?)))
        })
    }

    /// Creates an account; `None` if the name, or a confusable one, is taken.
    pub fn create_user(
        &mut self,
        name: &Username,
        phc: &str,
        now: i64,
    ) -> Result<Option<UserId>, StoreError> {
        if self.user_name_taken(name)? {
            return Ok(None);
        }
        let id = self.insert(
            "INSERT INTO users (name, password, created_at) VALUES (?1, ?2, ?3)",
            params![name.as_str(), phc, now],
        )?;
        self.add_looks(Kind::Private, id, &name.looks())?;
        self.index_name(Kind::Private, id, name.as_str())?;
        Ok(Some(UserId(id)))
    }

    /// Makes a user an administrator of the server, or an administrator an ordinary user.
    pub fn set_administrator(
        &mut self,
        user: UserId,
        is_administrator: bool,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE users SET administrator = ?2 WHERE id = ?1";
        self.write(sql, params![user, is_administrator]).map(drop)
    }

    /// Replaces the PHC string of a password.
    pub fn set_password(&mut self, user: UserId, phc: &str) -> Result<(), StoreError> {
        let sql = "UPDATE users SET password = ?2 WHERE id = ?1";
        self.write(sql, params![user, phc]).map(drop)
    }

    /// Replaces the PHC string of a password that was not changed since.
    pub(crate) fn upgrade_hash(
        &mut self,
        user: UserId,
        old: &str,
        new: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE users SET password = ?3 WHERE id = ?1 AND password = ?2";
        self.write(sql, params![user, old, new]).map(drop)
    }

    /// Stores the PHC string of a new password. The secrets of the user's sessions and devices are revoked, and the
    /// password need not be changed.
    pub fn change_password(&mut self, user: UserId, phc: &str) -> Result<(), StoreError> {
        let sql = "UPDATE users SET password = ?2, must_change_password = 0 WHERE id = ?1";
        self.write(sql, params![user, phc])?;
        self.revoke_secrets(user)
    }

    /// Suspends a user until a time, or until [`unsuspend`](Self::unsuspend). A later suspension replaces an earlier
    /// one. The secrets of the user's sessions are revoked.
    pub fn suspend(
        &mut self,
        user: UserId,
        until: Option<i64>,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE users SET suspended_at = ?2, suspended_until = ?3, suspended_reason = ?4
                   WHERE id = ?1 AND deleted_at IS NULL";
        self.write(sql, params![user, now, until, reason])?;
        self.revoke_chains(user)
    }

    /// Ends the suspension of a user.
    pub fn unsuspend(&mut self, user: UserId) -> Result<(), StoreError> {
        let sql =
            "UPDATE users SET suspended_at = NULL, suspended_until = NULL, suspended_reason = NULL
                   WHERE id = ?1";
        self.write(sql, [user]).map(drop)
    }

    /// The suspension of a user that holds at `now`; one that has expired is none.
    pub fn suspension(&self, user: UserId, now: i64) -> Result<Option<Suspension>, StoreError> {
        let sql = "SELECT suspended_until, suspended_reason FROM users
                   WHERE id = ?1 AND suspended_at IS NOT NULL
                       AND (suspended_until IS NULL OR suspended_until > ?2)";
        self.first(sql, params![user, now], |row| {
            Ok(Suspension {
                until: row.get(0)?,
                reason: row.get(1)?,
            })
        })
    }

    /// Records that a user logged in from an address, and deletes some records that are 30 days old.
    pub fn note_login(
        &mut self,
        user: UserId,
        address: IpAddr,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO logins (user, address, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (user, address) DO UPDATE SET at = excluded.at",
            params![user, address.to_string(), now],
        )?;
        self.write(
            "DELETE FROM logins WHERE (user, address) IN
                 (SELECT user, address FROM logins WHERE at < ?1 ORDER BY at LIMIT ?2)",
            [now.saturating_sub(KNOWN_ADDRESS), PRUNED_AT_ONCE],
        )
        .map(drop)
    }

    /// Whether a user logged in from an address at or after `since`.
    pub fn logged_in_from(
        &self,
        user: UserId,
        address: IpAddr,
        since: i64,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM logins WHERE user = ?1 AND address = ?2 AND at >= ?3";
        self.exists(sql, params![user, address.to_string(), since])
    }

    /// The addresses from which a user logged in at or after `since`, the latest first; at most `limit`.
    pub(crate) fn login_addresses(
        &self,
        user: UserId,
        since: i64,
        limit: usize,
    ) -> Result<Vec<IpAddr>, StoreError> {
        let sql =
            "SELECT address FROM logins WHERE user = ?1 AND at >= ?2 ORDER BY at DESC LIMIT ?3";
        let found = self.all(sql, params![user, since, sql_limit(limit)], |row| {
            row.get::<_, String>(0)
        })?;
        Ok(found
            .iter()
            .filter_map(|address| address.parse().ok())
            .collect())
    }

    /// Whether a user has this name or a confusable one, or had it.
    pub fn user_name_taken(&self, name: &Username) -> Result<bool, StoreError> {
        Ok(self.find_user(name.as_str())?.is_some()
            || self.looks_taken(Kind::Private, &name.looks())?)
    }

    /// Whether a user other than this one has this name or a confusable one, or had it.
    pub(crate) fn user_name_taken_by_another(
        &self,
        user: UserId,
        name: &Username,
    ) -> Result<bool, StoreError> {
        let named = self.find_user(name.as_str())?;
        Ok(named.is_some_and(|other| other.id != user)
            || self.looks_taken_by_another(Kind::Private, &name.looks(), user.0)?)
    }

    /// Gives a user another name. The former name is never given out again.
    pub(crate) fn rename_user(&mut self, was: &User, name: &Username) -> Result<(), StoreError> {
        for look in name.looks() {
            let sql = "INSERT OR IGNORE INTO name_looks (kind, look, id) VALUES (0, ?1, ?2)";
            self.write(sql, params![look, was.id])?;
        }
        self.unindex_name(Kind::Private, was.id.0, &was.name)?;
        self.index_name(Kind::Private, was.id.0, name.as_str())?;
        let sql = "UPDATE users SET name = ?2 WHERE id = ?1";
        self.write(sql, params![was.id, name.as_str()]).map(drop)
    }

    /// Whether a user is an administrator.
    pub fn is_administrator(&self, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE id = ?1 AND administrator = 1";
        self.exists(sql, [user])
    }

    /// Whether the user's password is a temporary one of the administration.
    pub(crate) fn must_change_password(&self, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE id = ?1 AND must_change_password = 1";
        self.exists(sql, [user])
    }

    /// Stores the PHC string of a password that the user has to change. The secrets of the user's sessions and devices
    /// are revoked.
    pub fn reset_password(&mut self, user: UserId, phc: &str) -> Result<(), StoreError> {
        let sql = "UPDATE users SET password = ?2, must_change_password = 1 WHERE id = ?1";
        self.write(sql, params![user, phc])?;
        self.revoke_secrets(user)
    }

    /// Deletes the secrets with which a user logs in without a password.
    fn revoke_secrets(&mut self, user: UserId) -> Result<(), StoreError> {
        self.write("DELETE FROM devices WHERE user = ?1", [user])?;
        self.revoke_chains(user)
    }
}

/// Reads a row that begins with id and name.
pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
    })
}
