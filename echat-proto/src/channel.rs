//! One side of an encrypted channel: bytes in, messages out (`opener`, `opened`); messages in, sealed frames out
//! (`sealer`). It does not know sockets, nor which side it is.

mod opened;
mod opener;
mod sealer;

use crate::commands::channel as command;
use crate::crypto::{BLOCK, OpenKeys, SealKeys, Secret};
use crate::frame::BadLength;
use crate::limits;
use crate::value::Value;
use opener::Opener;
use thiserror::Error;
use zeroize::Zeroizing;

pub use crate::crypto::SEALED_TOGETHER;
pub use crate::message::{Malformed, Message};
pub use opened::{Messages, Opened};
pub(crate) use sealer::seal_finished;
pub use sealer::{Draft, Sealer, Waiting, seal_all};

/// Why a frame was refused (PROTOCOL.md, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChannelError {
    /// L is out of range. The connection closes without a message.
    #[error(transparent)]
    BadLength(#[from] BadLength),
    /// The tag is wrong. The connection closes without a message.
    #[error("a frame has a wrong tag")]
    BadTag,
    /// The key has reached its limit of blocks ([`limits::BLOCKS_PER_KEY`]).
    #[error("the key of this channel is worn out")]
    WornOut,
    /// The tag is correct and the contents are not: CLOSE_NOTIFY(2) tells the peer.
    #[error("a frame is malformed: {0}")]
    Malformed(#[from] Malformed),
}

/// A received message, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// A message that is not a channel command.
    Message(Message),
    /// The peer requests a PONG.
    Ping,
    /// The peer answers a PING.
    Pong,
    /// The peer closes, with a reason (CLOSE_NOTIFY); nothing follows.
    Close(u64),
}

/// One side of an encrypted channel.
pub struct Channel {
    sealer: Sealer,
    opener: Opener,
    exporter: Secret,
}

impl Channel {
    pub(crate) fn new(
        seal: SealKeys,
        open: OpenKeys,
        receive_limit: usize,
        exporter: Secret,
    ) -> Self {
        Self {
            sealer: Sealer::new(seal),
            opener: Opener::new(open, receive_limit),
            exporter,
        }
    }

    /// Appends received bytes.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.opener.push(bytes);
    }

    /// The next message, or `None` until one has arrived completely. After an error, the channel must not be used to
    /// receive.
    pub fn next_incoming(&mut self) -> Result<Option<Incoming>, ChannelError> {
        self.opener.next_incoming()
    }

    /// The contents of the next whole frame, with its messages still encoded, or `None`. Do not combine it with
    /// [`next_incoming`](Self::next_incoming), which returns the messages of a frame one by one.
    pub fn next_opened(&mut self) -> Result<Option<Opened>, ChannelError> {
        self.opener.next_opened()
    }

    /// The plaintext of the next frame, for callers that show it before it is decoded. It is wiped when it is dropped.
    pub fn next_plain(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, ChannelError> {
        let plain = self.opener.next_plain()?;
        Ok(plain.map(|plain| Zeroizing::new(plain.to_vec())))
    }

    /// The messages of a plaintext, in order; a BATCH has several.
    pub fn read_plain(plain: &[u8]) -> Result<Vec<Incoming>, Malformed> {
        Opened::read(plain).map(Opened::decode)
    }

    /// Changes the limit of L for later frames.
    pub fn set_receive_limit(&mut self, limit: usize) {
        self.opener.set_limit(limit);
    }

    /// The limit of L for frames that are received.
    pub fn receive_limit(&self) -> usize {
        self.opener.limit()
    }

    /// The number of received bytes that form no whole message yet.
    pub fn waiting(&self) -> usize {
        self.opener.waiting()
    }

    /// The sending half.
    pub fn sealer(&mut self) -> &mut Sealer {
        &mut self.sealer
    }

    /// Whether the key of either direction is close to [`limits::BLOCKS_PER_KEY`]. The caller then sends
    /// CLOSE_NOTIFY(8), for which enough blocks remain.
    pub fn is_worn_out(&self) -> bool {
        self.sealer.blocks.max(self.opener.blocks) > limits::BLOCKS_PER_KEY - RESERVE
    }

    /// 32 bytes that only the two sides of the channel know, for other protocols (PROTOCOL.md, section 3).
    pub fn exporter(&self) -> &Secret {
        &self.exporter
    }

    /// The value of the FINISHED message, which must be the first frame.
    pub(crate) fn take_finished(&mut self) -> Result<Option<[u8; 32]>, TakeFinished> {
        let Some(plain) = self.opener.next_plain()? else {
            return Ok(None);
        };
        let message = Message::decode(plain).map_err(|_| TakeFinished::NotFinished)?;
        match message {
            Message {
                command: command::FINISHED,
                params: Value::Bytes(bytes),
            } => bytes
                .try_into()
                .map(Some)
                .map_err(|_| TakeFinished::NotFinished),
            _ => Err(TakeFinished::NotFinished),
        }
    }
}

/// Why the first frame is no FINISHED.
pub(crate) enum TakeFinished {
    Channel(ChannelError),
    NotFinished,
}

impl From<ChannelError> for TakeFinished {
    fn from(error: ChannelError) -> Self {
        TakeFinished::Channel(error)
    }
}

/// Blocks reserved of each key: one last frame of the largest size in each direction.
const RESERVE: u64 = 2 * (limits::FRAME_TO_CLIENT / BLOCK) as u64;

#[cfg(test)]
mod tests;
