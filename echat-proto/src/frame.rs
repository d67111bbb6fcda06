//! Where one frame ends and the next begins. Nothing here knows keys or contents.

use crate::crypto::{BLOCK, TAG};
use std::ops::Range;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes before the ciphertext: L, padding_n, IV.
pub const HEADER: usize = 4 + 1 + BLOCK;

/// A length that no frame of this channel has: not a positive multiple of 16, or over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a frame declares {0} bytes of ciphertext")]
pub struct BadLength(
    /// The declared length.
    pub u32,
);

/// Bytes as they arrive, and the whole frames among them. A frame is opened in place, and what was
/// in it is wiped when the next bytes come, or with the buffer.
///
/// ```text
/// buffer: | taken already | whole frame | whole frame | begun fra
///                         ^ start
/// ```
#[derive(Debug)]
pub struct Deframer {
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    limit: usize,
}

impl Deframer {
    /// A deframer that refuses an L over `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Zeroizing::default(),
            start: 0,
            limit,
        }
    }

    /// Changes the limit on L from the next frame on.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Appends bytes that arrived, and gives back the memory of frames taken before.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer[..self.start].zeroize();
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that no frame has been made of yet.
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole frame, in place, or `None` while it is not all there. A length that cannot be
    /// is refused as soon as its four bytes are there.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, BadLength> {
        let Some(range) = self.whole_frame()? else {
            if self.waiting() == 0 {
                // An idle connection owns no buffer.
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

    /// The bytes that no frame has been made of, taken out.
    pub fn into_leftover(mut self) -> Vec<u8> {
        self.buffer.split_off(self.start)
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
