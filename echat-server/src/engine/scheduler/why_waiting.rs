//! "Why is my request not handled?" has one answer: the first [`WaitReason`] that holds.
//!
//! [`held_back`] is also what the engine asks before it queues a connection for a turn and before it handles
//! a further request within a turn, so the answer cannot differ from what the engine does.

use super::{ConnectionSchedule, FlowKey, Scheduler, Turn, TurnsEnd};
use crate::config::Limits;
use crate::conn::ConnId;
use crate::engine::Engine;
use crate::engine::connections::ConnectionEntry;
use crate::storage::UserId;
use std::fmt;
use std::time::Duration;

/// Why the next request of a connection is not handled. Times are those of
/// [`Now::running`](crate::clock::Now::running).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// No request was received that is not handled, or the connection ends.
    InboxEmpty,
    /// A request before it waits for a worker.
    WorkerJob,
    /// A request before it is done but for a database that another program holds, or it is that request.
    /// It is retried then.
    DatabaseRetry {
        /// When.
        at: Duration,
    },
    /// The send queue has no space for a reply.
    SendQueueFull,
    /// The session cannot begin or end before all rooms know of the user's last presence change.
    PresenceFanOut,
    /// Turns of this connection's user or prefix cost much.
    CoolingDown {
        /// When the cool-down is over.
        until: Duration,
    },
    /// The request is an attempt at a password that is refused, after others of the prefix.
    RefusedPassword {
        /// When the cool-down is over, unless further attempts wait before this one.
        until: Option<Duration>,
    },
    /// The last tick spent its budget before this connection had a turn.
    TickBudgetSpent,
    /// Damage was met lately: the last tick ended with the turn that wrote.
    CommittedAlone,
    /// The connection had its turn in this tick.
    TurnTaken,
    /// The next tick may give it a turn.
    NoTurnYet,
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InboxEmpty => write!(f, "no request waits"),
            Self::WorkerJob => write!(f, "a worker job is not done"),
            Self::DatabaseRetry { at } => {
                write!(
                    f,
                    "the database is busy, retry at {:.3} s",
                    at.as_secs_f64()
                )
            }
            Self::SendQueueFull => write!(f, "the send queue is full"),
            Self::PresenceFanOut => write!(f, "a presence change is not told to all rooms"),
            Self::CoolingDown { until } => {
                write!(f, "cooling down until {:.3} s", until.as_secs_f64())
            }
            Self::RefusedPassword { until: Some(until) } => {
                write!(
                    f,
                    "refused password, cooling down until {:.3} s",
                    until.as_secs_f64()
                )
            }
            Self::RefusedPassword { until: None } => write!(f, "refused password, queued"),
            Self::TickBudgetSpent => write!(f, "the tick's budget is spent"),
            Self::CommittedAlone => write!(f, "the tick ended early after damage"),
            Self::TurnTaken => write!(f, "the turn of this tick is over"),
            Self::NoTurnYet => write!(f, "no turn yet"),
        }
    }
}

/// What keeps a connection from having a turn, whatever the queue holds; `None` if nothing does. `retry_at` is when its
/// request is retried that found the database locked.
pub(in crate::engine) fn held_back(
    entry: &ConnectionEntry,
    retry_at: Option<Duration>,
    limits: &Limits,
) -> Option<WaitReason> {
    if !entry.peer.has_items() {
        Some(WaitReason::InboxEmpty)
    } else if entry.pending.is_some() {
        Some(WaitReason::WorkerJob)
    } else if let Some(at) = retry_at {
        Some(WaitReason::DatabaseRetry { at })
    } else if !entry.peer.has_queue_space(limits) {
        Some(WaitReason::SendQueueFull)
    } else {
        None
    }
}

/// Why the next request of a connection is not handled; `None` if there is no such connection.
pub(in crate::engine) fn why_waiting(engine: &Engine, conn: ConnId) -> Option<WaitReason> {
    let entry = engine.connections.entry(conn)?;
    if let Some(pending) = &entry.pending {
        return Some(job_waits(engine, conn, pending.user()));
    }
    let held_back = held_back(
        entry,
        engine.connections.retry_at(conn),
        &engine.state.limits,
    );
    if held_back.is_some() {
        return held_back;
    }
    let online = engine.state.roster.at(conn);
    let pending = online.is_some_and(|online| engine.presence.is_pending(online.user));
    let ends = || {
        entry
            .peer
            .next_item()
            .is_some_and(|item| item.ends_session())
    };
    if pending && ends() {
        return Some(WaitReason::PresenceFanOut);
    }
    Some(turn_waits(&engine.connections.scheduler, &entry.schedule))
}

/// Why a request that a worker computes for is not answered. `user` is to be logged in by it.
fn job_waits(engine: &Engine, conn: ConnId, user: Option<UserId>) -> WaitReason {
    let connections = &engine.connections;
    if !connections.jobs.is_done(conn) {
        return WaitReason::WorkerJob;
    }
    if let Some(at) = connections.retry_at(conn) {
        return WaitReason::DatabaseRetry { at };
    }
    let queue = &connections.scheduler.queue;
    if let Some(until) = user.and_then(|user| queue.cooling_until(FlowKey::User(user))) {
        return WaitReason::CoolingDown { until };
    }
    if user.is_some_and(|user| engine.presence.is_pending(user)) {
        return WaitReason::PresenceFanOut;
    }
    WaitReason::NoTurnYet
}

/// Why a connection that may have a turn has none.
fn turn_waits(scheduler: &Scheduler, schedule: &ConnectionSchedule) -> WaitReason {
    let Turn::Queued(ticket) = schedule.turn else {
        return WaitReason::TurnTaken;
    };
    let flow = ticket.key();
    let until = scheduler.queue.cooling_until(flow);
    match (flow, until, scheduler.ended) {
        (FlowKey::Refused(_), until, _) => WaitReason::RefusedPassword { until },
        (_, Some(until), _) => WaitReason::CoolingDown { until },
        (_, None, TurnsEnd::BudgetSpent) => WaitReason::TickBudgetSpent,
        (_, None, TurnsEnd::CommittedAlone) => WaitReason::CommittedAlone,
        (_, None, TurnsEnd::QueueEmpty) => WaitReason::NoTurnYet,
    }
}
