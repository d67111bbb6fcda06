//! Heavy arithmetic and the threads that do it.
//!
//! [`jobs`] is pure: modular powers, signatures, password hashes. [`Pool`] runs jobs on worker threads,
//! in the order of `queue`, and returns results through mio's `Waker`. [`Folder`] is the thread that
//! checkpoints a long write-ahead log: it waits for the disk, not for the processor.

mod folder;
pub mod jobs;
mod pool;
mod queue;

pub use folder::Folder;
pub use pool::Pool;
pub(crate) use pool::seeded;
