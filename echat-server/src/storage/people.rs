//! What users are told of each other: who is away, who was seen when, which rooms two users share.

use rusqlite::params;

use super::accounts::user;
use super::{Batch, ConversationId, RoomSize, StoreError, User, UserId};

/// A friend, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Friend {
    pub(crate) user: User,
    /// The text of a friend who is away.
    pub(crate) away: Option<String>,
    /// The end of the last session, in unix seconds, unless the friend hides it.
    pub(crate) last_seen: Option<i64>,
}

/// The bot that an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bot {
    pub(crate) owner: User,
}

impl Batch<'_> {
    /// The friends of a user with what they show, by name.
    pub(crate) fn friends_shown(&self, of: UserId) -> Result<Vec<Friend>, StoreError> {
        self.all(
            "SELECT u.id, u.name, u.away, CASE WHEN u.hides_last_seen THEN NULL ELSE u.last_seen END
             FROM (SELECT high_user AS friend FROM friendships WHERE low_user = ?1 AND ended_at IS NULL
                   UNION ALL SELECT low_user FROM friendships
                   WHERE high_user = ?1 AND ended_at IS NULL) AS f
             CROSS JOIN users AS u ON u.id = f.friend ORDER BY u.name",
            [of],
            |row| {
                Ok(Friend {
                    user: user(row)?,
                    away: row.get(2)?,
                    last_seen: row.get(3)?,
                })
            },
        )
    }

    /// The text of a user who is away.
    pub(crate) fn away(&self, of: UserId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT away FROM users WHERE id = ?1";
        Ok(self.first(sql, [of], |row| row.get(0))?.flatten())
    }

    /// Stores the text of a user who is away; `None` for a user who is back.
    pub(crate) fn set_away(&mut self, user: UserId, text: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE users SET away = ?2 WHERE id = ?1";
        self.write(sql, params![user, text]).map(drop)
    }

    /// The end of a user's last session, in unix seconds; `None` also if the user hides it.
    pub(crate) fn last_seen(&self, of: UserId) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT last_seen FROM users WHERE id = ?1 AND hides_last_seen = 0";
        Ok(self.first(sql, [of], |row| row.get(0))?.flatten())
    }

    /// Notes that the last session of a user ended.
    pub(crate) fn note_seen(&mut self, user: UserId, now: i64) -> Result<(), StoreError> {
        let sql = "UPDATE users SET last_seen = ?2 WHERE id = ?1 AND deleted_at IS NULL";
        self.write(sql, params![user, now]).map(drop)
    }

    /// Whether a user hides the end of the last session.
    pub(crate) fn hides_last_seen(&self, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE id = ?1 AND hides_last_seen = 1";
        self.exists(sql, [user])
    }

    /// Sets whether a user hides the end of the last session.
    pub(crate) fn hide_last_seen(&mut self, user: UserId, hides: bool) -> Result<(), StoreError> {
        let sql = "UPDATE users SET hides_last_seen = ?2 WHERE id = ?1";
        self.write(sql, params![user, hides]).map(drop)
    }

    /// The bot that an account is; `None` for the account of a person.
    pub(crate) fn bot(&self, account: UserId) -> Result<Option<Bot>, StoreError> {
        let sql = "SELECT u.id, u.name FROM bots AS b CROSS JOIN users AS u ON u.id = b.owner
                   WHERE b.user = ?1";
        self.first(sql, [account], |row| Ok(Bot { owner: user(row)? }))
    }

    /// The rooms that two users are in, by name. The lobby is left out: users that share only the lobby are
    /// still strangers.
    pub(crate) fn shared_rooms_except_lobby(
        &self,
        a: UserId,
        b: UserId,
    ) -> Result<Vec<String>, StoreError> {
        self.all(
            "SELECT r.name FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation
             CROSS JOIN participants AS q ON q.user = ?2 AND q.conversation = p.conversation
             WHERE p.user = ?1 AND r.owner IS NOT NULL ORDER BY r.name",
            [a, b],
            |row| row.get(0),
        )
    }

    /// The rooms of a user with their numbers of members, by name. The lobby is left out.
    pub(crate) fn rooms_except_lobby(&self, member: UserId) -> Result<Vec<RoomSize>, StoreError> {
        self.all(
            "SELECT r.id, r.name, r.members FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation
             WHERE p.user = ?1 AND r.owner IS NOT NULL ORDER BY r.name",
            [member],
            |row| {
                let members: i64 = row.get(2)?;
                Ok(RoomSize {
                    id: row.get::<_, ConversationId>(0)?,
                    name: row.get(1)?,
                    members: members.unsigned_abs(),
                })
            },
        )
    }
}
