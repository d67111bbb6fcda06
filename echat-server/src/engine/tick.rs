//! One tick: one transaction. Requests are handled in the order in which their connections got
//! ready, each connection within its budget; then comes the commit, and only its receipt lets the
//! answers go.

mod conclusion;

use super::net::Net;
use super::undo::{Handled, undo};
use super::{Memory, chores};
use crate::clock::Now;
use crate::conn::{ConnId, End};
use crate::handlers::{Answer, Ctx, Reject, account, gate, refuse};
use crate::jobs::Done;
use crate::outbox::Delivery;
use crate::peer::Item;
use crate::routes;
use crate::store::{Batch, Receipt, Store, StoreError};
use account::Pending;
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::{CloseReason, Event, RequestKind};
use echat_proto::limits::NAMES;
use echat_proto::records::Code;
use std::net::Ipv4Addr;
use std::rc::Rc;
use zeroize::Zeroize;

/// Messages of one connection that one tick handles.
const MESSAGES: usize = 32;
/// What normalising a name costs, as steps of the database: up to 26 us.
const NAME_STEPS: usize = 600;

/// The number of what was handled and is no request: the end of a connection.
const NO_REQUEST: u32 = 0;

/// Handles what waits, commits it, and queues the answers.
pub(super) fn tick(
    store: &mut Store,
    memory: &mut Memory,
    net: &mut Net,
    now: Now,
) -> Result<(), StoreError> {
    net.expire(&memory.limits, now);
    let (committed, handled) = attempt(store.batch(), memory, net, now);
    match committed {
        Ok(receipt) => finish(store, memory, net, now, receipt),
        Err(StoreError::Full) => {
            tracing::error!("the disk is full: what this moment was to store is refused");
            let receipt = undo(store, memory, &handled, now)?;
            finish(store, memory, net, now, receipt)
        }
        Err(fatal) => Err(fatal),
    }
}

/// Handles what waits and commits it; also says what it handled.
fn attempt(
    batch: Batch<'_>,
    memory: &mut Memory,
    net: &mut Net,
    now: Now,
) -> (Result<Receipt, StoreError>, Vec<Handled>) {
    let mut turn = Turn {
        batch,
        memory,
        net,
        now,
        handled: Vec::new(),
    };
    let ran = turn.run();
    let Turn { batch, handled, .. } = turn;
    (ran.and_then(|()| batch.commit()), handled)
}

/// Lets the answers go, and does what no answer depends on.
fn finish(
    store: &mut Store,
    memory: &mut Memory,
    net: &mut Net,
    now: Now,
    receipt: Receipt,
) -> Result<(), StoreError> {
    let limits = &memory.limits;
    for delivery in memory.outbox.release(receipt) {
        match delivery {
            Delivery::Event { to, event } => {
                let bytes = encoded(&event);
                for conn in to {
                    net.with(conn, limits, |peer| peer.send(bytes.clone(), limits, now));
                }
            }
            Delivery::Reply { to, event } => {
                net.with(to, limits, |peer| peer.reply(encoded(&event), limits, now));
            }
            Delivery::Close { conn, end } => net.with(conn, limits, |peer| peer.close(end, now)),
            Delivery::Trust(conn) => net.with(conn, limits, |peer| peer.trust(limits)),
            Delivery::Distrust(conn) => net.with(conn, limits, |peer| peer.distrust(now)),
        }
    }
    chores::write(store, &mut memory.chores)
}

fn encoded(event: &Event) -> Rc<[u8]> {
    let bytes = event.to_message().encode();
    bytes.expect("the table's events have a wire form").into()
}

struct Turn<'t> {
    batch: Batch<'t>,
    memory: &'t mut Memory,
    net: &'t mut Net,
    now: Now,
    handled: Vec<Handled>,
}

impl<'t> Turn<'t> {
    fn run(&mut self) -> Result<(), StoreError> {
        self.announce_departed()?;
        self.finish_completed()?;
        let mut served = Ok(());
        for conn in self.net.take_runnable() {
            if served.is_ok() {
                served = self.serve(conn);
            }
            // Whoever was not served for an error keeps a turn.
            self.net.settle(conn, &self.memory.limits);
        }
        served
    }

