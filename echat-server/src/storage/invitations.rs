//! Invitations to rooms. One from a user that the invited user blocks is stored and hidden: the inviter must not learn
//! of the block.

use rusqlite::params;

use super::{Batch, ConversationId, StoreError, UserId};

/// The invitations that a user sees, oldest first.
pub(super) const INVITATIONS: &str = "SELECT r.name, u.name FROM room_invitations AS i
     CROSS JOIN rooms AS r ON r.id = i.room LEFT JOIN users AS u ON u.id = i.inviter AND u.deleted_at IS NULL
     WHERE i.user = ?1 AND NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter)
     ORDER BY i.created_at, i.room";
/// The users who see an invitation to a room.
pub(super) const INVITED: &str = "SELECT i.user FROM room_invitations AS i
     WHERE i.room = ?1 AND NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter)
     ORDER BY i.user";
/// How many invitations of a user are shown, and how many are hidden. Those to closed rooms, and hidden ones from
/// deleted accounts, count as neither, whether they are removed already or not.
pub(super) const COUNTS: &str = "SELECT count(*) - count(b.user), count(u.id)
     FROM room_invitations AS i CROSS JOIN rooms AS r ON r.id = i.room
     LEFT JOIN blocks AS b ON b.user = i.user AND b.blocked = i.inviter
     LEFT JOIN users AS u ON u.id = b.blocked AND u.deleted_at IS NULL WHERE i.user = ?1";
/// Deletes the oldest of a user's hidden invitations that count.
pub(super) const FORGET_HIDDEN: &str = "DELETE FROM room_invitations WHERE (user, room) IN
         (SELECT i.user, i.room FROM room_invitations AS i CROSS JOIN rooms AS r ON r.id = i.room
          CROSS JOIN blocks AS b ON b.user = i.user AND b.blocked = i.inviter
          CROSS JOIN users AS u ON u.id = i.inviter AND u.deleted_at IS NULL
          WHERE i.user = ?1 ORDER BY i.created_at, i.room LIMIT 1)";
/// The inviter of a user's invitation to a room. A hidden one from a deleted account is none.
pub(super) const INVITER: &str = "SELECT u.id FROM room_invitations AS i
     LEFT JOIN users AS u ON u.id = i.inviter AND u.deleted_at IS NULL
     WHERE i.user = ?1 AND i.room = ?2 AND (u.id IS NOT NULL OR NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter))";

/// An invitation to a room, as the invited user's list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The name of the room.
    pub roomname: String,
    /// The name of the inviter; `None` if there is none any more.
    pub by: Option<String>,
}

/// How many invitations a user has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InvitationCounts {
    /// That the user sees.
    pub shown: u64,
    /// That are hidden: the user blocks their inviters.
    pub hidden: u64,
}

impl Batch<'_> {
    /// Whether a user is invited to a room and sees the invitation.
    pub fn is_invited(&self, room: ConversationId, user: UserId) -> Result<bool, StoreError> {
        let sql =
            "SELECT 1 FROM room_invitations AS i WHERE i.user = ?1 AND i.room = ?2 AND NOT EXISTS
             (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter)";
        self.exists(sql, params![user, room])
    }

    /// The inviter of a user's invitation to a room, shown or hidden; `Some(None)` if the inviter is no more.
    pub fn inviter(
        &self,
        room: ConversationId,
        user: UserId,
    ) -> Result<Option<Option<UserId>>, StoreError> {
        self.first(INVITER, params![user, room], |row| row.get(0))
    }

    /// The invitations that a user sees, oldest first.
    pub fn invitations_of(&self, user: UserId) -> Result<Vec<Invitation>, StoreError> {
        self.all(INVITATIONS, [user], |row| {
            Ok(Invitation {
                roomname: row.get(0)?,
                by: row.get(1)?,
            })
        })
    }

    /// The users who are invited to a room and see the invitation.
    pub fn invited_to(&self, room: ConversationId) -> Result<Vec<UserId>, StoreError> {
        self.all(INVITED, [room], |row| row.get(0))
    }

    /// How many invitations a user has.
    pub fn invitation_counts(&self, user: UserId) -> Result<InvitationCounts, StoreError> {
        let counts = self.first(COUNTS, [user], |row| {
            let (shown, hidden): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(InvitationCounts {
                shown: shown.unsigned_abs(),
                hidden: hidden.unsigned_abs(),
            })
        })?;
        Ok(counts.unwrap_or_default())
    }

    /// How many invitations a user has from an inviter, shown or hidden.
    pub fn invitations_from(&self, user: UserId, inviter: UserId) -> Result<u64, StoreError> {
        let sql =
            "SELECT count(*) FROM room_invitations AS i CROSS JOIN rooms AS r ON r.id = i.room
             WHERE i.user = ?1 AND i.inviter = ?2";
        self.count(sql, [user, inviter])
    }

    /// Invites a user to a room, in place of an earlier invitation to it.
    pub fn invite(
        &mut self,
        room: ConversationId,
        user: UserId,
        inviter: UserId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO room_invitations (user, room, inviter, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user, room) DO UPDATE SET inviter = excluded.inviter,
                 created_at = excluded.created_at",
            params![user, room, inviter, now],
        )
        .map(drop)
    }

    /// Deletes the oldest of a user's hidden invitations that count.
    pub fn forget_hidden_invitation(&mut self, user: UserId) -> Result<(), StoreError> {
        self.write(FORGET_HIDDEN, [user]).map(drop)
    }

    /// Deletes a user's invitation to a room, shown or hidden: it was used up, declined or withdrawn. False if there is
    /// none.
    pub fn delete_invitation(
        &mut self,
        room: ConversationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM room_invitations WHERE user = ?1 AND room = ?2";
        Ok(self.write(sql, params![user, room])? > 0)
    }

    /// Deletes the invitations of a user that came from one inviter.
    pub fn delete_invitations_by(
        &mut self,
        user: UserId,
        inviter: UserId,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM room_invitations WHERE user = ?1 AND inviter = ?2";
        self.write(sql, [user, inviter]).map(drop)
    }
}
