//! The worker threads: they run [`jobs`](crate::workers::jobs) and nothing else, and have no state. Results
//! come back through mio's `Waker`.
//!
//! The queue stays on the reactor's thread, so it needs no lock. It is bounded by the connections: each has
//! at most one job, and `server.limits.unauthenticated` bounds the connections without a login.

use super::jobs::{HashMemory, Job, JobResult, Task};
use super::queue::JobQueue;
use crate::conn::ConnId;
use ed25519_dalek::SigningKey;
use mio::Waker;
use rand::rngs::{StdRng, SysError, SysRng};
use rand::{CryptoRng, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Most worker threads.
const THREADS: usize = 4;
/// Most Argon2id at once: each takes 19 MiB and a core.
const HASHING: usize = 2;

/// The worker threads and the jobs that wait for them.
pub struct Pool {
    queue: JobQueue,
    idle: usize,
    hashing: usize,
    most_hashes: usize,
    to_workers: Sender<Job>,
    from_workers: Receiver<FinishedJob>,
}

/// A result, its connection, and whether it was one of the jobs that [`HASHING`] bounds.
struct FinishedJob {
    conn: ConnId,
    was_hash: bool,
    done: JobResult,
}

impl Pool {
    /// Starts one worker a core, two at least and four at most. `waker` is woken by every result.
    ///
    /// # Errors
    /// The system gives no threads or no randomness.
    pub fn start(host_key: &SigningKey, waker: &Arc<Waker>) -> std::io::Result<Self> {
        Self::with(host_key, waker, seeded)
    }

    /// The same with workers' randomness from somewhere else.
    fn with<R: CryptoRng + Send + 'static>(
        host_key: &SigningKey,
        waker: &Arc<Waker>,
        rng: impl Fn() -> Result<R, SysError>,
    ) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let threads = cores.clamp(2, THREADS);
        let (to_workers, jobs) = mpsc::channel();
        let (results, from_workers) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let worker = Worker {
                jobs: Arc::clone(&jobs),
                results: results.clone(),
                host_key: host_key.clone(),
                rng: rng().map_err(std::io::Error::other)?,
                memory: HashMemory::default(),
                waker: Arc::clone(waker),
            };
            thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || worker.work())?;
        }
        Ok(Self {
            queue: JobQueue::default(),
            idle: threads,
            hashing: 0,
            // One worker is left for handshakes, whatever passwords are tried.
            most_hashes: HASHING.min(threads - 1),
            to_workers,
            from_workers,
        })
    }

    /// Queues jobs, and starts as many as there are idle workers.
    pub fn submit(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            self.queue.push(job);
        }
        self.assign();
    }

    /// Drops the queued job of a connection that is gone; whether there was one. A job that a worker has begun
    /// goes on.
    pub fn forget(&mut self, conn: ConnId) -> bool {
        self.queue.forget(conn)
    }

    /// Results since the last call.
    pub fn results(&mut self) -> Vec<(ConnId, JobResult)> {
        let mut results = Vec::new();
        while let Ok(FinishedJob {
            conn,
            was_hash,
            done,
        }) = self.from_workers.try_recv()
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
            && let Some(job) = self.queue.next(self.hashing, self.most_hashes)
        {
            self.idle -= 1;
            self.hashing += usize::from(job.task.is_hash());
            self.to_workers
                .send(job)
                .expect("workers live as long as the pool");
        }
    }
}

/// A generator for one thread, seeded by the system.
pub(crate) fn seeded() -> Result<StdRng, SysError> {
    StdRng::try_from_rng(&mut SysRng)
}

struct Worker<R> {
    jobs: Arc<Mutex<Receiver<Job>>>,
    results: Sender<FinishedJob>,
    host_key: SigningKey,
    rng: R,
    memory: HashMemory,
    waker: Arc<Waker>,
}

impl<R: CryptoRng> Worker<R> {
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
                .send(FinishedJob {
                    conn,
                    was_hash,
                    done,
                })
                .is_err()
            {
                return;
            }
            if let Err(error) = self.waker.wake() {
                tracing::error!(%error, "a worker cannot wake the reactor");
            }
        }
    }

    /// Computes. A panic is a bug that a client may know how to cause: it costs that client's connection,
    /// not the worker and not the server.
    fn compute(&mut self, task: Task) -> JobResult {
        // Neither is left half-way: Argon2id overwrites its memory before it reads it, and a
        // generator's state is its own.
        let work = AssertUnwindSafe(|| task.run(&self.host_key, &mut self.rng, &mut self.memory));
        catch_unwind(work).unwrap_or(JobResult::Failed)
    }
}

#[cfg(test)]
mod tests;
