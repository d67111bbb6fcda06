//! What the engine counts for the metrics. No answer depends on it.

use super::Engine;
use crate::metrics::{Durations, EngineFacts};
use crate::storage::{Batch, Receipt, StoreError};
use echat_proto::commands::RequestKind;
use echat_proto::records::Code;
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts since the start.
pub(super) struct Tally {
    /// Requests that were answered, in the order of [`RequestKind::ALL`].
    requests: [u64; RequestKind::ALL.len()],
    refusals: BTreeMap<&'static str, u64>,
    logins: u64,
    messages: u64,
    commits: Durations,
    /// The time, for the duration of commits; `None` measures none.
    clock: Option<Box<dyn Fn() -> Duration>>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            requests: [0; RequestKind::ALL.len()],
            refusals: BTreeMap::new(),
            logins: 0,
            messages: 0,
            commits: Durations::default(),
            clock: None,
        }
    }
}

impl Tally {
    /// A request was answered.
    pub(super) fn answered(&mut self, number: u32) {
        if let Some(kind) = RequestKind::from_number(number) {
            self.requests[kind as usize] += 1;
        }
    }

    /// A request was refused.
    pub(super) fn refused(&mut self, code: Code) {
        *self.refusals.entry(code.as_str()).or_default() += 1;
    }

    /// A user logged in.
    pub(super) fn logged_in(&mut self) {
        self.logins += 1;
    }

    /// Commits a batch, and measures how long that takes if it wrote something.
    pub(super) fn commit(&mut self, batch: Batch<'_>) -> Result<Receipt, StoreError> {
        let (messages, writes) = (batch.usage().messages, batch.writes() > 0);
        let begun = self.clock.as_ref().filter(|_| writes).map(|clock| clock());
        let receipt = batch.commit()?;
        self.messages += messages;
        if let (Some(begun), Some(clock)) = (begun, &self.clock) {
            self.commits.add(clock().saturating_sub(begun));
        }
        Ok(receipt)
    }
}

impl Engine {
    /// Has the duration of commits measured by this clock.
    pub fn measure_by(&mut self, clock: impl Fn() -> Duration + 'static) {
        self.tally.clock = Some(Box::new(clock));
    }

    /// What is counted and known for the metrics.
    pub fn facts(&mut self) -> EngineFacts {
        let batch = self.store.batch();
        let newest = batch.newest_id().ok().map(|id| id.0);
        let search_lag = batch.search_lag().ok();
        drop(batch);
        let Self {
            tally,
            state,
            connections,
            ..
        } = self;
        // A series that begins with its first event would have no first increase.
        let requests = RequestKind::ALL.iter().zip(tally.requests);
        let refused = |code: &Code| {
            let count = tally.refusals.get(code.as_str()).copied();
            (code.as_str(), count.unwrap_or_default())
        };
        let traffic = connections.traffic();
        let queued = connections.queued();
        EngineFacts {
            connections: connections.len(),
            sessions: state.roster.sessions().count(),
            users_online: state.roster.online().filter(|online| !online.bot).count(),
            waiting: connections.scheduler.waiting(),
            send_queue_bytes: queued.to_clients,
            receive_queue_bytes: queued.from_clients,
            accepted: traffic.accepted,
            logins: tally.logins,
            messages: tally.messages,
            newest_message: newest,
            search_lag,
            deliveries: traffic.deliveries,
            bytes_received: traffic.received,
            bytes_sent: traffic.sent,
            requests: requests
                .map(|(kind, count)| (kind.info().name, count))
                .collect(),
            refusals: Code::ALL.iter().map(refused).collect(),
            commits: tally.commits.clone(),
        }
    }
}
