//! Jobs for workers, and their results until they are used.

use crate::conn::ConnId;
use crate::handlers::account::Pending;
use crate::limits::CountedAttempt;
use crate::workers::jobs::{Job, JobResult, Task};
use echat_proto::group::Ephemeral;
use echat_proto::handshake::ClientHello;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

/// Exponents prepared for handshakes to come.
const PREPARED: usize = 16;
/// The connection of a preparation: real ones count from 1.
pub(super) const PREPARATION: ConnId = ConnId(0);

/// Jobs to hand out, prepared exponents, and results that wait for the tick.
#[derive(Default)]
pub(in crate::engine) struct WorkerJobs {
    jobs: Vec<Job>,
    prepared: Vec<Ephemeral>,
    preparing: usize,
    /// Results for the next tick.
    completed: Vec<(ConnId, JobResult)>,
    /// Results that wait for a database retry or the end of a cool-down.
    held: Vec<(ConnId, JobResult)>,
    /// Attempts at passwords that were not judged when their connections closed, until
    /// [`take_closed`](Self::take_closed).
    unjudged_passwords: HashMap<ConnId, CountedAttempt>,
    /// Attempts with secrets that were not judged when their connections closed, until the next tick.
    unjudged_secrets: Vec<CountedAttempt>,
    /// The attempts at passwords of the connections that the reactor drops now.
    dropped: HashMap<ConnId, CountedAttempt>,
}

impl WorkerJobs {
    /// Asks for the answer to a hello, with a prepared exponent if there is one.
    pub(super) fn answer(&mut self, conn: ConnId, address: IpAddr, hello: ClientHello) {
        let prepared = self.prepared.pop().map(Box::new);
        self.ask(conn, address, Task::Respond { hello, prepared });
        self.prepare_more();
    }

    /// Asks for the heavy part of a request.
    pub(super) fn ask(&mut self, conn: ConnId, address: IpAddr, task: Task) {
        self.jobs.push(Job {
            conn,
            address,
            task,
        });
    }

    /// Asks for exponents until enough are prepared or asked for.
    pub(super) fn prepare_more(&mut self) {
        while self.prepared.len() + self.preparing < PREPARED {
            self.preparing += 1;
            self.ask(PREPARATION, Ipv4Addr::UNSPECIFIED.into(), Task::Prepare);
        }
    }

    /// The jobs to hand to workers, once.
    pub(super) fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    /// Keeps a prepared exponent.
    pub(super) fn prepared(&mut self, ephemeral: Ephemeral) {
        self.preparing -= 1;
        self.prepared.push(ephemeral);
    }

    /// A preparation failed. The next handshake asks for another.
    pub(super) fn not_prepared(&mut self) {
        self.preparing -= 1;
    }

    /// Keeps a result for the next tick.
    pub(super) fn completed(&mut self, conn: ConnId, result: JobResult) {
        self.completed.push((conn, result));
    }

    /// The result that came for a connection's request.
    pub(in crate::engine) fn result(&self, conn: ConnId) -> Option<&JobResult> {
        let mut done = self.completed.iter().chain(&self.held);
        let (_, result) = done.find(|(other, _)| *other == conn)?;
        Some(result)
    }

    /// The results for this tick; logins first, since they read and do not write: so they never rest on
    /// writes that a full disk rolls back.
    pub(in crate::engine) fn take_completed(&mut self) -> Vec<(ConnId, JobResult)> {
        let mut completed = std::mem::take(&mut self.completed);
        let writes =
            |result: &JobResult| matches!(result, JobResult::Hashed(_) | JobResult::Changed(_));
        completed.sort_by_key(|(_, result)| writes(result));
        completed
    }

    /// Keeps results that this tick did not come to for the next one.
    pub(in crate::engine) fn put_back(
        &mut self,
        results: impl Iterator<Item = (ConnId, JobResult)>,
    ) {
        self.completed.extend(results);
    }

    /// Keeps a result until [`release_held`](Self::release_held).
    pub(in crate::engine) fn hold(&mut self, conn: ConnId, result: JobResult) {
        self.held.push((conn, result));
    }

    /// Gives the held results to the next tick: a database retry or a cool-down came to its end.
    pub(super) fn release_held(&mut self) {
        self.completed.append(&mut self.held);
    }

    /// Whether the next tick has a result to use.
    pub(super) fn has_completed(&self) -> bool {
        !self.completed.is_empty()
    }

    /// Whether results are held.
    pub(super) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// A connection closed while its request waited. An attempt at a password may be with a worker; one with a secret
    /// is with none.
    pub(super) fn closed(&mut self, conn: ConnId, pending: &Pending) {
        if let Some(counted) = pending.unjudged_secret() {
            self.unjudged_secrets.push(counted);
        } else if let Some(counted) = pending.counted() {
            self.unjudged_passwords.insert(conn, counted);
        }
        self.held.retain(|(held, _)| *held != conn);
    }

    /// The attempts with secrets that were never judged, since their connections closed: they do not count.
    pub(in crate::engine) fn take_unjudged_secrets(&mut self) -> Vec<CountedAttempt> {
        std::mem::take(&mut self.unjudged_secrets)
    }

    /// The reactor drops the connections that closed.
    pub(super) fn take_closed(&mut self) {
        self.dropped = std::mem::take(&mut self.unjudged_passwords);
    }

    /// The attempt at a password of a connection that the reactor drops now, if it was not judged.
    pub(super) fn take_unjudged_password(&mut self, conn: ConnId) -> Option<CountedAttempt> {
        self.dropped.remove(&conn)
    }

    /// Results and attempts that are kept: none if there is no connection.
    pub(super) fn len(&self) -> usize {
        self.unjudged_passwords.len()
            + self.unjudged_secrets.len()
            + self.completed.len()
            + self.held.len()
    }
}
