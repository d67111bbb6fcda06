//! The order of writes: which connections the reactor writes next, and how many in one round.
//!
//! A write costs some microseconds, however little it carries, so a message to a large room costs its writes. Two rules
//! bound the time of a round and put many messages into one write:
//!
//! * Replies, and events for at most a *portion* of connections, are prompt. All of them are written in their round.
//! * Events for more connections are bulk. A round writes one portion of each size class, in order of arrival. The
//!   others wait for the next round, which comes at once. Until then further messages join the same write.
//!
//! So nothing waits for a timer, a round has a bounded number of writes, and requests are read between two portions. A
//! busy room of 1,000 gathers eight rounds of messages in each write, a room of 5,000 forty: 64 messages to a room of
//! 1,000 take 1,774 writes, instead of 7,000 if each round wrote to all. Size classes (up to 256, 512, ... 4,096
//! connections, and more) have a portion each, so that a room of 300 does not wait for one of 5,000.
//!
//! Events that wait for their round count towards the limit of the send queue, and long messages to a large room may
//! come faster than portions write them. So a connection for which a [`CROWDED`] part of that limit waits, of what came
//! since its last turn to be written, is *crowded*: a round also writes crowded connections, as many bytes as its tick
//! has queued. Then no more waits for any of them than three times that part, and what one tick queues: a client that
//! reads is not closed for what the server did not write.

use super::table::{ConnectionEntry, ConnectionTable};
use crate::config::Limits;
use crate::conn::ConnId;
use std::collections::VecDeque;

/// Connections of a size class that one round writes: about half a millisecond.
const PORTION: usize = 128;
/// Size classes: events for up to 2, 4, ... portions; the last one has no upper bound.
const CLASSES: usize = 6;
/// The part of `send_queue_hard`, as its divisor, that may wait for a connection before it is crowded.
const CROWDED: usize = 8;

/// How soon output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Urgency {
    /// In this round.
    Prompt,
    /// With a portion of its size class.
    Bulk(usize),
}

/// Where one connection stands in the [`WriteQueue`]: at most once in each list.
#[derive(Debug, Default)]
pub(super) struct QueuePositions {
    prompt: bool,
    /// One bit for each size class.
    bulk: u8,
    crowded: bool,
    /// Bytes that waited at the last update. More or fewer are new output.
    waiting: usize,
    /// Bytes that came for its round since it was last taken.
    untaken: usize,
}

impl QueuePositions {
    /// Lets the next update count all waiting bytes as new output.
    pub(super) fn forget_output(&mut self) {
        self.waiting = 0;
    }

    /// Notes that the connection is written in this round.
    fn take(&mut self) {
        self.crowded = false;
        self.untaken = 0;
    }
}

/// The connections with output, in the order of their writes.
pub(super) struct WriteQueue {
    portion: usize,
    prompt: Vec<ConnId>,
    bulk: [VecDeque<ConnId>; CLASSES],
    /// Connections of each class that may still be written in this round.
    left: [usize; CLASSES],
    /// Crowded connections, and some that were crowded. They have a place in `bulk` too.
    crowded: VecDeque<ConnId>,
    /// Bytes that came for later rounds since the last ones were taken.
    queued: usize,
}

impl Default for WriteQueue {
    fn default() -> Self {
        Self {
            portion: PORTION,
            prompt: Vec::new(),
            bulk: Default::default(),
            left: [PORTION; CLASSES],
            crowded: VecDeque::new(),
            queued: 0,
        }
    }
}

impl WriteQueue {
    /// Changes how many connections of a size class one round writes.
    pub(super) fn set_portion(&mut self, portion: usize) {
        self.portion = portion.max(1);
    }

    /// The urgency of an event for so many connections.
    pub(super) fn urgency(&self, recipients: usize) -> Urgency {
        if recipients <= self.portion {
            return Urgency::Prompt;
        }
        let portions = (recipients - 1) / self.portion;
        let class = usize::try_from(portions.ilog2()).unwrap_or(CLASSES);
        Urgency::Bulk(class.min(CLASSES - 1))
    }

    /// Takes in the waiting bytes of a connection. New output gets a place, unless the connection has one that comes at
    /// least as soon.
    pub(super) fn update(
        &mut self,
        conn: ConnId,
        entry: &mut ConnectionEntry,
        urgency: Urgency,
        limits: &Limits,
    ) {
        let waiting = entry.peer.waiting();
        let positions = &mut entry.positions;
        let before = std::mem::replace(&mut positions.waiting, waiting);
        if waiting == before || waiting == 0 {
            return;
        }
        match urgency {
            _ if positions.prompt => {}
            Urgency::Prompt => {
                positions.prompt = true;
                self.prompt.push(conn);
            }
            Urgency::Bulk(class) => {
                let as_soon = (2_u8 << class) - 1;
                if positions.bulk & as_soon == 0 {
                    positions.bulk |= 1 << class;
                    self.bulk[class].push_back(conn);
                }
                let new = waiting.saturating_sub(before);
                self.queued = self.queued.saturating_add(new);
                positions.untaken = positions.untaken.saturating_add(new);
                if positions.untaken > limits.send_queue_hard / CROWDED && !positions.crowded {
                    positions.crowded = true;
                    self.crowded.push_back(conn);
                }
            }
        }
    }

    /// Begins a round: each size class has a portion again.
    pub(super) fn begin_round(&mut self) {
        self.left = [self.portion; CLASSES];
    }

    /// The connections to write now, once: all prompt ones, what is left of the round's portions, and of the crowded
    /// ones as many as have the bytes that were queued.
    pub(super) fn take(&mut self, table: &mut ConnectionTable) -> Vec<ConnId> {
        let mut taken = std::mem::take(&mut self.prompt);
        for conn in &taken {
            if let Some(entry) = table.get_mut(*conn) {
                entry.positions.prompt = false;
                entry.positions.take();
            }
        }
        for (class, (queue, left)) in self.bulk.iter_mut().zip(&mut self.left).enumerate() {
            while *left > 0
                && let Some(conn) = queue.pop_front()
            {
                let Some(entry) = table.get_mut(conn) else {
                    continue;
                };
                entry.positions.bulk &= !(1 << class);
                entry.positions.take();
                // A prompt write or a smaller class may have taken everything along.
                if !entry.peer.is_flushed() {
                    *left -= 1;
                    taken.push(conn);
                }
            }
            if queue.is_empty() {
                *queue = VecDeque::new();
            }
        }
        let mut queued = std::mem::take(&mut self.queued);
        while let Some(conn) = self.crowded.front().copied() {
            let entry = table.get_mut(conn);
            if let Some(entry) = entry.filter(|entry| entry.positions.crowded) {
                if queued == 0 {
                    break;
                }
                queued = queued.saturating_sub(entry.positions.untaken);
                entry.positions.take();
                taken.push(conn);
            }
            self.crowded.pop_front();
        }
        if self.crowded.is_empty() {
            self.crowded = VecDeque::new();
        }
        taken
    }

    /// Whether connections wait for the next round.
    pub(super) fn has_bulk(&self) -> bool {
        self.bulk.iter().any(|queue| !queue.is_empty())
    }

    /// Entries of all lists: none if there is no connection.
    pub(super) fn len(&self) -> usize {
        let bulk = self.bulk.iter().map(VecDeque::len);
        self.prompt.len() + self.crowded.len() + bulk.sum::<usize>()
    }
}
