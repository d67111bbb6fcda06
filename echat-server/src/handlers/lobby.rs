//! The lobby: the public room without an owner that the configuration names, and that every new account is in.
//!
//! The lobby is created once, at a start, in one transaction before the server listens. That is in the journal, and so
//! is the lobby that a new account joins: a replay needs neither the configuration nor a count of members of its own.

use super::Ctx;
use crate::storage::{Batch, Room, StoreError, UserId};
use echat_proto::names::RoomName;

/// The lobby that the server is configured to have, with everything that decides besides the database whether a new
/// account is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lobby {
    pub(crate) name: RoomName,
    /// The members that a room may have.
    pub(crate) places: u64,
}

impl Lobby {
    /// The lobby of this server; `None` if the configuration names none.
    pub(crate) fn of(ctx: &Ctx<'_, '_>) -> Option<Self> {
        let name = ctx.settings.lobby.clone()?;
        let places = ctx.limits.room_members as u64;
        Some(Self { name, places })
    }

    /// Makes a new user a member. Not if there is no place, or if no room without an owner has the name: an owned room
    /// of that name is as any other. No member is told: the user is not online, and comes online with the first login.
    pub(crate) fn admit(
        &self,
        batch: &mut Batch<'_>,
        user: UserId,
        now: i64,
    ) -> Result<(), StoreError> {
        let found = batch.find_room(self.name.as_str())?;
        let is_lobby = |room: &Room| room.owner.is_none();
        let has_place = |room: &Room| room.members < self.places;
        match found.filter(is_lobby).filter(has_place) {
            Some(room) => batch.add_member(room.id, user, now).map(drop),
            None => Ok(()),
        }
    }
}

/// Creates the lobby; false if a room has this name or a confusable one, and stays as it is.
pub(crate) fn create(batch: &mut Batch<'_>, name: &RoomName, now: i64) -> Result<bool, StoreError> {
    Ok(batch.create_room(name, None, now)?.is_some())
}
