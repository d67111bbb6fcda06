//! Checkpoints of a long write-ahead log, beside the loop.

use crate::engine::{Engine, Fatal};
use crate::storage::CheckpointOutcome;
use crate::workers::HelperThread;
use mio::Waker;
use std::sync::Arc;

/// The thread of checkpoints.
pub(super) struct Checkpoints(HelperThread<CheckpointOutcome>);

impl Checkpoints {
    pub(super) fn new(waker: &Arc<Waker>) -> Self {
        Self(HelperThread::new("checkpoint", waker))
    }

    /// Hands over the outcome of the last one, and begins one that is due.
    ///
    /// # Errors
    /// The database failed, which ends the server.
    pub(super) fn step(&self, engine: &mut Engine) -> Result<(), Fatal> {
        if let Some(outcome) = self.0.outcome() {
            engine.checkpoint_done(outcome)?;
        }
        if let Some(checkpoint) = engine.take_checkpoint()
            && let Err(error) = self
                .0
                .begin(|| checkpoint.run(), CheckpointOutcome::broken_off)
        {
            engine.checkpoint_done(CheckpointOutcome::not_begun(&error))?;
        }
        Ok(())
    }
}
