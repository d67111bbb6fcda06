//! What rooms are told of the presence of their members.

use crate::storage::{ConversationId, UserId};
use echat_proto::commands::Event;
use std::rc::Rc;

/// A user who came online or went offline, and the rooms that are told.
#[derive(Debug)]
pub(crate) struct PresenceChange {
    /// The user.
    pub(crate) user: UserId,
    /// The name in its stored form.
    pub(crate) name: String,
    /// The new presence.
    pub(crate) presence: Presence,
    /// Rooms, with their names.
    pub(crate) rooms: Vec<(ConversationId, String)>,
    /// The users who are not told, because the user blocks them; sorted.
    pub(crate) hidden_from: Vec<UserId>,
}

impl PresenceChange {
    /// The event for a room of this name, encoded.
    pub(crate) fn event(&self, roomname: &str) -> Rc<[u8]> {
        let change = match self.presence {
            Presence::Online => MemberChange::Online,
            Presence::Offline => MemberChange::Offline,
            Presence::Deleted => MemberChange::Left,
        };
        let event = member_event(roomname, &self.name, change);
        let mut bytes = Vec::new();
        let encoded = event.encode(&mut bytes);
        encoded.expect("the table's events have a wire form");
        bytes.into()
    }
}

/// Whether a user has a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Online,
    Offline,
    /// The user is no member of any room any more, and has no friends: the account was deleted.
    Deleted,
}

/// What a room is told of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberChange {
    /// The member has a session.
    Online,
    /// The member has no session any more.
    Offline,
    /// A user became a member, and is online.
    Joined,
    /// A user is no member any more.
    Left,
}

/// The event that tells a room of a member.
pub(crate) fn member_event(roomname: &str, name: &str, change: MemberChange) -> Event {
    let (roomname, membername) = (roomname.to_owned(), name.to_owned());
    match change {
        MemberChange::Online | MemberChange::Joined => Event::OnMemberOnline {
            roomname,
            membername,
            joined: (change == MemberChange::Joined).then_some(true),
        },
        MemberChange::Offline | MemberChange::Left => Event::OnMemberOffline {
            roomname,
            membername,
            left: (change == MemberChange::Left).then_some(true),
        },
    }
}
