//! The receiving half of a channel: frames, tag, padding, then contents (`opened`).

use super::{ChannelError, Incoming, Malformed, Messages, Opened};
use crate::crypto::{BLOCK, OpenKeys, TAG};
use crate::frame::{Deframer, HEADER};
use crate::limits;

/// The receiving half of a channel.
pub(super) struct Opener {
    keys: OpenKeys,
    seq: u64,
    /// AES blocks that the key has decrypted.
    pub(super) blocks: u64,
    deframer: Deframer,
    /// The remaining messages of the last frame, decoded one by one.
    begun: Option<Messages>,
}

impl Opener {
    pub(super) fn new(keys: OpenKeys, limit: usize) -> Self {
        Self {
            keys,
            seq: 0,
            blocks: 0,
            deframer: Deframer::new(limit),
            begun: None,
        }
    }

    /// Appends received bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.deframer.push(bytes);
    }

    /// The number of bytes that form no whole frame yet.
    pub(super) fn waiting(&self) -> usize {
        self.deframer.waiting()
    }

    /// Changes the limit of L for later frames.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.deframer.set_limit(limit);
    }

    /// The limit of L.
    pub(super) fn limit(&self) -> usize {
        self.deframer.limit()
    }

    /// The contents of the next whole frame.
    pub(super) fn next_opened(&mut self) -> Result<Option<Opened>, ChannelError> {
        let plain = self.next_plain()?;
        Ok(plain.map(Opened::read).transpose()?)
    }

    /// The next message.
    pub(super) fn next_incoming(&mut self) -> Result<Option<Incoming>, ChannelError> {
        loop {
            if let Some(message) = self.begun.as_mut().and_then(Iterator::next) {
                return Ok(Some(Incoming::Message(message)));
            }
            self.begun = None;
            return Ok(match self.next_opened()? {
                None => None,
                Some(Opened::Messages(messages)) => {
                    self.begun = Some(messages);
                    continue;
                }
                Some(Opened::Ping) => Some(Incoming::Ping),
                Some(Opened::Pong) => Some(Incoming::Pong),
                Some(Opened::Close(reason)) => Some(Incoming::Close(reason)),
            });
        }
    }

    /// Opens the next frame in place, in the order of PROTOCOL.md, section 1.
    pub(super) fn next_plain(&mut self) -> Result<Option<&[u8]>, ChannelError> {
        let Some(frame) = self.deframer.next_frame()? else {
            return Ok(None);
        };
        let (bytes, tag) = frame.split_at_mut(frame.len() - TAG);
        if !self.keys.tag_holds(self.seq, bytes, tag) {
            return Err(ChannelError::BadTag);
        }
        self.seq += 1;
        let (header, text) = bytes
            .split_first_chunk_mut::<HEADER>()
            .expect("a whole frame");
        self.blocks += (text.len() / BLOCK) as u64;
        if self.blocks > limits::BLOCKS_PER_KEY {
            return Err(ChannelError::WornOut);
        }
        let iv = header.last_chunk().expect("the header ends in the IV");
        self.keys.decrypt(iv, text);
        let padding = usize::from(header[4]);
        if padding >= BLOCK {
            return Err(Malformed::Padding.into());
        }
        let (plain, zeros) = text.split_at(text.len() - padding);
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(Malformed::Padding.into());
        }
        Ok(Some(plain))
    }
}
