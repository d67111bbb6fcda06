//! The server without its sockets: connections, state in memory and the store. It takes bytes, time and results of
//! workers from outside and gives bytes and jobs back, so that a test or a simulation controls all of them. It knows no
//! mio, no sockets and no clock.
//!
//! One [`Engine::tick`] is one transaction: requests are handled within a budget, all of it is committed, and only then
//! the answers are sent (`tick`). `connections` has the connections, `scheduler` decides which of them handles its
//! requests next, `presence` tells rooms of presence changes in portions, `rollback` is for a full disk and for damage.

mod administration;
mod changed_lists;
mod connections;
mod damage;
mod deferred_writes;
mod full_disk_log;
mod inspection;
mod presence;
mod purge;
mod removals;
mod rollback;
mod room_events;
mod scheduler;
mod search_index;
mod space;
mod tally;
mod tick;

pub(crate) use crate::handlers::administration::at;
pub use crate::handlers::administration::{
    AdminReport, AdminTask, COMMANDS, CommandInfo, ExportScope, FileTask, LoopTask, RawArguments,
};
pub use administration::{AdminAnswer, AdminRefusal, PendingOperation};
pub use scheduler::why_waiting::WaitReason;

use crate::clock::Now;
use crate::config::{Limits, Settings};
use crate::conn::{ConnId, Departure};
use crate::handlers::journal::{Entry, Journal};
use crate::handlers::lobby;
use crate::handlers::{AfterCommit, Ctx, DeferredWrites, Gauges};
use crate::limits::{LogLimiter, RateLimits};
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::roster::Roster;
use crate::session_log::SessionLog;
use crate::storage::{Batch, Checkpoint, CheckpointOutcome, Store, StoreError, UserId};
use crate::workers::jobs::{Job, JobResult};
use administration::Administration;
use changed_lists::UntoldLists;
use connections::Connections;
use damage::DamageReports;
use echat_proto::commands::CloseReason;
use full_disk_log::FullDiskLog;
use presence::PresenceFanOut;
use purge::Purge;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use removals::Removals;
use search_index::SearchIndex;
use space::Space;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;
use tally::Tally;
use thiserror::Error;

/// The database failed in a way that leaves open what is on the disk. No further answer leaves. The process logs the
/// cause and stops; clients reconnect and send again with the same txn_id.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct Fatal(pub StoreError);

/// The connection in the context of work that no connection asked for. Serial numbers of connections begin at 1.
const NO_CONNECTION: ConnId = ConnId(0);

/// The server without its sockets.
pub struct Engine {
    store: Store,
    state: MemoryState,
    connections: Connections,
    presence: PresenceFanOut,
    removals: Removals,
    untold_lists: UntoldLists,
    purge: Purge,
    damage: DamageReports,
    full_disk_log: FullDiskLog,
    administration: Administration,
    search_index: SearchIndex,
    /// The rate limit of the debug line about requests that wait, for each reason.
    waiting_log: HashMap<Discriminant<WaitReason>, LogLimiter>,
    /// Whether the quotas of the last 24 hours were read.
    day_is_loaded: bool,
    /// Empty between ticks; kept for its memory.
    record: tick::Record,
    tally: Tally,
}

/// The state in memory that commands read and change.
struct MemoryState {
    limits: Limits,
    settings: Settings,
    /// Whether the code of the first administrator became void since this was asked.
    administrator_is_made: bool,
    roster: Roster,
    outbox: Outbox,
    rates: RateLimits,
    session_log: SessionLog,
    deferred_writes: DeferredWrites,
    /// The source of secrets.
    random: StdRng,
    journal: Journal,
    /// What follows the commit of this tick.
    after_commit: AfterCommit,
    /// What the administration is shown of the server.
    gauges: Gauges,
    space: Space,
}

