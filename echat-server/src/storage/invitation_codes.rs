//! Invitation codes, and that of the first administrator.

use std::fmt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};
use sha2::{Digest, Sha256};

use super::open_error::OpenError;
use super::page::sql_limit;
use super::settings::SETTINGS;
use super::{Batch, SecretHash, StoreError, UserId};

/// An invitation code.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct InvitationCode {
    /// The code in its stored form. It is no hash, since its maker lists it and passes it on again: a stolen database
    /// is good for the accounts that are left of it (docs/security.md).
    pub(crate) code: String,
    /// How many accounts can be made with it.
    pub(crate) uses: u64,
    /// From when on it is refused, in unix seconds; `None` for never.
    pub(crate) expires_at: Option<i64>,
    /// The user that made it; `None` for the operator of the server.
    pub(crate) maker: Option<UserId>,
}

/// Does not show the code.
impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationCode")
            .field("uses", &self.uses)
            .field("expires_at", &self.expires_at)
            .field("maker", &self.maker)
            .finish_non_exhaustive()
    }
}

/// The hash of a code of a first administrator, given in its stored form.
pub fn administrator_code_hash(code: &str) -> SecretHash {
    Sha256::digest(code).into()
}

/// The hash of the code that makes the first administrator in the database at `database`, which is of the newest
/// version and in no use, and whether an account is an administrator.
///
/// # Errors
/// The database cannot be read.
pub fn administrator_code_of(database: &Path) -> Result<(Option<SecretHash>, bool), OpenError> {
    let db = open_unused(database)?;
    let sql = "SELECT (SELECT code FROM administrator_code),
                      EXISTS (SELECT 1 FROM users WHERE administrator = 1 AND deleted_at IS NULL)";
    let found = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    db.close().map_err(|(_, error)| error)?;
    Ok(found)
}

/// Stores the hash of a new code in the same.
///
/// # Errors
/// The database cannot be written.
pub fn set_administrator_code_of(database: &Path, code: &SecretHash) -> Result<(), OpenError> {
    let db = open_unused(database)?;
    let sql = "INSERT INTO administrator_code (id, code) VALUES (1, ?1)
               ON CONFLICT (id) DO UPDATE SET code = excluded.code";
    db.execute(sql, [code])?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn open_unused(database: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(database, flags)?;
    db.execute_batch(SETTINGS)?;
    Ok(db)
}

impl Batch<'_> {
    /// A code, whether it has expired or not.
    pub(crate) fn invitation(&self, code: &str) -> Result<Option<InvitationCode>, StoreError> {
        let sql = "SELECT code, uses, expires_at, maker FROM invitation_codes WHERE code = ?1";
        self.first(sql, [code], invitation)
    }

    /// The number of codes of a user, or of the operator, that have not expired.
    pub(crate) fn invitation_count(
        &self,
        maker: Option<UserId>,
        now: i64,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM invitation_codes
                   WHERE maker IS ?1 AND (expires_at IS NULL OR expires_at > ?2)";
        self.count(sql, params![maker, now])
    }

    /// The first `limit` codes that have not expired, the newest first: those of one user, or all; from the first, or
    /// behind the code `after`, which must be there.
    pub(crate) fn open_invitations(
        &self,
        maker: Option<UserId>,
        after: Option<&str>,
        now: i64,
        limit: usize,
    ) -> Result<Vec<InvitationCode>, StoreError> {
        self.all(
            "SELECT c.code, c.uses, c.expires_at, c.maker FROM invitation_codes AS c
             LEFT JOIN invitation_codes AS a ON a.code = ?4
             WHERE (?1 IS NULL OR c.maker = ?1) AND (c.expires_at IS NULL OR c.expires_at > ?2)
                 AND (?4 IS NULL OR (-c.created_at, c.code) > (-a.created_at, a.code))
             ORDER BY c.created_at DESC, c.code LIMIT ?3",
            params![maker, now, sql_limit(limit), after],
            invitation,
        )
    }

    /// Adds a code, and deletes the expired ones of its maker.
    pub(crate) fn add_invitation(
        &mut self,
        new: &InvitationCode,
        now: i64,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM invitation_codes WHERE maker IS ?1 AND expires_at <= ?2";
        self.write(sql, params![new.maker, now])?;
        self.write(
            "INSERT INTO invitation_codes (code, maker, uses, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                new.code,
                new.maker,
                i64::try_from(new.uses).unwrap_or(i64::MAX),
                now,
                new.expires_at
            ],
        )
        .map(drop)
    }

    /// Uses a code once. The last use deletes it.
    pub(crate) fn use_invitation(&mut self, code: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM invitation_codes WHERE code = ?1 AND uses = 1";
        self.write(sql, [code])?;
        let sql = "UPDATE invitation_codes SET uses = uses - 1 WHERE code = ?1";
        self.write(sql, [code]).map(drop)
    }

    /// Deletes a code.
    pub(crate) fn delete_invitation_code(&mut self, code: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM invitation_codes WHERE code = ?1";
        self.write(sql, [code]).map(drop)
    }

    /// Deletes the codes of a user.
    pub(crate) fn delete_invitation_codes_of(&mut self, maker: UserId) -> Result<(), StoreError> {
        let sql = "DELETE FROM invitation_codes WHERE maker = ?1";
        self.write(sql, [maker]).map(drop)
    }

    /// The hash of the code that makes the first administrator; `None` if it was used or never given out.
    pub fn administrator_code(&self) -> Result<Option<SecretHash>, StoreError> {
        self.first("SELECT code FROM administrator_code", [], |row| row.get(0))
    }

    /// Stores the hash of the code that makes the first administrator.
    pub fn set_administrator_code(&mut self, code: &SecretHash) -> Result<(), StoreError> {
        let sql = "INSERT INTO administrator_code (id, code) VALUES (1, ?1)";
        self.write(sql, [code]).map(drop)
    }

    /// Deletes it.
    pub fn delete_administrator_code(&mut self) -> Result<(), StoreError> {
        self.write("DELETE FROM administrator_code", []).map(drop)
    }
}

fn invitation(row: &rusqlite::Row<'_>) -> rusqlite::Result<InvitationCode> {
    let uses: i64 = row.get(1)?;
    Ok(InvitationCode {
        code: row.get(0)?,
        uses: u64::try_from(uses).unwrap_or(0),
        expires_at: row.get(2)?,
        maker: row.get(3)?,
    })
}
