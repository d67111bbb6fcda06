//! The send queue of one connection.
//!
//! ```text
//! waiting: messages, not yet sealed     frame: sealed bytes, of which some are written
//! ```
//!
//! A frame is sealed only when the one before it is written, so that messages queued until then share it
//! as a BATCH, and so that a queue can be dropped without cutting a frame.

use echat_proto::channel::{Draft, Sealer, Waiting};
use rand::CryptoRng;
use smallvec::SmallVec;
use std::rc::Rc;

/// Sealed bytes up to which another frame joins the write.
const SHARED: usize = 4 * 1024;
/// Bytes that a queued message takes besides its own: a queue of short PONGs counts too.
pub(super) const ENTRY_BYTES: usize = size_of::<Rc<[u8]>>();

#[derive(Debug, Default)]
pub(super) struct Outbound {
    waiting: MessageQueue,
    waiting_bytes: usize,
    frame: Vec<u8>,
    written: usize,
}

impl Outbound {
    /// Bytes to be written as they are: the handshake's flight.
    pub(super) fn begin(&mut self, bytes: Vec<u8>) {
        self.frame = bytes;
        self.written = 0;
    }

    /// Queues a message. One that is the same as the one before it (PONGs) shares its bytes.
    pub(super) fn push(&mut self, message: Rc<[u8]>) {
        let last = self.waiting.last().filter(|last| ***last == *message);
        let message = last.cloned().unwrap_or(message);
        self.waiting_bytes += message.len() + ENTRY_BYTES;
        self.waiting.push(message);
    }

    /// Bytes that wait: sealed bytes, and queued messages with their entries.
    pub(super) fn waiting(&self) -> usize {
        self.waiting_bytes + self.frame.len() - self.written
    }

    /// Drops all messages that are not sealed yet.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting = MessageQueue::default();
        self.waiting_bytes = 0;
    }

    /// Whether messages wait that can be sealed now.
    pub(super) fn has_unsealed(&self) -> bool {
        self.written == self.frame.len() && !self.waiting.is_empty()
    }

    /// Lays out the next frame when the one before it is written. It must be sealed, and
    /// [`seal_more`](Self::seal_more) follows. `None` if no message waits.
    pub(super) fn draft<'a>(
        &'a mut self,
        sealer: &'a mut Sealer,
        limit: usize,
        buffers: &mut FrameBuffers,
        rng: &mut impl CryptoRng,
    ) -> Option<Draft<'a>> {
        debug_assert_eq!(self.written, self.frame.len(), "the last frame is written");
        if self.frame.capacity() == 0 {
            self.frame = buffers.take();
        }
        self.frame.clear();
        self.written = 0;
        let entries = self.waiting.len();
        let (draft, bytes) =
            sealer.draft_waiting(&mut self.waiting, limit, rng, &mut self.frame)?;
        self.waiting_bytes -= bytes + (entries - self.waiting.len()) * ENTRY_BYTES;
        Some(draft)
    }

    /// Seals further frames for the same write: small ones that cannot share a BATCH (PONGs).
    pub(super) fn seal_more(
        &mut self,
        sealer: &mut Sealer,
        limit: usize,
        rng: &mut impl CryptoRng,
    ) {
        while self.frame.len() < SHARED && !self.waiting.is_empty() {
            let entries = self.waiting.len();
            let bytes = sealer.seal_waiting(&mut self.waiting, limit, rng, &mut self.frame);
            self.waiting_bytes -= bytes + (entries - self.waiting.len()) * ENTRY_BYTES;
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.frame[self.written..]
    }

    /// Notes that bytes were written. An idle connection owns no buffers: the frame's is returned when nothing waits.
    pub(super) fn wrote(&mut self, bytes: usize) -> Vec<u8> {
        self.written += bytes;
        if self.waiting() == 0 {
            std::mem::take(self).frame
        } else {
            Vec::new()
        }
    }
}

/// Messages in the order of their arrival. A connection that gets one at a time needs no allocation for it.
#[derive(Debug, Default)]
struct MessageQueue {
    /// Those that were removed, as `None`, and those that wait.
    messages: SmallVec<[Option<Rc<[u8]>>; 1]>,
    removed: usize,
}

impl MessageQueue {
    /// Places for messages once there are two.
    const PLACES: usize = 8;

    fn len(&self) -> usize {
        self.messages.len() - self.removed
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn last(&self) -> Option<&Rc<[u8]>> {
        self.messages.last()?.as_ref()
    }

    fn push(&mut self, message: Rc<[u8]>) {
        // The second of a burst makes place for more.
        if self.messages.len() == 1 && !self.messages.spilled() {
            self.messages.grow(Self::PLACES);
        }
        self.messages.push(Some(message));
    }
}

impl Waiting for MessageQueue {
    fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.messages[self.removed..]
            .iter()
            .flatten()
            .map(|message| &**message)
    }

    /// The memory of removed messages is given back at once. Their entries go when they are half of all, so that each
    /// entry is moved once at most on average.
    fn remove_oldest(&mut self, count: usize) {
        for message in &mut self.messages[self.removed..][..count] {
            *message = None;
        }
        self.removed += count;
        if self.is_empty() {
            *self = Self::default();
        } else if self.removed > self.messages.len() / 2 {
            self.messages.drain(..self.removed);
            self.removed = 0;
        }
    }
}

/// Buffers of written frames, kept for the next frames. They hold ciphertext only: a plaintext is encrypted in its
/// place.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffers(Vec<Vec<u8>>);

impl FrameBuffers {
    /// The most buffers that are kept.
    const BUFFERS: usize = 32;
    /// The most bytes of a kept buffer: a frame of 64 short messages has 13 KiB.
    const BYTES: usize = 16 * 1024;

    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    /// Keeps a buffer, if it is neither empty nor one too many nor too large.
    pub(crate) fn keep(&mut self, buffer: Vec<u8>) {
        if self.0.len() < Self::BUFFERS && (1..=Self::BYTES).contains(&buffer.capacity()) {
            self.0.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_keeps_the_order_and_little_of_what_was_removed() {
        let mut queue = MessageQueue::default();
        let (mut pushed, mut taken) = (0_u8, 0_u8);
        for round in 0..20 {
            for _ in 0..=round % 5 {
                queue.push(Rc::from([pushed].as_slice()));
                pushed += 1;
            }
            let count = queue.len().min(round % 3 + 1);
            let waiting: Vec<u8> = queue.messages().flatten().copied().collect();
            assert_eq!(waiting, (taken..pushed).collect::<Vec<_>>());
            queue.remove_oldest(count);
            taken += u8::try_from(count).expect("few");
            assert!(queue.messages.len() <= 2 * queue.len(), "{queue:?}");
        }
        assert!(!queue.is_empty());
        queue.remove_oldest(queue.len());
        assert!(queue.is_empty() && !queue.messages.spilled());
    }

    #[test]
    fn only_a_few_small_buffers_are_kept() {
        let mut buffers = FrameBuffers::default();
        buffers.keep(Vec::new());
        buffers.keep(Vec::with_capacity(FrameBuffers::BYTES + 1));
        assert_eq!(buffers.take().capacity(), 0);
        for _ in 0..2 * FrameBuffers::BUFFERS {
            buffers.keep(Vec::with_capacity(100));
        }
        for _ in 0..FrameBuffers::BUFFERS {
            assert_eq!(buffers.take().capacity(), 100);
        }
        assert_eq!(buffers.take().capacity(), 0);
    }
}
