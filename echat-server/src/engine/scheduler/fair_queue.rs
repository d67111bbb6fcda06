//! Start-time fair queueing (Goyal, Vin and Cheng, 1996).
//!
//! A flow is a user, or the address prefix of connections without a login: a hundred connections of one flow
//! get no more than one. Time here is cost: a flow's next turn begins where its last one ended, or now if
//! that is later, and the earliest goes first. So a flow that asks for little is served before all that
//! ask for much, however many they are. A flow that asked for much in one turn also cools down.

use super::cooldown::{Cooldown, REFUSAL};
use super::cost::PASSWORD_HASH;
use crate::conn::ConnId;
use crate::storage::UserId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Flows that are remembered before the first search for those that can be forgotten.
const SWEEP: usize = 64;

/// What pays for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum FlowKey {
    /// The user who is logged in.
    User(UserId),
    /// The rate-limit prefix of a connection without a login.
    Prefix(IpAddr),
    /// Attempts at passwords from a prefix that are to be refused. They cool down for each refusal; other
    /// requests of the prefix do not.
    Refused(IpAddr),
}

/// A connection's entry in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    key: FlowKey,
    number: u64,
}

impl Ticket {
    /// What pays for the turn.
    pub(super) fn key(self) -> FlowKey {
        self.key
    }
}

/// The connections of one key that wait for a turn.
#[derive(Debug, Default)]
struct Flow {
    /// Where its next turn begins, in virtual time.
    begins: Duration,
    waiting: BTreeSet<(u64, ConnId)>,
    /// Its entry in `ready`, if it has one.
    ready: Option<(Duration, u64)>,
    cooldown: Cooldown,
    /// Until when it cools down for refused attempts.
    refused_until: Duration,
}

/// The flows that wait for a turn, and those that cool down.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    flows: BTreeMap<FlowKey, Flow>,
    /// Flows that wait and do not cool down, by where their turn begins and then by their number.
    ready: BTreeSet<(Duration, u64, FlowKey)>,
    /// Flows that cool down for the cost of a turn, and until when.
    cooling: BTreeSet<(Duration, FlowKey)>,
    /// Flows that cool down for refused attempts, and until when. They do not make the cool-downs of `cooling`
    /// longer.
    refused: BTreeSet<(Duration, FlowKey)>,
    /// Virtual time: where the last turn began.
    now: Duration,
    /// Where the last of all turns ended.
    end: Duration,
    /// Numbers given so far, to tickets and to flows that became ready: the lowest goes first.
    numbers: u64,
    /// Connections that wait, whether their flows cool down or not.
    waiting: usize,
    sweep_at: usize,
}

impl FairQueue {
    /// Queues a connection for a turn.
    pub(super) fn push(&mut self, key: FlowKey, conn: ConnId) -> Ticket {
        self.numbers += 1;
        let ticket = Ticket {
            key,
            number: self.numbers,
        };
        let flow = self.flows.entry(key).or_default();
        flow.waiting.insert((ticket.number, conn));
        self.waiting += 1;
        self.arrange(key);
        ticket
    }

    /// Takes a connection out of the queue again.
    pub(super) fn remove(&mut self, ticket: Ticket, conn: ConnId) {
        if let Some(flow) = self.flows.get_mut(&ticket.key)
            && flow.waiting.remove(&(ticket.number, conn))
        {
            self.waiting -= 1;
        }
        self.arrange(ticket.key);
    }

    /// The connection whose turn it is, if there is one. Its flow has no other turn before [`charge`].
    ///
    /// [`charge`]: Self::charge
    pub(super) fn pop(&mut self) -> Option<(ConnId, FlowKey)> {
        let Some((begins, _, key)) = self.ready.pop_first() else {
            // The queue is empty: no flow had to wait for what others had before.
            self.now = self.end;
            return None;
        };
        self.now = self.now.max(begins);
        let flow = self.flows.get_mut(&key)?;
        flow.ready = None;
        let (_, conn) = flow.waiting.pop_first()?;
        self.waiting -= 1;
        Some((conn, key))
    }

