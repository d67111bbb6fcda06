//! What a tick sends, held back until its writes are durable. Knows neither encryption nor sockets.
//!
//! Handlers stage; only [`Outbox::release`] gives anything out, and it asks for a [`Receipt`], which
//! only a commit makes: an answer before its commit does not compile.

use crate::conn::{ConnId, End};
use crate::presence_change::PresenceChange;
use crate::roster::{Conns, RoomConns};
use crate::storage::{ConversationId, Receipt, UserId};
use echat_proto::commands::Event;
use echat_proto::names::ResumeSecret;
use std::rc::Rc;

/// Something that leaves after the commit, in the order in which it was staged.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The same event for each of these connections; encoded once.
    Event {
        /// The recipients.
        to: Conns,
        /// The event, encoded.
        event: Rc<[u8]>,
    },
    /// An event for a room. Messages to a room share the list of its connections, so that the release can recognise
    /// several for the same ones.
    Room {
        /// The recipients.
        to: RoomConns,
        /// The event, encoded.
        event: Rc<[u8]>,
    },
    /// A user's presence changed. The rooms are told in parts, over several ticks.
    Presence(PresenceChange),
    /// The pending presence change of a user in one room is sent to these now: a further event about
    /// the user follows.
    CatchUp {
        /// The user whose presence changed.
        user: UserId,
        /// The room.
        room: ConversationId,
        /// The recipients.
        to: Conns,
    },
    /// A room has another name. Presence changes of its members that the room was not told of yet use it.
    Renamed {
        /// The room.
        room: ConversationId,
        /// The new name.
        name: String,
    },
    /// A user has another name. Presence changes of the user that rooms were not told of yet use it.
    RenamedUser {
        /// The user.
        user: UserId,
        /// The new name.
        name: String,
    },
    /// The final reply of a request. A connection has one at a time, so replies alone never close it.
    Reply {
        /// The connection of the request.
        to: ConnId,
        /// The answer, encoded.
        event: Rc<[u8]>,
        /// The same answer without its secret: it leaves instead if the secret could not be stored.
        without_secret: Option<Box<Event>>,
    },
    /// Closes a connection after all that was said to it.
    Close {
        /// The connection.
        conn: ConnId,
        /// How it ends.
        end: End,
    },
    /// This user is logged in at the connection, which may send frames of the size that a login allows.
    Authenticated(ConnId, UserId),
    /// The session of the connection ended; the connection stays.
    Unauthenticated(ConnId),
}

/// The staged deliveries of a tick.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    staged: Vec<Delivery>,
    /// Events staged since the last release, one for each recipient.
    sends: usize,
    /// Bytes of these events, of each for every recipient.
    event_bytes: u64,
    /// Bytes of the replies staged since then.
    bytes: usize,
    /// Kept for encoding.
    scratch: Vec<u8>,
}

impl Outbox {
    /// Stages an event for one connection.
    pub(crate) fn send(&mut self, to: ConnId, event: &Event) {
        self.send_all(Conns::from_slice(&[to]), event);
    }

    /// Stages an event for several connections; nothing if there are none.
    pub(crate) fn send_all(&mut self, to: Conns, event: &Event) {
        if !to.is_empty() {
            let event = self.encode(event);
            self.count_event(to.len(), &event);
            self.staged.push(Delivery::Event { to, event });
        }
    }

    /// Stages that a room has another name, for presence changes that are pending.
    pub(crate) fn rename_room(&mut self, room: ConversationId, name: String) {
        self.staged.push(Delivery::Renamed { room, name });
    }

    /// Stages that a user has another name, for presence changes that are pending.
    pub(crate) fn rename_user(&mut self, user: UserId, name: String) {
        self.staged.push(Delivery::RenamedUser { user, name });
    }

    /// Stages an event for the online members of a room.
    pub(crate) fn send_room(&mut self, to: RoomConns, event: &Event) {
        let event = self.encode(event);
        self.count_event(to.all.len() - to.except.len(), &event);
        self.staged.push(Delivery::Room { to, event });
    }

    /// Stages a presence change, for `online` recipients in its rooms together.
    pub(crate) fn announce_presence(&mut self, change: PresenceChange, online: usize) {
        if !change.rooms.is_empty() {
            self.sends += online;
            self.staged.push(Delivery::Presence(change));
        }
    }

    /// Stages the pending presence change of a user in one room for these connections.
    pub(crate) fn catch_up(&mut self, user: UserId, room: ConversationId, to: Conns) {
        self.staged.push(Delivery::CatchUp { user, room, to });
    }

    /// Stages the final reply of a request.
    pub(crate) fn reply(&mut self, to: ConnId, event: Event) {
        let bytes = self.encode(&event);
        self.bytes += bytes.len();
        self.staged.push(Delivery::Reply {
            to,
            event: bytes,
            without_secret: without_secret(event),
        });
    }

    /// Stages the end of a connection.
    pub(crate) fn close(&mut self, conn: ConnId, end: End) {
        self.staged.push(Delivery::Close { conn, end });
    }

    /// Stages that a user is logged in at a connection.
    pub(crate) fn authenticated(&mut self, conn: ConnId, user: UserId) {
        self.staged.push(Delivery::Authenticated(conn, user));
    }

    /// Stages the end of a login on a connection that stays.
    pub(crate) fn unauthenticated(&mut self, conn: ConnId) {
        self.staged.push(Delivery::Unauthenticated(conn));
    }

