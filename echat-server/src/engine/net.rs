//! The connections: who is there, whose turn it is, when each has to be looked at again. Knows users
//! only as those who pay for turns.

mod busy;
mod door;
mod full;
mod help;
mod rest;
mod serving;
mod turns;

use crate::clock::Now;
use crate::config::Limits;
use crate::conn::{ConnId, Departure, End};
use crate::handlers::account::Pending;
use crate::limits::{CountedTry, LogLimiter, rate_limit_prefix};
use crate::peer::Peer;
use crate::workers::jobs::{Job, JobResult};
use echat_proto::commands::CloseReason;
use echat_proto::group::Ephemeral;
use full::Full;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use turns::{Place, Turns};

pub(super) use turns::Payer;

/// Deadlines that one tick looks at: when a crowd expires, those who talk are served meanwhile.
const EXPIRED: usize = 256;

/// A connection and what the engine keeps of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says in which of the books it stands"
)]
pub(super) struct Slot {
    pub(super) peer: Peer,
    /// Who pays for its turns.
    payer: Payer,
    turn: Turn,
    /// Whether it is in `dirty`.
    dirty: bool,
    /// Whether it is in `guests`.
    guest: bool,
    spare: bool,
    /// Its place in `deadlines`.
    deadline: Duration,
    /// A request that waits for a worker; later ones wait for it.
    pub(super) pending: Option<Pending>,
    /// Since when its request finds the database busy.
    pub(super) busy_since: Option<Duration>,
    /// Whether it is in `blocked`.
    blocked: bool,
}

impl Slot {
    /// Whether it waits for a database that another program holds.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }
}

/// Whether a connection's turn is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// There is nothing to do, or not yet.
    No,
    /// It waits for its turn.
    Waits(Place),
    /// It has had this tick's.
    Had,
}

pub(super) struct Net {
    slots: BTreeMap<ConnId, Slot>,
    last: u64,
    by_origin: HashMap<IpAddr, usize>,
    guests: BTreeSet<ConnId>,
    spares: usize,
    turns: Turns,
    /// Work of a connection in one turn after which its payer rests.
    turn: u64,
    deadlines: BTreeSet<(Duration, ConnId)>,
    dirty: Vec<ConnId>,
    closed: Vec<ConnId>,
    /// Tries at passwords whose connections are gone before they were judged: of the connections in
    /// `closed`, and of those that were taken from it last.
    unjudged: HashMap<ConnId, CountedTry>,
    taken_unjudged: HashMap<ConnId, CountedTry>,
    /// Connections that are gone and whose users may have to be announced as gone, and why they went.
    pub(super) departed: VecDeque<(ConnId, Departure)>,
    /// What workers computed for requests that wait for it.
    pub(super) completed: Vec<(ConnId, JobResult)>,
    /// Of these, what waits for the database or for a rest.
    pub(super) held: Vec<(ConnId, JobResult)>,
    /// Connections whose request found the database busy, and when to try again.
    blocked: Vec<ConnId>,
    retry_at: Option<Duration>,
    jobs: Vec<Job>,
    prepared: Vec<Ephemeral>,
    preparing: usize,
    rng: StdRng,
    bad_frames: LogLimiter,
    full: Full,
    stopping: bool,
}

impl Net {
    pub(super) fn new(rng: StdRng) -> Self {
        let mut net = Self {
            slots: BTreeMap::new(),
            last: 0,
            by_origin: HashMap::new(),
            guests: BTreeSet::new(),
            spares: 0,
            turns: Turns::default(),
            turn: rest::TURN,
            deadlines: BTreeSet::new(),
            dirty: Vec::new(),
            closed: Vec::new(),
            unjudged: HashMap::new(),
            taken_unjudged: HashMap::new(),
            departed: VecDeque::new(),
            completed: Vec::new(),
            held: Vec::new(),
            blocked: Vec::new(),
            retry_at: None,
            jobs: Vec::new(),
            prepared: Vec::new(),
            preparing: 0,
            rng,
            bad_frames: LogLimiter::default(),
            full: Full::default(),
            stopping: false,
        };
        net.prepare_more();
        net
    }

    pub(super) fn receive(&mut self, conn: ConnId, bytes: &[u8], limits: &Limits, now: Now) {
        let Some(slot) = self.slots.get_mut(&conn) else {
            return;
        };
        if let Some(hello) = slot.peer.receive(bytes, limits, now) {
            let address = slot.peer.address.ip();
            self.answer(conn, address, hello);
        }
        self.log_bad_frame(conn, now);
        self.settle(conn, limits);
    }

    /// Logs a bad frame, without its contents and within the rate limit of the line.
    fn log_bad_frame(&mut self, conn: ConnId, now: Now) {
        let Some(slot) = self.slots.get_mut(&conn) else {
            return;
        };
        let Some(error) = slot.peer.take_frame_error() else {
            return;
        };
        if self.bad_frames.allows(now.running) {
            tracing::warn!(%conn, address = %slot.peer.address, %error, "bad frame");
        }
    }

    /// Does something to a peer and notes what follows from it.
    pub(super) fn with(&mut self, conn: ConnId, limits: &Limits, act: impl FnOnce(&mut Peer)) {
        if let Some(slot) = self.slots.get_mut(&conn) {
            act(&mut slot.peer);
            self.settle(conn, limits);
        }
    }

