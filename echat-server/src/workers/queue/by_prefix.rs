//! Jobs by rate-limit prefix. A prefix that asked for nothing lately goes before those that did, and each of
//! these has one of its jobs done in a round. But after a few new prefixes in a row comes one of the
//! others: so neither waits behind a flood of the other, from however many addresses.

use crate::conn::ConnId;
use crate::limits::rate_limit_prefix;
use crate::workers::jobs::Job;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

/// Rounds after which a prefix is new again.
const ROUNDS: u64 = 8;
/// The round of new prefixes: before all others.
const NEW: u64 = 0;
/// New prefixes that are served in a row while others wait.
const IN_A_ROW: u32 = 3;
/// Prefixes that are remembered though none of their jobs waits.
const REMEMBERED: usize = 1_000;

/// Which job goes first, within a prefix and between those whose turns are in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

/// The round, and the number in it.
type Position = (u64, u64);

/// The jobs of one prefix. Without any it is only remembered, so that it is not new by coming again.
struct Backlog {
    jobs: VecDeque<Job>,
    turn: Position,
}

pub(super) struct ByPrefix {
    order: Order,
    backlogs: HashMap<IpAddr, Backlog>,
    /// The prefixes whose jobs wait.
    turns: BTreeMap<Position, IpAddr>,
    /// The prefix of each job that waits; a connection has one job at most.
    waiting: HashMap<ConnId, IpAddr>,
    round: u64,
    /// New prefixes that were served since one of the others.
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
        let prefix = rate_limit_prefix(job.address);
        self.waiting.insert(job.conn, prefix);
        self.pushed += 1;
        let known = self.backlogs.contains_key(&prefix);
        let backlog = self.backlogs.entry(prefix).or_insert(Backlog {
            jobs: VecDeque::new(),
            turn: (NEW, 0),
        });
        let number = match self.order {
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
        backlog.turn = (round, number);
        self.turns.insert(backlog.turn, prefix);
    }

    pub(super) fn pop(&mut self) -> Option<Job> {
        let ((round, number), prefix) = self.next_turn()?;
        let crowded = self.backlogs.len() - self.turns.len() > REMEMBERED;
        if round > self.round || crowded {
            self.round = self.round.max(round);
            let recent = |backlog: &Backlog| !crowded && backlog.turn.0 + ROUNDS > self.round;
            self.backlogs
                .retain(|_, backlog| !backlog.jobs.is_empty() || recent(backlog));
        }
        let backlog = self.backlogs.get_mut(&prefix)?;
        let job = match self.order {
            Order::OldestFirst => backlog.jobs.pop_front(),
            Order::NewestFirst => backlog.jobs.pop_back(),
        }?;
        backlog.turn = (self.round + 1, number);
        if !backlog.jobs.is_empty() {
            self.turns.insert(backlog.turn, prefix);
        }
        self.waiting.remove(&job.conn);
        self.forget_idle();
        Some(job)
    }

    fn next_turn(&mut self) -> Option<(Position, IpAddr)> {
        let other = self.turns.range((NEW + 1, 0)..).next();
        let other = other.filter(|_| self.in_a_row >= IN_A_ROW);
        let turn = *other.or_else(|| self.turns.first_key_value())?.0;
        self.in_a_row = if turn.0 == NEW { self.in_a_row + 1 } else { 0 };
        self.turns.remove_entry(&turn)
    }

    /// Drops the job of a connection that is gone; whether there was one. A prefix that was never served stays
    /// new.
    pub(super) fn forget(&mut self, conn: ConnId) -> bool {
        let Some(prefix) = self.waiting.remove(&conn) else {
            return false;
        };
        if let Some(backlog) = self.backlogs.get_mut(&prefix) {
            backlog.jobs.retain(|job| job.conn != conn);
            if backlog.jobs.is_empty() {
                self.turns.remove(&backlog.turn);
                if backlog.turn.0 == NEW {
                    self.backlogs.remove(&prefix);
                }
            }
        }
        self.forget_idle();
        true
    }

    /// Forgets all prefixes when no job waits: none would be treated unfairly.
    fn forget_idle(&mut self) {
        if self.turns.is_empty() {
            self.backlogs = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests;
