//! Jobs by rate-limit prefix. A new prefix, which had no job lately, goes before the others, and each of the
//! others has one job served in a round. After a few new prefixes in a row comes one of the others. So
//! neither kind waits behind a flood of the other, from however many addresses.
//!
//! The oldest job goes first, within a prefix and between prefixes of one round, so that every job of a small
//! burst is served. In an overload, where jobs are lost because their connections close before a worker is
//! free, [`ServiceOrder::UntilOverload`] serves the newest first: the oldest would be lost anyway.

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
pub(super) enum ServiceOrder {
    /// The oldest.
    OldestFirst,
    /// The oldest, but the newest in an [`Overload`].
    UntilOverload,
}

/// Whether more jobs come than can be served. Counts jobs that were lost against jobs that were served, so
/// it needs no clock. One lost job, of a client that gave up, is no overload.
#[derive(Debug, Default)]
struct Overload {
    points: u32,
}

impl Overload {
    /// Points of a lost job. A served one takes one point back, so an overload lasts while more than a fifth
    /// of the jobs are lost.
    const LOST: u32 = 4;
    /// More points are an overload.
    const BEGINS: u32 = 16;
    /// The most points: an overload is over when 48 jobs were served and none was lost.
    const MOST: u32 = 64;

    fn lost(&mut self) {
        self.points = (self.points + Self::LOST).min(Self::MOST);
    }

    fn served(&mut self) {
        self.points = self.points.saturating_sub(1);
    }

    fn is_on(&self) -> bool {
        self.points > Self::BEGINS
    }
}

/// The round, and the number in it: the count of jobs when the prefix had none and got its first.
type Position = (u64, u64);

/// The jobs of one prefix. A prefix without jobs is remembered for some rounds, so that it is not new again
/// at once.
struct Backlog {
    jobs: VecDeque<Job>,
    turn: Position,
    overload: Overload,
}

pub(super) struct ByPrefix {
    order: ServiceOrder,
    backlogs: HashMap<IpAddr, Backlog>,
    /// Jobs of all prefixes, for the order between prefixes.
    overload: Overload,
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
    pub(super) fn new(order: ServiceOrder) -> Self {
        Self {
            order,
            backlogs: HashMap::new(),
            overload: Overload::default(),
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
            overload: Overload::default(),
        });
        if backlog.jobs.is_empty() {
            let round = if known {
                backlog.turn.0.max(self.round)
            } else {
                NEW
            };
            backlog.turn = (round, self.pushed);
            self.turns.insert(backlog.turn, prefix);
        }
        backlog.jobs.push_back(job);
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
        let newest_first = self.order == ServiceOrder::UntilOverload && backlog.overload.is_on();
        let job = if newest_first {
            backlog.jobs.pop_back()
        } else {
            backlog.jobs.pop_front()
        }?;
        backlog.overload.served();
        self.overload.served();
        backlog.turn = (self.round + 1, number);
        if !backlog.jobs.is_empty() {
            self.turns.insert(backlog.turn, prefix);
        }
        self.waiting.remove(&job.conn);
        self.forget_idle();
        Some(job)
    }

    fn next_turn(&mut self) -> Option<(Position, IpAddr)> {
        let known = self.turns.range((NEW + 1, 0)..).next();
        let known = known.filter(|_| self.in_a_row >= IN_A_ROW);
        let (round, _) = *known.or_else(|| self.turns.first_key_value())?.0;
        let mut of_round = self.turns.range((round, 0)..=(round, u64::MAX));
        let newest_first = self.order == ServiceOrder::UntilOverload && self.overload.is_on();
        let turn = if newest_first {
            of_round.next_back()
        } else {
            of_round.next()
        };
        let turn = *turn?.0;
        self.in_a_row = if round == NEW { self.in_a_row + 1 } else { 0 };
        self.turns.remove_entry(&turn)
    }

    /// Drops the job of a connection that is gone, and counts it as lost; returns whether there was one. A
    /// prefix that was never served stays new.
    pub(super) fn forget(&mut self, conn: ConnId) -> bool {
        let Some(prefix) = self.waiting.remove(&conn) else {
            return false;
        };
        if let Some(backlog) = self.backlogs.get_mut(&prefix) {
            backlog.jobs.retain(|job| job.conn != conn);
            backlog.overload.lost();
            self.overload.lost();
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

    /// Forgets all prefixes, and an overload, when no job waits.
    fn forget_idle(&mut self) {
        if self.turns.is_empty() {
            self.backlogs = HashMap::new();
            self.overload = Overload::default();
        }
    }
}

#[cfg(test)]
mod tests;
