use super::*;
use echat_proto::names::Password;
use mio::{Events, Poll, Token};
use rand::TryRng;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// No test waits longer than this for a worker.
const PATIENCE: Duration = Duration::from_secs(30);

/// A generator that panics so often before it works.
struct Faulty {
    faults: Arc<AtomicUsize>,
    rng: StdRng,
}

impl TryRng for Faulty {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let left = |faults: usize| faults.checked_sub(1);
        let fault = self
            .faults
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left);
        assert!(fault.is_err(), "a planted fault");
        self.rng.try_fill_bytes(bytes)
    }
}

impl rand::TryCryptoRng for Faulty {}

/// A pool whose workers panic so often, and its waker's poll.
fn pool(faults: usize) -> (Pool, Poll) {
    let bell = Poll::new().expect("a poll");
    let waker = Arc::new(Waker::new(bell.registry(), Token(0)).expect("a waker"));
    let faults = Arc::new(AtomicUsize::new(faults));
    let rng = || {
        Ok(Faulty {
            faults: Arc::clone(&faults),
            rng: seeded()?,
        })
    };
    let pool = Pool::with(&SigningKey::from_bytes(&[1; 32]), &waker, rng);
    (pool.expect("threads"), bell)
}

fn hashes(conns: std::ops::RangeInclusive<u64>) -> Vec<Job> {
    let hash = |conn| Job {
        conn: ConnId(conn),
        address: Ipv4Addr::LOCALHOST.into(),
        task: Task::Hash {
            password: Password::presented("some password").expect("short"),
        },
    };
    conns.map(hash).collect()
}

/// Waits for so many results. There are never more hashes at once than places.
fn wait_for(count: usize, pool: &mut Pool, bell: &mut Poll) -> Vec<(ConnId, JobResult)> {
    let mut results = Vec::new();
    let mut events = Events::with_capacity(1);
    while results.len() < count {
        bell.poll(&mut events, Some(PATIENCE)).expect("a poll");
        assert!(!events.is_empty(), "{} of {count} came", results.len());
        results.extend(pool.results());
        assert!(pool.hashing <= HASHING.min(pool.most_hashes));
    }
    results
}

#[test]
fn a_worker_that_panics_answers_and_goes_on() {
    let (mut pool, mut bell) = pool(THREADS + 1);
    let idle = pool.idle;
    pool.submit(hashes(1..=THREADS as u64 + 1));
    let failed = wait_for(THREADS + 1, &mut pool, &mut bell);
    assert!(
        failed
            .iter()
            .all(|(_, done)| matches!(done, JobResult::Failed))
    );
    assert_eq!((pool.idle, pool.hashing), (idle, 0));

    pool.submit(hashes(11..=13));
    let mut hashed = wait_for(3, &mut pool, &mut bell);
    hashed.sort_by_key(|(conn, _)| *conn);
    let conns: Vec<u64> = hashed.iter().map(|(conn, _)| conn.0).collect();
    assert_eq!(conns, [11, 12, 13]);
    assert!(
        hashed
            .iter()
            .all(|(_, done)| matches!(done, JobResult::Hashed(_)))
    );
    assert_eq!((pool.idle, pool.hashing), (idle, 0));
}
