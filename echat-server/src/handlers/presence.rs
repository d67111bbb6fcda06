//! Presence: the friends and room members of a user are told when the user comes online or goes offline.

use super::{Ctx, Reject};
use crate::presence_change::PresenceChange;
use crate::roster::Conns;
use crate::storage::{ConversationId, User, UserId};
use echat_proto::commands::Event;

pub(crate) use crate::presence_change::{MemberChange, Presence, member_event};

/// The recipients of a user's presence event, looked up before anything is announced.
#[derive(Debug)]
pub(crate) struct PresenceAudience {
    friends: Vec<User>,
    rooms: Vec<(ConversationId, String)>,
    /// Users who must not know, sorted.
    hidden_from: Vec<UserId>,
}

impl PresenceAudience {
    /// A user's friends, and those of the user's rooms that are small enough.
    pub(crate) fn of(ctx: &Ctx<'_, '_>, user: UserId) -> Result<Self, Reject> {
        let friends = ctx.batch.friends(user)?;
        let rooms = ctx.batch.room_sizes_of(user)?.into_iter();
        let small = rooms.filter(|room| is_small(ctx, room.members));
        let blocked = ctx.batch.blocked_by(user)?.into_iter();
        let mut hidden_from: Vec<UserId> = blocked.map(|blocked| blocked.id).collect();
        hidden_from.sort_unstable();
        Ok(Self {
            hidden_from,
            friends,
            rooms: small.map(|room| (room.id, room.name)).collect(),
        })
    }

    /// The users who must not know, sorted.
    pub(crate) fn hidden_from(&self) -> &[UserId] {
        &self.hidden_from
    }

    /// Tells friends at once; the rooms are told in parts, over several ticks.
    pub(crate) fn announce(
        self,
        ctx: &mut Ctx<'_, '_>,
        user: UserId,
        name: &str,
        presence: Presence,
    ) {
        let online = self
            .friends
            .iter()
            .flat_map(|friend| ctx.roster.conns_of(friend.id).iter().copied());
        let online: Conns = online.collect();
        let username = name.to_owned();
        let event = match presence {
            Presence::Online => Event::OnFriendOnline { username },
            Presence::Offline | Presence::Deleted => Event::OnFriendOffline { username },
        };
        ctx.outbox.send_all(online.clone(), &event);
        if presence == Presence::Deleted {
            let username = name.to_owned();
            let removed = Event::OnFriendRemoved { username };
            ctx.outbox.send_all(online, &removed);
        }
        let rooms = self.rooms.iter();
        let online = rooms.map(|(room, _)| ctx.roster.online_in(*room)).sum();
        let change = PresenceChange {
            user,
            name: name.to_owned(),
            presence,
            rooms: self.rooms,
            hidden_from: match presence {
                Presence::Online | Presence::Offline => self.hidden_from,
                // That a member left is no presence, but what the list of members shows: it is hidden from no member.
                Presence::Deleted => Vec::new(),
            },
        };
        ctx.outbox.announce_presence(change, online);
    }
}

/// Sends the event to the online members of a room that is told of it, before the reply to the request that caused it
/// (PROTOCOL.md, section 5.6). The caller may be among them.
pub(crate) fn announce_in(
    ctx: &mut Ctx<'_, '_>,
    (room, roomname): (ConversationId, &str),
    (user, name): (UserId, &str),
    (change, is_told): (MemberChange, bool),
) {
    let mut to = Conns::new();
    if is_told {
        to = ctx.roster.presence_conns(room, user, &[]).into();
    }
    ctx.outbox.catch_up(user, room, to.clone());
    // That a member left is no presence, but what the list of members shows: it is hidden from no member.
    if change == MemberChange::Left && is_told {
        to = ctx.roster.in_room_except(room, user).into();
    }
    ctx.outbox
        .send_all(to, &member_event(roomname, name, change));
}

/// In a room of 10,000 members, their return after a restart would be 50 million events.
pub(super) fn is_small(ctx: &Ctx<'_, '_>, members: u64) -> bool {
    members <= ctx.limits.presence_room_members as u64
}
