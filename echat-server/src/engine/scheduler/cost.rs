//! What work costs: an estimate of processor time, in nanoseconds, made from counts.
//!
//! Costs need no clock, so they are the same each time: a test and a simulation see what a server sees. All
//! figures of the estimate stand here. They were measured on one core of a small server; only their ratios
//! matter, because the budgets below are costs too.
//!
//! Steps of `SQLite`'s virtual machine are one input of several. A step may hide much work: a search for a text
//! within texts takes a few steps a row, whatever the length of the row. So bytes that a statement scans
//! are counted by themselves.

use crate::storage::Usage;
use std::time::Duration;

/// The cost of a turn after which it ends and its flow cools down, unless a test changes it.
pub(in crate::engine) const TURN: Duration = Duration::from_millis(1);
/// Turns of full cost after which a tick gives no other: 5 ms. A request waits no longer for those before
/// it, apart from what one request costs alone.
pub(in crate::engine) const TICK_TURNS: u32 = 5;
/// Turns of full cost that the presence fan-out may take of a tick.
pub(in crate::engine) const PRESENCE_TURNS: u32 = 2;

/// One step of `SQLite`'s virtual machine. A row that is read takes about ten.
const STEP: Duration = Duration::from_nanos(50);
/// One statement, besides its steps.
const STATEMENT: Duration = Duration::from_micros(3);
/// 1,024 bytes of text that a statement searches: `instr` over messages takes 7 to 11 ns a byte.
const SCANNED_KIB: Duration = Duration::from_micros(10);
/// A microsecond of the search index, as it is estimated there.
const INDEX_MICRO: Duration = Duration::from_micros(1);
/// One name that is brought into its stored form and compared with others, without the tables of Unicode.
const PLAIN_NAME: Duration = Duration::from_micros(1);
/// The same with these tables (PRECIS): up to 26 us.
const UNICODE_NAME: Duration = Duration::from_micros(30);
/// Handling one message, besides the database.
const MESSAGE: Duration = Duration::from_micros(10);
/// 1,024 bytes of a request, decoded: 12.5 ns a byte if they are many short values.
const REQUEST_KIB: Duration = Duration::from_nanos(12_800);
/// 1,024 bytes of a reply, read, encoded and sealed: 6.25 ns a byte.
const REPLY_KIB: Duration = Duration::from_nanos(6_400);
/// Queueing an event for one connection, with a share of the write that sends it. The more events share a write, the
/// less each of them costs.
const EVENT: Duration = Duration::from_nanos(250);
/// 1,024 bytes of an event, sealed for one connection: 1.2 ns a byte.
const EVENT_KIB: Duration = Duration::from_nanos(1_250);
/// Telling one connection of a presence change, with its share of a write.
pub(in crate::engine) const PRESENCE_EVENT: Duration = Duration::from_nanos(1_500);
/// One password hash. A refused attempt at a password is charged like one.
pub(super) const PASSWORD_HASH: Duration = Duration::from_millis(25);

/// The counted work of a tick so far.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct Counts {
    /// What the database and its callers did.
    pub(in crate::engine) usage: Usage,
    /// Messages that were handled.
    pub(in crate::engine) messages: u64,
    /// Bytes of these messages.
    pub(in crate::engine) request_bytes: u64,
    /// Bytes of the replies that were staged.
    pub(in crate::engine) reply_bytes: u64,
    /// Events that were staged, one for each recipient.
    pub(in crate::engine) events: u64,
    /// Bytes of these events, of each for every recipient.
    pub(in crate::engine) event_bytes: u64,
}

impl Counts {
    /// The estimate.
    pub(in crate::engine) fn cost(&self) -> Duration {
        let parts = [
            times(STEP, self.usage.steps),
            times(STATEMENT, self.usage.statements),
            kib(SCANNED_KIB, self.usage.scanned_bytes),
            times(INDEX_MICRO, self.usage.index_micros),
            times(PLAIN_NAME, self.usage.plain_names),
            times(UNICODE_NAME, self.usage.unicode_names),
            times(MESSAGE, self.messages),
            kib(REQUEST_KIB, self.request_bytes),
            kib(REPLY_KIB, self.reply_bytes),
            times(EVENT, self.events),
            kib(EVENT_KIB, self.event_bytes),
        ];
        Duration::from_nanos(parts.into_iter().fold(0, u64::saturating_add))
    }
}

/// What work of the search index costs.
pub(in crate::engine) fn index_cost(usage: &Usage) -> Duration {
    Duration::from_nanos(times(INDEX_MICRO, usage.index_micros))
}

/// Nanoseconds of `count` pieces of work.
fn times(each: Duration, count: u64) -> u64 {
    nanos(each).saturating_mul(count)
}

/// Nanoseconds of `bytes`, at so much for 1,024 of them.
fn kib(each: Duration, bytes: u64) -> u64 {
    nanos(each).saturating_mul(bytes) / 1_024
}

/// A figure above, none of which is as long as a second.
fn nanos(each: Duration) -> u64 {
    u64::from(each.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cost of one kind of work alone.
    fn of(set: impl FnOnce(&mut Counts)) -> Duration {
        let mut counts = Counts::default();
        set(&mut counts);
        counts.cost()
    }

    #[test]
    fn the_cost_is_the_sum_of_its_parts() {
        let all = Counts {
            usage: Usage {
                statements: 2,
                steps: 100,
                scanned_bytes: 2_048,
                index_micros: 7,
                plain_names: 3,
                unicode_names: 1,
                ..Usage::default()
            },
            messages: 1,
            request_bytes: 512,
            reply_bytes: 1_024,
            events: 4,
            event_bytes: 4_096,
        };
        // 5 + 6 + 20 + 7 + 3 + 30 + 10 + 6.4 + 6.4 + 1 + 5 us.
        assert_eq!(all.cost(), Duration::from_nanos(99_800));
        assert_eq!(Counts::default().cost(), Duration::ZERO);
    }

    #[test]
    fn a_search_of_many_texts_is_more_than_a_turn_though_it_takes_few_steps() {
        let steps = of(|counts| counts.usage.steps = 13);
        let search = of(|counts| {
            counts.usage.steps = 13;
            counts.usage.scanned_bytes = 1 << 20;
        });
        assert!(steps < TURN / 1_000 && search > 5 * TURN, "{search:?}");
    }

    #[test]
    fn a_byte_of_a_request_costs_twice_a_byte_of_a_reply() {
        let request = of(|counts| counts.request_bytes = 4_096);
        let reply = of(|counts| counts.reply_bytes = 4_096);
        assert_eq!(request, 2 * reply);
    }

    #[test]
    fn a_long_list_of_names_is_more_than_a_tick_unless_they_are_plain() {
        let plain = of(|counts| counts.usage.plain_names = 1_000);
        let other = of(|counts| counts.usage.unicode_names = 1_000);
        assert!(plain <= TURN && other > TURN * TICK_TURNS, "{plain:?}");
    }

    #[test]
    fn costs_do_not_overflow() {
        assert!(of(|counts| counts.usage.steps = u64::MAX) > TURN);
    }
}
