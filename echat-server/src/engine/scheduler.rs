//! The scheduler: which connection handles its next requests, and how much a tick may do.
//!
//! * [`fair_queue`] gives turns in the order of start-time fair queueing;
//! * [`cooldown`] holds back flows whose turns cost much;
//! * [`cost`] estimates what work costs, in nanoseconds, without a clock;
//! * [`why_waiting`] says why a request is not handled yet: all reasons stand there.

mod cooldown;
pub(super) mod cost;
mod fair_queue;
pub(super) mod why_waiting;

pub(super) use fair_queue::FlowKey;

use crate::conn::ConnId;
use cost::{PRESENCE_EVENT, PRESENCE_TURNS, TICK_TURNS};
use fair_queue::{FairQueue, Ticket};
use std::net::IpAddr;
use std::time::Duration;

/// A connection's state in the scheduler.
#[derive(Debug)]
pub(super) struct ConnectionSchedule {
    /// What pays for the connection's turns.
    flow: FlowKey,
    turn: Turn,
}

/// Whether a connection has a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It asked for none.
    Idle,
    /// It asked for none yet. In the next one its attempt at a password is refused, and the attempts of this prefix
    /// pay.
    Refusal(IpAddr),
    /// It waits for one.
    Queued(Ticket),
    /// It has one in this tick.
    Taken,
}

impl ConnectionSchedule {
    /// The schedule of a new connection, which its rate-limit prefix pays for.
    pub(super) fn new(prefix: IpAddr) -> Self {
        Self {
            flow: FlowKey::Prefix(prefix),
            turn: Turn::Idle,
        }
    }

    /// Notes that the connection has the turn that [`Scheduler::next`] gave. It has no other before
    /// [`end_turn`](Self::end_turn).
    pub(super) fn begin_turn(&mut self) {
        self.turn = Turn::Taken;
    }

    /// Ends the connection's turn; it may be queued again.
    pub(super) fn end_turn(&mut self) {
        if self.turn == Turn::Taken {
            self.turn = Turn::Idle;
        }
    }

    /// Changes what pays for the connection's next turns. A turn that is queued stays where it is.
    pub(super) fn set_flow(&mut self, flow: FlowKey) {
        self.flow = flow;
    }
}

/// Why a tick gives no further turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TurnsEnd {
    /// No connection could have one.
    #[default]
    QueueEmpty,
    /// The tick's budget is spent.
    BudgetSpent,
    /// Damage was met lately, so the writes of each turn are committed by themselves.
    CommittedAlone,
}

/// The turns of all connections.
pub(super) struct Scheduler {
    queue: FairQueue,
    /// The cost of a turn after which it ends.
    turn: Duration,
    /// Why the last tick gave no further turn.
    ended: TurnsEnd,
    /// The flows whose requests were given up, and what their turns cost.
    abandoned: Vec<(FlowKey, Duration)>,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self {
            queue: FairQueue::default(),
            turn: cost::TURN,
            ended: TurnsEnd::default(),
            abandoned: Vec::new(),
        }
    }
}

impl Scheduler {
    /// Changes the cost of a turn, and with it the budget of a tick.
    pub(super) fn set_turn_cost(&mut self, cost: Duration) {
        self.turn = cost.max(Duration::from_nanos(1));
    }

    /// The cost after which a turn ends and its flow cools down.
    pub(super) fn turn_cost(&self) -> Duration {
        self.turn
    }

    /// The cost of all turns of a tick, after which it gives no other.
    pub(super) fn tick_cost(&self) -> Duration {
        self.turn.saturating_mul(TICK_TURNS)
    }

    /// Events that the presence fan-out may send in a tick; one at least.
    pub(super) fn presence_events(&self) -> u64 {
        let budget = self.turn.saturating_mul(PRESENCE_TURNS);
        let events = budget.as_nanos() / PRESENCE_EVENT.as_nanos();
        u64::try_from(events).unwrap_or(u64::MAX).max(1)
    }

