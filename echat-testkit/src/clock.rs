//! The clock of tests that measure, or that give up waiting at some time.

use std::time::Instant;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "tests measure time")]
pub fn now() -> Instant {
    Instant::now()
}
