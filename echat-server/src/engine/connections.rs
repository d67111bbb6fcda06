//! All connections. Each part of their state has a type of its own, which alone changes it:
//!
//! * [`ConnectionTable`] has the connections, [`Deadlines`] their deadlines;
//! * [`WriteQueue`] has the connections with output, in the order of their writes;
//! * [`ConnectionAdmission`] judges new connections and counts the others;
//! * [`Scheduler`] gives turns, [`DatabaseRetries`] retries requests that found the database locked;
//! * [`WorkerJobs`] has the jobs for workers and their results.
//!
//! [`Connections`] keeps them in step: after a change that can affect admission, scheduling or closing,
//! [`settle`](Connections::settle) updates each of them. Output alone ([`send`](Connections::send),
//! [`reply`](Connections::reply)) updates deadlines and writes only. It knows users only as flows that pay for turns.

mod admission;
mod database_retries;
mod table;
mod worker_jobs;
mod write_queue;

pub(super) use table::ConnectionEntry;
pub(super) use write_queue::Urgency;

use super::scheduler::why_waiting::held_back;
use super::scheduler::{ConnectionSchedule, FlowKey, Scheduler};
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::{ConnId, Departure, End};
use crate::handlers::account::Pending;
use crate::limits::{CountedAttempt, LogLimiter, rate_limit_prefix};
use crate::metrics::count;
use crate::peer::{FrameBuffers, Item, Peer};
use crate::proxy_header;
use crate::storage::UserId;
use crate::workers::jobs::{Job, JobResult, Task};
use admission::{ConnectionAdmission, Decision};
use database_retries::DatabaseRetries;
use echat_proto::channel::{SEALED_TOGETHER, seal_all};
use echat_proto::commands::{CloseReason, RequestKind};
use rand::rngs::StdRng;
use smallvec::SmallVec;
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use table::{ConnectionTable, Deadlines};
use worker_jobs::{PREPARATION, WorkerJobs};
use write_queue::WriteQueue;

/// Deadlines that one tick looks at: when a crowd expires, the others are served in between.
const EXPIRED: usize = 256;

/// All connections.
pub(super) struct Connections {
    table: ConnectionTable,
    deadlines: Deadlines,
    writes: WriteQueue,
    admission: ConnectionAdmission,
    pub(super) scheduler: Scheduler,
    pub(super) jobs: WorkerJobs,
    retries: DatabaseRetries,
    /// Connections with a request that is not answered, while the log is at level debug.
    waiting: BTreeSet<ConnId>,
    /// Connections that are gone and whose users may have to be announced as offline, and why they went.
    pub(super) departed: VecDeque<(ConnId, Departure)>,
    /// The rate limit of the log line about bad frames.
    bad_frames: LogLimiter,
    /// A job whose worker failed, until the log has it.
    failed_job: Option<FailedJob>,
    /// The rate limit of the log line about failed jobs.
    failed_jobs: LogLimiter,
    /// The rate limit of the log line about PROXY headers of others than trusted proxies.
    proxy_headers: LogLimiter,
    /// Buffers for frames.
    buffers: FrameBuffers,
    rng: StdRng,
    traffic: Traffic,
}

/// A job whose worker panicked.
struct FailedJob {
    conn: ConnId,
    address: SocketAddr,
    /// The request that waited for it; `None` for a handshake.
    request: Option<RequestKind>,
}

/// What went through connections since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    /// Connections that were accepted.
    pub(super) accepted: u64,
    /// Events that were queued, without answers.
    pub(super) deliveries: u64,
    /// Bytes from clients.
    pub(super) received: u64,
    /// Bytes to clients.
    pub(super) sent: u64,
}

/// Bytes that wait in all connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QueuedBytes {
    /// In the send queues.
    pub(super) to_clients: u64,
    /// Of requests that were received and not handled.
    pub(super) from_clients: u64,
}

