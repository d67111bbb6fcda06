//! "Why is my request not handled?" has one answer: the first [`Reason`] that holds.
//!
//! [`held_back`] is also what the engine asks before it queues a connection for a turn and before it handles
//! a further request within a turn, so the answer cannot differ from what the engine does.

use super::{FlowKey, Turn, TurnsEnd};
use crate::config::Limits;
use crate::conn::ConnId;
use crate::engine::Engine;
use crate::engine::connections::{Connections, Entry};
use std::fmt;
use std::time::Duration;

/// Why the next request of a connection is not handled. Times are those of
/// [`Now::running`](crate::clock::Now::running).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No request was received that is not handled, or the connection ends.
    InboxEmpty,
    /// A request before it waits for a worker.
    WorkerJob,
    /// A request before it is done but for a database that another program holds, or it is that request.
    /// The next try is then.
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
    /// The request is a try at a password that is refused, after others of the prefix.
    RefusedPassword {
        /// When the cool-down is over, unless further tries wait before this one.
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

impl fmt::Display for Reason {
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

/// What keeps a connection from having a turn, whatever the queue holds; `None` if nothing does.
pub(in crate::engine) fn held_back(
    entry: &Entry,
    retry_at: Option<Duration>,
    limits: &Limits,
) -> Option<Reason> {
    if !entry.peer.has_items() {
        Some(Reason::InboxEmpty)
    } else if entry.pending.is_some() {
        Some(Reason::WorkerJob)
    } else if entry.retry.waits() {
        let at = retry_at.unwrap_or_default();
        Some(Reason::DatabaseRetry { at })
    } else if !entry.peer.has_queue_space(limits) {
        Some(Reason::SendQueueFull)
    } else {
        None
    }
}

/// Why the next request of a connection is not handled; `None` if there is no such connection.
pub(in crate::engine) fn why_waiting(engine: &Engine, conn: ConnId) -> Option<Reason> {
    let connections = &engine.connections;
    let entry = connections.entry(conn)?;
    if entry.pending.is_some() {
        return Some(job_waits(engine, conn, entry));
    }
    let held_back = held_back(entry, connections.retry_at(), &engine.state.limits);
    if held_back.is_some() {
        return held_back;
    }
    let online = engine.state.roster.at(conn);
    let told = online.is_some_and(|online| engine.presence.is_pending(online.user));
    if told
        && entry
            .peer
            .next_item()
            .is_some_and(|item| item.ends_session())
    {
        return Some(Reason::PresenceFanOut);
    }
    Some(turn_waits(connections, entry))
}

/// Why a request that a worker computes for is not answered.
fn job_waits(engine: &Engine, conn: ConnId, entry: &Entry) -> Reason {
    let connections = &engine.connections;
    let user = entry.pending.as_ref().and_then(|pending| pending.user());
    if !connections.jobs.is_done(conn) {
        return Reason::WorkerJob;
    }
    if entry.retry.waits() {
        let at = connections.retry_at().unwrap_or_default();
        return Reason::DatabaseRetry { at };
    }
    let until = user.and_then(|user| {
        let queue = &connections.scheduler.queue;
        queue.cooling_until(FlowKey::User(user))
    });
    if let Some(until) = until {
        return Reason::CoolingDown { until };
    }
    if user.is_some_and(|user| engine.presence.is_pending(user)) {
        return Reason::PresenceFanOut;
    }
    Reason::NoTurnYet
}

/// Why a connection that may have a turn has none.
fn turn_waits(connections: &Connections, entry: &Entry) -> Reason {
    let scheduler = &connections.scheduler;
    let Turn::Queued(ticket) = entry.schedule.turn else {
        return Reason::TurnTaken;
    };
    let flow = ticket.key();
    let until = scheduler.queue.cooling_until(flow);
    match (flow, until, scheduler.ended) {
        (FlowKey::Refused(_), until, _) => Reason::RefusedPassword { until },
        (_, Some(until), _) => Reason::CoolingDown { until },
        (_, None, TurnsEnd::BudgetSpent) => Reason::TickBudgetSpent,
        (_, None, TurnsEnd::CommittedAlone) => Reason::CommittedAlone,
        (_, None, TurnsEnd::QueueEmpty) => Reason::NoTurnYet,
    }
}
