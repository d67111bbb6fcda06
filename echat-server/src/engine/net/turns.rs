//! Whose turn it is. Who pays for a turn is a user, or the origin of those who are not logged in: a
//! hundred connections get no more than one.
//!
//! The order is that of start-time fair queueing (Goyal, Vin and Cheng, 1996). Time here is work: a
//! payer's next turn begins where the last one ended, or now if that is later, and the earliest
//! goes first. So whoever asks for little is served before all who ask for much, however many they
//! are. Who asked for much in one turn also rests (`rest.rs`).

use super::rest::{self, Rest};
use crate::conn::ConnId;
use crate::store::UserId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Payers that are remembered before those are looked for that need not be.
const SWEEP: usize = 64;

/// Who pays for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Payer {
    /// Who is logged in.
    User(UserId),
    /// Where somebody comes from who is not.
    Origin(IpAddr),
    /// Tries at passwords from an origin that are to be refused. They rest for each refusal, and other
    /// requests of the origin do not.
    Refused(IpAddr),
}

/// A connection's place among those that wait for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    payer: Payer,
    number: u64,
}

/// A payer, and the connections that wait for a turn at its cost.
#[derive(Debug, Default)]
struct Flow {
    /// Where its next turn begins, in steps of work.
    begins: u64,
    waiting: BTreeSet<(u64, ConnId)>,
    /// Its place in `ready`, if it has one.
    ready: Option<(u64, u64)>,
    rest: Rest,
    /// Until when it rests for what was refused.
    fined_until: Duration,
}

/// Who waits for a turn, and who rests.
#[derive(Debug, Default)]
pub(super) struct Turns {
    flows: BTreeMap<Payer, Flow>,
    /// Those who wait and do not rest, by where their turn begins and by who came first.
    ready: BTreeSet<(u64, u64, Payer)>,
    /// Those who rest, and until when.
    resting: BTreeSet<(Duration, Payer)>,
    /// Those who rest for what was refused, and until when. They do not share the time of those who rest
    /// for work.
    fined: BTreeSet<(Duration, Payer)>,
    /// Where the turn began that was given last.
    now: u64,
    /// Where the last of all turns ended.
    end: u64,
    /// Numbers given, to places and to those who became ready: who came first goes first.
    numbers: u64,
    /// Connections that wait, whether their payers rest or not.
    waiting: usize,
    sweep_at: usize,
}

impl Turns {
    /// Has a connection wait for a turn.
    pub(super) fn wait(&mut self, payer: Payer, conn: ConnId) -> Place {
        self.numbers += 1;
        let place = Place {
            payer,
            number: self.numbers,
        };
        let flow = self.flows.entry(payer).or_default();
        flow.waiting.insert((place.number, conn));
        self.waiting += 1;
        self.arrange(payer);
        place
    }

    /// Takes back what [`wait`](Self::wait) gave.
    pub(super) fn leave(&mut self, place: Place, conn: ConnId) {
        if let Some(flow) = self.flows.get_mut(&place.payer)
            && flow.waiting.remove(&(place.number, conn))
        {
            self.waiting -= 1;
        }
        self.arrange(place.payer);
    }

    /// The connection whose turn it is, if any waits. Its payer has no other before [`charge`].
    ///
    /// [`charge`]: Self::charge
    pub(super) fn next(&mut self) -> Option<(ConnId, Payer)> {
        let Some((begins, _, payer)) = self.ready.pop_first() else {
            // Nobody waits: whatever anybody had before, nobody had to wait for it.
            self.now = self.end;
            return None;
        };
        self.now = self.now.max(begins);
        let flow = self.flows.get_mut(&payer)?;
        flow.ready = None;
        let (_, conn) = flow.waiting.pop_first()?;
        self.waiting -= 1;
        Some((conn, payer))
    }

