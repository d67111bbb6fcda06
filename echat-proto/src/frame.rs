//! The boundaries of frames (PROTOCOL.md, section 1). This module does not know keys or contents.

use crate::crypto::{BLOCK, TAG};
use std::ops::Range;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes before the ciphertext: L, padding_n, IV.
pub const HEADER: usize = 4 + 1 + BLOCK;

/// An invalid length of a ciphertext: not a positive multiple of 16, or over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a frame declares {0} bytes of ciphertext")]
pub struct BadLength(
    /// The declared length.
    pub u32,
);

/// Collects bytes as they arrive and divides them into frames. Frames are opened in place; the buffer wipes their
/// contents when the next bytes arrive, and when it is dropped.
///
/// ```text
/// buffer: | already taken | whole frame | whole frame | partial fr
///                         ^ start
/// ```
#[derive(Debug)]
pub struct Deframer {
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    limit: usize,
}

impl Deframer {
    /// A deframer that refuses an L above `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Zeroizing::default(),
            start: 0,
            limit,
        }
    }

    /// Changes the limit of L, from the next frame on.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The limit of L.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Appends received bytes, and releases the memory of frames that were taken.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer[..self.start].zeroize();
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The number of received bytes that belong to no taken frame.
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole frame, in place, or `None` until all of it has arrived. An invalid length is an error as
    /// soon as its four bytes have arrived.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, BadLength> {
        let Some(range) = self.whole_frame()? else {
            if self.waiting() == 0 {
                // An idle connection keeps no buffer.
                self.buffer = Zeroizing::default();
                self.start = 0;
            }
            return Ok(None);
        };
        self.start = range.end;
        Ok(Some(&mut self.buffer[range]))
    }

    fn whole_frame(&self) -> Result<Option<Range<usize>>, BadLength> {
        let Some(declared) = self.buffer[self.start..].first_chunk::<4>() else {
            return Ok(None);
        };
        let declared = u32::from_be_bytes(*declared);
        let length = declared as usize;
        if length == 0 || !length.is_multiple_of(BLOCK) || length > self.limit {
            return Err(BadLength(declared));
        }
        let end = self.start + HEADER + length + TAG;
        Ok((end <= self.buffer.len()).then_some(self.start..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: u32, filler: u8) -> Vec<u8> {
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.resize(HEADER + length as usize + TAG, filler);
        bytes
    }

    #[test]
    fn finds_frames_at_every_split() {
        let stream = [frame(16, 1), frame(48, 2), frame(32, 3)].concat();
        for cut in 0..=stream.len() {
            let mut deframer = Deframer::new(64);
            let mut found = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                deframer.push(part);
                while let Some(frame) = deframer.next_frame().expect("good lengths") {
                    found.push(frame.to_vec());
                }
            }
            assert_eq!(found.concat(), stream, "cut at {cut}");
            assert_eq!(found.len(), 3);
            assert_eq!(
                deframer.buffer.capacity(),
                0,
                "nothing waits, nothing is kept"
            );
        }
    }

    #[test]
    fn refuses_a_length_from_its_four_bytes_alone() {
        for bad in [0, 1, 15, 17, 80, 4096, u32::MAX] {
            let mut deframer = Deframer::new(64);
            deframer.push(&bad.to_be_bytes()[..3]);
            assert_eq!(deframer.next_frame(), Ok(None));
            deframer.push(&bad.to_be_bytes()[3..]);
            assert_eq!(deframer.next_frame(), Err(BadLength(bad)));
        }
    }
}
