//! What users who are online learn of a write: the fan-out of its effects to their connections.

use super::Ctx;
use super::blocks;
use super::moderation::invitations_changed;
use super::people::AwayAudience;
use super::presence::{MemberChange, announce_in, is_small, member_event};
use super::session_ends::SessionsEnd;
use crate::conn::Departure;
use crate::roster::Conns;
use crate::storage::{
    Batch, ChangedLists, ConversationId, Removal, RoomSize, StoreError, User, UserId,
};
use echat_proto::commands::Event;
use echat_proto::records::TxnEcho;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A room, as an effect names it.
#[derive(Clone, Debug)]
pub(crate) struct InRoom {
    pub(crate) id: ConversationId,
    pub(crate) name: String,
    /// How many members it has.
    pub(crate) members: u64,
}

/// How a member leaves a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// By itself: the members are told as of presence, if they are few.
    ByItself,
    /// Sent away by an operator: the members are told however many they are, as they are told why.
    SentAway,
}

/// Something that a write brings about for users who are online.
#[derive(Debug)]
pub(crate) enum Effect {
    /// All connections of a user are told.
    Tell(UserId, Event),
    /// The caller's other sessions are told.
    TellOthers(Event),
    /// Friends and members of rooms are told once each, and not the caller.
    Away {
        audience: AwayAudience,
        event: Event,
    },
    /// The message that the reply acknowledges is told to these, and to the caller's other connections.
    TellMessage(MessageAudience),
    /// Two users are friends: both are told, and which of them is online. The first is the caller.
    Befriend(User, User),
    /// These users are members of a room from now on: the roster notes it, and they are told.
    LetIn { room: InRoom, users: Vec<UserId> },
    /// A user who is online came to a room: its members are told.
    Came(InRoom, User),
    /// A bot, which is never online, came to a room: its members are told.
    BotCame(InRoom, User),
    /// A bot is no member of a room any more: the roster notes it, and the members and the bot are told.
    BotLeft(InRoom, User),
    /// The sessions of a bot end, after a commit, and no other request of theirs is handled before.
    EndSessions(User),
    /// The same of a bot whose account is deleted: notes of its logins that are not written yet are dropped.
    EndRemovedBot(User),
    /// A user is no member of a room any more: the roster notes it, and the members and the user's connections, but the
    /// caller's own, are told.
    Left(InRoom, User, Leave),
    /// The online members of a room are told, on all their connections. The room may have 10,000 members.
    TellRoom(ConversationId, Event),
    /// The online members of a room are told, on all their connections, but these users, which are sorted.
    TellReaders(ConversationId, Vec<UserId>, Event),
    /// Two users are friends no more: both are told. The first is the caller.
    Unfriend(User, User),
    /// The caller blocks another user, who does not see the caller online from now on.
    Block {
        /// The caller.
        me: User,
        /// The blocked user.
        other: User,
        /// Whether they were friends until now.
        were_friends: bool,
        /// The rooms that both are in.
        rooms: Vec<RoomSize>,
    },
    /// The caller blocks another user no more, who sees the caller online again in the rooms that both are in.
    Unblock {
        /// The caller.
        me: User,
        /// The other user.
        other: UserId,
        /// The rooms.
        rooms: Vec<RoomSize>,
    },
    /// The invitations of these users have changed: all of their connections are told, a few users at a time.
    InvitationsChanged(Vec<UserId>),
    /// The blocks and invitations of users have changed with the end of an account: all of their connections are told.
    ListsChanged(ChangedLists),
    /// A room has another name: its online members are told what clients that do not know ON_ROOM_CHANGED need.
    Renamed {
        /// The room, with its new name.
        room: InRoom,
        /// The name that it had.
        was: String,
    },
    /// What is hidden is removed from now on.
    Remove(Removal),
    /// All connections of all users are told.
    TellAll(Event),
    /// A user has another name: the roster notes it, and the user, the friends and the online members of the user's
    /// rooms are told.
    RenamedUser {
        /// The user, with the name until now.
        user: User,
        /// The new name.
        name: String,
        /// The user's friends.
        friends: Vec<UserId>,
        /// The user's rooms.
        rooms: Vec<ConversationId>,
    },
    /// A room was closed: its online members are told, the roster forgets it, and its rows are removed from now on.
    Closed {
        /// The room.
        room: ConversationId,
        /// The name that it had.
        name: String,
        /// The user that closed it; `None` if it closed because its last member left.
        by: Option<String>,
    },
}

