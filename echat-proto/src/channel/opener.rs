//! The receiving half: whole frames, the tag, the padding, then the messages.

use super::{ChannelError, Incoming, Malformed, Message};
use crate::commands::channel as command;
use crate::crypto::{BLOCK, DirectionKeys, TAG};
use crate::frame::{Deframer, HEADER};
use crate::limits;
use crate::value::Value;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// The receiving half.
pub(super) struct Opener {
    keys: DirectionKeys,
    seq: u64,
    /// AES blocks that the key has served for.
    pub(super) blocks: u64,
    deframer: Deframer,
    ready: VecDeque<Incoming>,
}

impl Opener {
    pub(super) fn new(keys: DirectionKeys, limit: usize) -> Self {
        Self {
            keys,
            seq: 0,
            blocks: 0,
            deframer: Deframer::new(limit),
            ready: VecDeque::new(),
        }
    }

    /// Appends bytes that arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.deframer.push(bytes);
    }

    /// Bytes that make no whole frame yet.
    pub(super) fn waiting(&self) -> usize {
        self.deframer.waiting()
    }

    /// Changes the limit on L of frames to come.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.deframer.set_limit(limit);
    }

    /// The next thing that arrived whole.
    pub(super) fn next_incoming(&mut self) -> Result<Option<Incoming>, ChannelError> {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return Ok(Some(incoming));
            }
            self.ready = VecDeque::new();
            let mut ready = VecDeque::new();
            let Some(plain) = self.next_plain()? else {
                return Ok(None);
            };
            read_plain(plain, &mut ready)?;
            self.ready = ready;
        }
    }

    /// Opens the next frame in place, in the order that wire.md 1 gives.
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

/// What a plaintext holds, in order.
pub(super) fn read_plain(plain: &[u8], into: &mut VecDeque<Incoming>) -> Result<(), Malformed> {
    let message = Message::decode(plain)?;
    let incoming = match (message.command, message.params) {
        (number, params) if number < command::FIRST => Incoming::Message(Message {
            command: number,
            params,
        }),
        (command::PING, Value::Null) => Incoming::Ping,
        (command::PONG, Value::Null) => Incoming::Pong,
        (command::CLOSE_NOTIFY, Value::Int(reason)) => Incoming::Close(reason),
        (command::BATCH, Value::Bytes(items)) => {
            return read_batch(&Zeroizing::new(items), into);
        }
        // FINISHED comes once, in the handshake.
        (number, _) => return Err(Malformed::ChannelCommand(number)),
    };
    into.push_back(incoming);
    Ok(())
}

fn read_batch(mut items: &[u8], into: &mut VecDeque<Incoming>) -> Result<(), Malformed> {
    if items.is_empty() {
        return Err(Malformed::Batch);
    }
    while let Some((length, rest)) = items.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let (item, rest) = rest.split_at_checked(length).ok_or(Malformed::Batch)?;
        let message = Message::decode(item)?;
        if message.command >= command::FIRST {
            return Err(Malformed::Batch);
        }
        into.push_back(Incoming::Message(message));
        items = rest;
    }
    if items.is_empty() {
        Ok(())
    } else {
        Err(Malformed::Batch)
    }
}
