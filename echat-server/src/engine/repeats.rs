//! Log lines that repeat: one when it begins, then a count every ten seconds.

use std::time::Duration;

/// How often repeats are counted in the log.
const INTERVAL: Duration = Duration::from_secs(10);

/// How often something happened that the log has not told.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// When the next line may be written; `None` if at once.
    until: Option<Duration>,
    untold: u64,
}

impl Repeats {
    /// Notes that it happened; whether it is to be told now, by a line of its own. Otherwise it is counted.
    /// Time is that of [`Now::running`](crate::clock::Now::running).
    #[must_use]
    pub(super) fn happens(&mut self, now: Duration) -> bool {
        if self.until.is_some_and(|until| now < until) || self.untold > 0 {
            self.untold += 1;
            return false;
        }
        self.until = Some(now + INTERVAL);
        true
    }

    /// The count, when it is time to tell it.
    pub(super) fn expire(&mut self, now: Duration) -> Option<u64> {
        self.deadline().filter(|at| *at <= now)?;
        self.until = Some(now + INTERVAL);
        self.finish()
    }

    /// The count, if there is any.
    pub(super) fn finish(&mut self) -> Option<u64> {
        let untold = std::mem::take(&mut self.untold);
        (untold > 0).then_some(untold)
    }

    /// When [`expire`](Self::expire) has something to tell.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.until.filter(|_| self.untold > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_are_counted() {
        let mut repeats = Repeats::default();
        let at = Duration::from_secs;
        assert!(repeats.happens(at(1)));
        assert_eq!(repeats.deadline(), None, "nothing is left to tell");
        assert!(!repeats.happens(at(1)) && !repeats.happens(at(10)));
        assert_eq!(
            (repeats.expire(at(10)), repeats.deadline()),
            (None, Some(at(11)))
        );
        assert_eq!(repeats.expire(at(11)), Some(2));
        assert!(!repeats.happens(at(20)));
        // A count that is late is told before any further line.
        assert!(!repeats.happens(at(30)));
        assert_eq!(repeats.expire(at(30)), Some(2));
        assert!(!repeats.happens(at(39)));
        assert_eq!((repeats.finish(), repeats.finish()), (Some(1), None));
        // When nothing happened for a while, the next begins anew.
        assert_eq!(repeats.expire(at(60)), None);
        assert!(repeats.happens(at(60)));
    }
}
