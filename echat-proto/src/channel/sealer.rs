//! The sending half of a channel: plaintexts are padded, encrypted and tagged; queued messages share a frame.

use super::Message;
use super::opened::BATCH_OVERHEAD;
use crate::commands::channel as command;
use crate::crypto::{BLOCK, SealKeys, TAG};
use crate::frame::HEADER;
use crate::value::{Value, tag};
use rand::CryptoRng;
use std::collections::VecDeque;

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
        self.seal_with(rng, out, plain.len(), |out| out.extend_from_slice(plain));
    }

    /// Takes as many messages from the queue as a frame of at most `limit` bytes of ciphertext can hold, and appends
    /// that frame to `out`; several messages form a BATCH. A channel command has a frame of its own. Returns the
    /// plaintext bytes taken, 0 if the queue is empty.
    pub fn seal_waiting<M: AsRef<[u8]>>(
        &mut self,
        waiting: &mut VecDeque<M>,
        limit: usize,
        rng: &mut impl CryptoRng,
        out: &mut Vec<u8>,
    ) -> usize {
        let several = fitting(waiting, limit);
        if several < 2 {
            let Some(message) = waiting.pop_front() else {
                return 0;
            };
            self.seal(message.as_ref(), rng, out);
            return message.as_ref().len();
        }
        let taken: usize = waiting.iter().take(several).map(|m| m.as_ref().len()).sum();
        let plain = BATCH_OVERHEAD + taken + 4 * several;
        self.seal_with(rng, out, plain, |out| {
            out.extend_from_slice(&command::BATCH.to_be_bytes());
            out.push(tag::BYTES);
            out.extend_from_slice(&length_of(taken + 4 * several));
            for message in waiting.drain(..several) {
                out.extend_from_slice(&length_of(message.as_ref().len()));
                out.extend_from_slice(message.as_ref());
            }
        });
        taken
    }

    fn seal_with(
        &mut self,
        rng: &mut impl CryptoRng,
        out: &mut Vec<u8>,
        plain: usize,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        let at = out.len();
        out.reserve(HEADER + plain.next_multiple_of(BLOCK) + TAG);
        out.resize(at + HEADER, 0);
        fill(out);
        let length = (out.len() - at - HEADER).next_multiple_of(BLOCK).max(BLOCK);
        let padding = at + HEADER + length - out.len();
        out.resize(at + HEADER + length, 0);

        let (header, text) = out[at..]
            .split_first_chunk_mut::<HEADER>()
            .expect("resized to it");
        header[..4].copy_from_slice(&length_of(length));
        header[4] = u8::try_from(padding).expect("less than a block");
        rng.fill_bytes(&mut header[5..]);
        self.keys.encrypt(
            header.last_chunk().expect("the header ends in the IV"),
            text,
        );
        let tag = self.keys.tag(self.seq, &out[at..]);
        out.extend_from_slice(&tag);
        self.seq += 1;
        self.blocks += (length / BLOCK) as u64;
    }
}

/// The number of messages from the front that fit one frame. Messages are never divided: if the first one alone is
/// over the limit, it is sent in a frame of its own and the receiver refuses it.
fn fitting<M: AsRef<[u8]>>(waiting: &VecDeque<M>, limit: usize) -> usize {
    let mut size = BATCH_OVERHEAD;
    let mut several = 0;
    for message in waiting {
        let message = message.as_ref();
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
