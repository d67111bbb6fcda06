//! Rate limit of one log line: one when the event first happens, then at most one every ten seconds.

use std::time::Duration;

/// The shortest time between two lines.
const INTERVAL: Duration = Duration::from_secs(10);

/// The rate limit of one log line. [`allows`](Self::allows) drops the events between two lines;
/// [`happens`](Self::happens) counts them, for a line that [`expire`](Self::expire) asks for.
#[derive(Debug, Default)]
pub(crate) struct LogLimiter {
    /// When the next line may be written; `None` if at once.
    until: Option<Duration>,
    unlogged: u64,
}

impl LogLimiter {
    /// Whether a line may be written now: the last one is ten seconds old. What is not written is not
    /// counted. Time is that of [`Now::running`](crate::clock::Now::running).
    #[must_use]
    pub(crate) fn allows(&mut self, now: Duration) -> bool {
        let allowed = self.until.is_none_or(|until| now >= until);
        if allowed {
            self.until = Some(now + INTERVAL);
        }
        allowed
    }

    /// Notes an event; whether it gets a line of its own now. Otherwise it is counted.
    #[must_use]
    pub(crate) fn happens(&mut self, now: Duration) -> bool {
        let alone = self.unlogged == 0 && self.allows(now);
        self.unlogged += u64::from(!alone);
        alone
    }

    /// The count of the events without a line, when it is time to log it.
    pub(crate) fn expire(&mut self, now: Duration) -> Option<u64> {
        self.deadline().filter(|at| *at <= now)?;
        self.until = Some(now + INTERVAL);
        self.finish()
    }

    /// The count, if there is any.
    pub(crate) fn finish(&mut self) -> Option<u64> {
        let unlogged = std::mem::take(&mut self.unlogged);
        (unlogged > 0).then_some(unlogged)
    }

    /// When [`expire`](Self::expire) has a count.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.until.filter(|_| self.unlogged > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_counted_comes_every_ten_seconds() {
        let mut limiter = LogLimiter::default();
        let seconds = [0, 1, 9, 10, 11, 20, 40];
        let allowed = seconds.map(|at| limiter.allows(Duration::from_secs(at)));
        assert_eq!(allowed, [true, false, false, true, false, true, true]);
        assert_eq!(limiter.deadline(), None, "nothing is left to log");
    }

    #[test]
    fn the_first_line_is_written_at_once_and_the_others_are_counted() {
        let mut limiter = LogLimiter::default();
        let at = Duration::from_secs;
        assert!(limiter.happens(at(1)));
        assert_eq!(limiter.deadline(), None, "nothing is left to tell");
        assert!(!limiter.happens(at(1)) && !limiter.happens(at(10)));
        assert_eq!(
            (limiter.expire(at(10)), limiter.deadline()),
            (None, Some(at(11)))
        );
        assert_eq!(limiter.expire(at(11)), Some(2));
        assert!(!limiter.happens(at(20)));
        // A count that is late is told before any further line.
        assert!(!limiter.happens(at(30)));
        assert_eq!(limiter.expire(at(30)), Some(2));
        assert!(!limiter.happens(at(39)));
        assert_eq!((limiter.finish(), limiter.finish()), (Some(1), None));
        // When nothing happened for a while, the next begins anew.
        assert_eq!(limiter.expire(at(60)), None);
        assert!(limiter.happens(at(60)));
    }
}
