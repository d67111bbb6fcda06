//! One end of an encrypted channel: bytes in, messages out; messages in, sealed frames out. It knows
//! no sockets, and not which end it is.

use crate::codec::{self, DecodeError, EncodeError};
use crate::commands::channel as command;
use crate::crypto::{BLOCK, DirectionKeys, Secret, TAG};
use crate::frame::{BadLength, Deframer, HEADER};
use crate::limits;
use crate::value::{Value, tag};
use rand::CryptoRng;
use std::collections::VecDeque;
use thiserror::Error;

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

/// What is wrong with the contents of a frame whose tag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// padding_n over 15, or padding that is not zero.
    #[error("bad padding")]
    Padding,
    /// Fewer than four bytes of command.
    #[error("no command")]
    NoCommand,
    /// A value that is none.
    #[error(transparent)]
    Value(#[from] DecodeError),
    /// A channel command that is unknown or out of place, or whose value has the wrong type.
    #[error("bad channel command {0:#010x}")]
    ChannelCommand(u32),
    /// A BATCH that is empty, or holds a part of a message or a channel command.
    #[error("bad batch")]
    Batch,
}

/// A message: a command and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The command's number.
    pub command: u32,
    /// Its parameters.
    pub params: Value,
}

impl Message {
    /// The plaintext form, Command | value.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = self.command.to_be_bytes().to_vec();
        codec::encode(&self.params, &mut bytes)?;
        Ok(bytes)
    }

    /// The message that a plaintext is, all of it.
    pub fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let (number, value) = plain.split_first_chunk().ok_or(Malformed::NoCommand)?;
        Ok(Self {
            command: u32::from_be_bytes(*number),
            params: codec::decode(value)?,
        })
    }
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
        self.opener.deframer.push(bytes);
    }

    /// The next thing that arrived whole, or `None`. After an error the channel is of no more use
    /// for receiving.
    pub fn next_incoming(&mut self) -> Result<Option<Incoming>, ChannelError> {
        self.opener.next_incoming()
    }

    /// The plaintext of the next frame as it is, for whoever wants to see it before it is decoded.
    pub fn next_plain(&mut self) -> Result<Option<Vec<u8>>, ChannelError> {
        Ok(self.opener.next_plain()?.map(<[u8]>::to_vec))
    }

    /// What a plaintext holds, in order; a BATCH holds several.
    pub fn read_plain(plain: &[u8]) -> Result<Vec<Incoming>, Malformed> {
        let mut incoming = VecDeque::new();
        read_plain(plain, &mut incoming)?;
        Ok(incoming.into())
    }

    /// Changes the limit on L of frames to come.
    pub fn set_receive_limit(&mut self, limit: usize) {
        self.opener.deframer.set_limit(limit);
    }

    /// Bytes received that make no whole message yet.
    pub fn waiting(&self) -> usize {
        self.opener.deframer.waiting()
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

/// The receiving half.
struct Opener {
    keys: DirectionKeys,
    seq: u64,
    blocks: u64,
    deframer: Deframer,
    ready: VecDeque<Incoming>,
}

impl Opener {
    fn new(keys: DirectionKeys, limit: usize) -> Self {
        Self {
            keys,
            seq: 0,
            blocks: 0,
            deframer: Deframer::new(limit),
            ready: VecDeque::new(),
        }
    }

    fn next_incoming(&mut self) -> Result<Option<Incoming>, ChannelError> {
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
    fn next_plain(&mut self) -> Result<Option<&[u8]>, ChannelError> {
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

fn read_plain(plain: &[u8], into: &mut VecDeque<Incoming>) -> Result<(), Malformed> {
    let message = Message::decode(plain)?;
    let incoming = match (message.command, message.params) {
        (number, params) if number < command::FIRST => Incoming::Message(Message {
            command: number,
            params,
        }),
        (command::PING, Value::Null) => Incoming::Ping,
        (command::PONG, Value::Null) => Incoming::Pong,
        (command::CLOSE_NOTIFY, Value::Int(reason)) => Incoming::Close(reason),
        (command::BATCH, Value::Bytes(items)) => return read_batch(&items, into),
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

/// The sending half.
pub struct Sealer {
    keys: DirectionKeys,
    seq: u64,
    blocks: u64,
}

impl Sealer {
    fn new(keys: DirectionKeys) -> Self {
        Self {
            keys,
            seq: 0,
            blocks: 0,
        }
    }

    /// Appends one frame with this plaintext, whatever it is, to `out`.
    pub fn seal(&mut self, plain: &[u8], rng: &mut impl CryptoRng, out: &mut Vec<u8>) {
        self.seal_with(rng, out, |out| out.extend_from_slice(plain));
    }

    /// Appends one frame with as many of the waiting messages as `limit` on L allows, a BATCH if
    /// they are several, and takes them from the queue. A channel command stands alone. Returns the
    /// plaintext bytes taken; 0 if nothing waited.
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
        self.seal_with(rng, out, |out| {
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
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        let at = out.len();
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

/// How many messages from the front one frame takes; 1 if even the first is over the limit, which
/// the receiver then refuses: a message is never cut.
fn fitting<M: AsRef<[u8]>>(waiting: &VecDeque<M>, limit: usize) -> usize {
    // Command, tag and length of the BATCH itself.
    let mut size = 4 + 1 + 4;
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

fn length_of(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes)
        .expect("a frame is far below 4 GiB")
        .to_be_bytes()
}

/// Seals a FINISHED message, the first frame of a direction.
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

#[cfg(test)]
mod tests;
