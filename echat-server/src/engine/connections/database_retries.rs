//! Database retries: requests that found the database busy, held by another program.
//!
//! Such a request stays at the head of its inbox. Reads and PING continue.

use crate::conn::ConnId;
use std::time::Duration;

/// How long a request waits for a busy database before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a busy database is tried again.
const INTERVAL: Duration = Duration::from_millis(50);

/// A connection's state among the retries.
#[derive(Debug, Default)]
pub(in crate::engine) struct Retry {
    /// Since when its request has found the database busy.
    since: Option<Duration>,
    /// Whether it waits for the next retry.
    waits: bool,
}

impl Retry {
    /// Notes that the connection's retry is now.
    pub(super) fn resume(&mut self) {
        self.waits = false;
    }

    /// Notes that the connection's request is done.
    pub(in crate::engine) fn done(&mut self) {
        self.since = None;
    }
}

/// The connections that wait for the next retry, and when it is.
#[derive(Debug, Default)]
pub(super) struct DatabaseRetries {
    waiting: Vec<ConnId>,
    at: Option<Duration>,
}

impl DatabaseRetries {
    /// Notes that a connection's request found the database busy. False if it has waited long enough and is
    /// to be refused.
    pub(super) fn wait(&mut self, conn: ConnId, retry: &mut Retry, now: Duration) -> bool {
        let since = *retry.since.get_or_insert(now);
        if now >= since + PATIENCE {
            retry.since = None;
            return false;
        }
        if !retry.waits {
            retry.waits = true;
            self.waiting.push(conn);
        }
        self.at.get_or_insert(now + INTERVAL);
        true
    }

    /// The connections whose retry is now, once; `None` if it is later or there are none. Each gets
    /// [`Retry::resume`].
    pub(super) fn due(&mut self, now: Duration) -> Option<Vec<ConnId>> {
        self.at.take_if(|at| *at <= now)?;
        Some(std::mem::take(&mut self.waiting))
    }

    /// When a connection's request is tried again, if it waits for that.
    pub(super) fn at(&self, retry: &Retry) -> Option<Duration> {
        retry.waits.then(|| self.at.unwrap_or_default())
    }

    /// When the next retry is.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.at
    }

    /// Connections that wait, and whether a retry is planned.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.at.is_some())
    }
}