impl MemoryState {
    /// What a command works with.
    fn ctx<'t, 's>(
        &'t mut self,
        batch: &'t mut Batch<'s>,
        conn: ConnId,
        address: IpAddr,
        now: Now,
    ) -> Ctx<'t, 's> {
        Ctx {
            conn,
            address,
            now,
            limits: &self.limits,
            settings: &self.settings,
            batch,
            roster: &mut self.roster,
            outbox: &mut self.outbox,
            throttle: &mut self.rates,
            session_log: &mut self.session_log,
            deferred_writes: &mut self.deferred_writes,
            journal: &mut self.journal,
            random: &mut self.random,
            after_commit: &mut self.after_commit,
            disk_is_low: self.space.is_low(),
            disk_is_full: self.space.is_full(),
            gauges: &self.gauges,
        }
    }

    /// Keeps what requests changed in memory since the last commit: the database has what they wrote. Returns what is
    /// to be done now. What needs a commit to hold is named here and in [`roll_back`](Self::roll_back), nowhere else.
    #[must_use]
    fn commit(&mut self) -> AfterCommit {
        self.roster.commit();
        self.session_log.commit();
        self.rates.commit();
        self.journal.commit();
        std::mem::take(&mut self.after_commit)
    }

    /// Takes back what requests changed in memory since the last commit: the database did not take what they wrote.
    /// Staged deliveries are the caller's: some of them may stand.
    fn roll_back(&mut self) {
        self.roster.roll_back();
        self.session_log.roll_back();
        self.rates.roll_back();
        self.journal.roll_back();
        self.after_commit = AfterCommit::default();
    }
}

impl Engine {
    /// An engine over a database. All its randomness (IVs and secrets; exponents are the workers') comes from
    /// `rng`.
    pub fn new(limits: Limits, store: Store, mut rng: StdRng) -> Self {
        let state = MemoryState {
            limits,
            settings: Settings::default(),
            administrator_is_made: false,
            roster: Roster::default(),
            outbox: Outbox::default(),
            rates: RateLimits::new(rng.random()),
            session_log: SessionLog::default(),
            deferred_writes: DeferredWrites::default(),
            random: StdRng::from_rng(&mut rng),
            journal: Journal::default(),
            after_commit: AfterCommit::default(),
            gauges: Gauges::default(),
            space: Space::default(),
        };
        Self {
            store,
            state,
            administration: Administration::default(),
            connections: Connections::new(rng),
            presence: PresenceFanOut::default(),
            removals: Removals::default(),
            untold_lists: UntoldLists::default(),
            purge: Purge::default(),
            damage: DamageReports::default(),
            full_disk_log: FullDiskLog::default(),
            search_index: SearchIndex::default(),
            waiting_log: HashMap::new(),
            day_is_loaded: false,
            record: tick::Record::default(),
            tally: Tally::default(),
        }
    }

    /// Changes how many connections one user may be logged in at, from the next login on.
    pub fn allow_sessions(&mut self, per_user: NonZeroUsize) {
        self.state.roster.allow_sessions(per_user);
    }

    /// Changes the settings that requests depend on, from the next request on.
    pub fn configure(&mut self, settings: Settings) {
        let days = settings
            .keep_days
            .map(|days| u32::try_from(days).unwrap_or(u32::MAX));
        self.store.keep(days);
        self.removals.sweep_now();
        self.store.keep_audit(settings.audit_days);
        self.administration.configured = settings;
        self.state.settings = self.administration.settings();
    }

    /// Creates the lobby that the configuration names, unless a room has its name or a confusable one. A full or locked
    /// disk, and damage, leave it to the next start, which the log says.
    ///
    /// # Errors
    /// The database failed, which ends the server.
    pub fn create_lobby(&mut self, now: Now) -> Result<(), Fatal> {
        let Some(name) = self.state.settings.lobby.clone() else {
            return Ok(());
        };
        let mut batch = self.store.batch();
        let created = lobby::create(&mut batch, &name, now.unix);
        match created.and_then(|created| batch.commit().map(|_receipt| created)) {
            Ok(false) => {}
            Ok(true) => {
                let journal = &mut self.state.journal;
                journal.record(|| Entry::lobby(&name, now.unix));
                journal.commit();
                tracing::info!("created the lobby: {}", name.as_str());
            }
            Err(fatal @ StoreError::Fatal(_)) => return Err(Fatal(fatal)),
            Err(error) => tracing::warn!(%error, "the lobby could not be created"),
        }
        Ok(())
    }

