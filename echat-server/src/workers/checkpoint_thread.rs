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
            // A server that has ended does not receive the outcome any more.
            if done.send(checkpoint.run()).is_ok()
                && let Err(error) = waker.wake()
            {
                tracing::error!(%error, "the checkpoint thread cannot wake the reactor");
            }
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
