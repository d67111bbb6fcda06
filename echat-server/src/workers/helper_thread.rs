//! A thread for one job at a time that waits for the disk, such as a checkpoint or a backup, so that the loop does not.
//! It lives as long as the job; a process that ends does not wait for it.

use mio::Waker;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Runs jobs beside the loop. The caller begins no second one before it has the outcome of the first.
pub struct HelperThread<T> {
    name: &'static str,
    waker: Arc<Waker>,
    done: Sender<T>,
    outcomes: Receiver<T>,
}

impl<T: Send + 'static> HelperThread<T> {
    /// Threads have this name. `waker` is woken by every outcome.
    pub fn new(name: &'static str, waker: &Arc<Waker>) -> Self {
        let (done, outcomes) = mpsc::channel();
        Self {
            name,
            waker: Arc::clone(waker),
            done,
            outcomes,
        }
    }

    /// Starts a job. `broken_off` gives its outcome after a panic.
    ///
    /// # Errors
    /// The system cannot start a thread now; the caller retries later.
    pub fn begin(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
        broken_off: fn() -> T,
    ) -> io::Result<()> {
        let report = OutcomeGuard {
            name: self.name,
            waker: Arc::clone(&self.waker),
            done: self.done.clone(),
            outcome: None,
            broken_off,
        };
        let work = move || {
            let mut report = report;
            report.outcome = Some(job());
        };
        // If no thread can be started, the report is dropped and sends what is no outcome of the job.
        let spawned = thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(work);
        if spawned.is_err() {
            let _ = self.outcomes.try_recv();
        }
        spawned.map(drop)
    }

    /// The outcome of the job, once it is done.
    pub fn outcome(&self) -> Option<T> {
        self.outcomes.try_recv().ok()
    }
}

/// Sends the outcome of a job when it is dropped, after a panic too: without one, no other job would begin.
struct OutcomeGuard<T> {
    name: &'static str,
    waker: Arc<Waker>,
    done: Sender<T>,
    /// `None` after a panic.
    outcome: Option<T>,
    broken_off: fn() -> T,
}

impl<T> Drop for OutcomeGuard<T> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(self.broken_off);
        // A server that has ended does not receive the outcome any more.
        if self.done.send(outcome).is_ok()
            && let Err(error) = self.waker.wake()
        {
            let name = self.name;
            tracing::error!(%error, "the {name} thread cannot wake the reactor");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{CheckpointOutcome, Store};
    use mio::{Events, Poll, Token};

    #[test]
    fn a_panic_of_the_checkpoint_is_a_failure() {
        let mut poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(1)).unwrap());
        let checkpoints = HelperThread::new("checkpoint", &waker);
        checkpoints
            .begin(|| panic!("a bug"), CheckpointOutcome::broken_off)
            .unwrap();
        let outcome = loop {
            if let Some(outcome) = checkpoints.outcome() {
                break outcome;
            }
            poll.poll(&mut Events::with_capacity(1), None).unwrap();
        };
        let mut store = Store::in_memory().unwrap();
        assert!(store.checkpoint_done(outcome).is_err());
    }
}
