//! The send queue of one connection.
//!
//! ```text
//! waiting: messages, not yet sealed     frame: sealed bytes, of which some are written
//! ```
//!
//! A frame is sealed only when the one before it is written, so that messages queued until then share it
//! as a BATCH, and so that a queue can be dropped without cutting a frame.

use echat_proto::channel::Sealer;
use rand::CryptoRng;
use std::collections::VecDeque;
use std::rc::Rc;

/// Sealed bytes up to which another frame joins the write.
const SHARED: usize = 4 * 1024;
/// Bytes that a queued message takes besides its own: a queue of short PONGs counts too.
pub(super) const ENTRY_BYTES: usize = size_of::<Rc<[u8]>>();

#[derive(Debug, Default)]
pub(super) struct Outbound {
    waiting: VecDeque<Rc<[u8]>>,
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
        let last = self.waiting.back().filter(|last| ***last == *message);
        let message = last.cloned().unwrap_or(message);
        self.waiting_bytes += message.len() + ENTRY_BYTES;
        self.waiting.push_back(message);
    }

    /// Bytes that wait: sealed bytes, and queued messages with their entries.
    pub(super) fn waiting(&self) -> usize {
        self.waiting_bytes + self.frame.len() - self.written
    }

    /// Drops all messages that are not sealed yet.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting = VecDeque::new();
        self.waiting_bytes = 0;
    }

    /// Seals the next frame, if the one before it is written; small ones that cannot share a
    /// BATCH (PONGs) share the write.
    pub(super) fn seal(&mut self, sealer: &mut Sealer, limit: usize, rng: &mut impl CryptoRng) {
        if self.written < self.frame.len() {
            return;
        }
        self.frame.clear();
        self.written = 0;
        while self.frame.len() < SHARED && !self.waiting.is_empty() {
            let entries = self.waiting.len();
            let bytes = sealer.seal_waiting(&mut self.waiting, limit, rng, &mut self.frame);
            self.waiting_bytes -= bytes + (entries - self.waiting.len()) * ENTRY_BYTES;
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.frame[self.written..]
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
        if self.waiting() == 0 {
            // An idle connection owns no buffers.
            *self = Self::default();
        }
    }
}
