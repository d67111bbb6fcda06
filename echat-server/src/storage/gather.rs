//! Collects one reply from many conversations, within its limits.

use std::collections::BinaryHeap;

use super::{StoreError, StoredMessage};

use echat_proto::limits::VALUES;

/// Bytes of one message in a reply besides its texts, rounded up.
const MESSAGE_BYTES: usize = 320;
/// Values of a message without mentions and reactions: a dict of up to twelve.
pub(crate) const MESSAGE_VALUES: usize = 13;
/// Bytes of a mention besides the name, and of a reaction besides the emoji, rounded up.
const MENTION_BYTES: usize = 8;
const REACTION_BYTES: usize = 64;
/// Values of a reaction: a dict of three.
const REACTION_VALUES: usize = 4;
/// Values of a page besides its messages.
const PAGE_VALUES: usize = 16;

/// The `total` least ranks of `seats` ascending sequences with the seat of each, at most `per`
/// of one seat. `ranks(seat, below, limit)` gives a sequence's first ranks less than `below`.
pub(super) fn merge(
    seats: usize,
    per: usize,
    total: usize,
    ranks: impl Fn(usize, i64, usize) -> Result<Vec<i64>, StoreError>,
) -> Result<Vec<(i64, usize)>, StoreError> {
    let mut heads = Vec::new();
    for at in 0..seats {
        heads.extend(ranks(at, i64::MAX, 1)?.first().map(|&rank| (rank, at)));
    }
    // The least heads come first, so that the bound is tight after a few sequences.
    heads.sort_unstable();
    let mut best = BinaryHeap::new();
    for (head, at) in heads {
        let full = best.len() >= total;
        let bound = best
            .peek()
            .filter(|_| full)
            .map_or(i64::MAX, |&(rank, _)| rank);
        if head >= bound {
            break;
        }
        best.extend(
            ranks(at, bound, per.min(total))?
                .into_iter()
                .map(|rank| (rank, at)),
        );
        while best.len() > total {
            best.pop();
        }
    }
    Ok(best.into_sorted_vec())
}

/// Messages that fit a budget of bytes.
pub(super) struct Filling {
    left: usize,
    /// Values that are left for messages.
    values: usize,
    /// Whether the first message is accepted whatever its size.
    never_empty: bool,
    pub(super) messages: Vec<StoredMessage>,
}

impl Filling {
    /// Messages beside other contents, which may leave no room. There are values for so many plain messages.
    pub(super) fn beside(budget: usize, messages: usize) -> Self {
        Self {
            left: budget,
            values: messages * MESSAGE_VALUES,
            never_empty: false,
            messages: Vec::new(),
        }
    }

    /// A page, which has at least one message if there is any; otherwise a client could not continue.
    pub(super) fn page(budget: usize) -> Self {
        Self {
            never_empty: true,
            values: VALUES - PAGE_VALUES,
            ..Self::beside(budget, 0)
        }
    }

    /// Adds a message; false if it does not fit.
    pub(super) fn push(&mut self, message: StoredMessage) -> bool {
        let (size, values) = (size(&message), values(&message));
        let first = self.never_empty && self.messages.is_empty();
        if (size > self.left || values > self.values) && !first {
            return false;
        }
        self.left = self.left.saturating_sub(size);
        self.values = self.values.saturating_sub(values);
        self.messages.push(message);
        true
    }

    pub(super) fn oldest_first(mut self) -> Vec<StoredMessage> {
        self.messages.sort_unstable_by_key(|message| message.id);
        self.messages
    }
}

/// Bytes of a message in a reply, rounded up.
fn size(message: &StoredMessage) -> usize {
    let texts = message.content.len() + message.sender.len() + message.target.len();
    let mentions = message.mentions.iter();
    let mentions: usize = mentions.map(|name| MENTION_BYTES + name.len()).sum();
    let reactions = message.reactions.iter();
    let reactions: usize = reactions
        .map(|reaction| REACTION_BYTES + reaction.emoji.len())
        .sum();
    MESSAGE_BYTES + texts + mentions + reactions
}

/// Values of a message in a reply.
fn values(message: &StoredMessage) -> usize {
    MESSAGE_VALUES + message.mentions.len() + message.reactions.len() * REACTION_VALUES
}