impl Connections {
    pub(super) fn new(rng: StdRng) -> Self {
        let mut connections = Self {
            table: ConnectionTable::default(),
            deadlines: Deadlines::default(),
            writes: WriteQueue::default(),
            admission: ConnectionAdmission::default(),
            scheduler: Scheduler::default(),
            jobs: WorkerJobs::default(),
            retries: DatabaseRetries::default(),
            waiting: BTreeSet::new(),
            departed: VecDeque::new(),
            bad_frames: LogLimiter::default(),
            failed_job: None,
            failed_jobs: LogLimiter::default(),
            proxy_headers: LogLimiter::default(),
            buffers: FrameBuffers::default(),
            rng,
            traffic: Traffic::default(),
        };
        connections.jobs.prepare_more();
        connections
    }

    /// Takes a connection in; `None` if it is to be closed at once.
    pub(super) fn accept(
        &mut self,
        address: SocketAddr,
        limits: &Limits,
        now: Now,
    ) -> Option<ConnId> {
        let ip = address.ip();
        let decision = self.admission.judge(&self.table, ip, limits, now.running);
        let overflow = match decision {
            Decision::Refuse => return None,
            Decision::TellFull => true,
            Decision::Accept(None) => false,
            Decision::Accept(Some(oldest)) => {
                tracing::debug!(conn = %oldest, "too many connections without a login: closing the oldest");
                self.with(oldest, limits, Peer::close_at_once);
                false
            }
        };
        let schedule = ConnectionSchedule::new(rate_limit_prefix(ip));
        let entry = ConnectionEntry::new(Peer::new(address, overflow, now), schedule);
        let conn = self.table.insert(entry);
        if let Some(entry) = self.table.get(conn) {
            self.admission.added(conn, entry);
        }
        self.settle(conn, limits);
        self.traffic.accepted += 1;
        Some(conn)
    }

    /// What went through connections since the start.
    pub(super) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Bytes that wait in all connections. This looks at every connection, which only a scrape of the metrics does. A
    /// running sum would cost every write something, and could drift from the queues.
    pub(super) fn queued(&self) -> QueuedBytes {
        let peers = self.table.entries().map(|entry| &entry.peer);
        peers.fold(QueuedBytes::default(), |sum, peer| QueuedBytes {
            to_clients: sum.to_clients + count(peer.waiting()),
            from_clients: sum.from_clients + count(peer.unhandled()),
        })
    }

    /// Hands bytes from the socket to a peer.
    pub(super) fn receive(&mut self, conn: ConnId, bytes: &[u8], limits: &Limits, now: Now) {
        let Some(entry) = self.table.get_mut(conn) else {
            return;
        };
        self.traffic.received += count(bytes.len());
        let address = entry.peer.address;
        let is_new = entry.peer.awaits_hello();
        if let Some(hello) = entry.peer.receive(bytes, limits, now) {
            self.jobs.answer(conn, address.ip(), hello);
        }
        // The header is no hello, so the peer is closed.
        if is_new && proxy_header::is_begun(bytes) && self.proxy_headers.allows(now.running) {
            let address = address.ip();
            tracing::warn!(%address, "refused a PROXY header; server.proxy_protocol does not name the address");
        }
        // A bad frame is logged without its contents.
        if let Some(error) = entry.peer.take_frame_error()
            && self.bad_frames.allows(now.running)
        {
            tracing::warn!(%conn, %address, %error, "bad frame");
        }
        self.settle(conn, limits);
    }

    /// Changes a peer and settles what follows from it.
    pub(super) fn with(&mut self, conn: ConnId, limits: &Limits, act: impl FnOnce(&mut Peer)) {
        if let Some(entry) = self.table.get_mut(conn) {
            act(&mut entry.peer);
            self.settle(conn, limits);
        }
    }

    /// Queues encoded events for a connection, to be written with this urgency.
    pub(super) fn send(
        &mut self,
        conn: ConnId,
        events: &[Rc<[u8]>],
        urgency: Urgency,
        (limits, now): (&Limits, Now),
    ) {
        if let Some(entry) = self.table.get_mut(conn) {
            self.traffic.deliveries += count(events.len());
            entry.peer.send(events, limits, now);
            // The goodbye of a reader that is too slow has a deadline.
            let urgency = if entry.peer.is_closing() {
                Urgency::Prompt
            } else {
                urgency
            };
            // A longer send queue closes nothing, logs no user in and lets no further request be handled.
            self.deadlines.update(conn, entry, limits);
            self.writes.update(conn, entry, urgency, limits);
        }
    }

