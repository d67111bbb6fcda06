//! What members of rooms are told of each other's coming and going (113, 114). One who logs in may be
//! news for two hundred members of two hundred rooms: so much at once would keep everybody waiting, and
//! fill queues that nothing was written from meanwhile. So what a tick has no time for is told in the
//! next ones, in order, to those who are members still.

use super::net::Net;
use crate::clock::Now;
use crate::config::Limits;
use crate::outbox::InRoom;
use crate::roster::Roster;
use crate::store::{ConversationId, UserId};
use std::collections::VecDeque;

/// News that wait before nobody else's departure makes more of them.
const MANY: usize = 200;

/// News that were not told yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct News {
    waiting: VecDeque<InRoom>,
    /// How many connections this tick has time to tell.
    left: u64,
}

/// Those who may hear.
pub(super) struct Listeners<'a> {
    pub(super) roster: &'a Roster,
    pub(super) net: &'a mut Net,
    pub(super) limits: &'a Limits,
    pub(super) now: Now,
}

impl News {
    /// Tells what waits to so many connections, and to all of a room.
    pub(super) fn go_on(&mut self, most: u64, listeners: &mut Listeners<'_>) {
        self.left = most;
        while self.left > 0
            && let Some(news) = self.waiting.pop_front()
        {
            self.tell(&news, listeners);
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    /// Tells it, or keeps it if there is no time for it or others wait.
    pub(super) fn hear(&mut self, news: InRoom, listeners: &mut Listeners<'_>) {
        if self.left > 0 && self.waiting.is_empty() {
            self.tell(&news, listeners);
        } else {
            self.waiting.push_back(news);
        }
    }

    /// Tells what waits of somebody in a room: who comes there now must not seem to have gone later.
    pub(super) fn catch_up(
        &mut self,
        room: ConversationId,
        of: UserId,
        listeners: &mut Listeners<'_>,
    ) {
        let is_older = |news: &InRoom| (news.room, news.of) == (room, of);
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (older, others): (VecDeque<_>, _) = waiting.partition(is_older);
        self.waiting = others;
        for news in &older {
            self.tell(news, listeners);
        }
    }

    fn tell(&mut self, news: &InRoom, listeners: &mut Listeners<'_>) {
        let told = listeners.tell(news);
        self.left = self.left.saturating_sub(told);
    }

    /// Whether all is told.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether so much waits that no more should be made without need.
    pub(super) fn are_many(&self) -> bool {
        self.waiting.len() >= MANY
    }
}

impl Listeners<'_> {
    /// Tells those who are still in the room, and says how many it was for. Who logs in in this tick is in
    /// the roster already, and hears nothing before the login is told.
    fn tell(&mut self, news: &InRoom) -> u64 {
        let (limits, now) = (self.limits, self.now);
        for conn in &news.to {
            if self.roster.is_in(*conn, news.room) {
                self.net.with(*conn, limits, |peer| {
                    if peer.is_trusted() {
                        peer.send(news.event.clone(), limits, now);
                    }
                });
            }
        }
        u64::try_from(news.to.len()).unwrap_or(u64::MAX)
    }
}
