//! What a tick wants to say, held back until it is durable. Knows neither encryption nor sockets.
//!
//! Handlers stage; only [`Outbox::release`] gives anything out, and it asks for a [`Receipt`], which
//! only a commit makes: an answer before its commit does not compile.

use crate::conn::{ConnId, End};
use crate::store::{ConversationId, Receipt, UserId};
use echat_proto::commands::Event;
use std::rc::Rc;

/// Something that leaves after the commit, in the order in which it was staged.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The same event for each of these connections; encoded once.
    Event {
        /// Who gets it.
        to: Vec<ConnId>,
        /// What, encoded.
        event: Rc<[u8]>,
    },
    /// Somebody came or went, which the rooms hear bit by bit.
    Coming(Coming),
    /// What is still to be told of a user in a room is told these now: more of them follows.
    CatchUp {
        /// Of whom.
        user: UserId,
        /// Where.
        room: ConversationId,
        /// Whom.
        to: Vec<ConnId>,
    },
    /// The final reply of a request. It comes one at a time, so it never makes a queue too long.
    Reply {
        /// Who asked.
        to: ConnId,
        /// The answer, encoded.
        event: Rc<[u8]>,
    },
    /// Closes a connection after all that was said to it.
    Close {
        /// Which.
        conn: ConnId,
        /// How.
        end: End,
    },
    /// This user is logged in at the connection, which may send frames of the size that a login allows.
    Trust(ConnId, UserId),
    /// Nobody is logged in at the connection any more.
    Distrust(ConnId),
}

/// Somebody who came or went, and the rooms that are to hear of it.
#[derive(Debug)]
pub(crate) struct Coming {
    /// Who.
    pub(crate) user: UserId,
    /// The name in its stored form.
    pub(crate) name: String,
    /// Which of both.
    pub(crate) change: Change,
    /// Rooms, with their names.
    pub(crate) rooms: Vec<(ConversationId, String)>,
}

impl Coming {
    /// What a room of this name hears, encoded.
    pub(crate) fn event(&self, roomname: &str) -> Rc<[u8]> {
        encoded(&member_event(roomname, &self.name, self.change))
    }
}

/// Coming or going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Came,
    Went,
}

/// What tells that somebody came to a room or went.
pub(crate) fn member_event(roomname: &str, name: &str, change: Change) -> Event {
    let (roomname, membername) = (roomname.to_owned(), name.to_owned());
    match change {
        Change::Came => Event::OnMemberOnline {
            roomname,
            membername,
        },
        Change::Went => Event::OnMemberOffline {
            roomname,
            membername,
        },
    }
}

/// The staged deliveries of a tick.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    staged: Vec<Delivery>,
    /// Events staged since the last release, one for each that gets it.
    sends: usize,
    /// Bytes of the replies staged since then.
    bytes: usize,
}

impl Outbox {
    /// Stages an event for one connection.
    pub(crate) fn send(&mut self, to: ConnId, event: &Event) {
        self.send_all(vec![to], event);
    }

    /// Stages an event for several connections; nothing if there are none.
    pub(crate) fn send_all(&mut self, to: Vec<ConnId>, event: &Event) {
        if !to.is_empty() {
            self.sends += to.len();
            let event = encoded(event);
            self.staged.push(Delivery::Event { to, event });
        }
    }

    /// Stages that somebody came or went, for so many who are online in the rooms.
    pub(crate) fn tell_of(&mut self, coming: Coming, online: usize) {
        if !coming.rooms.is_empty() {
            self.sends += online;
            self.staged.push(Delivery::Coming(coming));
        }
    }

    /// Stages what is still to be told of a user in a room.
    pub(crate) fn catch_up(&mut self, user: UserId, room: ConversationId, to: Vec<ConnId>) {
        self.staged.push(Delivery::CatchUp { user, room, to });
    }

    /// Stages the final reply of a request.
    pub(crate) fn reply(&mut self, to: ConnId, event: &Event) {
        let event = encoded(event);
        self.bytes += event.len();
        self.staged.push(Delivery::Reply { to, event });
    }

    /// Stages the end of a connection.
    pub(crate) fn close(&mut self, conn: ConnId, end: End) {
        self.staged.push(Delivery::Close { conn, end });
    }

    /// Stages what a login brings.
    pub(crate) fn trust(&mut self, conn: ConnId, user: UserId) {
        self.staged.push(Delivery::Trust(conn, user));
    }

    /// Stages the end of a login on a connection that stays.
    pub(crate) fn distrust(&mut self, conn: ConnId) {
        self.staged.push(Delivery::Distrust(conn));
    }

    /// How many events were staged, one for each that gets it: they are most of a tick's work.
    pub(crate) fn sends(&self) -> usize {
        self.sends
    }

    /// How many bytes of replies were staged.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How much is staged: a mark for [`Self::split_off`].
    pub(crate) fn mark(&self) -> usize {
        self.staged.len()
    }

    /// Takes back what was staged since a mark.
    pub(crate) fn split_off(&mut self, mark: usize) -> Vec<Delivery> {
        self.staged.split_off(mark)
    }

    /// Stages again what [`Self::split_off`] took.
    pub(crate) fn append(&mut self, deliveries: Vec<Delivery>) {
        self.staged.extend(deliveries);
    }

    /// Gives everything out: it is durable.
    pub(crate) fn release(&mut self, receipt: Receipt) -> Vec<Delivery> {
        // One commit, one release.
        drop(receipt);
        (self.sends, self.bytes) = (0, 0);
        std::mem::take(&mut self.staged)
    }
}

/// An event as it is sent.
fn encoded(event: &Event) -> Rc<[u8]> {
    let bytes = event.to_message().encode();
    bytes.expect("the table's events have a wire form").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn told(delivery: &Delivery) -> (u64, u8) {
        match delivery {
            Delivery::Event { to, event } => (to[0].0, event[3]),
            Delivery::Reply { to, event } => (to.0, event[3]),
            Delivery::Coming(_) | Delivery::CatchUp { .. } => (0, 0),
            Delivery::Close { conn, .. } | Delivery::Trust(conn, _) | Delivery::Distrust(conn) => {
                (conn.0, 0)
            }
        }
    }

    #[test]
    fn what_is_staged_leaves_once_and_in_order() {
        let mut outbox = Outbox::default();
        outbox.send(ConnId(1), &Event::LoggedOut {});
        outbox.close(ConnId(1), End::Cut);
        outbox.send_all(Vec::new(), &Event::ServerKick {});
        let mark = outbox.mark();
        outbox.send(ConnId(2), &Event::ServerKick {});
        outbox.trust(ConnId(3), UserId(1));
        let taken = outbox.split_off(mark);
        assert_eq!((taken.len(), outbox.mark()), (2, mark));
        outbox.append(taken);
        let mut store = Store::in_memory().expect("memory is there");
        let mut receipt = || store.batch().commit().expect("nothing was written");
        let left: Vec<_> = outbox.release(receipt()).iter().map(told).collect();
        assert_eq!(left, [(1, 116), (1, 0), (2, 104), (3, 0)]);
        assert!(outbox.release(receipt()).is_empty());
    }
}
