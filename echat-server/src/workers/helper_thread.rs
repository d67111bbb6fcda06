//! The thread that checkpoints a long write-ahead log, so that the loop does not wait for the disk. It lives as long as
//! one checkpoint; a process that ends does not wait for it.

use crate::storage::{Checkpoint, CheckpointOutcome};
use mio::Waker;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Runs one checkpoint at a time beside the loop: the storage requests no second one before it has the outcome of the
/// first.
pub struct CheckpointThread {
    waker: Arc<Waker>,
    done: Sender<CheckpointOutcome>,
    outcomes: Receiver<CheckpointOutcome>,
}

impl CheckpointThread {
    /// `waker` is woken by every outcome.
    pub fn new(waker: &Arc<Waker>) -> Self {
        let (done, outcomes) = mpsc::channel();
        Self {
            waker: Arc::clone(waker),
            done,
            outcomes,
        }
    }

    /// Starts a checkpoint.
    ///
    /// # Errors
    /// The system cannot start a thread now; the caller retries later.
    pub fn begin(&self, checkpoint: Checkpoint) -> io::Result<()> {
        let (waker, done) = (Arc::clone(&self.waker), self.done.clone());
        let work = move || {
            let mut report = Report {
                waker,
                done,
                outcome: None,
            };
            report.outcome = Some(checkpoint.run());
        };
        thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(work)
            .map(drop)
    }

    /// The outcome of the checkpoint, once it is done.
    pub fn outcome(&self) -> Option<CheckpointOutcome> {
        self.outcomes.try_recv().ok()
    }
}

/// Sends the outcome of a checkpoint when it is dropped, after a panic too: without one, no other checkpoint would begin.
struct Report {
    waker: Arc<Waker>,
    done: Sender<CheckpointOutcome>,
    /// `None` after a panic.
    outcome: Option<CheckpointOutcome>,
}

impl Drop for Report {
    fn drop(&mut self) {
        let outcome = self.outcome.take();
        let outcome = outcome.unwrap_or_else(CheckpointOutcome::broken_off);
        // A server that has ended does not receive the outcome any more.
        if self.done.send(outcome).is_ok()
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "the checkpoint thread cannot wake the reactor");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Store;
    use mio::{Poll, Token};

    #[test]
    fn a_panic_of_the_checkpoint_is_a_failure() {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(1)).unwrap());
        let checkpoints = CheckpointThread::new(&waker);
        let report = Report {
            waker,
            done: checkpoints.done.clone(),
            outcome: None,
        };
        let panicked = thread::spawn(move || {
            let _report = report;
            panic!("a bug");
        });
        assert!(panicked.join().is_err());
        let outcome = checkpoints.outcome().unwrap();
        let mut store = Store::in_memory().unwrap();
        assert!(store.checkpoint_done(outcome).is_err());
    }
}
