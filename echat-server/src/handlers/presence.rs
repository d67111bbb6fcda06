//! Who is told that somebody came or went (wire.md 5.1, "Presence"): not the one who did.

use super::{Ctx, Reject};
use crate::store::{ConversationId, User, UserId};
use echat_proto::commands::Event;

/// Coming or going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Came,
    Went,
}

/// Those who are to be told of a user's coming or going, looked up before anything is announced.
pub(crate) struct Audience {
    friends: Vec<User>,
    rooms: Vec<(ConversationId, String)>,
}

impl Audience {
    /// A user's friends, and those of the user's rooms that are small enough.
    pub(crate) fn of(ctx: &Ctx<'_, '_>, user: UserId) -> Result<Self, Reject> {
        let friends = ctx.batch.friends(user)?;
        let rooms = ctx.batch.places_of(user)?.into_iter();
        let small = rooms.filter(|room| is_small(ctx, room.members));
        Ok(Self {
            friends,
            rooms: small.map(|room| (room.id, room.name)).collect(),
        })
    }

    /// Tells them.
    pub(crate) fn announce(&self, ctx: &mut Ctx<'_, '_>, user: UserId, name: &str, change: Change) {
        let online = self
            .friends
            .iter()
            .flat_map(|friend| ctx.roster.conns_of(friend.id).iter().copied());
        let username = name.to_owned();
        let event = match change {
            Change::Came => Event::OnFriendOnline { username },
            Change::Went => Event::OnFriendOffline { username },
        };
        ctx.outbox.send_all(online.collect(), &event);
        for (room, roomname) in &self.rooms {
            let members = ctx.roster.in_room_but(*room, user);
            let event = member_event(roomname, name, change);
            ctx.outbox.send_later((*room, user), members, &event);
        }
    }
}

/// Tells the members of one room, of which there are `members`, before the reply to what brought it about
/// (wire.md 5.1): whoever asked may be among them.
pub(crate) fn announce_in(
    ctx: &mut Ctx<'_, '_>,
    (room, roomname, members): (ConversationId, &str, u64),
    (user, name): (UserId, &str),
    change: Change,
) {
    if is_small(ctx, members) {
        let members = ctx.roster.in_room_but(room, user);
        ctx.outbox.catch_up(room, user);
        ctx.outbox
            .send_all(members, &member_event(roomname, name, change));
    }
}

/// In a large room 10,000 members coming back would be 50 million events.
fn is_small(ctx: &Ctx<'_, '_>, members: u64) -> bool {
    members <= ctx.limits.presence_room_members as u64
}

/// What tells that somebody came to a room or went.
pub(crate) fn member_event(roomname: &str, name: &str, change: Change) -> Event {
    let (roomname, membername) = (roomname.to_owned(), name.to_owned());
    match change {
        Change::Came => Event::OnMemberOnline {
            roomname,
            membername,
        },
        Change::Went => Event::OnMemberOffline {
            roomname,
            membername,
        },
    }
}
