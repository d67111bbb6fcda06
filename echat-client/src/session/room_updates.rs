//! What happens to rooms and their members: invitations, removals, roles, changed settings.

use std::collections::{BTreeMap, BTreeSet};

use echat_proto::commands::Event;
use echat_proto::param::RoomRole;
use echat_proto::records::{InvitationLine, RoomInfo};

use super::{NAMED, Session, Update};
use crate::target::Target;

/// Settings of rooms that are remembered, in bytes of their texts: about 400 of a usual room, 7,000 of one with a topic
/// and operators of the largest size. With more, all are forgotten; they are told again when a room is opened.
const SETTINGS_BYTES: usize = 4 << 20;
/// Members whose removal was told, and whose leaving follows at once.
const REMOVED: usize = 1_000;
/// Operators of a room that are remembered. Servers have up to 100.
const OPERATORS: usize = 1_000;

/// How a user is in a room, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// A member came online.
    Online,
    /// A member went offline.
    Offline,
    /// A user became a member.
    Joined,
    /// A member left.
    Left,
    /// A member left or went offline: an older server does not tell which.
    Gone,
}

/// News of a room.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomUpdate {
    /// The name or the settings changed.
    Changed {
        /// The name before.
        was: String,
        /// By which user; `None` for an administrator.
        by: Option<String>,
        /// The room as it is now.
        now: Box<RoomInfo>,
        /// The room as it was, if that is known.
        before: Option<Box<RoomInfo>>,
    },
    /// The room got another name while there was no connection.
    Renamed {
        /// The name before.
        was: String,
        /// The name now.
        room: String,
    },
    /// The reader was a member before the connection was lost, and is none any more.
    Lost {
        /// The room.
        room: String,
        /// Whether the room still exists for the reader under this name, if that was asked.
        still_there: Option<bool>,
    },
    /// Another room has the name now. The reader is a member of that one, too, and not of the one before.
    Replaced {
        /// The room.
        room: String,
    },
    /// The room was closed.
    Closed {
        /// The room.
        room: String,
        /// By which user; `None` for an administrator.
        by: Option<String>,
    },
    /// The reader is invited.
    Invitation(InvitationLine),
    /// A member was removed.
    Removed {
        /// The room.
        room: String,
        /// The member, perhaps the reader.
        name: String,
        /// By which user.
        by: String,
        /// Why, if that was said.
        reason: Option<String>,
        /// Whether the user is banned.
        banned: bool,
        /// Whether the room is private, if that is known.
        private: Option<bool>,
    },
    /// A member has another role.
    Role {
        /// The room.
        room: String,
        /// The member, perhaps the reader.
        name: String,
        /// The role.
        role: RoomRole,
        /// By which user; `None` if it passed on by itself.
        by: Option<String>,
    },
}

impl RoomUpdate {
    /// The room.
    pub fn room(&self) -> &str {
        match self {
            Self::Changed { now, .. } => &now.roomname,
            Self::Renamed { room, .. }
            | Self::Lost { room, .. }
            | Self::Replaced { room }
            | Self::Closed { room, .. }
            | Self::Removed { room, .. }
            | Self::Role { room, .. } => room,
            Self::Invitation(invitation) => &invitation.roomname,
        }
    }

    /// The user that did it.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::Changed { by, .. } | Self::Closed { by, .. } | Self::Role { by, .. } => {
                by.as_deref()
            }
            Self::Removed { by, .. } => Some(by),
            Self::Renamed { .. } | Self::Lost { .. } | Self::Replaced { .. } => None,
            Self::Invitation(invitation) => invitation.by.as_deref(),
        }
    }
}

/// What is known of rooms beside their messages.
#[derive(Debug, Default)]
pub(super) struct RoomState {
    /// Settings, as they were last told.
    settings: BTreeMap<String, RoomInfo>,
    /// Rooms that were introduced when the reader joined, and not opened since.
    introduced: BTreeSet<String>,
    /// Rooms that the reader is invited to.
    invitations: Vec<InvitationLine>,
    /// Members whose removal was told, and whose leaving follows.
    removed: BTreeSet<(String, String)>,
    /// Whether the server says who joins and leaves, as against coming online and going offline.
    tells_steps: bool,
}

impl RoomState {
    /// The login brought these invitations; `None` from an older server.
    pub(super) fn at_login(&mut self, invitations: Option<&[InvitationLine]>) {
        self.tells_steps = invitations.is_some();
        // What changed since the last login was not told.
        self.settings.clear();
        self.introduced.clear();
        self.removed.clear();
    }

    pub(super) fn invitations(&self) -> &[InvitationLine] {
        &self.invitations
    }

