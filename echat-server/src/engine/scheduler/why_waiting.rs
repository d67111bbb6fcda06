//! "Why is my request not handled?" has one answer: the first [`WaitReason`] that holds.
//!
//! Each rule stands here once, and the engine asks the same functions, so the answer cannot differ from what it does:
//! [`held_back`] before it queues a connection for a turn and before it handles a further request within a turn,
//! [`session_waits`] before it handles what ends a session, and [`result_waits`] before it uses a worker's result.

use super::{ConnectionSchedule, FlowKey, Scheduler, Turn, TurnsEnd};
use crate::config::Limits;
use crate::conn::ConnId;
use crate::engine::Engine;
use crate::engine::connections::{ConnectionEntry, Connections};
use crate::engine::presence::PresenceFanOut;
use crate::handlers::account::Pending;
use crate::roster::Roster;
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

/// What keeps a request from being handled in the turn of its connection: it would end a session of which not all rooms
/// know that it has begun. `ends` is whether it ends one.
pub(in crate::engine) fn session_waits(
    presence: &PresenceFanOut,
    roster: &Roster,
    conn: ConnId,
    ends: impl FnOnce() -> bool,
) -> Option<WaitReason> {
    let is_pending = || {
        let online = roster.at(conn);
        online.is_some_and(|online| presence.is_pending(online.user))
    };
    let waits = !presence.is_empty() && ends() && is_pending();
    waits.then_some(WaitReason::PresenceFanOut)
}

/// What keeps a worker's result from being used. `user` is the one whose session begins or ends with it, who may cool
/// down after much presence work. A wrong password has none and waits for no cool-down: it must not tell whether the
/// user is active.
pub(in crate::engine) fn result_waits(
    connections: &Connections,
    presence: &PresenceFanOut,
    conn: ConnId,
    user: Option<UserId>,
) -> Option<WaitReason> {
    if let Some(at) = connections.retry_at(conn) {
        return Some(WaitReason::DatabaseRetry { at });
    }
    let user = user?;
    let queue = &connections.scheduler.queue;
    if let Some(until) = queue.cooling_until(FlowKey::User(user)) {
        return Some(WaitReason::CoolingDown { until });
    }
    let is_pending = presence.is_pending(user);
    is_pending.then_some(WaitReason::PresenceFanOut)
}

/// Why the next request of a connection is not handled; `None` if there is no such connection.
pub(in crate::engine) fn why_waiting(engine: &Engine, conn: ConnId) -> Option<WaitReason> {
    let entry = engine.connections.entry(conn)?;
    if let Some(pending) = &entry.pending {
        return Some(job_waits(engine, conn, pending));
    }
    let held_back = held_back(
        entry,
        engine.connections.retry_at(conn),
        &engine.state.limits,
    );
    if held_back.is_some() {
        return held_back;
    }
    let ends = || {
        let item = entry.peer.next_item();
        item.is_some_and(|item| item.ends_session())
    };
    let ending = session_waits(&engine.presence, &engine.state.roster, conn, ends);
    let turn = || turn_waits(&engine.connections.scheduler, &entry.schedule);
    Some(ending.unwrap_or_else(turn))
}

/// Why a request that a worker computes for is not answered.
fn job_waits(engine: &Engine, conn: ConnId, pending: &Pending) -> WaitReason {
    let connections = &engine.connections;
    let Some(result) = connections.jobs.result(conn) else {
        return WaitReason::WorkerJob;
    };
    let user = pending.changes_session(result);
    let waits = result_waits(connections, &engine.presence, conn, user);
    waits.unwrap_or(WaitReason::NoTurnYet)
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
