//! Jobs by where they come from. An origin that was not there lately goes before those that were,
//! and of these each has one of its jobs done in a round. But after a few new ones in a row comes one
//! of the others: neither waits behind the other's flood, from however many addresses it comes.

use crate::conn::ConnId;
use crate::limits::rate_limit_prefix;
use crate::workers::jobs::Job;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

/// Rounds after which an origin is new again.
const ROUNDS: u64 = 8;
/// The round of those who are new: before all others.
const NEW: u64 = 0;
/// How many who are new are served in a row while others wait.
const IN_A_ROW: u32 = 3;
/// Origins that are remembered though none of their jobs waits.
const REMEMBERED: usize = 1_000;

/// Which job goes first, within an origin and between those whose turns are in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

/// The round, and the place in it.
type Position = (u64, u64);

/// The jobs of one origin. Without any it is only remembered, so that it is not new by coming again.
struct Backlog {
    jobs: VecDeque<Job>,
    turn: Position,
}

pub(super) struct ByPrefix {
    order: Order,
    backlogs: HashMap<IpAddr, Backlog>,
    /// The origins whose jobs wait.
    turns: BTreeMap<Position, IpAddr>,
    /// Whose jobs wait; a connection has one at most.
    waiting: HashMap<ConnId, IpAddr>,
    round: u64,
    /// How many who were new were served since one of the others.
    in_a_row: u32,
    pushed: u64,
}

impl ByPrefix {
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            backlogs: HashMap::new(),
            turns: BTreeMap::new(),
            waiting: HashMap::new(),
            round: NEW + 1,
            in_a_row: 0,
            pushed: 0,
        }
    }

    pub(super) fn push(&mut self, job: Job) {
        let origin = rate_limit_prefix(job.address);
        self.waiting.insert(job.conn, origin);
        self.pushed += 1;
        let known = self.backlogs.contains_key(&origin);
        let backlog = self.backlogs.entry(origin).or_insert(Backlog {
            jobs: VecDeque::new(),
            turn: (NEW, 0),
        });
        let place = match self.order {
            Order::OldestFirst if backlog.jobs.is_empty() => self.pushed,
            Order::OldestFirst => backlog.turn.1,
            Order::NewestFirst => u64::MAX - self.pushed,
        };
        let mut round = backlog.turn.0;
        if !backlog.jobs.is_empty() {
            self.turns.remove(&backlog.turn);
        } else if known {
            round = round.max(self.round);
        }
        backlog.jobs.push_back(job);
        backlog.turn = (round, place);
        self.turns.insert(backlog.turn, origin);
    }

    pub(super) fn pop(&mut self) -> Option<Job> {
        let ((round, place), origin) = self.next_turn()?;
        let crowded = self.backlogs.len() - self.turns.len() > REMEMBERED;
        if round > self.round || crowded {
            self.round = self.round.max(round);
            let recent = |backlog: &Backlog| !crowded && backlog.turn.0 + ROUNDS > self.round;
            self.backlogs
                .retain(|_, backlog| !backlog.jobs.is_empty() || recent(backlog));
        }
        let backlog = self.backlogs.get_mut(&origin)?;
        let job = match self.order {
            Order::OldestFirst => backlog.jobs.pop_front(),
            Order::NewestFirst => backlog.jobs.pop_back(),
        }?;
        backlog.turn = (self.round + 1, place);
        if !backlog.jobs.is_empty() {
            self.turns.insert(backlog.turn, origin);
        }
        self.waiting.remove(&job.conn);
        self.rest();
        Some(job)
    }

    fn next_turn(&mut self) -> Option<(Position, IpAddr)> {
        let other = self.turns.range((NEW + 1, 0)..).next();
        let other = other.filter(|_| self.in_a_row >= IN_A_ROW);
        let turn = *other.or_else(|| self.turns.first_key_value())?.0;
        self.in_a_row = if turn.0 == NEW { self.in_a_row + 1 } else { 0 };
        self.turns.remove_entry(&turn)
    }

    /// Drops the job of a connection that is gone; whether there was one. Who was never served is new still.
    pub(super) fn forget(&mut self, conn: ConnId) -> bool {
        let Some(origin) = self.waiting.remove(&conn) else {
            return false;
        };
        if let Some(backlog) = self.backlogs.get_mut(&origin) {
            backlog.jobs.retain(|job| job.conn != conn);
            if backlog.jobs.is_empty() {
                self.turns.remove(&backlog.turn);
                if backlog.turn.0 == NEW {
                    self.backlogs.remove(&origin);
                }
            }
        }
        self.rest();
        true
    }

    /// When nobody waits there is nobody to be unfair to.
    fn rest(&mut self) {
        if self.turns.is_empty() {
            self.backlogs = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests;
