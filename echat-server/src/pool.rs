//! The helper threads: they run [`jobs`](crate::jobs) and nothing else, and have no state. Results come
//! back through mio's Waker.
//!
//! The queue stays on the reactor's thread, so that it needs no lock and can be fair: origins (an
//! address, or a /64 of IPv6) take turns, those that are new before the others, whatever one of them
//! asks for. It is bounded by the connections: each has at most one job, and those without a login
//! are few (`server.limits.unauthenticated`).
//!
//! Folding a long log of the database has a thread of its own ([`Folder`]): it waits for the disk.

mod fair;
mod folder;
mod queue;

pub use folder::Folder;

use crate::conn::ConnId;
use crate::jobs::{Done, Job, Memory, Task};
use ed25519_dalek::SigningKey;
use mio::Waker;
use queue::Queue;
use rand::rngs::{StdRng, SysError, SysRng};
use rand::{CryptoRng, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Most helper threads.
const THREADS: usize = 4;
/// Most Argon2id at once: each takes 19 MiB and a core.
const HASHING: usize = 2;

/// The helper threads and what waits for them.
pub struct Pool {
    queue: Queue,
    idle: usize,
    hashing: usize,
    hash_places: usize,
    to_helpers: Sender<Job>,
    from_helpers: Receiver<Finished>,
}

/// Whose a result is, and whether a hash place is free again.
struct Finished {
    conn: ConnId,
    was_hash: bool,
    done: Done,
}

impl Pool {
    /// Starts one helper a core, two at least and four at most. `waker` is woken by every result.
    ///
    /// # Errors
    /// The system gives no threads or no randomness.
    pub fn start(host_key: &SigningKey, waker: &Arc<Waker>) -> std::io::Result<Self> {
        Self::with(host_key, waker, seeded)
    }

    /// The same with helpers' randomness from somewhere else.
    fn with<R: CryptoRng + Send + 'static>(
        host_key: &SigningKey,
        waker: &Arc<Waker>,
        rng: impl Fn() -> Result<R, SysError>,
    ) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let threads = cores.clamp(2, THREADS);
        let (to_helpers, jobs) = mpsc::channel();
        let (results, from_helpers) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let helper = Helper {
                jobs: Arc::clone(&jobs),
                results: results.clone(),
                host_key: host_key.clone(),
                rng: rng().map_err(std::io::Error::other)?,
                memory: Memory::default(),
                waker: Arc::clone(waker),
            };
            thread::Builder::new()
                .name(format!("helper-{number}"))
                .spawn(move || helper.work())?;
        }
        Ok(Self {
            queue: Queue::default(),
            idle: threads,
            hashing: 0,
            // One helper is left for handshakes, whatever passwords are tried.
            hash_places: HASHING.min(threads - 1),
            to_helpers,
            from_helpers,
        })
    }

    /// Takes jobs on.
    pub fn submit(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            self.queue.push(job);
        }
        self.assign();
    }

    /// Drops the job that waits for a connection that is gone; whether there was one. A job that a helper
    /// has begun goes on.
    pub fn forget(&mut self, conn: ConnId) -> bool {
        self.queue.forget(conn)
    }

    /// What was computed since the last look.
    pub fn results(&mut self) -> Vec<(ConnId, Done)> {
        let mut results = Vec::new();
        while let Ok(Finished {
            conn,
            was_hash,
            done,
        }) = self.from_helpers.try_recv()
        {
            self.idle += 1;
            self.hashing -= usize::from(was_hash);
            results.push((conn, done));
        }
        self.assign();
        results
    }

    fn assign(&mut self) {
        while self.idle > 0
            && let Some(job) = self.queue.next(self.hashing, self.hash_places)
        {
            self.idle -= 1;
            self.hashing += usize::from(job.task.is_hash());
            self.to_helpers
                .send(job)
                .expect("helpers live as long as the pool");
        }
    }
}

/// A generator for one thread, seeded by the system.
pub(crate) fn seeded() -> Result<StdRng, SysError> {
    StdRng::try_from_rng(&mut SysRng)
}

struct Helper<R> {
    jobs: Arc<Mutex<Receiver<Job>>>,
    results: Sender<Finished>,
    host_key: SigningKey,
    rng: R,
    memory: Memory,
    waker: Arc<Waker>,
}

impl<R: CryptoRng> Helper<R> {
    /// Works until the pool is gone.
    fn work(mut self) {
        loop {
            let job = self
                .jobs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok(Job { conn, task, .. }) = job else {
                return;
            };
            let was_hash = task.is_hash();
            let done = self.compute(task);
            if self
                .results
                .send(Finished {
                    conn,
                    was_hash,
                    done,
                })
                .is_err()
            {
                return;
            }
            if let Err(error) = self.waker.wake() {
                tracing::error!(%error, "a helper cannot wake the reactor");
            }
        }
    }

    /// Computes. A panic is a bug, but somebody may have found out how to cause it: it costs the
    /// one who asked, not the helper's place, and not the server.
    fn compute(&mut self, task: Task) -> Done {
        // Neither is left half-way: Argon2id overwrites its memory before it reads it, and a
        // generator's state is its own.
        let work = AssertUnwindSafe(|| task.run(&self.host_key, &mut self.rng, &mut self.memory));
        catch_unwind(work).unwrap_or(Done::Failed)
    }
}

#[cfg(test)]
mod tests;
