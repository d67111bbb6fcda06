//! Who is told that somebody came or went (wire.md 5.1, "Presence"): not the one who did.

use super::{Ctx, Reject};
use crate::outbox::Coming;
use crate::store::{ConversationId, User, UserId};
use echat_proto::commands::Event;

pub(crate) use crate::outbox::{Change, member_event};

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

    /// Tells them: friends at once, rooms bit by bit.
    pub(crate) fn announce(self, ctx: &mut Ctx<'_, '_>, user: UserId, name: &str, change: Change) {
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
        let hear = self.rooms.iter();
        let hear = hear.map(|(room, _)| ctx.roster.online_in(*room)).sum();
        let coming = Coming {
            user,
            name: name.to_owned(),
            change,
            rooms: self.rooms,
        };
        ctx.outbox.tell_of(coming, hear);
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
    let mut to = Vec::new();
    if is_small(ctx, members) {
        to = ctx.roster.in_room_but(room, user);
    }
    ctx.outbox.catch_up(user, room, to.clone());
    ctx.outbox
        .send_all(to, &member_event(roomname, name, change));
}

/// In a large room 10,000 members coming back would be 50 million events.
fn is_small(ctx: &Ctx<'_, '_>, members: u64) -> bool {
    members <= ctx.limits.presence_room_members as u64
}
