//! A message: the plaintext of a frame, in either direction. This module does not know the table of commands.

use crate::codec::{self, DecodeError, EncodeError};
use crate::value::Value;
use thiserror::Error;

/// A message: a command and its parameters. `Debug` shows no parameters of a command that may have a secret.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// The command's number.
    pub command: u32,
    /// Its parameters.
    pub params: Value,
}

impl Message {
    /// The plaintext form, `command | value`. It may hold a secret: a buffer that never grows leaves no copies behind.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let length = size_of::<u32>() + codec::encoded_len(&self.params);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&self.command.to_be_bytes());
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

    /// The command of the message that a plaintext is, without decoding its parameters; the same
    /// errors as [`decode`](Self::decode).
    pub(crate) fn check(plain: &[u8]) -> Result<u32, Malformed> {
        let (number, value) = plain.split_first_chunk().ok_or(Malformed::NoCommand)?;
        codec::check(value)?;
        Ok(u32::from_be_bytes(*number))
    }
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
