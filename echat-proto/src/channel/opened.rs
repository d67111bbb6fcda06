//! The contents of an opened frame. Messages stay encoded until they are requested: decoded, they can take thirty
//! times the memory.

use super::Incoming;
use crate::commands::channel as command;
use crate::message::{Malformed, Message};
use crate::value::{Value, tag};
use zeroize::Zeroizing;

/// Bytes of a BATCH before its items: command, tag and length.
pub(super) const BATCH_OVERHEAD: usize = 4 + 1 + 4;

/// The contents of a frame, all of it valid.
#[derive(Debug, PartialEq)]
pub enum Opened {
    /// Messages that are not channel commands.
    Messages(Messages),
    /// The peer requests a PONG.
    Ping,
    /// The peer answers a PING.
    Pong,
    /// The peer closes, with a reason (CLOSE_NOTIFY); nothing follows.
    Close(u64),
}

/// The remaining messages of one frame, in order.
#[derive(Debug, PartialEq)]
pub struct Messages {
    plain: Zeroizing<Vec<u8>>,
    /// The position of the next message; in a BATCH, of its length.
    at: usize,
    batch: bool,
}

impl Messages {
    /// Whether no message is left.
    pub fn is_empty(&self) -> bool {
        self.at == self.plain.len()
    }

    /// The command number of the next message.
    pub fn command(&self) -> Option<u32> {
        let (number, _) = self.front()?.split_first_chunk()?;
        Some(u32::from_be_bytes(*number))
    }

    /// Bytes of the next message; 0 if there is none.
    pub fn length(&self) -> usize {
        self.front().map_or(0, <[u8]>::len)
    }

    /// Bytes of all remaining messages, with the lengths in a BATCH.
    pub fn bytes(&self) -> usize {
        self.plain.len() - self.at
    }

    /// The next message, without removing it.
    pub fn peek(&self) -> Option<Message> {
        let message = Message::decode(self.front()?);
        Some(message.expect("checked when the frame was opened"))
    }

    /// Removes the next message.
    pub fn pass(&mut self) {
        let length = self.length();
        self.at += length + if self.batch && length > 0 { 4 } else { 0 };
    }

    fn front(&self) -> Option<&[u8]> {
        let rest = self.plain.get(self.at..).filter(|rest| !rest.is_empty())?;
        if self.batch {
            split_item(rest).map(|(item, _)| item)
        } else {
            Some(rest)
        }
    }
}

impl Iterator for Messages {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let message = self.peek();
        self.pass();
        message
    }
}

impl Opened {
    /// Parses a plaintext.
    pub(super) fn read(plain: &[u8]) -> Result<Self, Malformed> {
        let number = Message::check(plain)?;
        let messages = |at, batch| {
            Self::Messages(Messages {
                plain: plain.to_vec().into(),
                at,
                batch,
            })
        };
        if number < command::FIRST {
            return Ok(messages(0, false));
        }
        if number == command::BATCH && plain.get(4) == Some(&tag::BYTES) {
            check_batch(&plain[BATCH_OVERHEAD..])?;
            return Ok(messages(BATCH_OVERHEAD, true));
        }
        match (number, Message::decode(plain)?.params) {
            (command::PING, Value::Null) => Ok(Self::Ping),
            (command::PONG, Value::Null) => Ok(Self::Pong),
            (command::CLOSE_NOTIFY, Value::Int(reason)) => Ok(Self::Close(reason)),
            // FINISHED occurs once, in the handshake.
            (number, _) => Err(Malformed::ChannelCommand(number)),
        }
    }

    /// All messages, decoded.
    pub(super) fn decode(self) -> Vec<Incoming> {
        match self {
            Self::Messages(messages) => messages.map(Incoming::Message).collect(),
            Self::Ping => vec![Incoming::Ping],
            Self::Pong => vec![Incoming::Pong],
            Self::Close(reason) => vec![Incoming::Close(reason)],
        }
    }
}

/// Whether `items` are messages, each after its length, without channel commands.
fn check_batch(mut items: &[u8]) -> Result<(), Malformed> {
    if items.is_empty() {
        return Err(Malformed::Batch);
    }
    while !items.is_empty() {
        let (item, rest) = split_item(items).ok_or(Malformed::Batch)?;
        if Message::check(item)? >= command::FIRST {
            return Err(Malformed::Batch);
        }
        items = rest;
    }
    Ok(())
}

/// The first item of a BATCH, and the rest.
fn split_item(items: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = items.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}
