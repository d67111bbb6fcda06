//! The server's side of a handshake, as far as a worker does not compute it.

use echat_proto::channel::Channel;
use echat_proto::handshake::{
    AwaitClientFinished, AwaitClientHello, ClientHello, HandshakeError, Step,
};

/// A handshake that is not done.
pub(super) enum Handshake {
    /// ClientHello is awaited.
    Hello(AwaitClientHello),
    /// A worker computes the answer.
    Responding,
    /// FINISHED is awaited.
    Finishing(Box<AwaitClientFinished>),
}

/// What bytes from the client lead to.
pub(super) enum Progress {
    /// More bytes are awaited.
    More(Handshake),
    /// A whole ClientHello came, which a worker has to answer.
    Hello(ClientHello),
    /// The channel is open.
    Done(Box<Channel>),
}

impl Handshake {
    /// Takes bytes from the client.
    ///
    /// # Errors
    /// They are not those of a correct client.
    pub(super) fn next(self, bytes: &[u8]) -> Result<Progress, HandshakeError> {
        Ok(match self {
            Self::Hello(state) => match state.next(bytes)? {
                Step::More(state) => Progress::More(Self::Hello(state)),
                // A correct client sends nothing between its hello and the answer.
                Step::Next((_, behind)) if !behind.is_empty() => {
                    return Err(HandshakeError::BadFinished);
                }
                Step::Next((hello, _)) => Progress::Hello(hello),
            },
            Self::Responding => return Err(HandshakeError::BadFinished),
            Self::Finishing(state) => match state.next(bytes)? {
                Step::More(state) => Progress::More(Self::Finishing(Box::new(state))),
                Step::Next(channel) => Progress::Done(Box::new(channel)),
            },
        })
    }
}