    /// The reader is a member now, or declined.
    pub(super) fn settle(&mut self, room: &str) {
        self.invitations.retain(|known| known.roomname != room);
    }

    /// The settings of a room, if they are known.
    pub(super) fn settings(&self, target: &Target) -> Option<&RoomInfo> {
        self.settings
            .get(target.name())
            .filter(|_| target.is_room())
    }

    /// Invitations by these users are hidden.
    pub(super) fn drop_invitations_by(&mut self, users: &BTreeSet<String>) {
        let is_by = |line: &InvitationLine| line.by.as_ref().is_some_and(|by| users.contains(by));
        self.invitations.retain(|line| !is_by(line));
    }

    /// These are the settings of a room.
    pub(super) fn learn(&mut self, info: &RoomInfo) -> Option<RoomInfo> {
        let known: usize = self.settings.values().map(bytes).sum();
        if known + bytes(info) > SETTINGS_BYTES {
            self.settings.clear();
        }
        self.settings.insert(info.roomname.clone(), info.clone())
    }

    /// A member has another role. `is_me`: the reader.
    fn set_role(&mut self, room: &str, name: &str, role: RoomRole, is_me: bool) {
        let Some(settings) = self.settings.get_mut(room) else {
            return;
        };
        if is_me {
            settings.role = Some(role);
        }
        settings.operators.retain(|operator| operator != name);
        match role {
            RoomRole::Owner => name.clone_into(&mut settings.owner),
            RoomRole::Operator if settings.operators.len() < OPERATORS => {
                settings.operators.push(name.to_owned());
            }
            RoomRole::Operator | RoomRole::Member => {}
        }
    }

    /// The reader is no member any more.
    pub(super) fn forget(&mut self, room: &str) {
        self.settings.remove(room);
        self.introduced.remove(room);
        self.removed.retain(|(of, _)| of != room);
    }

    /// What coming means.
    pub(super) fn coming(joined: Option<bool>) -> MembershipChange {
        if joined == Some(true) {
            MembershipChange::Joined
        } else {
            MembershipChange::Online
        }
    }

    /// What going means; `None` if it was told already.
    pub(super) fn going(
        &mut self,
        room: &str,
        name: &str,
        left: Option<bool>,
    ) -> Option<MembershipChange> {
        if left == Some(true) {
            let told = self.removed.remove(&(room.to_owned(), name.to_owned()));
            return (!told).then_some(MembershipChange::Left);
        }
        Some(if self.tells_steps {
            MembershipChange::Offline
        } else {
            MembershipChange::Gone
        })
    }
}

/// Bytes that the settings of a room take.
fn bytes(info: &RoomInfo) -> usize {
    let operators = info.operators.iter();
    let operators: usize = operators.map(|name| size_of::<String>() + name.len()).sum();
    size_of::<RoomInfo>() + info.topic.len() + operators
}

impl Session {
    /// Applies events about rooms and their members.
    pub(super) fn apply_to_rooms(&mut self, event: &Event, updates: &mut Vec<Update>) {
        match event {
            Event::OnRoomChanged { was, by, room } => {
                self.room_changed(was, by.as_ref(), room, updates);
            }
            Event::Room { room } => {
                let is_own = self.rooms.contains(&room.roomname);
                self.identities.tell(&room.roomname, room.created, is_own);
                self.room_state.learn(room);
            }
            Event::OnRoomClosed { roomname, by } => {
                self.room_closed(roomname, by.as_ref(), updates);
            }
            Event::OnInvitation { roomname, by } => {
                let (roomname, by) = (roomname.clone(), by.clone());
                self.invited(&InvitationLine { roomname, by }, updates);
            }
            Event::OnMemberRemoved {
                roomname,
                membername,
                by,
                reason,
                banned,
            } => {
                let settings = self.room_state.settings.get(roomname);
                let update = RoomUpdate::Removed {
                    room: roomname.clone(),
                    name: membername.clone(),
                    by: by.clone(),
                    reason: reason.clone(),
                    banned: *banned,
                    private: settings.map(|settings| settings.private),
                };
                self.removed(update, updates);
            }
            Event::OnRole {
                roomname,
                membername,
                role,
                by,
            } => {
                let is_me = self.me.as_deref() == Some(membername);
                let state = &mut self.room_state;
                state.set_role(roomname, membername, *role, is_me);
                updates.push(Update::Room(RoomUpdate::Role {
                    room: roomname.clone(),
                    name: membername.clone(),
                    role: *role,
                    by: by.clone(),
                }));
            }
            Event::OnSelfChanged {
                invitations: Some(invitations),
                ..
            } => self.are_invitations(invitations, updates),
            _ => {}
        }
    }

    /// Whether a room was introduced with its topic when the reader joined, and not opened since.
    pub fn is_introduced(&self, room: &str) -> bool {
        self.room_state.introduced.contains(room)
    }

