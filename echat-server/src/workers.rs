//! Heavy arithmetic and the threads that do it.
//!
//! [`jobs`] is pure: modular powers, signatures, password hashes. [`Pool`] runs jobs on worker threads,
//! in the order of `queue`, and returns results through mio's `Waker`. [`FoldThread`] is the thread that
//! checkpoints a long write-ahead log: it waits for the disk, not for the processor.

mod fold_thread;
pub mod jobs;
mod pool;
mod queue;

pub use fold_thread::FoldThread;
pub use pool::Pool;
pub(crate) use pool::seeded;
