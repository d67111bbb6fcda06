//! Where frames begin and end.

use super::cuts;
use super::memory::bounded;
use echat_proto::crypto::{BLOCK, TAG};
use echat_proto::frame::{BadLength, Deframer, HEADER};

/// Whole frames, and how many bytes wait behind them or which length was refused.
type Frames = (Vec<Vec<u8>>, Result<usize, BadLength>);

/// The first byte chooses the limit; the rest is the stream. However it is cut, the frames are those
/// that PROTOCOL.md, section 1, describes.
pub fn check(bytes: &[u8]) {
    let Some((choice, stream)) = bytes.split_first() else {
        return;
    };
    let limit = BLOCK << (choice % 16);
    let expected = described(limit, stream);
    for pieces in cuts(stream) {
        assert_eq!(bounded(bytes.len(), || found(limit, &pieces)), expected);
    }
}

/// The frames by the drawing of PROTOCOL.md, section 1.
fn described(limit: usize, mut stream: &[u8]) -> Frames {
    let mut frames = Vec::new();
    while let Some(declared) = stream.first_chunk::<4>() {
        let declared = u32::from_be_bytes(*declared);
        let length = declared as usize;
        if length < BLOCK || !length.is_multiple_of(BLOCK) || length > limit {
            return (frames, Err(BadLength(declared)));
        }
        let Some((frame, rest)) = stream.split_at_checked(HEADER + length + TAG) else {
            break;
        };
        frames.push(frame.to_vec());
        stream = rest;
    }
    (frames, Ok(stream.len()))
}

/// The frames that the decoder finds.
fn found(limit: usize, pieces: &[&[u8]]) -> Frames {
    let mut deframer = Deframer::new(limit);
    let mut frames = Vec::new();
    for piece in pieces {
        deframer.push(piece);
        loop {
            match deframer.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    (frames, Ok(deframer.waiting()))
}