    /// Charges a flow for the cost of a turn. The flow also cools down for `heavy`, if it is given.
    pub(super) fn charge(
        &mut self,
        key: FlowKey,
        cost: Duration,
        heavy: Option<Duration>,
        now: Duration,
    ) {
        self.sweep(now);
        let others = self.cooling.len();
        let flow = self.flows.entry(key).or_default();
        flow.begins = flow.begins.max(self.now).saturating_add(cost);
        self.end = self.end.max(flow.begins);
        if let Some(heavy) = heavy {
            self.cooling.remove(&(flow.cooldown.until(), key));
            flow.cooldown.begin(heavy, others, now);
            self.cooling.insert((flow.cooldown.until(), key));
        }
        self.arrange(key);
    }

    /// Charges a [`FlowKey::Refused`] for a refused attempt at a password as for its hash, and lets it cool down.
    /// The attempt was no work, so it makes no other cool-down longer.
    pub(super) fn charge_refusal(&mut self, key: FlowKey, now: Duration) {
        self.sweep(now);
        let flow = self.flows.entry(key).or_default();
        flow.begins = flow.begins.max(self.now).saturating_add(PASSWORD_HASH);
        self.end = self.end.max(flow.begins);
        self.refused.remove(&(flow.refused_until, key));
        flow.refused_until = flow.refused_until.max(now) + REFUSAL;
        self.refused.insert((flow.refused_until, key));
        self.arrange(key);
    }

    /// Ends the cool-downs that are over; whether there were any.
    pub(super) fn wake(&mut self, now: Duration) -> bool {
        let mut over = Vec::new();
        for cooling in [&mut self.cooling, &mut self.refused] {
            while cooling.first().is_some_and(|(until, _)| *until <= now) {
                over.extend(cooling.pop_first());
            }
        }
        for (_, key) in &over {
            self.arrange(*key);
        }
        !over.is_empty()
    }

    /// Until when a flow cools down, if it does.
    pub(super) fn cooling_until(&self, key: FlowKey) -> Option<Duration> {
        let flow = self.flows.get(&key)?;
        let (work, refusals) = (flow.cooldown.until(), flow.refused_until);
        let work = self.cooling.contains(&(work, key)).then_some(work);
        let refusals = self.refused.contains(&(refusals, key)).then_some(refusals);
        work.max(refusals)
    }

    /// Whether a flow cools down.
    pub(super) fn is_cooling(&self, key: FlowKey) -> bool {
        self.cooling_until(key).is_some()
    }

    /// Whether a connection of a flow waits, or the flow cools down: a further one has to queue.
    pub(super) fn is_busy(&self, key: FlowKey) -> bool {
        let waits = |flow: &Flow| !flow.waiting.is_empty();
        self.is_cooling(key) || self.flows.get(&key).is_some_and(waits)
    }

    /// When the first cool-down is over.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        let firsts = [self.cooling.first(), self.refused.first()];
        firsts.into_iter().flatten().map(|(until, _)| *until).min()
    }

    /// Whether a connection could have a turn now.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Connections that wait, whether their flows cool down or not.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Brings `ready` in line with a flow.
    fn arrange(&mut self, key: FlowKey) {
        let cooling = self.is_cooling(key);
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        let waits = !flow.waiting.is_empty() && !cooling;
        match flow.ready {
            Some((begins, number)) if !waits => {
                self.ready.remove(&(begins, number, key));
                flow.ready = None;
            }
            None if waits => {
                // Time in which it did not wait, or cooled down, is not saved up for it.
                flow.begins = flow.begins.max(self.now);
                self.numbers += 1;
                flow.ready = Some((flow.begins, self.numbers));
                self.ready.insert((flow.begins, self.numbers, key));
            }
            _ => {}
        }
    }

    /// Forgets the flows without a state, when they may be half of all.
    fn sweep(&mut self, now: Duration) {
        if self.flows.len() < self.sweep_at {
            return;
        }
        let ahead = self.now;
        self.flows.retain(|_, flow| {
            !flow.waiting.is_empty()
                || flow.begins > ahead
                || flow.refused_until > now
                || !flow.cooldown.is_forgotten(now)
        });
        self.sweep_at = SWEEP.max(2 * self.flows.len());
    }
}

#[cfg(test)]
mod tests;
