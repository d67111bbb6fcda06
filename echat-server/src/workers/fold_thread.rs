//! The thread that folds a long write-ahead log into the database, so that the loop does not wait for the disk. It
//! lives as long as one fold; a process that ends does not wait for it.

use crate::store::{Fold, Folded};
use mio::Waker;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Folds the log beside the loop, one fold at a time: the store gives no second one before it has the result of
/// the first.
pub struct FoldThread {
    waker: Arc<Waker>,
    done: Sender<Folded>,
    results: Receiver<Folded>,
}

impl FoldThread {
    /// `waker` is woken by every result.
    pub fn new(waker: &Arc<Waker>) -> Self {
        let (done, results) = mpsc::channel();
        Self {
            waker: Arc::clone(waker),
            done,
            results,
        }
    }

    /// Begins a fold.
    ///
    /// # Errors
    /// The system gives no thread now; the fold is to be tried again later.
    pub fn begin(&self, fold: Fold) -> io::Result<()> {
        let (waker, done) = (Arc::clone(&self.waker), self.done.clone());
        let work = move || {
            // A server that has ended does not ask for it any more.
            if done.send(fold.run()).is_ok()
                && let Err(error) = waker.wake()
            {
                tracing::error!(%error, "a fold cannot wake the reactor");
            }
        };
        thread::Builder::new()
            .name("fold".to_owned())
            .spawn(work)
            .map(drop)
    }

    /// What became of the fold, when it is done.
    pub fn result(&self) -> Option<Folded> {
        self.results.try_recv().ok()
    }
}
