//! What members of rooms are told of a user's coming and going (113, 114). One who logs in may be news
//! for two hundred members of two hundred rooms: so much at once would keep everybody waiting, and fill
//! queues that nothing was written from meanwhile. So it is told room by room, one of each user at a
//! time, as much as a tick has time for.
//!
//! Whoever is told of neither comes nor goes meanwhile: the tick waits with it. So what is told is true
//! when it is told, and is told to those who are members then.

use super::net::Net;
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::outbox::PresenceChange;
use crate::roster::Roster;
use crate::store::{ConversationId, UserId};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Those who came or went, and the rooms in which it was not told yet.
#[derive(Debug, Default)]
pub(super) struct News {
    of: BTreeMap<UserId, PresenceChange>,
    /// Whose next room is told first.
    turns: VecDeque<UserId>,
}

/// Those who may hear.
pub(super) struct Listeners<'a> {
    pub(super) roster: &'a Roster,
    pub(super) net: &'a mut Net,
    pub(super) limits: &'a Limits,
    pub(super) now: Now,
}

impl News {
    /// Takes on what is to be told of a user. If something is left to tell, it is of the same tick, since
    /// whoever is told of waits: who came and went before anybody heard of it is not told of at all.
    pub(super) fn begin(&mut self, mut coming: PresenceChange) {
        let user = coming.user;
        if self.of.remove(&user).is_none() {
            // The last is told first.
            coming.rooms.reverse();
            self.of.insert(user, coming);
            self.turns.push_back(user);
        }
    }

    /// Tells what is left to tell of a user in one room, and leaves that room out.
    pub(super) fn catch_up(
        &mut self,
        user: UserId,
        room: ConversationId,
        to: &[ConnId],
        listeners: &mut Listeners<'_>,
    ) {
        let Some(coming) = self.of.get_mut(&user) else {
            return;
        };
        if let Some(at) = coming.rooms.iter().position(|(other, _)| *other == room) {
            let (_, roomname) = coming.rooms.remove(at);
            listeners.tell(to, &coming.event(&roomname));
        }
    }

    /// Whether there is something left to tell of a user.
    pub(super) fn tell_of(&self, user: UserId) -> bool {
        self.of.contains_key(&user)
    }

    /// Whether all is told.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Goes on telling, when all replies of a tick have left: so many connections, or as many as a room has.
    pub(super) fn go_on(&mut self, most: u64, listeners: &mut Listeners<'_>) {
        let mut told = 0;
        while told < most
            && let Some(user) = self.turns.pop_front()
        {
            let Some(coming) = self.of.get_mut(&user) else {
                continue;
            };
            let Some((room, name)) = coming.rooms.pop() else {
                self.of.remove(&user);
                continue;
            };
            let conns = listeners.roster.in_room_but(room, user);
            listeners.tell(&conns, &coming.event(&name));
            told += 1 + u64::try_from(conns.len()).unwrap_or(u64::MAX);
            self.turns.push_back(user);
        }
    }
}

impl Listeners<'_> {
    fn tell(&mut self, conns: &[ConnId], event: &Rc<[u8]>) {
        let (limits, now) = (self.limits, self.now);
        for conn in conns {
            self.net
                .with(*conn, limits, |peer| peer.send(event.clone(), limits, now));
        }
    }
}
