//! One tick: one transaction. Those who are gone are announced, what workers computed is finished,
//! and connections have their turns until the tick's work is done; then comes the commit, and only
//! its receipt lets the answers go. What is left waits for the next tick, which comes at once.

mod conclusion;
mod departures;
mod requests;
mod second_steps;

use super::net::Net;
use super::news::{Listeners, News};
use super::undo::{Handled, undo};
use super::{Engine, Memory, chores};
use crate::clock::Now;
use crate::conn::ConnId;
use crate::handlers::Ctx;
use crate::outbox::Delivery;
use crate::store::{Batch, Receipt, StoreError};
use echat_proto::records::Code;
use std::net::Ipv4Addr;

/// Turns of much work, a millisecond each, after which a tick gives no other. Nobody waits longer for
/// those before, but for what one request takes alone.
const TURNS: u64 = 5;
/// Turns of much work that telling of coming and going may take of a tick.
const NEWS_TURNS: u64 = 2;
/// What handling a message costs besides the database, as steps of it: 10 us.
const MESSAGE_STEPS: u64 = 200;
/// What queueing an event for one connection costs, as steps of the database: 0.5 us. The write it leaves
/// by costs more, but once a tick: the more events share it, the less each of them costs.
const SEND_STEPS: u64 = 10;
/// What telling one connection of coming and going costs, its share of a write with it: 1.5 us.
const NEWS_STEPS: u64 = 30;
/// Bytes of a reply that take as long as a step, read, encoded and sealed: 50 ns.
const STEP_BYTES: u64 = 8;

/// Handles what waits, commits it, and queues the answers.
pub(super) fn tick(engine: &mut Engine, now: Now) -> Result<(), StoreError> {
    engine.net.expire(&engine.memory.limits, now);
    engine.memory.sessions.expire(now.running);
    engine.losses.expire(now.running);
    engine.load_day(now)?;
    let (committed, did) = attempt(engine, now);
    match committed {
        Ok(receipt) => finish(engine, now, receipt)?,
        Err(StoreError::Full) => {
            engine.losses.refuse(now.running);
            take_back(engine, now, &did, Code::StorageFull)?;
        }
        Err(StoreError::Damaged(_)) => take_back(engine, now, &did, Code::StorageDamaged)?,
        Err(fatal) => return Err(fatal),
    }
    engine.damages.note(&mut engine.store, now);
    for conn in did.served {
        engine.net.end_turn(conn, &engine.memory.limits);
    }
    Ok(())
}

/// Refuses what a tick wrote that cannot be kept, and does the rest.
fn take_back(engine: &mut Engine, now: Now, did: &Did, code: Code) -> Result<(), StoreError> {
    let handled = (&*did.handled, code);
    let receipt = undo(&mut engine.store, &mut engine.memory, handled, now)?;
    finish(engine, now, receipt)
}

/// What a tick did.
#[derive(Default)]
struct Did {
    handled: Vec<Handled>,
    /// The connections that had a turn.
    served: Vec<ConnId>,
    /// Messages that were handled.
    messages: u64,
}

/// Handles what waits and commits it; also says what it did.
fn attempt(engine: &mut Engine, now: Now) -> (Result<Receipt, StoreError>, Did) {
    let mut tick = Tick {
        batch: engine.store.batch(),
        memory: &mut engine.memory,
        net: &mut engine.net,
        news: &engine.news,
        now,
        apart: engine.damages.are_near(now),
        did: Did::default(),
    };
    let ran = tick.run();
    let Tick { batch, did, .. } = tick;
    (ran.and_then(|()| batch.commit()), did)
}

/// Lets the answers go, and does what no answer depends on.
fn finish(engine: &mut Engine, now: Now, receipt: Receipt) -> Result<(), StoreError> {
    let memory = &mut engine.memory;
    memory.roster.commit();
    memory.sessions.commit();
    memory.throttle.commit();
    let limits = &memory.limits;
    let mut listeners = Listeners {
        roster: &memory.roster,
        net: &mut engine.net,
        limits,
        now,
    };
    for delivery in memory.outbox.release(receipt) {
        let net = &mut *listeners.net;
        match delivery {
            Delivery::Event { to, event } => {
                for conn in to {
                    net.with(conn, limits, |peer| peer.send(event.clone(), limits, now));
                }
            }
            Delivery::Presence(coming) => engine.news.begin(coming),
            Delivery::CatchUp { user, room, to } => {
                engine.news.catch_up(user, room, &to, &mut listeners);
            }
            Delivery::Reply { to, event } => {
                net.with(to, limits, |peer| peer.reply(event, limits, now));
            }
            Delivery::Close { conn, end } => net.with(conn, limits, |peer| peer.close(end, now)),
            Delivery::Authenticated(conn, user) => {
                net.bill(conn, Some(user));
                net.with(conn, limits, |peer| peer.authenticate(limits));
            }
            Delivery::Unauthenticated(conn) => {
                net.bill(conn, None);
                net.with(conn, limits, |peer| peer.end_session(now));
            }
        }
    }
    let sends = NEWS_TURNS * listeners.net.turn() / NEWS_STEPS;
    engine.news.go_on(sends.max(1), &mut listeners);
    let (store, chores) = (&mut engine.store, &mut memory.chores);
    chores::write(store, chores, &mut engine.losses, now)
}

/// A tick that goes on.
struct Tick<'t> {
    batch: Batch<'t>,
    memory: &'t mut Memory,
    net: &'t mut Net,
    news: &'t News,
    now: Now,
    /// Whether writes of several are kept apart.
    apart: bool,
    did: Did,
}

impl<'t> Tick<'t> {
    fn run(&mut self) -> Result<(), StoreError> {
        self.announce_departed()?;
        self.finish_completed()?;
        let start = self.work();
        while self.work() - start < TURNS * self.net.turn()
            && !self.is_over()
            && let Some((conn, payer)) = self.net.next_turn()
        {
            self.did.served.push(conn);
            self.serve(conn, payer)?;
        }
        Ok(())
    }

    fn ctx(&mut self, conn: ConnId) -> Ctx<'_, 't> {
        // Nobody asks where a connection that is gone came from.
        let address = self
            .net
            .peer(conn)
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |p| p.address.ip());
        self.memory.ctx(&mut self.batch, conn, address, self.now)
    }

    /// The work that was done so far, in steps of the database or as if it had taken them.
    fn work(&self) -> u64 {
        let outbox = &self.memory.outbox;
        let sends = u64::try_from(outbox.sends()).unwrap_or(u64::MAX);
        let bytes = u64::try_from(outbox.bytes()).unwrap_or(u64::MAX);
        let sending = SEND_STEPS * sends + bytes / STEP_BYTES;
        self.batch.work() + MESSAGE_STEPS * self.did.messages + sending
    }

    /// Whether the tick is to be committed before anything else is done.
    fn is_over(&self) -> bool {
        self.apart && self.batch.writes() > 0
    }

    /// Whether no more was done since than one turn may be.
    fn is_little(&self, since: u64) -> bool {
        self.work() - since <= self.net.turn()
    }
}
