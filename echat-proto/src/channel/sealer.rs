//! The sending half of a channel: plaintexts are padded, encrypted and tagged; queued messages share a frame.

use super::Message;
use super::opened::BATCH_OVERHEAD;
use crate::commands::channel as command;
use crate::crypto::{BLOCK, Chain, SealKeys, TAG, encrypt_all};
use crate::frame::HEADER;
use crate::value::{Value, tag};
use rand::CryptoRng;
use std::collections::VecDeque;
use zeroize::Zeroize;

/// Plaintexts that wait to be sealed, in order.
pub trait Waiting {
    /// The plaintexts, the oldest first.
    fn messages(&self) -> impl Iterator<Item = &[u8]>;

    /// Removes the oldest ones.
    fn remove_oldest(&mut self, count: usize);
}

impl<M: AsRef<[u8]>> Waiting for VecDeque<M> {
    fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(AsRef::as_ref)
    }

    fn remove_oldest(&mut self, count: usize) {
        self.drain(..count);
    }
}

/// The sending half of a channel.
pub struct Sealer {
    pub(super) keys: SealKeys,
    seq: u64,
    /// AES blocks that the key has encrypted.
    pub(super) blocks: u64,
}

impl Sealer {
    pub(super) fn new(keys: SealKeys) -> Self {
        Self {
            keys,
            seq: 0,
            blocks: 0,
        }
    }

    /// Appends one frame with this plaintext to `out`. The plaintext is not checked.
    pub fn seal(&mut self, plain: &[u8], rng: &mut impl CryptoRng, out: &mut Vec<u8>) {
        self.draft(rng, out, plain.len(), |out| out.extend_from_slice(plain))
            .seal();
    }

    /// Takes as many messages from the queue as a frame of at most `limit` bytes of ciphertext can hold, and appends
    /// that frame to `out`; several messages form a BATCH. A channel command has a frame of its own. Returns the
    /// plaintext bytes taken, 0 if the queue is empty.
    pub fn seal_waiting(
        &mut self,
        waiting: &mut impl Waiting,
        limit: usize,
        rng: &mut impl CryptoRng,
        out: &mut Vec<u8>,
    ) -> usize {
        let Some((draft, taken)) = self.draft_waiting(waiting, limit, rng, out) else {
            return 0;
        };
        draft.seal();
        taken
    }

    /// Like [`seal_waiting`](Self::seal_waiting), but leaves the frame to be sealed by [`seal_all`], together with
    /// frames of other channels. Returns it with the plaintext bytes taken; `None` if the queue is empty.
    pub fn draft_waiting<'a>(
        &'a mut self,
        waiting: &mut impl Waiting,
        limit: usize,
        rng: &mut impl CryptoRng,
        out: &'a mut Vec<u8>,
    ) -> Option<(Draft<'a>, usize)> {
        let several = fitting(waiting, limit);
        if several < 2 {
            let message = waiting.messages().next()?;
            let taken = message.len();
            let draft = self.draft(rng, out, taken, |out| out.extend_from_slice(message));
            waiting.remove_oldest(1);
            return Some((draft, taken));
        }
        let taken: usize = waiting.messages().take(several).map(<[u8]>::len).sum();
        let plain = BATCH_OVERHEAD + taken + 4 * several;
        let draft = self.draft(rng, out, plain, |out| {
            out.extend_from_slice(&command::BATCH.to_be_bytes());
            out.push(tag::BYTES);
            out.extend_from_slice(&length_of(taken + 4 * several));
            for message in waiting.messages().take(several) {
                out.extend_from_slice(&length_of(message.len()));
                out.extend_from_slice(message);
            }
        });
        waiting.remove_oldest(several);
        Some((draft, taken))
    }

    /// Appends a frame with everything but its encryption and its tag. `fill` appends a plaintext of `plain` bytes.
    fn draft<'a>(
        &'a mut self,
        rng: &mut impl CryptoRng,
        out: &'a mut Vec<u8>,
        plain: usize,
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> Draft<'a> {
        let at = out.len();
        let length = plain.next_multiple_of(BLOCK).max(BLOCK);
        // No later growth may leave a copy of the plaintext behind.
        out.reserve(HEADER + length + TAG);
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&length_of(length));
        header[4] = u8::try_from(length - plain).expect("at most a block, which is empty");
        rng.fill_bytes(&mut header[5..]);
        out.extend_from_slice(&header);
        fill(out);
        debug_assert_eq!(out.len(), at + HEADER + plain);
        out.resize(at + HEADER + length + TAG, 0);

        let seq = self.seq;
        self.seq += 1;
        self.blocks += (length / BLOCK) as u64;
        Draft {
            keys: &self.keys,
            seq,
            frame: &mut out[at..],
            sealed: false,
        }
    }
}

/// A frame that is complete but for its encryption and its tag. Its place in the stream is taken, so it must be sealed.
/// If it is dropped instead, its bytes are wiped, and the receiver refuses the channel.
#[must_use = "an unsealed frame ends the channel"]
pub struct Draft<'a> {
    keys: &'a SealKeys,
    seq: u64,
    frame: &'a mut [u8],
    sealed: bool,
}

impl Draft<'_> {
    /// Seals this frame alone.
    pub fn seal(mut self) {
        let Chain { keys, iv, data } = self.chain();
        keys.encrypt(&iv, data);
        self.tag();
    }

    fn chain(&mut self) -> Chain<'_> {
        let end = self.frame.len() - TAG;
        let (header, data) = self.frame[..end]
            .split_first_chunk_mut::<HEADER>()
            .expect("a frame has a header");
        Chain {
            keys: self.keys,
            iv: *header.last_chunk().expect("the header ends in the IV"),
            data,
        }
    }

    fn tag(&mut self) {
        let end = self.frame.len() - TAG;
        let (bytes, tag) = self.frame.split_at_mut(end);
        tag.copy_from_slice(&self.keys.tag(self.seq, bytes));
        self.sealed = true;
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.sealed {
            self.frame.zeroize();
        }
    }
}

/// Seals frames of several channels, which takes a third of the time of sealing each alone: AES-CBC of one frame is
/// serial, so eight are encrypted at a time.
pub fn seal_all(drafts: &mut [Draft<'_>]) {
    encrypt_all(drafts.iter_mut().map(Draft::chain));
    drafts.iter_mut().for_each(Draft::tag);
}

/// The number of messages from the front that fit one frame. Messages are never divided: if the first one alone is
/// over the limit, it is sent in a frame of its own and the receiver refuses it.
fn fitting(waiting: &impl Waiting, limit: usize) -> usize {
    let mut size = BATCH_OVERHEAD;
    let mut several = 0;
    for message in waiting.messages() {
        size += 4 + message.len();
        if is_channel_command(message) || size.next_multiple_of(BLOCK) > limit {
            break;
        }
        several += 1;
    }
    several
}

fn is_channel_command(message: &[u8]) -> bool {
    message
        .first_chunk()
        .is_none_or(|number| u32::from_be_bytes(*number) >= command::FIRST)
}

pub(super) fn length_of(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes)
        .expect("a frame is far below 4 GiB")
        .to_be_bytes()
}

/// Seals the FINISHED message, the first frame of a direction.
pub(crate) fn seal_finished(
    sealer: &mut Sealer,
    value: &[u8; 32],
    rng: &mut impl CryptoRng,
    out: &mut Vec<u8>,
) {
    let message = Message {
        command: command::FINISHED,
        params: Value::Bytes(value.to_vec()),
    };
    sealer.seal(
        &message.encode().expect("32 bytes have a wire form"),
        rng,
        out,
    );
}
