//! Logs of a test, beside other tests in the same process.

use std::sync::OnceLock;

use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Subscriber, subscriber};

/// Runs `act` with a subscriber for this thread.
///
/// While a process has one dispatcher, tracing asks only the thread that reaches a line of the code first whether the
/// line is logged, and remembers the answer for all threads (`Rebuilder::JustOne` in tracing-core's `callsite.rs`).
/// That thread may be another test's, which logs nothing. A second dispatcher has tracing ask them all.
pub fn with_subscriber<T>(
    subscriber: impl Subscriber + Send + Sync + 'static,
    act: impl FnOnce() -> T,
) -> T {
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(NoSubscriber::new()));
    subscriber::with_default(subscriber, act)
}
