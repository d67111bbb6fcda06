//! Heavy arithmetic and the threads that do it.
//!
//! [`jobs`] is pure: modular powers, signatures, password hashes. [`Pool`] runs jobs on worker threads,
//! in the order of `queue`, and returns results through mio's `Waker`. [`CheckpointThread`] is the thread that
//! checkpoints a long write-ahead log: it waits for the disk, not for the processor.

mod checkpoint_thread;
pub mod jobs;
mod pool;
mod queue;

pub use checkpoint_thread::CheckpointThread;
pub use pool::Pool;
pub(crate) use pool::seeded;