    /// An event as it is sent, encoded in the kept buffer. One with a secret leaves no copy there.
    fn encode(&mut self, event: &Event) -> Rc<[u8]> {
        if matches!(
            event,
            Event::LoginBundle { .. }
                | Event::BotToken { .. }
                | Event::Invitation { .. }
                | Event::Invitations { .. }
                | Event::AdminResult { .. }
        ) {
            return encoded(event);
        }
        self.scratch.clear();
        encode_to(event, &mut self.scratch);
        let bytes = Rc::from(self.scratch.as_slice());
        if self.scratch.capacity() > KEPT {
            self.scratch = Vec::new();
        }
        bytes
    }

    fn count_event(&mut self, recipients: usize, event: &[u8]) {
        self.sends += recipients;
        let bytes = recipients.saturating_mul(event.len());
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.event_bytes = self.event_bytes.saturating_add(bytes);
    }

    /// Bytes of the events staged for connections, of each for every recipient.
    pub(crate) fn event_bytes(&self) -> u64 {
        self.event_bytes
    }

    /// Events staged, one for each recipient.
    pub(crate) fn sends(&self) -> usize {
        self.sends
    }

    /// Bytes of the replies staged.
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

    /// Gives everything out: it is durable. Secrets are given out only if they are stored, too.
    pub(crate) fn release(
        &mut self,
        receipt: Receipt,
        secrets: Option<&Receipt>,
    ) -> impl Iterator<Item = Delivery> + use<> {
        // One commit, one release.
        drop(receipt);
        (self.sends, self.bytes, self.event_bytes) = (0, 0, 0);
        let is_stored = secrets.is_some();
        let staged = std::mem::take(&mut self.staged).into_iter();
        staged.map(move |delivery| match delivery {
            Delivery::Reply {
                to,
                without_secret: Some(event),
                ..
            } if !is_stored => Delivery::Reply {
                to,
                event: encoded(&event),
                without_secret: None,
            },
            delivery => delivery,
        })
    }
}

/// The same event without a secret that has to be stored before it leaves; `None` for one that has none.
fn without_secret(mut event: Event) -> Option<Box<Event>> {
    let Event::LoginBundle { resume, device, .. } = &mut event else {
        return None;
    };
    let is_given = |secret: &Option<ResumeSecret>| secret.as_ref().is_some_and(|it| !it.is_none());
    let has_secret = is_given(resume) || is_given(device);
    *resume = Some(ResumeSecret::none());
    *device = Some(ResumeSecret::none());
    has_secret.then(|| Box::new(event))
}

/// The most bytes of the kept buffer; pages are longer.
const KEPT: usize = 16 * 1024;

/// An event as it is sent.
fn encoded(event: &Event) -> Rc<[u8]> {
    let mut bytes = Vec::new();
    encode_to(event, &mut bytes);
    bytes.into()
}

fn encode_to(event: &Event, out: &mut Vec<u8>) {
    let encoded = event.encode(out);
    encoded.expect("the table's events have a wire form");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Store;

    fn told(delivery: &Delivery) -> (u64, u8) {
        match delivery {
            Delivery::Event { to, event } => (to[0].0, event[3]),
            Delivery::Reply { to, event, .. } => (to.0, event[3]),
            Delivery::Room { .. }
            | Delivery::Presence(_)
            | Delivery::CatchUp { .. }
            | Delivery::Renamed { .. }
            | Delivery::RenamedUser { .. } => (0, 0),
            Delivery::Close { conn, .. }
            | Delivery::Authenticated(conn, _)
            | Delivery::Unauthenticated(conn) => (conn.0, 0),
        }
    }

    #[test]
    fn a_secret_leaves_only_with_the_receipt_of_its_write() {
        let secret = ResumeSecret::from_bytes(&[0xfb; ResumeSecret::BYTES]);
        let bundle = Event::LoginBundle {
            chat_rooms: Vec::new(),
            friends: Vec::new(),
            online: Vec::new(),
            pending_requests: Vec::new(),
            messages: Vec::new(),
            unread: Vec::new(),
            more: Vec::new(),
            newest: None,
            history: None,
            must_change_password: None,
            away: None,
            resume: Some(secret.clone()),
            device: Some(secret),
            invitations: Some(Vec::new()),
            blocked: Some(Vec::new()),
        };
        let mut outbox = Outbox::default();
        let mut store = Store::in_memory().expect("memory is there");
        let mut receipt = || store.batch().commit().expect("nothing was written");
        for is_stored in [true, false] {
            outbox.reply(ConnId(1), bundle.clone());
            let secrets = is_stored.then(&mut receipt);
            let left: Vec<_> = outbox.release(receipt(), secrets.as_ref()).collect();
            let [Delivery::Reply { event, .. }] = &*left else {
                panic!("{left:?}")
            };
            let has_secret = event.windows(6).any(|bytes| bytes == b"-_v7-_");
            assert_eq!(has_secret, is_stored);
        }
    }

    #[test]
    fn what_is_staged_leaves_once_and_in_order() {
        let mut outbox = Outbox::default();
        outbox.send(ConnId(1), &Event::LoggedOut {});
        outbox.close(ConnId(1), End::Cut);
        outbox.send_all(Conns::new(), &Event::ServerKick {});
        let mark = outbox.mark();
        outbox.send(ConnId(2), &Event::ServerKick {});
        outbox.authenticated(ConnId(3), UserId(1));
        let taken = outbox.split_off(mark);
        assert_eq!((taken.len(), outbox.mark()), (2, mark));
        outbox.append(taken);
        let mut store = Store::in_memory().expect("memory is there");
        let mut receipt = || store.batch().commit().expect("nothing was written");
        let left = outbox.release(receipt(), None);
        let left: Vec<_> = left.map(|delivery| told(&delivery)).collect();
        assert_eq!(left, [(1, 116), (1, 0), (2, 104), (3, 0)]);
        assert_eq!(outbox.release(receipt(), None).count(), 0);
    }
}
