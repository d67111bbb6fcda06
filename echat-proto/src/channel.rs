//! One end of an encrypted channel: bytes in, messages out (`opener`, `opened`); messages in, sealed frames
//! out (`sealer`). It knows no sockets, and not which end it is.

mod opened;
mod opener;
mod sealer;

use crate::commands::channel as command;
use crate::crypto::{BLOCK, DirectionKeys, Secret};
use crate::frame::BadLength;
use crate::limits;
use crate::value::Value;
use opener::Opener;
use thiserror::Error;

pub use crate::message::{Malformed, Message};
pub use opened::{Messages, Opened};
pub use sealer::Sealer;
pub(crate) use sealer::seal_finished;

/// Why a frame was refused (wire.md 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChannelError {
    /// L out of range. Nothing is believed, nothing is answered.
    #[error(transparent)]
    BadLength(#[from] BadLength),
    /// The tag does not hold. Nothing is believed, nothing is answered.
    #[error("a frame's tag does not hold")]
    BadTag,
    /// The key has encrypted as many blocks as it may.
    #[error("the key of this channel is worn out")]
    WornOut,
    /// The tag holds and the contents are wrong: the other end is at fault, and is told.
    #[error("a frame is malformed: {0}")]
    Malformed(#[from] Malformed),
}

/// What a channel receives.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// A message that is not the channel's own.
    Message(Message),
    /// The other end wants a PONG.
    Ping,
    /// The other end is alive.
    Pong,
    /// The other end says goodbye and why (CLOSE_NOTIFY); nothing follows.
    Close(u64),
}

/// One end of an encrypted channel.
pub struct Channel {
    sealer: Sealer,
    opener: Opener,
    exporter: Secret,
}

impl Channel {
    pub(crate) fn new(
        seal: DirectionKeys,
        open: DirectionKeys,
        receive_limit: usize,
        exporter: Secret,
    ) -> Self {
        Self {
            sealer: Sealer::new(seal),
            opener: Opener::new(open, receive_limit),
            exporter,
        }
    }

    /// Appends bytes that arrived.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.opener.push(bytes);
    }

    /// The next thing that arrived whole, or `None`. After an error the channel is of no more use
    /// for receiving.
    pub fn next_incoming(&mut self) -> Result<Option<Incoming>, ChannelError> {
        self.opener.next_incoming()
    }

    /// What the next whole frame holds, its messages not decoded yet, or `None`. Not to be mixed with
    /// [`next_incoming`](Self::next_incoming), which gives out a frame in pieces.
    pub fn next_opened(&mut self) -> Result<Option<Opened>, ChannelError> {
        self.opener.next_opened()
    }

    /// The plaintext of the next frame as it is, for whoever wants to see it before it is decoded.
    pub fn next_plain(&mut self) -> Result<Option<Vec<u8>>, ChannelError> {
        Ok(self.opener.next_plain()?.map(<[u8]>::to_vec))
    }

    /// What a plaintext holds, in order; a BATCH holds several.
    pub fn read_plain(plain: &[u8]) -> Result<Vec<Incoming>, Malformed> {
        Opened::read(plain).map(Opened::decode)
    }

    /// Changes the limit on L of frames to come.
    pub fn set_receive_limit(&mut self, limit: usize) {
        self.opener.set_limit(limit);
    }

    /// Bytes received that make no whole message yet.
    pub fn waiting(&self) -> usize {
        self.opener.waiting()
    }

    /// The sending half.
    pub fn sealer(&mut self) -> &mut Sealer {
        &mut self.sealer
    }

    /// Whether either direction's key has come near [`limits::BLOCKS_PER_KEY`]: time to say
    /// CLOSE_NOTIFY(8). Enough is left to say it.
    pub fn is_worn_out(&self) -> bool {
        self.sealer.blocks.max(self.opener.blocks) > limits::BLOCKS_PER_KEY - RESERVE
    }

    /// Thirty-two secret bytes that both ends share and no one else, for other uses.
    pub fn exporter(&self) -> &Secret {
        &self.exporter
    }

    /// The value of the FINISHED message that must be the first frame.
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

/// Why there is no FINISHED.
pub(crate) enum TakeFinished {
    Channel(ChannelError),
    NotFinished,
}

impl From<ChannelError> for TakeFinished {
    fn from(error: ChannelError) -> Self {
        TakeFinished::Channel(error)
    }
}

/// Blocks kept back of a key's life: a last frame of the largest size in each direction.
const RESERVE: u64 = 2 * (limits::FRAME_TO_CLIENT / BLOCK) as u64;

#[cfg(test)]
mod tests;
