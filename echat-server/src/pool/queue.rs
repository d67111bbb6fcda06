//! Which job is next. Addresses take turns; exponents are prepared when nobody waits.

use crate::conn::ConnId;
use crate::jobs::{Job, Task};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

pub(super) struct Queue {
    handshakes: Fair,
    hashes: Fair,
    preparations: Vec<Job>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            // In a flood of hellos from one address the oldest are given up by whoever sent them,
            // or closed for newer ones: served first, the newest is answered in time.
            handshakes: Fair::new(Order::NewestFirst),
            hashes: Fair::new(Order::OldestFirst),
            preparations: Vec::new(),
        }
    }
}

impl Queue {
    pub(super) fn push(&mut self, job: Job) {
        match job.task {
            Task::Respond { .. } => self.handshakes.push(job),
            Task::Hash { .. } | Task::Verify { .. } => self.hashes.push(job),
            Task::Prepare => self.preparations.push(job),
        }
    }

    /// The next job, while `hashing` of `places` for hashes are taken. One hash is always under way
    /// if any waits, so that a flood of handshakes does not keep people from logging in.
    pub(super) fn next(&mut self, hashing: usize, places: usize) -> Option<Job> {
        let first = if hashing == 0 {
            self.hashes.pop()
        } else {
            None
        };
        first
            .or_else(|| self.handshakes.pop())
            .or_else(|| {
                if hashing < places {
                    self.hashes.pop()
                } else {
                    None
                }
            })
            .or_else(|| self.preparations.pop())
    }

    pub(super) fn forget(&mut self, conn: ConnId) {
        self.handshakes.forget(conn);
        self.hashes.forget(conn);
    }
}

/// Jobs by address; addresses in the order of their turns. No address in it is without a job.
struct Fair {
    order: Order,
    by_address: HashMap<IpAddr, VecDeque<Job>>,
    turns: VecDeque<IpAddr>,
}

/// Which of an address's jobs is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

impl Fair {
    fn new(order: Order) -> Self {
        Self {
            order,
            by_address: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    fn push(&mut self, job: Job) {
        let address = job.address;
        let jobs = self.by_address.entry(address).or_default();
        if jobs.is_empty() {
            self.turns.push_back(address);
        }
        jobs.push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let address = self.turns.pop_front()?;
        let jobs = self.by_address.get_mut(&address)?;
        let job = match self.order {
            Order::OldestFirst => jobs.pop_front(),
            Order::NewestFirst => jobs.pop_back(),
        };
        if jobs.is_empty() {
            self.by_address.remove(&address);
        } else {
            self.turns.push_back(address);
        }
        job
    }

    fn forget(&mut self, conn: ConnId) {
        self.by_address.retain(|_, jobs| {
            jobs.retain(|job| job.conn != conn);
            !jobs.is_empty()
        });
        self.turns
            .retain(|address| self.by_address.contains_key(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::names::Password;
    use std::net::Ipv4Addr;

    fn hash(conn: u64, address: u8) -> Job {
        let password = Password::presented("some password").expect("short");
        Job {
            conn: ConnId(conn),
            address: Ipv4Addr::new(10, 0, 0, address).into(),
            task: Task::Hash { password },
        }
    }

    fn order(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.next(0, 1))
            .map(|job| job.conn.0)
            .collect()
    }

    #[test]
    fn addresses_take_turns() {
        let mut queue = Queue::default();
        for conn in [1, 2, 3] {
            queue.push(hash(conn, 1));
        }
        queue.push(hash(4, 2));
        assert_eq!(order(&mut queue), [1, 4, 2, 3]);
    }

    #[test]
    fn a_flood_keeps_nobody_waiting_who_comes_after_it() {
        let mut fair = Fair::new(Order::NewestFirst);
        for conn in 1..=400 {
            fair.push(hash(conn, 1));
        }
        assert_eq!(fair.pop().map(|job| job.conn.0), Some(400));
    }

    #[test]
    fn what_is_forgotten_is_not_done() {
        let mut queue = Queue::default();
        for (conn, address) in [(1, 1), (2, 2), (3, 1)] {
            queue.push(hash(conn, address));
        }
        queue.forget(ConnId(1));
        queue.forget(ConnId(2));
        assert_eq!(order(&mut queue), [3]);
        assert!(queue.hashes.by_address.is_empty() && queue.hashes.turns.is_empty());
    }

    #[test]
    fn preparing_waits_for_everybody_and_hashes_for_their_places() {
        let mut queue = Queue::default();
        let conn = ConnId(0);
        queue.push(Job {
            conn,
            address: Ipv4Addr::LOCALHOST.into(),
            task: Task::Prepare,
        });
        queue.push(hash(1, 1));
        assert!(matches!(
            queue.next(1, 1),
            Some(Job {
                task: Task::Prepare,
                ..
            })
        ));
        assert!(queue.next(1, 1).is_none(), "all places are taken");
        assert!(queue.next(1, 2).is_some());
    }
}