    /// Whether the code of the first administrator became void since the last call. Its file is to be removed.
    pub fn take_administrator_made(&mut self) -> bool {
        std::mem::take(&mut self.state.administrator_is_made)
    }

    /// Takes a connection in; `None` if it is to be closed at once.
    pub fn accept(&mut self, address: SocketAddr, now: Now) -> Option<ConnId> {
        if self.administration.bans.refuse(address.ip(), now.unix) {
            return None;
        }
        self.connections.accept(address, &self.state.limits, now)
    }

    /// Hands over bytes from a connection's socket.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Now) {
        self.connections
            .receive(conn, bytes, &self.state.limits, now);
    }

    /// The client has closed its half. Requests before that are still handled and answered.
    pub fn hang_up(&mut self, conn: ConnId) {
        self.connections
            .with(conn, &self.state.limits, Peer::hang_up);
    }

    /// The socket failed: the connection is closed at once.
    pub fn sever(&mut self, conn: ConnId) {
        self.connections
            .with(conn, &self.state.limits, Peer::close_at_once);
    }

    /// Whether more bytes of a connection are to be read. Until then they stay in the socket.
    pub fn wants_bytes(&self, conn: ConnId) -> bool {
        self.connections
            .peer(conn)
            .is_some_and(|peer| peer.wants_bytes(&self.state.limits))
    }

    /// Takes a worker's result. It is dropped if its connection is gone.
    pub fn complete(&mut self, conn: ConnId, done: JobResult) {
        self.connections.complete(conn, done, &self.state.limits);
    }

    /// Handles the requests that wait, within a budget. The error ends the server.
    pub fn tick(&mut self, now: Now) -> Result<(), Fatal> {
        tick::tick(self, now).map_err(Fatal)?;
        self.log_waiting(now);
        Ok(())
    }

    /// Why the next request of a connection is not handled; `None` if there is no such connection. Asked
    /// between ticks.
    pub fn why_waiting(&self, conn: ConnId) -> Option<WaitReason> {
        scheduler::why_waiting::why_waiting(self, conn)
    }

    /// Logs why requests wait after a tick, at level debug: for each reason one line in ten seconds, with the
    /// first connection and how many there are.
    fn log_waiting(&mut self, now: Now) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let mut waiting: HashMap<_, (ConnId, WaitReason, u64)> = HashMap::new();
        for conn in self.connections.waiting() {
            let reason = self.why_waiting(conn);
            if let Some(reason) = reason.filter(|reason| *reason != WaitReason::InboxEmpty) {
                let first = waiting.entry(discriminant(&reason));
                first.or_insert((conn, reason, 0)).2 += 1;
            }
        }
        for (kind, (conn, reason, connections)) in waiting {
            if self
                .waiting_log
                .entry(kind)
                .or_default()
                .allows(now.running)
            {
                tracing::debug!(%conn, %reason, connections, "requests wait");
            }
        }
    }

    /// Whether another tick would find work at once.
    pub fn has_work(&self) -> bool {
        let is_staged = self.state.outbox.mark() > 0;
        is_staged
            || self.connections.has_work()
            || !self.presence.is_empty()
            || !self.untold_lists.is_empty()
    }

    /// When a tick is needed though no bytes come.
    pub fn deadline(&self) -> Option<Duration> {
        let deadlines = [
            self.connections.deadline(),
            self.state.session_log.deadline(),
            self.full_disk_log.deadline(),
            self.state.deferred_writes.retry_at(),
            self.removals.deadline(),
            self.purge.deadline(),
            self.search_index.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// The jobs to hand to workers, once.
    pub fn take_jobs(&mut self) -> Vec<Job> {
        self.connections.take_jobs()
    }

    /// The job of a connection that [`take_closed`](Self::take_closed) gave last was dropped before any
    /// worker began it. An attempt at a password that was never compared does not count as one.
    pub fn dropped(&mut self, conn: ConnId) {
        if let Some(counted) = self.connections.take_unjudged_password(conn) {
            self.state.rates.guesses.take_back(counted);
        }
    }

    /// A long write-ahead log that is to be copied by a thread of its own. The result goes to
    /// [`Self::checkpoint_done`].
    pub fn take_checkpoint(&mut self) -> Option<Checkpoint> {
        self.store.take_checkpoint()
    }

    /// A checkpoint is done. The error ends the server.
    pub fn checkpoint_done(&mut self, outcome: CheckpointOutcome) -> Result<(), Fatal> {
        self.store.checkpoint_done(outcome).map_err(Fatal)
    }

    /// The connections to write now, each once. A round, which [`Self::tick`] begins, writes all that have a reply or
    /// an event for few connections, and a portion of those with an event for many. [`Self::has_work`] is true while
    /// others wait.
    pub fn take_dirty(&mut self) -> Vec<ConnId> {
        self.connections.take_dirty()
    }

    /// Connections that are over; their sockets are to be dropped.
    pub fn take_closed(&mut self) -> Vec<ConnId> {
        self.connections.take_closed()
    }

    /// Seals the next frames of these connections together, which costs less than each alone in
    /// [`output`](Self::output). The frames take memory until they are written, so give few connections.
    pub fn seal(&mut self, conns: &[ConnId], now: Now) {
        self.connections.seal(conns, &self.state.limits, now);
    }

    /// The bytes to write next to a connection; none if there is nothing.
    pub fn output(&mut self, conn: ConnId, now: Now) -> &[u8] {
        self.connections.output(conn, &self.state.limits, now)
    }

    /// Notes that bytes were written. Returns whether more waits for the connection.
    pub fn wrote(&mut self, conn: ConnId, bytes: usize, now: Now) -> bool {
        self.connections.wrote(conn, bytes, &self.state.limits, now)
    }

    /// Whether everything was written to a connection that is being closed: its sending half may be shut. It is
    /// dropped when the client has closed too, or after two seconds.
    pub fn is_finished(&self, conn: ConnId) -> bool {
        self.connections
            .peer(conn)
            .is_some_and(|peer| peer.is_closing() && peer.is_flushed())
    }

    /// Sends CLOSE_NOTIFY(5) to all connections. The engine is empty when all of it is written.
    pub fn stop(&mut self, now: Now) {
        self.connections.stop(&self.state.limits, now);
    }

    /// Logs the end of every session that is left, and the counts that were not logged, and retries unwritten
    /// revocations: the last call before the process ends, because it was told to or because the database `failed`.
    pub fn end_sessions(&mut self, failed: bool, now: Now) {
        let reason = if failed {
            Departure::Failed
        } else {
            Departure::Ended(CloseReason::Restarting)
        };
        let MemoryState {
            roster,
            session_log,
            ..
        } = &mut self.state;
        for (conn, online) in roster.sessions() {
            session_log.logged_out((online.user, &online.name), conn, reason, now.running);
        }
        session_log.finish();
        if !failed {
            let gone: Vec<UserId> = roster.online().map(|online| online.user).collect();
            deferred_writes::note_seen(&mut self.store, &gone, now);
        }
        deferred_writes::finish(&mut self.store, &mut self.state, failed);
        self.connections.finish_log();
        self.full_disk_log.finish();
    }

    /// Whether no connection is left.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The store, which the reactor closes, and which tests read.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }
}
