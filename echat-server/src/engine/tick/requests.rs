//! A connection's turn: its requests, one after another, within its budget.

use super::{TURNS, Tick};
use crate::conn::{ConnId, End};
use crate::engine::net::Payer;
use crate::handlers::refuse;
use crate::peer::Item;
use crate::routes;
use crate::store::StoreError;
use echat_proto::channel::Message;
use echat_proto::commands::{CloseReason, RequestKind};
use echat_proto::records::Code;
use zeroize::Zeroize;

/// Messages of one connection that one tick handles (wire.md 4).
const MESSAGES: usize = 32;

/// Bytes of a request that take as long as a step to decode, if they are many short values: 50 ns.
const STEP_BYTES: usize = 4;

/// The number of what was handled and is no request: the end of a connection.
pub(super) const NO_REQUEST: u32 = 0;

impl Tick<'_> {
    /// Handles a connection's messages within its budget. What goes over it is paid for by a rest, but
    /// not sending: that has a rate of its own.
    pub(super) fn serve(&mut self, conn: ConnId, payer: Payer) -> Result<(), StoreError> {
        let before = self.work();
        let mut sending = 0;
        let served = self.serve_messages(conn, payer, &mut sending);
        let work = self.work() - before;
        self.net.charge(payer, work, work - sending, self.now);
        if std::mem::take(&mut self.memory.fined) {
            self.net.fine(conn, self.now);
        }
        served
    }

    fn serve_messages(
        &mut self,
        conn: ConnId,
        payer: Payer,
        sending: &mut u64,
    ) -> Result<(), StoreError> {
        let before = self.work();
        let most = TURNS * self.net.turn();
        for _ in 0..MESSAGES {
            let start = self.work();
            let Some(slot) = self.net.slot(conn) else {
                break;
            };
            if slot.pending.is_some() || !slot.peer.has_queue_space(&self.memory.limits) {
                break;
            }
            let Some(item) = slot.peer.next_item() else {
                break;
            };
            // Who came just now, and is still told of, goes later.
            if goes(&item) && self.is_told_of(conn) {
                break;
            }
            let go_on = match item {
                Item::Request(message, bytes) => {
                    self.batch.count_work(bytes / STEP_BYTES);
                    let sends = message.command == RequestKind::SendMessage.info().number;
                    let go_on = self.request(conn, payer, message)?;
                    if sends {
                        *sending += self.work() - start;
                    }
                    go_on
                }
                Item::End(end) => {
                    self.remove_item(conn);
                    self.close(conn, end)?;
                    false
                }
            };
            let is_much = !self.is_little(before + *sending) || self.work() - before > most;
            if !go_on || is_much || self.memory.fined {
                break;
            }
        }
        Ok(())
    }

    /// Handles one message; false if the connection's turn ends with it.
    fn request(
        &mut self,
        conn: ConnId,
        payer: Payer,
        mut message: Message,
    ) -> Result<bool, StoreError> {
        self.did.messages += 1;
        let Some(kind) = RequestKind::from_number(message.command) else {
            return self.unknown(conn, message.command);
        };
        let started = self.start(conn, message.command);
        let result = routes::dispatch(&mut self.ctx(conn), kind, &message.params);
        if takes_password(kind) {
            message.params.zeroize();
        }
        // A refusal has its turn when the origin has rested for those before it.
        let is_due = matches!(payer, Payer::Refused(_));
        if self.memory.fined && !is_due && self.net.defer_refusal(conn) {
            self.memory.fined = false;
            return Ok(false);
        }
        let concluded = self.conclude(conn, started, result);
        // If the database was busy, the request is tried again.
        let tried_again = matches!(concluded, Ok(false));
        if !tried_again {
            self.remove_item(conn);
        }
        Ok(concluded? && !is_long(kind))
    }

    /// Passes over what was handled.
    fn remove_item(&mut self, conn: ConnId) {
        if let Some(slot) = self.net.slot(conn) {
            slot.peer.remove_item();
        }
    }

    /// Ends a connection. Its user is gone from here on, for whoever is handled after it.
    fn close(&mut self, conn: ConnId, end: End) -> Result<(), StoreError> {
        let started = self.start(conn, NO_REQUEST);
        // Who is still told of goes when the connection is gone.
        if !self.is_told_of(conn) {
            self.depart(conn, end.into())?;
        }
        self.memory.outbox.close(conn, end);
        self.note(conn, started, false);
        Ok(())
    }

    /// 204, and after too many of them the end.
    fn unknown(&mut self, conn: ConnId, number: u32) -> Result<bool, StoreError> {
        let started = self.start(conn, number);
        self.memory
            .outbox
            .reply(conn, &refuse(number, Code::UnknownCommand.into()));
        self.note(conn, started, false);
        let now = self.now;
        self.remove_item(conn);
        let slot = self.net.slot(conn);
        let too_many = slot.is_some_and(|slot| slot.peer.count_error(now));
        if too_many {
            self.close(conn, End::Notify(CloseReason::TooManyErrors))?;
        }
        Ok(!too_many)
    }
}

/// Whether a user goes with it.
fn goes(item: &Item) -> bool {
    match item {
        Item::Request(message, _) => message.command == RequestKind::Logout.info().number,
        Item::End(_) => true,
    }
}

/// Whether a request carries a password, which is not to linger in memory.
fn takes_password(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Register | RequestKind::Login)
}

/// Whether one of these is enough for a turn: the reply may be as long as a page, or the request as long
/// as a frame.
fn is_long(kind: RequestKind) -> bool {
    kind.is_paged() || matches!(kind, RequestKind::CreateRoom | RequestKind::AddMembers)
}
