//! What users who are online learn of a write: the fan-out of its effects to their connections.

use super::Ctx;
use super::presence::{Presence, announce_in, member_event};
use crate::storage::{ConversationId, User, UserId};
use echat_proto::commands::Event;

/// A room, as an effect names it.
#[derive(Clone, Debug)]
pub(crate) struct InRoom {
    pub(crate) id: ConversationId,
    pub(crate) name: String,
    /// How many members it has.
    pub(crate) members: u64,
}

/// Something that a write brings about for users who are online.
#[derive(Debug)]
pub(crate) enum Effect {
    /// All connections of a user are told.
    Tell(UserId, Event),
    /// All members of a room but one are told.
    TellRoom {
        room: ConversationId,
        but: UserId,
        event: Event,
    },
    /// The caller's other connections are told.
    TellOwn(Event),
    /// Two users are friends: both are told, and which of them is online. The first is the caller.
    Befriend(User, User),
    /// These users are members of a room from now on: the roster notes it, and they are told.
    LetIn { room: InRoom, users: Vec<UserId> },
    /// A user who is online came to a room: its members are told.
    Came(InRoom, User),
    /// A user left a room: the roster notes it, and its members are told.
    Left(InRoom, User),
}

impl Ctx<'_, '_> {
    /// Notes the effects of a write in the roster and stages what is told of them.
    pub(super) fn announce(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Tell(user, event) => {
                    let to = self.roster.conns_of(user).to_vec();
                    self.outbox.send_all(to, &event);
                }
                Effect::TellRoom { room, but, event } => {
                    if let Some(to) = self.roster.audience(room, but) {
                        self.outbox.send_room(to, &event);
                    }
                }
                Effect::TellOwn(event) => {
                    let to = self.roster.others_of(self.conn);
                    self.outbox.send_all(to, &event);
                }
                Effect::Befriend(me, other) => self.befriend(&me, &other),
                Effect::LetIn { room, users } => self.let_in(&room, &users),
                Effect::Came(room, user) => {
                    if self.roster.is_online(user.id) {
                        self.tell_room(&room, &user, Presence::Online);
                    }
                }
                Effect::Left(room, user) => {
                    self.roster.part(user.id, room.id);
                    self.tell_room(&room, &user, Presence::Offline);
                    // However large the room: the user's other sessions have left it too.
                    let to = self.roster.others_of(self.conn);
                    let event = member_event(&room.name, &user.name, Presence::Offline);
                    self.outbox.send_all(to, &event);
                }
            }
        }
    }

    fn tell_room(&mut self, room: &InRoom, user: &User, change: Presence) {
        let of = (room.id, room.name.as_str(), room.members);
        announce_in(self, of, (user.id, &user.name), change);
    }

    fn befriend(&mut self, me: &User, other: &User) {
        let mine = self.roster.conns_of(me.id).to_vec();
        let theirs = self.roster.conns_of(other.id).to_vec();
        for (told, name, online) in [
            (mine, &other.name, !theirs.is_empty()),
            (theirs, &me.name, true),
        ] {
            let username = name.clone();
            let contact = Event::NewContact {
                username: username.clone(),
            };
            self.outbox.send_all(told.clone(), &contact);
            if online {
                self.outbox
                    .send_all(told, &Event::OnFriendOnline { username });
            }
        }
    }

    fn let_in(&mut self, room: &InRoom, users: &[UserId]) {
        let mut online = Vec::new();
        for user in users {
            self.roster.join(*user, room.id);
            online.extend_from_slice(self.roster.conns_of(*user));
        }
        let roomname = room.name.clone();
        self.outbox.send_all(online, &Event::OnNewRoom { roomname });
    }
}