    /// Queues the encoded final reply of a request.
    pub(super) fn reply(&mut self, conn: ConnId, reply: Rc<[u8]>, (limits, now): (&Limits, Now)) {
        if let Some(entry) = self.table.get_mut(conn) {
            entry.peer.reply(reply, limits, now);
            self.deadlines.update(conn, entry, limits);
            self.writes.update(conn, entry, Urgency::Prompt, limits);
        }
    }

    /// The urgency of an event for so many connections.
    pub(super) fn urgency(&self, recipients: usize) -> Urgency {
        self.writes.urgency(recipients)
    }

    /// Updates every part of the state after a change of a peer.
    pub(super) fn settle(&mut self, conn: ConnId, limits: &Limits) {
        let Some(entry) = self.table.get_mut(conn) else {
            return;
        };
        if let Some(departure) = entry.peer.closed() {
            return self.remove(conn, departure);
        }
        if held_back(entry, self.retries.at(&entry.retry), limits).is_none() {
            self.scheduler.queue(conn, &mut entry.schedule);
        }
        self.deadlines.update(conn, entry, limits);
        self.writes.update(conn, entry, Urgency::Prompt, limits);
        let waits = entry.pending.is_some() || entry.peer.has_items();
        update_waiting(&mut self.waiting, conn, entry, waits);
    }

    fn remove(&mut self, conn: ConnId, departure: Departure) {
        let Some(mut entry) = self.table.remove(conn) else {
            return;
        };
        update_waiting(&mut self.waiting, conn, &mut entry, false);
        abandon(&mut self.scheduler, &mut entry);
        self.scheduler.remove(conn, &entry.schedule);
        if let Some(pending) = &entry.pending {
            self.jobs.closed(conn, pending);
        }
        self.admission.removed(conn, &entry);
        self.deadlines.remove(conn, &entry);
        self.departed.push_back((conn, departure));
    }

    /// Does what is due: deadlines of peers, database retries, ends of cool-downs.
    pub(super) fn expire(&mut self, limits: &Limits, now: Now) {
        self.log_failed_job(now);
        for conn in self.deadlines.due(now.running, EXPIRED) {
            if let Some(entry) = self.table.get_mut(conn) {
                self.deadlines.expire(conn, entry);
                entry.peer.expire(limits, now);
                self.settle(conn, limits);
            }
        }
        if let Some(due) = self.retries.due(now.running) {
            for conn in due {
                if let Some(entry) = self.table.get_mut(conn) {
                    entry.retry.resume();
                }
                self.settle(conn, limits);
            }
            self.jobs.release_held();
        }
        self.admission.expire(now.running);
        if self.scheduler.wake(now.running) {
            self.jobs.release_held();
        }
    }

    /// The next connection to have a turn, and the flow that pays for it. It has no other turn before
    /// [`end_turn`](Self::end_turn).
    pub(super) fn next_turn(&mut self) -> Option<(ConnId, FlowKey)> {
        let (conn, flow) = self.scheduler.next()?;
        if let Some(entry) = self.table.get_mut(conn) {
            entry.schedule.begin_turn();
        }
        Some((conn, flow))
    }

    /// Lets a connection wait for another turn when it has something to handle.
    pub(super) fn end_turn(&mut self, conn: ConnId, limits: &Limits) {
        if let Some(entry) = self.table.get_mut(conn) {
            entry.schedule.end_turn();
            self.settle(conn, limits);
        }
    }

