//! What a tick wants to say, held back until it is durable. Knows neither encryption nor sockets.
//!
//! Handlers stage; only [`Outbox::release`] gives anything out, and it asks for a [`Receipt`], which
//! only a commit makes: an answer before its commit does not compile.

use crate::conn::{ConnId, End};
use crate::store::Receipt;
use echat_proto::commands::Event;

/// Something that leaves after the commit, in the order in which it was staged.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The same event for each of these connections; encoded once.
    Event {
        /// Who gets it.
        to: Vec<ConnId>,
        /// What.
        event: Event,
    },
    /// The final reply of a request. It comes one at a time, so it never makes a queue too long.
    Reply {
        /// Who asked.
        to: ConnId,
        /// The answer.
        event: Event,
    },
    /// Closes a connection after all that was said to it.
    Close {
        /// Which.
        conn: ConnId,
        /// How.
        end: End,
    },
    /// The connection may send frames of the size that a login allows.
    Trust(ConnId),
    /// Nobody is logged in at the connection any more.
    Distrust(ConnId),
}

/// The staged deliveries of a tick.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    staged: Vec<Delivery>,
}

impl Outbox {
    /// Stages an event for one connection.
    pub(crate) fn send(&mut self, to: ConnId, event: Event) {
        self.send_all(vec![to], event);
    }

    /// Stages an event for several connections; nothing if there are none.
    pub(crate) fn send_all(&mut self, to: Vec<ConnId>, event: Event) {
        if !to.is_empty() {
            self.staged.push(Delivery::Event { to, event });
        }
    }

    /// Stages the final reply of a request.
    pub(crate) fn reply(&mut self, to: ConnId, event: Event) {
        self.staged.push(Delivery::Reply { to, event });
    }

    /// Stages the end of a connection.
    pub(crate) fn close(&mut self, conn: ConnId, end: End) {
        self.staged.push(Delivery::Close { conn, end });
    }

    /// Stages the larger frame limit of a login.
    pub(crate) fn trust(&mut self, conn: ConnId) {
        self.staged.push(Delivery::Trust(conn));
    }

    /// Stages the end of a login on a connection that stays.
    pub(crate) fn distrust(&mut self, conn: ConnId) {
        self.staged.push(Delivery::Distrust(conn));
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
        std::mem::take(&mut self.staged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn told(delivery: &Delivery) -> (u64, u32) {
        match delivery {
            Delivery::Event { to, event } => (to[0].0, event.number()),
            Delivery::Reply { to, event } => (to.0, event.number()),
            Delivery::Close { conn, .. } | Delivery::Trust(conn) | Delivery::Distrust(conn) => {
                (conn.0, 0)
            }
        }
    }

    #[test]
    fn what_is_staged_leaves_once_and_in_order() {
        let mut outbox = Outbox::default();
        outbox.send(ConnId(1), Event::LoggedOut {});
        outbox.close(ConnId(1), End::Cut);
        outbox.send_all(Vec::new(), Event::ServerKick {});
        let mark = outbox.mark();
        outbox.send(ConnId(2), Event::ServerKick {});
        outbox.trust(ConnId(3));
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
