//! How long to wait before connecting again.

use std::time::Duration;

use rand::RngExt;

/// The longest wait.
const LONGEST: u64 = 60_000;

/// 1 s at the first attempt, twice as long at each further one, at most a minute; and between half
/// of that and all of it, so that a thousand clients do not come back at the same moment.
pub(super) fn wait(attempt: u32) -> Duration {
    let doubled = 1_000_u64.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let longest = doubled.min(LONGEST);
    Duration::from_millis(rand::rng().random_range(longest / 2..=longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_differ() {
        for (attempt, longest) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (6, 32),
            (7, 60),
            (u32::MAX, 60),
        ] {
            let longest = Duration::from_secs(longest);
            for _ in 0..20 {
                let wait = wait(attempt);
                assert!(
                    longest / 2 <= wait && wait <= longest,
                    "{attempt}: {wait:?}"
                );
            }
        }
        assert!((0..20).any(|_| wait(7) != wait(7)));
    }
}