    /// Changes what pays for a connection's turns from now on: its user, or its prefix without one.
    pub(super) fn bill(&mut self, conn: ConnId, user: Option<UserId>) {
        if let Some(entry) = self.table.get_mut(conn) {
            let prefix = || FlowKey::Prefix(rate_limit_prefix(entry.peer.address.ip()));
            let flow = user.map_or_else(prefix, FlowKey::User);
            entry.schedule.set_flow(flow);
        }
    }

    /// A user is logged in at a connection: pays for its turns from now on, and keeps it from giving way to a new one.
    pub(super) fn log_in(&mut self, conn: ConnId, user: UserId, limits: &Limits) {
        self.bill(conn, Some(user));
        if let Some(entry) = self.table.get_mut(conn) {
            entry.peer.authenticate(limits);
            self.admission.logged_in(conn);
            self.settle(conn, limits);
        }
    }

    /// The session of a connection ended; the connection stays.
    pub(super) fn log_out(&mut self, conn: ConnId, limits: &Limits, now: Now) {
        if let Some(entry) = self.table.get_mut(conn) {
            abandon(&mut self.scheduler, entry);
        }
        self.bill(conn, None);
        if let Some(entry) = self.table.get_mut(conn) {
            entry.peer.end_session(now);
            self.admission.logged_out(conn);
            self.settle(conn, limits);
        }
    }

    /// Makes a connection wait for the refusal of its attempt at a password; whether it waits.
    pub(super) fn defer_refusal(&mut self, conn: ConnId) -> bool {
        self.table.get_mut(conn).is_some_and(|entry| {
            let prefix = rate_limit_prefix(entry.peer.address.ip());
            self.scheduler.defer_refusal(&mut entry.schedule, prefix)
        })
    }

    /// Charges a connection's prefix for a refused attempt at a password.
    pub(super) fn charge_refusal(&mut self, conn: ConnId, now: Now) {
        if let Some(entry) = self.table.get(conn) {
            let prefix = rate_limit_prefix(entry.peer.address.ip());
            self.scheduler.charge_refusal(prefix, now.running);
        }
    }

    /// The next entry of a connection's inbox, if it may be handled now.
    pub(super) fn next_item(&self, conn: ConnId, limits: &Limits) -> Option<Item> {
        let entry = self.table.get(conn)?;
        if held_back(entry, self.retries.at(&entry.retry), limits).is_some() {
            return None;
        }
        entry.peer.next_item()
    }

    /// Notes that a connection's request found the database busy. False if it has waited long enough and is
    /// to be refused.
    pub(super) fn retry_later(&mut self, conn: ConnId, now: Now) -> bool {
        let entry = self.table.get_mut(conn);
        entry.is_none_or(|entry| self.retries.wait(conn, &mut entry.retry, now.running))
    }

    /// When a connection's request is tried again, if it found the database busy.
    pub(super) fn retry_at(&self, conn: ConnId) -> Option<Duration> {
        self.retries.at(&self.table.get(conn)?.retry)
    }

    /// Gives a request's heavy part to the workers.
    pub(super) fn wait_for(&mut self, conn: ConnId, task: Task, pending: Pending) {
        if let Some(entry) = self.table.get_mut(conn) {
            entry.pending = Some(Box::new(pending));
            self.jobs.ask(conn, entry.peer.address.ip(), task);
        }
    }

    /// Takes a worker's result. It is dropped if its connection is gone.
    pub(super) fn complete(&mut self, conn: ConnId, result: JobResult, limits: &Limits) {
        match result {
            JobResult::Prepared(ephemeral) => self.jobs.prepared(*ephemeral),
            JobResult::Failed if conn == PREPARATION => self.jobs.not_prepared(),
            JobResult::Failed => {
                self.failed_job = self.job_of(conn).or(self.failed_job.take());
                self.with(conn, limits, Peer::close_at_once);
            }
            JobResult::Responded(flight, waiting) => {
                self.with(conn, limits, |peer| peer.respond(flight, waiting));
            }
            JobResult::Hashed(_) | JobResult::Verified(_) | JobResult::Changed(_) => {
                let entry = self.table.get(conn);
                if entry.is_some_and(|entry| entry.pending.is_some()) {
                    self.jobs.completed(conn, result);
                }
            }
        }
    }