/// The users who hear a message besides its sender.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MessageAudience {
    /// The friend in a private conversation.
    Friend(UserId),
    /// The members of a room but its sender.
    Room {
        room: ConversationId,
        except: UserId,
    },
}

impl Ctx<'_, '_> {
    /// Notes the effects of a write in the roster and stages what is told of them before the reply.
    /// Fails if what is told has to be read and cannot be.
    pub(super) fn announce(
        &mut self,
        effects: Vec<Effect>,
        reply: &mut Event,
    ) -> Result<(), StoreError> {
        for effect in effects {
            match effect {
                Effect::Tell(user, event) => {
                    let to = self.roster.conns_of(user).into();
                    self.outbox.send_all(to, &event);
                }
                Effect::TellOthers(event) => {
                    let to = self.roster.others_of(self.conn);
                    self.outbox.send_all(to, &event);
                }
                Effect::Away { audience, event } => self.tell_away(&audience, &event),
                Effect::TellMessage(audience) => self.tell_message(audience, reply),
                Effect::Befriend(me, other) => self.befriend(&me, &other),
                Effect::LetIn { room, users } => self.let_in(&room, &users),
                Effect::Came(room, user) => self.came(&room, &user),
                Effect::BotCame(room, bot) => self.tell_room(&room, &bot, MemberChange::Joined),
                Effect::BotLeft(room, bot) => self.bot_left(&room, &bot),
                Effect::EndSessions(bot) => {
                    let end = SessionsEnd::all(self.conn, bot, (Departure::TokenEnded, None));
                    self.after_commit.session_ends.push(end);
                }
                Effect::EndRemovedBot(bot) => {
                    let end = SessionsEnd::of_removed_bot(self.conn, bot);
                    self.after_commit.session_ends.push(end);
                }
                Effect::Left(room, user, leave) => self.left(&room, &user, leave),
                Effect::TellRoom(room, event) => self.tell_readers(room, &[], &event),
                Effect::TellReaders(room, except, event) => {
                    self.tell_readers(room, &except, &event);
                }
                Effect::Unfriend(me, other) => self.unfriend(&me, &other),
                Effect::Block {
                    me,
                    other,
                    were_friends,
                    rooms,
                } => self.block(&me, &other, were_friends, &rooms),
                Effect::Unblock { me, other, rooms } => {
                    self.catch_up(&me, &rooms);
                    self.roster.show(me.id, other);
                    self.tell_in_rooms(&me, other, &rooms, MemberChange::Online);
                }
                Effect::InvitationsChanged(users) => {
                    self.after_commit.changed_lists.invitations.extend(users);
                }
                Effect::ListsChanged(lists) => self.tell_lists(&lists)?,
                Effect::Renamed { room, was } => self.renamed_room(&room, &was),
                Effect::TellAll(event) => {
                    let to = self.roster.sessions().map(|(conn, _)| conn).collect();
                    self.outbox.send_all(to, &event);
                }
                Effect::RenamedUser {
                    user,
                    name,
                    friends,
                    rooms,
                } => self.renamed(user, name, &friends, &rooms),
                Effect::Closed { room, name, by } => self.closed(room, name, by),
                Effect::Remove(removal) => self.after_commit.removals.push(removal),
            }
        }
        Ok(())
    }

    /// Tells the users who are online that their blocks or invitations have changed.
    pub(crate) fn tell_lists(&mut self, lists: &ChangedLists) -> Result<(), StoreError> {
        self.tell_own(&lists.blocks, |batch, user| {
            blocks::changed(batch, user, false)
        })?;
        self.tell_own(&lists.invitations, invitations_changed)
    }

