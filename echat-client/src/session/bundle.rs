//! What a login brings: everything that a user comes back to.

use std::collections::BTreeMap;

use echat_proto::commands::Event;
use echat_proto::records::Unread;

use super::detached::DetachedMessages;
use super::feed::Feed;
use super::history_identity::{self, HistoryIdentity};
use super::members::Members;
use super::room_identities::RoomIdentities;
use super::{RoomUpdate, Session, Update};
use crate::target::Target;

impl Session {
    /// Takes what a login brings, and says whether it is of another history than the last one's.
    pub(super) fn take_bundle(&mut self, event: &Event, updates: &mut Vec<Update>) -> bool {
        let Event::LoginBundle {
            chat_rooms,
            friends,
            online,
            pending_requests,
            messages,
            unread,
            more,
            newest,
            history,
            away,
            blocked,
            // The application keeps the secrets, and says that the password is to be changed.
            resume: _,
            device: _,
            must_change_password: _,
            invitations,
        } = event
        else {
            return false;
        };
        self.follow_names(event, updates);
        let history = history.as_deref();
        let exists = |target: &Target| match target {
            Target::Friend(name) => friends.contains(name),
            Target::Room(name) => chat_rooms.contains(name),
        };
        let is_new = |target: &Target| !self.has(target);
        let replaced = self.identity.differs(history, *newest, self.feed.seen())
            || history_identity::contradicts(&self.conversations, messages, &exists, &is_new);
        if replaced {
            self.forget_messages();
        }
        self.identity.record(history, *newest);
        self.replace_rooms(chat_rooms.iter().cloned().collect(), updates);
        let is_online = |name: &String| (name.clone(), online.contains(name));
        self.friends = friends.iter().map(is_online).collect();
        self.take_people(away.as_deref(), blocked.as_deref());
        self.pending.retain(|name| pending_requests.contains(name));
        for name in pending_requests {
            self.request(name, updates);
        }
        self.room_state.at_login(invitations.as_deref());
        self.are_invitations(invitations.as_deref().unwrap_or_default(), updates);
        let first_time = self.feed.is_new();
        if !first_time {
            self.confirm(messages, updates);
        }
        // What one comes back to is no updates: chats show it when they are opened.
        for message in self.feed.come_back(messages) {
            self.store(message, false, updates);
        }
        if first_time {
            for older in more {
                self.listed(Target::new(older.target_type, older.target.clone()))
                    .has_older(older.before);
            }
        }
        self.take_unread(unread);
        replaced
    }

    /// Rooms and friends that have other names in a bundle keep what is known of them.
    fn follow_names(&mut self, event: &Event, updates: &mut Vec<Update>) {
        for (was, now) in self.renamed_in(event) {
            match (was, now) {
                (Target::Room(was), Target::Room(room)) => {
                    self.rename(&was, &room);
                    updates.push(Update::Room(RoomUpdate::Renamed { was, room }));
                }
                (was, now) => self.user_renamed(was.name(), now.name(), updates),
            }
        }
    }

    /// Takes the counts of unread messages. The server names the conversations of which something is unread, as many as
    /// fit: what it does not name is taken as read.
    fn take_unread(&mut self, unread: &[Unread]) {
        for conversation in self.conversations.values_mut() {
            conversation.read_elsewhere();
        }
        for unread in unread {
            self.listed(Target::new(unread.target_type, unread.target.clone()))
                .set_unread(
                    unread.count,
                    unread.mentions.unwrap_or_default(),
                    unread.read_id,
                );
        }
    }

    /// The rooms and friends that a bundle has under another name than this session: the target before, and the target
    /// now. A conversation is known by the ids of its messages, which no other conversation ever has.
    pub fn renamed_in(&self, event: &Event) -> Vec<(Target, Target)> {
        let Event::LoginBundle {
            chat_rooms,
            friends,
            messages,
            unread,
            newest,
            history,
            ..
        } = event
        else {
            return Vec::new();
        };
        let history = history.as_deref();
        if self.identity.differs(history, *newest, self.feed.seen()) {
            return Vec::new();
        }
        let lists = |target: &Target| match target {
            Target::Friend(name) => friends.contains(name),
            Target::Room(name) => chat_rooms.contains(name),
        };
        let mut renamed: BTreeMap<Target, Target> = BTreeMap::new();
        for (was, held) in &self.conversations {
            if !self.has(was) || lists(was) {
                continue;
            }
            let is_now =
                |now: &Target| now.is_room() == was.is_room() && lists(now) && !self.has(now);
            let by_message = messages.iter().find_map(|message| {
                let is_held = held.holds(message.id, message.send_time);
                let target = Target::new(message.target_type, message.target.clone());
                Some(target).filter(|target| is_held && is_now(target))
            });
            // Of a room with many new messages the bundle has none that is held, but the marker.
            let by_marker = || {
                unread.iter().find_map(|unread| {
                    let is_held = unread.read_id > 0 && held.has_read(unread.read_id);
                    let target = Target::new(unread.target_type, unread.target.clone());
                    Some(target).filter(|target| is_held && is_now(target))
                })
            };
            if let Some(now) = by_message.or_else(by_marker) {
                renamed.insert(was.clone(), now);
            }
        }
        renamed.into_iter().collect()
    }

    /// Forgets every message, id and read marker, and the rooms, which the bundle lists again.
    fn forget_messages(&mut self) {
        self.rooms.clear();
        self.identities = RoomIdentities::default();
        self.conversations.clear();
        self.recent.clear();
        self.feed = Feed::default();
        self.identity = HistoryIdentity::default();
        self.members = Members::default();
        self.detached = DetachedMessages::default();
    }
}