    fn ctx(&mut self, conn: ConnId) -> Ctx<'_, 't> {
        // Nobody asks where a connection that is gone came from.
        let address = self
            .net
            .peer(conn)
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |p| p.address.ip());
        self.memory.ctx(&mut self.batch, conn, address, self.now)
    }

    /// Those whose connection is gone are gone.
    fn announce_departed(&mut self) -> Result<(), StoreError> {
        std::mem::take(&mut self.net.departed)
            .into_iter()
            .try_for_each(|conn| self.depart(conn))
    }

    /// Ends the session of a connection, if it has one, and tells who is to know.
    fn depart(&mut self, conn: ConnId) -> Result<(), StoreError> {
        let mut ctx = self.ctx(conn);
        let Ok(me) = gate::member(&ctx) else {
            return Ok(());
        };
        match account::depart(&mut ctx, &me) {
            Err(Reject::Store(StoreError::Busy)) => {
                // Their friends cannot be looked up now: they see it when they look themselves.
                ctx.roster.leave(conn);
                Ok(())
            }
            Err(Reject::Store(error)) => Err(error),
            Ok(()) | Err(Reject::Refused(_)) => Ok(()),
        }
    }

    /// Second steps of REGISTER and LOGIN. Logins go first: they read and do not write, so they
    /// never rest on what a full disk takes back.
    fn finish_completed(&mut self) -> Result<(), StoreError> {
        let mut completed = std::mem::take(&mut self.net.completed);
        completed.sort_by_key(|(_, done)| matches!(done, Done::Hashed(_)));
        let mut completed = completed.into_iter();
        let mut finished = Ok(());
        for (conn, done) in completed.by_ref() {
            finished = self.finish_request(conn, done);
            self.net.settle(conn, &self.memory.limits);
            if finished.is_err() {
                break;
            }
        }
        // What was not come to for an error is done in the next tick.
        self.net.completed.extend(completed);
        finished
    }

    /// The second step of one request.
    fn finish_request(&mut self, conn: ConnId, done: Done) -> Result<(), StoreError> {
        let Some(slot) = self.net.slot(conn) else {
            return Ok(());
        };
        let Some(pending) = slot.pending.take() else {
            return Ok(());
        };
        // A goodbye was said meanwhile: no answer would leave, so nothing is done either.
        if slot.peer.is_closing() {
            return Ok(());
        }
        let started = self.start(conn, pending.number());
        let result = match (&pending, &done) {
            (Pending::Register(name), Done::Hashed(hash)) => {
                account::registered(&mut self.ctx(conn), name, hash)
            }
            (Pending::Login(attempt), Done::Verified(verdict)) => {
                account::logged_in(&mut self.ctx(conn), attempt, verdict)
            }
            _ => unreachable!("a helper's result of another kind than its request"),
        };
        if !self.conclude(conn, started, result.map(Answer::Reply))? {
            if let Some(slot) = self.net.slot(conn) {
                slot.pending = Some(pending);
            }
            self.net.completed.push((conn, done));
        }
        Ok(())
    }

    /// Handles a connection's messages within its budget. What goes over it is paid for by a rest.
    fn serve(&mut self, conn: ConnId) -> Result<(), StoreError> {
        let before = self.batch.work();
        let served = self.serve_from(conn, before);
        self.net.rest(conn, self.batch.work() - before, self.now);
        served
    }

    fn serve_from(&mut self, conn: ConnId, before: u64) -> Result<(), StoreError> {
        for _ in 0..MESSAGES {
            let Some(slot) = self.net.slot(conn) else {
                break;
            };
            if slot.pending.is_some() || slot.peer.is_backed_up(&self.memory.limits) {
                break;
            }
            let go_on = match slot.peer.next_item() {
                Some(Item::Request(message)) => self.request(conn, message)?,
                Some(Item::End(end)) => {
                    self.close(conn, end)?;
                    false
                }
                None => false,
            };
            if !go_on || self.net.is_much(self.batch.work() - before) {
                break;
            }
        }
        Ok(())
    }

    /// Handles one message; false if the connection's turn ends with it.
    fn request(&mut self, conn: ConnId, mut message: Message) -> Result<bool, StoreError> {
        let Some(kind) = RequestKind::from_number(message.command) else {
            return self.unknown(conn, message.command);
        };
        let started = self.start(conn, message.command);
        self.batch
            .count_work(NAME_STEPS * names_in(&message.params));
        let result = routes::dispatch(&mut self.ctx(conn), kind, &message.params);
        let concluded = self.conclude(conn, started, result)?;
        if concluded && takes_password(kind) {
            message.params.zeroize();
        } else if !concluded && let Some(slot) = self.net.slot(conn) {
            slot.peer.put_back(Item::Request(message));
        }
        Ok(concluded && !is_long(kind))
    }

    /// Ends a connection. Its user is gone from here on, for whoever is handled after it.
    fn close(&mut self, conn: ConnId, end: End) -> Result<(), StoreError> {
        let started = self.start(conn, NO_REQUEST);
        self.depart(conn)?;
        self.memory.outbox.close(conn, end);
        self.note(conn, started, false);
        Ok(())
    }

    /// 204, and after too many of them the end.
    fn unknown(&mut self, conn: ConnId, number: u32) -> Result<bool, StoreError> {
        let started = self.start(conn, number);
        self.memory
            .outbox
            .reply(conn, refuse(number, Code::UnknownCommand.into()));
        self.note(conn, started, false);
        let now = self.now;
        let too_many = self
            .net
            .slot(conn)
            .is_some_and(|slot| slot.peer.count_error(now));
        if too_many {
            self.close(conn, End::Notify(CloseReason::TooManyErrors))?;
        }
        Ok(!too_many)
    }
}

/// Whether a request carries a password, which is not to linger in memory.
fn takes_password(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Register | RequestKind::Login)
}

/// How many names a request lists: they are normalised before anything else, whatever it comes to.
fn names_in(params: &Value) -> usize {
    match params.at("members") {
        Some(Value::List(names)) => names.len().min(NAMES),
        _ => 0,
    }
}

/// Whether one of these is enough for a turn: the reply may be as long as a page, and 32 of them more
/// than a queue may hold, or the request as long as a frame.
fn is_long(kind: RequestKind) -> bool {
    use RequestKind::{AddMembers, CreateRoom, Find, ListMembers, ListRooms, QueryHistory};
    let reply = matches!(kind, QueryHistory | ListRooms | ListMembers | Find);
    reply || matches!(kind, CreateRoom | AddMembers)
}
