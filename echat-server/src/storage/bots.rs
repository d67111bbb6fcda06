//! Bots: accounts that only a token opens. The row of a bot stays when the bot is removed, so that its messages keep
//! their mark.

use echat_proto::names::Username;
use rusqlite::params;

use super::accounts::user;
use super::resume::SecretHash;
use super::{Batch, ConversationId, Kind, StoreError, User, UserId};

/// A bot, as its owner lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// The account.
    pub user: User,
    /// When it was created, in unix seconds.
    pub created_at: i64,
    /// When its token expires, in unix seconds; `None` if it does not.
    pub expires_at: Option<i64>,
    /// The end of its last session, in unix seconds.
    pub last_seen: Option<i64>,
}

/// The bot of a user and a token that logs it in now: neither the bot nor its owner is deleted or suspended, and the
/// token has not expired.
pub(super) const OPENED_BY: &str = "SELECT 1 FROM bots AS b
     CROSS JOIN users AS u ON u.id = b.user CROSS JOIN users AS o ON o.id = b.owner
     WHERE b.user = ?1 AND b.token = ?2 AND (b.expires_at IS NULL OR b.expires_at > ?3)
       AND u.deleted_at IS NULL AND o.deleted_at IS NULL
       AND (u.suspended_at IS NULL OR u.suspended_until <= ?3)
       AND (o.suspended_at IS NULL OR o.suspended_until <= ?3)";
/// A user's bots, by name.
pub(super) const BOTS_OF: &str = "SELECT u.id, u.name, b.created_at, b.expires_at, u.last_seen
     FROM bots AS b CROSS JOIN users AS u ON u.id = b.user
     WHERE b.owner = ?1 AND u.deleted_at IS NULL ORDER BY u.name";
/// A user's bots in a room, by name.
pub(super) const BOTS_IN: &str = "SELECT u.id, u.name FROM bots AS b
     CROSS JOIN participants AS p ON p.user = b.user AND p.conversation = ?2
     CROSS JOIN users AS u ON u.id = b.user WHERE b.owner = ?1 ORDER BY u.name";

/// The rooms without an owner that a user's bots are in, by name.
pub(super) const OWNERLESS_ROOMS_OF_BOTS: &str = "SELECT DISTINCT r.name FROM bots AS b
     CROSS JOIN participants AS p ON p.user = b.user
     CROSS JOIN rooms AS r ON r.id = p.conversation AND r.owner IS NULL
     WHERE b.owner = ?1 ORDER BY r.name";

impl Batch<'_> {
    /// Creates a bot; `None` if its name, or a confusable one, is taken. FIND does not find it.
    pub fn create_bot(
        &mut self,
        name: &Username,
        owner: UserId,
        token: &[u8; 32],
        (now, expires_at): (i64, Option<i64>),
    ) -> Result<Option<UserId>, StoreError> {
        if self.user_name_taken(name)? {
            return Ok(None);
        }
        let id = self.insert(
            "INSERT INTO users (name, password, created_at) VALUES (?1, '', ?2)",
            params![name.as_str(), now],
        )?;
        self.add_looks(Kind::Private, id, &name.looks())?;
        self.write(
            "INSERT INTO bots (user, owner, token, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, owner, token, now, expires_at],
        )?;
        Ok(Some(UserId(id)))
    }

    /// Whether a user is a bot, or was one.
    pub fn is_bot(&self, user: UserId) -> Result<bool, StoreError> {
        self.exists("SELECT 1 FROM bots WHERE user = ?1", [user])
    }

    /// Whether the token with this hash logs in a user at this time.
    pub(crate) fn opens_bot(
        &self,
        user: UserId,
        token: &SecretHash,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.exists(OPENED_BY, params![user, token, now])
    }

    /// A user's bots by name.
    pub fn bots_of(&self, owner: UserId) -> Result<Vec<Bot>, StoreError> {
        self.all(BOTS_OF, [owner], |row| {
            Ok(Bot {
                user: user(row)?,
                created_at: row.get(2)?,
                expires_at: row.get(3)?,
                last_seen: row.get(4)?,
            })
        })
    }

    /// A user's bots in a room by name.
    pub fn bots_in(&self, owner: UserId, room: ConversationId) -> Result<Vec<User>, StoreError> {
        self.all(BOTS_IN, params![owner, room], user)
    }

    /// The names of the rooms without an owner (the lobby) that a user's bots are in.
    pub(crate) fn ownerless_rooms_of_bots(&self, owner: UserId) -> Result<Vec<String>, StoreError> {
        self.all(OWNERLESS_ROOMS_OF_BOTS, [owner], |row| row.get(0))
    }

    /// Replaces the token of a bot.
    pub fn set_bot_token(
        &mut self,
        bot: UserId,
        token: &[u8; 32],
        expires_at: Option<i64>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE bots SET token = ?2, expires_at = ?3 WHERE user = ?1";
        self.write(sql, params![bot, token, expires_at]).map(drop)
    }

    /// Voids the tokens of a user's bots: they log in with new ones only.
    pub(crate) fn void_bot_tokens(&mut self, owner: UserId) -> Result<(), StoreError> {
        // No token has this hash.
        let sql = "UPDATE bots SET token = zeroblob(32), expires_at = NULL WHERE owner = ?1";
        self.write(sql, [owner]).map(drop)
    }
}