    /// Charges a payer for what was done, in steps; what of it was `heavy` is paid for by a rest too.
    pub(super) fn charge(&mut self, payer: Payer, steps: u64, heavy: Option<u64>, now: Duration) {
        self.sweep(now);
        let others = self.resting.len();
        let flow = self.flows.entry(payer).or_default();
        flow.begins = flow.begins.max(self.now) + steps;
        self.end = self.end.max(flow.begins);
        if let Some(heavy) = heavy {
            self.resting.remove(&(flow.rest.until(), payer));
            flow.rest.begin(heavy, others, now);
            self.resting.insert((flow.rest.until(), payer));
        }
        self.arrange(payer);
    }

    /// Charges a payer for a refused try at a password as for its hash, and has it rest as long. It is no
    /// work, so it makes no rest of others longer. The payer is [`Payer::Refused`].
    pub(super) fn fine(&mut self, payer: Payer, now: Duration) {
        self.sweep(now);
        let flow = self.flows.entry(payer).or_default();
        flow.begins = flow.begins.max(self.now) + u64::from(rest::HASH);
        self.end = self.end.max(flow.begins);
        self.fined.remove(&(flow.fined_until, payer));
        flow.fined_until = flow.fined_until.max(now) + rest::fine();
        self.fined.insert((flow.fined_until, payer));
        self.arrange(payer);
    }

    /// Lets those go on who have rested; whether there were any.
    pub(super) fn wake(&mut self, now: Duration) -> bool {
        let mut rested = Vec::new();
        for resting in [&mut self.resting, &mut self.fined] {
            while resting.first().is_some_and(|(until, _)| *until <= now) {
                rested.extend(resting.pop_first());
            }
        }
        for (_, payer) in &rested {
            self.arrange(*payer);
        }
        !rested.is_empty()
    }

    /// Whether a payer rests.
    pub(super) fn rests(&self, payer: Payer) -> bool {
        self.flows.get(&payer).is_some_and(|flow| {
            self.resting.contains(&(flow.rest.until(), payer))
                || self.fined.contains(&(flow.fined_until, payer))
        })
    }

    /// Whether a connection waits at a payer's cost, or the payer rests: another one goes behind it.
    pub(super) fn is_taken(&self, payer: Payer) -> bool {
        let waits = |flow: &Flow| !flow.waiting.is_empty();
        self.rests(payer) || self.flows.get(&payer).is_some_and(waits)
    }

    /// When the first of those who rest has rested.
    pub(super) fn first_rested(&self) -> Option<Duration> {
        let firsts = [self.resting.first(), self.fined.first()];
        firsts.into_iter().flatten().map(|(until, _)| *until).min()
    }

    /// Whether anybody waits whose turn could be now.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Connections that wait, whether their payers rest or not.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Brings `ready` in line with a payer.
    fn arrange(&mut self, payer: Payer) {
        let rests = self.rests(payer);
        let Some(flow) = self.flows.get_mut(&payer) else {
            return;
        };
        let waits = !flow.waiting.is_empty() && !rests;
        match flow.ready {
            Some((begins, number)) if !waits => {
                self.ready.remove(&(begins, number, payer));
                flow.ready = None;
            }
            None if waits => {
                // What it did not use while it did not wait, or rested, is not kept for it.
                flow.begins = flow.begins.max(self.now);
                self.numbers += 1;
                flow.ready = Some((flow.begins, self.numbers));
                self.ready.insert((flow.begins, self.numbers, payer));
            }
            _ => {}
        }
    }

    /// Forgets those of whom nothing needs to be known, when they may be half of all.
    fn sweep(&mut self, now: Duration) {
        if self.flows.len() < self.sweep_at {
            return;
        }
        let ahead = self.now;
        self.flows.retain(|_, flow| {
            !flow.waiting.is_empty()
                || flow.begins > ahead
                || flow.fined_until > now
                || !flow.rest.is_forgotten(now)
        });
        self.sweep_at = SWEEP.max(2 * self.flows.len());
    }
}

#[cfg(test)]
mod tests;