    /// The job that a connection waits for.
    fn job_of(&self, conn: ConnId) -> Option<FailedJob> {
        let entry = self.table.get(conn)?;
        let number = entry.pending.as_ref().map(|pending| pending.number());
        Some(FailedJob {
            conn,
            address: entry.peer.address,
            request: number.and_then(RequestKind::from_number),
        })
    }

    /// Logs a job whose worker failed. The panic has a line of its own, which says where.
    fn log_failed_job(&mut self, now: Now) {
        let Some(job) = self.failed_job.take() else {
            return;
        };
        if self.failed_jobs.allows(now.running) {
            let FailedJob { conn, address, .. } = job;
            let job = job.request.map_or("handshake", |kind| kind.info().name);
            tracing::error!(%conn, %address, job, "a worker failed: its connection is closed");
        }
    }

    pub(super) fn take_jobs(&mut self) -> Vec<Job> {
        self.jobs.take_jobs()
    }

    pub(super) fn entry(&self, conn: ConnId) -> Option<&ConnectionEntry> {
        self.table.get(conn)
    }

    pub(super) fn entry_mut(&mut self, conn: ConnId) -> Option<&mut ConnectionEntry> {
        self.table.get_mut(conn)
    }

    pub(super) fn peer(&self, conn: ConnId) -> Option<&Peer> {
        self.entry(conn).map(|entry| &entry.peer)
    }

    /// The address of a connection, if it is not gone.
    pub(super) fn address(&self, conn: ConnId) -> Option<IpAddr> {
        self.peer(conn).map(|peer| peer.address.ip())
    }

    /// Connections with a request that is not answered, oldest first; none unless the log is at level debug.
    pub(super) fn waiting(&self) -> impl Iterator<Item = ConnId> {
        self.waiting.iter().copied()
    }

