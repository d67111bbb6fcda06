//! Heavy arithmetic and the threads that do it.
//!
//! [`jobs`] is pure: modular powers, signatures, password hashes. [`Pool`] runs jobs on worker threads,
//! in the order of `queue`, and returns results through mio's `Waker`. [`HelperThread`] is a thread
//! that waits for the disk, not for the processor: it checkpoints a long write-ahead log, or makes a backup.

mod helper_thread;
pub mod jobs;
mod pool;
mod queue;

pub use helper_thread::HelperThread;
pub use pool::Pool;
pub(crate) use pool::seeded;