    /// Brings the books in line with a peer after something happened to it.
    pub(super) fn settle(&mut self, conn: ConnId, limits: &Limits) {
        let Some(slot) = self.slots.get_mut(&conn) else {
            return;
        };
        if slot.peer.is_closed() {
            return self.remove(conn);
        }
        if !slot.dirty && !slot.peer.is_flushed() {
            slot.dirty = true;
            self.dirty.push(conn);
        }
        let ready = slot.peer.has_items()
            && slot.pending.is_none()
            && !slot.blocked
            && slot.peer.has_queue_space(limits);
        if ready && slot.turn == Turn::No {
            slot.turn = Turn::Waits(self.turns.wait(slot.payer, conn));
        }
        let guest = !slot.peer.is_authenticated();
        if guest != slot.guest {
            slot.guest = guest;
            if guest {
                self.guests.insert(conn);
            } else {
                self.guests.remove(&conn);
            }
        }
        let deadline = slot.peer.deadline(limits);
        // A later deadline is found out when the earlier one comes: activity costs nothing here.
        if deadline < slot.deadline {
            self.deadlines.remove(&(slot.deadline, conn));
            self.deadlines.insert((deadline, conn));
            slot.deadline = deadline;
        }
    }

    fn remove(&mut self, conn: ConnId) {
        let Some(slot) = self.slots.remove(&conn) else {
            return;
        };
        self.deadlines.remove(&(slot.deadline, conn));
        if let Turn::Waits(place) = slot.turn {
            self.turns.leave(place, conn);
        }
        if let Some(pending) = &slot.pending {
            let counted = pending.counted();
            self.unjudged.extend(counted.map(|counted| (conn, counted)));
            self.held.retain(|(held, _)| *held != conn);
        }
        self.guests.remove(&conn);
        self.spares -= usize::from(slot.spare);
        let origin = rate_limit_prefix(slot.peer.address.ip());
        if let Some(count) = self.by_origin.get_mut(&origin).filter(|_| !slot.spare) {
            *count -= 1;
            if *count == 0 {
                self.by_origin.remove(&origin);
            }
        }
        self.closed.push(conn);
        self.departed.push_back((conn, slot.peer.departure()));
    }

    /// Does what is due, lets those try again who found the database busy, and those go on who have
    /// rested.
    pub(super) fn expire(&mut self, limits: &Limits, now: Now) {
        let due = self.deadlines.range(..=(now.running, ConnId(u64::MAX)));
        for (at, conn) in due.take(EXPIRED).copied().collect::<Vec<_>>() {
            self.deadlines.remove(&(at, conn));
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.deadline = Duration::MAX;
                slot.peer.expire(limits, now);
                self.settle(conn, limits);
            }
        }
        self.unblock(limits, now);
        self.full.expire(now.running);
        if self.turns.wake(now.running) {
            self.completed.append(&mut self.held);
        }
    }

    pub(super) fn slot(&mut self, conn: ConnId) -> Option<&mut Slot> {
        self.slots.get_mut(&conn)
    }

    pub(super) fn peer(&self, conn: ConnId) -> Option<&Peer> {
        self.slots.get(&conn).map(|slot| &slot.peer)
    }

    pub(super) fn has_work(&self) -> bool {
        self.turns.is_ready() || !self.departed.is_empty() || !self.completed.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let first = self.deadlines.first().map(|(at, _)| *at);
        // Nobody waits for the end of a rest but those who have something to do.
        let awaited = self.turns.waiting() > 0 || !self.held.is_empty();
        let rested = self.turns.first_rested().filter(|_| awaited);
        let others = [self.retry_at, rested, self.full.deadline()];
        others.into_iter().chain([first]).flatten().min()
    }

    pub(super) fn take_dirty(&mut self) -> Vec<ConnId> {
        let dirty = std::mem::take(&mut self.dirty);
        for conn in &dirty {
            if let Some(slot) = self.slots.get_mut(conn) {
                slot.dirty = false;
            }
        }
        dirty
    }

    pub(super) fn take_closed(&mut self) -> Vec<ConnId> {
        self.taken_unjudged = std::mem::take(&mut self.unjudged);
        std::mem::take(&mut self.closed)
    }

    /// The try at a password of a connection that [`take_closed`](Self::take_closed) gave last, if it was
    /// not judged.
    pub(super) fn take_unjudged(&mut self, conn: ConnId) -> Option<CountedTry> {
        self.taken_unjudged.remove(&conn)
    }

    pub(super) fn output(&mut self, conn: ConnId, limits: &Limits, now: Now) -> &[u8] {
        if let Some(slot) = self.slots.get_mut(&conn) {
            slot.peer.seal(&mut self.rng, limits, now);
            if slot.peer.deadline(limits) < slot.deadline {
                self.settle(conn, limits);
            }
        }
        self.peer(conn).map_or(&[], Peer::output)
    }

    pub(super) fn stop(&mut self, limits: &Limits, now: Now) {
        self.stopping = true;
        let restarting = End::Notify(CloseReason::Restarting);
        for conn in self.slots.keys().copied().collect::<Vec<_>>() {
            self.with(conn, limits, |peer| peer.close(restarting, now));
        }
    }

    /// Writes what the log still lacks.
    pub(super) fn finish_log(&mut self) {
        self.full.finish();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether nothing is kept of any connection that was ever there.
    pub(super) fn is_blank(&self) -> bool {
        let books = [
            self.slots.len(),
            self.by_origin.len(),
            self.guests.len(),
            self.spares,
            self.turns.waiting(),
            self.deadlines.len(),
            self.dirty.len(),
            self.closed.len(),
            self.unjudged.len(),
            self.departed.len(),
            self.completed.len(),
            self.held.len(),
            self.blocked.len(),
        ];
        books.iter().all(|kept| *kept == 0) && self.retry_at.is_none()
    }
}

#[cfg(test)]
mod tests;
