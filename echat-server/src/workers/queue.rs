//! Jobs that wait for a worker, by kind: first one password hash, then handshakes, then further hashes.
//! Exponents for later handshakes are prepared when no other job waits.

mod by_prefix;

use super::jobs::{Job, Task};
use crate::conn::ConnId;
use by_prefix::{ByPrefix, ServiceOrder};

pub(super) struct JobQueue {
    handshakes: ByPrefix,
    hashes: ByPrefix,
    preparations: Vec<Job>,
}

impl Default for JobQueue {
    fn default() -> Self {
        Self {
            // In a flood of hellos the oldest connections are closed for newer ones before a worker is free.
            // Only the newest can be answered in time.
            handshakes: ByPrefix::new(ServiceOrder::UntilOverload),
            hashes: ByPrefix::new(ServiceOrder::OldestFirst),
            preparations: Vec::new(),
        }
    }
}

impl JobQueue {
    pub(super) fn push(&mut self, job: Job) {
        match job.task {
            Task::Respond { .. } => self.handshakes.push(job),
            Task::Hash { .. } | Task::Verify { .. } | Task::Change { .. } => self.hashes.push(job),
            Task::Prepare => self.preparations.push(job),
        }
    }

    /// The next job, while `hashing` of at most `most` hashes are computed. One hash is always under way if any
    /// waits, so that a flood of handshakes does not keep users from logging in.
    pub(super) fn next(&mut self, hashing: usize, most: usize) -> Option<Job> {
        let first = if hashing == 0 {
            self.hashes.pop()
        } else {
            None
        };
        first
            .or_else(|| self.handshakes.pop())
            .or_else(|| {
                if hashing < most {
                    self.hashes.pop()
                } else {
                    None
                }
            })
            .or_else(|| self.preparations.pop())
    }

    /// Drops the job of a connection that is gone; whether there was one.
    pub(super) fn forget(&mut self, conn: ConnId) -> bool {
        self.handshakes.forget(conn) || self.hashes.forget(conn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::handshake::{AwaitClientHello, ClientStart, Step};
    use echat_proto::names::Password;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::net::Ipv4Addr;

    fn hash(conn: u64, address: u8) -> Job {
        let password = Password::presented("some password").expect("short");
        Job {
            conn: ConnId(conn),
            address: Ipv4Addr::new(10, 0, 0, address).into(),
            task: Task::Hash { password },
        }
    }

    fn handshake(conn: u64) -> Job {
        let (said, _) = ClientStart::new(&mut StdRng::seed_from_u64(conn)).send();
        let Ok(Step::Next((hello, _))) = AwaitClientHello::default().next(&said) else {
            panic!("a whole hello")
        };
        Job {
            conn: ConnId(conn),
            address: Ipv4Addr::LOCALHOST.into(),
            task: Task::Respond {
                hello,
                prepared: None,
            },
        }
    }

    #[test]
    fn one_hash_goes_before_all_handshakes_and_the_others_after_them() {
        let mut queue = JobQueue::default();
        for conn in 1..=3 {
            queue.push(handshake(conn));
        }
        for conn in 4..=5 {
            queue.push(hash(conn, 1));
        }
        let mut next = |hashing| queue.next(hashing, 2).map(|job| job.conn.0);
        assert_eq!(next(0), Some(4));
        let others = [1, 1, 1, 1].map(&mut next);
        assert_eq!(others, [1, 2, 3, 5].map(Some));
        assert_eq!(next(0), None);
    }

    #[test]
    fn preparation_goes_last_and_hashes_have_a_bound() {
        let mut queue = JobQueue::default();
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