    /// Whether a tick would find something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.scheduler.is_ready()
            || !self.departed.is_empty()
            || self.jobs.has_completed()
            || self.writes.has_bulk()
    }

    /// When a tick has something to do though no bytes come.
    pub(super) fn deadline(&self) -> Option<Duration> {
        // The end of a cool-down matters only if something waits for it.
        let awaited = self.scheduler.waiting() > 0 || self.jobs.has_held();
        let cooled = self.scheduler.next_wake().filter(|_| awaited);
        let deadlines = [
            self.retries.deadline(),
            cooled,
            self.admission.deadline(),
            self.deadlines.first(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Changes how many connections one round writes of each size class. See [`WriteQueue`].
    pub(super) fn set_portion(&mut self, connections: usize) {
        self.writes.set_portion(connections);
    }

    /// Begins a round of the reactor: see [`WriteQueue`].
    pub(super) fn begin_round(&mut self) {
        self.writes.begin_round();
    }

    /// Whether connections wait to be written.
    pub(super) fn has_output(&self) -> bool {
        self.writes.len() > 0
    }

    /// The connections to write now, once.
    pub(super) fn take_dirty(&mut self) -> Vec<ConnId> {
        self.writes.take(&mut self.table)
    }

    /// Notes that bytes were written to a connection. One that is not done yet is to be written again. Returns whether
    /// more waits.
    pub(super) fn wrote(&mut self, conn: ConnId, bytes: usize, limits: &Limits, now: Now) -> bool {
        let Some(entry) = self.table.get_mut(conn) else {
            return false;
        };
        self.traffic.sent += count(bytes);
        self.buffers.keep(entry.peer.wrote(bytes, limits, now));
        entry.positions.forget_output();
        let is_flushed = entry.peer.is_flushed();
        self.settle(conn, limits);
        !is_flushed
    }

    pub(super) fn take_closed(&mut self) -> Vec<ConnId> {
        self.jobs.take_closed();
        self.table.take_removed()
    }

    /// The attempt at a password of a connection that [`take_closed`](Self::take_closed) gave last, if it was
    /// not judged.
    pub(super) fn take_unjudged_password(&mut self, conn: ConnId) -> Option<CountedAttempt> {
        self.jobs.take_unjudged_password(conn)
    }

    /// Seals the next frames of several connections together, those that have messages to seal.
    /// [`output`](Self::output) seals those of one.
    pub(super) fn seal(&mut self, conns: &[ConnId], limits: &Limits, now: Now) {
        // Lists are filled in place: a list of sixteen is too long to be moved for one connection.
        let mut drafted = SmallVec::<[ConnId; SEALED_TOGETHER]>::new();
        let mut drafts = SmallVec::<[_; SEALED_TOGETHER]>::new();
        let entries = conns.iter().zip(self.table.get_many_mut(conns));
        for (conn, entry) in entries {
            let Some(entry) = entry.filter(|entry| entry.peer.has_unsealed()) else {
                continue;
            };
            drafted.push(*conn);
            drafts.extend(entry.peer.draft(&mut self.buffers, &mut self.rng));
        }
        seal_all(&mut drafts);
        drop(drafts);
        for conn in drafted {
            let Some(entry) = self.table.get_mut(conn) else {
                continue;
            };
            entry.peer.finish_sealing(&mut self.rng, limits, now);
            if Deadlines::is_late(entry, limits) {
                self.settle(conn, limits);
            }
        }
    }

    /// The bytes to write next to a connection; none if there is nothing.
    pub(super) fn output(&mut self, conn: ConnId, limits: &Limits, now: Now) -> &[u8] {
        if self.peer(conn).is_some_and(Peer::has_unsealed) {
            self.seal(&[conn], limits, now);
        }
        self.peer(conn).map_or(&[], Peer::output)
    }

    /// Says goodbye to all connections, and accepts no other.
    pub(super) fn stop(&mut self, limits: &Limits, now: Now) {
        self.admission.stop();
        let restarting = End::Notify(CloseReason::Restarting);
        for conn in self.table.conns() {
            self.with(conn, limits, |peer| peer.close(restarting, now));
        }
    }

    /// Lets other limits hold for all connections. `is_silence_new` is whether those of silence are among them.
    pub(super) fn change_limits(&mut self, limits: &Limits, is_silence_new: bool, now: Now) {
        for conn in self.table.conns() {
            self.with(conn, limits, |peer| {
                peer.change_limits(limits, is_silence_new, now);
            });
        }
    }

    /// Logs the counts that were not logged yet.
    pub(super) fn finish_log(&mut self) {
        self.admission.finish_log();
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// The connections from these addresses.
    pub(super) fn from(&self, is_meant: impl Fn(IpAddr) -> bool) -> Vec<ConnId> {
        let conns = self.table.conns().into_iter();
        let is_meant = |conn: &ConnId| self.address(*conn).is_some_and(&is_meant);
        conns.filter(is_meant).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Whether nothing is kept of any connection that was ever there.
    pub(super) fn is_blank(&self) -> bool {
        let kept = [
            self.deadlines.len(),
            self.writes.len(),
            self.admission.len(),
            self.scheduler.waiting(),
            self.jobs.len(),
            self.retries.len(),
            self.waiting.len(),
            self.departed.len(),
        ];
        self.table.is_blank() && kept.iter().all(|kept| *kept == 0)
    }
}

/// Gives up what is left of a request that took several turns, if there is any.
fn abandon(scheduler: &mut Scheduler, entry: &mut ConnectionEntry) {
    if let Some((_, spent)) = entry.unfinished.take() {
        scheduler.abandon(&entry.schedule, spent);
    }
}

/// Updates the set of connections with a request that is not answered, which the log at level debug reads.
fn update_waiting(
    waiting: &mut BTreeSet<ConnId>,
    conn: ConnId,
    entry: &mut ConnectionEntry,
    waits: bool,
) {
    let waits = waits && tracing::enabled!(tracing::Level::DEBUG);
    if std::mem::replace(&mut entry.waits, waits) != waits {
        if waits {
            waiting.insert(conn);
        } else {
            waiting.remove(&conn);
        }
    }
}

#[cfg(test)]
mod tests;