    /// A room was introduced to the reader, who joined it and has another chat open.
    pub fn introduced(&mut self, room: &str) {
        if self.rooms.contains(room) {
            self.room_state.introduced.insert(room.to_owned());
        }
    }

    /// The reader opened the chat of a room.
    pub fn opened(&mut self, room: &str) {
        self.room_state.introduced.remove(room);
    }

    /// Rooms that the user is invited to, the oldest first.
    pub fn invitations(&self) -> &[InvitationLine] {
        self.room_state.invitations()
    }

    pub(super) fn invited(&mut self, invitation: &InvitationLine, updates: &mut Vec<Update>) {
        let known = &mut self.room_state.invitations;
        if known.len() < NAMED
            && !known
                .iter()
                .any(|known| known.roomname == invitation.roomname)
        {
            known.push(invitation.clone());
            updates.push(Update::Room(RoomUpdate::Invitation(invitation.clone())));
        }
    }

    /// These are all invitations.
    pub(super) fn are_invitations(
        &mut self,
        invitations: &[InvitationLine],
        updates: &mut Vec<Update>,
    ) {
        let is_open = |known: &InvitationLine| {
            let same = |open: &InvitationLine| open.roomname == known.roomname;
            invitations.iter().any(same)
        };
        self.room_state.invitations.retain(is_open);
        for invitation in invitations {
            self.invited(invitation, updates);
        }
    }

    /// The settings of a room changed, perhaps its name.
    pub(super) fn room_changed(
        &mut self,
        was: &str,
        by: Option<&String>,
        now: &RoomInfo,
        updates: &mut Vec<Update>,
    ) {
        // What all members are told has no reader, and so no role.
        let before = self.room_state.settings.remove(was);
        let role = now.role.or(before.as_ref().and_then(|before| before.role));
        self.room_state.learn(&RoomInfo {
            role,
            ..now.clone()
        });
        let before = before.map(|before| RoomInfo {
            role: now.role,
            ..before
        });
        if was != now.roomname {
            self.rename(was, &now.roomname);
        }
        // A topic that was set since is shown when the room is opened.
        let is_told = before
            .as_ref()
            .is_some_and(|before| before.topic == now.topic);
        if self.room_state.introduced.remove(was) && is_told {
            self.introduced(&now.roomname);
        }
        // Told twice, it is no news.
        if before.as_ref() != Some(now) {
            updates.push(Update::Room(RoomUpdate::Changed {
                was: was.to_owned(),
                by: by.cloned(),
                now: Box::new(now.clone()),
                before: before.map(Box::new),
            }));
        }
    }

    /// A room keeps its messages, members and unread count under another name.
    pub(super) fn rename(&mut self, was: &str, name: &str) {
        if !self.rooms.remove(was) {
            return;
        }
        self.move_conversation(was, name);
    }

    /// What is known of a room is that of another name from now on.
    pub(super) fn move_conversation(&mut self, was: &str, name: &str) {
        self.rooms.insert(name.to_owned());
        self.identities.rename(was, name);
        self.members.rename(was, name);
        self.feed.rename(was, name);
        let (old, new) = (Target::Room(was.to_owned()), Target::Room(name.to_owned()));
        if let Some(conversation) = self.conversations.remove(&old) {
            self.conversations
                .entry(new.clone())
                .and_modify(|known| known.continues(&conversation))
                .or_insert(conversation);
        }
        self.detached.rename(&old, &new);
        if self.recent.contains(&old) {
            self.recent.retain(|target| *target != new);
        }
        for target in &mut self.recent {
            if *target == old {
                *target = new.clone();
            }
        }
    }

    pub(super) fn room_closed(
        &mut self,
        room: &str,
        by: Option<&String>,
        updates: &mut Vec<Update>,
    ) {
        self.room_state.settle(room);
        if self.rooms.contains(room) {
            self.leave(room);
            updates.push(Update::Room(RoomUpdate::Closed {
                room: room.to_owned(),
                by: by.cloned(),
            }));
        }
    }

    /// A member was removed. Its leaving, which follows, is no news.
    pub(super) fn removed(&mut self, update: RoomUpdate, updates: &mut Vec<Update>) {
        let RoomUpdate::Removed { room, name, .. } = &update else {
            return;
        };
        if !self.rooms.contains(room) {
            return;
        }
        if self.me() == Some(name) {
            let room = room.clone();
            self.leave(&room);
        } else {
            let removed = &mut self.room_state.removed;
            if removed.len() >= REMOVED {
                removed.clear();
            }
            removed.insert((room.clone(), name.clone()));
        }
        updates.push(Update::Room(update));
    }
}