    /// Queues a connection for a turn, if it has none.
    pub(super) fn queue(&mut self, conn: ConnId, schedule: &mut ConnectionSchedule) {
        let flow = match schedule.turn {
            Turn::Idle => schedule.flow,
            Turn::Refusal(prefix) => FlowKey::Refused(prefix),
            Turn::Queued(_) | Turn::Taken => return,
        };
        schedule.turn = Turn::Queued(self.queue.push(flow, conn));
    }

    /// Takes a connection that is gone out of the queue.
    pub(super) fn remove(&mut self, conn: ConnId, schedule: &ConnectionSchedule) {
        if let Turn::Queued(ticket) = schedule.turn {
            self.queue.remove(ticket, conn);
        }
    }

    /// The next connection to have a turn, and the flow that pays for it.
    pub(super) fn next(&mut self) -> Option<(ConnId, FlowKey)> {
        self.queue.pop()
    }

    /// Notes why a tick gives no further turn.
    pub(super) fn end_turns(&mut self, end: TurnsEnd) {
        self.ended = end;
    }

    /// Charges a flow for a turn. It also cools down for `heavy`, a part of the cost, if that is more than a
    /// turn's.
    pub(super) fn charge(&mut self, flow: FlowKey, cost: Duration, heavy: Duration, now: Duration) {
        let heavy = Some(heavy).filter(|heavy| *heavy > self.turn);
        self.queue.charge(flow, cost, heavy, now);
    }

    /// Charges the refused attempts of a prefix for one more, as if a password had been hashed for it.
    pub(super) fn charge_refusal(&mut self, prefix: IpAddr, now: Duration) {
        self.queue.charge_refusal(FlowKey::Refused(prefix), now);
    }

    /// Makes a connection wait for the refusal of its attempt at a password, if others of its prefix wait or
    /// the prefix cools down for one; whether it waits. Other requests of the prefix go on.
    pub(super) fn defer_refusal(&self, schedule: &mut ConnectionSchedule, prefix: IpAddr) -> bool {
        let waits = self.queue.is_busy(FlowKey::Refused(prefix));
        if waits {
            schedule.turn = Turn::Refusal(prefix);
        }
        waits
    }

    /// Notes that the request of a connection that took several turns will not be finished. Its flow is charged for
    /// them already. With the next tick it cools down for them, as it would at the end of the request.
    pub(super) fn abandon(&mut self, schedule: &ConnectionSchedule, heavy: Duration) {
        self.abandoned.push((schedule.flow, heavy));
    }

    /// Begins the cool-downs for requests that were given up, and ends those that are over; whether any is over.
    pub(super) fn wake(&mut self, now: Duration) -> bool {
        for (flow, heavy) in std::mem::take(&mut self.abandoned) {
            self.charge(flow, Duration::ZERO, heavy, now);
        }
        self.queue.wake(now)
    }

    /// When the first cool-down is over.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        self.queue.next_wake()
    }

    /// Whether a connection could have a turn now.
    pub(super) fn is_ready(&self) -> bool {
        self.queue.is_ready()
    }

    /// Connections that wait for a turn, whether their flows cool down or not.
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::UserId;
    use std::net::Ipv4Addr;

    #[test]
    fn a_user_pays_for_all_turns_but_those_of_refusals() {
        let (conn, prefix) = (ConnId(1), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let user = FlowKey::User(UserId(7));
        let mut scheduler = Scheduler::default();
        let mut schedule = ConnectionSchedule::new(prefix);
        schedule.set_flow(user);
        let pays = |scheduler: &mut Scheduler, schedule: &mut ConnectionSchedule| {
            scheduler.queue(conn, schedule);
            scheduler.wake(Duration::MAX);
            let next = scheduler.next();
            schedule.begin_turn();
            next
        };
        assert_eq!(pays(&mut scheduler, &mut schedule), Some((conn, user)));
        scheduler.charge_refusal(prefix, Duration::ZERO);
        assert!(scheduler.defer_refusal(&mut schedule, prefix));
        schedule.end_turn();
        let refused = FlowKey::Refused(prefix);
        assert_eq!(pays(&mut scheduler, &mut schedule), Some((conn, refused)));
        schedule.end_turn();
        assert_eq!(pays(&mut scheduler, &mut schedule), Some((conn, user)));
    }
}