    /// Tells each of these users who is online something of their own.
    fn tell_own(
        &mut self,
        users: &[UserId],
        event: impl Fn(&Batch<'_>, UserId) -> Result<Event, StoreError>,
    ) -> Result<(), StoreError> {
        for user in users.iter().filter(|user| self.roster.is_online(**user)) {
            let event = event(self.batch, *user)?;
            let to = self.roster.conns_of(*user).into();
            self.outbox.send_all(to, &event);
        }
        Ok(())
    }

    fn tell_readers(&mut self, room: ConversationId, except: &[UserId], event: &Event) {
        let members = self.roster.in_room(room);
        let told = members.filter(|member| except.binary_search(&member.user).is_err());
        let conns = told.flat_map(|member| member.conns.iter().copied());
        self.outbox.send_all(conns.collect(), event);
    }

    fn renamed_room(&mut self, room: &InRoom, was: &str) {
        self.outbox.rename_room(room.id, room.name.clone());
        for (name, conns) in self.members(room.id) {
            let left = member_event(was, &name, MemberChange::Left);
            self.outbox.send_all(conns.clone(), &left);
            let roomname = room.name.clone();
            self.outbox.send_all(conns, &Event::OnNewRoom { roomname });
        }
    }

    fn left(&mut self, room: &InRoom, user: &User, leave: Leave) {
        self.roster.leave(user.id, room.id);
        let is_told = leave == Leave::SentAway || is_small(self, room.members);
        let of = (room.id, room.name.as_str());
        let change = (MemberChange::Left, is_told);
        announce_in(self, of, (user.id, &user.name), change);
        // However large the room: all sessions of the user have left it.
        let conns = self.roster.conns_of(user.id).iter().copied();
        let to = conns.filter(|conn| *conn != self.conn).collect();
        let event = member_event(&room.name, &user.name, MemberChange::Left);
        self.outbox.send_all(to, &event);
    }

    /// Tells the members of a room that a user joined it, if the user is online.
    fn came(&mut self, room: &InRoom, user: &User) {
        if self.roster.is_online(user.id) {
            self.tell_room(room, user, MemberChange::Joined);
        }
    }

    fn bot_left(&mut self, room: &InRoom, bot: &User) {
        self.roster.leave(bot.id, room.id);
        self.tell_room(room, bot, MemberChange::Left);
        let to = self.roster.conns_of(bot.id).into();
        let event = member_event(&room.name, &bot.name, MemberChange::Left);
        self.outbox.send_all(to, &event);
    }

    fn unfriend(&mut self, me: &User, other: &User) {
        for (told, name) in [(me, &other.name), (other, &me.name)] {
            let to = self.roster.conns_of(told.id).into();
            let username = name.clone();
            self.outbox
                .send_all(to, &Event::OnFriendRemoved { username });
        }
    }

    fn block(&mut self, me: &User, other: &User, were_friends: bool, rooms: &[RoomSize]) {
        self.catch_up(me, rooms);
        self.roster.hide(me.id, other.id);
        if were_friends {
            let username = me.name.clone();
            let to = self.roster.conns_of(other.id).into();
            self.outbox
                .send_all(to, &Event::OnFriendOffline { username });
            self.unfriend(me, other);
        }
        self.tell_in_rooms(me, other.id, rooms, MemberChange::Offline);
    }

    /// Tells rooms of a user's presence that they are still to be told of. A departure in the same tick would cancel
    /// it, and a member that a block is about to tell of the user's presence would be told half of it.
    fn catch_up(&mut self, user: &User, rooms: &[RoomSize]) {
        for room in rooms {
            let to = self.roster.presence_conns(room.id, user.id, &[]);
            self.outbox.catch_up(user.id, room.id, to.into());
        }
    }

    /// Tells one user of another one's presence in the rooms that both are in.
    fn tell_in_rooms(&mut self, of: &User, told: UserId, rooms: &[RoomSize], change: MemberChange) {
        let to = Conns::from(self.roster.conns_of(told));
        for room in rooms {
            if !is_small(self, room.members) {
                continue;
            }
            let event = member_event(&room.name, &of.name, change);
            self.outbox.send_all(to.clone(), &event);
        }
    }

    fn renamed(&mut self, user: User, name: String, friends: &[UserId], rooms: &[ConversationId]) {
        self.roster.rename(user.id, &name);
        self.outbox.rename_user(user.id, name.clone());
        let mut told: BTreeSet<UserId> = friends.iter().copied().collect();
        told.insert(user.id);
        for room in rooms {
            told.extend(self.roster.in_room(*room).map(|online| online.user));
        }
        let conns = told.iter().flat_map(|user| self.roster.conns_of(*user));
        let to = conns.copied().collect();
        let (was, username) = (user.name, name);
        self.outbox
            .send_all(to, &Event::OnUserRenamed { was, username });
    }

    fn closed(&mut self, room: ConversationId, name: String, by: Option<String>) {
        self.after_commit.removals.push(Removal::ClosedRooms);
        let members = self.members(room);
        let all = members.iter().flat_map(|(_, conns)| conns.iter().copied());
        let roomname = name.clone();
        self.outbox
            .send_all(all.collect(), &Event::OnRoomClosed { roomname, by });
        for (member, conns) in members {
            let left = member_event(&name, &member, MemberChange::Left);
            self.outbox.send_all(conns, &left);
        }
        let users: Vec<UserId> = self
            .roster
            .in_room(room)
            .map(|online| online.user)
            .collect();
        for user in users {
            self.roster.leave(user, room);
        }
    }

    /// The names and the connections of the online members of a room.
    fn members(&self, room: ConversationId) -> Vec<(Rc<str>, Conns)> {
        let members = self.roster.in_room(room);
        members
            .map(|member| (Rc::clone(&member.name), member.conns.clone()))
            .collect()
    }

    /// Tells of a message. The event is the acknowledgement without its transaction id, so it is made of the reply,
    /// which is whole again afterwards.
    fn tell_message(&mut self, audience: MessageAudience, reply: &mut Event) {
        let Event::OnNewMessage {
            sender,
            target,
            txn_id,
            ..
        } = reply
        else {
            unreachable!("a message is acknowledged by ON_NEW_MESSAGE")
        };
        let acknowledged = txn_id.take();
        match audience {
            MessageAudience::Friend(friend) => {
                let to = Conns::from(self.roster.conns_of(friend));
                if !to.is_empty() {
                    // For the friend, the target is the sender.
                    let own = std::mem::replace(target, sender.clone());
                    self.outbox.send_all(to, reply);
                    set(reply, |target, _| *target = own);
                }
            }
            MessageAudience::Room { room, except } => {
                if let Some(to) = self.roster.message_conns(room, except) {
                    self.outbox.send_room(to, reply);
                }
            }
        }
        // The sender's other sessions see it as the sender does.
        let others = self.roster.others_of(self.conn);
        self.outbox.send_all(others, reply);
        set(reply, |_, txn_id| *txn_id = acknowledged);
    }

    fn tell_away(&mut self, audience: &AwayAudience, event: &Event) {
        let mut users: BTreeSet<UserId> = audience.friends.iter().copied().collect();
        for room in &audience.rooms {
            users.extend(self.roster.in_room(*room).map(|online| online.user));
        }
        users.remove(&audience.user);
        for user in &audience.except {
            users.remove(user);
        }
        let conns = users.iter().flat_map(|user| self.roster.conns_of(*user));
        let to = conns.copied().collect();
        self.outbox.send_all(to, event);
    }

    fn tell_room(&mut self, room: &InRoom, user: &User, change: MemberChange) {
        let of = (room.id, room.name.as_str());
        let is_told = is_small(self, room.members);
        announce_in(self, of, (user.id, &user.name), (change, is_told));
    }

    fn befriend(&mut self, me: &User, other: &User) {
        let mine: Conns = self.roster.conns_of(me.id).into();
        let theirs: Conns = self.roster.conns_of(other.id).into();
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
        let mut online = Conns::new();
        for user in users {
            self.roster.join(*user, room.id);
            online.extend_from_slice(self.roster.conns_of(*user));
        }
        let roomname = room.name.clone();
        self.outbox.send_all(online, &Event::OnNewRoom { roomname });
    }
}

/// Changes the target and the transaction id of a message.
fn set(message: &mut Event, change: impl FnOnce(&mut String, &mut Option<TxnEcho>)) {
    match message {
        Event::OnNewMessage { target, txn_id, .. } => change(target, txn_id),
        _ => unreachable!("a message is acknowledged by ON_NEW_MESSAGE"),
    }
}
