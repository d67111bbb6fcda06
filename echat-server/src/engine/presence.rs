//! Presence fan-out: the members of rooms are told that a user came online or went offline (events 113, 114).
//!
//! A login may concern two hundred members of each of two hundred rooms. So many events at once would keep all
//! other connections waiting, and fill queues faster than they are written. So rooms are told one after
//! another, one of each user in turn, as many as a tick has time for.
//!
//! While rooms are still to be told of a user, the user's sessions neither begin nor end: the tick makes them
//! wait. So each event is true when it is sent, and reaches the members of that moment.

use super::connections::Connections;
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::presence_change::{Presence, PresenceChange};
use crate::roster::Roster;
use crate::storage::{ConversationId, UserId};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::slice;

/// Presence changes that not all rooms were told of.
#[derive(Debug, Default)]
pub(super) struct PresenceFanOut {
    pending: BTreeMap<UserId, PresenceChange>,
    /// The order in which users have their next room told.
    order: VecDeque<UserId>,
}

/// The connections that may be told.
pub(super) struct EventSender<'a> {
    pub(super) roster: &'a Roster,
    pub(super) connections: &'a mut Connections,
    pub(super) limits: &'a Limits,
    pub(super) now: Now,
}

impl PresenceFanOut {
    /// Takes on a change, in place of a pending one of the same user. Rooms that were not told of that one need not be
    /// told of this one, unless the user is no member any more. The user's sessions wait while a change is pending, so
    /// the pending one is usually of the same tick: both cancel out, and no room is told.
    pub(super) fn begin(&mut self, mut change: PresenceChange) {
        let user = change.user;
        if let Some(untold) = self.pending.remove(&user)
            && change.presence != Presence::Deleted
        {
            let is_told = |room| untold.rooms.iter().all(|(other, _)| *other != room);
            change.rooms.retain(|(room, _)| is_told(*room));
        }
        if !change.rooms.is_empty() {
            // Rooms are taken from the end.
            change.rooms.reverse();
            self.pending.insert(user, change);
            self.order.push_back(user);
        }
    }

    /// Sends the pending change of a user in one room to these connections now, and leaves the room out later.
    pub(super) fn catch_up(
        &mut self,
        user: UserId,
        room: ConversationId,
        to: &[ConnId],
        sender: &mut EventSender<'_>,
    ) {
        let Some(change) = self.pending.get_mut(&user) else {
            return;
        };
        if let Some(at) = change.rooms.iter().position(|(other, _)| *other == room) {
            let (_, roomname) = change.rooms.remove(at);
            sender.send(to, &change.event(&roomname));
        }
    }

    /// Notes another name of a room for the changes that it was not told of yet.
    pub(super) fn rename(&mut self, room: ConversationId, name: &str) {
        let rooms = self
            .pending
            .values_mut()
            .flat_map(|change| &mut change.rooms);
        for (_, known) in rooms.filter(|(id, _)| *id == room) {
            name.clone_into(known);
        }
    }

    /// Notes another name of a user for a change that rooms were not told of yet.
    pub(super) fn rename_user(&mut self, user: UserId, name: String) {
        if let Some(change) = self.pending.get_mut(&user) {
            change.name = name;
        }
    }

    /// Whether a change of a user is pending.
    pub(super) fn is_pending(&self, user: UserId) -> bool {
        self.pending.contains_key(&user)
    }

    /// Whether no change is pending.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Tells further rooms, after all replies of a tick: `most` events, and the rest of the last room's.
    pub(super) fn send_portion(&mut self, most: u64, sender: &mut EventSender<'_>) {
        let mut sent = 0;
        while sent < most
            && let Some(user) = self.order.pop_front()
        {
            let Some(change) = self.pending.get_mut(&user) else {
                continue;
            };
            let Some((room, name)) = change.rooms.pop() else {
                self.pending.remove(&user);
                continue;
            };
            let conns = sender
                .roster
                .presence_conns(room, user, &change.hidden_from);
            sender.send(&conns, &change.event(&name));
            sent += 1 + u64::try_from(conns.len()).unwrap_or(u64::MAX);
            self.order.push_back(user);
        }
    }
}

impl EventSender<'_> {
    fn send(&mut self, conns: &[ConnId], event: &Rc<[u8]>) {
        let urgency = self.connections.urgency(conns.len());
        for conn in conns {
            let at = (self.limits, self.now);
            let event = slice::from_ref(event);
            self.connections.send(*conn, event, urgency, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_change_names_a_room_as_it_is_called_when_it_is_told() {
        let mut presence = PresenceFanOut::default();
        let (tea, cup) = (ConversationId(1), ConversationId(2));
        presence.begin(PresenceChange {
            user: UserId(7),
            name: "ann".to_owned(),
            presence: Presence::Online,
            hidden_from: Vec::new(),
            rooms: vec![(tea, "tea".to_owned()), (cup, "cup".to_owned())],
        });
        presence.rename(tea, "tea-house");
        let pending = &presence.pending[&UserId(7)].rooms;
        let expected = [(cup, "cup".to_owned()), (tea, "tea-house".to_owned())];
        assert_eq!(pending[..], expected);
    }
}
