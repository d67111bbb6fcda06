//! What waits to be written to one connection.
//!
//! ```text
//! waiting: messages, not yet sealed     frame: sealed bytes, of which some are written
//! ```
//!
//! A frame is sealed only when the one before it is written, so that whatever came meanwhile shares
//! it as a BATCH, and so that a queue can be dropped without cutting a frame.

use echat_proto::channel::Sealer;
use rand::CryptoRng;
use std::collections::VecDeque;
use std::rc::Rc;

/// Sealed bytes up to which another frame joins the write.
const SHARED: usize = 4 * 1024;
/// What a message that waits takes besides its bytes: a PONG of five is not to wait for nothing.
pub(super) const PLACE: usize = size_of::<Rc<[u8]>>();

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
        self.waiting_bytes += message.len() + PLACE;
        self.waiting.push_back(message);
    }

    /// Bytes that wait, sealed or with their places in the queue.
    pub(super) fn waiting(&self) -> usize {
        self.waiting_bytes + self.frame.len() - self.written
    }

    /// Drops what waits, but for a begun frame.
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
            let places = self.waiting.len();
            let bytes = sealer.seal_waiting(&mut self.waiting, limit, rng, &mut self.frame);
            self.waiting_bytes -= bytes + (places - self.waiting.len()) * PLACE;
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
